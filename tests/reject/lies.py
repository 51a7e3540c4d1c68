"""Contents that a liar has made fit in all digests: checks 6 to 9 and 11 to 15. Each is refused by what it says."""

from collections.abc import Callable
from typing import NamedTuple

from near_tee_cli.primitives.schema.outcome import Failure, SuccessReceiptId, SuccessValue
from near_tee_cli.proof.bundle import Content
from near_tee_cli.runtime.block import CongestionInfo
from tests.support.bundles import with_node, with_transition


class Lie(NamedTuple):
    """A content that is no longer true, and what finds it."""

    threats: tuple[str, ...]
    reason: str
    make: Callable[[Content], Content]
    check: int
    code: str


def with_outcome(content, transition, number, *, metadata=None, **changes):
    """`content` with fields of one outcome replaced."""
    outcomes = list(content.transitions[transition].outcomes)
    entry = outcomes[number]
    outcome = entry.outcome._replace(**changes)
    if metadata is not None:
        outcome = outcome._replace(metadata=outcome.metadata._replace(**metadata))
    outcomes[number] = entry._replace(outcome=outcome)
    return with_transition(content, transition, outcomes=tuple(outcomes))


def with_changes(content, transition, changes):
    """`content` with other changes in one transition."""
    return with_transition(content, transition, changes=tuple(sorted(changes.items())))


def first(content):
    """The first transition."""
    return content.transitions[0]


def profile_of(content):
    """The profile of the outcome that executed something."""
    return next(e.outcome.metadata.profile for e in first(content).outcomes if e.outcome.metadata.profile is not None)


def executed_number(content):
    """Its position."""
    return next(n for n, e in enumerate(first(content).outcomes) if e.outcome.metadata.profile is not None)


def _chunk(content, transition=0, **fields):
    return with_transition(content, transition, chunk=content.transitions[transition].chunk._replace(**fields))


def _block(content, transition=0, **fields):
    return with_transition(content, transition, block=content.transitions[transition].block._replace(**fields))


def _executed(content, **changes):
    return with_outcome(content, 0, executed_number(content), **changes)


def _profile(content, **fields):
    return _executed(content, metadata={"profile": profile_of(content)._replace(**fields)})


LIES: dict[str, Lie] = {
    "heights-equal": Lie(
        ("B11", "B12"),
        "the second block has the height of the first",
        lambda c: _block(c, 1, height=1),
        6,
        "height-order",
    ),
    "heights-fall": Lie(
        ("B11", "B12"), "the second block lies below the first", lambda c: _block(c, 1, height=0), 6, "height-order"
    ),
    "forward-from-nobody": Lie(
        ("B12",),
        "the first block forwards what nobody sent",
        lambda c: with_transition(c, 0, forward=True),
        6,
        "bad-forward",
    ),
    "forward-repeated": Lie(
        ("B5", "B12"),
        "receipts are repeated instead of forwarded",
        lambda c: with_transition(c, 1, forward=False, receipts=first(c).sent),
        6,
        "bad-forward",
    ),
    "forward-into-no-chunk": Lie(
        ("B12",),
        "a block without a chunk takes receipts in",
        lambda c: _block(c, 1, is_new_chunk=False),
        6,
        "bad-forward",
    ),
    "inputs-of-a-missing-chunk": Lie(
        ("B12",),
        "a block without a chunk has transactions",
        lambda c: _block(c, 0, is_new_chunk=False),
        6,
        "bad-inputs",
    ),
    "transaction-that-is-none": Lie(
        ("B3", "B5"),
        "what stands for a transaction is none",
        lambda c: with_transition(c, 0, transactions=(b"\0",)),
        6,
        "bad-inputs",
    ),
    "transaction-with-a-tail": Lie(
        ("B3", "B9"),
        "bytes are left over behind a transaction",
        lambda c: with_transition(c, 0, transactions=(first(c).transactions[0] + b"\0",)),
        6,
        "bad-inputs",
    ),
    "receipt-that-is-none": Lie(
        ("B3", "B5"),
        "what stands for a receipt is none",
        lambda c: with_transition(c, 0, receipts=(b"\0",)),
        6,
        "bad-inputs",
    ),
    "receipt-taken-for-a-transaction": Lie(
        ("B5", "B8"),
        "a receipt stands where a transaction should",
        lambda c: with_transition(c, 0, transactions=first(c).sent[:1]),
        6,
        "bad-inputs",
    ),
    "transaction-taken-for-a-receipt": Lie(
        ("B5", "B8"),
        "a transaction stands where a receipt should",
        lambda c: with_transition(c, 0, receipts=first(c).transactions),
        6,
        "bad-inputs",
    ),
    "sent-receipt-with-a-tail": Lie(
        ("B3", "B9"),
        "bytes are left over behind a receipt that was sent",
        lambda c: with_transition(c, 0, sent=(first(c).sent[0] + b"\0",)),
        6,
        "bad-inputs",
    ),
    "node-under-no-root": Lie(
        ("B4", "B9"), "a node lies under no root", lambda c: with_node(c, b"ballast"), 7, "superfluous-node"
    ),
    "node-that-nobody-names": Lie(
        ("B4", "B9"),
        "a node is named by no transition",
        lambda c: with_node(c, b"ballast", named_by=()),
        7,
        "superfluous-node",
    ),
    "node-empty": Lie(
        ("B4", "B6"), "an empty value lies under no root", lambda c: with_node(c, b""), 7, "superfluous-node"
    ),
    "root-between": Lie(
        ("B10", "B12"),
        "the root between the blocks is another",
        lambda c: with_transition(c, 0, post_root=bytes(32)),
        7,
        "superfluous-node",
    ),
    "code-of-another-hash": Lie(
        ("B5", "B10"),
        "another contract stands under the hash",
        lambda c: c._replace(codes=(c.codes[0]._replace(code=b"\0asm"),)),
        8,
        "code-mismatch",
    ),
    "code-empty": Lie(
        ("B5",),
        "an empty contract stands under the hash",
        lambda c: c._replace(codes=(c.codes[0]._replace(code=b""),)),
        8,
        "code-mismatch",
    ),
    "code-that-nobody-names": Lie(
        ("B4", "B9"),
        "a contract is named by no transition",
        lambda c: with_transition(c, 0, codes=()),
        8,
        "superfluous-code",
    ),
    "change-of-a-value": Lie(
        ("B6",),
        "a row got another value than the root says",
        lambda c: with_changes(c, 0, {**dict(first(c).changes), first(c).changes[0][0]: b"rich"}),
        9,
        "root-mismatch",
    ),
    "change-left-out": Lie(
        ("B6",),
        "a change is left out",
        lambda c: with_transition(c, 0, changes=first(c).changes[1:]),
        9,
        "root-mismatch",
    ),
    "change-added": Lie(
        ("B6",),
        "a change is added",
        lambda c: with_changes(c, 0, {**dict(first(c).changes), b"\x0fmore": b""}),
        9,
        "root-mismatch",
    ),
    "change-that-removes": Lie(
        ("B6",),
        "a row is removed that is still there",
        lambda c: with_changes(c, 0, {**dict(first(c).changes), b"\0a.near": None}),
        9,
        "root-mismatch",
    ),
    "change-value-empty-for-absent": Lie(
        ("B6",),
        "a row that was removed is said to be empty",
        lambda c: with_changes(c, 0, {**dict(first(c).changes), first(c).changes[0][0]: b""}),
        9,
        "root-mismatch",
    ),
    "change-beyond-the-witness": Lie(
        ("B6", "B4"),
        "a change lies where the witness shows nothing",
        lambda c: with_changes(c, 0, {**dict(first(c).changes), b"\0a.neaq": None, b"\x09a.near,x": b"1"}),
        9,
        "root-mismatch",
    ),
    "change-of-an-endless-key": Lie(
        ("B4", "B15"),
        "a key is longer than any key of a state",
        lambda c: with_changes(c, 0, {bytes(5000): b""}),
        9,
        "impossible-key",
    ),
    "root-after": Lie(
        ("B10",), "the root after is another", lambda c: with_transition(c, 1, post_root=bytes(32)), 9, "root-mismatch"
    ),
    "outcome-of-nothing": Lie(
        ("B5",),
        "an outcome belongs to nothing that was there",
        lambda c: with_transition(c, 0, outcomes=(*first(c).outcomes, first(c).outcomes[0]._replace(id=bytes(32)))),
        11,
        "stray-outcome",
    ),
    "outcome-twice": Lie(
        ("B5", "B11"),
        "one execution is counted twice",
        lambda c: with_transition(c, 0, outcomes=first(c).outcomes + first(c).outcomes[:1]),
        11,
        "stray-outcome",
    ),
    "outcome-in-the-next-block": Lie(
        ("B12",),
        "an outcome stands in a block that did not execute it",
        lambda c: with_transition(c, 1, outcomes=(*c.transitions[1].outcomes, first(c).outcomes[0])),
        11,
        "stray-outcome",
    ),
    "receipt-dropped": Lie(
        ("B12",),
        "a receipt is dropped on the way",
        lambda c: with_transition(with_transition(c, 0, sent=()), 1, outcomes=(), forward=True),
        12,
        "lost-receipt",
    ),
    "receipt-named-from-nowhere": Lie(
        ("B12",),
        "an outcome names a receipt that nobody saw",
        lambda c: with_outcome(c, 0, executed_number(c), receipt_ids=(b"\7" * 32,)),
        12,
        "lost-receipt",
    ),
    "receipt-slipped-in": Lie(
        ("B12",),
        "a receipt is sent that no outcome names",
        lambda c: with_outcome(with_transition(c, 1, sent=first(c).sent), 0, 1, receipt_ids=()),
        12,
        "stray-receipt",
    ),
    "gas-beyond-the-outcome": Lie(
        ("B10",),
        "a profile has more gas than its outcome burnt",
        lambda c: _profile(c, wasm_gas=10**15),
        13,
        "gas-mismatch",
    ),
    "outcome-gas": Lie(
        ("B10",),
        "more gas was burnt than executing burns",
        lambda c: with_outcome(c, 0, 1, gas_burnt=10**13),
        14,
        "replay-mismatch",
    ),
    "outcome-gas-less": Lie(
        ("B10",),
        "less gas was burnt than executing burns",
        lambda c: with_outcome(c, 0, 0, gas_burnt=1),
        14,
        "replay-mismatch",
    ),
    "outcome-tokens": Lie(
        ("B10",),
        "more was paid than executing costs",
        lambda c: with_outcome(c, 0, 1, tokens_burnt=1),
        14,
        "replay-mismatch",
    ),
    "outcome-compute": Lie(
        ("B10",),
        "the compute usage is another",
        lambda c: with_outcome(c, 0, 1, compute_usage=1),
        14,
        "replay-mismatch",
    ),
    "outcome-value": Lie(
        ("B10",),
        "another value was returned",
        lambda c: _executed(c, status=SuccessValue(b"yes")),
        14,
        "replay-mismatch",
    ),
    "outcome-failure-for-success": Lie(
        ("B10",),
        "a success is said to have failed",
        lambda c: _executed(c, status=Failure({"ActionError": {}})),
        14,
        "replay-mismatch",
    ),
    "outcome-log": Lie(
        ("B10",), "a log was never written", lambda c: _executed(c, logs=("paid",)), 14, "replay-mismatch"
    ),
    "outcome-log-left-out": Lie(("B10",), "a log is left out", lambda c: _executed(c, logs=()), 14, "replay-mismatch"),
    "outcome-profile": Lie(
        ("B10",), "gas went elsewhere than it is said", lambda c: _profile(c, wasm_gas=1), 14, "replay-mismatch"
    ),
    "outcome-metadata": Lie(
        ("B10",),
        "the metadata names other contracts",
        lambda c: _executed(c, metadata={"contracts": ()}),
        14,
        "replay-mismatch",
    ),
    "outcome-executor": Lie(
        ("B10",),
        "somebody else is said to have executed",
        lambda c: with_outcome(c, 0, 1, executor_id="b.near"),
        14,
        "replay-mismatch",
    ),
    "outcome-receipt": Lie(
        ("B10",),
        "another receipt is said to give the value",
        lambda c: with_outcome(c, 0, 0, status=SuccessReceiptId(bytes(32))),
        14,
        "replay-mismatch",
    ),
    "outcomes-of-a-block-left-out": Lie(
        ("B12",),
        "what the second block executed is left out",
        lambda c: with_transition(c, 1, outcomes=(), forward=True),
        14,
        "replay-mismatch",
    ),
    "block-price": Lie(
        ("B10", "B11"), "the block has another gas price", lambda c: _block(c, gas_price=10**9), 14, "replay-mismatch"
    ),
    "chunk-delayed": Lie(
        ("B10",), "receipts are said to be delayed", lambda c: _chunk(c, delayed_receipts=1), 14, "replay-mismatch"
    ),
    "chunk-balances": Lie(
        ("B10",),
        "other amounts were burnt",
        lambda c: _chunk(c, balance_stats=first(c).chunk.balance_stats._replace(tx_burnt_amount=1)),
        14,
        "replay-mismatch",
    ),
    "chunk-congestion": Lie(
        ("B10",),
        "another congestion is handed on",
        lambda c: _chunk(c, 1, carried=first(c).chunk.carried._replace(congestion_info=CongestionInfo(1, 0, 0, 0))),
        14,
        "replay-mismatch",
    ),
    "code-only-named": Lie(
        ("B6",),
        "the contract is only named, and nobody has it at hand",
        lambda c: c._replace(codes=(c.codes[0]._replace(code=None),)),
        14,
        "missing-code",
    ),
    "code-named-where-not-used": Lie(
        ("B4", "B9"),
        "a block names a contract that it does not execute",
        lambda c: with_transition(c, 1, codes=(0,)),
        15,
        "superfluous-code",
    ),
}
