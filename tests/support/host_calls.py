"""Host functions called as a contract would call them, without a contract.

`Guest` owns a memory of one page and calls the linked callbacks through slots, so that what is tested is what the
engine calls. Its chain is `FakeChain`, which keeps data in a dictionary and notes what was asked of it.
"""

from ctypes import addressof, c_char, c_uint64, memmove

from near_tee_cli.params.config import RuntimeConfig
from near_tee_cli.params.costs import ExtCost
from near_tee_cli.primitives.schema.action import DeterministicStateInit
from near_tee_cli.vm.context import VMContext
from near_tee_cli.vm.failure import U64_MAX
from near_tee_cli.vm.host.link import link
from near_tee_cli.vm.host.table import enabled
from near_tee_cli.vm.logic import Logic
from near_tee_cli.vm.outcome import HostError
from tests.support.reference_config import reference_config

PAGE = 65_536
REGISTER = U64_MAX
"""The length that says: in a register."""

CONTEXT = VMContext(
    current_account_id="alice.near",
    signer_account_id="bob.near",
    signer_account_pk=bytes([0, 1, 2, 3, 4]),
    predecessor_account_id="carol.near",
    refund_to_account_id="david.near",
    input=bytes([0, 1, 2, 3, 4]),
    promise_results=(),
    block_height=10,
    block_timestamp=42,
    epoch_height=1,
    chain_id="mocknet",
    account_balance=100,
    account_locked_balance=50,
    storage_usage=0,
    account_contract=None,
    attached_deposit=10,
    prepaid_gas=10**14,
    random_seed=bytes([0, 1, 2]),
    view_gas_limit=None,
    output_data_receivers=(),
)
"""The call that nearcore's tests make."""


class Touches:
    """A counter that a test may set."""

    def __init__(self):
        self.db = 0
        self.mem = 0


class Stored:
    """A value; `cost` touches are counted when it is read."""

    def __init__(self, value, touches, cost):
        self.length = len(value)
        self._value, self._touches, self._cost = value, touches, cost

    def load(self):
        self._touches.db += self._cost
        return self._value


class FakeChain:
    """A chain in a few dictionaries. `nodes` is how many nodes a counted lookup touches."""

    def __init__(self):
        self.touches = Touches()
        self.nodes = 0
        self.data: dict[bytes, bytes] = {}
        self.lookups: list[tuple[bytes, bool]] = []
        self.removals: list[bytes] = []
        self.recorded = 0
        self.recorded_by_lookup = 0
        self.stakes: dict[str, int] = {}
        self.receipts: list[tuple[str, tuple[int, ...]]] = []
        self.actions: list[tuple] = []
        self.refunds: dict[int, str] = {}
        self.weights: list[tuple] = []
        self.entries: dict[tuple[int, int], dict[bytes, bytes]] = {}
        self.pending: dict[bytes, bytes] = {}
        self.resumed: list[tuple[bytes, bytes]] = []

    def storage_ref(self, key, *, counted):
        self.lookups.append((key, counted))
        self.recorded += self.recorded_by_lookup
        if counted:
            self.touches.db += self.nodes
        value = self.data.get(key)
        return None if value is None else Stored(value, self.touches, int(self.nodes > 0))

    def storage_set(self, key, value):
        self.data[key] = value

    def storage_remove(self, key):
        self.removals.append(key)
        self.data.pop(key, None)

    def recorded_size(self):
        return self.recorded

    def validator_stake(self, account_id):
        return self.stakes.get(account_id, 0)

    def validator_total_stake(self):
        return sum(self.stakes.values())

    def create_action_receipt(self, dependencies, receiver_id):
        self.receipts.append((receiver_id, tuple(dependencies)))
        return len(self.receipts) - 1

    def receipt_receiver(self, receipt_index):
        return self.receipts[receipt_index][0]

    def set_refund_to(self, receipt_index, account_id):
        self.refunds[receipt_index] = account_id

    def append_action(self, receipt_index, action):
        self.actions.append((receipt_index, action))
        position = sum(1 for index, _ in self.actions if index == receipt_index) - 1
        if isinstance(action, DeterministicStateInit):
            self.entries[receipt_index, position] = {}
        return position

    def append_function_call(self, receipt_index, action, *, gas_weight):
        position = self.append_action(receipt_index, action)
        if gas_weight:
            self.weights.append((receipt_index, position, gas_weight))

    def set_state_init_data_entry(self, receipt_index, action_index, *, key, value):
        entries = self.entries.get((receipt_index, action_index))
        if entries is None:
            fields = (("receipt_index", receipt_index), ("action_index", action_index))
            return HostError("InvalidActionIndex", fields)
        if key in entries:
            return HostError("DataEntryAlreadyExists")
        entries[key] = value
        return None

    def create_promise_yield_receipt(self, receiver_id):
        index = self.create_action_receipt((), receiver_id)
        data_id = bytes([0xD0 + index]) * 32
        self.pending[data_id] = data_id
        return index, data_id

    def create_promise_yield_receipt_with_id(self, receiver_id, yield_id):
        if yield_id in self.pending:
            return None
        index, data_id = self.create_promise_yield_receipt(receiver_id)
        self.pending[yield_id] = data_id
        return index, data_id

    def submit_promise_resume_data(self, data_id, data):
        if data_id not in self.pending:
            return False
        self.resumed.append((data_id, data))
        return True

    def submit_promise_resume_data_with_yield_id(self, yield_id, data):
        data_id = self.pending.get(yield_id)
        return data_id is not None and self.submit_promise_resume_data(data_id, data)


class Guest:
    """One function call in progress. `guest.call("sha256", 3, 0, 1)` calls a host function."""

    def __init__(self, config: RuntimeConfig | None = None, *, chain=None, max_burnt: int | None = None, **context):
        self.config = config or reference_config()
        self.chain = chain or FakeChain()
        self.logic = Logic(self.config)
        self.problem: BaseException | None = None
        self.entries = {entry.name: entry for entry in enabled(self.config.vm)}
        functions = link(self.logic, self.entries.values(), fail=self._fail)
        self.functions = {function.name: function for function in functions}
        self.memory = (c_char * PAGE)()
        self.free_at = 0
        self.begin(max_burnt=max_burnt, **context)

    def begin(self, *, max_burnt=None, **context):
        """Start another call with the same host functions."""
        self.context = CONTEXT._replace(**context)
        self.logic.begin(self.context, self.chain)
        if max_burnt is not None:
            gas = self.logic.gas
            gas.begin(max_burnt=max_burnt, prepaid=self.context.prepaid_gas, is_view=self.context.is_view)
        self.logic.memory.attach(addressof(self.memory), lambda: PAGE)
        self.gas = self.logic.gas.remaining
        self._units = [0] * len(ExtCost)

    def _fail(self, problem: BaseException) -> int:
        self.problem = problem
        return 1

    def call(self, name: str, *arguments: int) -> int | None:
        """Call a host function; raises what ended it."""
        function = self.functions[name]
        assert len(arguments) == len(function.params) - 1, name
        slots = (c_uint64 * (2 * max(len(function.params), len(function.results))))()
        for position, argument in enumerate((*arguments, self.gas)):
            # The upper half of a slot with a 32-bit parameter is whatever was there before.
            garbage = 0xDEAD << 32 if function.params[position] == "d" else 0
            slots[2 * position] = argument | garbage
        trap = function.callback(False, False, addressof(slots))
        if trap:
            self.gas = self.logic.gas.remaining
            assert self.problem is not None
            raise self.problem
        self.gas = self.logic.gas.remaining = slots[2 * (len(function.results) - 1)]
        return slots[0] if len(function.results) > 1 else None

    def put(self, data: bytes, at: int | None = None) -> tuple[int, int]:
        """Write into memory, one piece after the other; its length and address, as host functions take them."""
        pointer = self.free_at if at is None else at
        if at is None:
            self.free_at += len(data)
        memmove(addressof(self.memory) + pointer, data, len(data))
        return len(data), pointer

    def number(self, number: int) -> int:
        """The address of a u128."""
        return self.put(number.to_bytes(16, "little"))[1]

    def register(self, number: int, value: bytes) -> tuple[int, int]:
        """Set a register as a host function would; how to pass it instead of memory."""
        self.logic.registers.write(number, value)
        self.gas = self.logic.gas.remaining
        return REGISTER, number

    def get(self, pointer: int, length: int) -> bytes:
        """What memory holds."""
        return self.memory[pointer : pointer + length]

    def costs(self) -> dict[str, int]:
        """Units of external costs paid since the last time, by name."""
        now = list(self.logic.gas.units)
        paid = {ExtCost(i).name.lower(): n - o for i, (n, o) in enumerate(zip(now, self._units, strict=True)) if n > o}
        self._units = now
        return paid

    def promise(self, account_id: bytes = b"rick.test") -> int:
        """A new receipt."""
        index = self.call("promise_batch_create", *self.put(account_id))
        assert index is not None
        return index

    def promise_with_call(self, account_id: bytes = b"rick.test") -> int:
        """A new receipt with a call, as nearcore's tests begin."""
        name, arguments = self.put(b"promise_create"), self.put(b"args")
        account = self.put(account_id)
        index = self.call("promise_create", *account, *name, *arguments, self.number(0), 0)
        assert index is not None
        return index
