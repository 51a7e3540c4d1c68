"""A call or a resume run to its end: entered in a block, and followed until nothing is in flight."""

from collections.abc import Sequence
from typing import NamedTuple

from near_tee_cli.cli.call import Call
from near_tee_cli.cli.key_file import SecretKey
from near_tee_cli.cli.promise_results import waiting_for
from near_tee_cli.cli.receipt_id import receipt_id
from near_tee_cli.cli.start import Start, following
from near_tee_cli.primitives import keys
from near_tee_cli.primitives.schema.access_key import decode_access_key
from near_tee_cli.primitives.schema.action import FunctionCall
from near_tee_cli.primitives.schema.outcome import OutcomeWithId, SuccessReceiptId
from near_tee_cli.primitives.schema.receipt import ACTION_V2, ActionReceipt, Receipt
from near_tee_cli.primitives.schema.transaction import (
    SignedTransaction,
    sign_with,
    transaction_hash,
    transaction_v0,
)
from near_tee_cli.primitives.schema.wire import NO_HASH
from near_tee_cli.runtime.block import BlockContext
from near_tee_cli.runtime.chunk import Machine
from near_tee_cli.runtime.rows import indices
from near_tee_cli.runtime.world import Transition, World
from near_tee_cli.runtime.yield_history import Yield, continued
from near_tee_cli.state import keys as trie_keys
from near_tee_cli.state.overlay import Overlay
from near_tee_cli.state.trie import Trie


class Execution(NamedTuple):
    """What a call or a resume led to."""

    world: World
    """As it is afterwards."""
    pre_root: bytes
    arriving: tuple[Receipt, ...]
    """Receipts that were on their way before the first block."""
    transitions: tuple[Transition, ...]
    entry_id: bytes
    """Hash of the transaction, or id of the receipt that entered; of a resume, the id of the waiting receipt."""
    call_id: bytes | None
    """Id of the receipt that called the method; `None` when the transaction was refused."""
    outcomes: dict[bytes, OutcomeWithId]
    """All outcomes by id."""
    settled: bool
    """Whether nothing is in flight any more. What waits for data from outside is not in flight."""
    yields: tuple[Yield, ...]
    """What is known of yields: those that waited before, and those that came since."""

    def final_outcome(self) -> OutcomeWithId | None:
        """The outcome whose result is that of the call, `None` while it is in flight."""
        at = self.outcomes.get(self.entry_id)
        while at is not None and isinstance(at.outcome.status, SuccessReceiptId):
            at = self.outcomes.get(at.outcome.status.receipt_id)
        return at


def execute(start: Start, call: Call, machine: Machine) -> Execution:
    """Run `call` and everything that it sends out, as far as the blocks it may take reach.

    Raises what `World.produce_block` raises, and `BadInputError` for a key that does not fit.
    """
    transactions: tuple[SignedTransaction, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    if call.signing_key is not None:
        transactions = (_transaction(start, call, call.signing_key),)
        entry_id = transactions[0].hash
    else:
        receipts = _receipts(start, call)
        entry_id = receipts[-1].receipt_id
    followed = follow(
        start.world,
        start.block,
        transactions=transactions,
        receipts=receipts,
        machine=machine,
        max_blocks=call.max_blocks,
    )
    call_id: bytes | None = entry_id
    if call.signing_key is not None:
        status = followed.outcomes()[entry_id].outcome.status
        call_id = status.receipt_id if isinstance(status, SuccessReceiptId) else None
    return execution_of(followed, entry_id, call_id=call_id, history=start.history)


class Followed(NamedTuple):
    """Consecutive blocks."""

    world: World
    """As it is afterwards."""
    pre_root: bytes
    arriving: tuple[Receipt, ...]
    """Receipts that were on their way before the first block."""
    transitions: tuple[Transition, ...]
    settled: bool

    def then(self, rest: "Followed") -> "Followed":
        """These blocks and the ones behind them."""
        return rest._replace(
            pre_root=self.pre_root, arriving=self.arriving, transitions=(*self.transitions, *rest.transitions)
        )

    def outcomes(self) -> dict[bytes, OutcomeWithId]:
        """All outcomes by id."""
        return {entry.id: entry for step in self.transitions for entry in step.result.outcomes}


def follow(
    world: World,
    block: BlockContext,
    *,
    transactions: Sequence[SignedTransaction] = (),
    receipts: Sequence[Receipt] = (),
    machine: Machine,
    max_blocks: int,
) -> Followed:
    """Apply `block` with what enters, and blocks after it until nothing is in flight, at most `max_blocks`."""
    pre_root, arriving = world.root, world.in_flight
    transitions = [world.produce_block(block, transactions=transactions, receipts=receipts, machine=machine)]
    while is_in_flight(world) and len(transitions) < max_blocks:
        block = following(block)
        transitions.append(world.produce_block(block, machine=machine))
    return Followed(world, pre_root, arriving, tuple(transitions), settled=not is_in_flight(world))


def execution_of(followed: Followed, entry_id: bytes, *, call_id: bytes | None, history: Sequence[Yield]) -> Execution:
    """What the blocks led to for whoever entered with `entry_id`."""
    yields = continued(history, followed.transitions)
    return Execution(
        followed.world,
        followed.pre_root,
        followed.arriving,
        followed.transitions,
        entry_id,
        call_id,
        followed.outcomes(),
        followed.settled,
        yields,
    )


def is_in_flight(world: World) -> bool:
    """Whether the next block has something to do by itself: receipts on their way, delayed ones, buffered ones."""
    if world.in_flight or world.bandwidth_requests:  # whoever has buffered receipts asks for bandwidth
        return True
    first, following_index = indices(Overlay(Trie(world.store, world.root)), trie_keys.delayed_receipt_indices())
    return first < following_index


def _function_call(call: Call) -> FunctionCall:
    return FunctionCall(call.method_name, call.args, call.gas, call.deposit)


def _receipts(start: Start, call: Call) -> tuple[Receipt, ...]:
    """The receipt that the command line describes, behind the results that it waits for."""
    body = ActionReceipt(
        tag=ACTION_V2,
        signer_id=call.signer_id,
        refund_to=call.refund_to,
        signer_public_key=call.signer_public_key,
        gas_price=start.block.gas_price,
        output_data_receivers=(),
        input_data_ids=(),
        actions=(_function_call(call),),
    )
    receipt = Receipt(call.predecessor_id, call.contract_id, NO_HASH, body)
    brought: tuple[Receipt, ...] = ()
    if call.promise_results:
        receipt, brought = waiting_for(receipt, call.promise_results, identity=_identity(start, receipt))
    identity = _identity(start, receipt) if call.receipt_id is None else call.receipt_id
    named = [one._replace(receipt_id=_identity(start, one)) for one in brought]
    return (*named, receipt._replace(receipt_id=identity))


def _identity(start: Start, receipt: Receipt) -> bytes:
    """The id of a receipt that arrives in the first block."""
    world = start.world
    return receipt_id(
        receipt,
        start.block,
        chain_id=world.chain.chain_id,
        protocol_version=world.config.protocol_version,
        pre_state_root=world.root,
    )


def _transaction(start: Start, call: Call, signing_key: SecretKey) -> SignedTransaction:
    """The transaction that the command line describes, signed with the next nonce of the key."""
    public_key = call.signer_public_key
    row = trie_keys.access_key(call.signer_id, keys.key_handle(public_key))
    stored = Trie(start.world.store, start.world.root).get(row)
    nonce = 1 if stored is None else decode_access_key(stored).nonce + 1
    transaction = transaction_v0(
        call.signer_id,
        public_key,
        nonce=nonce,
        receiver_id=call.contract_id,
        block_hash=start.block.prev_block_hash,
        actions=(_function_call(call),),
    )
    return sign_with(transaction, signing_key.sign(transaction_hash(transaction)))
