"""What a receipt gives back: gas that it did not use, the difference to a cheaper price, deposits that failed.

Gas is bought at one price when a transaction is converted and burnt at the price of the block, never above the
price it was bought at. The surplus returns with the unused gas, except for what creating an account costs more.

Mirrors nearcore: runtime/runtime/src/lib.rs (`refund_unspent_gas_and_deposits`)
"""

from typing import NamedTuple

from near_tee_cli.errors import InconsistentStateError
from near_tee_cli.params.config import RuntimeConfig
from near_tee_cli.params.costs import ActionCost
from near_tee_cli.params.features import Feature
from near_tee_cli.primitives.integers import U64_MAX, saturating_sub
from near_tee_cli.primitives.schema.receipt import ActionReceipt, Receipt, balance_refund, gas_refund
from near_tee_cli.runtime.fees import receipt_gas, total_deposit


class Refund(NamedTuple):
    """The refund receipts, and amounts in yoctoNEAR that were kept or are missing."""

    receipts: tuple[Receipt, ...]
    price_deficit: int
    price_surplus: int
    penalty: int
    create_account_charge: int


NO_REFUND = Refund((), 0, 0, 0, 0)
"""What a refund itself gives back."""


def refund_of(
    config: RuntimeConfig,
    receipt: Receipt,
    body: ActionReceipt,
    *,
    failed: bool,
    gas_burnt: int,
    gas_used: int,
    burn_price: int,
    created_account: bool,
) -> Refund:
    """The refund of an executed receipt that is no refund itself. Prices in yoctoNEAR per gas.

    Raises `InconsistentStateError` when the receipt used more gas than it has.
    """
    price = body.gas_price
    paid = receipt_gas(config, body.actions, receiver_id=receipt.receiver_id)
    gross = paid - (gas_burnt if failed else gas_used)
    if gross < 0 or paid > U64_MAX:
        raise InconsistentStateError(f"a receipt to {receipt.receiver_id} uses more gas than was bought for it")
    cost_increase = Feature.ACCOUNT_COST_INCREASE.enabled(config.protocol_version)
    penalty = (burn_price if cost_increase else price) * _penalty_gas(config, gross)
    refund = saturating_sub(price * gross, penalty)
    deficit = saturating_sub(burn_price, price) * gas_burnt
    surplus = saturating_sub(price, burn_price) * gas_burnt
    charge = 0
    if cost_increase:
        if created_account:
            burnt = burn_price * config.fees[ActionCost.CREATE_ACCOUNT].execution.gas
            charge = min(saturating_sub(config.account_creation_charge, burnt), surplus)
        refund += surplus - charge
    receipts = []
    deposit = total_deposit(body.actions) if failed else 0
    if deposit > 0:
        receipts.append(balance_refund(body.refund_to or receipt.predecessor_id, deposit))
    if refund > 0:
        receipts.append(gas_refund(body.signer_id, refund, signer_public_key=body.signer_public_key))
    return Refund(tuple(receipts), deficit, surplus, penalty, charge)


def _penalty_gas(config: RuntimeConfig, gross: int) -> int:
    numerator, denominator = config.gas_refund_penalty
    return min(max(gross * numerator // denominator, config.min_gas_refund_penalty), gross)
