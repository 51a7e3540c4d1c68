"""`run`: execute a call and follow what it sends until nothing is in flight."""

from near_tee_cli.cli import context_options
from near_tee_cli.cli.parameters import OUTPUT, CommandLine, Given
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
        context_options.STEP_OUT,
        *OUTPUT,
    ),
    executes=True,
)


def execute(given: Given) -> Report:
    """Run the call of a line. Raises what stops it."""
    from near_tee_cli.cli import calling, outputs
    from near_tee_cli.cli.call import asked
    from near_tee_cli.cli.machine import EXECUTING, machine

    wanted = asked(given)
    paths = outputs.paths_of(given)
    prepared = machine(given["compiler"], namespace=EXECUTING)
    if wanted.call.view:
        from near_tee_cli.cli.view import view_report

        return view_report(wanted, prepared)
    called = calling.call(wanted, prepared, paths)
    return calling.report(called, error=calling.contract_error(called.result, wanted))
