"""The ChaCha stream as a source of 32-bit words: what seeded random choices of NEAR are drawn from.

Mirrors nearcore: core/crypto/src/test_utils.rs, chain/chain/src/sharding.rs (crate rand_chacha)
"""

import struct
from collections.abc import Iterator

_CONSTANTS = struct.unpack("<4I", b"expand 32-byte k")
_KEY = struct.Struct("<8I")
_M = 0xFFFFFFFF
_COLUMNS_THEN_DIAGONALS = (
    (0, 4, 8, 12),
    (1, 5, 9, 13),
    (2, 6, 10, 14),
    (3, 7, 11, 15),
    (0, 5, 10, 15),
    (1, 6, 11, 12),
    (2, 7, 8, 13),
    (3, 4, 9, 14),
)


def words(key: bytes, *, rounds: int) -> Iterator[int]:
    """The 32-bit words of the stream under the 32-byte `key`: counter of 64 bits from zero, stream number zero."""
    key_words = _KEY.unpack(key)
    counter = 0
    while True:
        yield from _block((*_CONSTANTS, *key_words, counter & _M, counter >> 32, 0, 0), rounds)
        counter += 1


def _block(start: tuple[int, ...], rounds: int) -> list[int]:
    state = list(start)
    for _ in range(rounds // 2):
        for i, j, k, n in _COLUMNS_THEN_DIAGONALS:
            a, b, c, d = state[i], state[j], state[k], state[n]
            a = a + b & _M
            d ^= a
            d = (d << 16 | d >> 16) & _M
            c = c + d & _M
            b ^= c
            b = (b << 12 | b >> 20) & _M
            a = a + b & _M
            d ^= a
            d = (d << 8 | d >> 24) & _M
            c = c + d & _M
            b ^= c
            b = (b << 7 | b >> 25) & _M
            state[i], state[j], state[k], state[n] = a, b, c, d
    return [word + first & _M for word, first in zip(state, start, strict=True)]
