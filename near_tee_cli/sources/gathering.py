"""Files of other tools put together into one state.

Every file says what it is (`shapes`); what several say of one thing has to agree, and what they leave out is
refused unless the caller takes it as it is. Answers of a node speak of one block; the state that they make is that of
the end of this block. Nothing is guessed in silence: each thing that the files did not say is in the notes.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from near_tee_cli.errors import BadInputError
from near_tee_cli.params.config import RuntimeConfig
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.primitives.schema.json_scalars import hash_text, read_account_id
from near_tee_cli.primitives.schema.records import (
    AccountRecord,
    PostponedReceiptRecord,
    StateRecord,
)
from near_tee_cli.runtime.block import BlockContext
from near_tee_cli.sources import genesis_files, rpc
from near_tee_cli.sources.genesis_files import GenesisConfig, Recounted
from near_tee_cli.sources.parts import AccountParts, Leniency, Made, records_of_parts
from near_tee_cli.sources.record_lists import Stated, completed, is_yield, listed
from near_tee_cli.sources.shapes import Found, Shape, recognise

MAX_ROWS = 1_000_000
"""Records that are put together at most."""

ANSWERS = frozenset(
    (
        Shape.VIEW_STATE, Shape.VIEW_ACCOUNT, Shape.VIEW_CODE, Shape.VIEW_ACCESS_KEY, Shape.VIEW_ACCESS_KEY_LIST,
        Shape.STATE_MAP,
    )
)  # fmt: skip
"""What speaks of one account."""


class Source(NamedTuple):
    """A file, and what the line says of it."""

    name: str
    data: bytes
    account_id: str | None
    """The account that it speaks of, if the line says."""
    public_key: bytes | None
    """The handle of the access key that it speaks of, if the line says."""


class Detected(NamedTuple):
    """What a file turned out to be."""

    name: str
    shape: str
    account_id: str | None
    items: int
    """Records, rows or keys."""


class Gathered(NamedTuple):
    """A state from files."""

    records: list[StateRecord]
    raw: list[tuple[bytes, bytes]]
    """Rows that records cannot express: global contracts."""
    genesis: GenesisConfig | None
    block: BlockContext | None
    """The last block if the files have it; its limit on the storage proof is left open."""
    height: int | None
    """Its height where nothing else is known of it."""
    detected: list[Detected]
    notes: list[str]
    recounted: list[Recounted]
    answered: frozenset[str]
    """Accounts that come from answers of a node, each as a whole."""


class _Files:
    """What has been read so far."""

    def __init__(self, lenient: Leniency) -> None:
        self.lenient = lenient
        self.detected: list[Detected] = []
        self.notes: list[str] = []
        self.accounts: dict[str, AccountParts] = {}
        self.lists: list[tuple[str, list[StateRecord]]] = []
        self.genesis: GenesisConfig | None = None
        self.block: BlockContext | None = None
        self.at: dict[rpc.At, str] = {}
        """Block -> the first file that speaks of it."""

    def read(self, source: Source, *, account_id: str | None) -> None:
        """Take a file in. `account_id` is the account of answers that do not name theirs."""
        for found in recognise(source.data, source.name):
            if found.shape in ANSWERS:
                self._answer(source, found, account_id)
            else:
                self._other(source, found)

    def _other(self, source: Source, found: Found) -> None:
        if source.account_id is not None or source.public_key is not None:
            raise BadInputError(
                f"{source.name} is {found.shape.value}: it names its accounts itself", code="account-not-needed"
            )
        if found.shape is Shape.BLOCK:
            at, block = rpc.block_of(found.content, source.name)
            if self.block is not None:
                raise BadInputError(f"{source.name} is a second block", code="contradiction")
            self.block = block
            self.at.setdefault(at, source.name)
            self.detected.append(Detected(source.name, found.shape.value, None, 1))
            return
        if found.shape in (Shape.GENESIS, Shape.GENESIS_CONFIG):
            if self.genesis is not None:
                raise BadInputError(f"{source.name} is a second genesis", code="contradiction")
            self.genesis = genesis_files.config_of(found.content, source.name)
        records: list[StateRecord] = []
        if found.shape is not Shape.GENESIS_CONFIG:
            records = genesis_files.records_of(found.content, source.name)
            self.lists.append((source.name, records))
        self.detected.append(Detected(source.name, found.shape.value, None, len(records)))

    def _answer(self, source: Source, found: Found, account_id: str | None) -> None:
        name = self._account_of(source, found, account_id)
        parts = self.accounts.setdefault(name, AccountParts(name))
        shape, content, what = found.shape, found.content, source.name
        at = rpc.at_of(content, what) if shape is not Shape.STATE_MAP else rpc.At(None, None)
        if at != rpc.At(None, None):
            self.at.setdefault(at, what)
        items = 1
        if shape is Shape.VIEW_ACCOUNT:
            parts.take_account(rpc.account_of(content, what), what)
        elif shape is Shape.VIEW_CODE:
            parts.take_code(rpc.code_of(content, what), what)
        elif shape is Shape.VIEW_ACCESS_KEY_LIST:
            keys = rpc.access_keys_of(content, what)
            parts.take_all_keys(keys, what)
            items = len(keys)
        elif shape is Shape.VIEW_ACCESS_KEY:
            parts.take_key(_handle(source, found), rpc.access_key_of(content, what), what)
        elif shape is Shape.VIEW_STATE:
            page = rpc.page_of(content, found.request, what)
            parts.pages.append((what, page))
            items = len(page.rows)
        else:
            rows = {cj.base64(key, what): cj.base64(value, what) for key, value in content.items()}
            parts.pages.append((what, rpc.Page(dict(sorted(rows.items())), None, asked=True, last=None)))
            items = len(rows)
        self.detected.append(Detected(what, shape.value, name, items))

    def _account_of(self, source: Source, found: Found, account_id: str | None) -> str:
        """Whose answer it is: the request says, or the line does; both have to agree."""
        asked = found.request.get("account_id")
        named = source.account_id
        if asked is not None:
            asked = read_account_id(asked, f"{source.name}: account_id of the request")
            if named not in (None, asked):
                raise BadInputError(f"{source.name} was asked for {asked}, the line says {named}", code="contradiction")
            return str(asked)
        name = named or account_id
        if name is None:
            raise BadInputError(
                f"{source.name} is {found.shape.value}, which does not say whose",
                code="account-needed",
                hint=f"write ACCOUNT={source.name}, or add --account-id ACCOUNT",
            )
        return name


def _handle(source: Source, found: Found) -> bytes:
    """Which access key an answer of `view_access_key` is about."""
    asked = found.request.get("public_key")
    if asked is not None:
        handle = rpc.handle_of(asked, f"{source.name}: public_key of the request")
        if source.public_key not in (None, handle):
            raise BadInputError(f"{source.name} was asked for another key than the line says", code="contradiction")
        return handle
    if source.public_key is None:
        raise BadInputError(
            f"{source.name} is {found.shape.value}, which does not say which key",
            code="key-needed",
            hint=f"write ACCOUNT,KEY={source.name}, or use view_access_key_list",
        )
    return source.public_key


def gather(sources: Iterable[Source], *, stated: Stated, lenient: Leniency, config: RuntimeConfig) -> Gathered:
    """The state that `sources` make together.

    Raises `BadInputError`: see `shapes` for files; `incomplete-state`, `incomplete-account`, `mixed-blocks`,
    `duplicate-record`, `contradiction`, `code-hash-mismatch` and `bad-genesis` for what they say together.
    """
    files = _Files(lenient)
    for source in sources:
        files.read(source, account_id=stated.account_id)
    block, height = _block(files)
    records = completed(
        listed(files.lists, files.notes), stated=stated, lenient=lenient, config=config, notes=files.notes
    )
    recounted: list[Recounted] = []
    if files.genesis is not None:
        records, recounted, staked = genesis_files.as_genesis(records, files.genesis.validators, config=config)
        files.notes += _genesis_notes(files.genesis, recounted, staked, records)
    if any(isinstance(record, PostponedReceiptRecord) and is_yield(record.receipt) for record in records):
        files.notes.append("records hold no timeouts of yields: those that wait here never time out")
    made = _from_answers(files, records, stated=stated, config=config)
    records += made.records
    if len(records) + len(made.raw) > MAX_ROWS:
        raise BadInputError(f"{len(records)} records, at most {MAX_ROWS} are put together", code="too-large")
    return Gathered(
        records,
        made.raw,
        files.genesis,
        block,
        height,
        files.detected,
        files.notes,
        recounted,
        frozenset(files.accounts),
    )


def _block(files: _Files) -> tuple[BlockContext | None, int | None]:
    """The block that the state is after, or only its height. Raises `BadInputError` when the files mix blocks."""
    heights = {at.height for at in files.at if at.height is not None}
    hashes = {at.hash for at in files.at if at.hash is not None}
    if len(heights) > 1 or len(hashes) > 1:
        told = ", ".join(f"{name} of block {_shown(at)}" for at, name in list(files.at.items())[:4])
        if not files.lenient.mixed_blocks:
            raise BadInputError(
                f"the answers speak of different blocks: {told}",
                code="mixed-blocks",
                hint="ask again with one block_id, or take the state as no block had it with --allow-mixed-blocks",
            )
        files.notes.append(f"the answers speak of different blocks, so that the state is that of no block: {told}")
    if files.genesis is not None:
        if heights:
            raise BadInputError("a genesis and a later block cannot both be the last block", code="contradiction")
        return files.genesis.block, None
    if files.block is not None:
        files.notes.append("the epoch's height is not in a block's answer; it is 0 unless --epoch-height says it")
        return files.block, None
    if not heights:
        return None, None
    files.notes.append(
        f"of block {max(heights)} only the height is known: its time, seed and gas price are the defaults unless flags"
        " or an answer of `block` say them"
    )
    return None, max(heights)


def _shown(at: rpc.At) -> str:
    height = "an unknown height" if at.height is None else str(at.height)
    return height if at.hash is None else f"{height} ({hash_text(at.hash)[:8]}...)"


def _genesis_notes(
    genesis: GenesisConfig, recounted: Sequence[Recounted], staked: Sequence[str], records: Sequence[StateRecord]
) -> list[str]:
    notes = []
    if recounted:
        shown = ", ".join(f"{one.account_id} {one.stated} -> {one.counted}" for one in recounted[:3])
        more = "" if len(recounted) <= 3 else f" and {len(recounted) - 3} more"
        notes.append(f"storage_usage is counted anew as genesis does, and differs from the file: {shown}{more}")
    if staked:
        notes.append(f"genesis sets the stake of its validators: {', '.join(sorted(staked)[:5])}")
    names = {record.account_id for record in records if isinstance(record, AccountRecord)}
    if genesis.treasury is not None and genesis.treasury not in names:
        notes.append(f"the treasury account {genesis.treasury} is not among the records; a chain would not start")
    return notes


def _from_answers(files: _Files, records: Sequence[StateRecord], *, stated: Stated, config: RuntimeConfig) -> Made:
    """The records of the accounts that answers of a node speak of."""
    described = {record.account_id for record in records if isinstance(record, AccountRecord)}
    both = sorted(described & set(files.accounts))
    if both:
        raise BadInputError(
            f"{both[0]} is among the records and in answers of a node", code="contradiction", hint="import one of them"
        )
    made = Made([], [], files.notes)
    for name in sorted(files.accounts):
        records_of_parts(
            files.accounts[name],
            made,
            code=stated.codes.get(name),
            balance=stated.balances.get(name),
            lenient=files.lenient,
            config=config,
        )
    return made
