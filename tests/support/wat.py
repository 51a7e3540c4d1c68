"""Modules in text form, assembled by the engine's own assembler."""

import ctypes

from near_tee_cli.vm.engine_api import ByteVec, library, taken_bytes, taken_error


def wat(text: str) -> bytes:
    """The binary of a module in text form; names that begin with `$` make a name section, as in nearcore's tests."""
    c = library().c
    assemble = c.wasmtime_wat2wasm
    assemble.restype = ctypes.c_void_p
    assemble.argtypes = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p)
    source, binary = text.encode(), ByteVec()
    error = assemble(source, len(source), ctypes.byref(binary))
    if error:
        raise ValueError(taken_error(c, error))
    return taken_bytes(c, binary)
