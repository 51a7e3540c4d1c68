"""The promise graph: creating receipts, letting them wait for one another, joining and returning them.

A promise is known to the contract by its index. It is a receipt, or the joint of several, which can only be waited
for.

Mirrors nearcore: runtime/near-vm-runner/src/wasmtime_runner/logic.rs
"""

from struct import iter_unpack

from near_tee_cli.params.costs import ExtCost
from near_tee_cli.vm.failure import U64_MAX, failure
from near_tee_cli.vm.host.actions import promise_batch_action_function_call
from near_tee_cli.vm.host.arguments import take_account_id
from near_tee_cli.vm.host.fees import pay_new_receipt
from near_tee_cli.vm.host.graph import promise_at, push_promise
from near_tee_cli.vm.logic import Logic

_BASE = ExtCost.BASE.value
_AND_BASE = ExtCost.PROMISE_AND_BASE.value
_AND_PER_PROMISE = ExtCost.PROMISE_AND_PER_PROMISE.value

_INDEX_BYTES = 8


def promise_batch_create(logic: Logic, account_id_len: int, account_id_ptr: int) -> int:
    """A new receipt to an account; its index."""
    account_id = take_account_id(logic, account_id_len, account_id_ptr)
    pay_new_receipt(logic, sir=account_id == logic.context.current_account_id, dependencies=())
    return push_promise(logic, logic.external.create_action_receipt((), account_id))


def promise_batch_then(logic: Logic, promise_index: int, account_id_len: int, account_id_ptr: int) -> int:
    """A new receipt to an account that waits for a promise; its index."""
    account_id = take_account_id(logic, account_id_len, account_id_ptr)
    promise = promise_at(logic, promise_index)
    dependencies = (promise,) if isinstance(promise, int) else promise
    external = logic.external
    pay_new_receipt(
        logic,
        sir=account_id == logic.context.current_account_id,
        dependencies=[external.receipt_receiver(index) == account_id for index in dependencies],
    )
    return push_promise(logic, external.create_action_receipt(dependencies, account_id))


def promise_create(
    logic: Logic,
    account_id_len: int,
    account_id_ptr: int,
    method_name_len: int,
    method_name_ptr: int,
    arguments_len: int,
    arguments_ptr: int,
    amount_ptr: int,
    gas: int,
) -> int:
    """A new receipt with one function call: two host functions in a row, each with its base charge."""
    index = promise_batch_create(logic, account_id_len, account_id_ptr)
    logic.gas.pay(_BASE)
    promise_batch_action_function_call(
        logic, index, method_name_len, method_name_ptr, arguments_len, arguments_ptr, amount_ptr, gas
    )
    return index


def promise_then(
    logic: Logic,
    promise_index: int,
    account_id_len: int,
    account_id_ptr: int,
    method_name_len: int,
    method_name_ptr: int,
    arguments_len: int,
    arguments_ptr: int,
    amount_ptr: int,
    gas: int,
) -> int:
    """A new receipt with one function call that waits for a promise: two host functions in a row as well."""
    index = promise_batch_then(logic, promise_index, account_id_len, account_id_ptr)
    logic.gas.pay(_BASE)
    promise_batch_action_function_call(
        logic, index, method_name_len, method_name_ptr, arguments_len, arguments_ptr, amount_ptr, gas
    )
    return index


def promise_and(logic: Logic, promise_idx_ptr: int, promise_idx_count: int) -> int:
    """Join promises; the index of the joint. The charge for each promise counts bytes of indices."""
    gas = logic.gas
    gas.pay(_AND_BASE)
    size = promise_idx_count * _INDEX_BYTES
    if size > U64_MAX:
        raise failure("IntegerOverflow")
    gas.pay_per(_AND_PER_PROMISE, size)
    indices = iter_unpack("<Q", logic.memory.read(promise_idx_ptr, size))
    most = logic.vm.max_number_input_data_dependencies
    receipts: list[int] = []
    for (index,) in indices:
        promise = promise_at(logic, index)
        if isinstance(promise, int):
            receipts.append(promise)
        else:
            receipts.extend(promise)
        if len(receipts) > most:
            raise failure(
                "NumberInputDataDependenciesExceeded", number_of_input_data_dependencies=len(receipts), limit=most
            )
    return push_promise(logic, tuple(receipts))


def promise_set_refund_to(logic: Logic, promise_index: int, account_id_len: int, account_id_ptr: int) -> None:
    """Send the balance refunds of a promise's receipt to an account."""
    refund_to = take_account_id(logic, account_id_len, account_id_ptr)
    promise = promise_at(logic, promise_index)
    if not isinstance(promise, int):
        raise failure("CannotSetRefundToOnJointPromise")
    logic.external.set_refund_to(promise, refund_to)
