"""From a root and a set of changes to the next root.

Nodes on the way to a changed key are unpacked into mutable ones, changed in place, and packed and hashed once
at the end. Which nodes are read along the way is part of the storage proof, so the order of work follows
nearcore: keys ascending, each deletion brought to canonical shape before the next key is looked at. When a
branch is left with one child and no value, that child is read to learn what it is.

The memory usage of a subtree comes from the nodes as they are stored: a change subtracts what the child said
and adds what it says now, so subtrees that are not read need not be.

Nothing here recurses: a trie is as deep as its longest key has nibbles.

Mirrors nearcore: core/store/src/trie/ops/insert_delete.rs, core/store/src/trie/ops/squash.rs,
core/store/src/trie/trie_storage_update.rs
"""

from collections.abc import Callable, Mapping
from hashlib import sha256

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives.hashes import ZERO_HASH
from near_tee_cli.state import node as raw
from near_tee_cli.state.nibbles import DIGITS, LOW_MASKS, common_prefix, encode_path

_EMPTY = 0
_LEAF = 1
_BRANCH = 2
_EXTENSION = 3

_U64_MAX = 2**64 - 1
_NODE = raw.NODE_COST
_HASH = raw.HASH_LENGTH
_REFERENCE = raw.REFERENCE_LENGTH


class _Node:
    """A node that can become any other kind in place, so that whoever points at it need not know.

    `direct` is the memory usage of the node itself, `memory` that of its subtree. A branch has its children's
    hashes side by side as they are stored, in the order of `mask`; a child that was unpacked stands in
    `unpacked` under its low mask instead, and its place in `hashes` means nothing until the end.
    """

    __slots__ = ("child", "direct", "hashes", "kind", "mask", "memory", "path", "reference", "unpacked")

    kind: int
    path: str
    reference: bytes
    child: "_Node | bytes"
    mask: int
    hashes: bytes
    unpacked: "dict[int, _Node]"
    direct: int
    memory: int

    def __init__(self) -> None:
        self.become_empty()

    def become_empty(self) -> None:
        self.kind = _EMPTY
        self.direct = self.memory = 0

    def become_leaf(self, path: str, reference: bytes) -> None:
        self.kind = _LEAF
        self.path = path
        self.reference = reference
        self.direct = self.memory = raw.leaf_memory(1 + len(path) // 2, int.from_bytes(reference[:4], "little"))

    def become_extension(self, path: str, child: "_Node | bytes", *, below: int) -> None:
        """`below` is the memory usage of the child."""
        self.kind = _EXTENSION
        self.path = path
        self.child = child
        self.direct = _NODE + raw.KEY_BYTE_COST * (1 + len(path) // 2)
        self.memory = self.direct + below

    def become_branch(self, reference: bytes) -> None:
        """A branch without children."""
        self.kind = _BRANCH
        self.mask = 0
        self.hashes = b""
        self.unpacked = {}
        self.set_reference(reference)
        self.memory = self.direct

    def set_reference(self, reference: bytes) -> None:
        """Gives a branch its value, or none; `memory` is left to the caller."""
        self.reference = reference
        self.direct = _NODE + (int.from_bytes(reference[:4], "little") + _NODE if reference else 0)

    def add_child(self, low: int, child: "_Node | bytes") -> None:
        """Gives a branch a child where it has none; `memory` is left to the caller."""
        at = _HASH * (self.mask & low).bit_count()
        if isinstance(child, _Node):
            self.unpacked[low] = child
            child = ZERO_HASH
        self.hashes = self.hashes[:at] + child + self.hashes[at:]
        self.mask |= low + 1

    def drop_child(self, low: int) -> None:
        """Takes an unpacked child from a branch; `memory` is left to the caller."""
        at = _HASH * (self.mask & low).bit_count()
        self.hashes = self.hashes[:at] + self.hashes[at + _HASH :]
        self.mask ^= low + 1
        del self.unpacked[low]


def _unpack(data: bytes) -> _Node:
    """A mutable node from stored bytes. Raises `BadInputError` when they are no node."""
    kind = raw.kind_of(data)
    node = _Node()
    if kind == raw.LEAF:
        path, tail = raw.read_path(data)
        node.become_leaf(path, data[tail : tail + _REFERENCE])
    elif kind == raw.EXTENSION:
        path, tail = raw.read_path(data)
        node.become_extension(path, data[tail : tail + _HASH], below=0)
    else:
        mask, start = raw.read_branch(data)
        node.become_branch(data[1 : 1 + _REFERENCE] if kind == raw.BRANCH_WITH_VALUE else b"")
        node.mask = mask
        node.hashes = data[start:-8]
    node.memory = int.from_bytes(data[-8:], "little")
    return node


def _pack(node: _Node) -> bytes:
    """The bytes of a node whose unpacked children are already back in `hashes` or `child`."""
    if node.memory > _U64_MAX:
        raise BadInputError("memory usage of a trie node exceeds a u64", code="malformed-node")
    if node.kind == _LEAF:
        return raw.pack_leaf(encode_path(node.path, is_leaf=True), node.reference, node.memory)
    if node.kind == _EXTENSION:
        return raw.pack_extension(encode_path(node.path, is_leaf=False), _hash_of(node.child), node.memory)
    return raw.pack_branch(node.mask, node.hashes, node.reference, node.memory)


def _hash_of(child: _Node | bytes) -> bytes:
    if isinstance(child, _Node):
        raise TypeError("a child was not packed before its parent")
    return child


def apply_changes(
    root: bytes, changes: Mapping[bytes, bytes | None], *, read_node: Callable[[bytes], bytes]
) -> tuple[bytes, dict[bytes, bytes]]:
    """(new root, new nodes and values by hash) after `changes` to the trie under `root`.

    `read_node` gives the bytes of a hash, or raises `MissingNodeError`. Raises `BadInputError` for bytes that
    are no node.
    """
    top = _Node() if root == ZERO_HASH else _unpack(read_node(root))
    fresh: dict[bytes, bytes] = {}
    for key in sorted(changes):
        value = changes[key]
        if value is None:
            _delete(top, key, read_node)
        else:
            reference = raw.pack_reference(value)
            fresh[reference[4:]] = value
            _insert(top, key, reference, read_node=read_node)
    if top.kind == _EMPTY:
        return ZERO_HASH, fresh
    return _flatten(top, fresh), fresh


def _flatten(top: _Node, fresh: dict[bytes, bytes]) -> bytes:
    """Packs every unpacked node below `top`, children first, into `fresh`. Returns the root."""
    nodes = [top]
    for node in nodes:
        if node.kind == _BRANCH:
            nodes.extend(node.unpacked.values())
        elif node.kind == _EXTENSION and isinstance(node.child, _Node):
            nodes.append(node.child)
    hashes: dict[int, bytes] = {}
    node_hash = ZERO_HASH
    for node in reversed(nodes):
        if node.kind == _BRANCH and node.unpacked:
            packed = bytearray(node.hashes)
            mask = node.mask
            for low, child in node.unpacked.items():
                at = _HASH * (mask & low).bit_count()
                packed[at : at + _HASH] = hashes[id(child)]
            node.hashes = bytes(packed)
        elif node.kind == _EXTENSION and isinstance(node.child, _Node):
            node.child = hashes[id(node.child)]
        data = _pack(node)
        node_hash = hashes[id(node)] = sha256(data).digest()
        fresh[node_hash] = data
    return node_hash


def _child_of(branch: _Node, low: int, read_node: Callable[[bytes], bytes]) -> _Node:
    """The child of a branch at `low`, where it has one, unpacked."""
    child = branch.unpacked.get(low)
    if child is None:
        at = _HASH * (branch.mask & low).bit_count()
        child = branch.unpacked[low] = _unpack(read_node(branch.hashes[at : at + _HASH]))
    return child


def _extension_child(extension: _Node, read_node: Callable[[bytes], bytes]) -> _Node:
    """The child of an extension, unpacked."""
    child = extension.child
    if not isinstance(child, _Node):
        child = extension.child = _unpack(read_node(child))
    return child


def _without(node: _Node, child: _Node) -> int:
    """Memory usage of `node` without the subtree of `child`, which is never below zero."""
    memory = max(node.direct, node.memory)
    return memory - child.memory if memory > child.memory else 0


def _below(node: _Node) -> int:
    """Memory usage of everything below `node`."""
    return node.memory - node.direct if node.memory > node.direct else 0


def _insert(node: _Node, key: bytes, reference: bytes, *, read_node: Callable[[bytes], bytes]) -> None:
    """Sets `key` to the value behind `reference` in the trie under `node`."""
    path = key.hex()
    end = len(path)
    at = 0
    # The nodes walked through, whose memory usage lacks the child that was entered until the way back.
    trail: list[_Node] = []
    while True:
        kind = node.kind
        if kind == _BRANCH:
            if at == end:
                below = _below(node)
                node.set_reference(reference)
                node.memory = below + node.direct
                break
            low = LOW_MASKS[path[at]]
            if node.mask & (low + 1):
                child = _child_of(node, low, read_node)
            else:
                child = _Node()
                node.add_child(low, child)
            node.memory = _without(node, child)
            trail.append(node)
            node = child
            at += 1
        elif kind == _LEAF:
            rest = path[at:]
            if rest == node.path:
                node.become_leaf(rest, reference)
                break
            shared = common_prefix(rest, node.path)
            if shared:
                leaf = _Node()
                leaf.become_leaf(node.path[shared:], node.reference)
                node.become_extension(rest[:shared], leaf, below=0)
                trail.append(node)
                node = leaf
                at += shared
            else:
                _leaf_to_branch(node)
        elif kind == _EXTENSION:
            if path.startswith(node.path, at):
                child = _extension_child(node, read_node)
                node.memory = node.direct
                trail.append(node)
                at += len(node.path)
                node = child
                continue
            shared = common_prefix(path[at:], node.path)
            if shared:
                inner = _Node()
                inner.become_extension(node.path[shared:], node.child, below=_below(node))
                node.become_extension(node.path[:shared], inner, below=0)
                trail.append(node)
                node = inner
                at += shared
            else:
                _extension_to_branch(node)
        else:
            node.become_leaf(path[at:], reference)
            break
    memory = node.memory
    for parent in reversed(trail):
        memory += parent.memory
        parent.memory = memory


def _leaf_to_branch(node: _Node) -> None:
    """A leaf as the branch that means the same, with the rest of its path one level lower."""
    path = node.path
    reference = node.reference
    if not path:
        node.become_branch(reference)
        return
    leaf = _Node()
    leaf.become_leaf(path[1:], reference)
    node.become_branch(b"")
    node.add_child(LOW_MASKS[path[0]], leaf)
    node.memory += leaf.memory


def _extension_to_branch(node: _Node) -> None:
    """An extension as the branch that means the same, with the rest of its path one level lower."""
    path = node.path
    child = node.child
    below = _below(node)
    if len(path) > 1:
        inner = _Node()
        inner.become_extension(path[1:], child, below=below)
        child = inner
        below = inner.memory
    node.become_branch(b"")
    node.add_child(LOW_MASKS[path[0]], child)
    node.memory += below


def _delete(node: _Node, key: bytes, read_node: Callable[[bytes], bytes]) -> None:
    """Removes `key` from the trie under `node`; an absent key changes nothing but is walked to."""
    path = key.hex()
    end = len(path)
    at = 0
    trail: list[tuple[_Node, int]] = []
    deleted = False
    while True:
        kind = node.kind
        if kind == _BRANCH:
            if at == end:
                if node.reference:
                    below = _below(node)
                    node.set_reference(b"")
                    node.memory = below + node.direct
                    deleted = True
                break
            low = LOW_MASKS[path[at]]
            if not node.mask & (low + 1):
                break
            child = _child_of(node, low, read_node)
            at += 1
        elif kind == _EXTENSION:
            if not path.startswith(node.path, at):
                break
            child = _extension_child(node, read_node)
            low = 0
            at += len(node.path)
        else:
            if kind == _LEAF and node.path == path[at:]:
                node.become_empty()
                deleted = True
            break
        node.memory = _without(node, child)
        trail.append((node, low))
        node = child
    if deleted and node.kind == _BRANCH:
        _squash_branch(node, read_node)
    memory = node.memory
    for parent, low in reversed(trail):
        parent.memory += memory
        if deleted:
            if parent.kind == _EXTENSION:
                _join(parent, parent.path, parent.child, read_node=read_node)
            else:
                if parent.unpacked[low].kind == _EMPTY:
                    parent.drop_child(low)
                _squash_branch(parent, read_node)
        memory = parent.memory


def _squash_branch(node: _Node, read_node: Callable[[bytes], bytes]) -> None:
    """Brings a branch to canonical shape after a deletion below it."""
    mask = node.mask
    if not mask:
        if node.reference:
            node.become_leaf("", node.reference)
        else:
            node.become_empty()
    elif not mask & (mask - 1) and not node.reference:
        low = mask - 1
        _join(node, DIGITS[low], _child_of(node, low, read_node), read_node=read_node)


def _join(node: _Node, path: str, child: _Node | bytes, *, read_node: Callable[[bytes], bytes]) -> None:
    """Makes `node` what leads over `path` to `child`: a leaf, an extension, or nothing."""
    if not isinstance(child, _Node):
        child = _unpack(read_node(child))
    if child.kind == _EMPTY:
        node.become_empty()
    elif child.kind == _LEAF:
        node.become_leaf(path + child.path, child.reference)
    elif child.kind == _EXTENSION:
        node.become_extension(path + child.path, child.child, below=_below(child))
    else:
        node.become_extension(path, child, below=child.memory)
