"""One generated module called twice: by the machine, and by the plain interpreter with the plain host."""

import random
import sys
from typing import NamedTuple

from near_tee_cli.params.store import config_at
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.vm.outcome import HostError, MethodResolveError, WasmTrap
from tests.support import plain_host
from tests.support.analysed import defined, taken_apart
from tests.support.host_calls import CONTEXT, FakeChain
from tests.support.machines import machine
from tests.support.wasm_generator import ModuleGenerator
from tests.support.wasm_interpreter import Machine, OutOfGas
from tests.support.wasm_model import Module, encode
from tests.support.wasm_numeric import Trap
from tests.support.wasm_older import OlderMachine

LOADING_BASE, LOADING_BYTE = 35_445_963, 1_089_295
_TRAPS = {
    "memory": WasmTrap.MEMORY_OUT_OF_BOUNDS,
    "null": WasmTrap.INDIRECT_CALL_TO_NULL,
    "signature": WasmTrap.INCORRECT_CALL_INDIRECT_SIGNATURE,
    "arithmetic": WasmTrap.ILLEGAL_ARITHMETIC,
    "unreachable": WasmTrap.UNREACHABLE,
}
_STACK = (WasmTrap.STACK_OVERFLOW.value, HostError("MemoryAccessViolation").text)
"""What a stack overflow is called: under the older kind of VM, and since."""
_DEEP = 40_000
"""Frames of Python that the interpreter may take: three for each of the 4,096 that the modelled stack holds at most."""


class Observed(NamedTuple):
    """All that a call shows: how it ended (a sentence, or "ok"), gas, logs, result."""

    end: str
    burnt: int
    logs: tuple[str, ...]
    result: bytes | None


class Example(NamedTuple):
    """A generated module and the gas that it gets."""

    module: Module
    code: bytes
    prepaid: int
    version: int


def example(seed: int, version: int = 86) -> Example:
    """The module of `seed` for a protocol version, with gas for little, some or much work."""
    module = ModuleGenerator(seed, older=not config_at(version).vm.reftypes_bulk_memory).generate()
    code = encode(module)
    choices = random.Random(~seed)
    operations = choices.choice((choices.randrange(300), 4_000, 30_000, 30_000, 120_000))
    loading = LOADING_BASE + LOADING_BYTE * len(code)
    return Example(
        module, code, loading + operations * 822_756 + choices.choice((0, choices.randrange(822_756))), version
    )


def executed(given: Example, compiler: str) -> Observed:
    """The call as the machine makes it."""
    context = CONTEXT._replace(
        input=plain_host.INPUT,
        block_height=plain_host.HEIGHT,
        storage_usage=plain_host.STORAGE_USAGE,
        prepaid_gas=given.prepaid,
    )
    outcome = machine(compiler).run(
        given.code,
        sha256(given.code),
        method="main",
        context=context,
        external=FakeChain(),
        config=config_at(given.version),
    )
    error = outcome.aborted
    assert error is None or isinstance(error, HostError | WasmTrap | MethodResolveError), error
    end = "ok" if error is None else error.text if isinstance(error, HostError) else error.value
    result = outcome.return_data if error is None else None
    assert not isinstance(result, int)
    assert outcome.used_gas == outcome.burnt_gas
    return Observed(end, outcome.burnt_gas, outcome.logs, result)


def interpreter(given: Example) -> tuple[Machine, plain_host.PlainHost]:
    """A plain machine for the call, with nothing burnt but the loading of the contract."""
    taken = taken_apart(given.code)
    config = config_at(given.version).vm
    host = plain_host.PlainHost(config, prepaid=given.prepaid)
    kind = Machine if config.reftypes_bulk_memory else OlderMachine
    plain = kind(
        given.module,
        budget=given.prepaid,
        op_cost=config.wasm_regular_op_cost,
        linear=(config.wasm_linear_op_base_cost, config.wasm_linear_op_unit_cost),
        operand_sizes=[defined(taken, index).operands for index in range(len(taken.bodies))],
        host=host.functions(),
    )
    plain.gas = LOADING_BASE + LOADING_BYTE * len(given.code)
    return plain, host


def interpreted(given: Example) -> tuple[Observed, Machine]:
    """The call as the plain interpreter makes it, and the interpreter afterwards."""
    plain, host = interpreter(given)
    end = "ok"
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(_DEEP)  # NOTE: Hypothesis sets one of its own for each example
    try:
        plain.instantiate()
        if given.module.start is not None:
            plain.call(given.module.start, [])
        plain.call(given.module.exports[0][2], [])
    except Trap as trap:
        end = _STACK[given.version > 83] if trap.kind == "stack" else _TRAPS[trap.kind].value
    except OutOfGas as short:
        beyond = short.wanted > config_at(given.version).vm.max_gas_burnt
        end = HostError("GasLimitExceeded" if beyond else "GasExceeded").text
    except plain_host.HostFailure as failure:
        end = failure.text
    finally:
        sys.setrecursionlimit(limit)
    result = host.result if end == "ok" else None
    return Observed(end, plain.gas, tuple(host.logs), result), plain
