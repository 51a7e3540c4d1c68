"""What a transaction or receipt asks an account to do: the fifteen actions.

Names and fields are NEAR's; the class says which action it is, and `TAGS` which number it has on the wire.

Mirrors nearcore: core/primitives/src/action/mod.rs, core/primitives/src/action/delegate.rs
"""

from collections.abc import Callable
from enum import IntEnum
from struct import Struct
from typing import Any, NamedTuple, Union

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.access_key import AccessKey, encode_access_key, read_access_key
from near_tee_cli.primitives.schema.global_contract import (
    GlobalContractIdentifier,
    StateInit,
    encode_identifier,
    encode_state_init,
    read_identifier,
    read_state_init,
)
from near_tee_cli.primitives.schema.wire import (
    blob,
    read_account_id,
    read_blob,
    read_public_key,
    read_signature,
    read_string,
    read_u16,
    read_u64,
    read_u128,
    read_vector,
    string,
    u16,
    u32,
    u64,
    u128,
    whole,
)

_DELEGATE_PREFIX = u32(2**30 + 366)
_DELEGATE_V2_PREFIX = u32(2**30 + 611)
_CALL_TAIL = Struct("<QQQ")
_LOW = 2**64 - 1


class DeployMode(IntEnum):
    """Under which name a global contract is deployed."""

    CODE_HASH = 0
    ACCOUNT_ID = 1


class CreateAccount(NamedTuple):
    """Make the receiver exist."""


class DeployContract(NamedTuple):
    """Give the receiver code of its own."""

    code: bytes


class FunctionCall(NamedTuple):
    """Run a method of the receiver's contract with `gas` and `deposit` (yoctoNEAR) attached."""

    method_name: str
    args: bytes
    gas: int
    deposit: int


class Transfer(NamedTuple):
    """Move `deposit` yoctoNEAR to the receiver."""

    deposit: int


class Stake(NamedTuple):
    """Offer `stake` yoctoNEAR for validating with `public_key`."""

    stake: int
    public_key: bytes


class AddKey(NamedTuple):
    """Let `public_key` sign for the receiver."""

    public_key: bytes
    access_key: AccessKey


class DeleteKey(NamedTuple):
    """Take `public_key` from the receiver."""

    public_key: bytes


class DeleteAccount(NamedTuple):
    """Remove the receiver and send what it has to `beneficiary_id`."""

    beneficiary_id: str


class DelegateAction(NamedTuple):
    """What the sender signed for somebody else to submit; `nonce_index` selects a nonce of a gas key."""

    sender_id: str
    receiver_id: str
    actions: tuple["Action", ...]
    nonce: int
    nonce_index: int | None
    max_block_height: int
    public_key: bytes


class Delegate(NamedTuple):
    """A signed delegate action; its key is no gas key."""

    delegate_action: DelegateAction
    signature: bytes


class DeployGlobalContract(NamedTuple):
    """Share code with everybody."""

    code: bytes
    deploy_mode: DeployMode


class UseGlobalContract(NamedTuple):
    """Let the receiver run a shared contract."""

    contract_identifier: GlobalContractIdentifier


class DeterministicStateInit(NamedTuple):
    """Make a deterministic account exist with its state, unless it does."""

    state_init: StateInit
    deposit: int


class TransferToGasKey(NamedTuple):
    """Fund a gas key of the receiver."""

    public_key: bytes
    deposit: int


class WithdrawFromGasKey(NamedTuple):
    """Take `amount` from a gas key of the receiver."""

    public_key: bytes
    amount: int


class DelegateV2(NamedTuple):
    """A signed delegate action whose key may be a gas key."""

    delegate_action: DelegateAction
    signature: bytes


Action = Union[  # noqa: UP007 - the forward reference inside `DelegateAction` needs the plain form
    CreateAccount,
    DeployContract,
    FunctionCall,
    Transfer,
    Stake,
    AddKey,
    DeleteKey,
    DeleteAccount,
    Delegate,
    DeployGlobalContract,
    UseGlobalContract,
    DeterministicStateInit,
    TransferToGasKey,
    WithdrawFromGasKey,
    DelegateV2,
]
"""One action."""

TAGS: dict[type[Any], int] = {
    CreateAccount: 0,
    DeployContract: 1,
    FunctionCall: 2,
    Transfer: 3,
    Stake: 4,
    AddKey: 5,
    DeleteKey: 6,
    DeleteAccount: 7,
    Delegate: 8,
    DeployGlobalContract: 9,
    UseGlobalContract: 10,
    DeterministicStateInit: 11,
    TransferToGasKey: 12,
    WithdrawFromGasKey: 13,
    DelegateV2: 14,
}
"""The number of each action on the wire."""


def is_delegate(action: Action) -> bool:
    """Whether `action` carries actions of its own."""
    return isinstance(action, Delegate | DelegateV2)


def encode_action(action: Action) -> bytes:
    """Borsh of an action, tag first."""
    return _ENCODERS[type(action)](action)


def encode_actions(actions: tuple[Action, ...]) -> bytes:
    """Borsh of a list of actions."""
    encoders = _ENCODERS
    return u32(len(actions)) + b"".join([encoders[type(action)](action) for action in actions])


def decode_action(data: bytes) -> Action:
    """The action that `data` encodes. Raises `BadInputError` when it is none."""
    return whole(data, read_action, what="action")


def read_action(data: bytes, at: int) -> tuple[Action, int]:
    """An action at `at`."""
    tag = data[at]
    if tag >= len(_READERS):
        raise BadInputError(f"unknown action {tag}")
    return _READERS[tag](data, at + 1)


def read_actions(data: bytes, at: int) -> tuple[tuple[Action, ...], int]:
    """A list of actions at `at`."""
    return read_vector(data, at, read_action)


def delegate_message(action: Delegate | DelegateV2) -> bytes:
    """The 32 bytes that the sender of a delegate action signs."""
    if isinstance(action, Delegate):
        return sha256(_DELEGATE_PREFIX + _encode_delegate_v1(action.delegate_action))
    return sha256(_DELEGATE_V2_PREFIX + _encode_delegate_v2(action.delegate_action))


def encode_nonce(nonce: int, nonce_index: int | None) -> bytes:
    """A nonce of version 1 transactions and delegates: plain, or one of a gas key's."""
    return b"\0" + u64(nonce) if nonce_index is None else b"\1" + u64(nonce) + u16(nonce_index)


def read_nonce(data: bytes, at: int) -> tuple[int, int | None, int]:
    """The nonce at `at`, its index if it belongs to a gas key, and the position after them."""
    tag = data[at]
    if tag > 1:
        raise BadInputError(f"unknown kind {tag} of nonce")
    nonce, at = read_u64(data, at + 1)
    if tag == 0:
        return nonce, None, at
    nonce_index, at = read_u16(data, at)
    return nonce, nonce_index, at


def _encode_function_call(action: FunctionCall) -> bytes:
    method_name, args, gas, deposit = action
    name = method_name.encode()
    tail = _CALL_TAIL.pack(gas, deposit & _LOW, deposit >> 64)
    return b"\2" + u32(len(name)) + name + u32(len(args)) + args + tail


def _read_function_call(data: bytes, at: int) -> tuple[Action, int]:
    method_name, at = read_string(data, at)
    args, at = read_blob(data, at)
    gas, low, high = _CALL_TAIL.unpack_from(data, at)
    return FunctionCall(method_name, args, gas, high << 64 | low), at + 24


def _encode_delegate_v1(delegate: DelegateAction) -> bytes:
    head = string(delegate.sender_id) + string(delegate.receiver_id) + encode_actions(delegate.actions)
    return head + u64(delegate.nonce) + u64(delegate.max_block_height) + delegate.public_key


def _encode_delegate_v2(delegate: DelegateAction) -> bytes:
    head = b"\0" + string(delegate.sender_id) + string(delegate.receiver_id) + encode_actions(delegate.actions)
    nonce = encode_nonce(delegate.nonce, delegate.nonce_index)
    return head + nonce + u64(delegate.max_block_height) + delegate.public_key


def _read_inner_action(data: bytes, at: int) -> tuple[Action, int]:
    if data[at] in (TAGS[Delegate], TAGS[DelegateV2]):
        raise BadInputError("a delegate action inside a delegate action")
    return read_action(data, at)


def _read_delegate(data: bytes, at: int, *, second: bool) -> tuple[DelegateAction, bytes, int]:
    if second:
        if data[at] != 0:
            raise BadInputError(f"unknown version {data[at]} of a delegate action")
        at += 1
    sender_id, at = read_account_id(data, at)
    receiver_id, at = read_account_id(data, at)
    actions, at = read_vector(data, at, _read_inner_action)
    nonce_index = None
    if second:
        nonce, nonce_index, at = read_nonce(data, at)
    else:
        nonce, at = read_u64(data, at)
    max_block_height, at = read_u64(data, at)
    public_key, at = read_public_key(data, at)
    signature, at = read_signature(data, at)
    delegate = DelegateAction(sender_id, receiver_id, actions, nonce, nonce_index, max_block_height, public_key)
    return delegate, signature, at


def _read_delegate_v1(data: bytes, at: int) -> tuple[Action, int]:
    delegate, signature, at = _read_delegate(data, at, second=False)
    return Delegate(delegate, signature), at


def _read_delegate_v2(data: bytes, at: int) -> tuple[Action, int]:
    delegate, signature, at = _read_delegate(data, at, second=True)
    return DelegateV2(delegate, signature), at


def _read_create_account(_data: bytes, at: int) -> tuple[Action, int]:
    return CreateAccount(), at


def _read_deploy_contract(data: bytes, at: int) -> tuple[Action, int]:
    code, at = read_blob(data, at)
    return DeployContract(code), at


def _read_transfer(data: bytes, at: int) -> tuple[Action, int]:
    deposit, at = read_u128(data, at)
    return Transfer(deposit), at


def _read_stake(data: bytes, at: int) -> tuple[Action, int]:
    stake, at = read_u128(data, at)
    public_key, at = read_public_key(data, at)
    return Stake(stake, public_key), at


def _read_add_key(data: bytes, at: int) -> tuple[Action, int]:
    public_key, at = read_public_key(data, at)
    access_key, at = read_access_key(data, at)
    return AddKey(public_key, access_key), at


def _read_delete_key(data: bytes, at: int) -> tuple[Action, int]:
    public_key, at = read_public_key(data, at)
    return DeleteKey(public_key), at


def _read_delete_account(data: bytes, at: int) -> tuple[Action, int]:
    beneficiary_id, at = read_account_id(data, at)
    return DeleteAccount(beneficiary_id), at


def _read_deploy_global_contract(data: bytes, at: int) -> tuple[Action, int]:
    code, at = read_blob(data, at)
    if data[at] > 1:
        raise BadInputError(f"unknown mode {data[at]} of deploying a global contract")
    return DeployGlobalContract(code, DeployMode(data[at])), at + 1


def _read_use_global_contract(data: bytes, at: int) -> tuple[Action, int]:
    identifier, at = read_identifier(data, at)
    return UseGlobalContract(identifier), at


def _read_deterministic_state_init(data: bytes, at: int) -> tuple[Action, int]:
    init, at = read_state_init(data, at)
    deposit, at = read_u128(data, at)
    return DeterministicStateInit(init, deposit), at


def _read_transfer_to_gas_key(data: bytes, at: int) -> tuple[Action, int]:
    public_key, at = read_public_key(data, at)
    deposit, at = read_u128(data, at)
    return TransferToGasKey(public_key, deposit), at


def _read_withdraw_from_gas_key(data: bytes, at: int) -> tuple[Action, int]:
    public_key, at = read_public_key(data, at)
    amount, at = read_u128(data, at)
    return WithdrawFromGasKey(public_key, amount), at


_ENCODERS: dict[type[Any], Callable[[Any], bytes]] = {
    CreateAccount: lambda _: b"\x00",
    DeployContract: lambda action: b"\x01" + blob(action.code),
    FunctionCall: _encode_function_call,
    Transfer: lambda action: b"\x03" + u128(action.deposit),
    Stake: lambda action: b"\x04" + u128(action.stake) + action.public_key,
    AddKey: lambda action: b"\x05" + action.public_key + encode_access_key(action.access_key),
    DeleteKey: lambda action: b"\x06" + action.public_key,
    DeleteAccount: lambda action: b"\x07" + string(action.beneficiary_id),
    Delegate: lambda action: b"\x08" + _encode_delegate_v1(action.delegate_action) + action.signature,
    DeployGlobalContract: lambda action: b"\x09" + blob(action.code) + bytes([action.deploy_mode]),
    UseGlobalContract: lambda action: b"\x0a" + encode_identifier(action.contract_identifier),
    DeterministicStateInit: lambda action: b"\x0b" + encode_state_init(action.state_init) + u128(action.deposit),
    TransferToGasKey: lambda action: b"\x0c" + action.public_key + u128(action.deposit),
    WithdrawFromGasKey: lambda action: b"\x0d" + action.public_key + u128(action.amount),
    DelegateV2: lambda action: b"\x0e" + _encode_delegate_v2(action.delegate_action) + action.signature,
}

_READERS: tuple[Callable[[bytes, int], tuple[Action, int]], ...] = (
    _read_create_account,
    _read_deploy_contract,
    _read_function_call,
    _read_transfer,
    _read_stake,
    _read_add_key,
    _read_delete_key,
    _read_delete_account,
    _read_delegate_v1,
    _read_deploy_global_contract,
    _read_use_global_contract,
    _read_deterministic_state_init,
    _read_transfer_to_gas_key,
    _read_withdraw_from_gas_key,
    _read_delegate_v2,
)
