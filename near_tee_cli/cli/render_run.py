"""A run for people: what came back, what it cost, what it changed and what it sent.

Reads the same result that programs get, so that neither is poorer. Everything that a contract or a file could have
chosen goes through `terminal.plain` before it becomes part of a line.
"""

import json
from binascii import a2b_base64
from collections.abc import Mapping, Sequence
from typing import Any

from near_tee_cli.cli.changes import SCHEDULER, row_text
from near_tee_cli.cli.events import PREFIX as EVENT_PREFIX
from near_tee_cli.cli.failures import failure_text
from near_tee_cli.cli.gas_parts import Part, costliest
from near_tee_cli.cli.render_tree import action_text, totals_lines, tree_lines
from near_tee_cli.cli.render_yields import yield_lines
from near_tee_cli.cli.report import Audience
from near_tee_cli.cli.terminal import BOLD, DIM, GREEN, RED, YELLOW, Style, cut, plain, plain_bytes
from near_tee_cli.cli.units import shown_gas, shown_near

PARTS_SHOWN = 6
CHANGES_SHOWN = 20
VALUE_WIDTH = 100
MESSAGE_WIDTH = 400

Result = Mapping[str, Any]


def run_lines(result: Result, audience: Audience) -> list[str]:
    """The lines of a run."""
    style = audience.style
    if audience.quiet:
        return [_quiet(result)]
    return [
        *_headline(result, style),
        *_logs(result, style),
        *_events(result, style),
        *_gas(result, audience),
        *_changes(result, audience),
        *tree_lines(result["tree"], audience, told=_told(result)),
        *totals_lines(result["totals"], audience),
        *yield_lines(result["yields"], style),
        *_roots(result, style),
    ]


def view_lines(result: Result, audience: Audience) -> list[str]:
    """The lines of a read-only call."""
    style = audience.style
    if audience.quiet:
        return [_quiet(result)]
    return [
        *_headline(result, style),
        *_logs(result, style),
        *_events(result, style),
        *_gas(result, audience),
        f"{style('root', BOLD)}  {result['state_root']}",
    ]


def _quiet(result: Result) -> str:
    value = result["return_value"]
    if result["failure"] is not None:
        return plain(failure_text(result["failure"]))
    return "" if value is None else value_text(value, limit=1 << 30)


def _headline(result: Result, style: Style) -> list[str]:
    call = result["call"]
    name = f"{plain(call['contract_id'])}.{plain(call['method_name'])}"
    if result["status"] == "failure":
        text = cut(plain(failure_text(result["failure"])), MESSAGE_WIDTH)
        return [f"{style('failed', RED, BOLD)}  {name}", f"  {text}"]
    if result["status"] == "pending":
        if result["settled"]:
            return [f"{style('pending', YELLOW, BOLD)}  {name} waits for data from outside"]
        return [f"{style('pending', YELLOW, BOLD)}  {name}: {result['in_flight']} receipts are in flight"]
    value = result["return_value"]
    if value is None or not value["length"]:
        returned = style("nothing returned", DIM)
    else:
        returned = f"returned {value_text(value, limit=2000)}"
    return [f"{style('ok', GREEN, BOLD)}  {name}", f"  {returned}"]


def value_text(value: Mapping[str, Any], *, limit: int) -> str:
    """Bytes as `results.value_json` gives them: as text where they are one, else in hexadecimal digits."""
    if "json" in value:
        return cut(plain(value["text"]), limit)
    if "text" in value and (value["text"].isprintable() or "\n" in value["text"]):
        return cut(plain(value["text"]), limit)
    return cut("0x" + a2b_base64(value["base64"]).hex(), limit)


def _told(result: Result) -> Any:
    """What the headline says, as the tree of receipts has it: a failure, or a value in base64."""
    value = result["return_value"]
    return result["failure"] if value is None else value["base64"]


def _logs(result: Result, style: Style) -> list[str]:
    """Logs that are no events; those follow under a heading of their own."""
    plain_logs = [entry for entry in result["logs"] if not entry["log"].strip().startswith(EVENT_PREFIX)]
    if not plain_logs:
        return []
    lines = [style("logs", BOLD)]
    for entry in plain_logs:
        lines.append(f"  {style(plain(entry['executor_id']), DIM)}  {plain(entry['log'])}")
    return lines


def _events(result: Result, style: Style) -> list[str]:
    if not result["events"]:
        return []
    lines = [style("events", BOLD)]
    for event in result["events"]:
        who = style(plain(event["executor_id"]), DIM)
        if "malformed" in event:
            lines.append(f"  {who}  {style('malformed', YELLOW)}: {plain(event['malformed'])}")
            continue
        data = "" if event["data"] is None else "  " + plain(json.dumps(event["data"], ensure_ascii=False))
        lines.append(f"  {who}  {plain(event['standard'])} {plain(event['version'])} {plain(event['event'])}{data}")
    return lines


def _gas(result: Result, audience: Audience) -> list[str]:
    gas, style = result["gas"], audience.style
    if gas["burnt"] is None:
        return []
    used = "" if gas["used"] == gas["burnt"] else f", {shown_gas(gas['used'])} used with what was sent"
    attached = "" if gas["attached"] is None else f" of {shown_gas(gas['attached'])} attached"
    lines = [f"{style('gas', BOLD)}  {shown_gas(gas['burnt'])} burnt{attached}{used}"]
    parts = [Part(part["name"], part["gas"]) for part in gas["parts"]]
    shown = parts if audience.verbose else costliest(parts, PARTS_SHOWN)
    rows = [(part.name, f"{part.gas:,}", f"{100 * part.gas / max(gas['burnt'], 1):.1f}%") for part in shown]
    rows.append(("total", f"{gas['burnt']:,}", ""))
    lines += _table(rows)
    if gas.get("burnt_in_all", gas["burnt"]) != gas["burnt"]:
        burnt = shown_near(int(gas["tokens_burnt_in_all"]))
        lines.append(f"  all outcomes together burnt {shown_gas(gas['burnt_in_all'])}, that is {burnt}")
    return lines


def _table(rows: Sequence[tuple[str, str, str]]) -> list[str]:
    first = max(len(row[0]) for row in rows)
    second = max(len(row[1]) for row in rows)
    return [f"  {name.ljust(first)}  {number.rjust(second)}  {share.rjust(6)}".rstrip() for name, number, share in rows]


def _changes(result: Result, audience: Audience) -> list[str]:
    style = audience.style
    shown = [change for change in result["state_changes"] if audience.verbose or change["column"] != SCHEDULER]
    if not shown:
        only_scheduler = ", but for the bandwidth scheduler's row" if result["state_changes"] else ""
        return [f"{style('state', BOLD)}  unchanged{only_scheduler}"]
    lines = [f"{style('state', BOLD)}  {len(shown)} {'row' if len(shown) == 1 else 'rows'} changed"]
    limit = len(shown) if audience.verbose else CHANGES_SHOWN
    lines += [f"  {change_line(change, style, full=audience.verbose > 1)}" for change in shown[:limit]]
    if len(shown) > limit:
        lines.append(f"  and {len(shown) - limit} more (-v shows all)")
    return lines


def change_line(change: Mapping[str, Any], style: Style, *, full: bool) -> str:
    """A row that differs, as `changes.change_json` gives it."""
    before, after = (None if change[name] is None else a2b_base64(change[name]) for name in ("before", "after"))
    mark = style("+", GREEN) if before is None else style("-", RED) if after is None else style("~", YELLOW)
    name = change["column"] if change["account_id"] is None else f"{change['account_id']} {change['column']}"
    if "data_key" in change:
        name += f" {cut(plain_bytes(a2b_base64(change['data_key'])), 60)}"
        limit = 1 << 20 if full else VALUE_WIDTH
        values = " → ".join(plain_bytes(value, limit=limit) for value in (before, after) if value is not None)
    else:
        values = row_text(change["column"], before, after)
    return f"{mark} {plain(name)}  {values}"


def receipt_text(receipt: Mapping[str, Any]) -> str:
    """What a receipt in the shape of RPC brings."""
    body = receipt["receipt"]
    if "Data" in body:
        data = body["Data"]["data"]
        return "failed result" if data is None else f"result {plain_bytes(a2b_base64(data), limit=60)}"
    if "Action" not in body:
        return "global contract"
    actions = [action_text(action) for action in body["Action"]["actions"]]
    if receipt["predecessor_id"] == "system":
        return f"refund of {actions[0].removeprefix('transfer ')}"
    return " + ".join(actions)


def _roots(result: Result, style: Style) -> list[str]:
    lines = [f"{style('root', BOLD)}  {result['pre_state_root']} → {result['state_root']}"]
    for what, written in result.get("written", {}).items():
        lines.append(f"{style('wrote', BOLD)}  {what} {plain(written['path'])}")
    return lines
