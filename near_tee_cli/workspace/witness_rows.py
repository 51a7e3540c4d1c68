"""The part of a state that some blocks read: enough to apply them again, and nothing beside it.

A step on a large state keeps this instead of the whole state before it.
"""

from collections.abc import Iterable, Iterator, Sequence

from near_tee_cli.errors import BadInputError, UnsupportedError
from near_tee_cli.primitives.hashes import ZERO_HASH
from near_tee_cli.primitives.schema.wire import blob, read_blob, read_vector, vector, whole
from near_tee_cli.runtime.world import Transition
from near_tee_cli.state.path_store import PathStore
from near_tee_cli.state.store import MemoryStore
from near_tee_cli.workspace.snapshot_borsh import parse_snapshot, snapshot_borsh
from near_tee_cli.workspace.snapshots import RowsOnDisk, Snapshot

MAGIC = b"near-tee/witness/v1\0"


class WitnessRows(RowsOnDisk):
    """Rows that cannot be listed: of the trie only what was read is here."""

    def __init__(self, root: bytes, items: Iterable[bytes]) -> None:
        self.root = root
        self.items_read = tuple(sorted(set(items)))
        """Nodes, values and contract code, ascending."""

    def trie(self) -> tuple[bytes, MemoryStore]:
        """The root, and a store in which everything that was not read is missing."""
        store = MemoryStore()
        store.add_all(self.items_read)
        return self.root, store

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WitnessRows) and (self.root, self.items_read) == (other.root, other.items_read)

    def __hash__(self) -> int:
        return hash(self.root)

    def __getitem__(self, key: bytes) -> bytes:
        raise UnsupportedError("a step on a large state does not keep the state before it", what="witness-rows")

    def __iter__(self) -> Iterator[bytes]:
        raise UnsupportedError("a step on a large state does not keep the state before it", what="witness-rows")

    def __len__(self) -> int:
        raise UnsupportedError("a step on a large state does not keep the state before it", what="witness-rows")


def witnessed(header: Snapshot, transitions: Sequence[Transition], store: PathStore) -> Snapshot:
    """The snapshot before `transitions`, `header` being all of it but the rows, with what they read from `store`."""
    made = {item_hash for transition in transitions for item_hash in transition.result.new_nodes}
    items = {data for item_hash, data in store.items().items() if item_hash not in made}
    items.update(item for transition in transitions for item in transition.result.witness)
    codes = {code for transition in transitions for code in transition.result.codes.values() if code is not None}
    return header._replace(rows=WitnessRows(header.state_root or ZERO_HASH, items | codes))


def encode_witness(snapshot: Snapshot) -> bytes:
    """The bytes of a snapshot whose rows are those that were read."""
    rows = snapshot.rows
    if not isinstance(rows, WitnessRows):
        raise TypeError("the snapshot has all of its rows")
    return MAGIC + blob(snapshot_borsh(snapshot._replace(rows={}))) + vector(map(blob, rows.items_read))


def parse_witness(data: bytes) -> Snapshot:
    """The snapshot in bytes that `encode_witness` made. Raises `BadInputError` for others."""
    if not data.startswith(MAGIC):
        raise BadInputError("this is no witness of a step", code="malformed-snapshot")
    header, items = whole(data[len(MAGIC) :], _read, what="witness")
    snapshot = parse_snapshot(header)
    if snapshot.rows or snapshot.state_root is None:
        raise BadInputError("the head of a witness has rows, or no root", code="malformed-snapshot")
    found = snapshot._replace(rows=WitnessRows(snapshot.state_root, items))
    if encode_witness(found) != data:
        raise BadInputError("witness: not in the one encoding of its content", code="malformed-snapshot")
    return found


def _read(data: bytes, at: int) -> tuple[tuple[bytes, tuple[bytes, ...]], int]:
    header, at = read_blob(data, at)
    items, at = read_vector(data, at, read_blob)
    return (header, items), at
