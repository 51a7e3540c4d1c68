"""What a contract may ask of its chain.

The virtual machine knows neither trie nor receipts: it reaches both through `External`, which the runtime
implements for one function call. Nothing here charges gas; the host functions do that, in the order that the
protocol prescribes, around the calls below.

An implementation raises a `NearTeeError` (missing node, inconsistent state, unsupported feature) when it cannot
answer. Such an error is no outcome of the contract and leaves the virtual machine as it is.

Mirrors nearcore: runtime/near-vm-runner/src/logic/dependencies.rs
"""

from collections.abc import Sequence
from typing import Protocol

from near_tee_cli.primitives.schema.action import Action, FunctionCall
from near_tee_cli.vm.outcome import HostError


class TouchCounter(Protocol):
    """Trie nodes and values touched by counted storage lookups so far; both numbers only grow.

    It is shared by all calls of a chunk: the host functions look at differences.
    """

    @property
    def db(self) -> int:
        """Touches of nodes and values that the chunk had not met before."""

    @property
    def mem(self) -> int:
        """Touches of nodes and values that the chunk had met before."""


class StoredValue(Protocol):
    """A value that was found but not necessarily read yet."""

    @property
    def length(self) -> int:
        """Bytes of the value."""

    def load(self) -> bytes:
        """The value. Counts one touch if it lies in the trie (and not in a change that is still pending)."""


class External(Protocol):
    """One function call's view of its chain. Receipts that it sends are numbered from 0 in order of creation."""

    @property
    def touches(self) -> TouchCounter:
        """The counter that `storage_ref` with `counted` and `StoredValue.load` advance."""

    def storage_ref(self, key: bytes, *, counted: bool) -> StoredValue | None:
        """Look `key` up in the contract's data, pending changes first.

        `counted` says that the trie nodes on the way are touched (writes and removals); otherwise they are
        recorded but neither counted nor remembered (reads).
        """

    def storage_set(self, key: bytes, value: bytes) -> None:
        """Put a pending change; the trie is not looked at."""

    def storage_remove(self, key: bytes) -> None:
        """Put a pending removal; the trie is not looked at. Raises the recorded size by the flat removal allowance."""

    def recorded_size(self) -> int:
        """Upper bound, in bytes, of the storage proof recorded so far in this chunk; 0 without a recorder."""

    def validator_stake(self, account_id: str) -> int:
        """Stake (yoctoNEAR) of a validator of the current epoch, 0 for any other account."""

    def validator_total_stake(self) -> int:
        """Stake (yoctoNEAR) of all validators of the current epoch."""

    def create_action_receipt(self, dependencies: Sequence[int], receiver_id: str) -> int:
        """A new receipt to `receiver_id` that waits for the receipts `dependencies`; its number.

        One data id is generated for each dependency, in order.
        """

    def receipt_receiver(self, receipt_index: int) -> str:
        """The receiver of a receipt that this call created."""

    def set_refund_to(self, receipt_index: int, account_id: str) -> None:
        """Send the balance refunds of a receipt to `account_id`."""

    def append_action(self, receipt_index: int, action: Action) -> int:
        """Append `action` to a receipt; its position there."""

    def append_function_call(self, receipt_index: int, action: FunctionCall, *, gas_weight: int) -> None:
        """Append a function call; a `gas_weight` above 0 gives it that share of the gas left at the end."""

    def set_state_init_data_entry(
        self, receipt_index: int, action_index: int, *, key: bytes, value: bytes
    ) -> HostError | None:
        """Add a row to a deterministic state init action of a receipt.

        Gives `InvalidActionIndex` if there is no such action, `DataEntryAlreadyExists` if the key is there.
        """

    def create_promise_yield_receipt(self, receiver_id: str) -> tuple[int, bytes]:
        """A new receipt that waits for a resume, and the data id (32 bytes) that resumes it."""

    def create_promise_yield_receipt_with_id(self, receiver_id: str, yield_id: bytes) -> tuple[int, bytes] | None:
        """The same under the contract's own `yield_id`; `None` if a yield with this id is pending already."""

    def submit_promise_resume_data(self, data_id: bytes, data: bytes) -> bool:
        """Resume a pending yield of this account; whether there was one."""

    def submit_promise_resume_data_with_yield_id(self, yield_id: bytes, data: bytes) -> bool:
        """Resume the pending yield that was created with `yield_id`; whether there was one."""
