"""What goes into the application of one block, and what comes out.

All of it is data: `apply` is a function of the configuration, the contexts, the inputs and the pre-state. One shard
is modelled, with id 0, as in a chain that has only one.

Mirrors nearcore: runtime/runtime/src/lib.rs (`ApplyState`, `ApplyResult`)
"""

from collections.abc import Mapping
from typing import NamedTuple

from near_tee_cli.primitives.schema.outcome import OutcomeWithId
from near_tee_cli.primitives.schema.receipt import Receipt
from near_tee_cli.primitives.schema.transaction import SignedTransaction
from near_tee_cli.primitives.schema.wire import u16, u64, u128

SHARD_ID = 0
"""The only shard."""


class ChainContext(NamedTuple):
    """What stays the same from block to block: the chain's name and who validates with how much (yoctoNEAR)."""

    chain_id: str
    validators: tuple[tuple[str, int], ...]
    """In ascending order of account ids."""
    minimum_stake: int | None = None
    """yoctoNEAR below which nobody can offer to validate; `None` when nobody has said what it is."""


class BlockContext(NamedTuple):
    """The block whose chunk is applied. Hashes are 32 bytes, the timestamp is in nanoseconds."""

    height: int
    timestamp: int
    prev_block_hash: bytes
    random_seed: bytes
    epoch_id: bytes
    epoch_height: int
    gas_price: int
    """yoctoNEAR per gas."""
    gas_limit: int | None
    """Compute of the chunk, in gas; `None` without a limit."""
    is_new_chunk: bool
    """False when the block has no chunk: then no input is looked at, and only the bandwidth scheduler runs."""
    proof_size_limit: int | None
    """Bytes of recorded storage proof beyond which receipts are put off; `None` without a limit.

    A chain sets it to `main_storage_proof_size_soft_limit`; whoever applies a block outside one decides.
    """


class CongestionInfo(NamedTuple):
    """How full the shard's queues are: gas and bytes of delayed and buffered receipts."""

    delayed_receipts_gas: int
    buffered_receipts_gas: int
    receipt_bytes: int
    allowed_shard: int

    def encode(self) -> bytes:
        """Borsh, version 1."""
        gas = u128(self.delayed_receipts_gas) + u128(self.buffered_receipts_gas)
        return b"\0" + gas + u64(self.receipt_bytes) + u16(self.allowed_shard)


NO_CONGESTION = CongestionInfo(0, 0, 0, 0)
"""The information before the first block."""


class BandwidthRequest(NamedTuple):
    """A wish to send more to a shard: bit `i` of the 40 asks for the `i`-th value of the scheduler's scale."""

    to_shard: int
    bitmap: bytes


class Inputs(NamedTuple):
    """What the chunk has to process. `receipts` come in the order in which they are delivered."""

    transactions: tuple[SignedTransaction, ...]
    expired: frozenset[int]
    """Positions of transactions whose validity period has passed."""
    receipts: tuple[Receipt, ...]
    congestion_info: CongestionInfo
    """The shard's own, after the chunk before."""
    bandwidth_requests: tuple[BandwidthRequest, ...]
    """The shard's own, from the chunk before."""


NO_INPUTS = Inputs((), frozenset(), (), NO_CONGESTION, ())
"""An empty chunk in a shard without queues."""


class BalanceStats(NamedTuple):
    """yoctoNEAR that left or entered circulation in the chunk."""

    tx_burnt_amount: int
    slashed_burnt_amount: int
    other_burnt_amount: int
    """Refunds that nobody could take."""
    gas_deficit_amount: int
    subsidized_amount: int


class ValidatorProposal(NamedTuple):
    """An offer to validate: `public_key` as Borsh bytes, `stake` in yoctoNEAR."""

    account_id: str
    public_key: bytes
    stake: int


class YieldTimeout(NamedTuple):
    """A yield and the height at which it times out."""

    account_id: str
    data_id: bytes
    expires_at: int


class ApplyResult(NamedTuple):
    """What applying a block came to."""

    state_root: bytes
    state_changes: tuple[tuple[bytes, bytes | None], ...]
    """The last value of every key that was written, `None` for a removal; ascending keys."""
    new_nodes: Mapping[bytes, bytes]
    """Trie nodes and values that the new state has and the old one lacked, by hash."""
    witness: tuple[bytes, ...]
    """Trie nodes and values that were read, ascending bytes; empty without a recorder."""
    outcomes: tuple[OutcomeWithId, ...]
    executed_receipts: tuple[Receipt, ...]
    """Those whose actions ran, in the order of their outcomes, which have the same ids."""
    outcome_root: bytes
    outgoing_receipts: tuple[Receipt, ...]
    congestion_info: CongestionInfo
    bandwidth_requests: tuple[BandwidthRequest, ...]
    balance_stats: BalanceStats
    validator_proposals: tuple[ValidatorProposal, ...]
    yield_timeouts: tuple[YieldTimeout, ...]
    """The ones that were processed."""
    delayed_receipts_count: int
    gas_burnt: int
    """Over all outcomes, refunds included."""
    contract_accesses: tuple[bytes, ...]
    """Hashes of contracts that were called and lie in the pre-state, ascending."""
    contract_deploys: tuple[bytes, ...]
    """Hashes of contracts that were deployed, ascending."""
    codes: Mapping[bytes, bytes | None]
    """Code of the pre-state that was called, by hash; `None` where the state has none."""
