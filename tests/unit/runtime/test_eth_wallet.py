"""The wallet of Ethereum-implicit accounts (runtime/near-wallet-contract/src/lib.rs)."""

import pytest

from near_tee_cli.primitives import base58
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.runtime.eth_wallet import LEGACY_MARKERS, wallet_code_hash


@pytest.mark.parametrize(
    ("chain_id", "code_hash"),
    [
        ("mainnet", "2zodJZK2e4nnv5AqwCRnenNSmkikXhEd7PPY6BmfTmW4"),
        ("mocknet", "2zodJZK2e4nnv5AqwCRnenNSmkikXhEd7PPY6BmfTmW4"),
        ("testnet", "3PpYvRxBfC5BkZxTw8ZFG3D52w1ZRhvDDWirKoxphMDn"),
        ("localnet", "FAq9tQRbwJPTV3PQLn2F7AUD3FW2Fw1V8ZeZuazfeu1v"),
        ("anything", "FAq9tQRbwJPTV3PQLn2F7AUD3FW2Fw1V8ZeZuazfeu1v"),
    ],
)
def test_wallets(chain_id, code_hash) -> None:
    assert base58.encode(wallet_code_hash(chain_id)) == code_hash


def test_markers_of_older_accounts() -> None:
    assert sha256(b"near" + base58.encode(wallet_code_hash("localnet")).encode()) in LEGACY_MARKERS
    assert len(LEGACY_MARKERS) == 4
