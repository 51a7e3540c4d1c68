"""What an execution costs on OutLayer's contract, and what is given back.

Follows near-outlayer: contract/src/lib.rs (calculate_cost, estimate_cost), contract/src/execution.rs
"""

from typing import NamedTuple

from near_tee_cli.worker.outlayer_events import RequestLimits


class Pricing(NamedTuple):
    """Prices in yoctoNEAR, as the contract's view `get_pricing` has them."""

    base_fee: int = 10**21
    per_million_instructions: int = 10**14
    per_ms: int = 10**17
    per_compile_ms: int = 10**17


DEFAULT_PRICING = Pricing()
"""The prices that a new contract has."""

DEFAULT_INSTRUCTIONS = 1_000_000_000
DEFAULT_SECONDS = 60


class Resources(NamedTuple):
    """What an execution used, as its worker says."""

    instructions: int
    time_ms: int
    compile_time_ms: int | None


def cost_of(resources: Resources, pricing: Pricing = DEFAULT_PRICING) -> int:
    """Cost of a successful execution in yoctoNEAR. Only whole millions of instructions count."""
    compiling = 0 if resources.compile_time_ms is None else resources.compile_time_ms * pricing.per_compile_ms
    executing = _executing(resources.instructions, resources.time_ms, pricing)
    return pricing.base_fee + executing + compiling


def charged_for(resources: Resources | None, *, success: bool, pricing: Pricing = DEFAULT_PRICING) -> int:
    """What is kept, in yoctoNEAR: the base fee alone for a failure, or for a timeout (`None`)."""
    return cost_of(resources, pricing) if success and resources is not None else pricing.base_fee


def refund_of(payment: int, charged: int) -> int:
    """What the payer gets back, in yoctoNEAR; a payment that is too small is kept."""
    return max(payment - charged, 0)


def estimate_of(limits: RequestLimits | None, pricing: Pricing = DEFAULT_PRICING) -> int:
    """What a request has to pay in advance, in yoctoNEAR: for all that its limits allow."""
    instructions, seconds = DEFAULT_INSTRUCTIONS, DEFAULT_SECONDS
    if limits is not None:
        instructions = instructions if limits.max_instructions is None else limits.max_instructions
        seconds = seconds if limits.max_execution_seconds is None else limits.max_execution_seconds
    return pricing.base_fee + _executing(instructions, seconds * 1000, pricing)


def _executing(instructions: int, time_ms: int, pricing: Pricing) -> int:
    return instructions // 1_000_000 * pricing.per_million_instructions + time_ms * pricing.per_ms
