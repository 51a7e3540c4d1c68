"""Queues of receipts that lie in the state: the delayed ones, and the buffered ones with the sizes of their groups.

A queue is a row per item under consecutive indices, and a row that holds the first index and the next free one.
The buffers of all receiving shards share one such row. Groups sum up consecutive buffered receipts, so that the
bandwidth scheduler can be told how much is waiting without reading it.

Mirrors nearcore: core/store/src/trie/receipts_column_helper.rs, core/store/src/trie/outgoing_metadata.rs
"""

from collections.abc import Iterator
from typing import NamedTuple

from near_tee_cli.errors import BadInputError, InconsistentStateError
from near_tee_cli.primitives.schema.receipt import (
    StateStoredReceipt,
    decode_state_stored_receipt,
    encode_state_stored_receipt,
)
from near_tee_cli.primitives.schema.wire import read_u64, read_u128, read_vector, u32, u64, u128, whole
from near_tee_cli.runtime.rows import decoded, indices, set_indices
from near_tee_cli.state import keys
from near_tee_cli.state.overlay import Overlay

GROUP_SIZE_LIMIT = 100_000
"""Bytes above which another receipt starts a new group."""


class DelayedQueue:
    """Receipts that the shard could not process yet."""

    __slots__ = ("first", "following", "state")

    def __init__(self, state: Overlay) -> None:
        self.state = state
        self.first, self.following = indices(state, keys.delayed_receipt_indices())

    def __len__(self) -> int:
        return self.following - self.first

    def push(self, stored: StateStoredReceipt) -> None:
        """Put a receipt at the end."""
        self.state.set(keys.delayed_receipt(self.following), encode_state_stored_receipt(stored))
        self.following += 1
        set_indices(self.state, keys.delayed_receipt_indices(), (self.first, self.following))

    def pop(self) -> StateStoredReceipt | None:
        """Take the first receipt, `None` from an empty queue."""
        if self.first == self.following:
            return None
        stored = _stored_receipt(self.state, keys.delayed_receipt(self.first))
        self.state.remove(keys.delayed_receipt(self.first))
        self.first += 1
        set_indices(self.state, keys.delayed_receipt_indices(), (self.first, self.following))
        return stored


class Buffers:
    """Receipts that may not be sent yet, by receiving shard."""

    __slots__ = ("shards", "state")

    def __init__(self, state: Overlay) -> None:
        self.state = state
        data = state.get(keys.buffered_receipt_indices())
        entries = () if data is None else decoded(_decode_buffers, data, key=keys.buffered_receipt_indices())
        self.shards: dict[int, tuple[int, int]] = dict(sorted(entries))

    def length(self, shard: int) -> int:
        """Receipts that wait for `shard`."""
        first, following = self.shards.get(shard, (0, 0))
        return following - first

    def push(self, shard: int, stored: StateStoredReceipt) -> None:
        """Put a receipt at the end of a shard's buffer."""
        first, following = self.shards.get(shard, (0, 0))
        self.state.set(keys.buffered_receipt(shard, following), encode_state_stored_receipt(stored))
        self._save(shard, (first, following + 1))

    def items(self, shard: int) -> Iterator[StateStoredReceipt]:
        """The receipts of a shard's buffer, each read when it is asked for."""
        first, following = self.shards.get(shard, (0, 0))
        for index in range(first, following):
            yield _stored_receipt(self.state, keys.buffered_receipt(shard, index))

    def drop(self, shard: int, count: int) -> None:
        """Remove the first `count` receipts of a shard's buffer."""
        if count == 0:
            return
        first, following = self.shards[shard]
        for index in range(first, first + count):
            self.state.remove(keys.buffered_receipt(shard, index))
        self._save(shard, (first + count, following))

    def _save(self, shard: int, value: tuple[int, int]) -> None:
        self.shards[shard] = value
        rows = b"".join(
            u64(shard_id) + u64(first) + u64(following) for shard_id, (first, following) in sorted(self.shards.items())
        )
        self.state.set(keys.buffered_receipt_indices(), u32(len(self.shards)) + rows)


class Group(NamedTuple):
    """Size in bytes and congestion gas of consecutive buffered receipts."""

    size: int
    gas: int


class _Totals(NamedTuple):
    """The row of a queue of groups."""

    first: int
    following: int
    size: int
    gas: int
    receipts: int


class Groups:
    """The groups of the receipts that are buffered for one shard."""

    __slots__ = ("shard", "state", "totals")

    def __init__(self, state: Overlay, shard: int, *, totals: _Totals) -> None:
        self.state = state
        self.shard = shard
        self.totals = totals

    @property
    def receipts(self) -> int:
        """Receipts that the groups count."""
        return self.totals.receipts

    def sizes(self) -> Iterator[int]:
        """Bytes of each group, read when asked for."""
        for index in range(self.totals.first, self.totals.following):
            yield self._group(index).size

    def add(self, size: int, gas: int) -> None:
        """Count a receipt that was buffered: in the last group, or in a new one if that would grow too large."""
        first, following, total_size, total_gas, receipts = self.totals
        group = Group(size, gas)
        if following > first:
            last = self._group(following - 1)
            if last.size + size <= GROUP_SIZE_LIMIT:
                following -= 1
                group = Group(last.size + size, last.gas + gas)
        self._set_group(following, group)
        self._save(_Totals(first, following + 1, total_size + size, total_gas + gas, receipts + 1))

    def subtract(self, size: int, gas: int) -> None:
        """Forget a receipt that left the front of the buffer."""
        first, following, total_size, total_gas, receipts = self.totals
        if first == following:
            raise InconsistentStateError("a buffered receipt belongs to no group")
        group = self._group(first)
        group = Group(group.size - size, group.gas - gas)
        if min(*group, total_size - size, total_gas - gas, receipts - 1) < 0:
            raise InconsistentStateError("a group of buffered receipts would become negative")
        if group.size == 0:
            self.state.remove(keys.buffered_receipt_groups_queue_item(self.shard, first))
            first += 1
        else:
            self._set_group(first, group)
        self._save(_Totals(first, following, total_size - size, total_gas - gas, receipts - 1))

    def _group(self, index: int) -> Group:
        key = keys.buffered_receipt_groups_queue_item(self.shard, index)
        data = self.state.get(key)
        if data is None:
            raise InconsistentStateError(f"group {index} of buffered receipts should be in the state")
        return decoded(_decode_group, data, key=key)

    def _set_group(self, index: int, group: Group) -> None:
        self.state.set(
            keys.buffered_receipt_groups_queue_item(self.shard, index), b"\0" + u64(group.size) + u128(group.gas)
        )

    def _save(self, totals: _Totals) -> None:
        self.totals = totals
        first, following, size, gas, receipts = totals
        data = b"\0" + u64(first) + u64(following) + u64(size) + u128(gas) + u64(receipts)
        self.state.set(keys.buffered_receipt_groups_queue_data(self.shard), data)


def load_groups(state: Overlay, shard: int) -> Groups | None:
    """The groups of what is buffered for `shard`, `None` when nobody counted them."""
    key = keys.buffered_receipt_groups_queue_data(shard)
    data = state.get(key)
    return None if data is None else Groups(state, shard, totals=decoded(_decode_totals, data, key=key))


def new_groups(state: Overlay, shard: int) -> Groups:
    """Groups for a shard that has none yet."""
    return Groups(state, shard, totals=_Totals(0, 0, 0, 0, 0))


def _stored_receipt(state: Overlay, key: bytes) -> StateStoredReceipt:
    data = state.get(key)
    if data is None:
        raise InconsistentStateError(f"the queued receipt of key {key.hex()} should be in the state")
    return decoded(decode_state_stored_receipt, data, key=key)


def _decode_buffers(data: bytes) -> tuple[tuple[int, tuple[int, int]], ...]:
    return whole(data, lambda raw, at: read_vector(raw, at, _read_buffer), what="buffered receipt indices")


def _read_buffer(data: bytes, at: int) -> tuple[tuple[int, tuple[int, int]], int]:
    shard, at = read_u64(data, at)
    first, at = read_u64(data, at)
    following, at = read_u64(data, at)
    if first > following:
        raise BadInputError("indices that run backwards")
    return (shard, (first, following)), at


def _decode_group(data: bytes) -> Group:
    return whole(data, _read_group, what="receipt group")


def _read_group(data: bytes, at: int) -> tuple[Group, int]:
    _require_version_0(data, at)
    size, at = read_u64(data, at + 1)
    gas, at = read_u128(data, at)
    return Group(size, gas), at


def _decode_totals(data: bytes) -> _Totals:
    return whole(data, _read_totals, what="receipt groups")


def _read_totals(data: bytes, at: int) -> tuple[_Totals, int]:
    _require_version_0(data, at)
    first, at = read_u64(data, at + 1)
    following, at = read_u64(data, at)
    size, at = read_u64(data, at)
    gas, at = read_u128(data, at)
    receipts, at = read_u64(data, at)
    return _Totals(first, following, size, gas, receipts), at


def _require_version_0(data: bytes, at: int) -> None:
    if data[at] != 0:
        raise BadInputError(f"unknown version {data[at]}")
