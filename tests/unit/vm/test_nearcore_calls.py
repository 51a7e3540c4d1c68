"""nearcore's own tests of its virtual machine, run by ours with both compilers, under its rules and under ours."""

import hashlib

import pytest

from near_tee_cli.params.features import SUPPORTED_VERSIONS
from near_tee_cli.params.store import config_at
from near_tee_cli.vm.engine import Engine
from near_tee_cli.vm.outcome import HostError, MethodResolveError, nop_outcome
from near_tee_cli.vm.runner import VirtualMachine
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
    assert outcome.aborted == call.error
    assert outcome.burnt_gas == (call.burnt if call.earlier is None else call.earlier)
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
