"""What sending actions and receipts costs the sender.

The sending part is burnt at once, the execution part only reserved: whoever executes burns it. `sir` says that the
sender is the receiver, which is cheaper to send.

Mirrors nearcore: runtime/near-vm-runner/src/wasmtime_runner/logic.rs, core/parameters/src/cost.rs
"""

from collections.abc import Iterable

from near_tee_cli.errors import UnsupportedError
from near_tee_cli.params.costs import ActionCost, Cost
from near_tee_cli.primitives.account_id import AccountKind, kind
from near_tee_cli.vm.failure import U64_MAX
from near_tee_cli.vm.logic import Logic

_TRANSFER = ActionCost.TRANSFER.value
_CREATE_ACCOUNT = ActionCost.CREATE_ACCOUNT.value
_ADD_FULL_ACCESS_KEY = ActionCost.ADD_FULL_ACCESS_KEY.value
_NEW_ACTION_RECEIPT = ActionCost.NEW_ACTION_RECEIPT.value
_NEW_DATA_RECEIPT_BASE = ActionCost.NEW_DATA_RECEIPT_BASE.value
_NEW_DATA_RECEIPT_BYTE = ActionCost.NEW_DATA_RECEIPT_BYTE.value
_GAS_KEY_TRANSFER_BASE = ActionCost.GAS_KEY_TRANSFER_BASE.value
_GAS_KEY_BYTE = ActionCost.GAS_KEY_BYTE.value
_GAS_KEY_NONCE_WRITE_BASE = ActionCost.GAS_KEY_NONCE_WRITE_BASE.value

_GAS_KEY_INFO_BYTES = 18
_GAS_KEY_VALUE_BYTES = 27
_NONCE_INDEX_BYTES = 2
_NONCE_BYTES = 8


def pay_action(logic: Logic, action: int, *, sir: bool) -> None:
    """The fee of one action."""
    fee = logic.fees[action]
    send = fee.send_sir if sir else fee.send_not_sir
    logic.gas.pay_action(action, send.gas, use=send.gas + fee.execution.gas, compute=send.compute)


def pay_action_bytes(logic: Logic, action: int, count: int, *, sir: bool) -> None:
    """The fee of `count` bytes of an action."""
    fee = logic.fees[action]
    send = fee.send_sir if sir else fee.send_not_sir
    burn = send.gas * count
    logic.gas.pay_action(action, burn, use=burn + fee.execution.gas * count, compute=send.compute * count)


def pay_new_receipt(logic: Logic, *, sir: bool, dependencies: Iterable[bool]) -> None:
    """The fee of a receipt; for each receipt it waits for: whether that one's receiver is its own.

    Data receipts are burnt in full, execution included, and everything stands under one cost.
    """
    receipt = logic.fees[_NEW_ACTION_RECEIPT]
    data = logic.fees[_NEW_DATA_RECEIPT_BASE]
    send = receipt.send_sir if sir else receipt.send_not_sir
    burn, compute = send.gas, send.compute
    for own in dependencies:
        data_send = data.send_sir if own else data.send_not_sir
        burn += data_send.gas + data.execution.gas
        compute += data_send.compute + data.execution.compute
    logic.gas.pay_action(_NEW_ACTION_RECEIPT, burn, use=burn + receipt.execution.gas, compute=compute)


def pay_returned_bytes(logic: Logic, count: int) -> None:
    """The fee of handing `count` bytes to everybody who waits for the result, burnt in full."""
    fee = logic.fees[_NEW_DATA_RECEIPT_BYTE]
    current = logic.context.current_account_id
    burn = compute = 0
    for receiver in logic.context.output_data_receivers:
        send = fee.send_sir if receiver == current else fee.send_not_sir
        burn += (send.gas + fee.execution.gas) * count
        compute += (send.compute + fee.execution.compute) * count
    logic.gas.pay_action(_NEW_DATA_RECEIPT_BYTE, burn, use=burn, compute=compute)


def pay_transfer(logic: Logic, receiver_id: str, *, sir: bool) -> None:
    """The fee of a transfer, which pays for making the account too where `receiver_id` allows that."""
    burn = compute = execution = 0
    for part in _transfer_parts(receiver_id, eth_implicit_accounts=logic.vm.eth_implicit_accounts):
        fee = logic.fees[part]
        send = fee.send_sir if sir else fee.send_not_sir
        burn += send.gas
        compute += send.compute
        execution += fee.execution.gas
    logic.gas.pay_action(_TRANSFER, burn, use=burn + execution, compute=compute)


def pay_gas_key_transfer(logic: Logic, *, sir: bool, receiver_id: str, key_length: int) -> None:
    """The fee of funding a gas key; `key_length` is what the contract said its length is."""
    byte = logic.fees[_GAS_KEY_BYTE]
    send = _times(byte.send(sir=sir), key_length)
    execution = _times(byte.execution, _key_row_bytes(receiver_id, key_length) + _GAS_KEY_VALUE_BYTES)
    pay_action(logic, _GAS_KEY_TRANSFER_BASE, sir=sir)
    logic.gas.pay_action(_GAS_KEY_BYTE, send.gas, use=send.gas + execution.gas, compute=send.compute)


def pay_new_gas_key(logic: Logic, *, sir: bool, receiver_id: str, key_length: int, num_nonces: int) -> None:
    """What a gas key costs beyond an ordinary one: its balance and a row for each nonce."""
    base = _times(logic.fees[_GAS_KEY_NONCE_WRITE_BASE].execution, num_nonces)
    byte = logic.fees[_GAS_KEY_BYTE]
    row = _key_row_bytes(receiver_id, key_length) + _NONCE_INDEX_BYTES + _NONCE_BYTES
    execution = _times(_times(byte.execution, row), num_nonces)
    send = _times(byte.send(sir=sir), _GAS_KEY_INFO_BYTES)
    logic.gas.pay_action(_GAS_KEY_NONCE_WRITE_BASE, 0, use=base.gas, compute=0)
    logic.gas.pay_action(_GAS_KEY_BYTE, send.gas, use=send.gas + execution.gas, compute=send.compute)


def _transfer_parts(receiver_id: str, *, eth_implicit_accounts: bool) -> tuple[int, ...]:
    account_kind = kind(receiver_id)
    if account_kind is AccountKind.NAMED:
        return (_TRANSFER,)
    if account_kind is AccountKind.NEAR_IMPLICIT:
        return (_TRANSFER, _CREATE_ACCOUNT, _ADD_FULL_ACCESS_KEY)
    if account_kind is AccountKind.ETH_IMPLICIT and not eth_implicit_accounts:
        return (_TRANSFER,)
    return (_TRANSFER, _CREATE_ACCOUNT)


def _key_row_bytes(account_id: str, key_length: int) -> int:
    """Length of the trie key of an access key: column, account, separator, key."""
    return 1 + len(account_id) + 1 + key_length


def _times(cost: Cost, count: int) -> Cost:
    """`count` times `cost`. Where that leaves u64 the chain's nodes stop, so there is nothing to agree with."""
    product = Cost(cost.gas * count, cost.compute * count)
    if max(product) > U64_MAX:
        raise UnsupportedError(
            "the fee of this gas key exceeds 64 bits, which no node of the chain survives", what="gas-key-fee"
        )
    return product
