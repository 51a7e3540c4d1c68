"""The one walk over a body gives what the two definitions give, on bodies of every shape."""

from hypothesis import given
from hypothesis import strategies as st

from tests.support.analysed import AROUND, ControlFlow, computed, defined, only_body, taken_apart
from tests.support.wasm_generator import ModuleGenerator
from tests.support.wasm_model import encode

SEEDS = st.integers(0, 2**48)


@given(SEEDS)
def test_on_bodies_of_control_flow(seed):
    module = only_body(ControlFlow(seed).body(), before=AROUND)
    assert computed(module, 1) == defined(module, 1)


@given(SEEDS)
def test_on_generated_modules(seed):
    module = taken_apart(encode(ModuleGenerator(seed).generate()))
    for index in range(len(module.bodies)):
        assert computed(module, index) == defined(module, index)
