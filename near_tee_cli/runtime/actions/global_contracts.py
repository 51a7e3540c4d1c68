"""Sharing code with everybody: deploying a global contract, and distributing it to the shards.

Mirrors nearcore: runtime/runtime/src/global_contracts.rs
"""

from near_tee_cli.errors import InconsistentStateError
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.account import GlobalContract, GlobalContractByAccount
from near_tee_cli.primitives.schema.action import DeployGlobalContract, DeployMode
from near_tee_cli.primitives.schema.global_contract import GlobalContractIdentifier
from near_tee_cli.primitives.schema.receipt import (
    GLOBAL_CONTRACT_DISTRIBUTION,
    SYSTEM,
    GlobalContractDistribution,
    Receipt,
)
from near_tee_cli.primitives.schema.wire import NO_HASH, u64
from near_tee_cli.runtime.actions.execution import ActionResult, Execution
from near_tee_cli.runtime.block import SHARD_ID
from near_tee_cli.runtime.chunk import Chunk
from near_tee_cli.state import keys
from near_tee_cli.state.overlay import Overlay


def deploy_global_contract(execution: Execution, action: DeployGlobalContract, *, result: ActionResult) -> None:
    """Burn the price of the code's storage and send the code on its way."""
    chunk, account_id, account = execution.chunk, execution.account_id, execution.existing
    cost = chunk.config.global_contract_storage_amount_per_byte * len(action.code)
    if account.amount < cost:
        result.error = {"LackBalanceForState": {"account_id": account_id, "amount": str(cost)}}
        return
    result.tokens_burnt += cost
    execution.account = account._replace(amount=account.amount - cost)
    identifier: GlobalContractIdentifier = GlobalContractByAccount(account_id)
    if action.deploy_mode == DeployMode.CODE_HASH:
        identifier = GlobalContract(sha256(action.code))
    # The nonce is written at once, so that no second distribution can start with it.
    nonce = _nonce(chunk.state, identifier) + 1
    chunk.state.set(keys.global_contract_nonce(identifier), u64(nonce))
    body = GlobalContractDistribution(GLOBAL_CONTRACT_DISTRIBUTION, identifier, SHARD_ID, (), action.code, nonce)
    result.new_receipts.append(Receipt(account_id, SYSTEM, NO_HASH, body))


def distribute(chunk: Chunk, body: GlobalContractDistribution) -> int:
    """Store distributed code unless newer code is here already; the compute that it takes.

    The receipt would then go on to the next shard; there is none.
    """
    nonce = body.nonce or 0
    if nonce < _nonce(chunk.state, body.id):
        return 0
    chunk.state.set(keys.global_contract_nonce(body.id), u64(nonce))
    chunk.state.set(keys.global_contract_code(body.id), body.code)
    chunk.state.commit()
    per_byte = chunk.config.deploy_global_contract_execution_per_byte
    return chunk.config.deploy_global_contract_execution_base + per_byte * len(body.code)


def _nonce(state: Overlay, identifier: GlobalContractIdentifier) -> int:
    data = state.get(keys.global_contract_nonce(identifier))
    if data is None:
        return 0
    if len(data) != 8:
        raise InconsistentStateError("the nonce of a global contract is malformed")
    return int.from_bytes(data, "little")
