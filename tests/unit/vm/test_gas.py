"""The gas counter by itself; numbers from nearcore's gas_counter.rs, profile.rs and receipt_manager.rs."""

import pytest

from near_tee_cli.params.costs import ActionCost, Cost, ExtCost
from near_tee_cli.params.store import config_at
from near_tee_cli.vm.failure import U64_MAX, HostFailure
from near_tee_cli.vm.gas import GasCounter, distribute
from tests.support.reference_config import reference_config

COSTS = reference_config().vm.ext_costs
WRITE_BASE = ExtCost.STORAGE_WRITE_BASE.value
VALUE_BYTE = ExtCost.STORAGE_WRITE_VALUE_BYTE.value
TRANSFER = ActionCost.TRANSFER.value


def counter(max_burnt, prepaid, *, is_view=False, costs=COSTS):
    gas = GasCounter(costs)
    gas.begin(max_burnt=max_burnt, prepaid=prepaid, is_view=is_view)
    return gas


def refused(act, *arguments, **named):
    with pytest.raises(HostFailure) as caught:
        act(*arguments, **named)
    return caught.value.error.variant


def test_deduct_burns_and_reserves():
    gas = counter(10, 10)
    gas.deduct(5, 10)
    assert (gas.burnt, gas.used, gas.remaining) == (5, 10, 0)


@pytest.mark.parametrize("is_view", [False, True])
@pytest.mark.parametrize(("max_burnt", "prepaid"), [(5, 7), (5, 5), (7, 5)])
def test_burning_too_much_of_the_maximum(max_burnt, prepaid, is_view):
    gas = counter(max_burnt, prepaid, is_view=is_view)
    gas.burn(5)
    assert refused(gas.burn, 3) == "GasLimitExceeded"


@pytest.mark.parametrize("is_view", [False, True])
@pytest.mark.parametrize(("max_burnt", "prepaid"), [(5, 7), (5, 5), (7, 5), (5, 8)])
def test_deducting_too_much_of_the_maximum(max_burnt, prepaid, is_view):
    gas = counter(max_burnt, prepaid, is_view=is_view)
    gas.deduct(5, 5)
    assert refused(gas.deduct, 3, 3) == "GasLimitExceeded"


def test_deducting_too_much_of_the_prepaid_gas():
    gas = counter(8, 5)
    gas.deduct(5, 5)
    assert refused(gas.deduct, 3, 3) == "GasExceeded"


def test_prepaid_gas_does_not_bound_a_view():
    gas = counter(8, 5, is_view=True)
    gas.deduct(5, 5)
    gas.deduct(3, 3)
    assert gas.burnt == 8


def test_reserved_gas_lowers_the_limit():
    gas = counter(100, 50)
    gas.deduct(5, 25)
    assert (gas.limit, gas.remaining, gas.used) == (30, 25, 25)
    gas.burn(25)
    assert refused(gas.burn, 1) == "GasExceeded"


def test_what_runs_out_burns_up_to_the_prepaid_gas_and_keeps_the_rest_promised():
    gas = counter(1000, 50)
    gas.deduct(5, 25)
    assert refused(gas.burn, 40) == "GasExceeded"
    assert (gas.burnt, gas.used) == (45, 50)


def test_what_exceeds_the_maximum_burns_the_maximum():
    gas = counter(30, 100)
    gas.prepay(50)
    assert refused(gas.burn, 31) == "GasLimitExceeded"
    assert (gas.burnt, gas.used) == (30, 81)


def test_overflow_changes_nothing():
    gas = counter(100, 100)
    gas.burn(1)
    for act in (
        lambda: gas.burn(U64_MAX),
        lambda: gas.deduct(0, U64_MAX),
        lambda: gas.deduct(U64_MAX, U64_MAX),
        lambda: gas.pay_per(VALUE_BYTE, U64_MAX),
    ):
        assert refused(act) == "IntegerOverflow"
        assert (gas.burnt, gas.used, gas.remaining) == (1, 1, 99)
    assert sum(gas.profile().ext) == 0


def test_a_wrapped_sum_makes_the_promised_gas_smaller():
    gas = counter(10**15, 10**14)
    gas.prepay(10**13)
    assert refused(gas.burn, U64_MAX - 1) == "GasLimitExceeded"
    assert (gas.burnt, gas.promised) == (10**14, 0)


def test_pay_both_is_two_charges():
    gas = counter(U64_MAX, U64_MAX)
    gas.pay_both(WRITE_BASE, VALUE_BYTE, 3)
    assert gas.burnt == COSTS[WRITE_BASE].gas + 3 * COSTS[VALUE_BYTE].gas
    assert (gas.units[WRITE_BASE], gas.units[VALUE_BYTE]) == (1, 3)


@pytest.mark.parametrize("missing", [1, 10**9, COSTS[VALUE_BYTE].gas * 10, COSTS[VALUE_BYTE].gas * 10 + 1])
def test_pay_both_that_runs_out_notes_both_parts(missing):
    whole = COSTS[WRITE_BASE].gas + 10 * COSTS[VALUE_BYTE].gas
    gas = counter(U64_MAX, whole - missing)
    assert refused(gas.pay_both, WRITE_BASE, VALUE_BYTE, 10) == "GasExceeded"
    profile = gas.profile()
    base = min(COSTS[WRITE_BASE].gas, whole - missing)
    assert (profile.ext[WRITE_BASE], profile.ext[VALUE_BYTE]) == (base, whole - missing - base)
    assert (gas.burnt, profile.wasm_gas) == (whole - missing, 0)


def test_pay_both_with_a_length_that_overflows_charges_the_base():
    gas = counter(U64_MAX, 10**14)
    assert refused(gas.pay_both, WRITE_BASE, VALUE_BYTE, U64_MAX) == "IntegerOverflow"
    assert gas.burnt == COSTS[WRITE_BASE].gas


def test_paying_for_nothing_is_possible_without_gas():
    gas = counter(0, 0)
    gas.pay_per(VALUE_BYTE, 0)
    gas.deduct(0, 0)
    assert gas.burnt == 0


def test_the_profile_attributes_every_gas():
    gas = counter(U64_MAX, 10**14)
    gas.pay(WRITE_BASE)
    gas.pay_per(VALUE_BYTE, 10)
    gas.pay_action(TRANSFER, 100, use=300, compute=150)
    gas.burn(12_345)
    profile = gas.profile()
    assert profile.ext[WRITE_BASE] == COSTS[WRITE_BASE].gas
    assert profile.ext[VALUE_BYTE] == 10 * COSTS[VALUE_BYTE].gas
    assert profile.actions[TRANSFER] == 100
    assert profile.wasm_gas == 12_345
    assert gas.burnt == sum(profile.ext) + sum(profile.actions) + profile.wasm_gas
    assert gas.used == gas.burnt + 200
    assert gas.compute_usage(profile) == gas.burnt + 50


def test_an_action_that_runs_out_weighs_what_it_burns():
    gas = counter(U64_MAX, 1_000)
    assert refused(gas.pay_action, TRANSFER, 2_000, use=2_000, compute=7) == "GasExceeded"
    profile = gas.profile()
    assert (gas.burnt, profile.actions[TRANSFER], gas.compute_usage(profile)) == (1_000, 1_000, 1_000)


def test_an_action_whose_reserve_does_not_fit_burns_only_its_sending_part():
    gas = counter(U64_MAX, 1_000)
    assert refused(gas.pay_action, TRANSFER, 100, use=2_000, compute=100) == "GasExceeded"
    assert (gas.burnt, gas.used) == (100, 1_000)


def test_compute_follows_the_summed_gas_at_the_rate_of_the_cost():
    costs = config_at(86).vm.ext_costs
    gas = counter(U64_MAX, 10**15, costs=costs)
    gas.pay(WRITE_BASE)
    assert gas.burnt == 64_196_736_000
    assert gas.compute_usage(gas.profile()) == 200_000_000_000


def test_compute_rounds_once_per_cost():
    costs = [Cost(0, 0)] * len(ExtCost)
    costs[WRITE_BASE] = Cost(3, 5)
    gas = counter(100, 10, costs=costs)
    gas.pay(WRITE_BASE)
    gas.pay(WRITE_BASE)
    gas.pay(WRITE_BASE)
    assert refused(gas.pay, WRITE_BASE) == "GasExceeded"
    profile = gas.profile()
    assert profile.ext[WRITE_BASE] == 10
    assert gas.compute_usage(profile) == 10 * 5 // 3


def test_loading_pays_bytes_first():
    gas = counter(U64_MAX, 35_445_963 + 38 * 1_089_295)
    gas.pay_loading(38)
    assert gas.remaining == 0
    short = counter(U64_MAX, 38 * 1_089_295)
    assert refused(short.pay_loading, 38) == "GasExceeded"
    assert short.profile().ext[ExtCost.CONTRACT_LOADING_BYTES] == 38 * 1_089_295


def test_beginning_again_forgets_everything():
    gas = counter(10, 10)
    gas.prepay(5)
    refused(gas.pay, WRITE_BASE)
    units, actions = gas.units, gas.actions
    gas.begin(max_burnt=20, prepaid=30, is_view=False)
    assert (gas.burnt, gas.used, gas.remaining, gas.send_compute) == (0, 0, 20, 0)
    assert gas.profile().ext == (0,) * len(ExtCost)
    assert (gas.units is units, gas.actions is actions) == (True, True)


G = 10**9


@pytest.mark.parametrize(
    ("unused", "weights", "shares"),
    [
        (10 * G, [3, 2], [6 * G, 4 * G]),
        (10 * G - 4_000_000, [3, 2], [5_997_600_000, 3_998_400_000]),
        (10 * G, [U64_MAX, 1000], [9_999_999_999, 1]),
        (10 * G, [10**10, 1, 10**10], [4_999_999_999, 0, 5_000_000_001]),
        (
            10 * G - 1_004_000_000,
            [3, 2, 1, 0, 4],
            [2_698_800_000, 1_799_200_000, 899_600_000, 0, 3_598_400_000],
        ),
        (0, [1, 2], [0, 0]),
        (-5, [1], [0]),
        (7, [], []),
        (7, [0, 0], [0, 0]),
    ],
)
def test_unused_gas_is_shared_by_weight(unused, weights, shares):
    assert distribute(unused, weights) == shares
