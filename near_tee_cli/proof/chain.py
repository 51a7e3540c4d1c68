"""Check 18: bundles that continue one another, in the order in which they are given.

Each begins with the state that the one before left, later, with the same rules or newer ones on the same network. What
the last block before sent out comes in first; what it handed on beside the state is what the next block was given.
Nothing stands or is executed twice, no yield is resumed twice, and where claims number themselves and name the one
before, it is so.
"""

from typing import NamedTuple

from near_tee_cli.errors import EvidenceError
from near_tee_cli.proof.bundle import Bundle

_YIELDED = 0x0C
"""Column of the trie in which receipts wait for data."""


class Link(NamedTuple):
    """The place of a bundle that continues another."""

    received: int
    """How many receipts at its beginning the one before sent."""


class Chain:
    """Bundles added one after another."""

    __slots__ = ("_count", "_digests", "_executed", "_gap", "_last", "_resumed")

    def __init__(self) -> None:
        self._count = 0
        self._last: Bundle | None = None
        self._digests: set[bytes] = set()
        self._executed: set[bytes] = set()
        self._resumed: set[bytes] = set()
        self._gap = False

    def skip(self) -> None:
        """Something stood here that is no bundle: whatever follows continues nothing."""
        self._count += 1
        self._gap = True

    def add(self, bundle: Bundle) -> Link | None:
        """Add the next bundle; its place, `None` for the first, of which nothing can be told.

        Raises `EvidenceError` with the first thing that does not fit: `chain-gap`, `chain-repeat`, `chain-network`,
        `chain-protocol`, `chain-root`, `chain-height`, `chain-receipts`, `chain-carried`, `chain-previous`,
        `chain-sequence`, `chain-executed`, `chain-yield`. It is the last of the chain all the same: each link is judged
        by itself.
        """
        self._count += 1
        last, gap, self._last, self._gap = self._last, self._gap, bundle, False
        place = f"bundle {self._count}"
        repeated = bundle.claim_digest in self._digests
        self._digests.add(bundle.claim_digest)
        executed_again, resumed_again = self._execute(bundle), self._resume(bundle)
        if gap:
            raise EvidenceError(f"{place}: what stands before it cannot be read", code="chain-gap")
        if repeated:
            raise EvidenceError(f"{place} makes a claim that stands in the chain already", code="chain-repeat")
        if last is not None:
            _require_continues(last, bundle, place)
        if executed_again is not None:
            what = f"{place} executes {executed_again.hex()}, which was executed before"
            raise EvidenceError(what, code="chain-executed")
        if resumed_again:
            raise EvidenceError(f"{place} resumes a yield that was resumed before", code="chain-yield")
        return None if last is None else Link(len(last.content.transitions[-1].sent))

    def _execute(self, bundle: Bundle) -> bytes | None:
        """Note the transactions and receipts that a bundle executes; the first of them that was executed before."""
        again = None
        for transition in bundle.content.transitions:
            for outcome in transition.outcomes:
                if outcome.id in self._executed and again is None:
                    again = outcome.id
                self._executed.add(outcome.id)
        return again

    def _resume(self, bundle: Bundle) -> bool:
        """Note the yields that a bundle takes out of the state; whether one of them was taken before."""
        again = False
        for transition in bundle.content.transitions:
            for key, value in transition.changes:
                if key[:1] == bytes([_YIELDED]) and value is None:
                    again |= key in self._resumed
                    self._resumed.add(key)
        return again


def _require_continues(last: Bundle, bundle: Bundle, place: str) -> None:
    before, claim = last.claim, bundle.claim
    end, begin = last.content.transitions[-1:], bundle.content.transitions[:1]
    if not end or not begin:
        raise EvidenceError(f"{place} or the one before has no block", code="chain-gap")
    sent, received = end[0].sent, begin[0].receipts
    for fits, code, told in (
        (claim.network == before.network, "chain-network", "is about another network"),
        (claim.protocol_version >= before.protocol_version, "chain-protocol", "has older rules than the one before"),
        (claim.pre_root == before.post_root, "chain-root", "does not begin with the state that the one before left"),
        (claim.first_height > before.last_height, "chain-height", "does not lie above the one before"),
        (received[: len(sent)] == sent, "chain-receipts", "does not take in what the one before sent"),
        (
            bundle.content.carried == end[0].chunk.carried,
            "chain-carried",
            "begins with another congestion or bandwidth",
        ),
        (claim.previous in (None, last.claim_digest), "chain-previous", "names another claim as the one before it"),
        (_is_next(before.sequence, claim.sequence), "chain-sequence", "is not the next by its number"),
    ):
        if not fits:
            raise EvidenceError(f"{place} {told}", code=code)


def _is_next(before: int, number: int) -> bool:
    """Whether numbers follow one another; those that were never given are all 0."""
    return number == before + 1 or (before == 0 and number == 0)
