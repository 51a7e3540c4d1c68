"""Hash functions. None of them pays the base charge; each has its own.

Mirrors nearcore: runtime/near-vm-runner/src/wasmtime_runner/logic.rs
"""

from near_tee_cli.params.costs import ExtCost
from near_tee_cli.primitives import hashes
from near_tee_cli.vm.host.arguments import take
from near_tee_cli.vm.logic import Logic

_SHA256_BASE = ExtCost.SHA256_BASE.value
_SHA256_BYTE = ExtCost.SHA256_BYTE.value
_KECCAK256_BASE = ExtCost.KECCAK256_BASE.value
_KECCAK256_BYTE = ExtCost.KECCAK256_BYTE.value
_KECCAK512_BASE = ExtCost.KECCAK512_BASE.value
_KECCAK512_BYTE = ExtCost.KECCAK512_BYTE.value
_RIPEMD160_BASE = ExtCost.RIPEMD160_BASE.value
_RIPEMD160_BLOCK = ExtCost.RIPEMD160_BLOCK.value

_LENGTH_FIELD = 8
_BLOCK = 64


def sha256(logic: Logic, value_len: int, value_ptr: int, register_id: int) -> None:
    """SHA-256 of a value."""
    logic.gas.pay(_SHA256_BASE)
    value = take(logic, value_len, value_ptr)
    logic.gas.pay_per(_SHA256_BYTE, len(value))
    logic.registers.write(register_id, hashes.sha256(value))


def keccak256(logic: Logic, value_len: int, value_ptr: int, register_id: int) -> None:
    """Keccak-256 of a value."""
    logic.gas.pay(_KECCAK256_BASE)
    value = take(logic, value_len, value_ptr)
    logic.gas.pay_per(_KECCAK256_BYTE, len(value))
    logic.registers.write(register_id, hashes.keccak256(value))


def keccak512(logic: Logic, value_len: int, value_ptr: int, register_id: int) -> None:
    """Keccak-512 of a value."""
    logic.gas.pay(_KECCAK512_BASE)
    value = take(logic, value_len, value_ptr)
    logic.gas.pay_per(_KECCAK512_BYTE, len(value))
    logic.registers.write(register_id, hashes.keccak512(value))


def ripemd160(logic: Logic, value_len: int, value_ptr: int, register_id: int) -> None:
    """RIPEMD-160 of a value, charged by the blocks that the padded value fills."""
    logic.gas.pay(_RIPEMD160_BASE)
    value = take(logic, value_len, value_ptr)
    logic.gas.pay_per(_RIPEMD160_BLOCK, (len(value) + _LENGTH_FIELD) // _BLOCK + 1)
    logic.registers.write(register_id, hashes.ripemd160(value))
