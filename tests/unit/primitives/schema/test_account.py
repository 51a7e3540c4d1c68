"""Accounts: both versions, and what their JSON may say (core/primitives-core/src/account.rs)."""

import pytest

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives import base58
from near_tee_cli.primitives.schema.account import (
    Account,
    GlobalContract,
    GlobalContractByAccount,
    LocalContract,
    decode_account,
    encode_account,
    identifier_storage_usage,
    new_account,
)
from near_tee_cli.primitives.schema.account_json import account_json, read_account

CODE_HASH = bytes(range(32))


def test_version_1() -> None:
    account = new_account(1_000_000, 1_000_000, contract=None, storage_usage=100)
    data = encode_account(account)
    assert len(data) == 72
    assert account.version == 1
    assert data == (1_000_000).to_bytes(16, "little") * 2 + bytes(32) + (100).to_bytes(8, "little")
    assert decode_account(data) == account


def test_version_2_follows_an_amount_that_nobody_has() -> None:
    account = new_account(5, 0, contract=GlobalContractByAccount("ft.near"), storage_usage=107)
    data = encode_account(account)
    assert account.version == 2
    assert data[:17] == b"\xff" * 16 + b"\0"
    assert data[-12:] == b"\3\7\0\0\0ft.near"
    assert decode_account(data) == account


def test_a_global_contract_makes_version_2_for_good() -> None:
    account = new_account(0, 0, contract=LocalContract(CODE_HASH), storage_usage=100)
    upgraded = account.with_contract(GlobalContract(CODE_HASH))
    assert (account.version, upgraded.version) == (1, 2)
    back = upgraded.with_contract(None)
    assert back.version == 2
    assert decode_account(encode_account(back)) == back


def test_storage_of_an_identifier() -> None:
    assert identifier_storage_usage(GlobalContract(CODE_HASH)) == 32
    assert identifier_storage_usage(GlobalContractByAccount("ft.near")) == 7
    assert identifier_storage_usage(LocalContract(CODE_HASH)) == 0
    assert identifier_storage_usage(None) == 0


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(71),
        bytes(73),
        b"\xff" * 16 + bytes(56),
        b"\xff" * 16 + b"\1" + bytes(41),
        b"\xff" * 16 + bytes(41) + b"\4",
        b"\xff" * 16 + bytes(41) + b"\3\2\0\0\0A!",
    ],
)
def test_malformed(data) -> None:
    with pytest.raises(BadInputError):
        decode_account(data)


def test_json_of_nearcore() -> None:
    text = {
        "amount": "1000000",
        "locked": "1000000",
        "code_hash": base58.encode(bytes(32)),
        "storage_usage": 100,
        "version": "V1",
    }
    account = Account(1_000_000, 1_000_000, None, 100, 1)
    assert account_json(account) == text
    assert read_account(text) == account
    assert read_account({k: v for k, v in text.items() if k != "version"}) == account
    assert read_account({**text, "amount": 1_000_000}) == account


@pytest.mark.parametrize(
    "change",
    [
        {"code_hash": base58.encode(CODE_HASH), "global_contract_hash": base58.encode(CODE_HASH)},
        {"global_contract_account_id": "a.near", "global_contract_hash": base58.encode(CODE_HASH)},
        {"version": "V1", "global_contract_account_id": "a.near"},
        {"version": "V3"},
        {"storage_usage": "100"},
        {"amount": "-1"},
        {"amount": str(2**128)},
        {"locked": True},
        {"unknown": 1},
    ],
)
def test_json_that_contradicts_itself(change) -> None:
    text = {"amount": "0", "locked": "0", "code_hash": base58.encode(bytes(32)), "storage_usage": 0, "version": "V2"}
    read_account(text)
    with pytest.raises(BadInputError):
        read_account({**text, **change})
