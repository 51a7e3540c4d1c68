"""`yields`: what waits in a step or a snapshot, and what became of the yields that a step knows."""

from typing import Any

from near_tee_cli.cli import exit_codes
from near_tee_cli.cli.parameters import OUTPUT, CommandLine, Given, Parameter
from near_tee_cli.cli.report import Audience, Report
from near_tee_cli.cli.terminal import BOLD

LINE = CommandLine(
    name="yields",
    summary="the yields of a step or a snapshot: pending, resumed, timed out, executed",
    description="List the yields that wait in SOURCE, and for a step those that ended on the way to it, with the"
    " heights at which things happened and the rules of the protocol version.",
    parameters=(
        Parameter("source", (), "A step or a snapshot.", "SOURCE", required=True),
        *OUTPUT,
    ),
)


def execute(given: Given) -> Report:
    """List the yields of the source. Raises `BadInputError` and `StateError`."""
    from near_tee_cli.cli.render_yields import yield_lines
    from near_tee_cli.cli.snapshot_input import read_state
    from near_tee_cli.primitives import base58
    from near_tee_cli.runtime.yield_history import waiting
    from near_tee_cli.state.trie import Trie
    from near_tee_cli.workspace.snapshots import world_of
    from near_tee_cli.workspace.steps import world_after
    from near_tee_cli.workspace.yields_json import yield_json

    found = read_state(given["source"])
    if found.stored is None:
        world = world_of(found.snapshot)
        yields = waiting(Trie(world.store, world.root))
    else:
        world = world_after(found.stored.step)
        yields = found.stored.step.yields
    last = found.snapshot.block
    result: dict[str, Any] = {
        "block_height": None if last is None else last.height,
        "state_root": base58.encode(world.root),
        "rules": {
            "protocol_version": world.config.protocol_version,
            "timeout_in_blocks": world.config.yield_timeout_length_in_blocks,
            "max_payload_bytes": world.config.vm.max_yield_payload_size,
            "ids_chosen_by_contracts": world.config.vm.yield_with_id_host_fns,
        },
        "yields": [yield_json(one) for one in yields],
    }

    def lines(audience: Audience) -> list[str]:
        rules, style = result["rules"], audience.style
        ids = "contracts may choose ids" if rules["ids_chosen_by_contracts"] else "ids are made by the chain"
        limits = (
            f"times out after {rules['timeout_in_blocks']} blocks, takes {rules['max_payload_bytes']} bytes of data"
        )
        return [
            *(yield_lines(result["yields"], style) or ["no yields"]),
            f"{style('rules', BOLD)}  protocol version {rules['protocol_version']}: a yield {limits}; {ids}",
            f"{style('root', BOLD)}  {result['state_root']}, after block {result['block_height']}",
        ]

    return Report(exit_codes.OK, result, lines)
