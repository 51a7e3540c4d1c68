"""Adding, deleting and funding access keys.

A gas key has rows of its own for its nonces, and a balance that is burnt when the key goes.

Mirrors nearcore: runtime/runtime/src/access_keys.rs
"""

from near_tee_cli.errors import InconsistentStateError
from near_tee_cli.params.config import RuntimeConfig
from near_tee_cli.params.costs import ExtCost
from near_tee_cli.primitives.integers import U128_MAX, saturating_sub
from near_tee_cli.primitives.keys import public_key_text, trie_id_len
from near_tee_cli.primitives.schema.access_key import (
    ACCESS_KEY_NONCE_RANGE_MULTIPLIER,
    MAX_BURNT_GAS_KEY_BALANCE,
    AccessKey,
    encode_access_key,
)
from near_tee_cli.primitives.schema.action import AddKey, DeleteKey, TransferToGasKey, WithdrawFromGasKey
from near_tee_cli.runtime import rows
from near_tee_cli.runtime.actions.execution import ActionResult, Execution
from near_tee_cli.runtime.fees import NONCE_LENGTH

_NONCE_INDEX_LENGTH = 2


def first_nonce(height: int) -> int:
    """The nonce of a key that is added at `height`, so that no transaction of an earlier key fits again."""
    if height == 0:
        raise InconsistentStateError("no key can be added at height 0")
    return (height - 1) * ACCESS_KEY_NONCE_RANGE_MULTIPLIER


def key_storage_usage(config: RuntimeConfig, public_key: bytes, *, access_key: AccessKey) -> int:
    """Bytes that an account is billed for a key, the nonces of a gas key included."""
    extra = config.storage_num_extra_bytes_record
    usage = trie_id_len(public_key) + len(encode_access_key(access_key)) + extra
    if access_key.gas_key is not None:
        row = trie_id_len(public_key) + _NONCE_INDEX_LENGTH + NONCE_LENGTH + extra
        usage += access_key.gas_key.num_nonces * row
    return usage


def nonce_removal_compute(config: RuntimeConfig, *, count: int, key_bytes: int) -> int:
    """Compute of removing `count` nonce rows whose keys have `key_bytes` together. It costs no gas."""
    costs = config.vm.ext_costs
    return (
        costs[ExtCost.STORAGE_REMOVE_BASE].compute * count
        + costs[ExtCost.STORAGE_REMOVE_KEY_BYTE].compute * key_bytes
        + costs[ExtCost.STORAGE_REMOVE_RET_VALUE_BYTE].compute * NONCE_LENGTH * count
    )


def add_key(execution: Execution, action: AddKey, *, result: ActionResult) -> None:
    """Add a key; the nonce that it was sent with is ignored."""
    chunk, account_id, account = execution.chunk, execution.account_id, execution.existing
    public_key = action.public_key
    if rows.access_key(chunk.state, account_id, public_key) is not None:
        result.error = {"AddKeyAlreadyExists": _named(account_id, public_key)}
        return
    nonce = first_nonce(chunk.block.height)
    gas_key = action.access_key.gas_key
    access_key = action.access_key._replace(nonce=nonce if gas_key is None else 0)
    rows.set_access_key(chunk.state, account_id, public_key, value=access_key)
    if gas_key is not None:
        for index in range(gas_key.num_nonces):
            rows.set_gas_key_nonce(chunk.state, account_id, public_key, index=index, nonce=nonce)
    usage = key_storage_usage(chunk.config, public_key, access_key=access_key)
    execution.account = account._replace(storage_usage=account.storage_usage + usage)


def delete_key(execution: Execution, action: DeleteKey, *, result: ActionResult) -> None:
    """Delete a key, burning what a gas key still holds."""
    chunk, account_id, account = execution.chunk, execution.account_id, execution.existing
    public_key = action.public_key
    access_key = rows.access_key(chunk.state, account_id, public_key)
    if access_key is None:
        result.error = {"DeleteKeyDoesNotExist": _named(account_id, public_key)}
        return
    if access_key.gas_key is not None:
        balance, num_nonces = access_key.gas_key
        if balance > MAX_BURNT_GAS_KEY_BALANCE:
            result.error = {"GasKeyBalanceTooHigh": {**_named(account_id, public_key), "balance": str(balance)}}
            return
        result.tokens_burnt += balance
        length = 0
        for index in range(num_nonces):
            length += rows.remove_gas_key_nonce(chunk.state, account_id, public_key, index=index)
        result.compute += nonce_removal_compute(chunk.config, count=num_nonces, key_bytes=length)
    rows.remove_access_key(chunk.state, account_id, public_key)
    usage = key_storage_usage(chunk.config, public_key, access_key=access_key)
    execution.account = account._replace(storage_usage=saturating_sub(account.storage_usage, usage))


def transfer_to_gas_key(execution: Execution, action: TransferToGasKey, *, result: ActionResult) -> None:
    """Add a deposit to the balance of a gas key."""
    state, account_id = execution.chunk.state, execution.account_id
    access_key = rows.access_key(state, account_id, action.public_key)
    if access_key is None or access_key.gas_key is None:
        result.error = {"GasKeyDoesNotExist": _named(account_id, action.public_key)}
        return
    credit_gas_key(execution, action.public_key, access_key=access_key, deposit=action.deposit)


def credit_gas_key(execution: Execution, public_key: bytes, *, access_key: AccessKey, deposit: int) -> None:
    """Write a gas key with `deposit` (yoctoNEAR) more."""
    gas_key = access_key.gas_key
    if gas_key is None or gas_key.balance + deposit > U128_MAX:
        raise InconsistentStateError("the balance of a gas key overflows")
    funded = access_key._replace(gas_key=gas_key._replace(balance=gas_key.balance + deposit))
    rows.set_access_key(execution.chunk.state, execution.account_id, public_key, value=funded)


def withdraw_from_gas_key(execution: Execution, action: WithdrawFromGasKey, *, result: ActionResult) -> None:
    """Move an amount from a gas key to the account."""
    state, account_id, account = execution.chunk.state, execution.account_id, execution.existing
    access_key = rows.access_key(state, account_id, action.public_key)
    if access_key is None or access_key.gas_key is None:
        result.error = {"GasKeyDoesNotExist": _named(account_id, action.public_key)}
        return
    gas_key = access_key.gas_key
    if gas_key.balance < action.amount:
        amounts = {"balance": str(gas_key.balance), "required": str(action.amount)}
        result.error = {"InsufficientGasKeyBalance": {**_named(account_id, action.public_key), **amounts}}
        return
    reduced = access_key._replace(gas_key=gas_key._replace(balance=gas_key.balance - action.amount))
    rows.set_access_key(state, account_id, action.public_key, value=reduced)
    if account.amount + action.amount > U128_MAX:
        raise InconsistentStateError("the balance of an account overflows")
    execution.account = account._replace(amount=account.amount + action.amount)


def _named(account_id: str, public_key: bytes) -> dict[str, str | None]:
    return {"account_id": account_id, "public_key": public_key_text(public_key)}
