"""Keys that can be trusted, and the strict rule."""

import json

import pytest

from near_tee_cli.attest.trust import is_signed_by, require_strict_key, trust_in
from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives.curves.ed25519 import _SMALL_ORDER
from near_tee_cli.primitives.keys import ED25519, SECP256K1, public_key_of, secret_key_from_seed, sign

KEYS = [public_key_of(secret_key_from_seed(seed, scheme=ED25519)) for seed in ("a", "b", "c")]


def test_wycheproof(project) -> None:
    groups = json.loads((project / "tests/unit/attest/data/ed25519_wycheproof.json").read_text())
    count = 0
    for group in groups:
        key = b"\0" + bytes.fromhex(group["pk"])
        for test in group["tests"]:
            message, signature = bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"])
            assert is_signed_by(key, message, signature) == (test["result"] == "valid"), test
            count += 1
    assert count == 151


@pytest.mark.parametrize("encoding", sorted(_SMALL_ORDER), ids=bytes.hex)
def test_keys_under_which_anybody_signs(encoding) -> None:
    with pytest.raises(BadInputError) as caught:
        require_strict_key(b"\0" + encoding)
    assert caught.value.code == "bad-signer"
    for signature in (bytes(64), encoding + bytes(32)):
        assert not is_signed_by(b"\0" + encoding, b"anything", signature)


def test_keys_of_other_kinds() -> None:
    other = secret_key_from_seed("a", scheme=SECP256K1)
    for key in (public_key_of(other), b"", b"\0" + bytes(31), b"\2" + bytes(1952), b"\x09" + bytes(32)):
        with pytest.raises(BadInputError):
            require_strict_key(key)
    message = bytes(32)
    assert not is_signed_by(public_key_of(other), message, sign(other, message)[1:])


def test_each_key_counts_once() -> None:
    assert trust_in(KEYS, threshold=3).threshold == 3
    for keys, threshold, code in (
        (KEYS + KEYS[:1], 1, "bad-signer"),
        (KEYS, 4, "bad-threshold"),
        (KEYS, 0, "bad-threshold"),
    ):
        with pytest.raises(BadInputError) as caught:
            trust_in(keys, threshold=threshold)
        assert caught.value.code == code
