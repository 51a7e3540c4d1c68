"""Registers: `read_register`, `register_len`, `write_register`.

Mirrors nearcore: runtime/near-vm-runner/src/wasmtime_runner/logic.rs
"""

from near_tee_cli.vm.failure import U64_MAX
from near_tee_cli.vm.logic import Logic


def read_register(logic: Logic, register_id: int, ptr: int) -> None:
    """Copy a register into memory."""
    logic.memory.write(ptr, logic.registers.read(register_id))


def register_len(logic: Logic, register_id: int) -> int:
    """Length of a register, the largest u64 if it was never written."""
    value = logic.registers.values.get(register_id)
    return U64_MAX if value is None else len(value)


def write_register(logic: Logic, register_id: int, data_len: int, data_ptr: int) -> None:
    """Copy memory into a register; the data is always in memory, whatever its length says."""
    logic.registers.write(register_id, logic.memory.read(data_ptr, data_len))
