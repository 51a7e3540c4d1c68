"""Recorded cases: a state, blocks of transactions and receipts, and what nearcore answered to them.

A case is one JSON document in the format `near-tee/case/v1`. Reading is strict (unknown members, numbers out of
range and odd base64 are errors) and applies the defaults of the format, so that everything behind it meets
complete blocks. What is expected stays as JSON: `replay` compares it member by member.
"""

from collections.abc import Mapping
from typing import NamedTuple

from near_tee_cli.errors import BadInputError, UnsupportedError
from near_tee_cli.primitives import account_id as account_ids
from near_tee_cli.primitives import base58
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.primitives.integers import U32_MAX

FORMAT = "near-tee/case/v1"

DEFAULT_CHAIN_ID = "localnet"
DEFAULT_GAS_PRICE = 100_000_000
"""yoctoNEAR per gas."""
DEFAULT_GAS_LIMIT = 1_000_000_000_000_000
"""Gas of a chunk."""
ZERO_HASH_TEXT = "1" * 32
"""32 zero bytes in base58."""
FIRST_HEIGHT = 1
FIRST_TIMESTAMP = 100
"""Nanoseconds; every further block comes `BLOCK_INTERVAL` later."""
BLOCK_INTERVAL = 1_000_000_000
"""Nanoseconds."""

_OUTER = ("name", "protocol_version", "records", "blocks")
CASE_MINIMUM_STAKE = 0
"""What the least stake was when the cases were recorded."""

_OUTER_OPTIONAL = ("format", "about", "chain_id", "validators", "raw", "expect")
_BLOCK = (
    "height", "timestamp", "prev_block_hash", "random_seed", "epoch_id", "epoch_height", "gas_price", "gas_limit",
    "is_new_chunk", "transactions", "expired", "receipts", "forward", "views",
)  # fmt: skip


class View(NamedTuple):
    """A read-only call on the state behind a block."""

    account_id: str
    method_name: str
    args: bytes


class CaseBlock(NamedTuple):
    """One block with every default filled in. `timestamp` in nanoseconds, `gas_price` in yoctoNEAR per gas."""

    height: int
    timestamp: int
    prev_block_hash: bytes
    random_seed: bytes
    epoch_id: bytes
    epoch_height: int
    gas_price: int
    gas_limit: int | None
    is_new_chunk: bool
    transactions: tuple[bytes, ...]
    """Borsh of each signed transaction, unparsed."""
    expired: frozenset[int]
    """Indices of transactions whose validity period has passed."""
    receipts: tuple[bytes, ...]
    """Borsh of each receipt that comes in after the forwarded ones, unparsed."""
    forward: bool
    """Whether the receipts that the block before sent out come in first."""
    views: tuple[View, ...]


class Case(NamedTuple):
    """One case. `records` are StateRecord objects as JSON; `raw` are trie entries set verbatim after them."""

    name: str
    about: str
    protocol_version: int
    chain_id: str
    validators: Mapping[str, int]
    records: list[object]
    raw: tuple[tuple[bytes, bytes], ...]
    blocks: tuple[CaseBlock, ...]
    expect: Mapping[str, object] | None


def is_case(document: object) -> bool:
    """Whether a parsed JSON document says that it is a case, of whichever version."""
    return isinstance(document, dict) and str(document.get("format", "")).startswith("near-tee/case/")


def read_case(data: bytes, what: str) -> Case:
    """The case in a JSON document; `what` names it in errors.

    Raises `BadInputError` for anything malformed and `UnsupportedError` for another version of the format.
    """
    return parse_case(cj.loads(data, what))


def parse_case(document: object) -> Case:
    """The case in a parsed JSON document. Raises as `read_case` does."""
    found = cj.mapping(document, "case")
    version = found.get("format")
    if version != FORMAT:
        if is_case(document):
            raise UnsupportedError(f"case format {cj.shown(version)} is not known, only {FORMAT}", what="case-format")
        raise BadInputError(f"not a case: format is {cj.shown(version)}, expected {FORMAT}", code="not-a-case")
    members = cj.members(found, "case", required=_OUTER, optional=_OUTER_OPTIONAL)
    expect = members.get("expect")
    return Case(
        name=cj.string(members["name"], "name"),
        about=cj.string(members.get("about", ""), "about"),
        protocol_version=cj.integer(members["protocol_version"], "protocol_version", bound=U32_MAX),
        chain_id=cj.string(members.get("chain_id", DEFAULT_CHAIN_ID), "chain_id"),
        validators=parse_validators(members.get("validators", {}), "validators"),
        records=cj.array(members["records"], "records"),
        raw=parse_rows(members.get("raw", []), "raw"),
        blocks=_blocks(cj.array(members["blocks"], "blocks")),
        expect=None if expect is None else _expectation(expect),
    )


def parse_validators(value: object, where: str) -> dict[str, int]:
    """Validators and their stakes in yoctoNEAR, from an object of decimal strings."""
    stakes = {}
    for account_id, stake in cj.mapping(value, where).items():
        if not account_ids.is_valid(account_id):
            raise BadInputError(f"{where} names {cj.shown(account_id)}, no account id", code="bad-field", where=where)
        stakes[account_id] = cj.decimal(stake, f"{where}.{account_id}")
    return stakes


def parse_rows(value: object, where: str) -> tuple[tuple[bytes, bytes], ...]:
    """Trie entries from an array of `[key, value]` in base64."""
    rows = []
    for index, row in enumerate(cj.array(value, where)):
        place = f"{where}[{index}]"
        pair = cj.array(row, place)
        if len(pair) != 2:
            raise BadInputError(f"{place} has {len(pair)} items, expected key and value", code="bad-field", where=place)
        rows.append((cj.base64(pair[0], f"{place}[0]"), cj.base64(pair[1], f"{place}[1]")))
    return tuple(rows)


def parse_hash(value: object, where: str) -> bytes:
    """32 bytes from base58 text."""
    try:
        return base58.decode(cj.string(value, where), 32)
    except BadInputError as error:
        raise BadInputError(f"{where}: {error.message}", code="bad-field", where=where) from error


def _blocks(values: list[object]) -> tuple[CaseBlock, ...]:
    blocks: list[CaseBlock] = []
    for index, value in enumerate(values):
        height = blocks[-1].height + 1 if blocks else FIRST_HEIGHT
        blocks.append(_block(value, index, default_height=height))
    return tuple(blocks)


def _block(value: object, index: int, *, default_height: int) -> CaseBlock:
    where = f"blocks[{index}]"
    got = cj.members(value, where, required=(), optional=_BLOCK).get
    gas_limit = got("gas_limit", DEFAULT_GAS_LIMIT)
    transactions = tuple(
        cj.base64(item, f"{where}.transactions[{i}]")
        for i, item in enumerate(cj.array(got("transactions", []), f"{where}.transactions"))
    )
    return CaseBlock(
        height=cj.integer(got("height", default_height), f"{where}.height"),
        timestamp=cj.integer(got("timestamp", FIRST_TIMESTAMP + BLOCK_INTERVAL * index), f"{where}.timestamp"),
        prev_block_hash=parse_hash(got("prev_block_hash", ZERO_HASH_TEXT), f"{where}.prev_block_hash"),
        random_seed=parse_hash(got("random_seed", ZERO_HASH_TEXT), f"{where}.random_seed"),
        epoch_id=parse_hash(got("epoch_id", ZERO_HASH_TEXT), f"{where}.epoch_id"),
        epoch_height=cj.integer(got("epoch_height", 0), f"{where}.epoch_height"),
        gas_price=cj.decimal(got("gas_price", str(DEFAULT_GAS_PRICE)), f"{where}.gas_price"),
        gas_limit=None if gas_limit is None else cj.integer(gas_limit, f"{where}.gas_limit"),
        is_new_chunk=cj.boolean(got("is_new_chunk", True), f"{where}.is_new_chunk"),
        transactions=transactions,
        expired=_indices(got("expired", []), f"{where}.expired", count=len(transactions)),
        receipts=tuple(
            cj.base64(item, f"{where}.receipts[{i}]")
            for i, item in enumerate(cj.array(got("receipts", []), f"{where}.receipts"))
        ),
        forward=cj.boolean(got("forward", True), f"{where}.forward"),
        views=tuple(
            _view(item, f"{where}.views[{i}]") for i, item in enumerate(cj.array(got("views", []), f"{where}.views"))
        ),
    )


def _indices(value: object, where: str, *, count: int) -> frozenset[int]:
    indices = [cj.integer(item, f"{where}[{i}]") for i, item in enumerate(cj.array(value, where))]
    for index in indices:
        if index >= count:
            raise BadInputError(f"{where} names transaction {index} of {count}", code="bad-field", where=where)
    return frozenset(indices)


def _view(value: object, where: str) -> View:
    members = cj.members(value, where, required=("account_id", "method_name", "args"))
    return View(
        account_id=cj.string(members["account_id"], f"{where}.account_id"),
        method_name=cj.string(members["method_name"], f"{where}.method_name"),
        args=cj.base64(members["args"], f"{where}.args"),
    )


def _expectation(value: object) -> Mapping[str, object]:
    members = cj.members(value, "expect", required=(), optional=("pre_state_root", "blocks"))
    for index, block in enumerate(cj.array(members.get("blocks", []), "expect.blocks")):
        cj.mapping(block, f"expect.blocks[{index}]")
    return members
