"""The strict door before `borsh_construct`: everything lenient about it is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives import borsh

PERSON = borsh.record(
    name=borsh.string,
    age=borsh.option(borsh.u8),
    tags=borsh.vector(borsh.string),
    key=borsh.hash32,
    blob=borsh.blob,
    flag=borsh.boolean,
    big=borsh.u128,
    pair=borsh.record(a=borsh.u16, b=borsh.u64),
    four=borsh.raw(4),
    count=borsh.u32,
)

people = st.fixed_dictionaries(
    {
        "name": st.text(max_size=5),
        "age": st.none() | st.integers(0, 255),
        "tags": st.lists(st.text(max_size=3), max_size=3),
        "key": st.binary(min_size=32, max_size=32),
        "blob": st.binary(max_size=9),
        "flag": st.booleans(),
        "big": st.integers(0, 2**128 - 1),
        "pair": st.fixed_dictionaries({"a": st.integers(0, 2**16 - 1), "b": st.integers(0, 2**64 - 1)}),
        "four": st.binary(min_size=4, max_size=4),
        "count": st.integers(0, 2**32 - 1),
    }
)


@given(people)
def test_there_and_back(value) -> None:
    data = borsh.encode(PERSON, value, "person")
    assert borsh.decode(PERSON, data, "person", max_bytes=1000) == value


@given(people, st.data())
def test_only_the_one_encoding_is_read(value, draw) -> None:
    data = bytearray(borsh.encode(PERSON, value, "person"))
    at = draw.draw(st.integers(0, len(data) - 1))
    data[at] ^= 1 << draw.draw(st.integers(0, 7))
    try:
        back = borsh.decode(PERSON, bytes(data), "person", max_bytes=10_000)
    except BadInputError:
        return
    assert borsh.encode(PERSON, back, "person") == bytes(data)


BAD = [
    (borsh.u8, b"\1\2"),
    (borsh.u8, b""),
    (borsh.option(borsh.u8), b"\2\1"),
    (borsh.option(borsh.u8), b"\1"),
    (borsh.boolean, b"\2"),
    (borsh.string, b"\1\0\0\0\xff"),
    (borsh.string, b"\5\0\0\0abc"),
    (borsh.blob, b"\xff\xff\xff\xff"),
    (borsh.vector(borsh.u8), b"\xff\xff\xff\xff\0"),
    (borsh.vector(borsh.string), b"\xff\xff\xff\xff"),
    (borsh.hash32, bytes(31)),
    (borsh.record(a=borsh.u8), b""),
]


@pytest.mark.parametrize(("schema", "data"), BAD, ids=range(len(BAD)))
def test_what_is_lenient_is_refused(schema, data) -> None:
    with pytest.raises(BadInputError, match="the thing"):
        borsh.decode(schema, data, "the thing", max_bytes=100)


def test_size_is_bounded_first() -> None:
    with pytest.raises(BadInputError) as caught:
        borsh.decode(borsh.u8, bytes(11), "the thing", max_bytes=10)
    assert caught.value.code == "too-large"


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (borsh.u8, 256), (borsh.u8, -1), (borsh.u8, "1"), (borsh.u8, None), (borsh.u64, 2**64), (borsh.u128, 2**128),
        (borsh.string, 1), (borsh.string, "\ud800"), (borsh.hash32, bytes(31)), (borsh.record(a=borsh.u8), {}),
        (borsh.record(a=borsh.u8), 3), (borsh.vector(borsh.u8), 3), (borsh.vector(borsh.u8), [256]),
    ],
)  # fmt: skip
def test_values_that_do_not_fit(schema, value) -> None:
    with pytest.raises(BadInputError, match="the thing"):
        borsh.encode(schema, value, "the thing")


SHAPE = borsh.union(point_0=borsh.nothing, circle_2=borsh.u16, text_5=borsh.string)


@pytest.mark.parametrize(
    ("value", "data"),
    [
        ({"kind": "point", "value": None}, b"\0"),
        ({"kind": "circle", "value": 7}, b"\2\7\0"),
        ({"kind": "text", "value": "a"}, b"\5\1\0\0\0a"),
    ],
)
def test_unions(value, data) -> None:
    assert borsh.encode(SHAPE, value, "shape") == data
    assert borsh.decode(SHAPE, data, "shape", max_bytes=10) == value


@pytest.mark.parametrize("data", [b"\1", b"\2", b"\0\0", b"", b"\6\0"])
def test_unions_know_their_kinds(data) -> None:
    with pytest.raises(BadInputError):
        borsh.decode(SHAPE, data, "shape", max_bytes=10)


@pytest.mark.parametrize(
    "value", [{"kind": "square", "value": 1}, {"kind": "circle", "value": None}, {"kind": "circle"}]
)
def test_unions_write_only_what_fits(value) -> None:
    with pytest.raises(BadInputError):
        borsh.encode(SHAPE, value, "shape")
