"""Read-only calls on a state.

A view runs as if the account called itself, with as much gas as one call may burn and nothing to spend. Nothing is
recorded, and what it would write is dropped.

Mirrors nearcore: runtime/runtime/src/state_viewer/mod.rs
"""

from typing import NamedTuple

from near_tee_cli.params.config import RuntimeConfig
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.receipt import NO_KEY
from near_tee_cli.primitives.schema.wire import NO_HASH
from near_tee_cli.runtime import rows
from near_tee_cli.runtime.actions.contracts import code_hash_of
from near_tee_cli.runtime.block import BlockContext, ChainContext
from near_tee_cli.runtime.chunk import Machine
from near_tee_cli.runtime.external import RuntimeExternal
from near_tee_cli.runtime.promises import Promises
from near_tee_cli.state.overlay import Overlay
from near_tee_cli.state.recorder import TouchCounter
from near_tee_cli.state.store import NodeStore
from near_tee_cli.state.trie import Trie
from near_tee_cli.vm.context import VMContext
from near_tee_cli.vm.outcome import CodeDoesNotExist, VMOutcome, nop_outcome


class View(NamedTuple):
    """A view call."""

    account_id: str
    method_name: str
    args: bytes


def run_view(
    config: RuntimeConfig,
    view: View,
    *,
    block: BlockContext,
    chain: ChainContext,
    store: NodeStore,
    root: bytes,
    machine: Machine,
) -> VMOutcome | None:
    """What the call comes to on the state under `root`, `None` when there is no such account.

    Raises `MissingNodeError` when the store lacks something, `HostError` when the machine cannot go on.
    """
    state = Overlay(Trie(store, root))
    account = rows.account(state, view.account_id)
    if account is None:
        return None
    code_hash, _ = code_hash_of(state, view.account_id, account=account, chain_id=chain.chain_id)
    code = None if code_hash is None else state.code(code_hash)
    if code is None or code_hash is None:
        return nop_outcome(CodeDoesNotExist(view.account_id))
    gas = config.vm.max_gas_burnt
    context = VMContext(
        current_account_id=view.account_id,
        signer_account_id=view.account_id,
        signer_account_pk=NO_KEY,
        predecessor_account_id=view.account_id,
        refund_to_account_id=view.account_id,
        input=view.args,
        promise_results=(),
        block_height=block.height,
        block_timestamp=block.timestamp,
        epoch_height=block.epoch_height,
        chain_id=chain.chain_id,
        account_balance=account.amount,
        account_locked_balance=account.locked,
        storage_usage=account.storage_usage,
        account_contract=account.contract,
        attached_deposit=0,
        prepaid_gas=gas,
        random_seed=sha256(NO_HASH + root),
        view_gas_limit=gas,
        output_data_receivers=(),
    )
    external = RuntimeExternal(
        state,
        view.account_id,
        touches=TouchCounter(),
        promises=Promises(),
        action_hash=NO_HASH,
        height=block.height,
        stakes=dict(chain.validators),
    )
    return machine.run(code, code_hash, method=view.method_name, context=context, external=external, config=config)
