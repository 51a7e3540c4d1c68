"""Strict JSON: what is refused, with which code, and that what is written reads back."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives import canonical_json as cj

REFUSED = [
    (b'{"a":1,"a":2}', "duplicate-key"),
    (b'[{"x":{"b":1,"c":2,"b":1}}]', "duplicate-key"),
    (b"NaN", "bad-json"),
    (b"[Infinity]", "bad-json"),
    (b"[-Infinity]", "bad-json"),
    (b"1e999", "bad-json"),
    (b"1.0", "bad-json"),
    (b"-0.0", "bad-json"),
    (b"1E2", "bad-json"),
    (b"01", "bad-json"),
    (b"+1", "bad-json"),
    (b"0x10", "bad-json"),
    (b"1_000", "bad-json"),
    (b"9" * 5000, "bad-json"),
    (b"", "bad-json"),
    (b" ", "bad-json"),
    (b"{", "bad-json"),
    (b'{"a":1', "bad-json"),
    (b'{"a":1}}', "bad-json"),
    (b"{} {}", "bad-json"),
    (b"[1,]", "bad-json"),
    (b'{"a":1,}', "bad-json"),
    (b"{a:1}", "bad-json"),
    (b"{'a':1}", "bad-json"),
    (b"[1 2]", "bad-json"),
    (b"nul", "bad-json"),
    (b"True", "bad-json"),
    (b'"\n"', "bad-json"),
    (b'"\\x41"', "bad-json"),
    (b'"\\ud800"', "bad-json"),
    (b'{"\\udfff":1}', "bad-json"),
    (b'["ok",{"a":["\\ud83d"]}]', "bad-json"),
    (b'"\xff"', "bad-json"),
    (b'"\xc0\x80"', "bad-json"),
    (b'"\xed\xa0\x80"', "bad-json"),
    ("[1]".encode("utf-16"), "bad-json"),
    ("[1]".encode("utf-32"), "bad-json"),
    (b"\xef\xbb\xbf[1]", "bad-json"),
    (b"// c\n1", "bad-json"),
    (b"[" * 65 + b"]" * 65, "too-deep"),
    (b'{"a":' * 65 + b"1" + b"}" * 65, "too-deep"),
    (b"[" * 100_000, "too-deep"),
    (b"[" * 100_000 + b"]" * 100_000, "too-deep"),
    (b'["]]",' * 70 + b"1" + b"]" * 70, "too-deep"),
    (b'["\\"]",' * 70 + b"1" + b"]" * 70, "too-deep"),
    (b'["\\\\",' * 70 + b"1" + b"]" * 70, "too-deep"),
]


@pytest.mark.parametrize(("data", "code"), REFUSED, ids=range(len(REFUSED)))
def test_refused(data: bytes, code: str) -> None:
    with pytest.raises(BadInputError) as caught:
        cj.loads(data, "the input")
    assert caught.value.code == code
    assert caught.value.message.startswith("the input")


def test_size_is_bounded_before_reading() -> None:
    with pytest.raises(BadInputError) as caught:
        cj.loads(b"[" * 11, "the input", max_bytes=10)
    assert caught.value.code == "too-large"
    assert cj.loads(b'"12345678"', "the input", max_bytes=10) == "12345678"


def test_values_are_bounded_before_any_is_built(monkeypatch) -> None:
    monkeypatch.setattr(cj, "MAX_VALUES", 10)
    assert cj.loads(b"[[],[],[],[],[]]", "x") == [[]] * 5
    assert cj.loads(b'[",,,,,,,,,,,,,,"]', "x") == [",,,,,,,,,,,,,,"]
    with pytest.raises(BadInputError) as caught:
        cj.loads(b"[[],[],[],[],[],1]", "x")
    assert caught.value.code == "too-large"


def test_depth_of_64_is_read_and_brackets_in_strings_do_not_count() -> None:
    assert cj.loads(b"[" * 64 + b"]" * 64, "x") is not None
    text = "[" * 1000 + '\\"' + "{" * 1000
    assert cj.loads(json.dumps([text, '"', "\\"]).encode(), "x") == [text, '"', "\\"]


def test_strings_over_chunk_borders_keep_their_brackets_inside() -> None:
    text = "[" * (3 << 20)
    assert cj.loads(json.dumps(["a", text, {"b": text}]).encode(), "x") == ["a", text, {"b": text}]


def test_integers_are_exact() -> None:
    assert cj.loads(b"[18446744073709551615,340282366920938463463374607431768211455]", "x") == [2**64 - 1, 2**128 - 1]


def test_whole_surrogate_pairs_are_text() -> None:
    assert cj.loads(b'"\\ud83d\\ude00"', "x") == "\U0001f600"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**130), 2**130) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(json_values)
def test_written_reads_back_and_has_one_text(value: object) -> None:
    data = cj.dumps(value)
    assert cj.loads(data, "x") == value
    assert cj.dumps(cj.loads(data, "x")) == data
    assert cj.loads(cj.dumps(value, indent=2), "x") == value


BAD_BASE64 = ["=", "==", "A", "AA", "AA=", "AB==", "AAB=", "AA==AA==", "AAAA=", "AAAA==", "AA\n==", "A===", "\xe9",
              " AA==", "AA==\n", "-_==", "AA-_", "AAA", "\u0661\u0661\u0661\u0661", "AA ==", "AA*="]  # fmt: skip


@pytest.mark.parametrize("text", BAD_BASE64)
def test_base64_has_one_spelling(text: str) -> None:
    with pytest.raises(BadInputError) as caught:
        cj.base64(text, "args")
    assert caught.value.code == "bad-base64"
    assert caught.value.where == "args"


@given(st.binary(max_size=40))
def test_base64_there_and_back(data: bytes) -> None:
    assert cj.base64(cj.base64_text(data), "x") == data


@given(st.text(alphabet="AQgw+/=", max_size=8))
def test_base64_that_is_read_is_what_would_be_written(text: str) -> None:
    try:
        data = cj.base64(text, "x")
    except BadInputError:
        return
    assert cj.base64_text(data) == text


@pytest.mark.parametrize(
    ("reader", "value"),
    [
        (cj.integer, -1), (cj.integer, 2**64), (cj.integer, "1"), (cj.integer, True), (cj.integer, None),
        (cj.integer, [1]),
        (cj.decimal, 1), (cj.decimal, "-1"), (cj.decimal, "+1"), (cj.decimal, " 1"), (cj.decimal, "1_0"),
        (cj.decimal, ""), (cj.decimal, str(2**128)), (cj.decimal, "\u0661"), (cj.decimal, "1" * 10_000),
        (cj.decimal, None),
        (cj.string, 1), (cj.string, None), (cj.boolean, 0), (cj.boolean, "true"), (cj.array, {}), (cj.mapping, []),
        (cj.base64, 1),
    ],
)  # fmt: skip
def test_fields_of_the_wrong_kind_name_their_place(reader: object, value: object) -> None:
    with pytest.raises(BadInputError) as caught:
        reader(value, "blocks[3].gas")  # type: ignore[operator]
    assert "blocks[3].gas" in caught.value.message
    assert len(caught.value.message) < 200


def test_bounds_themselves_are_read() -> None:
    assert cj.integer(2**64 - 1, "x") == 2**64 - 1
    assert cj.decimal(str(2**128 - 1), "x") == 2**128 - 1


def test_objects_are_closed() -> None:
    assert cj.members({"a": 1}, "x", required=["a"], optional=["b"]) == {"a": 1}
    with pytest.raises(BadInputError, match="lacks the member a"):
        cj.members({"b": 1}, "x", required=["a"], optional=["b"])
    with pytest.raises(BadInputError, match="unknown member 'c'"):
        cj.members({"a": 1, "c": 1}, "x", required=["a"], optional=["b"])
    with pytest.raises(BadInputError, match="expected an object"):
        cj.members([], "x", required=[])
