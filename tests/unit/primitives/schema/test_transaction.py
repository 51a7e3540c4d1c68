"""Transactions: nearcore's transaction of every action (core/primitives/src/transaction.rs), versions, refusals."""

import pytest

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives import base58
from near_tee_cli.primitives.schema.access_key import AccessKey, FunctionCallPermission
from near_tee_cli.primitives.schema.action import (
    AddKey,
    CreateAccount,
    DeleteAccount,
    DeleteKey,
    DeployContract,
    FunctionCall,
    Stake,
    Transfer,
)
from near_tee_cli.primitives.schema.receipt import derived_id
from near_tee_cli.primitives.schema.transaction import (
    Transaction,
    decode_signed_transaction,
    encode_signed_transaction,
    encode_transaction,
    sign_with,
    transaction_hash,
    transaction_v0,
)

KEY = b"\0" + base58.decode("22skMptHjFWNyuEWY22ftn2AbLPSYpmYwGJRGwpNHbTV", 32)
NO_SIGNATURE = bytes(65)


def every_action() -> Transaction:
    return transaction_v0(
        "test.near",
        KEY,
        nonce=1,
        receiver_id="123",
        block_hash=bytes(32),
        actions=(
            CreateAccount(),
            DeployContract(bytes([1, 2, 3])),
            FunctionCall("qqq", bytes([1, 2, 3]), 1000, 1_000_000),
            Transfer(123),
            Stake(1_000_000, KEY),
            AddKey(KEY, AccessKey(0, FunctionCallPermission(None, "zzz", ("www",)), None)),
            DeleteKey(KEY),
            DeleteAccount("123"),
        ),
    )


def test_hash_of_every_action() -> None:
    assert base58.encode(transaction_hash(every_action())) == "4GXvjMFN6wSxnU9jEVT8HbXP5Yk6yELX9faRSKp6n9fX"


def test_ids_that_follow_from_it() -> None:
    receipt_id = derived_id(transaction_hash(every_action()), 1, 0)
    assert base58.encode(receipt_id) == "J2wEdVndAStvxh1gXtNi2tPKBQapDUPj2N2qafoiUQ2h"
    action_hash = derived_id(receipt_id, 1, 2**64 - 1)
    assert base58.encode(action_hash) == "FGnH3Z7fEQEPHEymPeG3sE8XC4ca9rx14SzjxazGXCmG"
    assert base58.encode(derived_id(action_hash, 1, 0)) == "AKYvoFLZvuiWUEotnaAvNT1yZUEanChqzpfSBJ2GRQ6A"


def test_the_second_byte_tells_the_versions_apart() -> None:
    old = encode_signed_transaction(sign_with(every_action(), NO_SIGNATURE))
    assert old[1] == 0
    new = every_action()._replace(version=1, nonce_index=7, strict_nonce=True)
    data = encode_signed_transaction(sign_with(new, NO_SIGNATURE))
    assert data[0] == 1
    assert data[2:5] == bytes(3)
    read = decode_signed_transaction(data)
    assert read.transaction == new
    assert read.hash == transaction_hash(new)
    assert len(encode_transaction(new)) == len(encode_transaction(every_action())) + 1 + 1 + 2 + 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: data + b"\0", "left over"),
        (lambda data: data[:-1], "bytes expected"),
        (lambda data: data[:10], "ends inside a byte string"),
        (lambda data: b"", "too early"),
        (lambda data: b"\2\1" + data[2:], "unknown version 2"),
        (lambda data: data.replace(b"test.near", b"Test.near"), "not an account id"),
        (lambda data: data[:-1] + b"\xe0", "scalar is out of range"),
        (lambda data: data.replace(b"qqq", b"\xff\xff\xff"), "not UTF-8"),
    ],
)
def test_refusals(change, reason) -> None:
    data = encode_signed_transaction(sign_with(every_action(), NO_SIGNATURE))
    with pytest.raises(BadInputError, match=reason):
        decode_signed_transaction(change(data))
