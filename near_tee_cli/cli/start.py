"""The state that a call starts from: a snapshot or a small world of its own, with the contract in it.

What is added to a snapshot (the contract's code, accounts that the call names and the snapshot lacks, balances
from flags) becomes part of the pre-state, and is said.
"""

from typing import Any, NamedTuple

from near_tee_cli.cli import defaults
from near_tee_cli.cli.call import Asked, Call, Surroundings
from near_tee_cli.cli.units import shown_near
from near_tee_cli.errors import BadInputError
from near_tee_cli.params.config import RuntimeConfig
from near_tee_cli.params.store import config_at
from near_tee_cli.primitives import keys as key_texts
from near_tee_cli.primitives.account_id import SYSTEM
from near_tee_cli.primitives.integers import U64_MAX
from near_tee_cli.primitives.schema.access_key import full_access_key
from near_tee_cli.primitives.schema.account import Account
from near_tee_cli.primitives.schema.wire import NO_HASH
from near_tee_cli.runtime.block import BlockContext, ChainContext
from near_tee_cli.runtime.editing import Editor
from near_tee_cli.runtime.world import World
from near_tee_cli.runtime.yield_history import Yield, waiting
from near_tee_cli.state.trie import Trie


class Start(NamedTuple):
    """Where a call begins."""

    world: World
    block: BlockContext
    """The first block."""
    last: BlockContext | None
    """The block that the snapshot ended with."""
    notes: tuple[str, ...]
    """What was made or changed in a snapshot before the call."""
    form: str | None
    """How the snapshot was written; `None` without one."""
    parent: bytes | None
    """Digest of the step that the state came from."""
    history: tuple[Yield, ...]
    """The yields known before."""
    made: tuple[tuple[str, int], ...] = ()
    """Accounts that were made for the call, with their balances in yoctoNEAR."""


def start(asked: Asked) -> Start:
    """The world and the first block of a call. Raises `BadInputError`, `UnsupportedError` and `StateError`."""
    call, around = asked.call, asked.surroundings
    notes: list[str] = []
    last = form = parent = None
    history: tuple[Yield, ...] = ()
    if around.state_path is None:
        config = config_at(around.protocol_version or defaults.PROTOCOL_VERSION)
        chain = ChainContext(around.chain_id or defaults.CHAIN_ID, around.validators or (), around.minimum_stake)
        world = World.from_records(config, chain, records=())
    else:
        from near_tee_cli.cli.snapshot_input import read_state
        from near_tee_cli.workspace.snapshots import world_of

        snapshot, form, stored = read_state(around.state_path, writing=around.in_place)
        last = snapshot.block
        world = world_of(_with_surroundings(snapshot, around))
        parent = None if stored is None else stored.digest
        history = waiting(Trie(world.store, world.root)) if stored is None else stored.step.yields
        if world.in_flight:
            notes.append(f"{len(world.in_flight)} receipts of the snapshot are in flight; they come in first")
    editor = Editor(world.config, Trie(world.store, world.root))
    additions = _Additions(editor, notes, signer=(call.signer_id, call.signer_public_key))
    additions.add(around)
    additions.install(call, around)
    for account_id in _named(call, around):
        additions.require(account_id)
    changes = editor.finish()
    world.root = changes.root
    world.store.update(changes.nodes)
    block = next_block(world.config, last, around)
    said = () if around.state_path is None else tuple(notes)
    return Start(world, block, last, said, form, parent, history, tuple(sorted(additions.made)))


def _with_surroundings(snapshot: Any, around: Surroundings) -> Any:
    """The snapshot with what flags say of the chain."""
    version = snapshot.protocol_version if around.protocol_version is None else around.protocol_version
    chain = snapshot.chain
    if around.chain_id is not None:
        chain = chain._replace(chain_id=around.chain_id)
    if around.validators is not None:
        chain = chain._replace(validators=around.validators)
    if around.minimum_stake is not None:
        chain = chain._replace(minimum_stake=around.minimum_stake)
    return snapshot._replace(protocol_version=version, chain=chain)


def following(block: BlockContext) -> BlockContext:
    """The block after `block`: one higher, a second later, all else the same."""
    return advanced(block, block.height + 1)


def advanced(block: BlockContext, height: int) -> BlockContext:
    """`block` at a later height, a second later for each height between, all else the same."""
    later = (height - block.height) * defaults.BLOCK_INTERVAL
    return block._replace(height=height, timestamp=block.timestamp + later)


def next_block(config: RuntimeConfig, last: BlockContext | None, around: Surroundings) -> BlockContext:
    """The block after `last`, or the first one, with what flags say of it.

    A height without a time moves the time along. Raises `BadInputError` when that leaves the range of a u64.
    """
    block = _first_block(config) if last is None else following(last)
    if last is not None and around.block_height is not None and around.block_height > block.height:
        block = advanced(block, around.block_height)
    block = _with_flags(block, around)
    if block.timestamp > U64_MAX:
        raise BadInputError(f"the time of block {block.height} exceeds 64 bits", code="out-of-range")
    return block


def _first_block(config: RuntimeConfig) -> BlockContext:
    return BlockContext(
        height=defaults.BLOCK_HEIGHT,
        timestamp=defaults.BLOCK_TIMESTAMP,
        prev_block_hash=NO_HASH,
        random_seed=defaults.SEED,
        epoch_id=NO_HASH,
        epoch_height=defaults.EPOCH_HEIGHT,
        gas_price=defaults.GAS_PRICE,
        gas_limit=defaults.GAS_LIMIT,
        is_new_chunk=True,
        proof_size_limit=config.main_storage_proof_size_soft_limit,
    )


def _with_flags(block: BlockContext, around: Surroundings) -> BlockContext:
    return block._replace(
        height=block.height if around.block_height is None else around.block_height,
        timestamp=block.timestamp if around.block_timestamp is None else around.block_timestamp,
        epoch_height=block.epoch_height if around.epoch_height is None else around.epoch_height,
        gas_price=block.gas_price if around.gas_price is None else around.gas_price,
        random_seed=block.random_seed if around.random_seed is None else around.random_seed,
    )


def add_to(world: World, around: Surroundings) -> tuple[str, ...]:
    """Put accounts and contracts of a line into `world` before it is gone on from; what was made or changed."""
    notes: list[str] = []
    editor = Editor(world.config, Trie(world.store, world.root))
    _Additions(editor, notes, signer=None).add(around)
    changes = editor.finish()
    world.root = changes.root
    world.store.update(changes.nodes)
    return tuple(notes)


class _Additions:
    """What the line puts into the state before the call."""

    def __init__(self, editor: Editor, notes: list[str], *, signer: tuple[str, bytes] | None) -> None:
        """`signer` is the account that is made with a key, and its public key in Borsh."""
        self.editor = editor
        self.notes = notes
        self.signer = signer
        self.made: list[tuple[str, int]] = []

    def add(self, around: Surroundings) -> None:
        """Accounts and contracts beside the one that is called."""
        for account_id, balance in around.accounts or ():
            self._balance(account_id, balance)
        for account_id, code in around.contracts or ():
            self._contract(account_id, code)

    def install(self, call: Call, around: Surroundings) -> None:
        """The contract that is called, and what flags say of its account."""
        self._contract(call.contract_id, call.code)
        account = self.editor.existing(call.contract_id)
        self.editor.set_account(call.contract_id, _with_account_flags(account, around))

    def _contract(self, account_id: str, code: bytes) -> None:
        account = self.require(account_id)
        if self.editor.set_code(account_id, code) and account.contract is not None:
            self.notes.append(f"the contract of {account_id} is replaced by the given file in the pre-state")

    def require(self, account_id: str) -> Account:
        """The account, made with the default balance when there is none."""
        account = self.editor.account(account_id)
        if account is None:
            account = self._make(account_id, defaults.BALANCE)
            self.notes.append(f"account {account_id} is not in the snapshot; made with the default balance")
        return account

    def _balance(self, account_id: str, balance: int) -> None:
        account = self.editor.account(account_id)
        if account is None:
            self._make(account_id, balance)
        elif account.amount != balance:
            self.editor.set_account(account_id, account._replace(amount=balance))
            self.notes.append(
                f"the balance of {account_id} is {shown_near(balance)} instead of {shown_near(account.amount)}"
            )

    def _make(self, account_id: str, balance: int) -> Account:
        """A new account, charged as a chain would; the signer's gets the key that signs, with full access."""
        account = self.editor.make_account(account_id, amount=balance, locked=defaults.LOCKED_BALANCE)
        if self.signer is not None and account_id == self.signer[0]:
            handle = key_texts.key_handle(self.signer[1])
            self.editor.set_key(account_id, handle, access_key=full_access_key(0))
        self.made.append((account_id, balance))
        return account


def _with_account_flags(account: Account, around: Surroundings) -> Account:
    return account._replace(
        amount=account.amount if around.balance is None else around.balance,
        locked=account.locked if around.locked_balance is None else around.locked_balance,
        storage_usage=account.storage_usage if around.storage_usage is None else around.storage_usage,
    )


def _named(call: Call, around: Surroundings) -> tuple[str, ...]:
    """The accounts that have to be there beside the contract's, as far as they are made when they are not.

    A transaction on a snapshot is checked like any other: a signer that is missing there stays missing. A view touches
    the account of its contract alone.
    """
    if around.state_path is not None and (call.view or call.signing_key is not None):
        return ()
    return tuple(name for name in dict.fromkeys((call.predecessor_id, call.signer_id)) if name != SYSTEM)
