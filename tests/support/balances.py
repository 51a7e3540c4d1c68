"""All the tokens of a world, wherever they are: on accounts, on gas keys, in receipts with the gas that they bought."""

from near_tee_cli.params.config import RuntimeConfig
from near_tee_cli.primitives.schema.access_key import decode_access_key
from near_tee_cli.primitives.schema.account import decode_account
from near_tee_cli.primitives.schema.receipt import (
    SYSTEM,
    ActionReceipt,
    Receipt,
    decode_receipt,
    decode_state_stored_receipt,
)
from near_tee_cli.runtime.fees import receipt_gas, total_deposit
from near_tee_cli.runtime.world import Transition, World
from near_tee_cli.state import keys

_PLAIN_RECEIPTS = ("PostponedReceipt", "PromiseYieldReceipt")
_QUEUED_RECEIPTS = ("DelayedReceipt", "BufferedReceipt")


def value_of(config: RuntimeConfig, receipt: Receipt) -> int:
    """yoctoNEAR that travel with a receipt: its deposits, and the gas that was bought for it."""
    body = receipt.body
    if not isinstance(body, ActionReceipt):
        return 0
    gas = 0 if receipt.predecessor_id == SYSTEM else receipt_gas(config, body.actions, receiver_id=receipt.receiver_id)
    return total_deposit(body.actions) + gas * body.gas_price


def tokens_of(world: World) -> int:
    """yoctoNEAR in the state and in flight."""
    config = world.config
    total = sum(value_of(config, receipt) for receipt in world.in_flight)
    for key, value in world.rows():
        column = keys.describe(key).column
        if column == "Account":
            account = decode_account(value)
            total += account.amount + account.locked
        elif column == "AccessKey":
            gas_key = decode_access_key(value).gas_key
            total += 0 if gas_key is None else gas_key.balance
        elif column in _PLAIN_RECEIPTS:
            total += value_of(config, decode_receipt(value))
        elif column in _QUEUED_RECEIPTS:
            total += value_of(config, decode_state_stored_receipt(value).receipt)
    return total


def gone(transition: Transition) -> int:
    """yoctoNEAR that left circulation in a block, less those that came into it.

    Gas that was bought more cheaply than it burns is burnt at the price it was bought at, so a deficit is no loss.
    """
    stats = transition.result.balance_stats
    return stats.tx_burnt_amount + stats.slashed_burnt_amount + stats.other_burnt_amount - stats.subsidized_amount
