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

CONFIG = config_at(86)
LOADING_BASE, LOADING_BYTE = 35_445_963, 1_089_295
_TRAPS = {
    "memory": WasmTrap.MEMORY_OUT_OF_BOUNDS,
    "null": WasmTrap.INDIRECT_CALL_TO_NULL,
    "signature": WasmTrap.INCORRECT_CALL_INDIRECT_SIGNATURE,
    "arithmetic": WasmTrap.ILLEGAL_ARITHMETIC,
    "unreachable": WasmTrap.UNREACHABLE,
}
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


def example(seed: int) -> Example:
    """The module of `seed`, with gas for little, some or much work."""
    module = ModuleGenerator(seed).generate()
    code = encode(module)
    choices = random.Random(~seed)
    operations = choices.choice((choices.randrange(300), 4_000, 30_000, 30_000, 120_000))
    loading = LOADING_BASE + LOADING_BYTE * len(code)
    return Example(module, code, loading + operations * 822_756 + choices.randrange(822_756))


def executed(given: Example, compiler: str) -> Observed:
    """The call as the machine makes it."""
    context = CONTEXT._replace(
        input=plain_host.INPUT,
        block_height=plain_host.HEIGHT,
        storage_usage=plain_host.STORAGE_USAGE,
        prepaid_gas=given.prepaid,
    )
    outcome = machine(compiler).run(
        given.code, sha256(given.code), method="main", context=context, external=FakeChain(), config=CONFIG
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
    host = plain_host.PlainHost(CONFIG.vm, prepaid=given.prepaid)
    plain = Machine(
        given.module,
        budget=given.prepaid,
        op_cost=CONFIG.vm.wasm_regular_op_cost,
        linear=(CONFIG.vm.wasm_linear_op_base_cost, CONFIG.vm.wasm_linear_op_unit_cost),
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
        end = "Accessed memory outside the bounds." if trap.kind == "stack" else _TRAPS[trap.kind].value
    except OutOfGas as short:
        beyond = short.wanted > CONFIG.vm.max_gas_burnt
        end = HostError("GasLimitExceeded" if beyond else "GasExceeded").text
    except plain_host.HostFailure as failure:
        end = failure.text
    finally:
        sys.setrecursionlimit(limit)
    result = host.result if end == "ok" else None
    return Observed(end, plain.gas, tuple(host.logs), result), plain
