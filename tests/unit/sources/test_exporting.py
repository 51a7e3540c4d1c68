"""States for other tools: what is written, what is left out, and that it reads back."""

import json

import pytest

from near_tee_cli.errors import BadInputError, UsageError
from near_tee_cli.params.store import config_at
from near_tee_cli.primitives.canonical_json import base64_text
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.account import GlobalContract, encode_account, new_account
from near_tee_cli.primitives.schema.receipt import (
    PROMISE_YIELD,
    ActionReceipt,
    Receipt,
    StateStoredReceipt,
    encode_receipt,
    encode_state_stored_receipt,
)
from near_tee_cli.primitives.schema.records import DataRecord, PostponedReceiptRecord, read_record
from near_tee_cli.primitives.schema.wire import u64
from near_tee_cli.runtime.genesis import rows_of_records
from near_tee_cli.sources.exporting import Form, export
from near_tee_cli.state import keys
from tests.support.worlds import account, public_key

CONFIG = config_at(86)
RECORDS = [*account("a.near", 5, code=b"x", usage=183), DataRecord("a.near", b"k", b"v"), *account("b.near")]
ROWS = dict(sorted(rows_of_records(RECORDS).items()))


def exported(form, *accounts, rows=ROWS):
    return export(rows, form, accounts=accounts, config=CONFIG)


def records_in(found, form):
    document = json.loads(found.data)
    items = document if form is Form.GENESIS_RECORDS else document["records"]
    return [read_record(item) for item in items]


@pytest.mark.parametrize("form", [Form.GENESIS_RECORDS, Form.SANDBOX_PATCH])
def test_records_make_the_same_rows(form):
    found = exported(form)
    assert rows_of_records(records_in(found, form)) == ROWS
    assert (found.items, found.left_out) == (6, {})


def test_records_of_some_accounts():
    found = exported(Form.SANDBOX_PATCH, "b.near")
    assert rows_of_records(records_in(found, Form.SANDBOX_PATCH)) == rows_of_records(account("b.near"))


def test_storage_that_genesis_counts_otherwise_is_said():
    assert any("a.near will have 225 bytes instead of 183" in note for note in exported(Form.GENESIS_RECORDS).notes)
    assert exported(Form.SANDBOX_PATCH).notes == []


def test_rows_that_no_record_holds_are_named():
    rows = {**ROWS, keys.bandwidth_scheduler_state(): b"x", keys.promise_yield_indices(): u64(0) + u64(1)}
    found = exported(Form.SANDBOX_PATCH, rows=dict(sorted(rows.items())))
    assert found.left_out == {"BandwidthSchedulerState": 1, "PromiseYieldIndices": 1}


def receipt(tag, number=1):
    return Receipt(
        "a.near", "a.near", bytes([number]) * 32, ActionReceipt(tag, "a.near", None, public_key("a"), 0, (), (), ())
    )


def test_delayed_queue_becomes_records():
    first, second = receipt(0, 1), receipt(0, 2)
    rows = {
        **ROWS,
        keys.delayed_receipt_indices(): u64(255) + u64(257),
        keys.delayed_receipt(256): encode_receipt(second),
        keys.delayed_receipt(255): encode_state_stored_receipt(StateStoredReceipt(1, first, 5, 6)),
    }
    found = exported(Form.SANDBOX_PATCH, rows=dict(sorted(rows.items())))
    assert [record.receipt for record in records_in(found, Form.SANDBOX_PATCH)[-2:]] == [first, second]
    assert found.left_out == {}
    assert any("index 0" in note for note in found.notes)


def test_yields_lose_their_timeouts_and_it_is_said():
    waiting = receipt(PROMISE_YIELD)
    waiting = waiting._replace(body=waiting.body._replace(input_data_ids=(b"\1" * 32,)))
    rows = dict(sorted({**ROWS, **rows_of_records([PostponedReceiptRecord(waiting)])}.items()))
    assert any("never time out" in note for note in exported(Form.SANDBOX_PATCH, rows=rows).notes)


def test_answers():
    assert json.loads(exported(Form.VIEW_STATE, "a.near").data) == {
        "values": [{"key": base64_text(b"k"), "value": base64_text(b"v")}]
    }
    assert json.loads(exported(Form.STATE_MAP, "a.near").data) == {base64_text(b"k"): base64_text(b"v")}
    assert json.loads(exported(Form.VIEW_ACCOUNT, "a.near").data)["storage_usage"] == 183
    assert json.loads(exported(Form.VIEW_CODE, "a.near").data)["code_base64"] == base64_text(b"x")
    assert [
        key["access_key"]["permission"]
        for key in json.loads(exported(Form.VIEW_ACCESS_KEY_LIST, "a.near").data)["keys"]
    ] == ["FullAccess"]


def test_code_of_a_global_contract():
    shared = GlobalContract(sha256(b"x"))
    rows = {keys.account("g.near"): encode_account(new_account(1, 0, contract=shared, storage_usage=132))}
    with pytest.raises(BadInputError):
        exported(Form.VIEW_CODE, "g.near", rows=rows)
    rows[keys.global_contract_code(shared)] = b"x"
    assert json.loads(exported(Form.VIEW_CODE, "g.near", rows=rows).data)["code_base64"] == base64_text(b"x")


def test_what_is_refused():
    with pytest.raises(UsageError):
        exported(Form.VIEW_STATE)
    with pytest.raises(UsageError):
        exported(Form.VIEW_STATE, "a.near", "b.near")
    with pytest.raises(BadInputError) as refused:
        exported(Form.SANDBOX_PATCH, "c.near")
    assert refused.value.code == "unknown-account"
    with pytest.raises(BadInputError) as refused:
        exported(Form.VIEW_CODE, "b.near")
    assert refused.value.code == "unknown-row"
