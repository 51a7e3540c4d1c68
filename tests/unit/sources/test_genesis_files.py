"""Genesis files: the configuration, and what genesis does with records."""

import gzip
import json

import pytest

from near_tee_cli.errors import BadInputError
from near_tee_cli.params.store import config_at
from near_tee_cli.primitives import base58
from near_tee_cli.primitives.schema.records import AccountRecord
from near_tee_cli.runtime.genesis import rows_of_records
from near_tee_cli.sources import genesis_files
from near_tee_cli.state.build import root_of
from tests.support.worlds import account

CONFIG = config_at(86)
MAINNET_ROOT = "8EhZRfDTYujfZoUZtZ3eSMB9gJyFo5zjscR12dEcaxGU"
"""nearcore: core/store/src/genesis/initialization.rs"""
CONTENT = {
    "chain_id": "sandbox",
    "protocol_version": 86,
    "genesis_height": 7,
    "genesis_time": "2020-07-21T16:55:51.591948Z",
    "min_gas_price": "100000000",
    "gas_limit": 10**15,
    "validators": [{"account_id": "v.near", "public_key": "ed25519:1", "amount": "50"}],
    "protocol_treasury_account": "t.near",
    "online_min_threshold": [90, 100],
}


def test_mainnet(project):
    data = gzip.decompress((project / "tests/unit/state/data/mainnet_genesis.json.gz").read_bytes())
    content = json.loads(data)
    config = genesis_files.config_of(content, "x")
    records = genesis_files.records_of(content, "x")
    made, recounted, _ = genesis_files.as_genesis(records, config.validators, config=CONFIG)
    assert root_of(rows_of_records(made)) == base58.decode(MAINNET_ROOT, 32)
    assert [one.account_id for one in recounted] == ["kendall.near", "near", "patrick.near"]
    assert (config.chain_id, config.protocol_version, config.block.height) == ("mainnet", 29, 9_820_210)
    assert config.unsaid == ("timestamp", "gas_price")


def test_configuration():
    config = genesis_files.config_of(CONTENT, "x")
    assert (config.chain_id, config.protocol_version, config.treasury) == ("sandbox", 86, "t.near")
    assert config.validators == (("v.near", 50),)
    assert (config.block.height, config.block.timestamp) == (7, 1_595_350_551_591_948_000)
    assert (config.block.gas_price, config.block.gas_limit, config.unsaid) == (100_000_000, 10**15, ())


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2024-02-29T00:00:00.000000001Z", 1_709_164_800_000_000_001),
        ("2021-01-01T00:00:00+00:00", 1_609_459_200_000_000_000),
    ],
)
def test_times(text, nanoseconds):
    assert genesis_files.config_of({**CONTENT, "genesis_time": text}, "x").block.timestamp == nanoseconds


@pytest.mark.parametrize(
    "change",
    [
        {"genesis_time": "2021-01-01"},
        {"genesis_time": "2021-02-30T00:00:00Z"},
        {"genesis_time": "2021-01-01T00:00:00+02:00"},
        {"genesis_time": "2021-01-01T00:00:00.0000000001Z"},
        {"genesis_time": "1969-12-31T23:59:59Z"},
        {"genesis_time": 5},
        {"genesis_height": -1},
        {"protocol_version": "86"},
        {"validators": {}},
        {"validators": [{"account_id": "v.near", "amount": "1"}] * 2},
        {"validators": [{"account_id": "V", "amount": "1"}]},
        {"protocol_treasury_account": "no such id"},
    ],
)
def test_configurations_that_are_none(change):
    with pytest.raises(BadInputError):
        genesis_files.config_of({**CONTENT, **change}, "x")


def test_storage_is_counted_and_stakes_are_set():
    records = account("v.near", 100, code=b"code", usage=1)
    made, recounted, staked = genesis_files.as_genesis(records, [("v.near", 50)], config=CONFIG)
    (found,) = (record for record in made if isinstance(record, AccountRecord))
    assert (found.account.locked, found.account.storage_usage) == (50, 100 + 4 + 82)
    assert recounted == [("v.near", 1, 186)]
    assert staked == ["v.near"]
    assert genesis_files.as_genesis(made, [("v.near", 50)], config=CONFIG) == (made, [], [])


def test_validator_without_an_account():
    with pytest.raises(BadInputError) as refused:
        genesis_files.as_genesis(account("a.near"), [("v.near", 50)], config=CONFIG)
    assert refused.value.code == "bad-genesis"


def test_record_of_an_unknown_kind_has_its_place():
    with pytest.raises(BadInputError) as refused:
        genesis_files.records_of({"records": [{"Yield": {}}]}, "x")
    assert refused.value.where == "x: records[0]"
