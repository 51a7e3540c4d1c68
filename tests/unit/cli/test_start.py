"""Where a call begins: what lines add to a world of their own, and to a snapshot."""

import pytest

from near_tee_cli.cli import defaults
from near_tee_cli.cli.call import asked
from near_tee_cli.cli.start import start
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.account import LocalContract, decode_account
from near_tee_cli.state import keys
from near_tee_cli.state.trie import Trie
from near_tee_cli.workspace.snapshot_files import Form, write_snapshot
from near_tee_cli.workspace.snapshots import snapshot_of
from tests.support.worlds import NEAR, account, world
from tests.unit.cli.support import given

WASM = b"\0asm\1\0\0\0"
OTHER = WASM + b"\0\1\0"


@pytest.fixture
def begin(tmp_path):
    (tmp_path / "contract.wasm").write_bytes(WASM)
    (tmp_path / "other.wasm").write_bytes(OTHER)

    def make(*flags):
        texts = [flag.replace("OTHER", str(tmp_path / "other.wasm")) for flag in flags]
        return start(asked(given(str(tmp_path / "contract.wasm"), "method", *texts)))

    return make


@pytest.fixture
def snapshot(tmp_path):
    state = world(account("b.near", 5 * NEAR, code=WASM, usage=182 + len(WASM)))
    path = tmp_path / "state.json"
    path.write_bytes(write_snapshot(snapshot_of(state, block=None), Form.JSON))
    return str(path)


def account_of(begun, name):
    stored = Trie(begun.world.store, begun.world.root).get(keys.account(name))
    return None if stored is None else decode_account(stored)


def row(begun, key):
    return Trie(begun.world.store, begun.world.root).get(key)


def test_contract_of_another_account_in_a_world_of_its_own(begin):
    begun = begin("--with", "b.near=OTHER")
    other = account_of(begun, "b.near")
    assert other.contract == LocalContract(sha256(OTHER))
    assert other.amount == defaults.BALANCE
    assert other.storage_usage == 100 + len(OTHER)
    assert row(begun, keys.contract_code("b.near")) == OTHER
    assert begun.made == tuple((name, defaults.BALANCE) for name in ("b.near", "contract.near", "user.near"))
    assert begun.notes == ()


def test_account_with_a_balance_and_a_contract(begin):
    begun = begin("--with", "b.near=OTHER", "--account", "b.near=7 NEAR", "--account", "c.near=1 yoctoNEAR")
    assert account_of(begun, "b.near").amount == 7 * NEAR
    assert account_of(begun, "b.near").contract == LocalContract(sha256(OTHER))
    assert account_of(begun, "c.near").amount == 1
    assert account_of(begun, "c.near").storage_usage == 100


def test_only_the_signer_gets_a_key(begin):
    begun = begin("--account", "user.near=2 NEAR", "--account", "b.near=2 NEAR")
    assert account_of(begun, "user.near").amount == 2 * NEAR
    assert account_of(begun, "user.near").storage_usage == 182
    state = Trie(begun.world.store, begun.world.root)
    assert [key for key, _ in state.iter_prefix(b"\2")] != []
    assert list(state.iter_prefix(keys.access_keys_prefix("b.near"))) == []


def test_what_is_changed_in_a_snapshot_is_said(begin, snapshot):
    begun = begin(
        "--state", snapshot, "--with", "b.near=OTHER", "--account", "b.near=6 NEAR", "--account", "d.near=1 NEAR"
    )
    assert account_of(begun, "b.near") == (6 * NEAR, 0, LocalContract(sha256(OTHER)), 182 + len(OTHER), 1)
    said = " ".join(begun.notes)
    assert "the balance of b.near is 6 NEAR instead of 5 NEAR" in said
    assert "the contract of b.near is replaced" in said
    assert "d.near" not in said  # it was asked for
    assert {name for name, _ in begun.made} == {"d.near", "contract.near", "user.near"}


def test_what_is_there_already_is_left_alone(begin, snapshot, tmp_path):
    (tmp_path / "other.wasm").write_bytes(WASM)
    begun = begin("--state", snapshot, "--with", "b.near=OTHER", "--account", "b.near=5 NEAR")
    assert account_of(begun, "b.near") == (5 * NEAR, 0, LocalContract(sha256(WASM)), 182 + len(WASM), 1)
    assert not [note for note in begun.notes if "b.near" in note]


def test_signer_of_a_transaction_is_made_only_when_asked_for(begin, snapshot):
    flags = ("--state", snapshot, "--as-transaction")
    assert account_of(begin(*flags), "user.near") is None
    assert account_of(begin(*flags, "--account", "user.near=1 NEAR"), "user.near").amount == NEAR
