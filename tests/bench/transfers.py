"""A token transfer as a bundle, and what of its size is evidence: for the sizes that are promised."""

import json
import os
import pathlib
import subprocess
import sys
from base64 import b64encode
from typing import NamedTuple

from near_tee_cli.proof.bundle import decode_bundle, encode_outcomes

PROJECT = pathlib.Path(__file__).resolve().parents[2]
TOKEN = "examples/contracts/fungible-token/fungible_token.wasm"
SNAPSHOT = "examples/token-snapshot.json"
HOLDERS = ("holder-4321.near", "holder-1234.near")
"""A sender and a receiver among the holders that `snapshot_of_holders` adds."""

RECORDS = 20_000
DETACHED_LIMIT = 20 << 10
"""Bytes of a transfer without code on so many records."""


class Size(NamedTuple):
    """Bytes of a bundle, and how many it may have."""

    size: int
    limit: int


def transfer(sender: str = "alice.near", receiver: str = "bob.near", state: str = SNAPSHOT) -> list[str]:
    """The words of `run` and `prove` for a transfer of ten tokens."""
    return [
        TOKEN, "ft_transfer", json.dumps({"receiver_id": receiver, "amount": "10"}), "--contract", "token.near",
        "--signer", sender, "--deposit", "1 yoctoNEAR", "--gas", "30 Tgas", "--state", state,
    ]  # fmt: skip


def proved(home: str, words: list[str]) -> bytes:
    """The bundle that `near-tee prove` writes. The contract must not fail."""
    out = f"{home}/transfer.ntb"
    command = [sys.executable, "-m", "near_tee_cli", "prove", *words, "-o", out, "--force", "--json"]
    environment = {**os.environ, "NEAR_TEE_HOME": home}
    done = subprocess.run(command, env=environment, cwd=PROJECT, check=True, capture_output=True)
    failure = json.loads(done.stdout)["result"]["run"]["failure"]
    if failure is not None:
        raise SystemExit(f"the transfer failed: {failure}")
    return pathlib.Path(out).read_bytes()


def with_code(home: str) -> Size:
    """The whole bundle, which may have 1 % and 4 KiB more than its evidence."""
    data = proved(home, transfer())
    return Size(len(data), evidence(data) * 101 // 100 + (4 << 10))


def without_code(home: str) -> Size:
    """The bundle on many records, its code travelling apart."""
    state = pathlib.Path(home, "holders.json")
    state.write_bytes(snapshot_of_holders(RECORDS))
    return Size(len(proved(home, [*transfer(*HOLDERS, str(state)), "--detach-code"])), DETACHED_LIMIT)


def evidence(data: bytes) -> int:
    """Bytes of the nodes, values, contracts, inputs and outcomes of a bundle."""
    content = decode_bundle(data).content
    parts = [*content.nodes, *(code.code or b"" for code in content.codes)]
    for transition in content.transitions:
        parts += [*transition.transactions, *transition.receipts]
        parts += [encode_outcomes((outcome,))[4:] for outcome in transition.outcomes]
    return sum(map(len, parts))


def snapshot_of_holders(records: int) -> bytes:
    """The example's snapshot with so many records: an account and a balance of the token for each new holder."""
    snapshot = json.loads((PROJECT / SNAPSHOT).read_bytes())
    rows = snapshot["records"]
    account = {"amount": str(10**24), "locked": "0", "code_hash": "1" * 32, "storage_usage": 182, "version": "V1"}
    for number in range((records - len(rows) + 1) // 2):
        name = f"holder-{number}.near"
        key = b"b" + len(name).to_bytes(4, "little") + name.encode()
        value = (1_000 + number).to_bytes(16, "little")
        content = {"data_key": b64encode(key).decode(), "value": b64encode(value).decode()}
        rows.append({"Account": {"account_id": name, "account": account}})
        rows.append({"Data": {"account_id": "token.near", **content}})
    del rows[records:]
    return json.dumps({**snapshot, "state_root": None}).encode()
