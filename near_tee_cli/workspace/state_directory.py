"""Large states: a snapshot as a directory with an LMDB environment, of which only what is touched is read.

| database | key | value |
|---|---|---|
| `nodes` | path of a trie node: a byte that says whether it is odd, then its nibbles | the node |
| `values` | trie key | the value; of rows with contract code its hash |
| `codes` | hash | how many rows have this code (u64), then the code |
| `meta` | `format`, `snapshot`, `rows` | the format's name, a Borsh snapshot without rows, how many rows there are |

Keys that LMDB does not take as they are lie under a hash, the key before its value. A state goes from one root to the
next in one transaction, which also writes `meta`: whoever is killed leaves the old state or the new one. Nodes and
values are held against their hashes when they are read, so that a damaged disk is an error and never another result.
"""

import os
from collections.abc import ItemsView, Iterator
from types import TracebackType
from typing import Any, Self

from near_tee_cli.errors import BadInputError, InconsistentStateError, UnsupportedError, WriteError
from near_tee_cli.primitives.hashes import ZERO_HASH, sha256
from near_tee_cli.state.build import build_by_path
from near_tee_cli.state.path_store import PathStore, Relocation, relocated, rows_of
from near_tee_cli.state.trie import Trie
from near_tee_cli.workspace.atomic import new_directory, write_file
from near_tee_cli.workspace.snapshot_borsh import parse_snapshot, snapshot_borsh
from near_tee_cli.workspace.snapshots import RowsOnDisk, Snapshot

FORMAT = b"near-tee/state/v1"
DATA = "data.mdb"
LOCK = "lock.mdb"
SUFFIX = ".lmdb"
"""How the name of a new state directory ends."""

MAP_BYTES = 1 << 38
"""Address space set aside for the file, which itself is no larger than what it holds."""

_MAX_KEY = 500
_HASHED = b"\xff"
_CODE_COLUMNS = (b"\x01", b"\x12")
"""The columns of contract code: an account's own, and global code."""
_COUNT = 8
_LOCK_BYTES = 8192


def is_state_directory(path: str) -> bool:
    """Whether the directory `path` looks like a state."""
    return os.path.isfile(os.path.join(path, DATA))


class StateDirectory:
    """An open state directory. `close` it, or use it as a context."""

    def __init__(self, path: str, *, writing: bool = False) -> None:
        """Open `path`. Raises `BadInputError` and `UnsupportedError` when there is no state of ours."""
        self.path = path
        if not is_state_directory(path):
            raise BadInputError(f"{path} is no state directory", code="not-a-state")
        if writing and not os.access(os.path.join(path, DATA), os.W_OK):
            raise WriteError(f"{path} cannot be written: it is read-only")
        try:
            self._environment = _opened(path, create=False, writing=writing)
        except _lmdb().Error as error:
            raise _malformed(path, error) from error
        try:
            self._check_length()
            self._databases = _databases(self._environment, create=False)
            self._transaction = self._environment.begin()
            self.snapshot, self.row_count = self._head()
        except _lmdb().Error as error:
            self._environment.close()
            raise _malformed(path, error) from error
        except BadInputError:
            self._environment.close()
            raise

    def _head(self) -> tuple[Snapshot, int]:
        """What goes with the rows, and how many there are."""
        meta = self._meta()
        if meta["format"] != FORMAT:
            shown = meta["format"][:40].decode("utf-8", "replace")
            if meta["format"].startswith(b"near-tee/state/"):
                raise UnsupportedError(f"state format {shown!r} is not known", what="state-format")
            raise BadInputError(f"{self.path} is no state directory: its format is {shown!r}", code="not-a-state")
        try:
            snapshot = parse_snapshot(meta["snapshot"])._replace(rows=StoredRows(self))
        except BadInputError as error:
            raise BadInputError(f"{self.path}: {error.message}", code="malformed-state") from error
        if snapshot.state_root is None:
            raise BadInputError(f"{self.path} names no root", code="malformed-state")
        count = int.from_bytes(meta["rows"], "little")
        if len(meta["rows"]) != _COUNT or count >= 1 << 63:
            raise BadInputError(f"{self.path}: {meta['rows'].hex()} is no number of rows", code="malformed-state")
        return snapshot, count

    def _check_length(self) -> None:
        """LMDB maps the file and believes it; one that is shorter than it says would kill the process."""
        used = (self._environment.info()["last_pgno"] + 1) * self._environment.stat()["psize"]
        size = os.path.getsize(os.path.join(self.path, DATA))
        if size < used:
            raise BadInputError(
                f"{self.path} has {size} bytes, and says that it has {used}: it is cut off", code="malformed-state"
            )

    def _meta(self) -> dict[str, bytes]:
        found = {}
        for name in ("format", "snapshot", "rows"):
            value = self._get("meta", name.encode())
            if value is None:
                raise BadInputError(f"{self.path} is no state directory: it has no {name}", code="not-a-state")
            found[name] = value
        return found

    def _get(self, database: str, key: bytes) -> bytes | None:
        try:
            found: bytes | None = self._transaction.get(key, db=self._databases[database])
        except _lmdb().Error as error:
            raise _malformed(self.path, error) from error
        return found

    def node(self, path: str, /) -> bytes | None:
        """The trie node at a path of nibbles."""
        return self._get("nodes", _node_key(path))

    def value(self, key: bytes, /) -> bytes | None:
        """The value of a trie key."""
        stored = self._get("values", _value_key(key))
        if stored is None:
            return None
        value = stored if _is_plain(key) else stored[4 + len(key) :]
        if key[:1] not in _CODE_COLUMNS:
            return value
        code = self.code(value)
        if code is None:
            raise InconsistentStateError(f"{self.path} lacks the code of a row", code="state-damaged")
        return code

    def code(self, code_hash: bytes, /) -> bytes | None:
        """Contract code by its hash."""
        stored = self._get("codes", code_hash)
        return None if stored is None else stored[_COUNT:]

    def store(self) -> PathStore:
        """The state as a store for a trie."""
        return PathStore(self, self.snapshot.state_root or ZERO_HASH)

    def close(self) -> None:
        """Give the directory back; what was read of it stays usable."""
        self._transaction.abort()
        self._environment.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def advance(self, store: PathStore, after: Snapshot) -> None:
        """Bring this directory, open for writing, to what `store` was updated to, in one transaction.

        `after` goes with the new root, its rows are not looked at. Raises `WriteError`: with code `state-changed` when
        the directory has moved on since it was read.
        """
        relocation = relocated(store, after.state_root or ZERO_HASH)
        try:
            writer = _Writer(self._environment, self._databases, row_count=self.row_count)
            try:
                if writer.root() != store.base:
                    raise WriteError(
                        f"{self.path} has moved on since it was read", code="state-changed", hint="run it again"
                    )
                _write_difference(writer, relocation)
                writer.finish(after)
            finally:
                writer.abort()
        except _lmdb().Error as error:
            raise WriteError(f"{self.path} cannot be written: {error}") from error

    def copy(self, path: str, *, store: PathStore, after: Snapshot) -> None:
        """Make the new directory `path` hold what `store` was updated to, from a copy of this one.

        Raises `WriteError` as `advance` does.
        """
        with new_directory(path) as temporary:
            try:
                self._environment.copy(temporary, compact=True)
            except _lmdb().Error as error:
                raise WriteError(f"{path} cannot be written: {error}") from error
            with StateDirectory(temporary, writing=True) as target:
                target.advance(store, after)


def _write_difference(writer: "_Writer", relocation: Relocation) -> None:
    for key, value in sorted(relocation.rows.items()):
        writer.set_row(key, value)
    for path in relocation.removed:
        writer.set_node(path, None)
    for path, node in relocation.written.items():
        writer.set_node(path, node)


class StoredRows(RowsOnDisk):
    """The rows of a state directory, read when they are asked for."""

    def __init__(self, directory: StateDirectory) -> None:
        self.directory = directory

    def __getitem__(self, key: bytes) -> bytes:
        root, store = self.trie()
        value = Trie(store, root).get(key)
        if value is None:
            raise KeyError(key)
        return value

    def __iter__(self) -> Iterator[bytes]:
        return (key for key, _ in self.ascending())

    def items(self) -> ItemsView[bytes, bytes]:
        """Keys and values, ascending."""
        return _Items(self)

    def ascending(self) -> Iterator[tuple[bytes, bytes]]:
        """Each key and value. Raises `InconsistentStateError` where the disk has something else than its root says."""
        count = 0
        for row in rows_of(self.directory, self.trie()[0]):
            count += 1
            yield row
        if count != len(self):
            raise InconsistentStateError(
                f"{self.directory.path} says that it has {len(self)} rows, and has {count}", code="state-damaged"
            )

    def __len__(self) -> int:
        return self.directory.row_count

    def trie(self) -> tuple[bytes, PathStore]:
        """The root, and a store that has everything under it."""
        store = self.directory.store()
        return store.base, store


class _Items(ItemsView[bytes, bytes]):
    """Keys and values in one walk, where the mapping alone would look each key up."""

    def __init__(self, rows: StoredRows) -> None:
        super().__init__(rows)
        self._rows = rows

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        return self._rows.ascending()


def _node_key(path: str) -> bytes:
    odd = len(path) & 1
    key = bytes((odd,)) + bytes.fromhex(path + "0" * odd)
    return key if len(key) <= _MAX_KEY else _HASHED + sha256(key)


def _is_plain(key: bytes) -> bool:
    """Whether a trie key is a key for LMDB that none of those under a hash can be taken for."""
    return 0 < len(key) <= _MAX_KEY and key[:1] != _HASHED


def _value_key(key: bytes) -> bytes:
    return key if _is_plain(key) else _HASHED + sha256(key)


def _lmdb() -> Any:
    """The library; lines that have nothing to do with a state directory do without it."""
    import lmdb

    return lmdb


def _malformed(path: str, error: Exception) -> BadInputError:
    return BadInputError(f"{path} cannot be read: {error}", code="malformed-state")


def _opened(path: str, *, create: bool, writing: bool) -> Any:
    """The environment at `path`. Without a place for its lock, it is read without one. Raises `WriteError`."""
    lockable = os.access(path, os.W_OK) and _has_lock(path)
    if writing and not lockable:
        raise WriteError(f"{path} cannot be written: there is no room for its lock")
    return _lmdb().open(
        path,
        map_size=MAP_BYTES if writing else 0,
        max_dbs=8,
        create=create,
        readonly=not writing,
        lock=lockable,
        subdir=True,
        readahead=False,
        max_readers=126,
        mode=0o666,
    )


def _has_lock(path: str) -> bool:
    """Whether the file of the lock is there, and has its room: LMDB maps it, and a full disk would kill the process."""
    name = os.path.join(path, LOCK)
    try:
        if not os.path.exists(name):
            write_file(name, bytes(_LOCK_BYTES), overwrite=False)
    except WriteError as error:
        if error.code != "exists":
            return False
    return _can_write(name)


def _can_write(path: str) -> bool:
    """Whether this process may, by the file's mode and by what it is confined to."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def _databases(environment: Any, *, create: bool) -> dict[str, Any]:
    names = ("nodes", "values", "codes", "meta")
    return {name: environment.open_db(name.encode(), create=create) for name in names}


class _Writer:
    """One write transaction: rows, nodes and what goes with them."""

    def __init__(self, environment: Any, databases: dict[str, Any], *, row_count: int) -> None:
        self._transaction = environment.begin(write=True)
        self._databases = databases
        self.row_count = row_count

    def root(self) -> bytes | None:
        """The root that the state has now."""
        stored = self._transaction.get(b"snapshot", db=self._databases["meta"])
        return None if stored is None else parse_snapshot(bytes(stored)).state_root

    def set_row(self, key: bytes, value: bytes | None) -> None:
        """Give a row a value, or remove it."""
        place = _value_key(key)
        database = self._databases["values"]
        is_code = key[:1] in _CODE_COLUMNS
        before = self._transaction.get(place, db=database)
        if before is not None and is_code:
            self._drop_code(bytes(before)[-32:])
        if value is None:
            if before is not None:
                self._transaction.delete(place, db=database)
                self.row_count -= 1
            return
        self.row_count += before is None
        stored = self._add_code(value) if is_code else value
        if not _is_plain(key):
            stored = len(key).to_bytes(4, "little") + key + stored
        self._transaction.put(place, stored, db=database)

    def _add_code(self, code: bytes) -> bytes:
        code_hash = sha256(code)
        before = self._transaction.get(code_hash, db=self._databases["codes"])
        count = 0 if before is None else int.from_bytes(before[:_COUNT], "little")
        self._transaction.put(code_hash, (count + 1).to_bytes(_COUNT, "little") + code, db=self._databases["codes"])
        return code_hash

    def _drop_code(self, code_hash: bytes) -> None:
        database = self._databases["codes"]
        stored = bytes(self._transaction.get(code_hash, db=database) or b"")
        count = int.from_bytes(stored[:_COUNT], "little")
        if count > 1:
            self._transaction.put(code_hash, (count - 1).to_bytes(_COUNT, "little") + stored[_COUNT:], db=database)
        elif stored:
            self._transaction.delete(code_hash, db=database)

    def set_node(self, path: str, node: bytes | None) -> None:
        """Put a node at a path, or remove what is there."""
        if node is None:
            self._transaction.delete(_node_key(path), db=self._databases["nodes"])
        else:
            self._transaction.put(_node_key(path), node, db=self._databases["nodes"])

    def finish(self, snapshot: Snapshot) -> None:
        """Write what goes with the rows, and make everything last."""
        database = self._databases["meta"]
        for name, value in (
            (b"format", FORMAT),
            (b"snapshot", snapshot_borsh(snapshot._replace(rows={}))),
            (b"rows", self.row_count.to_bytes(8, "little")),
        ):
            self._transaction.put(name, value, db=database)
        self._transaction.commit()

    def abort(self) -> None:
        """Leave everything as it was; after `finish` this does nothing."""
        self._transaction.abort()


class _NodeSink(dict[str, bytes]):
    """Takes nodes by path and writes them at once."""

    def __init__(self, writer: _Writer) -> None:
        super().__init__()
        self._writer = writer

    def __setitem__(self, path: str, node: bytes) -> None:
        self._writer.set_node(path, node)


def create_state(path: str, snapshot: Snapshot) -> bytes:
    """Make the directory `path` hold `snapshot`, whole or not at all. Gives the root.

    Raises `WriteError`, and `InconsistentStateError` (`state-root-mismatch`) when the rows have another root than
    the snapshot states.
    """
    with new_directory(path) as temporary:
        try:
            with _opened(temporary, create=True, writing=True) as environment:
                return _filled(environment, snapshot)
        except _lmdb().Error as error:
            raise WriteError(f"{path} cannot be written: {error}") from error


def _filled(environment: Any, snapshot: Snapshot) -> bytes:
    writer = _Writer(environment, _databases(environment, create=True), row_count=0)
    rows = snapshot.rows
    for key in sorted(rows):
        writer.set_row(key, rows[key])
    root = build_by_path(rows, _NodeSink(writer))
    if snapshot.state_root not in (None, root):
        raise InconsistentStateError("the rows have another root than the snapshot states", code="state-root-mismatch")
    writer.finish(snapshot._replace(state_root=root))
    return root
