"""Check 20: the claim is the one that was expected.

A bundle may be true from its first byte to its last and still be about another contract, another network or a block
of last year. Whoever relies on a claim says what it has to be about; each expectation names a few values of which
the claim must have one. Two sets of expectations, of a file and of a command line, must both be met. What nobody
constrained is listed, so that nobody takes it for checked.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from near_tee_cli.errors import EvidenceError, NearTeeError
from near_tee_cli.proof.bundle import Content
from near_tee_cli.proof.claim import Call, Claim
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
    """Contracts that were called from outside; where nothing was called, all that were executed."""
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


class Unmet(NamedTuple):
    """The first expectation that is not met: `error` contradicts it, or says why it cannot be told."""

    error: NearTeeError
    undecided: bool


def first_unmet(subject: Subject, sets: Sequence[Expectations], *, anchors: Sequence[Anchor]) -> Unmet | None:
    """The first expectation of all `sets` that the bundle does not meet, those first that are contradicted."""
    found = [unmet for one in sets for unmet in _unmet(subject, one, anchors=anchors)]
    found += list(_off_chain(subject.content, anchors))
    return min(found, key=lambda unmet: unmet.undecided, default=None)


def _unmet(subject: Subject, expected: Expectations, *, anchors: Sequence[Anchor]) -> Iterator[Unmet]:
    for name, code, found_of in _FIELDS:
        allowed = getattr(expected, name)
        if allowed is None:
            continue
        found = found_of(subject)
        if not found:
            yield _contradicted(f"{name} is expected, and nothing from outside has one", f"unexpected-{code}")
        for value in found:
            if value not in allowed:
                shown = value.hex() if isinstance(value, bytes) else value
                yield _contradicted(f"{name} is {shown}, which is not expected", f"unexpected-{code}")
                break
    yield from _heights(subject.claim, expected)
    if expected.max_age is not None:
        yield from _age(subject.claim, expected.max_age, anchors)


def _contradicted(message: str, code: str) -> Unmet:
    return Unmet(EvidenceError(message, code=code), undecided=False)


def _receivers(subject: Subject) -> list[str]:
    found: list[str] = []
    for records in subject.parsed:
        found += [one.transaction.receiver_id for one in records.transactions]
        found += [receipt.receiver_id for receipt in records.receipts]
    return list(dict.fromkeys(found))


def _codes(subject: Subject) -> list[bytes | str]:
    if subject.calls:
        return ["none" if call.code_hash is None else call.code_hash for call in subject.calls]
    return [code.hash for code in subject.content.codes]


_FIELDS: tuple[tuple[str, str, Callable[[Subject], Sequence[str | bytes | int]]], ...] = (
    ("network", "network", lambda subject: [subject.claim.network]),
    ("audience", "audience", lambda subject: [subject.claim.audience]),
    ("worker", "worker", lambda subject: [subject.claim.worker]),
    ("contract", "contract", _receivers),
    ("code_hash", "code", _codes),
    ("method", "method", lambda subject: [call.method_name for call in subject.calls]),
    ("caller", "caller", lambda subject: [call.predecessor_id for call in subject.calls]),
    ("pre_root", "pre-root", lambda subject: [subject.claim.pre_root]),
    ("post_root", "post-root", lambda subject: [subject.claim.post_root]),
    ("protocol_version", "protocol-version", lambda subject: [subject.claim.protocol_version]),
)


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
