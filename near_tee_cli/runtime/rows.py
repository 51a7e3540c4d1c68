"""Typed rows of the state: reading decodes, writing encodes, and a row that cannot be read is inconsistent state.

Mirrors nearcore: core/store/src/utils/mod.rs
"""

import struct
from collections.abc import Callable
from typing import TypeVar

from near_tee_cli.errors import BadInputError, InconsistentStateError
from near_tee_cli.primitives.keys import key_handle
from near_tee_cli.primitives.schema.access_key import AccessKey, decode_access_key, encode_access_key
from near_tee_cli.primitives.schema.account import Account, decode_account, encode_account
from near_tee_cli.primitives.schema.receipt import Receipt, decode_receipt, encode_receipt
from near_tee_cli.primitives.schema.wire import blob, optional, read_blob, read_option, u64, whole
from near_tee_cli.state import keys
from near_tee_cli.state.overlay import Overlay

T = TypeVar("T")

_INDICES_LENGTH = 16


def decoded(decode: Callable[[bytes], T], data: bytes, *, key: bytes) -> T:
    """The value of a row. Raises `InconsistentStateError`, naming the key, when it is malformed."""
    try:
        return decode(data)
    except BadInputError as problem:
        raise InconsistentStateError(f"the row of key {key.hex()} is malformed: {problem.message}") from problem


def account(state: Overlay, account_id: str) -> Account | None:
    """The account, `None` when it does not exist."""
    key = keys.account(account_id)
    data = state.get(key)
    return None if data is None else decoded(decode_account, data, key=key)


def set_account(state: Overlay, account_id: str, value: Account) -> None:
    """Write an account. Raises `InconsistentStateError` when its balance or storage has outgrown its field."""
    try:
        data = encode_account(value)
    except struct.error as problem:
        raise InconsistentStateError(f"the balance or storage of {account_id} overflows") from problem
    state.set(keys.account(account_id), data)


def access_key(state: Overlay, account_id: str, public_key: bytes) -> AccessKey | None:
    """The access key of a public key, `None` when the account has none."""
    key = keys.access_key(account_id, key_handle(public_key))
    data = state.get(key)
    return None if data is None else decoded(decode_access_key, data, key=key)


def set_access_key(state: Overlay, account_id: str, public_key: bytes, *, value: AccessKey) -> None:
    """Write an access key."""
    state.set(keys.access_key(account_id, key_handle(public_key)), encode_access_key(value))


def remove_access_key(state: Overlay, account_id: str, public_key: bytes) -> None:
    """Remove an access key."""
    state.remove(keys.access_key(account_id, key_handle(public_key)))


def gas_key_nonce(state: Overlay, account_id: str, public_key: bytes, *, index: int) -> int | None:
    """One nonce of a gas key."""
    key = keys.gas_key_nonce(account_id, key_handle(public_key), index)
    data = state.get(key)
    return None if data is None else decoded(_decode_u64, data, key=key)


def set_gas_key_nonce(state: Overlay, account_id: str, public_key: bytes, *, index: int, nonce: int) -> None:
    """Write one nonce of a gas key."""
    state.set(keys.gas_key_nonce(account_id, key_handle(public_key), index), u64(nonce))


def remove_gas_key_nonce(state: Overlay, account_id: str, public_key: bytes, *, index: int) -> int:
    """Remove one nonce of a gas key; the length of its trie key."""
    key = keys.gas_key_nonce(account_id, key_handle(public_key), index)
    state.remove(key)
    return len(key)


def take_received_data(state: Overlay, account_id: str, data_id: bytes) -> bytes | None:
    """Read and remove the data that a receipt waited for. Raises `InconsistentStateError` when it is not there."""
    key = keys.received_data(account_id, data_id)
    data = state.get(key)
    if data is None:
        raise InconsistentStateError("received data should be in the state")
    state.remove(key)
    return decoded(_decode_received_data, data, key=key)


def set_received_data(state: Overlay, account_id: str, data_id: bytes, *, data: bytes | None) -> None:
    """Write data that arrived, `None` for a failed result."""
    state.set(keys.received_data(account_id, data_id), optional(None if data is None else blob(data)))


def receipt_at(state: Overlay, key: bytes) -> Receipt | None:
    """The plain receipt under `key`."""
    data = state.get(key)
    return None if data is None else decoded(decode_receipt, data, key=key)


def set_receipt_at(state: Overlay, key: bytes, receipt: Receipt) -> None:
    """Write a plain receipt under `key`."""
    state.set(key, encode_receipt(receipt))


def indices(state: Overlay, key: bytes) -> tuple[int, int]:
    """First and next index of a queue, (0, 0) when there is no row."""
    data = state.get(key)
    if data is None:
        return 0, 0
    if len(data) != _INDICES_LENGTH:
        raise InconsistentStateError(f"the indices of key {key.hex()} have {len(data)} bytes")
    first, following = int.from_bytes(data[:8], "little"), int.from_bytes(data[8:], "little")
    if first > following:
        raise InconsistentStateError(f"the indices of key {key.hex()} run backwards")
    return first, following


def set_indices(state: Overlay, key: bytes, value: tuple[int, int]) -> None:
    """Write first and next index of a queue."""
    state.set(key, u64(value[0]) + u64(value[1]))


def _decode_u64(data: bytes) -> int:
    if len(data) != 8:
        raise BadInputError(f"a number of {len(data)} bytes, expected 8")
    return int.from_bytes(data, "little")


def _decode_received_data(data: bytes) -> bytes | None:
    return whole(data, lambda raw, at: read_option(raw, at, read_blob), what="received data")
