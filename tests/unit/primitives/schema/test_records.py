"""State records: what nearcore's genesis files say, and refusals that name the field."""

import pytest

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives.schema import records
from near_tee_cli.primitives.schema.access_key import full_access_key
from near_tee_cli.primitives.schema.records import read_record, record_json

KEY = "ed25519:11111111111111111111111111111111"


def test_records_of_a_genesis_file() -> None:
    key = {"account_id": "a.near", "public_key": KEY, "access_key": {"nonce": 0, "permission": "FullAccess"}}
    assert read_record({"AccessKey": key}) == records.AccessKeyRecord("a.near", bytes(33), full_access_key(0))
    data = {"account_id": "a.near", "data_key": "YQ==", "value": ""}
    assert read_record({"Data": data}) == records.DataRecord("a.near", b"a", b"")
    nonce = {"account_id": "a.near", "public_key": KEY, "index": 3, "nonce": 9}
    assert read_record({"GasKeyNonce": nonce}) == records.GasKeyNonceRecord("a.near", bytes(33), 3, 9)
    received = {"account_id": "a.near", "data_id": "1" * 32, "data": None}
    assert read_record({"ReceivedData": received}) == records.ReceivedDataRecord("a.near", bytes(32), None)
    assert record_json(read_record({"ReceivedData": received})) == {"ReceivedData": received}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ([], "expected an object"),
        ({}, "expected an object"),
        ({"Data": {}, "Account": {}}, "expected an object"),
        ({"Rows": {}}, "unknown kind of record"),
        ({"Data": {"account_id": "A", "data_key": "", "value": ""}}, "no account id"),
        ({"Data": {"account_id": "a.near", "data_key": "Y", "value": ""}}, "data_key"),
        ({"Data": {"account_id": "a.near", "value": ""}}, "lacks the member data_key"),
        ({"Contract": {"account_id": "a.near", "code": "", "hash": ""}}, "unknown member"),
        ({"GasKeyNonce": {"account_id": "a.near", "public_key": KEY, "index": 65536, "nonce": 0}}, "index"),
        ({"ReceivedData": {"account_id": "a.near", "data_id": "1", "data": None}}, "32"),
    ],
)
def test_refusals(value, reason) -> None:
    with pytest.raises(BadInputError, match=reason):
        read_record(value)
