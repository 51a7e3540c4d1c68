"""What differs between two tries, without looking at what they share."""

from heapq import heappop, heappush

from near_tee_cli.primitives.hashes import ZERO_HASH
from near_tee_cli.state.path_store import children_of, value_of
from near_tee_cli.state.store import NodeStore

Rooted = tuple[bytes, NodeStore]
"""A root, and a store that has what lies under it."""


def differing_rows(left: Rooted, right: Rooted) -> dict[bytes, tuple[bytes | None, bytes | None]]:
    """Key -> values of each row that differs, `None` on the side that has no such row.

    Subtrees with the same hash at the same place are skipped. Raises `MissingNodeError` and `BadInputError` as
    reading a trie does.
    """
    values: tuple[dict[bytes, bytes], dict[bytes, bytes]] = ({}, {})
    roots = (left[0], right[0])
    # The nodes still to be looked at, by path. In ascending order everything above a path comes before it, so that
    # what both sides have at a place is known when it is reached, even if one side goes there by a shorter way.
    pending = tuple({} if root == ZERO_HASH else {"": root} for root in roots)
    paths = [""]
    while paths:
        path = heappop(paths)
        hashes = [nodes.pop(path, None) for nodes in pending]
        if hashes[0] == hashes[1]:
            continue
        for side, ((_, store), node_hash) in enumerate(zip((left, right), hashes, strict=True)):
            if node_hash is None:
                continue
            node = store.load(node_hash)
            value = value_of(node, path)
            if value is not None:
                values[side][value[1]] = value[0]
            for child, place in children_of(node, path):
                pending[side][place] = child
                heappush(paths, place)
    one, other = values
    return {
        key: (_loaded(left, one.get(key)), _loaded(right, other.get(key)))
        for key in sorted(one.keys() | other.keys())
        if one.get(key) != other.get(key)
    }


def _loaded(side: Rooted, value_hash: bytes | None) -> bytes | None:
    return None if value_hash is None else side[1].load(value_hash)
