"""What a call leaves on disk: the step, the snapshot afterwards, the bundle. Each whole or not at all."""

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from near_tee_cli.cli.parameters import Given
from near_tee_cli.errors import UsageError, WriteError

STDOUT = "-"


STEPS = "steps"
"""The directory that a step goes to when the line does not say where."""

NAME_DIGITS = 12
"""Hexadecimal digits of its digest by which such a step is called."""


class Paths(NamedTuple):
    """Where to write, `None` where nothing is wanted."""

    step: str | None
    steps: str | None
    """The directory in which the step is called by its digest."""
    snapshot: str | None
    force: bool

    @property
    def keeps_step(self) -> bool:
        """Whether a step is to be written at all."""
        return self.step is not None or self.steps is not None


def paths_of(given: Given, *, steps: str | None = None) -> Paths:
    """The outputs of a line that executes, checked before anything is executed.

    `steps` is the directory for a step whose place the line does not give. Raises `UsageError` and `WriteError`.
    """
    step = None if given["out"] == STDOUT else given["out"]
    snapshot = given["state_out"]
    if snapshot == STDOUT:
        raise UsageError("--state-out takes a file: standard output has the result", where="--state-out")
    if step is not None:
        steps = None
        require_free(step, force=False)
    if snapshot is not None:
        require_free(snapshot, force=given["force"])
    return Paths(step, steps, snapshot, given["force"])


def require_free(path: str, *, force: bool) -> None:
    """Say before the work what writing would refuse after it. Raises `WriteError`."""
    directory = os.path.dirname(path.rstrip("/")) or "."
    if not os.path.isdir(directory):
        raise WriteError(f"{path} cannot be written: there is no directory {directory}")
    if not os.access(directory, os.W_OK | os.X_OK):
        raise WriteError(f"{path} cannot be written: the directory {directory} is not writable")
    empty = os.path.isdir(path) and not os.listdir(path)
    if os.path.lexists(path) and not empty and not force:
        hint = "--force replaces a file" if os.path.isfile(path) else None
        raise WriteError(f"{path} exists already and is not overwritten", code="exists", hint=hint)


def write_outputs(
    paths: Paths, *, result: Mapping[str, Any], execution: Any, start: Any, before: Any
) -> dict[str, Any]:
    """Write what is wanted. Gives its names for the result. Raises `WriteError`."""
    from near_tee_cli.cli.snapshot_input import STEP, form_for
    from near_tee_cli.workspace.atomic import write_file
    from near_tee_cli.workspace.snapshot_files import Form, write_snapshot
    from near_tee_cli.workspace.snapshots import snapshot_of

    written: dict[str, Any] = {}
    after = snapshot_of(execution.world, block=execution.transitions[-1].block)
    if paths.snapshot is not None:
        form = form_for(paths.snapshot, otherwise=Form.BORSH if start.form in (Form.BORSH.value, STEP) else Form.JSON)
        write_file(paths.snapshot, write_snapshot(after, form), overwrite=paths.force)
        written["snapshot"] = {"path": paths.snapshot, "form": form.value}
    if paths.keeps_step:
        written["step"] = _write_step(
            paths, result=result, execution=execution, before=before, after=after, parent=start.parent
        )
    return written


def _write_step(
    paths: Paths, *, result: Mapping[str, Any], execution: Any, before: Any, after: Any, parent: bytes | None
) -> dict[str, Any]:
    from near_tee_cli.workspace import step_files
    from near_tee_cli.workspace.atomic import make_directory
    from near_tee_cli.workspace.steps import step_of

    outcome = {
        "status": result["status"],
        "return_value": result["return_value"] and result["return_value"]["base64"],
        "failure": result["failure"],
        "gas_burnt": result["gas"]["burnt_in_all"],
        "tokens_burnt": result["gas"]["tokens_burnt_in_all"],
        "settled": execution.settled,
    }
    step = step_of(
        result["call"],
        outcome,
        transitions=execution.transitions,
        before=before,
        after=after,
        world=execution.world,
        yields=execution.yields,
        parent=parent,
    )
    packed = step_files.pack(step)
    path = paths.step
    if path is None:
        directory = paths.steps or STEPS
        make_directory(directory)
        path = os.path.join(directory, packed.digest.hex()[:NAME_DIGITS])
    step_files.write_step(path, packed)
    return {"path": path, "digest": packed.digest.hex()}
