"""The receipt sink: what is sent, what is buffered, and how both are counted."""

import pytest

from near_tee_cli.errors import InconsistentStateError
from near_tee_cli.params.store import config_at
from near_tee_cli.primitives.schema.action import FunctionCall, Transfer
from near_tee_cli.primitives.schema.receipt import DATA, PROMISE_YIELD_V2, DataReceipt, Receipt, encode_receipt
from near_tee_cli.runtime.block import NO_CONGESTION
from near_tee_cli.runtime.congestion import Congestion, ReceiptSink, congestion_gas
from near_tee_cli.runtime.fees import receipt_gas
from near_tee_cli.state import keys
from near_tee_cli.state.overlay import Overlay
from near_tee_cli.state.store import MemoryStore
from near_tee_cli.state.trie import EMPTY_ROOT, Trie
from tests.support.worlds import receipt_of

CONFIG = config_at(86)


def sink_over(state, congestion, bandwidth) -> ReceiptSink:
    return ReceiptSink(CONFIG, state, congestion=congestion, bandwidth=bandwidth)


def data(length: int, number: int = 0) -> Receipt:
    return Receipt("a.near", "b.near", bytes([number]) * 32, DataReceipt(DATA, bytes(32), bytes(length)))


def test_gas_that_is_counted() -> None:
    call = FunctionCall("m", b"", 10**13, 0)
    receipt = receipt_of(call, receiver="b.near")
    assert congestion_gas(CONFIG, receipt) == receipt_gas(CONFIG, (call,), receiver_id="b.near")
    assert congestion_gas(CONFIG, data(5)) == 0
    assert congestion_gas(CONFIG, receipt_of(call, tag=PROMISE_YIELD_V2)) == 0


def test_what_exceeds_the_bandwidth_is_buffered_and_sent_later() -> None:
    state = Overlay(Trie(MemoryStore(), EMPTY_ROOT))
    congestion = Congestion(NO_CONGESTION)
    large, small, transfer = data(3000, 1), data(10, 2), receipt_of(Transfer(1), number=3)
    size = len(encode_receipt(large))
    sink = sink_over(state, congestion, size + 120)
    for receipt in (large, transfer, small, large):
        sink.send(receipt)
    # Each receipt is tried by itself: the small one overtakes.
    assert sink.outgoing == [large, small]
    gas = congestion_gas(CONFIG, transfer)
    buffered = len(encode_receipt(transfer)) + size
    assert congestion.final() == (0, gas, buffered, 0)
    assert state.get(keys.buffered_receipt_indices()) is not None
    state.commit()
    again = sink_over(state, congestion, len(encode_receipt(transfer)))
    again.forward_buffered()
    assert again.outgoing == [transfer]
    assert congestion.final() == (0, 0, size, 0)
    last = sink_over(state, congestion, 4_500_000)
    last.forward_buffered()
    assert last.outgoing == [large]
    assert congestion.final() == NO_CONGESTION
    assert last.bandwidth_requests() == ()


def test_what_waits_asks_for_bandwidth() -> None:
    state = Overlay(Trie(MemoryStore(), EMPTY_ROOT))
    sink = sink_over(state, Congestion(NO_CONGESTION), 0)
    sink.send(data(10))
    assert sink.bandwidth_requests() == ()
    for _ in range(3):
        sink.send(data(90_000))
    (request,) = sink.bandwidth_requests()
    assert int.from_bytes(request.bitmap, "little") == 0b11
    state.remove(keys.buffered_receipt_groups_queue_data(0))
    uncounted = sink_over(state, Congestion(NO_CONGESTION), 0)
    (request,) = uncounted.bandwidth_requests()
    assert int.from_bytes(request.bitmap, "little") == 1 << 39


def test_a_receipt_that_grew_beyond_its_limit_is_not_stuck() -> None:
    state = Overlay(Trie(MemoryStore(), EMPTY_ROOT))
    sink = sink_over(state, Congestion(NO_CONGESTION), CONFIG.max_receipt_size)
    sink.send(data(CONFIG.max_receipt_size))
    assert len(sink.outgoing) == 1


def test_counts_that_contradict_the_queues() -> None:
    state = Overlay(Trie(MemoryStore(), EMPTY_ROOT))
    congestion = Congestion(NO_CONGESTION._replace(buffered_receipts_gas=5))
    with pytest.raises(InconsistentStateError):
        sink_over(state, congestion, 0).forward_buffered()
    congestion.receipt_bytes = -1
    with pytest.raises(InconsistentStateError):
        congestion.final()
