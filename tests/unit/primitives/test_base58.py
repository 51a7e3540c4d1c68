"""Values of nearcore (core/primitives-core/src/hash.rs, commit f0c7706f1), and properties against plain arithmetic."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives import base58


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("", b""),
        ("1", b"\0"),
        ("2", b"\1"),
        ("z", b"\x39"),
        ("21", b"\x3a"),
        ("11111111111111111111111111111111", bytes(32)),
        ("112", b"\0\0\1"),
        ("5Q", b"\xff"),
        ("JEKNVnkbo3jma5nREBBJCDoXFVeKkD56V3xKrvRmWxFG", b"\xff" * 32),
        ("2NEpo7TZRRrLZSi2U", b"Hello World!"),
    ],
)
def test_known_texts(text: str, data: bytes) -> None:
    assert base58.encode(data) == text
    assert base58.decode(text) == data
    assert base58.decode(text, len(data)) == data


def plain_encode(data: bytes) -> str:
    number = int.from_bytes(data, "big")
    digits = ""
    while number:
        number, digit = divmod(number, 58)
        digits = base58.ALPHABET[digit] + digits
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + digits


@given(st.binary(max_size=80))
def test_agrees_with_plain_arithmetic_and_comes_back(data: bytes) -> None:
    text = base58.encode(data)
    assert text == plain_encode(data)
    assert base58.decode(text) == data


@given(st.text(alphabet=base58.ALPHABET, max_size=60))
def test_every_text_of_the_alphabet_is_the_only_one_of_its_bytes(text: str) -> None:
    assert base58.encode(base58.decode(text)) == text


def test_long_data_comes_back() -> None:
    data = bytes(range(256)) * 16
    assert base58.decode(base58.encode(data), len(data)) == data


@pytest.mark.parametrize(
    "bad", ["foo-bar", "0", "O", "I", "l", " 2", "2 ", "2\n", "\u0130", "2\u20ac", "\x00", "2\xff"]
)
def test_character_outside_the_alphabet(bad: str) -> None:
    with pytest.raises(BadInputError, match="no base58 character"):
        base58.decode(bad)


def test_message_names_the_position() -> None:
    with pytest.raises(BadInputError, match="'-' at position 3"):
        base58.decode("foo-bar-baz")


@pytest.mark.parametrize("text", ["", "1" * 31, "1" * 33, "1" * 1000, "CjNSmWXTWhC3ELhRmWMTkRbU96wUACqxMtV1uGf"])
def test_wrong_length(text: str) -> None:
    with pytest.raises(BadInputError, match="where 32 are expected"):
        base58.decode(text, 32)


def test_endless_text_is_refused_at_once() -> None:
    with pytest.raises(BadInputError, match="at most"):
        base58.decode("2" * (base58.MAX_TEXT + 1))
