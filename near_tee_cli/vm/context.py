"""Everything about a function call that is fixed before it begins.

Mirrors nearcore: runtime/near-vm-runner/src/logic/context.rs
"""

from typing import NamedTuple

from near_tee_cli.primitives.schema.account import AccountContract

PromiseResult = bytes | None
"""What a promise that the call waited for gave: its data, or `None` if it failed."""


class VMContext(NamedTuple):
    """One function call. Balances are in yoctoNEAR, gas in gas, heights and times as the block has them."""

    current_account_id: str
    """The account whose contract runs."""
    signer_account_id: str
    """Who signed the transaction that led here."""
    signer_account_pk: bytes
    """The key that signed it, Borsh."""
    predecessor_account_id: str
    """Who sent the receipt."""
    refund_to_account_id: str
    """Who gets balance refunds: the receipt's `refund_to`, else the predecessor."""
    input: bytes
    """The arguments."""
    promise_results: tuple[PromiseResult, ...]
    """One for each input data id of the receipt, in order."""
    block_height: int
    block_timestamp: int
    """Nanoseconds since 1970."""
    epoch_height: int
    chain_id: str
    account_balance: int
    """Liquid balance without `attached_deposit`."""
    account_locked_balance: int
    storage_usage: int
    """Bytes the account uses before the call."""
    account_contract: AccountContract
    attached_deposit: int
    prepaid_gas: int
    """Gas of the function call action."""
    random_seed: bytes
    """32 bytes, already particular to this action."""
    view_gas_limit: int | None
    """`None` for a transaction's call; in a view the most gas that it may burn."""
    output_data_receivers: tuple[str, ...]
    """Who waits for the result; empty unless this is the receipt's last action."""

    @property
    def is_view(self) -> bool:
        """Whether this call can change nothing."""
        return self.view_gas_limit is not None
