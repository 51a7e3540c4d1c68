"""The one walk: equal to the definitions, and what else it finds."""

import pytest

from near_tee_cli.vm.analysis import changes
from near_tee_cli.vm.wasm import opcodes as op
from tests.support.analysed import computed, defined, only_body, taken_apart, walked
from tests.support.wat import wat

G = '(import "env" "g" (func $g)) (import "env" "h" (func $h (param i64)))'
INNER = "(func $inner)"


def last(text, before=""):
    module = only_body(text, before=before)
    return walked(module, len(module.bodies) - 1)


@pytest.mark.parametrize("opcode", [*range(0x45, 0xC5), *(0xFC00 + sub for sub in range(8))])
def test_every_numeric_instruction(opcode):
    one = {op.POP_1: 2, op.POP_2_PUSH_4: 2}
    effect = op.PREFIXED_EFFECTS[opcode & 0xFF] if opcode > 0xFF else op.EFFECTS[opcode]
    operands = one.get(effect, 1)
    for kind in "dqfg":
        constant = {"d": b"\x41\0", "q": b"\x42\0", "f": b"\x43" + bytes(4), "g": b"\x44" + bytes(8)}[kind]
        text = opcode.to_bytes(2 if opcode > 0xFF else 1, "big")
        inner = b"\1\1" + constant * operands + text + b"\x1a\1\x0b"
        body_bytes = b"\0" + inner
        code = (
            bytes.fromhex("0061736d01000000 01040160000003020100 0a")
            + bytes((len(body_bytes) + 2, 1, len(body_bytes)))
            + body_bytes
        )
        try:
            module = taken_apart(code)
        except AssertionError:
            continue
        assert computed(module, 0) == defined(module, 0)
        return
    pytest.fail("no operand type fits")


@pytest.mark.parametrize(
    "text",
    [
        "(param i32) (local i64) " + "(local i32)" * 130 + " local.get 129 local.set 130 local.get 128 drop",
        "f32.const 1 f64.const 1 drop drop i64.const -1 i32.const -2147483648 drop drop",
        "(result i64) block (result i64) i64.const 1 br 0 end",
        "loop loop block br 1 end end br 0 end",
        "loop loop nop end loop nop br 0 end end nop",
        "block loop i32.const 0 br_table 0 1 0 end end",
        "ref.null func ref.is_null drop i32.const 1 i32.const 2 i32.const 3 select (result i32) drop",
        "block unreachable f32.const 1 i32.const 1 select (result f32) drop i64.const 5 i32.const 0 br_table 0 0 end",
        "return loop loop nop br 0 end end loop loop end br 0 end loop loop loop br 0 br 1 end end end",
    ],
)
def test_equals_the_definitions(text):
    module = only_body(text)
    assert computed(module, 0) == defined(module, 0)


def test_references_in_their_long_form():
    # (param funcref), (ref null func) written out in a block, a local and a select.
    text = bytes.fromhex(
        "01 01 6370 02 6370 2000 0b 1a 2000 2001 4100 1c01 6370 1a 00 1c01 6370 1a 02 6370 00 0b 1a 0b"
    )
    code = (
        bytes.fromhex("0061736d01000000 0106016001 6370 00 03020100 0a") + bytes((len(text) + 2, 1, len(text))) + text
    )
    module = taken_apart(code)
    assert computed(module, 0) == defined(module, 0)
    assert (computed(module, 0).frame, computed(module, 0).operands) == (80, 20)


def test_calls_of_defined_functions():
    assert not last("call $g", G).calls
    assert last("call $inner", G + INNER).calls
    assert last("i32.const 0 call_indirect", G + "(table 1 funcref)").calls
    assert not last("return call $inner", INNER).calls


@pytest.mark.parametrize(
    ("text", "leaves"),
    [
        ("return", False),
        ("block br 0 end", False),
        ("block br 1 end", True),
        ("(param i32) local.get 0 br_if 0", True),
        ("block local.get 0 br_table 0 1 end (param i32)", True),
        ("block return block br 2 end end", True),
        ("loop br 0 end", False),
    ],
)
def test_branches_that_leave_the_function(text, leaves):
    if text.endswith("(param i32)"):
        text = "(param i32) " + text.removesuffix("(param i32)")
    assert last(text).branches_out == leaves


@pytest.mark.parametrize(
    ("text", "live"),
    [
        ("", True),
        ("return", False),
        ("unreachable", False),
        ("block return end", True),
        ("loop br 0 end", True),
        ("br 0", False),
    ],
)
def test_whether_the_end_is_reached(text, live):
    # Behind `end` everything counts as reachable, as in the definition.
    assert last(text).live_end == live


def test_changes_are_found_in_unreachable_code_too():
    walk = last(
        "i64.const 1 call $h ref.func $g drop return return ref.func $h drop call $g", G + "(elem declare func $g $h)"
    )
    values = {offset: value for offset, value in zip(walk.offsets, walk.values, strict=True) if value < 0}
    assert values == {
        2: changes.CALL_IMPORT - 2 * 1,
        4: changes.REFER_TO_IMPORT,
        7: changes.RETURN,
        9: changes.REFER_TO_IMPORT - 2 * 1,
        12: changes.CALL_IMPORT,
    }
    assert walk.dead_returns == 1


def test_blocks_are_counted_in_unreachable_code_too():
    assert last("block loop end end return block loop i32.const 0 if else end end end").blocks == 5


def test_bulk_operations_that_can_be_reached():
    assert last("i32.const 1 memory.grow drop return i32.const 1 memory.grow drop", "(memory 1)").bulk == 1


def test_growth_of_function_indices():
    functions = "".join(f"(func $f{number})" for number in range(126))
    for callee, growth in ((0, 0), (124, 0), (125, 1)):
        module = taken_apart(wat(f"(module {functions} (func call $f{callee}))"))
        assert walked(module, 126).growth == growth
    # An index in five bytes shrinks to one.
    module = taken_apart(bytes.fromhex("0061736d01000000 01040160000003020100 0a0a 01 08 00 10 8080808000 0b"))
    assert walked(module, 0).growth == -4
