"""Where tokens are: on accounts and gas keys, and in receipts together with the gas that was bought for them.

A chain neither loses tokens nor makes any, but for what it burns and the little that it gives for free. nearcore had a
check of that and has none any more; here whoever sums up a run can ask for it.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from near_tee_cli.errors import NearTeeError
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
from near_tee_cli.runtime.world import Transition
from near_tee_cli.state import keys

_PLAIN_RECEIPTS = ("PostponedReceipt", "PromiseYieldReceipt")
_QUEUED_RECEIPTS = ("DelayedReceipt", "BufferedReceipt")

Change = tuple[bytes, bytes | None, bytes | None]
"""A trie key, and its value before and after; `None` for no row."""


def receipt_value(config: RuntimeConfig, receipt: Receipt) -> int:
    """Tokens (yoctoNEAR) that travel with a receipt: its deposits, and the price of the gas that was bought for it."""
    body = receipt.body
    if not isinstance(body, ActionReceipt):
        return 0
    gas = 0 if receipt.predecessor_id == SYSTEM else receipt_gas(config, body.actions, receiver_id=receipt.receiver_id)
    return total_deposit(body.actions) + gas * body.gas_price


class RowTokens(NamedTuple):
    """yoctoNEAR in a row."""

    account_id: str | None
    """Whose they are; `None` for a receipt's."""
    amount: int


_NOTHING = RowTokens(None, 0)


def row_tokens(config: RuntimeConfig, key: bytes, value: bytes) -> RowTokens:
    """The tokens in one row. Raises `BadInputError` for a row that cannot be read."""
    row = keys.describe(key)
    if row.column == "Account":
        account = decode_account(value)
        return RowTokens(row.account_id, account.amount + account.locked)
    if row.column == "AccessKey":
        gas_key = decode_access_key(value).gas_key
        return _NOTHING if gas_key is None else RowTokens(row.account_id, gas_key.balance)
    if row.column in _PLAIN_RECEIPTS:
        return RowTokens(None, receipt_value(config, decode_receipt(value)))
    if row.column in _QUEUED_RECEIPTS:
        # The bounds of a queue share its column, and have no receipt.
        return RowTokens(None, receipt_value(config, decode_state_stored_receipt(value).receipt))
    return _NOTHING


class Balances(NamedTuple):
    """Where tokens went in a run of blocks, all in yoctoNEAR; `accounts` + `waiting` + `burnt` = `came_in`."""

    accounts: dict[str, int]
    """Account -> by how much what it holds (stake and gas keys included) has changed; ascending names."""
    waiting: int
    """By how much the value of receipts that are in flight or wait has changed."""
    burnt: int
    """What left circulation, less the little that was given for free."""
    came_in: int
    """The value of receipts that came from outside."""
    tokens_burnt: int
    """What all outcomes say was burnt; the rest of it went to contracts."""
    burnt_for_gas: int
    """What was burnt for gas and not given to contracts."""

    @property
    def to_contracts(self) -> int:
        """The part of the burnt gas that contracts got."""
        return self.tokens_burnt - self.burnt_for_gas


def balances_of(
    config: RuntimeConfig,
    transitions: Sequence[Transition],
    *,
    changes: Iterable[Change],
    in_flight: tuple[Receipt, ...],
) -> Balances:
    """Where tokens went in consecutive `transitions`.

    `changes` are the rows that differ, `in_flight` the receipts that were on their way before.

    Raises `NearTeeError` (`internal`) when anything was lost or made: then applying the blocks has gone wrong.
    """
    accounts: dict[str, int] = {}
    waiting = 0
    for key, before, after in changes:
        for value, sign in ((before, -1), (after, 1)):
            if value is None:
                continue
            account_id, amount = row_tokens(config, key, value)
            if account_id is None:
                waiting += sign * amount
            else:
                accounts[account_id] = accounts.get(account_id, 0) + sign * amount
    came_in = 0
    forwarded = in_flight
    for transition in transitions:
        outside = transition.inputs.receipts[len(forwarded) :]
        came_in += sum(receipt_value(config, receipt) for receipt in outside)
        forwarded = transition.result.outgoing_receipts
    waiting += sum(receipt_value(config, receipt) for receipt in forwarded)
    waiting -= sum(receipt_value(config, receipt) for receipt in in_flight)
    stats = [transition.result.balance_stats for transition in transitions]
    for_gas = sum(one.tx_burnt_amount for one in stats)
    burnt = for_gas + sum(one.slashed_burnt_amount + one.other_burnt_amount - one.subsidized_amount for one in stats)
    tokens_burnt = sum(entry.outcome.tokens_burnt for one in transitions for entry in one.result.outcomes)
    found = Balances(dict(sorted(accounts.items())), waiting, burnt, came_in, tokens_burnt, for_gas)
    difference = sum(accounts.values()) + waiting + burnt - came_in
    if difference:
        raise NearTeeError(f"{difference} yoctoNEAR came from nowhere, or went there", hint="please report it")
    return found
