"""The placement of charges on small bodies; fees in instructions, offsets from the first instruction."""

import pytest

from near_tee_cli.vm.analysis import gas
from near_tee_cli.vm.analysis.gas import Fee, Kind, Point
from near_tee_cli.vm.wasm import opcodes as op
from near_tee_cli.vm.wasm import reader
from tests.support.analysed import only_body, points_of

INDIRECT = "(type $t (func (param i64))) (table 1 funcref)"
WITH_RESULT = "(type $t (func (param i64) (result i32))) (table 1 funcref)"
G = '(import "env" "g" (func $g))'

EXAMPLES = {
    "straight line": ("", "i32.const 1 i32.const 2 i32.add drop", [(0, "PURE", 4)]),
    "if and else": (
        "",
        "(param i32) (result i32) local.get 0 if (result i32) i32.const 1 else i32.const 2 end i32.const 3 i32.add",
        [(0, "PRE", 2), (4, "BETWEEN", 1), (7, "BETWEEN", 1), (10, "POST", 2)],
    ),
    "a loop is paid on every round": (
        "",
        "(param i32) loop local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0 end",
        [(0, "PRE", 0), (2, "BETWEEN", 6), (11, "POST", 0)],
    ),
    "a store between": (
        "(memory 1)",
        "(param i32) block local.get 0 br_if 0 i32.const 0 i32.const 7 i32.store nop end nop",
        [(0, "PRE", 2), (6, "BETWEEN", 3), (13, "BETWEEN", 1), (15, "POST", 1)],
    ),
    "a bulk instruction": (
        "(memory 1)",
        "(param i32) i32.const 0 local.get 0 i32.const 8 memory.copy nop nop",
        [(0, "PURE", 3), (6, "BULK", Fee(32, 1)), (10, "POST", 2)],
    ),
    "unreachable code": (
        "",
        "block br 0 i32.const 1 drop end nop unreachable i32.const 1 drop",
        [(0, "PRE", 1), (4, "UNREACHABLE", 2), (8, "BETWEEN", 2), (10, "UNREACHABLE", 2)],
    ),
    "if alone": ("", "(param i32) local.get 0 if nop nop end nop", [(0, "PRE", 2), (4, "BETWEEN", 2), (7, "POST", 1)]),
    "return": (
        "",
        "(param i32) local.get 0 if return end nop",
        [(0, "PRE", 2), (4, "BETWEEN", 1), (5, "UNREACHABLE", 0), (6, "BETWEEN", 1)],
    ),
    "calls": (G, "call $g call $g nop", [(0, "PRE", 1), (2, "BETWEEN", 1), (4, "POST", 1)]),
    "a loop that nothing goes back to": ("", "loop nop nop end nop", [(0, "PURE", 4)]),
    "branch table": (
        "",
        "(param i32) block block local.get 0 br_table 0 1 end nop end nop",
        [(0, "PRE", 2), (10, "UNREACHABLE", 0), (11, "BETWEEN", 1), (13, "POST", 1)],
    ),
    "indirect call": (INDIRECT, "i64.const 0 i32.const 0 call_indirect (type $t)", [(0, "PRE", 3), (7, "POST", 0)]),
    "two indirect calls": (
        WITH_RESULT,
        "i64.const 0 i32.const 0 call_indirect (type $t) drop i64.const 0 i32.const 0 call_indirect (type $t) drop",
        [(0, "PRE", 3), (7, "BETWEEN", 4), (15, "POST", 1)],
    ),
    "a branch leaves before an else": (
        "",
        "(param i32) local.get 0 if nop return else nop end",
        [(0, "PRE", 2), (4, "BETWEEN", 2), (6, "BETWEEN", 0), (7, "BETWEEN", 1), (9, "BETWEEN", 0)],
    ),
    "unreachable marks its targets": (
        "",
        "block return br 0 end nop",
        [(0, "PRE", 1), (3, "UNREACHABLE", 1), (6, "BETWEEN", 1)],
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_placement(name):
    before, text, expected = EXAMPLES[name]
    points = points_of(only_body(text, before=before), 0)
    assert [one for one in points if one[1] != "PURE" or one[2] != Fee(0)] == [
        (at, kind, fee if isinstance(fee, Fee) else Fee(fee)) for at, kind, fee in expected
    ]


@pytest.mark.parametrize("opcode", sorted(op.TRAPPING - {op.CALL, op.CALL_INDIRECT}))
def test_what_may_trap_closes_a_group(opcode):
    memory = b"\2\0" if op.FIRST_LOAD <= opcode < op.MEMORY_SIZE else b""
    index = b"\0" if opcode in (op.TABLE_GET, op.TABLE_SET) else b""
    body = bytes((op.NOP, opcode)) + memory + index + bytes((op.NOP, op.END))
    points = gas.points(reader.instructions(body, 0, len(body)), gas.Prices(1, Fee(32, 1)))
    assert points == [(0, Kind.PRE, Fee(2)), (len(body) - 2, Kind.POST, Fee(1))]


@pytest.mark.parametrize(
    ("opcode", "text"),
    [(one, bytes((one,))) for one in range(0x45, 0xC5) if one not in op.TRAPPING]
    + [(0xFC00 + one, bytes((0xFC, one))) for one in range(8)],
)
def test_other_numeric_instructions_do_not(opcode, text):
    body = b"\1" + text + b"\1\x0b"
    assert gas.points(reader.instructions(body, 0, len(body)), gas.Prices(1, Fee(32, 1))) == [(0, Kind.PURE, Fee(3))]


def test_prices():
    prices = gas.Prices(7, Fee(32, 3))
    free = [one for one in range(0xC5) if prices.of(one) == Fee(0)]
    assert free == [op.BLOCK, op.ELSE, op.END]
    assert {one for one in range(0xFC20) if prices.of(one) == Fee(32, 3)} == op.BULK
    assert prices.of(op.LOOP) == prices.of(op.DATA_DROP) == Fee(7)


class TestMerging:
    def merged(self, *points):
        return gas._fold([Point(*one) for one in points], gas._merged_across)

    def at_one_offset(self, first, second):
        merged = gas._fold([Point(4, first, Fee(1)), Point(4, second, Fee(2))], gas._merged_at_one_offset)
        return merged[0].kind if len(merged) == 1 and merged[0].fee == Fee(3) else merged

    def test_at_one_offset(self):
        pure, pre, post, between, unreachable, bulk = Kind
        for kind in Kind:
            assert self.at_one_offset(unreachable, kind) == unreachable
            assert self.at_one_offset(kind, unreachable) == unreachable
            assert self.at_one_offset(pure, kind) == kind
        for kind in (pre, post, between):
            assert self.at_one_offset(kind, pure) == self.at_one_offset(kind, kind) == kind
            assert self.at_one_offset(kind, bulk) == bulk
        for first in (pre, post, between):
            for second in {pre, post, between} - {first}:
                assert self.at_one_offset(first, second) == between

    def test_neighbours(self):
        mergeable = {}
        for first in Kind:
            for second in Kind:
                merged = self.merged((1, first, Fee(1)), (5, second, Fee(2)))
                if len(merged) == 1:
                    assert (merged[0].offset, merged[0].fee) == (1, Fee(3))
                    mergeable[first.name, second.name] = merged[0].kind.name
        assert mergeable == {
            ("PURE", "PURE"): "PURE",
            ("UNREACHABLE", "UNREACHABLE"): "UNREACHABLE",
            ("POST", "PRE"): "BETWEEN",
            ("PURE", "PRE"): "PRE",
            ("POST", "PURE"): "POST",
        }

    @pytest.mark.parametrize(("first", "second"), [(Fee(1, 1), Fee(2)), (Fee(1), Fee(2, 1)), (Fee(2**64 - 1), Fee(1))])
    def test_linear_fees_and_overflow_refuse_it(self, first, second):
        points = [Point(1, Kind.PURE, first), Point(1, Kind.PURE, second)]
        assert gas._fold(points, gas._merged_at_one_offset) == points
        assert gas._fold(points, gas._merged_across) == points
        assert len(self.merged((1, Kind.PURE, Fee(2**64 - 2)), (2, Kind.PURE, Fee(1)))) == 1
