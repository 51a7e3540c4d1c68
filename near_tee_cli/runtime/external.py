"""The chain as a contract sees it: its own data, the receipts it sends, validators and yields.

Mirrors nearcore: runtime/runtime/src/ext.rs
"""

from collections.abc import Mapping, Sequence

from near_tee_cli.primitives.schema.action import Action, FunctionCall
from near_tee_cli.primitives.schema.receipt import derived_id
from near_tee_cli.runtime.promises import Promises, ResumeData
from near_tee_cli.runtime.yields import RESUME_INITIATED, YIELDED
from near_tee_cli.state import keys
from near_tee_cli.state.overlay import Overlay
from near_tee_cli.state.overlay import StoredValue as OverlayValue
from near_tee_cli.state.recorder import TouchCounter
from near_tee_cli.vm.outcome import HostError


class StoredValue:
    """A value of the contract; reading it counts as one touch when it comes from the trie."""

    __slots__ = ("_touches", "_value", "length")

    def __init__(self, value: OverlayValue, *, touches: TouchCounter) -> None:
        self._value = value
        self._touches = touches
        self.length = value.length

    def load(self) -> bytes:
        """The value."""
        return self._value.load(self._touches)


class RuntimeExternal:
    """`vm.external.External` of one function call over the overlay of its chunk."""

    __slots__ = (
        "_account_id",
        "_action_hash",
        "_data_ids",
        "_height",
        "_prefix",
        "_promises",
        "_recorder",
        "_stakes",
        "_state",
        "touches",
    )

    def __init__(
        self,
        state: Overlay,
        account_id: str,
        *,
        touches: TouchCounter,
        promises: Promises,
        action_hash: bytes,
        height: int,
        stakes: Mapping[str, int],
    ) -> None:
        self.touches = touches
        self._state = state
        self._recorder = state.trie.recorder
        self._account_id = account_id
        self._prefix = keys.contract_data_prefix(account_id)
        self._promises = promises
        self._action_hash = action_hash
        self._height = height
        self._stakes = stakes
        self._data_ids = 0

    def storage_ref(self, key: bytes, *, counted: bool) -> StoredValue | None:
        """See `External.storage_ref`."""
        touches = self.touches
        value = self._state.ref(self._prefix + key, touches if counted else None)
        return None if value is None else StoredValue(value, touches=touches)

    def storage_set(self, key: bytes, value: bytes) -> None:
        """See `External.storage_set`."""
        self._state.set(self._prefix + key, value)

    def storage_remove(self, key: bytes) -> None:
        """See `External.storage_remove`."""
        self._state.remove(self._prefix + key)

    def recorded_size(self) -> int:
        """See `External.recorded_size`."""
        return 0 if self._recorder is None else self._recorder.upper_bound_size

    def validator_stake(self, account_id: str) -> int:
        """See `External.validator_stake`."""
        return self._stakes.get(account_id, 0)

    def validator_total_stake(self) -> int:
        """See `External.validator_total_stake`."""
        return sum(self._stakes.values())

    def create_action_receipt(self, dependencies: Sequence[int], receiver_id: str) -> int:
        """See `External.create_action_receipt`."""
        data_ids = tuple(self._new_data_id() for _ in dependencies)
        return self._promises.create(receiver_id, dependencies, data_ids=data_ids)

    def receipt_receiver(self, receipt_index: int) -> str:
        """See `External.receipt_receiver`."""
        return self._promises.receipts[receipt_index].receiver_id

    def set_refund_to(self, receipt_index: int, account_id: str) -> None:
        """See `External.set_refund_to`."""
        self._promises.receipts[receipt_index].refund_to = account_id

    def append_action(self, receipt_index: int, action: Action) -> int:
        """See `External.append_action`."""
        return self._promises.append(receipt_index, action)

    def append_function_call(self, receipt_index: int, action: FunctionCall, *, gas_weight: int) -> None:
        """See `External.append_function_call`."""
        self._promises.append_weighted(receipt_index, action, gas_weight=gas_weight)

    def set_state_init_data_entry(
        self, receipt_index: int, action_index: int, *, key: bytes, value: bytes
    ) -> HostError | None:
        """See `External.set_state_init_data_entry`."""
        return self._promises.set_state_init_entry(receipt_index, action_index, key=key, value=value)

    def create_promise_yield_receipt(self, receiver_id: str) -> tuple[int, bytes]:
        """See `External.create_promise_yield_receipt`."""
        data_id = self._new_data_id()
        receipt_index = self._promises.create_yield(receiver_id, data_id)
        self._state.set(keys.promise_yield_status(receiver_id, data_id), YIELDED)
        return receipt_index, data_id

    def create_promise_yield_receipt_with_id(self, receiver_id: str, yield_id: bytes) -> tuple[int, bytes] | None:
        """See `External.create_promise_yield_receipt_with_id`."""
        if self._state.contains(keys.yield_id_to_data_id(receiver_id, yield_id)):
            return None
        data_id = self._new_data_id()
        self._state.set(keys.yield_id_to_data_id(receiver_id, yield_id), data_id)
        self._state.set(keys.data_id_to_yield_id(receiver_id, data_id), yield_id)
        receipt_index = self._promises.create_yield(receiver_id, data_id)
        self._state.set(keys.promise_yield_status(receiver_id, data_id), YIELDED)
        return receipt_index, data_id

    def submit_promise_resume_data(self, data_id: bytes, data: bytes) -> bool:
        """See `External.submit_promise_resume_data`."""
        # Both rows are looked at in any case: the lookups are part of the storage proof.
        has_receipt = self._state.contains(keys.promise_yield_receipt(self._account_id, data_id))
        has_status = self._state.contains(keys.promise_yield_status(self._account_id, data_id))
        if not (has_receipt or has_status):
            return False
        self._promises.resumes.append(ResumeData(data_id, data))
        self._state.set(keys.promise_yield_status(self._account_id, data_id), RESUME_INITIATED)
        return True

    def submit_promise_resume_data_with_yield_id(self, yield_id: bytes, data: bytes) -> bool:
        """See `External.submit_promise_resume_data_with_yield_id`."""
        data_id = self._state.get(keys.yield_id_to_data_id(self._account_id, yield_id))
        return data_id is not None and self.submit_promise_resume_data(data_id, data)

    def _new_data_id(self) -> bytes:
        data_id = derived_id(self._action_hash, self._height, self._data_ids)
        self._data_ids += 1
        return data_id
