"""`state merge`: two snapshots as one."""

from near_tee_cli.cli import world_options
from near_tee_cli.cli.parameters import OUTPUT, CommandLine, Given, Parameter
from near_tee_cli.cli.report import Report
from near_tee_cli.errors import UsageError

LINE = CommandLine(
    name="state merge",
    summary="two snapshots as one, account by account",
    description="Write the union of FIRST and SECOND. An account that both have differently, and any other difference"
    " (last block, queues, chain), is a conflict: refused unless --prefer says whose is taken, whole.",
    parameters=(
        Parameter("first", (), "A snapshot.", "FIRST", required=True),
        Parameter("second", (), "Another snapshot.", "SECOND", required=True),
        *world_options.WRITE,
        Parameter("prefer", ("--prefer",), "Whose side is taken in conflicts: `first` or `second`.", "SIDE",
                  panel="Conflicts"),
        *OUTPUT,
    ),
)  # fmt: skip


def execute(given: Given) -> Report:
    """Merge the snapshots of a line. Raises `UsageError`, `BadInputError`, `StateError` and `WriteError`."""
    from near_tee_cli.cli import files, world_output
    from near_tee_cli.cli.snapshot_input import read_states
    from near_tee_cli.workspace.merging import FIRST, SECOND, merge
    from near_tee_cli.workspace.snapshots import world_of

    prefer = given["prefer"]
    if prefer not in (None, FIRST, SECOND):
        raise UsageError(f"--prefer is {prefer!r}, not first or second", where="--prefer")
    files.at_most_one_stdin({"FIRST": given["first"], "SECOND": given["second"]})
    world_output.require_target(given)
    left, right = read_states(given["first"], given["second"])
    for found in (left, right):
        if found.snapshot.state_root is not None:
            world_of(found.snapshot)  # holds the rows against the root that the file states
    merged = merge(left.snapshot, right.snapshot, prefer=prefer)
    conflicts = [one._asdict() for one in merged.conflicts]
    said = [f"{one.kind} {one.name} differs: the {one.taken} is taken".replace("  ", " ") for one in merged.conflicts]
    return world_output.written(
        given,
        world_of(merged.snapshot),
        block=merged.snapshot.block,
        said=said,
        more={"conflicts": conflicts, "accounts_from": dict(merged.accounts)},
        form=left.form,
    )
