"""Each check against the lie that it is there for. Every lie comes with a claim that fits it in all its digests."""

import pytest

from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.outcome import Failure, SuccessReceiptId, SuccessValue
from near_tee_cli.proof.bundle import Bundle, decode_bundle, encode_bundle
from near_tee_cli.proof.checks import CHECKS
from near_tee_cli.proof.claim import claim_digest
from near_tee_cli.proof.report import Verdict
from near_tee_cli.runtime.block import CongestionInfo
from tests.support.bundles import (
    consistent,
    decided,
    executed,
    relabelled,
    small_proof,
    with_node,
    with_transition,
    without_node,
)


def original():
    return decode_bundle(small_proof().data)


def with_outcome(content, transition, number, *, metadata=None, **changes):
    outcomes = list(content.transitions[transition].outcomes)
    entry = outcomes[number]
    outcome = entry.outcome._replace(**changes)
    if metadata is not None:
        outcome = outcome._replace(metadata=outcome.metadata._replace(**metadata))
    outcomes[number] = entry._replace(outcome=outcome)
    return with_transition(content, transition, outcomes=tuple(outcomes))


def with_changes(content, transition, changes):
    return with_transition(content, transition, changes=tuple(sorted(changes.items())))


def first(content):
    return content.transitions[0]


def profile_of(content):
    return next(e.outcome.metadata.profile for e in first(content).outcomes if e.outcome.metadata.profile is not None)


def executed_number(content):
    return next(n for n, e in enumerate(first(content).outcomes) if e.outcome.metadata.profile is not None)


LIES = {
    "no transitions": (lambda c: c._replace(transitions=(), nodes=(), codes=()), None),
    "the second block below the first": (
        lambda c: with_transition(c, 1, block=c.transitions[1].block._replace(height=1)),
        (6, "height-order"),
    ),
    "forwarding from nobody": (lambda c: with_transition(c, 0, forward=True), (6, "bad-forward")),
    "receipts repeated instead of forwarded": (
        lambda c: with_transition(c, 1, forward=False, receipts=first(c).sent),
        (6, "bad-forward"),
    ),
    "inputs of a missing chunk": (
        lambda c: with_transition(c, 0, block=first(c).block._replace(is_new_chunk=False)),
        (6, "bad-inputs"),
    ),
    "a transaction that is none": (lambda c: with_transition(c, 0, transactions=(b"\0",)), (6, "bad-inputs")),
    "a receipt that is none": (lambda c: with_transition(c, 0, receipts=(b"\0",)), (6, "bad-inputs")),
    "a sent receipt with bytes left over": (
        lambda c: with_transition(c, 0, sent=(first(c).sent[0] + b"\0",)),
        (6, "bad-inputs"),
    ),
    "a node under no root": (lambda c: with_node(c, b"ballast"), (7, "superfluous-node")),
    "a node that nobody names": (lambda c: with_node(c, b"ballast", named_by=()), (7, "superfluous-node")),
    "other code under the hash": (
        lambda c: c._replace(codes=(c.codes[0]._replace(code=b"\0asm"),)),
        (8, "code-mismatch"),
    ),
    "code that nobody names": (lambda c: with_transition(c, 0, codes=()), (8, "superfluous-code")),
    "code named where it is not used": (lambda c: with_transition(c, 1, codes=(0,)), (15, "superfluous-code")),
    "a changed value": (
        lambda c: with_changes(c, 0, {**dict(first(c).changes), first(c).changes[0][0]: b"rich"}),
        (9, "root-mismatch"),
    ),
    "a change left out": (lambda c: with_transition(c, 0, changes=first(c).changes[1:]), (9, "root-mismatch")),
    "a change added": (
        lambda c: with_changes(c, 0, {**dict(first(c).changes), b"\x0fmore": b""}),
        (9, "root-mismatch"),
    ),
    "a removal added": (
        lambda c: with_changes(c, 0, {**dict(first(c).changes), b"\0a.near": None}),
        (9, "root-mismatch"),
    ),
    "an impossible key": (lambda c: with_changes(c, 0, {bytes(5000): b""}), (9, "impossible-key")),
    "another root after": (lambda c: with_transition(c, 1, post_root=bytes(32)), (9, "root-mismatch")),
    "another root between": (lambda c: with_transition(c, 0, post_root=bytes(32)), (7, "superfluous-node")),
    "an outcome of nothing": (
        lambda c: with_transition(c, 0, outcomes=(*first(c).outcomes, first(c).outcomes[0]._replace(id=bytes(32)))),
        (11, "stray-outcome"),
    ),
    "an outcome twice": (
        lambda c: with_transition(c, 0, outcomes=first(c).outcomes + first(c).outcomes[:1]),
        (11, "stray-outcome"),
    ),
    "a receipt lost": (lambda c: with_transition(c, 1, outcomes=(), forward=True), (14, "replay-mismatch")),
    "a receipt dropped on the way": (
        lambda c: with_transition(with_transition(c, 0, sent=()), 1, outcomes=(), forward=True),
        (12, "lost-receipt"),
    ),
    "a receipt slipped in": (
        lambda c: with_outcome(with_transition(c, 1, sent=first(c).sent), 0, 1, receipt_ids=()),
        (12, "stray-receipt"),
    ),
    "gas that a profile exceeds": (
        lambda c: with_outcome(
            c,
            0,
            executed_number(c),
            metadata={"profile": profile_of(c)._replace(wasm_gas=10**15)},
        ),
        (13, "gas-mismatch"),
    ),
    "gas beyond what a chunk can burn": (
        lambda c: with_outcome(with_outcome(c, 0, 0, gas_burnt=2**63), 0, 1, gas_burnt=2**63),
        None,
    ),
    "more gas burnt": (lambda c: with_outcome(c, 0, 1, gas_burnt=10**13), (14, "replay-mismatch")),
    "more tokens burnt": (lambda c: with_outcome(c, 0, 1, tokens_burnt=1), (14, "replay-mismatch")),
    "more compute": (lambda c: with_outcome(c, 0, 1, compute_usage=1), (14, "replay-mismatch")),
    "another value returned": (
        lambda c: with_outcome(c, 0, executed_number(c), status=SuccessValue(b"yes")),
        (14, "replay-mismatch"),
    ),
    "a failure for a success": (
        lambda c: with_outcome(c, 0, executed_number(c), status=Failure({"ActionError": {}})),
        (14, "replay-mismatch"),
    ),
    "another log": (lambda c: with_outcome(c, 0, executed_number(c), logs=("paid",)), (14, "replay-mismatch")),
    "another profile": (
        lambda c: with_outcome(c, 0, executed_number(c), metadata={"profile": profile_of(c)._replace(wasm_gas=1)}),
        (14, "replay-mismatch"),
    ),
    "another contract in the metadata": (
        lambda c: with_outcome(c, 0, executed_number(c), metadata={"contracts": ()}),
        (14, "replay-mismatch"),
    ),
    "another executor": (lambda c: with_outcome(c, 0, 1, executor_id="b.near"), (14, "replay-mismatch")),
    "another receipt returned": (
        lambda c: with_outcome(c, 0, 0, status=SuccessReceiptId(bytes(32))),
        (14, "replay-mismatch"),
    ),
    "another number of delayed receipts": (
        lambda c: with_transition(c, 0, chunk=first(c).chunk._replace(delayed_receipts=1)),
        (14, "replay-mismatch"),
    ),
    "other balances": (
        lambda c: with_transition(
            c, 0, chunk=first(c).chunk._replace(balance_stats=first(c).chunk.balance_stats._replace(tx_burnt_amount=1))
        ),
        (14, "replay-mismatch"),
    ),
    "other congestion carried over": (
        lambda c: with_transition(
            c,
            1,
            chunk=first(c).chunk._replace(
                carried=first(c).chunk.carried._replace(congestion_info=CongestionInfo(1, 0, 0, 0))
            ),
        ),
        (14, "replay-mismatch"),
    ),
    "code that is only named": (lambda c: c._replace(codes=(c.codes[0]._replace(code=None),)), (14, "missing-code")),
}


@pytest.mark.parametrize("name", [name for name, (_, expected) in LIES.items() if expected is not None])
def test_lies_are_refused_by_what_they_say(name) -> None:
    bundle = original()
    lie, expected = LIES[name]
    content = lie(bundle.content)
    assert content != bundle.content
    data = relabelled(content, bundle.claim)
    report = executed(data)
    assert decided(report) == expected
    assert report.verdict is not Verdict.ESTABLISHED
    assert "\n" not in report.message
    without = consistent(data)
    assert decided(without) == (expected if expected[0] < 14 else (0, None))
    for result in report.checks[expected[0] :]:
        assert result.status.value == "not-made"


def test_a_bundle_of_nothing() -> None:
    bundle = original()
    data = encode_bundle(bundle._replace(content=LIES["no transitions"][0](bundle.content)))
    assert decided(executed(data)) == (5, "content-mismatch")


def test_gas_beyond_a_chunk() -> None:
    bundle = original()
    data = encode_bundle(bundle._replace(content=LIES["gas beyond what a chunk can burn"][0](bundle.content)))
    assert decided(executed(data)) == (5, "gas-mismatch")


@pytest.mark.parametrize("position", range(14))
def test_no_node_can_be_left_out(position) -> None:
    bundle = original()
    content = without_node(bundle.content, position)
    report = executed(relabelled(content, bundle.claim))
    assert report.verdict is Verdict.CONTRADICTED
    assert decided(report)[1] in ("missing-node", "superfluous-node")


@pytest.mark.parametrize("position", range(14))
def test_no_node_can_be_replaced(position) -> None:
    bundle = original()
    node = bundle.content.nodes[position]
    named_by = tuple(n for n, item in enumerate(bundle.content.transitions) if position in item.nodes)
    for other in (node[:-1] + bytes([node[-1] ^ 1]), node + b"\0", b"", node[:-8] + b"\xff" * 8):
        content = with_node(without_node(bundle.content, position), other, named_by=named_by)
        report = executed(relabelled(content, bundle.claim))
        assert report.verdict is Verdict.CONTRADICTED
        assert decided(report)[1] in ("missing-node", "superfluous-node")


def test_no_node_can_be_doubled() -> None:
    bundle = original()
    for node in bundle.content.nodes:
        nodes = tuple(sorted([*bundle.content.nodes, node]))
        report = executed(encode_bundle(bundle._replace(content=bundle.content._replace(nodes=nodes))))
        assert decided(report) == (2, "malformed-bundle")


@pytest.mark.parametrize("position", range(14))
def test_no_transition_can_leave_out_or_borrow_a_node(position) -> None:
    bundle = original()
    for number, transition in enumerate(bundle.content.transitions):
        nodes = tuple(sorted({*transition.nodes} ^ {position}))
        report = executed(relabelled(with_transition(bundle.content, number, nodes=nodes), bundle.claim))
        assert report.verdict is Verdict.CONTRADICTED
        assert decided(report)[1] in ("missing-node", "superfluous-node")


CLAIM_CHANGES = {
    "network": "other", "protocol_version": 85, "config_digest": bytes(32), "first_height": 7, "last_height": 7,
    "pre_root": bytes(32), "post_root": bytes(32), "transitions": 1, "entries_root": bytes(32), "calls": 0,
    "calls_root": bytes(32), "call": None, "input_digest": bytes(32), "outcome_digest": bytes(32), "gas": None,
    "witness_digest": bytes(32), "witness_size": 1, "changes_digest": bytes(32), "changes_size": 1,
    "codes_digest": bytes(32),
}  # fmt: skip
FREE = {"audience": "", "worker": "", "sequence": 4, "previous": None}


@pytest.mark.parametrize("field", CLAIM_CHANGES)
def test_every_derived_field_of_the_claim_is_held_against_the_content(field) -> None:
    bundle = original()
    value = bundle.claim.gas._replace(wasm=0) if field == "gas" else CLAIM_CHANGES[field]
    claim = bundle.claim._replace(**{field: value})
    assert claim != bundle.claim
    report = executed(encode_bundle(Bundle(claim, claim_digest(claim), bundle.content)))
    assert report.verdict is Verdict.CONTRADICTED
    assert decided(report)[0] == (
        3 if field in ("protocol_version", "config_digest") else 10 if field.startswith("call") else 5
    )


@pytest.mark.parametrize("field", [*CLAIM_CHANGES, *FREE])
def test_no_field_can_be_changed_beside_the_digest(field) -> None:
    bundle = original()
    value = {**CLAIM_CHANGES, **FREE}[field]
    value = bundle.claim.gas._replace(wasm=0) if field == "gas" else value
    claim = bundle.claim._replace(**{field: value})
    report = executed(encode_bundle(bundle._replace(claim=claim)))
    assert decided(report)[0] in (3, 4)
    assert report.verdict is Verdict.CONTRADICTED


@pytest.mark.parametrize("part", ["contract", "caller", "method", "args", "deposit", "gas", "code"])
def test_the_call_in_the_claim_is_the_one_that_was_made(part) -> None:
    bundle = original()
    call = bundle.claim.call
    assert call.receiver_id == call.signer_id == call.predecessor_id == "a.near"
    assert (call.method_name, call.args_digest, call.gas) == ("set", sha256(b"{}"), 10**13)
    assert call.code_hash == bundle.content.codes[0].hash
    changed = {
        "contract": {"receiver_id": "b.near"},
        "caller": {"predecessor_id": "b.near"},
        "method": {"method_name": "get"},
        "args": {"args_digest": bytes(32)},
        "deposit": {"deposit": 1},
        "gas": {"gas": 1},
        "code": {"code_hash": None},
    }[part]
    claim = bundle.claim._replace(call=call._replace(**changed))
    report = executed(encode_bundle(Bundle(claim, claim_digest(claim), bundle.content)))
    assert decided(report) == (10, "call-mismatch")


def test_numbers_are_positions() -> None:
    assert [check.number for check in CHECKS] == list(range(1, len(CHECKS) + 1))
    assert len({check.name for check in CHECKS}) == len(CHECKS)
    assert all(check.holds and check.stops for check in CHECKS)
