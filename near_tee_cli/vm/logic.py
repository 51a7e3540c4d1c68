"""The state of one function call, as the host functions see and change it.

There is one `Logic` for each configuration. It is reset for each call and never replaced, so that host functions
are linked to it once; that makes a call cheap to begin.

Mirrors nearcore: runtime/near-vm-runner/src/logic/logic.rs, runtime/near-vm-runner/src/wasmtime_runner/mod.rs
"""

from collections.abc import Callable
from enum import IntEnum

from near_tee_cli.errors import InconsistentStateError
from near_tee_cli.params.config import RuntimeConfig
from near_tee_cli.primitives.schema.outcome import GasProfile
from near_tee_cli.vm.context import VMContext
from near_tee_cli.vm.external import External
from near_tee_cli.vm.failure import U64_MAX, failure
from near_tee_cli.vm.gas import GasCounter
from near_tee_cli.vm.memory import Memory
from near_tee_cli.vm.outcome import FunctionCallError, ReturnData, VMOutcome
from near_tee_cli.vm.registers import Registers

_PAGE_BYTES = 65_536

Promise = int | tuple[int, ...]
"""A receipt by its number, or a joint promise with the receipts that it stands for."""


class Constant(IntEnum):
    """Answers that are fixed when a call begins; the numbers index `Logic.constants`."""

    BLOCK_HEIGHT = 0
    BLOCK_TIMESTAMP = 1
    EPOCH_HEIGHT = 2
    PREPAID_GAS = 3
    PROMISE_RESULTS = 4


class Logic:
    """Everything that a function call may look at or change, apart from what its `External` holds."""

    __slots__ = (
        "_recorded_before",
        "balance",
        "config",
        "constants",
        "context",
        "external",
        "fees",
        "gas",
        "is_view",
        "log_length",
        "logs",
        "memory",
        "promises",
        "registers",
        "return_data",
        "storage_usage",
        "subsidized",
        "vm",
    )

    context: VMContext
    external: External

    def __init__(self, config: RuntimeConfig) -> None:
        """A state for calls under `config`; there is no call yet."""
        self.config = config
        self.vm = config.vm
        self.fees = config.fees
        self.gas = GasCounter(config.vm.ext_costs)
        self.memory = Memory(self.gas, capacity=config.vm.max_memory_pages * _PAGE_BYTES)
        self.registers = Registers(self.gas, config.vm)
        self.constants = [0] * len(Constant)
        """Answers of functions that only look at the context, indexed by `Constant`."""
        self.promises: list[Promise] = []
        self.logs: list[str] = []

    def begin(self, context: VMContext, external: External) -> None:
        """Start a call. The memory comes with `Memory.attach`, once there is an instance."""
        self.context = context
        self.external = external
        view_limit = context.view_gas_limit
        self.is_view = view_limit is not None
        max_burnt = self.vm.max_gas_burnt if view_limit is None else view_limit
        self.gas.begin(max_burnt=max_burnt, prepaid=context.prepaid_gas, is_view=self.is_view)
        self.registers.begin()
        self.constants[:] = (
            context.block_height,
            context.block_timestamp,
            context.epoch_height,
            context.prepaid_gas,
            len(context.promise_results),
        )
        self.promises.clear()
        self.logs.clear()
        self.log_length = 0
        self.return_data: ReturnData = None
        self.balance = context.account_balance + context.attached_deposit
        self.subsidized = 0
        self.storage_usage = context.storage_usage
        self._recorded_before = external.recorded_size()

    def outcome(self, aborted: FunctionCallError | None) -> VMOutcome:
        """What the call came to. Gas that the module burnt last must be settled in `gas` before."""
        gas = self.gas
        profile: GasProfile = gas.profile()
        return VMOutcome(
            balance=self.balance,
            storage_usage=self.storage_usage,
            return_data=self.return_data,
            burnt_gas=gas.burnt,
            used_gas=gas.used,
            compute_usage=gas.compute_usage(profile),
            logs=tuple(self.logs),
            profile=profile,
            aborted=aborted,
            subsidized_amount=self.subsidized,
        )

    def deduct_balance(self, amount: int) -> None:
        """Take yoctoNEAR from the account; more than it has is `BalanceExceeded`."""
        if amount > self.balance:
            raise failure("BalanceExceeded")
        self.balance -= amount

    def change_usage(self, difference: int) -> None:
        """Change the account's storage usage by bytes. Raises `InconsistentStateError` outside u64."""
        usage = self.storage_usage + difference
        if not 0 <= usage <= U64_MAX:
            raise InconsistentStateError(
                f"storage usage of {self.context.current_account_id} is {self.storage_usage}"
                f" and cannot change by {difference}"
            )
        self.storage_usage = usage

    def check_recorded(self) -> None:
        """Fail when this call has made the storage proof grow by more than a receipt may."""
        limit = self.vm.per_receipt_storage_proof_size_limit
        if self.external.recorded_size() - self._recorded_before > limit:
            raise failure("RecordedStorageExceeded", limit=limit)


HostBody = Callable[..., int | None]
"""What a host function does after its prologue: gets `Logic` and the parameters, gives the result if it has one."""
