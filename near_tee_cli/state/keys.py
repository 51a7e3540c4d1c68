"""Trie keys: the first byte is the column, what follows depends on it.

One function per kind of row, named as nearcore names the row, and `describe` for the way back. An account id
stands raw in a key and ends at a separator, which no account id contains: `,` in most columns, and in the column
of access keys the column's own byte. Numbers are little-endian, so rows of a queue are not ordered by index.

Mirrors nearcore: core/primitives/src/trie_key.rs
"""

from typing import NamedTuple

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives.account_id import is_valid_bytes
from near_tee_cli.primitives.keys import read_key_handle
from near_tee_cli.primitives.schema.global_contract import (
    GlobalContractIdentifier,
    encode_identifier,
    read_identifier,
)
from near_tee_cli.primitives.schema.wire import whole

CONTRACT_DATA = 9
"""The column of what contracts store."""

_HASH_LENGTH = 32


def account(account_id: str) -> bytes:
    """The row of an account."""
    return b"\x00" + account_id.encode()


def contract_code(account_id: str) -> bytes:
    """The row of the code that an account deployed for itself."""
    return b"\x01" + account_id.encode()


def access_key(account_id: str, key_handle: bytes) -> bytes:
    """The row of an access key, named by its handle (see `primitives.keys.key_handle`)."""
    return b"\x02" + account_id.encode() + b"\x02" + key_handle


def access_keys_prefix(account_id: str) -> bytes:
    """What the rows of an account's access keys and gas-key nonces begin with."""
    return b"\x02" + account_id.encode() + b"\x02"


def gas_key_nonce(account_id: str, key_handle: bytes, index: int) -> bytes:
    """The row of one nonce of a gas key."""
    return b"\x02" + account_id.encode() + b"\x02" + key_handle + index.to_bytes(2, "little")


def received_data(receiver_id: str, data_id: bytes) -> bytes:
    """The row of data that arrived before the receipt that waits for it."""
    return b"\x03" + receiver_id.encode() + b"," + data_id


def postponed_receipt_id(receiver_id: str, data_id: bytes) -> bytes:
    """The row that names the receipt waiting for `data_id`."""
    return b"\x04" + receiver_id.encode() + b"," + data_id


def pending_data_count(receiver_id: str, receipt_id: bytes) -> bytes:
    """The row that counts what a postponed receipt still waits for."""
    return b"\x05" + receiver_id.encode() + b"," + receipt_id


def postponed_receipt(receiver_id: str, receipt_id: bytes) -> bytes:
    """The row of a receipt that waits for data."""
    return b"\x06" + receiver_id.encode() + b"," + receipt_id


def delayed_receipt_indices() -> bytes:
    """The row of the bounds of the delayed queue."""
    return b"\x07"


def delayed_receipt(index: int) -> bytes:
    """The row of one delayed receipt."""
    return b"\x07" + index.to_bytes(8, "little")


def contract_data(account_id: str, key: bytes) -> bytes:
    """The row of what a contract stored under `key`."""
    return b"\x09" + account_id.encode() + b"," + key


def contract_data_prefix(account_id: str, prefix: bytes = b"") -> bytes:
    """What the rows of a contract's data begin with, those whose own keys begin with `prefix`."""
    return b"\x09" + account_id.encode() + b"," + prefix


def promise_yield_indices() -> bytes:
    """The row of the bounds of the queue of yield timeouts."""
    return b"\x0a"


def promise_yield_timeout(index: int) -> bytes:
    """The row of one yield timeout."""
    return b"\x0b" + index.to_bytes(8, "little")


def promise_yield_timeouts_prefix() -> bytes:
    """What the rows of yield timeouts begin with."""
    return b"\x0b"


def promise_yield_receipts_prefix() -> bytes:
    """What the rows of waiting yields begin with."""
    return b"\x0c"


def promise_yield_receipt(receiver_id: str, data_id: bytes) -> bytes:
    """The row of a yield that waits to be resumed."""
    return b"\x0c" + receiver_id.encode() + b"," + data_id


def buffered_receipt_indices() -> bytes:
    """The row of the bounds of the outgoing buffers."""
    return b"\x0d"


def buffered_receipt(receiving_shard: int, index: int) -> bytes:
    """The row of one buffered receipt. Here, and only here, the shard takes two bytes."""
    return b"\x0e" + receiving_shard.to_bytes(2, "little") + index.to_bytes(8, "little")


def bandwidth_scheduler_state() -> bytes:
    """The row of the bandwidth scheduler."""
    return b"\x0f"


def buffered_receipt_groups_queue_data(receiving_shard: int) -> bytes:
    """The row of the totals of an outgoing buffer's groups."""
    return b"\x10" + receiving_shard.to_bytes(8, "little")


def buffered_receipt_groups_queue_item(receiving_shard: int, index: int) -> bytes:
    """The row of one group of buffered receipts."""
    return b"\x11" + receiving_shard.to_bytes(8, "little") + index.to_bytes(8, "little")


def global_contract_code(identifier: GlobalContractIdentifier) -> bytes:
    """The row of code that everybody may use."""
    return b"\x12" + encode_identifier(identifier)


def global_contract_nonce(identifier: GlobalContractIdentifier) -> bytes:
    """The row of the nonce of a global contract's last distribution."""
    return b"\x13" + encode_identifier(identifier)


def promise_yield_status(receiver_id: str, data_id: bytes) -> bytes:
    """The row that says how far a yield is."""
    return b"\x14" + receiver_id.encode() + b"," + data_id


def yield_id_to_data_id(receiver_id: str, yield_id: bytes) -> bytes:
    """The row from a contract's own yield id to the data id."""
    return b"\x16" + receiver_id.encode() + b"," + yield_id


def data_id_to_yield_id(receiver_id: str, data_id: bytes) -> bytes:
    """The row from a data id back to the contract's own yield id."""
    return b"\x17" + receiver_id.encode() + b"," + data_id


class KeyDescription(NamedTuple):
    """A trie key taken apart.

    `column` is nearcore's name of the row; `parts` holds the rest by name: hashes, key handles and data keys as
    bytes, indices and shards as int, the identifier of a global contract as its own record.
    """

    column: str
    account_id: str | None
    parts: dict[str, int | bytes | GlobalContractIdentifier]


# Column -> (name, name of the hash behind the account id).
_ACCOUNT_AND_HASH = {
    3: ("ReceivedData", "data_id"),
    4: ("PostponedReceiptId", "data_id"),
    5: ("PendingDataCount", "receipt_id"),
    6: ("PostponedReceipt", "receipt_id"),
    12: ("PromiseYieldReceipt", "data_id"),
    20: ("PromiseYieldStatus", "data_id"),
    22: ("YieldIdToDataId", "yield_id"),
    23: ("DataIdToYieldId", "data_id"),
}

# (Column, length of the rest) -> (name, names and lengths of its numbers).
_NUMBERS: dict[tuple[int, int], tuple[str, tuple[tuple[str, int], ...]]] = {
    (7, 0): ("DelayedReceiptIndices", ()),
    (7, 8): ("DelayedReceipt", (("index", 8),)),
    (10, 0): ("PromiseYieldIndices", ()),
    (11, 8): ("PromiseYieldTimeout", (("index", 8),)),
    (13, 0): ("BufferedReceiptIndices", ()),
    (14, 10): ("BufferedReceipt", (("receiving_shard", 2), ("index", 8))),
    (15, 0): ("BandwidthSchedulerState", ()),
    (16, 8): ("BufferedReceiptGroupsQueueData", (("receiving_shard", 8),)),
    (17, 16): ("BufferedReceiptGroupsQueueItem", (("receiving_shard", 8), ("index", 8))),
}

_ACCOUNT_ONLY = {0: "Account", 1: "ContractCode"}
_GLOBAL_CONTRACT = {18: "GlobalContractCode", 19: "GlobalContractNonce"}


def describe(key: bytes) -> KeyDescription:
    """What `key` names. Raises `BadInputError` (`malformed-trie-key`) when no row has such a key."""
    if not key:
        raise _malformed(key, "it is empty")
    column, rest = key[0], key[1:]
    if column in _ACCOUNT_ONLY:
        return KeyDescription(_ACCOUNT_ONLY[column], _account_id(key, rest), {})
    if column == CONTRACT_DATA:
        account_id, data_key = _split(key, rest, separator=b",")
        return KeyDescription("ContractData", account_id, {"key": data_key})
    if column in _ACCOUNT_AND_HASH:
        name, part = _ACCOUNT_AND_HASH[column]
        account_id, item_hash = _split(key, rest, separator=b",")
        if len(item_hash) != _HASH_LENGTH:
            raise _malformed(key, f"{name} ends in {len(item_hash)} bytes, not in a hash")
        return KeyDescription(name, account_id, {part: item_hash})
    if column == 2:
        return _describe_access_key(key, rest)
    if column in _GLOBAL_CONTRACT:
        return KeyDescription(_GLOBAL_CONTRACT[column], None, {"identifier": _identifier(key, rest)})
    if (column, len(rest)) in _NUMBERS:
        name, fields = _NUMBERS[column, len(rest)]
        numbers: dict[str, int | bytes | GlobalContractIdentifier] = {}
        at = 0
        for field, length in fields:
            numbers[field] = int.from_bytes(rest[at : at + length], "little")
            at += length
        return KeyDescription(name, None, numbers)
    raise _malformed(key, f"column {column} has no rows with {len(rest)} more bytes")


def _describe_access_key(key: bytes, rest: bytes) -> KeyDescription:
    account_id, tail = _split(key, rest, separator=b"\x02")
    try:
        handle, end = read_key_handle(tail, 0)
    except BadInputError as error:
        raise _malformed(key, error.message) from None
    if end == len(tail):
        return KeyDescription("AccessKey", account_id, {"key_handle": handle})
    if end + 2 != len(tail):
        raise _malformed(key, f"{len(tail) - end} bytes stand behind the key handle")
    return KeyDescription(
        "GasKeyNonce", account_id, {"key_handle": handle, "index": int.from_bytes(tail[end:], "little")}
    )


def _identifier(key: bytes, rest: bytes) -> GlobalContractIdentifier:
    try:
        return whole(rest, read_identifier, what="its identifier")
    except BadInputError as error:
        raise _malformed(key, error.message) from None


def _split(key: bytes, rest: bytes, *, separator: bytes) -> tuple[str, bytes]:
    """The account id before the first `separator`, and what stands behind it."""
    account_id, found, tail = rest.partition(separator)
    if not found:
        raise _malformed(key, "nothing ends its account id")
    return _account_id(key, account_id), tail


def _account_id(key: bytes, data: bytes) -> str:
    if not is_valid_bytes(data):
        raise _malformed(key, "its account id is none")
    return data.decode()


def _malformed(key: bytes, reason: str) -> BadInputError:
    return BadInputError(f"no row of the state has the key {key.hex()[:128]}: {reason}", code="malformed-trie-key")
