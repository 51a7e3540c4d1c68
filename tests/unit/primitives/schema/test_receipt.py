"""Receipts: tags, instant ones, refunds, queued forms, refusals, and real ones of mainnet."""

import gzip
import json
import pathlib

import pytest

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives.schema.action import DeleteAccount, FunctionCall, Transfer
from near_tee_cli.primitives.schema.receipt import (
    ACTION,
    ACTION_V2,
    DATA,
    PROMISE_YIELD_V2,
    SYSTEM,
    ActionReceipt,
    DataReceipt,
    Receipt,
    StateStoredReceipt,
    balance_refund,
    decode_receipt,
    decode_state_stored_receipt,
    encode_receipt,
    encode_state_stored_receipt,
    gas_refund,
    is_instant,
)
from near_tee_cli.primitives.schema.receipt_json import read_receipt, receipt_json
from near_tee_cli.primitives.schema.views import receipt_view

MAINNET = pathlib.Path(__file__).parent / "data" / "mainnet_receipts.json.gz"


def action_receipt(tag, *actions, inputs=()) -> Receipt:
    body = ActionReceipt(tag, "a.near", None, bytes(33), 5, (), inputs, actions)
    return Receipt("a.near", "b.near", bytes(32), body)


def test_instant_receipts() -> None:
    deletion = DeleteAccount("c.near")
    assert is_instant(action_receipt(PROMISE_YIELD_V2, Transfer(1), inputs=(bytes(32),)))
    assert is_instant(action_receipt(ACTION, deletion))
    assert not is_instant(action_receipt(ACTION, deletion, inputs=(bytes(32),)))
    assert not is_instant(action_receipt(ACTION_V2, Transfer(1), deletion))
    assert not is_instant(Receipt("a.near", "b.near", bytes(32), DataReceipt(DATA, bytes(32), None)))


def test_refunds() -> None:
    refund = balance_refund("a.near", 7)
    assert (refund.predecessor_id, refund.receiver_id, refund.body.signer_id) == (SYSTEM, "a.near", SYSTEM)
    assert refund.body.signer_public_key == bytes(33)
    assert refund.body.tag == ACTION
    refund = gas_refund("a.near", 7, signer_public_key=b"\1" + bytes(64))
    assert (refund.receiver_id, refund.body.signer_id) == ("a.near", "a.near")
    assert refund.body.actions == (Transfer(7),)
    assert refund.body.gas_price == 0


def test_version_2_has_one_byte_more_without_a_refund_receiver() -> None:
    first, second = action_receipt(ACTION, Transfer(1)), action_receipt(ACTION_V2, Transfer(1))
    assert len(encode_receipt(second)) == len(encode_receipt(first)) + 1
    assert receipt_view(first) == receipt_view(second)


def test_queued_receipts_begin_as_no_receipt_does() -> None:
    receipt = action_receipt(ACTION, Transfer(1))
    stored = StateStoredReceipt(1, receipt, 11, 12)
    data = encode_state_stored_receipt(stored)
    assert data[:3] == b"\xff\xff\1"
    assert data[-16:] == (11).to_bytes(8, "little") + (12).to_bytes(8, "little")
    assert decode_state_stored_receipt(data) == stored
    plain = decode_state_stored_receipt(encode_receipt(receipt))
    assert plain == StateStoredReceipt(None, receipt, 0, 0)
    with pytest.raises(BadInputError, match="unknown version 2"):
        decode_state_stored_receipt(b"\xff\xff\2" + data[3:])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: data[:-1], "too early"),
        (lambda data: data + b"\0", "left over"),
        (lambda data: data[:52] + b"\7" + data[53:], "unknown kind 7"),
        (lambda data: data[:52] + b"\4\5" + data[54:], "unknown version 5"),
        (lambda data: b"\xff\xff\xff\xff" + data[4:], "ends inside a byte string"),
    ],
)
def test_refusals(change, reason) -> None:
    data = encode_receipt(action_receipt(ACTION, Transfer(1)))
    assert data[52] == ACTION
    with pytest.raises(BadInputError, match=reason):
        decode_receipt(change(data))


def test_json_of_one_version_has_no_refund_receiver() -> None:
    text = receipt_json(action_receipt(ACTION_V2, Transfer(1)))
    assert text["receipt"]["ActionV2"]["refund_to"] is None
    assert read_receipt(text) == action_receipt(ACTION_V2, Transfer(1))
    first = receipt_json(action_receipt(ACTION, Transfer(1)))
    assert "refund_to" not in first["receipt"]["Action"]
    with pytest.raises(BadInputError, match="unknown member"):
        read_receipt({**first, "receipt": {"Action": {**first["receipt"]["Action"], "refund_to": None}}})
    with pytest.raises(BadInputError, match="unknown kind of receipt"):
        read_receipt({**first, "receipt": {"Actions": {}}})


def test_receipts_of_mainnet() -> None:
    shown = json.loads(gzip.decompress(MAINNET.read_bytes()))
    receipts = [read_receipt(value) for value in shown]
    assert [receipt_json(receipt) for receipt in receipts] == shown
    assert [decode_receipt(encode_receipt(receipt)) for receipt in receipts] == receipts
    assert len({receipt.receipt_id for receipt in receipts}) == len(receipts) == 383
    kinds = [type(action) for receipt in receipts for action in receipt.body.actions]
    assert (kinds.count(Transfer), kinds.count(FunctionCall), len(kinds)) == (275, 108, 383)
