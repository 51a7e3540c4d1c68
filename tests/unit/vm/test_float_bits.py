"""The bits of floats under the older kind of VM and the newer one, as contracts see them."""

import hashlib

import pytest

from near_tee_cli.params.store import config_at
from near_tee_cli.vm.analysis.changes import BULK
from near_tee_cli.vm.float_bits import float_instruction
from tests.support.engine_modules import COMPILERS
from tests.support.host_calls import CONTEXT, FakeChain
from tests.support.machines import machine
from tests.support.wasm_numeric import F32, F64, NUMERIC
from tests.support.wasm_older import OlderMachine, settled
from tests.support.wat import wat

NANS_4 = (0x7FC00000, 0xFFC00000, 0x7F800001, 0xFFA12345, 0x7FFFFFFF)
NANS_8 = (0x7FF8000000000000, 0xFFF8000000000000, 0x7FF0000000000001, 0xFFF123456789ABCD, 0x7FFFFFFFFFFFFFFF)
NUMBERS_4 = (0, 0x80000000, 0x3F800000, 0xFF800000, 0x00000001)
NUMBERS_8 = (0, 1 << 63, 0x3FF0000000000000, 0xFFF0000000000000, 0x36A0000000000000, 0x47EFFFFFFFFFFFFF)
EXPRESSIONS = {
    "f64.promote_f32": (F32, F64, "(f64.promote_f32 {})"),
    "f32.demote_f64": (F64, F32, "(f32.demote_f64 {})"),
    "there and back": (F32, F32, "(f32.demote_f64 (f64.promote_f32 {}))"),
    "f32.neg": (F32, F32, "(f32.neg {})"),
    "f64.neg": (F64, F64, "(f64.neg {})"),
    "f32.neg of a sum": (F32, F32, "(f32.neg (f32.add {0} {0}))"),
    "f64.neg of a sum": (F64, F64, "(f64.neg (f64.add {0} {0}))"),
    "a promoted sum": (F32, F64, "(f64.promote_f32 (f32.sub {0} {0}))"),
    "f64.neg of a promoted sum": (F32, F64, "(f64.neg (f64.promote_f32 (f32.mul {0} {0})))"),
}
OPCODES = {name: opcode for opcode, (name, *_) in NUMERIC.items()}


def shown(version: int, compiler: str, result: str, expression: str, operands) -> list[int]:
    """The bits that an expression has for each operand; `{}` stands for the operand's load."""
    load = {F32: "f32.load", F64: "f64.load"}
    kind, text = expression
    size = 4 if result == F32 else 8
    body = "".join(
        f"({result}.store (i32.const {1024 + size * at}) {text.format(f'({load[kind]} (i32.const {8 * at}))')})"
        for at in range(len(operands))
    )
    content = "".join(f"\\{byte:02x}" for operand in operands for byte in operand.to_bytes(8, "little"))
    code = wat(
        f"""(module (import "env" "value_return" (func $return (param i64 i64))) (memory 1)
        (data (i32.const 0) "{content}") (func (export "main") {body}
        (call $return (i64.const {size * len(operands)}) (i64.const 1024))))"""
    )
    outcome = machine(compiler).run(
        code,
        hashlib.sha256(code).digest(),
        method="main",
        context=CONTEXT,
        external=FakeChain(),
        config=config_at(version),
    )
    assert outcome.aborted is None
    data = outcome.return_data
    return [int.from_bytes(data[at : at + size], "little") for at in range(0, len(data), size)]


def computed(table, expression: str, operand: int) -> int:
    """An expression worked out with the operations of a table; operands of `{0} {0}` are the same."""
    names = [word for word in expression.replace("(", " ").replace(")", " ").split() if word in OPCODES]
    value = operand
    for name in reversed(names):
        arity = len(NUMERIC[OPCODES[name]][1])
        value = table[OPCODES[name]][3](*(value,) * arity)
    return settled(value)


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("version", [83, 84])
@pytest.mark.parametrize("name", EXPRESSIONS)
def test_every_kind_of_float(version, name, compiler) -> None:
    source, result, expression = EXPRESSIONS[name]
    operands = (*NANS_4, *NUMBERS_4) if source == F32 else (*NANS_8, *NUMBERS_8)
    table = OlderMachine.numeric if version == 83 else NUMERIC
    expected = [computed(table, expression, operand) for operand in operands]
    assert shown(version, compiler, result, (source, expression), operands) == expected


def test_numbers_of_the_older_kind() -> None:
    table = OlderMachine.numeric
    assert computed(table, "(f64.promote_f32 {})", 0xFFA12345) == 0xFFFC2468A0000000
    assert computed(table, "(f32.demote_f64 {})", 0xFFF123456789ABCD) == 0xFFC91A2B
    assert computed(table, "(f32.neg (f32.add {0} {0}))", 0x7FC00000) == 0x7FC00000
    assert computed(NUMERIC, "(f32.neg (f32.add {0} {0}))", 0x7FC00000) == 0xFFC00000


def test_other_changes_are_no_float_instructions() -> None:
    with pytest.raises(ValueError, match="no float instruction"):
        float_instruction(BULK, slots=0)
