"""Answers of a node about one account: what they say, which block they speak of, and what they leave out.

Mirrors nearcore: core/primitives/src/views.rs, runtime/runtime/src/state_viewer/mod.rs (pages)
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.access_key import AccessKey
from near_tee_cli.primitives.schema.account import Account
from near_tee_cli.primitives.schema.account_json import read_access_key, read_account
from near_tee_cli.primitives.schema.json_scalars import read_balance, read_hash, read_key_handle
from near_tee_cli.runtime.block import BlockContext

T = TypeVar("T")

_BLOCK_FIELDS = ("block_height", "block_hash")


class At(NamedTuple):
    """The block that an answer speaks of, as far as it says."""

    height: int | None
    hash: bytes | None


class Page(NamedTuple):
    """Contract data, or a part of it."""

    rows: dict[bytes, bytes]
    """Ascending keys, as the contract names them."""
    after: bytes | None
    """The key that the page was asked to begin after; `None` when its request is not known or named none."""
    asked: bool
    """Whether the request is known."""
    last: bytes | None
    """The key after which there is more, `None` at the end."""


def at_of(content: object, what: str) -> At:
    """The block of an answer. Raises `BadInputError`."""
    if not isinstance(content, dict):
        return At(None, None)
    height, block_hash = content.get("block_height"), content.get("block_hash")
    return At(
        None if height is None else cj.integer(height, f"{what}: block_height"),
        None if block_hash is None else read_hash(block_hash, f"{what}: block_hash"),
    )


def account_of(content: Mapping[str, Any], what: str) -> Account:
    """The account of `view_account`; in version 2 where it runs a global contract, which the answer does not say.

    Raises `BadInputError`.
    """
    fields = {name: value for name, value in content.items() if name not in _BLOCK_FIELDS}
    if "version" in fields:
        raise BadInputError(f"{what} has a version, which no answer of view_account has", code="bad-field")
    shared = fields.get("global_contract_hash") is not None or fields.get("global_contract_account_id") is not None
    return _read(read_account, {**fields, "version": "V2" if shared else "V1"}, what)


def code_of(content: Mapping[str, Any], what: str) -> bytes:
    """The code of `view_code`, held against the hash beside it. Raises `BadInputError`."""
    code = cj.base64(content["code_base64"], f"{what}: code_base64")
    if "hash" in content and read_hash(content["hash"], f"{what}: hash") != sha256(code):
        raise BadInputError(f"{what}: the code is not the one with the hash beside it", code="code-hash-mismatch")
    return code


def access_key_of(content: Mapping[str, Any], what: str) -> AccessKey:
    """The key of `view_access_key`. Raises `BadInputError`."""
    permission = content["permission"]
    if isinstance(permission, dict) and isinstance(permission.get("GasKeyFunctionCall"), dict):
        merged = permission["GasKeyFunctionCall"]
        info = {name: merged[name] for name in ("balance", "num_nonces") if name in merged}
        rest = {name: value for name, value in merged.items() if name not in info}
        permission = {"GasKeyFunctionCall": [info, rest]}
    return _read(read_access_key, {"nonce": content["nonce"], "permission": permission}, what)


def access_keys_of(content: Mapping[str, Any], what: str) -> dict[bytes, AccessKey]:
    """Key handle -> key of `view_access_key_list`. Raises `BadInputError`."""
    found: dict[bytes, AccessKey] = {}
    for position, item in enumerate(cj.array(content["keys"], f"{what}: keys")):
        place = f"{what}: keys[{position}]"
        members = cj.members(item, place, required=("public_key", "access_key"))
        handle = handle_of(members["public_key"], place)
        if handle in found:
            raise BadInputError(f"{place} is there twice", code="duplicate-key", where=place)
        key = cj.members(members["access_key"], place, required=("nonce", "permission"))
        found[handle] = access_key_of(key, place)
    return found


def handle_of(value: object, where: str) -> bytes:
    """The key handle that a public key or handle writes. Raises `BadInputError`."""
    try:
        return read_key_handle(value, where)
    except BadInputError as error:
        raise BadInputError(f"{where}: {error.message}", code="bad-field", where=where) from error


def page_of(content: object, request: Mapping[str, Any], what: str) -> Page:
    """The rows of `view_state`. Raises `BadInputError`, also when the request asked for some prefix only."""
    more = content if isinstance(content, dict) else {}
    values = cj.array(content["values"] if isinstance(content, dict) else content, f"{what}: values")
    rows: dict[bytes, bytes] = {}
    for position, item in enumerate(values):
        place = f"{what}: values[{position}]"
        members = cj.members(item, place, required=("key", "value"), optional=("proof",))
        key = cj.base64(members["key"], f"{place}.key")
        if key in rows:
            raise BadInputError(f"{place}: the key is there twice", code="duplicate-key", where=place)
        rows[key] = cj.base64(members["value"], f"{place}.value")
    prefix = request.get("prefix_base64")
    if prefix not in (None, ""):
        raise BadInputError(
            f"{what} was asked for the keys that begin with {cj.shown(prefix)}: the other data is missing",
            code="incomplete-state",
        )
    after = _key(request, ("after_key_base64", "from_key_base64"), what)
    last = _key(more, ("last_key", "next_key"), what)
    if rows and last is not None and last != max(rows):
        raise BadInputError(f"{what}: last_key is not the last of its keys", code="bad-field")
    return Page(dict(sorted(rows.items())), after, bool(request), last)


def joined(pages: Sequence[tuple[str, Page]], account_id: str) -> tuple[dict[bytes, bytes], bool]:
    """The rows of all pages of an account (each with the name of its file), and whether it is certain that they follow
    one another without a gap, which only their requests tell.

    Raises `BadInputError`: `incomplete-state` when some are missing, `duplicate-key` when they overlap.
    """
    ordered = sorted(pages, key=lambda named: (not named[1].rows, min(named[1].rows, default=b"")))
    rows: dict[bytes, bytes] = {}
    certain = True
    before: Page | None = None
    for name, page in ordered:
        if any(key in rows for key in page.rows):
            raise BadInputError(f"{name} has data of {account_id} that another file has too", code="duplicate-key")
        if before is not None and before.last is None:
            raise BadInputError(f"{name} has data of {account_id} behind its end", code="contradiction")
        if page.asked:
            if page.after != (None if before is None else before.last):
                raise _incomplete(account_id, f"the page before {name} is missing")
        elif before is not None:
            certain = False
        rows.update(page.rows)
        before = page
    if before is not None and before.last is not None:
        raise _incomplete(account_id, f"{ordered[-1][0]} says that there is more behind it")
    return rows, certain


def _incomplete(account_id: str, why: str) -> BadInputError:
    return BadInputError(
        f"the data of {account_id} is incomplete: {why}",
        code="incomplete-state",
        hint="save the further pages too (after_key_base64 is the last_key of the page before) and give all of them",
    )


def block_of(content: Mapping[str, Any], what: str) -> tuple[At, BlockContext]:
    """The block of an answer of `block`: all but its epoch's height, which it lacks and is 0 here.

    Raises `BadInputError`.
    """
    header = cj.mapping(content["header"], f"{what}: header")
    for name in ("height", "prev_hash", "random_value", "epoch_id", "gas_price"):
        if name not in header:
            raise BadInputError(f"{what}: header lacks the member {name}", code="bad-field")
    nanoseconds = header.get("timestamp_nanosec", header.get("timestamp"))
    where = f"{what}: header.timestamp_nanosec"
    time = cj.decimal(nanoseconds, where) if isinstance(nanoseconds, str) else cj.integer(nanoseconds, where)
    chunks = cj.array(content["chunks"], f"{what}: chunks")
    first = chunks[0] if chunks else {}
    limit = first.get("gas_limit") if isinstance(first, dict) else None
    height = cj.integer(header["height"], f"{what}: header.height")
    block_hash = header.get("hash")
    block = BlockContext(
        height=height,
        timestamp=time,
        prev_block_hash=read_hash(header["prev_hash"], "prev_hash"),
        random_seed=read_hash(header["random_value"], "random_value"),
        epoch_id=read_hash(header["epoch_id"], "epoch_id"),
        epoch_height=0,
        gas_price=read_balance(header["gas_price"], "gas_price"),
        gas_limit=None if limit is None else cj.integer(limit, f"{what}: gas_limit"),
        is_new_chunk=True,
        proof_size_limit=None,
    )
    return At(height, None if block_hash is None else read_hash(block_hash, "hash")), block


def _key(members: Mapping[str, Any], names: Sequence[str], what: str) -> bytes | None:
    for name in names:
        if members.get(name) is not None:
            return cj.base64(members[name], f"{what}: {name}")
    return None


def _read(read: Callable[[object], T], value: object, what: str) -> T:
    try:
        return read(value)
    except BadInputError as error:
        raise BadInputError(f"{what}: {error.message}", code=error.code, where=error.where) from error
