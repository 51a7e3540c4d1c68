"""What `run` and `yield` share: a call put on a state, executed, written and reported."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from near_tee_cli.cli import exit_codes
from near_tee_cli.cli.call import Asked
from near_tee_cli.cli.execution import Execution
from near_tee_cli.cli.machine import Prepared
from near_tee_cli.cli.outputs import Paths, write_outputs
from near_tee_cli.cli.render_run import run_lines
from near_tee_cli.cli.report import Report
from near_tee_cli.cli.start import Start


class Called(NamedTuple):
    """A call that was made."""

    result: dict[str, Any]
    execution: Execution
    begin: Start
    prepared: Prepared


def call(wanted: Asked, prepared: Prepared, paths: Paths) -> Called:
    """Make the call that a line asks for, and write what it asks for. Raises what stops it."""
    from near_tee_cli.cli.execution import execute
    from near_tee_cli.cli.results import run_result
    from near_tee_cli.cli.start import start

    begin = start(wanted)
    before = snapshot_before(begin, paths)
    execution = execute(begin, wanted.call, prepared.machine)
    result = run_result(wanted, begin, execution)
    write(result, paths, execution=execution, begin=begin, before=before)
    return Called(result, execution, begin, prepared)


def snapshot_before(begin: Start, paths: Paths) -> Any:
    """The snapshot that a step starts with; `None` when no step is kept. To be taken before anything is executed."""
    if not paths.keeps_step:
        return None
    from near_tee_cli.workspace.saving import is_on_disk
    from near_tee_cli.workspace.snapshots import header_of, snapshot_of

    # Of a large state only what the blocks read is kept, which is known afterwards.
    return (header_of if is_on_disk(begin.world) else snapshot_of)(begin.world, block=begin.last)


def write(result: dict[str, Any], paths: Paths, *, execution: Execution, begin: Start, before: Any) -> None:
    """Write step and snapshot, as far as they are wanted, and say so in the result. Raises `WriteError`."""
    if paths.keeps_step or paths.snapshot is not None:
        result["written"] = write_outputs(paths, result=result, execution=execution, start=begin, before=before)


def report(called: Called, *, error: Mapping[str, Any] | None, code: int | None = None) -> Report:
    """The report of a call. `error` says what is wrong with it, `code` is its exit code unless the contract failed."""
    result, begin = called.result, called.begin
    failed = result["status"] == "failure"
    return Report(
        exit_code=exit_codes.CONTRACT_FAILED if failed else exit_codes.OK if code is None else code,
        result=result,
        lines=lambda audience: run_lines(result, audience),
        warnings=(*called.prepared.warnings, *begin.notes),
        engine={**called.prepared.engine, **rules(begin)},
        error=error,
    )


def rules(begin: Start) -> dict[str, Any]:
    """Under which rules it ran."""
    config = begin.world.config
    return {"protocol_version": config.protocol_version, "config_digest": config.digest.hex()}


def contract_error(result: Mapping[str, Any], wanted: Asked) -> dict[str, Any] | None:
    """What the contract failed with, in the words of an error; `None` when it did not."""
    if result["status"] != "failure":
        return None
    from near_tee_cli.cli.contract_failure import error_of

    return error_of(result, wanted.call)
