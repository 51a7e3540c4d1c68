"""A read-only call: run on a state, changing nothing of it."""

from typing import Any

from near_tee_cli.cli import exit_codes, render_run
from near_tee_cli.cli.call import Asked
from near_tee_cli.cli.contract_failure import error_members
from near_tee_cli.cli.events import event_json, events_of
from near_tee_cli.cli.gas_parts import profile_parts
from near_tee_cli.cli.machine import Prepared
from near_tee_cli.cli.report import Report
from near_tee_cli.cli.results import contracts_json, value_json
from near_tee_cli.cli.start import start
from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives import base58
from near_tee_cli.primitives.canonical_json import base64_text
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.runtime.views import View
from near_tee_cli.vm.outcome import VMOutcome, error_text, function_call_error_json


def view_report(asked: Asked, prepared: Prepared) -> Report:
    """Run the call of a line with `--view`. Raises what stops it; a contract's failure is in the report."""
    call = asked.call
    begin = start(asked)
    view = View(call.contract_id, call.method_name, call.args)
    outcome = begin.world.view(view, block=begin.block, machine=prepared.machine)
    if outcome is None:
        raise BadInputError(f"there is no account {call.contract_id}", code="unknown-account")
    failure = None if outcome.aborted is None else error_text(outcome.aborted)
    value = outcome.return_data if isinstance(outcome.return_data, bytes) else b""
    block = begin.block
    result: dict[str, Any] = {
        "status": "success" if failure is None else "failure",
        "failure": None
        if outcome.aborted is None
        else {"FunctionCallError": function_call_error_json(outcome.aborted)},
        "return_value": value_json(value) if failure is None else None,
        "logs": [{"id": None, "executor_id": call.contract_id, "log": log} for log in outcome.logs],
        "events": [
            {"id": None, "executor_id": call.contract_id, **event_json(event)} for event in events_of(outcome.logs)
        ],
        "gas": _gas(outcome),
        "state_root": base58.encode(begin.world.root),
        "call": {
            "contract_id": call.contract_id,
            "code_hash": base58.encode(sha256(call.code)),
            "method_name": call.method_name,
            "args": base64_text(call.args),
            "accounts": {name: str(balance) for name, balance in asked.surroundings.accounts or ()},
            "contracts": contracts_json(asked),
            "made": {name: str(balance) for name, balance in begin.made},
            "entry": "view",
            "protocol_version": begin.world.config.protocol_version,
            "chain_id": begin.world.chain.chain_id,
            "block_height": block.height,
            "block_timestamp": block.timestamp,
            "epoch_height": block.epoch_height,
        },
    }
    error = None
    if failure is not None:
        error = error_members(failure, call, protocol_version=begin.world.config.protocol_version)
    return Report(
        exit_code=exit_codes.OK if failure is None else exit_codes.CONTRACT_FAILED,
        result=result,
        lines=lambda audience: render_run.view_lines(result, audience),
        warnings=(*prepared.warnings, *begin.notes),
        engine=prepared.engine,
        error=error,
    )


def _gas(outcome: VMOutcome) -> dict[str, Any]:
    """A view attaches nothing and has no receipt: all of its gas is in the profile."""
    parts = [part._asdict() for part in profile_parts(outcome.profile)]
    return {"attached": None, "burnt": outcome.burnt_gas, "used": outcome.burnt_gas, "parts": parts}
