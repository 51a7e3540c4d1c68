"""The stack model on small bodies: operand and frame sizes in bytes."""

import pytest

from near_tee_cli.vm.analysis.stack import frame_size
from tests.support.analysed import defined, only_body

INDIRECT = "(type $t (func (param i64))) (table 1 funcref)"
WITH_RESULT = "(type $t (func (param i64) (result i32))) (table 1 funcref)"
THREE = "(type $t (func (param i64 i32 f64) (result i32))) (table 1 funcref)"
BARE = "(type $t (func)) (table 1 funcref)"

EXAMPLES = {
    "nothing": ("", "nop", 0),
    "straight line": ("", "i32.const 1 i32.const 2 i32.add drop", 8),
    "sizes": ("", "i32.const 1 i64.const 1 f32.const 1 f64.const 1 drop drop drop drop", 24),
    "a reference takes 8": ("", "ref.null func ref.null func drop drop", 16),
    "an address becomes a wider value": ("(memory 1)", "i32.const 0 i32.const 0 i64.load drop drop", 12),
    "a store takes both": ("(memory 1)", "i32.const 0 i64.const 0 i64.store i64.const 0 drop", 12),
    "a comparison leaves 4": ("", "i64.const 1 i64.const 2 i64.lt_s i32.const 1 drop drop", 16),
    "a widening": ("", "i32.const 1 i32.const 1 i64.extend_i32_s drop drop", 12),
    "a test of a reference": ("", "ref.null func ref.is_null i32.const 0 drop drop", 8),
    "locals": ("", "(param f64) (local i32) local.get 0 local.get 1 drop drop", 12),
    "tee keeps, set takes": ("", "(local i64) i64.const 1 local.tee 0 local.set 0 i64.const 1 drop", 8),
    "globals": ("(global (mut f64) (f64.const 0))", "global.get 0 global.get 0 global.set 0 drop", 16),
    "select": ("", "i64.const 1 i64.const 2 i32.const 0 select i64.const 1 drop drop", 20),
    "memory sizes": ("(memory 1)", "memory.size memory.grow memory.size drop drop", 8),
    "bulk instructions take three": (
        "(memory 1)",
        "i32.const 0 i32.const 0 i32.const 0 memory.fill i64.const 0 drop",
        12,
    ),
    "table.grow": ("(table 1 funcref)", "ref.null func i32.const 1 table.grow i32.const 1 drop drop", 12),
    "table.get": ("(table 1 funcref)", "i32.const 0 table.get 0 i32.const 0 drop drop", 12),
    "a call": (
        "(func $f (param i64 i64) (result i32) (i32.const 0))",
        "i64.const 0 i64.const 0 call $f i64.const 1 drop drop",
        16,
    ),
    "an indirect call leaves one argument behind": (
        WITH_RESULT,
        "i64.const 0 i32.const 0 call_indirect (type $t) drop i64.const 0 i32.const 0 call_indirect (type $t) drop",
        20,
    ),
    "of several, the deepest": (
        THREE,
        "i64.const 0 i32.const 0 f64.const 0 i32.const 0 call_indirect (type $t) f64.const 0 drop drop",
        24,
    ),
    "without arguments, the index": (
        BARE,
        "i32.const 0 call_indirect (type $t) i32.const 0 call_indirect (type $t)",
        8,
    ),
    "until the frame ends": (
        INDIRECT,
        "block i64.const 0 i32.const 0 call_indirect (type $t) end i64.const 0 drop",
        12,
    ),
    "what is left over is taken by later instructions": (
        INDIRECT,
        "i32.const 1 i64.const 0 i32.const 0 call_indirect (type $t) drop i64.const 0 drop",
        16,
    ),
    "a branch ends the counting": ("", "block i32.const 1 br 0 i64.const 1 i64.const 1 drop drop end", 4),
    "which goes on behind the end": ("", "block i32.const 1 br 0 end i64.const 1 drop", 8),
    "results of blocks": ("", "block (result i64) i32.const 1 i64.const 2 br 0 end drop", 12),
    "blocks in unreachable code give nothing": ("", "block return block (result i64) i64.const 1 end drop end", 0),
    "else begins where if began": (
        "",
        "(param i32) local.get 0 if (result i64) i64.const 1 else i64.const 2 end drop",
        8,
    ),
    "else behind a branch": ("", "(param i32) local.get 0 if return else i64.const 2 drop end", 8),
    "br_if takes its condition": ("", "block i32.const 1 br_if 0 i64.const 1 drop end", 8),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_operands(name):
    before, text, expected = EXAMPLES[name]
    module = only_body(text, before=before)
    assert defined(module, len(module.bodies) - 1).operands == expected


def test_frames():
    assert frame_size("") == 64
    assert frame_size("dqfgr") == 64 + 4 + 8 + 4 + 8 + 8
    assert defined(only_body("(param i32 i64) (local f32 f32 f64)"), 0).frame == 64 + 4 + 8 + 4 + 4 + 8
