"""Wasmtime as the executing engine: compile, link, instantiate, call, and traps as values.

There is exactly one configuration per compiler, frozen below; nothing a user says reaches it but the choice
between Winch (where it exists: x86-64) and Cranelift, and both give the same results. A combination that the
library dislikes aborts the process, so the configuration is data that tests have run, never computed.

The validating engine differs: it knows only what NEAR allows, while the executing one also needs functions
with several results, because a host function hands back the remaining gas beside its own result.

Every object here owns something of the library's and is given back with `close`. Calls must be made on the
contract thread (`near_tee_cli.vm.engine_thread`): its stack is the one that the configuration counts on.

Mirrors nearcore: runtime/near-vm-runner/src/wasmtime_runner/mod.rs, runtime/near-vm-runner/src/features.rs
"""

import hashlib
from collections.abc import Callable, Iterable
from ctypes import byref, c_char_p, c_void_p, cast
from functools import partial
from typing import Any, NamedTuple

from near_tee_cli.errors import HostError, NearTeeError, UsageError
from near_tee_cli.vm.engine_api import (
    UNCHECKED_CALLBACK,
    ByteVec,
    Library,
    configuration,
    functype,
    library,
    taken_bytes,
    taken_error,
)
from near_tee_cli.vm.engine_instance import HOST_TRAP, LinkedModule

MAX_WASM_STACK = 16 << 20
"""Bytes of native stack that wasm frames may take; the modelled limit of NEAR ends every recursion far earlier."""

MEMORY_BYTES = 128 << 20
"""Address space of a linear memory, and the most that it can grow to."""

_STRATEGIES = {"cranelift": 1, "winch": 2}

_FEATURES_OFF = (
    ("wasm_relaxed_simd", False),
    ("wasm_simd", False),
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
)
"""What is switched off in both engines; reference types and bulk memory stay on."""

EXECUTING_OPTIONS = (
    *_FEATURES_OFF,
    ("wasm_multi_value", True),
    ("cranelift_nan_canonicalization", True),
    ("cranelift_opt_level", 0),
    ("native_unwind_info", False),
    ("parallel_compilation", True),
    ("consume_fuel", False),
    ("epoch_interruption", False),
    ("memory_may_move", False),
    ("memory_reservation", MEMORY_BYTES),
    ("memory_reservation_for_growth", 0),
    ("memory_guard_size", 0),
    ("async_stack_size", MAX_WASM_STACK + (8 << 20)),
    ("max_wasm_stack", MAX_WASM_STACK),
)
"""The configuration that contracts run under, less the compiler. The asynchronous stack is never made, but the
library insists that it be larger than the other."""

VALIDATING_OPTIONS = (*_FEATURES_OFF, ("wasm_multi_value", False))
"""The configuration that decides whether a contract is valid."""

VALIDATING_OPTIONS_WITHOUT_BULK_MEMORY = (
    *VALIDATING_OPTIONS,
    ("wasm_component_model_async", False),  # it would insist on reference types
    ("wasm_reference_types", False),
    ("wasm_bulk_memory", False),
)
"""The same for contracts of the older kind of VM, which have neither reference types nor bulk memory."""


class CompileError(NearTeeError):
    """The engine refused to compile or to load a module."""

    code = "host-compile"


class HostFunction(NamedTuple):
    """A function that guests may import. Types are letters as in `Prepared`, of the raw import."""

    module: str
    name: str
    params: str
    results: str
    callback: Callable[[bool, bool, int], int]
    """Gets `(_, _, address of the slots)`, returns 0 or the trap of `Engine.new_trap`, and never raises."""


class Engine:
    """One frozen configuration of the library with its compiler; also validates."""

    __slots__ = ("_engine", "_library", "_validators", "compiler", "new_trap")

    def __init__(self, compiler: str | None = None) -> None:
        """`compiler` is `winch`, `cranelift` or `None` for the best that this machine has.

        Raises `HostError` when the installed wasmtime is unfit, `UsageError` for a compiler that is not there.
        """
        self._library = library()
        self.compiler = chosen_compiler(compiler, architecture=self._library.architecture)
        strategy = ("strategy", _STRATEGIES[self.compiler])
        self._engine = self._made((strategy, *EXECUTING_OPTIONS))
        self._validators: dict[tuple[tuple[str, int], ...], int] = {}
        self.new_trap: Callable[[], int] = partial(self._library.c.wasmtime_trap_new_code, HOST_TRAP)
        """Makes the value that a callback returns to end the call with `Trap.HOST`."""

    @property
    def version(self) -> str:
        """Version of the installed wasmtime."""
        return self._library.version

    def fingerprint(self) -> bytes:
        """SHA-256 over what compiled code depends on here: library, compiler, configuration, architecture."""
        text = repr((self._library.version, self._library.architecture, self.compiler, EXECUTING_OPTIONS))
        return hashlib.sha256(text.encode()).digest()

    def validate(self, wasm: bytes) -> bool:
        """Whether `wasm` is a valid module with no feature that NEAR lacks (extended constants excepted)."""
        return self._is_valid(wasm, VALIDATING_OPTIONS)

    def validator(self, *, bulk_memory: bool) -> Callable[[bytes], bool]:
        """What tells whether bytes are a valid module, with reference types and bulk memory or without them."""
        options = VALIDATING_OPTIONS if bulk_memory else VALIDATING_OPTIONS_WITHOUT_BULK_MEMORY
        return lambda wasm: self._is_valid(wasm, options)

    def _is_valid(self, wasm: bytes, options: tuple[tuple[str, int], ...]) -> bool:
        validator = self._validators.get(options)
        if validator is None:
            validator = self._validators[options] = self._made(options)
        error = self._library.c.wasmtime_module_validate(validator, wasm, len(wasm))
        if error:
            self._library.c.wasmtime_error_delete(error)
        return not error

    def compile(self, wasm: bytes) -> "Module":
        """Compile an instrumented module. Raises `CompileError`."""
        pointer = c_void_p()
        error = self._library.c.wasmtime_module_new(self._engine, wasm, len(wasm), byref(pointer))
        if error:
            raise CompileError(taken_error(self._library.c, error))
        return Module(self._library, _taken(pointer))

    def load(self, code: bytes, offset: int = 0) -> "Module":
        """A module from what `Module.serialize` gave, standing in `code` from `offset` to the end.

        This is native code: call it only with bytes that are known to come from this engine. Raises
        `CompileError` when the library sees that they do not.
        """
        pointer = c_void_p()
        start = (cast(c_char_p(code), c_void_p).value or 0) + offset
        error = self._library.c.wasmtime_module_deserialize(self._engine, start, len(code) - offset, byref(pointer))
        if error:
            raise CompileError(taken_error(self._library.c, error))
        return Module(self._library, _taken(pointer))

    def linker(self, functions: Iterable[HostFunction]) -> "Linker":
        """A linker that knows these functions."""
        return Linker(self._library, self._engine, functions)

    def close(self) -> None:
        """Give the engine back; nothing that was made by it may be used afterwards."""
        for engine in (self._engine, *self._validators.values()):
            self._library.c.wasm_engine_delete(engine)

    def _made(self, options: tuple[tuple[str, int], ...]) -> int:
        c = self._library.c
        engine: int | None = c.wasm_engine_new_with_config(configuration(c, options))
        if engine is None:
            raise HostError("wasmtime made no engine", code="host-engine")
        return engine


def available_compilers(architecture: str) -> tuple[str, ...]:
    """The compilers that the library has for `architecture`, the one to use by default first."""
    return ("winch", "cranelift") if architecture == "x86_64" else ("cranelift",)


def chosen_compiler(requested: str | None, *, architecture: str) -> str:
    """The compiler to use on `architecture`: what is requested, else Winch where it exists.

    Raises `UsageError` when the requested one does not exist there.
    """
    available = available_compilers(architecture)
    if requested is None:
        return available[0]
    if requested not in available:
        raise UsageError(
            f"compiler {requested!r} is not available on {architecture}", hint=f"choose one of: {', '.join(available)}"
        )
    return requested


class Module:
    """A compiled module."""

    __slots__ = ("_library", "pointer")

    def __init__(self, library: Library, pointer: int) -> None:
        self._library = library
        self.pointer = pointer

    def serialize(self) -> bytes:
        """The native code with its metadata, for `Engine.load`."""
        vector = ByteVec()
        error = self._library.c.wasmtime_module_serialize(self.pointer, byref(vector))
        if error:
            raise HostError(f"wasmtime cannot serialize a module: {taken_error(self._library.c, error)}")
        return taken_bytes(self._library.c, vector)

    def close(self) -> None:
        """Give the module back."""
        self._library.c.wasmtime_module_delete(self.pointer)


class Linker:
    """Host functions under their names, ready for any module."""

    __slots__ = ("_callbacks", "_engine", "_library", "_pointer")

    def __init__(self, library: Library, engine: int, functions: Iterable[HostFunction]) -> None:
        self._library = library
        self._engine = engine
        self._pointer: int = library.c.wasmtime_linker_new(engine)
        self._callbacks: list[Any] = []
        types: dict[tuple[str, str], int] = {}
        for function in functions:
            signature = (function.params, function.results)
            if signature not in types:
                types[signature] = functype(library.c, *signature)
            self._define(function, types[signature])
        for functype_pointer in types.values():
            library.c.wasm_functype_delete(functype_pointer)

    def _define(self, function: HostFunction, functype_pointer: int) -> None:
        module, name = function.module.encode(), function.name.encode()
        callback = UNCHECKED_CALLBACK(function.callback)
        self._callbacks.append(callback)  # NOTE: the library keeps only the address of it
        error = self._library.c.wasmtime_linker_define_func_unchecked(
            self._pointer, module, len(module), name, len(name), functype_pointer, callback, None, None
        )
        if error:
            raise HostError(f"wasmtime refuses {function.name}: {taken_error(self._library.c, error)}")

    def link(self, module: Module) -> LinkedModule:
        """Resolve the imports of `module` once for many instances; the result owns `module`.

        Raises `HostError` with the library's words when one does not fit: whoever calls has checked that.
        """
        pointer = c_void_p()
        error = self._library.c.wasmtime_linker_instantiate_pre(self._pointer, module.pointer, byref(pointer))
        if error:
            raise HostError(f"wasmtime cannot link the module: {taken_error(self._library.c, error)}")
        return LinkedModule(self._library.c, _taken(pointer), engine=self._engine, module=module.pointer, linker=self)

    def close(self) -> None:
        """Give the linker back; nothing linked by it may be called afterwards."""
        self._library.c.wasmtime_linker_delete(self._pointer)
        self._callbacks.clear()


def _taken(pointer: c_void_p) -> int:
    if pointer.value is None:
        raise HostError("wasmtime gave neither a result nor an error", code="host-engine")
    return pointer.value
