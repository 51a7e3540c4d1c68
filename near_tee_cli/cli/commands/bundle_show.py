"""`bundle show`: what is claimed and held, without checking any of it."""

from typing import Any

from near_tee_cli.cli import exit_codes
from near_tee_cli.cli.parameters import OUTPUT, CommandLine, Given, Parameter
from near_tee_cli.cli.report import Audience, Report
from near_tee_cli.cli.terminal import BOLD, plain

LINE = CommandLine(
    name="bundle show",
    summary="what a bundle or a chain file claims and holds",
    description="Show the claim of each bundle in FILE, what it holds, and what stands beside it. Nothing is checked"
    " but the encoding: `verify` tells what of it is so.",
    parameters=(Parameter("file", (), "A bundle or a chain file.", "FILE", required=True), *OUTPUT),
)

_KINDS = {1: "envelope", 2: "compact-signature", 3: "key-paths"}


def execute(given: Given) -> Report:
    """Show a file. Raises `BadInputError`."""
    from near_tee_cli.cli import files
    from near_tee_cli.proof.chain_file import is_chain_file, unpack

    data = files.read(given["file"], "the bundle", max_bytes=files.MAX_BUNDLE_BYTES)
    is_chain = is_chain_file(data)
    bundles = [_bundle(one) for one in (unpack(data) if is_chain else [data])]
    result = {"path": given["file"], "size": len(data), "is_chain": is_chain, "bundles": bundles}
    return Report(exit_codes.OK, result, lambda audience: _lines(result, audience))


def _bundle(data: bytes) -> dict[str, Any]:
    from near_tee_cli.cli.claims import bundle_json
    from near_tee_cli.primitives.hashes import sha256
    from near_tee_cli.proof.bundle import decode_bundle

    bundle = decode_bundle(data)
    content = bundle.content
    return {
        **bundle_json(data, bundle.claim),
        "nodes": {"count": len(content.nodes), "size": sum(map(len, content.nodes))},
        "codes": [
            {"hash": code.hash.hex(), "size": None if code.code is None else len(code.code)} for code in content.codes
        ],
        "blocks": [
            {
                "height": one.block.height,
                "transactions": len(one.transactions),
                "receipts": len(one.receipts),
                "outcomes": len(one.outcomes),
                "sent": len(one.sent),
                "changes": len(one.changes),
            }
            for one in content.transitions
        ],
        "attachments": [
            {
                "kind": _KINDS.get(item.kind, f"unknown-{item.kind}"),
                "size": len(item.data),
                "digest": "sha256:" + sha256(item.data).hex(),
            }
            for item in bundle.attachments
        ],
    }


def _lines(result: dict[str, Any], audience: Audience) -> list[str]:
    from near_tee_cli.cli.claims import claim_lines

    style = audience.style
    what = "chain" if result["is_chain"] else "bundle"
    lines = [f"{style(what, BOLD)}  {plain(result['path'])}  {result['size']:,} bytes"]
    for number, bundle in enumerate(result["bundles"]):
        head = f"{style(f'bundle {number}', BOLD)}  " if result["is_chain"] else ""
        lines += [f"  {head}{line}" if at == 0 else f"  {line}" for at, line in enumerate(claim_lines(bundle))]
        held = f"{bundle['nodes']['count']} nodes of {bundle['nodes']['size']:,} bytes"
        codes = ", ".join("by hash" if one["size"] is None else f"{one['size']:,} bytes" for one in bundle["codes"])
        lines.append(f"  {held}, {len(bundle['codes'])} contracts{f' ({codes})' if codes else ''}")
        lines += [f"  beside it: {one['kind']}, {one['size']:,} bytes" for one in bundle["attachments"]]
    return lines
