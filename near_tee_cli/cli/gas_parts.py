"""Where the gas of an outcome went, as a table that adds up.

The profile of an outcome says what was burnt inside its function calls. What is left of the burnt gas paid for the
receipt itself and for executing its actions.
"""

from collections.abc import Sequence
from typing import NamedTuple

from near_tee_cli.params.costs import ActionCost, ExtCost
from near_tee_cli.primitives.schema.outcome import ExecutionOutcome, GasProfile

EXECUTION = "receipt and actions"
INSTRUCTIONS = "wasm instructions"


class Part(NamedTuple):
    """Gas burnt for one purpose."""

    name: str
    gas: int


def parts_of(outcome: ExecutionOutcome) -> tuple[Part, ...]:
    """What the gas of `outcome` was burnt for, costliest first; the parts add up to `gas_burnt`."""
    profile = outcome.metadata.profile
    inside = () if profile is None else profile_parts(profile)
    rest = outcome.gas_burnt - sum(part.gas for part in inside)
    return _ordered((*inside, Part(EXECUTION, rest)))


def profile_parts(profile: GasProfile) -> tuple[Part, ...]:
    """What function calls burnt gas for, costliest first."""
    sent = [Part(f"send {_words(cost)}", profile.actions[cost]) for cost in ActionCost]
    hosted = [Part(_words(cost), profile.ext[cost]) for cost in ExtCost]
    return _ordered((*sent, *hosted, Part(INSTRUCTIONS, profile.wasm_gas)))


def _ordered(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    return tuple(sorted((part for part in parts if part.gas), key=lambda part: (-part.gas, part.name)))


def costliest(parts: Sequence[Part], count: int) -> tuple[Part, ...]:
    """The first `count` parts and, if there are more, one that is the sum of the others."""
    if len(parts) <= count + 1:
        return tuple(parts)
    rest = parts[count:]
    return (*parts[:count], Part(f"{len(rest)} others", sum(part.gas for part in rest)))


def _words(cost: ActionCost | ExtCost) -> str:
    return cost.name.lower().replace("_", " ")
