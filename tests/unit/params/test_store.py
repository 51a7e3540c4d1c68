"""The parameters of each version: as data, merged, typed."""

import json
import pathlib
from collections.abc import Iterator

import pytest

from near_tee_cli.errors import NearTeeError, UnsupportedError
from near_tee_cli.params.costs import ActionCost, Cost, ExtCost
from near_tee_cli.params.features import SUPPORTED_VERSIONS, Feature
from near_tee_cli.params.store import config_at, config_from, merged, parameters_at

DATA = pathlib.Path(__file__).parent / "data"

# Names under which RPC shows fees, where they are not those of the costs.
FEES = {
    ("action_receipt_creation_config",): ActionCost.NEW_ACTION_RECEIPT,
    ("data_receipt_creation_config", "base_cost"): ActionCost.NEW_DATA_RECEIPT_BASE,
    ("data_receipt_creation_config", "cost_per_byte"): ActionCost.NEW_DATA_RECEIPT_BYTE,
    ("action_creation_config", "create_account_cost"): ActionCost.CREATE_ACCOUNT,
    ("action_creation_config", "deploy_contract_cost"): ActionCost.DEPLOY_CONTRACT_BASE,
    ("action_creation_config", "deploy_contract_cost_per_byte"): ActionCost.DEPLOY_CONTRACT_BYTE,
    ("action_creation_config", "function_call_cost"): ActionCost.FUNCTION_CALL_BASE,
    ("action_creation_config", "function_call_cost_per_byte"): ActionCost.FUNCTION_CALL_BYTE,
    ("action_creation_config", "transfer_cost"): ActionCost.TRANSFER,
    ("action_creation_config", "stake_cost"): ActionCost.STAKE,
    ("action_creation_config", "add_key_cost", "full_access_cost"): ActionCost.ADD_FULL_ACCESS_KEY,
    ("action_creation_config", "add_key_cost", "function_call_cost"): ActionCost.ADD_FUNCTION_CALL_KEY_BASE,
    ("action_creation_config", "add_key_cost", "function_call_cost_per_byte"): ActionCost.ADD_FUNCTION_CALL_KEY_BYTE,
    ("action_creation_config", "delete_key_cost"): ActionCost.DELETE_KEY,
    ("action_creation_config", "delete_account_cost"): ActionCost.DELETE_ACCOUNT,
    ("action_creation_config", "delegate_cost"): ActionCost.DELEGATE,
}
# What RPC still shows and no version that is implemented looks at, or whose only value it is.
ASIDE = {
    "contract_compile_base": 0,
    "contract_compile_bytes": 0,
    "grow_mem_cost": 1,
    "implicit_account_creation": True,
    "pessimistic_gas_price_inflation_ratio": [1, 1],
    "storage_get_mode": "FlatStorage",
    "vm_kind": "<REDACTED>",
}
PREFIXES = {"regular_op_cost": "wasm_", "linear_op_base_cost": "wasm_", "linear_op_unit_cost": "wasm_"}
PREFIXES |= {"num_bytes_account": "storage_", "num_extra_bytes_record": "storage_"}


def leaves(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    if isinstance(value, dict) and "send_sir" not in value:
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    else:
        yield path, value


@pytest.mark.parametrize("version", SUPPORTED_VERSIONS)
def test_everything_that_nearcore_shows_of_a_version(version: int) -> None:
    shown = json.loads((DATA / f"config_{version}.json").read_text())
    config, parameters = config_at(version), parameters_at(version)
    seen = set()
    for path, value in leaves(shown):
        name = path[-1]
        if path[1:] in FEES:
            fee = config.fees[FEES[path[1:]]]
            gas = {"send_sir": fee.send_sir, "send_not_sir": fee.send_not_sir, "execution": fee.execution}
            assert {stage: cost.gas for stage, cost in gas.items()} == value, path
            seen.add(path[1:])
        elif name in ASIDE:
            assert value == ASIDE[name], path
        elif path[:2] == ("wasm_config", "ext_costs"):
            assert config.vm.ext_costs[ExtCost[name.upper()]].gas == value, path
            seen.add(name)
        else:
            found = parameters[PREFIXES.get(name, "") + name]
            if isinstance(value, list):
                found = [found["numerator"], found["denominator"]]
            elif isinstance(value, float):
                found = found["numerator"] / found["denominator"]
            elif isinstance(found, dict):
                found = found["gas"]
            assert str(found) == str(value), path
    assert set(FEES) <= seen
    assert {cost.name.lower() for cost in ExtCost} <= seen


def test_every_supported_version_loads_completely() -> None:
    for version in SUPPORTED_VERSIONS:
        config = config_at(version)
        assert config.protocol_version == version
        assert len(config.vm.ext_costs) == len(ExtCost) == 88
        assert len(config.fees) == len(ActionCost) == 26
        assert config.vm.vm_kind == ("NearVm" if version == 83 else "Wasmtime")


@pytest.mark.parametrize("version", [0, 29, 82, 87, 129, -1])
def test_other_versions_are_refused_by_name(version: int) -> None:
    with pytest.raises(UnsupportedError) as refusal:
        config_at(version)
    assert refusal.value.code == "unsupported-protocol-version"
    assert str(version) in refusal.value.message


def test_a_difference_must_meet_the_value_it_replaces() -> None:
    difference = {"a": {"old": 1, "new": 3}, "c": {"old": None, "new": 4}}
    assert merged({"a": 1, "b": 2}, difference) == {"a": 3, "b": 2, "c": 4}
    with pytest.raises(NearTeeError, match="parameter a is 1"):
        merged({"a": 1}, {"a": {"old": 2, "new": 3}})


def test_what_each_version_changed() -> None:
    changed = [
        {name for name, value in parameters_at(later).items() if parameters_at(earlier).get(name) != value}
        for earlier, later in ((83, 84), (84, 85), (85, 86))
    ]
    assert changed[0] == {
        "action_deploy_contract", "action_deploy_contract_per_byte", "deploy_global_contract_execution_base",
        "deploy_global_contract_execution_per_byte", "max_blocks_per_contract", "max_blocks_per_function",
        "max_deploy_actions_per_receipt", "max_function_body_size", "max_instrumented_code_size",
        "max_operand_stack_bytes_per_function", "max_params_per_contract", "max_params_per_function",
        "max_types_per_contract", "reftypes_bulk_memory", "vm_kind", "wasm_linear_op_base_cost",
        "wasm_linear_op_unit_cost",
    }  # fmt: skip
    assert changed[1] == {
        "account_creation_charge", "action_create_account", "action_deterministic_state_init", "chain_id_host_fn",
        "gas_key_host_fns", "min_gas_purchase_price", "ml_dsa_65_verification_cost", "one_yocto_on_promise",
        "p256_verify_host_fn", "wasm_yield_create_with_id_base", "yield_with_id_host_fns",
    }  # fmt: skip
    assert changed[2] == {"fix_contract_loading_error"}


def test_values_that_the_specification_lists() -> None:
    config = config_at(86)
    assert config.vm.wasm_regular_op_cost == 822_756
    assert config.vm.wasm_linear_op_base_cost == 32 * config.vm.wasm_regular_op_cost
    assert config.vm.ext_costs[ExtCost.STORAGE_WRITE_BASE] == Cost(64_196_736_000, 200_000_000_000)
    assert config.vm.ext_costs[ExtCost.YIELD_CREATE_WITH_ID_BASE] == Cost(290_000_000_000, 290_000_000_000)
    create = config.fees[ActionCost.CREATE_ACCOUNT]
    assert (create.send(sir=True).gas, create.send(sir=False).gas) == (5 * 10**11, 5 * 10**11)
    assert create.execution.gas == 72 * 10**11
    assert config.account_creation_charge == 7 * 10**21
    assert config.min_gas_purchase_price == 10**9
    assert config.storage_amount_per_byte == 10**19
    assert config.burnt_gas_reward == (3, 10)
    assert config_at(84).fees[ActionCost.CREATE_ACCOUNT].execution.gas == 3_850_000_000_000


def test_the_digest_names_the_parameters() -> None:
    digests = {config_at(version).digest for version in SUPPORTED_VERSIONS}
    assert len(digests) == len(SUPPORTED_VERSIONS)
    bent = dict(parameters_at(86), max_gas_burnt=1)
    assert config_from(bent, 86).digest not in digests


def test_features_begin_with_their_version() -> None:
    assert not Feature.YIELD_WITH_ID.enabled(84)
    assert Feature.YIELD_WITH_ID.enabled(85)
    assert not Feature.FIX_CONTRACT_LOADING_ERROR.enabled(85)
    assert Feature.FIX_CONTRACT_LOADING_ERROR.enabled(86)
