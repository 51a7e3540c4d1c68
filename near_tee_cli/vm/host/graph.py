"""Promises by the index under which the contract knows them.

Mirrors nearcore: runtime/near-vm-runner/src/wasmtime_runner/logic.rs
"""

from near_tee_cli.vm.failure import failure
from near_tee_cli.vm.logic import Logic, Promise


def promise_at(logic: Logic, index: int) -> Promise:
    """The promise at an index, `InvalidPromiseIndex` if there is none."""
    promises = logic.promises
    if index >= len(promises):
        raise failure("InvalidPromiseIndex", promise_idx=index)
    return promises[index]


def batch_at(logic: Logic, index: int) -> tuple[int, str, bool]:
    """The receipt at an index, its receiver, and whether that is the current account.

    A joint promise is `CannotAppendActionToJointPromise`.
    """
    promise = promise_at(logic, index)
    if not isinstance(promise, int):
        raise failure("CannotAppendActionToJointPromise")
    receiver_id = logic.external.receipt_receiver(promise)
    return promise, receiver_id, receiver_id == logic.context.current_account_id


def push_promise(logic: Logic, promise: Promise) -> int:
    """Append a promise; its index, or `NumberPromisesExceeded` when there are too many then."""
    promises = logic.promises
    promises.append(promise)
    most = logic.vm.max_promises_per_function_call_action
    if len(promises) > most:
        raise failure("NumberPromisesExceeded", number_of_promises=len(promises), limit=most)
    return len(promises) - 1
