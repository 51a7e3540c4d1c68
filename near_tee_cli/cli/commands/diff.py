"""`diff`: what differs between two steps: what was asked, what came of it, and the states afterwards."""

import os
from typing import Any

from near_tee_cli.cli import exit_codes
from near_tee_cli.cli.parameters import OUTPUT, CommandLine, Given, Parameter
from near_tee_cli.cli.report import Report
from near_tee_cli.errors import BadInputError

LINE = CommandLine(
    name="diff",
    summary="what differs between two steps: status, gas, logs, receipts, yields, state",
    description="Compare two steps. Ends with 0 when they came to the same, and with 7 when anything differs.",
    parameters=(
        Parameter("left", (), "A step.", "STEP", required=True),
        Parameter("right", (), "Another step.", "STEP", required=True),
        *OUTPUT,
    ),
)


def execute(given: Given) -> Report:
    """Compare the steps of a line. Raises `BadInputError`."""
    from near_tee_cli.cli.step_difference import difference, difference_lines

    left = _step(given["left"])
    same = os.path.exists(given["right"]) and os.path.samefile(given["left"], given["right"])
    right = left if same else _step(given["right"])
    result: dict[str, Any] = difference(left, right)
    code = exit_codes.OK if result["same"] else exit_codes.DIVERGED
    error = None
    if not result["same"]:
        names = ", ".join(name for name, differs in result["differs"].items() if differs)
        error = {"code": "diverged", "message": f"the steps differ in {names}", "hint": None, "where": None}
    return Report(code, result, lambda audience: difference_lines(result, audience), error=error, answered=True)


def _step(path: str) -> Any:
    from near_tee_cli.workspace.step_files import is_step, read_step

    if not is_step(path):
        raise BadInputError(f"{path} is no step", code="not-a-step", where=path)
    return read_step(path)
