"""Answers of a node about one account, as they are saved: bodies, envelopes, requests."""

import json
from typing import Any

from near_tee_cli.primitives import base58
from near_tee_cli.primitives.canonical_json import base64_text
from near_tee_cli.primitives.hashes import sha256

ACCOUNT = "counter.near"
CODE = b"\0asm\1\0\0\0"
KEY = "ed25519:3wHg5Vs8YsuDXGkmsszLWV1gTCwqdNV3SPtzMLm8my2n"
ROWS = {b"a": b"1", b"bb": b"22"}
USAGE = 100 + len(CODE) + (40 + 33 + 9) + sum(40 + len(key) + len(value) for key, value in ROWS.items())
BLOCK = {"block_height": 100, "block_hash": base58.encode(b"\7" * 32)}


def answer(body: dict[str, Any], **more: Any) -> bytes:
    """A JSON-RPC answer; `more` stands beside the result."""
    return json.dumps({"jsonrpc": "2.0", "id": "dontcare", "result": body, **more}).encode()


def view_account(**changes: Any) -> dict[str, Any]:
    """The body of `view_account`."""
    account = {
        "amount": str(5 * 10**24),
        "locked": "0",
        "code_hash": base58.encode(sha256(CODE)),
        "storage_usage": USAGE,
        "storage_paid_at": 0,
    }
    return {**account, **BLOCK, **changes}


def view_code(code: bytes = CODE) -> dict[str, Any]:
    """The body of `view_code`."""
    return {"code_base64": base64_text(code), "hash": base58.encode(sha256(code)), **BLOCK}


def view_state(rows: dict[bytes, bytes] | None = None, **changes: Any) -> dict[str, Any]:
    """The body of `view_state`."""
    found = ROWS if rows is None else rows
    values = [{"key": base64_text(key), "value": base64_text(value)} for key, value in found.items()]
    return {"values": values, **BLOCK, **changes}


def view_access_key_list(*keys: str) -> dict[str, Any]:
    """The body of `view_access_key_list`."""
    found = [{"public_key": key, "access_key": {"nonce": 5, "permission": "FullAccess"}} for key in keys or (KEY,)]
    return {"keys": found, **BLOCK}
