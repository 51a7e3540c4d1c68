"""Gas by kind always adds up."""

from hypothesis import given
from hypothesis import strategies as st

from near_tee_cli.params.costs import ActionCost, ExtCost
from near_tee_cli.primitives.schema.outcome import ExecutionMetadata, ExecutionOutcome, GasProfile, SuccessValue
from near_tee_cli.proof.gas_kinds import CRYPTOGRAPHY, NO_GAS, STORAGE, of_outcome, of_outcomes, total_of
from tests.support.bundle_strategies import outcomes


def outcome(gas, **ext):
    profile = GasProfile(
        (0,) * len(ActionCost), tuple(ext.get(cost.name, 0) for cost in ExtCost), ext.get("WASM_INSTRUCTION", 0)
    )
    return ExecutionOutcome((), (), gas, 0, 0, "a.near", SuccessValue(b""), ExecutionMetadata(3, profile, ()))


def test_kinds() -> None:
    kinds = of_outcome(
        outcome(100, WASM_INSTRUCTION=1, STORAGE_READ_BASE=2, TOUCHING_TRIE_NODE=3, SHA256_BASE=4, LOG_BASE=5)
    )
    assert kinds == (1, 5, 4, 5, 85, 100)


def test_without_a_profile_everything_was_actions() -> None:
    plain = outcome(7)._replace(metadata=ExecutionMetadata(1, None, ()))
    assert of_outcome(plain) == (0, 0, 0, 0, 7, 7)


def test_a_profile_of_more_than_was_burnt() -> None:
    assert of_outcome(outcome(10, WASM_INSTRUCTION=6, STORAGE_READ_BASE=6, LOG_BASE=6)) == (6, 4, 0, 0, 0, 10)


def test_every_host_cost_has_one_kind() -> None:
    assert not STORAGE & CRYPTOGRAPHY
    names = {cost.name for cost in ExtCost if cost not in STORAGE | CRYPTOGRAPHY}
    assert {"BASE", "LOG_BYTE", "YIELD_CREATE_BASE", "PROMISE_RETURN", "CONTRACT_LOADING_BYTES"} <= names
    assert not any("VERIFY" in name or "BLS" in name or "STORAGE" in name for name in names)


@given(st.lists(outcomes, max_size=4))
def test_they_add_up(entries) -> None:
    kinds = of_outcomes(entry.outcome for entry in entries)
    assert sum(kinds[:-1]) == kinds.total == sum(entry.outcome.gas_burnt for entry in entries)
    assert min(kinds) >= 0


def test_nothing() -> None:
    assert of_outcomes([]) == total_of([]) == NO_GAS
