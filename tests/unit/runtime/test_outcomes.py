"""Outcomes: the chunk root of two testnet outcomes, profiles and metadata as RPC shows them."""

import json
import pathlib

import pytest

from near_tee_cli.params.costs import ActionCost, ExtCost
from near_tee_cli.primitives import base58
from near_tee_cli.primitives.hashes import ZERO_HASH
from near_tee_cli.primitives.schema.account import GlobalContract, GlobalContractByAccount, LocalContract
from near_tee_cli.primitives.schema.outcome import (
    NO_METADATA,
    ExecutionMetadata,
    ExecutionOutcome,
    GasProfile,
    OutcomeWithId,
    SuccessValue,
)
from near_tee_cli.runtime.outcomes import merged_profile, outcome_json, outcome_root, profile_view
from near_tee_cli.vm.outcome import NO_PROFILE

DATA = pathlib.Path(__file__).parent / "data"


def profile(action=0, ext=0, wasm=0) -> GasProfile:
    actions, exts = [0] * len(ActionCost), [0] * len(ExtCost)
    actions[ActionCost.TRANSFER], exts[ExtCost.BASE] = action, ext
    return GasProfile(tuple(actions), tuple(exts), wasm)


def entry(metadata) -> OutcomeWithId:
    return OutcomeWithId(bytes(32), ExecutionOutcome((), (), 5, 6, 7, "a.near", SuccessValue(b""), metadata))


def test_root_of_no_outcome() -> None:
    assert outcome_root([]) == ZERO_HASH


def test_profiles_add_up() -> None:
    assert merged_profile(NO_PROFILE, profile(1)) == profile(1)
    assert merged_profile(profile(1), NO_PROFILE) == profile(1)
    assert merged_profile(profile(1, 2, 3), profile(10, 20, 30)) == profile(11, 22, 33)


def test_profile_view_is_sorted_and_without_zeros() -> None:
    shown = profile_view(profile(1, 2, 3))
    assert [(row["cost_category"], row["cost"], row["gas_used"]) for row in shown] == [
        ("ACTION_COST", "TRANSFER", "1"),
        ("WASM_HOST_COST", "BASE", "2"),
        ("WASM_HOST_COST", "WASM_INSTRUCTION", "3"),
    ]


@pytest.mark.parametrize("version", [3, 4])
def test_json_of_nearcores_metadata(version) -> None:
    # nearcore: core/primitives/src/views.rs (test_exec_metadata_v3_view, test_exec_metadata_v4_view)
    expected = json.loads((DATA / "execution_metadata_v4.json").read_text()) | {"version": version}
    contracts = (None, LocalContract(b"\7" * 32))
    if version == 3:
        del expected["contracts"]
        contracts = ()
    numbered = GasProfile(tuple(1000 + cost for cost in ActionCost), tuple(range(len(ExtCost))), 0)
    shown = outcome_json(entry(ExecutionMetadata(version, numbered, contracts)))["outcome"]["metadata"]
    assert shown == expected


def test_json_of_metadata() -> None:
    assert outcome_json(entry(NO_METADATA)) == {
        "id": "1" * 32,
        "compute_usage": 6,
        "outcome": {
            "logs": [],
            "receipt_ids": [],
            "gas_burnt": 5,
            "tokens_burnt": "7",
            "executor_id": "a.near",
            "status": {"SuccessValue": ""},
            "metadata": {"version": 1, "gas_profile": None},
        },
    }
    contracts = (None, LocalContract(bytes(32)), GlobalContract(bytes(32)), GlobalContractByAccount("b.near"))
    shown = outcome_json(entry(ExecutionMetadata(4, NO_PROFILE, contracts)))["outcome"]["metadata"]
    zero = base58.encode(bytes(32))
    assert shown == {
        "version": 4,
        "gas_profile": [],
        "contracts": [None, {"local": zero}, {"global_hash": zero}, {"global_account_id": "b.near"}],
    }
    third = outcome_json(entry(ExecutionMetadata(3, NO_PROFILE, ())))["outcome"]["metadata"]
    assert third == {"version": 3, "gas_profile": []}
