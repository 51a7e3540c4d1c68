"""The part of a state that a bundle holds: a store in which what is not there is unknown, and its soundness.

A hash fixes the bytes of a node but not whether they make sense: whoever makes up a root can put anything under it.
So before a witness is worked with it is walked once from its root. Every item must be reached, as a node or as a
value; nodes must have the one shape that a trie's content gives them, and sizes and memory usages must agree.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from near_tee_cli.errors import EvidenceError, MissingNodeError
from near_tee_cli.primitives.hashes import ZERO_HASH
from near_tee_cli.proof.limits import MAX_KEY_NIBBLES, MAX_MEMORY_USAGE, MAX_TRIE_NODE_BYTES
from near_tee_cli.state.node import Branch, Extension, ValueRef, decode, direct_memory
from near_tee_cli.state.store import Items
from near_tee_cli.state.trie import Trie


class PartialStore:
    """Some nodes and values of a state, by hashes that are known to be theirs."""

    __slots__ = ("items", "load")

    def __init__(self, items: Mapping[bytes, bytes]) -> None:
        self.items = Items(items)
        self.load = self.items.__getitem__

    def find(self, item_hash: bytes, /) -> bytes | None:
        """The bytes of `item_hash`. Raises `MissingNodeError` otherwise: a part proves nothing absent."""
        return self.load(item_hash)


def partial_trie(root: bytes, *, nodes: Sequence[bytes], hashes: Sequence[bytes], positions: Iterable[int]) -> Trie:
    """The trie under `root` of which the items at `positions` are known."""
    return Trie(PartialStore({hashes[position]: nodes[position] for position in positions}), root)


class _Facts(NamedTuple):
    """What a node says, taken apart once however many transitions name it."""

    children: tuple[bytes, ...]
    value: ValueRef | None
    nibbles: int
    """How many the way gets longer by: those of the path, or one for a branch."""
    memory_usage: int
    least: int
    """Memory usage without what is below."""
    is_branch: bool
    is_extension: bool


class Soundness:
    """Holds witnesses against their roots; what it learns about a node serves for the next witness."""

    __slots__ = ("_facts",)

    def __init__(self) -> None:
        self._facts: dict[bytes, _Facts] = {}

    def require(self, root: bytes, items: Mapping[bytes, bytes]) -> None:
        """Hold the items (hash -> bytes) of one witness against its root.

        Raises `EvidenceError` with code `superfluous-node`, `missing-node` (the root itself) or `impossible-node`, and
        `BadInputError` when what ought to be a node is none.
        """
        reached: set[bytes] = set()
        if root != ZERO_HASH:
            if root not in items:
                raise EvidenceError(f"the root {root.hex()} is not among the nodes", code="missing-node")
            self._walk(root, items, reached)
        if len(reached) != len(items):
            left_over = min(item_hash for item_hash in items if item_hash not in reached)
            count = len(items) - len(reached)
            raise EvidenceError(
                f"{count} nodes or values lie under no path from the root, such as {left_over.hex()}",
                code="superfluous-node",
            )

    def _walk(self, root: bytes, items: Mapping[bytes, bytes], reached: set[bytes]) -> None:
        facts_of = self._facts
        walked = {root}
        pending = [(root, 0)]
        while pending:
            node_hash, depth = pending.pop()
            reached.add(node_hash)
            facts = facts_of.get(node_hash) or self._learn(node_hash, items[node_hash])
            depth += facts.nibbles
            if depth > MAX_KEY_NIBBLES:
                raise _impossible(node_hash, f"lies {depth} nibbles deep")
            if facts.value is not None:
                _reach_value(node_hash, facts.value, items, reached)
            known = [child for child in facts.children if child in items]
            below = 0
            for child in known:
                below_child = facts_of.get(child) or self._learn(child, items[child])
                below += below_child.memory_usage
                if facts.is_extension and not below_child.is_branch:
                    raise _impossible(node_hash, "extends to something that is no branch")
                if child not in walked:
                    walked.add(child)
                    pending.append((child, depth))
            least = facts.least + below
            usage = facts.memory_usage
            if usage < least or (usage != least and len(known) == len(facts.children)):
                raise _impossible(node_hash, f"states a memory usage of {usage} where {least} is known")

    def _learn(self, node_hash: bytes, data: bytes) -> _Facts:
        """Take a node apart. Raises `EvidenceError` for what no trie has, `BadInputError` for what is no node."""
        if len(data) > MAX_TRIE_NODE_BYTES:
            raise _impossible(node_hash, f"has {len(data)} bytes")
        node = decode(data)
        if node.memory_usage > MAX_MEMORY_USAGE:
            raise _impossible(node_hash, f"states a memory usage of {node.memory_usage}")
        children: tuple[bytes, ...] = ()
        nibbles = 1
        value = None
        if isinstance(node, Branch):
            children = tuple(child for child in node.children if child is not None)
            value = node.value
            if len(children) + (value is not None) < 2:
                raise _impossible(node_hash, "is a branch that leads one way only")
        else:
            nibbles = len(node.path)
            if isinstance(node, Extension):
                children = (node.child,)
            else:
                value = node.value
        facts = _Facts(
            children,
            value,
            nibbles,
            node.memory_usage,
            direct_memory(node),
            isinstance(node, Branch),
            isinstance(node, Extension),
        )
        self._facts[node_hash] = facts
        return facts


def _reach_value(node_hash: bytes, reference: ValueRef, items: Mapping[bytes, bytes], reached: set[bytes]) -> None:
    value = items.get(reference.hash)
    if value is not None:
        if len(value) != reference.length:
            raise _impossible(node_hash, f"gives a value of {len(value)} bytes {reference.length}")
        reached.add(reference.hash)


def _impossible(node_hash: bytes, why: str) -> EvidenceError:
    return EvidenceError(f"trie node {node_hash.hex()} {why}, which no state has", code="impossible-node")


def changed_root(trie: Trie, changes: Iterable[tuple[bytes, bytes | None]]) -> bytes:
    """The root after `changes` to a part of a state.

    Raises `EvidenceError`: `missing-node` beyond the part, `impossible-key` for a key that no row has.
    """
    wanted = dict(changes)
    if any(2 * len(key) > MAX_KEY_NIBBLES for key in wanted):
        raise EvidenceError("a changed key is longer than any key of a state", code="impossible-key")
    try:
        return trie.update(wanted)[0]
    except MissingNodeError as error:
        raise EvidenceError(
            f"the changes need a node that is not there: {error.message}", code="missing-node"
        ) from error
