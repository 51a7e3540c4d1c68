"""A state from a file that a command line names: a snapshot in any of its forms, or the state behind a step."""

from typing import NamedTuple

from near_tee_cli.cli import files
from near_tee_cli.workspace.snapshot_files import Form, read_snapshot
from near_tee_cli.workspace.snapshots import Snapshot
from near_tee_cli.workspace.step_files import StoredStep, is_step, read_step


class Input(NamedTuple):
    """A snapshot, what it was read from, and the step if it was one."""

    snapshot: Snapshot
    form: str
    """`json`, `borsh`, `case` or `step`."""
    stored: StoredStep | None


STEP = "step"


def read_state(path: str) -> Input:
    """The snapshot at `path`. Raises `BadInputError` and `UnsupportedError`."""
    if is_step(path):
        stored = read_step(path)
        return Input(stored.step.after, STEP, stored)
    data = files.read(path, "the snapshot", max_bytes=files.MAX_SNAPSHOT_BYTES)
    found = read_snapshot(data, "the snapshot")
    return Input(found.snapshot, found.form.value, None)


def form_for(path: str, *, otherwise: Form) -> Form:
    """How a snapshot called `path` is to be written: by the end of its name, else as said."""
    lower = path.lower()
    if lower.endswith(".json"):
        return Form.JSON
    if lower.endswith((".nts", ".borsh")):
        return Form.BORSH
    return otherwise
