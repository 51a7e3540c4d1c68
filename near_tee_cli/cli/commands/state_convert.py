"""`state convert`: a snapshot as JSON, Borsh or a directory, without loss."""

from near_tee_cli.cli import exit_codes
from near_tee_cli.cli.parameters import FLAG, OUTPUT, CommandLine, Given, Parameter
from near_tee_cli.cli.report import Audience, Report
from near_tee_cli.cli.state_options import SNAPSHOT_ARGUMENT
from near_tee_cli.cli.terminal import plain
from near_tee_cli.errors import UsageError

LINE = CommandLine(
    name="state convert",
    summary="a snapshot in another form, also as a directory for large states",
    description=(
        "Write SNAPSHOT to TARGET in the other form, or in the one that the end of the name (.json, .nts, .lmdb) or"
        " --to asks for. Nothing is lost: the same state, block, receipts in flight and carried records."
    ),
    parameters=(
        SNAPSHOT_ARGUMENT,
        Parameter("target", (), "The file or directory to write.", "TARGET", required=True),
        Parameter("to", ("--to",), "`json`, `borsh` or `lmdb`.", "FORM", panel="Output"),
        Parameter("force", ("--force",), "Replace a file that exists.", kind=FLAG, panel="Output"),
        *OUTPUT,
    ),
)


def execute(given: Given) -> Report:
    """Convert the snapshot of a line. Raises `UsageError`, `BadInputError`, `StateError`, `WriteError`."""
    from near_tee_cli.cli.outputs import require_free, size_of
    from near_tee_cli.cli.snapshot_input import form_for, read_state
    from near_tee_cli.primitives import base58
    from near_tee_cli.workspace.saving import save_world
    from near_tee_cli.workspace.snapshot_files import Form
    from near_tee_cli.workspace.snapshots import world_of

    forms = {form.value: form for form in (Form.JSON, Form.BORSH, Form.LMDB)}
    if given["to"] is not None and given["to"] not in forms:
        raise UsageError(f"--to is {given['to']!r}, not json, borsh or lmdb", where="--to")
    target = given["target"]
    require_free(target, force=given["force"])
    found = read_state(given["snapshot"])
    world = world_of(found.snapshot)
    other = Form.JSON if found.form == Form.BORSH.value else Form.BORSH
    form = forms[given["to"]] if given["to"] is not None else form_for(target, otherwise=other)
    save_world(world, target, form=form, block=found.snapshot.block, overwrite=given["force"])
    size = size_of(target)
    result = {
        "path": target,
        "form": form.value,
        "from": found.form,
        "size": size,
        "rows": len(found.snapshot.rows),
        "state_root": base58.encode(world.root),
    }

    def lines(_: Audience) -> list[str]:
        return [f"wrote {plain(target)}: {form.value}, {size:,} bytes, root {result['state_root']}"]

    return Report(exit_codes.OK, result, lines)
