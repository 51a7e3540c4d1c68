"""Collateral: what Intel says about a kind of platform, and from when to when it may be believed.

One JSON object with certificate chains, revocation lists, and two signed documents: the levels of trusted components
(TCB info) and the identity of the quoting enclave. The documents are kept as the text that was signed. What is read
from them here decides nothing: it names windows and components in messages, and is believed only after
`attest.dcap` has checked the signatures.

Follows Intel's PCS API, version 4 (TCB info 3, enclave identity 2), and RFC 5280 for revocation lists.
"""

import re
from datetime import UTC, datetime
from typing import NamedTuple

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives import canonical_json as cj

MAX_COLLATERAL_BYTES = 1 << 20
"""Bytes of collateral; real ones have 14 to 25 thousand."""

TEXTS = ("pck_crl_issuer_chain", "tcb_info_issuer_chain", "tcb_info", "qe_identity_issuer_chain", "qe_identity")
HEXES = ("root_ca_crl", "pck_crl", "tcb_info_signature", "qe_identity_signature")
PCK_CHAIN = "pck_certificate_chain"
"""The one member that may be missing: certificates of the machine, needed where the quote has none."""

_COMPONENTS = 16
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_UTC_TIME = 0x17
_GENERALIZED_TIME = 0x18
_SEQUENCE = 0x30
_INTEGER = 0x02


class Component(NamedTuple):
    """A component of a platform and the security version that a level asks for."""

    svn: int
    label: str
    """What it is in Intel's words, such as `BIOS, Early Microcode Update`; empty when not said."""


class TcbLevel(NamedTuple):
    """A level of trusted components: a platform has it when no component is below."""

    status: str
    date: int
    """Unix seconds: components as of this day."""
    pce_svn: int
    sgx: tuple[Component, ...]
    tdx: tuple[Component, ...]
    """Empty for SGX."""


class ModuleLevel(NamedTuple):
    """A level of one version of the TDX module."""

    status: str
    svn: int


class Window(NamedTuple):
    """Unix seconds during which collateral may be believed: `start <= time < end`."""

    start: int
    end: int


class Collateral(NamedTuple):
    """Collateral as it says it is."""

    document: dict[str, str]
    """The members as they are handed to verification, without the machine's certificates."""
    pck_chain: str | None
    """Certificates of a machine (PEM)."""
    tee: str
    """`TDX` or `SGX`."""
    fmspc: bytes
    """The kind of platform, 6 bytes."""
    evaluation_number: int
    """Which evaluation of Intel's the TCB info belongs to; grows with time."""
    qe_evaluation_number: int
    oldest_issue: int
    """Unix seconds: issue date of the older one of the two documents."""
    window: Window
    """From the later issue date to the first end of a document or revocation list."""
    levels: tuple[TcbLevel, ...]
    modules: dict[str, tuple[ModuleLevel, ...]]
    """Levels of TDX modules by the name of their version, such as `TDX_01`."""


def parse_collateral(data: bytes) -> Collateral:
    """The collateral in `data`, a JSON object. Raises `BadInputError` (`bad-collateral`, `too-large`)."""
    try:
        return _collateral(data)
    except BadInputError as error:
        code = error.code if error.code == "too-large" else "bad-collateral"
        raise BadInputError(error.message, code=code, where=error.where) from error


def unix_seconds(text: str, where: str) -> int:
    """A date of Intel's, `2026-08-12T23:57:43Z`, as Unix seconds. Raises `BadInputError` (`bad-collateral`)."""
    if _DATE.fullmatch(text) is None:
        raise BadInputError(f"{where} is no date: {cj.shown(text)}", code="bad-collateral", where=where)
    try:
        return int(datetime.fromisoformat(text).timestamp())
    except ValueError as error:
        raise BadInputError(f"{where} is no date: {text}", code="bad-collateral", where=where) from error


def date_text(seconds: int) -> str:
    """Unix seconds as a date in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def crl_window(der: bytes, where: str) -> Window:
    """When a revocation list was issued and when the next one is due. Raises `BadInputError` (`bad-collateral`)."""
    _, listing, _ = _element(der, 0, where, tag=_SEQUENCE)
    _, signed, _ = _element(listing, 0, where, tag=_SEQUENCE)
    tag, _, at = _element(signed, 0, where)
    if tag == _INTEGER:
        _, _, at = _element(signed, at, where)
    _, _, at = _element(signed, at, where, tag=_SEQUENCE)
    start_tag, start, at = _element(signed, at, where)
    end_tag, end, _ = _element(signed, at, where)
    return Window(_time(start_tag, start, where), _time(end_tag, end, where))


def _collateral(data: bytes) -> Collateral:
    what = "the collateral"
    members = cj.members(
        cj.loads(data, what, max_bytes=MAX_COLLATERAL_BYTES), what, required=(*TEXTS, *HEXES), optional=(PCK_CHAIN,)
    )
    document = {name: cj.string(members[name], name) for name in (*TEXTS, *HEXES)}
    binary = {name: _hex(document[name], name) for name in HEXES}
    chain = members.get(PCK_CHAIN)
    tcb = cj.mapping(cj.loads(document["tcb_info"].encode(), "tcb_info"), "tcb_info")
    qe = cj.mapping(cj.loads(document["qe_identity"].encode(), "qe_identity"), "qe_identity")
    issued = [_date(part, "issueDate", name) for name, part in (("tcb_info", tcb), ("qe_identity", qe))]
    ends = [_date(part, "nextUpdate", name) for name, part in (("tcb_info", tcb), ("qe_identity", qe))]
    lists = [crl_window(binary[name], name) for name in ("root_ca_crl", "pck_crl")]
    return Collateral(
        document=document,
        pck_chain=None if chain is None else cj.string(chain, PCK_CHAIN),
        tee=cj.string(tcb.get("id"), "tcb_info.id"),
        fmspc=_hex(cj.string(tcb.get("fmspc"), "tcb_info.fmspc"), "tcb_info.fmspc"),
        evaluation_number=cj.integer(tcb.get("tcbEvaluationDataNumber"), "tcb_info.tcbEvaluationDataNumber"),
        qe_evaluation_number=cj.integer(qe.get("tcbEvaluationDataNumber"), "qe_identity.tcbEvaluationDataNumber"),
        oldest_issue=min(issued),
        window=Window(max(issued), min(*ends, *(one.end for one in lists))),
        levels=tuple(
            _level(item, f"tcb_info.tcbLevels[{at}]")
            for at, item in enumerate(cj.array(tcb.get("tcbLevels"), "tcb_info.tcbLevels"))
        ),
        modules=dict(
            _module(item, "tcb_info.tdxModuleIdentities")
            for item in cj.array(tcb.get("tdxModuleIdentities", []), "tcb_info.tdxModuleIdentities")
        ),
    )


def _level(item: object, where: str) -> TcbLevel:
    level = cj.mapping(item, where)
    tcb = cj.mapping(level.get("tcb"), f"{where}.tcb")
    return TcbLevel(
        status=cj.string(level.get("tcbStatus"), f"{where}.tcbStatus"),
        date=_date(level, "tcbDate", where),
        pce_svn=cj.integer(tcb.get("pcesvn"), f"{where}.tcb.pcesvn"),
        sgx=_components(tcb.get("sgxtcbcomponents"), f"{where}.tcb.sgxtcbcomponents"),
        tdx=_components(tcb["tdxtcbcomponents"], f"{where}.tcb.tdxtcbcomponents") if "tdxtcbcomponents" in tcb else (),
    )


def _components(value: object, where: str) -> tuple[Component, ...]:
    items = cj.array(value, where)
    if len(items) != _COMPONENTS:
        raise BadInputError(f"{where} has {len(items)} components, not {_COMPONENTS}", where=where)
    return tuple(_component(item, f"{where}[{at}]") for at, item in enumerate(items))


def _component(item: object, where: str) -> Component:
    members = cj.mapping(item, where)
    words = [cj.string(members[name], f"{where}.{name}") for name in ("category", "type") if name in members]
    return Component(cj.integer(members.get("svn"), f"{where}.svn", bound=255), ", ".join(words))


def _module(item: object, where: str) -> tuple[str, tuple[ModuleLevel, ...]]:
    module = cj.mapping(item, where)
    levels = []
    for entry in cj.array(module.get("tcbLevels"), f"{where}.tcbLevels"):
        level = cj.mapping(entry, f"{where}.tcbLevels")
        svn = cj.mapping(level.get("tcb"), f"{where}.tcb").get("isvsvn")
        status = cj.string(level.get("tcbStatus"), f"{where}.tcbStatus")
        levels.append(ModuleLevel(status, cj.integer(svn, f"{where}.isvsvn")))
    return cj.string(module.get("id"), f"{where}.id").upper(), tuple(levels)


def _date(part: object, name: str, where: str) -> int:
    return unix_seconds(cj.string(cj.mapping(part, where).get(name), f"{where}.{name}"), f"{where}.{name}")


def _hex(text: str, where: str) -> bytes:
    try:
        data = bytes.fromhex(text)
    except ValueError as error:
        raise BadInputError(f"{where} is no hexadecimal text", where=where) from error
    if len(data) * 2 != len(text):
        raise BadInputError(f"{where} has blanks in hexadecimal text", where=where)
    return data


def _element(data: bytes, at: int, where: str, *, tag: int | None = None) -> tuple[int, bytes, int]:
    """Tag and content of the DER element at `at`, and where the next one begins."""
    if at + 2 > len(data):
        raise _no_list(where)
    found, length, start = data[at], data[at + 1], at + 2
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= 4 or start + count > len(data):
            raise _no_list(where)
        length, start = int.from_bytes(data[start : start + count], "big"), start + count
    if start + length > len(data) or (tag is not None and found != tag):
        raise _no_list(where)
    return found, data[start : start + length], start + length


def _time(tag: int, content: bytes, where: str) -> int:
    text = content.decode("ascii", "replace")
    if tag == _UTC_TIME and len(text) == 13:
        text = ("20" if text[:2] < "50" else "19") + text
    elif tag != _GENERALIZED_TIME:
        raise _no_list(where)
    if re.fullmatch(r"\d{14}Z", text, re.ASCII) is None:
        raise _no_list(where)
    date = f"{text[:4]}-{text[4:6]}-{text[6:8]}T{text[8:10]}:{text[10:12]}:{text[12:14]}Z"
    return unix_seconds(date, where)


def _no_list(where: str) -> BadInputError:
    return BadInputError(f"{where} is no certificate revocation list", code="bad-collateral", where=where)
