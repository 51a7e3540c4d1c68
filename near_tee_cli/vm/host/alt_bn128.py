"""alt_bn128: multiples, sums and pairing checks over rows of items.

Unlike the functions of BLS12-381 these count the items that were read, and data that is no valid item somewhere
fails the call, after its charge.

Mirrors nearcore: runtime/near-vm-runner/src/wasmtime_runner/logic.rs, runtime/near-vm-runner/src/logic/alt_bn128.rs
"""

from collections.abc import Callable
from typing import TypeVar

from near_tee_cli.params.costs import ExtCost
from near_tee_cli.primitives.curves import alt_bn128 as curve
from near_tee_cli.vm.failure import failure
from near_tee_cli.vm.host.arguments import take
from near_tee_cli.vm.logic import Logic

_MULTIEXP_BASE = ExtCost.ALT_BN128_G1_MULTIEXP_BASE.value
_MULTIEXP_ELEMENT = ExtCost.ALT_BN128_G1_MULTIEXP_ELEMENT.value
_SUM_BASE = ExtCost.ALT_BN128_G1_SUM_BASE.value
_SUM_ELEMENT = ExtCost.ALT_BN128_G1_SUM_ELEMENT.value
_PAIRING_BASE = ExtCost.ALT_BN128_PAIRING_CHECK_BASE.value
_PAIRING_ELEMENT = ExtCost.ALT_BN128_PAIRING_CHECK_ELEMENT.value

T = TypeVar("T")


def alt_bn128_g1_multiexp(logic: Logic, value_len: int, value_ptr: int, register_id: int) -> None:
    """The sum of multiples of points."""
    logic.gas.pay(_MULTIEXP_BASE)
    data = _take_items(logic, value_len, value_ptr, size=curve.MULTIEXP_ITEM_SIZE, element=_MULTIEXP_ELEMENT)
    logic.registers.write(register_id, _computed(curve.g1_multiexp, data))


def alt_bn128_g1_sum(logic: Logic, value_len: int, value_ptr: int, register_id: int) -> None:
    """The signed sum of points."""
    logic.gas.pay(_SUM_BASE)
    data = _take_items(logic, value_len, value_ptr, size=curve.SUM_ITEM_SIZE, element=_SUM_ELEMENT)
    logic.registers.write(register_id, _computed(curve.g1_sum, data))


def alt_bn128_pairing_check(logic: Logic, value_len: int, value_ptr: int) -> int:
    """Whether a product of pairings is one."""
    logic.gas.pay(_PAIRING_BASE)
    data = _take_items(logic, value_len, value_ptr, size=curve.PAIRING_ITEM_SIZE, element=_PAIRING_ELEMENT)
    return int(_computed(curve.pairing_check, data))


def _take_items(logic: Logic, value_len: int, value_ptr: int, *, size: int, element: int) -> bytes:
    """Data that is a whole number of items, each paid for."""
    data = take(logic, value_len, value_ptr)
    try:
        curve.require_whole_items(len(data), size)
    except curve.InvalidInputError as problem:
        raise failure("AltBn128InvalidInput", msg=str(problem)) from None
    logic.gas.pay_per(element, len(data) // size)
    return data


def _computed(compute: Callable[[bytes], T], data: bytes) -> T:
    try:
        return compute(data)
    except curve.InvalidInputError as problem:
        raise failure("AltBn128InvalidInput", msg=str(problem)) from None
