"""Two steps side by side: the command, what it came to, logs, receipts, yields, and the rows of the states after."""

from binascii import a2b_base64
from collections.abc import Callable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from near_tee_cli.cli.changes import SCHEDULER, Change, change_json
from near_tee_cli.cli.render_run import change_line, receipt_text, value_text
from near_tee_cli.cli.render_yields import life
from near_tee_cli.cli.report import Audience
from near_tee_cli.cli.results import value_json
from near_tee_cli.cli.snapshot_input import differing
from near_tee_cli.cli.terminal import BOLD, DIM, GREEN, RED, Style, cut, plain
from near_tee_cli.cli.units import shown_gas
from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.primitives.schema.receipt import Receipt, decode_receipt
from near_tee_cli.primitives.schema.views import receipt_view
from near_tee_cli.workspace.step_files import StoredStep
from near_tee_cli.workspace.steps import Step
from near_tee_cli.workspace.yields_json import yield_json

CHANGES_SHOWN = 40
TEXT_WIDTH = 120
ASKED = ("entry", "contract_id", "method_name", "args", "data", "predecessor_id", "signer_id", "deposit", "gas")
"""Members of a call that people compare; the others follow from them or from the block."""


def difference(left: StoredStep, right: StoredStep) -> dict[str, Any]:
    """Everything that differs; empty lists and `same` when nothing does."""
    one, other = left.step, right.step
    parts: dict[str, Any] = {
        "call": _members(one.about, other.about),
        "outcome": _members(one.outcome, other.outcome),
        "heights": _pair([block.block.height for block in one.blocks], [block.block.height for block in other.blocks]),
        "logs": _sequences(_logs(one), _logs(other)),
        "receipts": _sequences(_receipts(one), _receipts(other)),
        "yields": _sequences(_yields(one), _yields(other)),
        "state": [change_json(change) for change in _rows(one, other)],
    }
    return {
        "same": not any(parts.values()),
        "differs": {name: bool(part) for name, part in parts.items()},
        "left": left.digest.hex(),
        "right": right.digest.hex(),
        **parts,
    }


def _pair(left: object, right: object) -> dict[str, Any] | None:
    return None if left == right else {"left": left, "right": right}


def _members(left: Mapping[str, object], right: Mapping[str, object]) -> dict[str, Any]:
    names = [*left, *(name for name in right if name not in left)]
    pairs = {name: _pair(left.get(name), right.get(name)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair is not None}


def _sequences(left: Sequence[Any], right: Sequence[Any]) -> list[dict[str, Any]]:
    """What only one side has, in order; equal items in equal order are left out."""
    one, other = ([cj.dumps(item) for item in side] for side in (left, right))
    found = []
    for tag, start, end, other_start, other_end in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if tag != "equal":
            found += [{"side": "left", "item": item} for item in left[start:end]]
            found += [{"side": "right", "item": item} for item in right[other_start:other_end]]
    return found


def _outcomes(step: Step) -> list[Mapping[str, Any]]:
    found = []
    for result in step.results:
        for outcome in cj.array(result.get("outcomes"), "outcomes"):
            found.append(cj.mapping(outcome, "outcomes"))
    return found


def _logs(step: Step) -> list[dict[str, Any]]:
    logs = []
    for entry in _outcomes(step):
        outcome = cj.mapping(entry.get("outcome"), "outcome")
        lines = cj.array(outcome.get("logs"), "logs")
        logs += [{"executor_id": outcome.get("executor_id"), "log": log} for log in lines]
    return logs


def _receipts(step: Step) -> list[dict[str, Any]]:
    """The receipts that were sent, without their ids: those differ as soon as anything before them does."""
    sent = []
    for result in step.results:
        for position, raw in enumerate(cj.array(result.get("outgoing_receipts"), "outgoing_receipts")):
            place = f"outgoing_receipts[{position}]"
            sent.append(_without_ids(_decoded(cj.base64(raw, place), place)))
    return sent


def _decoded(raw: bytes, place: str) -> Receipt:
    try:
        return decode_receipt(raw)
    except BadInputError as error:
        raise BadInputError(f"{place}: {error.message}", code="step-damaged", where=place) from error


def _without_ids(receipt: Receipt) -> dict[str, Any]:
    view = receipt_view(receipt)
    del view["receipt_id"]
    body = view["receipt"]
    for content in body.values():
        for name in ("data_id", "input_data_ids", "output_data_receivers"):
            if isinstance(content, dict):
                content.pop(name, None)
    return view


def _yields(step: Step) -> list[dict[str, Any]]:
    return [yield_json(one) for one in step.yields]


def _rows(left: Step, right: Step) -> list[Change]:
    """Rows of the states after that differ, by ascending key."""
    return [Change(key, *values) for key, values in differing(left.after.rows, right.after.rows).items()]


def difference_lines(result: Mapping[str, Any], audience: Audience) -> list[str]:
    """The difference for people: `-` is what the left step has, `+` what the right one has."""
    style = audience.style
    if result["same"]:
        return ["the steps came to the same"]
    if audience.quiet:
        return [name for name, differs in result["differs"].items() if differs]
    lines = _member_lines("outcome", result["outcome"], style)
    lines += _member_lines("call", _asked(result["call"], audience), style)
    shown: tuple[tuple[str, Callable[[Any], str]], ...] = (
        ("logs", lambda item: f"{item['executor_id']}  {item['log']}"),
        ("receipts", lambda item: f"{item['receiver_id']}  {receipt_text(item)}"),
        ("yields", lambda item: f"{item['account_id']}.{item['method_name']}  {item['status']}  {life(item)}"),
    )
    for name, text in shown:
        if result[name]:
            lines.append(style(name, BOLD))
            lines += [
                _marked(entry["side"], cut(plain(text(entry["item"])), TEXT_WIDTH), style) for entry in result[name]
            ]
    lines += _state_lines(result["state"], audience)
    if result["heights"]:
        left, right = (_span(result["heights"][side]) for side in ("left", "right"))
        lines.append(f"{style('blocks', BOLD)}  {left} → {right}")
    return lines


def _member_lines(heading: str, pairs: Mapping[str, Any], style: Style) -> list[str]:
    if not pairs:
        return []
    rows = [f"  {name}  {_side(name, pair['left'])} → {_side(name, pair['right'])}" for name, pair in pairs.items()]
    return [style(heading, BOLD), *rows]


def _asked(call: Mapping[str, Any], audience: Audience) -> Mapping[str, Any]:
    """What the commands asked for; what followed from it, and how, only when more is wanted."""
    return call if audience.verbose else {name: call[name] for name in ASKED if name in call}


def _marked(side: str, text: str, style: Style) -> str:
    mark = style("-", RED) if side == "left" else style("+", GREEN)
    return f"  {mark} {cut(plain(text), TEXT_WIDTH)}"


def _state_lines(changes: Sequence[Mapping[str, Any]], audience: Audience) -> list[str]:
    style = audience.style
    told = [change for change in changes if audience.verbose or change["column"] != SCHEDULER]
    if not told:
        return []
    limit = len(told) if audience.verbose else CHANGES_SHOWN
    lines = [f"{style('state', BOLD)}  {len(told)} {'row differs' if len(told) == 1 else 'rows differ'}"]
    lines += [f"  {change_line(change, style, full=audience.verbose > 1)}" for change in told[:limit]]
    if len(told) > limit:
        lines.append(style(f"  and {len(told) - limit} more (-v shows all)", DIM))
    return lines


def _side(name: str, value: Any) -> str:
    """A member of call or outcome: values that a contract gave as text, gas with its unit."""
    if value is None:
        return "none"
    if name in ("return_value", "args", "data") and isinstance(value, str):
        return value_text(value_json(a2b_base64(value)), limit=TEXT_WIDTH) or "nothing"
    if name in ("gas", "gas_burnt") and isinstance(value, int):
        return shown_gas(value)
    text = value if isinstance(value, str) else cj.dumps(value).decode().strip()
    return cut(plain(text), TEXT_WIDTH)


def _span(heights: Sequence[int]) -> str:
    return "none" if not heights else f"{heights[0]}-{heights[-1]}"
