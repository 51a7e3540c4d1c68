"""The id of a receipt from the command line: its preimage, and that everything in it counts."""

import hashlib

import pytest

from near_tee_cli.cli.receipt_id import receipt_id
from near_tee_cli.primitives.schema.action import FunctionCall
from near_tee_cli.primitives.schema.receipt import ACTION_V2, ActionReceipt, Receipt, encode_receipt
from near_tee_cli.runtime.block import BlockContext

BODY = ActionReceipt(ACTION_V2, "user.near", None, b"\0" + bytes(32), 5, (), (), (FunctionCall("m", b"{}", 7, 9),))
RECEIPT = Receipt("user.near", "contract.near", bytes(32), BODY)
BLOCK = BlockContext(3, 4, bytes(32), b"s" * 32, bytes(32), 0, 5, None, True, None)
PLACE = {"chain_id": "localnet", "protocol_version": 86, "pre_state_root": b"r" * 32}


def test_preimage():
    preimage = (
        b"near-tee/receipt/v1\0\x08\0\0\0localnet"
        + (86).to_bytes(4, "little")
        + b"r" * 32
        + (3).to_bytes(8, "little")
        + (4).to_bytes(8, "little")
        + b"s" * 32
        + encode_receipt(RECEIPT)
    )
    assert receipt_id(RECEIPT, BLOCK, **PLACE) == hashlib.sha256(preimage).digest()


def test_own_id_does_not_count():
    assert receipt_id(RECEIPT._replace(receipt_id=b"x" * 32), BLOCK, **PLACE) == receipt_id(RECEIPT, BLOCK, **PLACE)


@pytest.mark.parametrize(
    ("receipt", "block", "place"),
    [
        (RECEIPT._replace(predecessor_id="other.near"), BLOCK, PLACE),
        (RECEIPT._replace(body=BODY._replace(refund_to="other.near")), BLOCK, PLACE),
        (RECEIPT._replace(body=BODY._replace(gas_price=6)), BLOCK, PLACE),
        (RECEIPT, BLOCK._replace(height=4), PLACE),
        (RECEIPT, BLOCK._replace(timestamp=5), PLACE),
        (RECEIPT, BLOCK._replace(random_seed=bytes(32)), PLACE),
        (RECEIPT, BLOCK, {**PLACE, "chain_id": "mainnet"}),
        (RECEIPT, BLOCK, {**PLACE, "protocol_version": 85}),
        (RECEIPT, BLOCK, {**PLACE, "pre_state_root": bytes(32)}),
    ],
)
def test_everything_counts(receipt, block, place):
    assert receipt_id(receipt, block, **place) != receipt_id(RECEIPT, BLOCK, **PLACE)
