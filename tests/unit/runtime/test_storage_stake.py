"""Storage stake: what an account must hold (runtime/runtime/src/verifier.rs)."""

import pytest

from near_tee_cli.params.store import config_at
from near_tee_cli.primitives.schema.account import new_account
from near_tee_cli.runtime.storage_stake import lacking_balance

PER_BYTE = 10**19


@pytest.mark.parametrize(
    ("usage", "amount", "locked", "lacking"),
    [
        (770, 0, 0, 0),
        (771, 0, 0, 771 * PER_BYTE),
        (771, 770 * PER_BYTE, 0, PER_BYTE),
        (771, 700 * PER_BYTE, 71 * PER_BYTE, 0),
        (771, 771 * PER_BYTE - 1, 0, 1),
        (771, 771 * PER_BYTE, 0, 0),
    ],
)
def test_lacking_balance(usage, amount, locked, lacking) -> None:
    account = new_account(0, locked, contract=None, storage_usage=usage)
    assert lacking_balance(config_at(86), account, amount=amount) == lacking
