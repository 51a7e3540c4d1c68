"""Modules as preparation would make them, written by hand, and what runs them."""

import ctypes

from near_tee_cli.vm.engine import Engine, HostFunction
from near_tee_cli.vm.engine_instance import Instance, Limits, Trap
from near_tee_cli.vm.engine_thread import on_contract_thread
from tests.support.wat import wat

LIMITS = Limits(memory_bytes=128 << 20, table_elements=10_000, tables=1)
COMPILERS = ("winch", "cranelift")

FRAME = """
  (memory (export "memory") 1024 2048)
  (global $gas (export "remaining_gas") (mut i64) (i64.const 0))
  (global $exhausted (export "exhausted") (mut i64) (i64.const 0))
  (global $out (export "out") (mut i64) (i64.const 0))
"""
"""What every prepared module exports, and a global for a result."""


def slots(address: int, count: int) -> "memoryview[int]":
    """The low halves of the slots of a callback, as u64."""
    return memoryview((ctypes.c_uint64 * (2 * count)).from_address(address)).cast("B").cast("Q")[::2]


def module(body: str, imports: str = "") -> bytes:
    """A prepared module with these imports and this body in text form."""
    return wat(f"(module {imports} {FRAME} {body})")


def instance_of(engine: Engine, body: str, imports: str = "", functions: tuple[HostFunction, ...] = ()) -> Instance:
    """An instance of such a module."""
    linked = engine.linker(functions).link(engine.compile(module(body, imports)))
    made = linked.instantiate(LIMITS)
    assert isinstance(made, Instance)
    return made


def called(instance: Instance, name: bytes = b"go") -> Trap | None:
    """How a call of an export ends."""
    return on_contract_thread(lambda: instance.call(name))
