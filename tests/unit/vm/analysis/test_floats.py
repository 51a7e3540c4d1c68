"""Which instructions on floats gave other bits under the older kind of VM."""

import pytest

from near_tee_cli.vm.analysis.changes import DEMOTE, NEGATE_4, NEGATE_8, PROMOTE
from near_tee_cli.vm.analysis.floats import differing, may_differ
from near_tee_cli.vm.analysis.stack import Declarations
from near_tee_cli.vm.wasm.reader import instructions
from tests.support.analysed import only_body

NAMES = {PROMOTE: "promote", DEMOTE: "demote", NEGATE_4: "neg4", NEGATE_8: "neg8"}
BEFORE = """(import "env" "f" (func $f (param f32 f64) (result f32))) (type $t (func (param f32) (result f32)))
(table 1 funcref) (memory 1) (global $g (mut f32) (f32.const 0))"""
SUM = "(f32.add (local.get 0) (local.get 0))"
LONG_SUM = "(f64.add (local.get 1) (local.get 1))"


def found(text: str) -> list[str]:
    """The changes of a body with a parameter f32, a parameter f64 and a local i32."""
    module = only_body(f"(param f32 f64) (local i32) {text}", before=BEFORE)
    body = module.bodies[-1]
    code = module.code[body.code : body.end]
    functions = [module.types[at] for _, at in module.imports] + [module.types[at] for at in module.functions]
    declarations = Declarations(module.types, functions, [item.type for item in module.globals or ()], ())
    return [NAMES[kind] for _, kind in differing(instructions(code, 0, len(code)), declarations)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(drop (f64.promote_f32 (local.get 0)))", ["promote"]),
        ("(drop (f32.demote_f64 (local.get 1)))", ["demote"]),
        ("(drop (f32.neg (local.get 0)))", []),
        (f"(drop (f32.neg {SUM}))", ["neg4"]),
        (f"(drop (f64.neg {LONG_SUM}))", ["neg8"]),
        ("(drop (f32.neg (f32.sqrt (local.get 0))))", ["neg4"]),
        ("(drop (f32.neg (f32.nearest (local.get 0))))", ["neg4"]),
        ("(drop (f32.neg (f32.min (local.get 0) (local.get 0))))", []),
        (f"(drop (f32.neg (f32.copysign {SUM} {SUM})))", []),
        (f"(drop (f32.neg (f32.reinterpret_i32 (i32.reinterpret_f32 {SUM}))))", []),
        ("(drop (f32.neg (f32.convert_i32_s (local.get 2))))", []),
        ("(drop (f32.neg (f32.load (i32.const 0))))", []),
        (f"(drop (f32.neg (f32.neg (f32.abs {SUM}))))", ["neg4", "neg4"]),
        (f"(drop (f64.neg (f64.promote_f32 {SUM})))", ["promote", "neg8"]),
        ("(drop (f64.neg (f64.promote_f32 (local.get 0))))", ["promote"]),
        (f"(drop (f32.neg (f32.demote_f64 {LONG_SUM})))", ["demote", "neg4"]),
        (f"(drop (f32.neg (local.tee 0 {SUM})))", ["neg4"]),
        (f"(local.set 0 {SUM}) (drop (f32.neg (local.get 0)))", []),
        (f"(global.set $g {SUM}) (drop (f32.neg (global.get $g)))", []),
        (f"(drop (f32.neg (call $f {SUM} {LONG_SUM})))", []),
        (f"(drop (f32.neg (call_indirect (type $t) {SUM} (i32.const 0))))", []),
        (f"(drop (f32.neg (select {SUM} {SUM} (i32.const 1))))", []),
        (f"(drop (f32.neg (block (result f32) {SUM})))", []),
        (f"(drop (f32.neg (loop (result f32) {SUM})))", []),
        (f"(drop (f32.neg (if (result f32) (i32.const 0) (then {SUM}) (else {SUM}))))", []),
        (f"(drop (block (result f32) (f32.neg {SUM})))", ["neg4"]),
        (f"{SUM} (block (nop)) f32.neg drop", ["neg4"]),
        (f"{SUM} (if (local.get 2) (then nop) (else (drop (f32.neg {SUM})))) f32.neg drop", ["neg4", "neg4"]),
        (f"{SUM} (f32.store (i32.const 0) (local.get 0)) (drop (i32.const 1)) f32.neg drop", ["neg4"]),
        (f"block (result f32) {SUM} (br_if 0 (i32.const 1)) f32.neg end drop", ["neg4"]),
        (f"(block (br 0) (drop (f32.neg {SUM})))", []),
        (f"(if (local.get 2) (then (return) (block (nop))) (else (drop (f32.neg {SUM}))))", ["neg4"]),
        (f"(block (loop (unreachable) (drop (f32.neg {SUM})) (if (then nop)))) (drop (f32.neg {SUM}))", ["neg4"]),
        (f"{SUM} f32.const 1 f32.neg drop f32.neg drop", ["neg4"]),
        (f"{SUM} {LONG_SUM} f64.neg drop f32.neg drop", ["neg8", "neg4"]),
        (f"(drop (f32.eq {SUM} (f32.neg {SUM})))", ["neg4"]),
    ],
)
def test_what_differs(text, expected) -> None:
    assert found(text) == expected


def test_bodies_that_cannot_differ_need_no_walk() -> None:
    module = only_body("(param i32) local.get 0 drop")
    body = module.bodies[0]
    assert not may_differ(module.code[body.code : body.end])
    assert may_differ(bytes((0x20, 0, 0x8C, 0x1A, 0x0B)))
