"""Mutations of bytes: bits, bytes, pieces, lengths, numbers at their bounds, and pieces of other inputs."""

import random
from collections.abc import Sequence

INTERESTING = (
    b"\0", b"\xff", b"\x7f", b"\x80", b"\xff\xff\xff\xff", b"\0\0\0\x80", b"\xff" * 8, b"\0" * 32, b"\xed\xa0\x80",
    b"\x1b[2J",
    b"../", b'"', b"{", b"[", b"}", b"1e999", b"-1", b"18446744073709551616", b"null", b"\\u0000", b"\\ud800", b"\r\n",
)  # fmt: skip


def mutated(draw: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """`data` changed once to eight times."""
    for _ in range(draw.choice((1, 1, 1, 2, 4, 8))):
        data = _once(draw, data, others)
    return data[: 1 << 20]


def _once(draw: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    at = draw.randrange(len(data) + 1)
    end = min(len(data), at + draw.choice((1, 1, 2, 4, 8, 32, 200)))
    kind = draw.randrange(9)
    if kind == 0 and at < len(data):
        return data[:at] + bytes([data[at] ^ 1 << draw.randrange(8)]) + data[at + 1 :]
    if kind == 1 and at < len(data):
        return data[:at] + bytes([draw.randrange(256)]) + data[at + 1 :]
    if kind == 2:
        return data[:at] + data[end:]
    if kind == 3:
        return data[:at] + data[at:end] * draw.choice((2, 2, 3, 50)) + data[end:]
    if kind == 4:
        return data[:at]
    if kind == 5:
        return data[:at] + draw.choice(INTERESTING) + data[end if draw.random() < 0.5 else at :]
    if kind == 6 and others:
        other = draw.choice(others)
        start = draw.randrange(len(other) + 1)
        return data[:at] + other[start : start + draw.choice((4, 40, 400))] + data[end:]
    if kind == 7 and at + 4 <= len(data):
        number = int.from_bytes(data[at : at + 4], "little") + draw.choice((-1, 1, 2**16, -(2**16)))
        return data[:at] + (number % 2**32).to_bytes(4, "little") + data[at + 4 :]
    return data + draw.randbytes(draw.choice((1, 4, 32)))
