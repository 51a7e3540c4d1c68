"""Accounts as they lie in the state.

Version 1 is written bare; version 2 follows sixteen `FF` bytes, an amount that no account can have. An account
becomes version 2 when a global contract is assigned to it and never goes back.

Mirrors nearcore: core/primitives-core/src/account.rs
"""

from struct import Struct
from typing import NamedTuple

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives.schema.wire import (
    NO_HASH,
    read_account_id,
    read_hash,
    string,
    whole,
)

MAX_ACCOUNT_DELETION_STORAGE_USAGE = 10_000
"""Bytes of state, contract excluded, above which an account cannot be deleted."""

_SENTINEL = b"\xff" * 16
_V1 = Struct("<QQQQ32sQ")
_V2 = Struct("<16sxQQQQQ")
_LOW = 2**64 - 1


class LocalContract(NamedTuple):
    """A contract of the account's own, by the hash of its code."""

    code_hash: bytes


class GlobalContract(NamedTuple):
    """A contract that is shared under the hash of its code."""

    code_hash: bytes


class GlobalContractByAccount(NamedTuple):
    """The contract that another account deployed for everyone under its own name."""

    account_id: str


AccountContract = LocalContract | GlobalContract | GlobalContractByAccount | None
"""What code an account runs, `None` without any."""


class Account(NamedTuple):
    """Balances in yoctoNEAR, storage in bytes. `version` is 1 or 2."""

    amount: int
    locked: int
    contract: AccountContract
    storage_usage: int
    version: int

    def with_contract(self, contract: AccountContract) -> "Account":
        """The account when it runs `contract`; a global one makes it version 2 for good."""
        version = 2 if isinstance(contract, GlobalContract | GlobalContractByAccount) else self.version
        return Account(self.amount, self.locked, contract, self.storage_usage, version)


def new_account(amount: int, locked: int, *, contract: AccountContract, storage_usage: int) -> Account:
    """A fresh account, in version 2 only when its contract is global."""
    version = 2 if isinstance(contract, GlobalContract | GlobalContractByAccount) else 1
    return Account(amount, locked, contract, storage_usage, version)


def encode_account(account: Account) -> bytes:
    """The value stored for an account."""
    amount, locked, contract, storage_usage, version = account
    if version == 1:
        code_hash = NO_HASH if contract is None else contract[0]
        return _V1.pack(amount & _LOW, amount >> 64, locked & _LOW, locked >> 64, code_hash, storage_usage)
    head = _V2.pack(_SENTINEL, amount & _LOW, amount >> 64, locked & _LOW, locked >> 64, storage_usage)
    return head + encode_contract(contract)


def decode_account(data: bytes) -> Account:
    """The account stored as `data`. Raises `BadInputError` when it is none."""
    if len(data) == _V1.size and data[:16] != _SENTINEL:
        amount, amount_high, locked, locked_high, code_hash, usage = _V1.unpack(data)
        contract = None if code_hash == NO_HASH else LocalContract(code_hash)
        return Account(amount_high << 64 | amount, locked_high << 64 | locked, contract, usage, 1)
    return whole(data, _read_v2, what="account")


def _read_v2(data: bytes, at: int) -> tuple[Account, int]:
    sentinel, amount, amount_high, locked, locked_high, usage = _V2.unpack_from(data, at)
    if sentinel != _SENTINEL or data[at + 16] != 0:
        raise BadInputError("neither version 1 nor version 2")
    contract, at = read_contract(data, at + _V2.size)
    return Account(amount_high << 64 | amount, locked_high << 64 | locked, contract, usage, 2), at


def encode_contract(contract: AccountContract) -> bytes:
    """Borsh of the contract reference: a tag, then a hash or an account id."""
    if contract is None:
        return b"\0"
    if isinstance(contract, LocalContract):
        return b"\1" + contract.code_hash
    if isinstance(contract, GlobalContract):
        return b"\2" + contract.code_hash
    return b"\3" + string(contract.account_id)


def read_contract(data: bytes, at: int) -> tuple[AccountContract, int]:
    """A contract reference at `at`."""
    tag = data[at]
    if tag == 0:
        return None, at + 1
    if tag == 1:
        code_hash, at = read_hash(data, at + 1)
        return LocalContract(code_hash), at
    if tag == 2:
        code_hash, at = read_hash(data, at + 1)
        return GlobalContract(code_hash), at
    if tag == 3:
        account_id, at = read_account_id(data, at + 1)
        return GlobalContractByAccount(account_id), at
    raise BadInputError(f"unknown kind {tag} of contract")


def identifier_storage_usage(contract: AccountContract) -> int:
    """Bytes that a reference to a global contract is billed for; a local one is billed by its code."""
    if isinstance(contract, GlobalContract):
        return len(contract.code_hash)
    if isinstance(contract, GlobalContractByAccount):
        return len(contract.account_id)
    return 0
