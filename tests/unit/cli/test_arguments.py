"""Arguments of a method from the flags that bring them."""

import pytest

from near_tee_cli.cli.arguments import arguments
from near_tee_cli.errors import BadInputError, UsageError
from tests.unit.cli.support import given

BASE = ("contract.wasm", "method")


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ([], None),
        (["--args", '{ "a":1.50 }'], b'{ "a":1.50 }'),
        (["--json-args", "[]"], b"[]"),
        (['{"b":"\u00e9"}'], '{"b":"\u00e9"}'.encode()),
        (["--args-text", "no json"], b"no json"),
        (["--args-base64", "AAE="], b"\x00\x01"),
        (["--args-hex", "0x00ff"], b"\x00\xff"),
        (["--args-hex", ""], b""),
    ],
)
def test_bytes_are_passed_as_given(flags, expected):
    assert arguments(given(*BASE, *flags)) == expected


def test_file(tmp_path):
    path = tmp_path / "args"
    path.write_bytes(b"\x00raw\n")
    assert arguments(given(*BASE, "--args-file", str(path))) == b"\x00raw\n"


@pytest.mark.parametrize(
    "flags",
    [
        ["--args", "{"],
        ["--args", ""],
        ["--args-base64", "AAE"],
        ["--args-base64", "A A E="],
        ["--args-hex", "0"],
        ["--args", "{}", "--args-text", "x"],
        ["{}", "--args", "{}"],
    ],
)
def test_refused(flags):
    with pytest.raises(UsageError):
        arguments(given(*BASE, *flags))


def test_missing_file(tmp_path):
    with pytest.raises(BadInputError) as raised:
        arguments(given(*BASE, "--args-file", str(tmp_path / "none")))
    assert raised.value.code == "not-found"
