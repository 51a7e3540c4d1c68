"""`yield`: execute a call until nothing can go on without data from outside, and keep what waits."""

from near_tee_cli.cli import context_options, exit_codes
from near_tee_cli.cli.parameters import OUTPUT, CommandLine, Given
from near_tee_cli.cli.report import Report
from near_tee_cli.errors import UsageError

LINE = CommandLine(
    name="yield",
    summary="execute a call until it waits for data from outside, and keep what waits as a step",
    description="Execute METHOD of a contract until nothing can go on without data from outside, show every yield that"
    " waits, and keep everything as a step that `resume` goes on from.",
    parameters=(
        context_options.CONTRACT_ARGUMENT,
        context_options.METHOD_ARGUMENT,
        context_options.POSITIONAL_ARGS,
        *context_options.EVERYTHING,
        context_options.KEPT_STEP_OUT,
        *OUTPUT,
    ),
    executes=True,
)

NO_YIELD = "no-yield"


def execute(given: Given) -> Report:
    """Run the call of a line and keep the step. Raises what stops it."""
    from near_tee_cli.cli import calling, outputs
    from near_tee_cli.cli.call import asked
    from near_tee_cli.cli.machine import EXECUTING, machine
    from near_tee_cli.runtime.yield_history import EXECUTED

    wanted = asked(given)
    if wanted.call.view:
        raise UsageError("a view cannot yield", where="--view")
    paths = outputs.paths_of(given, steps=outputs.STEPS)
    prepared = machine(given["compiler"], namespace=EXECUTING)
    called = calling.call(wanted, prepared, paths)
    error = calling.contract_error(called.result, wanted)
    if error is not None or any(one.status != EXECUTED for one in called.execution.yields):
        return calling.report(called, error=error)
    name = f"{wanted.call.contract_id}.{wanted.call.method_name}"
    error = {
        "code": NO_YIELD,
        "message": f"{name} ended without a yield that waits",
        "hint": "`run` executes calls that need no data from outside",
        "where": name,
    }
    return calling.report(called, error=error, code=exit_codes.NOT_RESUMABLE)
