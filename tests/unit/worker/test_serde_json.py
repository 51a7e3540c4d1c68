"""JSON as contracts read and write it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from near_tee_cli.errors import BadInputError
from near_tee_cli.worker.serde_json import Fields, dumps, float_text, loads


@pytest.mark.parametrize(
    ("given_text", "written"),
    [
        ('{"b":1, "a":[true,null,"x"]}', '{"a":[true,null,"x"],"b":1}'),
        ('{"a":1,"a":2}', '{"a":2}'),
        ("18446744073709551615", "18446744073709551615"),
        ("18446744073709551616", "1.8446744073709552e19"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("-9223372036854775809", "-9.223372036854776e18"),
        ("-0", "-0.0"),
        ("0.1", "0.1"),
        ("1.0", "1.0"),
        ("1e3", "1000.0"),
        ("1e15", "1000000000000000.0"),
        ("1e16", "1e16"),
        ("1.5e300", "1.5e300"),
        ("123456789012345680", "123456789012345680"),
        ("0.00001", "0.00001"),
        ("-12.340", "-12.34"),
        ("1234567890123456.5", "1234567890123456.5"),
        ("12345678901234567.0", "1.2345678901234568e16"),
        ("-0.0", "-0.0"),
        ("0.000001", "1e-6"),
        ("0.0000012", "1.2e-6"),
        ("5e-324", "5e-324"),
        ('"\\u00e9\\n\\u0001\\/\\u007f"', '"é\\n\\u0001/\x7f"'),
        ('"\\ud83d\\ude00"', '"😀"'),
        ("[" * 127 + "]" * 127, "[" * 127 + "]" * 127),
    ],
)
def test_read_and_written(given_text, written) -> None:
    assert dumps(loads(given_text.encode())) == written


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"NaN", b"Infinity", b"1e999", b"1" * 5000, b"\xff", b'"\\ud800"', b"[1,]", b"01", b"'a'",
     b"[" * 128 + b"]" * 128, b'{"a":' * 128 + b"1" + b"}" * 128, b"[" * 100_000, b"\xef\xbb\xbf1", b'"\n"', b"1 2"],
)  # fmt: skip
def test_what_is_no_json(data) -> None:
    with pytest.raises(BadInputError) as refusal:
        loads(data)
    assert refusal.value.code == "bad-json"


def test_structures_keep_their_order() -> None:
    assert dumps(Fields(b=1, a=Fields(z=(1, 2)))) == '{"b":1,"a":{"z":[1,2]}}'
    assert dumps({"é": 1, "z": 2}) == '{"z":2,"é":1}'
    with pytest.raises(BadInputError):
        dumps({1})


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_come_back(value) -> None:
    text = float_text(value)
    assert float(text) == value
    assert len(text.strip("-").replace("0.", "", 1)) <= 24
    assert loads(text.encode()) == value
