"""Snapshots as users write them: defaults, and one refusal for each way to go wrong."""

import json

import pytest

from near_tee_cli.errors import BadInputError, InconsistentStateError, UnsupportedError
from near_tee_cli.primitives import base58
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.runtime.block import NO_CONGESTION
from near_tee_cli.workspace.snapshot_borsh import MAGIC, snapshot_borsh
from near_tee_cli.workspace.snapshot_files import Form, read_snapshot, write_snapshot
from near_tee_cli.workspace.snapshots import snapshot_of, world_of
from tests.support.worlds import block

ACCOUNT = {
    "Account": {
        "account_id": "a.near",
        "account": {"amount": "5", "locked": "0", "code_hash": "1" * 32, "storage_usage": 182},
    }
}
KEY = "ed25519:DcA2MzgpJbrUATQLLceocVckhhAqrkingax4oJ9kZ847"


def document(**changes):
    return {"schema": "near-tee/snapshot/v1", "protocol_version": 86, "records": [ACCOUNT], **changes}


def read(value):
    return read_snapshot(json.dumps(value).encode(), "state.json").snapshot


def test_defaults() -> None:
    snapshot = read(document())
    assert snapshot.chain == ("localnet", (), None)
    assert (snapshot.block, snapshot.in_flight, snapshot.state_root) == (None, (), None)
    assert (snapshot.congestion_info, snapshot.bandwidth_requests) == (NO_CONGESTION, ())
    assert list(snapshot.rows) == [b"\0a.near"]
    assert read({"schema": "near-tee/snapshot/v1", "protocol_version": 86}).rows == {}


def test_a_world_there_and_back() -> None:
    world = world_of(read(document(validators={"v.near": "7"}, chain_id="testnet")))
    last = block(3)
    snapshot = snapshot_of(world, block=last)
    for form in (Form.JSON, Form.BORSH):
        again = read_snapshot(write_snapshot(snapshot, form), "x").snapshot
        assert again == snapshot
        assert world_of(again).root == world.root
    assert snapshot.block == last
    with pytest.raises(BadInputError):
        write_snapshot(snapshot, Form.CASE)


def test_a_case_stands_for_the_state_that_it_starts_from() -> None:
    case = {"format": "near-tee/case/v1", "name": "x", "protocol_version": 85, "records": [ACCOUNT], "blocks": [{}]}
    found = read_snapshot(json.dumps(case).encode(), "case.json")
    assert found.form is Form.CASE
    assert found.case is not None
    assert (found.snapshot.protocol_version, list(found.snapshot.rows)) == (85, [b"\0a.near"])


def test_a_wrong_root_is_not_gone_on_from() -> None:
    right = base58.encode(world_of(read(document())).root)
    assert world_of(read(document(state_root=right))).root == base58.decode(right)
    with pytest.raises(InconsistentStateError) as caught:
        world_of(read(document(state_root=base58.encode(bytes([1]) * 32))))
    assert caught.value.code == "state-root-mismatch"


def test_versions_are_refused_by_name() -> None:
    with pytest.raises(UnsupportedError) as caught:
        world_of(read(document(protocol_version=82)))
    assert caught.value.code == "unsupported-protocol-version"
    with pytest.raises(UnsupportedError) as caught:
        read(document(schema="near-tee/snapshot/v2"))
    assert caught.value.code == "unsupported-snapshot-schema"
    data = bytearray(snapshot_borsh(read(document())))
    data[len(MAGIC)] = 2
    with pytest.raises(UnsupportedError) as caught:
        read_snapshot(bytes(data), "x")
    assert caught.value.code == "unsupported-snapshot-version"


CODE = {"Contract": {"account_id": "a.near", "code": "AA=="}}
DATA = {"Data": {"account_id": "a.near", "data_key": "AA==", "value": ""}}
WRONG = [
    (document(surprise=1), "bad-field"),
    (document(records={}), "bad-field"),
    (document(records=[1]), "bad-field"),
    (document(records=[{"Account": {}}]), "bad-field"),
    (document(records=[{"Banana": {}}]), "bad-field"),
    (document(records=[ACCOUNT, ACCOUNT]), "duplicate-key"),
    (document(records=[DATA, ACCOUNT, DATA]), "duplicate-key"),
    (document(raw=[["AGEubmVhcg==", "AA=="]]), "duplicate-key"),
    (document(raw=[["Dw==", "AA=="], ["Dw==", "AQ=="]]), "duplicate-key"),
    (document(records=[CODE]), "bad-record"),
    (document(records=[ACCOUNT, CODE]), "bad-record"),
    (document(records=[{"Data": {"account_id": "system", "data_key": "", "value": ""}}]), "bad-record"),
    (document(raw=[["AA"]]), "bad-field"),
    (document(raw=[["AA", "AA=="]]), "bad-base64"),
    (document(receipts=["AA=="]), "bad-field"),
    (document(receipts=["*"]), "bad-base64"),
    (document(validators={"a.near": 1}), "bad-field"),
    (document(block={}), "bad-field"),
    (document(block={"height": 1}), "bad-field"),
    (document(state_root="x"), "bad-field"),
    (document(congestion_info={}), "bad-field"),
    (document(bandwidth_requests=[{"to_shard": 0, "bitmap": "AA=="}]), "bad-field"),
    (document(bandwidth_requests=[{"to_shard": 2**16, "bitmap": "AAAAAAA="}]), "bad-field"),
    (document(protocol_version=2**32), "bad-field"),
    ({"schema": "other"}, "not-a-snapshot"),
    ({"schema": 1}, "not-a-snapshot"),
    ({}, "not-a-snapshot"),
    ([], "not-a-snapshot"),
]


@pytest.mark.parametrize(("value", "code"), WRONG, ids=range(len(WRONG)))
def test_wrong_json(value, code) -> None:
    with pytest.raises(BadInputError) as caught:
        read(value)
    assert caught.value.code == code
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "not-a-snapshot"),
        (b"\x7fELF", "not-a-snapshot"),
        (b"\0asm", "not-a-snapshot"),
        (b"near-tee\1\0", "not-a-snapshot"),
        (b"near-nts", "malformed-snapshot"),
        (b"near-nts\1\0", "malformed-snapshot"),
        (b"near-nts\1\0" + b"\xff" * 40, "malformed-snapshot"),
        (b"{", "bad-json"),
        (b'{"schema":"near-tee/snapshot/v1","schema":"near-tee/snapshot/v1"}', "duplicate-key"),
        (b"[" * 100, "too-deep"),
    ],
)
def test_wrong_bytes(data, code) -> None:
    with pytest.raises(BadInputError) as caught:
        read_snapshot(data, "state.bin")
    assert caught.value.code == code


def test_places_are_named() -> None:
    with pytest.raises(BadInputError, match=r"records\[1\]"):
        read(document(records=[ACCOUNT, {"Data": {"account_id": "a.near", "data_key": "=", "value": ""}}]))
    with pytest.raises(BadInputError, match=r"records\[2\]"):
        read(document(records=[ACCOUNT, DATA, DATA]))


def test_borsh_rows_doubled_or_out_of_order() -> None:
    rows = {b"\x0f": b"1", b"\x10": b"2"}
    data = snapshot_borsh(read(document())._replace(rows=rows))
    one, two = b"\1\0\0\0\x0f\1\0\0\x001", b"\1\0\0\0\x10\1\0\0\x002"
    assert data.endswith(one + two)
    head = data[: -len(one + two)]
    for tail, code in ((two + one, "malformed-snapshot"), (one + one, "duplicate-key")):
        with pytest.raises(BadInputError) as caught:
            read_snapshot(head + tail, "x")
        assert caught.value.code == code


def test_access_keys_and_code_are_records() -> None:
    account = json.loads(json.dumps(ACCOUNT))
    account["Account"]["account"]["code_hash"] = base58.encode(sha256(b"\0"))
    key = {
        "AccessKey": {"account_id": "a.near", "public_key": KEY, "access_key": {"nonce": 1, "permission": "FullAccess"}}
    }
    snapshot = read(document(records=[account, CODE, key]))
    again = json.loads(write_snapshot(snapshot, Form.JSON))
    assert [next(iter(record)) for record in again["records"]] == ["Account", "Contract", "AccessKey"]
    assert again["raw"] == []
