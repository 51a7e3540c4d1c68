"""Statements: one text, and a comparison that does not depend on it."""

import json

import pytest

from near_tee_cli.attest.statement import Statement, encode_statement, predicate_type_of, says
from near_tee_cli.errors import BadInputError

STATEMENT = Statement({"b": b"\1" * 32, "a": b"\2" * 32}, "urn:x:v1", {"number": "5", "nothing": None})


def test_the_one_text() -> None:
    payload = encode_statement(STATEMENT)
    document = json.loads(payload)
    assert document["_type"] == "https://in-toto.io/Statement/v1"
    assert document["subject"][0] == {"name": "a", "digest": {"sha256": "02" * 32}}
    assert predicate_type_of(payload) == "urn:x:v1"
    assert says(payload, STATEMENT)
    assert says(json.dumps(document, indent=4).encode(), STATEMENT)


def test_anything_else_is_another_statement() -> None:
    document = json.loads(encode_statement(STATEMENT))
    for change in ({"_type": "x"}, {"subject": []}, {"predicate": {}}, {"predicateType": "urn:x:v2"}, {"more": 1}):
        assert not says(json.dumps({**document, **change}).encode(), STATEMENT)
    assert not says(json.dumps({**document, "predicate": {"number": 5, "nothing": None}}).encode(), STATEMENT)


def test_no_statement() -> None:
    for payload in (b"{}", b'{"_type":"https://in-toto.io/Statement/v0.1"}', b"x"):
        with pytest.raises(BadInputError):
            predicate_type_of(payload)
    with pytest.raises(BadInputError):
        says(b'{"a":1,"a":2}', STATEMENT)
