"""A state from files of other tools: the files read, put together, and put on the state they belong to."""

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from near_tee_cli.cli import additions, defaults, files, units, world_options
from near_tee_cli.cli.parameters import Given
from near_tee_cli.cli.snapshot_input import read_state
from near_tee_cli.cli.world_edits import Edits, apply_edits, key_handle
from near_tee_cli.errors import BadInputError, UnsupportedError, UsageError
from near_tee_cli.params.config import RuntimeConfig
from near_tee_cli.params.features import require_supported
from near_tee_cli.params.store import config_at
from near_tee_cli.primitives.account_id import is_valid
from near_tee_cli.primitives.schema.account import Account, decode_account
from near_tee_cli.primitives.schema.records import (
    AccountRecord,
    DelayedReceiptRecord,
    PostponedReceiptRecord,
    ReceivedDataRecord,
)
from near_tee_cli.runtime.block import BlockContext, ChainContext
from near_tee_cli.runtime.editing import Editor
from near_tee_cli.runtime.genesis import Rows, rows_of_records
from near_tee_cli.runtime.world import World
from near_tee_cli.sources.gathering import Gathered, Source, gather
from near_tee_cli.sources.parts import Leniency
from near_tee_cli.sources.record_lists import Stated
from near_tee_cli.state import keys
from near_tee_cli.state.trie import Trie
from near_tee_cli.workspace.snapshots import Snapshot, world_of

MAX_FILES = 1_000
MAX_TOTAL_BYTES = 1 << 30
"""Bytes of all files together."""


class Imported(NamedTuple):
    """What files came to."""

    gathered: Gathered
    world: World
    block: BlockContext | None
    said: list[str]
    notes: list[str]
    form: str | None
    """That of the state they were put on."""


def imported(given: Given) -> Imported:
    """Import what a line names. Raises `UsageError`, `BadInputError`, `UnsupportedError` and `StateError`."""
    paths = additions.contract_paths(given["with"], "--with")
    named = [_named(text) for text in given["files"]]
    if len(named) > MAX_FILES:
        raise UsageError(f"{len(named)} files, at most {MAX_FILES} are read")
    stdin = {f"FILE {at + 1}": path for at, (_, _, path) in enumerate(named)}
    files.at_most_one_stdin({"--onto": given["onto"], **{f"--with {name}": path for name, path in paths}, **stdin})
    balances = additions.accounts(given["account"], "--account")
    codes = additions.contracts(paths)
    base, form = (None, None) if given["onto"] is None else _base(given["onto"])
    asked = world_options.protocol_version_of(given)
    version = defaults.PROTOCOL_VERSION if base is None else base.protocol_version
    config = config_at(version if asked is None else asked)
    before: Mapping[bytes, bytes] = {} if base is None else base.rows
    gathered = gather(
        _sources(named),
        stated=Stated(
            account_id=None if given["account_id"] is None else units.account(given["account_id"], "--account-id"),
            codes=dict(codes),
            balances=dict(balances),
            known=lambda name: _account(before, name),
        ),
        lenient=Leniency(given["allow_incomplete"], given["allow_mixed_blocks"]),
        config=config,
    )
    if base is not None and gathered.genesis is not None:
        raise BadInputError("a genesis is a beginning, and is put onto no other state", code="contradiction")
    notes = list(gathered.notes)
    config = _config(gathered, config, asked=asked, base=base, notes=notes)
    chain = ChainContext(defaults.CHAIN_ID, (), None) if base is None else base.chain
    if gathered.genesis is not None:
        chain = ChainContext(gathered.genesis.chain_id, gathered.genesis.validators, chain.minimum_stake)
    snapshot = (base or Snapshot(config.protocol_version, chain, {}))._replace(
        protocol_version=config.protocol_version,
        chain=world_options.chain_of(given, chain),
        rows=_rows(gathered, before),
        state_root=None,
    )
    world = world_of(snapshot)
    said = _add_rest(world, gathered, balances=balances, codes=codes)
    last = _last(gathered, config, before=snapshot.block, notes=notes)
    return Imported(gathered, world, world_options.last_block_of(given, last, config), said, notes, form)


def _named(text: str) -> tuple[str | None, bytes | None, str]:
    """A file of the line, with the account and the key that it is said to speak of."""
    head, equals, path = text.partition("=")
    name, comma, key = head.partition(",")
    if not equals or not is_valid(name) or (os.path.exists(text) and not comma):
        return None, None, text
    return name, key_handle(key, "FILE") if comma else None, path


def _sources(named: list[tuple[str | None, bytes | None, str]]) -> list[Source]:
    sources = []
    size = 0
    for account_id, public_key, path in named:
        label = "standard input" if path == files.STDIN else path
        data = files.read(path, label, max_bytes=files.MAX_SNAPSHOT_BYTES)
        size += len(data)
        if size > MAX_TOTAL_BYTES:
            raise BadInputError(f"the files have more than {MAX_TOTAL_BYTES} bytes together", code="too-large")
        sources.append(Source(label, data, account_id, public_key))
    return sources


def _base(path: str) -> tuple[Snapshot, str]:
    found = read_state(path)
    return found.snapshot, found.form


def _account(rows: Mapping[bytes, bytes], account_id: str) -> Account | None:
    stored = rows.get(keys.account(account_id))
    return None if stored is None else decode_account(stored)


def _config(
    gathered: Gathered, config: RuntimeConfig, *, asked: int | None, base: Snapshot | None, notes: list[str]
) -> RuntimeConfig:
    """The rules of the state: those that the line or the state below say, else those of a genesis that are known."""
    genesis = gathered.genesis
    if genesis is None or asked is not None or base is not None:
        return config
    try:
        require_supported(genesis.protocol_version)
    except UnsupportedError:
        notes.append(
            f"the genesis is of protocol version {genesis.protocol_version}, which is not implemented; the state is for"
            f" version {config.protocol_version}"
        )
        return config
    return config_at(genesis.protocol_version)


def _rows(gathered: Gathered, before: Mapping[bytes, bytes]) -> Rows:
    """The rows of the files, on those of the state below."""
    if before and any(
        isinstance(record, DelayedReceiptRecord | PostponedReceiptRecord | ReceivedDataRecord)
        for record in gathered.records
    ):
        raise UnsupportedError("receipts that wait are not put onto a state that is there", what="receipts-onto")
    rows = {key: value for key, value in before.items() if not _belongs_to(key, gathered.answered)}
    rows.update(rows_of_records(gathered.records))
    rows.update(gathered.raw)
    return dict(sorted(rows.items()))


_OF_AN_ACCOUNT = ("Account", "ContractCode", "AccessKey", "GasKeyNonce", "ContractData")
"""Rows that go when an account is replaced as a whole."""


def _belongs_to(key: bytes, accounts: frozenset[str]) -> bool:
    if not accounts:
        return False
    try:
        description = keys.describe(key)
    except BadInputError:
        return False
    return description.account_id in accounts and description.column in _OF_AN_ACCOUNT


def _add_rest(world: World, gathered: Gathered, *, balances: Any, codes: Any) -> list[str]:
    """Make the accounts and set the contracts of the line that the files do not speak of."""
    there = {record.account_id for record in gathered.records if isinstance(record, AccountRecord)}
    edits = Edits(
        (), tuple(pair for pair in balances if pair[0] not in there), (),
        tuple(pair for pair in codes if pair[0] not in there), (), (), (), (), (),
    )  # fmt: skip
    editor = Editor(world.config, Trie(world.store, world.root))
    said = apply_edits(edits, editor)
    changes = editor.finish()
    world.root = changes.root
    world.store.update(changes.nodes)
    return said


def _last(
    gathered: Gathered, config: RuntimeConfig, *, before: BlockContext | None, notes: list[str]
) -> BlockContext | None:
    """The last block with the defaults in the place of what neither the files nor the state below say."""
    if gathered.block is not None:
        default = world_options.default_block(config)
        unsaid = () if gathered.genesis is None else gathered.genesis.unsaid
        if unsaid:
            notes.append(f"the genesis does not say these of its block, which are the defaults: {', '.join(unsaid)}")
        values = {name: getattr(default, name) for name in (*unsaid, "proof_size_limit")}
        gas_limit = default.gas_limit if gathered.block.gas_limit is None else gathered.block.gas_limit
        return gathered.block._replace(gas_limit=gas_limit, **values)
    if gathered.height is None:
        return before
    return (before or world_options.default_block(config))._replace(height=gathered.height)
