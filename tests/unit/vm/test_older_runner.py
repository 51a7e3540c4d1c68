"""Calls under the older kind of VM, as far as their order, their gas or their failures differ."""

import hashlib

import pytest

from near_tee_cli.errors import UnsupportedError
from near_tee_cli.params.store import config_at
from near_tee_cli.vm import contracts
from near_tee_cli.vm.engine import Engine
from near_tee_cli.vm.outcome import (
    HostError,
    LinkError,
    MethodResolveError,
    PrepareFailure,
    WasmTrap,
    nop_outcome,
)
from near_tee_cli.vm.prepared import PrepareError
from near_tee_cli.vm.runner import VirtualMachine
from tests.support.engine_modules import COMPILERS
from tests.support.host_calls import CONTEXT, FakeChain
from tests.support.wat import wat

OP = 822_756
FRAME = 8 * OP
LOADING_BASE, LOADING_BYTE = 35_445_963, 1_089_295
BASE = 264_768_111
MAIN = '(func (export "main"))'


def loading(code: bytes) -> int:
    return LOADING_BASE + LOADING_BYTE * len(code)


@pytest.fixture(scope="module", params=COMPILERS)
def machine(request):
    return VirtualMachine(Engine(request.param))


@pytest.fixture
def run(machine):
    def call(text, method="main", *, version=83, **context):
        code = wat(f"(module {text})")
        outcome = machine.run(
            code,
            hashlib.sha256(code).digest(),
            method=method,
            context=CONTEXT._replace(**context),
            external=FakeChain(),
            config=config_at(version),
        )
        return outcome, loading(code)

    return call


class TestOrder:
    def test_a_method_is_looked_up_before_imports_are(self, run) -> None:
        unlinked = f'(import "env" "unknown" (func)) {MAIN} (func (export "wrong") (param i32))'
        outcome, price = run(unlinked)
        assert isinstance(outcome.aborted, LinkError)
        assert (outcome.burnt_gas, outcome.used_gas) == (price, price)
        assert run(unlinked, "nothing")[0] == nop_outcome(MethodResolveError.NOT_FOUND)
        assert run(unlinked, "wrong")[0] == nop_outcome(MethodResolveError.INVALID_SIGNATURE)
        # The newer kind links first.
        outcome, price = run(unlinked, "nothing", version=84)
        assert (outcome.aborted, outcome.burnt_gas) == (LinkError("unknown or invalid import"), price)

    def test_loading_is_paid_before_the_method_is_looked_up(self, run) -> None:
        _, price = run(MAIN)
        outcome, _ = run(MAIN, "nothing", prepaid_gas=price - 1)
        assert (outcome.aborted, outcome.burnt_gas) == (HostError("GasExceeded"), price - 1)

    def test_what_is_no_contract_burns_nothing(self, run) -> None:
        outcome, _ = run("(memory 1) (memory 1)")
        assert outcome.aborted == PrepareFailure(PrepareError.DESERIALIZATION)
        assert outcome.burnt_gas == 0

    def test_a_start_function_runs_after_loading_was_paid(self, run) -> None:
        outcome, price = run(f"{MAIN} (func $s unreachable) (start $s)")
        assert (outcome.aborted, outcome.burnt_gas) == (WasmTrap.UNREACHABLE, price + FRAME + OP)

    @pytest.mark.parametrize("segment", ['(data (i32.const 67108864) "x")', "(table 1 funcref) (elem (i32.const 1) 0)"])
    def test_segments_out_of_bounds(self, run, segment) -> None:
        outcome, price = run(f"(memory 1) {segment} {MAIN}")
        assert (outcome.aborted, outcome.burnt_gas) == (WasmTrap.MEMORY_OUT_OF_BOUNDS, price)


class TestGas:
    def test_an_instruction_may_not_take_the_last_gas(self, run) -> None:
        _, price = run(MAIN)
        enough = price + FRAME
        outcome, _ = run(MAIN, prepaid_gas=enough)
        assert (outcome.aborted, outcome.burnt_gas, outcome.used_gas) == (HostError("GasExceeded"), enough, enough)
        outcome, _ = run(MAIN, prepaid_gas=enough + 1)
        assert (outcome.aborted, outcome.burnt_gas) == (None, enough)
        assert run(MAIN, prepaid_gas=enough, version=84)[0].aborted is None

    def test_a_host_function_may(self, run) -> None:
        text = '(import "env" "block_index" (func $height (result i64))) (func (export "main") (drop (call $height)))'
        outcome, price = run(text)
        assert outcome.burnt_gas == price + FRAME + 2 * OP + BASE
        # What follows the call costs nothing more than what was paid before it.
        text = '(import "env" "panic" (func $panic)) (func (export "main") (call $panic))'
        _, price = run(text)
        enough = price + FRAME + OP + BASE
        outcome, _ = run(text, prepaid_gas=enough)
        assert outcome.aborted == HostError("GuestPanic", (("panic_msg", "explicit guest panic"),))
        assert outcome.burnt_gas == enough

    def test_the_most_that_may_be_burnt_is_named_only_when_it_is_exceeded(self, run) -> None:
        config = config_at(83)
        loop = '(func (export "main") (loop br 0))'
        outcome, _ = run(loop, prepaid_gas=config.vm.max_gas_burnt)
        assert outcome.aborted in (HostError("GasExceeded"), HostError("GasLimitExceeded"))
        assert outcome.burnt_gas == config.vm.max_gas_burnt

    @pytest.mark.parametrize("pages", [1, 1024, 1025])
    def test_growing_memory_is_one_instruction(self, run, pages) -> None:
        outcome, price = run(f'(memory 1) (func (export "main") (drop (memory.grow (i32.const {pages}))))')
        assert (outcome.aborted, outcome.burnt_gas) == (None, price + FRAME + 3 * OP)


class TestFailures:
    def test_recursions_end_in_a_trap(self, run) -> None:
        text = '(func $f (export "main") (call $f))'
        outcome, price = run(text)
        calls = 262_144 // 64
        assert (outcome.aborted, outcome.burnt_gas) == (WasmTrap.STACK_OVERFLOW, price + calls * (FRAME + OP))
        newer, _ = run(text, version=84)
        assert (newer.aborted, newer.burnt_gas) == (HostError("MemoryAccessViolation"), outcome.burnt_gas)

    def test_the_stack_is_looked_at_before_the_frame_is_paid(self, run) -> None:
        outcome, price = run(f'(func (export "main") (local {"i64 " * 32_800}))')
        assert (outcome.aborted, outcome.burnt_gas) == (WasmTrap.STACK_OVERFLOW, price)

    @pytest.mark.parametrize(
        ("body", "trap", "ops"),
        [
            ("unreachable", WasmTrap.UNREACHABLE, 1),
            ("(drop (i32.rem_s (i32.const 1) (i32.const 0)))", WasmTrap.ILLEGAL_ARITHMETIC, 3),
            ("(drop (i32.load (i32.const -1)))", WasmTrap.MEMORY_OUT_OF_BOUNDS, 2),
            ("(call_indirect (type $v) (i32.const 0))", WasmTrap.INDIRECT_CALL_TO_NULL, 2),
            ("(call_indirect (type $v) (i32.const 9))", WasmTrap.MEMORY_OUT_OF_BOUNDS, 2),
            ("(drop (call_indirect (type $n) (i32.const 1)))", WasmTrap.INCORRECT_CALL_INDIRECT_SIGNATURE, 2),
        ],
    )
    def test_traps(self, run, body, trap, ops) -> None:
        outcome, price = run(
            f"""(type $v (func)) (type $n (func (result i32))) (memory 1) (table 2 funcref)
            (elem (i32.const 1) $f) (func $f) (func (export "main") {body})"""
        )
        assert (outcome.aborted, outcome.burnt_gas) == (trap, price + FRAME + ops * OP)


class TestLimits:
    def test_there_are_none_on_blocks_parameters_operands_and_sizes(self, run) -> None:
        texts = (
            f'(func (export "main") {"block " * 5_001} {"end " * 5_001})',
            f"(func (param {'i32 ' * 65})) {MAIN}",
            f'(func (export "main") {"i64.const 1 " * 1_025} {"drop " * 1_025})',
            f'(func (export "main") {"nop " * 196_609})',
        )
        for text in texts:
            assert run(text)[0].aborted is None
            assert isinstance(run(text, version=84)[0].aborted, PrepareFailure)

    def test_an_instance_may_have_as_many_globals_as_it_wants(self, run) -> None:
        text = f"{'(global (mut i32) (i32.const 0))' * 70_000} {MAIN}"
        assert run(text)[0].aborted is None

    def test_a_function_may_have_as_many_locals_as_the_decoder_allows(self, run) -> None:
        assert run(f'(func (export "main") (local {"i32 " * 50_000}))')[0].aborted is None
        outcome, _ = run(f'(func (export "main") (local {"i32 " * 50_001}))')
        assert outcome.aborted == PrepareFailure(PrepareError.DESERIALIZATION)

    def test_an_export_may_have_any_name_that_the_decoder_allows(self, run) -> None:
        text = f'{MAIN} (func (export "{"x" * 100_000}") unreachable) (func (export "{"x" * 99_999}") nop)'
        assert run(text)[0].aborted is None
        assert run(text, "x" * 99_999)[0].aborted is None
        assert run(text, "x" * 100_000)[0].aborted is WasmTrap.UNREACHABLE

    def test_functions_that_outgrow_the_engine_are_refused_by_name(self, run) -> None:
        long = f'(memory 1) (func (export "main") {"(drop (i32.load (i32.const 0)))" * 300_000})'
        many = f'(func (export "main") (local {"i32 " * 50_000}) (drop (f64.promote_f32 (f32.const 0))))'
        for text in (long, many):
            with pytest.raises(UnsupportedError) as refused:
                run(text)
            assert refused.value.code == "unsupported-function-size"


def test_a_contract_is_prepared_anew_for_another_kind(run, monkeypatch) -> None:
    prepared = []
    original = contracts.prepare
    monkeypatch.setattr(contracts, "prepare", lambda *args, **named: prepared.append(1) or original(*args, **named))
    text = f'{MAIN} (func (export "kept"))'
    for version in (83, 84, 83, 84):
        assert run(text, version=version)[0].aborted is None
    assert len(prepared) == 2
