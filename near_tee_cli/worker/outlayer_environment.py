"""The variables that OutLayer's runner gives a program, so far as they follow from the chain.

The runner gives them in no order; here they are sorted by name, so that everybody gives the same ones.

Follows near-outlayer: worker/src/main.rs (merge_env_vars), worker/src/event_monitor.rs
"""

from typing import NamedTuple

from near_tee_cli.worker.outlayer_events import Request
from near_tee_cli.worker.wasi_run import Environment


class ChainContext(NamedTuple):
    """Where the request was made. What is `None` is not known, and then no variable says it."""

    network: str
    """Chain id; what is not `mainnet` is `testnet` to programs."""
    contract_id: str
    block_height: int | None = None
    transaction_hash: str | None = None
    receipt_id: str | None = None
    signer_public_key: str | None = None
    gas_burnt: int | None = None


def environment_of(request: Request, context: ChainContext) -> Environment:
    """The variables of a program that answers `request`, sorted by name."""
    known: dict[str, object] = {
        "ATTACHED_USD": request.attached_usd,
        "NEAR_BLOCK_HEIGHT": context.block_height,
        "NEAR_BLOCK_TIMESTAMP": request.timestamp,
        "NEAR_CONTRACT_ID": context.contract_id,
        "NEAR_GAS_BURNT": context.gas_burnt,
        "NEAR_MAX_EXECUTION_SECONDS": request.limits.max_execution_seconds,
        "NEAR_MAX_INSTRUCTIONS": request.limits.max_instructions,
        "NEAR_MAX_MEMORY_MB": request.limits.max_memory_mb,
        "NEAR_NETWORK_ID": "mainnet" if context.network == "mainnet" else "testnet",
        "NEAR_PAYMENT_YOCTO": request.payment,
        "NEAR_PREDECESSOR_ID": request.predecessor_id,
        "NEAR_RECEIPT_ID": context.receipt_id,
        "NEAR_REQUEST_ID": request.request_id,
        "NEAR_SENDER_ID": request.sender_id,
        "NEAR_SIGNER_PUBLIC_KEY": context.signer_public_key,
        "NEAR_TRANSACTION_HASH": context.transaction_hash,
        "NEAR_USER_ACCOUNT_ID": request.sender_id,
        "OUTLAYER_CALL_ID": "",
        "OUTLAYER_EXECUTION_TYPE": "NEAR",
        "OUTLAYER_PROJECT_ID": request.project_id,
        "OUTLAYER_PROJECT_UUID": request.project_uuid,
        "USD_PAYMENT": "0",
    }
    owner, slash, name = (request.project_id or "").partition("/")
    if slash:
        known |= {"OUTLAYER_PROJECT_OWNER": owner, "OUTLAYER_PROJECT_NAME": name}
    return tuple(sorted((name, str(value)) for name, value in known.items() if value is not None))
