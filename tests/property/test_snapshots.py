"""Snapshots: JSON and Borsh into each other without loss, one text per content, damage refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives import borsh
from near_tee_cli.workspace import schemas
from near_tee_cli.workspace.snapshot_borsh import snapshot_borsh
from near_tee_cli.workspace.snapshot_files import Form, read_snapshot, write_snapshot
from near_tee_cli.workspace.snapshot_json import snapshot_json
from tests.support.snapshot_strategies import snapshots


@given(snapshots)
def test_json_to_borsh_to_json(snapshot) -> None:
    text = snapshot_json(snapshot)
    from_json = read_snapshot(text, "x")
    assert (from_json.snapshot, from_json.form) == (snapshot, Form.JSON)
    data = write_snapshot(from_json.snapshot, Form.BORSH)
    from_borsh = read_snapshot(data, "x")
    assert (from_borsh.snapshot, from_borsh.form) == (snapshot, Form.BORSH)
    assert write_snapshot(from_borsh.snapshot, Form.JSON) == text
    assert data == snapshot_borsh(snapshot)


@given(snapshots)
def test_the_declared_schema_is_the_format(snapshot) -> None:
    fields = borsh.decode(schemas.snapshot(), snapshot_borsh(snapshot), "snapshot", max_bytes=10**6)
    assert [(row["key"], row["value"]) for row in fields["rows"]] == sorted(snapshot.rows.items())
    assert fields["protocol_version"] == snapshot.protocol_version


@given(snapshots, st.data())
def test_damaged_borsh_is_refused_or_another_snapshot(snapshot, data) -> None:
    raw = bytearray(snapshot_borsh(snapshot))
    at = data.draw(st.integers(0, len(raw) - 1))
    if data.draw(st.booleans()):
        raw[at] ^= 1 << data.draw(st.integers(0, 7))
    else:
        del raw[at:]
    try:
        read = read_snapshot(bytes(raw), "x").snapshot
    except BadInputError:
        return
    assert snapshot_borsh(read) == bytes(raw)


@given(snapshots, st.binary(min_size=1, max_size=5))
def test_nothing_may_follow(snapshot, tail) -> None:
    with pytest.raises(BadInputError) as caught:
        read_snapshot(snapshot_borsh(snapshot) + tail, "x")
    assert caught.value.code == "malformed-snapshot"


@given(snapshots)
def test_a_row_given_twice_is_refused(snapshot) -> None:
    document = json.loads(snapshot_json(snapshot))
    for name in ("records", "raw"):
        if document[name]:
            doubled = {**document, name: [*document[name], document[name][0]]}
            with pytest.raises(BadInputError) as caught:
                read_snapshot(json.dumps(doubled).encode(), "x")
            assert caught.value.code == "duplicate-key"
