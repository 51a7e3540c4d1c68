"""Trie nodes as bytes: leaf, branch and extension, each with the memory usage of its subtree behind it.

    leaf              00 · u32 length · path · value reference                · u64 memory usage
    branch            01 · u16 mask · hashes of the children in order         · u64 memory usage
    branch and value  02 · value reference · u16 mask · hashes                · u64 memory usage
    extension         03 · u32 length · path · hash of the child              · u64 memory usage

A value reference is the value's length and hash, so a node says what a value is without holding it. Reading is
strict: bytes that nearcore's trie never writes raise `BadInputError` with the code `malformed-node`. What a
node *means* is not judged here: shape and memory usage are data of whoever made the root.

Mirrors nearcore: core/store/src/trie/raw_node.rs, core/store/src/trie/ops/interface.rs
"""

from typing import NamedTuple

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.state.nibbles import encode_path

LEAF = 0
BRANCH = 1
BRANCH_WITH_VALUE = 2
EXTENSION = 3

HASH_LENGTH = 32
REFERENCE_LENGTH = 36
CHILDREN = 16

NODE_COST = 50
"""Memory usage of a node, and once more of a value."""
KEY_BYTE_COST = 2
"""Memory usage of a byte of an encoded path; a byte of a value counts 1."""

_MEMORY_LENGTH = 8
_PATH_START = 5
_U64_MAX = 2**64 - 1

# How a path begins when its number of nibbles is even or odd, and how many bytes follow it in the node.
_PATH_RULES = {
    LEAF: ("20", "3", REFERENCE_LENGTH + _MEMORY_LENGTH),
    EXTENSION: ("00", "1", HASH_LENGTH + _MEMORY_LENGTH),
}


class ValueRef(NamedTuple):
    """What a node says about a value: its length in bytes and its hash."""

    length: int
    hash: bytes


class Leaf(NamedTuple):
    """A value at the end of `path`."""

    path: str
    value: ValueRef
    memory_usage: int


class Branch(NamedTuple):
    """Sixteen ways to go on, `None` where there is none, and the value of the key that ends here, if any."""

    children: tuple[bytes | None, ...]
    value: ValueRef | None
    memory_usage: int


class Extension(NamedTuple):
    """A `path` that every key below shares, and the hash of the node behind it."""

    path: str
    child: bytes
    memory_usage: int


Node = Leaf | Branch | Extension


def malformed(data: bytes, reason: str) -> BadInputError:
    """The error about bytes that are no node."""
    return BadInputError(f"trie node is malformed: {reason}", code="malformed-node", where=f"node {sha256(data).hex()}")


def pack_reference(value: bytes) -> bytes:
    """The 36 bytes that stand for `value` in a node."""
    return len(value).to_bytes(4, "little") + sha256(value)


def reference_of(packed: bytes) -> ValueRef:
    """The value reference in 36 bytes."""
    return ValueRef(int.from_bytes(packed[:4], "little"), packed[4:])


def read_branch(data: bytes) -> tuple[int, int]:
    """(bitmask of the children, offset of the first child's hash) of a branch of either kind."""
    start = 3 if data[0] == BRANCH else 3 + REFERENCE_LENGTH
    mask = int.from_bytes(data[start - 2 : start], "little")
    if len(data) != start + HASH_LENGTH * mask.bit_count() + _MEMORY_LENGTH:
        raise malformed(data, f"branch of {mask.bit_count()} children in {len(data)} bytes")
    return mask, start


def read_path(data: bytes) -> tuple[str, int]:
    """(path, offset of what follows it) of a leaf or an extension."""
    even, odd, behind = _PATH_RULES[data[0]]
    tail = len(data) - behind
    if tail <= _PATH_START or data[1:_PATH_START] != (tail - _PATH_START).to_bytes(4, "little"):
        raise malformed(data, f"path of the wrong length for {len(data)} bytes")
    digits = data[_PATH_START:tail].hex()
    if digits[:2] == even:
        if tail == _PATH_START + 1 and data[0] == EXTENSION:
            raise malformed(data, "extension over nothing")
        return digits[2:], tail
    if digits[0] == odd:
        return digits[1:], tail
    raise malformed(data, f"flag {digits[:2]} of its path")


def kind_of(data: bytes) -> int:
    """The kind of node in `data`, one of `LEAF`, `BRANCH`, `BRANCH_WITH_VALUE`, `EXTENSION`."""
    if not data or data[0] > EXTENSION:
        raise malformed(data, "unknown kind")
    return data[0]


def decode(data: bytes) -> Node:
    """The node in `data`, which must be all of it."""
    kind = kind_of(data)
    memory_usage = int.from_bytes(data[-_MEMORY_LENGTH:], "little")
    if kind == LEAF:
        path, tail = read_path(data)
        return Leaf(path, reference_of(data[tail : tail + REFERENCE_LENGTH]), memory_usage)
    if kind == EXTENSION:
        path, tail = read_path(data)
        return Extension(path, data[tail : tail + HASH_LENGTH], memory_usage)
    mask, offset = read_branch(data)
    children: list[bytes | None] = []
    for nibble in range(CHILDREN):
        if mask >> nibble & 1:
            children.append(data[offset : offset + HASH_LENGTH])
            offset += HASH_LENGTH
        else:
            children.append(None)
    value = reference_of(data[1 : 1 + REFERENCE_LENGTH]) if kind == BRANCH_WITH_VALUE else None
    return Branch(tuple(children), value, memory_usage)


def pack_leaf(encoded_path: bytes, reference: bytes, memory_usage: int) -> bytes:
    """The bytes of a leaf from its hex-prefix path and packed value reference."""
    return (
        b"\x00"
        + len(encoded_path).to_bytes(4, "little")
        + encoded_path
        + reference
        + memory_usage.to_bytes(_MEMORY_LENGTH, "little")
    )


def pack_extension(encoded_path: bytes, child: bytes, memory_usage: int) -> bytes:
    """The bytes of an extension from its hex-prefix path."""
    return (
        b"\x03"
        + len(encoded_path).to_bytes(4, "little")
        + encoded_path
        + child
        + memory_usage.to_bytes(_MEMORY_LENGTH, "little")
    )


def pack_branch(mask: int, hashes: bytes, reference: bytes, memory_usage: int) -> bytes:
    """The bytes of a branch; `reference` is empty when no key ends there."""
    return (
        (b"\x02" + reference if reference else b"\x01")
        + mask.to_bytes(2, "little")
        + hashes
        + memory_usage.to_bytes(_MEMORY_LENGTH, "little")
    )


def encode(node: Node) -> bytes:
    """The bytes of `node`."""
    if not 0 <= node.memory_usage <= _U64_MAX:
        raise BadInputError(f"memory usage {node.memory_usage} of a trie node is no u64", code="malformed-node")
    if isinstance(node, Leaf):
        return pack_leaf(encode_path(node.path, is_leaf=True), _packed(node.value), node.memory_usage)
    if isinstance(node, Extension):
        return pack_extension(encode_path(node.path, is_leaf=False), node.child, node.memory_usage)
    mask = sum(1 << nibble for nibble, child in enumerate(node.children) if child is not None)
    hashes = b"".join(child for child in node.children if child is not None)
    reference = b"" if node.value is None else _packed(node.value)
    return pack_branch(mask, hashes, reference, node.memory_usage)


def _packed(value: ValueRef) -> bytes:
    return value.length.to_bytes(4, "little") + value.hash


def leaf_memory(path_bytes: int, value_length: int) -> int:
    """Memory usage of a leaf: `path_bytes` counts the encoded path with its flag byte."""
    return NODE_COST + KEY_BYTE_COST * path_bytes + value_length + NODE_COST


def direct_memory(node: Node) -> int:
    """Memory usage of the node itself, without its children."""
    if isinstance(node, Leaf):
        return leaf_memory(1 + len(node.path) // 2, node.value.length)
    if isinstance(node, Extension):
        return NODE_COST + KEY_BYTE_COST * (1 + len(node.path) // 2)
    return NODE_COST + (0 if node.value is None else node.value.length + NODE_COST)
