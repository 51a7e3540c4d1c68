"""Costs as the contract itself computed them."""

import pytest

from near_tee_cli.worker.outlayer_cost import Pricing, Resources, charged_for, cost_of, estimate_of, refund_of
from near_tee_cli.worker.outlayer_events import RequestLimits

OBSERVED = 1004201200000000000000


def test_what_was_observed() -> None:
    used = Resources(12_345_678, 42, None)
    assert cost_of(used) == charged_for(used, success=True) == OBSERVED
    assert refund_of(10**23, OBSERVED) == 98995798800000000000000
    assert estimate_of(None) == 7000100000000000000000


def test_a_failure_costs_the_base_fee() -> None:
    used = Resources(12_345_678, 42, 7)
    assert charged_for(used, success=False) == charged_for(None, success=True) == 10**21
    assert refund_of(10**23, 10**21) == 99 * 10**21
    assert refund_of(1, 10**21) == 0


@pytest.mark.parametrize(
    ("resources", "cost"),
    [
        (Resources(0, 0, None), 10**21),
        (Resources(999_999, 0, 0), 10**21),
        (Resources(1_000_000, 0, None), 10**21 + 10**14),
        (Resources(0, 1, 2), 10**21 + 3 * 10**17),
    ],
)
def test_parts(resources, cost) -> None:
    assert cost_of(resources) == cost


def test_other_prices() -> None:
    assert cost_of(Resources(2_000_000, 3, 4), Pricing(5, 7, 11, 13)) == 5 + 14 + 33 + 52


def test_estimates_follow_the_limits() -> None:
    assert estimate_of(RequestLimits(None, None, None)) == estimate_of(None)
    assert estimate_of(RequestLimits(2_000_000, 9999, 1)) == 10**21 + 2 * 10**14 + 10**20
