"""Two snapshots as one: units, conflicts, and what cannot be put together."""

import pytest

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives.schema.account import GlobalContract
from near_tee_cli.primitives.schema.receipt import PROMISE_YIELD, ActionReceipt, Receipt, encode_receipt
from near_tee_cli.primitives.schema.wire import u64
from near_tee_cli.runtime.block import NO_CONGESTION, ChainContext
from near_tee_cli.runtime.genesis import rows_of_records
from near_tee_cli.state import keys
from near_tee_cli.workspace.merging import merge
from near_tee_cli.workspace.snapshots import Snapshot
from tests.support.worlds import account, block, public_key


def snapshot(*groups, **fields):
    rows = rows_of_records([record for group in groups for record in group])
    rows.update(fields.pop("rows", {}))
    return Snapshot(86, fields.pop("chain", ChainContext("localnet", ())), rows, **fields)


def code_of(first, second, prefer=None):
    with pytest.raises(BadInputError) as refused:
        merge(first, second, prefer=prefer)
    return refused.value.code


A, B = account("a.near", code=b"x"), account("b.near")


def test_union():
    merged = merge(snapshot(A), snapshot(B), prefer=None)
    assert merged.snapshot.rows == snapshot(A, B).rows
    assert list(merged.snapshot.rows) == sorted(merged.snapshot.rows)
    assert (merged.conflicts, merged.accounts) == ((), {"first": 1, "second": 1, "both": 0})


def test_what_both_have_alike():
    assert merge(snapshot(A, B), snapshot(B), prefer=None).accounts == {"first": 1, "second": 0, "both": 1}


def test_conflicting_accounts_are_taken_whole():
    other = account("a.near", 7, code=b"yy")
    assert code_of(snapshot(A), snapshot(other)) == "conflict"
    for prefer, rows in (("first", snapshot(A).rows), ("second", snapshot(other).rows)):
        merged = merge(snapshot(A), snapshot(other), prefer=prefer)
        assert merged.snapshot.rows == rows
        assert merged.conflicts == (("account", "a.near", prefer),)


def test_chain_and_block():
    assert merge(snapshot(A, block=block(5)), snapshot(B), prefer=None).snapshot.block == block(5)
    assert code_of(snapshot(A, block=block(5)), snapshot(B, block=block(6))) == "conflict"
    merged = merge(snapshot(A, block=block(5)), snapshot(B, block=block(6)), prefer="second")
    assert merged.snapshot.block == block(6)
    named = ChainContext("mainnet", (("v.near", 3),), 5)
    assert code_of(snapshot(A), snapshot(B, chain=named)) == "conflict"
    assert merge(snapshot(A), snapshot(B, chain=named), prefer="second").snapshot.chain == named
    assert code_of(snapshot(A), snapshot(B)._replace(protocol_version=85)) == "conflict"


def test_global_contracts():
    key = keys.global_contract_code(GlobalContract(b"\1" * 32))
    merged = merge(snapshot(A, rows={key: b"x"}), snapshot(B), prefer=None)
    assert merged.snapshot.rows[key] == b"x"
    assert code_of(snapshot(A, rows={key: b"x"}), snapshot(B, rows={key: b"y"})) == "conflict"


def receipt(number, tag=0, *ids):
    body = ActionReceipt(tag, "a.near", None, public_key("a"), 0, (), ids, ())
    return Receipt("a.near", "a.near", bytes([number]) * 32, body)


def test_receipts_in_flight_come_from_one_side():
    busy = snapshot(A, in_flight=(receipt(1),), congestion_info=NO_CONGESTION._replace(receipt_bytes=9))
    merged = merge(busy, snapshot(B), prefer=None).snapshot
    assert (merged.in_flight, merged.congestion_info) == (busy.in_flight, busy.congestion_info)
    assert code_of(busy, snapshot(B, in_flight=(receipt(2),))) == "conflict"
    assert merge(busy, busy, prefer=None).conflicts == ()


def test_an_empty_queue_is_no_conflict():
    drained = {keys.delayed_receipt_indices(): u64(4) + u64(4)}
    full = {keys.delayed_receipt_indices(): u64(0) + u64(1), keys.delayed_receipt(0): encode_receipt(receipt(1))}
    merged = merge(snapshot(A, rows=drained), snapshot(B, rows=full), prefer=None).snapshot.rows
    assert {key: merged[key] for key in full} == full
    other = {keys.delayed_receipt_indices(): u64(6) + u64(6)}
    one, two = snapshot(A, rows=drained), snapshot(B, rows=other)
    assert merge(one, two, prefer=None).snapshot == merge(two, one, prefer=None).snapshot


def test_schedulers_differ():
    one, two = ({keys.bandwidth_scheduler_state(): value} for value in (b"1", b"2"))
    assert code_of(snapshot(A, rows=one), snapshot(B, rows=two)) == "conflict"


DATA_ID = b"\3" * 32
WAITS = {
    keys.promise_yield_receipt("a.near", DATA_ID): encode_receipt(receipt(1, PROMISE_YIELD, DATA_ID)),
    keys.promise_yield_indices(): u64(0) + u64(1),
    keys.promise_yield_timeout(0): b"t",
}


def test_yields_keep_their_timeouts():
    waiting = snapshot(A, rows=WAITS, block=block(9))
    merged = merge(waiting, snapshot(B), prefer=None).snapshot
    assert {key: merged.rows[key] for key in WAITS} == WAITS
    assert merged.block == block(9)


def test_yields_of_both_sides_cannot_be_merged():
    other = {**WAITS, keys.promise_yield_timeout(0): b"u"}
    del other[keys.promise_yield_receipt("a.near", DATA_ID)]
    other[keys.promise_yield_receipt("b.near", DATA_ID)] = b"receipt"
    first, second = snapshot(A, rows=WAITS), snapshot(B, rows=other)
    assert code_of(first, second) == "conflict"
    assert code_of(first, second, "first") == "cannot-merge"
    assert code_of(first, second, "second") == "cannot-merge"


def test_yields_need_their_heights():
    waiting = snapshot(A, rows=WAITS, block=block(9))
    assert code_of(waiting, snapshot(B, block=block(500)), "second") == "cannot-merge"
    assert merge(waiting, snapshot(B, block=block(500)), prefer="first").snapshot.block == block(9)
