"""The transition: a block applied to a state.

`apply` reads nothing but its arguments and changes none of them. The order of everything that touches the state is
the protocol's, as it decides which trie nodes the storage proof holds.

Mirrors nearcore: runtime/runtime/src/lib.rs (`Runtime::apply`)
"""

from near_tee_cli.errors import BadInputError, InconsistentStateError
from near_tee_cli.params.config import RuntimeConfig
from near_tee_cli.primitives.schema.receipt import Receipt
from near_tee_cli.runtime.bandwidth import run_scheduler
from near_tee_cli.runtime.block import (
    ApplyResult,
    BalanceStats,
    BandwidthRequest,
    BlockContext,
    ChainContext,
    CongestionInfo,
    Inputs,
    ValidatorProposal,
)
from near_tee_cli.runtime.chunk import Chunk, Machine
from near_tee_cli.runtime.congestion import Congestion, DelayedReceipts, ReceiptSink
from near_tee_cli.runtime.outcomes import outcome_root
from near_tee_cli.runtime.queues import DelayedQueue
from near_tee_cli.runtime.receipts import process_receipt
from near_tee_cli.runtime.transactions import process_transactions
from near_tee_cli.runtime.validation import validate_receipt
from near_tee_cli.runtime.yields import resolve_timeouts
from near_tee_cli.state.overlay import Overlay
from near_tee_cli.state.recorder import Recorder
from near_tee_cli.state.store import NodeStore
from near_tee_cli.state.trie import Trie


def apply(
    config: RuntimeConfig,
    block: BlockContext,
    *,
    chain: ChainContext,
    inputs: Inputs,
    store: NodeStore,
    root: bytes,
    machine: Machine,
    list_accesses: bool = True,
) -> ApplyResult:
    """Apply `block` with `inputs` to the state under `root`.

    `store` serves the trie's nodes and values and contract code by hash; a full state and a witness give the same
    result. `list_accesses` fills `contract_accesses`, which may look at nodes outside the storage proof and is
    therefore not for witnesses.

    Raises `MissingNodeError` when the store lacks something, `InconsistentStateError` when rows contradict one
    another, `BadInputError` for an incoming receipt that no chain would have sent, and `UnsupportedError` for what
    is not implemented.
    """
    recorder = Recorder()
    state = Overlay(Trie(store, root, recorder=recorder))
    queue = DelayedQueue(state)
    bandwidth = run_scheduler(state, config, requests=inputs.bandwidth_requests)
    state.commit()
    congestion = Congestion(inputs.congestion_info)
    if not block.is_new_chunk:
        return _result(
            state,
            recorder,
            chunk=None,
            congestion_info=inputs.congestion_info,
            bandwidth_requests=inputs.bandwidth_requests,
            delayed=len(queue),
        )
    delayed = DelayedReceipts(config, queue, congestion=congestion)
    sink = ReceiptSink(config, state, congestion=congestion, bandwidth=bandwidth)
    chunk = Chunk(
        config,
        block,
        chain=chain,
        state=state,
        machine=machine,
        sink=sink,
        delayed=delayed,
        list_accesses=list_accesses,
    )
    sink.forward_buffered()
    process_transactions(chunk, inputs.transactions, expired=inputs.expired)
    _process_receipts(chunk, inputs)
    resolve_timeouts(chunk)
    requests = sink.bandwidth_requests()
    state.commit()
    return _result(
        state,
        recorder,
        chunk=chunk,
        congestion_info=congestion.final(),
        bandwidth_requests=requests,
        delayed=len(delayed),
    )


def _process_receipts(chunk: Chunk, inputs: Inputs) -> None:
    """Local receipts, then delayed ones, then those that came in; what finds no room any more is delayed."""
    config, delayed = chunk.config, chunk.delayed
    for receipt in chunk.local:
        if chunk.is_full():
            delayed.push(receipt)
        else:
            _process_with_instant(chunk, receipt)
    while not chunk.is_full():
        waiting = delayed.pop()
        if waiting is None:
            break
        error = validate_receipt(config, waiting, new=False)
        if error is not None:
            raise InconsistentStateError(f"a delayed receipt to {waiting.receiver_id} is invalid: {error}")
        _process_with_instant(chunk, waiting)
    for receipt in inputs.receipts:
        error = validate_receipt(config, receipt, new=False)
        if error is not None:
            raise BadInputError(
                f"the incoming receipt to {receipt.receiver_id} is invalid: {error}", code="invalid-receipt"
            )
        if chunk.is_full():
            delayed.push(receipt)
        else:
            _process_with_instant(chunk, receipt)


def _process_with_instant(chunk: Chunk, receipt: Receipt) -> None:
    """Process a receipt and at once the instant ones that it makes, and those that they make."""
    process_receipt(chunk, receipt)
    while chunk.instant:
        process_receipt(chunk, chunk.instant.popleft())


def _result(
    state: Overlay,
    recorder: Recorder,
    *,
    chunk: Chunk | None,
    congestion_info: CongestionInfo,
    bandwidth_requests: tuple[BandwidthRequest, ...],
    delayed: int,
) -> ApplyResult:
    deployed = tuple(state.deployed())
    changes = state.finalize()
    outcomes = () if chunk is None else tuple(chunk.outcomes)
    stats = BalanceStats(0, 0, 0, 0, 0)
    if chunk is not None:
        stats = BalanceStats(
            tx_burnt_amount=chunk.tx_burnt_amount,
            slashed_burnt_amount=0,
            other_burnt_amount=chunk.other_burnt_amount,
            gas_deficit_amount=chunk.gas_deficit_amount,
            subsidized_amount=chunk.subsidized_amount,
        )
    return ApplyResult(
        state_root=changes.root,
        state_changes=tuple(changes.changes),
        new_nodes=changes.nodes,
        witness=tuple(recorder.sorted_items()),
        outcomes=outcomes,
        executed_receipts=() if chunk is None else tuple(chunk.executed),
        outcome_root=outcome_root(outcomes),
        outgoing_receipts=() if chunk is None else tuple(chunk.sink.outgoing),
        congestion_info=congestion_info,
        bandwidth_requests=bandwidth_requests,
        balance_stats=stats,
        validator_proposals=() if chunk is None else _last_proposals(chunk.proposals),
        yield_timeouts=() if chunk is None else tuple(chunk.yield_timeouts),
        delayed_receipts_count=delayed,
        gas_burnt=sum(entry.outcome.gas_burnt for entry in outcomes),
        contract_accesses=() if chunk is None else tuple(sorted(chunk.accesses)),
        contract_deploys=deployed,
        codes={} if chunk is None else dict(chunk.codes),
    )


def _last_proposals(proposals: list[ValidatorProposal]) -> tuple[ValidatorProposal, ...]:
    """The last proposal of each account, latest first."""
    unique = {proposal.account_id: proposal for proposal in proposals}
    order = dict.fromkeys(proposal.account_id for proposal in reversed(proposals))
    return tuple(unique[account_id] for account_id in order)
