"""The id of a receipt that a command line makes.

On chain an id follows from what sent the receipt. Here nothing did, so the id is SHA-256 over a domain and the Borsh
of everything that defines the receipt and where it arrives:

    "near-tee/receipt/v1\\0"
    chain_id          string
    protocol_version  u32
    pre_state_root    [u8; 32]
    block_height      u64
    block_timestamp   u64
    random_seed       [u8; 32]
    receipt           Receipt, with an id of 32 zero bytes

The action hash, data ids, child ids and the random seed of the call follow from it exactly as on chain.
"""

from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.receipt import Receipt, encode_receipt
from near_tee_cli.primitives.schema.wire import NO_HASH, string, u32, u64
from near_tee_cli.runtime.block import BlockContext

DOMAIN = b"near-tee/receipt/v1\0"


def receipt_id(
    receipt: Receipt, block: BlockContext, *, chain_id: str, protocol_version: int, pre_state_root: bytes
) -> bytes:
    """The id (32 bytes) of `receipt`, whatever id it carries, when it arrives in `block`."""
    place = u64(block.height) + u64(block.timestamp) + block.random_seed
    content = encode_receipt(receipt._replace(receipt_id=NO_HASH))
    return sha256(DOMAIN + string(chain_id) + u32(protocol_version) + pre_state_root + place + content)
