"""States from records: order, skipped ones, postponed and delayed receipts, contradictions."""

import pytest

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.account import LocalContract, new_account
from near_tee_cli.primitives.schema.receipt import (
    ACTION,
    DATA,
    PROMISE_YIELD,
    ActionReceipt,
    DataReceipt,
    Receipt,
    encode_receipt,
)
from near_tee_cli.primitives.schema.records import (
    AccountRecord,
    ContractRecord,
    DataRecord,
    DelayedReceiptRecord,
    PostponedReceiptRecord,
    ReceivedDataRecord,
)
from near_tee_cli.runtime.genesis import rows_of_records
from near_tee_cli.state import keys

ID = bytes(range(32))
OTHER = bytes(range(1, 33))


def waiting(tag=ACTION, *inputs) -> Receipt:
    return Receipt("a.near", "b.near", ID, ActionReceipt(tag, "a.near", None, bytes(33), 0, (), inputs, ()))


def with_code(code: bytes) -> AccountRecord:
    return AccountRecord("a.near", new_account(1, 0, contract=LocalContract(sha256(code)), storage_usage=5))


def test_rows_of_accounts_and_data() -> None:
    rows = rows_of_records(
        [
            with_code(b"x"),
            ContractRecord("a.near", b"x"),
            DataRecord("a.near", b"k", b"1"),
            DataRecord("a.near", b"k", b"2"),
        ]
    )
    assert set(rows) == {b"\x00a.near", b"\x01a.near", b"\x09a.near,k"}
    assert rows[b"\x09a.near,k"] == b"2"
    assert rows[b"\x00a.near"][-8:] == (5).to_bytes(8, "little")


def test_skipped_records() -> None:
    system = AccountRecord("system", new_account(1, 0, contract=None, storage_usage=5))
    assert rows_of_records([system, DataRecord("system", b"k", b"v"), ContractRecord("a.near", b"x")]) == {}


def test_code_that_is_not_the_accounts() -> None:
    with pytest.raises(BadInputError, match="not the one"):
        rows_of_records([with_code(b"x"), ContractRecord("a.near", b"y")])


def test_postponed_receipts_come_after_all_data() -> None:
    receipt = waiting(ACTION, ID, OTHER)
    rows = rows_of_records([PostponedReceiptRecord(receipt), ReceivedDataRecord("b.near", OTHER, None)])
    assert rows == {
        keys.received_data("b.near", OTHER): b"\0",
        keys.postponed_receipt_id("b.near", ID): ID,
        keys.pending_data_count("b.near", ID): b"\1\0\0\0",
        keys.postponed_receipt("b.near", ID): encode_receipt(receipt),
    }
    stored = waiting(PROMISE_YIELD, OTHER)
    rows = rows_of_records([PostponedReceiptRecord(stored)])
    assert rows == {keys.promise_yield_receipt("b.near", OTHER): encode_receipt(stored)}


def test_delayed_receipts_are_plain() -> None:
    receipt = waiting(ACTION)
    rows = rows_of_records([DelayedReceiptRecord(receipt), DelayedReceiptRecord(receipt)])
    assert rows[keys.delayed_receipt(1)] == encode_receipt(receipt)
    assert rows[keys.delayed_receipt_indices()] == bytes(8) + (2).to_bytes(8, "little")


@pytest.mark.parametrize(
    "receipt",
    [
        waiting(ACTION),
        waiting(PROMISE_YIELD, ID, OTHER),
        Receipt("a.near", "b.near", ID, DataReceipt(DATA, ID, None)),
    ],
)
def test_receipts_that_wait_for_nothing(receipt) -> None:
    with pytest.raises(BadInputError):
        rows_of_records([PostponedReceiptRecord(receipt)])
