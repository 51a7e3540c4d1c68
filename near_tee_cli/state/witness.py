"""A store that holds only what a witness holds, and says what of it nobody read.

Every byte string is hashed when the store is made, so a witness cannot pass one node off as another. A hash that
is not there is unknown, never absent.
"""

from collections.abc import Iterable, Mapping

from near_tee_cli.errors import MissingNodeError
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.state.store import Items


class _Read(Items):
    """What has been read. The first read of an item misses here and moves it over."""

    def __init__(self, unread: dict[bytes, bytes]) -> None:
        super().__init__()
        self._unread = unread

    def __missing__(self, item_hash: bytes) -> bytes:
        data = self._unread.pop(item_hash, None)
        if data is None:
            raise MissingNodeError(item_hash)
        self[item_hash] = data
        return data


class WitnessStore:
    """Serves the nodes, values and code of a witness."""

    __slots__ = ("_read", "_unread", "load")

    def __init__(self, items: Iterable[bytes]) -> None:
        self._unread: dict[bytes, bytes] = {sha256(data): data for data in items}
        self._read = _Read(self._unread)
        self.load = self._read.__getitem__

    def find(self, item_hash: bytes, /) -> bytes | None:
        """The bytes of `item_hash`. Raises `MissingNodeError` otherwise: a witness proves nothing absent."""
        return self.load(item_hash)

    def update(self, items: Mapping[bytes, bytes]) -> None:
        """Adds what applying a transition produced; it never counts as unread."""
        for item_hash, data in items.items():
            if item_hash not in self._unread:
                self._read[item_hash] = data

    def unread(self) -> list[bytes]:
        """Hashes of the items that nobody asked for, in the order in which they were given."""
        return list(self._unread)

    def __len__(self) -> int:
        return len(self._read) + len(self._unread)
