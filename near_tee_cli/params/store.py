"""The configuration at a protocol version: a base and one file of differences per later version.

A difference names the value it replaces, and loading refuses one that does not meet that value.

Mirrors nearcore: core/parameters/src/config_store.rs
"""

import hashlib
import json
from dataclasses import fields
from functools import cache
from importlib.resources import files
from typing import Any

from near_tee_cli.errors import NearTeeError
from near_tee_cli.params.config import RuntimeConfig, VMConfig
from near_tee_cli.params.costs import ACTION_PARAMETERS, ActionCost, Cost, ExtCost, Fee
from near_tee_cli.params.features import SUPPORTED_VERSIONS, require_supported

_BALANCES = frozenset(
    {
        "account_creation_charge",
        "global_contract_storage_amount_per_byte",
        "min_gas_purchase_price",
        "storage_amount_per_byte",
    }
)


def merged(base: dict[str, Any], difference: dict[str, Any]) -> dict[str, Any]:
    """`base` with every `{"old", "new"}` entry of `difference` applied.

    Raises `NearTeeError` when an `old` value is not the one that stands there.
    """
    result = dict(base)
    for name, change in difference.items():
        if result.get(name) != change["old"]:
            raise NearTeeError(f"parameter {name} is {result.get(name)!r}, not {change['old']!r} as the difference says")
        result[name] = change["new"]
    return result


@cache
def parameters_at(protocol_version: int) -> dict[str, Any]:
    """All parameters at `protocol_version` under nearcore's names, as plain JSON values.

    Raises `UnsupportedError` for a version outside the implemented range.
    """
    require_supported(protocol_version)
    data = files("near_tee_cli.params") / "data"
    first, *later = SUPPORTED_VERSIONS
    result: dict[str, Any] = json.loads((data / f"{first}.json").read_text())
    for version in later:
        if version <= protocol_version:
            result = merged(result, json.loads((data / f"{version}.json").read_text()))
    return result


@cache
def config_at(protocol_version: int) -> RuntimeConfig:
    """The typed configuration at `protocol_version`. Raises `UnsupportedError` for an unknown one."""
    return config_from(parameters_at(protocol_version), protocol_version)


def config_from(parameters: dict[str, Any], protocol_version: int) -> RuntimeConfig:
    """A configuration from plain parameter values; tests use it to bend single ones."""
    ext_costs = tuple(_cost(parameters[f"wasm_{cost.name.lower()}"]) for cost in ExtCost)
    fees = tuple(_fee(parameters[ACTION_PARAMETERS[cost]]) for cost in ActionCost)
    vm = VMConfig(ext_costs=ext_costs, **_plain(VMConfig, parameters))
    digest = hashlib.sha256(json.dumps(parameters, sort_keys=True, separators=(",", ":")).encode()).digest()
    return RuntimeConfig(
        protocol_version=protocol_version, digest=digest, vm=vm, fees=fees, **_plain(RuntimeConfig, parameters)
    )


def _plain(group: type, parameters: dict[str, Any]) -> dict[str, Any]:
    values = {}
    for field in fields(group):
        if field.name in ("ext_costs", "fees", "vm", "digest", "protocol_version"):
            continue
        value = parameters.get(field.name)
        if field.name in _BALANCES:
            value = int(parameters[field.name])
        elif isinstance(value, dict):
            value = (value["numerator"], value["denominator"]) if "numerator" in value else _cost(value)
        values[field.name] = value
    return values


def _cost(value: dict[str, int]) -> Cost:
    return Cost(value["gas"], value["compute"])


def _fee(value: dict[str, dict[str, int]]) -> Fee:
    return Fee(_cost(value["send_sir"]), _cost(value["send_not_sir"]), _cost(value["execution"]))
