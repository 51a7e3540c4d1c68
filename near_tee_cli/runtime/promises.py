"""The receipts that one function call sends: built up by the contract, numbered in order of creation.

Nothing here touches the state. When the call has succeeded, the runtime turns the list into receipts; when it has
failed, the list is dropped.

Mirrors nearcore: runtime/runtime/src/receipt_manager.rs
"""

from collections.abc import Sequence
from typing import NamedTuple

from near_tee_cli.errors import InconsistentStateError
from near_tee_cli.primitives.integers import U64_MAX
from near_tee_cli.primitives.schema.action import Action, DeterministicStateInit, FunctionCall
from near_tee_cli.primitives.schema.global_contract import state_init
from near_tee_cli.primitives.schema.receipt import DataReceiver
from near_tee_cli.vm.outcome import HostError


class NewReceipt:
    """A receipt of actions in the making."""

    __slots__ = ("actions", "input_data_ids", "is_promise_yield", "output_data_receivers", "receiver_id", "refund_to")

    def __init__(self, receiver_id: str, input_data_ids: tuple[bytes, ...], *, is_promise_yield: bool) -> None:
        self.receiver_id = receiver_id
        self.input_data_ids = input_data_ids
        self.is_promise_yield = is_promise_yield
        self.refund_to: str | None = None
        self.output_data_receivers: list[DataReceiver] = []
        self.actions: list[Action] = []


class ResumeData(NamedTuple):
    """Data that resumes a yield."""

    data_id: bytes
    data: bytes


class Promises:
    """Everything that a function call has sent so far."""

    __slots__ = ("receipts", "resumes", "weights")

    def __init__(self) -> None:
        self.receipts: list[NewReceipt] = []
        self.resumes: list[ResumeData] = []
        self.weights: list[tuple[int, int, int]] = []
        """Receipt, action and weight of function calls that share the gas left at the end."""

    def create(self, receiver_id: str, dependencies: Sequence[int], *, data_ids: tuple[bytes, ...]) -> int:
        """A receipt that waits for `dependencies`, one data id each; its number."""
        for index, data_id in zip(dependencies, data_ids, strict=True):
            self.receipts[index].output_data_receivers.append(DataReceiver(data_id, receiver_id))
        self.receipts.append(NewReceipt(receiver_id, data_ids, is_promise_yield=False))
        return len(self.receipts) - 1

    def create_yield(self, receiver_id: str, data_id: bytes) -> int:
        """A receipt that waits for a resume under `data_id`; its number."""
        self.receipts.append(NewReceipt(receiver_id, (data_id,), is_promise_yield=True))
        return len(self.receipts) - 1

    def append(self, receipt_index: int, action: Action) -> int:
        """Append an action; its position."""
        actions = self.receipts[receipt_index].actions
        actions.append(action)
        return len(actions) - 1

    def append_weighted(self, receipt_index: int, action: FunctionCall, *, gas_weight: int) -> None:
        """Append a function call that takes part in sharing unused gas if its weight is above 0."""
        action_index = self.append(receipt_index, action)
        if gas_weight > 0:
            self.weights.append((receipt_index, action_index, gas_weight))

    def set_state_init_entry(
        self, receipt_index: int, action_index: int, *, key: bytes, value: bytes
    ) -> HostError | None:
        """Add a row to a deterministic state init action; why that is not possible, or `None`."""
        actions = self.receipts[receipt_index].actions
        action = actions[action_index] if action_index < len(actions) else None
        if not isinstance(action, DeterministicStateInit):
            fields = (("receipt_index", receipt_index), ("action_index", action_index))
            return HostError("InvalidActionIndex", fields)
        rows = dict(action.state_init.data)
        if key in rows:
            return HostError("DataEntryAlreadyExists")
        rows[key] = value
        actions[action_index] = DeterministicStateInit(state_init(action.state_init.code, rows.items()), action.deposit)
        return None

    def distribute_gas(self, unused: int) -> int:
        """Share `unused` gas among the weighted calls, the remainder to the last; the gas given away."""
        total = sum(weight for _, _, weight in self.weights)
        if total == 0 or unused == 0:
            return 0
        left = unused
        last = len(self.weights) - 1
        for position, (receipt_index, action_index, weight) in enumerate(self.weights):
            share = left if position == last else unused * weight // total
            left -= share
            actions = self.receipts[receipt_index].actions
            call = actions[action_index]
            if not isinstance(call, FunctionCall):
                raise TypeError("a gas weight belongs to a function call")
            gas = call.gas + share
            if gas > U64_MAX:
                raise InconsistentStateError("gas of a function call overflows while unused gas is shared")
            actions[action_index] = FunctionCall(call.method_name, call.args, gas, call.deposit)
        return unused
