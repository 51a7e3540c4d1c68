"""WASI programs under wasmtime: instructions counted as fuel, memory bounded, the same answers everywhere.

A program is a core module that imports functions of WASI preview 1 and exports `_start` and its memory. One frozen
configuration executes it: Cranelift, no threads, no relaxed vectors, every NaN in its canonical form. The
bound on time is the caller's, who executes in a child (`worker.wasi_child`).

Fuel belongs to wasmtime: other major versions may count differently, so a run says how it was counted.

Follows near-outlayer: worker/src/executor/wasi_p1.rs
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import wasmtime
from wasmtime import TrapCode

from near_tee_cli.errors import BadInputError, HostError, UnsupportedError
from near_tee_cli.primitives.schema.wire import U32_MAX, U64_MAX
from near_tee_cli.vm.engine_api import library
from near_tee_cli.worker.wasi_host import FUNCTIONS, MODULE, SOCKET_FUNCTIONS, ExitError, Host, HostFunction, TrapError
from near_tee_cli.worker.wasi_run import (
    MEMORY_LIMIT,
    MIB,
    OUT_OF_INSTRUCTIONS,
    PAGE_BYTES,
    Environment,
    Limits,
    Recorded,
    Run,
    require_limits,
    require_runnable,
)

MAX_WASM_STACK = 1 << 20
"""Bytes of native stack. Programs of common compilers run out of the stack in their own memory first."""

MAX_TABLE_ELEMENTS = 1 << 20
MAX_TABLES = 16

_MODULE_HEADER = b"\0asm\1\0\0\0"
_COMPONENT_HEADER = b"\0asm\x0d\0\1\0"
_START = "_start"
_MEMORY = "memory"

_OPTIONS: tuple[tuple[str, object], ...] = (
    ("strategy", "cranelift"),
    ("cranelift_opt_level", "speed"),
    ("cranelift_nan_canonicalization", True),
    ("consume_fuel", True),
    ("epoch_interruption", False),
    ("wasm_bulk_memory", True),
    ("wasm_multi_value", True),
    ("wasm_reference_types", True),
    ("wasm_simd", True),
    ("wasm_relaxed_simd", False),
    ("wasm_threads", False),
    ("wasm_tail_call", False),
    ("wasm_multi_memory", False),
    ("wasm_memory64", False),
    ("wasm_gc", False),
    ("gc_support", False),
    ("wasm_function_references", False),
    ("wasm_exceptions", False),
    ("wasm_wide_arithmetic", False),
    ("wasm_custom_page_sizes", False),
    ("wasm_stack_switching", False),
    ("max_wasm_stack", MAX_WASM_STACK),
    ("native_unwind_info", False),
)

_TRAPS = {
    TrapCode.OUT_OF_FUEL: OUT_OF_INSTRUCTIONS,
    TrapCode.MEMORY_OUT_OF_BOUNDS: "memory-out-of-bounds",
    TrapCode.TABLE_OUT_OF_BOUNDS: "table-out-of-bounds",
    TrapCode.INDIRECT_CALL_TO_NULL: "indirect-call-to-null",
    TrapCode.BAD_SIGNATURE: "bad-signature",
    TrapCode.INTEGER_OVERFLOW: "integer-overflow",
    TrapCode.INTEGER_DIVISION_BY_ZERO: "integer-division-by-zero",
    TrapCode.BAD_CONVERSION_TO_INTEGER: "bad-conversion-to-integer",
    TrapCode.UNREACHABLE: "unreachable",
    TrapCode.NULL_REFERENCE: "null-reference",
}


def execute(program: bytes, *, stdin: bytes, environment: Environment, limits: Limits, recorded: Recorded) -> Run:
    """Execute `program` in this process, without any bound on time.

    Raises `BadInputError` (`bad-program`, `bad-environment`, `bad-limits`, `too-large`) for what is no program,
    `UnsupportedError` for what asks for more than there is (`unsupported-wasip2`, `unsupported-network`,
    `unsupported-wasi-import`, `unsupported-wasi-memory`), and `HostError` where this machine cannot go on.
    """
    require_runnable(program, stdin, environment)
    require_limits(limits, recorded)
    _require_header(program)
    engine = wasmtime.Engine(_configuration())
    try:
        module = wasmtime.Module(engine, program)
    except wasmtime.WasmtimeError as error:
        raise BadInputError(f"the program is no valid module: {_line(error)}", code="bad-program") from error
    pages = _initial_pages(module)
    host = Host(stdin, environment, limits=limits, recorded=recorded)
    if pages is not None and pages * PAGE_BYTES > limits.memory_mb * MIB:
        return Run(None, MEMORY_LIMIT, b"", b"", 0, 0, metering())
    store = wasmtime.Store(engine)
    store.set_limits(limits.memory_mb * MIB, MAX_TABLE_ELEMENTS, 1, MAX_TABLES, 1)
    store.set_fuel(limits.instructions)
    return _run(module, store, host=host, limits=limits, has_memory=pages is not None)


def metering() -> str:
    """How instructions are counted here. Raises `HostError` when the installed wasmtime is none that was tried."""
    return f"wasmtime-{library().version.partition('.')[0]}-fuel"


def _configuration() -> wasmtime.Config:
    config = wasmtime.Config()
    for name, value in _OPTIONS:
        setattr(config, name, value)
    return config


def _require_header(program: bytes) -> None:
    header = program[: len(_MODULE_HEADER)]
    if header == _COMPONENT_HEADER:
        raise UnsupportedError(
            "the program is a component of WASI preview 2", what="wasip2", hint="build it for wasm32-wasip1"
        )
    if header != _MODULE_HEADER:
        raise BadInputError("the program is no WebAssembly module", code="bad-program")


def _initial_pages(module: wasmtime.Module) -> int | None:
    """Refuse modules that cannot be programs. Gives the pages of their memory, `None` without one."""
    imported = [(one.module, one.name or "", one.type) for one in module.imports]
    for name, function, kind in imported:
        _require_import(name, function, kind)
    exported = {one.name: one.type for one in module.exports}
    start = exported.get(_START)
    if not isinstance(start, wasmtime.FuncType) or start.params or start.results:
        raise BadInputError(
            f"the program exports no function {_START} without parameters and results",
            code="bad-program",
            hint="build a binary with a main function, not a library",
        )
    memory = exported.get(_MEMORY)
    if isinstance(memory, wasmtime.MemoryType):
        return memory.limits.min
    if imported:
        raise UnsupportedError("the program exports no memory, but WASI needs it", what="wasi-memory")
    return None


def _require_import(module: str, name: str, kind: object) -> None:
    if module == MODULE and name in SOCKET_FUNCTIONS:
        raise UnsupportedError(f"the program imports {name}, and there is no network", what="network")
    function = FUNCTIONS.get(name) if module == MODULE else None
    if function is None:
        raise UnsupportedError(
            f"the program imports {module[:80]}.{name[:80]}, which is no function of WASI preview 1", what="wasi-import"
        )
    if not isinstance(kind, wasmtime.FuncType) or not _fits(kind, function):
        raise UnsupportedError(f"the program imports {name} as something else than it is", what="wasi-import")


def _fits(kind: wasmtime.FuncType, function: HostFunction) -> bool:
    params, results = _types(function)
    return kind.params == params and kind.results == results


def _types(function: HostFunction) -> tuple[list[wasmtime.ValType], list[wasmtime.ValType]]:
    params = [wasmtime.ValType.i32() if letter == "d" else wasmtime.ValType.i64() for letter in function.params]
    return params, [wasmtime.ValType.i32()] if function.returns else []


class _Ending(NamedTuple):
    exit: int | None
    trap: str | None


def _run(module: wasmtime.Module, store: wasmtime.Store, *, host: Host, limits: Limits, has_memory: bool) -> Run:
    functions = [_linked(store, FUNCTIONS[one.name or ""], host) for one in module.imports]
    instances: list[wasmtime.Instance] = []

    def start() -> None:
        instances.append(wasmtime.Instance(store, module, functions))
        entry = instances[0].exports(store)[_START]
        if isinstance(entry, wasmtime.Func):
            entry(store)

    ending = _ended(start)
    pages = 0
    if instances and has_memory:
        memory = instances[0].exports(store)[_MEMORY]
        pages = memory.size(store) if isinstance(memory, wasmtime.Memory) else 0
    stdout, stderr = (host.streams[handle].content() for handle in (1, 2))
    return Run(*ending, stdout, stderr, limits.instructions - store.get_fuel(), pages, metering())


def _ended(start: Callable[[], None]) -> _Ending:
    try:
        start()
    except ExitError as ended:
        return _Ending(ended.code, None)
    except TrapError as ended:
        return _Ending(None, ended.code)
    except wasmtime.Trap as trap:
        return _Ending(None, _trap_code(trap))
    except wasmtime.WasmtimeError as error:
        raise BadInputError(f"the program cannot be started: {_line(error)}", code="bad-program") from error
    return _Ending(0, None)


def _trap_code(trap: wasmtime.Trap) -> str:
    code = trap.trap_code
    if code is TrapCode.STACK_OVERFLOW:
        raise HostError(
            f"the program needs more than {MAX_WASM_STACK} bytes of native stack, which is no outcome: it differs"
            " between machines",
            code="host-stack",
        )
    if code is None or code not in _TRAPS:
        raise HostError(f"wasmtime reported a trap that no program can cause: {trap.message[:200]}", code="host-engine")
    return _TRAPS[code]


class _GuestMemory:
    """The memory of whoever calls a host function, for the time of the call."""

    __slots__ = ("_caller", "_memory")

    def __init__(self, caller: wasmtime.Caller) -> None:
        memory = caller[_MEMORY]
        if not isinstance(memory, wasmtime.Memory):
            raise HostError("the program's memory is none", code="host-engine")
        self._caller = caller
        self._memory = memory

    def size(self) -> int:
        return self._memory.data_len(self._caller)

    def read(self, at: int, length: int) -> bytes:
        return bytes(self._memory.read(self._caller, at, at + length)) if length else b""

    def write(self, at: int, data: bytes) -> None:
        if data:
            self._memory.write(self._caller, data, at)


def _linked(store: wasmtime.Store, function: HostFunction, host: Host) -> wasmtime.Func:
    masks = [U32_MAX if letter == "d" else U64_MAX for letter in function.params]
    params, results = _types(function)
    called = partial(_called, function=function, host=host, masks=masks)
    return wasmtime.Func(store, wasmtime.FuncType(params, results), called, access_caller=True)


def _called(
    caller: wasmtime.Caller, *arguments: int, function: HostFunction, host: Host, masks: list[int]
) -> int | None:
    unsigned = (value & mask for value, mask in zip(arguments, masks, strict=True))
    answer = function.call(host, _GuestMemory(caller), *unsigned)
    return answer if function.returns else None


def _line(error: Exception) -> str:
    """The first line of what the library says, cut short."""
    return str(error).partition("\n")[0][:200]
