"""The defaults of a call given on the command line, in one table.

Each of them can influence a result, so each is recorded in the step. None depends on the clock, the environment or
the machine. docs/defaults.md shows the same table, and a test compares the two.
"""

CONTRACT = "contract.near"
"""The account that the contract runs as."""
SIGNER = "user.near"
"""Who signs, and the predecessor."""
SIGNER_KEY_SEED = "near-tee"
"""Published seed of the signer's ed25519 key, by the rule of NEAR's own tools: the text padded with blanks."""
SIGNER_PUBLIC_KEY = "ed25519:3wHg5Vs8YsuDXGkmsszLWV1gTCwqdNV3SPtzMLm8my2n"
"""The public key that belongs to it."""
BALANCE = 1_000 * 10**24
"""yoctoNEAR of every account that is made."""
LOCKED_BALANCE = 0
"""yoctoNEAR at stake."""
ARGS = b"{}"
"""Arguments of the method."""
GAS = 100 * 10**12
"""Gas attached to the call."""
VIEW_GAS = 300 * 10**12
"""Gas that a view may burn, as nodes allow it."""
DEPOSIT = 0
"""yoctoNEAR attached to the call."""
PROTOCOL_VERSION = 86
"""The newest one that is implemented."""
CHAIN_ID = "localnet"
"""What the chain is called, as in case files."""
GAS_PRICE = 100_000_000
"""yoctoNEAR per gas."""
GAS_LIMIT = 10**15
"""Gas of a chunk."""
BLOCK_HEIGHT = 1
"""Height of the block that the call runs in; each following block is one higher."""
BLOCK_TIMESTAMP = 100
"""Nanoseconds; each following block is a second later."""
BLOCK_INTERVAL = 1_000_000_000
"""Nanoseconds between blocks."""
MAX_BLOCKS = 100
"""Blocks after which a call that does not settle is left with what is in flight."""
EPOCH_HEIGHT = 0
SEED = bytes(32)
"""Random seed of the block."""
