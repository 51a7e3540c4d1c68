"""Check 20: the claim is the one that was expected.

A bundle may be true from its first byte to its last and still be about another contract, another network or a block
of last year. Whoever relies on a claim says what it has to be about; each expectation names a few values of which
the claim must have one. Two sets of expectations, of a file and of a command line, must both be met. What nobody
constrained is listed, so that nobody takes it for checked.

What is expected of calls is expected of everything that comes in from outside: whatever else comes in beside a call
that would do, a contract that is deployed or a key that is added, is not what was expected. Refunds of the protocol do
no harm, and what the bundle before in a chain sent is judged there.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from near_tee_cli.errors import EvidenceError, NearTeeError
from near_tee_cli.primitives.schema.action import Action, FunctionCall, Transfer
from near_tee_cli.primitives.schema.receipt import ACTION, SYSTEM, ActionReceipt, Receipt
from near_tee_cli.proof.bundle import Content
from near_tee_cli.proof.claim import FROM_RECEIPT, Call, Claim
from near_tee_cli.proof.statement import Parsed

Values = frozenset[str] | frozenset[bytes] | frozenset[int]


class Anchor(NamedTuple):
    """A block of the real chain that the verifier knows, from wherever they trust."""

    height: int
    block_hash: bytes | None
    """`None` when only the height is known."""


class Expectations(NamedTuple):
    """What a claim has to be about. `None` constrains nothing; a set lists the values that will do."""

    network: frozenset[str] | None = None
    """Chain ids."""
    audience: frozenset[str] | None = None
    """Accounts of verifier contracts."""
    worker: frozenset[str] | None = None
    contract: frozenset[str] | None = None
    """Accounts to which everything goes that comes from outside: transactions and receipts."""
    code_hash: frozenset[bytes] | None = None
    """Contracts that were called from outside."""
    method: frozenset[str] | None = None
    """Methods that were called from outside."""
    caller: frozenset[str] | None = None
    """Predecessors of these calls."""
    pre_root: frozenset[bytes] | None = None
    post_root: frozenset[bytes] | None = None
    protocol_version: frozenset[int] | None = None
    min_height: int | None = None
    """Of the first block."""
    max_height: int | None = None
    """Of the last block."""
    max_age: int | None = None
    """Blocks between the last block and the highest anchor."""


NAMES = Expectations._fields


def is_empty(expectations: Expectations) -> bool:
    """Whether nothing is constrained."""
    return all(value is None for value in expectations)


def unconstrained(sets: Sequence[Expectations]) -> tuple[str, ...]:
    """Names of what none of `sets` constrains."""
    return tuple(name for name in NAMES if all(getattr(one, name) is None for one in sets))


class Subject(NamedTuple):
    """A consistent bundle, as far as expectations are about it."""

    claim: Claim
    content: Content
    parsed: Sequence[Parsed]
    calls: Sequence[Call]
    received: int | None = None
    """How many receipts at its beginning the bundle before in a chain sent; `None` where it continues none."""


class Unmet(NamedTuple):
    """The first expectation that is not met: `error` contradicts it, or says why it cannot be told."""

    error: NearTeeError
    undecided: bool


class Judged(NamedTuple):
    """What became of all expectations."""

    unmet: Unmet | None
    compared: bool
    """Whether the claim was held against anything at all."""
    notes: tuple[str, ...]
    """What was expected and not compared, and why."""


def judge(subject: Subject, sets: Sequence[Expectations], *, anchors: Sequence[Anchor]) -> Judged:
    """Hold a bundle against all `sets` and known blocks. Of what is not met, what is contradicted comes first."""
    outside = _from_outside(subject)
    names = [name for one in sets for name in NAMES if getattr(one, name) is not None]
    driven = outside.received is not None and not any(one.transactions or one.receipts for one in outside.parsed)
    left_out = [name for name in names if driven and name in _OF_INPUTS]
    found = [unmet for one in sets for unmet in _unmet(outside, one, anchors=anchors, leave_out=left_out)]
    found += list(_off_chain(subject.content, anchors))
    unused = _not_followed(subject.content, anchors)
    hashes = sum(anchor.block_hash is not None for anchor in anchors)
    notes = [f"no block here follows the known block {height}, whose hash was not compared" for height in unused]
    if left_out:
        notes.append("nothing came in from outside, only what the one before sent")
    return Judged(
        unmet=min(found, key=lambda unmet: unmet.undecided, default=None),
        compared=len(names) > len(left_out) or hashes > len(unused),
        notes=tuple(notes),
    )


def _from_outside(subject: Subject) -> Subject:
    """The bundle without what the one before in a chain sent into it."""
    if not subject.received or not subject.parsed:
        return subject
    first, *others = subject.parsed
    received, rest = first.receipts[: subject.received], first.receipts[subject.received :]
    count = sum(isinstance(action, FunctionCall) for receipt in received for action in _actions(receipt))
    theirs = [at for at, call in enumerate(subject.calls) if (call.transition, call.source) == (0, FROM_RECEIPT)]
    skipped = frozenset(islice(theirs, count))
    calls = [call for at, call in enumerate(subject.calls) if at not in skipped]
    return subject._replace(parsed=(first._replace(receipts=rest), *others), calls=calls)


def _actions(receipt: Receipt) -> tuple[Action, ...]:
    return receipt.body.actions if isinstance(receipt.body, ActionReceipt) else ()


def _unmet(
    outside: Subject, expected: Expectations, *, anchors: Sequence[Anchor], leave_out: Sequence[str]
) -> Iterator[Unmet]:
    for name, code, found_of in _FIELDS:
        allowed = getattr(expected, name)
        if allowed is None or name in leave_out:
            continue
        found = found_of(outside)
        other = _no_call(outside) if name in _OF_CALLS else None
        wrong = next((value for value in found if value not in allowed), None)
        if not found:
            yield _contradicted(f"{name} is expected, and nothing from outside has one", f"unexpected-{code}")
        elif wrong is not None:
            shown = wrong.hex() if isinstance(wrong, bytes) else wrong
            yield _contradicted(f"{name} is {shown}, which is not expected", f"unexpected-{code}")
        elif other is not None:
            yield _contradicted(f"{name} is expected, and {other} came in, which is no call", f"unexpected-{code}")
    yield from _heights(outside.claim, expected)
    if expected.max_age is not None:
        yield from _age(outside.claim, expected.max_age, anchors)


def _no_call(outside: Subject) -> str | None:
    """What came in from outside beside calls and refunds of the protocol: the first of it."""
    for records in outside.parsed:
        for one in records.transactions:
            if (other := _other_action(one.transaction.actions)) is not None:
                return f"{other} of {one.transaction.signer_id}"
        for receipt in records.receipts:
            if not _is_refund(receipt) and (other := _other_action(_actions(receipt))) is not None:
                told = other if isinstance(receipt.body, ActionReceipt) else type(receipt.body).__name__
                return f"{told} of {receipt.predecessor_id}"
    return None


def _other_action(actions: Sequence[Action]) -> str | None:
    """The name of the first action that is no call; a list of none is none either."""
    if not actions:
        return "nothing"
    return next((type(action).__name__ for action in actions if not isinstance(action, FunctionCall)), None)


def _is_refund(receipt: Receipt) -> bool:
    """Whether it is what the protocol gives back: a transfer that waits for nothing and whose result goes to nobody."""
    body = receipt.body
    return (
        receipt.predecessor_id == SYSTEM
        and isinstance(body, ActionReceipt)
        and (body.tag, body.input_data_ids, body.output_data_receivers) == (ACTION, (), ())
        and [type(action) for action in body.actions] == [Transfer]
    )


def _contradicted(message: str, code: str) -> Unmet:
    return Unmet(EvidenceError(message, code=code), undecided=False)


def _receivers(subject: Subject) -> list[str]:
    found: list[str] = []
    for records in subject.parsed:
        found += [one.transaction.receiver_id for one in records.transactions]
        found += [receipt.receiver_id for receipt in records.receipts]
    return list(dict.fromkeys(found))


_FIELDS: tuple[tuple[str, str, Callable[[Subject], Sequence[str | bytes | int]]], ...] = (
    ("network", "network", lambda subject: [subject.claim.network]),
    ("audience", "audience", lambda subject: [subject.claim.audience]),
    ("worker", "worker", lambda subject: [subject.claim.worker]),
    ("contract", "contract", _receivers),
    ("code_hash", "code", lambda subject: [call.code_hash or "none" for call in subject.calls]),
    ("method", "method", lambda subject: [call.method_name for call in subject.calls]),
    ("caller", "caller", lambda subject: [call.predecessor_id for call in subject.calls]),
    ("pre_root", "pre-root", lambda subject: [subject.claim.pre_root]),
    ("post_root", "post-root", lambda subject: [subject.claim.post_root]),
    ("protocol_version", "protocol-version", lambda subject: [subject.claim.protocol_version]),
)

_OF_CALLS = frozenset({"code_hash", "method", "caller"})
_OF_INPUTS = _OF_CALLS | {"contract"}


def _heights(claim: Claim, expected: Expectations) -> Iterator[Unmet]:
    low, high = expected.min_height, expected.max_height
    if low is not None and claim.first_height < low:
        yield _contradicted(f"the first block is {claim.first_height}, below {low}", "unexpected-height")
    if high is not None and claim.last_height > high:
        yield _contradicted(f"the last block is {claim.last_height}, above {high}", "unexpected-height")


def _age(claim: Claim, max_age: int, anchors: Sequence[Anchor]) -> Iterator[Unmet]:
    """Age is measured against the highest block known: a bundle itself carries no time that could be trusted."""
    if not anchors:
        told = "an age in blocks is expected, and no block of the chain is known to measure it"
        yield Unmet(EvidenceError(told, code="no-anchor", hint="name one with --at HEIGHT"), undecided=True)
        return
    now = max(anchor.height for anchor in anchors)
    age = now - claim.last_height
    if age < 0:
        yield _contradicted(f"the last block is {claim.last_height}, after the known block {now}", "from-the-future")
    elif age > max_age:
        yield _contradicted(f"the last block is {age} blocks old, older than {max_age}", "too-old")


def _off_chain(content: Content, anchors: Sequence[Anchor]) -> Iterator[Unmet]:
    """A block whose parent is known by its hash names that hash."""
    hashes = {anchor.height: anchor.block_hash for anchor in anchors if anchor.block_hash is not None}
    for transition in content.transitions:
        block = transition.block
        known = hashes.get(block.height - 1)
        if known is not None and known != block.prev_block_hash:
            told = f"block {block.height} does not follow the known block {block.height - 1}"
            yield _contradicted(told, "other-chain")


def _not_followed(content: Content, anchors: Sequence[Anchor]) -> list[int]:
    """Heights of the blocks whose hash is known and of which no block is the next."""
    followed = {transition.block.height - 1 for transition in content.transitions}
    return [anchor.height for anchor in anchors if anchor.block_hash is not None and anchor.height not in followed]
