"""Registers: where the host keeps what it hands to a contract piecemeal.

Mirrors nearcore: runtime/near-vm-runner/src/logic/vmstate.rs
"""

from near_tee_cli.params.config import VMConfig
from near_tee_cli.params.costs import ExtCost
from near_tee_cli.vm.failure import failure
from near_tee_cli.vm.gas import GasCounter

_READ_BASE = ExtCost.READ_REGISTER_BASE.value
_READ_BYTE = ExtCost.READ_REGISTER_BYTE.value
_WRITE_BASE = ExtCost.WRITE_REGISTER_BASE.value
_WRITE_BYTE = ExtCost.WRITE_REGISTER_BYTE.value

_OVERHEAD = 8
"""Bytes that a register counts beside its value."""


class Registers:
    """The registers of one call, by number; any u64 is one."""

    __slots__ = ("_gas", "_max_count", "_max_size", "_max_usage", "_usage", "values")

    def __init__(self, gas: GasCounter, config: VMConfig) -> None:
        self._gas = gas
        self._max_count = config.max_number_registers
        self._max_size = config.max_register_size
        self._max_usage = config.registers_memory_limit
        self._usage = 0
        self.values: dict[int, bytes] = {}

    def begin(self) -> None:
        """Forget every register."""
        self._usage = 0
        self.values.clear()

    def read(self, register_id: int) -> bytes:
        """The value of a register, charged by length. A register never written is `InvalidRegisterId`, for free."""
        value = self.values.get(register_id)
        if value is None:
            raise failure("InvalidRegisterId", register_id=register_id)
        self._gas.pay_both(_READ_BASE, _READ_BYTE, len(value))
        return value

    def write(self, register_id: int, value: bytes) -> None:
        """Set a register, charged by length. Beyond a limit: `MemoryAccessViolation`, nothing stored."""
        self._gas.pay_both(_WRITE_BASE, _WRITE_BYTE, len(value))
        self._store(register_id, value)

    def share(self, register_id: int, value: bytes) -> None:
        """Set a register to a value that nobody copies: no charge by length, else as `write`."""
        self._gas.pay(_WRITE_BASE)
        self._store(register_id, value)

    def _store(self, register_id: int, value: bytes) -> None:
        values = self.values
        size = len(value)
        # NOTE: with all registers in use even overwriting one fails; the protocol keeps this.
        if size > self._max_size or len(values) >= self._max_count:
            raise failure("MemoryAccessViolation")
        usage = self._usage + size + _OVERHEAD
        old = values.get(register_id)
        if old is not None:
            usage -= len(old) + _OVERHEAD
        if usage > self._max_usage:
            raise failure("MemoryAccessViolation")
        self._usage = usage
        values[register_id] = value
