"""The layout of snapshots in Borsh as a declared schema, for whoever reads them with other tools."""

from functools import cache

from near_tee_cli.primitives import borsh
from near_tee_cli.primitives.borsh import Schema
from near_tee_cli.proof.schemas import block, carried


@cache
def snapshot() -> Schema:
    """A whole file."""
    return borsh.record(
        magic=borsh.raw(8),
        version=borsh.u16,
        protocol_version=borsh.u32,
        chain_id=borsh.string,
        validators=borsh.vector(borsh.record(account_id=borsh.string, stake=borsh.u128)),
        minimum_stake=borsh.option(borsh.u128),
        block=borsh.option(block()),
        state_root=borsh.option(borsh.hash32),
        receipts=borsh.vector(borsh.blob),
        carried=carried(),
        rows=borsh.vector(borsh.record(key=borsh.blob, value=borsh.blob)),
    )
