"""Every expectation is met by the claim itself, and by nothing else."""

import pytest

from near_tee_cli.primitives.schema.action import DeployContract, FunctionCall, Transfer
from near_tee_cli.primitives.schema.receipt import DATA, PROMISE_YIELD, SYSTEM, DataReceipt, DataReceiver, Receipt
from near_tee_cli.proof.bundle import decode_bundle
from near_tee_cli.proof.expectations import (
    NAMES,
    Anchor,
    Expectations,
    Subject,
    is_empty,
    judge,
    unconstrained,
)
from near_tee_cli.proof.report import Status, Verdict
from near_tee_cli.proof.statement import Parsed, calls_of
from near_tee_cli.proof.verifier import NO_REPLAY, verify
from tests.support import worlds
from tests.support.bundles import proof_of, relabelled, small_proof, with_transition
from tests.support.machines import machine
from tests.support.worlds import receipt_of


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


def expecting(*, anchors=(), **fields):
    return verify(
        small_proof().data, require=NO_REPLAY, expectations=(Expectations(**fields),), anchors=anchors
    ).checks[19]


def test_nothing_to_compare_is_never_a_pass() -> None:
    last = CLAIM.last_height
    for anchors, note in (
        ((), ""),
        ((Anchor(last, None),), ""),
        (
            (Anchor(999, b"\1" * 32),),
            "; no block here follows the known block 999, whose hash was not compared",
        ),
    ):
        found = expecting(anchors=anchors)
        assert (found.status, found.code) == (Status.NOT_MADE, None)
        assert found.detail == "nothing is expected of the claim" + note
    parent = Anchor(CLAIM.first_height - 1, first_block().prev_block_hash)
    assert expecting(anchors=(parent,)).status is Status.PASSED
    assert CLAIM.last_height > CLAIM.first_height
    last_parent = Anchor(last - 1, first_block().prev_block_hash)
    assert expecting(anchors=(last_parent,)).status is Status.PASSED
    assert expecting(anchors=(Anchor(last, b"\1" * 32),)).status is Status.NOT_MADE
    found = expecting(anchors=(parent, Anchor(999, b"\1" * 32)))
    assert (found.status, "the known block 999" in found.detail) == (Status.PASSED, True)
    assert expecting(max_height=last).detail == "the claim is about what was expected"


SELF = {"sender": "a.near", "receiver": "a.near"}
CALLED = receipt_of(FunctionCall("set", b"{}", 10**13, 0), **SELF, number=1)
REFUND = Receipt(SYSTEM, "b.near", b"\7" * 32, receipt_of(Transfer(1)).body)


def subject(*receipts, transactions=(), received=None, later=()):
    """A bundle into which these come, by two blocks."""
    parsed = [Parsed(tuple(transactions), receipts, ()), Parsed((), tuple(later), ())]
    content = decode_bundle(small_proof().data).content
    calls = calls_of(content, parsed, [])
    return Subject(CLAIM, content, parsed, calls, received)


def judged_calls(made, **fields):
    return judge(made, [Expectations(**fields)], anchors=())


METHOD = {"method": frozenset({"set"})}
NEITHER = [
    receipt_of(DeployContract(b""), **SELF, number=2),
    receipt_of(FunctionCall("set", b"{}", 10**13, 0), DeployContract(b""), **SELF, number=2),
    receipt_of(Transfer(1), **SELF, number=2),
    receipt_of(**SELF, number=2),
    Receipt("a.near", "a.near", b"\2" * 32, DataReceipt(DATA, bytes(32), None)),
    Receipt(SYSTEM, "a.near", b"\2" * 32, DataReceipt(DATA, bytes(32), None)),
    Receipt(SYSTEM, "a.near", b"\2" * 32, receipt_of(Transfer(1), Transfer(1)).body),
    Receipt(SYSTEM, "a.near", b"\2" * 32, receipt_of(DeployContract(b"")).body),
    Receipt(SYSTEM, "a.near", b"\2" * 32, receipt_of(Transfer(1), tag=PROMISE_YIELD).body),
    Receipt(SYSTEM, "a.near", b"\2" * 32, receipt_of(Transfer(1), input_data_ids=(bytes(32),)).body),
    Receipt(
        SYSTEM,
        "a.near",
        b"\2" * 32,
        receipt_of(Transfer(1), output_data_receivers=(DataReceiver(bytes(32), "a.near"),)).body,
    ),
    Receipt("a.near", "b.near", b"\7" * 32, REFUND.body),
]


@pytest.mark.parametrize("other", NEITHER)
@pytest.mark.parametrize("name", ["method", "caller", "code_hash"])
def test_what_comes_in_beside_a_call_is_no_such_call(name, other) -> None:
    allowed = {name: frozenset({"set", "a.near", "none"})}
    assert judged_calls(subject(CALLED, REFUND), **allowed).unmet is None
    for made in (subject(CALLED, other), subject(other, CALLED), subject(CALLED, later=(other,))):
        unmet = judged_calls(made, **allowed).unmet
        assert (unmet.error.code, unmet.undecided) == (f"unexpected-{name.removesuffix('_hash')}", False)
        assert "which is no call" in unmet.error.message
    assert judged_calls(subject(CALLED, other), network=frozenset({CLAIM.network})).unmet is None


@pytest.mark.parametrize("actions", [(), (Transfer(1),), (FunctionCall("set", b"", 1, 0), Transfer(1))])
def test_transactions_that_are_no_calls(actions) -> None:
    signed = worlds.transact("a.near", "a.near", *actions)
    unmet = judged_calls(subject(CALLED, transactions=(signed,)), **METHOD).unmet
    assert unmet.error.code == "unexpected-method"
    assert unmet.error.message.endswith("of a.near came in, which is no call")
    fine = worlds.transact("a.near", "a.near", FunctionCall("set", b"", 1, 0))
    assert judged_calls(subject(transactions=(fine,)), **METHOD).unmet is None


def test_what_the_bundle_before_sent_is_judged_there() -> None:
    other = receipt_of(FunctionCall("get", b"", 1, 0), Transfer(1), sender="b.near", receiver="b.near", number=3)
    everything = {**METHOD, "caller": frozenset({"a.near"}), "contract": frozenset({"a.near"})}
    assert judged_calls(subject(other, CALLED, received=1), **everything) == (None, True, ())
    for received in (None, 0):
        assert judged_calls(subject(other, CALLED, received=received), **everything).unmet is not None
    assert judged_calls(subject(other, CALLED, other, received=1), **everything).unmet is not None
    assert judged_calls(subject(other, received=1, later=(other,)), **METHOD).unmet is not None
    same = worlds.transact("a.near", "a.near", FunctionCall("get", b"", 1, 0))
    assert judged_calls(subject(other, transactions=(same,), received=1), **METHOD).unmet is not None


def test_a_link_into_which_nothing_else_comes() -> None:
    note = ("nothing came in from outside, only what the one before sent",)
    driven = subject(CALLED, received=1)
    assert judged_calls(driven, **METHOD) == (None, False, note)
    assert judged_calls(driven, **METHOD, network=frozenset({CLAIM.network})) == (None, True, note)
    assert judged_calls(subject(received=0), contract=frozenset({"b.near"})) == (None, False, note)
    assert judged_calls(subject(), **METHOD).unmet.error.code == "unexpected-method"
    data = Receipt("a.near", "a.near", b"\2" * 32, DataReceipt(DATA, bytes(32), None))
    unmet = judged_calls(subject(CALLED, data, received=1), **METHOD).unmet
    assert unmet.error.message == "method is expected, and nothing from outside has one"
