"""`state init`: a world from nothing."""

from near_tee_cli.cli import world_options
from near_tee_cli.cli.parameters import OUTPUT, CommandLine, Given
from near_tee_cli.cli.report import Report

LINE = CommandLine(
    name="state init",
    summary="a state from nothing: accounts, contracts, keys, data",
    description="Make a state of the accounts that the line names and write it as a snapshot. Storage is counted as a"
    " chain counts it. Accounts have only the keys that --add-key gives them.",
    parameters=(
        *world_options.WRITE,
        *world_options.EDITS,
        *world_options.CHAIN,
        *world_options.LAST_BLOCK,
        *OUTPUT,
    ),
)


def execute(given: Given) -> Report:
    """Make the state of a line. Raises `UsageError`, `BadInputError`, `UnsupportedError` and `WriteError`."""
    from near_tee_cli.cli import defaults, world_output
    from near_tee_cli.cli.world_edits import apply_edits, edits_of
    from near_tee_cli.params.store import config_at
    from near_tee_cli.runtime.block import ChainContext
    from near_tee_cli.runtime.editing import Editor
    from near_tee_cli.runtime.world import World
    from near_tee_cli.state.trie import Trie

    world_output.require_target(given)
    edits = edits_of(given)
    config = config_at(world_options.protocol_version_of(given) or defaults.PROTOCOL_VERSION)
    chain = world_options.chain_of(given, ChainContext(defaults.CHAIN_ID, (), None))
    world = World.from_records(config, chain, records=())
    editor = Editor(config, Trie(world.store, world.root))
    said = apply_edits(edits, editor)
    changes = editor.finish()
    world.root = changes.root
    world.store.update(changes.nodes)
    block = world_options.last_block_of(given, None, config)
    return world_output.written(given, world, block=block, said=said)
