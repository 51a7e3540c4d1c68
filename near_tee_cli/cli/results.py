"""What a run came to, as the `result` of the JSON document.

Outcomes have the field names of NEAR's RPC, so that existing filters work; amounts are decimal strings, hashes
base58, binary base64 with a text beside it when it is one. See docs/json.md.
"""

import json
from collections.abc import Mapping
from typing import Any

from near_tee_cli.cli.call import Asked
from near_tee_cli.cli.changes import change_json, changes_of
from near_tee_cli.cli.events import event_json, events_of
from near_tee_cli.cli.execution import Execution
from near_tee_cli.cli.gas_parts import parts_of
from near_tee_cli.cli.receipt_tree import tree_json, tree_of
from near_tee_cli.cli.start import Start
from near_tee_cli.primitives import base58, keys
from near_tee_cli.primitives.canonical_json import base64_text
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.outcome import ExecutionOutcome, Failure, SuccessValue
from near_tee_cli.primitives.schema.receipt import ActionReceipt, Receipt
from near_tee_cli.runtime.balances import Balances, balances_of
from near_tee_cli.runtime.block import SHARD_ID, BlockContext
from near_tee_cli.runtime.fees import receipt_gas
from near_tee_cli.runtime.outcomes import outcome_json
from near_tee_cli.runtime.world import World
from near_tee_cli.workspace.yields_json import yield_json


def run_result(asked: Asked, start: Start, execution: Execution) -> dict[str, Any]:
    """Everything there is to say about a call."""
    return execution_result(call_json(asked, start, execution), execution, attached=asked.call.gas)


def execution_result(about: dict[str, Any], execution: Execution, *, attached: int | None) -> dict[str, Any]:
    """Everything there is to say about what `about` describes; `attached` is the gas that it came with."""
    final = execution.final_outcome()
    changes = changes_of(execution.transitions, store=execution.world.store, pre_root=execution.pre_root)
    balances = balances_of(execution.world.config, execution.transitions, changes=changes, in_flight=execution.arriving)
    called = None if execution.call_id is None else execution.outcomes.get(execution.call_id)
    last = execution.transitions[-1]
    blocks = [
        {
            "height": step.block.height,
            "timestamp": step.block.timestamp,
            "pre_state_root": base58.encode(step.pre_root),
            "state_root": base58.encode(step.result.state_root),
            "outcome_root": base58.encode(step.result.outcome_root),
            "gas_burnt": step.result.gas_burnt,
            "outcomes": [outcome_json(entry) for entry in step.result.outcomes],
        }
        for step in execution.transitions
    ]
    return {
        "status": "pending" if final is None else "failure" if is_failure(final.outcome) else "success",
        "outcome": None if called is None else outcome_json(called),
        "final_outcome_id": None if final is None else base58.encode(final.id),
        "failure": final.outcome.status.error if final and isinstance(final.outcome.status, Failure) else None,
        "return_value": None if final is None else return_value(final.outcome),
        "logs": _logs(execution),
        "events": _events(execution),
        "gas": gas_json(execution, attached=attached),
        "receipts": receipts_json(execution),
        "tree": tree_json(tree_of(execution)),
        "totals": totals_json(balances),
        "state_changes": [change_json(change) for change in changes],
        "pre_state_root": base58.encode(execution.pre_root),
        "state_root": base58.encode(execution.world.root),
        "blocks": blocks,
        "in_flight": len(execution.world.in_flight) + last.result.delayed_receipts_count,
        "settled": execution.settled,
        "yields": [yield_json(one) for one in execution.yields],
        "call": about,
    }


def totals_json(balances: Balances) -> dict[str, Any]:
    """Where tokens went, in yoctoNEAR as strings: `accounts` + `waiting` + `burnt` = `came_in`."""
    return {
        "accounts": {name: str(amount) for name, amount in balances.accounts.items()},
        "waiting": str(balances.waiting),
        "burnt": str(balances.burnt),
        "came_in": str(balances.came_in),
        "tokens_burnt": str(balances.tokens_burnt),
        "to_contracts": str(balances.to_contracts),
    }


def is_failure(outcome: ExecutionOutcome) -> bool:
    """Whether an execution failed."""
    return isinstance(outcome.status, Failure)


def return_value(outcome: ExecutionOutcome) -> dict[str, Any] | None:
    """The bytes that came back: base64, and beside it the text and the JSON value if they are such."""
    status = outcome.status
    if not isinstance(status, SuccessValue):
        return None
    return value_json(status.value)


def value_json(value: bytes) -> dict[str, Any]:
    """Bytes for programs; `json` only where it is one that can be read without loss."""
    result: dict[str, Any] = {"base64": base64_text(value), "length": len(value)}
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return result
    result["text"] = text
    try:
        result["json"] = json.loads(text, parse_float=_refuse, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return result
    return result


def _refuse(text: str) -> Any:
    raise ValueError(text)


def _logs(execution: Execution) -> list[dict[str, Any]]:
    return [
        {"id": base58.encode(entry.id), "executor_id": entry.outcome.executor_id, "log": log}
        for entry in execution.outcomes.values()
        for log in entry.outcome.logs
    ]


def _events(execution: Execution) -> list[dict[str, Any]]:
    return [
        {"id": base58.encode(entry.id), "executor_id": entry.outcome.executor_id, **event_json(event)}
        for entry in execution.outcomes.values()
        for event in events_of(entry.outcome.logs)
    ]


def gas_json(execution: Execution, *, attached: int | None) -> dict[str, Any]:
    """Gas attached, burnt and used by the call, its parts, and what all outcomes together burnt."""
    called = None if execution.call_id is None else execution.outcomes.get(execution.call_id)
    result: dict[str, Any] = {"attached": attached, "burnt": None, "used": None, "parts": []}
    if called is not None:
        result["burnt"] = called.outcome.gas_burnt
        result["used"] = called.outcome.gas_burnt + gas_sent(execution, called.outcome)
        result["parts"] = [part._asdict() for part in parts_of(called.outcome)]
    result["burnt_in_all"] = sum(step.result.gas_burnt for step in execution.transitions)
    result["tokens_burnt_in_all"] = str(sum(entry.outcome.tokens_burnt for entry in execution.outcomes.values()))
    return result


def gas_sent(execution: Execution, outcome: ExecutionOutcome) -> int:
    """Gas that left with the receipts of `outcome`: attached to them, and bought for executing them."""
    sent = sent_receipts(execution)
    total = 0
    for identity in outcome.receipt_ids:
        receipt = sent.get(identity)
        if receipt is not None and isinstance(receipt.body, ActionReceipt) and receipt.predecessor_id != "system":
            config = execution.world.config
            total += receipt_gas(config, receipt.body.actions, receiver_id=receipt.receiver_id)
    return total


def sent_receipts(execution: Execution) -> dict[bytes, Receipt]:
    """Every receipt that left a block, by id."""
    return {receipt.receipt_id: receipt for step in execution.transitions for receipt in step.result.outgoing_receipts}


def receipts_json(execution: Execution) -> list[dict[str, Any]]:
    """The receipts sent, in order, and what became of them."""
    from near_tee_cli.primitives.schema.views import receipt_view

    result = []
    heights = {entry.id: step.block.height for step in execution.transitions for entry in step.result.outcomes}
    for step in execution.transitions:
        for receipt in step.result.outgoing_receipts:
            entry = execution.outcomes.get(receipt.receipt_id)
            state = "in flight" if entry is None else "failure" if is_failure(entry.outcome) else "success"
            if entry is None and not isinstance(receipt.body, ActionReceipt):
                state = "delivered" if step is not execution.transitions[-1] else "in flight"
            result.append(
                {
                    **receipt_view(receipt),
                    "sent_in": step.block.height,
                    "executed_in": heights.get(receipt.receipt_id),
                    "state": state,
                }
            )
    return result


def call_json(asked: Asked, start: Start, execution: Execution) -> dict[str, Any]:
    """Every value that influenced the result, and which of them were defaults."""
    call = asked.call
    values: Mapping[str, Any] = {
        "contract_id": call.contract_id,
        "code_hash": base58.encode(sha256(call.code)),
        "method_name": call.method_name,
        "args": base64_text(call.args),
        "gas": call.gas,
        "deposit": str(call.deposit),
        "signer_id": call.signer_id,
        "signer_public_key": keys.public_key_text(call.signer_public_key),
        "predecessor_id": call.predecessor_id,
        "refund_to": call.refund_to,
        "promise_results": [None if one is None else base64_text(one) for one in call.promise_results],
        "accounts": {name: str(balance) for name, balance in asked.surroundings.accounts or ()},
        "contracts": contracts_json(asked),
        "made": {name: str(balance) for name, balance in start.made},
        "entry": "receipt" if call.signing_key is None else "transaction",
        "entry_id": base58.encode(execution.entry_id),
        **block_values(start.world, execution.transitions[0].block),
    }
    defaulted = sorted(name for name in values if asked.given.get(name) is False)
    return {**values, "defaults": defaulted}


def contracts_json(asked: Asked) -> dict[str, str]:
    """The contracts that a line adds: account -> hash of the code."""
    return {name: base58.encode(sha256(code)) for name, code in asked.surroundings.contracts or ()}


def block_values(world: World, block: BlockContext) -> dict[str, Any]:
    """Chain and first block, as far as they can influence a result."""
    return {
        "protocol_version": world.config.protocol_version,
        "chain_id": world.chain.chain_id,
        "validators": {name: str(stake) for name, stake in world.chain.validators},
        "minimum_stake": None if world.chain.minimum_stake is None else str(world.chain.minimum_stake),
        "shard_id": SHARD_ID,
        "block_height": block.height,
        "block_timestamp": block.timestamp,
        "epoch_height": block.epoch_height,
        "gas_price": str(block.gas_price),
        "gas_limit": block.gas_limit,
        "proof_size_limit": block.proof_size_limit,
        "random_seed": base58.encode(block.random_seed),
    }
