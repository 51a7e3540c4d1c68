"""State changes for people and programs: which row, what it was, what it is.

A row is named after its column in nearcore's words; contract data shows the contract's own key.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from near_tee_cli.cli.units import shown_near
from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives import base58, keys
from near_tee_cli.primitives.canonical_json import base64_text
from near_tee_cli.primitives.schema.access_key import decode_access_key
from near_tee_cli.primitives.schema.account import (
    Account,
    GlobalContract,
    GlobalContractByAccount,
    LocalContract,
    decode_account,
)
from near_tee_cli.runtime.world import Transition
from near_tee_cli.state import keys as trie_keys
from near_tee_cli.state.store import NodeStore
from near_tee_cli.state.trie import Trie

SCHEDULER = "BandwidthSchedulerState"
"""A row that every block changes."""


class Change(NamedTuple):
    """A row whose value differs between two states; `None` stands for no row."""

    key: bytes
    before: bytes | None
    after: bytes | None


def changes_of(transitions: Iterable[Transition], *, store: NodeStore, pre_root: bytes) -> tuple[Change, ...]:
    """The rows that differ before and after `transitions`, by ascending key. `store` has both states."""
    final: dict[bytes, bytes | None] = {}
    for transition in transitions:
        final.update(transition.result.state_changes)
    before = Trie(store, pre_root)
    changes = (Change(key, before.get(key), final[key]) for key in sorted(final))
    return tuple(change for change in changes if change.before != change.after)


class Row(NamedTuple):
    """What a key names."""

    column: str
    account_id: str | None
    name: bytes | str | None
    """The contract's own key as bytes; else what tells rows of a column apart, as text."""


def row_of(key: bytes) -> Row:
    """The row that `key` names; a key that no row has is shown as unknown."""
    try:
        column, account_id, parts = trie_keys.describe(key)
    except BadInputError:
        return Row("unknown", None, key.hex())
    if column == "ContractData":
        value = parts["key"]
        return Row(column, account_id, value if isinstance(value, bytes) else None)
    return Row(column, account_id, " ".join(_shown(name, value) for name, value in parts.items()) or None)


def _shown(name: str, value: object) -> str:
    if name == "key_handle" and isinstance(value, bytes):
        return keys.key_handle_text(value)
    if isinstance(value, bytes):
        return base58.encode(value)
    return f"{name} {value}"


def change_json(change: Change) -> dict[str, Any]:
    """A change for programs: key and values in base64, the row taken apart beside them."""
    row = row_of(change.key)
    result: dict[str, Any] = {"key": base64_text(change.key), "column": row.column, "account_id": row.account_id}
    if isinstance(row.name, bytes):
        result["data_key"] = base64_text(row.name)
    result["before"] = _value(change.before)
    result["after"] = _value(change.after)
    return result


def _value(value: bytes | None) -> str | None:
    return None if value is None else base64_text(value)


def row_text(column: str, before: bytes | None, after: bytes | None) -> str:
    """What changed in a row that is no contract data: balances, bytes, nonces; else its size."""
    describe = _DESCRIBED.get(column, _size)
    try:
        if column == "Account" and before is not None and after is not None:
            return _account_change(decode_account(before), decode_account(after))
        texts = [describe(value) for value in (before, after) if value is not None]
    except BadInputError:
        texts = [_size(value) for value in (before, after) if value is not None]
    if len(texts) == 2:
        old, new = texts
        same = [left if left == right else f"{left} → {right}" for left, right in zip(old, new, strict=True)]
        changed = [text for text, left, right in zip(same, old, new, strict=True) if left != right]
        return ", ".join(changed or old)
    return ", ".join(texts[0]) if texts else ""


def _size(value: bytes) -> tuple[str, ...]:
    return (f"{len(value)} bytes",)


def _account(value: bytes) -> tuple[str, ...]:
    account = decode_account(value)
    contract = account.contract
    code = "no contract" if contract is None else f"contract {_contract(contract)}"
    locked = f"{shown_near(account.locked)} locked"
    return (shown_near(account.amount), locked, f"{account.storage_usage:,} bytes used", code)


def _account_change(before: Account, after: Account) -> str:
    """Only what differs; an amount whose change is lost in rounding is followed by the exact difference."""
    parts = []
    for old, new, suffix in ((before.amount, after.amount, ""), (before.locked, after.locked, " locked")):
        if old != new:
            shown = [f"{shown_near(amount)}{suffix}" for amount in (old, new)]
            parts.append(
                f"{shown[0]} → {shown[1]}" if shown[0] != shown[1] else f"{shown[1]} ({new - old:+} yoctoNEAR)"
            )
    if before.storage_usage != after.storage_usage:
        parts.append(f"{before.storage_usage:,} → {after.storage_usage:,} bytes used")
    if before.contract != after.contract:
        names = [
            "no contract" if one is None else f"contract {_contract(one)}" for one in (before.contract, after.contract)
        ]
        parts.append(" → ".join(names))
    return ", ".join(parts)


def _contract(contract: LocalContract | GlobalContract | GlobalContractByAccount) -> str:
    if isinstance(contract, GlobalContractByAccount):
        return contract.account_id
    return base58.encode(contract.code_hash)


def _access_key(value: bytes) -> tuple[str, ...]:
    key = decode_access_key(value)
    permission = "full access" if key.function_call is None else f"calls of {key.function_call.receiver_id}"
    return (f"nonce {key.nonce}", permission)


_DESCRIBED = {"Account": _account, "AccessKey": _access_key}
