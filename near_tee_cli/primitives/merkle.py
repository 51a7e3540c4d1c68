"""NEAR's Merkle trees: roots and paths over outcomes, receipts and block hashes.

Leaves are hashes; a node is the hash of its two children side by side; a node without a sibling moves up
unchanged. A path lists, from the bottom, each sibling with the side on which it stands.

Mirrors nearcore: core/primitives/src/merkle.rs
"""

import struct
from collections.abc import Sequence
from typing import NamedTuple

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives.hashes import ZERO_HASH, sha256

_LEFT = 0
_RIGHT = 1
_PATH_ITEM_LENGTH = 33
_U32 = struct.Struct("<I")

MAX_PATH_LENGTH = 64
"""Levels of a tree at most: a `u64` counts the leaves."""


class PathItem(NamedTuple):
    """One sibling on the way from a leaf to the root."""

    hash: bytes
    """The sibling, 32 bytes."""
    is_left: bool
    """Whether the sibling stands on the left."""


MerklePath = tuple[PathItem, ...]
"""Siblings from the leaf's level up; levels without a sibling are left out."""


def combine(left: bytes, right: bytes) -> bytes:
    """The node above two 32-byte hashes."""
    return sha256(left + right)


def merklize(items: Sequence[bytes]) -> tuple[bytes, list[MerklePath]]:
    """Root and one path per item, where `items` are the items' Borsh bytes (the leaf is their hash)."""
    return merklize_leaves([sha256(item) for item in items])


def merklize_leaves(leaves: Sequence[bytes]) -> tuple[bytes, list[MerklePath]]:
    """Root and one path per leaf, where `leaves` are the 32-byte leaf hashes themselves. No leaves: the zero hash."""
    if not leaves:
        return ZERO_HASH, []
    paths: list[list[PathItem]] = [[] for _ in leaves]
    level = list(leaves)
    width = 1
    while len(level) > 1:
        for index, path in enumerate(paths):
            node = index // width
            sibling = node ^ 1
            if sibling < len(level):
                path.append(PathItem(level[sibling], is_left=sibling < node))
        level = _level_above(level)
        width *= 2
    return level[0], [tuple(path) for path in paths]


def root_of(items: Sequence[bytes]) -> bytes:
    """The root alone that `merklize` gives for `items` (Borsh bytes)."""
    return root_of_leaves([sha256(item) for item in items])


def root_of_leaves(leaves: Sequence[bytes]) -> bytes:
    """The root alone that `merklize_leaves` gives for `leaves` (32-byte hashes)."""
    if not leaves:
        return ZERO_HASH
    level = list(leaves)
    while len(level) > 1:
        level = _level_above(level)
    return level[0]


def _level_above(level: list[bytes]) -> list[bytes]:
    above = [sha256(level[i] + level[i + 1]) for i in range(0, len(level) - 1, 2)]
    if len(level) % 2:
        above.append(level[-1])
    return above


def root_from_path(path: Sequence[PathItem], leaf: bytes) -> bytes:
    """The root that `path` leads to from the leaf hash `leaf`."""
    node = leaf
    for sibling, is_left in path:
        node = sha256(sibling + node) if is_left else sha256(node + sibling)
    return node


def verify_path(root: bytes, path: Sequence[PathItem], *, item: bytes) -> bool:
    """Whether `path` leads from `item` (Borsh bytes) to `root`."""
    return root_from_path(path, sha256(item)) == root


def path_matches_index(path: Sequence[PathItem], index: int, *, count: int) -> bool:
    """Whether `path` has the shape of the path of leaf `index` in a tree of `count` leaves: sides and length."""
    if not 0 <= index < count:
        return False
    sides = []
    width = count
    while width > 1:
        sibling = index ^ 1
        if sibling < width:
            sides.append(sibling < index)
        index //= 2
        width = (width + 1) // 2
    return sides == [item.is_left for item in path]


def outcome_leaf(hashes: Sequence[bytes]) -> bytes:
    """The leaf of one outcome: the hash of the Borsh list of its 32-byte `hashes` (id, partial outcome, each log)."""
    return sha256(_U32.pack(len(hashes)) + b"".join(hashes))


def path_bytes(path: Sequence[PathItem]) -> bytes:
    """The Borsh list of `path`: a count, then each hash with `00` for a left or `01` for a right sibling."""
    return _U32.pack(len(path)) + b"".join(
        sibling + (b"\0" if is_left else b"\1") for sibling, is_left in path
    )  # fmt: skip


def read_path(data: bytes, offset: int) -> tuple[MerklePath, int]:
    """The path whose Borsh list starts at `offset`, and the offset behind it.

    Raises `BadInputError` when bytes are missing, a side is unknown, or the path is longer than any tree is high.
    """
    if offset + 4 > len(data):
        raise BadInputError("Merkle path is cut off", where=f"offset {offset}")
    (count,) = _U32.unpack_from(data, offset)
    offset += 4
    if count > MAX_PATH_LENGTH:
        raise BadInputError(f"Merkle path of {count} levels, at most {MAX_PATH_LENGTH} exist")
    end = offset + count * _PATH_ITEM_LENGTH
    if end > len(data):
        raise BadInputError("Merkle path is cut off", where=f"offset {offset}")
    items = []
    for at in range(offset, end, _PATH_ITEM_LENGTH):
        side = data[at + 32]
        if side > _RIGHT:
            raise BadInputError(f"side {side} in a Merkle path is neither left nor right", where=f"offset {at + 32}")
        items.append(PathItem(data[at : at + 32], is_left=side == _LEFT))
    return tuple(items), end


class PartialMerkleTree:
    """A tree that grows leaf by leaf and keeps only the path of the next leaf: the block Merkle tree.

    The path holds one root per set bit of `size`, largest subtree first.
    """

    __slots__ = ("path", "size")

    def __init__(self, path: Sequence[bytes] = (), size: int = 0) -> None:
        self.path = list(path)
        self.size = size
        roots = size.bit_count()
        if len(self.path) != roots:
            raise BadInputError(f"a partial Merkle tree of {size} leaves has {roots} hashes, not {len(path)}")

    def insert(self, leaf: bytes) -> None:
        """Append the 32-byte hash `leaf`."""
        size = self.size
        node = leaf
        while size % 2:
            node = sha256(self.path.pop() + node)
            size //= 2
        self.path.append(node)
        self.size += 1

    def root(self) -> bytes:
        """The root over all leaves so far; the zero hash when there are none."""
        if not self.path:
            return ZERO_HASH
        node = self.path[-1]
        for left in reversed(self.path[:-1]):
            node = sha256(left + node)
        return node
