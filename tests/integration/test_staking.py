"""Stakes from the command line: the minimum comes from a flag or a snapshot, and is never made up."""

import json

import pytest

from near_tee_cli.primitives.schema.wire import u128
from tests.support.cli import near_tee
from tests.support.wat import wat
from tests.support.worlds import public_key

NEAR = 10**24
KEY = public_key("validator")


def staking(stake: int) -> bytes:
    """A contract whose `stake` offers so much, and whose `wait` does when it is resumed."""
    content = "".join(f"\\{byte:02x}" for byte in b"contract.near" + bytes(3) + u128(stake) + KEY)
    return wat(
        f"""(module
        (import "env" "promise_batch_create" (func $create (param i64 i64) (result i64)))
        (import "env" "promise_batch_action_stake" (func $stake (param i64 i64 i64 i64)))
        (import "env" "promise_yield_create" (func $yield (param i64 i64 i64 i64 i64 i64 i64) (result i64)))
        (memory 1) (data (i32.const 0) "{content}") (data (i32.const 100) "stake")
        (func (export "stake")
          (call $stake (call $create (i64.const 13) (i64.const 0)) (i64.const 16) (i64.const 33) (i64.const 32)))
        (func (export "wait")
          (drop (call $yield (i64.const 5) (i64.const 100) (i64.const 0) (i64.const 0) (i64.const 30000000000000)
                (i64.const 0) (i64.const 0)))))"""
    )


@pytest.fixture
def home(tmp_path):
    (tmp_path / "staking.wasm").write_bytes(staking(5 * NEAR))
    return tmp_path


def run(home, *arguments):
    return near_tee("run", home / "staking.wasm", "stake", "--gas", "max", "--json", *arguments, home=home)


def test_without_a_minimum_a_stake_is_refused_by_name(home) -> None:
    done = run(home)
    assert done.code != 0
    assert done.document["error"]["code"] == "unknown-minimum-stake"
    assert "--minimum-stake" in done.document["error"]["hint"]


def test_a_minimum_that_is_kept(home) -> None:
    out = home / "after.json"
    done = run(home, "--minimum-stake", "5 NEAR", "--state-out", out)
    assert done.code == 0, done.err
    snapshot = json.loads(out.read_text())
    assert snapshot["minimum_stake"] == str(5 * NEAR)
    (account,) = [
        record["Account"]["account"]
        for record in snapshot["records"]
        if record.get("Account", {}).get("account_id") == "contract.near"
    ]
    assert account["locked"] == str(5 * NEAR)
    # From here on the snapshot says it, and a flag says it again.
    assert run(home, "--state", out).code == 0
    refused = run(home, "--state", out, "--minimum-stake", "6 NEAR")
    assert "InsufficientStake" in refused.out


def test_a_minimum_that_is_missed(home) -> None:
    done = run(home, "--minimum-stake", "5.1 NEAR")
    assert "InsufficientStake" in done.out


def test_a_minimum_for_what_goes_on(home) -> None:
    step = home / "step"
    done = near_tee("yield", home / "staking.wasm", "wait", "--gas", "max", "--out", step, "--json", home=home)
    assert done.code == 0, done.err
    refused = near_tee("resume", step, "--data", "x", "--json", home=home)
    assert refused.document["error"]["code"] == "unknown-minimum-stake"
    done = near_tee("resume", step, "--data", "x", "--minimum-stake", "1 NEAR", "--json", home=home)
    assert done.code == 0, done.err
