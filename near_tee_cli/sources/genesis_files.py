"""Genesis files: the chain and its first block, records, and what genesis does with them.

Records that come without a configuration (a patch for a sandbox, a list) are taken as they are. With one they are
the beginning of a chain, which counts `storage_usage` anew and stakes what its validators offer.

Mirrors nearcore: core/store/src/genesis/state_applier.rs, core/chain-configs/src/genesis_config.rs
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from near_tee_cli.errors import BadInputError
from near_tee_cli.params.config import RuntimeConfig
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.primitives.integers import U32_MAX, U64_MAX
from near_tee_cli.primitives.schema.access_key import encode_access_key
from near_tee_cli.primitives.schema.json_scalars import read_account_id, read_balance
from near_tee_cli.primitives.schema.records import (
    AccessKeyRecord,
    AccountRecord,
    ContractRecord,
    DataRecord,
    GasKeyNonceRecord,
    StateRecord,
    read_record,
)
from near_tee_cli.primitives.schema.wire import NO_HASH
from near_tee_cli.runtime.block import BlockContext

_NONCE_ROW = 2 + 8
"""Bytes of the index and the value of one nonce of a gas key."""
_FRACTION_DIGITS = 9


class GenesisConfig(NamedTuple):
    """What a configuration says, as far as it matters to a state."""

    protocol_version: int
    chain_id: str
    validators: tuple[tuple[str, int], ...]
    """Account and stake in yoctoNEAR, ascending."""
    block: BlockContext
    """The genesis block; the limit on the storage proof is left open."""
    treasury: str | None
    unsaid: tuple[str, ...]
    """Fields of the block that the configuration lacks; they are 0."""


class Recounted(NamedTuple):
    """An account whose `storage_usage` a file states otherwise than genesis counts it."""

    account_id: str
    stated: int
    counted: int


def config_of(content: Mapping[str, Any], what: str) -> GenesisConfig:
    """The configuration in a genesis file. Raises `BadInputError`."""
    found: dict[str, int] = {}
    for position, item in enumerate(cj.array(content.get("validators", []), f"{what}: validators")):
        place = f"{what}: validators[{position}]"
        members = cj.members(item, place, required=("account_id", "amount"), optional=("public_key",))
        account_id = read_account_id(members["account_id"], f"{place}.account_id")
        if account_id in found:
            raise BadInputError(f"{place}: {account_id} is there twice", code="duplicate-key", where=place)
        found[account_id] = read_balance(members["amount"], f"{place}.amount")
    gas_limit = content.get("gas_limit")
    treasury = content.get("protocol_treasury_account")
    block = BlockContext(
        height=cj.integer(content.get("genesis_height", 0), f"{what}: genesis_height"),
        timestamp=_nanoseconds(content.get("genesis_time"), f"{what}: genesis_time"),
        prev_block_hash=NO_HASH,
        random_seed=NO_HASH,
        epoch_id=NO_HASH,
        epoch_height=0,
        gas_price=read_balance(content.get("min_gas_price", 0), f"{what}: min_gas_price"),
        gas_limit=None if gas_limit is None else cj.integer(gas_limit, f"{what}: gas_limit"),
        is_new_chunk=True,
        proof_size_limit=None,
    )
    return GenesisConfig(
        protocol_version=cj.integer(content["protocol_version"], f"{what}: protocol_version", bound=U32_MAX),
        chain_id=cj.string(content["chain_id"], f"{what}: chain_id"),
        validators=tuple(sorted(found.items())),
        block=block,
        treasury=None if treasury is None else read_account_id(treasury, f"{what}: protocol_treasury_account"),
        unsaid=tuple(field for name, field in _OF_THE_BLOCK if name not in content),
    )


_OF_THE_BLOCK = (("genesis_height", "height"), ("genesis_time", "timestamp"), ("min_gas_price", "gas_price"))


def _nanoseconds(value: object, where: str) -> int:
    """Nanoseconds since 1970 of RFC 3339 in UTC, which may have nine digits behind the second."""
    if value is None:
        return 0
    text = cj.string(value, where)
    refused = BadInputError(f"{where} is {cj.shown(text)}, no time in UTC", code="bad-field", where=where)
    head, _, fraction = text.removesuffix("Z").removesuffix("+00:00").partition(".")
    if not text.endswith(("Z", "+00:00")) or (fraction and not (fraction.isascii() and fraction.isdigit())):
        raise refused
    try:
        since = datetime.fromisoformat(head) - datetime(1970, 1, 1)  # noqa: DTZ001 (both are UTC)
    except (ValueError, TypeError) as error:
        raise refused from error
    if since.days < 0 or len(fraction) > _FRACTION_DIGITS:
        raise refused
    seconds = since.days * 86_400 + since.seconds
    nanoseconds: int = seconds * 10**_FRACTION_DIGITS + int(fraction.ljust(_FRACTION_DIGITS, "0"))
    if nanoseconds > U64_MAX:
        raise refused
    return nanoseconds


def records_of(content: object, what: str) -> list[StateRecord]:
    """The records of a file. Raises `BadInputError` with the place, for kinds that are not known too."""
    items = content["records"] if isinstance(content, dict) else content
    if isinstance(content, dict) and "records" in content and isinstance(items, dict):
        raise BadInputError(f"{what}: records is an object", code="bad-field")
    found = []
    for position, item in enumerate(cj.array(items, f"{what}: records")):
        try:
            found.append(read_record(item))
        except BadInputError as error:
            place = f"{what}: records[{position}]"
            raise BadInputError(f"{place}: {error.message}", code=error.code, hint=error.hint, where=place) from error
    return found


def as_genesis(
    records: Sequence[StateRecord], validators: Iterable[tuple[str, int]], *, config: RuntimeConfig
) -> tuple[list[StateRecord], list[Recounted], list[str]]:
    """The records as genesis takes them, the accounts whose storage it counts otherwise, and those whose stake it sets.

    Raises `BadInputError` (`bad-genesis`) for a validator without an account.
    """
    counted = storage_usages(records, config=config)
    stakes = dict(validators)
    result: list[StateRecord] = []
    recounted: list[Recounted] = []
    staked: list[str] = []
    for record in records:
        if not isinstance(record, AccountRecord):
            result.append(record)
            continue
        account_id, account = record
        usage = counted[account_id]
        if account.storage_usage != usage:
            recounted.append(Recounted(account_id, account.storage_usage, usage))
        stake = stakes.pop(account_id, None)
        if stake is not None and stake != account.locked:
            staked.append(account_id)
        locked = account.locked if stake is None else stake
        result.append(AccountRecord(account_id, account._replace(locked=locked, storage_usage=usage)))
    if stakes:
        raise BadInputError(f"the validator {min(stakes)} has no account among the records", code="bad-genesis")
    return result, recounted, staked


def _storage_usage(record: StateRecord, config: RuntimeConfig) -> tuple[str, int] | None:
    """Whose storage a record is, and how many bytes."""
    extra = config.storage_num_extra_bytes_record
    if isinstance(record, AccountRecord):
        return record.account_id, config.storage_num_bytes_account
    if isinstance(record, DataRecord):
        return record.account_id, extra + len(record.data_key) + len(record.value)
    if isinstance(record, ContractRecord):
        return record.account_id, len(record.code)
    if isinstance(record, AccessKeyRecord):
        return record.account_id, extra + len(record.public_key) + len(encode_access_key(record.access_key))
    if isinstance(record, GasKeyNonceRecord):
        return record.account_id, extra + len(record.public_key) + _NONCE_ROW
    return None


def storage_usages(records: Iterable[StateRecord], *, config: RuntimeConfig) -> dict[str, int]:
    """Account -> bytes that its records are billed for."""
    counted: dict[str, int] = {}
    for record in records:
        size = _storage_usage(record, config)
        if size is not None:
            counted[size[0]] = counted.get(size[0], 0) + size[1]
    return counted
