"""States written for other tools: state records in their wrappings, and answers as a node gives them.

What a shape cannot hold is named beside it, never dropped in silence.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple

from near_tee_cli.errors import BadInputError, UsageError
from near_tee_cli.params.config import RuntimeConfig
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.primitives import keys as key_texts
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.access_key import decode_access_key
from near_tee_cli.primitives.schema.account import Account, LocalContract, decode_account
from near_tee_cli.primitives.schema.json_scalars import hash_text
from near_tee_cli.primitives.schema.receipt import (
    YIELD_TAGS,
    ActionReceipt,
    Receipt,
    decode_receipt,
    decode_state_stored_receipt,
)
from near_tee_cli.primitives.schema.records import (
    DelayedReceiptRecord,
    PostponedReceiptRecord,
    StateRecord,
    record_json,
)
from near_tee_cli.primitives.schema.views import access_key_view, account_view
from near_tee_cli.runtime.dump import dump
from near_tee_cli.sources.genesis_files import as_genesis
from near_tee_cli.state import keys
from near_tee_cli.state.keys import describe


class Form(Enum):
    """What a state is written as; the value is what a line calls it."""

    GENESIS_RECORDS = "genesis-records"
    SANDBOX_PATCH = "sandbox-patch-state"
    VIEW_STATE = "view-state"
    VIEW_ACCOUNT = "view-account"
    VIEW_CODE = "view-code"
    VIEW_ACCESS_KEY_LIST = "view-access-key-list"
    STATE_MAP = "state-map"


class Exported(NamedTuple):
    """A state as others read it."""

    data: bytes
    items: int
    """Records, rows or keys."""
    left_out: dict[str, int]
    """Column of the trie -> rows that the shape cannot hold."""
    notes: list[str]


def export(rows: Mapping[bytes, bytes], form: Form, *, accounts: Sequence[str], config: RuntimeConfig) -> Exported:
    """The state that has `rows` (keys ascending) as `form`; of these `accounts` only, of all when there are none.

    Raises `UsageError` for a form that is about one account and gets another number, `BadInputError`
    (`unknown-account`, `unknown-row`) for what is not there.
    """
    for name in accounts:
        if keys.account(name) not in rows:
            raise BadInputError(f"there is no account {name} in this state", code="unknown-account")
    if form in (Form.GENESIS_RECORDS, Form.SANDBOX_PATCH):
        return _records(rows, form, accounts=frozenset(accounts), config=config)
    if len(accounts) != 1:
        raise UsageError(f"{form.value} is about one account", where="--account", hint="name it with --account")
    value, items = _VIEWS[form](rows, accounts[0])
    return Exported(cj.dumps(value), items, {}, [])


def _records(rows: Mapping[bytes, bytes], form: Form, *, accounts: frozenset[str], config: RuntimeConfig) -> Exported:
    wanted = {key: value for key, value in rows.items() if not accounts or _owner(key) in accounts}
    taken = dump(wanted)
    records = list(taken.records)
    notes: list[str] = []
    queue, raw = _delayed(taken.raw, notes)
    records += queue
    if any(_is_yield(record) for record in records):
        notes.append("records hold no timeouts of yields: those that wait never time out where these are read")
    if form is Form.GENESIS_RECORDS:
        recounted = as_genesis(records, (), config=config)[1]
        notes += [
            f"a genesis counts storage anew: {one.account_id} will have {one.counted} bytes instead of {one.stated}"
            for one in recounted[:5]
        ]
        if len(recounted) > 5:
            notes.append(f"and so for {len(recounted) - 5} more accounts")
    left_out = Counter(_column(key) for key, _ in raw)
    lines = [cj.dumps(record_json(record)).strip() for record in records]
    array = b"[\n" + b",\n".join(lines) + b"\n]"
    data = array + b"\n" if form is Form.GENESIS_RECORDS else b'{"records":' + array + b"}\n"
    return Exported(data, len(records), dict(sorted(left_out.items())), notes)


def _delayed(
    raw: Iterable[tuple[bytes, bytes]], notes: list[str]
) -> tuple[list[StateRecord], list[tuple[bytes, bytes]]]:
    """The delayed queue as records in its order, and the rows that are left."""
    queue: list[tuple[int, StateRecord]] = []
    rest: list[tuple[bytes, bytes]] = []
    first: bytes | None = None
    for key, value in raw:
        column = _column(key)
        if column == "DelayedReceiptIndices":
            first = value[:8]
        elif column == "DelayedReceipt":
            receipt = _queued_receipt(value)
            index = describe(key).parts["index"]
            if receipt is None or not isinstance(index, int):
                rest.append((key, value))
            else:
                queue.append((index, DelayedReceiptRecord(receipt)))
        else:
            rest.append((key, value))
    if first is not None and (not queue or first != bytes(8)):
        notes.append("where the records are read the delayed queue begins at index 0")
    return [record for _, record in sorted(queue, key=lambda item: item[0])], rest


def _queued_receipt(value: bytes) -> Receipt | None:
    """The receipt of a row of the queue, in either of its two forms; `None` when the row is none of them."""
    for decode in (decode_receipt, _stored_receipt):
        try:
            return decode(value)
        except BadInputError:
            continue
    return None


def _stored_receipt(value: bytes) -> Receipt:
    return decode_state_stored_receipt(value).receipt


def _is_yield(record: StateRecord) -> bool:
    body = record.receipt.body if isinstance(record, PostponedReceiptRecord) else None
    return isinstance(body, ActionReceipt) and body.tag in YIELD_TAGS


def _owner(key: bytes) -> str | None:
    try:
        return describe(key).account_id
    except BadInputError:
        return None


def _column(key: bytes) -> str:
    try:
        return describe(key).column
    except BadInputError:
        return "unknown"


def _account(rows: Mapping[bytes, bytes], name: str) -> Account:
    return decode_account(rows[keys.account(name)])


def _data(rows: Mapping[bytes, bytes], name: str) -> dict[bytes, bytes]:
    prefix = keys.contract_data_prefix(name)
    return {key[len(prefix) :]: value for key, value in rows.items() if key.startswith(prefix)}


def _view_state(rows: Mapping[bytes, bytes], name: str) -> tuple[Any, int]:
    data = _data(rows, name)
    values = [{"key": cj.base64_text(key), "value": cj.base64_text(data[key])} for key in sorted(data)]
    return {"values": values}, len(values)


def _state_map(rows: Mapping[bytes, bytes], name: str) -> tuple[Any, int]:
    data = _data(rows, name)
    return {cj.base64_text(key): cj.base64_text(value) for key, value in data.items()}, len(data)


def _view_account(rows: Mapping[bytes, bytes], name: str) -> tuple[Any, int]:
    return account_view(_account(rows, name)), 1


def _view_code(rows: Mapping[bytes, bytes], name: str) -> tuple[Any, int]:
    contract = _account(rows, name).contract
    if contract is None:
        raise BadInputError(f"{name} has no contract", code="unknown-row")
    if isinstance(contract, LocalContract):
        row = keys.contract_code(name)
    else:
        row = keys.global_contract_code(contract)
    code = rows.get(row)
    if code is None:
        raise BadInputError(f"the code of {name} is not in this state", code="unknown-row")
    return {"code_base64": cj.base64_text(code), "hash": hash_text(sha256(code))}, 1


def _view_access_key_list(rows: Mapping[bytes, bytes], name: str) -> tuple[Any, int]:
    prefix = keys.access_keys_prefix(name)
    found = []
    for key, value in rows.items():
        description = describe(key) if key.startswith(prefix) else None
        if description is not None and description.column == "AccessKey":
            handle = description.parts["key_handle"]
            text = key_texts.key_handle_text(handle) if isinstance(handle, bytes) else ""
            found.append({"public_key": text, "access_key": access_key_view(decode_access_key(value))})
    return {"keys": found}, len(found)


_VIEWS = {
    Form.VIEW_STATE: _view_state,
    Form.VIEW_ACCOUNT: _view_account,
    Form.VIEW_CODE: _view_code,
    Form.VIEW_ACCESS_KEY_LIST: _view_access_key_list,
    Form.STATE_MAP: _state_map,
}
