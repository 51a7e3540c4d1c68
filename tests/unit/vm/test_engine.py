import ctypes
import gc
import subprocess
import sys

import pytest

from near_tee_cli.errors import HostError, UsageError
from near_tee_cli.vm.engine import CompileError, Engine, HostFunction, chosen_compiler
from near_tee_cli.vm.engine_api import UNCHECKED_CALLBACK
from near_tee_cli.vm.engine_instance import Instance, Limits, Trap
from tests.support.engine_modules import COMPILERS, LIMITS, called, instance_of, module, slots
from tests.support.wat import wat

pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="module", params=COMPILERS)
def engine(request):
    return Engine(request.param)


@pytest.fixture(scope="module")
def validator():
    return Engine()


class TestCompiler:
    def test_winch_is_the_default_on_x86_64(self):
        assert chosen_compiler(None, architecture="x86_64") == "winch"

    def test_cranelift_is_the_default_elsewhere(self):
        assert chosen_compiler(None, architecture="aarch64") == "cranelift"

    @pytest.mark.parametrize(("name", "architecture"), [("winch", "aarch64"), ("speed", "x86_64"), ("", "x86_64")])
    def test_what_is_not_there_is_refused(self, name, architecture):
        with pytest.raises(UsageError):
            chosen_compiler(name, architecture=architecture)

    def test_fingerprints_tell_compilers_apart_and_stay(self):
        prints = [Engine(name).fingerprint() for name in (*COMPILERS, *COMPILERS)]
        assert prints[:2] == prints[2:]
        assert prints[0] != prints[1]


LEGAL = {
    "nothing": "(module)",
    "floats": "(module (func (param f32) (result f64) local.get 0 f64.promote_f32))",
    "sign extension": "(module (func (param i32) (result i32) local.get 0 i32.extend8_s))",
    "saturating truncation": "(module (func (param f32) (result i32) local.get 0 i32.trunc_sat_f32_s))",
    "mutable global export": '(module (global (export "g") (mut i32) (i32.const 0)))',
    "bulk memory": "(module (memory 1) (func i32.const 0 i32.const 0 i32.const 0 memory.fill))",
    "data count": '(module (memory 1) (data "x") (func data.drop 0))',
    "table operations": "(module (table 1 funcref) (func (drop (table.size 0))))",
    "ref.null func": "(module (func (drop (ref.null func))))",
    "several tables": "(module (table 1 funcref) (table 1 funcref))",
    "funcref parameter": "(module (func (param funcref)))",
}
ILLEGAL = {
    "garbage": None,
    "several results": "(module (func (result i32 i32) i32.const 0 i32.const 0))",
    "block type by index": "(module (type $t (func (param i32))) (func i32.const 0 (block (type $t) drop)))",
    "externref": "(module (func (param externref)))",
    "typed references": "(module (type $t (func)) (func (param (ref null $t))))",
    "non-null reference": "(module (func (param (ref func))))",
    "SIMD": "(module (func (drop (v128.const i64x2 0 0))))",
    "relaxed SIMD": "(module (func (param v128 v128) (drop (i8x16.relaxed_swizzle (local.get 0) (local.get 1)))))",
    "tail call": "(module (func $f return_call $f))",
    "second memory": "(module (memory 1) (memory 1))",
    "64-bit memory": "(module (memory i64 1))",
    "shared memory": "(module (memory 1 1 shared))",
    "atomics": "(module (memory 1) (func (drop (i32.atomic.load (i32.const 0)))))",
    "tag": "(module (tag))",
    "GC type": "(module (type (struct)))",
    "i31": "(module (func (drop (ref.i31 (i32.const 0)))))",
    "wide arithmetic": "(module (func (param i64 i64 i64 i64) (result i64) "
    "(i64.add128 (local.get 0) (local.get 1) (local.get 2) (local.get 3)) drop))",
    "custom page size": "(module (memory 1 (pagesize 1)))",
    "table initialiser": "(module (table 1 funcref (ref.null func)))",
    "global.get of an own global in a constant": "(module (global i32 (i32.const 0)) (global i32 (global.get 0)))",
    "unknown local": "(module (func (drop (local.get 0))))",
}


class TestValidation:
    @pytest.mark.parametrize("name", LEGAL)
    def test_what_near_knows_is_valid(self, validator, name):
        assert validator.validate(wat(LEGAL[name]))

    @pytest.mark.parametrize("name", ILLEGAL)
    def test_what_near_lacks_is_invalid(self, validator, name):
        text = ILLEGAL[name]
        try:
            wasm = b"\0asm\1\0\0" if text is None else wat(text)
        except ValueError:  # the assembler checks locals by itself
            wasm = bytes.fromhex("0061736d01000000010401600000030201000a0701050020001a0b")
        assert not validator.validate(wasm)


class TestModules:
    def test_what_is_no_module_does_not_compile(self, engine):
        with pytest.raises(CompileError):
            engine.compile(b"\0asm\1\0\0\0garbage")

    def test_a_stored_module_gives_the_same_result(self, engine):
        compiled = engine.compile(module('(func (export "go") (global.set $out (i64.const 77)))'))
        native = compiled.serialize()
        compiled.close()
        for offset in (0, 8, 13):
            loaded = engine.load(b"x" * offset + native, offset)
            instance = engine.linker([]).link(loaded).instantiate(LIMITS)
            assert called(instance) is None
            assert instance.read_global(b"out") == 77
            instance.close()

    @pytest.mark.parametrize("damage", [lambda code: b"", lambda code: b"nothing", lambda code: code[:500]])
    def test_what_was_not_stored_is_not_loaded(self, engine, damage):
        native = engine.compile(module('(func (export "go"))')).serialize()
        with pytest.raises(CompileError):
            engine.load(damage(native))

    def test_code_of_the_other_compiler_is_not_loaded_by_name(self):
        winch, cranelift = (Engine(name) for name in COMPILERS)
        assert winch.fingerprint() != cranelift.fingerprint()

    def test_an_import_that_is_not_linked_is_our_fault(self, engine):
        compiled = engine.compile(module("", '(import "env" "f" (func))'))
        with pytest.raises(HostError):
            engine.linker([]).link(compiled)


TRAPS = {
    "unreachable": (Trap.UNREACHABLE, "unreachable"),
    "load": (Trap.MEMORY_OUT_OF_BOUNDS, "(drop (i32.load (i32.const 67108861)))"),
    "load at 4 GiB": (Trap.MEMORY_OUT_OF_BOUNDS, "(drop (i64.load32_u offset=4294967295 align=1 (i32.const 1)))"),
    "store": (Trap.MEMORY_OUT_OF_BOUNDS, "(i64.store (i32.const -1) (i64.const 0))"),
    "fill": (Trap.MEMORY_OUT_OF_BOUNDS, "(memory.fill (i32.const 67108864) (i32.const 0) (i32.const 1))"),
    "copy": (Trap.MEMORY_OUT_OF_BOUNDS, "(memory.copy (i32.const 0) (i32.const 67108000) (i32.const 1000))"),
    "dropped data": (Trap.MEMORY_OUT_OF_BOUNDS, "(memory.init 0 (i32.const 0) (i32.const 0) (i32.const 4))"),
    "table.get": (Trap.MEMORY_OUT_OF_BOUNDS, "(drop (table.get 0 (i32.const 5)))"),
    "table.set": (Trap.MEMORY_OUT_OF_BOUNDS, "(table.set 0 (i32.const 5) (ref.null func))"),
    "table.fill": (Trap.MEMORY_OUT_OF_BOUNDS, "(table.fill 0 (i32.const 3) (ref.null func) (i32.const 3))"),
    "call beyond the table": (Trap.MEMORY_OUT_OF_BOUNDS, "(call_indirect (type $none) (i32.const 5))"),
    "call of null": (Trap.INDIRECT_CALL_TO_NULL, "(call_indirect (type $none) (i32.const 1))"),
    "call of another type": (Trap.BAD_SIGNATURE, "(drop (call_indirect (type $number) (i32.const 0)))"),
    "division by zero": (Trap.ILLEGAL_ARITHMETIC, "(drop (i32.div_u (i32.const 1) (i32.const 0)))"),
    "remainder by zero": (Trap.ILLEGAL_ARITHMETIC, "(drop (i64.rem_s (i64.const 1) (i64.const 0)))"),
    "division overflow": (
        Trap.ILLEGAL_ARITHMETIC,
        "(drop (i64.div_s (i64.const 0x8000000000000000) (i64.const -1)))",
    ),
    "NaN to integer": (Trap.ILLEGAL_ARITHMETIC, "(drop (i32.trunc_f32_s (f32.const nan)))"),
    "too large to integer": (Trap.ILLEGAL_ARITHMETIC, "(drop (i64.trunc_f64_u (f64.const 0x1p+1023)))"),
}
WITH_TABLE = """(type $none (func)) (type $number (func (result i32))) (func $f) (data "abc")
  (table 5 funcref) (elem (i32.const 0) $f)"""


class TestTraps:
    @pytest.mark.parametrize("name", TRAPS)
    def test_each_kind_of_trap(self, engine, name):
        trap, body = TRAPS[name]
        instance = instance_of(engine, f'{WITH_TABLE} (func (export "go") {body})')
        assert called(instance) is trap
        assert called(instance) is trap
        instance.close()

    def test_no_trap(self, engine):
        instance = instance_of(engine, f'{WITH_TABLE} (func (export "go") (call_indirect (type $none) (i32.const 0)))')
        assert called(instance) is None

    @pytest.mark.parametrize(
        "segment",
        [
            '(data (i32.const 67108864) "x")',
            '(data (i32.const -1) "xx")',
            "(table 1 funcref) (func $f) (elem (i32.const 1) $f)",
        ],
    )
    def test_segments_out_of_bounds(self, engine, segment):
        linked = engine.linker([]).link(engine.compile(module(segment)))
        assert linked.instantiate(LIMITS) is Trap.MEMORY_OUT_OF_BOUNDS

    def test_native_overflow_is_the_hosts_problem_and_leaves_the_engine_usable(self, engine):
        instance = instance_of(engine, '(func $f (export "go") call $f) (func (export "fine"))')
        with pytest.raises(HostError) as caught:
            called(instance)
        assert caught.value.code == "host-stack"
        assert called(instance, b"fine") is None
        assert called(instance_of(engine, '(func (export "go"))')) is None

    def test_a_missing_export_is_our_fault(self, engine):
        with pytest.raises(HostError):
            called(instance_of(engine, ""), b"nothing")


class TestHostFunctions:
    def test_arguments_and_results_lie_in_slots(self, engine):
        seen = []

        def callback(_env, _caller, address):
            view = slots(address, 3)
            seen.append((view[0], view[1] & 0xFFFF_FFFF, view[2]))
            view[0], view[1] = 2**64 - 2, view[2] - 7
            return 0

        imported = '(import "env" "f" (func $f (param i64 i32 i64) (result i64 i64)))'
        body = """(func (export "go")
          (call $f (i64.const -1) (i32.const -5) (global.get $gas)) global.set $gas global.set $out)"""
        function = HostFunction("env", "f", "qdq", "qq", callback)
        instance = instance_of(engine, body, imported, (function,))
        instance.write_global(b"remaining_gas", 2**63 + 100)
        assert called(instance) is None
        assert seen == [(2**64 - 1, 2**32 - 5, 2**63 + 100)]
        assert instance.read_global(b"out") == 2**64 - 2
        assert instance.read_global(b"remaining_gas") == 2**63 + 93

    def test_a_trap_of_ours_ends_the_call(self, engine):
        function = HostFunction("env", "f", "", "", lambda _env, _caller, _slots: engine.new_trap())
        imported = '(import "env" "f" (func $f))'
        instance = instance_of(
            engine, '(func (export "go") call $f (global.set $out (i64.const 1)))', imported, (function,)
        )
        assert called(instance) is Trap.HOST
        assert called(instance) is Trap.HOST
        assert instance.read_global(b"out") == 0

    def test_a_callback_may_look_at_the_instance_that_calls_it(self, engine):
        sizes = []

        def callback(_env, _caller, _address):
            sizes.append(instance.memory_size())
            return 0

        function = HostFunction("env", "f", "", "", callback)
        body = '(func (export "go") call $f (drop (memory.grow (i32.const 1))) call $f)'
        instance = instance_of(engine, body, '(import "env" "f" (func $f))', (function,))
        assert called(instance) is None
        assert sizes == [1024 << 16, 1025 << 16]

    def test_an_instance_keeps_the_functions_it_may_call(self, engine):
        calls = []
        functions = (HostFunction("env", "f", "", "", lambda _env, _caller, _slots: calls.append("own") or 0),)
        instance = instance_of(engine, '(func (export "go") call $f)', '(import "env" "f" (func $f))', functions)
        del functions
        gc.collect()
        others = [UNCHECKED_CALLBACK(lambda _env, _caller, _slots: calls.append("other") or 0) for _ in range(2000)]
        assert called(instance) is None
        assert calls == ["own"]
        assert len(others) == 2000


class TestMemory:
    def test_limits_of_growth(self, engine):
        body = """(table 1 20000 funcref)
          (func (export "go") (global.set $out (i64.extend_i32_s (memory.grow (i32.const 1024)))))
          (func (export "more") (global.set $out (i64.extend_i32_s (memory.grow (i32.const 1)))))
          (func (export "table") (global.set $out (i64.extend_i32_s (table.grow (ref.null func) (i32.const 9999)))))
          (func (export "again") (global.set $out (i64.extend_i32_s (table.grow (ref.null func) (i32.const 1)))))"""
        instance = instance_of(engine, body)
        base = instance.memory_base
        for name, result in ((b"go", 1024), (b"more", 2**64 - 1), (b"table", 1), (b"again", 2**64 - 1)):
            assert called(instance, name) is None
            assert instance.read_global(b"out") == result
        assert instance.memory_size() == 2048 << 16
        assert instance.memory_base == base

    def test_limits_are_the_callers(self, engine):
        body = '(func (export "go") (global.set $out (i64.extend_i32_s (memory.grow (i32.const 1)))))'
        linked = engine.linker([]).link(engine.compile(module(body)))
        instance = linked.instantiate(Limits(memory_bytes=1024 << 16, table_elements=1, tables=1))
        assert called(instance) is None
        assert instance.read_global(b"out") == 2**64 - 1

    def test_the_host_sees_what_the_contract_wrote_after_growing(self, engine):
        body = """(func (export "go") (drop (memory.grow (i32.const 1)))
          (i64.store (i32.const 67108864) (i64.const 0x0807060504030201)))"""
        instance = instance_of(engine, body)
        assert called(instance) is None
        assert ctypes.string_at(instance.memory_base + 67108864, 8) == bytes(range(1, 9))

    def test_every_instance_starts_afresh(self, engine):
        body = """(data (i32.const 8) "\\07") (func (export "go")
          (global.set $out (i64.load (i32.const 8))) (i64.store (i32.const 8) (i64.const 1)))"""
        linked = engine.linker([]).link(engine.compile(module(body)))
        for _ in range(3):
            instance = linked.instantiate(LIMITS)
            assert isinstance(instance, Instance)
            assert called(instance) is None
            assert instance.read_global(b"out") == 7
            instance.close()

    def test_little_address_space_suffices(self, project):
        script = """if True:
            import resource
            resource.setrlimit(resource.RLIMIT_AS, (512 << 20, 512 << 20))
            from near_tee_cli.vm.engine import Engine
            from tests.support.engine_modules import called, instance_of
            body = '(func (export "go") (global.set $out (i64.extend_i32_s (memory.grow (i32.const 1024)))))'
            for name in ("winch", "cranelift"):
                instance = instance_of(Engine(name), body)
                print(called(instance), instance.read_global(b"out"), instance.memory_size() >> 20)
                instance.close()
        """
        done = subprocess.run([sys.executable, "-c", script], cwd=project, capture_output=True, text=True, check=False)
        assert done.stdout == "None 1024 128\n" * 2, done.stderr


class TestGas:
    @pytest.mark.parametrize("gas", [0, 1, 2**63 - 1, 2**63, 2**64 - 1])
    def test_gas_is_unsigned_both_ways(self, engine, gas):
        instance = instance_of(
            engine, '(func (export "go") (global.set $gas (i64.sub (global.get $gas) (i64.const 1))))'
        )
        instance.write_global(b"remaining_gas", gas)
        assert instance.read_global(b"remaining_gas") == gas
        assert called(instance) is None
        assert instance.read_global(b"remaining_gas") == (gas - 1) % 2**64
