"""The end of a command that makes or changes a state: the snapshot written, and what it is now."""

from collections.abc import Mapping, Sequence
from typing import Any

from near_tee_cli.cli import exit_codes
from near_tee_cli.cli.outputs import STDOUT, require_free, size_of
from near_tee_cli.cli.parameters import Given
from near_tee_cli.cli.report import Audience, Report
from near_tee_cli.cli.snapshot_input import form_after
from near_tee_cli.cli.terminal import BOLD, plain
from near_tee_cli.primitives import base58
from near_tee_cli.runtime.block import BlockContext
from near_tee_cli.runtime.world import World
from near_tee_cli.workspace.saving import bounded_snapshot, is_on_disk, save_world
from near_tee_cli.workspace.snapshot_files import Form, write_snapshot

ACCOUNT_COLUMN = 0
"""First byte of the trie keys of accounts."""


def require_target(given: Given) -> None:
    """Say before the work what writing would refuse after it. Raises `WriteError`."""
    if given["out"] != STDOUT:
        require_free(given["out"], force=given["force"])


def written(
    given: Given,
    world: World,
    *,
    block: BlockContext | None,
    said: Sequence[str] = (),
    more: Mapping[str, Any] | None = None,
    warnings: Sequence[str] = (),
    form: str | None = None,
) -> Report:
    """Write the state where the line says, `form` being that of the state it comes from, and report it.

    `said` are sentences about what was done, `more` further members of the result. Raises `WriteError`.
    """
    target = given["out"]
    kind, document = Form.JSON, None
    if target == STDOUT:
        document = write_snapshot(bounded_snapshot(world, block=block), kind).decode()
    else:
        kind = form_after(target, form)
        save_world(world, target, form=kind, block=block, overwrite=given["force"])
    rows, accounts = (None, None) if is_on_disk(world) else _counts(world)
    result: dict[str, Any] = {
        "path": target,
        "form": kind.value,
        "size": size_of(target) if document is None else len(document),
        "state_root": base58.encode(world.root),
        "rows": rows,
        "accounts": accounts,
        "protocol_version": world.config.protocol_version,
        "chain_id": world.chain.chain_id,
        "block_height": None if block is None else block.height,
        "said": list(said),
        **(more or {}),
    }

    def lines(audience: Audience) -> list[str]:
        if audience.quiet:
            return [result["state_root"]]
        return [*map(plain, said), *_summary(result, audience)]

    return Report(exit_codes.OK, result, lines, warnings=warnings, document=document)


def _counts(world: World) -> tuple[int, int]:
    """Rows and accounts of a state in memory; those of a directory are not counted, as that would read all of it."""
    rows = accounts = 0
    for key, _ in world.rows():
        rows += 1
        accounts += key[0] == ACCOUNT_COLUMN
    return rows, accounts


def _summary(result: Mapping[str, Any], audience: Audience) -> list[str]:
    count, rows = result["accounts"], result["rows"]
    size = ""
    if count is not None:
        size = f"{count:,} {'account' if count == 1 else 'accounts'}, {rows:,} {'row' if rows == 1 else 'rows'}, "
    name = audience.style("wrote", BOLD)
    return [f"{name} {plain(result['path'])}: {result['form']}, {size}root {result['state_root']}"]
