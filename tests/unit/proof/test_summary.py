"""Verifications told to others."""

import json

import pytest

from near_tee_cli.attest.dsse import parse_envelope, signers_among
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.proof.summary import PREDICATE_TYPE, Verified, signed_summary, summary_of
from tests.reject.signed import KEYS, signing

DIGEST = sha256(b"a bundle")
BOTH = Verified(DIGEST, frozenset({"consistent", "re-executed"}))


def test_what_is_told() -> None:
    statement = summary_of({"a.ntb": BOTH}, policies=[b"\1" * 32], time=1_790_000_000)
    data = signed_summary(statement, **signing(0))
    envelope = parse_envelope(data)
    assert signers_among(envelope, KEYS) == (KEYS[0],)
    document = json.loads(envelope.payload)
    assert document["predicateType"] == PREDICATE_TYPE
    assert document["subject"] == [{"name": "a.ntb", "digest": {"sha256": DIGEST.hex()}}]
    assert document["predicate"] == {
        "verifier": {
            "id": "urn:near-tee:verifier:v1",
            "policies": [{"name": "policy", "digest": {"sha256": "01" * 32}}],
        },
        "timeCreated": "2026-09-21T14:13:20Z",
        "properties": ["NEAR_TEE_CONSISTENT", "NEAR_TEE_RE_EXECUTED"],
    }


def test_of_several_no_more_is_told_than_all_of_them_have() -> None:
    statement = summary_of({"a": BOTH, "b": Verified(DIGEST, frozenset({"consistent"}))}, policies=[], time=0)
    assert statement.predicate["properties"] == ["NEAR_TEE_CONSISTENT"]
    assert statement.predicate["verifier"]["policies"] == []
    assert set(statement.subjects) == {"a", "b"}


def test_nothing_is_told_of_nothing() -> None:
    with pytest.raises(ValueError, match="established"):
        summary_of({}, policies=[], time=0)
