"""`resume`: go on from a state in which a yield waits, with data, by a call that resumes, or by its timeout."""

from collections.abc import Mapping
from typing import Any

from near_tee_cli.cli import context_options, exit_codes
from near_tee_cli.cli.parameters import COMPILER, FLAG, OUTPUT, CommandLine, Given, Parameter
from near_tee_cli.cli.report import Report

LINE = CommandLine(
    name="resume",
    summary="go on from a yield: with data, by a call that resumes it, or by its timeout",
    description="Go on from SOURCE, a step or a snapshot in which a yield waits: deliver data to it, make a call that"
    " resumes it, or move on to the height at which it times out. What came of it is kept as another step.",
    parameters=(
        Parameter("source", (), "A step or a snapshot in which a yield waits.", "SOURCE", required=True),
        Parameter("data_id", ("--data-id",), "The yield, by its data id.", "HASH", panel="Which yield"),
        Parameter("yield_id", ("--yield-id",), "The yield, by the id that the contract chose.", "HASH",
                  panel="Which yield"),
        Parameter("contract", ("--contract", "--contract-id", "--current-account-id"),
                  "The account that waits, and that --call calls.", "ACCOUNT", panel="Which yield"),
        Parameter("data", ("--data", "--payload", "--data-text"), "Deliver a text as the answer.", "TEXT", panel="How"),
        Parameter("data_file", ("--data-file", "--payload-file"), "Deliver the bytes of a file; - is stdin.", "PATH",
                  panel="How"),
        Parameter("data_base64", ("--data-base64", "--payload-base64"), "Deliver data given in base64.", "TEXT",
                  panel="How"),
        Parameter("data_hex", ("--data-hex", "--payload-hex"), "Deliver data given in hexadecimal digits.", "HEX",
                  panel="How"),
        Parameter("timeout", ("--timeout",), "Move on to the height at which it times out.", kind=FLAG, panel="How"),
        Parameter("call", ("--call",), "Call a method of the account's contract, which is to resume it.", "METHOD",
                  panel="How"),
        *context_options.RESUME_CALL,
        *context_options.NEXT_BLOCK,
        context_options.WITH,
        context_options.ACCOUNT,
        context_options.SINGLE,
        context_options.MAX_BLOCKS,
        context_options.STATE_OUT,
        context_options.IN_PLACE,
        context_options.FORCE,
        COMPILER,
        context_options.KEPT_STEP_OUT,
        *OUTPUT,
    ),
    executes=True,
)  # fmt: skip


def execute(given: Given) -> Report:
    """Go on as the line says. Raises what stops it."""
    import os

    from near_tee_cli.cli import calling, outputs, resuming
    from near_tee_cli.cli.machine import EXECUTING, machine
    from near_tee_cli.cli.render_run import run_lines

    source = given["source"]
    steps = os.path.dirname(os.path.normpath(source)) or "." if os.path.isdir(source) else outputs.STEPS
    paths = outputs.paths_of(given, steps=steps)
    begin = resuming.begin_from(given)
    prepared = machine(given["compiler"], namespace=EXECUTING)
    before = calling.snapshot_before(begin, paths)
    resumed = resuming.resume(begin, given, prepared.machine)
    result = resumed.result
    calling.write(result, paths, execution=resumed.execution, begin=begin, before=before)
    code, error, notes = _judged(resumed)
    return Report(
        exit_code=code,
        result=result,
        lines=lambda audience: run_lines(result, audience),
        warnings=(*prepared.warnings, *begin.notes, *notes),
        engine={**prepared.engine, **calling.rules(begin)},
        error=error,
    )


def _judged(resumed: Any) -> tuple[int, Mapping[str, Any] | None, tuple[str, ...]]:
    """Exit code, error and warnings of what going on led to."""
    from near_tee_cli.cli.contract_failure import CODE, error_of
    from near_tee_cli.cli.failures import failure_text
    from near_tee_cli.primitives import base58
    from near_tee_cli.runtime.yield_history import PENDING

    result, target = resumed.result, resumed.target
    if result["status"] == "failure":
        if resumed.wanted is not None:
            return exit_codes.CONTRACT_FAILED, error_of(result, resumed.wanted.call), ()
        about = result["call"]
        error = {
            "code": CODE,
            "message": failure_text(result["failure"]),
            "hint": None,
            "where": f"{about['contract_id']}.{about['method_name']}",
        }
        return exit_codes.CONTRACT_FAILED, error, ()
    if target is not None and target.status == PENDING:
        error = {
            "code": "not-resumed",
            "message": f"yield {base58.encode(target.data_id)} still waits",
            "hint": "the contract decides who may resume it, and with what",
            "where": target.account_id,
        }
        return exit_codes.NOT_RESUMABLE, error, ()
    if not resumed.answered:
        return exit_codes.OK, None, ("the call resumed no yield",)
    return exit_codes.OK, None, ()
