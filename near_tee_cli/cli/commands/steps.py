"""`steps`: the tree of what was tried in a directory of steps."""

import os
from collections.abc import Mapping
from typing import Any

from near_tee_cli.cli import exit_codes
from near_tee_cli.cli.parameters import OUTPUT, CommandLine, Given, Parameter
from near_tee_cli.cli.report import Audience, Report
from near_tee_cli.cli.terminal import BOLD, DIM, GREEN, RED, YELLOW, Style, cut, plain, plain_bytes
from near_tee_cli.cli.units import shown_gas

LINE = CommandLine(
    name="steps",
    summary="the tree of steps in a directory: what was tried from where, and what it came to",
    description="Show the steps in DIR as a tree, each below the one that it went on from. Only their descriptions are"
    " read; `resume`, `prove` and `inspect` hold a step against them.",
    parameters=(
        Parameter("directory", (), "Where the steps are. Default: steps, or this directory without it.", "[DIR]"),
        *OUTPUT,
    ),
)

DATA_WIDTH = 40
_COLOURS = {"success": GREEN, "failure": RED, "pending": YELLOW}


def execute(given: Given) -> Report:
    """Show the steps of a directory. Raises `BadInputError`."""
    from near_tee_cli.cli.outputs import STEPS
    from near_tee_cli.workspace.step_tree import read_forest, walk

    forest = read_forest(given["directory"] or (STEPS if os.path.isdir(STEPS) else "."))
    steps = [{"depth": depth, **_summary_json(node.summary)} for depth, node in walk(forest.roots)]
    result: dict[str, Any] = {
        "steps": steps,
        "unreadable": [{"path": path, "reason": reason} for path, reason in forest.unreadable],
    }
    warnings = [f"{path} cannot be read: {reason}" for path, reason in forest.unreadable]

    def lines(audience: Audience) -> list[str]:
        if not steps:
            return ["no steps"]
        return [_line(one, audience.style) for one in steps]

    return Report(exit_codes.OK, result, lines, warnings)


def _summary_json(summary: Any) -> dict[str, Any]:
    from near_tee_cli.runtime.yield_history import PENDING

    return {
        "path": summary.path,
        "digest": summary.digest.hex(),
        "parent": None if summary.parent is None else summary.parent.hex(),
        "call": dict(summary.about),
        "outcome": dict(summary.outcome),
        "heights": list(summary.heights),
        "yields": {"known": len(summary.yields), "pending": sum(one.status == PENDING for one in summary.yields)},
    }


def _line(one: Mapping[str, Any], style: Style) -> str:
    """One line for a step, indented by its place in the tree."""
    indent = "  " * one["depth"] + ("└ " if one["depth"] else "")
    status = str(one["outcome"].get("status"))
    gas = one["outcome"].get("gas_burnt")
    heights = one["heights"]
    span = "no blocks" if not heights else f"{heights[0]}-{heights[-1]}" if len(heights) > 1 else f"{heights[0]}"
    burnt = f"  {shown_gas(gas)}" if isinstance(gas, int) else ""
    pending = one["yields"]["pending"]
    waits = f"  {style(f'{pending} pending', YELLOW)}" if pending else ""
    name = style(plain(one["path"]), BOLD)
    mark = style(plain(status), _COLOURS.get(status, DIM))
    return f"{indent}{name}  {_what(one['call'])}  {mark}  {style('blocks ' + span, DIM)}{burnt}{waits}"


def _what(call: Mapping[str, Any]) -> str:
    """The command in a few words. Everything in it comes from a file and is taken as text, whatever it is."""
    callee = f"{call.get('contract_id')}.{call.get('method_name')}"
    if call.get("entry") == "timeout":
        return plain(cut(f"timeout of {callee}", 100))
    if call.get("entry") == "resume":
        return plain(cut(f"data for {callee}: {_data(call.get('data'))}", 100))
    return plain(cut(f"{callee}({_data(call.get('args'))})", 100))


def _data(value: Any) -> str:
    from binascii import Error, a2b_base64

    try:
        return plain_bytes(a2b_base64(str(value), strict_mode=True), limit=DATA_WIDTH)
    except (Error, ValueError):
        return "?"
