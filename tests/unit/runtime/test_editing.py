"""A state changed by hand: storage counted as the chain counts it, nonsense refused."""

import pytest

from near_tee_cli.errors import BadInputError
from near_tee_cli.params.store import config_at
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.access_key import AccessKey, GasKeyInfo, encode_access_key, full_access_key
from near_tee_cli.primitives.schema.account import GlobalContract, LocalContract, new_account
from near_tee_cli.primitives.schema.action import AddKey, DeployContract
from near_tee_cli.primitives.schema.records import AccessKeyRecord, AccountRecord, DataRecord, GasKeyNonceRecord
from near_tee_cli.runtime.editing import Editor
from near_tee_cli.state import keys
from near_tee_cli.state.trie import Trie
from tests.support.worlds import NO_MACHINE, account, block, public_key, receipt_of, world

CONFIG = config_at(86)
KEY = public_key("other")


def editor(*groups):
    state = world(*groups)
    return Editor(state.config, Trie(state.store, state.root))


def usage(edited, name="a.near"):
    return edited.existing(name).storage_usage


def code_of(action, *arguments, **named):
    with pytest.raises(BadInputError) as refused:
        action(*arguments, **named)
    return refused.value.code


def test_edits_cost_what_actions_cost():
    """Deploying and adding a key by hand leads to the state that the actions lead to, nonce aside."""
    state = world(account("a.near"))
    actions = (DeployContract(b"code"), AddKey(KEY, full_access_key(0)))
    state.produce_block(block(1), receipts=[receipt_of(*actions)], machine=NO_MACHINE)
    acted = Editor(CONFIG, Trie(state.store, state.root))
    edited = editor(account("a.near"))
    edited.set_code("a.near", b"code")
    edited.set_key("a.near", KEY, access_key=full_access_key(0))
    assert edited.existing("a.near").contract == acted.existing("a.near").contract
    assert usage(edited) == usage(acted) == 182 + 4 + 82


def test_new_account():
    edited = editor()
    made = edited.make_account("a.near", amount=5, locked=6)
    assert made == new_account(5, 6, contract=None, storage_usage=100)
    assert code_of(edited.make_account, "a.near", amount=5, locked=6) == "account-exists"
    assert code_of(edited.make_account, "system", amount=5, locked=6) == "bad-account"
    assert code_of(edited.make_account, "b.near", amount=2**127, locked=2**127) == "out-of-range"


def test_data():
    edited = editor(account("a.near"))
    edited.set_data("a.near", b"key", b"value")
    assert usage(edited) == 182 + 40 + 3 + 5
    edited.set_data("a.near", b"key", b"v")
    assert usage(edited) == 182 + 40 + 3 + 1
    edited.remove_data("a.near", b"key")
    assert usage(edited) == 182
    assert code_of(edited.remove_data, "a.near", b"key") == "unknown-row"
    assert code_of(edited.set_data, "b.near", b"key", b"") == "unknown-account"
    assert code_of(edited.set_data, "a.near", bytes(2049), b"") == "out-of-range"
    assert code_of(edited.set_data, "a.near", b"", bytes(4_194_305)) == "out-of-range"


def test_code():
    edited = editor(account("a.near", code=b"before", usage=188))
    assert not edited.set_code("a.near", b"before")
    assert edited.set_code("a.near", b"after-it")
    assert edited.existing("a.near").contract == LocalContract(sha256(b"after-it"))
    assert usage(edited) == 190
    edited.remove_code("a.near")
    assert (edited.existing("a.near").contract, usage(edited)) == (None, 182)
    assert edited.state.get(keys.contract_code("a.near")) is None
    assert code_of(edited.remove_code, "a.near") == "unknown-row"


def test_code_in_the_place_of_a_global_contract():
    shared = new_account(5, 0, contract=GlobalContract(b"\1" * 32), storage_usage=132)
    edited = editor([AccountRecord("a.near", shared)])
    edited.set_code("a.near", b"own")
    assert (usage(edited), edited.existing("a.near").version) == (103, 2)


def test_keys():
    edited = editor(account("a.near"))
    edited.set_key("a.near", KEY, access_key=full_access_key(5))
    edited.set_key("a.near", KEY, access_key=full_access_key(6))
    assert usage(edited) == 182 + 82
    assert edited.state.get(keys.access_key("a.near", KEY)) == encode_access_key(full_access_key(6))
    edited.remove_key("a.near", KEY)
    assert usage(edited) == 182
    assert code_of(edited.remove_key, "a.near", KEY) == "unknown-row"


def test_gas_keys_are_only_removed():
    gas_key = AccessKey(0, None, GasKeyInfo(0, 2))
    size = 40 + 33 + len(encode_access_key(gas_key)) + 2 * (40 + 33 + 10)
    nonces = [GasKeyNonceRecord("a.near", KEY, index, 1) for index in range(2)]
    edited = editor([*account("a.near", usage=182 + size), AccessKeyRecord("a.near", KEY, gas_key), *nonces])
    assert code_of(edited.set_key, "a.near", KEY, access_key=full_access_key(0)) == "gas-key"
    assert code_of(edited.set_key, "a.near", public_key("third"), access_key=gas_key) == "gas-key"
    edited.remove_key("a.near", KEY)
    assert usage(edited) == 182
    assert list(edited.state.iter_prefix(keys.access_key("a.near", KEY))) == []


def test_removed_account_leaves_nothing():
    edited = editor([*account("a.near", code=b"x"), DataRecord("a.near", b"k", b"v")], account("b.near"))
    assert edited.remove_account("a.near") == 4
    changes = edited.finish()
    other = editor(account("b.near"))
    assert changes.root == other.finish().root
    assert code_of(edited.remove_account, "a.near") == "unknown-account"


def test_nothing_changed_is_the_same_root():
    edited = editor(account("a.near", code=b"x"))
    edited.set_account("a.near", edited.existing("a.near"))
    edited.set_code("a.near", b"x")
    changes = edited.finish()
    assert (changes.root, changes.changes) == (editor(account("a.near", code=b"x")).finish().root, [])
