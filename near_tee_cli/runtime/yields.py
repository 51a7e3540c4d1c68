"""Yields: their timeouts, the receipts that wait, and what a resume does.

Mirrors nearcore: runtime/runtime/src/lib.rs (`resolve_promise_yield_timeouts`, `process_receipt`),
core/store/src/utils/mod.rs
"""

from collections.abc import Sequence

from near_tee_cli.errors import InconsistentStateError
from near_tee_cli.primitives.schema.receipt import PROMISE_RESUME, DataReceipt, Receipt, derived_id
from near_tee_cli.primitives.schema.wire import read_account_id, read_hash, read_u64, string, u64, whole
from near_tee_cli.runtime import rows
from near_tee_cli.runtime.block import YieldTimeout
from near_tee_cli.runtime.chunk import Chunk
from near_tee_cli.state import keys

YIELDED = b"\0"
"""Status of a yield that nobody has resumed."""

RESUME_INITIATED = b"\1"
"""Status of a yield whose resume is on its way."""


def enqueue_timeouts(chunk: Chunk, account_id: str, *, data_ids: Sequence[bytes]) -> None:
    """Put a timeout at the end of the queue for each yield that a call created.

    The queue's bounds are read in any case: every successful function call has that read in its storage proof.
    """
    first, following = rows.indices(chunk.state, keys.promise_yield_indices())
    if not data_ids:
        return
    expires_at = chunk.block.height + chunk.config.yield_timeout_length_in_blocks
    for data_id in data_ids:
        chunk.state.set(keys.promise_yield_timeout(following), string(account_id) + data_id + u64(expires_at))
        following += 1
    rows.set_indices(chunk.state, keys.promise_yield_indices(), (first, following))


def store(chunk: Chunk, receipt: Receipt, *, data_id: bytes) -> None:
    """Keep a yield until it is resumed."""
    rows.set_receipt_at(chunk.state, keys.promise_yield_receipt(receipt.receiver_id, data_id), receipt)


def take_resumed(chunk: Chunk, account_id: str, *, resume: DataReceipt) -> Receipt | None:
    """The yield that a resume ends, with its data put where the receipt will look for it; `None` to ignore it.

    A timeout is ignored when a resume is on its way, any resume when the yield is over already.
    """
    state, data_id = chunk.state, resume.data_id
    status_key = keys.promise_yield_status(account_id, data_id)
    if resume.data is None and state.get(status_key) == RESUME_INITIATED:
        return None
    key = keys.promise_yield_receipt(account_id, data_id)
    receipt = rows.receipt_at(state, key)
    if receipt is None:
        return None
    state.remove(key)
    state.remove(status_key)
    if chunk.rules.yield_with_id:
        mapping_key = keys.data_id_to_yield_id(account_id, data_id)
        yield_id = state.get(mapping_key)
        if yield_id is not None:
            state.remove(keys.yield_id_to_data_id(account_id, yield_id))
            state.remove(mapping_key)
    rows.set_received_data(state, account_id, data_id, data=resume.data)
    return receipt


def resolve_timeouts(chunk: Chunk) -> None:
    """Send a resume without data to each yield whose time is over, oldest first, while the chunk has room."""
    state, height = chunk.state, chunk.block.height
    start = rows.indices(state, keys.promise_yield_indices())
    first, following = start
    sent = 0
    while first < following and not chunk.is_full():
        key = keys.promise_yield_timeout(first)
        data = state.get(key)
        if data is None:
            raise InconsistentStateError(f"yield timeout {first} should be in the state")
        timeout = rows.decoded(decode_timeout, data, key=key)
        if timeout.expires_at > height:
            break
        account_id, data_id = timeout.account_id, timeout.data_id
        if state.contains(keys.promise_yield_receipt(account_id, data_id)):
            receipt_id = derived_id(data_id, height, sent)
            sent += 1
            chunk.sink.send(Receipt(account_id, account_id, receipt_id, DataReceipt(PROMISE_RESUME, data_id, None)))
        chunk.yield_timeouts.append(timeout)
        state.remove(key)
        first += 1
    if (first, following) != start:
        rows.set_indices(state, keys.promise_yield_indices(), (first, following))


def decode_timeout(data: bytes) -> YieldTimeout:
    """An entry of the queue of timeouts. Raises `BadInputError` when it is none."""
    return whole(data, _read_timeout, what="yield timeout")


def _read_timeout(data: bytes, at: int) -> tuple[YieldTimeout, int]:
    account_id, at = read_account_id(data, at)
    data_id, at = read_hash(data, at)
    expires_at, at = read_u64(data, at)
    return YieldTimeout(account_id, data_id, expires_at), at
