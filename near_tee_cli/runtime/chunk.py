"""The state of one application in progress: what `apply` and everything below it share and change.

Mirrors nearcore: runtime/runtime/src/lib.rs (`ApplyProcessingState`), core/store/src/contract.rs
"""

from collections import deque
from typing import Protocol

from near_tee_cli.params.config import RuntimeConfig
from near_tee_cli.params.features import Feature
from near_tee_cli.primitives.integers import U64_MAX
from near_tee_cli.primitives.schema.outcome import OutcomeWithId
from near_tee_cli.primitives.schema.receipt import Receipt
from near_tee_cli.runtime.block import BlockContext, ChainContext, ValidatorProposal, YieldTimeout
from near_tee_cli.runtime.congestion import DelayedReceipts, ReceiptSink
from near_tee_cli.state.overlay import Overlay
from near_tee_cli.state.recorder import TouchCounter
from near_tee_cli.state.trie import Trie
from near_tee_cli.vm.context import VMContext
from near_tee_cli.vm.external import External
from near_tee_cli.vm.outcome import VMOutcome


class Machine(Protocol):
    """What runs contracts."""

    def run(
        self,
        code: bytes,
        code_hash: bytes,
        *,
        method: str,
        context: VMContext,
        external: External,
        config: RuntimeConfig,
    ) -> VMOutcome:
        """Run one method of a contract. Raises `HostError` when the machine cannot go on."""


class Rules:
    """Behaviour of the protocol version that is asked for on every receipt."""

    __slots__ = ("account_cost_increase", "metadata_version", "yield_with_id")

    def __init__(self, version: int) -> None:
        self.account_cost_increase = Feature.ACCOUNT_COST_INCREASE.enabled(version)
        self.metadata_version = 4 if Feature.EXECUTION_METADATA_V4.enabled(version) else 3
        self.yield_with_id = Feature.YIELD_WITH_ID.enabled(version)


class Chunk:
    """Everything that the application of one chunk reads and adds up."""

    __slots__ = (
        "_recorder",
        "accesses",
        "block",
        "chain",
        "codes",
        "compute",
        "config",
        "delayed",
        "executed",
        "gas_deficit_amount",
        "instant",
        "local",
        "machine",
        "other_burnt_amount",
        "outcomes",
        "plain_trie",
        "proposals",
        "rules",
        "sink",
        "stakes",
        "state",
        "subsidized_amount",
        "touches",
        "tx_burnt_amount",
        "yield_timeouts",
    )

    def __init__(
        self,
        config: RuntimeConfig,
        block: BlockContext,
        *,
        chain: ChainContext,
        state: Overlay,
        machine: Machine,
        sink: ReceiptSink,
        delayed: DelayedReceipts,
        list_accesses: bool,
    ) -> None:
        self.config = config
        self.block = block
        self.chain = chain
        self.state = state
        self.machine = machine
        self.sink = sink
        self.delayed = delayed
        self.rules = Rules(config.protocol_version)
        self.stakes = dict(chain.validators)
        self.touches = TouchCounter()
        self.local: list[Receipt] = []
        self.instant: deque[Receipt] = deque()
        self.outcomes: list[OutcomeWithId] = []
        self.executed: list[Receipt] = []
        self.proposals: list[ValidatorProposal] = []
        self.yield_timeouts: list[YieldTimeout] = []
        self.compute = 0
        self.tx_burnt_amount = 0
        self.other_burnt_amount = 0
        self.gas_deficit_amount = 0
        self.subsidized_amount = 0
        self.accesses: set[bytes] = set()
        self.plain_trie = Trie(state.trie.store, state.trie.root) if list_accesses else None
        self._recorder = state.trie.recorder
        self.codes: dict[bytes, bytes | None] = {}
        """Code of the pre-state that was called, `None` where the state has none."""

    def add_outcome(self, entry: OutcomeWithId) -> None:
        """Append an outcome and count its compute."""
        self.outcomes.append(entry)
        self.compute += entry.outcome.compute_usage

    def is_full(self) -> bool:
        """Whether no further receipt may be processed: compute or storage proof are used up."""
        limit = self.block.gas_limit
        return self.compute >= (U64_MAX if limit is None else limit) or self.proof_is_full()

    def proof_is_full(self) -> bool:
        """Whether the storage proof has outgrown its soft limit."""
        recorder, limit = self._recorder, self.block.proof_size_limit
        return limit is not None and recorder is not None and recorder.upper_bound_size > limit

    def code(self, code_hash: bytes) -> bytes | None:
        """The code of that hash, `None` when the state certainly has none.

        Reading it is no part of the storage proof. Raises `MissingNodeError` when a witness lacks it.
        """
        if self.state.brings_code(code_hash):
            return self.state.code(code_hash)
        if code_hash not in self.codes:
            self.codes[code_hash] = self.state.code(code_hash)
        return self.codes[code_hash]

    def note_access(self, key: bytes, code_hash: bytes) -> None:
        """Note that a contract was called, if the row `key` held it before the chunk. Nothing is recorded."""
        if self.plain_trie is None:
            return
        reference = self.plain_trie.ref(key)
        if reference is not None and reference.hash == code_hash:
            self.accesses.add(code_hash)
