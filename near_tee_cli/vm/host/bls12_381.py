"""BLS12-381: sums, multiples, maps to the curve, decompression, pairing checks.

Data is a row of items. All functions but the pairing check count items by the length that was passed, before they
read; so data in a register, whose length is then the largest u64, cannot be paid for. Data that is no valid point
somewhere gives 1 and leaves the register alone.

Mirrors nearcore: runtime/near-vm-runner/src/wasmtime_runner/logic.rs, runtime/near-vm-runner/src/logic/bls12381.rs
"""

from near_tee_cli.params.costs import ExtCost
from near_tee_cli.primitives.curves import bls12_381 as curve
from near_tee_cli.vm.failure import HostFailure, failure
from near_tee_cli.vm.host.arguments import take
from near_tee_cli.vm.logic import Logic

_P1_SUM_BASE = ExtCost.BLS12381_P1_SUM_BASE.value
_P1_SUM_ELEMENT = ExtCost.BLS12381_P1_SUM_ELEMENT.value
_P2_SUM_BASE = ExtCost.BLS12381_P2_SUM_BASE.value
_P2_SUM_ELEMENT = ExtCost.BLS12381_P2_SUM_ELEMENT.value
_G1_MULTIEXP_BASE = ExtCost.BLS12381_G1_MULTIEXP_BASE.value
_G1_MULTIEXP_ELEMENT = ExtCost.BLS12381_G1_MULTIEXP_ELEMENT.value
_G2_MULTIEXP_BASE = ExtCost.BLS12381_G2_MULTIEXP_BASE.value
_G2_MULTIEXP_ELEMENT = ExtCost.BLS12381_G2_MULTIEXP_ELEMENT.value
_MAP_FP_BASE = ExtCost.BLS12381_MAP_FP_TO_G1_BASE.value
_MAP_FP_ELEMENT = ExtCost.BLS12381_MAP_FP_TO_G1_ELEMENT.value
_MAP_FP2_BASE = ExtCost.BLS12381_MAP_FP2_TO_G2_BASE.value
_MAP_FP2_ELEMENT = ExtCost.BLS12381_MAP_FP2_TO_G2_ELEMENT.value
_PAIRING_BASE = ExtCost.BLS12381_PAIRING_BASE.value
_PAIRING_ELEMENT = ExtCost.BLS12381_PAIRING_ELEMENT.value
_P1_DECOMPRESS_BASE = ExtCost.BLS12381_P1_DECOMPRESS_BASE.value
_P1_DECOMPRESS_ELEMENT = ExtCost.BLS12381_P1_DECOMPRESS_ELEMENT.value
_P2_DECOMPRESS_BASE = ExtCost.BLS12381_P2_DECOMPRESS_BASE.value
_P2_DECOMPRESS_ELEMENT = ExtCost.BLS12381_P2_DECOMPRESS_ELEMENT.value

_P1 = curve.P1_SIZE
_P2 = curve.P2_SIZE
_SIGN = 1

_WRITTEN = 0
_INVALID = 1


def bls12381_p1_sum(logic: Logic, value_len: int, value_ptr: int, register_id: int) -> int:
    """The signed sum of points of the first curve."""
    logic.gas.pay(_P1_SUM_BASE)
    logic.gas.pay_per(_P1_SUM_ELEMENT, value_len // (_SIGN + _P1))
    data = _take_items(logic, value_len, value_ptr, size=_SIGN + _P1, name="bls12381_p1_sum")
    return _give(logic, register_id, curve.p1_sum(data, not_in_group_fix=logic.vm.bls12381_not_in_group_fix))


def bls12381_p2_sum(logic: Logic, value_len: int, value_ptr: int, register_id: int) -> int:
    """The signed sum of points of the second curve."""
    logic.gas.pay(_P2_SUM_BASE)
    logic.gas.pay_per(_P2_SUM_ELEMENT, value_len // (_SIGN + _P2))
    data = _take_items(logic, value_len, value_ptr, size=_SIGN + _P2, name="bls12381_p2_sum")
    return _give(logic, register_id, curve.p2_sum(data))


def bls12381_g1_multiexp(logic: Logic, value_len: int, value_ptr: int, register_id: int) -> int:
    """The sum of multiples of points of the first group."""
    size = _P1 + curve.SCALAR_SIZE
    logic.gas.pay(_G1_MULTIEXP_BASE)
    logic.gas.pay_per(_G1_MULTIEXP_ELEMENT, value_len // size)
    data = _take_items(logic, value_len, value_ptr, size=size, name="bls12381_p1_multiexp")
    return _give(logic, register_id, curve.g1_multiexp(data))


def bls12381_g2_multiexp(logic: Logic, value_len: int, value_ptr: int, register_id: int) -> int:
    """The sum of multiples of points of the second group."""
    size = _P2 + curve.SCALAR_SIZE
    logic.gas.pay(_G2_MULTIEXP_BASE)
    logic.gas.pay_per(_G2_MULTIEXP_ELEMENT, value_len // size)
    data = _take_items(logic, value_len, value_ptr, size=size, name="bls12381_p2_multiexp")
    return _give(logic, register_id, curve.g2_multiexp(data))


def bls12381_map_fp_to_g1(logic: Logic, value_len: int, value_ptr: int, register_id: int) -> int:
    """The points of the first group that field elements map to."""
    logic.gas.pay(_MAP_FP_BASE)
    logic.gas.pay_per(_MAP_FP_ELEMENT, value_len // curve.FP_SIZE)
    data = _take_items(logic, value_len, value_ptr, size=curve.FP_SIZE, name="bls12381_map_fp_to_g1")
    return _give(logic, register_id, curve.map_fp_to_g1(data))


def bls12381_map_fp2_to_g2(logic: Logic, value_len: int, value_ptr: int, register_id: int) -> int:
    """The points of the second group that elements of the quadratic field map to."""
    logic.gas.pay(_MAP_FP2_BASE)
    logic.gas.pay_per(_MAP_FP2_ELEMENT, value_len // curve.FP2_SIZE)
    data = _take_items(logic, value_len, value_ptr, size=curve.FP2_SIZE, name="bls12381_map_fp2_to_g2")
    return _give(logic, register_id, curve.map_fp2_to_g2(data))


def bls12381_p1_decompress(logic: Logic, value_len: int, value_ptr: int, register_id: int) -> int:
    """Points of the first curve from their compressed form."""
    logic.gas.pay(_P1_DECOMPRESS_BASE)
    logic.gas.pay_per(_P1_DECOMPRESS_ELEMENT, value_len // curve.FP_SIZE)
    data = _take_items(logic, value_len, value_ptr, size=curve.FP_SIZE, name="bls12381_p1_decompress")
    points = curve.p1_decompress(data, not_in_group_fix=logic.vm.bls12381_not_in_group_fix)
    return _give(logic, register_id, points)


def bls12381_p2_decompress(logic: Logic, value_len: int, value_ptr: int, register_id: int) -> int:
    """Points of the second curve from their compressed form."""
    logic.gas.pay(_P2_DECOMPRESS_BASE)
    logic.gas.pay_per(_P2_DECOMPRESS_ELEMENT, value_len // curve.FP2_SIZE)
    data = _take_items(logic, value_len, value_ptr, size=curve.FP2_SIZE, name="bls12381_p2_decompress")
    return _give(logic, register_id, curve.p2_decompress(data))


def bls12381_pairing_check(logic: Logic, value_len: int, value_ptr: int) -> int:
    """Whether a product of pairings is one (0) or not (2); 1 for invalid data. Items are counted after reading."""
    size = _P1 + _P2
    logic.gas.pay(_PAIRING_BASE)
    data = take(logic, value_len, value_ptr)
    logic.gas.pay_per(_PAIRING_ELEMENT, len(data) // size)
    if len(data) % size:
        raise _uneven("bls12381_pairing_check", len(data), size)
    return curve.pairing_check(data)


def _take_items(logic: Logic, value_len: int, value_ptr: int, *, size: int, name: str) -> bytes:
    data = take(logic, value_len, value_ptr)
    if len(data) % size:
        raise _uneven(name, len(data), size)
    return data


def _uneven(name: str, length: int, size: int) -> HostFailure:
    text = f"Incorrect input length for {name}: {length} is not divisible by {size}"
    return failure("BLS12381InvalidInput", msg=text)


def _give(logic: Logic, register_id: int, result: bytes | None) -> int:
    if result is None:
        return _INVALID
    logic.registers.write(register_id, result)
    return _WRITTEN
