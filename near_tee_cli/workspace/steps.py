"""Steps: one command's work, from which it can be proved, repeated and gone on from.

A step has a state, the blocks that were applied to it with everything that went in, the state after them, and the
yields that wait there. It names the step that it went on from, so that the steps of a directory form a tree: going
on from the same step twice, with different answers, gives two children.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from near_tee_cli.errors import BadInputError, EvidenceError
from near_tee_cli.primitives import base58
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.account import decode_account
from near_tee_cli.primitives.schema.receipt import Receipt, decode_receipt, encode_receipt
from near_tee_cli.primitives.schema.transaction import decode_signed_transaction, encode_signed_transaction
from near_tee_cli.runtime.actions.contracts import code_hash_of
from near_tee_cli.runtime.block import BlockContext
from near_tee_cli.runtime.chunk import Machine
from near_tee_cli.runtime.world import Transition, World
from near_tee_cli.runtime.yield_history import EXECUTED, Yield, waiting
from near_tee_cli.state import keys
from near_tee_cli.state.overlay import Overlay
from near_tee_cli.state.trie import Trie
from near_tee_cli.workspace.replay import result_json
from near_tee_cli.workspace.snapshots import Snapshot, world_of


class StepBlock(NamedTuple):
    """One block with everything that went in, as Borsh."""

    block: BlockContext
    forward: bool
    """Whether what was in flight before came in first."""
    transactions: tuple[bytes, ...]
    expired: tuple[int, ...]
    receipts: tuple[bytes, ...]
    """Those that came in from outside."""


class Step(NamedTuple):
    """One command's work."""

    about: Mapping[str, object]
    """The command as it was understood, with every default filled in: for people and for repeating it."""
    outcome: Mapping[str, object]
    """What it came to in short: for lists of steps."""
    before: Snapshot
    blocks: tuple[StepBlock, ...]
    after: Snapshot
    results: tuple[Mapping[str, object], ...]
    """What each block came to, in the form of the case format."""
    yields: tuple[Yield, ...]
    """Every yield that is known on the way to this step, those that ended included."""
    codes: Mapping[str, bytes | None]
    """Account that a yield waits on -> hash of the code that its callback would run; `None` without a contract."""
    parent: bytes | None
    """Digest of the step that this one went on from."""


def step_of(
    about: Mapping[str, object],
    outcome: Mapping[str, object],
    *,
    transitions: Sequence[Transition],
    before: Snapshot,
    after: Snapshot,
    world: World,
    yields: Sequence[Yield],
    parent: bytes | None,
) -> Step:
    """The step that took `before` to `after`, which is `world`, by applying `transitions`."""
    blocks = []
    in_flight = before.in_flight
    for transition in transitions:
        blocks.append(_block_of(transition, in_flight))
        in_flight = transition.result.outgoing_receipts
    results = tuple(result_json(transition.result) for transition in transitions)
    codes = _codes(world, yields)
    return Step(about, outcome, before, tuple(blocks), after, results, tuple(yields), codes, parent)


def _block_of(transition: Transition, in_flight: tuple[Receipt, ...]) -> StepBlock:
    inputs = transition.inputs
    forward = inputs.receipts[: len(in_flight)] == in_flight
    outside = inputs.receipts[len(in_flight) :] if forward else inputs.receipts
    return StepBlock(
        block=transition.block,
        forward=forward,
        transactions=tuple(map(encode_signed_transaction, inputs.transactions)),
        expired=tuple(sorted(inputs.expired)),
        receipts=tuple(map(encode_receipt, outside)),
    )


def _codes(world: World, yields: Sequence[Yield]) -> dict[str, bytes | None]:
    accounts = sorted({one.account_id for one in yields if one.status != EXECUTED})
    state = Trie(world.store, world.root)
    return {account_id: _code(state, account_id, chain_id=world.chain.chain_id) for account_id in accounts}


def _code(state: Trie, account_id: str, *, chain_id: str) -> bytes | None:
    """The hash of the code that the account runs, held against the code itself where the state has it."""
    stored = state.get(keys.account(account_id))
    if stored is None:
        return None
    named, row = code_hash_of(Overlay(state), account_id, account=decode_account(stored), chain_id=chain_id)
    code = state.get(row) if row else None
    if code is not None and sha256(code) != named:
        raise BadInputError(
            f"the code of {account_id} is not the one that its account names", code="code-mismatch", where=account_id
        )
    return named


def world_after(step: Step) -> World:
    """The state after `step`, ready to be gone on from, held against everything that the step says of it.

    Raises `InconsistentStateError` for rows that do not have the root, `UnsupportedError` for a protocol version that
    is not implemented, and `BadInputError` (`step-damaged`, `code-mismatch`) for yields or code other than recorded.
    """
    world = world_of(step.after)
    state = Trie(world.store, world.root)
    recorded = {one.name: one for one in step.yields if one.status != EXECUTED}
    found = {one.name: one for one in waiting(state)}
    if recorded.keys() != found.keys() or any(not _same(found[name], recorded[name]) for name in found):
        raise BadInputError("the yields of the step are not those that its state holds", code="step-damaged")
    for account_id, code_hash in step.codes.items():
        if _code(state, account_id, chain_id=world.chain.chain_id) != code_hash:
            raise BadInputError(
                f"{account_id} runs other code than the step was written with", code="code-mismatch", where=account_id
            )
    if set(step.codes) != {account_id for account_id, _ in found}:
        raise BadInputError("the step does not say which code waits", code="step-damaged", where="codes")
    return world


_STATED = ("yield_id", "receipt_id", "method_name", "args", "gas", "deposit", "status", "expires_at")


def _same(found: Yield, recorded: Yield) -> bool:
    """Whether a state and a step say the same of a yield, as far as a state can say it."""
    return all(
        getattr(found, name) == getattr(recorded, name)
        for name in _STATED
        # The entry of the queue is gone once its time is over, the height that it named is remembered.
        if name != "expires_at" or found.expires_at is not None
    )


class Repeated(NamedTuple):
    """A step applied again: the world as it is after it, and the transitions, which can be proved."""

    world: World
    transitions: tuple[Transition, ...]


def repeat_step(step: Step, *, machine: Machine) -> Repeated:
    """Apply the blocks of `step` again.

    Raises `EvidenceError` (`step-mismatch`) when they come to something else than the step holds, and whatever
    applying a block raises.
    """
    world = world_of(step.before)
    transitions = []
    for position, (block, recorded) in enumerate(zip(step.blocks, step.results, strict=True)):
        transition = world.produce_block(
            block.block,
            transactions=[decode_signed_transaction(raw) for raw in block.transactions],
            expired=block.expired,
            receipts=[decode_receipt(raw) for raw in block.receipts],
            forward=block.forward,
            machine=machine,
        )
        found = result_json(transition.result)
        for name, value in recorded.items():
            if found.get(name) != value:
                where = f"blocks[{position}].{name}"
                raise EvidenceError(
                    f"{where} is not what applying the step again gives", code="step-mismatch", where=where
                )
        transitions.append(transition)
    if step.after.state_root is not None and world.root != step.after.state_root:
        raise EvidenceError("applying the step again leads to another root", code="step-mismatch", where="post_root")
    return Repeated(world, tuple(transitions))


def root_text(snapshot: Snapshot) -> str | None:
    """The root that a snapshot states."""
    return None if snapshot.state_root is None else base58.encode(snapshot.state_root)
