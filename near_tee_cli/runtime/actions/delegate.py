"""Delegate actions: what somebody signed and somebody else submits and pays for.

Mirrors nearcore: runtime/runtime/src/actions.rs (`apply_delegate_action`)
"""

from near_tee_cli.errors import InconsistentStateError
from near_tee_cli.params.costs import ActionCost
from near_tee_cli.params.features import Feature
from near_tee_cli.primitives.keys import public_key_text, verify
from near_tee_cli.primitives.schema.access_key import ACCESS_KEY_NONCE_RANGE_MULTIPLIER, AccessKey
from near_tee_cli.primitives.schema.action import Delegate, DelegateAction, DelegateV2, FunctionCall, delegate_message
from near_tee_cli.primitives.schema.outcome import ErrorKind
from near_tee_cli.primitives.schema.receipt import ACTION, ActionReceipt, Receipt
from near_tee_cli.primitives.schema.wire import NO_HASH
from near_tee_cli.runtime import rows
from near_tee_cli.runtime.actions.execution import ActionResult, Execution
from near_tee_cli.runtime.fees import prepaid_execution_fees, prepaid_gas, prepaid_send_fees
from near_tee_cli.runtime.transactions import permission_error


def delegate(execution: Execution, action: Delegate | DelegateV2, *, result: ActionResult) -> None:
    """Send the signed actions in the name of the account."""
    chunk, body, account_id = execution.chunk, execution.body, execution.account_id
    inner = action.delegate_action
    if not verify(inner.public_key, delegate_message(action), action.signature):
        result.error = "DelegateActionInvalidSignature"
        return
    if chunk.block.height > inner.max_block_height:
        result.error = "DelegateActionExpired"
        return
    if inner.sender_id != account_id:
        fields = {"sender_id": inner.sender_id, "receiver_id": account_id}
        result.error = {"DelegateActionSenderDoesNotMatchTxReceiver": fields}
        return
    result.error = _use_key(execution, inner)
    if result.error is not None:
        return
    new_body = ActionReceipt(
        ACTION, body.signer_id, None, body.signer_public_key, body.gas_price, (), (), inner.actions
    )
    send_cost = prepaid_send_fees(chunk.config, body.actions)
    required = prepaid_execution_fees(chunk.config, inner.actions, receiver_id=inner.receiver_id)
    required += prepaid_gas(inner.actions) + chunk.config.fees[ActionCost.NEW_ACTION_RECEIPT].execution.gas
    # What the new receipt needs is used; sending it was paid for in advance and is burnt here.
    result.gas_used += required + send_cost.gas
    result.gas_burnt += send_cost.gas
    result.compute += send_cost.compute
    result.new_receipts.append(Receipt(account_id, inner.receiver_id, NO_HASH, new_body))


def _use_key(execution: Execution, inner: DelegateAction) -> ErrorKind | None:
    """Check the key that signed and advance its nonce; why it cannot be used, or `None`."""
    state, height = execution.chunk.state, execution.chunk.block.height
    sender_id, public_key, index = inner.sender_id, inner.public_key, inner.nonce_index
    access_key = rows.access_key(state, sender_id, public_key)
    if access_key is None:
        fields = {"account_id": sender_id, "public_key": public_key_text(public_key)}
        return _key_error({"AccessKeyNotFound": fields})
    current = access_key.nonce
    if index is None:
        if access_key.gas_key is not None:
            return _key_error("DelegateActionRequiresNonGasKey")
    else:
        if access_key.gas_key is None:
            return _key_error("DelegateActionRequiresGasKey")
        num_nonces = access_key.gas_key.num_nonces
        if index >= num_nonces:
            return {"DelegateActionInvalidNonceIndex": {"nonce_index": index, "num_nonces": num_nonces}}
        found = rows.gas_key_nonce(state, sender_id, public_key, index=index)
        if found is None:
            raise InconsistentStateError(f"nonce {index} of a gas key of {sender_id} should be in the state")
        current = found
    if inner.nonce <= current:
        return {"DelegateActionInvalidNonce": {"delegate_nonce": inner.nonce, "ak_nonce": current}}
    upper_bound = height * ACCESS_KEY_NONCE_RANGE_MULTIPLIER
    if inner.nonce >= upper_bound:
        return {"DelegateActionNonceTooLarge": {"delegate_nonce": inner.nonce, "upper_bound": upper_bound}}
    error = _permission_error(execution, inner, access_key=access_key)
    if error is not None:
        return _key_error(error)
    if index is None:
        rows.set_access_key(state, sender_id, public_key, value=access_key._replace(nonce=inner.nonce))
    else:
        rows.set_gas_key_nonce(state, sender_id, public_key, index=index, nonce=inner.nonce)
    return None


def _permission_error(execution: Execution, inner: DelegateAction, *, access_key: AccessKey) -> ErrorKind | None:
    """Why a key that may only call functions cannot sign the inner actions: an `InvalidAccessKeyError`, or `None`."""
    permission = access_key.function_call
    if permission is None:
        return None
    fixed = Feature.FIX_DELEGATE_ACTION_DEPOSIT_WITH_FUNCTION_CALL_ERROR.enabled(
        execution.chunk.config.protocol_version
    )
    call = inner.actions[0] if len(inner.actions) == 1 else None
    if fixed or not isinstance(call, FunctionCall) or call.deposit == 0:
        return permission_error(permission, inner.actions, receiver_id=inner.receiver_id)
    # NOTE: earlier versions went on after finding a deposit, so that a later error took its place.
    later = permission_error(permission, (call._replace(deposit=0),), receiver_id=inner.receiver_id)
    return "DepositWithFunctionCall" if later is None else later


def _key_error(error: ErrorKind) -> ErrorKind:
    return {"DelegateActionAccessKeyError": error}
