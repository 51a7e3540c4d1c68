"""The stream against RFC 8439 and nearcore's shuffles (chain/chain/src/sharding.rs, commit f0c7706f1)."""

from itertools import islice

from near_tee_cli.primitives import chacha
from near_tee_cli.primitives.hashes import sha256


def stream(key: bytes, rounds: int, count: int) -> bytes:
    return b"".join(word.to_bytes(4, "little") for word in islice(chacha.words(key, rounds=rounds), count))


def test_twenty_rounds_of_the_zero_key() -> None:
    assert stream(bytes(32), 20, 32).hex() == (
        "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
        "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"
        "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
        "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f"
    )


def test_twelve_rounds_of_the_zero_key() -> None:
    assert stream(bytes(32), 12, 8).hex() == "9bf49a6a0755f953811fce125f2683d50429c3bb49e074147e0089a52eae155f"


def test_shuffle_of_nearcore() -> None:
    source = chacha.words(sha256(bytes([1, 2, 3, 4, 5])), rounds=20)
    items = list(range(7))
    for i in range(6, 0, -1):
        bound = i + 1
        zone = ((bound << (32 - bound.bit_length())) - 1) & 0xFFFFFFFF
        product = next(source) * bound
        while product & 0xFFFFFFFF > zone:
            product = next(source) * bound
        j = product >> 32
        items[i], items[j] = items[j], items[i]
    assert items == [2, 3, 1, 4, 0, 5, 6]
