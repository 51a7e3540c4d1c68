"""Actions appended to a receipt that this call created: accounts, contracts, calls, transfers, stakes.

Always in this order: read the arguments, find the receipt, pay the fees, take the balance, append. Nothing is
appended unless everything before it held.

Mirrors nearcore: runtime/near-vm-runner/src/wasmtime_runner/logic.rs, runtime/runtime/src/receipt_manager.rs
"""

from near_tee_cli.params.costs import ActionCost
from near_tee_cli.primitives.schema.account import GlobalContract, GlobalContractByAccount
from near_tee_cli.primitives.schema.action import (
    CreateAccount,
    DeleteAccount,
    DeployContract,
    DeployGlobalContract,
    DeployMode,
    DeterministicStateInit,
    FunctionCall,
    Stake,
    Transfer,
    UseGlobalContract,
)
from near_tee_cli.primitives.schema.global_contract import (
    GlobalContractIdentifier,
    StateInit,
    identifier_length,
)
from near_tee_cli.vm.failure import HostFailure, failure
from near_tee_cli.vm.host.arguments import (
    HASH_BYTES,
    decoded_method_name,
    decoded_public_key,
    take,
    take_account_id,
)
from near_tee_cli.vm.host.fees import pay_action, pay_action_bytes, pay_transfer
from near_tee_cli.vm.host.graph import batch_at
from near_tee_cli.vm.logic import Logic

_CREATE_ACCOUNT = ActionCost.CREATE_ACCOUNT.value
_DELETE_ACCOUNT = ActionCost.DELETE_ACCOUNT.value
_DEPLOY_BASE = ActionCost.DEPLOY_CONTRACT_BASE.value
_DEPLOY_BYTE = ActionCost.DEPLOY_CONTRACT_BYTE.value
_DEPLOY_GLOBAL_BASE = ActionCost.DEPLOY_GLOBAL_CONTRACT_BASE.value
_DEPLOY_GLOBAL_BYTE = ActionCost.DEPLOY_GLOBAL_CONTRACT_BYTE.value
_USE_GLOBAL_BASE = ActionCost.USE_GLOBAL_CONTRACT_BASE.value
_USE_GLOBAL_BYTE = ActionCost.USE_GLOBAL_CONTRACT_BYTE.value
_STATE_INIT_BASE = ActionCost.DETERMINISTIC_STATE_INIT_BASE.value
_STATE_INIT_BYTE = ActionCost.DETERMINISTIC_STATE_INIT_BYTE.value
_STATE_INIT_ENTRY = ActionCost.DETERMINISTIC_STATE_INIT_ENTRY.value
_FUNCTION_CALL_BASE = ActionCost.FUNCTION_CALL_BASE.value
_FUNCTION_CALL_BYTE = ActionCost.FUNCTION_CALL_BYTE.value
_STAKE = ActionCost.STAKE.value


def promise_batch_action_create_account(logic: Logic, promise_index: int) -> None:
    """Append: make the receiver exist."""
    receipt, _, sir = batch_at(logic, promise_index)
    pay_action(logic, _CREATE_ACCOUNT, sir=sir)
    logic.external.append_action(receipt, CreateAccount())


def promise_batch_action_deploy_contract(logic: Logic, promise_index: int, code_len: int, code_ptr: int) -> None:
    """Append: give the receiver code."""
    code = _take_code(logic, code_len, code_ptr)
    receipt, _, sir = batch_at(logic, promise_index)
    pay_action(logic, _DEPLOY_BASE, sir=sir)
    pay_action_bytes(logic, _DEPLOY_BYTE, len(code), sir=sir)
    logic.external.append_action(receipt, DeployContract(code))


def promise_batch_action_deploy_global_contract(logic: Logic, promise_index: int, code_len: int, code_ptr: int) -> None:
    """Append: share code under its hash."""
    _deploy_global_contract(logic, promise_index, code_len, code_ptr, mode=DeployMode.CODE_HASH)


def promise_batch_action_deploy_global_contract_by_account_id(
    logic: Logic, promise_index: int, code_len: int, code_ptr: int
) -> None:
    """Append: share code under the receiver's name."""
    _deploy_global_contract(logic, promise_index, code_len, code_ptr, mode=DeployMode.ACCOUNT_ID)


def promise_batch_action_use_global_contract(
    logic: Logic, promise_index: int, code_hash_len: int, code_hash_ptr: int
) -> None:
    """Append: let the receiver run the contract with a hash."""
    _use_global_contract(logic, promise_index, _take_code_hash(logic, code_hash_len, code_hash_ptr))


def promise_batch_action_use_global_contract_by_account_id(
    logic: Logic, promise_index: int, account_id_len: int, account_id_ptr: int
) -> None:
    """Append: let the receiver run the contract that an account shares."""
    deployer = take_account_id(logic, account_id_len, account_id_ptr)
    _use_global_contract(logic, promise_index, GlobalContractByAccount(deployer))


def promise_batch_action_state_init(
    logic: Logic, promise_index: int, code_hash_len: int, code_hash_ptr: int, amount_ptr: int
) -> int:
    """Append: a deterministic account with the contract of a hash; the action's position."""
    return _state_init(logic, promise_index, _take_code_hash(logic, code_hash_len, code_hash_ptr), amount_ptr)


def promise_batch_action_state_init_by_account_id(
    logic: Logic, promise_index: int, account_id_len: int, account_id_ptr: int, amount_ptr: int
) -> int:
    """Append: a deterministic account with the contract that an account shares; the action's position."""
    deployer = take_account_id(logic, account_id_len, account_id_ptr)
    return _state_init(logic, promise_index, GlobalContractByAccount(deployer), amount_ptr)


def set_state_init_data_entry(
    logic: Logic, promise_index: int, action_index: int, key_len: int, key_ptr: int, value_len: int, value_ptr: int
) -> None:
    """Add a row to a deterministic account's state. Here the receipt is looked for first."""
    receipt, _, sir = batch_at(logic, promise_index)
    key = take(logic, key_len, key_ptr)
    value = take(logic, value_len, value_ptr)
    pay_action(logic, _STATE_INIT_ENTRY, sir=sir)
    pay_action_bytes(logic, _STATE_INIT_BYTE, len(key) + len(value), sir=sir)
    error = logic.external.set_state_init_data_entry(receipt, action_index, key=key, value=value)
    if error is not None:
        raise HostFailure(error)


def promise_batch_action_function_call(
    logic: Logic,
    promise_index: int,
    method_name_len: int,
    method_name_ptr: int,
    arguments_len: int,
    arguments_ptr: int,
    amount_ptr: int,
    gas: int,
) -> None:
    """Append: call a method with a fixed amount of gas."""
    promise_batch_action_function_call_weight(
        logic, promise_index, method_name_len, method_name_ptr, arguments_len, arguments_ptr, amount_ptr, gas, 0
    )


def promise_batch_action_function_call_weight(
    logic: Logic,
    promise_index: int,
    method_name_len: int,
    method_name_ptr: int,
    arguments_len: int,
    arguments_ptr: int,
    amount_ptr: int,
    gas: int,
    gas_weight: int,
) -> None:
    """Append: call a method with gas, and by weight with what is left of this call's."""
    amount = logic.memory.read_u128(amount_ptr)
    method_name = take_method_name(logic, method_name_len, method_name_ptr)
    arguments = take(logic, arguments_len, arguments_ptr)
    receipt, _, sir = batch_at(logic, promise_index)
    pay_action(logic, _FUNCTION_CALL_BASE, sir=sir)
    pay_action_bytes(logic, _FUNCTION_CALL_BYTE, len(method_name) + len(arguments), sir=sir)
    logic.gas.prepay(gas)
    deduct_attached(logic, amount)
    call = FunctionCall(decoded_method_name(method_name), arguments, gas, amount)
    logic.external.append_function_call(receipt, call, gas_weight=gas_weight)


def promise_batch_action_transfer(logic: Logic, promise_index: int, amount_ptr: int) -> None:
    """Append: move balance to the receiver."""
    amount = logic.memory.read_u128(amount_ptr)
    receipt, receiver_id, sir = batch_at(logic, promise_index)
    pay_transfer(logic, receiver_id, sir=sir)
    logic.deduct_balance(amount)
    logic.external.append_action(receipt, Transfer(amount))


def promise_batch_action_stake(
    logic: Logic, promise_index: int, amount_ptr: int, public_key_len: int, public_key_ptr: int
) -> None:
    """Append: offer a stake; nothing is taken from this account."""
    amount = logic.memory.read_u128(amount_ptr)
    public_key = take(logic, public_key_len, public_key_ptr)
    receipt, _, sir = batch_at(logic, promise_index)
    pay_action(logic, _STAKE, sir=sir)
    logic.external.append_action(receipt, Stake(amount, decoded_public_key(public_key)))


def promise_batch_action_delete_account(
    logic: Logic, promise_index: int, beneficiary_id_len: int, beneficiary_id_ptr: int
) -> None:
    """Append: remove the receiver."""
    beneficiary_id = take_account_id(logic, beneficiary_id_len, beneficiary_id_ptr)
    receipt, _, sir = batch_at(logic, promise_index)
    pay_action(logic, _DELETE_ACCOUNT, sir=sir)
    logic.external.append_action(receipt, DeleteAccount(beneficiary_id))


def take_method_name(logic: Logic, length: int, pointer: int) -> bytes:
    """A method name as it was passed; an empty one is `EmptyMethodName`."""
    method_name = take(logic, length, pointer)
    if not method_name:
        raise failure("EmptyMethodName")
    return method_name


def deduct_attached(logic: Logic, amount: int) -> None:
    """Take a call's deposit. Where the version allows it, an account without any balance attaches one yocto freely."""
    if amount == 1 and logic.balance == 0 and logic.vm.one_yocto_on_promise:
        logic.subsidized += amount
    else:
        logic.deduct_balance(amount)


def _take_code(logic: Logic, length: int, pointer: int) -> bytes:
    code = take(logic, length, pointer)
    if len(code) > logic.vm.max_contract_size:
        raise failure("ContractSizeExceeded", size=len(code), limit=logic.vm.max_contract_size)
    return code


def _take_code_hash(logic: Logic, length: int, pointer: int) -> GlobalContract:
    code_hash = take(logic, length, pointer)
    if len(code_hash) != HASH_BYTES:
        raise failure("ContractCodeHashMalformed")
    return GlobalContract(code_hash)


def _deploy_global_contract(
    logic: Logic, promise_index: int, code_len: int, code_ptr: int, *, mode: DeployMode
) -> None:
    code = _take_code(logic, code_len, code_ptr)
    receipt, _, sir = batch_at(logic, promise_index)
    pay_action(logic, _DEPLOY_GLOBAL_BASE, sir=sir)
    pay_action_bytes(logic, _DEPLOY_GLOBAL_BYTE, len(code), sir=sir)
    logic.external.append_action(receipt, DeployGlobalContract(code, mode))


def _use_global_contract(logic: Logic, promise_index: int, identifier: GlobalContractIdentifier) -> None:
    receipt, _, sir = batch_at(logic, promise_index)
    pay_action(logic, _USE_GLOBAL_BASE, sir=sir)
    pay_action_bytes(logic, _USE_GLOBAL_BYTE, identifier_length(identifier), sir=sir)
    logic.external.append_action(receipt, UseGlobalContract(identifier))


def _state_init(logic: Logic, promise_index: int, code: GlobalContractIdentifier, amount_ptr: int) -> int:
    amount = logic.memory.read_u128(amount_ptr)
    receipt, _, sir = batch_at(logic, promise_index)
    pay_action(logic, _STATE_INIT_BASE, sir=sir)
    logic.deduct_balance(amount)
    return logic.external.append_action(receipt, DeterministicStateInit(StateInit(code, ()), amount))
