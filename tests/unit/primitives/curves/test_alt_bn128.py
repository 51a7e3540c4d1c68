"""alt_bn128: nearcore's own cases, answers of the library that it links, and the laws of groups and pairings."""

import json
import pathlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from near_tee_cli.primitives.curves import alt_bn128 as bn
from near_tee_cli.primitives.curves import bn254_pairing

DATA = pathlib.Path(__file__).parent.parent / "data"
OWN = json.loads((DATA / "alt_bn128.json").read_text())
RECORDED = json.loads((DATA / "alt_bn128_zeropool.json").read_text())
SIZES = {"g1_multiexp": bn.MULTIEXP_ITEM_SIZE, "g1_sum": bn.SUM_ITEM_SIZE, "pairing_check": bn.PAIRING_ITEM_SIZE}

GENERATOR_1 = (1).to_bytes(32, "little") + (2).to_bytes(32, "little")
GENERATOR_2 = (
    (
        10857046999023057135944570762232829481370756359578518086990519993285655852781,
        11559732032986387107991004021392285783925812861821192530917403151452391805634,
    ),
    (
        8495653923123431417604973247489272438418190587263600148770280649306958101930,
        4082367875863433681332203403145435568316851327593401208105741076214120093531,
    ),
)


def answer(function: str, data: bytes) -> str:
    """The result as text: `1` or `0` for a verdict, hexadecimal for a point, the message after `error`."""
    try:
        bn.require_whole_items(len(data), SIZES[function])
        result = getattr(bn, function)(data)
    except bn.InvalidInputError as problem:
        return f"error {problem}"
    return result.hex() if isinstance(result, bytes) else str(int(result))


@pytest.mark.parametrize("case", OWN, ids=range(len(OWN)))
def test_cases_of_nearcore(case: dict[str, Any]) -> None:
    got = answer(case["function"], bytes.fromhex(case["data"]))
    if "error" in case:
        assert got.startswith("error ")
        assert case["error"] in got
    else:
        assert got == case["result"]


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: f"{case['function']}: {case['about']}")
def test_recorded_answers(case: dict[str, Any]) -> None:
    expected = f"error {case['error']}" if "error" in case else case["result"]
    assert answer(case["function"], bytes.fromhex(case["data"])) == expected


def first(scalar: int) -> bytes:
    return bn.g1_multiexp(GENERATOR_1 + (scalar % bn.R).to_bytes(32, "little"))


def second(scalar: int) -> bytes:
    if scalar % bn.R == 0:
        return bytes(128)
    x, y, z = bn254_pairing._multiple_2((*GENERATOR_2, (1, 0)), scalar % bn.R)
    (inverse,) = bn254_pairing._inverted([z])
    square = bn254_pairing._square(inverse)
    cube = bn254_pairing._mul(square, inverse)
    numbers = (*bn254_pairing._mul(x, square), *bn254_pairing._mul(y, cube))
    return b"".join(number.to_bytes(32, "little") for number in numbers)


SCALARS = st.integers(0, bn.R - 1) | st.integers(0, 40) | st.integers(bn.R - 40, bn.R - 1)


@given(st.lists(SCALARS, max_size=6))
def test_multiples_of_multiples(scalars: list[int]) -> None:
    data = b"".join(first(scalar) + (scalar + 1).to_bytes(32, "little") for scalar in scalars if scalar + 1 < bn.R)
    total = sum(scalar * (scalar + 1) for scalar in scalars if scalar + 1 < bn.R)
    assert bn.g1_multiexp(data) == first(total)


@given(st.lists(st.tuples(st.booleans(), SCALARS), max_size=6))
def test_sums_follow_the_scalars(terms: list[tuple[bool, int]]) -> None:
    data = b"".join(bytes([negative]) + first(scalar) for negative, scalar in terms)
    assert bn.g1_sum(data) == first(sum(-scalar if negative else scalar for negative, scalar in terms))


@given(SCALARS)
def test_a_split_scalar_is_the_scalar(scalar: int) -> None:
    k1, k2 = bn._split(scalar)
    assert (k1 + k2 * bn._EIGENVALUE - scalar) % bn.R == 0
    assert max(abs(k1), abs(k2)).bit_length() <= 128


@settings(max_examples=40)
@given(SCALARS, SCALARS, SCALARS, st.integers(-1, 1))
def test_pairing_is_bilinear(a: int, b: int, c: int, off: int) -> None:
    data = first(a) + second(b) + first(c) + second(1) + first(-a * b - c + off) + second(1)
    assert bn.pairing_check(data) == (off == 0)


def test_constants() -> None:
    assert bn254_pairing.P == 21888242871839275222246405745257275088696311157297823662689037894645226208583
    assert bn.R == 36 * bn254_pairing.U**4 + 36 * bn254_pairing.U**3 + 18 * bn254_pairing.U**2 + 6 * bn254_pairing.U + 1
    assert (bn._EIGENVALUE**2 + bn._EIGENVALUE + 1) % bn.R == 0
    assert pow(bn._CUBE_ROOT, 3, bn254_pairing.P) == 1 != bn._CUBE_ROOT
    for a, b in ((bn._A1, bn._B1), (bn._A2, bn._B2)):
        assert (a + b * bn._EIGENVALUE) % bn.R == 0
    power = (1, 0)
    for bit in f"{(bn254_pairing.P - 1) // 6:b}":
        power = bn254_pairing._square(power)
        if bit == "1":
            power = bn254_pairing._mul(power, (9, 1))
    assert power == bn254_pairing._XI_SIXTH
    assert bn254_pairing._square(power) == bn254_pairing._XI_THIRD
    assert bn254_pairing._mul(bn254_pairing._XI_THIRD, power) == bn254_pairing._XI_HALF
    assert bn254_pairing._mul(bn254_pairing._THREE_OVER_XI, (9, 1)) == (3, 0)


VALUES = st.tuples(*[st.integers(0, bn254_pairing.P - 1)] * 12)


def schoolbook(left: tuple[int, ...], right: tuple[int, ...]) -> tuple[int, ...]:
    """The product in powers of w, reduced by w**6 = 9 + i."""
    parts = [(0, 0)] * 11
    for i in range(6):
        for j in range(6):
            a, b = bn254_pairing._mul((left[2 * i], left[2 * i + 1]), (right[2 * j], right[2 * j + 1]))
            parts[i + j] = parts[i + j][0] + a, parts[i + j][1] + b
    for i in range(10, 5, -1):
        a, b = parts[i]
        parts[i - 6] = parts[i - 6][0] + 9 * a - b, parts[i - 6][1] + 9 * b + a
    return tuple(number % bn254_pairing.P for part in parts[:6] for number in part)


def reduced(value: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(number % bn254_pairing.P for number in value)


@settings(max_examples=60)
@given(VALUES, VALUES)
def test_arithmetic_of_the_pairing_field(left: bn254_pairing.Value, right: bn254_pairing.Value) -> None:
    assert reduced(bn254_pairing._product(left, right)) == schoolbook(left, right)
    assert reduced(bn254_pairing._squared(left)) == schoolbook(left, left)
    line = (1, 0, right[0], right[1], 0, 0, right[2], right[3], 0, 0, 0, 0)
    assert bn254_pairing._times_line(left, right[:2], right[2:4]) == schoolbook(left, line)
    if any(left):
        assert schoolbook(left, bn254_pairing._inverse(left)) == bn254_pairing._ONE
    frobenius = bn254_pairing._frobenius(left, 6)
    assert reduced(frobenius) == reduced(bn254_pairing._conjugate(left))
