"""State records: the rows of a snapshot or genesis file, one kind per noun, with their JSON.

Readers raise `BadInputError` with the name of the field; a caller with many records adds which one it was.

Mirrors nearcore: core/primitives/src/state_record.rs
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives import keys
from near_tee_cli.primitives.canonical_json import base64, base64_text, integer, members, shown
from near_tee_cli.primitives.integers import U16_MAX
from near_tee_cli.primitives.schema.access_key import AccessKey
from near_tee_cli.primitives.schema.account import Account
from near_tee_cli.primitives.schema.account_json import access_key_json, account_json, read_access_key, read_account
from near_tee_cli.primitives.schema.json_scalars import hash_text, read_account_id, read_hash, read_key_handle
from near_tee_cli.primitives.schema.receipt import Receipt
from near_tee_cli.primitives.schema.receipt_json import read_receipt, receipt_json


class AccountRecord(NamedTuple):
    """An account."""

    account_id: str
    account: Account


class DataRecord(NamedTuple):
    """A row of contract data; `data_key` as the contract names it."""

    account_id: str
    data_key: bytes
    value: bytes


class ContractRecord(NamedTuple):
    """The code of an account."""

    account_id: str
    code: bytes


class AccessKeyRecord(NamedTuple):
    """An access key; `public_key` is the key handle that stands in the trie."""

    account_id: str
    public_key: bytes
    access_key: AccessKey


class GasKeyNonceRecord(NamedTuple):
    """One nonce of a gas key; `public_key` is the key handle."""

    account_id: str
    public_key: bytes
    nonce_index: int
    nonce: int


class PostponedReceiptRecord(NamedTuple):
    """A receipt that waits for data, or a stored yield."""

    receipt: Receipt


class ReceivedDataRecord(NamedTuple):
    """Data that arrived before the receipt that needs it could run; `None` is a failed result."""

    account_id: str
    data_id: bytes
    data: bytes | None


class DelayedReceiptRecord(NamedTuple):
    """A receipt of the delayed queue, which is in the order of the records."""

    receipt: Receipt


StateRecord = (
    AccountRecord
    | DataRecord
    | ContractRecord
    | AccessKeyRecord
    | GasKeyNonceRecord
    | PostponedReceiptRecord
    | ReceivedDataRecord
    | DelayedReceiptRecord
)
"""One record."""


def read_record(value: object) -> StateRecord:
    """The record that a parsed JSON value writes: an object with one member, named after the kind."""
    if not isinstance(value, dict) or len(value) != 1:
        raise BadInputError(f"a record is {shown(value)}, expected an object with one member", code="bad-field")
    ((name, content),) = value.items()
    reader = _READERS.get(name)
    if reader is None:
        known = ", ".join(_READERS)
        raise BadInputError(f"unknown kind of record {shown(name)}", code="bad-field", hint=f"known: {known}")
    return reader(content)


def record_json(record: StateRecord) -> dict[str, Any]:
    """A record in its JSON form."""
    name, write = _WRITERS[type(record)]
    return {name: write(record)}


def _read_account(value: object) -> StateRecord:
    fields = members(value, "Account", required=("account_id", "account"))
    return AccountRecord(read_account_id(fields["account_id"], "account_id"), read_account(fields["account"]))


def _read_data(value: object) -> StateRecord:
    fields = members(value, "Data", required=("account_id", "data_key", "value"))
    account_id = read_account_id(fields["account_id"], "account_id")
    return DataRecord(account_id, base64(fields["data_key"], "data_key"), base64(fields["value"], "value"))


def _read_contract(value: object) -> StateRecord:
    fields = members(value, "Contract", required=("account_id", "code"))
    return ContractRecord(read_account_id(fields["account_id"], "account_id"), base64(fields["code"], "code"))


def _read_access_key(value: object) -> StateRecord:
    fields = members(value, "AccessKey", required=("account_id", "public_key", "access_key"))
    account_id = read_account_id(fields["account_id"], "account_id")
    handle = read_key_handle(fields["public_key"], "public_key")
    return AccessKeyRecord(account_id, handle, read_access_key(fields["access_key"]))


def _read_gas_key_nonce(value: object) -> StateRecord:
    fields = members(value, "GasKeyNonce", required=("account_id", "public_key", "index", "nonce"))
    account_id = read_account_id(fields["account_id"], "account_id")
    handle = read_key_handle(fields["public_key"], "public_key")
    index = integer(fields["index"], "index", bound=U16_MAX)
    return GasKeyNonceRecord(account_id, handle, index, integer(fields["nonce"], "nonce"))


def _read_received_data(value: object) -> StateRecord:
    fields = members(value, "ReceivedData", required=("account_id", "data_id"), optional=("data",))
    data = fields.get("data")
    content = None if data is None else base64(data, "data")
    account_id = read_account_id(fields["account_id"], "account_id")
    return ReceivedDataRecord(account_id, read_hash(fields["data_id"], "data_id"), content)


_READERS: dict[str, Callable[[object], StateRecord]] = {
    "Account": _read_account,
    "Data": _read_data,
    "Contract": _read_contract,
    "AccessKey": _read_access_key,
    "PostponedReceipt": lambda value: PostponedReceiptRecord(read_receipt(value)),
    "ReceivedData": _read_received_data,
    "DelayedReceipt": lambda value: DelayedReceiptRecord(read_receipt(value)),
    "GasKeyNonce": _read_gas_key_nonce,
}


def _received_data_json(record: ReceivedDataRecord) -> dict[str, Any]:
    data = None if record.data is None else base64_text(record.data)
    return {"account_id": record.account_id, "data_id": hash_text(record.data_id), "data": data}


_WRITERS: dict[type[Any], tuple[str, Callable[[Any], dict[str, Any]]]] = {
    AccountRecord: ("Account", lambda r: {"account_id": r.account_id, "account": account_json(r.account)}),
    DataRecord: (
        "Data",
        lambda r: {
            "account_id": r.account_id,
            "data_key": base64_text(r.data_key),
            "value": base64_text(r.value),
        },
    ),
    ContractRecord: ("Contract", lambda r: {"account_id": r.account_id, "code": base64_text(r.code)}),
    AccessKeyRecord: (
        "AccessKey",
        lambda r: {
            "account_id": r.account_id,
            "public_key": keys.key_handle_text(r.public_key),
            "access_key": access_key_json(r.access_key),
        },
    ),
    GasKeyNonceRecord: (
        "GasKeyNonce",
        lambda r: {
            "account_id": r.account_id,
            "public_key": keys.key_handle_text(r.public_key),
            "index": r.nonce_index,
            "nonce": r.nonce,
        },
    ),
    PostponedReceiptRecord: ("PostponedReceipt", lambda r: receipt_json(r.receipt)),
    ReceivedDataRecord: ("ReceivedData", _received_data_json),
    DelayedReceiptRecord: ("DelayedReceipt", lambda r: receipt_json(r.receipt)),
}
