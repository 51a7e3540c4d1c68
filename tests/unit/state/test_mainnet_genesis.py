"""The genesis of mainnet: every layer from records to the root, against the root that nearcore asserts."""

import gzip
import json
import pathlib

import pytest

from near_tee_cli.primitives import base58
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.access_key import encode_access_key
from near_tee_cli.primitives.schema.account import encode_account
from near_tee_cli.primitives.schema.records import (
    AccessKeyRecord,
    AccountRecord,
    ContractRecord,
    DataRecord,
    read_record,
)
from near_tee_cli.state import keys
from near_tee_cli.state.build import build, root_of
from near_tee_cli.state.trie import EMPTY_ROOT, Trie

DATA = pathlib.Path(__file__).parent / "data"
# nearcore: core/store/src/genesis/initialization.rs
MAINNET_ROOT = "8EhZRfDTYujfZoUZtZ3eSMB9gJyFo5zjscR12dEcaxGU"


@pytest.fixture(scope="module")
def rows():
    """Trie key -> value, as genesis writes them: storage usage recomputed, validators' stakes locked."""
    genesis = json.loads(gzip.decompress((DATA / "mainnet_genesis.json.gz").read_bytes()))
    stakes = {validator["account_id"]: int(validator["amount"]) for validator in genesis["validators"]}
    accounts = {}
    usage = {}
    result = {}
    for record in map(read_record, genesis["records"]):
        match record:
            case AccountRecord(account_id, account):
                accounts[account_id] = account
                usage[account_id] = usage.get(account_id, 0) + 100
            case DataRecord(account_id, data_key, value):
                result[keys.contract_data(account_id, data_key)] = value
                usage[account_id] += len(data_key) + len(value) + 40
            case ContractRecord(account_id, code):
                result[keys.contract_code(account_id)] = code
                usage[account_id] += len(code)
            case AccessKeyRecord(account_id, handle, access_key):
                encoded = encode_access_key(access_key)
                result[keys.access_key(account_id, handle)] = encoded
                usage[account_id] += 40 + len(handle) + len(encoded)
    for account_id, account in accounts.items():
        locked = stakes.get(account_id, account.locked)
        result[keys.account(account_id)] = encode_account(
            account._replace(locked=locked, storage_usage=usage[account_id])
        )
    return result


def test_root(rows):
    assert len(rows) == 64
    assert base58.encode(root_of(rows)) == MAINNET_ROOT


def test_root_by_single_updates(rows):
    root, store = build({})
    for key in sorted(rows, key=sha256):
        root, nodes = Trie(store, root).update({key: rows[key]})
        store.update(nodes)
    assert base58.encode(root) == MAINNET_ROOT
    for key in sorted(rows, key=sha256)[:-1]:
        root, nodes = Trie(store, root).update({key: None})
        store.update(nodes)
    assert root != EMPTY_ROOT
    assert len(list(Trie(store, root).iter_prefix(b""))) == 1


def test_every_key_is_a_row(rows):
    columns = [keys.describe(key).column for key in rows]
    assert {name: columns.count(name) for name in columns} == {
        "Account": 26,
        "AccessKey": 35,
        "ContractCode": 2,
        "ContractData": 1,
    }
