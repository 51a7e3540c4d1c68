"""A claim, for programs and for people."""

from collections.abc import Mapping
from typing import Any

from near_tee_cli.cli.terminal import plain
from near_tee_cli.cli.units import shown_gas, shown_near
from near_tee_cli.primitives import base58
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.proof.claim import Claim, claim_digest

SOURCES = ("transaction", "receipt")


def bundle_json(data: bytes, claim: Claim | None) -> dict[str, Any]:
    """What names a bundle, and its claim: hashes in base58, the file's own digest in hexadecimal digits."""
    return {
        "file_digest": "sha256:" + sha256(data).hex(),
        "size": len(data),
        "claim_digest": None if claim is None else base58.encode(claim_digest(claim)),
        "pre_root": None if claim is None else base58.encode(claim.pre_root),
        "post_root": None if claim is None else base58.encode(claim.post_root),
        "claim": None if claim is None else claim_json(claim),
    }


def claim_json(claim: Claim) -> dict[str, Any]:
    """All fields of a claim."""
    result: dict[str, Any] = {name: _plain_value(value) for name, value in claim._asdict().items()}
    result["gas"] = claim.gas._asdict()
    if claim.call is not None:
        call = {name: _plain_value(value) for name, value in claim.call._asdict().items()}
        result["call"] = {**call, "source": SOURCES[claim.call.source], "deposit": str(claim.call.deposit)}
    if claim.trace is not None:
        result["trace"] = {name: _plain_value(value) for name, value in claim.trace._asdict().items()}
    return result


def _plain_value(value: Any) -> Any:
    return base58.encode(value) if isinstance(value, bytes) else value


def claim_lines(bundle: Mapping[str, Any]) -> list[str]:
    """What is claimed, in a few lines. `bundle` as `bundle_json` gives it."""
    claim = bundle["claim"]
    blocks = f"block {claim['first_height']}"
    if claim["first_height"] != claim["last_height"]:
        blocks = f"blocks {claim['first_height']} to {claim['last_height']}"
    lines = [f"{blocks} on {plain(claim['network'])} at protocol version {claim['protocol_version']}"]
    call = claim["call"]
    if call is not None:
        deposit = int(call["deposit"])
        attached = shown_gas(call["gas"]) + (f" and {shown_near(deposit)}" if deposit else "")
        lines.append(
            f"{plain(call['predecessor_id'])} calls {plain(call['receiver_id'])}.{plain(call['method_name'])}"
            f" with {call['args_length']} bytes of arguments and {attached}"
        )
    elif claim["calls"]:
        lines.append(f"{claim['calls']} function calls from outside")
    lines.append(f"root {claim['pre_root']} → {claim['post_root']}")
    lines.append(f"{shown_gas(claim['gas']['total'])} burnt, witness of {claim['witness_size']:,} bytes")
    return lines
