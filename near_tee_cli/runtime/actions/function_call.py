"""Function calls: what the contract is told, and what becomes of the call's outcome.

Mirrors nearcore: runtime/runtime/src/function_call.rs
"""

from near_tee_cli.errors import InconsistentStateError
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.integers import U64_MAX, U128_MAX, saturating_sub
from near_tee_cli.primitives.schema.account import Account
from near_tee_cli.primitives.schema.action import FunctionCall
from near_tee_cli.primitives.schema.receipt import (
    ACTION_V2,
    PROMISE_RESUME,
    PROMISE_YIELD_V2,
    ActionReceipt,
    DataReceipt,
    Receipt,
    derived_id,
)
from near_tee_cli.primitives.schema.wire import NO_HASH
from near_tee_cli.runtime import yields
from near_tee_cli.runtime.actions.contracts import code_hash_of
from near_tee_cli.runtime.actions.execution import ActionResult, Execution
from near_tee_cli.runtime.external import RuntimeExternal
from near_tee_cli.runtime.promises import Promises
from near_tee_cli.vm.context import VMContext
from near_tee_cli.vm.outcome import CodeDoesNotExist, VMOutcome, function_call_error_json, nop_outcome


def function_call(execution: Execution, action: FunctionCall, *, result: ActionResult) -> None:
    """Call a method of the receiver's contract."""
    account, chunk = execution.existing, execution.chunk
    chain_id = chunk.chain.chain_id
    code_hash, key = code_hash_of(chunk.state, execution.account_id, account=account, chain_id=chain_id)
    if code_hash is not None:
        chunk.note_access(key, code_hash)
    if account.amount + action.deposit > U128_MAX:
        raise InconsistentStateError("the balance of an account overflows with the deposit of a function call")
    promises = Promises()
    outcome, distributed = _run(execution, action, account=account, code_hash=code_hash, promises=promises)
    result.gas_burnt += outcome.burnt_gas
    result.gas_burnt_for_function_call += outcome.burnt_gas
    result.gas_used += outcome.used_gas + distributed
    result.compute += outcome.compute_usage
    result.logs = outcome.logs
    result.profile = outcome.profile
    if outcome.aborted is not None:
        result.error = {"FunctionCallError": function_call_error_json(outcome.aborted)}
        return
    result.new_receipts += _receipts(execution, promises)
    result.subsidized_amount = outcome.subsidized_amount
    result.value = outcome.return_data
    execution.account = account._replace(amount=outcome.balance, storage_usage=outcome.storage_usage)


def _run(
    execution: Execution, action: FunctionCall, *, account: Account, code_hash: bytes | None, promises: Promises
) -> tuple[VMOutcome, int]:
    """The outcome of the call, and the gas that was shared out among what it sent."""
    chunk = execution.chunk
    code = None if code_hash is None else chunk.code(code_hash)
    if code is None or code_hash is None:
        return nop_outcome(CodeDoesNotExist(execution.account_id)), 0
    block, body, receipt = chunk.block, execution.body, execution.receipt
    action_hash = derived_id(receipt.receipt_id, block.height, U64_MAX - execution.action_index)
    is_last = execution.action_index + 1 == len(body.actions)
    context = VMContext(
        current_account_id=execution.account_id,
        signer_account_id=body.signer_id,
        signer_account_pk=body.signer_public_key,
        predecessor_account_id=receipt.predecessor_id,
        refund_to_account_id=body.refund_to or receipt.predecessor_id,
        input=action.args,
        promise_results=execution.promise_results,
        block_height=block.height,
        block_timestamp=block.timestamp,
        epoch_height=block.epoch_height,
        chain_id=chunk.chain.chain_id,
        account_balance=account.amount,
        account_locked_balance=account.locked,
        storage_usage=account.storage_usage,
        account_contract=account.contract,
        attached_deposit=action.deposit,
        prepaid_gas=action.gas,
        random_seed=sha256(action_hash + block.random_seed),
        view_gas_limit=None,
        output_data_receivers=tuple(r.receiver_id for r in body.output_data_receivers) if is_last else (),
    )
    external = RuntimeExternal(
        chunk.state,
        execution.account_id,
        touches=chunk.touches,
        promises=promises,
        action_hash=action_hash,
        height=block.height,
        stakes=chunk.stakes,
    )
    outcome = chunk.machine.run(
        code, code_hash, method=action.method_name, context=context, external=external, config=chunk.config
    )
    return outcome, promises.distribute_gas(saturating_sub(action.gas, outcome.used_gas))


def _receipts(execution: Execution, promises: Promises) -> list[Receipt]:
    """What a successful call sends: receipts of actions and yields as created, then the data of resumes."""
    chunk, body, account_id = execution.chunk, execution.body, execution.account_id
    signer_id, public_key, gas_price = body.signer_id, body.signer_public_key, body.gas_price
    yielded = [new.input_data_ids[0] for new in promises.receipts if new.is_promise_yield]
    yields.enqueue_timeouts(chunk, account_id, data_ids=yielded)
    receipts = []
    for new in promises.receipts:
        tag = PROMISE_YIELD_V2 if new.is_promise_yield else ACTION_V2
        output, inputs = tuple(new.output_data_receivers), new.input_data_ids
        new_body = ActionReceipt(
            tag, signer_id, new.refund_to, public_key, gas_price, output, inputs, tuple(new.actions)
        )
        receipts.append(Receipt(account_id, new.receiver_id, NO_HASH, new_body))
    for resume in promises.resumes:
        data = DataReceipt(PROMISE_RESUME, resume.data_id, resume.data)
        receipts.append(Receipt(account_id, account_id, NO_HASH, data))
    return receipts
