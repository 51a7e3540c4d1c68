"""How much an account must hold for the storage it uses.

Mirrors nearcore: runtime/runtime/src/verifier.rs
"""

from near_tee_cli.params.config import RuntimeConfig
from near_tee_cli.primitives.schema.account import Account

ZERO_BALANCE_ACCOUNT_STORAGE_LIMIT = 770
"""Bytes up to which an account need not hold anything."""


def lacking_balance(config: RuntimeConfig, account: Account, *, amount: int) -> int:
    """The yoctoNEAR that `account` would lack for its storage if it held `amount`; 0 when that is enough."""
    required = config.storage_amount_per_byte * account.storage_usage
    lacking = required - amount - account.locked
    if lacking <= 0 or account.storage_usage <= ZERO_BALANCE_ACCOUNT_STORAGE_LIMIT:
        return 0
    return lacking
