"""A public key infrastructure in the shape of Intel's that is NOT INTEL: quotes and collateral of any content.

For laptops and tests. Everything follows from a seed and a date, so that it repeats; the root certificate, the owner
that every quote names and the header of the quote say what this is, and nobody who trusts Intel's root accepts any
of it. A platform of any standing can be had: each status, revoked, out of its time, debuggable.

Follows Intel's "SGX PCK Certificate and Certificate Revocation List Profile", the PCS API version 4 (TCB info 3,
enclave identity 2), and "TDX DCAP Quoting Library API", appendix A (quote version 4).
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha512
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from near_tee_cli.attest.guest_agent import SIMULATED_OWNER
from near_tee_cli.attest.quote import ECDSA_P256, INTEL_VENDOR, REGISTER_LENGTH, SEPT_VE_DISABLE
from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives.curves.p256 import N
from near_tee_cli.primitives.hashes import sha256

ROOT_NAME = "NOT INTEL near-tee synthetic root"
"""Subject of the root certificate, which goes on with some digits of its own: other seeds give others."""

FMSPC = bytes.fromhex("4e4f54494e54")
"""The kind of platform, 6 bytes: `NOTINT`."""

LIFETIME = 30 * 86_400
"""Seconds for which collateral may be believed."""

_CA_NAME = "NOT INTEL near-tee synthetic PCK Platform CA"
_TCB_NAME = "NOT INTEL near-tee synthetic TCB signing"
_PCK_NAME = "NOT INTEL near-tee synthetic PCK certificate"
_HEADER_DATA = b"NOT INTEL".ljust(20, b"\0")
_DOMAIN = b"near-tee/synthetic-pki/v1\0"
_BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
_END = datetime(2049, 12, 31, tzinfo=UTC)
_CPU_SVN = bytes([5]) * 16
_PCE_SVN = 11
_TEE_TCB_SVN = bytes([5]) + bytes(15)
_XFAM = bytes.fromhex("e702060000000000")
_QE_SIGNER = sha256(b"near-tee synthetic quoting enclave")
_QE_PRODUCT = 2
_QE_SVN = 8
_AUTH_DATA = bytes(range(32))
_EXTENSION = "1.2.840.113741.1.13.1"


class Platform(NamedTuple):
    """How a machine stands with whoever vouches for it."""

    status: str = "UpToDate"
    """The word of its level of trusted components; also one that means nothing."""
    qe_status: str = "UpToDate"
    """The word of its quoting enclave's level."""
    advisory_ids: tuple[str, ...] = ()
    revoked: bool = False
    """Whether its certificate is on the revocation list."""


class Td(NamedTuple):
    """What a quote says of a guest. Registers have 48 bytes."""

    mr_td: bytes
    registers: tuple[bytes, bytes, bytes, bytes]
    report_data: bytes
    """64 bytes."""
    mr_config_id: bytes = bytes(REGISTER_LENGTH)
    td_attributes: int = SEPT_VE_DISABLE
    """Flags as in `attest.quote`."""


class SyntheticPki:
    """A root, a machine below it, and whoever speaks about the machine; none of it Intel's.

    `seed` gives all keys, and with them the root; `issued` (Unix seconds) is the date of the collateral, which may be
    believed for `lifetime` seconds. Raises `BadInputError` (`bad-time`) for dates that certificates cannot hold.
    """

    def __init__(self, seed: bytes, *, issued: int, lifetime: int = LIFETIME, platform: Platform | None = None) -> None:
        if lifetime <= 0 or issued < _BEGIN.timestamp() or issued + lifetime > _END.timestamp():
            raise BadInputError("synthetic evidence can be had for the years 2020 to 2049", code="bad-time")
        self.issued = issued
        self.expires = issued + lifetime
        self._platform = platform or Platform()
        self._ecdsa = _signing()
        self._suffix = f" {sha256(_DOMAIN + seed)[:4].hex()}"
        self._keys = {name: _key(seed, name) for name in (ROOT_NAME, _CA_NAME, _TCB_NAME, _PCK_NAME, "attestation")}
        self._root = self._certificate(ROOT_NAME, ROOT_NAME, is_authority=True)
        self._ca = self._certificate(_CA_NAME, ROOT_NAME, is_authority=True)
        self._pck = self._certificate(_PCK_NAME, _CA_NAME, extension=_intel_extension(seed))
        self._chain = _pem(self._pck, self._ca, self._root).encode()

    @property
    def root(self) -> bytes:
        """The root certificate, DER. It depends on the seed alone."""
        return self._root.public_bytes(serialization.Encoding.DER)

    @property
    def root_pem(self) -> str:
        """The root certificate, PEM."""
        return _pem(self._root)

    def quote(self, td: Td) -> bytes:
        """A quote (version 4, TDX 1.0) that says `td`. Raises `BadInputError` (`bad-length`)."""
        header = (4).to_bytes(2, "little") + ECDSA_P256.to_bytes(2, "little") + (0x81).to_bytes(4, "little") + bytes(4)
        signed = header + INTEL_VENDOR + _HEADER_DATA + _body(td)
        report = self._qe_report()
        certified = b"".join(
            (
                report,
                self._sign(_PCK_NAME, report),
                len(_AUTH_DATA).to_bytes(2, "little"),
                _AUTH_DATA,
                (5).to_bytes(2, "little"),
                len(self._chain).to_bytes(4, "little"),
                self._chain,
            )
        )
        rest = b"".join(
            (
                self._sign("attestation", signed),
                _raw_public(self._keys["attestation"]),
                (6).to_bytes(2, "little"),
                len(certified).to_bytes(4, "little"),
                certified,
            )
        )
        return signed + len(rest).to_bytes(4, "little") + rest

    def collateral(self) -> bytes:
        """What is said about the machine, as `attest.collateral` reads it: a JSON object."""
        signer = self._certificate(_TCB_NAME, ROOT_NAME)
        tcb_info, qe_identity = _text(self._tcb_info()), _text(self._qe_identity())
        revoked = (self._pck.serial_number,) if self._platform.revoked else ()
        members = {
            "pck_crl_issuer_chain": _pem(self._ca, self._root),
            "root_ca_crl": self._revocations(ROOT_NAME, ()).hex(),
            "pck_crl": self._revocations(_CA_NAME, revoked).hex(),
            "tcb_info_issuer_chain": _pem(signer, self._root),
            "tcb_info": tcb_info,
            "tcb_info_signature": self._sign(_TCB_NAME, tcb_info.encode()).hex(),
            "qe_identity_issuer_chain": _pem(signer, self._root),
            "qe_identity": qe_identity,
            "qe_identity_signature": self._sign(_TCB_NAME, qe_identity.encode()).hex(),
        }
        return json.dumps(members, indent=1).encode() + b"\n"

    def _tcb_info(self) -> Mapping[str, object]:
        platform = self._platform
        zeros = [{"svn": 0}] * 16
        level: dict[str, object] = {
            "tcb": {"sgxtcbcomponents": zeros, "pcesvn": 0, "tdxtcbcomponents": zeros},
            "tcbDate": _date(self.issued),
            "tcbStatus": platform.status,
        }
        if platform.advisory_ids:
            level["advisoryIDs"] = list(platform.advisory_ids)
        return {
            "id": "TDX",
            "version": 3,
            **self._dates(),
            "fmspc": FMSPC.hex().upper(),
            "pceId": "0000",
            "tcbType": 0,
            "tdxModule": {"mrsigner": "00" * 48, "attributes": "00" * 8, "attributesMask": "FF" * 8},
            "tdxModuleIdentities": [],
            "tcbLevels": [level],
        }

    def _qe_identity(self) -> Mapping[str, object]:
        level = {
            "tcb": {"isvsvn": _QE_SVN},
            "tcbDate": _date(self.issued),
            "tcbStatus": self._platform.qe_status,
        }
        return {
            "id": "TD_QE",
            "version": 2,
            **self._dates(),
            "miscselect": "00000000",
            "miscselectMask": "FFFFFFFF",
            "attributes": "11000000000000000000000000000000",
            "attributesMask": "FBFFFFFFFFFFFFFF0000000000000000",
            "mrsigner": _QE_SIGNER.hex().upper(),
            "isvprodid": _QE_PRODUCT,
            "tcbLevels": [level],
        }

    def _dates(self) -> Mapping[str, object]:
        return {
            "issueDate": _date(self.issued),
            "nextUpdate": _date(self.expires),
            "tcbEvaluationDataNumber": 1,
        }

    def _qe_report(self) -> bytes:
        """The report of the quoting enclave, which vouches for the attestation key: 384 bytes."""
        report = bytearray(384)
        report[48:64] = bytes([0x15]) + bytes(7) + bytes([0xE7]) + bytes(7)
        report[128:160] = _QE_SIGNER
        report[256:260] = _QE_PRODUCT.to_bytes(2, "little") + _QE_SVN.to_bytes(2, "little")
        report[320:352] = sha256(_raw_public(self._keys["attestation"]) + _AUTH_DATA)
        return bytes(report)

    def _sign(self, name: str, data: bytes) -> bytes:
        """`r ‖ s`, 64 bytes."""
        r, s = decode_dss_signature(self._keys[name].sign(data, self._ecdsa))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def _name(self, text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text + self._suffix)])

    def _certificate(
        self, subject: str, issuer: str, *, is_authority: bool = False, extension: bytes | None = None
    ) -> x509.Certificate:
        own, signer = self._keys[subject].public_key(), self._keys[issuer]
        builder = (
            x509.CertificateBuilder()
            .subject_name(self._name(subject))
            .issuer_name(self._name(issuer))
            .public_key(own)
            .serial_number(_serial(own))
            .not_valid_before(_BEGIN)
            .not_valid_after(_END)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(own), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
            .add_extension(_usage(is_authority=is_authority), critical=True)
        )
        if extension is not None:
            value = x509.UnrecognizedExtension(x509.ObjectIdentifier(_EXTENSION), extension)
            builder = builder.add_extension(value, critical=False)
        return builder.sign(signer, hashes.SHA256(), ecdsa_deterministic=self._ecdsa.deterministic_signing or None)

    def _revocations(self, issuer: str, serials: tuple[int, ...]) -> bytes:
        signer = self._keys[issuer]
        begin, end = datetime.fromtimestamp(self.issued, UTC), datetime.fromtimestamp(self.expires, UTC)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._name(issuer))
            .last_update(begin)
            .next_update(end)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
            .add_extension(x509.CRLNumber(1), critical=False)
        )
        for serial in serials:
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(begin).build()
            builder = builder.add_revoked_certificate(entry)
        made = builder.sign(signer, hashes.SHA256(), ecdsa_deterministic=self._ecdsa.deterministic_signing or None)
        return made.public_bytes(serialization.Encoding.DER)


def _signing() -> ec.ECDSA:
    """Signatures that repeat, where the OpenSSL at hand can make them."""
    try:
        return ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
    except UnsupportedAlgorithm:
        return ec.ECDSA(hashes.SHA256())


def _key(seed: bytes, name: str) -> ec.EllipticCurvePrivateKey:
    number = int.from_bytes(sha512(_DOMAIN + name.encode() + b"\0" + seed).digest(), "big")
    return ec.derive_private_key(number % (N - 1) + 1, ec.SECP256R1())


def _raw_public(key: ec.EllipticCurvePrivateKey) -> bytes:
    numbers = key.public_key().public_numbers()
    return numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")


def _serial(key: ec.EllipticCurvePublicKey) -> int:
    numbers = key.public_numbers()
    return int.from_bytes(sha256(numbers.x.to_bytes(32, "big"))[:16], "big") | 1


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(*certificates: x509.Certificate) -> str:
    return "".join(one.public_bytes(serialization.Encoding.PEM).decode() for one in certificates)


def _date(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _text(document: Mapping[str, object]) -> str:
    return json.dumps(document, separators=(",", ":"))


def _body(td: Td) -> bytes:
    """The TDX 1.0 report, 584 bytes."""
    for value in (td.mr_td, td.mr_config_id, *td.registers):
        if len(value) != REGISTER_LENGTH:
            raise BadInputError(f"a register has {REGISTER_LENGTH} bytes, not {len(value)}", code="bad-length")
    if len(td.report_data) != 64:
        raise BadInputError(f"report data have 64 bytes, not {len(td.report_data)}", code="bad-length")
    return b"".join(
        (
            _TEE_TCB_SVN,
            bytes(REGISTER_LENGTH),  # the TDX module: none
            bytes(REGISTER_LENGTH),  # its signer, zero for Intel's
            bytes(8),
            td.td_attributes.to_bytes(8, "little"),
            _XFAM,
            td.mr_td,
            td.mr_config_id,
            SIMULATED_OWNER,
            bytes(REGISTER_LENGTH),
            *td.registers,
            td.report_data,
        )
    )


def _intel_extension(seed: bytes) -> bytes:
    """The extension of a machine's certificate: which machine, which components, which kind."""
    svns = b"".join(_pair(f"2.{at + 1}", _integer(svn)) for at, svn in enumerate(_CPU_SVN))
    svns += _pair("2.17", _integer(_PCE_SVN)) + _pair("2.18", _der(0x04, _CPU_SVN))
    flags = b"".join(_pair(f"7.{at}", _der(0x01, b"\xff")) for at in (1, 2, 3))
    parts = (
        _pair("1", _der(0x04, sha256(_DOMAIN + b"ppid" + seed)[:16])),
        _pair("2", _der(0x30, svns)),
        _pair("3", _der(0x04, bytes(2))),
        _pair("4", _der(0x04, FMSPC)),
        _pair("5", _der(0x0A, b"\x01")),
        _pair("6", _der(0x04, sha256(_DOMAIN + b"platform" + seed)[:16])),
        _pair("7", _der(0x30, flags)),
    )
    return _der(0x30, b"".join(parts))


def _pair(arcs: str, value: bytes) -> bytes:
    return _der(0x30, _object_id(f"{_EXTENSION}.{arcs}") + value)


def _object_id(text: str) -> bytes:
    first, second, *rest = map(int, text.split("."))
    content = bytearray([first * 40 + second])
    for arc in rest:
        groups = [arc & 0x7F]
        while arc > 0x7F:
            arc >>= 7  # noqa: PLW2901 - the arc is taken apart
            groups.append(arc & 0x7F | 0x80)
        content += bytes(reversed(groups))
    return _der(0x06, bytes(content))


def _integer(value: int) -> bytes:
    return _der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _der(tag: int, content: bytes) -> bytes:
    size = bytes([len(content)]) if len(content) < 0x80 else b"\x82" + len(content).to_bytes(2, "big")
    return bytes([tag]) + size + content
