"""The part of a state that a bundle holds: a store in which what is not there is unknown, and its soundness.

A hash fixes the bytes of a node but not whether they make sense: whoever makes up a root can put anything under it.
So before a witness is worked with it is walked once from its root. Every item must be reached, as a node or as a
value; nodes must have the one shape that a trie's content gives them, and sizes and memory usages must agree.
"""

from collections.abc import Iterable, Mapping, Sequence

from near_tee_cli.errors import EvidenceError, MissingNodeError
from near_tee_cli.primitives.hashes import ZERO_HASH
from near_tee_cli.proof.limits import MAX_KEY_NIBBLES, MAX_MEMORY_USAGE, MAX_TRIE_NODE_BYTES
from near_tee_cli.state.node import Branch, Extension, Leaf, Node, ValueRef, decode, direct_memory
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


def require_sound(root: bytes, items: Mapping[bytes, bytes]) -> None:
    """Hold the items (hash -> bytes) of a witness against its root.

    Raises `EvidenceError` with code `superfluous-node`, `missing-node` (the root itself) or `impossible-node`, and
    `BadInputError` when what ought to be a node is none.
    """
    reached: set[bytes] = set()
    if root != ZERO_HASH:
        if root not in items:
            raise EvidenceError(f"the root {root.hex()} is not among the nodes", code="missing-node")
        _walk(root, items, reached)
    left_over = [item_hash for item_hash in items if item_hash not in reached]
    if left_over:
        raise EvidenceError(
            f"{len(left_over)} nodes or values lie under no path from the root, such as {min(left_over).hex()}",
            code="superfluous-node",
        )


def _walk(root: bytes, items: Mapping[bytes, bytes], reached: set[bytes]) -> None:
    walked = {root}
    pending = [(root, 0)]
    while pending:
        node_hash, depth = pending.pop()
        data = items[node_hash]
        reached.add(node_hash)
        if len(data) > MAX_TRIE_NODE_BYTES:
            raise _impossible(node_hash, f"has {len(data)} bytes")
        node = decode(data)
        for reference in _values(node):
            value = items.get(reference.hash)
            if value is not None:
                if len(value) != reference.length:
                    raise _impossible(node_hash, f"gives a value of {len(value)} bytes {reference.length}")
                reached.add(reference.hash)
        children, depth = _children(node, depth)
        _require_shape(node_hash, node, children, depth=depth, items=items)
        _require_memory(node_hash, node, children, items=items)
        for child in children:
            if child in items and child not in walked:
                walked.add(child)
                pending.append((child, depth))


def _values(node: Node) -> list[ValueRef]:
    if isinstance(node, Extension) or node.value is None:
        return []
    return [node.value]


def _children(node: Node, depth: int) -> tuple[list[bytes], int]:
    """Hashes below `node`, and the number of nibbles before them."""
    if isinstance(node, Leaf):
        return [], depth + len(node.path)
    if isinstance(node, Extension):
        return [node.child], depth + len(node.path)
    return [child for child in node.children if child is not None], depth + 1


def _require_shape(
    node_hash: bytes, node: Node, children: list[bytes], *, depth: int, items: Mapping[bytes, bytes]
) -> None:
    """A set of keys has one trie, and `node` could stand in it."""
    if depth > MAX_KEY_NIBBLES:
        raise _impossible(node_hash, f"lies {depth} nibbles deep")
    if isinstance(node, Branch) and len(children) + (node.value is not None) < 2:
        raise _impossible(node_hash, "is a branch that leads one way only")
    if isinstance(node, Extension):
        child = items.get(node.child)
        if child is not None and not isinstance(decode(child), Branch):
            raise _impossible(node_hash, "extends to something that is no branch")


def _require_memory(node_hash: bytes, node: Node, children: list[bytes], *, items: Mapping[bytes, bytes]) -> None:
    """The stated memory usage is that of the node and all below it, as far as they are known."""
    if node.memory_usage > MAX_MEMORY_USAGE:
        raise _impossible(node_hash, f"states a memory usage of {node.memory_usage}")
    known = [int.from_bytes(items[child][-8:], "little") for child in children if child in items]
    least = direct_memory(node) + sum(known)
    if node.memory_usage < least or (len(known) == len(children) and node.memory_usage != least):
        raise _impossible(node_hash, f"states a memory usage of {node.memory_usage} where {least} is known")


def _impossible(node_hash: bytes, why: str) -> EvidenceError:
    return EvidenceError(f"trie node {node_hash.hex()} {why}, which no state has", code="impossible-node")


def changed_root(trie: Trie, changes: Iterable[tuple[bytes, bytes | None]]) -> bytes:
    """The root after `changes` to a part of a state. Raises `EvidenceError` (`missing-node`) beyond the part."""
    try:
        return trie.update(dict(changes))[0]
    except MissingNodeError as error:
        raise EvidenceError(
            f"the changes need a node that is not there: {error.message}", code="missing-node"
        ) from error
