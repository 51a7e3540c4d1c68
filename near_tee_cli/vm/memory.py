"""The contract's linear memory as the host sees it: bounded by us, charged by length.

The engine reserves the largest possible memory at a fixed address and lets it grow in place, so one view serves a
whole call. Touching what has not grown yet would kill the process: every access is compared with the current size,
which is asked again only when the size known so far does not suffice.

Mirrors nearcore: runtime/near-vm-runner/src/logic/vmstate.rs, runtime/near-vm-runner/src/wasmtime_runner/logic.rs
"""

from collections.abc import Callable
from ctypes import c_char
from typing import Protocol, cast

from near_tee_cli.params.costs import ExtCost
from near_tee_cli.vm.failure import failure
from near_tee_cli.vm.gas import GasCounter

_READ_BASE = ExtCost.READ_MEMORY_BASE.value
_READ_BYTE = ExtCost.READ_MEMORY_BYTE.value
_WRITE_BASE = ExtCost.WRITE_MEMORY_BASE.value
_WRITE_BYTE = ExtCost.WRITE_MEMORY_BYTE.value
_U128_BYTES = 16

_NOTHING = (c_char * 0)()


class _Sliceable(Protocol):
    """What an array of `c_char` is, and no type of `ctypes` says: its slices are bytes."""

    def __getitem__(self, part: slice, /) -> bytes: ...


class Memory:
    """Guest memory of one call. Positions and lengths are any u64, as the contract passed them."""

    __slots__ = ("_bytes", "_gas", "_size", "_size_now", "_type", "_view")

    def __init__(self, gas: GasCounter, *, capacity: int) -> None:
        """`capacity`: bytes that the memory can grow to."""
        self._gas = gas
        self._type = c_char * capacity
        self.detach()

    def attach(self, base: int, size_now: Callable[[], int]) -> None:
        """Look at the memory that begins at address `base`; `size_now` gives its current size in bytes."""
        array = self._type.from_address(base)
        self._bytes = cast("_Sliceable", array)
        self._view = memoryview(array).cast("B")
        self._size_now = size_now
        self._size = size_now()

    def detach(self) -> None:
        """Look at no memory any more."""
        self._bytes = cast("_Sliceable", _NOTHING)
        self._view = memoryview(_NOTHING).cast("B")
        self._size_now = _zero
        self._size = 0

    def read(self, pointer: int, length: int) -> bytes:
        """`length` bytes, charged before their bounds are checked (`MemoryAccessViolation`)."""
        self._gas.pay_both(_READ_BASE, _READ_BYTE, length)
        end = pointer + length
        if end > self._size:
            self._grow_to(end)
        return self._bytes[pointer:end]

    def write(self, pointer: int, data: bytes) -> None:
        """Put `data`, charged before its bounds are checked (`MemoryAccessViolation`)."""
        length = len(data)
        self._gas.pay_both(_WRITE_BASE, _WRITE_BYTE, length)
        end = pointer + length
        if end > self._size:
            self._grow_to(end)
        self._view[pointer:end] = data

    def peek(self, pointer: int, length: int) -> bytes:
        """`length` bytes without a charge; out of bounds is `MemoryAccessViolation`."""
        end = pointer + length
        if end > self._size:
            self._grow_to(end)
        return self._bytes[pointer:end]

    def peek_up_to(self, pointer: int, length: int) -> bytes:
        """Without a charge: as many of `length` bytes as there are."""
        end = pointer + length
        if end > self._size:
            self._size = self._size_now()
            end = min(end, self._size)
        return self._bytes[pointer:end] if pointer < end else b""

    def pay_reads(self, *, width: int, count: int) -> None:
        """Charge `count` reads of `width` bytes that somebody else looks at."""
        gas = self._gas
        each = gas.prices[_READ_BASE] + gas.prices[_READ_BYTE] * width
        if each * count > gas.remaining:
            for _ in range(count):
                gas.pay_both(_READ_BASE, _READ_BYTE, width)
        gas.remaining -= each * count
        gas.units[_READ_BASE] += count
        gas.units[_READ_BYTE] += width * count

    def read_u32(self, pointer: int) -> int:
        """A charged u32, little endian."""
        return int.from_bytes(self.read(pointer, 4), "little")

    def read_u128(self, pointer: int) -> int:
        """A charged u128, little endian."""
        return int.from_bytes(self.read(pointer, _U128_BYTES), "little")

    def write_u128(self, pointer: int, number: int) -> None:
        """Put a charged u128, little endian."""
        self.write(pointer, number.to_bytes(_U128_BYTES, "little"))

    def _grow_to(self, end: int) -> None:
        self._size = self._size_now()
        if end > self._size:
            raise failure("MemoryAccessViolation")


def _zero() -> int:
    return 0
