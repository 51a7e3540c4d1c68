"""A contract that failed, put into the words of an error: what, where, and what to try.

This is a result and not an obstacle, so it comes with everything else that the run found out.
"""

from collections.abc import Mapping
from typing import Any

from near_tee_cli.cli.call import Call
from near_tee_cli.cli.failures import failure_text
from near_tee_cli.cli.units import shown_gas
from near_tee_cli.params.store import config_at
from near_tee_cli.vm.limits import check
from near_tee_cli.vm.prepared import PrepareError

CODE = "contract-failed"
MAX_NAMES = 3
EXPORTED_FUNCTION = 0


def error_of(result: Mapping[str, Any], call: Call) -> dict[str, Any]:
    """The `error` member beside the `result` of a failed run."""
    text = failure_text(result["failure"])
    version = result["call"]["protocol_version"]
    return error_members(text, call, protocol_version=version)


def error_members(text: str, call: Call, *, protocol_version: int) -> dict[str, Any]:
    """The `error` member for a call that failed with `text`."""
    hint = None
    if text.endswith("MethodNotFound"):
        text = f"MethodNotFound: the contract has no method {call.method_name}"
        hint = _names_hint(call, protocol_version=protocol_version)
    elif text == "Exceeded the prepaid gas.":
        hint = f"{shown_gas(call.gas)} were attached; --gas attaches more, -v shows where they went"
    elif "InvalidSignerId" in text or "SignerDoesNotExist" in text:
        hint = f"--account {call.signer_id}='10 NEAR' makes the signer's account, with its key"
    elif "AccessKeyNotFound" in text:
        hint = "`near-tee state set --add-key ACCOUNT=KEY` gives it a key; without --as-transaction it needs none"
    return {"code": CODE, "message": text, "hint": hint, "where": f"{call.contract_id}.{call.method_name}"}


def method_names(code: bytes, *, protocol_version: int) -> list[str]:
    """The names of the functions that a contract exports, none when it cannot be read."""
    module = check(code, config_at(protocol_version).vm, validate=lambda _: True)
    if isinstance(module, PrepareError):
        return []
    names = [export.name for export in module.exports if export.kind == EXPORTED_FUNCTION]
    return sorted(name.decode("utf-8", "replace") for name in names)


def _names_hint(call: Call, *, protocol_version: int) -> str | None:
    from difflib import get_close_matches

    names = method_names(call.code, protocol_version=protocol_version)
    if not names:
        return "the contract exports no method"
    near = get_close_matches(call.method_name, names, n=MAX_NAMES, cutoff=0.5)
    if near:
        return f"did you mean {' or '.join(near)}?"
    return f"the contract has {len(names)} methods: {', '.join(names[:8])}{' ...' if len(names) > 8 else ''}"
