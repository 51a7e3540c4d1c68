"""`state show`: what a snapshot holds, account by account."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from near_tee_cli.cli import exit_codes
from near_tee_cli.cli.parameters import OUTPUT, CommandLine, Given, Parameter
from near_tee_cli.cli.report import Audience, Report
from near_tee_cli.cli.state_options import SNAPSHOT_ARGUMENT
from near_tee_cli.cli.terminal import BOLD, DIM, plain, plain_bytes
from near_tee_cli.cli.units import account as account_option
from near_tee_cli.cli.units import shown_near

LINE = CommandLine(
    name="state show",
    summary="what a snapshot holds, account by account",
    description="List the accounts of SNAPSHOT: balance, storage, code, keys and data. --account shows one in full.",
    parameters=(
        SNAPSHOT_ARGUMENT,
        Parameter("account", ("--account",), "Show this account with all of its rows.", "ACCOUNT", panel="Selection"),
        *OUTPUT,
    ),
)

ACCOUNTS_SHOWN = 50
ROWS_SHOWN = 200


def execute(given: Given) -> Report:
    """What the snapshot of a line holds. Raises `BadInputError`, `StateError`."""
    from near_tee_cli.cli.snapshot_input import read_state
    from near_tee_cli.primitives import base58
    from near_tee_cli.workspace.snapshot_json import block_json
    from near_tee_cli.workspace.snapshots import world_of

    found = read_state(given["snapshot"])
    snapshot = found.snapshot
    root = base58.encode(world_of(snapshot).root)
    selected = None if given["account"] is None else account_option(given["account"], "--account")
    accounts, others = _accounts(snapshot.rows)
    result: dict[str, Any] = {
        "form": found.form,
        "state_root": root,
        "protocol_version": snapshot.protocol_version,
        "chain_id": snapshot.chain.chain_id,
        "validators": {name: str(stake) for name, stake in snapshot.chain.validators},
        "minimum_stake": None if snapshot.chain.minimum_stake is None else str(snapshot.chain.minimum_stake),
        "block": None if snapshot.block is None else block_json(snapshot.block),
        "receipts_in_flight": len(snapshot.in_flight),
        "rows": len(snapshot.rows),
        "other_rows": dict(others),
        "accounts": [entry for name, entry in accounts.items() if selected in (None, name)],
    }
    if selected is not None:
        result["account_rows"] = _rows(snapshot.rows, selected)
    return Report(exit_codes.OK, result, lambda audience: _lines(result, audience))


def _accounts(rows: Mapping[bytes, bytes]) -> tuple[dict[str, dict[str, Any]], Counter[str]]:
    """Each account with what belongs to it, and how many rows of each other column there are."""
    from near_tee_cli.cli.changes import row_of
    from near_tee_cli.primitives.schema.account import decode_account
    from near_tee_cli.primitives.schema.views import account_view

    accounts: dict[str, dict[str, Any]] = {}
    others: Counter[str] = Counter()
    for key, value in sorted(rows.items()):
        row = row_of(key)
        if row.column == "Account" and row.account_id is not None:
            counts = {"keys": 0, "data_rows": 0, "code_size": None}
            view = account_view(decode_account(value))
            accounts[row.account_id] = {"account_id": row.account_id, **view, **counts}
            continue
        entry = accounts.get(row.account_id or "")
        if entry is None or row.column not in ("AccessKey", "ContractData", "ContractCode"):
            others[row.column] += 1
        elif row.column == "AccessKey":
            entry["keys"] += 1
        elif row.column == "ContractData":
            entry["data_rows"] += 1
        else:
            entry["code_size"] = len(value)
    return accounts, others


def _rows(rows: Mapping[bytes, bytes], account_id: str) -> list[dict[str, Any]]:
    from near_tee_cli.cli.changes import row_of
    from near_tee_cli.primitives.canonical_json import base64_text

    result = []
    for key, value in sorted(rows.items()):
        row = row_of(key)
        if row.account_id == account_id:
            entry: dict[str, Any] = {"key": base64_text(key), "column": row.column, "value": base64_text(value)}
            if isinstance(row.name, bytes):
                entry["data_key"] = base64_text(row.name)
            elif row.name is not None:
                entry["name"] = row.name
            result.append(entry)
    return result


def _lines(result: dict[str, Any], audience: Audience) -> list[str]:
    style = audience.style
    if audience.quiet:
        return [result["state_root"]]
    block = "no block yet" if result["block"] is None else f"after block {result['block']['height']}"
    rules = f"{plain(result['chain_id'])}, protocol version {result['protocol_version']}"
    lines = [
        f"{style('root', BOLD)}      {result['state_root']}",
        f"{style('chain', BOLD)}     {rules}, {block}",
        f"{style('rows', BOLD)}      {result['rows']:,}, {result['receipts_in_flight']} receipts in flight",
    ]
    accounts = result["accounts"]
    limit = len(accounts) if audience.verbose else ACCOUNTS_SHOWN
    lines.append(f"{style('accounts', BOLD)}  {len(accounts):,}")
    lines += [f"  {_account(entry)}" for entry in accounts[:limit]]
    if len(accounts) > limit:
        lines.append(f"  and {len(accounts) - limit:,} more (-v shows all)")
    if result["other_rows"]:
        others = ", ".join(f"{count} {column}" for column, count in sorted(result["other_rows"].items()))
        lines.append(f"{style('others', BOLD)}    {others}")
    rows = result.get("account_rows", [])
    limit = len(rows) if audience.verbose else ROWS_SHOWN
    lines += [f"  {_row(entry, audience)}" for entry in rows[:limit]]
    if len(rows) > limit:
        lines.append(f"  and {len(rows) - limit:,} more (-v shows all)")
    return lines


def _account(entry: dict[str, Any]) -> str:
    parts = [shown_near(int(entry["amount"])), f"{entry['storage_usage']:,} bytes"]
    if int(entry["locked"]):
        parts.append(f"{shown_near(int(entry['locked']))} locked")
    if entry["code_size"] is not None:
        parts.append(f"code of {entry['code_size']:,} bytes")
    parts += [f"{entry[name]:,} {word}" for name, word in (("keys", "keys"), ("data_rows", "data rows")) if entry[name]]
    return f"{plain(entry['account_id'])}  {', '.join(parts)}"


def _row(entry: dict[str, Any], audience: Audience) -> str:
    from binascii import a2b_base64

    from near_tee_cli.cli.changes import row_text

    value = a2b_base64(entry["value"])
    column = audience.style(entry["column"], DIM)
    if "data_key" in entry:
        key = plain_bytes(a2b_base64(entry["data_key"]), limit=60)
        return f"{column} {key}  {plain_bytes(value, limit=100)}"
    return f"{column} {plain(entry.get('name', ''))}  {row_text(entry['column'], None, value)}"
