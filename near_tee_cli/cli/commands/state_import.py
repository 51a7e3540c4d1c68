"""`state import`: a state from files that others wrote. Never from the network."""

from collections.abc import Mapping
from typing import Any

from near_tee_cli.cli import world_options
from near_tee_cli.cli.parameters import FLAG, MANY, OUTPUT, CommandLine, Given, Parameter
from near_tee_cli.cli.report import Report

LINE = CommandLine(
    name="state import",
    summary="a state from genesis, records, sandbox patches, answers of a node",
    description="Put FILEs together into one snapshot: a genesis, state records, the body of sandbox_patch_state, saved"
    " answers of view_account, view_code, view_access_key(_list), view_state and block, the map of the standalone"
    " runner. What each is shows in its content and is said. What is incomplete or contradicts itself is refused.",
    parameters=(
        Parameter("files", (), "A file, or ACCOUNT=FILE (ACCOUNT,KEY=FILE) for an answer that does not name its account"
                  " (or key).", "FILE...", kind=MANY, required=True),
        *world_options.WRITE,
        Parameter("account_id", ("--account-id", "--contract"), "The account of answers that do not name theirs.",
                  "ACCOUNT", panel="Import"),
        Parameter("onto", ("--onto",), "The state to put the files on: records replace its rows, as a sandbox patch"
                  " does; answers of a node replace whole accounts.", "SNAPSHOT", panel="Import"),
        world_options.ALLOW_INCOMPLETE,
        Parameter("allow_mixed_blocks", ("--allow-mixed-blocks",), "Take answers that speak of different blocks.",
                  kind=FLAG, panel="Import"),
        *world_options.ACCOUNTS,
        *world_options.CHAIN,
        *world_options.LAST_BLOCK,
        *OUTPUT,
    ),
)  # fmt: skip


def execute(given: Given) -> Report:
    """Import the files of a line. Raises `UsageError`, `BadInputError`, `StateError` and `WriteError`."""
    from near_tee_cli.cli import importing, world_output

    world_output.require_target(given)
    imported = importing.imported(given)
    gathered = imported.gathered
    more: Mapping[str, Any] = {
        "detected": [one._asdict() for one in gathered.detected],
        "recounted": [one._asdict() for one in gathered.recounted],
    }
    return world_output.written(
        given,
        imported.world,
        block=imported.block,
        said=[*map(_sentence, gathered.detected), *imported.said],
        more=more,
        warnings=imported.notes,
        form=imported.form,
    )


def _sentence(detected: Any) -> str:
    about = "" if detected.account_id is None else f" of {detected.account_id}"
    return f"{detected.name}: {detected.shape}{about}, {detected.items:,} {'item' if detected.items == 1 else 'items'}"
