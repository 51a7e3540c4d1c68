"""Bundles in which a contract changes on the way: calls of one contract beside calls of another."""

import functools

from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.action import DeployContract, FunctionCall
from near_tee_cli.primitives.schema.receipt import Receipt
from near_tee_cli.proof.prover import Proof, prove
from tests.support import worlds
from tests.support.bundles import SMALL_CONTRACT
from tests.support.machines import machine
from tests.support.wat import wat

OLD, NEW = wat(SMALL_CONTRACT), wat(SMALL_CONTRACT.replace("keyvalue", "keyother"))
OLD_HASH, NEW_HASH = sha256(OLD), sha256(NEW)
CALL = FunctionCall("set", b"{}", 10**13, 0)
DEPLOY = DeployContract(NEW)


def received(number: int, *actions) -> Receipt:
    """A receipt of the account to itself."""
    return worlds.receipt_of(*actions, sender="a.near", number=number)


@functools.cache
def proof(*blocks: tuple[Receipt, ...], version: int = 86) -> Proof:
    """The account has the old contract; each block takes its receipts in, and one more settles."""
    world = worlds.world(worlds.account("a.near", code=OLD), version=version)
    transitions = [
        world.produce_block(worlds.block(height), receipts=receipts, machine=machine())
        for height, receipts in enumerate((*blocks, ()), 1)
    ]
    return prove(world.config, world.chain, transitions=transitions, machine=machine())
