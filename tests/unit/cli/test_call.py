"""A line of `run` resolved: flags over context over defaults, and flags that contradict one another."""

import json

import pytest

from near_tee_cli.cli import defaults
from near_tee_cli.cli.call import asked
from near_tee_cli.errors import BadInputError, UnsupportedError, UsageError
from tests.unit.cli.support import given

WASM = b"\0asm\1\0\0\0"


@pytest.fixture
def line(tmp_path):
    path = tmp_path / "contract.wasm"
    path.write_bytes(WASM)

    def make(*flags):
        return asked(given(str(path), "method", *flags))

    return make


def test_defaults(line):
    call, around, present = line()
    assert call.code == WASM
    assert (call.contract_id, call.signer_id, call.predecessor_id) == ("contract.near", "user.near", "user.near")
    assert (call.args, call.gas, call.deposit) == (b"{}", defaults.GAS, 0)
    assert call.refund_to is None
    assert call.signing_key is None
    assert not any(around)
    assert not any(present.values())


def test_flags(line):
    call, around, present = line(
        "--contract", "a.near", "--signer", "s.near", "--predecessor", "p.near", "--refund-to", "r.near", "--gas",
        "max", "--deposit", "1 NEAR", "--receipt-id", "1" * 32, "--block-height", "5", "--block-timestamp", "6",
        "--epoch-height", "7", "--gas-price", "8", "--seed", "9", "--protocol-version", "85", "--chain-id", "mainnet",
        "--validators", "v.near=3", "--validators", "u.near=2 NEAR", "--minimum-stake", "5 yN", "--balance", "4 NEAR",
        "--locked-balance", "1 yN", "--storage-usage", "11", "--single",
    )  # fmt: skip
    assert (call.contract_id, call.signer_id, call.predecessor_id, call.refund_to) == (
        "a.near", "s.near", "p.near", "r.near",
    )  # fmt: skip
    assert call.gas == 1_000 * 10**12
    assert call.deposit == 10**24
    assert call.receipt_id == bytes(32)
    assert call.max_blocks == 1
    assert around[:4] == (85, "mainnet", (("u.near", 2 * 10**24), ("v.near", 3)), 5)
    assert (around.block_height, around.block_timestamp, around.epoch_height) == (5, 6, 7)
    assert (around.gas_price, around.balance, around.locked_balance, around.storage_usage) == (8, 4 * 10**24, 1, 11)
    assert present["gas"]
    assert present["block_height"]
    assert not present["args"]


def test_predecessor_is_the_signer(line):
    assert line("--signer", "s.near").call.predecessor_id == "s.near"


def test_context_file_and_flags_over_it(line, tmp_path):
    path = tmp_path / "context.json"
    path.write_text(json.dumps({"signer_account_id": "c.near", "prepaid_gas": 5, "input": "AA==", "block_index": 9}))
    call, around, present = line("--context", str(path), "--gas", "6 gas")
    assert (call.signer_id, call.gas, call.args) == ("c.near", 6, b"\0")
    assert around.block_height == 9
    assert present["signer_id"]


@pytest.mark.parametrize(
    "flags",
    [
        ["--key", "k"],
        ["--deposit", "1 NEAR", "--deposit-yocto", "1"],
        ["--view", "--gas", "1 Tgas"],
        ["--view", "--as-transaction"],
        ["--view", "--single"],
        ["--view", "--deposit", "0"],
        ["--as-transaction", "--predecessor", "p.near"],
        ["--as-transaction", "--receipt-id", "1" * 32],
        ["--contract", "A"],
        ["--validators", "v.near=1", "--validators", "v.near=2"],
        ["--args-file", "-", "--state", "-"],
        ["--signer-pk", "nonsense"],
        ["--block-height", "18446744073709551616"],
    ],
)
def test_contradictions(line, flags):
    with pytest.raises(UsageError):
        line(*flags)


def test_unknown_protocol_versions_are_refused_by_name(line):
    for version in ("82", "87", "0"):
        with pytest.raises(UnsupportedError) as raised:
            line("--protocol-version", version)
        assert raised.value.code == "unsupported-protocol-version"


def test_missing_contract(tmp_path):
    with pytest.raises(BadInputError):
        asked(given(str(tmp_path / "none.wasm"), "method"))


def test_accounts_and_contracts_that_a_line_adds(line, tmp_path):
    other = tmp_path / "other.wasm"
    other.write_bytes(WASM + b"\0")
    around = line(
        "--account", "b.near=2 NEAR", "--account", "a.near=3 yoctoNEAR", "--with", f"c.near={other}"
    ).surroundings
    assert around.accounts == (("a.near", 3), ("b.near", 2 * 10**24))
    assert around.contracts == (("c.near", WASM + b"\0"),)


@pytest.mark.parametrize(
    "flags",
    [
        ("--account", "a.near=1 NEAR", "--account", "a.near=1 NEAR"),
        ("--account", "a.near"),
        ("--account", "a.near="),
        ("--account", "a.near=1"),
        ("--account", "A.near=1 NEAR"),
        ("--account", "system=1 NEAR"),
        ("--account", "contract.near=1 NEAR", "--balance", "1 NEAR"),
        ("--with", "a.near"),
        ("--with", "contract.near=CODE"),
        ("--with", "a.near=CODE", "--with", "a.near=CODE"),
        ("--with", "a.near=-", "--args-file", "-"),
        ("--with", "a.near=-", "--with", "b.near=-"),
    ],
)
def test_additions_that_make_no_sense(line, tmp_path, flags):
    other = tmp_path / "other.wasm"
    other.write_bytes(WASM)
    with pytest.raises(UsageError) as refused:
        line(*(flag.replace("CODE", str(other)) for flag in flags))
    assert refused.value.where is not None


def test_contract_that_is_not_there(line):
    with pytest.raises(BadInputError):
        line("--with", "a.near=/nowhere/at/all.wasm")
