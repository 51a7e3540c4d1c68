"""Which code an account runs: deploying it, using a global one, what either is billed for, and finding it again.

Mirrors nearcore: runtime/runtime/src/actions.rs, runtime/runtime/src/global_contracts.rs,
runtime/runtime/src/contract_code.rs
"""

from near_tee_cli.errors import InconsistentStateError
from near_tee_cli.primitives.account_id import AccountKind, kind
from near_tee_cli.primitives.integers import saturating_sub
from near_tee_cli.primitives.schema.account import (
    Account,
    GlobalContract,
    LocalContract,
    identifier_storage_usage,
)
from near_tee_cli.primitives.schema.account_json import identifier_json
from near_tee_cli.primitives.schema.action import DeployContract, UseGlobalContract
from near_tee_cli.primitives.schema.global_contract import GlobalContractIdentifier, identifier_length
from near_tee_cli.runtime import eth_wallet
from near_tee_cli.runtime.actions.execution import ActionResult, Execution
from near_tee_cli.state import keys
from near_tee_cli.state.overlay import Overlay


def deploy_contract(execution: Execution, action: DeployContract, *, result: ActionResult) -> None:
    """Give the account code of its own, which takes the place of any other contract."""
    del result
    chunk, account_id, account = execution.chunk, execution.account_id, execution.existing
    usage = storage_without_contract(chunk.state, account_id, account=account) + len(action.code)
    code_hash = chunk.state.record_deploy(action.code)
    execution.account = account.with_contract(LocalContract(code_hash))._replace(storage_usage=usage)
    chunk.state.set(keys.contract_code(account_id), action.code)


def use_global_contract(execution: Execution, action: UseGlobalContract, *, result: ActionResult) -> None:
    """Let the account run a global contract, which must be in the state."""
    assign_global_contract(execution, action.contract_identifier, result=result)


def assign_global_contract(execution: Execution, identifier: GlobalContractIdentifier, *, result: ActionResult) -> None:
    """Point the account at a global contract; code of its own is removed."""
    state, account_id, account = execution.chunk.state, execution.account_id, execution.existing
    if not state.contains(keys.global_contract_code(identifier)):
        result.error = {"GlobalContractDoesNotExist": {"identifier": identifier_json(identifier)}}
        return
    usage = storage_without_contract(state, account_id, account=account) + identifier_length(identifier)
    if isinstance(account.contract, LocalContract):
        state.remove(keys.contract_code(account_id))
    execution.account = account.with_contract(identifier)._replace(storage_usage=usage)


def storage_without_contract(state: Overlay, account_id: str, *, account: Account) -> int:
    """Bytes that the account uses beside its contract."""
    return saturating_sub(account.storage_usage, contract_storage_usage(state, account_id, account=account))


def contract_storage_usage(state: Overlay, account_id: str, *, account: Account) -> int:
    """Bytes that the account is billed for its contract: the code of its own, or the name of a global one."""
    if isinstance(account.contract, LocalContract):
        return code_length(state, account_id)
    return identifier_storage_usage(account.contract)


def code_length(state: Overlay, account_id: str) -> int:
    """Bytes of the account's own code, 0 without any; the code itself is not read."""
    found = state.ref(keys.contract_code(account_id))
    return 0 if found is None else found.length


def code_hash_of(state: Overlay, account_id: str, *, account: Account, chain_id: str) -> tuple[bytes | None, bytes]:
    """The hash of the code that a call of the account runs, `None` without a contract, and the row that holds it.

    Raises `InconsistentStateError` when the account names a global contract that is not in the state.
    """
    contract = account.contract
    if contract is None:
        return None, b""
    if isinstance(contract, LocalContract):
        if kind(account_id) is not AccountKind.ETH_IMPLICIT or contract.code_hash not in eth_wallet.LEGACY_MARKERS:
            return contract.code_hash, keys.contract_code(account_id)
        contract = GlobalContract(eth_wallet.wallet_code_hash(chain_id))
    key = keys.global_contract_code(contract)
    if isinstance(contract, GlobalContract):
        return contract.code_hash, key
    found = state.ref(key)
    if found is None:
        raise InconsistentStateError(f"the global contract of {contract.account_id} is not in the state")
    return found.hash, key
