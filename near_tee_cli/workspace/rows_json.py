"""Rows of the trie as JSON: records where nearcore has a kind of record for a row, raw entries for all others.

A row becomes a record only if that record makes exactly this row again, so that nothing is lost on the way to JSON
and back, however odd the row.
"""

from collections.abc import Iterable, Mapping

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.primitives.schema.access_key import decode_access_key
from near_tee_cli.primitives.schema.account import decode_account
from near_tee_cli.primitives.schema.records import (
    AccessKeyRecord,
    AccountRecord,
    ContractRecord,
    DataRecord,
    DelayedReceiptRecord,
    GasKeyNonceRecord,
    PostponedReceiptRecord,
    ReceivedDataRecord,
    StateRecord,
    read_record,
    record_json,
)
from near_tee_cli.primitives.schema.wire import read_blob, read_option, whole
from near_tee_cli.runtime.genesis import Rows, rows_of_records
from near_tee_cli.state.keys import describe
from near_tee_cli.workspace.snapshots import require_new

_RECORD_COLUMNS = b"\x00\x01\x02\x03\x09"
"""First bytes of the keys for which there are records of one row each."""

_NONCE_BYTES = 8

_SEVERAL_ROWS = (PostponedReceiptRecord, DelayedReceiptRecord)


def rows_json(rows: Mapping[bytes, bytes]) -> tuple[list[object], list[object]]:
    """Records and raw entries, each in ascending order of trie keys, that make `rows`."""
    records: list[object] = []
    raw: list[object] = []
    accounts: dict[str, StateRecord] = {}
    for key, value in sorted(rows.items()):
        record = _record_of(key, value, accounts) if key[:1] in _RECORD_COLUMNS else None
        if record is None:
            raw.append([cj.base64_text(key), cj.base64_text(value)])
        else:
            records.append(record_json(record))
    return records, raw


def _record_of(key: bytes, value: bytes, accounts: dict[str, StateRecord]) -> StateRecord | None:
    """The record that makes exactly this row, `None` when there is none; accounts are kept for their contracts."""
    try:
        record = _candidate(key, value)
        if record is None:
            return None
        before: list[StateRecord] = []
        if isinstance(record, ContractRecord):
            account = accounts.get(record.account_id)
            if account is None:
                return None
            before = [account]
        made = rows_of_records([*before, record])
        if isinstance(record, AccessKeyRecord) and record.access_key.function_call is not None:
            # The text inside a permission is not bound to any grammar in the state; in JSON it may be.
            read_record(record_json(record))
    except BadInputError:
        return None
    if made.get(key) != value or len(made) != len(before) + 1:
        return None
    if isinstance(record, AccountRecord):
        accounts[record.account_id] = record
    return record


def _candidate(key: bytes, value: bytes) -> StateRecord | None:
    description = describe(key)
    account_id, parts = description.account_id or "", description.parts
    match description.column:
        case "Account":
            return AccountRecord(account_id, decode_account(value))
        case "ContractData":
            return DataRecord(account_id, _bytes(parts["key"]), value)
        case "ContractCode":
            return ContractRecord(account_id, value)
        case "AccessKey":
            return AccessKeyRecord(account_id, _bytes(parts["key_handle"]), decode_access_key(value))
        case "GasKeyNonce":
            if len(value) != _NONCE_BYTES:
                return None
            nonce = int.from_bytes(value, "little")
            return GasKeyNonceRecord(account_id, _bytes(parts["key_handle"]), _int(parts["index"]), nonce)
        case "ReceivedData":
            data = whole(value, lambda raw, at: read_option(raw, at, read_blob), what="received data")
            return ReceivedDataRecord(account_id, _bytes(parts["data_id"]), data)
    return None


def _bytes(part: object) -> bytes:
    return part if isinstance(part, bytes) else b""


def _int(part: object) -> int:
    return part if isinstance(part, int) else 0


def read_rows(records: list[object], raw: Iterable[tuple[bytes, bytes]]) -> Rows:
    """The rows that records and raw entries of a snapshot make.

    Unlike in a genesis, nothing replaces anything: a key that comes twice is an error, and so is a record that makes
    no row. Raises `BadInputError` with the place.
    """
    parsed: list[StateRecord] = []
    for position, value in enumerate(records):
        try:
            parsed.append(read_record(value))
        except BadInputError as error:
            where = f"records[{position}]"
            raise BadInputError(f"{where}: {error.message}", code=error.code, hint=error.hint, where=where) from error
    rows = rows_of_records(parsed)
    single = [record for record in parsed if not isinstance(record, _SEVERAL_ROWS)]
    made = rows if len(single) == len(parsed) else rows_of_records(single)
    if len(made) != len(single):
        _name_the_lost(parsed)
    for position, (key, value) in enumerate(raw):
        require_new(rows, key, f"raw[{position}]")
        rows[key] = value
    return rows


def _name_the_lost(parsed: list[StateRecord]) -> None:
    """Say which record is doubled or makes no row."""
    seen: Rows = {}
    accounts: dict[str, StateRecord] = {}
    for position, record in enumerate(parsed):
        if isinstance(record, _SEVERAL_ROWS):
            continue
        where = f"records[{position}]"
        before = [accounts[record.account_id]] if record.account_id in accounts else []
        made = rows_of_records([*before, record])
        if isinstance(record, AccountRecord):
            accounts.setdefault(record.account_id, record)
        new = {key: value for key, value in made.items() if not before or key not in rows_of_records(before)}
        if isinstance(record, AccountRecord):
            new = made
        if not new:
            raise BadInputError(
                f"{where} makes no row: its account is {record.account_id!r}, reserved or not known yet",
                code="bad-record",
                where=where,
            )
        for key in new:
            require_new(seen, key, where)
        seen.update(new)
