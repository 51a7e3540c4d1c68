"""The trie of a whole map at once, bottom-up from its sorted keys.

The shape of a trie depends on nothing but its map, so one pass is enough: what two neighbouring keys share says
where their paths part, and a branch is finished when the next key leaves it. Gives the root that any sequence
of single changes to the same map would give.
"""

from collections.abc import Mapping, MutableMapping
from hashlib import sha256
from typing import Any

from near_tee_cli.primitives.hashes import ZERO_HASH
from near_tee_cli.state.nibbles import LOW_MASKS, encode_path
from near_tee_cli.state.node import KEY_BYTE_COST, NODE_COST, pack_branch, pack_extension
from near_tee_cli.state.store import MemoryStore


def root_of(items: Mapping[bytes, bytes]) -> bytes:
    """The root of the trie that maps each key to its value."""
    return _fold(items, None)


def build(items: Mapping[bytes, bytes]) -> tuple[bytes, MemoryStore]:
    """The root of the trie that maps each key to its value, and a store with all its nodes and values."""
    nodes: dict[bytes, bytes] = {}
    root = _fold(items, nodes)
    return root, MemoryStore(nodes)


def build_by_path(items: Mapping[bytes, bytes], nodes: MutableMapping[str, bytes]) -> bytes:
    """The root of the trie that maps each key to its value; its nodes go to `nodes` by their paths, children first."""
    return _fold(items, nodes, by_path=True)


class _Open:
    """A branch that still takes children. They come in ascending order, so their hashes only pile up."""

    __slots__ = ("depth", "hashes", "mask", "memory", "reference")

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.mask = 0
        self.hashes: list[bytes] = []
        self.memory = NODE_COST
        self.reference = b""


def _shared_nibbles(left: bytes, right: bytes) -> int:
    """How many nibbles two different keys share from their beginning."""
    length = min(len(left), len(right))
    difference = int.from_bytes(left[:length], "big") ^ int.from_bytes(right[:length], "big")
    return 2 * length - (difference.bit_length() + 3) // 4


def _fold(items: Mapping[bytes, bytes], nodes: MutableMapping[Any, bytes] | None, *, by_path: bool = False) -> bytes:
    """The root; nodes and values go to `nodes` by their hashes when it is there, or nodes alone by their paths."""
    keys = sorted(items)
    if not keys:
        return ZERO_HASH
    hash_of = sha256
    low_masks = LOW_MASKS
    from_hex = bytes.fromhex
    unfinished: list[_Open] = []
    before = -1  # nibbles shared with the previous key, which is the depth of the deepest open branch
    last = len(keys) - 1
    for index, key in enumerate(keys):
        after = _shared_nibbles(key, keys[index + 1]) if index < last else -1
        depth = before
        if after > before:
            unfinished.append(_Open(after))
            depth = after
        path = key.hex()
        value = items[key]
        length = len(value)
        value_hash = hash_of(value).digest()
        reference = length.to_bytes(4, "little") + value_hash
        if nodes is not None and not by_path:
            nodes[value_hash] = value
        if depth == len(path):
            # The key is a prefix of the next one, so its value stands at the branch where they part.
            branch = unfinished[-1]
            branch.reference = reference
            branch.memory += length + NODE_COST
        else:
            rest = path[depth + 1 :]
            encoded = from_hex("3" + rest if len(rest) & 1 else "20" + rest)
            size = len(encoded)
            memory = NODE_COST + KEY_BYTE_COST * size + length + NODE_COST
            leaf = b"\x00" + size.to_bytes(4, "little") + encoded + reference + memory.to_bytes(8, "little")
            leaf_hash = hash_of(leaf).digest()
            if nodes is not None:
                nodes[path[: depth + 1] if by_path else leaf_hash] = leaf
            if depth < 0:
                return leaf_hash
            branch = unfinished[-1]
            branch.mask |= low_masks[path[depth]] + 1
            branch.hashes.append(leaf_hash)
            branch.memory += memory
        if after < before:
            root = _close(unfinished, path, down_to=after, nodes=nodes, by_path=by_path)
            if root is not None:
                return root
        before = after
    return ZERO_HASH


def _close(
    unfinished: list[_Open], path: str, *, down_to: int, nodes: MutableMapping[Any, bytes] | None, by_path: bool
) -> bytes | None:
    """Finishes every branch deeper than `down_to` on the way of `path`; the last one of all is the root."""
    while unfinished[-1].depth > down_to:
        branch = unfinished.pop()
        memory = branch.memory
        node = pack_branch(branch.mask, b"".join(branch.hashes), branch.reference, memory)
        node_hash = sha256(node).digest()
        if nodes is not None:
            nodes[path[: branch.depth] if by_path else node_hash] = node
        parent = max(down_to, unfinished[-1].depth if unfinished else -1)
        if parent + 1 < branch.depth:
            encoded = encode_path(path[parent + 1 : branch.depth], is_leaf=False)
            memory += NODE_COST + KEY_BYTE_COST * len(encoded)
            node = pack_extension(encoded, node_hash, memory)
            node_hash = sha256(node).digest()
            if nodes is not None:
                nodes[path[: parent + 1] if by_path else node_hash] = node
        if parent < 0:
            return node_hash
        if not unfinished or unfinished[-1].depth < parent:
            unfinished.append(_Open(parent))
        above = unfinished[-1]
        above.mask |= LOW_MASKS[path[parent]] + 1
        above.hashes.append(node_hash)
        above.memory += memory
    return None
