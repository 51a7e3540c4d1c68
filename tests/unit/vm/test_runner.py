"""What happens in which order when a contract is called, and how much gas each way of failing burns."""

import hashlib

import pytest

from near_tee_cli.errors import MissingNodeError
from near_tee_cli.params.store import config_at
from near_tee_cli.vm import contracts
from near_tee_cli.vm.engine import Engine
from near_tee_cli.vm.outcome import (
    NO_PROFILE,
    CodeDoesNotExist,
    HostError,
    LinkError,
    LoadingError,
    MethodResolveError,
    PrepareFailure,
    WasmTrap,
    nop_outcome,
)
from near_tee_cli.vm.prepared import PrepareError
from near_tee_cli.vm.runner import VirtualMachine
from tests.support.engine_modules import COMPILERS
from tests.support.host_calls import CONTEXT, FakeChain
from tests.support.reference_config import bent, reference_config
from tests.support.wat import wat

OP = 822_756
FRAME = 8 * OP
LOADING_BASE, LOADING_BYTE = 35_445_963, 1_089_295
BASE = 264_768_111
CONFIGS = {
    84: config_at(84),
    85: config_at(85),
    86: config_at(86),
    "later": reference_config()._replace(digest=b"later"),
}
MAIN = '(func (export "main"))'
PANIC = '(import "env" "panic" (func $panic))'
LOOP = '(func (export "main") (loop br 0))'


def loading(code):
    return LOADING_BASE + LOADING_BYTE * len(code)


@pytest.fixture(scope="module", params=COMPILERS)
def machine(request):
    return VirtualMachine(Engine(request.param))


@pytest.fixture
def run(machine):
    def call(code, method="main", *, version=86, chain=None, vm=machine, **context):
        if isinstance(code, str):
            code = wat(f"(module {code})")
        return vm.run(
            code,
            hashlib.sha256(code).digest(),
            method=method,
            context=CONTEXT._replace(**context),
            external=chain or FakeChain(),
            config=CONFIGS[version],
        )

    return call


MANY_GLOBALS = "(global i64 (i64.const 0))" * 65_536 + MAIN


@pytest.mark.parametrize("version", CONFIGS)
class TestBeforeTheContractRuns:
    def test_a_method(self, run, version):
        outcome = run(MAIN, version=version)
        assert outcome.aborted is None
        assert outcome.burnt_gas == outcome.used_gas == 79_064_041
        assert outcome.balance == 110
        assert outcome.profile.wasm_gas == FRAME

    def test_no_code(self, machine, version):
        outcome = machine.run(
            None, bytes(32), method="", context=CONTEXT, external=FakeChain(), config=CONFIGS[version]
        )
        assert outcome == nop_outcome(CodeDoesNotExist("alice.near"))

    @pytest.mark.parametrize("code", [MAIN, b"", '(import "env" "unknown" (func))'])
    def test_an_empty_name_comes_first_and_burns_nothing(self, run, version, code):
        outcome = run(code, "", version=version)
        assert outcome.aborted is MethodResolveError.EMPTY_NAME
        assert (outcome.burnt_gas, outcome.balance, outcome.profile) == (0, 110, NO_PROFILE)

    def test_what_is_no_contract(self, run, version):
        outcome = run(b"garbage", version=version)
        assert outcome.aborted == PrepareFailure(PrepareError.DESERIALIZATION)
        assert outcome.burnt_gas == (loading(b"garbage") if version == "later" else 0)

    def test_an_unknown_import(self, run, version):
        code = wat(f'(module (import "env" "sha256" (func)) (import "env" "unknown" (func)) {MAIN})')
        outcome = run(code, version=version)
        assert outcome.aborted == LinkError("unknown or invalid import")
        assert outcome.burnt_gas == loading(code)

    def test_an_import_of_another_type(self, run, version):
        code = wat(
            f"""(module (import "env" "block_index" (func (result i64)))
            (import "env" "promise_create" (func (param f32 funcref i32) (result f64)))
            (import "env" "block_timestamp" (func (result i32))) {MAIN})"""
        )
        outcome = run(code, "nothing", version=version)
        assert outcome.aborted == LinkError(
            "types incompatible: expected type `(func (param f32 funcref i32) (result f64))`, "
            "found type `(func (param i64 i64 i64 i64 i64 i64 i64 i64) (result i64))`"
        )
        assert outcome.burnt_gas == loading(code)

    @pytest.mark.parametrize(
        ("exports", "error"),
        [
            (MAIN.replace("main", "other"), MethodResolveError.NOT_FOUND),
            ('(table (export "main") 1 funcref)', MethodResolveError.NOT_FOUND),
            ('(global (export "main") i32 (i32.const 0))', MethodResolveError.NOT_FOUND),
            ('(memory (export "main") 1)', MethodResolveError.NOT_FOUND),
            ('(func (export "main") (param i32))', MethodResolveError.INVALID_SIGNATURE),
            ('(func (export "main") (result i64) i64.const 0)', MethodResolveError.INVALID_SIGNATURE),
        ],
    )
    def test_no_such_method(self, run, version, exports, error):
        code = wat(f"(module {exports} (func $s unreachable) (start $s))")
        outcome = run(code, version=version)
        if version == "later":
            assert (outcome.aborted, outcome.burnt_gas, outcome.balance) == (error, loading(code), 110)
        else:
            assert outcome == nop_outcome(error)

    @pytest.mark.parametrize("missing", [1, 10**6])
    def test_too_little_gas_for_loading(self, run, version, missing):
        code = wat(f"(module {MAIN})")
        outcome = run(code, "nothing", version=version, prepaid_gas=loading(code) - missing)
        assert outcome.aborted == HostError("GasExceeded")
        assert outcome.burnt_gas == outcome.used_gas == loading(code) - missing

    def test_a_context_that_is_too_large(self, run, version):
        code = wat(f"(module {MANY_GLOBALS})")
        error = LoadingError("module instance size does not fit in pooling allocator requirements")
        for method in ("main", ""):
            outcome = run(code, method, version=version)
            if version in (84, 85):
                assert outcome == nop_outcome(error)
            elif method:
                assert (outcome.aborted, outcome.burnt_gas) == (error, loading(code))
            else:
                assert (outcome.aborted, outcome.burnt_gas) == (MethodResolveError.EMPTY_NAME, 0)

    def test_too_many_locals_for_the_compiler(self, run, version):
        for count, error in ((49_998, None), (49_999, "failed to compile: wasm[0]::function[4]")):
            code = wat(f'(module (func) (func (export "main") (local {"i32 " * count})))')
            outcome = run(code, version=version)
            assert getattr(outcome.aborted, "msg", None) == error


class TestWhileItRuns:
    def test_segments_out_of_bounds(self, run):
        for segment in ('(memory 1) (data (i32.const 67108864) "x")', "(table 1 funcref) (elem (i32.const 1) 0)"):
            code = wat(f"(module {segment} {MAIN})")
            outcome = run(code)
            assert (outcome.aborted, outcome.burnt_gas) == (WasmTrap.MEMORY_OUT_OF_BOUNDS, loading(code))

    def test_the_start_function_comes_first_and_leaves_its_traces(self, run):
        code = wat(
            f"""(module {PANIC} (memory 1) (func $s (i32.store (i32.const 0) (i32.const 1))) (start $s)
            (func (export "main") (if (i32.eqz (i32.load (i32.const 0))) (then call $panic))))"""
        )
        outcome = run(code)
        assert outcome.aborted is None
        assert outcome.burnt_gas == loading(code) + FRAME + 3 * OP + FRAME + 4 * OP

    def test_a_start_function_that_fails(self, run):
        code = wat(f'(module (import "env" "panic" (func $panic)) (func $s call $panic) (start $s) {LOOP})')
        outcome = run(code)
        assert outcome.aborted == HostError("GuestPanic", (("panic_msg", "explicit guest panic"),))
        assert outcome.burnt_gas == loading(code) + FRAME + OP + BASE

    @pytest.mark.parametrize(
        ("body", "trap", "ops"),
        [
            ("unreachable", WasmTrap.UNREACHABLE, 1),
            ("(drop (i32.div_u (i32.const 1) (i32.const 0)))", WasmTrap.ILLEGAL_ARITHMETIC, 3),
            ("(drop (i32.load (i32.const -1)))", WasmTrap.MEMORY_OUT_OF_BOUNDS, 2),
            ("(call_indirect (type $v) (i32.const 0))", WasmTrap.INDIRECT_CALL_TO_NULL, 2),
            ("(call_indirect (type $v) (i32.const 9))", WasmTrap.MEMORY_OUT_OF_BOUNDS, 2),
            ("(drop (call_indirect (type $n) (i32.const 1)))", WasmTrap.INCORRECT_CALL_INDIRECT_SIGNATURE, 2),
        ],
    )
    def test_traps(self, run, body, trap, ops):
        code = wat(
            f"""(module (type $v (func)) (type $n (func (result i32))) (memory 1) (table 2 funcref)
            (elem (i32.const 1) $f) (func $f) (func (export "main") {body}))"""
        )
        outcome = run(code)
        assert (outcome.aborted, outcome.burnt_gas) == (trap, loading(code) + FRAME + ops * OP)

    @pytest.mark.parametrize("leave", ["return", "(br $out)", "(br_table $out $out (i32.const 0))"])
    def test_what_leaves_a_branch_is_paid(self, run, leave):
        code = wat(
            f"""(module (func (export "main") (block $out
            (if (i32.const 1) (then (nop) {leave}) (else (nop) (nop))))))"""
        )
        assert run(code).profile.wasm_gas == FRAME + 4 * OP + ("table" in leave) * OP

    def test_what_was_logged_and_charged_before_a_failure_stays(self, run):
        code = wat(
            """(module (import "env" "log_utf8" (func $log (param i64 i64))) (memory 1) (data (i32.const 0) "hello")
            (func (export "main") (call $log (i64.const 5) (i64.const 0)) unreachable))"""
        )
        outcome = run(code)
        assert outcome.aborted is WasmTrap.UNREACHABLE
        assert outcome.logs == ("hello",)
        assert outcome.profile.wasm_gas == FRAME + 4 * OP

    def test_gas_that_runs_out(self, run):
        outcome = run(LOOP, prepaid_gas=10**10)
        assert outcome.aborted == HostError("GasExceeded")
        assert outcome.burnt_gas == outcome.used_gas == 10**10

    def test_gas_that_suffices_exactly(self, run):
        assert run(MAIN, prepaid_gas=79_064_041).aborted is None
        outcome = run(MAIN, prepaid_gas=79_064_040)
        assert (outcome.aborted, outcome.burnt_gas) == (HostError("GasExceeded"), 79_064_040)

    def test_a_view_that_loops_ends_with_its_gas(self, run):
        outcome = run(LOOP, view_gas_limit=10**11, prepaid_gas=10**11)
        assert outcome.aborted == HostError("GasLimitExceeded")
        assert outcome.burnt_gas == 10**11

    def test_the_modelled_stack_ends_recursions(self, run):
        outcome = run('(func $f (export "main") call $f)')
        assert outcome.aborted == HostError("MemoryAccessViolation")
        assert outcome.profile.wasm_gas == 4096 * 9 * OP

    def test_gas_that_was_promised_is_not_burnt(self, run):
        code = wat(
            """(module (import "env" "promise_create" (func $p (param i64 i64 i64 i64 i64 i64 i64 i64) (result i64)))
            (memory 1) (data (i32.const 0) "bob.near") (func (export "main")
            (drop (call $p (i64.const 8) (i64.const 0) (i64.const 3) (i64.const 0) (i64.const 0) (i64.const 0)
              (i64.const 64) (i64.const 50000000000000)))
            (loop (nop) (nop) (br 0))))"""
        )
        outcome = run(code, prepaid_gas=10**14)
        assert outcome.aborted == HostError("GasExceeded")
        assert outcome.used_gas == 10**14
        assert 10**14 - 50 * 10**12 - 5 * 10**12 < outcome.burnt_gas < 10**14 - 50 * 10**12

    def test_memory_and_state_are_fresh_in_every_call(self, run):
        code = wat(
            """(module (import "env" "value_return" (func $return (param i64 i64))) (memory 1) (global $g (mut i32)
            (i32.const 0)) (func (export "main") (global.set $g (i32.add (global.get $g) (i32.const 1)))
            (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (global.get $g)))
            (call $return (i64.const 4) (i64.const 0))))"""
        )
        outcomes = [run(code) for _ in range(3)]
        assert outcomes[0] == outcomes[1] == outcomes[2]
        assert outcomes[0].return_data == b"\1\0\0\0"

    def test_memory_that_grew_is_seen_by_host_functions(self, run):
        code = wat(
            """(module (import "env" "value_return" (func $return (param i64 i64))) (memory 1) (func (export "main")
            (drop (memory.grow (i32.const 1))) (i32.store8 (i32.const 67174399) (i32.const 7))
            (call $return (i64.const 1) (i64.const 67174399))))"""
        )
        assert run(code).return_data == b"\7"

    def test_memory_beyond_the_end_is_a_host_error(self, run):
        code = wat(
            """(module (import "env" "value_return" (func $return (param i64 i64))) (memory 1) (func (export "main")
            (call $return (i64.const 1) (i64.const 67108864))))"""
        )
        assert run(code).aborted == HostError("MemoryAccessViolation")


class TestTrouble:
    def test_what_the_chain_cannot_answer_comes_through_unchanged(self, run):
        problem = MissingNodeError(bytes(32))

        class Broken(FakeChain):
            def storage_ref(self, key, *, counted):
                raise problem

        code = """(import "env" "storage_has_key" (func $has (param i64 i64) (result i64)))
          (memory 1) (func (export "main") (drop (call $has (i64.const 1) (i64.const 0))))"""
        with pytest.raises(MissingNodeError) as caught:
            run(code, chain=Broken())
        assert caught.value is problem
        assert run(MAIN).aborted is None

    def test_a_defect_in_a_host_function_is_no_outcome(self, run):
        class Defective(FakeChain):
            def validator_total_stake(self):
                return 1 // 0

        code = """(import "env" "validator_total_stake" (func $stake (param i64)))
          (memory 1) (func (export "main") (call $stake (i64.const 0)))"""
        with pytest.raises(ZeroDivisionError):
            run(code, chain=Defective())


class Counted:
    """Counts how often contracts are prepared."""

    def __init__(self, monkeypatch):
        self.count = 0
        original = contracts.prepare

        def prepare(*args, **kwargs):
            self.count += 1
            return original(*args, **kwargs)

        monkeypatch.setattr(contracts, "prepare", prepare)


class MemoryCache:
    def __init__(self):
        self.kept = {}

    def load(self, name):
        return self.kept.get(name)

    def store(self, name, artifact):
        self.kept[name] = artifact


CALLED = {"fine": MAIN, "invalid": b"garbage", "unlinked": f'(import "env" "no" (func)) {MAIN}', "large": MANY_GLOBALS}


class TestKeeping:
    @pytest.mark.parametrize("kind", CALLED)
    def test_a_contract_is_prepared_once(self, run, monkeypatch, kind):
        vm, counted = VirtualMachine(Engine()), Counted(monkeypatch)
        outcomes = [run(CALLED[kind], vm=vm) for _ in range(3)]
        assert outcomes[0] == outcomes[1] == outcomes[2]
        assert counted.count == 1
        run(CALLED[kind], vm=vm, version=84)
        assert counted.count == 2

    @pytest.mark.parametrize("kind", CALLED)
    @pytest.mark.parametrize("compiler", COMPILERS)
    def test_a_cache_replaces_preparation(self, run, monkeypatch, kind, compiler):
        cache, counted = MemoryCache(), Counted(monkeypatch)
        first = run(CALLED[kind], vm=VirtualMachine(Engine(compiler), cache))
        second = run(CALLED[kind], vm=VirtualMachine(Engine(compiler), cache))
        assert first == second
        assert counted.count == len(cache.kept) == 1

    def test_compilers_do_not_share_what_is_cached(self, run, monkeypatch):
        cache, counted = MemoryCache(), Counted(monkeypatch)
        for compiler in COMPILERS:
            run(MAIN, vm=VirtualMachine(Engine(compiler), cache))
        assert counted.count == len(cache.kept) == 2

    @pytest.mark.parametrize("damage", [lambda data: b"", lambda data: data[:40], lambda data: b"x" + data])
    def test_an_artifact_that_cannot_be_used_is_made_again(self, run, damage):
        cache = MemoryCache()
        first = run(MAIN, vm=VirtualMachine(Engine(), cache))
        for name, data in cache.kept.items():
            cache.kept[name] = damage(data)
        assert run(MAIN, vm=VirtualMachine(Engine(), cache)) == first
        assert run(MAIN, vm=VirtualMachine(Engine(), cache)) == first

    def test_the_contract_called_longest_ago_goes(self, run, monkeypatch):
        monkeypatch.setattr(contracts, "MAX_CONTRACTS", 2)
        vm, counted = VirtualMachine(Engine()), Counted(monkeypatch)
        one, two, three = (f'(func (export "{name}")) {MAIN}' for name in "abc")
        for code in (one, two, one, three, one):
            assert run(code, vm=vm).aborted is None
        assert counted.count == 3
        run(two, vm=vm)
        assert counted.count == 4

    def test_limits_of_the_configuration_reach_the_instance(self, machine):
        config = bent(CONFIGS[86], max_memory_pages=1025)._replace(digest=b"another")
        code = wat(
            """(module (import "env" "value_return" (func $return (param i64 i64))) (memory 1) (func (export "main")
            (i32.store (i32.const 0) (memory.grow (i32.const 1))) (i32.store (i32.const 4) (memory.grow (i32.const 1)))
            (call $return (i64.const 8) (i64.const 0))))"""
        )
        outcome = machine.run(
            code, hashlib.sha256(code).digest(), method="main", context=CONTEXT, external=FakeChain(), config=config
        )
        assert outcome.return_data == (1024).to_bytes(4, "little") + b"\xff" * 4
