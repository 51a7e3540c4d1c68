"""A quote held against collateral and Intel's root: `dcap-qvl` decides, and each of its answers becomes one of ours.

Offline, at a time that the caller asserts: a signature carries no trusted time. The root is Intel's, built into the
library, unless another one is handed in, and then the result says that it is not Intel's. What the library answers in
words is mapped to stable codes; an answer that is not known here refuses like every other.

Expired is told from forged by asking twice: when only the time is wrong, the same evidence holds at a moment inside
the window that its collateral names.

Follows Intel's DCAP quote verification as in github.com/Phala-Network/dcap-qvl (src/verify.rs).
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from near_tee_cli.attest.collateral import Collateral, TcbLevel, Window, date_text
from near_tee_cli.attest.quote import Quote, SgxReport, TdReport, parse_quote
from near_tee_cli.errors import BadInputError, EvidenceError, HostError

MAX_TIME = 253_402_300_799
"""Unix seconds up to which a time is taken: the end of the year 9999."""

_SGX_COMPONENT = "SGX component"
_TDX_COMPONENT = "TDX component"
_OUT_OF_DATE = "OutOfDate"
_UP_TO_DATE = "UpToDate"


class Shortfall(NamedTuple):
    """A component of the platform that is below what a level asks for."""

    component: str
    has: int
    needs: int


class Verified(NamedTuple):
    """What the signatures of a quote and its collateral establish. All times are Unix seconds."""

    quote: Quote
    status: str
    """Intel's word for the platform and its quoting enclave together: `UpToDate`, `OutOfDate`, ..."""
    advisory_ids: tuple[str, ...]
    platform_status: str
    qe_status: str
    ppid: bytes
    """The machine, 16 bytes."""
    fmspc: bytes
    """The kind of platform, 6 bytes."""
    tcb_date: int
    """The day as of which the platform's components are."""
    evaluation_number: int
    """The lower of the two evaluation numbers of the collateral."""
    oldest_issue: int
    """Issue date of the older of the two signed documents."""
    window: Window
    """When this evidence may be believed."""
    dynamic_platform: bool | None
    """Whether the machine's packages may be changed; `None` when its certificate does not say."""
    cached_keys: bool | None
    smt: bool | None
    """Whether hyper-threading is on."""
    root_is_intel: bool
    shortfalls: tuple[Shortfall, ...]
    """What keeps a platform that is out of date from being up to date."""


class Refusal(NamedTuple):
    """Why a quote is not believed."""

    code: str
    contradicts: bool
    """Whether the evidence is wrong; otherwise it only cannot be told now, or with this collateral."""
    detail: str
    """One sentence."""
    raw: str
    """The library's own words."""
    window: Window
    """When the collateral may be believed. Proved when `code` is one of `EXPIRED` and `NOT_YET`."""
    shortfalls: tuple[Shortfall, ...] = ()


EXPIRED = "evidence-expired"
NOT_YET = "evidence-not-yet-valid"
NO_LEVEL = "tcb-no-level"

_TIME_WORDS = ("issue date is in the future", "expired", "CrlExpired", "CertExpired", "CertNotValidYet")

_OTHER_ROOT = "root CA CRL\n\nCaused by:\n    InvalidCrlSignature"
_REFUSALS: tuple[tuple[str, str, bool, str], ...] = (
    ("ISV enclave report signature", "quote-forged", True, "the quote is not signed by its attestation key"),
    ("Signature is invalid for qe_report", "quoting-enclave-forged", True, "the machine vouches for another enclave"),
    ("QE report hash mismatch", "attestation-key-mismatch", True, "the quoting enclave vouches for another key"),
    ("QE report validation failed", "quoting-enclave-mismatch", True, "the quoting enclave can be debugged"),
    ("Signature is invalid for tcb_info", "collateral-forged", True, "the TCB info is not as it was signed"),
    ("Signature is invalid for qe_identity", "collateral-forged", True, "the enclave identity is not as it was signed"),
    (_OTHER_ROOT, "other-root", True, "the list of revoked authorities is not signed by the trusted root"),
    ("InvalidCrlSignature", "collateral-forged", True, "a revocation list is not signed by its issuer"),
    ("UnknownIssuer", "other-root", True, "a certificate does not lead to the trusted root"),
    ("CertRevoked", "certificate-revoked", True, "a certificate was revoked"),
    ("UnknownRevocationStatus", "revocation-unknown", False, "no revocation list speaks of a certificate"),
    ("InvalidSignatureForPublicKey", "certificate-forged", True, "a certificate is not signed by its issuer"),
    ("Unsupported DCAP PCK cert format", "certificates-missing", False, "quote and collateral lack certificates"),
    ("extract PCK certificates", "certificate-malformed", True, "the machine's certificates cannot be read"),
    ("PCK certificate", "certificate-malformed", True, "the machine's certificate cannot be read"),
    ("Certificate chain is too short in quote", "certificate-malformed", True, "the quote has no certificate"),
    ("Fmspc mismatch", "collateral-other-platform", False, "the collateral is about another kind of platform"),
    ("TCB info in the collateral", "collateral-other-platform", False, "the collateral is about another environment"),
    ("QE Identity id/version", "collateral-other-platform", False, "the collateral is about another quoting enclave"),
    ("No matching TCB level", NO_LEVEL, True, "the platform is below every level that Intel lists"),
    ("below minimum required", NO_LEVEL, True, "a component is below every level that Intel lists"),
    ("TCB status is invalid", "tcb-revoked", True, "Intel has revoked the platform's level"),
    ("TDX module", "tdx-module-mismatch", True, "the TDX module is none that Intel lists"),
    ("QE MRSIGNER", "quoting-enclave-mismatch", True, "the quoting enclave is not Intel's"),
    ("QE ISVPRODID", "quoting-enclave-mismatch", True, "the quoting enclave is not Intel's"),
    ("QE MISCSELECT", "quoting-enclave-mismatch", True, "the quoting enclave is not set up as Intel asks"),
    ("QE ATTRIBUTES", "quoting-enclave-mismatch", True, "the quoting enclave is not set up as Intel asks"),
    ("Debug mode", "td-debug", True, "the guest can be debugged: its host may read and change it"),
    ("SEPT_VE_DISABLE", "td-sept-ve", True, "the guest is told when its host takes pages away, instead of stopping"),
    ("Reserved bits", "td-attributes", True, "the guest has attributes that mean nothing"),
    ("TD profiling", "td-attributes", True, "the guest can be profiled by its host"),
    ("TD migration", "td-attributes", True, "the guest can be moved to another machine"),
    ("SERVTD_EXT", "td-attributes", True, "the guest is bound to service TDs"),
    ("MR service TD", "service-td", True, "the guest is bound to a service TD"),
    ("decode quote", "quote-malformed", True, "the part of the quote behind its body cannot be read"),
    ("QE auth data length", "quote-malformed", True, "the part of the quote behind its body cannot be read"),
    ("TcbInfo", "collateral-malformed", True, "the TCB info cannot be read"),
    ("TCB Info", "collateral-malformed", True, "the TCB info cannot be read"),
    ("QE Identity", "collateral-malformed", True, "the enclave identity cannot be read"),
    ("QeIdentity", "collateral-malformed", True, "the enclave identity cannot be read"),
    ("CRL", "collateral-malformed", True, "a revocation list cannot be read"),
    ("Invalid key length", "collateral-malformed", True, "a signature of the collateral has the wrong length"),
    ("Failed to parse certs", "collateral-malformed", True, "a certificate chain of the collateral cannot be read"),
    ("verify certificate chain", "certificate-malformed", True, "a certificate chain does not hold"),
)  # fmt: skip
"""Words of the library, in the order in which they are looked for: our code, whether it contradicts, our sentence."""


def verify_quote(data: bytes, collateral: Collateral, *, time: int, root: bytes | None = None) -> Verified | Refusal:
    """Hold the quote in `data` against `collateral` at `time` (Unix seconds) and the root certificate.

    `root` (DER) stands in for Intel's root, for evidence that is not Intel's. A `Refusal` is a value; raises
    `BadInputError` for a quote that cannot be read (`attest.quote`) and a time out of range (`bad-time`), and
    `EvidenceError` (`read-differently`) should the library have verified another report than is shown.
    """
    if isinstance(time, bool) or not 0 <= time <= MAX_TIME:
        raise BadInputError(f"a time is given in Unix seconds from 0 to {MAX_TIME}", code="bad-time")
    quote = parse_quote(data)
    answer = _ask(data, collateral, time, root)
    if isinstance(answer, Mapping):
        verified = _verified(quote, collateral, answer, root=root)
        # The library takes the second in which a document ends; here a window ends with that second.
        return verified if time < verified.window.end else _untimely(time, verified.window, "; until then it held")
    window = collateral.window
    again: Mapping[str, Any] | str = answer
    if _is_about_time(answer) and window.start < window.end:
        again = _ask(data, collateral, window.start, root)
    if isinstance(again, Mapping):
        return _untimely(time, _window(collateral, again["claims"]), "; inside that time it holds", raw=answer)
    if _is_about_time(again):
        return _untimely(time, window, "; inside that time it does not hold either", raw=answer)
    refused = _refusal(data, quote, collateral, again)
    if window.start <= time < window.end or (refused.contradicts and refused.code != NO_LEVEL):
        return refused
    return _untimely(time, window, f"; inside that time {refused.detail}", raw=answer)._replace(
        shortfalls=refused.shortfalls
    )


def _untimely(time: int, window: Window, also: str, *, raw: str = "") -> Refusal:
    since = f"from {date_text(window.start)} to {date_text(window.end)}, not at {date_text(time)}"
    return Refusal(
        code=NOT_YET if time < window.start else EXPIRED,
        contradicts=False,
        detail=f"the evidence may be believed {since}{also}",
        raw=raw,
        window=window,
    )


def _is_about_time(answer: str) -> bool:
    return any(word in answer for word in _TIME_WORDS)


def _ask(data: bytes, collateral: Collateral, time: int, root: bytes | None) -> Mapping[str, Any] | str:
    """The library's report and claims, or its words of refusal."""
    import dcap_qvl

    def ask() -> Mapping[str, Any]:
        given = dcap_qvl.QuoteCollateralV3.from_json(json.dumps(_handed_in(data, collateral)))
        report = (
            dcap_qvl.verify(data, given, time)
            if root is None
            else dcap_qvl.verify_with_root_ca(data, given, root, time)
        )
        verifier = dcap_qvl.QuoteVerifier(root)
        claims = verifier.verify_with_policy(data, given, time, dcap_qvl.QuotePolicy.claims_only(time))
        return {"report": json.loads(report.to_json()), "claims": json.loads(claims.to_json())}

    return _guarded(ask)


def _handed_in(data: bytes, collateral: Collateral) -> Mapping[str, str]:
    """The collateral as the library takes it. A chain in it would override that of the quote, so it only fills in."""
    import dcap_qvl

    own = _guarded(lambda: {"chain": dcap_qvl.parse_quote(data).cert_chain_pem_bytes()})
    if collateral.pck_chain is None or (isinstance(own, Mapping) and own["chain"] is not None):
        return collateral.document
    return {**collateral.document, "pck_certificate_chain": collateral.pck_chain}


def _guarded(call: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any] | str:
    """What `call` gives, or the words with which the library refuses, a panic of its code among them."""
    try:
        return call()
    except ValueError as error:
        return str(error)
    except BaseException as error:
        if type(error).__name__ == "PanicException":
            return f"the library gave up: {error}"
        raise


def _refusal(data: bytes, quote: Quote, collateral: Collateral, answer: str) -> Refusal:
    known = (row for row in _REFUSALS if row[0] in answer)
    _, code, contradicts, detail = next(known, ("", "evidence-refused", True, "the evidence is refused"))
    shortfalls: tuple[Shortfall, ...] = ()
    if code == NO_LEVEL and collateral.levels:
        shortfalls = _shortfalls(data, quote, collateral, collateral.levels[-1], module_level=-1) + _enclave(answer)
        detail += "".join(f"; {line}" for line in shortfall_lines(shortfalls))
    return Refusal(code, contradicts, detail, answer, collateral.window, shortfalls)


def _enclave(answer: str) -> tuple[Shortfall, ...]:
    """The quoting enclave's own shortfall, which the library words."""
    found = re.search(r"QE ISVSVN (\d+) is below minimum required (\d+)", answer)
    return () if found is None else (Shortfall("quoting enclave", int(found[1]), int(found[2])),)


def shortfall_lines(shortfalls: Sequence[Shortfall]) -> tuple[str, ...]:
    """Each shortfall as words."""
    return tuple(f"{one.component} is {one.has}, needed is {one.needs}" for one in shortfalls)


def _verified(quote: Quote, collateral: Collateral, answer: Mapping[str, Any], *, root: bytes | None) -> Verified:
    try:
        report, claims = answer["report"], answer["claims"]
        _require_same_report(quote, report["report"])
        platform, pck = claims["platform"], claims["platform"]["pck"]
        status = str(report["status"])
        return Verified(
            quote=quote,
            status=status,
            advisory_ids=tuple(str(one) for one in report["advisory_ids"]),
            platform_status=str(report["platform_status"]["status"]),
            qe_status=str(report["qe_status"]["status"]),
            ppid=bytes.fromhex(report["ppid"]),
            fmspc=bytes(pck["fmspc"]),
            tcb_date=int(platform["tcb_date_tag"]),
            evaluation_number=int(claims["tcb"]["eval_data_number"]),
            oldest_issue=collateral.oldest_issue,
            window=_window(collateral, claims),
            dynamic_platform=_flag(pck["dynamic_platform"]),
            cached_keys=_flag(pck["cached_keys"]),
            smt=_flag(pck["smt_enabled"]),
            root_is_intel=root is None,
            shortfalls=_behind(quote, collateral, status, claims),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise HostError(f"the installed dcap-qvl answers in another form: {error!r}", code="host-dcap") from error


def _window(collateral: Collateral, claims: Mapping[str, Any]) -> Window:
    """The window of the signed documents, cut short by certificates that end before them."""
    start, end = collateral.window
    return Window(start, min(end, _end(claims, "earliest_expiration_date", end)))


def _end(claims: Mapping[str, Any], name: str, otherwise: int) -> int:
    value = claims.get(name)
    return value if isinstance(value, int) else otherwise


def _flag(word: object) -> bool | None:
    return {"True": True, "False": False}.get(str(word))


def _behind(quote: Quote, collateral: Collateral, status: str, claims: Mapping[str, Any]) -> tuple[Shortfall, ...]:
    if not status.startswith(_OUT_OF_DATE):
        return ()
    best = next((level for level in collateral.levels if level.status == _UP_TO_DATE), None)
    if best is None:
        return ()
    pck = claims["platform"]["pck"]
    return _below(quote, collateral, best, svns=(bytes(pck["cpu_svn"]), int(pck["pce_svn"])), module_level=0)


def _shortfalls(
    data: bytes, quote: Quote, collateral: Collateral, level: TcbLevel, *, module_level: int
) -> tuple[Shortfall, ...]:
    """What the platform lacks for `level`, by its own certificate; nothing when that cannot be read."""
    import dcap_qvl

    def ask() -> Mapping[str, Any]:
        chain = collateral.pck_chain
        own = dcap_qvl.parse_quote(data).pck_extension()
        found = own if own is not None or chain is None else dcap_qvl.parse_pck_extension_from_pem(chain.encode())
        return {} if found is None else {"svns": (bytes(found.cpu_svn), int(found.pce_svn))}

    answer = _guarded(ask)
    if isinstance(answer, str) or "svns" not in answer:
        return ()
    return _below(quote, collateral, level, svns=answer["svns"], module_level=module_level)


def _below(
    quote: Quote, collateral: Collateral, level: TcbLevel, *, svns: tuple[bytes, int], module_level: int
) -> tuple[Shortfall, ...]:
    cpu_svn, pce_svn = svns
    found = [
        Shortfall(_named(_SGX_COMPONENT, at, needed.label), has, needed.svn)
        for at, (has, needed) in enumerate(zip(cpu_svn, level.sgx, strict=False))
        if has < needed.svn
    ]
    if pce_svn < level.pce_svn:
        found.append(Shortfall("provisioning enclave (PCE)", pce_svn, level.pce_svn))
    if quote.td is None:
        return tuple(found)
    svn = quote.td.tee_tcb_svn
    found.extend(
        Shortfall(_named(_TDX_COMPONENT, at, needed.label), has, needed.svn)
        for at, (has, needed) in enumerate(zip(svn, level.tdx, strict=False))
        if has < needed.svn
    )
    name = f"TDX_{svn[1]:02X}"
    levels = collateral.modules.get(name, ()) if svn[1] else ()
    if levels and svn[0] < levels[module_level].svn:
        found.append(Shortfall(f"TDX module {name}", svn[0], levels[module_level].svn))
    return tuple(found)


def _named(kind: str, at: int, label: str) -> str:
    return f"{kind} {at}" + (f" ({label})" if label else "")


def _require_same_report(quote: Quote, verified: Mapping[str, Any]) -> None:
    """The report that is shown and judged is the one that was verified, field by field."""
    if list(verified) == [_KINDS[quote.body]]:
        fields = verified[_KINDS[quote.body]]
        if quote.body == "TD15":
            fields = {**fields.get("base", {}), **fields}
        expected = _td_fields(quote.td) if quote.td is not None else _sgx_fields(quote.sgx)
        if all(fields[name] == value.hex() for name, value in expected.items()):
            return
    raise EvidenceError("the report that was verified is not the one that was read", code="read-differently")


_KINDS = {"TD10": "TD10", "TD15": "TD15", "SGX": "SgxEnclave"}


def _td_fields(td: TdReport) -> Mapping[str, bytes]:
    plain = ("tee_tcb_svn", "mr_seam", "mr_signer_seam", "mr_td", "mr_config_id", "mr_owner", "mr_owner_config")
    found: dict[str, bytes] = {name: getattr(td, name) for name in plain}
    found["report_data"] = td.report_data
    for name in ("seam_attributes", "td_attributes", "xfam"):
        found[name] = getattr(td, name).to_bytes(8, "little")
    for number, register in enumerate(td.registers):
        found[f"rt_mr{number}"] = register
    if td.tee_tcb_svn2 is not None and td.mr_service_td is not None:
        found.update(tee_tcb_svn2=td.tee_tcb_svn2, mr_service_td=td.mr_service_td)
    return found


def _sgx_fields(sgx: SgxReport | None) -> Mapping[str, bytes]:
    if sgx is None:
        return {}
    return {"mr_enclave": sgx.mr_enclave, "mr_signer": sgx.mr_signer, "report_data": sgx.report_data}
