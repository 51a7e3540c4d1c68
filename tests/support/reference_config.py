"""The configuration under which nearcore's own unit tests of the host functions run.

Prices and limits are those of the newest version with compute equal to gas, every flag is on, and action fees are the
test fees of nearcore (`RuntimeFeesConfig::test()`). `bent` makes variations.
"""

from near_tee_cli.params.config import RuntimeConfig
from near_tee_cli.params.costs import ActionCost, Cost, ExtCost, Fee
from near_tee_cli.params.features import LATEST_VERSION
from near_tee_cli.params.store import config_at

_G = 10**9

TEST_FEES: dict[ActionCost, tuple[int, int, int]] = {
    ActionCost.CREATE_ACCOUNT: (500 * _G, 500 * _G, 7_200 * _G),
    ActionCost.DELETE_ACCOUNT: (147_489_000_000,) * 3,
    ActionCost.DEPLOY_CONTRACT_BASE: (184_765_750_000,) * 3,
    ActionCost.DEPLOY_CONTRACT_BYTE: (6_812_999,) * 3,
    ActionCost.FUNCTION_CALL_BASE: (2_319_861_500_000,) * 3,
    ActionCost.FUNCTION_CALL_BYTE: (2_235_934,) * 3,
    ActionCost.TRANSFER: (115_123_062_500,) * 3,
    ActionCost.STAKE: (141_715_687_500, 141_715_687_500, 102_217_625_000),
    ActionCost.ADD_FULL_ACCESS_KEY: (101_765_125_000,) * 3,
    ActionCost.ADD_FUNCTION_CALL_KEY_BASE: (102_217_625_000,) * 3,
    ActionCost.ADD_FUNCTION_CALL_KEY_BYTE: (1_925_331,) * 3,
    ActionCost.DELETE_KEY: (94_946_625_000,) * 3,
    ActionCost.NEW_ACTION_RECEIPT: (108_059_500_000,) * 3,
    ActionCost.NEW_DATA_RECEIPT_BASE: (4_697_339_419_375,) * 3,
    ActionCost.NEW_DATA_RECEIPT_BYTE: (59_357_464,) * 3,
    ActionCost.DELEGATE: (200 * _G,) * 3,
    ActionCost.DEPLOY_GLOBAL_CONTRACT_BASE: (184_765_750_000,) * 3,
    ActionCost.DEPLOY_GLOBAL_CONTRACT_BYTE: (6_812_999, 6_812_999, 70_000_000),
    ActionCost.USE_GLOBAL_CONTRACT_BASE: (184_765_750_000,) * 3,
    ActionCost.USE_GLOBAL_CONTRACT_BYTE: (6_812_999, 47_683_715, 64_572_944),
    ActionCost.DETERMINISTIC_STATE_INIT_BASE: (3_850 * _G, 3_850 * _G, 4_080 * _G),
    ActionCost.DETERMINISTIC_STATE_INIT_BYTE: (72_000_000, 72_000_000, 70_000_000),
    ActionCost.DETERMINISTIC_STATE_INIT_ENTRY: (0, 0, 200 * _G),
    ActionCost.GAS_KEY_TRANSFER_BASE: (115_123_062_500, 115_123_062_500, 235_676_644_250),
    ActionCost.GAS_KEY_BYTE: (59_357_464, 59_357_464, 101_435_400),
    ActionCost.GAS_KEY_NONCE_WRITE_BASE: (0, 0, 64_196_736_000),
}
"""Send to oneself, send to another, execute."""

_FLAGS = (
    "global_contract_host_fns",
    "gas_key_host_fns",
    "one_yocto_on_promise",
    "p256_verify_host_fn",
    "yield_with_id_host_fns",
    "chain_id_host_fn",
    "fix_contract_loading_cost",
)


def fee(send_sir: int, send_not_sir: int, execution: int) -> Fee:
    """A fee whose compute equals its gas."""
    return Fee(*(Cost(gas, gas) for gas in (send_sir, send_not_sir, execution)))


def reference_config() -> RuntimeConfig:
    """The configuration of nearcore's tests."""
    config = config_at(LATEST_VERSION)
    ext_costs = tuple(Cost(cost.gas, cost.gas) for cost in config.vm.ext_costs)
    vm = config.vm._replace(ext_costs=ext_costs, **dict.fromkeys(_FLAGS, True))
    return config._replace(vm=vm, fees=tuple(fee(*TEST_FEES[cost]) for cost in ActionCost))


def bent(config: RuntimeConfig, *, fees: dict[ActionCost, Fee] | None = None, **vm: object) -> RuntimeConfig:
    """`config` with other fees and other fields of its VM configuration."""
    changed = fees or {}
    all_fees = tuple(changed.get(cost, config.fees[cost]) for cost in ActionCost)
    return config._replace(fees=all_fees, vm=config.vm._replace(**vm))


def free(config: RuntimeConfig) -> RuntimeConfig:
    """`config` where nothing costs anything."""
    nothing = {cost: fee(0, 0, 0) for cost in ActionCost}
    return bent(config, fees=nothing, ext_costs=(Cost(0, 0),) * len(ExtCost))
