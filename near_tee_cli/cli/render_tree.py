"""The tree of receipts and the totals of a run, for people.

Reads the same result that programs get. Everything that a contract could have chosen goes through `terminal.plain`.
"""

from binascii import a2b_base64
from collections.abc import Mapping, Sequence
from typing import Any

from near_tee_cli.cli.failures import failure_text
from near_tee_cli.cli.report import Audience
from near_tee_cli.cli.terminal import BOLD, DIM, GREEN, RED, YELLOW, Style, cut, plain, plain_bytes
from near_tee_cli.cli.units import shown_gas, shown_near

NODES_SHOWN = 60
ARGS_WIDTH = 40
VALUE_WIDTH = 100
FAILURE_WIDTH = 160

_REFUNDS = ("gas refund", "deposit refund")
_COLOURS = {"success": GREEN, "failure": RED}

Node = Mapping[str, Any]


def tree_lines(nodes: Sequence[Node], audience: Audience, *, told: Any) -> list[str]:
    """Who called whom, each line below the one that sent it, and what it returned, unless `told` already."""
    if not nodes:
        return []
    style = audience.style
    refunds = sum(node["kind"] in _REFUNDS for node in nodes)
    count = len(nodes) - refunds
    head = f"{count}, and {refunds} {'refund' if refunds == 1 else 'refunds'}"
    limit = len(nodes) if audience.verbose else NODES_SHOWN
    lines = [f"{style('receipts', BOLD)}  {head}"]
    for node in nodes[:limit]:
        lines += _node(node, style, verbose=audience.verbose, told=told)
    if len(nodes) > limit:
        lines.append(f"  and {len(nodes) - limit} more (-v shows all)")
    return lines


def _node(node: Node, style: Style, *, verbose: int, told: Any) -> list[str]:
    indent = "  " * (node["depth"] + 1)
    state = style(node["state"], _COLOURS.get(node["state"], YELLOW))
    where = "" if node["executed_in"] is None else f" in block {node['executed_in']}"
    burnt = f"  {shown_gas(node['gas_burnt'])}" if node["gas_burnt"] else ""
    who = f"{plain(node['predecessor_id'])} → {plain(node['receiver_id'])}"
    lines = [f"{indent}{who}  {_what(node)}  {state}{where}{style(burnt, DIM)}"]
    inner = indent + "    "
    if verbose:
        lines.append(style(f"{inner}id {node['id']}", DIM))
        lines += [style(f"{inner}given the result of {identity}", DIM) for identity in node["waited_for"]]
        lines += [f"{inner}log {plain(log)}" for log in node["logs"]]
    if node["result"] and (verbose or node["result"] != told):
        lines.append(f"{inner}returned {plain_bytes(a2b_base64(node['result']), limit=VALUE_WIDTH)}")
    if node["failure"] is not None and (verbose or node["failure"] != told):
        text = plain(failure_text(node["failure"]))
        lines.append(f"{inner}{style('failed', RED)} {text if verbose else cut(text, FAILURE_WIDTH)}")
    return lines


def _what(node: Node) -> str:
    actions = " + ".join(action_text(action) for action in node["actions"])
    if node["kind"] in _REFUNDS:
        return f"{node['kind']} {actions.removeprefix('transfer ')}"
    if node["kind"] == "transaction":
        return f"transaction: {actions}"
    if node["kind"] == "yield":
        return f"yield: {actions}"
    return actions or node["kind"]


def action_text(action: Any) -> str:
    """One action in the shape of RPC."""
    if isinstance(action, str):
        return action
    ((name, content),) = action.items()
    if name == "FunctionCall":
        deposit = int(content["deposit"])
        with_deposit = f" with {shown_near(deposit)}" if deposit else ""
        args = plain_bytes(a2b_base64(content["args"]), limit=ARGS_WIDTH)
        return f"{plain(content['method_name'])}({args}) {shown_gas(content['gas'])}{with_deposit}"
    if name == "Transfer":
        return f"transfer {shown_near(int(content['deposit']))}"
    return plain(str(name))


def totals_lines(totals: Mapping[str, Any], audience: Audience) -> list[str]:
    """Where the tokens went: what is said adds up to nothing."""
    style = audience.style
    moved = [(name, int(amount)) for name, amount in totals["accounts"].items() if int(amount)]
    rows = [(plain(name), amount) for name, amount in moved]
    for name, key, sign in (
        ("receipts that wait", "waiting", 1), ("burnt", "burnt", 1), ("came in from outside", "came_in", -1),
    ):  # fmt: skip
        if int(totals[key]):
            rows.append((name, sign * int(totals[key])))
    if not rows:
        return []
    width = max(len(name) for name, _ in rows)
    lines = [f"{style('tokens', BOLD)}  everything that moved; it adds up to nothing"]
    lines += [f"  {name.ljust(width)}  {_signed(amount)}" for name, amount in rows]
    if int(totals["to_contracts"]):
        lines.append(style(f"  of the burnt gas {shown_near(int(totals['to_contracts']))} went to contracts", DIM))
    return lines


def _signed(amount: int) -> str:
    return f"{'-' if amount < 0 else '+'}{shown_near(abs(amount))}"
