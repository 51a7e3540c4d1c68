"""Actions on access keys, ordinary ones and gas keys, appended to a receipt that this call created.

A public key is read with the other arguments, but that it is none shows only after the fees. A gas key's fees go by
the length that the contract gave, not by that of the key.

Mirrors nearcore: runtime/near-vm-runner/src/wasmtime_runner/logic.rs, runtime/runtime/src/receipt_manager.rs
"""

from near_tee_cli.params.costs import ActionCost
from near_tee_cli.primitives.schema.access_key import AccessKey, FunctionCallPermission, GasKeyInfo
from near_tee_cli.primitives.schema.action import AddKey, DeleteKey, TransferToGasKey
from near_tee_cli.vm.failure import failure
from near_tee_cli.vm.host.arguments import (
    decoded_method_name,
    decoded_public_key,
    split_method_names,
    take,
    take_account_id,
)
from near_tee_cli.vm.host.fees import pay_action, pay_action_bytes, pay_gas_key_transfer, pay_new_gas_key
from near_tee_cli.vm.host.graph import batch_at
from near_tee_cli.vm.logic import Logic

_ADD_FULL_ACCESS_KEY = ActionCost.ADD_FULL_ACCESS_KEY.value
_ADD_FUNCTION_CALL_KEY_BASE = ActionCost.ADD_FUNCTION_CALL_KEY_BASE.value
_ADD_FUNCTION_CALL_KEY_BYTE = ActionCost.ADD_FUNCTION_CALL_KEY_BYTE.value
_DELETE_KEY = ActionCost.DELETE_KEY.value

_U16_MAX = 2**16 - 1


def promise_batch_action_add_key_with_full_access(
    logic: Logic, promise_index: int, public_key_len: int, public_key_ptr: int, nonce: int
) -> None:
    """Append: a key that may sign anything."""
    public_key = take(logic, public_key_len, public_key_ptr)
    receipt, _, sir = batch_at(logic, promise_index)
    pay_action(logic, _ADD_FULL_ACCESS_KEY, sir=sir)
    key = AccessKey(nonce, None, None)
    logic.external.append_action(receipt, AddKey(decoded_public_key(public_key), key))


def promise_batch_action_add_key_with_function_call(
    logic: Logic,
    promise_index: int,
    public_key_len: int,
    public_key_ptr: int,
    nonce: int,
    allowance_ptr: int,
    receiver_id_len: int,
    receiver_id_ptr: int,
    method_names_len: int,
    method_names_ptr: int,
) -> None:
    """Append: a key that may call methods of one account; no names mean all of them."""
    public_key = take(logic, public_key_len, public_key_ptr)
    allowance = logic.memory.read_u128(allowance_ptr) or None
    receiver_id = take_account_id(logic, receiver_id_len, receiver_id_ptr)
    names = split_method_names(take(logic, method_names_len, method_names_ptr))
    receipt, _, sir = batch_at(logic, promise_index)
    _pay_function_call_key(logic, names, sir=sir)
    public_key = decoded_public_key(public_key)
    permission = FunctionCallPermission(allowance, receiver_id, tuple(map(decoded_method_name, names)))
    logic.external.append_action(receipt, AddKey(public_key, AccessKey(nonce, permission, None)))


def promise_batch_action_delete_key(logic: Logic, promise_index: int, public_key_len: int, public_key_ptr: int) -> None:
    """Append: take a key away."""
    public_key = take(logic, public_key_len, public_key_ptr)
    receipt, _, sir = batch_at(logic, promise_index)
    pay_action(logic, _DELETE_KEY, sir=sir)
    logic.external.append_action(receipt, DeleteKey(decoded_public_key(public_key)))


def promise_batch_action_transfer_to_gas_key(
    logic: Logic, promise_index: int, public_key_len: int, public_key_ptr: int, amount_ptr: int
) -> None:
    """Append: fund a gas key."""
    public_key = take(logic, public_key_len, public_key_ptr)
    amount = logic.memory.read_u128(amount_ptr)
    receipt, receiver_id, sir = batch_at(logic, promise_index)
    pay_gas_key_transfer(logic, sir=sir, receiver_id=receiver_id, key_length=public_key_len)
    logic.deduct_balance(amount)
    logic.external.append_action(receipt, TransferToGasKey(decoded_public_key(public_key), amount))


def promise_batch_action_add_gas_key_with_full_access(
    logic: Logic, promise_index: int, public_key_len: int, public_key_ptr: int, num_nonces: int
) -> None:
    """Append: a gas key that may sign anything."""
    public_key = take(logic, public_key_len, public_key_ptr)
    _check_nonces(num_nonces)
    receipt, receiver_id, sir = batch_at(logic, promise_index)
    pay_action(logic, _ADD_FULL_ACCESS_KEY, sir=sir)
    pay_new_gas_key(logic, sir=sir, receiver_id=receiver_id, key_length=public_key_len, num_nonces=num_nonces)
    key = AccessKey(0, None, GasKeyInfo(0, num_nonces))
    logic.external.append_action(receipt, AddKey(decoded_public_key(public_key), key))


def promise_batch_action_add_gas_key_with_function_call(
    logic: Logic,
    promise_index: int,
    public_key_len: int,
    public_key_ptr: int,
    num_nonces: int,
    allowance_ptr: int,
    receiver_id_len: int,
    receiver_id_ptr: int,
    method_names_len: int,
    method_names_ptr: int,
) -> None:
    """Append: a gas key that may call methods of one account."""
    public_key = take(logic, public_key_len, public_key_ptr)
    _check_nonces(num_nonces)
    allowance = logic.memory.read_u128(allowance_ptr) or None
    permitted_id = take_account_id(logic, receiver_id_len, receiver_id_ptr)
    names = split_method_names(take(logic, method_names_len, method_names_ptr))
    receipt, receiver_id, sir = batch_at(logic, promise_index)
    _pay_function_call_key(logic, names, sir=sir)
    pay_new_gas_key(logic, sir=sir, receiver_id=receiver_id, key_length=public_key_len, num_nonces=num_nonces)
    public_key = decoded_public_key(public_key)
    permission = FunctionCallPermission(allowance, permitted_id, tuple(map(decoded_method_name, names)))
    key = AccessKey(0, permission, GasKeyInfo(0, num_nonces))
    logic.external.append_action(receipt, AddKey(public_key, key))


def _check_nonces(num_nonces: int) -> None:
    if num_nonces > _U16_MAX:
        raise failure("IntegerOverflow")


def _pay_function_call_key(logic: Logic, names: list[bytes], *, sir: bool) -> None:
    """The fee of a restricted key: names count with a terminator each."""
    pay_action(logic, _ADD_FUNCTION_CALL_KEY_BASE, sir=sir)
    pay_action_bytes(logic, _ADD_FUNCTION_CALL_KEY_BYTE, sum(map(len, names)) + len(names), sir=sir)
