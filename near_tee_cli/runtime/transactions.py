"""Turning transactions into receipts: checks, charges, and the outcome of the conversion.

Mirrors nearcore: runtime/runtime/src/lib.rs (`process_transactions`), runtime/runtime/src/verifier.rs
"""

from collections.abc import Sequence
from typing import NamedTuple

from near_tee_cli.params.config import RuntimeConfig
from near_tee_cli.params.features import Feature
from near_tee_cli.primitives.integers import U64_MAX
from near_tee_cli.primitives.keys import public_key_text
from near_tee_cli.primitives.schema.access_key import (
    ACCESS_KEY_NONCE_RANGE_MULTIPLIER,
    AccessKey,
    FunctionCallPermission,
)
from near_tee_cli.primitives.schema.account import Account
from near_tee_cli.primitives.schema.action import Action, FunctionCall
from near_tee_cli.primitives.schema.outcome import (
    NO_METADATA,
    ErrorKind,
    ExecutionOutcome,
    OutcomeWithId,
    Status,
    SuccessReceiptId,
    invalid_tx_error,
)
from near_tee_cli.primitives.schema.receipt import ACTION, ActionReceipt, Receipt, derived_id
from near_tee_cli.primitives.schema.transaction import SignedTransaction, Transaction
from near_tee_cli.runtime import rows
from near_tee_cli.runtime.chunk import Chunk
from near_tee_cli.runtime.fees import TransactionCost, transaction_cost
from near_tee_cli.runtime.storage_stake import lacking_balance
from near_tee_cli.runtime.validation import validate_transaction


class _Charge(NamedTuple):
    """What converting a transaction changes; with an `error` only the gas is charged (from a gas key)."""

    amount: int
    access_key: AccessKey
    gas_key_nonce: int | None
    error: ErrorKind | None


class _Signers:
    """Accounts and keys of all signers, read before the first transaction changes anything, updated by each."""

    __slots__ = ("access_keys", "accounts", "nonces")

    def __init__(self, chunk: Chunk, transactions: Sequence[SignedTransaction], *, expired: frozenset[int]) -> None:
        state = chunk.state
        self.accounts: dict[str, Account | None] = {}
        self.access_keys: dict[tuple[str, bytes], AccessKey | None] = {}
        self.nonces: dict[tuple[str, bytes, int], int | None] = {}
        for position, signed in enumerate(transactions):
            if position in expired:
                continue
            transaction = signed.transaction
            signer_id, public_key, index = transaction.signer_id, transaction.public_key, transaction.nonce_index
            if signer_id not in self.accounts:
                self.accounts[signer_id] = rows.account(state, signer_id)
            if (signer_id, public_key) not in self.access_keys:
                self.access_keys[signer_id, public_key] = rows.access_key(state, signer_id, public_key)
            if index is not None and (signer_id, public_key, index) not in self.nonces:
                nonce = rows.gas_key_nonce(state, signer_id, public_key, index=index)
                self.nonces[signer_id, public_key, index] = nonce


def process_transactions(chunk: Chunk, transactions: Sequence[SignedTransaction], *, expired: frozenset[int]) -> None:
    """Convert the chunk's transactions in order; `expired` are positions of those that came too late."""
    signers = _Signers(chunk, transactions, expired=expired)
    skip_duplicates = Feature.UNIQUE_CHUNK_TRANSACTIONS.enabled(chunk.config.protocol_version)
    seen = set()
    for position, signed in enumerate(transactions):
        if skip_duplicates:
            if signed.hash in seen:
                continue
            seen.add(signed.hash)
        error = "Expired" if position in expired else validate_transaction(chunk.config, signed)
        if error is None:
            error = _convert(chunk, signed, signers=signers)
        if error is not None:
            outcome = _outcome(signed, gas=0, compute=0, tokens=0, receipt_id=None, error=error)
            chunk.outcomes.append(outcome)


def _convert(chunk: Chunk, signed: SignedTransaction, *, signers: _Signers) -> ErrorKind | None:
    """Charge one valid transaction and send its receipt, or say why not."""
    config, block = chunk.config, chunk.block
    transaction = signed.transaction
    signer_id, public_key, index = transaction.signer_id, transaction.public_key, transaction.nonce_index
    cost = transaction_cost(config, transaction, gas_price=block.gas_price)
    if cost is None:
        return "CostOverflow"
    account = signers.accounts[signer_id]
    if account is None:
        return {"InvalidSignerId": {"signer_id": signer_id}}
    access_key = signers.access_keys[signer_id, public_key]
    if access_key is None:
        return _key_not_found(transaction)
    charge: _Charge | str | dict[str, object]
    if index is None:
        charge = _charge(config, transaction, account=account, access_key=access_key, cost=cost, height=block.height)
    else:
        nonce = signers.nonces[signer_id, public_key, index]
        if nonce is None:
            count = 0 if access_key.gas_key is None else access_key.gas_key.num_nonces
            return {"InvalidNonceIndex": {"tx_nonce_index": index, "num_nonces": count}}
        charge = _charge_gas_key(
            config, transaction, account=account, access_key=access_key, nonce=nonce, cost=cost, height=block.height
        )
    if not isinstance(charge, _Charge):
        return charge
    receipt_id = None
    compute = cost.compute_burnt
    if charge.error is None:
        receipt_id = derived_id(signed.hash, block.height, 0)
        _send(chunk, transaction, receipt_id=receipt_id, gas_price=cost.receipt_gas_price)
    else:
        # NOTE: such a failure counts its gas as compute.
        compute = cost.gas_burnt
    gas, tokens = cost.gas_burnt, cost.burnt_amount
    chunk.tx_burnt_amount += tokens
    chunk.add_outcome(
        _outcome(signed, gas=gas, compute=compute, tokens=tokens, receipt_id=receipt_id, error=charge.error)
    )
    new_account = account._replace(amount=charge.amount)
    signers.accounts[signer_id] = new_account
    signers.access_keys[signer_id, public_key] = charge.access_key
    rows.set_account(chunk.state, signer_id, new_account)
    if index is not None and charge.gas_key_nonce is not None:
        signers.nonces[signer_id, public_key, index] = charge.gas_key_nonce
        rows.set_gas_key_nonce(chunk.state, signer_id, public_key, index=index, nonce=charge.gas_key_nonce)
    rows.set_access_key(chunk.state, signer_id, public_key, value=charge.access_key)
    chunk.state.commit()
    return None


def _send(chunk: Chunk, transaction: Transaction, *, receipt_id: bytes, gas_price: int) -> None:
    signer_id, receiver_id = transaction.signer_id, transaction.receiver_id
    body = ActionReceipt(ACTION, signer_id, None, transaction.public_key, gas_price, (), (), transaction.actions)
    receipt = Receipt(signer_id, receiver_id, receipt_id, body)
    if receiver_id == signer_id:
        chunk.local.append(receipt)
    else:
        chunk.sink.send(receipt)


def _outcome(
    signed: SignedTransaction,
    *,
    gas: int,
    compute: int,
    tokens: int,
    receipt_id: bytes | None,
    error: ErrorKind | None,
) -> OutcomeWithId:
    status: Status
    if receipt_id is not None:
        status = SuccessReceiptId(receipt_id)
    else:
        status = invalid_tx_error(error if error is not None else "Expired")
    receipt_ids = () if receipt_id is None else (receipt_id,)
    signer_id = signed.transaction.signer_id
    outcome = ExecutionOutcome((), receipt_ids, gas, compute, tokens, signer_id, status, NO_METADATA)
    return OutcomeWithId(signed.hash, outcome)


def _charge(
    config: RuntimeConfig,
    transaction: Transaction,
    *,
    account: Account,
    access_key: AccessKey,
    cost: TransactionCost,
    height: int,
) -> _Charge | ErrorKind:
    """The charge of a transaction signed with an ordinary key, or its `InvalidTxError`."""
    signer_id = transaction.signer_id
    if access_key.gas_key is not None:
        return {"InvalidNonceIndex": {"tx_nonce_index": None, "num_nonces": access_key.gas_key.num_nonces}}
    error = _nonce_error(transaction, access_key.nonce, height=height)
    if error is not None:
        return error
    total = cost.total_cost
    if account.amount < total:
        balance = str(account.amount)
        return {"NotEnoughBalance": {"signer_id": signer_id, "balance": balance, "cost": str(total)}}
    amount = account.amount - total
    permission = access_key.function_call
    new_permission = permission
    if permission is not None and permission.allowance is not None:
        if permission.allowance < total:
            fields = {
                "account_id": signer_id,
                "public_key": public_key_text(transaction.public_key),
                "allowance": str(permission.allowance),
                "cost": str(total),
            }
            return {"InvalidAccessKeyError": {"NotEnoughAllowance": fields}}
        new_permission = permission._replace(allowance=permission.allowance - total)
    lacking = lacking_balance(config, account, amount=amount)
    if lacking:
        return {"LackBalanceForState": {"signer_id": signer_id, "amount": str(lacking)}}
    if permission is not None:
        key_error = permission_error(permission, transaction.actions, receiver_id=transaction.receiver_id)
        if key_error is not None:
            return {"InvalidAccessKeyError": key_error}
    return _Charge(amount, AccessKey(transaction.nonce, new_permission, None), None, None)


def _charge_gas_key(
    config: RuntimeConfig,
    transaction: Transaction,
    *,
    account: Account,
    access_key: AccessKey,
    nonce: int,
    cost: TransactionCost,
    height: int,
) -> _Charge | ErrorKind:
    """The charge of a transaction signed with a gas key, or its `InvalidTxError`."""
    signer_id = transaction.signer_id
    gas_key = access_key.gas_key
    if gas_key is None:
        return _key_not_found(transaction)
    if transaction.nonce_index is None or transaction.nonce_index >= gas_key.num_nonces:
        index = transaction.nonce_index
        return {"InvalidNonceIndex": {"tx_nonce_index": index, "num_nonces": gas_key.num_nonces}}
    error = _nonce_error(transaction, nonce, height=height)
    if error is not None:
        return error
    if gas_key.balance < cost.gas_cost:
        balance, wanted = str(gas_key.balance), str(cost.gas_cost)
        return {"NotEnoughGasKeyBalance": {"signer_id": signer_id, "balance": balance, "cost": wanted}}
    if access_key.function_call is not None:
        permission = access_key.function_call
        key_error = permission_error(permission, transaction.actions, receiver_id=transaction.receiver_id)
        if key_error is not None:
            return {"InvalidAccessKeyError": key_error}
    deposit_error = None
    amount = account.amount - cost.deposit_cost
    if amount < 0:
        deposit_error = ("NotEnoughBalance", account.amount, cost.deposit_cost)
    else:
        lacking = lacking_balance(config, account, amount=amount)
        if lacking:
            deposit_error = ("LackBalanceForState", amount, lacking)
    if deposit_error is None:
        new_key = access_key._replace(gas_key=gas_key._replace(balance=gas_key.balance - cost.gas_cost))
        return _Charge(amount, new_key, transaction.nonce, None)
    reason, held, wanted_amount = deposit_error
    fields = {"signer_id": signer_id, "balance": str(held), "cost": str(wanted_amount), "reason": reason}
    new_key = access_key._replace(gas_key=gas_key._replace(balance=gas_key.balance - cost.burnt_amount))
    return _Charge(account.amount, new_key, transaction.nonce, {"NotEnoughBalanceForDeposit": fields})


def _nonce_error(transaction: Transaction, current: int, *, height: int) -> ErrorKind | None:
    nonce = transaction.nonce
    if nonce != current + 1 if transaction.strict_nonce else nonce <= current:
        return {"InvalidNonce": {"tx_nonce": nonce, "ak_nonce": current}}
    upper_bound = min(height * ACCESS_KEY_NONCE_RANGE_MULTIPLIER, U64_MAX)
    if nonce >= upper_bound:
        return {"NonceTooLarge": {"tx_nonce": nonce, "upper_bound": upper_bound}}
    return None


def permission_error(
    permission: FunctionCallPermission, actions: Sequence[Action], *, receiver_id: str
) -> ErrorKind | None:
    """Why a key that may only call functions cannot sign `actions`: an `InvalidAccessKeyError`, or `None`."""
    call = actions[0] if len(actions) == 1 else None
    if not isinstance(call, FunctionCall):
        return "RequiresFullAccess"
    if call.deposit > 0:
        return "DepositWithFunctionCall"
    if receiver_id != permission.receiver_id:
        return {"ReceiverMismatch": {"tx_receiver": receiver_id, "ak_receiver": permission.receiver_id}}
    if permission.method_names and call.method_name not in permission.method_names:
        return {"MethodNameMismatch": {"method_name": call.method_name}}
    return None


def _key_not_found(transaction: Transaction) -> ErrorKind:
    fields = {"account_id": transaction.signer_id, "public_key": public_key_text(transaction.public_key)}
    return {"InvalidAccessKeyError": {"AccessKeyNotFound": fields}}
