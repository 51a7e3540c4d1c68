"""What a contract is told of the world around it."""

from near_tee_cli.primitives import base58
from near_tee_cli.primitives.schema.action import FunctionCall
from tests.support.worlds import PythonMachine, account, block, receipt_of, world


def test_the_seed_follows_from_the_receipt_and_the_block() -> None:
    seen = []
    machine = PythonMachine(look=lambda context, external: seen.append(context.random_seed))
    receipt = receipt_of(FunctionCall("look", b"", 10**13, 0))
    receipt = receipt._replace(receipt_id=base58.decode("J2wEdVndAStvxh1gXtNi2tPKBQapDUPj2N2qafoiUQ2h", 32))
    state = world(account("a.near", code=b"code"))
    state.produce_block(block(1), receipts=[receipt], machine=machine)
    assert seen[0].hex() == "2a7b2aff21c2e2d75eb2dfb716d9e39adb2754d81c4b2fe355436e37da84d3a0"
    again = world(account("a.near", code=b"code"))
    again.produce_block(block(1, random_seed=b"\1" * 32), receipts=[receipt], machine=machine)
    assert seen[1] != seen[0]
