"""Applied transitions to prove, from whichever source a line names."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from near_tee_cli.cli import files
from near_tee_cli.cli.parameters import Given
from near_tee_cli.errors import BadInputError, UsageError
from near_tee_cli.proof.bundle import decode_bundle
from near_tee_cli.proof.chain import Chain
from near_tee_cli.proof.claim import claim_digest
from near_tee_cli.proof.prover import Proof, Purpose, prove
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


def prove_path(path: str, purpose: Purpose, *, machine: Machine) -> list[tuple[str, Proof]]:
    """The bundles of a step and of those that led to it, from the first on, with their names; a chain.

    `purpose` is that of the first; each other one has the next number and names the one before. Raises
    `BadInputError` (`missing-step`) when a step on the way is not beside this one, and `EvidenceError` when they do not
    continue one another.
    """
    chain = Chain()
    proofs = []
    for step_path in _path_to(path):
        source = _step(step_path, machine)
        world = source.world
        proof = prove(world.config, world.chain, transitions=source.transitions, machine=machine, purpose=purpose)
        chain.add(decode_bundle(proof.data))
        name = os.path.basename(step_path.rstrip("/")).removesuffix(".step")
        proofs.append((name, proof))
        purpose = purpose._replace(sequence=purpose.sequence + 1, previous=claim_digest(proof.claim))
    return proofs


def _path_to(path: str) -> list[str]:
    """The paths of all steps from the first one to the step at `path`; the others lie in the same directory."""
    from near_tee_cli.workspace.step_files import read_summary
    from near_tee_cli.workspace.step_tree import read_forest, walk

    directory = os.path.dirname(path.rstrip("/")) or "."
    beside = {node.summary.digest: node.summary for _, node in walk(read_forest(directory).roots)}
    summary = read_summary(path)
    found = [path]
    while summary.parent is not None:
        parent = beside.get(summary.parent)
        if parent is None:
            raise BadInputError(
                f"the step that {found[-1]} went on from is not in {directory}",
                code="missing-step",
                hint="steps of a chain lie in one directory",
            )
        found.append(parent.path)
        summary = parent
    return found[::-1]


def _case(path: str, machine: Machine) -> Source:
    from near_tee_cli.workspace.cases import read_case
    from near_tee_cli.workspace.replay import apply_case_block, world_of_case

    case = read_case(files.read(path, "the case", max_bytes=files.MAX_SNAPSHOT_BYTES), "the case")
    world = world_of_case(case)
    transitions = [
        apply_case_block(world, block._replace(views=()), machine=machine).transition for block in case.blocks
    ]
    return Source(world, transitions, None, ())
