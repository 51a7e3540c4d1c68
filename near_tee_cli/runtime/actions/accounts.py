"""Creating and deleting accounts.

Mirrors nearcore: runtime/runtime/src/actions.rs, core/store/src/utils/mod.rs (`remove_account`)
"""

from near_tee_cli.errors import BadInputError, InconsistentStateError
from near_tee_cli.params.features import Feature
from near_tee_cli.primitives import account_id as account_ids
from near_tee_cli.primitives.keys import read_key_handle
from near_tee_cli.primitives.schema.access_key import MAX_BURNT_GAS_KEY_BALANCE, decode_access_key
from near_tee_cli.primitives.schema.account import (
    MAX_ACCOUNT_DELETION_STORAGE_USAGE,
    new_account,
)
from near_tee_cli.primitives.schema.action import CreateAccount, DeleteAccount
from near_tee_cli.primitives.schema.receipt import balance_refund
from near_tee_cli.runtime.actions.access_keys import nonce_removal_compute
from near_tee_cli.runtime.actions.contracts import code_length, contract_storage_usage
from near_tee_cli.runtime.actions.execution import ActionResult, Execution
from near_tee_cli.runtime.rows import decoded
from near_tee_cli.state import keys

_NONCE_INDEX_LENGTH = 2


def create_account(execution: Execution, _action: CreateAccount, *, result: ActionResult) -> None:
    """Make the receiver exist with nothing but the storage of its own row."""
    config = execution.chunk.config
    account_id, predecessor_id = execution.account_id, execution.receipt.predecessor_id
    if account_ids.is_top_level(account_id):
        too_short = len(account_id) < config.min_allowed_top_level_account_length
        if too_short and predecessor_id != config.registrar_account_id:
            fields = {
                "account_id": account_id,
                "registrar_account_id": config.registrar_account_id,
                "predecessor_id": predecessor_id,
            }
            result.error = {"CreateAccountOnlyByRegistrar": fields}
            return
    elif not account_ids.is_sub_account_of(account_id, predecessor_id):
        fields = {"account_id": account_id, "predecessor_id": predecessor_id}
        result.error = {"CreateAccountNotAllowed": fields}
        return
    execution.actor_id = account_id
    execution.account = new_account(0, 0, contract=None, storage_usage=config.storage_num_bytes_account)


def delete_account(execution: Execution, action: DeleteAccount, *, result: ActionResult) -> None:
    """Remove the receiver with its code, keys and data, and send its balance to the beneficiary."""
    chunk, account_id, account = execution.chunk, execution.account_id, execution.existing
    if Feature.FIX_DELETE_ACCOUNT_GLOBAL_CONTRACT_STORAGE_USAGE.enabled(chunk.config.protocol_version):
        contract_usage = contract_storage_usage(chunk.state, account_id, account=account)
    else:
        # NOTE: earlier versions looked for code of the account's own, whatever contract it has.
        contract_usage = code_length(chunk.state, account_id)
    if max(account.storage_usage - contract_usage, 0) > MAX_ACCOUNT_DELETION_STORAGE_USAGE:
        result.error = {"DeleteAccountWithLargeState": {"account_id": account_id}}
        return
    burnt = _gas_key_balances(execution)
    if burnt > MAX_BURNT_GAS_KEY_BALANCE:
        fields = {"account_id": account_id, "public_key": None, "balance": str(burnt)}
        result.error = {"GasKeyBalanceTooHigh": fields}
        return
    if account.amount > 0:
        result.new_receipts.append(balance_refund(action.beneficiary_id, account.amount))
    count, length = _remove_rows(execution)
    result.tokens_burnt += burnt
    result.compute += nonce_removal_compute(chunk.config, count=count, key_bytes=length)
    execution.actor_id = execution.receipt.predecessor_id
    execution.account = None


def _gas_key_balances(execution: Execution) -> int:
    """The yoctoNEAR on all gas keys of the account."""
    state, account_id = execution.chunk.state, execution.account_id
    total = 0
    for key in state.iter_prefix(keys.access_keys_prefix(account_id)):
        if _nonce_index(key, account_id) is not None:
            continue
        data = state.get(key)
        if data is None:
            continue
        access_key = decoded(decode_access_key, data, key=key)
        if access_key.gas_key is not None:
            total += access_key.gas_key.balance
    return total


def _remove_rows(execution: Execution) -> tuple[int, int]:
    """Remove every row of the account; number and key bytes of the gas key nonces among them."""
    state, account_id = execution.chunk.state, execution.account_id
    state.remove(keys.account(account_id))
    state.remove(keys.contract_code(account_id))
    count = length = 0
    access_keys = list(state.iter_prefix(keys.access_keys_prefix(account_id)))
    for key in access_keys:
        if _nonce_index(key, account_id) is not None:
            count += 1
            length += len(key)
        state.remove(key)
    for key in list(state.iter_prefix(keys.contract_data_prefix(account_id))):
        state.remove(key)
    return count, length


def _nonce_index(key: bytes, account_id: str) -> int | None:
    """Which nonce the row under an access key's prefix is, `None` for the key itself."""
    try:
        _, end = read_key_handle(key, len(keys.access_keys_prefix(account_id)))
    except BadInputError as problem:
        raise InconsistentStateError(f"access key row {key.hex()} cannot be read") from problem
    rest = key[end:]
    if len(rest) not in (0, _NONCE_INDEX_LENGTH):
        raise InconsistentStateError(f"access key row {key.hex()} cannot be read")
    return int.from_bytes(rest, "little") if rest else None
