"""Deterministic accounts: the state that their id commits to, created by whoever pays for it.

Mirrors nearcore: runtime/runtime/src/deterministic_account_id.rs
"""

from near_tee_cli.primitives.schema.account import new_account
from near_tee_cli.primitives.schema.action import DeterministicStateInit
from near_tee_cli.primitives.schema.receipt import balance_refund
from near_tee_cli.runtime.actions.contracts import assign_global_contract
from near_tee_cli.runtime.actions.execution import ActionResult, Execution
from near_tee_cli.runtime.storage_stake import lacking_balance
from near_tee_cli.state import keys


def initialize(execution: Execution, action: DeterministicStateInit, *, result: ActionResult) -> None:
    """Create the account if it is not there, give it its state if it has none, and return what that does not need.

    The actor stays the predecessor: what follows may not act as the account.
    """
    config, account_id = execution.chunk.config, execution.account_id
    if execution.account is None:
        usage = config.storage_num_bytes_account
        execution.account = new_account(0, 0, contract=None, storage_usage=usage)
    if execution.account.contract is None:
        assign_global_contract(execution, action.state_init.code, result=result)
        if result.error is not None:
            return
        _write_rows(execution, action)
    account = execution.account
    lacking = lacking_balance(config, account, amount=account.amount)
    if lacking > action.deposit:
        result.error = {"LackBalanceForState": {"account_id": account_id, "amount": str(lacking)}}
        return
    execution.account = account._replace(amount=account.amount + lacking)
    if action.deposit > lacking:
        beneficiary_id = execution.body.refund_to or execution.receipt.predecessor_id
        result.new_receipts.append(balance_refund(beneficiary_id, action.deposit - lacking))


def _write_rows(execution: Execution, action: DeterministicStateInit) -> None:
    state, account = execution.chunk.state, execution.existing
    usage = account.storage_usage
    for key, value in action.state_init.data:
        state.set(keys.contract_data(execution.account_id, key), value)
        usage += len(key) + len(value) + execution.chunk.config.storage_num_extra_bytes_record
    execution.account = account._replace(storage_usage=usage)
