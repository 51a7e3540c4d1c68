"""The end of a command that makes or changes a state: the snapshot written, and what it is now."""

from collections.abc import Mapping, Sequence
from typing import Any

from near_tee_cli.cli import exit_codes
from near_tee_cli.cli.outputs import STDOUT, require_free
from near_tee_cli.cli.parameters import Given
from near_tee_cli.cli.report import Audience, Report
from near_tee_cli.cli.snapshot_input import form_for
from near_tee_cli.cli.terminal import BOLD, plain
from near_tee_cli.primitives import base58
from near_tee_cli.runtime.block import BlockContext
from near_tee_cli.runtime.world import World
from near_tee_cli.workspace.atomic import write_file
from near_tee_cli.workspace.snapshot_files import Form, write_snapshot
from near_tee_cli.workspace.snapshots import snapshot_of


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
    snapshot = snapshot_of(world, block=block)
    target = given["out"]
    otherwise = Form.JSON if form in (None, Form.JSON.value, Form.CASE.value) else Form.BORSH
    kind = Form.JSON if target == STDOUT else form_for(target, otherwise=otherwise)
    data = write_snapshot(snapshot, kind)
    if target != STDOUT:
        write_file(target, data, overwrite=given["force"])
    accounts = sum(1 for key in snapshot.rows if key[:1] == b"\0")
    result: dict[str, Any] = {
        "path": target,
        "form": kind.value,
        "size": len(data),
        "state_root": base58.encode(world.root),
        "rows": len(snapshot.rows),
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

    document = data.decode() if target == STDOUT else None
    return Report(exit_codes.OK, result, lines, warnings=warnings, document=document)


def _summary(result: Mapping[str, Any], audience: Audience) -> list[str]:
    count, rows = result["accounts"], result["rows"]
    size = f"{count:,} {'account' if count == 1 else 'accounts'}, {rows:,} {'row' if rows == 1 else 'rows'}"
    name = audience.style("wrote", BOLD)
    return [f"{name} {plain(result['path'])}: {result['form']}, {size}, root {result['state_root']}"]
