"""Instrumented modules, run: what they charge, where they stop, and how they call the host."""

import pytest

from near_tee_cli.vm.engine import Engine, HostFunction
from near_tee_cli.vm.engine_instance import Trap
from near_tee_cli.vm.engine_thread import on_contract_thread
from near_tee_cli.vm.prepare import prepare
from near_tee_cli.vm.prepared import Prepared
from tests.support.analysed import CONFIG, VALIDATE
from tests.support.engine_modules import COMPILERS, LIMITS, called, slots
from tests.support.raw_modules import code, raw
from tests.support.wat import wat

OP = 822_756
FRAME = 8 * OP
PLENTY = 10**15
STACK = 2**64 - 1
"""What `exhausted` reads when a frame does not fit."""

HOST_PRICE = 1_000
WIDTHS = {"d": 2**32 - 1, "q": 2**64 - 1, "f": 0, "g": 0, "r": 0}
"""What is to be read of a slot."""


class Run:
    """One call of `main`: what was left and why it ended."""

    def __init__(self, engine, text, gas=PLENTY, *, method=b"\0main"):
        module = text if isinstance(text, bytes) else wat(f"(module {text})")
        self.prepared = prepare(module, CONFIG, validate=VALIDATE)
        assert isinstance(self.prepared, Prepared), self.prepared
        self.seen = []
        hosts = {one.name: self.host(one) for one in self.prepared.imports}
        linked = engine.linker(hosts.values()).link(engine.compile(self.prepared.wasm))
        self.instance = on_contract_thread(lambda: linked.instantiate(LIMITS))
        assert not isinstance(self.instance, Trap)
        self.instance.write_global(b"remaining_gas", gas)
        self.trap = called(self.instance, method)
        self.left = self.instance.read_global(b"remaining_gas")
        self.burnt = gas - self.left
        self.exhausted = self.instance.read_global(b"exhausted")

    def host(self, one):
        """A host function that charges, notes its arguments, and answers with their sum."""

        def callback(_first, _second, address):
            values = slots(address, len(one.params) + 2)
            given = [value & WIDTHS[letter] for value, letter in zip(values, one.params, strict=False)]
            gas = values[len(one.params)]
            self.seen.append((one.name, *given, gas))
            gas, answer = gas - HOST_PRICE, sum(given) + 1
            if one.result:
                values[0], values[1] = answer, gas
            else:
                values[0] = gas
            return 0

        return HostFunction("env", one.name, one.params + "q", one.result + "q", callback)

    def read(self, name):
        """An exported i64 global of the contract."""
        return self.instance.read_global(b"\0" + name.encode())


@pytest.fixture(scope="module", params=COMPILERS)
def engine(request):
    return Engine(request.param)


@pytest.fixture
def run(engine):
    return lambda *arguments, **options: Run(engine, *arguments, **options)


MAIN = '(func (export "main") '
NEXT = "(local.tee 0 (i32.add (local.get 0) (i32.const 1)))"
OUT = '(global $out (export "out") (mut i64) (i64.const 7))'


TABLE = "(type $t (func (param i64 i32) (result i64))) (table 3 funcref) "


class TestGas:
    def test_a_frame_and_nothing(self, run):
        assert run(MAIN + ")").burnt == FRAME
        assert run(MAIN + "(local i64))").burnt == 9 * OP
        assert run(MAIN + "(local i32))").burnt == 9 * OP
        assert run(MAIN + "(local i64 i32 i32 f64 funcref))").burnt == 12 * OP

    def test_every_round_of_a_loop(self, run):
        text = MAIN + f"(local i32) (loop (br_if 0 (i32.ne (i32.const ROUNDS) {NEXT}))))"
        for rounds in (1, 2, 1000):
            assert run(text.replace("ROUNDS", str(rounds))).burnt == (9 + 8 * rounds) * OP

    def test_gas_may_be_used_up_exactly(self, run):
        text = MAIN + "nop nop)"
        assert (run(text, FRAME + 2 * OP).left, run(text, FRAME + 2 * OP).trap) == (0, None)

    @pytest.mark.parametrize(
        ("gas", "left", "charge"),
        [
            (0, 0, FRAME),
            (FRAME - 1, FRAME - 1, FRAME),
            (FRAME, 0, 3 * OP),
            (FRAME + 3 * OP - 1, 3 * OP - 1, 3 * OP),
            (FRAME + 3 * OP, 0, 2 * OP),
            (FRAME + 5 * OP - 1, 2 * OP - 1, 2 * OP),
        ],
    )
    def test_a_charge_that_does_not_fit_is_told_as_a_whole(self, run, gas, left, charge):
        # Up to the load, then behind it.
        result = run("(memory 1)" + MAIN + "nop (drop (i32.load (i32.const 0))) nop)", gas)
        assert (result.trap, result.exhausted, result.left) == (Trap.UNREACHABLE, charge, left)

    def test_a_trap_of_the_contract_is_no_exhaustion(self, run):
        result = run(MAIN + "nop unreachable)")
        assert (result.trap, result.exhausted, result.burnt) == (Trap.UNREACHABLE, 0, FRAME + 2 * OP)

    def test_more_gas_than_fits_a_signed_integer(self, run):
        assert run(MAIN + "nop)", 2**64 - 1).burnt == FRAME + OP

    @pytest.mark.parametrize(
        ("text", "count", "before"),
        [
            ("(memory.fill (i32.const 0) (i32.const 1) (i32.const 5))", 5, 3),
            ("(memory.copy (i32.const 0) (i32.const 1) (i32.const 6))", 6, 3),
            ("(memory.init 0 (i32.const 0) (i32.const 0) (i32.const 3))", 3, 3),
            ("(global.set $out (i64.extend_i32_s (memory.grow (i32.const 2))))", 2, 1),
            ("(table.fill 0 (i32.const 0) (ref.null func) (i32.const 4))", 4, 3),
            ("(table.copy (i32.const 0) (i32.const 0) (i32.const 1))", 1, 3),
            ("(table.init 0 (i32.const 0) (i32.const 0) (i32.const 1))", 1, 3),
            ("(global.set $out (i64.extend_i32_s (table.grow (ref.null func) (i32.const 7))))", 7, 2),
        ],
    )
    def test_bulk_operations(self, run, text, count, before):
        around = '(memory 1) (data "abc") (table 5 funcref) (elem func $f) (func $f)' + OUT
        behind = 2 * OP if "$out" in text else 0
        price = (32 + count) * OP
        frame = FRAME
        result = run(around + MAIN + text + ")")
        assert (result.trap, result.burnt) == (None, frame + before * OP + price + behind)
        if "grow" in text:
            assert result.read("out") == (1024 if "memory" in text else 5)
        short = run(around + MAIN + text + ")", frame + before * OP + price - 1)
        assert (short.trap, short.exhausted, short.left) == (Trap.UNREACHABLE, price, price - 1)
        locals_ = " (local" + " i64" * 3 + ")"
        assert run(around + MAIN + locals_ + text + ")").burnt == frame + (3 + before) * OP + price + behind

    def test_a_length_is_unsigned(self, run):
        result = run("(memory 1)" + MAIN + "(drop (memory.grow (i32.const -1))))", 4 * PLENTY)
        assert result.burnt == FRAME + 2 * OP + (32 + 2**32 - 1) * OP


class TestStack:
    @pytest.mark.parametrize(("locals_", "size"), [("", 64), ("(local i32)", 68), ("(local i64 i64)", 80)])
    def test_recursion(self, run, locals_, size):
        result = run(f'(func $main (export "main") {locals_} call $main)')
        frames = 262_144 // size
        assert (result.trap, result.exhausted) == (Trap.UNREACHABLE, STACK)
        assert result.burnt == frames * ((size + 7) // 8 + 1) * OP

    def test_operands_count(self, run):
        result = run("(func $f (result i64) (i64.add (call $f) (i64.const 1)))" + MAIN + "(drop (call $f)))")
        # main takes 64 + 8, each call of $f 64 + 16.
        assert result.burnt == 9 * OP + (262_144 - 72) // 80 * 9 * OP

    @pytest.mark.parametrize(("text", "inner"), [("", 0), ("call $leaf", 64)])
    def test_one_frame_too_large(self, run, text, inner):
        fits = (262_144 - 64 - inner) // 8
        for count, exhausted in ((fits, 0), (fits + 1, STACK)):
            result = run("(func $leaf)" + MAIN + "(local" + " i64" * count + f") {text})")
            assert (result.exhausted, result.burnt > 0) == (exhausted, not exhausted or inner > 0)

    @pytest.mark.parametrize(
        "text",
        [
            "(func $f (call $inner))",
            "(func $f (call $inner) return)",
            "(func $f (if (i32.const 1) (then (call $inner) (return))) (call $inner))",
            "(func $f (block (call $inner) (br 1)))",
            "(func $f (call $inner) (br_if 0 (i32.const 1)) (call $inner))",
            "(func $f (block (block (call $inner) (br_table 0 1 2 (i32.const 2)))))",
            "(func $f (drop (call $g))) (func $g (result i64) (call $inner) (br 0 (i64.const 5)))",
            "(func $f (drop (call $g))) (func $g (result i64) (call $inner) (i64.const 5))",
            "(func $f (drop (call $g))) (func $g (result f32) (call $inner) (return (f32.const 5)))",
            "(func $f call $g drop) (func $g (result funcref) (call $inner) (br_if 0 (ref.null func) (i32.const 1)))",
            "(func $f (loop (call $inner)) (call $inner) (loop (return)))",
            "(func $f)",
        ],
    )
    def test_frames_are_given_back(self, run, text):
        loop = f"(local i32) (loop (call $f) (br_if 0 (i32.ne (i32.const 9000) {NEXT})))"
        result = run("(func $inner)" + text + MAIN + loop + ")")
        assert (result.trap, result.exhausted) == (None, 0)
        # And all of the stack is there again.
        depth = run("(func $inner)" + text + '(func $main (export "main") (call $f) (call $main))')
        alone = run("(func $inner)" + text + '(func $main (export "main") (call $main))')
        assert depth.exhausted == alone.exhausted == STACK

    def test_the_frame_comes_before_its_price(self, run):
        result = run("(func $f (local" + " i64" * 40_000 + ")) " + MAIN + "(call $f))", FRAME + OP)
        assert (result.exhausted, result.left) == (STACK, 0)


REFERRED = {
    "a table": (
        TABLE + "(elem (i32.const 1) $f)",
        "(global.set $out (call_indirect (type $t) (i64.const 1) (i32.const 2) (i32.const 1)))",
    ),
    "a table by expressions": (
        TABLE + "(elem (i32.const 1) funcref (ref.func $f) (ref.null func))",
        "(global.set $out (call_indirect (type $t) (i64.const 1) (i32.const 2) (i32.const 1)))",
    ),
    "a reference": (
        TABLE + "(elem declare func $f)",
        """(table.set (i32.const 0) (ref.func $f))
        (global.set $out (call_indirect (type $t) (i64.const 1) (i32.const 2) (i32.const 0)))""",
    ),
    "a global": (
        TABLE + "(global $r funcref (ref.func $f))",
        """(table.set (i32.const 0) (global.get $r))
        (global.set $out (call_indirect (type $t) (i64.const 1) (i32.const 2) (i32.const 0)))""",
    ),
}


class TestImports:
    IMPORT = '(import "env" "f" (func $f (param i64 i32) (result i64))) (import "env" "g" (func $g))'

    def test_calls_carry_the_gas_there_and_back(self, run):
        text = self.IMPORT + OUT + MAIN + "(global.set $out (call $f (i64.const 5) (i32.const 6))) (call $g))"
        result = run(text)
        at_f = PLENTY - FRAME - 3 * OP
        at_g = at_f - HOST_PRICE - 2 * OP
        assert result.seen == [("f", 5, 6, at_f), ("g", at_g)]
        assert (result.read("out"), result.left) == (12, at_g - HOST_PRICE)

    @pytest.mark.parametrize("name", REFERRED)
    def test_references_carry_the_gas_too(self, run, name):
        before, text = REFERRED[name]
        result = run(self.IMPORT + OUT + before + MAIN + text + ")")
        assert (result.trap, result.read("out")) == (None, 4)
        ((_, *arguments, gas),) = result.seen
        assert arguments == [1, 2]
        assert result.left == gas - HOST_PRICE - OP

    def test_a_method_and_start_that_are_imported(self, run):
        text = self.IMPORT + '(export "main" (func $g)) (start $g) (func)'
        result = run(text)
        assert result.prepared.has_start
        assert (result.seen, result.left) == ([("g", PLENTY)], PLENTY - HOST_PRICE)
        assert run(text, method=b"start").seen == [("g", PLENTY)]

    def test_without_any_code(self, run):
        assert run('(import "env" "g" (func $g)) (export "main" (func $g))').left == PLENTY - HOST_PRICE

    def test_in_code_that_cannot_be_reached(self, run):
        text = self.IMPORT + "(elem declare func $g)" + MAIN + "return (drop (call $f)) call $g (drop (ref.func $g)))"
        assert (run(text).seen, run(text).trap) == ([], None)

    def test_every_type_of_value(self, run):
        types = "(param i32 i64 f32 f64 funcref) (result f64)"
        text = f'(import "env" "f" (func $f {types}))' + MAIN + "(if (i32.const 0) (then (drop (call $f "
        text += "(i32.const 0) (i64.const 0) (f32.const 0) (f64.const 0) (ref.null func))))))"
        result = run(text)
        assert result.prepared.imports == (("f", "dqfgr", "g"),)


class TestTheModule:
    def test_own_globals_and_tables_keep_their_places(self, run):
        text = (
            """(global $a (export "a") (mut i64) (i64.const 1)) (global $b (export "b") i64 (i64.const -2))
        (table (export "t") 3 funcref)"""
            + MAIN
            + "(global.set $a (i64.add (global.get $a) (global.get $b))))"
        )
        result = run(text)
        assert (result.read("a"), result.read("b")) == (2**64 - 1, 2**64 - 2)

    def test_names_of_ours_are_free_for_the_contract(self, run):
        text = """(global (export "remaining_gas") (mut i64) (i64.const 5))
        (global (export "exhausted") (mut i64) (i64.const 6))
        (func (export "start")) (func (export "memory")) (func (export "main"))"""
        result = run(text)
        assert (result.read("remaining_gas"), result.read("exhausted"), result.burnt) == (5, 6, FRAME)
        assert not result.prepared.has_start
        assert set(result.prepared.methods) == {"start", "memory", "main"}

    @pytest.mark.parametrize("memory", ["", "(memory 0 0)", '(memory (export "m") 42 42)', "(memory 60000)"])
    def test_memory_is_the_prescribed_one(self, run, memory):
        result = run(memory + MAIN + ")")
        assert result.instance.memory_size() == 1024 << 16

    def test_memory_grows_up_to_its_maximum(self, run):
        grow = "(global.set $out (i64.extend_i32_s (memory.grow (i32.const {}))))"
        text = "(memory 1 1)" + OUT + MAIN + grow + ")"
        assert run(text.replace("{}", "1024")).read("out") == 1024
        assert run(text.replace("{}", "1025")).read("out") == 2**64 - 1

    def test_start_is_called_by_the_host_alone(self, run):
        text = OUT + "(func $s (global.set $out (i64.const 9))) (start $s)" + MAIN + ")"
        assert run(text).read("out") == 7
        assert run(text, method=b"start").read("out") == 9

    def test_segments_are_kept(self, run):
        text = '(memory 1) (data (i32.const 8) "\\05") (data "\\06")' + OUT + MAIN
        text += """(memory.init 1 (i32.const 9) (i32.const 0) (i32.const 1))
        (global.set $out (i64.load16_u (i32.const 8))))"""
        assert run(text).read("out") == 0x0605

    def test_encodings_of_any_length(self, run):
        # Indices, constants and sizes with a byte more than needed; a reference type in its long form.
        main = """8100 8100 6370 10818000 218000 428500 248000 418000 29830081001a
        026370 d070 0b 1a 418000 418000 418000 fc8b0000 0b"""
        module = raw(
            (1, "8200 600000 4f8000 60008100 6370"),
            (3, "8200 8000 8100"),
            (5, "010000"),
            (6, "8100 7e 01 428700 0b"),
            (7, "02 8400 6d61696e 00 8000 03 6f7574 03 8000"),
            code(main, "00 d070 0b"),
        )
        result = run(module)
        assert (result.trap, result.read("out")) == (None, 5)
