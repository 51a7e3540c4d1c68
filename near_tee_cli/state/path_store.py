"""A state on disk as a store: nodes lie under their paths, values under their keys, and a trie asks for hashes.

Whoever asks for a node has read its parent before, and the parent says where its children lie. So every node that is
fetched notes the places of what it refers to. What is fetched is held against its hash, since a disk may have
changed; what was fetched or made once stays in memory, so that every root from the one on disk onwards can be read.

How one root becomes another on disk is `relocated`: the nodes to write, and the places where nothing lies any more.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, Protocol

from near_tee_cli.errors import InconsistentStateError, MissingNodeError
from near_tee_cli.primitives.hashes import ZERO_HASH, sha256
from near_tee_cli.state.nibbles import DIGITS
from near_tee_cli.state.node import (
    BRANCH_WITH_VALUE,
    EXTENSION,
    HASH_LENGTH,
    LEAF,
    REFERENCE_LENGTH,
    kind_of,
    malformed,
    read_branch,
    read_path,
)


class Places(Protocol):
    """Where a state lies: what is at a place, or nothing."""

    def node(self, path: str, /) -> bytes | None:
        """The trie node at a path of nibbles."""
        ...

    def value(self, key: bytes, /) -> bytes | None:
        """The value of a trie key."""
        ...

    def code(self, code_hash: bytes, /) -> bytes | None:
        """Contract code by its hash."""
        ...


class _Fetched(dict[bytes, bytes]):
    """Hash -> bytes of what is in memory; a hash that is not is fetched from its place."""

    def __init__(self, places: Places, root: bytes) -> None:
        super().__init__()
        self._places = places
        self._at: dict[bytes, str | bytes] = {root: ""}
        """Hash -> path of a node, or key of a value."""

    def __missing__(self, item_hash: bytes) -> bytes:
        place = self._at.get(item_hash)
        if place is None:
            raise MissingNodeError(item_hash)
        data = _fetched(self._places, item_hash, place)
        self[item_hash] = data
        if isinstance(place, str):
            note = self._at.setdefault
            for child_hash, path in children_of(data, place):
                note(child_hash, path)
            value = value_of(data, place)
            if value is not None:
                note(*value)
        return data

    def __contains__(self, item_hash: object) -> bool:
        return super().__contains__(item_hash) or item_hash in self._at


def _fetched(places: Places, item_hash: bytes, place: str | bytes) -> bytes:
    """What lies at a path or under a key. Raises `InconsistentStateError` when it is not what is expected there."""
    data = places.node(place) if isinstance(place, str) else places.value(place)
    if data is None or sha256(data) != item_hash:
        shown = place if isinstance(place, str) else place.hex()
        raise InconsistentStateError(
            f"the state on disk does not have {item_hash.hex()} at {shown}", code="state-damaged"
        )
    return data


def rows_of(places: Places, root: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each key and value of the state on disk, ascending. Nothing is kept, so that it may be of any size.

    Raises `InconsistentStateError` where the disk has something else than `root` says.
    """
    pending = [] if root == ZERO_HASH else [(root, "")]
    while pending:
        node_hash, path = pending.pop()
        node = _fetched(places, node_hash, path)
        value = value_of(node, path)
        if value is not None:
            yield value[1], _fetched(places, *value)
        pending.extend(reversed(list(children_of(node, path))))


def children_of(node: bytes, path: str) -> Iterator[tuple[bytes, str]]:
    """Hash and path of each node right below the one at `path`. Raises `BadInputError` for bytes that are no node."""
    kind = kind_of(node)
    if kind == LEAF:
        return
    if kind == EXTENSION:
        rest, tail = read_path(node)
        yield node[tail : tail + HASH_LENGTH], path + rest
        return
    mask, at = read_branch(node)
    while mask:
        low = (mask & -mask) - 1
        yield node[at : at + HASH_LENGTH], path + DIGITS[low]
        mask &= mask - 1
        at += HASH_LENGTH


def value_of(node: bytes, path: str) -> tuple[bytes, bytes] | None:
    """Hash and key of the value that the node at `path` refers to, if it does. Raises as `children_of` does."""
    kind = kind_of(node)
    if kind == LEAF:
        rest, tail = read_path(node)
        return node[tail + 4 : tail + REFERENCE_LENGTH], _key(node, path + rest)
    if kind == BRANCH_WITH_VALUE:
        return node[5 : 1 + REFERENCE_LENGTH], _key(node, path)
    return None


def _key(node: bytes, path: str) -> bytes:
    if len(path) & 1:
        raise malformed(node, "a value stands behind half a byte")
    return bytes.fromhex(path)


class PathStore:
    """The state under `root` in `places`, and whatever is made of it since."""

    __slots__ = ("_items", "base", "fresh", "load", "places")

    def __init__(self, places: Places, root: bytes) -> None:
        self.places = places
        self._items = _Fetched(places, root)
        self.base = root
        """The root on disk."""
        self.fresh: dict[bytes, bytes] = {}
        """Hash -> bytes of what was made since."""
        self.load: Callable[[bytes], bytes] = self._items.__getitem__

    def find(self, item_hash: bytes, /) -> bytes | None:
        """The bytes of `item_hash`, `None` when neither a trie that was read nor the contracts have them."""
        if item_hash in self._items:
            return self.load(item_hash)
        code = self.places.code(item_hash)
        if code is not None and sha256(code) != item_hash:
            raise InconsistentStateError(f"the code {item_hash.hex()} on disk is other code", code="state-damaged")
        return code

    def items(self) -> Mapping[bytes, bytes]:
        """Everything that was fetched or made so far."""
        return self._items

    def update(self, items: Mapping[bytes, bytes]) -> None:
        """Keeps what an update of a trie produced; the hashes are taken as they stand."""
        self._items.update(items)
        self.fresh.update(items)


class Relocation(NamedTuple):
    """How one root becomes another on disk."""

    written: dict[str, bytes]
    """Path -> node."""
    removed: list[str]
    """Paths at which no node lies any more."""
    rows: dict[bytes, bytes | None]
    """Key -> value of every row that differs, `None` for one that is gone."""


def relocated(store: PathStore, root: bytes) -> Relocation:
    """From the root on disk to `root`, which `store` was updated to. Costs what differs, nothing for the rest."""
    hash_at, written, values = _made(store, root)
    removed = []
    before: dict[bytes, bytes] = {}
    pending = [] if store.base == ZERO_HASH else [(store.base, "")]
    while pending:
        node_hash, path = pending.pop()
        # What has the same hash at the same place has the same subtree.
        if hash_at.get(path) == node_hash:
            continue
        node = store.load(node_hash)
        if path not in written:
            removed.append(path)
        value = value_of(node, path)
        if value is not None:
            before[value[1]] = value[0]
        pending.extend(children_of(node, path))
    rows: dict[bytes, bytes | None] = {
        key: store.load(value_hash) for key, value_hash in values.items() if before.get(key) != value_hash
    }
    rows.update((key, None) for key in before if key not in values)
    return Relocation(written, removed, rows)


def _made(store: PathStore, root: bytes) -> tuple[dict[str, bytes], dict[str, bytes], dict[bytes, bytes]]:
    """Walks what was made since: the hash at each path that was met, the new nodes, and key -> hash of their values."""
    hash_at: dict[str, bytes] = {}
    written: dict[str, bytes] = {}
    values: dict[bytes, bytes] = {}
    pending = [] if root == ZERO_HASH else [(root, "")]
    while pending:
        node_hash, path = pending.pop()
        hash_at[path] = node_hash
        node = store.fresh.get(node_hash)
        if node is None:
            continue
        written[path] = node
        value = value_of(node, path)
        if value is not None:
            values[value[1]] = value[0]
        pending.extend(children_of(node, path))
    return hash_at, written, values
