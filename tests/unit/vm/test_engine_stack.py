"""The native stack outlasts the deepest recursion that NEAR's modelled stack allows, with room to spare.

The model gives every frame 64 bytes plus its locals plus its operands, 262,144 bytes in all. Each shape here is a
function whose native frame is wide for what the model counts; it must fit the native stack many times as often as
the model lets it recurse, on both compilers.
"""

import hashlib

import pytest

from near_tee_cli import errors
from near_tee_cli.params.store import config_at
from near_tee_cli.vm.engine import MAX_WASM_STACK, Engine, HostFunction
from near_tee_cli.vm.engine_thread import STACK_BYTES
from near_tee_cli.vm.outcome import HostError
from near_tee_cli.vm.runner import VirtualMachine
from tests.support.engine_modules import COMPILERS, called, instance_of
from tests.support.host_calls import CONTEXT, FakeChain
from tests.support.wat import wat

MODELLED_STACK = 262_144
MARGIN = 8
SIZES = {"i32": 4, "i64": 8, "f32": 4, "f64": 8}
STEP = """(global.set $gas (i64.sub (global.get $gas) (i64.const 1)))
  (if (i64.eqz (global.get $gas)) (then return))"""
GLOBALS = """(global $i32 (mut i32) (i32.const 3)) (global $i64 (mut i64) (i64.const 3))
  (global $f32 (mut f32) (f32.const 3)) (global $f64 (mut f64) (f64.const 3)) (func $nothing)"""


def locals_across_the_call(kind, count):
    writes = " ".join(f"(local.set {i} (global.get ${kind}))" for i in range(count))
    reads = " ".join(f"(global.set ${kind} (local.get {i}))" for i in range(count))
    body = f'(func $f (export "go") (local {(kind + " ") * count}) {STEP} {writes} call $f {reads})'
    return body, 64 + SIZES[kind] * count + 8


def operands_across_the_call(kind, count):
    push, pop = f" global.get ${kind}" * count, f" global.set ${kind}" * count
    return f'(func $f (export "go") {STEP} {push} call $f {pop})', 64 + SIZES[kind] * count


def parameters(kind, count):
    push = " ".join(f"local.get {i}" for i in range(count))
    reads = " ".join(f"(global.set ${kind} (local.get {i}))" for i in range(count))
    body = f"""(func $f (param {(kind + " ") * count}) {STEP} {push} call $f {reads})
      (func (export "go") {f" global.get ${kind}" * count} call $f)"""
    return body, 64 + 2 * SIZES[kind] * count


def indirect(kind, count):
    push = " ".join(f"local.get {i}" for i in range(count))
    reads = " ".join(f"(global.set ${kind} (local.get {i}))" for i in range(count))
    body = f"""(type $t (func (param {(kind + " ") * count}))) (table 1 funcref) (elem (i32.const 0) $f)
      (func $f (type $t) {STEP} {push} i32.const 0 call_indirect (type $t) {reads})
      (func (export "go") {f" global.get ${kind}" * count} call $f)"""
    return body, 64 + 2 * SIZES[kind] * count


def short_lived_spills(long_lived, count):
    writes = " ".join(f"(local.set {i} (global.get $i64))" for i in range(long_lived))
    reads = " ".join(f"(global.set $i64 (local.get {i}))" for i in range(long_lived))
    spills = " global.get $i64 call $nothing global.set $i64" * count
    body = f"""(func $f (export "go") (local {"i64 " * long_lived}) {STEP} {writes}
      (if (i64.eqz (global.get $gas)) (then {spills})) call $f {reads})"""
    return body, 64 + 8 * long_lived + 8


def loops_around_the_call(count):
    head = "".join(
        f"(block (loop (local.set {i % 8} (i64.add (local.get {i % 8}) (local.get {(i + 1) % 8})))"
        for i in range(count)
    )
    tail = "(br_if 0 (i32.eqz (global.get $i32)))))" * count
    return f'(func $f (export "go") (local {"i64 " * 8}) {STEP} {head} call $f {tail})', 64 + 64 + 16


SHAPES = {
    "smallest": (f'(func $f (export "go") {STEP} call $f)', 64 + 16),
    **{f"{n} {k} locals": locals_across_the_call(k, n) for k in SIZES for n in (1, 40, 1500)},
    "8000 f32 locals": locals_across_the_call("f32", 8000),
    **{f"{n} {k} operands": operands_across_the_call(k, n) for k in SIZES for n in (8, 8192 // SIZES[k])},
    **{f"{n} {k} parameters": parameters(k, n) for k in SIZES for n in (2, 64)},
    **{f"64 {k} parameters, indirect": indirect(k, 64) for k in SIZES},
    "spills": short_lived_spills(5, 8000),
    "spills between long lives": short_lived_spills(50, 8000),
    "loops": loops_around_the_call(400),
}


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("shape", SHAPES)
def test_frames_fit_many_times(compiler, shape):
    body, modelled = SHAPES[shape]
    instance = instance_of(Engine(compiler), f"{GLOBALS} {body}")
    legal = max(MODELLED_STACK // modelled, 1)
    instance.write_global(b"remaining_gas", MARGIN * legal)
    assert called(instance) is None
    assert instance.read_global(b"remaining_gas") == 0
    instance.close()


@pytest.fixture(scope="module")
def machines():
    return {compiler: VirtualMachine(Engine(compiler)) for compiler in COMPILERS}


@pytest.mark.parametrize("shape", SHAPES)
def test_contracts_meet_the_modelled_limit_first(machines, shape):
    body = SHAPES[shape][0].replace(STEP, "").replace("(global.get $gas)", "(global.get $i64)")
    code = wat(f"(module {GLOBALS} {body})")
    outcomes = [
        machine.run(
            code,
            hashlib.sha256(code).digest(),
            method="go",
            context=CONTEXT._replace(prepaid_gas=10**15),
            external=FakeChain(),
            config=config_at(86),
        )
        for machine in machines.values()
    ]
    assert outcomes[0] == outcomes[1]
    assert outcomes[0].aborted == HostError("MemoryAccessViolation")


@pytest.mark.parametrize("compiler", COMPILERS)
def test_the_native_stack_is_as_deep_as_configured(compiler):
    instance = instance_of(Engine(compiler), f"{GLOBALS} {locals_across_the_call('i64', 1022)[0]}")
    begin = 2**40
    instance.write_global(b"remaining_gas", begin)
    with pytest.raises(errors.HostError):
        called(instance)
    frame = 1022 * 8
    depth = begin - instance.read_global(b"remaining_gas")
    assert 0.97 * MAX_WASM_STACK < depth * frame <= MAX_WASM_STACK < STACK_BYTES


@pytest.mark.parametrize("compiler", COMPILERS)
def test_a_host_function_has_room_at_the_deepest_point(compiler):
    deepest = []

    def down(n):
        return sorted([n], key=lambda one: down(one - 1) and one) if n else [0]

    def callback(_env, _caller, _slots):
        deepest.append(down(300))
        return 0

    body, _ = locals_across_the_call("i64", 1022)
    body = body.replace("(then return)", "(then call $host return)")
    function = HostFunction("env", "host", "", "", callback)
    instance = instance_of(Engine(compiler), f"{GLOBALS} {body}", '(import "env" "host" (func $host))', (function,))
    instance.write_global(b"remaining_gas", int(0.95 * MAX_WASM_STACK) // 8240)
    assert called(instance) is None
    assert deepest == [[300]]
