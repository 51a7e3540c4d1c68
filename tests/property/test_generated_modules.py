"""Generated modules: the machine against a plain interpreter that counts one instruction at a time.

How the call ends, every log, the bytes it returns (all globals and a window of memory) and the gas it burns must
be the same, with either compiler, whatever the contract does and however little gas it gets.
"""

import collections

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from near_tee_cli.vm.analysis.gas import Kind
from near_tee_cli.vm.outcome import WasmTrap
from tests.support import wasm_model as w
from tests.support.analysed import points_of, taken_apart
from tests.support.generated_calls import example, executed, interpreted
from tests.support.wasm_numeric import LOADS, NUMERIC, STORES

SEEDS = st.integers(0, 2**48)
MANY = 10_000 if settings.default.max_examples > 300 else settings.default.max_examples
"""The long run looks at more modules than it has examples of other properties."""

NAMED = {value for name, value in vars(w).items() if name.isupper() and isinstance(value, int)}
EVERY_OPCODE = NAMED | set(NUMERIC) | set(LOADS) | set(STORES)
SAMPLE = range(3000)


@pytest.mark.parametrize("version", [83, 86])
@settings(max_examples=MANY)
@given(SEEDS)
def test_the_machine_does_and_counts_what_the_plain_interpreter_does(version, seed):
    generated = example(seed, version)
    expected, _ = interpreted(generated)
    assert executed(generated, "winch") == expected
    assert executed(generated, "cranelift") == expected


@pytest.mark.parametrize("version", [83, 86])
@given(SEEDS)
def test_with_exactly_the_gas_that_it_takes(version, seed):
    generated = example(seed, version)
    exact = generated._replace(prepaid=interpreted(generated)[0].burnt)
    expected, _ = interpreted(exact)
    assert executed(exact, "winch") == expected


def test_generated_modules_reach_every_instruction_trap_and_charge():
    opcodes, kinds = set(), set()
    ends = collections.Counter()
    for seed in SAMPLE:
        generated = example(seed)
        observed, plain = interpreted(generated)
        opcodes |= plain.opcodes
        ends[observed.end] += 1
        if seed < 300:
            taken = taken_apart(generated.code)
            kinds |= {kind for index in range(len(taken.bodies)) for _, kind, _ in points_of(taken, index)}
    assert EVERY_OPCODE - opcodes == set()
    assert {kind.name for kind in Kind} - kinds == set()
    impossible = {
        WasmTrap.CALL_INDIRECT_OOB,
        WasmTrap.MISALIGNED_ATOMIC_ACCESS,
        WasmTrap.GENERIC_TRAP,
        WasmTrap.STACK_OVERFLOW,
    }
    assert {trap.value for trap in WasmTrap if trap not in impossible} - set(ends) == set()
    others = {"Exceeded the prepaid gas.", "Accessed memory outside the bounds.", "Integer overflow.", "ok"}
    assert others - set(ends) == set()
