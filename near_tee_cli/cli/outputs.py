"""What a call leaves on disk: the step, the snapshot afterwards, the bundle. Each whole or not at all."""

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from near_tee_cli.cli.parameters import Given
from near_tee_cli.errors import UsageError, WriteError

STDOUT = "-"


class Paths(NamedTuple):
    """Where to write, `None` where nothing is wanted."""

    step: str | None
    snapshot: str | None
    force: bool


def paths_of(given: Given) -> Paths:
    """The outputs of a line of `run`, checked before anything is executed. Raises `UsageError` and `WriteError`."""
    step = None if given["out"] == STDOUT else given["out"]
    snapshot = given["state_out"]
    if snapshot == STDOUT:
        raise UsageError("--state-out takes a file: standard output has the result", where="--state-out")
    if step is not None:
        require_free(step, force=False)
    if snapshot is not None:
        require_free(snapshot, force=given["force"])
    return Paths(step, snapshot, given["force"])


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


def write_outputs(paths: Paths, *, about: Mapping[str, Any], execution: Any, start: Any, before: Any) -> dict[str, Any]:
    """Write what is wanted. Gives its names for the result. Raises `WriteError`."""
    from near_tee_cli.cli.snapshot_input import STEP, form_for
    from near_tee_cli.workspace import steps
    from near_tee_cli.workspace.atomic import write_file
    from near_tee_cli.workspace.snapshot_files import Form, write_snapshot
    from near_tee_cli.workspace.snapshots import snapshot_of

    written: dict[str, Any] = {}
    after = snapshot_of(execution.world, block=execution.transitions[-1].block)
    if paths.snapshot is not None:
        form = form_for(paths.snapshot, otherwise=Form.BORSH if start.form in (Form.BORSH.value, STEP) else Form.JSON)
        write_file(paths.snapshot, write_snapshot(after, form), overwrite=paths.force)
        written["snapshot"] = {"path": paths.snapshot, "form": form.value}
    if paths.step is not None:
        step = steps.step_of(about, execution.transitions, before=before, after=after, parent=start.parent)
        digest = steps.write_step(paths.step, step)
        written["step"] = {"path": paths.step, "digest": digest.hex()}
    return written
