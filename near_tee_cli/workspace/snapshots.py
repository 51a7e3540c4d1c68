"""Snapshots: everything that is needed to go on from a state, in memory and as one of three kinds of file.

A snapshot has the rows of the trie, the block that was applied last, the receipts on their way, and what that block
carried over. It is written as JSON (for people and other tools) or Borsh (for size and speed), each converted into
the other without loss; a recorded case can be given as well and stands for the state that it starts from. Which of
these a file is shows in its content.
"""

from collections.abc import Mapping
from typing import NamedTuple

from near_tee_cli.errors import BadInputError, InconsistentStateError
from near_tee_cli.params.store import config_at
from near_tee_cli.primitives import base58
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.primitives.schema.receipt import Receipt
from near_tee_cli.runtime.block import NO_CONGESTION, BandwidthRequest, BlockContext, ChainContext, CongestionInfo
from near_tee_cli.runtime.genesis import Rows
from near_tee_cli.runtime.world import World
from near_tee_cli.state.build import build
from near_tee_cli.state.store import GrowingStore

MAX_BYTES = 256 * 1024 * 1024
"""Bytes of a snapshot in one file; larger states are kept in another way."""

MAX_ROWS = 1_000_000
"""Rows of a snapshot in one file."""


class RowsOnDisk(Mapping[bytes, bytes]):
    """The rows of a state that comes with its trie, of which only what is touched is read."""

    def trie(self) -> tuple[bytes, GrowingStore]:
        """The root, and a store that has everything under it."""
        raise NotImplementedError


class Snapshot(NamedTuple):
    """A state and what is on its way."""

    protocol_version: int
    chain: ChainContext
    rows: Mapping[bytes, bytes]
    """Trie keys and values; those of a large state are read when they are asked for."""
    block: BlockContext | None = None
    """The block that was applied last, `None` when none was."""
    in_flight: tuple[Receipt, ...] = ()
    """Receipts that the last block sent, in order."""
    congestion_info: CongestionInfo = NO_CONGESTION
    bandwidth_requests: tuple[BandwidthRequest, ...] = ()
    state_root: bytes | None = None
    """The root as the file states it, if it does; `world_of` holds the rows against it."""


def world_of(snapshot: Snapshot) -> World:
    """The state in memory, ready for the next block.

    Raises `InconsistentStateError` (`state-root-mismatch`) when the rows give another root than the file states,
    and `UnsupportedError` for a protocol version that is not implemented.
    """
    config = config_at(snapshot.protocol_version)
    store: GrowingStore
    if isinstance(snapshot.rows, RowsOnDisk):
        root, store = snapshot.rows.trie()
    else:
        root, store = build(snapshot.rows)
    if snapshot.state_root is not None and snapshot.state_root != root:
        raise InconsistentStateError(
            f"the rows have the root {base58.encode(root)}, the snapshot states {base58.encode(snapshot.state_root)}",
            code="state-root-mismatch",
        )
    return World(
        config,
        snapshot.chain,
        store=store,
        root=root,
        in_flight=snapshot.in_flight,
        congestion_info=snapshot.congestion_info,
        bandwidth_requests=snapshot.bandwidth_requests,
    )


def snapshot_of(world: World, *, block: BlockContext | None) -> Snapshot:
    """What `world` is now; `block` is the one that was applied last, if any."""
    return header_of(world, block=block)._replace(rows=dict(world.rows()))


def header_of(world: World, *, block: BlockContext | None) -> Snapshot:
    """The same without its rows."""
    return Snapshot(
        protocol_version=world.config.protocol_version,
        chain=world.chain,
        rows={},
        block=block,
        in_flight=world.in_flight,
        congestion_info=world.congestion_info,
        bandwidth_requests=world.bandwidth_requests,
        state_root=world.root,
    )


def require_new(rows: Rows, key: bytes, where: str) -> None:
    """Refuse a row whose key is there already. Raises `BadInputError` (`duplicate-key`)."""
    if key in rows:
        raise BadInputError(
            f"{where}: the trie key {cj.base64_text(key)} is there twice", code="duplicate-key", where=where
        )
