"""Actions in the plain JSON of genesis files, both ways and without loss.

Mirrors nearcore: core/primitives/src/action/mod.rs, core/primitives/src/action/delegate.rs
"""

from collections.abc import Callable
from typing import Any

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives import keys
from near_tee_cli.primitives.canonical_json import array, base64, base64_text, integer, members, shown, string
from near_tee_cli.primitives.integers import U16_MAX
from near_tee_cli.primitives.schema import action as actions_
from near_tee_cli.primitives.schema.account_json import (
    access_key_json,
    identifier_json,
    read_access_key,
    read_identifier,
    read_state_init,
    state_init_data_json,
    tagged,
)
from near_tee_cli.primitives.schema.action import Action, DelegateAction, DeployMode
from near_tee_cli.primitives.schema.json_scalars import (
    read_account_id,
    read_balance,
    read_public_key,
    read_signature,
)

_DEPLOY_MODES = ("CodeHash", "AccountId")
_DELEGATE_FIELDS = ("sender_id", "receiver_id", "actions", "nonce", "max_block_height", "public_key")


def read_action(value: object) -> Action:
    """An action: an object with one member, named after it."""
    name, content = tagged(value, "action")
    reader = _ACTION_READERS.get(name)
    if reader is None:
        raise BadInputError(f"unknown action {shown(name)}", code="bad-field", where="action")
    return reader(content)


def _read_create_account(value: object) -> Action:
    members(value, "CreateAccount", required=())
    return actions_.CreateAccount()


def _read_deploy_contract(value: object) -> Action:
    fields = members(value, "DeployContract", required=("code",))
    return actions_.DeployContract(base64(fields["code"], "code"))


def _read_function_call(value: object) -> Action:
    fields = members(value, "FunctionCall", required=("method_name", "args", "gas", "deposit"))
    method_name = string(fields["method_name"], "method_name")
    args = base64(fields["args"], "args")
    deposit = read_balance(fields["deposit"], "deposit")
    return actions_.FunctionCall(method_name, args, integer(fields["gas"], "gas"), deposit)


def _read_transfer(value: object) -> Action:
    fields = members(value, "Transfer", required=("deposit",))
    return actions_.Transfer(read_balance(fields["deposit"], "deposit"))


def _read_stake(value: object) -> Action:
    fields = members(value, "Stake", required=("stake", "public_key"))
    return actions_.Stake(read_balance(fields["stake"], "stake"), read_public_key(fields["public_key"], "public_key"))


def _read_add_key(value: object) -> Action:
    fields = members(value, "AddKey", required=("public_key", "access_key"))
    public_key = read_public_key(fields["public_key"], "public_key")
    return actions_.AddKey(public_key, read_access_key(fields["access_key"]))


def _read_delete_key(value: object) -> Action:
    fields = members(value, "DeleteKey", required=("public_key",))
    return actions_.DeleteKey(read_public_key(fields["public_key"], "public_key"))


def _read_delete_account(value: object) -> Action:
    fields = members(value, "DeleteAccount", required=("beneficiary_id",))
    return actions_.DeleteAccount(read_account_id(fields["beneficiary_id"], "beneficiary_id"))


def _read_deploy_global_contract(value: object) -> Action:
    fields = members(value, "DeployGlobalContract", required=("code", "deploy_mode"))
    mode = fields["deploy_mode"]
    if mode not in _DEPLOY_MODES:
        raise BadInputError(f"deploy_mode is {shown(mode)}", code="bad-field", where="deploy_mode")
    deploy_mode = DeployMode.CODE_HASH if mode == _DEPLOY_MODES[0] else DeployMode.ACCOUNT_ID
    return actions_.DeployGlobalContract(base64(fields["code"], "code"), deploy_mode)


def _read_use_global_contract(value: object) -> Action:
    fields = members(value, "UseGlobalContract", required=("contract_identifier",))
    return actions_.UseGlobalContract(read_identifier(fields["contract_identifier"], "contract_identifier"))


def _read_deterministic_state_init(value: object) -> Action:
    fields = members(value, "DeterministicStateInit", required=("state_init", "deposit"))
    init = read_state_init(fields["state_init"])
    return actions_.DeterministicStateInit(init, read_balance(fields["deposit"], "deposit"))


def _read_transfer_to_gas_key(value: object) -> Action:
    fields = members(value, "TransferToGasKey", required=("public_key", "deposit"))
    public_key = read_public_key(fields["public_key"], "public_key")
    return actions_.TransferToGasKey(public_key, read_balance(fields["deposit"], "deposit"))


def _read_withdraw_from_gas_key(value: object) -> Action:
    fields = members(value, "WithdrawFromGasKey", required=("public_key", "amount"))
    public_key = read_public_key(fields["public_key"], "public_key")
    return actions_.WithdrawFromGasKey(public_key, read_balance(fields["amount"], "amount"))


def _read_delegate_action(value: object, *, second: bool) -> DelegateAction:
    fields = members(value, "delegate_action", required=_DELEGATE_FIELDS)
    inner = tuple(read_action(item) for item in array(fields["actions"], "actions"))
    if any(map(actions_.is_delegate, inner)):
        raise BadInputError("a delegate action inside a delegate action", code="bad-field", where="actions")
    nonce_index = None
    if second:
        kind, content = tagged(fields["nonce"], "nonce")
        if kind not in ("Nonce", "GasKeyNonce"):
            raise BadInputError(f"unknown kind of nonce {shown(kind)}", code="bad-field", where="nonce")
        names = ("nonce",) if kind == "Nonce" else ("nonce", "nonce_index")
        parts = members(content, "nonce", required=names)
        nonce = integer(parts["nonce"], "nonce")
        if kind == "GasKeyNonce":
            nonce_index = integer(parts["nonce_index"], "nonce_index", bound=U16_MAX)
    else:
        nonce = integer(fields["nonce"], "nonce")
    return DelegateAction(
        read_account_id(fields["sender_id"], "sender_id"),
        read_account_id(fields["receiver_id"], "receiver_id"),
        inner,
        nonce,
        nonce_index,
        integer(fields["max_block_height"], "max_block_height"),
        read_public_key(fields["public_key"], "public_key"),
    )


def _read_delegate(value: object) -> Action:
    fields = members(value, "Delegate", required=("delegate_action", "signature"))
    delegate = _read_delegate_action(fields["delegate_action"], second=False)
    return actions_.Delegate(delegate, read_signature(fields["signature"], "signature"))


def _read_delegate_v2(value: object) -> Action:
    fields = members(value, "DelegateV2", required=("delegate_action", "signature"))
    version, content = tagged(fields["delegate_action"], "delegate_action")
    if version != "V2":
        raise BadInputError(f"unknown version {shown(version)}", code="bad-field", where="delegate_action")
    delegate = _read_delegate_action(content, second=True)
    return actions_.DelegateV2(delegate, read_signature(fields["signature"], "signature"))


_ACTION_READERS: dict[str, Callable[[object], Action]] = {
    "CreateAccount": _read_create_account,
    "DeployContract": _read_deploy_contract,
    "FunctionCall": _read_function_call,
    "Transfer": _read_transfer,
    "Stake": _read_stake,
    "AddKey": _read_add_key,
    "DeleteKey": _read_delete_key,
    "DeleteAccount": _read_delete_account,
    "Delegate": _read_delegate,
    "DeployGlobalContract": _read_deploy_global_contract,
    "UseGlobalContract": _read_use_global_contract,
    "DeterministicStateInit": _read_deterministic_state_init,
    "TransferToGasKey": _read_transfer_to_gas_key,
    "WithdrawFromGasKey": _read_withdraw_from_gas_key,
    "DelegateV2": _read_delegate_v2,
}


def action_json(action: Action) -> dict[str, Any]:
    """An action in the plain form."""
    return {type(action).__name__: _WRITERS[type(action)](action)}


def delegate_action_json(delegate: DelegateAction, *, second: bool) -> dict[str, Any]:
    """A delegate action; `second` is the form inside `DelegateV2`."""
    nonce: Any = delegate.nonce
    if second and delegate.nonce_index is None:
        nonce = {"Nonce": {"nonce": nonce}}
    elif second:
        nonce = {"GasKeyNonce": {"nonce": nonce, "nonce_index": delegate.nonce_index}}
    fields = {
        "sender_id": delegate.sender_id,
        "receiver_id": delegate.receiver_id,
        "actions": [action_json(action) for action in delegate.actions],
        "nonce": nonce,
        "max_block_height": delegate.max_block_height,
        "public_key": keys.public_key_text(delegate.public_key),
    }
    return {"V2": fields} if second else fields


def signed_delegate_json(action: actions_.Delegate | actions_.DelegateV2) -> dict[str, Any]:
    """A signed delegate action."""
    second = isinstance(action, actions_.DelegateV2)
    return {
        "delegate_action": delegate_action_json(action.delegate_action, second=second),
        "signature": keys.signature_text(action.signature),
    }


def function_call_json(action: actions_.FunctionCall) -> dict[str, Any]:
    """A function call, which plain form and views write alike."""
    return {
        "method_name": action.method_name,
        "args": base64_text(action.args),
        "gas": action.gas,
        "deposit": str(action.deposit),
    }


def _key_and(name: str) -> Callable[[Any], dict[str, Any]]:
    def write(action: Any) -> dict[str, Any]:
        return {"public_key": keys.public_key_text(action.public_key), name: str(getattr(action, name))}

    return write


stake_json = _key_and("stake")
"""A stake action, written alike everywhere."""
transfer_to_gas_key_json = _key_and("deposit")
"""A transfer to a gas key, written alike everywhere."""
withdraw_from_gas_key_json = _key_and("amount")
"""A withdrawal from a gas key, written alike everywhere."""

_WRITERS: dict[type[Any], Callable[[Any], dict[str, Any]]] = {
    actions_.CreateAccount: lambda _: {},
    actions_.DeployContract: lambda action: {"code": base64_text(action.code)},
    actions_.FunctionCall: function_call_json,
    actions_.Transfer: lambda action: {"deposit": str(action.deposit)},
    actions_.Stake: stake_json,
    actions_.AddKey: lambda action: {
        "public_key": keys.public_key_text(action.public_key),
        "access_key": access_key_json(action.access_key),
    },
    actions_.DeleteKey: lambda action: {"public_key": keys.public_key_text(action.public_key)},
    actions_.DeleteAccount: lambda action: {"beneficiary_id": action.beneficiary_id},
    actions_.Delegate: signed_delegate_json,
    actions_.DeployGlobalContract: lambda action: {
        "code": base64_text(action.code),
        "deploy_mode": _DEPLOY_MODES[action.deploy_mode],
    },
    actions_.UseGlobalContract: lambda action: {"contract_identifier": identifier_json(action.contract_identifier)},
    actions_.DeterministicStateInit: lambda action: {
        "state_init": {
            "V1": {
                "code": identifier_json(action.state_init.code),
                "data": state_init_data_json(action.state_init),
            }
        },
        "deposit": str(action.deposit),
    },
    actions_.TransferToGasKey: transfer_to_gas_key_json,
    actions_.WithdrawFromGasKey: withdraw_from_gas_key_json,
    actions_.DelegateV2: signed_delegate_json,
}
