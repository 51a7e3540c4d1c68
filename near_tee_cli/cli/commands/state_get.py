"""`state get`: one value of the state."""

from typing import Any

from near_tee_cli.cli import exit_codes
from near_tee_cli.cli.parameters import OUTPUT, CommandLine, Given
from near_tee_cli.cli.report import Audience, Report
from near_tee_cli.cli.state_options import ROW, SNAPSHOT_ARGUMENT, wanted_row
from near_tee_cli.cli.terminal import plain_bytes

LINE = CommandLine(
    name="state get",
    summary="one value of the state",
    description="Show one row of SNAPSHOT: an account, a key of contract data, an access key, code, or any trie key.",
    parameters=(SNAPSHOT_ARGUMENT, *ROW, *OUTPUT),
)


def execute(given: Given) -> Report:
    """The row that a line names; that there is none is an answer. Raises `UsageError`, `BadInputError`."""
    from near_tee_cli.cli.changes import row_of, row_text
    from near_tee_cli.cli.results import value_json
    from near_tee_cli.cli.snapshot_input import read_state
    from near_tee_cli.primitives.canonical_json import base64_text

    wanted = wanted_row(given)
    value = read_state(given["snapshot"]).snapshot.rows.get(wanted.key)
    row = row_of(wanted.key)
    result: dict[str, Any] = {
        "key": base64_text(wanted.key),
        "column": row.column,
        "account_id": row.account_id,
        "found": value is not None,
        "value": None if value is None else value_json(value),
        "view": None if value is None else _view(row.column, value),
    }

    def lines(audience: Audience) -> list[str]:
        if value is None:
            return ["absent"]
        if row.column in ("Account", "AccessKey"):
            return [row_text(row.column, None, value)]
        return [plain_bytes(value, limit=1 << 30 if audience.verbose else 2000)]

    return Report(exit_codes.OK, result, lines)


def _view(column: str, value: bytes) -> Any:
    """Accounts and access keys as RPC shows them."""
    from near_tee_cli.primitives.schema.access_key import decode_access_key
    from near_tee_cli.primitives.schema.account import decode_account
    from near_tee_cli.primitives.schema.views import access_key_view, account_view

    if column == "Account":
        return account_view(decode_account(value))
    return access_key_view(decode_access_key(value)) if column == "AccessKey" else None
