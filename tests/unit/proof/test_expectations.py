"""Every expectation is met by the claim itself, and by nothing else."""

import pytest

from near_tee_cli.proof.bundle import Code, decode_bundle
from near_tee_cli.proof.expectations import (
    NAMES,
    Anchor,
    Expectations,
    Subject,
    first_unmet,
    is_empty,
    unconstrained,
)
from near_tee_cli.proof.report import Status, Verdict
from near_tee_cli.proof.verifier import NO_REPLAY, verify
from tests.support.bundles import proof_of, relabelled, small_proof, with_transition
from tests.support.machines import machine


def judged(expectations, *, anchors=(), proof=None):
    sets = (expectations,) if isinstance(expectations, Expectations) else expectations
    data = (proof or small_proof()).data
    return verify(data, machine=machine(), require=NO_REPLAY, expectations=sets, anchors=anchors)


CLAIM = small_proof().claim
CALL = CLAIM.call
FITTING = {
    "network": frozenset({CLAIM.network}),
    "audience": frozenset({CLAIM.audience}),
    "worker": frozenset({CLAIM.worker}),
    "contract": frozenset({CALL.receiver_id}),
    "code_hash": frozenset({CALL.code_hash}),
    "method": frozenset({CALL.method_name, "other"}),
    "caller": frozenset({CALL.predecessor_id}),
    "pre_root": frozenset({CLAIM.pre_root}),
    "post_root": frozenset({CLAIM.post_root}),
    "protocol_version": frozenset({85, CLAIM.protocol_version}),
    "min_height": CLAIM.first_height,
    "max_height": CLAIM.last_height,
    "max_age": 10,
}
OTHER = {
    **dict.fromkeys(("network", "audience", "worker", "contract", "method", "caller"), frozenset({"other.near"})),
    **dict.fromkeys(("code_hash", "pre_root", "post_root"), frozenset({bytes(32)})),
    "protocol_version": frozenset({1}),
    "min_height": CLAIM.first_height + 1,
    "max_height": CLAIM.last_height - 1,
    "max_age": 4,
}
CODES = {"code_hash": "unexpected-code", "min_height": "unexpected-height", "max_height": "unexpected-height"}
CODES["max_age"] = "too-old"
KNOWN = (Anchor(CLAIM.last_height + 5, None),)


@pytest.mark.parametrize("name", NAMES)
def test_one_at_a_time(name) -> None:
    report = judged(Expectations(**{name: FITTING[name]}), anchors=KNOWN)
    assert (report.verdict, report.checks[19].status) == (Verdict.ESTABLISHED, Status.PASSED)
    assert set(report.unconstrained) == set(NAMES) - {name}
    report = judged(Expectations(**{name: OTHER[name]}), anchors=KNOWN)
    code = CODES.get(name, f"unexpected-{name.replace('_', '-')}")
    assert (report.verdict, report.code, report.checks[19].code) == (Verdict.CONTRADICTED, code, code)


def test_all_at_once_and_several_sets() -> None:
    everything = Expectations(**FITTING)
    report = judged(everything, anchors=KNOWN)
    assert (report.verdict, report.unconstrained) == (Verdict.ESTABLISHED, ())
    wrong = Expectations(method=frozenset({"other"}))
    for sets in ((everything, wrong), (wrong, everything)):
        assert judged(sets, anchors=KNOWN).code == "unexpected-method"
    assert is_empty(Expectations())
    assert unconstrained(()) == NAMES


def test_an_age_without_a_known_block_cannot_be_told() -> None:
    report = judged(Expectations(max_age=10**9))
    assert (report.verdict, report.code) == (Verdict.INCONCLUSIVE, "no-anchor")
    assert report.checks[19].status is Status.NOT_MADE
    report = judged(Expectations(max_age=10**9, network=frozenset({"other"})))
    assert (report.verdict, report.code) == (Verdict.CONTRADICTED, "unexpected-network")


def test_what_cannot_be_told_does_not_hide_a_contradiction_that_execution_finds() -> None:
    bundle = decode_bundle(small_proof().data)
    (first, *others) = bundle.content.transitions[0].outcomes
    lie = first._replace(outcome=first.outcome._replace(logs=("never said",)))
    data = relabelled(with_transition(bundle.content, 0, outcomes=(lie, *others)), bundle.claim)
    report = verify(data, machine=machine(), expectations=(Expectations(max_age=1),))
    assert (report.verdict, report.code) == (Verdict.CONTRADICTED, "replay-mismatch")


def test_a_claim_from_after_the_known_block() -> None:
    report = judged(Expectations(max_age=10), anchors=(Anchor(CLAIM.last_height - 1, None),))
    assert (report.verdict, report.code) == (Verdict.CONTRADICTED, "from-the-future")


def test_a_block_that_follows_another_one_than_the_known() -> None:
    height = CLAIM.first_height - 1
    assert judged((), anchors=(Anchor(height, b"\1" * 32),)).code == "other-chain"
    parent = first_block().prev_block_hash
    assert judged((), anchors=(Anchor(height, parent),)).verdict is Verdict.ESTABLISHED
    assert judged((), anchors=(Anchor(height - 1, b"\1" * 32),)).verdict is Verdict.ESTABLISHED


def first_block():
    return decode_bundle(small_proof().data).content.transitions[0].block


def test_what_was_resumed_is_judged_by_what_came_in() -> None:
    """A bundle without a call from outside has receivers and contracts, and no method."""
    proof = proof_of(WITHOUT_CALLS)
    assert proof.claim.calls == 0
    report = judged(Expectations(method=frozenset({"any"})), proof=proof)
    assert (report.verdict, report.code) == (Verdict.CONTRADICTED, "unexpected-method")


WITHOUT_CALLS = "runtime/transactions/transactions-batch-empty"


def test_ages_at_their_bounds() -> None:
    now = (Anchor(CLAIM.last_height, None),)
    assert judged(Expectations(max_age=0), anchors=now).verdict is Verdict.ESTABLISHED
    later = (Anchor(CLAIM.last_height + 1, None), Anchor(CLAIM.last_height - 3, None))
    assert judged(Expectations(max_age=1), anchors=later).verdict is Verdict.ESTABLISHED
    assert judged(Expectations(max_age=0), anchors=later).code == "too-old"


def test_contracts_that_were_called_and_contracts_that_were_executed() -> None:
    """What was called from outside counts; only where nothing was, everything that was executed."""
    claim, content = CLAIM, decode_bundle(small_proof().data).content
    expected = Expectations(code_hash=frozenset({CALL.code_hash}))
    other = content._replace(codes=(*content.codes, Code(bytes(32), None)))
    assert first_unmet(Subject(claim, other, [], [CALL]), [expected], anchors=()) is None
    unmet = first_unmet(Subject(claim, other, [], []), [expected], anchors=())
    assert (unmet.error.code, unmet.undecided) == ("unexpected-code", False)
    assert first_unmet(Subject(claim, content, [], []), [expected], anchors=()) is None
