"""Results: those of the promises that the call waited for, and its own.

Mirrors nearcore: runtime/near-vm-runner/src/wasmtime_runner/logic.rs
"""

from near_tee_cli.params.costs import ExtCost
from near_tee_cli.vm.failure import failure
from near_tee_cli.vm.host.arguments import take
from near_tee_cli.vm.host.fees import pay_returned_bytes
from near_tee_cli.vm.host.graph import promise_at
from near_tee_cli.vm.logic import Logic

_PROMISE_RETURN = ExtCost.PROMISE_RETURN.value

_SUCCESSFUL = 1
_FAILED = 2


def promise_result(logic: Logic, result_idx: int, register_id: int) -> int:
    """How a promise ended; its data, whose length costs nothing, goes into the register."""
    results = logic.context.promise_results
    if result_idx >= len(results):
        raise failure("InvalidPromiseResultIndex", result_idx=result_idx)
    data = results[result_idx]
    if data is None:
        return _FAILED
    logic.registers.share(register_id, data)
    return _SUCCESSFUL


def promise_return(logic: Logic, promise_idx: int) -> None:
    """Let the result of a promise be that of this call. In a view this is refused only after its charge."""
    logic.gas.pay(_PROMISE_RETURN)
    if logic.is_view:
        raise failure("ProhibitedInView", method_name="promise_return")
    promise = promise_at(logic, promise_idx)
    if not isinstance(promise, int):
        raise failure("CannotReturnJointPromise")
    logic.return_data = promise


def value_return(logic: Logic, value_len: int, value_ptr: int) -> None:
    """Let a value be the result of this call."""
    value = take(logic, value_len, value_ptr)
    most = logic.vm.max_length_returned_data
    if len(value) > most:
        raise failure("ReturnedValueLengthExceeded", length=len(value), limit=most)
    pay_returned_bytes(logic, len(value))
    logic.return_data = value
