"""Base58 with Bitcoin's alphabet: the text form of hashes, keys and signatures.

The digits are taken from one big integer, several at a time, with a table of digit pairs. Decoding is strict:
a character outside the alphabet, or a wrong length where one is given, is an error.

Mirrors nearcore: core/primitives-core/src/hash.rs
"""

from functools import cache

from near_tee_cli.errors import BadInputError

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

MAX_TEXT = 16_384
"""Characters that `decode` accepts at most: conversion takes quadratic time."""

_PAIR = 58**2
_QUAD = 58**4
_BLOCK = 58**20
_INVALID = 255


@cache
def _pairs() -> list[str]:
    return [high + low for high in ALPHABET for low in ALPHABET]


@cache
def _digit_table() -> bytes:
    table = bytearray([_INVALID]) * 256
    for value, character in enumerate(ALPHABET):
        table[ord(character)] = value
    return bytes(table)


def encode(data: bytes) -> str:
    """The base58 text of `data`: every leading zero byte becomes one `1`."""
    number = int.from_bytes(data, "big")
    zeros = len(data) - len(data.lstrip(b"\0"))
    pairs = _pairs()
    parts: list[str] = []
    while number:
        # Twenty digits at a time, so that all but one division in six works on small integers.
        number, block = divmod(number, _BLOCK)
        for _ in range(5):
            block, quad = divmod(block, _QUAD)
            parts.append(pairs[quad % _PAIR])
            parts.append(pairs[quad // _PAIR])
    parts.reverse()
    return "1" * zeros + "".join(parts).lstrip("1")


def decode(text: str, length: int | None = None) -> bytes:
    """The bytes that `text` writes; with `length`, exactly that many.

    Raises `BadInputError` for a character outside the alphabet, text longer than `MAX_TEXT`, or another length.
    """
    if len(text) > MAX_TEXT:
        raise BadInputError(f"base58 text of {len(text)} characters, at most {MAX_TEXT} are read")
    try:
        digits = text.encode("latin-1").translate(_digit_table())
    except UnicodeEncodeError:
        digits = b""
    if _INVALID in digits or len(digits) != len(text):
        position, character = next((i, c) for i, c in enumerate(text) if c not in ALPHABET)
        raise BadInputError(f"{character!r} at position {position} is no base58 character")
    significant = digits.lstrip(b"\0")
    zeros = len(digits) - len(significant)
    head = len(significant) % 4
    number = 0
    for digit in significant[:head]:
        number = number * 58 + digit
    rest = iter(significant[head:])
    for a, b, c, d in zip(rest, rest, rest, rest, strict=True):
        number = number * _QUAD + (((a * 58 + b) * 58 + c) * 58 + d)
    size = (number.bit_length() + 7) // 8
    if length is not None and zeros + size != length:
        raise BadInputError(f"base58 text of {zeros + size} bytes where {length} are expected")
    return b"\0" * zeros + number.to_bytes(size, "big")
