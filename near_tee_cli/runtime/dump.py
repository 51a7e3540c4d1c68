"""The records that a state comes from: the inverse of `genesis`, for snapshots.

Accounts, keys, code, data and receipts that wait become records that people can read; whatever else lies in the
state stays a raw row. Records and raw rows together make exactly the state that was taken apart.

Mirrors nearcore: core/primitives/src/state_record.rs (`from_raw_key_value`)
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.access_key import decode_access_key
from near_tee_cli.primitives.schema.account import LocalContract, decode_account
from near_tee_cli.primitives.schema.receipt import decode_receipt
from near_tee_cli.primitives.schema.records import (
    AccessKeyRecord,
    AccountRecord,
    ContractRecord,
    DataRecord,
    GasKeyNonceRecord,
    PostponedReceiptRecord,
    ReceivedDataRecord,
    StateRecord,
)
from near_tee_cli.primitives.schema.wire import read_blob, read_option, read_u64, whole
from near_tee_cli.runtime.genesis import postponed_rows, rows_of_records
from near_tee_cli.state import keys
from near_tee_cli.state.keys import KeyDescription, describe


class Dump(NamedTuple):
    """A state taken apart: `records`, and `raw` rows to be set on top of them; both by ascending keys."""

    records: list[StateRecord]
    raw: list[tuple[bytes, bytes]]


def dump(rows: Mapping[bytes, bytes]) -> Dump:
    """Take the state apart that has `rows` (keys ascending)."""
    records: list[StateRecord] = []
    for key, value in rows.items():
        try:
            record = _record(rows, key, value)
        except BadInputError:
            # A row that is not what its key promises: it stays as it is.
            continue
        if record is not None:
            records.append(record)
    made = rows_of_records(records)
    return Dump(records, [(key, value) for key, value in rows.items() if made.get(key) != value])


def _record(rows: Mapping[bytes, bytes], key: bytes, value: bytes) -> StateRecord | None:
    """The record that makes this row, `None` where there is none. Raises `BadInputError` for a malformed row."""
    description = describe(key)
    read = _READERS.get(description.column)
    if read is None or description.account_id in (None, "system"):
        return None
    record = read(description, value)
    if isinstance(record, ContractRecord):
        account = rows.get(keys.account(record.account_id))
        contract = None if account is None else decode_account(account).contract
        named = isinstance(contract, LocalContract) and contract.code_hash == sha256(record.code)
        return record if named else None
    if isinstance(record, PostponedReceiptRecord):
        made = postponed_rows(rows, record.receipt)
        return record if all(rows.get(made_key) == made[made_key] for made_key in made) else None
    return record


def _account_id(description: KeyDescription) -> str:
    return description.account_id or ""


def _bytes(description: KeyDescription, part: str) -> bytes:
    value = description.parts[part]
    if not isinstance(value, bytes):
        raise TypeError(f"{part} of {description.column} is no bytes")
    return value


def _account(description: KeyDescription, value: bytes) -> StateRecord:
    return AccountRecord(_account_id(description), decode_account(value))


def _code(description: KeyDescription, value: bytes) -> StateRecord:
    return ContractRecord(_account_id(description), value)


def _access_key(description: KeyDescription, value: bytes) -> StateRecord:
    return AccessKeyRecord(_account_id(description), _bytes(description, "key_handle"), decode_access_key(value))


def _gas_key_nonce(description: KeyDescription, value: bytes) -> StateRecord:
    index = description.parts["index"]
    if not isinstance(index, int):
        raise TypeError("the index of a nonce is no number")
    nonce = whole(value, read_u64, what="nonce")
    return GasKeyNonceRecord(_account_id(description), _bytes(description, "key_handle"), index, nonce)


def _received_data(description: KeyDescription, value: bytes) -> StateRecord:
    data = whole(value, lambda raw, at: read_option(raw, at, read_blob), what="received data")
    return ReceivedDataRecord(_account_id(description), _bytes(description, "data_id"), data)


def _data(description: KeyDescription, value: bytes) -> StateRecord:
    return DataRecord(_account_id(description), _bytes(description, "key"), value)


def _receipt(_description: KeyDescription, value: bytes) -> StateRecord:
    return PostponedReceiptRecord(decode_receipt(value))


_READERS: dict[str, Callable[[KeyDescription, bytes], StateRecord]] = {
    "Account": _account,
    "ContractCode": _code,
    "AccessKey": _access_key,
    "GasKeyNonce": _gas_key_nonce,
    "ReceivedData": _received_data,
    "ContractData": _data,
    "PostponedReceipt": _receipt,
    "PromiseYieldReceipt": _receipt,
}
