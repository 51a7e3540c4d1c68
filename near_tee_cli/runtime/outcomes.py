"""Outcomes: sums of gas profiles, the outcome root, and the JSON that RPC shows.

Mirrors nearcore: core/primitives/src/transaction.rs, core/primitives/src/views.rs
"""

from collections.abc import Sequence
from typing import Any

from near_tee_cli.params.costs import ActionCost, ExtCost
from near_tee_cli.primitives.merkle import root_of_leaves
from near_tee_cli.primitives.schema.json_scalars import hash_text
from near_tee_cli.primitives.schema.outcome import (
    ExecutionMetadata,
    ExecutionOutcome,
    GasProfile,
    OutcomeWithId,
    outcome_leaf,
)
from near_tee_cli.primitives.schema.views import contract_view, status_view
from near_tee_cli.vm.outcome import NO_PROFILE

_ACTION_CATEGORY = "ACTION_COST"
_HOST_CATEGORY = "WASM_HOST_COST"
_WASM = "WASM_INSTRUCTION"


def outcome_root(outcomes: Sequence[OutcomeWithId]) -> bytes:
    """The Merkle root of a chunk's outcomes, 32 zero bytes without any."""
    return root_of_leaves([outcome_leaf(outcome) for outcome in outcomes])


def merged_profile(left: GasProfile, right: GasProfile) -> GasProfile:
    """Both profiles added up."""
    if right is NO_PROFILE:
        return left
    if left is NO_PROFILE:
        return right
    actions = tuple(a + b for a, b in zip(left.actions, right.actions, strict=True))
    ext = tuple(a + b for a, b in zip(left.ext, right.ext, strict=True))
    return GasProfile(actions, ext, left.wasm_gas + right.wasm_gas)


def outcome_json(entry: OutcomeWithId) -> dict[str, Any]:
    """An outcome under its id, as RPC shows it, with `compute_usage` (which RPC does not know) beside it."""
    outcome = entry.outcome
    return {"id": hash_text(entry.id), "outcome": outcome_view(outcome), "compute_usage": outcome.compute_usage}


def outcome_view(outcome: ExecutionOutcome) -> dict[str, Any]:
    """An outcome as RPC shows it."""
    return {
        "logs": list(outcome.logs),
        "receipt_ids": [hash_text(receipt_id) for receipt_id in outcome.receipt_ids],
        "gas_burnt": outcome.gas_burnt,
        "tokens_burnt": str(outcome.tokens_burnt),
        "executor_id": outcome.executor_id,
        "status": status_view(outcome.status),
        "metadata": _metadata_view(outcome.metadata),
    }


def profile_view(profile: GasProfile) -> list[dict[str, str]]:
    """The gas of a profile by category and name, without what burnt nothing."""
    rows = [(_ACTION_CATEGORY, cost.name, profile.actions[cost]) for cost in ActionCost]
    rows += [(_HOST_CATEGORY, cost.name, profile.ext[cost]) for cost in ExtCost]
    rows.append((_HOST_CATEGORY, _WASM, profile.wasm_gas))
    return [
        {"cost_category": category, "cost": name, "gas_used": str(gas)} for category, name, gas in sorted(rows) if gas
    ]


def _metadata_view(metadata: ExecutionMetadata) -> dict[str, Any]:
    profile = None if metadata.profile is None else profile_view(metadata.profile)
    result: dict[str, Any] = {"version": metadata.version, "gas_profile": profile}
    if metadata.version >= 4:
        result["contracts"] = [contract_view(contract) for contract in metadata.contracts]
    return result
