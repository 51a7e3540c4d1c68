"""The variables that a program gets."""

from near_tee_cli.worker.outlayer_environment import ChainContext, environment_of
from near_tee_cli.worker.outlayer_events import requests_in
from near_tee_cli.worker.wasi_run import require_runnable
from tests.support.outlayer import NEW, item, log_of


def variables(context, **changes):
    (request,) = requests_in([log_of(item({**NEW, **changes}))])
    found = environment_of(request, context)
    assert list(found) == sorted(found)
    require_runnable(b"", b"", found)
    return dict(found)


def test_what_is_known() -> None:
    context = ChainContext("mainnet", "outlayer.near", 7, "tx", "receipt", "ed25519:k", 9)
    found = variables(context, project_id="a.near/b/c", project_uuid="u", attached_usd="4")
    assert found == {
        "ATTACHED_USD": "4", "NEAR_BLOCK_HEIGHT": "7", "NEAR_BLOCK_TIMESTAMP": "2000000100",
        "NEAR_CONTRACT_ID": "outlayer.near", "NEAR_GAS_BURNT": "9", "NEAR_MAX_EXECUTION_SECONDS": "5",
        "NEAR_MAX_INSTRUCTIONS": "1000", "NEAR_MAX_MEMORY_MB": "1", "NEAR_NETWORK_ID": "mainnet",
        "NEAR_PAYMENT_YOCTO": "100000000000000000000000", "NEAR_PREDECESSOR_ID": "app.near",
        "NEAR_RECEIPT_ID": "receipt", "NEAR_REQUEST_ID": "0", "NEAR_SENDER_ID": "user.near",
        "NEAR_SIGNER_PUBLIC_KEY": "ed25519:k", "NEAR_TRANSACTION_HASH": "tx", "NEAR_USER_ACCOUNT_ID": "user.near",
        "OUTLAYER_CALL_ID": "", "OUTLAYER_EXECUTION_TYPE": "NEAR", "OUTLAYER_PROJECT_ID": "a.near/b/c",
        "OUTLAYER_PROJECT_NAME": "b/c", "OUTLAYER_PROJECT_OWNER": "a.near", "OUTLAYER_PROJECT_UUID": "u",
        "USD_PAYMENT": "0",
    }  # fmt: skip


def test_what_is_not_known_is_not_said() -> None:
    found = variables(ChainContext("sandbox", "outlayer.near"), project_id="plain", predecessor_id=None)
    assert found["NEAR_NETWORK_ID"] == "testnet"
    for name in ("NEAR_BLOCK_HEIGHT", "NEAR_GAS_BURNT", "NEAR_PREDECESSOR_ID", "OUTLAYER_PROJECT_OWNER"):
        assert name not in found
    assert found["OUTLAYER_PROJECT_ID"] == "plain"
