"""The changes of a chunk above its pre-state: prospective until they are committed or dropped.

A read looks at the prospective changes, then at the committed ones, then into the trie; only the last reaches
the recorder and costs touches. A receipt that fails drops its prospective changes, everything before stays. At
the end each committed key with its last value goes into the trie, in ascending order.

Keys are raw trie keys (see `state.keys`).

Mirrors nearcore: core/store/src/trie/update.rs, core/store/src/trie/update/iterator.rs, core/store/src/contract.rs
"""

from collections.abc import Iterator
from typing import NamedTuple

from near_tee_cli.errors import NearTeeError
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.state.keys import CONTRACT_DATA
from near_tee_cli.state.node import ValueRef
from near_tee_cli.state.recorder import TouchCounter
from near_tee_cli.state.trie import Trie


class StoredValue:
    """A value that is known to be there and not read yet; `length` is in bytes."""

    __slots__ = ("_data", "_reference", "_trie", "length")

    def __init__(self, trie: Trie, reference: ValueRef, data: bytes | None = None) -> None:
        """`data` is the value itself when a layer of changes has it; the hash in `reference` counts otherwise."""
        self._trie = trie
        self._reference = reference
        self._data = data
        self.length = reference.length

    @property
    def hash(self) -> bytes:
        """SHA-256 of the value."""
        return self._reference.hash if self._data is None else sha256(self._data)

    def load(self, touches: TouchCounter | None = None) -> bytes:
        """The value. When it comes from the trie it is recorded and counted in `touches`."""
        return self._trie.value(self._reference, touches) if self._data is None else self._data


class Changes(NamedTuple):
    """What a chunk did to the state."""

    root: bytes
    """The post-state root."""
    changes: list[tuple[bytes, bytes | None]]
    """Every committed key with its last value (`None` = removed), ascending, also where nothing is different."""
    nodes: dict[bytes, bytes]
    """New nodes and values by hash, for the store."""


class Overlay:
    """Layers of changes above `trie`."""

    __slots__ = ("_committed", "_deployed", "_deploying", "_prospective", "trie")

    def __init__(self, trie: Trie) -> None:
        self.trie = trie
        self._prospective: dict[bytes, bytes | None] = {}
        self._committed: dict[bytes, bytes | None] = {}
        self._deploying: dict[bytes, bytes] = {}
        self._deployed: dict[bytes, bytes] = {}

    def get(self, key: bytes) -> bytes | None:
        """The current value of `key`, `None` when there is none."""
        if key in self._prospective:
            return self._prospective[key]
        if key in self._committed:
            return self._committed[key]
        return self.trie.get(key)

    def contains(self, key: bytes) -> bool:
        """Whether `key` has a value; the value itself is not read."""
        if key in self._prospective:
            return self._prospective[key] is not None
        if key in self._committed:
            return self._committed[key] is not None
        return self.trie.ref(key) is not None

    def ref(self, key: bytes, touches: TouchCounter | None = None) -> StoredValue | None:
        """The value of `key` without reading it, `None` when there is none.

        Where the answer comes from the trie, the nodes on the path are counted in `touches`.
        """
        if key in self._prospective:
            data = self._prospective[key]
        elif key in self._committed:
            data = self._committed[key]
        else:
            reference = self.trie.ref(key, touches)
            return None if reference is None else StoredValue(self.trie, reference)
        return None if data is None else StoredValue(self.trie, ValueRef(len(data), b""), data)

    def set(self, key: bytes, value: bytes) -> None:
        """Gives `key` a value, prospectively."""
        self._prospective[key] = value

    def remove(self, key: bytes) -> None:
        """Takes the value from `key`, prospectively. Contract data counts towards the bound of the proof."""
        if key[0] == CONTRACT_DATA and self.trie.recorder is not None:
            self.trie.recorder.record_removal()
        self._prospective[key] = None

    def iter_prefix(self, prefix: bytes) -> Iterator[bytes]:
        """The keys that begin with `prefix` and have a value, ascending.

        The trie's values are read and recorded on the way, also those that a change hides. Changes made after
        the first key was asked for are not seen.
        """
        layer = {key: value for key, value in self._committed.items() if key.startswith(prefix)}
        layer.update((key, value) for key, value in self._prospective.items() if key.startswith(prefix))
        changed = sorted(layer)
        at = 0
        for key, _ in self.trie.iter_prefix(prefix):
            while at < len(changed) and changed[at] < key:
                if layer[changed[at]] is not None:
                    yield changed[at]
                at += 1
            if at < len(changed) and changed[at] == key:
                at += 1
                if layer[key] is None:
                    continue
            yield key
        for key in changed[at:]:
            if layer[key] is not None:
                yield key

    def record_deploy(self, code: bytes) -> bytes:
        """Makes `code` available by its hash, prospectively. Returns the hash."""
        code_hash = sha256(code)
        self._deploying[code_hash] = code
        return code_hash

    def code(self, code_hash: bytes) -> bytes | None:
        """Contract code by its hash, `None` when the state has none. Not a read of the trie: nothing is recorded.

        Raises `MissingNodeError` when a witness lacks it.
        """
        for layer in (self._deploying, self._deployed):
            if code_hash in layer:
                return layer[code_hash]
        return self.trie.store.find(code_hash)

    def brings_code(self, code_hash: bytes) -> bool:
        """Whether code of that hash comes from a deployment of this chunk that has not been dropped."""
        return code_hash in self._deploying or code_hash in self._deployed

    def deployed(self) -> list[bytes]:
        """Hashes of the code whose deployment was committed, ascending."""
        return sorted(self._deployed)

    def commit(self) -> None:
        """Makes the prospective changes part of the chunk."""
        self._committed.update(self._prospective)
        self._prospective.clear()
        self._deployed.update(self._deploying)
        self._deploying.clear()

    def rollback(self) -> None:
        """Drops the prospective changes."""
        self._prospective.clear()
        self._deploying.clear()

    def finalize(self) -> Changes:
        """The committed changes and the root they lead to. Raises `NearTeeError` when changes are undecided."""
        if self._prospective:
            raise NearTeeError("a chunk was finished with changes that were neither committed nor dropped")
        root, nodes = self.trie.update(self._committed)
        return Changes(root, sorted(self._committed.items()), nodes)
