"""Function bodies analysed both ways: by the definitions, and by the one walk that runs.

Also random bodies that are mostly control flow, a good part of which cannot be reached.
"""

import random
from typing import NamedTuple

from near_tee_cli.params.store import config_at
from near_tee_cli.vm import limits
from near_tee_cli.vm.analysis import body as fast
from near_tee_cli.vm.analysis import gas, stack
from near_tee_cli.vm.analysis.changes import BULK, Walk
from near_tee_cli.vm.engine import Engine
from near_tee_cli.vm.prepare import _environment
from near_tee_cli.vm.wasm import opcodes as op
from near_tee_cli.vm.wasm import reader
from near_tee_cli.vm.wasm.module import Module
from tests.support.wat import wat

VALIDATE = Engine().validate
CONFIG = config_at(86).vm
PRICES = gas.Prices(1, gas.Fee(32, 1))
"""Prices counted in regular instructions."""


class Analysis(NamedTuple):
    """Charges (offset from the first instruction, constant, linear), operand and frame sizes in bytes."""

    charges: list[tuple[int, int, int]]
    operands: int
    frame: int


def taken_apart(code: bytes) -> Module:
    """The module, which passes the early pass."""
    module = limits.check(code, CONFIG, validate=VALIDATE)
    assert isinstance(module, Module), module
    return module


def letters_of(module: Module, index: int) -> str:
    """The types of parameters and locals of a defined function."""
    groups = module.bodies[index].locals
    return module.types[module.functions[index]].params + "".join(letter * count for count, letter in groups)


def points_of(module: Module, index: int) -> list[tuple[int, str, gas.Fee]]:
    """The points of the definition, merged, with the names of their kinds."""
    body = module.bodies[index]
    points = gas.points(reader.instructions(module.code, body.code, body.end), PRICES)
    return [(point.offset - body.code, point.kind.name, point.fee) for point in points]


def defined(module: Module, index: int) -> Analysis:
    """A body analysed by the definitions."""
    body, letters = module.bodies[index], letters_of(module, index)
    instructions = list(reader.instructions(module.code, body.code, body.end))
    functions = [module.types[at] for _, at in module.imports] + [module.types[at] for at in module.functions]
    own = [item.type for item in module.globals or ()]
    operands = stack.operand_size(instructions, stack.Declarations(module.types, functions, own, letters))
    charges = [(at, *fee) for at, kind, fee in points_of(module, index) if kind != "UNREACHABLE" and any(fee)]
    return Analysis(charges, operands, stack.frame_size(letters))


def walked(module: Module, index: int) -> Walk:
    """A body analysed by the one walk."""
    body = module.bodies[index]
    sizes = [op.VALUE_SIZES[letter] for letter in letters_of(module, index)]
    return fast.walk(module.code[body.code : body.end], sizes, environment=_environment(module, bulk_memory=True))


def computed(module: Module, index: int) -> Analysis:
    """The same as `defined`, by the one walk."""
    walk = walked(module, index)
    pairs = zip(walk.offsets, walk.values, strict=True)
    charges = [(at, value, 0) if value > 0 else (at, 32, 1) for at, value in pairs if value > 0 or value == BULK]
    return Analysis(charges, walk.operand_bytes, stack.frame_size(letters_of(module, index)))


def only_body(text: str, *, before: str = "") -> Module:
    """The module of one function, given by what follows `(func` in text form, behind other fields."""
    return taken_apart(wat(f"(module {before} (func {text}))"))


_SIMPLE = (
    "nop",
    "return",
    "unreachable",
    "(local.set 1 (i64.const 5))",
    "(local.set 2 (f64.load (local.get 0)))",
    "(global.set 0 (i64.div_u (global.get 0) (local.get 1)))",
    "(drop (select (i64.const 1) (local.get 1) (local.get 0)))",
    "(call $other)",
    "(drop (ref.func $other))",
    "(drop (call $pair (i64.const 1) (i32.const 2)))",
    "(drop (call_indirect (type $pair) (i64.const 1) (i32.const 2) (i32.const 0)))",
    "(memory.fill (local.get 0) (i32.const 0) (i32.const 9))",
    "(drop (memory.grow (i32.const 0)))",
    "(drop (memory.size))",
)
_NESTED = ("block", "loop", "if", "if else", "value")


class ControlFlow:
    """Writes random bodies in text form: blocks, loops, branches of every kind, and little else."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._labels: list[str] = []
        """Empty for a block that leaves a value, which none of these branches brings."""

    def body(self) -> str:
        """Statements of a function (param i32) (local i64 f64), which leave nothing on the stack."""
        return "(param i32) (local i64 f64) " + self._statements(self._random.randrange(1, 5), 0)

    def _statements(self, count: int, depth: int) -> str:
        return " ".join(self._statement(depth) for _ in range(count))

    def _statement(self, depth: int) -> str:
        kind = self._random.choice((*_SIMPLE, *_NESTED * 3, *("branch",) * 8))
        if kind == "branch":
            return self._branch()
        if kind not in _NESTED or depth > 5:
            return kind if kind not in _NESTED else "nop"
        count = self._random.randrange(0, 4)
        if kind == "value":
            self._labels.append("")
            first = self._statements(count, depth + 1)
            self._labels.pop()
            return f"(drop (if (result i64) (local.get 0) (then {first} (i64.const 1)) (else (local.get 1))))"
        label = f"$l{len(self._labels)}"
        self._labels.append(label)
        first, second = self._statements(count, depth + 1), self._statements(count, depth + 1)
        self._labels.pop()
        if kind in ("block", "loop"):
            return f"({kind} {label} {first})"
        otherwise = f"(else {second})" if kind == "if else" else ""
        return f"(if {label} (i32.eqz (local.get 0)) (then {first}) {otherwise})"

    def _branch(self) -> str:
        targets = [*filter(None, self._labels), str(len(self._labels))]
        target = self._random.choice(targets)
        several = " ".join(self._random.choices(targets, k=self._random.randrange(1, 4)))
        return self._random.choice(
            (f"(br {target})", f"(br_if {target} (local.get 0))", f"(br_table {several} (local.get 0))")
        )


AROUND = """
  (type $pair (func (param i64 i32) (result f32)))
  (import "env" "other" (func $other)) (memory 1) (table 1 funcref) (elem declare func $other)
  (global (mut i64) (i64.const 0)) (func $pair (type $pair) (f32.const 0))
"""
"""What such bodies refer to; it defines one function before theirs."""
