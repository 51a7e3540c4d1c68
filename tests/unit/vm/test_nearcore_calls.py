"""nearcore's own tests of its virtual machine, run by ours with both compilers, under its rules and under ours."""

import hashlib

import pytest

from near_tee_cli.params.features import SUPPORTED_VERSIONS
from near_tee_cli.params.store import config_at
from near_tee_cli.vm.engine import Engine
from near_tee_cli.vm.kinds import NEAR_VM, kind_of
from near_tee_cli.vm.outcome import HostError, MethodResolveError, nop_outcome
from near_tee_cli.vm.runner import VirtualMachine
from tests.support import nearcore_calls
from tests.support.engine_modules import COMPILERS
from tests.support.host_calls import FakeChain
from tests.support.nearcore_calls import CALLS, CONTEXT, TERA
from tests.support.reference_config import bent, reference_config
from tests.support.wat import wat

REFERENCE = reference_config()


@pytest.fixture(scope="module", params=COMPILERS)
def machine(request):
    return VirtualMachine(Engine(request.param))


def called(machine, code, config, *, method="main", gas=100 * TERA):
    return machine.run(
        code,
        hashlib.sha256(code).digest(),
        method=method,
        context=CONTEXT._replace(prepaid_gas=gas),
        external=FakeChain(),
        config=config,
    )


@pytest.mark.parametrize("name", CALLS)
def test_under_the_rules_of_nearcores_tests(machine, name):
    call = CALLS[name]
    assert call.length is None or len(call.code) == call.length
    outcome = called(machine, call.code, REFERENCE, method=call.method, gas=call.gas)
    assert outcome.aborted == call.error
    assert outcome.burnt_gas == outcome.used_gas == call.burnt
    assert (outcome.balance, outcome.storage_usage, outcome.return_data) == (4, 12, None)


@pytest.mark.parametrize("version", SUPPORTED_VERSIONS)
@pytest.mark.parametrize("name", CALLS)
def test_under_the_rules_of_a_version(machine, name, version):
    call = CALLS[name]
    outcome = called(machine, call.code, config_at(version), method=call.method, gas=call.gas)
    expected = (call.burnt if call.earlier is None else call.earlier, call.error)
    if kind_of(config_at(version).vm) is NEAR_VM:
        expected = nearcore_calls.NEAR_VM.get(name, expected)
    assert (outcome.burnt_gas, outcome.aborted) == expected
    if call.error in (MethodResolveError.NOT_FOUND, MethodResolveError.INVALID_SIGNATURE):
        assert outcome == nop_outcome(call.error)


def test_the_gas_function_multiplies_by_the_price_of_an_instruction(machine):
    code = wat(
        """(module (type (func (param i32))) (type (func)) (import "env" "gas" (func (type 0)))
        (func (export "foo") (type 1) i32.const 500000000 call 0))"""
    )
    config = bent(REFERENCE, max_gas_burnt=300 * TERA)._replace(digest=b"another limit")
    outcome = called(machine, code, config, method="foo")
    assert outcome.aborted == HostError("GasLimitExceeded")
    assert outcome.burnt_gas == 100 * TERA


def copies(count, length, *, target=0, source=1, memory="2048 2048"):
    copy = f"(memory.copy (i32.const {target}) (i32.const {source}) (i32.const {length}))"
    return wat(f'(module (memory {memory}) (func (export "main") {copy * count}))')


@pytest.mark.parametrize(
    ("code", "gas", "burnt"),
    [
        (copies(1, 25, target=50, source=100, memory="0 100"), 10**10, 146_947_416),
        (copies(1, 50, target=50, source=100, memory="0 100"), 10**10, 167_516_316),
        (copies(10, 33_554_431), 2**64 - 1, 276_071_613_848_301),
    ],
)
def test_bulk_copies_are_paid_by_their_length(machine, code, gas, burnt):
    outcome = called(machine, code, REFERENCE, gas=gas)
    assert (outcome.aborted, outcome.burnt_gas, outcome.used_gas) == (None, burnt, burnt)


def test_bulk_copies_that_burn_more_than_a_contract_may(machine):
    config = bent(REFERENCE, max_gas_burnt=300 * TERA)._replace(digest=b"another limit")
    outcome = called(machine, copies(12, 33_554_431), config, gas=300 * TERA)
    assert outcome.aborted == HostError("GasLimitExceeded")
    assert outcome.burnt_gas == outcome.used_gas == 300 * TERA


def test_two_looks_at_the_used_gas_lie_as_far_apart_as_what_runs_between(machine):
    code = wat(
        """(module (import "env" "used_gas" (func $used (result i64)))
        (import "env" "value_return" (func $return (param i64 i64))) (memory 1)
        (func (export "main") (local i64)
          (local.set 0 (call $used))
          (i64.store (i32.const 0) (i64.sub (call $used) (local.get 0)))
          (call $return (i64.const 8) (i64.const 0))))"""
    )
    outcome = called(machine, code, REFERENCE)
    # The second call, one instruction before it, and the local that keeps the first result.
    assert outcome.return_data == (264_768_111 + 3 * 822_756).to_bytes(8, "little")
    assert 264_768_111 + 3 * 822_756 == 267_236_379


def test_profile_of_a_trivial_contract(machine):
    code = wat('(module (func (export "main") (drop (i32.const 64))))')
    assert len(code) == 38
    outcome = called(machine, code, REFERENCE)
    assert outcome.aborted is None
    assert outcome.profile.wasm_gas == 10 * 822_756 == 8_227_560
    assert outcome.profile.ext[1:3] == (35_445_963, 41_393_210)
