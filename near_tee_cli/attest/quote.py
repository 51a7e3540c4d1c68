"""Quotes: what a machine's quoting enclave signed about a guest, taken apart without believing any of it.

Read are versions 4 and 5 with the bodies of TDX 1.0 and 1.5, and versions 3 and 5 of SGX, which are recognised so that
they can be refused by name. Only header and body are signed; what follows them (signature, certificates, padding) can
be respelt by anybody, so that evidence is identified by the hash of the signed part and never by the hash of the file.

Follows Intel's "TDX DCAP Quoting Library API", appendix A (quote formats), and "TDX module ABI", TDREPORT_STRUCT.
"""

from enum import Enum
from struct import unpack_from
from typing import NamedTuple

from near_tee_cli.errors import BadInputError, UnsupportedError
from near_tee_cli.primitives.hashes import sha256

MAX_QUOTE_BYTES = 64 * 1024
"""Bytes of a quote with its certificates; real ones have about 5000."""

INTEL_VENDOR = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")
"""The vendor of the quoting enclave that all quotes name."""

ECDSA_P256 = 2
"""The kind of attestation key that quotes are signed with."""

REGISTER_LENGTH = 48
"""Bytes of a measurement register: SHA-384."""

REPORT_DATA_LENGTH = 64
"""Bytes that the guest chose itself."""

DEBUG = 1 << 0
"""TD attribute: the host may read and change the guest."""
SEPT_VE_DISABLE = 1 << 28
"""TD attribute: pages that the host takes away stop the guest instead of being handed back to it."""
PROTECTION_KEYS = 1 << 30
"""TD attribute: the guest may use supervisor protection keys."""
PERFMON = 1 << 63
"""TD attribute: the guest may use performance counters."""

_HEADER_LENGTH = 48
_TD10_LENGTH = 584
_TD15_LENGTH = 648
_SGX_LENGTH = 384
_TDX_TEE = 0x81
_SGX_TEE = 0x00


class Tee(Enum):
    """The kind of environment that a quote speaks of."""

    SGX = "SGX"
    TDX = "TDX"


class TdReport(NamedTuple):
    """The body of a TDX quote. Registers have 48 bytes."""

    tee_tcb_svn: bytes
    """Security versions of the TDX module and its loader when the guest was launched, 16 bytes."""
    mr_seam: bytes
    """Measurement of the TDX module."""
    mr_signer_seam: bytes
    """Signer of the TDX module; zero for Intel's."""
    seam_attributes: int
    td_attributes: int
    """Flags of the guest: see `DEBUG` and those below it."""
    xfam: int
    """Processor features that the guest may use."""
    mr_td: bytes
    """Measurement of the guest's initial content: its firmware."""
    mr_config_id: bytes
    """What the owner configured, not measured by itself; dstack puts the compose hash here."""
    mr_owner: bytes
    mr_owner_config: bytes
    registers: tuple[bytes, bytes, bytes, bytes]
    """RTMR0 to RTMR3: what was measured while the guest started and ran."""
    report_data: bytes
    """64 bytes that the guest chose."""
    tee_tcb_svn2: bytes | None
    """TDX 1.5: the security versions at the time of the quote, 16 bytes."""
    mr_service_td: bytes | None
    """TDX 1.5: measurement of the service TDs that are bound to the guest; zero without any."""


class SgxReport(NamedTuple):
    """The part of an SGX enclave's report that is shown."""

    mr_enclave: bytes
    mr_signer: bytes
    report_data: bytes
    """64 bytes that the enclave chose."""


class Quote(NamedTuple):
    """A quote as it says it is. Nothing of it is believed before its signatures are checked."""

    version: int
    tee: Tee
    body: str
    """`TD10`, `TD15` or `SGX`."""
    td: TdReport | None
    sgx: SgxReport | None
    signed: bytes
    """Header and body: the bytes under the quote's signature."""

    @property
    def identity(self) -> bytes:
        """SHA-256 of the signed part: which evidence this is, however the rest of it is spelt."""
        return sha256(self.signed)

    @property
    def report_data(self) -> bytes:
        """64 bytes that guest or enclave chose."""
        return self.td.report_data if self.td is not None else self.sgx.report_data if self.sgx is not None else b""


def parse_quote(data: bytes) -> Quote:
    """The quote in `data`. Bytes after the signed part are not looked at.

    Raises `BadInputError` (`bad-quote`, `too-large`) and `UnsupportedError` for versions, bodies and keys that are
    not read here (`unsupported-quote-version`, `unsupported-quote-body`, `unsupported-quote-key`,
    `unsupported-quote-tee`).
    """
    if len(data) > MAX_QUOTE_BYTES:
        raise BadInputError(f"a quote has at most {MAX_QUOTE_BYTES} bytes, not {len(data)}", code="too-large")
    if len(data) < _HEADER_LENGTH:
        raise _bad(f"a quote begins with {_HEADER_LENGTH} bytes of header, {len(data)} are there")
    version, key_type, tee_number = unpack_from("<HHI", data, 0)
    tee = _tee(tee_number)
    if key_type != ECDSA_P256:
        raise UnsupportedError(f"an attestation key of kind {key_type} is not read", what="quote-key")
    if data[12:28] != INTEL_VENDOR:
        raise _bad("the quoting enclave is not Intel's")
    if version == 5:
        body, start, end = _described_body(data, tee)
    elif (version, tee) == (4, Tee.TDX):
        body, start, end = "TD10", _HEADER_LENGTH, _HEADER_LENGTH + _TD10_LENGTH
    elif (version, tee) == (3, Tee.SGX):
        body, start, end = "SGX", _HEADER_LENGTH, _HEADER_LENGTH + _SGX_LENGTH
    else:
        raise UnsupportedError(f"quotes of version {version} for {tee.value} are not read", what="quote-version")
    if len(data) <= end:
        raise _bad(f"the quote ends after {len(data)} bytes, before its signature")
    raw = data[start:end]
    return Quote(
        version=version,
        tee=tee,
        body=body,
        td=_td_report(raw) if tee is Tee.TDX else None,
        sgx=_sgx_report(raw) if tee is Tee.SGX else None,
        signed=data[:end],
    )


def td_report_of(quote: Quote) -> TdReport:
    """The TDX report of a quote. Raises `UnsupportedError` (`unsupported-quote-tee`) for SGX."""
    if quote.td is None:
        raise UnsupportedError(
            f"a quote of {quote.tee.value}, where TDX is asked for",
            what="quote-tee",
            hint="only TDX guests measure a whole machine",
        )
    return quote.td


def _tee(number: int) -> Tee:
    if number == _TDX_TEE:
        return Tee.TDX
    if number == _SGX_TEE:
        return Tee.SGX
    raise UnsupportedError(f"environments of kind {number:#x} are not read", what="quote-tee")


def _described_body(data: bytes, tee: Tee) -> tuple[str, int, int]:
    """Version 5: type and size of the body stand before it, and are signed with it."""
    start = _HEADER_LENGTH + 6
    if len(data) < start:
        raise _bad("the quote ends inside the description of its body")
    kind, size = unpack_from("<HI", data, _HEADER_LENGTH)
    known = {
        (1, Tee.SGX): ("SGX", _SGX_LENGTH),
        (2, Tee.TDX): ("TD10", _TD10_LENGTH),
        (3, Tee.TDX): ("TD15", _TD15_LENGTH),
    }
    if (kind, tee) not in known:
        raise UnsupportedError(f"bodies of type {kind} for {tee.value} are not read", what="quote-body")
    name, length = known[kind, tee]
    if size != length:
        raise _bad(f"a body of type {kind} has {length} bytes, not {size}")
    return name, start, start + length


def _td_report(raw: bytes) -> TdReport:
    registers = tuple(raw[at : at + REGISTER_LENGTH] for at in range(328, 520, REGISTER_LENGTH))
    is_15 = len(raw) == _TD15_LENGTH
    return TdReport(
        tee_tcb_svn=raw[0:16],
        mr_seam=raw[16:64],
        mr_signer_seam=raw[64:112],
        seam_attributes=_u64(raw, 112),
        td_attributes=_u64(raw, 120),
        xfam=_u64(raw, 128),
        mr_td=raw[136:184],
        mr_config_id=raw[184:232],
        mr_owner=raw[232:280],
        mr_owner_config=raw[280:328],
        registers=(registers[0], registers[1], registers[2], registers[3]),
        report_data=raw[520:584],
        tee_tcb_svn2=raw[584:600] if is_15 else None,
        mr_service_td=raw[600:648] if is_15 else None,
    )


def _sgx_report(raw: bytes) -> SgxReport:
    return SgxReport(mr_enclave=raw[64:96], mr_signer=raw[128:160], report_data=raw[320:384])


def _u64(raw: bytes, at: int) -> int:
    return int.from_bytes(raw[at : at + 8], "little")


def _bad(what: str) -> BadInputError:
    return BadInputError(what, code="bad-quote")
