"""What may stand in a transaction or receipt, whatever the state says.

The first rule that fails wins, so the order below is part of the protocol. Results are nearcore's errors in their
JSON form, `None` when all is well.

Mirrors nearcore: runtime/runtime/src/action_validation.rs, runtime/runtime/src/verifier.rs
"""

from collections.abc import Callable, Sequence
from typing import Any

from near_tee_cli.params.config import RuntimeConfig
from near_tee_cli.params.features import Feature
from near_tee_cli.primitives import account_id as account_ids
from near_tee_cli.primitives.integers import U64_MAX
from near_tee_cli.primitives.keys import ML_DSA_65, is_valid_staking_key, public_key_text, verify
from near_tee_cli.primitives.schema import action as actions_
from near_tee_cli.primitives.schema.access_key import MAX_NONCES_FOR_GAS_KEY, AccessKey
from near_tee_cli.primitives.schema.action import Action, Delegate, DelegateV2
from near_tee_cli.primitives.schema.global_contract import deterministic_account_id
from near_tee_cli.primitives.schema.outcome import ErrorKind
from near_tee_cli.primitives.schema.receipt import ActionReceipt, DataReceipt, Receipt, encode_receipt
from near_tee_cli.primitives.schema.transaction import SignedTransaction
from near_tee_cli.runtime.fees import prepaid_gas

_SHOWN_ACCOUNT_ID = 128
"""Bytes of a wrong account id that an error repeats."""


def validate_transaction(config: RuntimeConfig, signed: SignedTransaction) -> ErrorKind | None:
    """Actions, version, size and signature of a transaction: an `InvalidTxError`, or `None`."""
    transaction = signed.transaction
    error = validate_actions(config, transaction.actions, receiver_id=transaction.receiver_id, new=True)
    if error is not None:
        return {"ActionsValidation": error}
    version = config.protocol_version
    if transaction.version == 1 and not Feature.GAS_KEYS.enabled(version):
        return "InvalidTransactionVersion"
    if transaction.strict_nonce and not Feature.STRICT_NONCE.enabled(version):
        return "InvalidTransactionVersion"
    size = signed.size
    if not Feature.POST_QUANTUM_SIGNATURES.enabled(version):
        if transaction.public_key[0] == ML_DSA_65 or signed.signature[0] == ML_DSA_65:
            return "InvalidTransactionVersion"
        size -= len(signed.signature)
    if size > config.max_transaction_size:
        return {"TransactionSizeExceeded": _limit("size", size, limit=config.max_transaction_size)}
    if not verify(transaction.public_key, signed.hash, signed.signature):
        return "InvalidSignature"
    return None


def validate_receipt(config: RuntimeConfig, receipt: Receipt, *, new: bool) -> ErrorKind | None:
    """A `ReceiptValidationError`, or `None`; a `new` receipt meets limits that older ones need not.

    Account ids were checked when they were read, so those rules cannot fail here.
    """
    if new:
        size = len(encode_receipt(receipt))
        if size > config.max_receipt_size:
            return {"ReceiptSizeExceeded": _limit("size", size, limit=config.max_receipt_size)}
    body = receipt.body
    if isinstance(body, ActionReceipt):
        count = len(body.input_data_ids)
        limit = config.vm.max_number_input_data_dependencies
        if count > limit:
            fields = _limit("number_of_input_data_dependencies", count, limit=limit)
            return {"NumberInputDataDependenciesExceeded": fields}
        error = validate_actions(config, body.actions, receiver_id=receipt.receiver_id, new=new)
        return None if error is None else {"ActionsValidation": error}
    if isinstance(body, DataReceipt) and body.data is not None:
        length = len(body.data)
        if length > config.vm.max_length_returned_data:
            fields = _limit("length", length, limit=config.vm.max_length_returned_data)
            return {"ReturnedValueLengthExceeded": fields}
    return None


def validate_actions(
    config: RuntimeConfig, actions: Sequence[Action], *, receiver_id: str, new: bool
) -> ErrorKind | None:
    """An `ActionsValidationError` of a list of actions, or `None`."""
    if len(actions) > config.max_actions_per_receipt:
        fields = _limit("total_number_of_actions", len(actions), limit=config.max_actions_per_receipt)
        return {"TotalNumberOfActionsExceeded": fields}
    if not Feature.POST_QUANTUM_SIGNATURES.enabled(config.protocol_version) and any(map(_is_post_quantum, actions)):
        return _unsupported(config, "PostQuantumSignatures")
    if new:
        deploys = sum(isinstance(a, actions_.DeployContract | actions_.DeployGlobalContract) for a in actions)
        if deploys > config.max_deploy_actions_per_receipt:
            limit = config.max_deploy_actions_per_receipt
            return {"TotalNumberOfDeployActionsExceeded": _limit("number_of_deploy_actions", deploys, limit=limit)}
    delegate_seen = False
    last = len(actions) - 1
    for index, action in enumerate(actions):
        if isinstance(action, actions_.DeleteAccount):
            if index != last:
                return "DeleteActionMustBeFinal"
            continue
        if isinstance(action, Delegate | DelegateV2):
            if delegate_seen:
                return "DelegateActionMustBeOnlyOne"
            delegate_seen = True
            error = _validate_delegate(config, action, receiver_id=receiver_id, new=new)
        else:
            rule = _RULES.get(type(action))
            error = None if rule is None else rule(config, action, receiver_id)
        if error is not None:
            return error
    gas = prepaid_gas(actions)
    if gas > U64_MAX:
        return "IntegerOverflow"
    if gas > config.max_total_prepaid_gas:
        return {"TotalPrepaidGasExceeded": _limit("total_prepaid_gas", gas, limit=config.max_total_prepaid_gas)}
    return None


def _limit(name: str, value: int, *, limit: int) -> dict[str, Any]:
    return {name: value, "limit": limit}


def _unsupported(config: RuntimeConfig, feature: str) -> ErrorKind:
    return {"UnsupportedProtocolFeature": {"protocol_feature": feature, "version": config.protocol_version}}


def _deploy_rule(config: RuntimeConfig, action: Any, _receiver_id: str) -> ErrorKind | None:
    limit = config.vm.max_contract_size
    if len(action.code) > limit:
        return {"ContractSizeExceeded": _limit("size", len(action.code), limit=limit)}
    return None


def _function_call_rule(config: RuntimeConfig, action: actions_.FunctionCall, _receiver_id: str) -> ErrorKind | None:
    if action.gas == 0:
        return "FunctionCallZeroAttachedGas"
    length = len(action.method_name.encode())
    if length > config.max_length_method_name:
        fields = _limit("length", length, limit=config.max_length_method_name)
        return {"FunctionCallMethodNameLengthExceeded": fields}
    if len(action.args) > config.max_arguments_length:
        fields = _limit("length", len(action.args), limit=config.max_arguments_length)
        return {"FunctionCallArgumentsLengthExceeded": fields}
    return None


def _stake_rule(_config: RuntimeConfig, action: actions_.Stake, _receiver_id: str) -> ErrorKind | None:
    if is_valid_staking_key(action.public_key):
        return None
    return {"UnsuitableStakingKey": {"public_key": public_key_text(action.public_key)}}


def _add_key_rule(config: RuntimeConfig, action: actions_.AddKey, _receiver_id: str) -> ErrorKind | None:
    key = action.access_key
    error = _validate_permission(config, key)
    if error is not None or key.gas_key is None:
        return error
    if not Feature.GAS_KEYS.enabled(config.protocol_version):
        return _unsupported(config, "GasKeys")
    if key.function_call is not None and key.function_call.allowance is not None:
        return "GasKeyFunctionCallAllowanceNotAllowed"
    count = key.gas_key.num_nonces
    if not 0 < count <= MAX_NONCES_FOR_GAS_KEY:
        return {"GasKeyInvalidNumNonces": _limit("requested_nonces", count, limit=MAX_NONCES_FOR_GAS_KEY)}
    if key.gas_key.balance != 0:
        return {"AddGasKeyWithNonZeroBalance": {"balance": str(key.gas_key.balance)}}
    return None


def _validate_permission(config: RuntimeConfig, key: AccessKey) -> ErrorKind | None:
    permission = key.function_call
    if permission is None:
        return None
    if not account_ids.is_valid(permission.receiver_id):
        return {"InvalidAccountId": {"account_id": _shortened(permission.receiver_id)}}
    total = 0
    for name in permission.method_names:
        length = len(name.encode())
        if length > config.max_length_method_name:
            fields = _limit("length", length, limit=config.max_length_method_name)
            return {"AddKeyMethodNameLengthExceeded": fields}
        total += length + 1
    if total > config.max_number_bytes_method_names:
        fields = _limit("total_number_of_bytes", total, limit=config.max_number_bytes_method_names)
        return {"AddKeyMethodNamesNumberOfBytesExceeded": fields}
    return None


def _shortened(text: str) -> str:
    """`text` cut to whole characters within the bytes that an error repeats."""
    return text.encode()[:_SHOWN_ACCOUNT_ID].decode(errors="ignore")


def _gas_key_rule(config: RuntimeConfig, _action: Any, _receiver_id: str) -> ErrorKind | None:
    return None if Feature.GAS_KEYS.enabled(config.protocol_version) else _unsupported(config, "GasKeys")


def _state_init_rule(
    config: RuntimeConfig, action: actions_.DeterministicStateInit, receiver_id: str
) -> ErrorKind | None:
    derived_id = deterministic_account_id(action.state_init)
    if derived_id != receiver_id:
        return {"InvalidDeterministicStateInitReceiver": {"receiver_id": receiver_id, "derived_id": derived_id}}
    for key, value in action.state_init.data:
        if len(key) > config.vm.max_length_storage_key:
            fields = _limit("length", len(key), limit=config.vm.max_length_storage_key)
            return {"DeterministicStateInitKeyLengthExceeded": fields}
        if len(value) > config.vm.max_length_storage_value:
            fields = _limit("length", len(value), limit=config.vm.max_length_storage_value)
            return {"DeterministicStateInitValueLengthExceeded": fields}
    return None


def _validate_delegate(
    config: RuntimeConfig, action: Delegate | DelegateV2, *, receiver_id: str, new: bool
) -> ErrorKind | None:
    version = config.protocol_version
    if isinstance(action, DelegateV2) and not Feature.DELEGATE_V2.enabled(version):
        return _unsupported(config, "DelegateV2")
    inner = action.delegate_action
    if Feature.FIX_DELEGATED_DETERMINISTIC_STATE_INIT.enabled(version):
        receiver_id = inner.receiver_id
    return validate_actions(config, inner.actions, receiver_id=receiver_id, new=new)


_RULES: dict[type[Any], Callable[[RuntimeConfig, Any, str], ErrorKind | None]] = {
    actions_.DeployContract: _deploy_rule,
    actions_.DeployGlobalContract: _deploy_rule,
    actions_.FunctionCall: _function_call_rule,
    actions_.Stake: _stake_rule,
    actions_.AddKey: _add_key_rule,
    actions_.DeterministicStateInit: _state_init_rule,
    actions_.TransferToGasKey: _gas_key_rule,
    actions_.WithdrawFromGasKey: _gas_key_rule,
}


def _is_post_quantum(action: Action) -> bool:
    """Whether an ML-DSA-65 key or signature stands anywhere in `action`."""
    if isinstance(action, Delegate | DelegateV2):
        inner = action.delegate_action
        own = inner.public_key[0] == ML_DSA_65 or action.signature[0] == ML_DSA_65
        return own or any(map(_is_post_quantum, inner.actions))
    if isinstance(action, _WITH_KEY):
        return action.public_key[0] == ML_DSA_65
    return False


_WITH_KEY = (
    actions_.Stake,
    actions_.AddKey,
    actions_.DeleteKey,
    actions_.TransferToGasKey,
    actions_.WithdrawFromGasKey,
)
