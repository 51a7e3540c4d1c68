"""Quotes held against collateral: each answer of the library by our code, with real evidence and with synthetic."""

import json

import pytest

from near_tee_cli.attest import dcap
from near_tee_cli.attest.collateral import Window, parse_collateral
from near_tee_cli.attest.dcap import EXPIRED, MAX_TIME, NO_LEVEL, NOT_YET, Refusal, Shortfall, Verified, verify_quote
from near_tee_cli.errors import BadInputError, EvidenceError
from tests.support import attestation as recorded
from tests.support import attestation_pki as pki

WITH = [name for name, case in recorded.cases().items() if case["collateral"]]
SEPT = pki.SEPT_VE_DISABLE
MODULE = {"id": "TDX_01", "mrsigner": "00" * 48, "attributes": "00" * 8, "attributesMask": "FF" * 8}


def real(name: str, *, time: int | None = None, quote: bytes | None = None, collateral: bytes | None = None):
    case = recorded.cases()[name]
    return verify_quote(
        recorded.quote_of(name) if quote is None else quote,
        parse_collateral(recorded.collateral_of(name) if collateral is None else collateral),
        time=case["suggested_now"] if time is None else time,
    )


def synthetic(*, time: int = pki.NOW, quote: bytes | None = None, root: bytes | None = None, **collateral):
    return verify_quote(
        pki.quote() if quote is None else quote,
        parse_collateral(pki.collateral(**collateral)),
        time=time,
        root=pki.root_der() if root is None else root,
    )


def contradicted(answer) -> str:
    assert isinstance(answer, Refusal)
    assert answer.contradicts
    return answer.code


def undecided(answer) -> str:
    assert isinstance(answer, Refusal)
    assert not answer.contradicts
    return answer.code


@pytest.mark.parametrize("name", WITH)
def test_outcomes_of_real_evidence(name) -> None:
    case = recorded.cases()[name]
    expected = case["expect"]
    found = real(name)
    if not expected["ok"]:
        assert contradicted(found) == NO_LEVEL
        assert expected["error"] in found.raw
        return
    assert isinstance(found, Verified)
    assert found.root_is_intel
    assert found.status == expected["status"]
    assert list(found.advisory_ids) == expected["advisory_ids"]
    assert found.ppid.hex() == expected["ppid"]
    assert found.fmspc.hex().upper() == case["fmspc"]
    assert found.window == Window(case["valid_from"], case["valid_until_exclusive"])


@pytest.mark.parametrize("name", WITH)
def test_windows_of_real_evidence(name) -> None:
    case = recorded.cases()[name]
    start, end = case["valid_from"], case["valid_until_exclusive"]
    for time in (start, end - 1):
        assert isinstance(real(name, time=time), Verified) == case["expect"]["ok"]
    for time, code in ((0, NOT_YET), (start - 1, NOT_YET), (end, EXPIRED), (end + 10**9, EXPIRED), (MAX_TIME, EXPIRED)):
        found = real(name, time=time)
        assert undecided(found) == code
        assert found.window == Window(start, end)
        assert ("inside that time it holds" in found.detail or "until then it held" in found.detail) == (
            case["expect"]["ok"]
        )


def test_evidence_judged_again_with_newer_collateral() -> None:
    """Collateral is about a kind of platform; certificates inside it do not stand in for those of the quote."""
    newer = recorded.collateral_of(recorded.MPC)
    time = recorded.cases()[recorded.MPC]["suggested_now"]
    found = real(recorded.UP_TO_DATE, collateral=newer, time=time)
    assert isinstance(found, Verified)
    assert found.ppid.hex() == recorded.cases()[recorded.UP_TO_DATE]["expect"]["ppid"]


def test_what_falls_short() -> None:
    found = real(recorded.OUTDATED)
    assert found.shortfalls == (Shortfall("SGX component 7 (OS/VMM, SEAMLDR ACM)", 3, 5),)
    assert "SGX component 7 (OS/VMM, SEAMLDR ACM) is 3, needed is 5" in found.detail
    late = real(recorded.OUTDATED, time=recorded.cases()[recorded.OUTDATED]["valid_until_exclusive"])
    assert late.shortfalls == found.shortfalls


def test_what_is_out_of_date() -> None:
    best = pki.level("UpToDate", sgx=6, tdx=6, pce=12)
    found = synthetic(levels=(best, pki.level("OutOfDate", advisories=("INTEL-SA-1",))))
    assert isinstance(found, Verified)
    assert (found.status, found.platform_status, found.qe_status) == ("OutOfDate", "OutOfDate", "UpToDate")
    assert found.advisory_ids == ("INTEL-SA-1",)
    assert found.shortfalls == (
        Shortfall("SGX component 0 (BIOS, Early Microcode Update)", 5, 6),
        Shortfall("provisioning enclave (PCE)", 11, 12),
        Shortfall("TDX component 0", 5, 6),
    )
    assert synthetic(levels=(pki.level("OutOfDate"),)).shortfalls == ()
    assert synthetic(levels=(best, pki.level("ConfigurationNeeded"))).shortfalls == ()
    equal = pki.level("UpToDate", sgx=6, tdx=5, pce=11)
    assert [one.needs for one in synthetic(levels=(equal, pki.level("OutOfDate"))).shortfalls] == [6]
    assert synthetic(levels=(pki.level("UpToDate"),)).shortfalls == ()


def test_modules_that_fall_short() -> None:
    levels = [
        {"tcb": {"isvsvn": svn}, "tcbDate": "2026-01-01T00:00:00Z", "tcbStatus": status}
        for svn, status in ((9, "UpToDate"), (3, "OutOfDate"))
    ]
    modules = ({**MODULE, "tcbLevels": levels},)

    def module(svn: int, version: int = 1) -> bytes:
        return pki.quote(tee_tcb_svn=bytes([svn, version]) + bytes(14))

    assert synthetic(quote=module(9), modules=modules).status == "UpToDate"
    found = synthetic(quote=module(8), modules=modules)
    assert (found.status, found.shortfalls) == ("OutOfDate", (Shortfall("TDX module TDX_01", 8, 9),))
    found = synthetic(quote=module(2), modules=modules)
    assert (contradicted(found), found.shortfalls) == (NO_LEVEL, (Shortfall("TDX module TDX_01", 2, 3),))
    assert contradicted(synthetic(quote=module(9, 2), modules=modules)) == "tdx-module-mismatch"
    found = synthetic(quote=pki.quote(qe_isv_svn=3))
    assert (contradicted(found), found.shortfalls) == (NO_LEVEL, (Shortfall("quoting enclave", 3, 4),))


@pytest.mark.parametrize(
    "status",
    [
        "UpToDate",
        "SWHardeningNeeded",
        "ConfigurationNeeded",
        "ConfigurationAndSWHardeningNeeded",
        "OutOfDate",
        "OutOfDateConfigurationNeeded",
    ],
)
@pytest.mark.parametrize("version", [4, 5])
def test_every_status(status, version) -> None:
    found = synthetic(quote=pki.quote(version=version), status=status)
    assert isinstance(found, Verified)
    assert (found.status, found.root_is_intel) == (status, False)
    assert synthetic(quote=pki.quote(version=version), qe_status="OutOfDate").status == "OutOfDate"


def test_reports_of_version_1_5() -> None:
    found = synthetic(quote=pki.quote(version=5, version_15=True))
    assert isinstance(found, Verified)
    assert found.quote.body == "TD15"
    service = pki.quote(version=5, version_15=True, mr_service_td=bytes([1]) * 48)
    assert contradicted(synthetic(quote=service)) == "service-td"


def test_flags_of_the_platform() -> None:
    found = synthetic(quote=pki.quote(flags=(True, False, True)))
    assert (found.dynamic_platform, found.cached_keys, found.smt) == (True, False, True)
    found = synthetic(quote=pki.quote(flags=None))
    assert (found.dynamic_platform, found.cached_keys, found.smt) == (None, None, None)


def test_dates_and_numbers() -> None:
    found = synthetic(evaluation=21)
    assert (found.evaluation_number, found.tcb_date, found.oldest_issue) == (21, 1767225600, pki.START)
    assert (found.ppid, found.fmspc) == (pki.PPID, pki.FMSPC)


@pytest.mark.parametrize(
    ("quote", "collateral", "code"),
    [
        ({}, {"status": "Revoked"}, "tcb-revoked"),
        ({}, {"qe_status": "Revoked"}, "tcb-revoked"),
        ({}, {"status": "Unheard"}, "collateral-malformed"),
        ({}, {"revoke_pck": True}, "certificate-revoked"),
        ({}, {"revoke_tcb": True}, "certificate-revoked"),
        ({"td_attributes": SEPT | 1}, {}, "td-debug"),
        ({"td_attributes": 0}, {}, "td-sept-ve"),
        ({"td_attributes": SEPT | 1 << 1}, {}, "td-attributes"),
        ({"td_attributes": SEPT | 1 << 4}, {}, "td-attributes"),
        ({"td_attributes": SEPT | 1 << 29}, {}, "td-attributes"),
        ({"td_attributes": SEPT | 1 << 32}, {}, "td-attributes"),
        ({"mr_signer_seam": bytes([1]) * 48}, {}, "tdx-module-mismatch"),
        ({"qe_signer": bytes(32)}, {}, "quoting-enclave-mismatch"),
        ({"qe_debug": True}, {}, "quoting-enclave-mismatch"),
        ({"cpu_svn": bytes(16)}, {"levels": (pki.level("UpToDate", sgx=1),)}, NO_LEVEL),
    ],
)
def test_what_is_contradicted(quote, collateral, code) -> None:
    answer = synthetic(quote=pki.quote(**quote), **collateral)
    assert contradicted(answer) == code
    late = synthetic(quote=pki.quote(**quote), time=pki.END, **collateral)
    if code == NO_LEVEL:
        assert undecided(late) == EXPIRED
    else:
        assert contradicted(late) == code


def test_roots() -> None:
    answer = verify_quote(pki.quote(), parse_collateral(pki.collateral()), time=pki.NOW)
    assert contradicted(answer) == "other-root"
    assert contradicted(synthetic(root=pki.root_der(shift=50))) == "other-root"
    assert contradicted(synthetic(root=b"none")) == "evidence-refused"
    under_ours = verify_quote(
        recorded.quote_of(recorded.UP_TO_DATE),
        parse_collateral(recorded.collateral_of(recorded.UP_TO_DATE)),
        time=recorded.cases()[recorded.UP_TO_DATE]["suggested_now"],
        root=pki.root_der(),
    )
    assert contradicted(under_ours) == "other-root"


def test_collateral_of_another_platform() -> None:
    assert undecided(synthetic(fmspc=bytes(6))) == "collateral-other-platform"
    tdx, sgx = (recorded.cases()[name]["suggested_now"] for name in (recorded.UP_TO_DATE, recorded.SGX))
    mixed = real(recorded.UP_TO_DATE, collateral=recorded.collateral_of(recorded.SGX), time=sgx)
    assert undecided(mixed) == "collateral-other-platform"
    mixed = real(recorded.SGX, collateral=recorded.collateral_of(recorded.UP_TO_DATE), time=tdx)
    assert undecided(mixed) == "collateral-other-platform"
    mixed = real(recorded.UP_TO_DATE, collateral=recorded.collateral_of(recorded.GAS_TEST), time=1756798919)
    assert undecided(mixed) == "collateral-other-platform"


def test_certificates_from_quote_or_collateral() -> None:
    bare = pki.quote(with_chain=False)
    assert undecided(synthetic(quote=bare)) == "certificates-missing"
    assert isinstance(synthetic(quote=bare, with_chain=True), Verified)
    short = synthetic(quote=bare, with_chain=True, levels=(pki.level("UpToDate", sgx=6),))
    assert short.shortfalls == (Shortfall("SGX component 0 (BIOS, Early Microcode Update)", 5, 6),)


def test_times() -> None:
    for time in (-1, MAX_TIME + 1, True):
        with pytest.raises(BadInputError) as caught:
            synthetic(time=time)
        assert caught.value.code == "bad-time"
    assert isinstance(synthetic(time=pki.START), Verified)
    assert isinstance(synthetic(time=pki.END - 1), Verified)
    assert undecided(synthetic(time=pki.END)) == EXPIRED
    assert undecided(synthetic(time=pki.START - 1)) == NOT_YET
    assert undecided(synthetic(time=pki.NOW, crl_end=pki.NOW)) == EXPIRED
    empty = synthetic(time=pki.NOW, end=pki.START, start=pki.START)
    assert undecided(empty) == EXPIRED
    assert "does not hold either" in empty.detail


def test_expired_and_forged_is_forged() -> None:
    quote = bytearray(pki.quote())
    quote[600] ^= 1
    assert contradicted(synthetic(quote=bytes(quote), time=pki.END + 10**8)) == "quote-forged"
    name = recorded.UP_TO_DATE
    quote = bytearray(recorded.quote_of(name))
    quote[600] ^= 1
    assert contradicted(real(name, quote=bytes(quote), time=1_795_600_000)) == "quote-forged"


# Regions of a version 4 quote by their first byte, and what a flipped lowest bit in them comes to.
REGIONS = (
    (48, 632, {"quote-forged"}),
    (636, 700, {"quote-forged"}),
    (700, 764, {"attestation-key-mismatch"}),
    (770, 1154, {"quoting-enclave-forged"}),
    (1154, 1218, {"quoting-enclave-forged"}),
    (1220, 1252, {"attestation-key-mismatch"}),
)


@pytest.mark.parametrize(("start", "end", "codes"), REGIONS)
def test_flipped_bits_by_region(start, end, codes) -> None:
    data = recorded.quote_of(recorded.UP_TO_DATE)
    for at in range(start, end, 7):
        assert contradicted(real(recorded.UP_TO_DATE, quote=flipped(data, at))) in codes


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_edited_collateral() -> None:
    document = json.loads(recorded.collateral_of(recorded.UP_TO_DATE))

    def outcome(**members):
        return real(recorded.UP_TO_DATE, collateral=json.dumps({**document, **members}).encode())

    for name in ("tcb_info", "qe_identity"):
        assert contradicted(outcome(**{name: document[name] + " "})) == "collateral-forged"
        older = document[name].replace('"tcbEvaluationDataNumber":17', '"tcbEvaluationDataNumber":18')
        assert contradicted(outcome(**{name: older})) == "collateral-forged"
        later = document[name].replace('"nextUpdate":"2025', '"nextUpdate":"2026')
        assert contradicted(outcome(**{name: later})) == "collateral-forged"
        empty = document[name].replace('"issueDate":"2025', '"issueDate":"2026')
        assert undecided(outcome(**{name: empty})) == NOT_YET
        signature = f"{name}_signature"
        assert contradicted(outcome(**{signature: document[signature][:-1] + "0"})) == "collateral-forged"
        assert contradicted(outcome(**{signature: "00"})) == "collateral-malformed"
        assert contradicted(outcome(**{f"{name}_issuer_chain": ""})) == "collateral-malformed"
        assert contradicted(outcome(**{f"{name}_issuer_chain": "x"})) == "collateral-malformed"
    tail = document["root_ca_crl"][:-1] + ("0" if document["root_ca_crl"][-1] != "0" else "1")
    assert contradicted(outcome(root_ca_crl=tail)) == "other-root"
    tail = document["pck_crl"][:-1] + ("0" if document["pck_crl"][-1] != "0" else "1")
    assert contradicted(outcome(pck_crl=tail)) == "collateral-forged"
    assert undecided(outcome(pck_crl=document["root_ca_crl"])) == "revocation-unknown"
    # Nobody reads this chain.
    assert isinstance(outcome(pck_crl_issuer_chain=""), Verified)


@pytest.mark.parametrize("cut", [633, 700, 764, 900, 1300, 4900])
def test_quotes_cut_short(cut) -> None:
    answer = real(recorded.UP_TO_DATE, quote=recorded.quote_of(recorded.UP_TO_DATE)[:cut])
    assert contradicted(answer) in {"quote-malformed", "certificate-malformed"}


# Words of the library that neither recorded nor synthetic evidence brings about.
WORDS = [
    ("Failed to verify certificate chain\n\nCaused by:\n    UnknownIssuer", "other-root", True),
    ("Failed to verify certificate chain\n\nCaused by:\n    InvalidSignatureForPublicKey", "certificate-forged", True),
    ("Failed to verify certificate chain\n\nCaused by:\n    BadDer", "certificate-malformed", True),
    ("Failed to extract PCK certificates from quote", "certificate-malformed", True),
    ("Failed to parse PCK certificate", "certificate-malformed", True),
    ("Certificate chain is too short in quote", "certificate-malformed", True),
    ("TDX quote with non-TDX TCB info in the collateral", "collateral-other-platform", False),
    ("SGX quote with non-SGX TCB info in the collateral", "collateral-other-platform", False),
    ("QE ISVPRODID mismatch: expected 2, got 3", "quoting-enclave-mismatch", True),
    ("QE MISCSELECT mismatch: expected 0", "quoting-enclave-mismatch", True),
    ("QE ATTRIBUTES mismatch at byte 0", "quoting-enclave-mismatch", True),
    ("SERVTD_EXT is enabled", "td-attributes", True),
    ("Invalid QE auth data length", "quote-malformed", True),
    ("Failed to decode QeIdentity", "collateral-malformed", True),
    ("Failed to parse PCK CRL", "collateral-malformed", True),
    ("Failed to parse certs", "collateral-malformed", True),
    ("TDX module SEAMATTRIBUTES mismatch at byte 0", "tdx-module-mismatch", True),
]


@pytest.mark.parametrize(("words", "code", "contradicts"), WORDS)
def test_other_words_of_the_library(words, code, contradicts) -> None:
    collateral = parse_collateral(pki.collateral())
    answer = dcap._refusal(b"", dcap.parse_quote(pki.quote()), collateral, f"Verification failed: {words}")
    assert (answer.code, answer.contradicts, answer.shortfalls) == (code, contradicts, ())


def test_answers_that_nobody_knows() -> None:
    collateral = parse_collateral(pki.collateral())
    quote = dcap.parse_quote(pki.quote())
    answer = dcap._refusal(b"", quote, collateral, "something new")
    assert (answer.code, answer.contradicts, answer.raw) == ("evidence-refused", True, "something new")


def test_a_panic_of_the_library_is_a_refusal_and_nothing_else_is() -> None:
    class PanicException(BaseException):
        pass

    def raising(error):
        def call():
            raise error

        return call

    assert dcap._guarded(raising(PanicException("index out of bounds"))) == "the library gave up: index out of bounds"
    with pytest.raises(KeyboardInterrupt):
        dcap._guarded(raising(KeyboardInterrupt()))
    with pytest.raises(TypeError):
        dcap._guarded(raising(TypeError()))


@pytest.mark.parametrize("version_15", [False, True])
def test_the_report_that_was_verified_is_the_one_that_is_shown(monkeypatch, version_15) -> None:
    ask = dcap._ask
    quote = pki.quote(version=5, version_15=version_15)
    kind = "TD15" if version_15 else "TD10"

    def lying(name):
        def answer(*arguments):
            found = ask(*arguments)
            report = found["report"]["report"][kind]
            inner = report["base"] if name in report.get("base", {}) else report
            inner[name] = "ff" + inner[name][2:]
            return found

        return answer

    names = ["mr_td", "rt_mr0", "rt_mr3", "report_data", "td_attributes", "xfam", "mr_seam", "mr_config_id", "mr_owner"]
    for name in names + (["mr_service_td", "tee_tcb_svn2"] if version_15 else []):
        monkeypatch.setattr(dcap, "_ask", lying(name))
        with pytest.raises(EvidenceError) as caught:
            synthetic(quote=quote)
        assert caught.value.code == "read-differently", name
    monkeypatch.setattr(dcap, "_ask", lambda *arguments: {**ask(*arguments), "report": {"report": {"SgxEnclave": {}}}})
    with pytest.raises(EvidenceError):
        synthetic(quote=quote)


def test_the_enclave_that_was_verified_is_the_one_that_is_shown(monkeypatch) -> None:
    ask = dcap._ask

    def lying(name):
        def answer(*arguments):
            found = ask(*arguments)
            inner = found["report"]["report"]["SgxEnclave"]
            inner[name] = "ff" + inner[name][2:]
            return found

        return answer

    for name in ("mr_enclave", "mr_signer", "report_data"):
        monkeypatch.setattr(dcap, "_ask", lying(name))
        with pytest.raises(EvidenceError) as caught:
            real(recorded.SGX)
        assert caught.value.code == "read-differently"


def test_what_an_enclave_s_platform_lacks() -> None:
    collateral = parse_collateral(recorded.collateral_of(recorded.SGX))
    quote = dcap.parse_quote(recorded.quote_of(recorded.SGX))
    level = collateral.levels[0]
    svns = (bytes(component.svn for component in level.sgx), level.pce_svn)
    assert dcap._below(quote, collateral, level, svns=svns, module_level=0) == ()
    short = dcap._below(quote, collateral, level, svns=(bytes(16), level.pce_svn - 1), module_level=0)
    assert short[-1] == Shortfall("provisioning enclave (PCE)", level.pce_svn - 1, level.pce_svn)


def test_a_library_of_another_form_is_a_problem_of_the_host(monkeypatch) -> None:
    ask = dcap._ask
    monkeypatch.setattr(dcap, "_ask", lambda *arguments: {**ask(*arguments), "claims": {}})
    with pytest.raises(dcap.HostError) as caught:
        synthetic()
    assert caught.value.code == "host-dcap"
