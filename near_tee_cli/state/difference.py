"""What differs between two tries, without looking at what they share."""

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
    pending: list[tuple[str, bytes | None, bytes | None]] = [("", _or_none(left[0]), _or_none(right[0]))]
    while pending:
        path, *hashes = pending.pop()
        if hashes[0] == hashes[1]:
            continue
        below: tuple[dict[str, bytes], dict[str, bytes]] = ({}, {})
        for side, ((_, store), node_hash) in enumerate(zip((left, right), hashes, strict=True)):
            if node_hash is None:
                continue
            node = store.load(node_hash)
            value = value_of(node, path)
            if value is not None:
                values[side][value[1]] = value[0]
            below[side].update((place, child) for child, place in children_of(node, path))
        pending += [(place, below[0].get(place), below[1].get(place)) for place in below[0].keys() | below[1].keys()]
    one, other = values
    return {
        key: (_loaded(left, one.get(key)), _loaded(right, other.get(key)))
        for key in sorted(one.keys() | other.keys())
        if one.get(key) != other.get(key)
    }


def _or_none(root: bytes) -> bytes | None:
    return None if root == ZERO_HASH else root


def _loaded(side: Rooted, value_hash: bytes | None) -> bytes | None:
    return None if value_hash is None else side[1].load(value_hash)
