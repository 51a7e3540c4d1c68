"""The gas counter of one function call.

What changes with every instruction and host function is `remaining`, the gas that may still be burnt; it travels
through the instrumented module, and everything else follows from it: burnt gas is `limit - remaining`. Gas that
is attached to what the contract sends is not burnt but promised, and lowers the limit.

Charges are counted, not summed: `units` says how often each external cost was paid, and the profile multiplies
once, at the end. A charge that does not fit still burns what is left, and that part is noted apart.

Mirrors nearcore: runtime/near-vm-runner/src/logic/gas_counter.rs, runtime/near-vm-runner/src/profile.rs
"""

from collections.abc import Sequence
from operator import mul
from typing import NoReturn

from near_tee_cli.params.costs import ActionCost, Cost, ExtCost
from near_tee_cli.primitives.schema.outcome import GasProfile
from near_tee_cli.vm.failure import U64_MAX, HostFailure, failure

_EXT_COSTS = len(ExtCost)
_ACTION_COSTS = len(ActionCost)
_NO_UNITS = [0] * _EXT_COSTS
_NO_ACTIONS = [0] * _ACTION_COSTS
_LOADING_BASE = ExtCost.CONTRACT_LOADING_BASE.value
_LOADING_BYTES = ExtCost.CONTRACT_LOADING_BYTES.value


class GasCounter:
    """Gas of one call. `begin` starts the next one; the object and its lists stay, so that others may hold them.

    Costs are plain ints here (`ExtCost.X.value`), which index faster than the enum's members.
    """

    __slots__ = (
        "_partials",
        "_uneven",
        "actions",
        "is_view",
        "limit",
        "max_burnt",
        "prepaid",
        "prices",
        "promised",
        "remaining",
        "send_compute",
        "units",
    )

    def __init__(self, ext_costs: Sequence[Cost]) -> None:
        """A counter with the prices of a configuration, indexed by `ExtCost`."""
        self.prices = tuple(cost.gas for cost in ext_costs)
        """Gas for one unit of each external cost."""
        self._uneven = tuple(
            (index, cost.gas, cost.compute) for index, cost in enumerate(ext_costs) if cost.gas != cost.compute
        )
        self.units = [0] * _EXT_COSTS
        """Units of each external cost paid in full."""
        self.actions = [0] * _ACTION_COSTS
        """Gas burnt for each action cost."""
        self.begin(max_burnt=0, prepaid=0, is_view=False)

    def begin(self, *, max_burnt: int, prepaid: int, is_view: bool) -> None:
        """Start a call that may burn at most `max_burnt`; in a view `prepaid` does not bound it."""
        self.max_burnt = max_burnt
        self.prepaid = U64_MAX if is_view else prepaid
        self.is_view = is_view
        self.limit = min(max_burnt, self.prepaid)
        self.remaining = self.limit
        """Gas that may still be burnt."""
        self.promised = 0
        """Gas reserved for what was sent."""
        self.send_compute = 0
        self.units[:] = _NO_UNITS
        self.actions[:] = _NO_ACTIONS
        self._partials: list[tuple[int, int]] = []

    @property
    def burnt(self) -> int:
        """Gas spent for good."""
        return self.limit - self.remaining

    @property
    def used(self) -> int:
        """Burnt and promised gas."""
        return self.limit - self.remaining + self.promised

    # Charges -----------------------------------------------------------------------------------------------

    def pay(self, cost: int) -> None:
        """Charge one unit of an external cost."""
        left = self.remaining - self.prices[cost]
        if left < 0:
            self._refuse(cost, self.prices[cost])
        self.remaining = left
        self.units[cost] += 1

    def pay_per(self, cost: int, count: int) -> None:
        """Charge `count` units at once; a product beyond u64 is `IntegerOverflow` and charges nothing."""
        amount = self.prices[cost] * count
        left = self.remaining - amount
        if left < 0:
            self._refuse(cost, amount)
        self.remaining = left
        self.units[cost] += count

    def pay_both(self, base: int, unit: int, count: int) -> None:
        """Charge one unit of `base`, then `count` of `unit`."""
        prices = self.prices
        left = self.remaining - prices[base] - prices[unit] * count
        if left < 0:
            self.pay(base)
            self.pay_per(unit, count)
        self.remaining = left
        units = self.units
        units[base] += 1
        units[unit] += count

    def pay_loading(self, length: int) -> None:
        """Charge for loading a contract of `length` bytes, as the contract was deployed."""
        self.pay_per(_LOADING_BYTES, length)
        self.pay(_LOADING_BASE)

    def pay_action(self, action: int, burn: int, *, use: int, compute: int) -> None:
        """Burn `burn` and reserve `use - burn` for an action cost; `compute` is what burning weighs.

        A charge that does not fit weighs what it burns.
        """
        before = self.burnt
        try:
            self.deduct(burn, use)
        except HostFailure:
            burnt = max(self.burnt - before, 0)
            self.actions[action] += burnt
            self._weigh(burnt)
            raise
        self.actions[action] += burn
        self._weigh(compute)

    def burn(self, amount: int) -> None:
        """Charge gas under no name: instructions."""
        left = self.remaining - amount
        if left < 0:
            self.exhaust(amount)
        self.remaining = left

    def prepay(self, amount: int) -> None:
        """Reserve gas for what is sent."""
        self.deduct(0, amount)

    def deduct(self, burn: int, use: int) -> None:
        """Burn `burn` and reserve `use - burn`, both or neither.

        Raises `IntegerOverflow` when a total leaves u64, and a gas error when it leaves what was allowed.
        """
        promised = self.promised + use - burn
        burnt = self.limit - self.remaining + burn
        used = burnt + promised
        if used > U64_MAX:
            raise failure("IntegerOverflow")
        if burnt > self.max_burnt or used > self.prepaid:
            self._exceed(burnt, used)
        if use != burn and not self.is_view:
            self.limit = min(self.max_burnt, self.prepaid - promised)
        self.promised = promised
        self.remaining = self.limit - burnt

    # Running out -------------------------------------------------------------------------------------------

    def _refuse(self, cost: int, amount: int) -> NoReturn:
        """Fail an external charge and note what it burnt nevertheless."""
        if amount > U64_MAX:
            raise failure("IntegerOverflow")
        before = self.burnt
        try:
            self.exhaust(amount)
        finally:
            self._partials.append((cost, max(self.burnt - before, 0)))

    def exhaust(self, amount: int) -> NoReturn:
        """Fail for want of `amount`, with everything burnt that may be: the gas error, or `IntegerOverflow`."""
        burnt = self.burnt + amount
        if burnt > U64_MAX:
            raise failure("IntegerOverflow")
        # NOTE: the sum wraps as the chain's does, which can only make the promised gas smaller.
        self._exceed(burnt, (burnt + self.promised) & U64_MAX)

    def _exceed(self, burnt: int, used: int) -> NoReturn:
        """Settle on what is burnt and promised when `burnt` or `used` went too far, and fail."""
        final = min(burnt, self.prepaid, self.max_burnt)
        self.promised = max(min(self.prepaid, used) - final, 0)
        self.limit = final
        self.remaining = 0
        raise failure("GasLimitExceeded" if burnt > self.max_burnt else "GasExceeded")

    def _weigh(self, compute: int) -> None:
        self.send_compute += compute
        if self.send_compute > U64_MAX:
            raise failure("IntegerOverflow")

    # Results -----------------------------------------------------------------------------------------------

    def profile(self) -> GasProfile:
        """What the burnt gas was burnt for; instructions are what no cost accounts for."""
        ext = list(map(mul, self.units, self.prices))
        for cost, amount in self._partials:
            ext[cost] += amount
        wasm_gas = max(max(self.burnt - sum(self.actions), 0) - sum(ext), 0)
        return GasProfile(tuple(self.actions), tuple(ext), wasm_gas)

    def compute_usage(self, profile: GasProfile) -> int:
        """Compute cost of the call: external costs at their own rate over the summed gas, the rest at par."""
        ext = profile.ext
        total = sum(ext)
        for cost, gas, compute in self._uneven:
            spent = ext[cost]
            if spent:
                total += spent * compute // gas - spent
        return min(total + self.send_compute + profile.wasm_gas, U64_MAX)


def distribute(unused: int, weights: Sequence[int]) -> list[int]:
    """Shares of `unused` gas by weight, the last one with what rounding leaves. Zeros when there is no weight."""
    total = sum(weights)
    if total == 0 or unused <= 0:
        return [0] * len(weights)
    shares = [unused * weight // total for weight in weights]
    shares[-1] += unused - sum(shares)
    return shares
