"""The recorded evidence of `fixtures/attestation`, case by case, and policies that take it."""

import json
import pathlib
import tomllib
from functools import cache

from near_tee_cli.attest.platform_policy import PlatformPolicy, parse_platform_policy
from near_tee_cli.attest.report_data import MpcKeys
from near_tee_cli.primitives.keys import public_key_from_text

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "fixtures" / "attestation"
MPC = "tdx-near-mpc-full-chain"
REPORT = "tdx-dstack-quote-report"
LITE = "tdx-dstack-lite-stripped-digests"
UP_TO_DATE = "tdx-uptodate"
SGX = "sgx-config-sw-hardening"
OUTDATED = "tdx-v5-no-matching-tcb-level"
GAS_TEST = "tdx-dstack-near-gas-test"


@cache
def cases() -> dict[str, dict]:
    """Cases by name."""
    return {case["name"]: case for case in json.loads((FOLDER / "manifest.json").read_bytes())["cases"]}


@cache
def quote_of(name: str) -> bytes:
    case = cases()[name]
    raw = (FOLDER / case["quote"]).read_bytes()
    match case["quote_encoding"]:
        case "raw":
            return raw
        case "hex":
            return bytes.fromhex(raw.decode().strip())
        case "json-byte-array":
            return bytes(json.loads(raw))
        case _:
            return bytes.fromhex(json.loads(raw)["quote"])


@cache
def collateral_of(name: str) -> bytes:
    return (FOLDER / cases()[name]["collateral"]).read_bytes()


@cache
def log_of(name: str) -> bytes:
    found = json.loads((FOLDER / cases()[name]["event_log"]).read_bytes())["event_log"]
    return found.encode() if isinstance(found, str) else json.dumps(found).encode()


@cache
def mpc_compose() -> bytes:
    return (FOLDER / "near-mpc" / "app_compose.json").read_bytes()


def mpc_keys() -> MpcKeys:
    names = ("near_p2p_public_key.pub", "near_account_public_key.pub")
    return MpcKeys(*(public_key_from_text((FOLDER / "near-mpc" / name).read_text().strip()) for name in names))


def mpc_tables() -> dict:
    """Tables of a policy that takes the case `MPC`, with the faults of its compose file accepted by name."""
    case = cases()[MPC]
    return {
        "measurements": [
            {"label": "dev", "mrtd": case["mr_td"], **{f"rtmr{at}": case[f"rtmr{at}"] for at in range(3)}}
        ],
        "app": {
            "compose_hashes": [case["mr_config_id"][2:66]],
            "app_ids": [case["mr_config_id"][2:42]],
            "key_providers": [{"name": "local-sgx"}],
            "require_mr_config_id": True,
            "allowed_post_events": ["mpc-image-digest"],
        },
        "compose": {"accept": ["compose-docker-socket"], "agent_socket_services": ["launcher"]},
        "platform": {"ppids": [case["expect"]["ppid"]]},
        "binding": {"profiles": ["mpc-v1"]},
    }


def policy_of(tables: dict) -> PlatformPolicy:
    return parse_platform_policy(tables)


def production_tables() -> dict:
    return tomllib.loads((FOLDER / "near-mpc" / "production_measurements.toml").read_text())
