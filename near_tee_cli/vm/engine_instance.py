"""One instance of a compiled contract: its memory, its gas, its exports, and how calls into it end.

Instances are made and thrown away for every call, so this is kept short: one store, one instantiation of a
module whose imports are already resolved, three exports looked up.

A trap is a value (`Trap`). Two things are not: a native stack overflow, which the modelled stack limit of NEAR
must always precede, and any trap that a contract under NEAR's rules cannot cause. Both say that this machine
cannot go on, never that the contract failed.

Mirrors nearcore: runtime/near-vm-runner/src/wasmtime_runner/mod.rs,
runtime/near-vm-runner/src/wasmtime_runner/trap_classification.rs
"""

from ctypes import CDLL, addressof, byref, c_uint8, c_void_p
from enum import Enum
from typing import NamedTuple

from near_tee_cli.errors import HostError
from near_tee_cli.vm.engine_api import (
    EXTERN_FUNC,
    EXTERN_GLOBAL,
    EXTERN_MEMORY,
    ITEM_OFFSET,
    KIND_I64,
    ByteVec,
    Extern,
    InstanceHandle,
    Value,
    Words,
    taken_bytes,
    taken_error,
)


class Trap(Enum):
    """Why a call into wasm ended early."""

    MEMORY_OUT_OF_BOUNDS = "memory out of bounds"
    """Also a table access out of bounds, and `call_indirect` beyond the table."""
    INDIRECT_CALL_TO_NULL = "indirect call to null"
    BAD_SIGNATURE = "indirect call with the wrong signature"
    ILLEGAL_ARITHMETIC = "illegal arithmetic"
    UNREACHABLE = "unreachable"
    HOST = "raised by a host function"
    """The callback returned a trap of ours; why is known to whoever owns the callback."""


TRAPS = {
    1: Trap.MEMORY_OUT_OF_BOUNDS,
    3: Trap.MEMORY_OUT_OF_BOUNDS,
    4: Trap.INDIRECT_CALL_TO_NULL,
    5: Trap.BAD_SIGNATURE,
    6: Trap.ILLEGAL_ARITHMETIC,
    7: Trap.ILLEGAL_ARITHMETIC,
    8: Trap.ILLEGAL_ARITHMETIC,
    9: Trap.UNREACHABLE,
    10: Trap.HOST,
}
"""`wasmtime_trap_code_t` as traps; every other code is a problem of the host."""

STACK_OVERFLOW = 0
"""The trap code of a native stack overflow."""

HOST_TRAP = 10
"""The trap code that our callbacks use: an interruption, which nothing else can cause under our configuration."""


class Limits(NamedTuple):
    """What one instance may have; a `grow` beyond it gives -1."""

    memory_bytes: int
    table_elements: int
    tables: int


class LinkedModule:
    """A module whose imports are resolved, from which instances are made."""

    __slots__ = ("_c", "_engine", "_linker", "_module", "_pointer")

    def __init__(self, c: CDLL, pointer: int, *, engine: int, module: int, linker: object) -> None:
        """Takes over `pointer` (`wasmtime_instance_pre_t`) and `module`; `engine` stays the caller's.

        `linker` is kept because it owns the callbacks that instances will call.
        """
        self._c = c
        self._linker = linker
        self._pointer = pointer
        self._engine = engine
        self._module = module

    def instantiate(self, limits: Limits) -> "Instance | Trap":
        """A fresh instance, its data and element segments in place; `Trap` when one of them lies outside.

        Raises `HostError` when the machine cannot give what the instance needs.
        """
        c = self._c
        store = c.wasmtime_store_new(self._engine, None, None)
        if store is None:
            raise HostError("wasmtime made no store", code="host-engine")
        c.wasmtime_store_limiter(store, limits.memory_bytes, limits.table_elements, 1, limits.tables, 1)
        context = c.wasmtime_store_context(store)
        handle = InstanceHandle()
        trap = c_void_p()
        error = c.wasmtime_instance_pre_instantiate(self._pointer, context, handle, byref(trap))
        if not error and trap.value is None:
            return Instance(c, store, context=context, handle=handle, linker=self._linker)
        try:
            return _failure(c, error, trap.value)
        finally:
            c.wasmtime_store_delete(store)

    def close(self) -> None:
        """Give this and its module back; instances made of it stay usable."""
        self._c.wasmtime_instance_pre_delete(self._pointer)
        self._c.wasmtime_module_delete(self._module)


class Instance:
    """A running contract. `close` it; its memory is unmapped then."""

    __slots__ = (
        "_c",
        "_context",
        "_globals",
        "_handle",
        "_linker",
        "_memory",
        "_store",
        "_trap",
        "_value",
        "memory_base",
    )

    memory_base: int
    """Address of the first byte of the linear memory; it never moves."""

    def __init__(self, c: CDLL, store: int, *, context: int, handle: Words, linker: object) -> None:
        """Takes over `store`, and keeps `linker` for the callbacks that it owns."""
        self._c = c
        self._linker = linker
        self._store = store
        self._context = context
        self._handle = handle
        self._globals: dict[bytes, Words] = {}
        self._value = Value(KIND_I64)
        self._trap = c_void_p()
        self._memory = self._export(b"memory", EXTERN_MEMORY)
        self.memory_base: int = c.wasmtime_memory_data(context, addressof(self._memory) + ITEM_OFFSET)

    def memory_size(self) -> int:
        """Current bytes of the linear memory; touching what lies beyond kills the process."""
        size: int = self._c.wasmtime_memory_data_size(self._context, addressof(self._memory) + ITEM_OFFSET)
        return size

    def read_global(self, name: bytes) -> int:
        """The exported i64 global `name`, unsigned."""
        value = self._value
        self._c.wasmtime_global_get(self._context, self._global(name), value)
        return value[1]

    def write_global(self, name: bytes, number: int) -> None:
        """Set the exported mutable i64 global `name` to `number`, unsigned."""
        value = self._value
        value[0] = KIND_I64
        value[1] = number
        error = self._c.wasmtime_global_set(self._context, self._global(name), value)
        if error:
            raise HostError(f"wasmtime cannot set a global: {taken_error(self._c, error)}", code="host-engine")

    def call(self, name: bytes) -> Trap | None:
        """Call the exported function `name`, which takes and returns nothing.

        Only on the contract thread. Raises `HostError` for what no contract can cause: native stack overflow,
        traps of switched-off features.
        """
        function = self._export(name, EXTERN_FUNC)
        trap = self._trap
        error = self._c.wasmtime_func_call_unchecked(
            self._context, addressof(function) + ITEM_OFFSET, self._value, 1, byref(trap)
        )
        if not error and trap.value is None:
            return None
        pointer = trap.value
        trap.value = None
        return _failure(self._c, error, pointer)

    def close(self) -> None:
        """Give the instance back. `memory_base` must not be touched any more."""
        self._c.wasmtime_store_delete(self._store)

    def _global(self, name: bytes) -> int:
        item = self._globals.get(name)
        if item is None:
            item = self._globals[name] = self._export(name, EXTERN_GLOBAL)
        return addressof(item) + ITEM_OFFSET

    def _export(self, name: bytes, kind: int) -> Words:
        item = Extern()
        found = self._c.wasmtime_instance_export_get(self._context, self._handle, name, len(name), item)
        if not found or item[0] & 0xFF != kind:
            raise HostError(f"the prepared module does not export {name!r}", code="host-engine")
        return item


def _failure(c: CDLL, error: int | None, trap: int | None) -> Trap:
    """What a failed call amounts to; frees both pointers. Raises `HostError` when it is no contract's doing."""
    if error:
        raise HostError(f"wasmtime failed: {taken_error(c, error)}", code="host-engine")
    code = c_uint8()
    has_code = c.wasmtime_trap_code(trap, byref(code))
    message = ByteVec()
    if has_code and code.value not in TRAPS:
        c.wasm_trap_message(trap, byref(message))
    c.wasm_trap_delete(trap)
    if not has_code:
        raise HostError("wasmtime reported a trap without a code", code="host-engine")
    if code.value == STACK_OVERFLOW:
        raise HostError(
            "the native stack ran out before the contract's own limit did", code="host-stack", hint=_REPORT_HINT
        )
    if code.value not in TRAPS:
        text = taken_bytes(c, message).rstrip(b"\0").decode("utf-8", "replace")
        raise HostError(f"wasmtime reported a trap that no contract can cause: {text}", code="host-engine")
    return TRAPS[code.value]


_REPORT_HINT = "this machine cannot run the contract as the chain does; try --compiler winch"
