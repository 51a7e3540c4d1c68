"""BLS12-381: nearcore's vectors of EIP-2537, answers of the library that it links, and the laws of pairings."""

import json
import pathlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from near_tee_cli.primitives.curves import bls12_381 as bls

DATA = pathlib.Path(__file__).parent.parent / "data"
EIP2537 = json.loads((DATA / "bls12_381_eip2537.json").read_text())
RECORDED = json.loads((DATA / "bls12_381_blst.json").read_text())
ORDER = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001


def answer(function: str, data: bytes, *, fix: bool = False) -> str | int | None:
    if function in {"p1_sum", "p1_decompress"}:
        result = getattr(bls, function)(data, not_in_group_fix=fix)
    else:
        result = getattr(bls, function)(data)
    return result.hex() if isinstance(result, bytes) else result


@pytest.mark.parametrize("case", EIP2537, ids=lambda case: case["source"])
def test_cases_of_nearcore(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["data"])
    assert answer(case["function"], data, fix=True) == case["result"]
    expected = None if case["source"] == "g1_add_x0" else case["result"]
    assert answer(case["function"], data) == expected


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: f"{case['function']}: {case['about']}")
def test_recorded_answers(case: dict[str, Any]) -> None:
    assert answer(case["function"], bytes.fromhex(case["data"]), fix=case.get("fix", False)) == case["result"]


def generators() -> tuple[bytes, bytes]:
    from py_arkworks_bls12381 import G1Point, G2Point

    return bls._written_1(G1Point()), bls._written_2(G2Point())


def first(scalar: int) -> bytes:
    return bls.g1_multiexp(generators()[0] + (scalar % ORDER).to_bytes(32, "little"))


def second(scalar: int) -> bytes:
    return bls.g2_multiexp(generators()[1] + (scalar % ORDER).to_bytes(32, "little"))


SCALARS = st.integers(0, ORDER - 1) | st.integers(0, 20)


@settings(max_examples=60)
@given(SCALARS, SCALARS, st.integers(-1, 1))
def test_pairing_is_bilinear(a: int, b: int, off: int) -> None:
    data = first(a) + second(b) + first(-a * b + off) + second(1)
    assert bls.pairing_check(data) == (bls.PAIRING_IS_ONE if off == 0 else bls.PAIRING_IS_NOT_ONE)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.booleans(), SCALARS), max_size=4))
def test_sums_follow_the_scalars(terms: list[tuple[bool, int]]) -> None:
    total = sum(-scalar if negative else scalar for negative, scalar in terms)
    data_1 = b"".join(bytes([negative]) + first(scalar) for negative, scalar in terms)
    data_2 = b"".join(bytes([negative]) + second(scalar) for negative, scalar in terms)
    assert bls.p1_sum(data_1, not_in_group_fix=False) == first(total)
    assert bls.p2_sum(data_2) == second(total)


@settings(max_examples=60)
@given(SCALARS)
def test_compressed_points_come_back(scalar: int) -> None:
    from py_arkworks_bls12381 import G1Point, G2Point, Scalar

    point_1, point_2 = first(scalar), second(scalar)
    compressed_1 = (G1Point() * Scalar(scalar)).to_compressed_bytes()
    compressed_2 = (G2Point() * Scalar(scalar)).to_compressed_bytes()
    assert bls.p1_decompress(compressed_1, not_in_group_fix=False) == point_1
    assert bls.p2_decompress(compressed_2) == point_2
