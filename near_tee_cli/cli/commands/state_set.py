"""`state set`: a snapshot with some of it changed."""

from near_tee_cli.cli import world_options
from near_tee_cli.cli.parameters import OUTPUT, CommandLine, Given
from near_tee_cli.cli.report import Report
from near_tee_cli.cli.state_options import SNAPSHOT_ARGUMENT

LINE = CommandLine(
    name="state set",
    summary="a snapshot with accounts, contracts, keys or data changed",
    description="Write SNAPSHOT with changes to another file. Removals come first, then balances, contracts, keys and"
    " data. Storage is kept as a chain would count it, and each change is said.",
    parameters=(
        SNAPSHOT_ARGUMENT,
        *world_options.WRITE,
        *world_options.EDITS,
        *world_options.REMOVALS,
        *world_options.CHAIN,
        *world_options.LAST_BLOCK,
        *OUTPUT,
    ),
)


def execute(given: Given) -> Report:
    """Change the state of a line. Raises `UsageError`, `BadInputError`, `StateError` and `WriteError`."""
    from near_tee_cli.cli import world_output
    from near_tee_cli.cli.snapshot_input import read_state
    from near_tee_cli.cli.world_edits import apply_edits, edits_of
    from near_tee_cli.runtime.editing import Editor
    from near_tee_cli.state.trie import Trie
    from near_tee_cli.workspace.snapshots import world_of

    world_output.require_target(given)
    edits = edits_of(given)
    found = read_state(given["snapshot"])
    snapshot = found.snapshot
    version = world_options.protocol_version_of(given)
    if version is not None:
        snapshot = snapshot._replace(protocol_version=version)
    world = world_of(snapshot._replace(chain=world_options.chain_of(given, snapshot.chain)))
    editor = Editor(world.config, Trie(world.store, world.root))
    said = apply_edits(edits, editor)
    changes = editor.finish()
    world.root = changes.root
    world.store.update(changes.nodes)
    block = world_options.last_block_of(given, snapshot.block, world.config)
    return world_output.written(given, world, block=block, said=said, form=found.form)
