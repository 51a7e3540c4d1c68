"""States taken apart into records and raw rows, and put together again."""

from near_tee_cli.primitives.schema.action import Transfer
from near_tee_cli.primitives.schema.receipt import ACTION, PROMISE_YIELD, ActionReceipt, Receipt, encode_receipt
from near_tee_cli.primitives.schema.records import (
    DelayedReceiptRecord,
    GasKeyNonceRecord,
    PostponedReceiptRecord,
    ReceivedDataRecord,
)
from near_tee_cli.runtime.dump import dump
from near_tee_cli.runtime.genesis import rows_of_records
from near_tee_cli.state import keys
from tests.support.worlds import account, public_key

ID = bytes(range(32))
OTHER = bytes(range(1, 33))


def receipt(tag, *inputs, name=b"\1") -> Receipt:
    body = ActionReceipt(tag, "a.near", None, bytes(33), 0, (), inputs, (Transfer(1),))
    return Receipt("a.near", "b.near", name * 32, body)


def together(rows) -> dict[bytes, bytes]:
    taken = dump(dict(sorted(rows.items())))
    made = rows_of_records(taken.records)
    made.update(taken.raw)
    return made


RECORDS = [
    *account("a.near", code=b"code"),
    *account("b.near"),
    GasKeyNonceRecord("b.near", public_key("b.near"), 3, 7),
    ReceivedDataRecord("b.near", OTHER, None),
    PostponedReceiptRecord(receipt(ACTION, ID, OTHER)),
    PostponedReceiptRecord(receipt(PROMISE_YIELD, OTHER, name=b"\2")),
]


def test_everything_that_has_a_record() -> None:
    rows = rows_of_records(RECORDS)
    taken = dump(dict(sorted(rows.items())))
    assert taken.raw == []
    assert sorted(map(repr, taken.records)) == sorted(map(repr, RECORDS))
    assert together(rows) == rows


def test_rows_without_a_record_stay_raw() -> None:
    rows = rows_of_records([*RECORDS, DelayedReceiptRecord(receipt(ACTION))])
    rows[keys.bandwidth_scheduler_state()] = b"anything"
    taken = dump(dict(sorted(rows.items())))
    assert [key[:1] for key, _ in taken.raw] == [b"\x07", b"\x07", b"\x0f"]
    assert together(rows) == rows


def test_rows_that_contradict_one_another_stay_raw() -> None:
    rows = rows_of_records(RECORDS)
    rows[b"\x01b.near"] = b"code of nobody"
    rows[keys.account("c.near")] = b"malformed"
    rows[keys.pending_data_count("b.near", b"\1" * 32)] = b"\2\0\0\0"
    rows[keys.promise_yield_receipt("b.near", ID)] = encode_receipt(receipt(PROMISE_YIELD, OTHER))
    rows[b"\x00system"] = rows[b"\x00a.near"]
    rows[b"\xff"] = b""
    taken = dump(dict(sorted(rows.items())))
    assert {keys.account("c.near"), b"\x01b.near", b"\x00system", b"\xff"} <= {key for key, _ in taken.raw}
    assert together(rows) == rows
