"""A state from a file that a command line names: a snapshot in any of its forms, or the state behind a step."""

import os
from collections.abc import Mapping
from typing import NamedTuple

from near_tee_cli.cli import files
from near_tee_cli.errors import BadInputError, WriteError
from near_tee_cli.workspace.snapshot_files import Form, read_snapshot
from near_tee_cli.workspace.snapshots import RowsOnDisk, Snapshot
from near_tee_cli.workspace.step_files import StoredStep, is_step, read_step


class Input(NamedTuple):
    """A snapshot, what it was read from, and the step if it was one."""

    snapshot: Snapshot
    form: str
    """`json`, `borsh`, `lmdb`, `case` or `step`."""
    stored: StoredStep | None


STEP = "step"
HINT = "a state directory takes any number of rows: `near-tee state import PART --onto OLD.lmdb -o NEW.lmdb`"
"""What to do about a state that is too large for a file."""


def read_state(path: str, *, writing: bool = False) -> Input:
    """The snapshot at `path`; `writing` when it is to be changed in place.

    Raises `BadInputError`, `UnsupportedError`, and `WriteError` for what cannot be changed.
    """
    if is_step(path):
        stored = read_step(path)
        return Input(stored.step.after, STEP, stored)
    if os.path.isdir(path):
        from near_tee_cli.workspace.state_directory import StateDirectory

        return Input(StateDirectory(path, writing=writing).snapshot, Form.LMDB.value, None)
    data = b""
    try:
        data = files.read(path, "the snapshot", max_bytes=files.MAX_SNAPSHOT_BYTES)
        found = read_snapshot(data, "the snapshot")
    except BadInputError as error:
        raise _with_hint(error, data, path) from error
    if writing and found.form is Form.CASE:
        raise WriteError(f"{path} is a recorded case, which is only read", code="not-writable")
    return Input(found.snapshot, found.form.value, None)


def _with_hint(error: BadInputError, data: bytes, path: str) -> BadInputError:
    """The error, and how to go on when the file is too large, or a state of another tool."""
    if error.code == "too-large":
        return BadInputError(error.message, code=error.code, hint=HINT)
    if error.code != "not-a-snapshot":
        return error
    from near_tee_cli.sources.shapes import recognise

    try:
        shape = recognise(data, "the snapshot")[0].shape
    except BadInputError:
        return error
    hint = f"this is {shape.value}; `near-tee state import {path} -o state.json` makes a snapshot of it"
    return BadInputError(f"the snapshot is no snapshot but {shape.value}", code=error.code, hint=hint)


def read_states(first: str, second: str) -> tuple[Input, Input]:
    """Two states that one line names, which may be the same. Raises as `read_state` does."""
    found = read_state(first)
    same = os.path.isdir(first) and os.path.isdir(second) and os.path.samefile(first, second)
    return found, found if same else read_state(second)


def differing(
    left: Mapping[bytes, bytes], right: Mapping[bytes, bytes]
) -> dict[bytes, tuple[bytes | None, bytes | None]]:
    """Key -> values of each row that differs, ascending; `None` on the side that has no such row.

    Of two directories nothing is read that they share.
    """
    if isinstance(left, RowsOnDisk) and isinstance(right, RowsOnDisk):
        from near_tee_cli.state.difference import differing_rows

        return differing_rows(left.trie(), right.trie())
    before, after = dict(left.items()), dict(right.items())
    pairs = ((key, (before.get(key), after.get(key))) for key in sorted(before.keys() | after.keys()))
    return {key: values for key, values in pairs if values[0] != values[1]}


def form_for(path: str, *, otherwise: Form) -> Form:
    """How a snapshot called `path` is to be written: by the end of its name, else as said."""
    lower = path.lower()
    if lower.endswith(".json"):
        return Form.JSON
    if lower.endswith((".nts", ".borsh")):
        return Form.BORSH
    if lower.rstrip("/").endswith(".lmdb"):
        return Form.LMDB
    return otherwise


def form_after(path: str, form: str | None) -> Form:
    """How what came of a state in `form` is to be written to `path`: by the end of the name, else in the same form."""
    same = {Form.BORSH.value: Form.BORSH, STEP: Form.BORSH, Form.LMDB.value: Form.LMDB}
    return form_for(path, otherwise=same.get(form or "", Form.JSON))
