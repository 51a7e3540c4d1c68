"""What RPC shows: accounts, keys, actions, transactions, receipts and outcomes as JSON.

A view is for reading: it shows code by its hash and merges variants, so nothing is rebuilt from one. The gas profile
needs the names of costs and is written by the runtime.

Mirrors nearcore: core/primitives/src/views.rs
"""

from collections.abc import Callable
from typing import Any

from near_tee_cli.primitives import keys
from near_tee_cli.primitives.canonical_json import base64_text
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema import action as actions_
from near_tee_cli.primitives.schema.access_key import AccessKey
from near_tee_cli.primitives.schema.account import (
    Account,
    AccountContract,
    GlobalContract,
    LocalContract,
)
from near_tee_cli.primitives.schema.account_json import (
    access_key_json,
    account_json,
    function_call_permission_json,
    gas_key_info_json,
    identifier_json,
    state_init_data_json,
)
from near_tee_cli.primitives.schema.action import Action, DeployMode
from near_tee_cli.primitives.schema.action_json import (
    function_call_json,
    signed_delegate_json,
    stake_json,
    transfer_to_gas_key_json,
    withdraw_from_gas_key_json,
)
from near_tee_cli.primitives.schema.json_scalars import hash_text
from near_tee_cli.primitives.schema.outcome import Failure, Status, SuccessReceiptId, SuccessValue
from near_tee_cli.primitives.schema.receipt import (
    PROMISE_RESUME,
    YIELD_TAGS,
    ActionReceipt,
    Body,
    DataReceipt,
    Receipt,
)
from near_tee_cli.primitives.schema.receipt_json import data_receivers_json
from near_tee_cli.primitives.schema.transaction import SignedTransaction


def account_view(account: Account) -> dict[str, Any]:
    """An account as `view_account` shows it."""
    result = account_json(account)
    del result["version"]
    result["storage_paid_at"] = 0
    return result


def access_key_view(key: AccessKey) -> dict[str, Any]:
    """An access key as `view_access_key` shows it."""
    if key.function_call is None or key.gas_key is None:
        return access_key_json(key)
    merged = {**gas_key_info_json(key.gas_key), **function_call_permission_json(key.function_call)}
    return {"nonce": key.nonce, "permission": {"GasKeyFunctionCall": merged}}


def contract_view(contract: AccountContract) -> dict[str, str] | None:
    """Which contract an account runs, `None` without one."""
    if contract is None:
        return None
    if isinstance(contract, LocalContract):
        return {"local": hash_text(contract.code_hash)}
    if isinstance(contract, GlobalContract):
        return {"global_hash": hash_text(contract.code_hash)}
    return {"global_account_id": contract.account_id}


def action_view(action: Action) -> str | dict[str, Any]:
    """An action; code appears as base64 of its hash."""
    if isinstance(action, actions_.CreateAccount):
        return "CreateAccount"
    name, content = _ACTION_VIEWS[type(action)](action)
    return {name: content}


def transaction_view(signed: SignedTransaction) -> dict[str, Any]:
    """A signed transaction with its hash."""
    transaction = signed.transaction
    result: dict[str, Any] = {
        "signer_id": transaction.signer_id,
        "public_key": keys.public_key_text(transaction.public_key),
        "nonce": transaction.nonce,
        "receiver_id": transaction.receiver_id,
        "actions": [action_view(action) for action in transaction.actions],
        "priority_fee": 0,
        "signature": keys.signature_text(signed.signature),
        "hash": hash_text(signed.hash),
    }
    if transaction.nonce_index is not None:
        result["nonce_index"] = transaction.nonce_index
    if transaction.strict_nonce:
        result["nonce_mode"] = "strict"
    return result


def receipt_view(receipt: Receipt) -> dict[str, Any]:
    """A receipt; both versions of a body look alike."""
    return {
        "predecessor_id": receipt.predecessor_id,
        "receiver_id": receipt.receiver_id,
        "receipt_id": hash_text(receipt.receipt_id),
        "receipt": _body_view(receipt.body),
        "priority": 0,
    }


def status_view(status: Status) -> dict[str, Any]:
    """How an execution ended."""
    if isinstance(status, SuccessValue):
        return {"SuccessValue": base64_text(status.value)}
    if isinstance(status, SuccessReceiptId):
        return {"SuccessReceiptId": hash_text(status.receipt_id)}
    return {"Failure": _failure(status)}


def _failure(status: Failure) -> dict[str, Any]:
    return status.error


def _body_view(body: Body) -> dict[str, Any]:
    if isinstance(body, DataReceipt):
        data = None if body.data is None else base64_text(body.data)
        resume = body.tag == PROMISE_RESUME
        return {"Data": {"data_id": hash_text(body.data_id), "data": data, "is_promise_resume": resume}}
    if isinstance(body, ActionReceipt):
        result: dict[str, Any] = {
            "signer_id": body.signer_id,
            "signer_public_key": keys.public_key_text(body.signer_public_key),
            "gas_price": str(body.gas_price),
            "output_data_receivers": data_receivers_json(body.output_data_receivers),
            "input_data_ids": [hash_text(data_id) for data_id in body.input_data_ids],
            "actions": [action_view(action) for action in body.actions],
            "is_promise_yield": body.tag in YIELD_TAGS,
        }
        if body.refund_to is not None:
            result["refund_to"] = body.refund_to
        return {"Action": result}
    fields: dict[str, Any] = {
        "id": identifier_json(body.id),
        "target_shard": body.target_shard,
        "already_delivered_shards": list(body.already_delivered_shards),
        "code": base64_text(sha256(body.code)),
    }
    if body.nonce is not None:
        fields["nonce"] = body.nonce
    return {"GlobalContractDistribution": fields}


def _code_hash(code: bytes) -> str:
    return base64_text(sha256(code))


def _deploy_global(action: actions_.DeployGlobalContract) -> tuple[str, dict[str, Any]]:
    by_account = action.deploy_mode == DeployMode.ACCOUNT_ID
    name = "DeployGlobalContractByAccountId" if by_account else "DeployGlobalContract"
    return name, {"code": _code_hash(action.code)}


def _use_global(action: actions_.UseGlobalContract) -> tuple[str, dict[str, Any]]:
    identifier = action.contract_identifier
    if isinstance(identifier, GlobalContract):
        return "UseGlobalContract", {"code_hash": hash_text(identifier.code_hash)}
    return "UseGlobalContractByAccountId", {"account_id": identifier.account_id}


def _add_key(action: actions_.AddKey) -> tuple[str, dict[str, Any]]:
    public_key = keys.public_key_text(action.public_key)
    return "AddKey", {"public_key": public_key, "access_key": access_key_view(action.access_key)}


def _state_init(action: actions_.DeterministicStateInit) -> tuple[str, dict[str, Any]]:
    init = action.state_init
    data = state_init_data_json(init)
    fields = {"code": identifier_json(init.code), "data": data, "deposit": str(action.deposit)}
    return "DeterministicStateInit", fields


_ACTION_VIEWS: dict[type[Any], Callable[[Any], tuple[str, dict[str, Any]]]] = {
    actions_.DeployContract: lambda action: ("DeployContract", {"code": _code_hash(action.code)}),
    actions_.FunctionCall: lambda action: ("FunctionCall", function_call_json(action)),
    actions_.Transfer: lambda action: ("Transfer", {"deposit": str(action.deposit)}),
    actions_.Stake: lambda action: ("Stake", stake_json(action)),
    actions_.AddKey: _add_key,
    actions_.DeleteKey: lambda action: ("DeleteKey", {"public_key": keys.public_key_text(action.public_key)}),
    actions_.DeleteAccount: lambda action: ("DeleteAccount", {"beneficiary_id": action.beneficiary_id}),
    actions_.Delegate: lambda action: ("Delegate", signed_delegate_json(action)),
    actions_.DeployGlobalContract: _deploy_global,
    actions_.UseGlobalContract: _use_global,
    actions_.DeterministicStateInit: _state_init,
    actions_.TransferToGasKey: lambda action: ("TransferToGasKey", transfer_to_gas_key_json(action)),
    actions_.WithdrawFromGasKey: lambda action: ("WithdrawFromGasKey", withdraw_from_gas_key_json(action)),
    actions_.DelegateV2: lambda action: ("DelegateV2", signed_delegate_json(action)),
}
