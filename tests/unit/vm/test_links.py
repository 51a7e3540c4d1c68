"""Imports that cannot be satisfied, in the words of either engine."""

import pytest

from near_tee_cli.vm.links import near_vm_link_error, wasmtime_link_error
from near_tee_cli.vm.prepared import Import

TYPES = {"height": ("", "q"), "log": ("qq", "")}
GOOD = Import("height", "", "q")
UNKNOWN = Import("unknown", "d", "")
OTHER_TYPE = Import("log", "fg", "d")


def expected(params: str, results: str = "") -> str:
    return f"Function(FunctionType {{ params: [{params}], results: [{results}] }})"


@pytest.mark.parametrize("check", [wasmtime_link_error, near_vm_link_error])
def test_what_there_is(check) -> None:
    assert check((), TYPES) is None
    assert check((GOOD, Import("log", "qq", ""), GOOD), TYPES) is None


def test_wasmtime_looks_for_unknown_names_first() -> None:
    error = wasmtime_link_error((GOOD, OTHER_TYPE, UNKNOWN), TYPES)
    assert error is not None
    assert error.msg == "unknown or invalid import"
    error = wasmtime_link_error((OTHER_TYPE, GOOD), TYPES)
    assert error is not None
    assert error.msg == (
        "types incompatible: expected type `(func (param f32 f64) (result i32))`, found type `(func (param i64 i64))`"
    )


def test_the_older_kind_takes_imports_in_their_order() -> None:
    error = near_vm_link_error((GOOD, OTHER_TYPE, UNKNOWN), TYPES)
    assert error is not None
    assert error.msg == (
        f'Error while importing "env"."log": incompatible import type. Expected {expected("F32, F64", "I32")} '
        f"but received {expected('I64, I64')}"
    )
    error = near_vm_link_error((UNKNOWN, OTHER_TYPE), TYPES)
    assert error is not None
    assert error.msg == f'Error while importing "env"."unknown": unknown import. Expected {expected("I32")}'


def test_the_older_kind_has_a_memory_beside_its_functions() -> None:
    error = near_vm_link_error((Import("memory", "", ""),), TYPES)
    assert error is not None
    assert error.msg == (
        f'Error while importing "env"."memory": incompatible import type. Expected {expected("")} but received '
        "Memory(MemoryType { minimum: 1024 pages, maximum: Some(2048 pages), shared: false })"
    )


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ('a"b\\c', r"a\"b\\c"),
        ("tab\tnew\nreturn\rzero\0", r"tab\tnew\nreturn\rzero\0"),
        ("\x1b[31m\u200b", r"\u{1b}[31m\u{200b}"),
        ("ünïcode", "ünïcode"),
    ],
)
def test_names_are_shown_as_rust_shows_them(name, shown) -> None:
    error = near_vm_link_error((Import(name, "", ""),), TYPES)
    assert error is not None
    assert error.msg.startswith(f'Error while importing "env"."{shown}": unknown')
