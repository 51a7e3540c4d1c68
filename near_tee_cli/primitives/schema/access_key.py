"""Access keys: a nonce, and what the key may sign.

A key is bound to function calls on one receiver, or opens everything; in either case it may be a *gas key*, which
holds a balance of its own and several nonces that lie in rows of their own.

Mirrors nearcore: core/primitives-core/src/account.rs
"""

from typing import NamedTuple

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives.schema.wire import (
    optional,
    read_option,
    read_string,
    read_u16,
    read_u64,
    read_u128,
    read_vector,
    string,
    u16,
    u64,
    u128,
    vector,
    whole,
)

ACCESS_KEY_NONCE_RANGE_MULTIPLIER = 10**6
"""A nonce stays below the block height times this."""

MAX_NONCES_FOR_GAS_KEY = 1024
"""Most nonces that one gas key may have."""

MAX_BURNT_GAS_KEY_BALANCE = 10**24
"""yoctoNEAR that deleting a gas key may burn at most."""

GAS_KEY_INFO_LENGTH = 18
"""Bytes of the balance and the number of nonces."""

MIN_GAS_KEY_LENGTH = 27
"""Bytes of the smallest gas key row: nonce, tag, balance, number of nonces."""


class FunctionCallPermission(NamedTuple):
    """Calls of `receiver_id` only; no `method_names` means every method, no `allowance` unlimited fees."""

    allowance: int | None
    receiver_id: str
    method_names: tuple[str, ...]


class GasKeyInfo(NamedTuple):
    """The balance (yoctoNEAR) that pays for gas, and how many nonces run in parallel."""

    balance: int
    num_nonces: int


class AccessKey(NamedTuple):
    """Full access unless `function_call` narrows it; a gas key if `gas_key` is there."""

    nonce: int
    function_call: FunctionCallPermission | None
    gas_key: GasKeyInfo | None


_FULL_ACCESS_LENGTH = 9


def full_access_key(nonce: int) -> AccessKey:
    """An ordinary key that may do everything."""
    return AccessKey(nonce, None, None)


def encode_access_key(key: AccessKey) -> bytes:
    """Borsh of an access key."""
    nonce, function_call, gas_key = key
    if gas_key is None:
        if function_call is None:
            return u64(nonce) + b"\1"
        return u64(nonce) + b"\0" + _encode_function_call(function_call)
    info = u128(gas_key.balance) + u16(gas_key.num_nonces)
    if function_call is None:
        return u64(nonce) + b"\3" + info
    return u64(nonce) + b"\2" + info + _encode_function_call(function_call)


def decode_access_key(data: bytes) -> AccessKey:
    """The access key stored as `data`. Raises `BadInputError` when it is none."""
    if len(data) == _FULL_ACCESS_LENGTH and data[8] == 1:
        return AccessKey(int.from_bytes(data[:8], "little"), None, None)
    return whole(data, read_access_key, what="access key")


def read_access_key(data: bytes, at: int) -> tuple[AccessKey, int]:
    """An access key at `at`."""
    nonce, at = read_u64(data, at)
    tag = data[at]
    at += 1
    function_call = None
    gas_key = None
    if tag > 3:
        raise BadInputError(f"unknown permission {tag} of an access key")
    if tag >= 2:
        balance, at = read_u128(data, at)
        num_nonces, at = read_u16(data, at)
        gas_key = GasKeyInfo(balance, num_nonces)
    if tag in (0, 2):
        allowance, at = read_option(data, at, read_u128)
        receiver_id, at = read_string(data, at)
        method_names, at = read_vector(data, at, read_string)
        function_call = FunctionCallPermission(allowance, receiver_id, method_names)
    return AccessKey(nonce, function_call, gas_key), at


def _encode_function_call(permission: FunctionCallPermission) -> bytes:
    allowance, receiver_id, method_names = permission
    head = optional(None if allowance is None else u128(allowance))
    return head + string(receiver_id) + vector(map(string, method_names))
