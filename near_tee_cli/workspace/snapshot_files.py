"""Which kind of snapshot some bytes are, read and written."""

from enum import Enum
from typing import NamedTuple

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.workspace import snapshot_borsh, snapshot_json
from near_tee_cli.workspace.cases import Case, is_case, parse_case
from near_tee_cli.workspace.replay import world_of_case
from near_tee_cli.workspace.snapshots import MAX_BYTES, Snapshot, snapshot_of


class Form(Enum):
    """How a snapshot is written."""

    JSON = "json"
    BORSH = "borsh"
    LMDB = "lmdb"
    """A directory, for large states."""
    CASE = "case"
    """A recorded case: read only."""


class Recognised(NamedTuple):
    """A snapshot, and what it was written as; `case` is there when it was a recorded case."""

    snapshot: Snapshot
    form: Form
    case: Case | None


def read_snapshot(data: bytes, what: str) -> Recognised:
    """The snapshot in `data`, recognised by its content; `what` names it in errors.

    Raises `BadInputError` with code `not-a-snapshot` for other content, `malformed-snapshot`, `duplicate-key`,
    `too-large` or one of the codes of strict JSON; `UnsupportedError` for versions that are not known.
    """
    if snapshot_borsh.is_snapshot(data):
        return Recognised(snapshot_borsh.parse_snapshot(data), Form.BORSH, None)
    if data.lstrip()[:1] not in (b"{", b"["):
        raise BadInputError(
            f"{what} is no snapshot: neither JSON nor the Borsh that this program writes", code="not-a-snapshot"
        )
    document = cj.loads(data, what, max_bytes=MAX_BYTES)
    if is_case(document):
        case = parse_case(document)
        return Recognised(snapshot_of(world_of_case(case), block=None), Form.CASE, case)
    if snapshot_json.is_snapshot(document):
        return Recognised(snapshot_json.parse_snapshot(document), Form.JSON, None)
    raise BadInputError(
        f"{what} is JSON but no snapshot: it has neither the schema of one nor the format of a recorded case",
        code="not-a-snapshot",
        hint=f'a snapshot begins with {{"schema": "{snapshot_json.SCHEMA}"',
    )


def write_snapshot(snapshot: Snapshot, form: Form) -> bytes:
    """The bytes of `snapshot` in `form`. Raises `BadInputError` for a form that is only read."""
    if form is Form.JSON:
        return snapshot_json.snapshot_json(snapshot)
    if form is Form.BORSH:
        return snapshot_borsh.snapshot_borsh(snapshot)
    raise BadInputError(f"a snapshot in the form {form.value} is no file that could be written", code="not-writable")
