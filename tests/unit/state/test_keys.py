"""Trie keys: the bytes of every row, and back."""

import pytest

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives.schema.account import GlobalContract, GlobalContractByAccount
from near_tee_cli.state import keys

ED25519 = b"\x00" + bytes(range(32))
SECP256K1 = b"\x01" + bytes(64)
ML_DSA_65 = b"\x03" + bytes(32)
HASH = bytes(range(100, 132))
HANDLES = {"ed25519": ED25519, "secp256k1": SECP256K1, "ml-dsa-65": ML_DSA_65}

ROWS = [
    (keys.account("alice.near"), "00" + b"alice.near".hex(), "Account", "alice.near", {}),
    (keys.contract_code("ab"), "01" + b"ab".hex(), "ContractCode", "ab", {}),
    *(
        (
            keys.access_key("ab", handle),
            "02" + b"ab".hex() + "02" + handle.hex(),
            "AccessKey",
            "ab",
            {"key_handle": handle},
        )
        for handle in HANDLES.values()
    ),
    *(
        (
            keys.gas_key_nonce("ab", handle, 0x0102),
            "02" + b"ab".hex() + "02" + handle.hex() + "0201",
            "GasKeyNonce",
            "ab",
            {"key_handle": handle, "index": 0x0102},
        )
        for handle in HANDLES.values()
    ),
    (keys.received_data("ab", HASH), "03" + b"ab,".hex() + HASH.hex(), "ReceivedData", "ab", {"data_id": HASH}),
    (
        keys.postponed_receipt_id("ab", HASH),
        "04" + b"ab,".hex() + HASH.hex(),
        "PostponedReceiptId",
        "ab",
        {"data_id": HASH},
    ),
    (
        keys.pending_data_count("ab", HASH),
        "05" + b"ab,".hex() + HASH.hex(),
        "PendingDataCount",
        "ab",
        {"receipt_id": HASH},
    ),
    (
        keys.postponed_receipt("ab", HASH),
        "06" + b"ab,".hex() + HASH.hex(),
        "PostponedReceipt",
        "ab",
        {"receipt_id": HASH},
    ),
    (keys.delayed_receipt_indices(), "07", "DelayedReceiptIndices", None, {}),
    (keys.delayed_receipt(0x0102), "07" + "0201000000000000", "DelayedReceipt", None, {"index": 0x0102}),
    (keys.contract_data("ab", b""), "09" + b"ab,".hex(), "ContractData", "ab", {"key": b""}),
    (keys.contract_data("ab", b"x,\xff"), "09" + b"ab,x,\xff".hex(), "ContractData", "ab", {"key": b"x,\xff"}),
    (keys.promise_yield_indices(), "0a", "PromiseYieldIndices", None, {}),
    (keys.promise_yield_timeout(2**64 - 1), "0b" + "ff" * 8, "PromiseYieldTimeout", None, {"index": 2**64 - 1}),
    (
        keys.promise_yield_receipt("ab", HASH),
        "0c" + b"ab,".hex() + HASH.hex(),
        "PromiseYieldReceipt",
        "ab",
        {"data_id": HASH},
    ),
    (keys.buffered_receipt_indices(), "0d", "BufferedReceiptIndices", None, {}),
    (
        keys.buffered_receipt(3, 4),
        "0e" + "0300" + "0400000000000000",
        "BufferedReceipt",
        None,
        {"receiving_shard": 3, "index": 4},
    ),
    (keys.bandwidth_scheduler_state(), "0f", "BandwidthSchedulerState", None, {}),
    (
        keys.buffered_receipt_groups_queue_data(3),
        "10" + "0300000000000000",
        "BufferedReceiptGroupsQueueData",
        None,
        {"receiving_shard": 3},
    ),
    (
        keys.buffered_receipt_groups_queue_item(3, 4),
        "11" + "0300000000000000" + "0400000000000000",
        "BufferedReceiptGroupsQueueItem",
        None,
        {"receiving_shard": 3, "index": 4},
    ),
    (
        keys.global_contract_code(GlobalContract(HASH)),
        "12" + "00" + HASH.hex(),
        "GlobalContractCode",
        None,
        {"identifier": GlobalContract(HASH)},
    ),
    (
        keys.global_contract_nonce(GlobalContractByAccount("ab")),
        "13" + "01" + "02000000" + b"ab".hex(),
        "GlobalContractNonce",
        None,
        {"identifier": GlobalContractByAccount("ab")},
    ),
    (
        keys.promise_yield_status("ab", HASH),
        "14" + b"ab,".hex() + HASH.hex(),
        "PromiseYieldStatus",
        "ab",
        {"data_id": HASH},
    ),
    (
        keys.yield_id_to_data_id("ab", HASH),
        "16" + b"ab,".hex() + HASH.hex(),
        "YieldIdToDataId",
        "ab",
        {"yield_id": HASH},
    ),
    (
        keys.data_id_to_yield_id("ab", HASH),
        "17" + b"ab,".hex() + HASH.hex(),
        "DataIdToYieldId",
        "ab",
        {"data_id": HASH},
    ),
]


@pytest.mark.parametrize(
    ("key", "text", "column", "account_id", "parts"), ROWS, ids=[f"{row[2]}-{row[1][-4:]}" for row in ROWS]
)
def test_rows(key, text, column, account_id, parts):
    assert key.hex() == text
    assert keys.describe(key) == keys.KeyDescription(column, account_id, parts)


def test_every_column_has_a_row_here():
    assert {key[0] for key, *_ in ROWS} == set(range(24)) - {8, 21}


def test_prefixes():
    assert keys.access_key("ab", ED25519).startswith(keys.access_keys_prefix("ab"))
    assert keys.gas_key_nonce("ab", ED25519, 0).startswith(keys.access_keys_prefix("ab"))
    assert not keys.access_key("abc", ED25519).startswith(keys.access_keys_prefix("ab"))
    assert keys.contract_data("ab", b"key").startswith(keys.contract_data_prefix("ab"))
    assert keys.contract_data("ab", b"key").startswith(keys.contract_data_prefix("ab", b"ke"))
    assert keys.contract_data_prefix("ab", b"ke") == b"\x09ab,ke"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "08",
        "15",
        "18",
        "ff",
        "00",
        "00" + b"a".hex(),  # too short for an account id
        "00" + b"A.near".hex(),
        "01" + "ff" * 10,
        "02" + b"ab".hex(),  # nothing ends the account id
        "02" + b"ab".hex() + "02",
        "02" + b"ab".hex() + "02" + "02" + "00" * 1952,  # a whole ML-DSA-65 key never stands in a trie
        "02" + b"ab".hex() + "02" + ED25519.hex() + "00",
        "02" + b"ab".hex() + "02" + ED25519.hex() + "000000",
        "02" + b"ab".hex() + "02" + ED25519[:-1].hex(),
        "03" + b"ab,".hex() + HASH[:-1].hex(),
        "03" + b"ab,".hex() + HASH.hex() + "00",
        "03" + b"ab".hex(),
        "09" + b"ab".hex(),
        "09" + b",ab".hex(),
        "0700",
        "0a00",
        "0b",
        "0e" + "00" * 16,  # the shard takes two bytes here
        "10" + "00" * 2,
        "11" + "00" * 10,
        "12",
        "12" + "00" + "00" * 31,
        "12" + "00" + "00" * 33,
        "12" + "01" + "02000000" + b"a".hex(),
        "12" + "01",  # the length is missing
        "12" + "01" + "0200",
        "12" + "01" + "02000000" + "ffff",  # not UTF-8
        "13" + "02",
    ],
)
def test_no_row_has_such_a_key(text):
    with pytest.raises(BadInputError) as error:
        keys.describe(bytes.fromhex(text))
    assert error.value.code == "malformed-trie-key"


def test_a_long_key_is_not_shown_whole():
    with pytest.raises(BadInputError) as error:
        keys.describe(b"\xff" * 5_000)
    assert len(error.value.message) < 300
