"""The table of gas adds up."""

from hypothesis import given
from hypothesis import strategies as st

from near_tee_cli.cli.gas_parts import EXECUTION, costliest, parts_of
from near_tee_cli.primitives.schema.outcome import ExecutionMetadata, ExecutionOutcome, GasProfile, SuccessValue

GAS = st.integers(0, 10**15)


@given(st.lists(GAS, min_size=88, max_size=88), st.lists(GAS, min_size=26, max_size=26), GAS, GAS, st.integers(1, 120))
def test_parts_add_up(ext, actions, wasm, beyond, count):
    burnt = sum(ext) + sum(actions) + wasm + beyond
    profile = GasProfile(tuple(actions), tuple(ext), wasm)
    metadata = ExecutionMetadata(3, profile, ())
    parts = parts_of(ExecutionOutcome((), (), burnt, 0, 0, "a.near", SuccessValue(b""), metadata))
    assert sum(part.gas for part in parts) == burnt
    assert all(part.gas for part in parts)
    assert list(parts) == sorted(parts, key=lambda part: (-part.gas, part.name))
    shown = costliest(parts, count)
    assert sum(part.gas for part in shown) == burnt
    assert len(shown) <= max(count + 1, 1)
    assert (EXECUTION in [part.name for part in parts]) == (beyond > 0)
