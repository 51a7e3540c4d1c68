"""The part of wasmtime's documented C API that the engine uses, bound by hand.

The shared library is taken out of the installed `wasmtime` distribution without importing that package:
importing it costs more time than a whole contract call. Only the symbols below are bound, and every pointer is
a plain integer. Before the first call it is checked that the distribution's version is one whose header files
were read, that every symbol exists, and that our structures have the sizes of those headers.

Host functions are *unchecked* callbacks: arguments and results lie in 16-byte slots, the values in their low
halves, and nobody converts them.
"""

import os
import sys
from ctypes import (
    CDLL,
    CFUNCTYPE,
    Array,
    Structure,
    byref,
    c_bool,
    c_char_p,
    c_int64,
    c_size_t,
    c_uint8,
    c_uint64,
    c_void_p,
    sizeof,
    string_at,
)
from functools import cache
from importlib.machinery import PathFinder
from typing import Any, NamedTuple

from near_tee_cli.errors import HostError

SUPPORTED_MAJORS = range(48, 51)
"""Major versions of wasmtime whose C API was read and that pass the self-test."""

UNCHECKED_CALLBACK = CFUNCTYPE(c_size_t, c_bool, c_bool, c_size_t)
"""`(env, caller, address of the slots) -> 0 or a trap`. The first two are never looked at: as booleans they cost
least. The fourth parameter of the C type, the number of slots, is left out; no calling convention minds."""

VALUE_KINDS = {"d": 0, "q": 1, "f": 2, "g": 3, "r": 129}
"""`wasm_valkind_t` of i32, i64, f32, f64 and funcref, by the letters of `Prepared`."""

KIND_I64 = 1
"""`wasmtime_valkind_t` of an i64."""

EXTERN_FUNC = 0
EXTERN_GLOBAL = 1
EXTERN_TABLE = 2
EXTERN_MEMORY = 3
"""Kinds of exported items, from `wasmtime/extern.h`."""


class ByteVec(Structure):
    """`wasm_byte_vec_t`: bytes that the library allocated."""

    _fields_ = (("size", c_size_t), ("data", c_void_p))

    size: int
    data: int | None


Words = Array[c_uint64]
"""An instance of one of the three structures that follow."""

Extern = c_uint64 * 4
"""`wasmtime_extern_t`: the kind in the first byte, the item from `ITEM_OFFSET` on."""

Value = c_uint64 * 4
"""`wasmtime_val_t`: the kind in the first byte, the value from `ITEM_OFFSET` on."""

InstanceHandle = c_uint64 * 2
"""`wasmtime_instance_t`."""

ITEM_OFFSET = 8

EXPECTED_SIZES: tuple[tuple[Any, int], ...] = (
    (ByteVec, 16),
    (Extern, 32),
    (Value, 32),
    (InstanceHandle, 16),
    (c_void_p, 8),
    (c_size_t, 8),
)
"""Our structures and the bytes that the header files give them."""

PROTOTYPES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "wasm_config_new": (c_void_p, ()),
    "wasm_engine_new_with_config": (c_void_p, (c_void_p,)),
    "wasm_engine_delete": (None, (c_void_p,)),
    "wasm_byte_vec_delete": (None, (c_void_p,)),
    "wasm_valtype_new": (c_void_p, (c_uint8,)),
    "wasm_valtype_vec_new": (None, (c_void_p, c_size_t, c_void_p)),
    "wasm_functype_new": (c_void_p, (c_void_p, c_void_p)),
    "wasm_functype_delete": (None, (c_void_p,)),
    "wasm_trap_delete": (None, (c_void_p,)),
    "wasm_trap_message": (None, (c_void_p, c_void_p)),
    "wasmtime_trap_new_code": (c_size_t, (c_uint8,)),
    "wasmtime_trap_code": (c_bool, (c_void_p, c_void_p)),
    "wasmtime_error_message": (None, (c_void_p, c_void_p)),
    "wasmtime_error_delete": (None, (c_void_p,)),
    "wasmtime_module_new": (c_void_p, (c_void_p, c_char_p, c_size_t, c_void_p)),
    "wasmtime_module_validate": (c_void_p, (c_void_p, c_char_p, c_size_t)),
    "wasmtime_module_serialize": (c_void_p, (c_void_p, c_void_p)),
    "wasmtime_module_deserialize": (c_void_p, (c_void_p, c_void_p, c_size_t, c_void_p)),
    "wasmtime_module_delete": (None, (c_void_p,)),
    "wasmtime_linker_new": (c_void_p, (c_void_p,)),
    "wasmtime_linker_delete": (None, (c_void_p,)),
    "wasmtime_linker_define_func_unchecked": (
        c_void_p,
        (c_void_p, c_char_p, c_size_t, c_char_p, c_size_t, c_void_p, UNCHECKED_CALLBACK, c_void_p, c_void_p),
    ),
    "wasmtime_linker_instantiate_pre": (c_void_p, (c_void_p, c_void_p, c_void_p)),
    "wasmtime_instance_pre_instantiate": (c_void_p, (c_void_p, c_void_p, c_void_p, c_void_p)),
    "wasmtime_instance_pre_delete": (None, (c_void_p,)),
    "wasmtime_instance_export_get": (c_bool, (c_void_p, c_void_p, c_char_p, c_size_t, c_void_p)),
    "wasmtime_store_new": (c_void_p, (c_void_p, c_void_p, c_void_p)),
    "wasmtime_store_context": (c_void_p, (c_void_p,)),
    "wasmtime_store_limiter": (None, (c_void_p, c_int64, c_int64, c_int64, c_int64, c_int64)),
    "wasmtime_store_delete": (None, (c_void_p,)),
    "wasmtime_func_call_unchecked": (c_void_p, (c_void_p, c_void_p, c_void_p, c_size_t, c_void_p)),
    "wasmtime_global_get": (None, (c_void_p, c_void_p, c_void_p)),
    "wasmtime_global_set": (c_void_p, (c_void_p, c_void_p, c_void_p)),
    "wasmtime_memory_data": (c_size_t, (c_void_p, c_void_p)),
    "wasmtime_memory_data_size": (c_size_t, (c_void_p, c_void_p)),
}
"""Result and parameters of every function that is called."""

OPTION_TYPES: dict[str, Any] = {
    "strategy": c_uint8,
    "cranelift_opt_level": c_uint8,
    "memory_reservation": c_uint64,
    "memory_reservation_for_growth": c_uint64,
    "memory_guard_size": c_uint64,
    "max_wasm_stack": c_size_t,
    "async_stack_size": c_size_t,
}
"""Options of a configuration that are not booleans, by the middle of their setters' names."""

_INSTALL_HINT = "install a supported one: pip install 'wasmtime>=48,<51'"


class Library(NamedTuple):
    """The loaded shared library with its functions bound."""

    c: CDLL
    version: str
    architecture: str
    """`x86_64` or `aarch64`: the machine that the library was built for."""


@cache
def library() -> Library:
    """The installed wasmtime, loaded and checked once. Raises `HostError` with what is wrong."""
    directory = _package_directory()
    version = _installed_version(os.path.dirname(directory))
    path, architecture = _library_file(directory)
    check_sizes()
    return loaded(path, version=version, architecture=architecture)


def loaded(path: str, *, version: str, architecture: str) -> Library:
    """Load the shared library at `path` and bind every function. Raises `HostError`."""
    try:
        c = CDLL(path)
    except OSError as error:
        raise _unusable(f"the wasmtime library cannot be loaded: {error}") from error
    for name, (result, parameters) in PROTOTYPES.items():
        function = _symbol(c, name)
        function.restype = result
        function.argtypes = parameters
    return Library(c, version, architecture)


def check_sizes() -> None:
    """Compare our structures with the sizes in the header files. Raises `HostError`."""
    for structure, expected in EXPECTED_SIZES:
        if sizeof(structure) != expected:
            raise _unusable(f"{structure.__name__} has {sizeof(structure)} bytes here, not {expected}")


def configuration(c: CDLL, options: tuple[tuple[str, int], ...]) -> int:
    """A new `wasm_config_t` with the options set in order; the engine made of it will own it."""
    pointer: int = c.wasm_config_new()
    for name, value in options:
        setter = _symbol(c, f"wasmtime_config_{name}_set")
        setter.restype = None
        setter.argtypes = (c_void_p, OPTION_TYPES.get(name, c_bool))
        setter(pointer, value)
    return pointer


def taken_error(c: CDLL, error: int) -> str:
    """The text of a `wasmtime_error_t`, which is freed."""
    message = ByteVec()
    c.wasmtime_error_message(error, byref(message))
    c.wasmtime_error_delete(error)
    return taken_bytes(c, message).decode("utf-8", "replace")


def taken_bytes(c: CDLL, vector: ByteVec) -> bytes:
    """The content of a byte vector, which is freed."""
    content = string_at(vector.data, vector.size) if vector.data and vector.size else b""
    c.wasm_byte_vec_delete(byref(vector))
    return content


def functype(c: CDLL, params: str, results: str) -> int:
    """A new `wasm_functype_t` from letters as in `VALUE_KINDS`."""
    pointer: int = c.wasm_functype_new(byref(_valtypes(c, params)), byref(_valtypes(c, results)))
    return pointer


def _valtypes(c: CDLL, letters: str) -> ByteVec:
    types = (c_void_p * len(letters))(*(c.wasm_valtype_new(VALUE_KINDS[letter]) for letter in letters))
    vector = ByteVec()
    c.wasm_valtype_vec_new(byref(vector), len(letters), types)
    return vector


def _symbol(c: CDLL, name: str) -> Any:
    try:
        return getattr(c, name)
    except AttributeError as error:
        raise _unusable(f"the wasmtime library lacks {name}") from error


def _package_directory() -> str:
    spec = PathFinder.find_spec("wasmtime")
    if spec is None or not spec.submodule_search_locations:
        raise _unusable("wasmtime is not installed")
    return os.path.abspath(next(iter(spec.submodule_search_locations)))


def _installed_version(site: str) -> str:
    versions = [
        name[len("wasmtime-") : -len(".dist-info")]
        for name in os.listdir(site)
        if name.startswith("wasmtime-") and name.endswith(".dist-info")
    ]
    if len(versions) != 1:
        raise _unusable(f"the installed wasmtime has {len(versions)} version records")
    version = versions[0]
    major = version.partition(".")[0]
    if not major.isdecimal() or int(major) not in SUPPORTED_MAJORS:
        raise _unusable(f"wasmtime {version} is not supported")
    return version


def _library_file(directory: str) -> tuple[str, str]:
    file = {"darwin": "_libwasmtime.dylib", "win32": "_wasmtime.dll"}.get(sys.platform, "_libwasmtime.so")
    for name in sorted(os.listdir(directory)):
        platform, dash, architecture = name.partition("-")
        path = os.path.join(directory, name, file)
        if dash and platform == sys.platform and os.path.isfile(path):
            return path, architecture
    raise _unusable(f"the installed wasmtime has no library for {sys.platform}")


def _unusable(message: str) -> HostError:
    return HostError(message, code="host-engine", hint=_INSTALL_HINT)
