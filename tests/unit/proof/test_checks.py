"""Each check against the lie that it is there for. Every lie comes with a claim that fits it in all its digests."""

import pytest

from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.proof.bundle import Bundle, decode_bundle, encode_bundle
from near_tee_cli.proof.checks import CHECKS
from near_tee_cli.proof.claim import claim_digest
from near_tee_cli.proof.report import Verdict
from tests.reject.lies import LIES
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


@pytest.mark.parametrize("name", LIES)
def test_lies_are_refused_by_what_they_say(name) -> None:
    bundle = original()
    lie = LIES[name]
    content = lie.make(bundle.content)
    assert content != bundle.content
    data = relabelled(content, bundle.claim)
    report = executed(data)
    assert decided(report) == (lie.check, lie.code)
    assert report.verdict is not Verdict.ESTABLISHED
    assert "\n" not in report.message
    without = consistent(data)
    assert decided(without) == ((lie.check, lie.code) if lie.check < 14 else (0, None))
    for result in report.checks[lie.check :]:
        assert result.status.value == "not-made"


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
