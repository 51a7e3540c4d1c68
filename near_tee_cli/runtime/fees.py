"""What actions and transactions cost.

Sending an action is burnt where it is sent, executing it where it runs; both depend only on the action, the form of
the receiver's account id, and whether sender and receiver are the same (`sir`). Every fee is a pair of gas and
compute. Sums are plain integers: whoever needs a width checks it once at the end, as no part is negative.

Mirrors nearcore: runtime/runtime/src/config.rs, core/parameters/src/cost.rs
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

from near_tee_cli.params.config import RuntimeConfig
from near_tee_cli.params.costs import ActionCost, Cost
from near_tee_cli.primitives.account_id import AccountKind, kind
from near_tee_cli.primitives.integers import U64_MAX, U128_MAX
from near_tee_cli.primitives.keys import ML_DSA_65, trie_id_len
from near_tee_cli.primitives.schema import action as actions_
from near_tee_cli.primitives.schema.access_key import GAS_KEY_INFO_LENGTH, MIN_GAS_KEY_LENGTH
from near_tee_cli.primitives.schema.action import Action, Delegate, DelegateV2, FunctionCall, Transfer
from near_tee_cli.primitives.schema.global_contract import identifier_length
from near_tee_cli.primitives.schema.transaction import Transaction

NOTHING = Cost(0, 0)
"""No gas, no compute."""

NONCE_LENGTH = 8
"""Bytes of a nonce row."""


class TransactionCost(NamedTuple):
    """What a transaction costs its signer: gas and compute burnt at once, and amounts in yoctoNEAR."""

    gas_burnt: int
    compute_burnt: int
    receipt_gas_price: int
    """At which the gas of the receipt is bought."""
    burnt_amount: int
    gas_cost: int
    """`burnt_amount` and the price of all gas that the receipt may use."""
    deposit_cost: int
    total_cost: int


class Stage(IntEnum):
    """Which of a fee's three prices is meant; the numbers are positions in `Fee`."""

    SEND_SIR = 0
    SEND_NOT_SIR = 1
    EXECUTION = 2


def sending(*, sir: bool) -> Stage:
    """The stage of sending, to oneself or to somebody else."""
    return Stage.SEND_SIR if sir else Stage.SEND_NOT_SIR


def _with_bytes(config: RuntimeConfig, base: ActionCost, *, byte: ActionCost, count: int, stage: Stage) -> Cost:
    base_gas, base_compute = config.fees[base][stage]
    byte_gas, byte_compute = config.fees[byte][stage]
    return Cost(base_gas + byte_gas * count, base_compute + byte_compute * count)


def _sum(*costs: Cost) -> Cost:
    return Cost(sum(cost.gas for cost in costs), sum(cost.compute for cost in costs))


def send_fee(config: RuntimeConfig, action: Action, *, receiver_id: str, sir: bool) -> Cost:
    """The fee of sending `action` to `receiver_id`; a delegate includes the actions inside, at the same `sir`."""
    if isinstance(action, Delegate | DelegateV2):
        inner = action.delegate_action
        return _sum(
            config.fees[ActionCost.DELEGATE].send(sir=sir),
            send_fees(config, inner.actions, receiver_id=inner.receiver_id, sir=sir),
        )
    return _fee(config, action, receiver_id=receiver_id, stage=sending(sir=sir))


def execution_fee(config: RuntimeConfig, action: Action, *, receiver_id: str) -> Cost:
    """The fee of executing `action` at `receiver_id`; of a delegate only its own."""
    if isinstance(action, Delegate | DelegateV2):
        return config.fees[ActionCost.DELEGATE].execution
    return _fee(config, action, receiver_id=receiver_id, stage=Stage.EXECUTION)


def send_fees(config: RuntimeConfig, actions: Sequence[Action], *, receiver_id: str, sir: bool) -> Cost:
    """The fee of sending all `actions`."""
    gas = compute = 0
    for action in actions:
        fee = send_fee(config, action, receiver_id=receiver_id, sir=sir)
        gas += fee.gas
        compute += fee.compute
    return Cost(gas, compute)


def transfer_fee(config: RuntimeConfig, receiver_id: str, *, stage: Stage) -> Cost:
    """The fee of a transfer , which pays for the account that it might create."""
    fees = config.fees
    fee = fees[ActionCost.TRANSFER][stage]
    receiver_kind = kind(receiver_id)
    if receiver_kind is AccountKind.NAMED:
        return fee
    if receiver_kind is AccountKind.ETH_IMPLICIT and not config.vm.eth_implicit_accounts:
        return fee
    fee = _sum(fee, fees[ActionCost.CREATE_ACCOUNT][stage])
    if receiver_kind is AccountKind.NEAR_IMPLICIT:
        fee = _sum(fee, fees[ActionCost.ADD_FULL_ACCESS_KEY][stage])
    return fee


def _fee(config: RuntimeConfig, action: Action, *, receiver_id: str, stage: Stage) -> Cost:
    """Sending or executing an action that is no delegate."""
    if isinstance(action, FunctionCall):
        count = len(action.method_name.encode()) + len(action.args)
        return _with_bytes(
            config, ActionCost.FUNCTION_CALL_BASE, byte=ActionCost.FUNCTION_CALL_BYTE, count=count, stage=stage
        )
    if isinstance(action, Transfer):
        return transfer_fee(config, receiver_id, stage=stage)
    plain = _PLAIN.get(type(action))
    if plain is not None:
        return config.fees[plain][stage]
    if isinstance(action, actions_.DeployContract):
        base, byte, count = ActionCost.DEPLOY_CONTRACT_BASE, ActionCost.DEPLOY_CONTRACT_BYTE, len(action.code)
        return _with_bytes(config, base, byte=byte, count=count, stage=stage)
    if isinstance(action, actions_.DeployGlobalContract):
        base, byte = ActionCost.DEPLOY_GLOBAL_CONTRACT_BASE, ActionCost.DEPLOY_GLOBAL_CONTRACT_BYTE
        return _with_bytes(config, base, byte=byte, count=len(action.code), stage=stage)
    if isinstance(action, actions_.UseGlobalContract):
        base, byte = ActionCost.USE_GLOBAL_CONTRACT_BASE, ActionCost.USE_GLOBAL_CONTRACT_BYTE
        return _with_bytes(config, base, byte=byte, count=identifier_length(action.contract_identifier), stage=stage)
    if isinstance(action, actions_.AddKey):
        return _add_key_fee(config, action, receiver_id=receiver_id, stage=stage)
    if isinstance(action, actions_.DeterministicStateInit):
        rows = action.state_init.data
        entry_gas, entry_compute = config.fees[ActionCost.DETERMINISTIC_STATE_INIT_ENTRY][stage]
        base, byte = ActionCost.DETERMINISTIC_STATE_INIT_BASE, ActionCost.DETERMINISTIC_STATE_INIT_BYTE
        length = sum(len(key) + len(value) for key, value in rows)
        fee = _with_bytes(config, base, byte=byte, count=length, stage=stage)
        return Cost(fee.gas + entry_gas * len(rows), fee.compute + entry_compute * len(rows))
    if isinstance(action, actions_.TransferToGasKey | actions_.WithdrawFromGasKey):
        count = trie_id_len(action.public_key)
        if stage is Stage.EXECUTION:
            count = _access_key_length(receiver_id, action.public_key) + MIN_GAS_KEY_LENGTH
        base, byte = ActionCost.GAS_KEY_TRANSFER_BASE, ActionCost.GAS_KEY_BYTE
        return _with_bytes(config, base, byte=byte, count=count, stage=stage)
    raise TypeError(f"no fee for {type(action).__name__}")


def _add_key_fee(config: RuntimeConfig, action: actions_.AddKey, *, receiver_id: str, stage: Stage) -> Cost:
    permission = action.access_key.function_call
    if permission is None:
        fee = config.fees[ActionCost.ADD_FULL_ACCESS_KEY][stage]
    else:
        # Each name counts with a terminating character that nobody stores any more.
        count = sum(len(name.encode()) + 1 for name in permission.method_names)
        base, byte = ActionCost.ADD_FUNCTION_CALL_KEY_BASE, ActionCost.ADD_FUNCTION_CALL_KEY_BYTE
        fee = _with_bytes(config, base, byte=byte, count=count, stage=stage)
    gas_key = action.access_key.gas_key
    if gas_key is None:
        return fee
    byte_gas, byte_compute = config.fees[ActionCost.GAS_KEY_BYTE][stage]
    if stage is not Stage.EXECUTION:
        return Cost(fee.gas + byte_gas * GAS_KEY_INFO_LENGTH, fee.compute + byte_compute * GAS_KEY_INFO_LENGTH)
    write_gas, write_compute = config.fees[ActionCost.GAS_KEY_NONCE_WRITE_BASE].execution
    row = _access_key_length(receiver_id, action.public_key) + 2 + NONCE_LENGTH
    count = gas_key.num_nonces
    return Cost(
        fee.gas + count * (write_gas + byte_gas * row), fee.compute + count * (write_compute + byte_compute * row)
    )


def _access_key_length(account_id: str, public_key: bytes) -> int:
    """Bytes of the trie key of an access key."""
    return 1 + len(account_id) + 1 + trie_id_len(public_key)


_PLAIN: dict[type[Action], ActionCost] = {
    actions_.CreateAccount: ActionCost.CREATE_ACCOUNT,
    actions_.Stake: ActionCost.STAKE,
    actions_.DeleteKey: ActionCost.DELETE_KEY,
    actions_.DeleteAccount: ActionCost.DELETE_ACCOUNT,
}


def prepaid_execution_fees(config: RuntimeConfig, actions: Sequence[Action], *, receiver_id: str) -> int:
    """Gas that executing all `actions` takes; a delegate includes its inner receipt."""
    gas = 0
    for action in actions:
        gas += execution_fee(config, action, receiver_id=receiver_id).gas
        if isinstance(action, Delegate | DelegateV2):
            inner = action.delegate_action
            gas += prepaid_execution_fees(config, inner.actions, receiver_id=inner.receiver_id)
            gas += config.fees[ActionCost.NEW_ACTION_RECEIPT].execution.gas
    return gas


def prepaid_send_fees(config: RuntimeConfig, actions: Sequence[Action]) -> Cost:
    """What delegates among `actions` will burn to send the actions inside; nothing for all others."""
    total = NOTHING
    for action in actions:
        if isinstance(action, Delegate | DelegateV2):
            inner = action.delegate_action
            sir = inner.sender_id == inner.receiver_id
            total = _sum(total, send_fees(config, inner.actions, receiver_id=inner.receiver_id, sir=sir))
    return total


def prepaid_gas(actions: Sequence[Action]) -> int:
    """Gas attached to the function calls among `actions`, inside delegates too."""
    gas = 0
    for action in actions:
        if isinstance(action, FunctionCall):
            gas += action.gas
        elif isinstance(action, Delegate | DelegateV2):
            gas += prepaid_gas(action.delegate_action.actions)
    return gas


def total_deposit(actions: Sequence[Action]) -> int:
    """The yoctoNEAR that `actions` carry, inside delegates too."""
    deposit = 0
    for action in actions:
        if isinstance(action, _WITH_DEPOSIT):
            deposit += action.deposit
        elif isinstance(action, Delegate | DelegateV2):
            deposit += total_deposit(action.delegate_action.actions)
    return deposit


_WITH_DEPOSIT = (FunctionCall, Transfer, actions_.DeterministicStateInit, actions_.TransferToGasKey)


def receipt_gas(config: RuntimeConfig, actions: Sequence[Action], *, receiver_id: str) -> int:
    """All gas that was bought for a receipt of `actions`: attached, for executing, and for what delegates send."""
    gas = config.fees[ActionCost.NEW_ACTION_RECEIPT].execution.gas
    gas += prepaid_gas(actions) + prepaid_send_fees(config, actions).gas
    return gas + prepaid_execution_fees(config, actions, receiver_id=receiver_id)


def transaction_cost(config: RuntimeConfig, transaction: Transaction, *, gas_price: int) -> TransactionCost | None:
    """What `transaction` costs at the block's `gas_price` (yoctoNEAR), `None` if that fits no balance."""
    actions = transaction.actions
    receiver_id = transaction.receiver_id
    sir = transaction.signer_id == receiver_id
    burnt = _sum(
        config.fees[ActionCost.NEW_ACTION_RECEIPT].send(sir=sir),
        send_fees(config, actions, receiver_id=receiver_id, sir=sir),
        _signature_costs(config, transaction),
    )
    remaining = receipt_gas(config, actions, receiver_id=receiver_id)
    if burnt.gas > U64_MAX or burnt.compute > U64_MAX or remaining > U64_MAX:
        return None
    receipt_gas_price = max(gas_price, config.min_gas_purchase_price)
    burnt_amount = gas_price * burnt.gas
    gas_cost = burnt_amount + receipt_gas_price * remaining
    deposit_cost = total_deposit(actions)
    total_cost = gas_cost + deposit_cost
    if total_cost > U128_MAX:
        return None
    return TransactionCost(
        burnt.gas, burnt.compute, receipt_gas_price, burnt_amount, gas_cost, deposit_cost, total_cost
    )


def _signature_costs(config: RuntimeConfig, transaction: Transaction) -> Cost:
    """What verifying the signatures costs beyond the classical schemes: the signer's and each delegate's."""
    keys = [transaction.public_key]
    for action in transaction.actions:
        if isinstance(action, Delegate | DelegateV2):
            keys.append(action.delegate_action.public_key)
    count = sum(key[0] == ML_DSA_65 for key in keys)
    gas, compute = config.ml_dsa_65_verification_cost
    return Cost(gas * count, compute * count)
