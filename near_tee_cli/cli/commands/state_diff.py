"""`state diff`: what differs between two snapshots, row by row."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from near_tee_cli.cli import exit_codes
from near_tee_cli.cli.parameters import OUTPUT, CommandLine, Given, Parameter
from near_tee_cli.cli.report import Audience, Report
from near_tee_cli.cli.terminal import BOLD, DIM, plain

LINE = CommandLine(
    name="state diff",
    summary="what differs between two snapshots, by account and kind",
    description="Compare two snapshots (or the states behind steps): chain, last block, receipts in flight, and every"
    " row. Ends with 0 when nothing differs, and with 7 when anything does.",
    parameters=(
        Parameter("left", (), "A snapshot.", "LEFT", required=True),
        Parameter("right", (), "Another snapshot.", "RIGHT", required=True),
        Parameter("account", ("--account",), "Compare the rows of this account only.", "ACCOUNT", panel="Selection"),
        *OUTPUT,
    ),
)

ROWS_SHOWN = 100


def execute(given: Given) -> Report:
    """Compare the snapshots of a line. Raises `UsageError`, `BadInputError` and `StateError`."""
    from near_tee_cli.cli import files, units
    from near_tee_cli.cli.changes import Change, change_json
    from near_tee_cli.cli.snapshot_input import differing, read_states
    from near_tee_cli.primitives import base58
    from near_tee_cli.workspace.snapshots import world_of

    files.at_most_one_stdin({"LEFT": given["left"], "RIGHT": given["right"]})
    selected = None if given["account"] is None else units.account(given["account"], "--account")
    left, right = (found.snapshot for found in read_states(given["left"], given["right"]))
    changes = [change_json(Change(key, *values)) for key, values in differing(left.rows, right.rows).items()]
    changes = [change for change in changes if selected in (None, change["account_id"])]
    chain = {} if selected is not None else _chain(left, right)
    counts: dict[str, Counter[str]] = {}
    for change in changes:
        counts.setdefault(change["account_id"] or "", Counter())[_kind(change)] += 1
    result: dict[str, Any] = {
        "same": not changes and not chain,
        "left": {"state_root": base58.encode(world_of(left).root), "rows": len(left.rows)},
        "right": {"state_root": base58.encode(world_of(right).root), "rows": len(right.rows)},
        "chain": chain,
        "accounts": {name: dict(kinds) for name, kinds in sorted(counts.items())},
        "changes": changes,
    }
    if result["same"]:
        return Report(exit_codes.OK, result, lambda audience: _lines(result, audience))
    rows = f"{len(changes)} {'row' if len(changes) == 1 else 'rows'}"
    message = f"the states differ in {', '.join([*chain, *([rows] if changes else [])])}"
    error = {"code": "diverged", "message": message, "hint": None, "where": None}
    return Report(exit_codes.DIVERGED, result, lambda audience: _lines(result, audience), error=error, answered=True)


def _kind(change: Mapping[str, Any]) -> str:
    """What happened to which kind of row."""
    how = "added" if change["before"] is None else "removed" if change["after"] is None else "changed"
    return f"{change['column']} {how}"


def _chain(left: Any, right: Any) -> dict[str, Any]:
    """What differs beside the rows, each with both sides."""
    sides = [_beside_rows(snapshot) for snapshot in (left, right)]
    return {
        name: {"left": sides[0][name], "right": sides[1][name]} for name in sides[0] if sides[0][name] != sides[1][name]
    }


def _beside_rows(snapshot: Any) -> dict[str, Any]:
    from near_tee_cli.primitives.canonical_json import base64_text
    from near_tee_cli.primitives.schema.receipt import encode_receipt
    from near_tee_cli.workspace.snapshot_json import block_json

    minimum = snapshot.chain.minimum_stake
    return {
        "protocol_version": snapshot.protocol_version,
        "chain_id": snapshot.chain.chain_id,
        "validators": {name: str(stake) for name, stake in snapshot.chain.validators},
        "minimum_stake": None if minimum is None else str(minimum),
        "block": None if snapshot.block is None else block_json(snapshot.block),
        "receipts": [base64_text(encode_receipt(receipt)) for receipt in snapshot.in_flight],
        "congestion_info": base64_text(snapshot.congestion_info.encode()),
        "bandwidth_requests": [
            {"to_shard": one.to_shard, "bitmap": base64_text(one.bitmap)} for one in snapshot.bandwidth_requests
        ],
    }


def _lines(result: Mapping[str, Any], audience: Audience) -> Sequence[str]:
    """The difference for people: `-` is what only the left one has, `+` what only the right one has."""
    from near_tee_cli.cli.render_run import change_line

    style = audience.style
    if result["same"]:
        return ["the states are the same"]
    if audience.quiet:
        return [*result["chain"], *(name or "other rows" for name in result["accounts"])]
    lines = [f"{style(name, BOLD)}  {_chain_text(name, pair)}" for name, pair in result["chain"].items()]
    for name, kinds in result["accounts"].items():
        counted = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        lines.append(f"{style(plain(name or 'other rows'), BOLD)}  {counted}")
    changes = result["changes"]
    limit = len(changes) if audience.verbose else ROWS_SHOWN
    lines += [f"  {change_line(change, style, full=audience.verbose > 1)}" for change in changes[:limit]]
    if len(changes) > limit:
        lines.append(style(f"  and {len(changes) - limit:,} more (-v shows all)", DIM))
    return lines


def _chain_text(name: str, pair: Mapping[str, Any]) -> str:
    if name == "block":
        heights = ("none" if pair[side] is None else f"height {pair[side]['height']}" for side in ("left", "right"))
        left, right = heights
        return f"{left} → {right}" if left != right else f"{left}, otherwise different"
    if isinstance(pair["left"], list):
        return f"{len(pair['left'])} → {len(pair['right'])}"
    if name == "congestion_info":
        return "differs"
    return f"{plain(str(pair['left']))} → {plain(str(pair['right']))}"
