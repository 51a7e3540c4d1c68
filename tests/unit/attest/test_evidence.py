"""Evidence as a whole: what is missing leaves the verdict open, what is wrong decides, and each check for itself."""

import pytest

from near_tee_cli.attest.appraisal import Chain
from near_tee_cli.attest.evidence import NAMES, Conclusion, Evidence, EvidenceReport, Status, verify_evidence
from near_tee_cli.attest.platform_policy import parse_platform_policy
from near_tee_cli.attest.report_data import NearTeeBinding, RawKey, Scope, report_data_of
from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives.keys import ED25519, public_key_of, secret_key_from_seed
from tests.support import attestation as recorded
from tests.support import attestation_pki as pki

TIME = recorded.cases()[recorded.MPC]["suggested_now"]
KEYS = recorded.mpc_keys()
KEY = public_key_of(secret_key_from_seed("a", scheme=ED25519))
EVIDENCE = Evidence(
    quote=recorded.quote_of(recorded.MPC),
    collateral=recorded.collateral_of(recorded.MPC),
    event_log=recorded.log_of(recorded.MPC),
    compose=recorded.mpc_compose(),
    binding=KEYS,
)
POLICY = parse_platform_policy(recorded.mpc_tables())


def outcome(evidence: Evidence = EVIDENCE, **named) -> EvidenceReport:
    report = verify_evidence(evidence, **{"policy": POLICY, "time": TIME, "key": KEYS.account_key, **named})
    assert [result.number for result in report.results] == list(NAMES)
    assert [result.name for result in report.results] == list(NAMES.values())
    for result in report.results:
        assert result.detail
        assert result.status is not Status.PASSED or result.code is None
    return report


def status(report: EvidenceReport) -> dict[int, tuple[str, str | None]]:
    """What did not pass."""
    return {one.number: (one.status.value, one.code) for one in report.results if one.status is not Status.PASSED}


def test_everything_holds() -> None:
    report = outcome()
    assert (report.conclusion, report.code, status(report)) == (Conclusion.ACCEPTED, None, {})
    assert report.verified is not None
    assert report.labels == ("dev",)
    assert report.replayed is not None
    assert report.quote is not None
    assert report.quote.identity == report.verified.quote.identity


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        ({"binding": None}, {22: "no-binding"}),
        ({"collateral": None}, {23: "no-collateral", 24: "quote-not-verified", 29: "quote-not-verified"}),
        ({"event_log": None}, {26: "no-event-log", 27: "no-event-log"}),
        ({"compose": None}, {27: "no-compose"}),
    ],
)
def test_what_is_missing_leaves_it_open(missing, expected) -> None:
    report = outcome(EVIDENCE._replace(**missing))
    assert report.conclusion is Conclusion.INCONCLUSIVE
    assert status(report) == {number: ("not-made", code) for number, code in expected.items()}
    assert report.code == next(iter(expected.values()))


def test_without_policy_or_time() -> None:
    report = outcome(policy=None)
    assert report.conclusion is Conclusion.INCONCLUSIVE
    assert status(report) == dict.fromkeys((24, 25, 27, 28, 29, 30), ("not-made", "no-policy"))
    report = outcome(time=None)
    unverified = ("not-made", "quote-not-verified")
    assert status(report) == {23: ("not-made", "no-time"), 24: unverified, 29: unverified}


def test_expired() -> None:
    end = recorded.cases()[recorded.MPC]["valid_until_exclusive"]
    report = outcome(time=end)
    unverified = ("not-made", "quote-not-verified")
    assert report.conclusion is Conclusion.INCONCLUSIVE
    assert status(report) == {23: ("not-made", "evidence-expired"), 24: unverified, 29: unverified}
    assert report.refusal is not None
    assert report.refusal.window.end == end
    assert outcome(time=end - 1).conclusion is Conclusion.ACCEPTED
    with pytest.raises(BadInputError):
        outcome(time=-1)


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_forged_quotes_are_shown_and_not_judged() -> None:
    report = outcome(EVIDENCE._replace(quote=flipped(EVIDENCE.quote, 48 + 140)))
    assert (report.conclusion, report.code) == (Conclusion.CONTRADICTED, "quote-forged")
    assert status(report) == {23: ("failed", "quote-forged"), **dict.fromkeys(range(24, 31), ("not-made", None))}
    assert report.quote is not None
    assert report.verified is None
    report = outcome(EVIDENCE._replace(collateral=b"{}"))
    assert status(report)[23] == ("failed", "bad-collateral")
    report = outcome(EVIDENCE._replace(quote=b""))
    assert (report.quote, status(report)[23]) == (None, ("failed", "bad-quote"))
    report = outcome(EVIDENCE._replace(quote=recorded.quote_of(recorded.SGX)))
    assert (report.conclusion, status(report)[23]) == (Conclusion.CONTRADICTED, ("failed", "not-tdx"))


# One wrong thing each, refused by exactly the check that is there for it.
LOG_FORGED = EVIDENCE.event_log.replace(b"compose-hash", b"compose-hasj")
ONE_WRONG = [
    (22, "report-data-mismatch", EVIDENCE._replace(binding=RawKey(KEYS.tls_key)), {}),
    (22, "key-not-bound", EVIDENCE, {"key": KEY}),
    (22, "profile-not-allowed", EVIDENCE, {"policy": {"binding": {"profiles": ["near-tee-v1"]}}}),
    (24, "tcb-status", EVIDENCE, {"policy": {"tcb": {"allowed": ["OutOfDate"]}}}),
    (25, "seam-not-allowed", EVIDENCE, {"policy": {"td": {"mr_seam": ["00" * 48]}}}),
    (27, "compose-hash-mismatch", EVIDENCE._replace(compose=EVIDENCE.compose + b"\n"), {}),
    (27, "compose-docker-socket", EVIDENCE, {"policy": {"compose": {"agent_socket_services": ["launcher"]}}}),
    (28, "measurements-not-allowed", EVIDENCE, {"policy": recorded.production_tables()}),
    (29, "ppid-not-allowed", EVIDENCE, {"policy": {"platform": {"ppids": ["00" * 16]}}}),
    (30, "challenge-mismatch", EVIDENCE, {"chain": Chain(challenge=b"now")}),
]


@pytest.mark.parametrize(("number", "code", "evidence", "named"), ONE_WRONG)
def test_one_wrong_thing_is_refused_by_one_check(number, code, evidence, named) -> None:
    if "policy" in named:
        named = {**named, "policy": parse_platform_policy({**recorded.mpc_tables(), **named["policy"]})}
    report = outcome(evidence, **named)
    assert status(report) == {number: ("failed", code)}
    assert (report.conclusion, report.code) == (Conclusion.CONTRADICTED, code)


def test_logs_that_lead_elsewhere() -> None:
    report = outcome(EVIDENCE._replace(event_log=LOG_FORGED))
    # Without its log nothing says which application ran.
    assert status(report) == {26: ("failed", "event-digest-mismatch"), 27: ("not-made", "no-event-log")}
    assert report.conclusion is Conclusion.CONTRADICTED
    other = recorded.log_of(recorded.REPORT)
    assert status(outcome(EVIDENCE._replace(event_log=other)))[26] == ("failed", "event-log-mismatch")
    assert status(outcome(EVIDENCE._replace(event_log=b"?")))[26] == ("failed", "bad-event-log")
    empty = outcome(EVIDENCE._replace(event_log=b"[]"))
    assert status(empty)[26] == ("failed", "register-not-logged")


def test_registers_that_are_pinned_need_no_log() -> None:
    registers = recorded.cases()[recorded.MPC]
    tables = recorded.mpc_tables()
    whole = {**tables["measurements"][0], "rtmr3": registers["rtmr3"]}
    rules = parse_platform_policy({**tables, "measurements": [whole], "app": {}})
    for log in (None, b"[]"):
        report = outcome(EVIDENCE._replace(event_log=log), policy=rules)
        assert (report.conclusion, status(report)) == (Conclusion.ACCEPTED, {})
    runtime = b"[" + EVIDENCE.event_log[EVIDENCE.event_log.index(b'{"imr": 3') :]
    report = outcome(EVIDENCE._replace(event_log=runtime))
    assert report.conclusion is Conclusion.ACCEPTED
    report = outcome(EVIDENCE._replace(event_log=runtime), policy=None)
    assert status(report)[26] == ("failed", "register-not-logged")


def test_contradictions_decide_before_what_is_open() -> None:
    rules = parse_platform_policy(
        {**recorded.mpc_tables(), "tcb": {"allowed": ["OutOfDate"], "min_eval_data_number": 99}}
    )
    report = outcome(EVIDENCE._replace(binding=None), policy=rules)
    assert (report.conclusion, report.code) == (Conclusion.CONTRADICTED, "tcb-status")
    assert [finding.code for finding in report.results[2].findings] == ["tcb-status", "evaluation-too-old"]


# Evidence under a root of its own.

BINDING = NearTeeBinding(KEY, b"now", 1000, bytes([1]) * 32, Scope.KEY, bytes(32))


def simulated(**named) -> EvidenceReport:
    quote = pki.quote(
        report_data=report_data_of(BINDING), registers=(*(bytes([at]) * 48 for at in (2, 3, 4)), bytes(48))
    )
    sets = [{"label": "synthetic", "mrtd": "01" * 48, **{f"rtmr{at}": f"{at + 2:02x}" * 48 for at in range(3)}}]
    rules = parse_platform_policy({"measurements": [{**sets[0], "rtmr3": "00" * 48}]})
    arguments = {"dev_root": pki.root_der(), "policy": rules, "time": pki.NOW, "key": KEY, **named}
    return outcome(Evidence(quote=quote, collateral=pki.collateral(), binding=BINDING), **arguments)


def test_simulated_evidence_is_never_accepted_unasked() -> None:
    report = simulated()
    assert report.conclusion is Conclusion.INCONCLUSIVE
    assert status(report) == {23: ("not-made", "evidence-simulated")}
    assert "NOT INTEL" in report.results[1].detail
    report = simulated(allow_dev=True)
    assert report.conclusion is Conclusion.ACCEPTED
    assert "NOT INTEL" in report.results[1].detail
    assert report.verified is not None
    assert not report.verified.root_is_intel
    report = simulated(dev_root=None, allow_dev=True)
    assert (report.conclusion, report.code) == (Conclusion.CONTRADICTED, "other-root")
    report = outcome(dev_root=pki.root_der(), allow_dev=True)
    assert (report.conclusion, report.code) == (Conclusion.CONTRADICTED, "other-root")


def test_ages_and_challenges_of_our_profile() -> None:
    chain = Chain(height=1005, blocks={1000: BINDING.anchor_hash}, challenge=b"now")
    assert simulated(allow_dev=True, chain=chain).conclusion is Conclusion.ACCEPTED
    late = simulated(allow_dev=True, chain=chain._replace(challenge=b"then"))
    assert status(late) == {30: ("failed", "challenge-mismatch")}


def test_another_key_than_the_bound_one() -> None:
    other = public_key_of(secret_key_from_seed("b", scheme=ED25519))
    assert status(simulated(allow_dev=True, key=other)) == {22: ("failed", "key-not-bound")}
    assert simulated(allow_dev=True, key=None).conclusion is Conclusion.ACCEPTED
