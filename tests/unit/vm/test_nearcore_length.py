"""The computed length against the module that nearcore would emit, written out."""

import pytest
import wasmtime

from near_tee_cli.vm.prepare import prepare
from near_tee_cli.vm.prepared import Prepared, PrepareError
from tests.support.analysed import AROUND, CONFIG, VALIDATE, ControlFlow, taken_apart
from tests.support.nearcore_emission import Emission
from tests.support.wasm_generator import ModuleGenerator
from tests.support.wasm_model import encode
from tests.support.wat import wat

FUNCTIONS = "".join(f"(func $f{number})" for number in range(126))
ONE = "(global i32 (i32.const 1))"
GLOBALS = "".join(f"(global (mut i64) (i64.const {number}))" for number in range(126))

MODULES = {
    "empty": "(module)",
    "imports only": '(module (import "env" "f" (func (param i64 i32) (result i64))))',
    "globals only": "(module (global i32 (i32.const -5)) (global f64 (f64.const 1)))",
    "one function": '(module (func (export "main")))',
    "exports of every kind": """(module (memory (export "m") 1) (table (export "t") 3 9 funcref)
        (global (export "g") (mut i64) (i64.const 77777)) (func (export "f") (export "g2")))""",
    "start": "(module (func $s) (start $s))",
    "a start that is imported": '(module (import "env" "f" (func $s)) (start $s) (export "again" (func $s)))',
    "elements": """(module (table 9 funcref) (func $a) (elem (i32.const 1) $a $a) (elem func $a) (elem declare func $a)
        (elem (i32.const 100000) funcref (ref.func $a) (ref.null func)) (elem funcref (ref.null func))
        (elem (table 0) (i32.const 2) func $a) (elem (table 0) (i32.const 2) funcref (ref.func $a))
        (global funcref (ref.func $a)) (global funcref (ref.null func)))""",
    "data": """(module (memory 1) (data (i32.const 5) "abc") (data "passive")
        (func (memory.init 1 (i32.const 0) (i32.const 0) (i32.const 1)) (data.drop 1)))""",
    "many functions": f"(module {FUNCTIONS} (func call $f124 call $f125 call $f0) (start $f125))",
    "many globals": f"(module (memory 1) {GLOBALS} (func (result i32) (memory.grow (i32.const 1)) return))",
    "more globals": f"(module (memory 1) {GLOBALS} {ONE} (func (drop (memory.grow (i32.const 1)))))",
    "most globals": f"(module (memory 1) {GLOBALS * 2} (func (result i32) (memory.grow (i32.const 1))))",
    "many locals": "(module (memory 1) (func (param i64 i64) "
    + "(local i32 i64)" * 62
    + " (drop (memory.grow (i32.const 1)))))",
    "more locals": "(module (memory 1) (func (param i64 i64 i64) "
    + "(local i32 i64)" * 62
    + " (drop (memory.grow (i32.const 1)))))",
    "long groups": "(module (func (local" + " i64" * 1000 + ") (local" + " i32" * 200 + ")))",
    "large frame": "(module (func (result i64) (local" + " i64" * 3000 + ") (return (i64.const 1))))",
    "a long straight line": "(module (func" + " nop" * 500 + "))",
    "unreachable code": "(module (func return loop loop nop br 0 end end return return))",
}


def check(code):
    prepared = prepare(code, CONFIG, validate=VALIDATE)
    assert isinstance(prepared, Prepared), prepared
    emitted = Emission(taken_apart(code)).emit()
    wasmtime.Module.validate(wasmtime.Engine(), emitted)
    assert prepared.nearcore_length == len(emitted)


@pytest.mark.parametrize("name", MODULES)
def test_modules_in_text_form(name):
    check(wat(MODULES[name]))


@pytest.mark.parametrize("seed", range(40))
def test_generated_modules(seed):
    check(encode(ModuleGenerator(seed).generate()))


@pytest.mark.parametrize("seed", range(40))
def test_control_flow(seed):
    check(wat(f"(module {AROUND} (func {ControlFlow(seed).body()}))"))


def test_integers_in_longer_encodings_become_short():
    sections = {
        1: "8100 60 00 00",
        3: "8100 8000",
        4: "01 70 00 01",
        6: "8100 7f 00 41 8000 0b",
        7: "8100 8100 6d 00 8000",
        9: "8100 02 8000 41 8000 0b 00 8300 8000 8000 8000",
        10: "8100 8b00 8100 8200 7f 10 808000 0f 0b",
    }
    code = b"\0asm\1\0\0\0"
    for number, text in sections.items():
        content = bytes.fromhex(text)
        code += bytes((number, len(content) | 0x80, 0)) + content
    check(code)


def test_the_limit_is_on_this_length():
    code = wat('(module (func (export "main") nop))')
    length = len(Emission(taken_apart(code)).emit())
    for limit, fits in ((length, True), (length - 1, False)):
        result = prepare(code, CONFIG._replace(max_instrumented_code_size=limit), validate=VALIDATE)
        assert isinstance(result, Prepared) if fits else result == PrepareError.INSTRUMENTED_CODE_TOO_LARGE
