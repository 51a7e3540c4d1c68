"""Recovery: all vectors of nearcore (runtime/near-vm-runner/src/logic/tests/ecrecover-tests.json), and signing."""

import json
import pathlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from near_tee_cli.primitives.curves import secp256k1

VECTORS = json.loads((pathlib.Path(__file__).parent.parent / "data" / "ecrecover.json").read_text())


@pytest.mark.parametrize("vector", VECTORS, ids=range(len(VECTORS)))
def test_recovery(vector: dict[str, Any]) -> None:
    key = secp256k1.recover(
        bytes.fromhex(vector["m"]),
        bytes.fromhex(vector["sig"]),
        recovery_id=vector["v"],
        reject_high_s=vector["mc"],
    )
    assert (None if key is None else key.hex()) == vector["res"]


def test_vectors_reach_both_answers() -> None:
    assert {vector["res"] is None for vector in VECTORS} == {True, False}


@given(st.integers(1, secp256k1.N - 1), st.binary(min_size=32, max_size=32))
def test_what_is_signed_is_recovered(number: int, message_hash: bytes) -> None:
    secret = number.to_bytes(32, "big")
    public_key = secp256k1.public_key_of(secret)
    signature = secp256k1.sign(secret, message_hash)
    assert secp256k1.verify(public_key, message_hash, signature)
    low = secp256k1.recover(message_hash, signature[:64], recovery_id=signature[64], reject_high_s=True)
    assert low == public_key
    mirrored = signature[:32] + (secp256k1.N - int.from_bytes(signature[32:64], "big")).to_bytes(32, "big")
    recovery_id = signature[64] ^ 1
    assert secp256k1.recover(message_hash, mirrored, recovery_id=recovery_id, reject_high_s=False) == public_key
    assert secp256k1.recover(message_hash, mirrored, recovery_id=recovery_id, reject_high_s=True) is None
    assert not secp256k1.verify(public_key, message_hash, mirrored + bytes([recovery_id]))


def test_the_middle_of_the_range_is_the_last_low_s() -> None:
    message_hash, r = bytes(31) + b"\7", (5).to_bytes(32, "big")
    for s, low in ((secp256k1.N // 2, True), (secp256k1.N // 2 + 1, False)):
        signature = r + s.to_bytes(32, "big")
        keys = [secp256k1.recover(message_hash, signature, recovery_id=n, reject_high_s=False) for n in range(2)]
        checked = [secp256k1.recover(message_hash, signature, recovery_id=n, reject_high_s=True) for n in range(2)]
        assert checked == (keys if low else [None, None])


@pytest.mark.parametrize(
    ("secret", "valid"),
    [
        (bytes(32), False),
        (bytes(31) + b"\1", True),
        ((secp256k1.N - 1).to_bytes(32, "big"), True),
        (secp256k1.N.to_bytes(32, "big"), False),
        (b"\1" * 31, False),
        (b"\1" * 33, False),
    ],
)
def test_secrets(secret: bytes, valid: bool) -> None:
    assert secp256k1.is_secret(secret) == valid
