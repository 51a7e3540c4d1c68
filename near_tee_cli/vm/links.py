"""Imports held against the host functions there are, in the words of nearcore's engines.

Only that a contract cannot be linked is consensus; the text is what RPC shows.

Mirrors nearcore: runtime/near-vm-runner/src/wasmtime_runner/mod.rs, runtime/near-vm/engine/src/resolver.rs
"""

from collections.abc import Callable, Mapping, Sequence

from near_tee_cli.vm.outcome import LinkError
from near_tee_cli.vm.prepared import Import

Types = Mapping[str, tuple[str, str]]
"""Name of a host function -> its parameters and its result, in letters."""

UNKNOWN_IMPORT = LinkError("unknown or invalid import")

_NAMES = {"d": "i32", "q": "i64", "f": "f32", "g": "f64", "r": "funcref"}
_VARIANTS = {"d": "I32", "q": "I64", "f": "F32", "g": "F64", "r": "FuncRef"}
_MEMORY = "memory"
"""What the older kind of VM provides beside functions."""


def wasmtime_link_error(imports: Sequence[Import], types: Types) -> LinkError | None:
    """Why imports cannot be satisfied: an unknown name first of all, else the first type that differs."""
    for wanted in imports:
        if wanted.name not in types:
            return UNKNOWN_IMPORT
    for wanted in imports:
        found = types[wanted.name]
        if (wanted.params, wanted.result) != found:
            expected_text, found_text = _type_text(wanted.params, wanted.result), _type_text(*found)
            return LinkError(f"types incompatible: expected type `{expected_text}`, found type `{found_text}`")
    return None


def _type_text(params: str, result: str) -> str:
    """A function type as wasmtime prints it: `(func (param i64 i64) (result i64))`."""
    parts = ["func"]
    if params:
        parts.append(f"(param {' '.join(_NAMES[letter] for letter in params)})")
    if result:
        parts.append(f"(result {_NAMES[result]})")
    return f"({' '.join(parts)})"


def near_vm_link_error(imports: Sequence[Import], types: Types) -> LinkError | None:
    """Why imports cannot be satisfied: the first one that is unknown or of another type."""
    for wanted in imports:
        expected = _function_text(wanted.params, wanted.result)
        found = types.get(wanted.name)
        if found == (wanted.params, wanted.result):
            continue
        if found is not None:
            problem = f"incompatible import type. Expected {expected} but received {_function_text(*found)}"
        elif wanted.name == _MEMORY:
            problem = f"incompatible import type. Expected {expected} but received {_MEMORY_TEXT}"
        else:
            problem = f"unknown import. Expected {expected}"
        return LinkError(f'Error while importing "env".{_quoted(wanted.name)}: {problem}')
    return None


_MEMORY_TEXT = "Memory(MemoryType { minimum: 1024 pages, maximum: Some(2048 pages), shared: false })"


def _function_text(params: str, result: str) -> str:
    """A function type as the older kind prints it."""
    names = [", ".join(_VARIANTS[letter] for letter in letters) for letters in (params, result)]
    return f"Function(FunctionType {{ params: [{names[0]}], results: [{names[1]}] }})"


_ESCAPES = {"\0": "\\0", "\t": "\\t", "\n": "\\n", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def _quoted(text: str) -> str:
    """A string as Rust shows it."""
    shown = (
        _ESCAPES.get(character) or (character if character.isprintable() else f"\\u{{{ord(character):x}}}")
        for character in text
    )
    return f'"{"".join(shown)}"'


LinkCheck = Callable[[Sequence[Import], Types], LinkError | None]
"""Says why imports cannot be satisfied, if so."""
