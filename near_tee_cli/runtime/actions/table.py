"""Which action needs what, and who executes it.

Mirrors nearcore: runtime/runtime/src/lib.rs (`apply_action`), runtime/runtime/src/actions.rs
(`check_account_existence`, `check_actor_permissions`)
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from near_tee_cli.primitives.account_id import AccountKind, kind
from near_tee_cli.primitives.schema import action as actions_
from near_tee_cli.primitives.schema.action import Action
from near_tee_cli.primitives.schema.outcome import ErrorKind
from near_tee_cli.primitives.schema.receipt import SYSTEM
from near_tee_cli.runtime.actions import access_keys, accounts, contracts, global_contracts
from near_tee_cli.runtime.actions.delegate import delegate
from near_tee_cli.runtime.actions.deterministic import initialize
from near_tee_cli.runtime.actions.execution import ActionResult, Execution
from near_tee_cli.runtime.actions.function_call import function_call
from near_tee_cli.runtime.actions.stake import stake
from near_tee_cli.runtime.actions.transfer import transfer
from near_tee_cli.runtime.fees import execution_fee


class Rule(NamedTuple):
    """How an action runs, and whether only the account itself may order it."""

    run: Callable[..., None]
    actor_only: bool


def apply_action(execution: Execution, action: Action) -> ActionResult:
    """Execute one action of a receipt. Its fee is burnt even if a check stops it."""
    config = execution.chunk.config
    fee = execution_fee(config, action, receiver_id=execution.account_id)
    result = ActionResult(fee.gas, fee.compute)
    result.error = _existence_error(execution, action)
    if result.error is not None:
        return result
    rule = _RULES[type(action)]
    if rule.actor_only:
        result.error = _permission_error(execution, action)
        if result.error is not None:
            return result
    rule.run(execution, action, result=result)
    return result


def _existence_error(execution: Execution, action: Action) -> ErrorKind | None:
    """Why the account's being there, or not, stops the action."""
    account_id = execution.account_id
    if execution.account is not None:
        if isinstance(action, actions_.CreateAccount):
            return {"AccountAlreadyExists": {"account_id": account_id}}
        return None
    if isinstance(action, actions_.DeterministicStateInit):
        return None
    if isinstance(action, actions_.CreateAccount):
        if _is_implicit(execution):
            return {"OnlyImplicitAccountCreationAllowed": {"account_id": account_id}}
        return None
    if isinstance(action, actions_.Transfer):
        # Nothing else may stand beside the transfer, or somebody could put a key on an account of another.
        eligible = len(execution.body.actions) == 1 and execution.receipt.predecessor_id != SYSTEM
        if eligible and _is_implicit(execution):
            return None
    return {"AccountDoesNotExist": {"account_id": account_id}}


def _is_implicit(execution: Execution) -> bool:
    account_kind = kind(execution.account_id)
    if account_kind is AccountKind.ETH_IMPLICIT:
        return execution.chunk.config.vm.eth_implicit_accounts
    return account_kind is not AccountKind.NAMED


def _permission_error(execution: Execution, action: Action) -> ErrorKind | None:
    account_id, actor_id = execution.account_id, execution.actor_id
    if actor_id != account_id:
        return {"ActorNoPermission": {"account_id": account_id, "actor_id": actor_id}}
    if isinstance(action, actions_.DeleteAccount) and execution.existing.locked != 0:
        return {"DeleteAccountStaking": {"account_id": account_id}}
    return None


_RULES: dict[type[Any], Rule] = {
    actions_.CreateAccount: Rule(accounts.create_account, actor_only=False),
    actions_.DeployContract: Rule(contracts.deploy_contract, actor_only=True),
    actions_.FunctionCall: Rule(function_call, actor_only=False),
    actions_.Transfer: Rule(transfer, actor_only=False),
    actions_.Stake: Rule(stake, actor_only=True),
    actions_.AddKey: Rule(access_keys.add_key, actor_only=True),
    actions_.DeleteKey: Rule(access_keys.delete_key, actor_only=True),
    actions_.DeleteAccount: Rule(accounts.delete_account, actor_only=True),
    actions_.Delegate: Rule(delegate, actor_only=False),
    actions_.DeployGlobalContract: Rule(global_contracts.deploy_global_contract, actor_only=True),
    actions_.UseGlobalContract: Rule(contracts.use_global_contract, actor_only=True),
    actions_.DeterministicStateInit: Rule(initialize, actor_only=False),
    actions_.TransferToGasKey: Rule(access_keys.transfer_to_gas_key, actor_only=False),
    actions_.WithdrawFromGasKey: Rule(access_keys.withdraw_from_gas_key, actor_only=True),
    actions_.DelegateV2: Rule(delegate, actor_only=False),
}
