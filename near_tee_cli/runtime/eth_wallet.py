"""The wallet contract that Ethereum-implicit accounts run.

Such accounts name a global contract whose hash depends on the chain. Older ones carry the hash of a marker text
instead, `near` followed by the hash of one of four wallets; all four are known on every chain.

Mirrors nearcore: runtime/near-wallet-contract/src/lib.rs
"""

_MAINNET = bytes.fromhex("1daa835c4637f7ae3d924095ba3f0bf2829bcfa17b1068cd58bd853dcad7ceb5")
_TESTNET = bytes.fromhex("238feac1f86cc9f9f4003e3f6d5aebc04eaea9c394032bd29470e9609b67f6c5")
_LOCALNET = bytes.fromhex("d2884a900d4fa370e48f1e3d4865d4dc0dbd093c89f0e7baef2eddc142c49e8d")

_BY_CHAIN = {"mainnet": _MAINNET, "mocknet": _MAINNET, "testnet": _TESTNET}

LEGACY_MARKERS = frozenset(
    (
        bytes.fromhex("5abc64622ddd3661899e5d765e7a5295115e9057c54e9bbb9f0f0e02cd1d2116"),
        bytes.fromhex("b4fbbc964b350bd021b4a785b9ddd63e41d6f132702a6b38a23b5648ab2fb472"),
        bytes.fromhex("394abeb35e707609de8f73b63d43bd1a376ffe67935caa68937dd29bc04e673c"),
        bytes.fromhex("3e6d7dd8c2578ac8a5ebe78fd32d600a555cef5ef7445d3a964658669d707cf2"),
    )
)
"""Hashes of the marker texts: of the wallets of mainnet, testnet, testnet at version 70, and local chains."""


def wallet_code_hash(chain_id: str) -> bytes:
    """The hash of the wallet contract on a chain; chains without a name share that of local ones."""
    return _BY_CHAIN.get(chain_id, _LOCALNET)
