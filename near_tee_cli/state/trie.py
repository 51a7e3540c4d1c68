"""Reading a trie: lookup, iteration over a prefix, and the way to a new root.

A `Trie` is one root over one store. It is never changed; an update gives the new root and the nodes to add to
the store. With a recorder, every read is kept for the storage proof exactly as a chunk producer keeps it: the
nodes on a lookup's path whether the key is there or not, and values only when they are dereferenced.

An absent key is `None`. A node or value that the store lacks raises `MissingNodeError` with root and key.

Mirrors nearcore: core/store/src/trie/mod.rs, core/store/src/trie/ops/iter.rs
"""

from collections.abc import Iterator, Mapping

from near_tee_cli.errors import MissingNodeError
from near_tee_cli.primitives.hashes import ZERO_HASH
from near_tee_cli.state.nibbles import DIGITS, LOW_MASKS
from near_tee_cli.state.node import (
    BRANCH,
    EXTENSION,
    HASH_LENGTH,
    LEAF,
    REFERENCE_LENGTH,
    ValueRef,
    kind_of,
    malformed,
    read_branch,
    read_path,
    reference_of,
)
from near_tee_cli.state.recorder import Recorder, TouchCounter
from near_tee_cli.state.store import NodeStore
from near_tee_cli.state.update import apply_changes

EMPTY_ROOT = ZERO_HASH
"""The root of a trie without keys."""


class Trie:
    """The map of byte keys to byte values under `root`."""

    __slots__ = ("_load", "recorder", "root", "store")

    def __init__(self, store: NodeStore, root: bytes, *, recorder: Recorder | None = None) -> None:
        self.store = store
        self.root = root
        self.recorder = recorder
        self._load = store.load

    def ref(self, key: bytes, touches: TouchCounter | None = None) -> ValueRef | None:
        """Length and hash of the value of `key`, or `None` when the trie has no such key.

        Nodes on the path are recorded and counted in `touches`; the value is not.
        """
        path = key.hex()
        end = len(path)
        at = 0
        load = self._load
        recorder = self.recorder
        recorded = None if recorder is None else recorder.nodes
        node_hash = self.root
        if node_hash == EMPTY_ROOT:
            return None
        try:
            while True:
                node = load(node_hash)
                if touches is not None:
                    touches.count(node_hash)
                if recorded is not None and recorder is not None and node_hash not in recorded:
                    recorded[node_hash] = node
                    recorder.size += len(node)
                # Branches without a value are most of what a lookup meets: `read_branch`, inlined.
                if len(node) > 10 and node[0] == BRANCH:
                    mask = node[1] | node[2] << 8
                    if len(node) != 11 + 32 * mask.bit_count():
                        read_branch(node)
                    if at == end:
                        return None
                    low = LOW_MASKS[path[at]]
                    if not mask & (low + 1):
                        return None
                    at += 1
                    start = 3 + 32 * (mask & low).bit_count()
                    node_hash = node[start : start + 32]
                    continue
                kind = kind_of(node)
                if kind == LEAF:
                    rest, tail = read_path(node)
                    return reference_of(node[tail : tail + REFERENCE_LENGTH]) if rest == path[at:] else None
                if kind == EXTENSION:
                    shared, tail = read_path(node)
                    if not path.startswith(shared, at):
                        return None
                    at += len(shared)
                    node_hash = node[tail : tail + HASH_LENGTH]
                    continue
                mask, start = read_branch(node)  # with a value: the others were dealt with above
                if at == end:
                    return reference_of(node[1 : 1 + REFERENCE_LENGTH])
                low = LOW_MASKS[path[at]]
                if not mask & (low + 1):
                    return None
                start += HASH_LENGTH * (mask & low).bit_count()
                node_hash = node[start : start + HASH_LENGTH]
                at += 1
        except MissingNodeError as error:
            raise MissingNodeError(error.node_hash, root=self.root, key=key) from None

    def value(self, reference: ValueRef, touches: TouchCounter | None = None) -> bytes:
        """The value behind `reference`, recorded and counted in `touches`."""
        value_hash = reference.hash
        try:
            value = self._load(value_hash)
        except MissingNodeError:
            raise MissingNodeError(value_hash, root=self.root) from None
        if touches is not None:
            touches.count(value_hash)
        if self.recorder is not None:
            self.recorder.record(value_hash, value)
        if len(value) != reference.length:
            raise malformed(value, f"a value of {len(value)} bytes is referred to as one of {reference.length}")
        return value

    def get(self, key: bytes) -> bytes | None:
        """The value of `key`, or `None` when the trie has no such key. Records path and value."""
        reference = self.ref(key)
        return None if reference is None else self.value(reference)

    def read_node(self, node_hash: bytes) -> bytes:
        """The bytes of a node, recorded. Raises `MissingNodeError`."""
        try:
            node = self._load(node_hash)
        except MissingNodeError:
            raise MissingNodeError(node_hash, root=self.root) from None
        if self.recorder is not None:
            self.recorder.record(node_hash, node)
        return node

    def iter_prefix(self, prefix: bytes, *, visited: list[bytes] | None = None) -> Iterator[tuple[bytes, bytes]]:
        """Each (key, value) whose key begins with `prefix`, ascending, read no sooner than it is asked for.

        Records the nodes on the way to the prefix, every node below it and every value given out. Nodes are
        appended to `visited` in the order of reading.
        """
        if self.root == EMPTY_ROOT:
            return
        wanted = prefix.hex()
        path = bytearray()
        # What is still to be read, next on top: a node's hash, and how far back and then on the path goes to it.
        pending = [(self.root, 0, "")]
        while pending:
            node_hash, depth, digit = pending.pop()
            path[depth:] = digit.encode()
            node = self.read_node(node_hash)
            if visited is not None:
                visited.append(node)
            depth = len(path)
            kind = kind_of(node)
            if kind in (LEAF, EXTENSION):
                rest, tail = read_path(node)
                if not (rest.startswith(wanted[depth:]) or (kind == EXTENSION and wanted.startswith(rest, depth))):
                    continue
                path += rest.encode()
                if kind == EXTENSION:
                    pending.append((node[tail : tail + HASH_LENGTH], len(path), ""))
                else:
                    yield _key(node, path), self.value(reference_of(node[tail : tail + REFERENCE_LENGTH]))
                continue
            mask, start = read_branch(node)
            if depth < len(wanted):
                low = LOW_MASKS[wanted[depth]]
                if mask & (low + 1):
                    start += HASH_LENGTH * (mask & low).bit_count()
                    pending.append((node[start : start + HASH_LENGTH], depth, DIGITS[low]))
                continue
            if kind != BRANCH:
                yield _key(node, path), self.value(reference_of(node[1 : 1 + REFERENCE_LENGTH]))
            _push_children(pending, node, mask=mask, start=start, depth=depth)

    def update(self, changes: Mapping[bytes, bytes | None]) -> tuple[bytes, dict[bytes, bytes]]:
        """The root after setting each key to its value, or removing it where the value is `None`.

        Also returns the new nodes and values, hash -> bytes, for the store. Keys are handled in ascending order;
        the root is read (and recorded) even without changes.
        """
        return apply_changes(self.root, changes, read_node=self.read_node)


def _push_children(pending: list[tuple[bytes, int, str]], node: bytes, *, mask: int, start: int, depth: int) -> None:
    """Puts the children of a branch on top of `pending`, the first one uppermost."""
    at = start + HASH_LENGTH * mask.bit_count()
    while mask:
        low = (1 << (mask.bit_length() - 1)) - 1
        mask &= low
        at -= HASH_LENGTH
        pending.append((node[at : at + HASH_LENGTH], depth, DIGITS[low]))


def _key(node: bytes, path: bytearray) -> bytes:
    if len(path) & 1:
        raise malformed(node, "a value stands behind half a byte")
    return bytes.fromhex(path.decode())
