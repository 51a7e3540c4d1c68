"""Yields for people: what waits, what was answered, what timed out.

Reads the same result that programs get. Everything that a contract could have chosen goes through `terminal.plain`.
"""

from binascii import a2b_base64
from collections.abc import Mapping, Sequence
from typing import Any

from near_tee_cli.cli.terminal import BOLD, DIM, GREEN, RED, YELLOW, Style, plain, plain_bytes
from near_tee_cli.cli.units import shown_gas, shown_near

VALUE_WIDTH = 100

_COLOURS = {"pending": YELLOW, "resumed": GREEN, "timed-out": RED, "executed": GREEN}


def yield_lines(yields: Sequence[Mapping[str, Any]], style: Style) -> list[str]:
    """A heading and two or three lines for each yield, nothing without one."""
    if not yields:
        return []
    waiting = sum(one["status"] == "pending" for one in yields)
    count = f"{len(yields)} known, {waiting} {'waits' if waiting == 1 else 'wait'} for data"
    return [f"{style('yields', BOLD)}  {count}", *(line for one in yields for line in _one(one, style))]


def _one(one: Mapping[str, Any], style: Style) -> list[str]:
    status = style(one["status"], _COLOURS[one["status"]])
    callback = f"{plain(one['account_id'])}.{plain(one['method_name'])}" if one["method_name"] else one["account_id"]
    name = f" yield id {one['yield_id']}" if one["yield_id"] else ""
    with_deposit = f", {shown_near(int(one['deposit']))} with it" if int(one["deposit"]) else ""
    arguments = plain_bytes(a2b_base64(one["args"]), limit=VALUE_WIDTH)
    lines = [
        f"  {status}  {callback}({arguments})  {life(one)}",
        f"    data id {one['data_id']}{name}",
        style(f"    {shown_gas(one['gas'])} kept{with_deposit}", DIM),
    ]
    if one["data"] is not None:
        lines.append(f"    answer {plain_bytes(a2b_base64(one['data']), limit=VALUE_WIDTH)}")
    return lines


def life(one: Mapping[str, Any]) -> str:
    """What is known of its life, in one phrase."""
    parts = []
    if one["created_at"] is not None:
        parts.append(f"since {one['created_at']}")
    if one["resumed_at"] is not None:
        parts.append(f"resumed at {one['resumed_at']}")
    elif one["timed_out_at"] is not None:
        parts.append(f"timed out at {one['timed_out_at']}")
    elif one["expires_at"] is not None:
        parts.append(f"times out at {one['expires_at']}")
    if one["executed_at"] is not None:
        failed = " and failed" if one["outcome"] == "failure" else ""
        parts.append(f"callback ran at {one['executed_at']}{failed}")
    return ", ".join(parts)
