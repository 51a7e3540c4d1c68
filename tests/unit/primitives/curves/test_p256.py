"""P-256: nearcore's selection of wycheproof vectors, and answers of the library that nearcore links."""

import hashlib
import json
import pathlib
from typing import Any

import pytest

from near_tee_cli.primitives.curves import p256

DATA = pathlib.Path(__file__).parent.parent / "data"
WYCHEPROOF = json.loads((DATA / "p256_wycheproof.json").read_text())
EDGES = json.loads((DATA / "p256_rustcrypto.json").read_text())


def holds(public_key: bytes, prehash: bytes, signature: bytes) -> bool:
    return p256.is_signature(signature) and p256.verify_prehash(public_key, prehash, signature)


@pytest.mark.parametrize("vector", WYCHEPROOF, ids=lambda vector: vector["name"])
def test_wycheproof(vector: dict[str, Any]) -> None:
    prehash = hashlib.sha256(bytes.fromhex(vector["message"])).digest()
    verdict = holds(bytes.fromhex(vector["public_key"]), prehash, bytes.fromhex(vector["signature"]))
    assert verdict == vector["valid"]


@pytest.mark.parametrize("vector", EDGES, ids=lambda vector: vector["about"])
def test_edges(vector: dict[str, Any]) -> None:
    public_key, prehash, signature = (bytes.fromhex(vector[name]) for name in ("public_key", "prehash", "signature"))
    assert holds(public_key, prehash, signature) == vector["valid"]


def test_edges_reach_both_answers_and_the_compact_tag() -> None:
    assert {vector["valid"] for vector in EDGES} == {True, False}
    assert any(vector["public_key"].startswith("05") and vector["valid"] for vector in EDGES)
    assert any(vector["about"] == "prehash of 16 bytes" and vector["valid"] for vector in EDGES)
