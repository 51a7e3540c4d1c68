"""`run`: execute a call and follow what it sends until nothing is in flight."""

from typing import Any

from near_tee_cli.cli import context_options, exit_codes
from near_tee_cli.cli.parameters import OUTPUT, CommandLine, Given, Parameter
from near_tee_cli.cli.report import Report

LINE = CommandLine(
    name="run",
    summary="execute a call and follow what it sends until nothing is in flight",
    description="Execute METHOD of a contract as the chain would, on a state snapshot or a small world of its own.",
    parameters=(
        context_options.CONTRACT_ARGUMENT,
        context_options.METHOD_ARGUMENT,
        context_options.POSITIONAL_ARGS,
        *context_options.EVERYTHING,
        Parameter(
            "out", ("--out", "-o"), "Where the step goes: a directory, or one file NAME.step.", "STEP", panel="Output"
        ),
        *OUTPUT,
    ),
    executes=True,
)


def execute(given: Given) -> Report:
    """Run the call of a line. Raises what stops it."""
    from near_tee_cli.cli import outputs, render_run
    from near_tee_cli.cli.call import asked
    from near_tee_cli.cli.execution import execute as execute_call
    from near_tee_cli.cli.machine import EXECUTING, machine
    from near_tee_cli.cli.results import run_result
    from near_tee_cli.cli.start import start

    wanted = asked(given)
    paths = outputs.paths_of(given)
    prepared = machine(given["compiler"], namespace=EXECUTING)
    if wanted.call.view:
        from near_tee_cli.cli.view import view_report

        return view_report(wanted, prepared)
    begin = start(wanted)
    before = None
    if paths.keeps_step:
        from near_tee_cli.workspace.snapshots import snapshot_of

        before = snapshot_of(begin.world, block=begin.last)
    execution = execute_call(begin, wanted.call, prepared.machine)
    result = run_result(wanted, begin, execution)
    if paths.keeps_step or paths.snapshot is not None:
        result["written"] = outputs.write_outputs(paths, result=result, execution=execution, start=begin, before=before)
    error = None
    code = exit_codes.OK
    if result["status"] == "failure":
        from near_tee_cli.cli.contract_failure import error_of

        code, error = exit_codes.CONTRACT_FAILED, error_of(result, wanted.call)
    return Report(
        exit_code=code,
        result=result,
        lines=lambda audience: render_run.run_lines(result, audience),
        warnings=(*prepared.warnings, *begin.notes),
        engine={**prepared.engine, **_engine(result, begin.world)},
        error=error,
    )


def _engine(result: dict[str, Any], world: Any) -> dict[str, Any]:
    """Under which rules it ran."""
    return {"protocol_version": result["call"]["protocol_version"], "config_digest": world.config.digest.hex()}
