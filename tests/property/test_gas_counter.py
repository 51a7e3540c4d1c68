"""The counter, which only subtracts and counts, against the rules written down as they are stated."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from near_tee_cli.params.costs import ActionCost, Cost, ExtCost
from near_tee_cli.vm.failure import U64_MAX, HostFailure
from near_tee_cli.vm.gas import GasCounter

FIRST, SECOND = ExtCost.BASE.value, ExtCost.LOG_BYTE.value
ACTION = ActionCost.STAKE.value


class Failed(Exception):
    pass


class Stated:
    """Burnt, promised and limit as separate numbers; every charge added to the profile when it is made."""

    def __init__(self, max_burnt, prepaid, is_view, prices):
        self.max, self.prepaid, self.is_view, self.prices = max_burnt, U64_MAX if is_view else prepaid, is_view, prices
        self.burnt = self.promised = self.send_compute = 0
        self.limit = min(self.max, self.prepaid)
        self.ext, self.action = {}, 0

    def exceed(self, burnt, used):
        self.burnt = min(burnt, self.prepaid, self.max)
        self.promised = max(min(self.prepaid, used) - self.burnt, 0)
        raise Failed("GasLimitExceeded" if burnt > self.max else "GasExceeded")

    def burn(self, amount):
        burnt = self.burnt + amount
        if burnt > U64_MAX:
            raise Failed("IntegerOverflow")
        if burnt > self.limit:
            self.exceed(burnt, (burnt + self.promised) % 2**64)
        self.burnt = burnt

    def deduct(self, burn, use):
        promised, burnt = self.promised + use - burn, self.burnt + burn
        if max(promised, burnt, burnt + promised) > U64_MAX:
            raise Failed("IntegerOverflow")
        if burnt > self.max or burnt + promised > self.prepaid:
            self.exceed(burnt, burnt + promised)
        if use != burn and not self.is_view:
            self.limit = min(self.max, self.prepaid - promised)
        self.burnt, self.promised = burnt, promised

    def pay_per(self, cost, count):
        amount = self.prices[cost].gas * count
        if amount > U64_MAX:
            raise Failed("IntegerOverflow")
        before = self.burnt
        try:
            self.burn(amount)
        finally:
            self.ext[cost] = self.ext.get(cost, 0) + self.burnt - before

    def pay_both(self, base, unit, count):
        self.pay_per(base, 1)
        self.pay_per(unit, count)

    def pay_action(self, burn, use, compute):
        before = self.burnt
        try:
            self.deduct(burn, use)
        except Failed:
            self.send_compute += self.burnt - before
            raise
        else:
            self.send_compute += compute
        finally:
            self.action += self.burnt - before

    def compute(self):
        total = sum(gas * self.prices[cost].compute // self.prices[cost].gas for cost, gas in self.ext.items() if gas)
        return total + self.send_compute + self.burnt - self.action - sum(self.ext.values())


amounts = st.one_of(st.integers(0, 60), st.sampled_from([2**32, 2**63, U64_MAX]))
small = st.integers(0, 60)
steps = st.one_of(
    st.tuples(st.just("burn"), amounts),
    st.tuples(st.just("pay"), st.sampled_from([FIRST, SECOND])),
    st.tuples(st.just("pay_per"), st.sampled_from([FIRST, SECOND]), amounts),
    st.tuples(st.just("pay_both"), amounts),
    st.tuples(st.just("deduct"), small, amounts),
    st.tuples(st.just("pay_action"), small, amounts, small),
)
limits = st.one_of(st.integers(0, 400), st.just(U64_MAX))


def both(actual, stated, step):
    name, *values = step
    if name == "burn":
        return (lambda: actual.burn(values[0])), (lambda: stated.burn(values[0]))
    if name == "pay":
        return (lambda: actual.pay(values[0])), (lambda: stated.pay_per(values[0], 1))
    if name == "pay_per":
        return (lambda: actual.pay_per(*values)), (lambda: stated.pay_per(*values))
    if name == "pay_both":
        return (lambda: actual.pay_both(FIRST, SECOND, values[0])), (lambda: stated.pay_both(FIRST, SECOND, values[0]))
    burn, more = values[0], min(values[0] + values[1], U64_MAX)
    if name == "deduct":
        return (lambda: actual.deduct(burn, more)), (lambda: stated.deduct(burn, more))
    weight = values[2]
    return (
        lambda: actual.pay_action(ACTION, burn, use=more, compute=weight),
        lambda: stated.pay_action(burn, more, weight),
    )


@given(limits, limits, st.booleans(), st.integers(1, 9), st.integers(1, 9), st.lists(steps, max_size=12))
def test_counting_units_is_adding_charges(max_burnt, prepaid, is_view, first, second, plan):
    prices = [Cost(1, 1)] * len(ExtCost)
    prices[FIRST], prices[SECOND] = Cost(first, second), Cost(second, second)
    actual = GasCounter(prices)
    actual.begin(max_burnt=max_burnt, prepaid=prepaid, is_view=is_view)
    stated = Stated(max_burnt, prepaid, is_view, prices)
    for step in plan:
        act, act_as_stated = both(actual, stated, step)
        error = None
        try:
            act_as_stated()
        except Failed as failed:
            error = str(failed)
        if error is None:
            act()
        else:
            with pytest.raises(HostFailure) as caught:
                act()
            assert caught.value.error.variant == error
        assert (actual.burnt, actual.promised, actual.used) == (
            stated.burnt,
            stated.promised,
            stated.burnt + stated.promised,
        )
        if error in ("GasExceeded", "GasLimitExceeded"):
            break
        assert (actual.limit, actual.remaining) == (stated.limit, stated.limit - stated.burnt)
    profile = actual.profile()
    assert {cost: gas for cost, gas in enumerate(profile.ext) if gas} == {c: g for c, g in stated.ext.items() if g}
    assert profile.actions[ACTION] == stated.action
    assert profile.wasm_gas == stated.burnt - stated.action - sum(stated.ext.values())
    assert actual.compute_usage(profile) == min(stated.compute(), U64_MAX)
