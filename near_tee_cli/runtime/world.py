"""A state that lives from block to block: what a snapshot holds, in memory.

Besides the trie it carries what the next block needs from the last one: receipts on their way, congestion, and
bandwidth requests. Applying a block leaves everything that proves it in a `Transition`.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from near_tee_cli.errors import BadInputError
from near_tee_cli.params.config import RuntimeConfig
from near_tee_cli.primitives.schema.receipt import Receipt
from near_tee_cli.primitives.schema.records import StateRecord
from near_tee_cli.primitives.schema.transaction import SignedTransaction
from near_tee_cli.runtime.apply import apply
from near_tee_cli.runtime.block import (
    NO_CONGESTION,
    ApplyResult,
    BandwidthRequest,
    BlockContext,
    ChainContext,
    CongestionInfo,
    Inputs,
)
from near_tee_cli.runtime.chunk import Machine
from near_tee_cli.runtime.genesis import rows_of_records
from near_tee_cli.runtime.views import View, run_view
from near_tee_cli.state.build import build
from near_tee_cli.state.store import GrowingStore
from near_tee_cli.state.trie import Trie
from near_tee_cli.vm.outcome import VMOutcome


class Transition(NamedTuple):
    """One block applied: everything that went in, and everything that came out."""

    block: BlockContext
    inputs: Inputs
    pre_root: bytes
    result: ApplyResult


class World:
    """A state in memory, and what is on its way. `config` and `chain` hold for all of its blocks."""

    __slots__ = ("bandwidth_requests", "chain", "config", "congestion_info", "in_flight", "root", "store")

    def __init__(
        self,
        config: RuntimeConfig,
        chain: ChainContext,
        *,
        store: GrowingStore,
        root: bytes,
        in_flight: Sequence[Receipt] = (),
        congestion_info: CongestionInfo = NO_CONGESTION,
        bandwidth_requests: Sequence[BandwidthRequest] = (),
    ) -> None:
        self.config = config
        self.chain = chain
        self.store = store
        self.root = root
        self.in_flight: tuple[Receipt, ...] = tuple(in_flight)
        self.congestion_info = congestion_info
        self.bandwidth_requests: tuple[BandwidthRequest, ...] = tuple(bandwidth_requests)

    @classmethod
    def from_records(
        cls,
        config: RuntimeConfig,
        chain: ChainContext,
        *,
        records: Iterable[StateRecord],
        raw: Iterable[tuple[bytes, bytes]] = (),
    ) -> "World":
        """The state that `records` describe, with the `raw` trie entries set on top.

        Raises `BadInputError` for records that contradict one another.
        """
        rows = rows_of_records(records)
        rows.update(raw)
        root, store = build(rows)
        return cls(config, chain, store=store, root=root)

    def produce_block(
        self,
        block: BlockContext,
        *,
        transactions: Sequence[SignedTransaction] = (),
        expired: Iterable[int] = (),
        receipts: Sequence[Receipt] = (),
        forward: bool = True,
        machine: Machine,
    ) -> Transition:
        """Apply a block and move on to the state after it.

        What came out of the block before comes in first (unless `forward` is off, which drops it), then `receipts`.
        A block without a chunk processes nothing and sends nothing, so that what was on its way to it is dropped
        too. Raises as `apply` does, and leaves the world as it was when it does.
        """
        if not block.is_new_chunk and (transactions or receipts):
            raise BadInputError("a block without a chunk has neither transactions nor receipts")
        incoming = (*self.in_flight, *receipts) if forward else tuple(receipts)
        inputs = Inputs(
            transactions=tuple(transactions) if block.is_new_chunk else (),
            expired=frozenset(expired),
            receipts=incoming if block.is_new_chunk else (),
            congestion_info=self.congestion_info,
            bandwidth_requests=self.bandwidth_requests,
        )
        pre_root = self.root
        result = apply(
            self.config, block, chain=self.chain, inputs=inputs, store=self.store, root=pre_root, machine=machine
        )
        self.store.update(result.new_nodes)
        self.root = result.state_root
        self.in_flight = result.outgoing_receipts
        self.congestion_info = result.congestion_info
        self.bandwidth_requests = result.bandwidth_requests
        return Transition(block, inputs, pre_root, result)

    def view(self, view: View, *, block: BlockContext, machine: Machine) -> VMOutcome | None:
        """Run a read-only call on the state as it is after `block`; `None` when there is no such account."""
        return run_view(
            self.config, view, block=block, chain=self.chain, store=self.store, root=self.root, machine=machine
        )

    def rows(self, prefix: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Every key and value of the state whose key starts with `prefix`, ascending."""
        return Trie(self.store, self.root).iter_prefix(prefix)
