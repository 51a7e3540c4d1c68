"""The parameters of each version: as data, merged, typed."""

import pytest

from near_tee_cli.errors import NearTeeError, UnsupportedError
from near_tee_cli.params.costs import ActionCost, Cost, ExtCost
from near_tee_cli.params.features import SUPPORTED_VERSIONS, Feature
from near_tee_cli.params.store import config_at, config_from, merged, parameters_at


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
