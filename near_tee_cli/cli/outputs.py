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
    in_place: bool
    """Whether the snapshot is the one that was started from."""
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
    in_place = bool(given["in_place"])
    if in_place:
        if snapshot is not None:
            raise UsageError("--in-place and --state-out both say where the state goes", where="--state-out")
        snapshot = given.get("state") or given.get("source")
        _require_replaceable(snapshot)
        require_no_key(snapshot, given.get("key"))
    elif snapshot is not None:
        require_free(snapshot, force=given["force"], key=given.get("key"))
    return Paths(step, steps, snapshot, in_place, given["force"])


def _require_replaceable(path: str | None) -> None:
    """Refuse what cannot be written in place. Raises `UsageError`."""
    from near_tee_cli.workspace.step_files import is_step

    if path is None:
        raise UsageError("--in-place needs the --state that it is to change", where="--in-place")
    if path == STDOUT or is_step(path):
        what = "standard input" if path == STDOUT else "a step, which never changes"
        raise UsageError(f"--in-place cannot write to {what}", where="--in-place")


def require_free(path: str, *, force: bool, key: str | None = None) -> None:
    """Say before the work what writing would refuse after it; `key` is the key of the line. Raises `WriteError`."""
    require_no_key(path, key)
    directory = os.path.dirname(path.rstrip("/")) or "."
    if not os.path.isdir(directory):
        raise WriteError(f"{path} cannot be written: there is no directory {directory}")
    if not os.access(directory, os.W_OK | os.X_OK):
        raise WriteError(f"{path} cannot be written: the directory {directory} is not writable")
    empty = os.path.isdir(path) and not os.listdir(path)
    if os.path.lexists(path) and not empty and not force:
        hint = "--force replaces a file" if os.path.isfile(path) else None
        raise WriteError(f"{path} exists already and is not overwritten", code="exists", hint=hint)


def require_no_key(path: str | None, key: str | None) -> None:
    """Refuse to write to the file of a key, whatever it is called there: a lost key is lost. Raises `WriteError`."""
    if path is None or key is None:
        return
    try:
        same = os.path.samefile(path, key)
    except (OSError, ValueError):
        return
    if same:
        raise WriteError(f"{path} is the file of the key and is never overwritten", code="key-file")


def size_of(path: str) -> int:
    """Bytes of a file, or of all files of a directory."""
    if not os.path.isdir(path):
        return os.path.getsize(path)
    return sum(entry.stat().st_size for entry in os.scandir(path) if entry.is_file())


def write_outputs(
    paths: Paths, *, result: Mapping[str, Any], execution: Any, start: Any, before: Any
) -> dict[str, Any]:
    """Write what is wanted. Gives its names for the result. Raises `WriteError`."""
    written: dict[str, Any] = {}
    world, block = execution.world, execution.transitions[-1].block
    if paths.in_place:
        written["snapshot"] = _write_in_place(paths, world, start=start, block=block)
    elif paths.snapshot is not None:
        written["snapshot"] = _write_snapshot(paths, world, start=start, block=block)
    if paths.keeps_step:
        written["step"] = _write_step(paths, result=result, execution=execution, before=before, parent=start.parent)
    return written


def _write_snapshot(paths: Paths, world: Any, *, start: Any, block: Any) -> dict[str, Any]:
    from near_tee_cli.cli.snapshot_input import form_after
    from near_tee_cli.workspace.saving import is_on_disk, save_world
    from near_tee_cli.workspace.snapshot_files import Form

    path = paths.snapshot or ""
    form = form_after(path, Form.LMDB.value if is_on_disk(world) else start.form)
    save_world(world, path, form=form, block=block, overwrite=paths.force)
    return {"path": path, "form": form.value}


def _write_in_place(paths: Paths, world: Any, *, start: Any, block: Any) -> dict[str, Any]:
    from near_tee_cli.workspace.saving import advance_in_place, save_world
    from near_tee_cli.workspace.snapshot_files import Form

    path, form = paths.snapshot or "", Form(start.form)
    if form is Form.LMDB:
        advance_in_place(world, block=block)
    else:
        save_world(world, path, form=form, block=block, overwrite=True)
    return {"path": path, "form": form.value}


def _write_step(
    paths: Paths, *, result: Mapping[str, Any], execution: Any, before: Any, parent: bytes | None
) -> dict[str, Any]:
    from near_tee_cli.workspace import step_files
    from near_tee_cli.workspace.atomic import make_directory
    from near_tee_cli.workspace.saving import is_on_disk, save_world
    from near_tee_cli.workspace.snapshot_files import Form
    from near_tee_cli.workspace.snapshots import header_of, snapshot_of
    from near_tee_cli.workspace.steps import step_of
    from near_tee_cli.workspace.witness_rows import witnessed

    world, block = execution.world, execution.transitions[-1].block
    large = is_on_disk(world)

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
        before=witnessed(before, execution.transitions, world.store) if large else before,
        after=(header_of if large else snapshot_of)(world, block=block),
        world=world,
        yields=execution.yields,
        parent=parent,
    )
    packed = step_files.pack(step)
    path = paths.step
    if path is None:
        directory = paths.steps or STEPS
        make_directory(directory)
        path = os.path.join(directory, packed.digest.hex()[:NAME_DIGITS])
    step_files.write_step(path, packed, save_after=lambda place: save_world(world, place, form=Form.LMDB, block=block))
    return {"path": path, "digest": packed.digest.hex()}
