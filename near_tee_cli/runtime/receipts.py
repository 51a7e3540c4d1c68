"""One receipt: what it waits for, its actions, committing or dropping what they did, and what it sends.

Mirrors nearcore: runtime/runtime/src/lib.rs (`process_receipt`, `apply_action_receipt`)
"""

from typing import NamedTuple

from near_tee_cli.errors import InconsistentStateError
from near_tee_cli.params.costs import ActionCost
from near_tee_cli.primitives.schema.account import Account, AccountContract
from near_tee_cli.primitives.schema.outcome import (
    ErrorKind,
    ExecutionMetadata,
    ExecutionOutcome,
    OutcomeWithId,
    Status,
    SuccessReceiptId,
    SuccessValue,
    action_error,
)
from near_tee_cli.primitives.schema.receipt import (
    DATA,
    SYSTEM,
    YIELD_TAGS,
    ActionReceipt,
    DataReceipt,
    Receipt,
    derived_id,
    is_instant,
)
from near_tee_cli.primitives.schema.wire import NO_HASH, u32
from near_tee_cli.runtime import rows, yields
from near_tee_cli.runtime.actions.execution import ActionResult, Execution
from near_tee_cli.runtime.actions.global_contracts import distribute
from near_tee_cli.runtime.actions.table import apply_action
from near_tee_cli.runtime.block import ValidatorProposal
from near_tee_cli.runtime.chunk import Chunk
from near_tee_cli.runtime.fees import total_deposit
from near_tee_cli.runtime.outcomes import merged_profile
from near_tee_cli.runtime.refunds import NO_REFUND, refund_of
from near_tee_cli.runtime.storage_stake import lacking_balance
from near_tee_cli.runtime.validation import validate_receipt
from near_tee_cli.state import keys
from near_tee_cli.vm.outcome import NO_PROFILE, ReturnData


class _Failure(NamedTuple):
    action_index: int | None
    kind: ErrorKind


class _Result:
    """What the actions of a receipt came to together."""

    __slots__ = (
        "compute",
        "contracts",
        "failure",
        "gas_burnt",
        "gas_burnt_for_function_call",
        "gas_used",
        "logs",
        "new_receipts",
        "profile",
        "proposals",
        "subsidized_amount",
        "tokens_burnt",
        "value",
    )

    def __init__(self, gas: int, compute: int) -> None:
        self.gas_burnt = gas
        self.gas_used = gas
        self.compute = compute
        self.gas_burnt_for_function_call = 0
        self.value: ReturnData = None
        self.failure: _Failure | None = None
        self.logs: tuple[str, ...] = ()
        self.new_receipts: list[Receipt] = []
        self.proposals: list[ValidatorProposal] = []
        self.profile = NO_PROFILE
        self.contracts: list[AccountContract] = []
        self.tokens_burnt = 0
        self.subsidized_amount = 0

    def merge(self, action: ActionResult, *, index: int) -> None:
        """Add what an action came to. Gas, logs and profile count even if it failed."""
        self.gas_burnt += action.gas_burnt
        self.gas_burnt_for_function_call += action.gas_burnt_for_function_call
        self.gas_used += action.gas_used
        self.compute += action.compute
        self.profile = merged_profile(self.profile, action.profile)
        self.logs += action.logs
        if action.error is not None:
            self.fail(index, action.error)
            return
        value = action.value
        # A receipt is numbered within its action; from here on among all of this receipt.
        self.value = value + len(self.new_receipts) if isinstance(value, int) else value
        self.new_receipts += action.new_receipts
        self.proposals += action.proposals
        self.tokens_burnt += action.tokens_burnt
        self.subsidized_amount += action.subsidized_amount

    def fail(self, index: int | None, kind: ErrorKind) -> None:
        """Make the whole receipt a failure, which sends and burns nothing beside gas."""
        self.failure = _Failure(index, kind)
        self.new_receipts = []
        self.proposals = []
        self.tokens_burnt = 0
        self.subsidized_amount = 0


def process_receipt(chunk: Chunk, receipt: Receipt) -> None:
    """Process one receipt: execute it, or keep it or its data until it can be."""
    body = receipt.body
    if isinstance(body, ActionReceipt):
        if body.tag in YIELD_TAGS:
            if len(body.input_data_ids) != 1:
                raise InconsistentStateError("a yield waits for exactly one resume")
            yields.store(chunk, receipt, data_id=body.input_data_ids[0])
            chunk.state.commit()
        elif _wait_for_data(chunk, receipt, body):
            chunk.state.commit()
        else:
            _execute(chunk, receipt)
        return
    ready = None
    if not isinstance(body, DataReceipt):
        chunk.compute += distribute(chunk, body)
        return
    if body.tag == DATA:
        ready = _deliver(chunk, receipt.receiver_id, body)
        if ready is None:
            chunk.state.commit()
    else:
        ready = yields.take_resumed(chunk, receipt.receiver_id, resume=body)
    if ready is not None:
        _execute(chunk, ready)


def _wait_for_data(chunk: Chunk, receipt: Receipt, body: ActionReceipt) -> bool:
    """Postpone the receipt if some of its data has not come yet; whether that is so."""
    if not body.input_data_ids:
        return False
    state, account_id = chunk.state, receipt.receiver_id
    missing = 0
    for data_id in body.input_data_ids:
        if not state.contains(keys.received_data(account_id, data_id)):
            missing += 1
            state.set(keys.postponed_receipt_id(account_id, data_id), receipt.receipt_id)
    if missing:
        state.set(keys.pending_data_count(account_id, receipt.receipt_id), u32(missing))
        rows.set_receipt_at(state, keys.postponed_receipt(account_id, receipt.receipt_id), receipt)
    return missing > 0


def _deliver(chunk: Chunk, account_id: str, body: DataReceipt) -> Receipt | None:
    """Keep data that arrived; the receipt that has been waiting for just this, if there is one."""
    state = chunk.state
    rows.set_received_data(state, account_id, body.data_id, data=body.data)
    waiting_key = keys.postponed_receipt_id(account_id, body.data_id)
    receipt_id = state.get(waiting_key)
    if receipt_id is None:
        return None
    state.remove(waiting_key)
    count_key = keys.pending_data_count(account_id, receipt_id)
    data = state.get(count_key)
    if data is None or len(data) != 4:
        raise InconsistentStateError("pending data count should be in the state")
    count = int.from_bytes(data, "little")
    if count == 0:
        raise InconsistentStateError("pending data count is 0, but there is a new data receipt")
    if count > 1:
        state.set(count_key, u32(count - 1))
        return None
    state.remove(count_key)
    receipt_key = keys.postponed_receipt(account_id, receipt_id)
    receipt = rows.receipt_at(state, receipt_key)
    if receipt is None:
        raise InconsistentStateError("pending receipt should be in the state")
    state.remove(receipt_key)
    return receipt


def _execute(chunk: Chunk, receipt: Receipt) -> None:
    """Execute a receipt of actions whose data is all there."""
    body = receipt.body
    if not isinstance(body, ActionReceipt):
        raise InconsistentStateError("only receipts of actions can wait")
    state, account_id = chunk.state, receipt.receiver_id
    results = tuple(rows.take_received_data(state, account_id, data_id) for data_id in body.input_data_ids)
    state.commit()
    account = rows.account(state, account_id)
    existed = account is not None
    execution = Execution(chunk, receipt, body=body, account=account, promise_results=results)
    result = _run_actions(execution)
    if result.failure is None and execution.account is not None:
        _save_account(execution, execution.account, result=result)
    _settle(execution, result, created=not existed and execution.account is not None)
    _send_results(execution, result)


def _run_actions(execution: Execution) -> _Result:
    """Execute actions until one fails."""
    config = execution.chunk.config
    result = _Result(*config.fees[ActionCost.NEW_ACTION_RECEIPT].execution)
    for index, action in enumerate(execution.body.actions):
        execution.action_index = index
        account = execution.account
        result.contracts.append(None if account is None else account.contract)
        action_result = apply_action(execution, action)
        if action_result.error is None:
            for new_receipt in action_result.new_receipts:
                error = validate_receipt(config, new_receipt, new=True)
                if error is not None:
                    action_result.error = {"NewReceiptValidationError": error}
                    break
        result.merge(action_result, index=index)
        if result.failure is not None:
            break
    return result


def _save_account(execution: Execution, account: Account, *, result: _Result) -> None:
    """Write the account if it can pay for its storage."""
    chunk, account_id = execution.chunk, execution.account_id
    lacking = lacking_balance(chunk.config, account, amount=account.amount)
    if lacking:
        result.fail(None, {"LackBalanceForState": {"account_id": account_id, "amount": str(lacking)}})
    else:
        rows.set_account(chunk.state, account_id, account)


def _settle(execution: Execution, result: _Result, *, created: bool) -> None:
    """Refunds, commit or rollback, the contract's reward, and the chunk's sums. Sets `tokens_burnt` to the final."""
    chunk, receipt, body = execution.chunk, execution.receipt, execution.body
    failed = result.failure is not None
    burn_price = (
        min(body.gas_price, chunk.block.gas_price) if chunk.rules.account_cost_increase else chunk.block.gas_price
    )
    refund = NO_REFUND
    burnt = 0
    if receipt.predecessor_id == SYSTEM:
        if failed:
            chunk.other_burnt_amount += total_deposit(body.actions)
    else:
        burnt = burn_price * result.gas_burnt
        refund = refund_of(
            chunk.config,
            receipt,
            body,
            failed=failed,
            gas_burnt=result.gas_burnt,
            gas_used=result.gas_used,
            burn_price=burn_price,
            created_account=created and not failed,
        )
        result.new_receipts += refund.receipts
    chunk.gas_deficit_amount += refund.price_deficit
    chunk.proposals += result.proposals
    if failed:
        chunk.state.rollback()
    else:
        chunk.state.commit()
    burnt += refund.penalty + refund.create_account_charge - refund.price_deficit
    if not chunk.rules.account_cost_increase:
        burnt += refund.price_surplus
    result.tokens_burnt += burnt
    reward_price = burn_price if chunk.rules.account_cost_increase else body.gas_price
    reward = _reward(execution, reward_price, gas=result.gas_burnt_for_function_call)
    chunk.tx_burnt_amount += result.tokens_burnt - reward
    chunk.subsidized_amount += result.subsidized_amount


def _reward(execution: Execution, price: int, *, gas: int) -> int:
    """Give the contract its share of the gas burnt in its calls, if it is still there; the yoctoNEAR given."""
    chunk, account_id = execution.chunk, execution.account_id
    numerator, denominator = chunk.config.burnt_gas_reward
    reward = price * (gas * numerator // denominator)
    if reward == 0:
        return 0
    account = rows.account(chunk.state, account_id)
    if account is None:
        return 0
    rows.set_account(chunk.state, account_id, account._replace(amount=account.amount + reward))
    chunk.state.commit()
    return reward


def _send_results(execution: Execution, result: _Result) -> None:
    """Number and send the new receipts, pass the result on, and append the outcome."""
    chunk, receipt = execution.chunk, execution.receipt
    _pass_on(execution, result)
    height, parent_id = chunk.block.height, receipt.receipt_id
    receipt_ids = []
    for index, new in enumerate(result.new_receipts):
        receipt_id = derived_id(parent_id, height, index)
        numbered = Receipt(new.predecessor_id, new.receiver_id, receipt_id, new.body)
        if isinstance(new.body, ActionReceipt):
            receipt_ids.append(receipt_id)
        if is_instant(numbered):
            chunk.instant.append(numbered)
        else:
            chunk.sink.send(numbered)
    status: Status
    if result.failure is not None:
        status = action_error(*result.failure)
    elif isinstance(result.value, int):
        status = SuccessReceiptId(derived_id(parent_id, height, result.value))
    else:
        status = SuccessValue(result.value or b"")
    outcome = ExecutionOutcome(
        logs=result.logs,
        receipt_ids=tuple(receipt_ids),
        gas_burnt=result.gas_burnt,
        compute_usage=result.compute,
        tokens_burnt=result.tokens_burnt,
        executor_id=execution.account_id,
        status=status,
        metadata=_metadata(execution, result),
    )
    chunk.add_outcome(OutcomeWithId(parent_id, outcome))
    chunk.executed.append(execution.receipt)


def _pass_on(execution: Execution, result: _Result) -> None:
    """Give the result to those who wait for it: as data, or by letting the returned receipt do so."""
    receivers = execution.body.output_data_receivers
    if not receivers:
        return
    value = result.value
    if result.failure is None and isinstance(value, int):
        returned = result.new_receipts[value]
        body = returned.body
        if not isinstance(body, ActionReceipt):
            raise InconsistentStateError("only a receipt of actions can be returned")
        body = body._replace(output_data_receivers=body.output_data_receivers + receivers)
        result.new_receipts[value] = returned._replace(body=body)
        return
    data = None if result.failure is not None else value if isinstance(value, bytes) else b""
    for data_id, receiver_id in receivers:
        data_body = DataReceipt(DATA, data_id, data)
        result.new_receipts.append(Receipt(execution.account_id, receiver_id, NO_HASH, data_body))


def _metadata(execution: Execution, result: _Result) -> ExecutionMetadata:
    version = execution.chunk.rules.metadata_version
    if version < 4:
        return ExecutionMetadata(version, result.profile, ())
    skipped = len(execution.body.actions) - len(result.contracts)
    return ExecutionMetadata(version, result.profile, (*result.contracts, *[None] * skipped))
