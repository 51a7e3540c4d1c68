"""`state root`: the state root of a snapshot."""

from near_tee_cli.cli import exit_codes
from near_tee_cli.cli.parameters import OUTPUT, CommandLine, Given
from near_tee_cli.cli.report import Report
from near_tee_cli.cli.state_options import SNAPSHOT_ARGUMENT

LINE = CommandLine(
    name="state root",
    summary="the state root of a snapshot",
    description="Compute the state root of SNAPSHOT from its rows; a root that the file states has to be the same.",
    parameters=(SNAPSHOT_ARGUMENT, *OUTPUT),
)


def execute(given: Given) -> Report:
    """The root of the snapshot of a line. Raises `BadInputError` and `StateError`."""
    from near_tee_cli.cli.snapshot_input import read_state
    from near_tee_cli.primitives import base58
    from near_tee_cli.workspace.snapshots import world_of

    found = read_state(given["snapshot"])
    root = base58.encode(world_of(found.snapshot).root)
    result = {"state_root": root, "rows": len(found.snapshot.rows), "form": found.form}
    return Report(exit_codes.OK, result, lambda _: [root])
