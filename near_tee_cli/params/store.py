"""The configuration at a protocol version: a base and one file of differences per later version.

A difference names the value it replaces, and loading refuses one that does not meet that value.

Mirrors nearcore: core/parameters/src/config_store.rs
"""

import hashlib
import json
import os
from functools import cache
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
            found, expected = result.get(name), change["old"]
            raise NearTeeError(f"parameter {name} is {found!r}, not {expected!r} as the difference says")
        result[name] = change["new"]
    return result


@cache
def parameters_at(protocol_version: int) -> dict[str, Any]:
    """All parameters at `protocol_version` under nearcore's names, as plain JSON values.

    Raises `UnsupportedError` for a version outside the implemented range.
    """
    require_supported(protocol_version)
    first, *later = SUPPORTED_VERSIONS
    result: dict[str, Any] = _file(first)
    for version in later:
        if version <= protocol_version:
            result = merged(result, _file(version))
    return result


def _file(version: int) -> dict[str, Any]:
    """A file of the package; opened directly, because `importlib.resources` costs more than everything else here."""
    with open(os.path.join(os.path.dirname(__file__), "data", f"{version}.json"), "rb") as file:
        content: dict[str, Any] = json.load(file)
    return content


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


def _plain(group: type[VMConfig | RuntimeConfig], parameters: dict[str, Any]) -> dict[str, Any]:
    values = {}
    for name in group._fields:
        if name in ("ext_costs", "fees", "vm", "digest", "protocol_version"):
            continue
        value = parameters.get(name)
        if name in _BALANCES:
            value = int(parameters[name])
        elif isinstance(value, dict):
            value = (value["numerator"], value["denominator"]) if "numerator" in value else _cost(value)
        values[name] = value
    return values


def _cost(value: dict[str, int]) -> Cost:
    return Cost(value["gas"], value["compute"])


def _fee(value: dict[str, dict[str, int]]) -> Fee:
    return Fee(_cost(value["send_sir"]), _cost(value["send_not_sir"]), _cost(value["execution"]))
