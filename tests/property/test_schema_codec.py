"""Every record of the chain: its Borsh and its JSON there and back; damage never surprises the reader."""

import contextlib
import json

from hypothesis import given
from hypothesis import strategies as st

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives.schema import records, views
from near_tee_cli.primitives.schema.access_key import decode_access_key, encode_access_key
from near_tee_cli.primitives.schema.account import decode_account, encode_account
from near_tee_cli.primitives.schema.account_json import access_key_json, account_json, read_access_key, read_account
from near_tee_cli.primitives.schema.action import decode_action, encode_action
from near_tee_cli.primitives.schema.action_json import action_json, read_action
from near_tee_cli.primitives.schema.receipt import (
    decode_receipt,
    decode_state_stored_receipt,
    encode_receipt,
    encode_state_stored_receipt,
)
from near_tee_cli.primitives.schema.receipt_json import read_receipt, receipt_json
from near_tee_cli.primitives.schema.transaction import decode_signed_transaction, encode_signed_transaction
from tests.support import schema_strategies as some


def through_json(value):
    """What a reader of the written text gets."""
    return json.loads(json.dumps(value))


@given(some.account)
def test_accounts(account) -> None:
    assert decode_account(encode_account(account)) == account
    assert read_account(through_json(account_json(account))) == account
    views.account_view(account)


@given(some.access_key)
def test_access_keys(key) -> None:
    assert decode_access_key(encode_access_key(key)) == key
    assert read_access_key(through_json(access_key_json(key))) == key
    views.access_key_view(key)


@given(some.action)
def test_actions(action) -> None:
    decoded = decode_action(encode_action(action))
    assert decoded == action
    assert type(decoded) is type(action)
    read = read_action(through_json(action_json(action)))
    assert read == action
    assert type(read) is type(action)
    json.dumps(views.action_view(action))


@given(some.receipt)
def test_receipts(receipt) -> None:
    assert decode_receipt(encode_receipt(receipt)) == receipt
    assert encode_receipt(decode_receipt(encode_receipt(receipt))) == encode_receipt(receipt)
    assert encode_receipt(read_receipt(through_json(receipt_json(receipt)))) == encode_receipt(receipt)
    json.dumps(views.receipt_view(receipt))


@given(some.stored_receipt)
def test_queued_receipts(stored) -> None:
    assert decode_state_stored_receipt(encode_state_stored_receipt(stored)) == stored


@given(some.signed_transaction)
def test_transactions(signed) -> None:
    data = encode_signed_transaction(signed)
    assert decode_signed_transaction(data) == signed
    assert signed.size == len(data)
    json.dumps(views.transaction_view(signed))


@given(
    st.one_of(
        st.builds(records.AccountRecord, some.account_id, some.account),
        st.builds(records.DataRecord, some.account_id, some.blob, some.blob),
        st.builds(records.ContractRecord, some.account_id, some.blob),
        st.builds(records.AccessKeyRecord, some.account_id, some.key_handle, some.access_key),
        st.builds(records.GasKeyNonceRecord, some.account_id, some.key_handle, some.u16, some.u64),
        st.builds(records.ReceivedDataRecord, some.account_id, some.hash32, st.none() | some.blob),
        st.builds(records.PostponedReceiptRecord, some.receipt),
        st.builds(records.DelayedReceiptRecord, some.receipt),
    )
)
def test_records(record) -> None:
    read = records.read_record(through_json(records.record_json(record)))
    assert read == record
    assert type(read) is type(record)


@given(st.one_of(some.receipt.map(encode_receipt), some.signed_transaction.map(encode_signed_transaction)), st.data())
def test_a_changed_byte_or_length_is_refused_or_means_something_else(data, draw) -> None:
    position = draw.draw(st.integers(0, len(data) - 1))
    changed = data[:position] + bytes([data[position] ^ draw.draw(st.integers(1, 255))]) + data[position + 1 :]
    for damaged in (changed, data[:position], data + b"\0"):
        for decode, encode in (
            (decode_receipt, encode_receipt),
            (decode_signed_transaction, encode_signed_transaction),
        ):
            try:
                value = decode(damaged)
            except BadInputError:
                continue
            assert decode(encode(value)) == value
            assert damaged != data


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_cleanly(data) -> None:
    for decode in (
        decode_receipt,
        decode_signed_transaction,
        decode_account,
        decode_access_key,
        decode_action,
        decode_state_stored_receipt,
    ):
        with contextlib.suppress(BadInputError):
            decode(data)
