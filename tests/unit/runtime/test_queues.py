"""Queues in the state: order, rows, groups (core/store/src/trie/outgoing_metadata.rs)."""

import pytest

from near_tee_cli.errors import InconsistentStateError
from near_tee_cli.primitives.schema.receipt import DATA, DataReceipt, Receipt, StateStoredReceipt
from near_tee_cli.runtime.queues import Buffers, DelayedQueue, load_groups, new_groups
from near_tee_cli.state import keys
from near_tee_cli.state.overlay import Overlay
from near_tee_cli.state.store import MemoryStore
from near_tee_cli.state.trie import EMPTY_ROOT, Trie


def empty_state() -> Overlay:
    return Overlay(Trie(MemoryStore(), EMPTY_ROOT))


def stored(number: int) -> StateStoredReceipt:
    receipt = Receipt("a.near", "b.near", bytes([number]) * 32, DataReceipt(DATA, bytes(32), None))
    return StateStoredReceipt(1, receipt, number, 100 + number)


def test_delayed_queue() -> None:
    state = empty_state()
    queue = DelayedQueue(state)
    assert queue.pop() is None
    assert state.get(keys.delayed_receipt_indices()) is None
    queue.push(stored(1))
    queue.push(stored(2))
    assert len(DelayedQueue(state)) == 2
    assert queue.pop() == stored(1)
    assert state.get(keys.delayed_receipt(0)) is None
    again = DelayedQueue(state)
    assert again.pop() == stored(2)
    assert len(again) == 0
    assert state.get(keys.delayed_receipt_indices()) == (2).to_bytes(8, "little") * 2


def test_a_row_that_is_missing() -> None:
    state = empty_state()
    state.set(keys.delayed_receipt_indices(), bytes(8) + (1).to_bytes(8, "little"))
    with pytest.raises(InconsistentStateError):
        DelayedQueue(state).pop()
    state.set(keys.delayed_receipt_indices(), (1).to_bytes(8, "little") + bytes(8))
    with pytest.raises(InconsistentStateError):
        DelayedQueue(state)


def test_buffers_of_several_shards_share_a_row() -> None:
    state = empty_state()
    buffers = Buffers(state)
    assert buffers.length(0) == 0
    buffers.push(3, stored(1))
    buffers.push(0, stored(2))
    buffers.push(0, stored(3))
    data = state.get(keys.buffered_receipt_indices())
    assert data is not None
    assert data[:4] == (2).to_bytes(4, "little")
    assert data[4:12] == bytes(8)
    again = Buffers(state)
    assert list(again.items(0)) == [stored(2), stored(3)]
    again.drop(0, 0)
    again.drop(0, 2)
    assert again.length(0) == 0
    assert Buffers(state).shards == {0: (2, 2), 3: (0, 1)}


def sizes(state) -> list[int]:
    groups = load_groups(state, 0)
    assert groups is not None
    return list(groups.sizes())


def test_groups_of_nearcore() -> None:
    state = empty_state()
    assert load_groups(state, 0) is None
    groups = new_groups(state, 0)
    for size in (10_000, 10_000, 50_000):
        groups.add(size, 1)
    groups.subtract(10_000, 1)
    for size in (100_000, 10_000, 200_000):
        groups.add(size, 1)
    assert sizes(state) == [60_000, 100_000, 10_000, 200_000]
    assert groups.receipts == 5
    groups.subtract(10_000, 1)
    assert sizes(state) == [50_000, 100_000, 10_000, 200_000]
    groups.subtract(50_000, 1)
    assert sizes(state) == [100_000, 10_000, 200_000]
    groups.subtract(100_000, 1)
    groups.subtract(10_000, 1)
    groups.subtract(200_000, 1)
    assert sizes(state) == []
    with pytest.raises(InconsistentStateError):
        groups.subtract(1, 0)


def test_groups_never_become_negative() -> None:
    groups = new_groups(empty_state(), 0)
    groups.add(10, 5)
    with pytest.raises(InconsistentStateError):
        groups.subtract(11, 5)
    with pytest.raises(InconsistentStateError):
        groups.subtract(10, 6)
