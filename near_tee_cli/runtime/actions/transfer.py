"""Transfers: to accounts, to accounts that come into being by them, and refunds.

Mirrors nearcore: runtime/runtime/src/actions.rs, runtime/runtime/src/lib.rs
(`action_transfer_or_implicit_account_creation`)
"""

from near_tee_cli.errors import InconsistentStateError
from near_tee_cli.primitives.account_id import AccountKind, kind
from near_tee_cli.primitives.integers import U128_MAX, saturating_add
from near_tee_cli.primitives.keys import key_of_near_implicit
from near_tee_cli.primitives.schema.access_key import full_access_key
from near_tee_cli.primitives.schema.account import GlobalContract, new_account
from near_tee_cli.primitives.schema.action import Transfer
from near_tee_cli.primitives.schema.receipt import SYSTEM
from near_tee_cli.runtime import rows
from near_tee_cli.runtime.actions.access_keys import credit_gas_key, first_nonce, key_storage_usage
from near_tee_cli.runtime.actions.execution import ActionResult, Execution
from near_tee_cli.runtime.eth_wallet import wallet_code_hash


def transfer(execution: Execution, action: Transfer, *, result: ActionResult) -> None:
    """Add the deposit to the receiver; a refund of gas goes to the gas key, or restores the allowance, it came from."""
    del result
    account, deposit = execution.account, action.deposit
    if account is None:
        _create_implicit_account(execution, deposit)
        return
    receipt = execution.receipt
    is_gas_refund = receipt.predecessor_id == SYSTEM and execution.body.signer_id == receipt.receiver_id
    access_key = None
    public_key = execution.body.signer_public_key
    if is_gas_refund:
        access_key = rows.access_key(execution.chunk.state, execution.account_id, public_key)
        if access_key is not None and access_key.gas_key is not None:
            credit_gas_key(execution, public_key, access_key=access_key, deposit=deposit)
            return
    if account.amount + deposit > U128_MAX:
        raise InconsistentStateError("the balance of an account overflows")
    execution.account = account._replace(amount=account.amount + deposit)
    if access_key is None or access_key.function_call is None or access_key.function_call.allowance is None:
        return
    allowance = access_key.function_call.allowance
    restored = saturating_add(allowance, deposit, bound=U128_MAX)
    if restored > allowance:
        permission = access_key.function_call._replace(allowance=restored)
        value = access_key._replace(function_call=permission)
        rows.set_access_key(execution.chunk.state, execution.account_id, public_key, value=value)


def _create_implicit_account(execution: Execution, deposit: int) -> None:
    """Make the account that the receiver's id describes, with the deposit as its balance."""
    chunk, account_id = execution.chunk, execution.account_id
    usage = chunk.config.storage_num_bytes_account
    execution.actor_id = account_id
    account_kind = kind(account_id)
    contract = None
    if account_kind is AccountKind.NEAR_IMPLICIT:
        access_key = full_access_key(first_nonce(chunk.block.height))
        public_key = key_of_near_implicit(account_id)
        usage += key_storage_usage(chunk.config, public_key, access_key=access_key)
        rows.set_access_key(chunk.state, account_id, public_key, value=access_key)
    elif account_kind is AccountKind.ETH_IMPLICIT:
        contract = GlobalContract(wallet_code_hash(chunk.chain.chain_id))
        usage += len(contract.code_hash)
    execution.account = new_account(deposit, 0, contract=contract, storage_usage=usage)
