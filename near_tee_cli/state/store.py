"""Where trie nodes and values come from: a store serves bytes by their SHA-256.

Nodes, values and contract code share one store, so equal bytes are kept once. Whatever a store hands out for a
hash has that hash: it is checked when bytes from outside enter, never again when they are read.

A store that lacks something knows which of two things that means. One that holds a whole state knows that
nobody has it; a witness knows nothing, and `find` raises there as `load` does.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from near_tee_cli.errors import MissingNodeError
from near_tee_cli.primitives.hashes import sha256


class NodeStore(Protocol):
    """What a trie asks of its surroundings.

    A provider that keeps inner nodes by path can serve this too: a node is always asked for after its parent,
    and the parent's bytes name the hashes of its children.
    """

    def load(self, item_hash: bytes, /) -> bytes:
        """The bytes whose SHA-256 is `item_hash`. Raises `MissingNodeError` when they are not here."""
        ...

    def find(self, item_hash: bytes, /) -> bytes | None:
        """As `load`, but `None` when it is certain that the state has no such bytes."""
        ...


class GrowingStore(NodeStore, Protocol):
    """A store that takes what updates make, so that a world can live on it from block to block."""

    def update(self, items: Mapping[bytes, bytes], /) -> None:
        """Keeps what an update of a trie produced; the hashes are taken as they stand."""
        ...


class Items(dict[bytes, bytes]):
    """Hash -> bytes, in which a missing hash is a `MissingNodeError`.

    A dictionary of its own kind so that its bound `__getitem__` serves as `load` without a Python frame: every
    node of every lookup comes through here.
    """

    def __missing__(self, item_hash: bytes) -> bytes:
        raise MissingNodeError(item_hash)


class MemoryStore:
    """A whole state in memory."""

    __slots__ = ("_items", "load")

    def __init__(self, items: Mapping[bytes, bytes] | None = None) -> None:
        self._items = Items(items or {})
        self.load = self._items.__getitem__

    def find(self, item_hash: bytes, /) -> bytes | None:
        """The bytes of `item_hash`, `None` when the state has none."""
        return self._items.get(item_hash)

    def add(self, data: bytes) -> bytes:
        """Keeps `data` and returns its hash."""
        item_hash = sha256(data)
        self._items[item_hash] = data
        return item_hash

    def add_all(self, items: Iterable[bytes]) -> None:
        """Keeps bytes from outside, each under the hash computed here."""
        kept = self._items
        for data in items:
            kept[sha256(data)] = data

    def update(self, items: Mapping[bytes, bytes]) -> None:
        """Keeps what an update of a trie produced; the hashes are taken as they stand."""
        self._items.update(items)

    def __contains__(self, item_hash: bytes) -> bool:
        return item_hash in self._items

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._items)
