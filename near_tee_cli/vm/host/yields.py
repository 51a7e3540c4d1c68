"""Yields: receipts to oneself that wait until somebody resumes them.

Mirrors nearcore: runtime/near-vm-runner/src/wasmtime_runner/logic.rs
"""

from near_tee_cli.params.costs import ActionCost, ExtCost
from near_tee_cli.primitives.schema.action import FunctionCall
from near_tee_cli.vm.failure import U64_MAX, failure
from near_tee_cli.vm.host.actions import deduct_attached, take_method_name
from near_tee_cli.vm.host.arguments import HASH_BYTES, decoded_method_name, take
from near_tee_cli.vm.host.fees import pay_action, pay_action_bytes, pay_new_receipt
from near_tee_cli.vm.host.graph import push_promise
from near_tee_cli.vm.logic import Logic

_CREATE_BASE = ExtCost.YIELD_CREATE_BASE.value
_CREATE_BYTE = ExtCost.YIELD_CREATE_BYTE.value
_CREATE_WITH_ID_BASE = ExtCost.YIELD_CREATE_WITH_ID_BASE.value
_RESUME_BASE = ExtCost.YIELD_RESUME_BASE.value
_RESUME_BYTE = ExtCost.YIELD_RESUME_BYTE.value
_FUNCTION_CALL_BASE = ActionCost.FUNCTION_CALL_BASE.value
_FUNCTION_CALL_BYTE = ActionCost.FUNCTION_CALL_BYTE.value

_ALREADY_PENDING = U64_MAX
"""What creating a yield under an id in use gives instead of an index."""


def promise_yield_create(
    logic: Logic,
    method_name_len: int,
    method_name_ptr: int,
    arguments_len: int,
    arguments_ptr: int,
    gas: int,
    gas_weight: int,
    register_id: int,
) -> int:
    """A yield that calls a method when it is resumed; its index, and its data id in the register."""
    logic.gas.pay(_CREATE_BASE)
    method_name = take_method_name(logic, method_name_len, method_name_ptr)
    arguments = take(logic, arguments_len, arguments_ptr)
    logic.gas.pay_per(_CREATE_BYTE, len(method_name) + len(arguments))
    logic.gas.prepay(gas)
    pay_new_receipt(logic, sir=True, dependencies=(True,))
    receipt, data_id = logic.external.create_promise_yield_receipt(logic.context.current_account_id)
    index = push_promise(logic, receipt)
    _pay_call(logic, len(method_name) + len(arguments))
    call = FunctionCall(decoded_method_name(method_name), arguments, gas, 0)
    logic.external.append_function_call(receipt, call, gas_weight=gas_weight)
    logic.registers.write(register_id, data_id)
    return index


def promise_yield_create_with_id(
    logic: Logic,
    method_name_len: int,
    method_name_ptr: int,
    arguments_len: int,
    arguments_ptr: int,
    amount_ptr: int,
    gas: int,
    gas_weight: int,
    yield_id_len: int,
    yield_id_ptr: int,
) -> int:
    """A yield under an id of the contract's own; its index, or the largest u64 if the id is in use.

    The receipt is made before it is paid for: a call that cannot pay is rolled back with it.
    """
    logic.gas.pay(_CREATE_WITH_ID_BASE)
    amount = logic.memory.read_u128(amount_ptr)
    method_name = take_method_name(logic, method_name_len, method_name_ptr)
    arguments = take(logic, arguments_len, arguments_ptr)
    yield_id = take(logic, yield_id_len, yield_id_ptr)
    if len(yield_id) != HASH_BYTES:
        raise failure("YieldIdMalformed")
    logic.gas.pay_per(_CREATE_BYTE, len(method_name) + len(arguments))
    created = logic.external.create_promise_yield_receipt_with_id(logic.context.current_account_id, yield_id)
    if created is None:
        return _ALREADY_PENDING
    receipt, _ = created
    logic.gas.prepay(gas)
    pay_new_receipt(logic, sir=True, dependencies=(True,))
    index = push_promise(logic, receipt)
    _pay_call(logic, len(method_name) + len(arguments))
    deduct_attached(logic, amount)
    call = FunctionCall(decoded_method_name(method_name), arguments, gas, amount)
    logic.external.append_function_call(receipt, call, gas_weight=gas_weight)
    return index


def promise_yield_resume(logic: Logic, data_id_len: int, data_id_ptr: int, payload_len: int, payload_ptr: int) -> int:
    """Resume a yield by its data id; whether there was one."""
    data_id, payload = _take_resume(logic, data_id_len, data_id_ptr, payload_len, payload_ptr)
    if len(data_id) != HASH_BYTES:
        raise failure("DataIdMalformed")
    return int(logic.external.submit_promise_resume_data(data_id, payload))


def promise_yield_resume_with_yield_id(
    logic: Logic, yield_id_len: int, yield_id_ptr: int, payload_len: int, payload_ptr: int
) -> int:
    """Resume a yield by the contract's own id; whether there was one."""
    yield_id, payload = _take_resume(logic, yield_id_len, yield_id_ptr, payload_len, payload_ptr)
    if len(yield_id) != HASH_BYTES:
        raise failure("YieldIdMalformed")
    return int(logic.external.submit_promise_resume_data_with_yield_id(yield_id, payload))


def _take_resume(logic: Logic, id_len: int, id_ptr: int, payload_len: int, payload_ptr: int) -> tuple[bytes, bytes]:
    """The id and the payload. The charge goes by the length that was passed, register or not."""
    logic.gas.pay(_RESUME_BASE)
    logic.gas.pay_per(_RESUME_BYTE, payload_len)
    identifier = take(logic, id_len, id_ptr)
    payload = take(logic, payload_len, payload_ptr)
    most = logic.vm.max_yield_payload_size
    if len(payload) > most:
        raise failure("YieldPayloadLength", length=len(payload), limit=most)
    return identifier, payload


def _pay_call(logic: Logic, size: int) -> None:
    pay_action(logic, _FUNCTION_CALL_BASE, sir=True)
    pay_action_bytes(logic, _FUNCTION_CALL_BYTE, size, sir=True)
