"""`state prove-key`: a Merkle proof that a key has a value under the state root, or has none."""

from near_tee_cli.cli import exit_codes
from near_tee_cli.cli.parameters import OUTPUT, CommandLine, Given
from near_tee_cli.cli.report import Audience, Report
from near_tee_cli.cli.state_options import ROW, SNAPSHOT_ARGUMENT, wanted_row
from near_tee_cli.cli.terminal import plain
from near_tee_cli.errors import NearTeeError

LINE = CommandLine(
    name="state prove-key",
    summary="a Merkle proof that a key has a value, or has none",
    description=(
        "Prove what a row of SNAPSHOT holds, or that it is not there, by the trie nodes on the way to it, as RPC nodes"
        " do. The proof is checked before it is shown."
    ),
    parameters=(SNAPSHOT_ARGUMENT, *ROW, *OUTPUT),
)


def execute(given: Given) -> Report:
    """The proof of the row that a line names. Raises `UsageError`, `BadInputError`, `StateError`."""
    from near_tee_cli.cli.snapshot_input import read_state
    from near_tee_cli.primitives import base58
    from near_tee_cli.primitives.canonical_json import base64_text
    from near_tee_cli.state.key_proof import prove_key, verify_key
    from near_tee_cli.workspace.snapshots import world_of

    wanted = wanted_row(given)
    snapshot = read_state(given["snapshot"]).snapshot
    world = world_of(snapshot)
    reference, nodes = prove_key(world.store, world.root, wanted.key)
    if verify_key(world.root, wanted.key, nodes) != reference:
        raise NearTeeError("the proof does not verify", code="self-check-failed")
    root = base58.encode(world.root)
    value = snapshot.rows.get(wanted.key)
    result = {
        "state_root": root,
        "key": base64_text(wanted.key),
        "found": reference is not None,
        "value_hash": None if reference is None else base58.encode(reference.hash),
        "value": None if value is None else base64_text(value),
        "proof": [base64_text(node) for node in nodes],
    }

    def lines(audience: Audience) -> list[str]:
        what = f"value of {len(value)} bytes" if value is not None else "absent"
        head = [f"root  {root}", f"row   {plain(wanted.name)}: {what}", f"proof {len(nodes)} nodes, root first"]
        return ([] if audience.quiet else head) + [base64_text(node) for node in nodes]

    return Report(exit_codes.OK, result, lines)
