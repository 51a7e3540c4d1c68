"""`inspect`: say what a contract, bundle, snapshot, step or case contains. Decodes, and judges nothing."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from near_tee_cli.cli import exit_codes
from near_tee_cli.cli.parameters import OUTPUT, CommandLine, Given, Parameter
from near_tee_cli.cli.report import Audience, Report
from near_tee_cli.cli.terminal import BOLD, plain
from near_tee_cli.cli.units import shown_gas
from near_tee_cli.errors import BadInputError

LINE = CommandLine(
    name="inspect",
    summary="say what a contract, bundle, snapshot, step or case contains",
    description="Say what FILE contains, recognised by its content. Decodes only: `verify` is what judges a bundle.",
    parameters=(
        Parameter("file", (), "A contract, bundle, snapshot, case or step.", "FILE", required=True),
        Parameter("protocol_version", ("--protocol-version",), "For a contract: the rules that it is held against.",
                  "N", panel="Rules"),
        *OUTPUT,
    ),
    executes=True,
)  # fmt: skip


class _Found(NamedTuple):
    result: Mapping[str, Any]
    lines: Callable[[Audience], Sequence[str]]


def execute(given: Given) -> Report:
    """What the file of a line contains. Raises `BadInputError` when it is nothing that is known, or damaged."""
    from near_tee_cli.cli import files
    from near_tee_cli.workspace.step_files import is_step

    path = given["file"]
    if is_step(path):
        found = _step(path)
    elif os.path.isdir(path):
        found = _directory(path)
    else:
        found = _file(files.read(path, "the file", max_bytes=files.MAX_SNAPSHOT_BYTES), given)
    return Report(exit_codes.OK, found.result, found.lines)


def _file(data: bytes, given: Given) -> _Found:
    from near_tee_cli.cli.inspect_contract import MAGIC
    from near_tee_cli.proof.bundle import is_bundle

    if data.startswith(MAGIC):
        return _contract(data, given)
    if is_bundle(data):
        return _bundle(data)
    try:
        return _state(data)
    except BadInputError as error:
        if error.code != "not-a-snapshot":
            raise
        name = given["file"]
        if name.endswith(".wasm"):
            raise BadInputError(
                f"{name} is no wasm: it does not begin with the bytes 00 61 73 6d", code="not-wasm"
            ) from error
        raise BadInputError(
            f"{name} is neither a contract nor a bundle, snapshot, step or case", code="unknown-content"
        ) from error


def _contract(data: bytes, given: Given) -> _Found:
    from near_tee_cli.cli import defaults
    from near_tee_cli.cli.inspect_contract import contract_json, contract_lines
    from near_tee_cli.cli.units import number

    text = given["protocol_version"]
    version = defaults.PROTOCOL_VERSION if text is None else number(text, "--protocol-version")
    result = contract_json(data, version)
    return _Found(result, lambda audience: contract_lines(result, audience))


def _bundle(data: bytes) -> _Found:
    from near_tee_cli.cli.claims import bundle_json, claim_lines
    from near_tee_cli.primitives import base58
    from near_tee_cli.proof.bundle import decode_bundle

    bundle = decode_bundle(data)
    content = bundle.content
    blocks: list[dict[str, Any]] = [
        {
            "height": step.block.height,
            "timestamp": step.block.timestamp,
            "post_root": base58.encode(step.post_root),
            "transactions": len(step.transactions),
            "receipts": len(step.receipts),
            "outcomes": len(step.outcomes),
            "sent": len(step.sent),
            "changes": len(step.changes),
            "nodes": len(step.nodes),
            "gas_burnt": sum(entry.outcome.gas_burnt for entry in step.outcomes),
        }
        for step in content.transitions
    ]
    result = {
        "kind": "bundle",
        **bundle_json(data, bundle.claim),
        "blocks": blocks,
        "nodes": len(content.nodes),
        "codes": [
            {"code_hash": base58.encode(one.hash), "size": None if one.code is None else len(one.code)}
            for one in content.codes
        ],
        "judged": False,
    }

    def lines(audience: Audience) -> list[str]:
        style = audience.style
        head = f"{style('bundle', BOLD)}  {len(data):,} bytes  {result['file_digest']}, nothing of it is verified here"
        codes = ", ".join(f"{one['code_hash']} ({one['size']} bytes)" for one in result["codes"])
        shown = [
            f"  block {one['height']}: {one['transactions']} transactions, {one['receipts']} receipts from outside,"
            f" {one['outcomes']} outcomes, {one['changes']} changes, {shown_gas(one['gas_burnt'])}"
            for one in blocks
        ]
        return [head, *(f"  {line}" for line in claim_lines(result)), *shown, f"  contracts: {codes or 'none'}"]

    return _Found(result, lines)


def _state(data: bytes) -> _Found:
    from near_tee_cli.workspace.snapshot_files import read_snapshot

    found = read_snapshot(data, "the file")
    return _snapshot(found.snapshot, found.form.value, size=len(data), case=found.case)


def _directory(path: str) -> _Found:
    from near_tee_cli.cli.outputs import size_of
    from near_tee_cli.cli.snapshot_input import read_state

    found = read_state(path)
    return _snapshot(found.snapshot, found.form, size=size_of(path), case=None)


def _snapshot(snapshot: Any, form: str, *, size: int, case: Any) -> _Found:
    from near_tee_cli.primitives import base58
    from near_tee_cli.workspace.snapshots import world_of

    root = base58.encode(world_of(snapshot).root)
    result: dict[str, Any] = {
        "kind": "snapshot" if case is None else "case",
        "form": form,
        "size": size,
        "state_root": root,
        "protocol_version": snapshot.protocol_version,
        "chain_id": snapshot.chain.chain_id,
        "rows": len(snapshot.rows),
        "receipts_in_flight": len(snapshot.in_flight),
        "block_height": None if snapshot.block is None else snapshot.block.height,
    }
    if case is not None:
        result |= {"name": case.name, "about": case.about, "blocks": len(case.blocks)}

    def lines(audience: Audience) -> list[str]:
        name = "" if case is None else f" {plain(case.name)}: {plain(case.about)}"
        height = "" if snapshot.block is None else f", after block {snapshot.block.height}"
        rules = f"protocol version {snapshot.protocol_version} of {plain(snapshot.chain.chain_id)}"
        return [
            f"{audience.style(result['kind'], BOLD)}{name}",
            f"  {len(snapshot.rows):,} rows at {rules}{height}",
            f"  root {root}",
        ]

    return _Found(result, lines)


def _step(path: str) -> _Found:
    from near_tee_cli.primitives import base58
    from near_tee_cli.workspace.step_files import read_step

    stored = read_step(os.fspath(path))
    step = stored.step
    roots = [None if one.state_root is None else base58.encode(one.state_root) for one in (step.before, step.after)]
    heights = [block.block.height for block in step.blocks]
    result = {
        "kind": "step",
        "digest": stored.digest.hex(),
        "parent": None if step.parent is None else step.parent.hex(),
        "pre_root": roots[0],
        "post_root": roots[1],
        "heights": heights,
        "about": dict(step.about),
    }

    def lines(audience: Audience) -> list[str]:
        about = step.about
        called = f"{plain(str(about.get('contract_id')))}.{plain(str(about.get('method_name')))}"
        return [
            f"{audience.style('step', BOLD)}  {called} in {len(heights)} blocks from {heights[0] if heights else '-'}",
            f"  root {roots[0]} → {roots[1]}",
            f"  digest {result['digest']}",
            f"  parent {result['parent'] or 'none'}",
        ]

    return _Found(result, lines)
