"""Applied transitions to prove, from whichever source a line names."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from near_tee_cli.cli import files
from near_tee_cli.cli.parameters import Given
from near_tee_cli.errors import UsageError
from near_tee_cli.runtime.chunk import Machine
from near_tee_cli.runtime.world import Transition, World


class Source(NamedTuple):
    """What is to be proved."""

    world: World
    transitions: Sequence[Transition]
    result: Mapping[str, Any] | None
    """The result of the run, as `run` gives it; `None` for other sources."""
    notes: Sequence[str]


def source_of(given: Given, machine: Machine) -> Source:
    """Execute what a line of `prove` names. Raises what stops it."""
    if given["case"] is not None:
        return _case(given["case"], machine)
    if given["from_step"] is not None:
        return _step(given["from_step"], machine)
    return _call(given, machine)


def _call(given: Given, machine: Machine) -> Source:
    from near_tee_cli.cli.call import asked
    from near_tee_cli.cli.execution import execute
    from near_tee_cli.cli.results import run_result
    from near_tee_cli.cli.start import start

    wanted = asked(given)
    if wanted.call.view:
        raise UsageError("a view changes nothing and has no outcome to prove", where="--view")
    begin = start(wanted)
    execution = execute(begin, wanted.call, machine)
    result = run_result(wanted, begin, execution)
    return Source(execution.world, execution.transitions, result, begin.notes)


def _step(path: str, machine: Machine) -> Source:
    from near_tee_cli.workspace.step_files import read_step
    from near_tee_cli.workspace.steps import repeat_step

    repeated = repeat_step(read_step(path).step, machine=machine)
    return Source(repeated.world, repeated.transitions, None, ())


def _case(path: str, machine: Machine) -> Source:
    from near_tee_cli.workspace.cases import read_case
    from near_tee_cli.workspace.replay import apply_case_block, world_of_case

    case = read_case(files.read(path, "the case", max_bytes=files.MAX_SNAPSHOT_BYTES), "the case")
    world = world_of_case(case)
    transitions = [
        apply_case_block(world, block._replace(views=()), machine=machine).transition for block in case.blocks
    ]
    return Source(world, transitions, None, ())
