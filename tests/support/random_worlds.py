"""Random chains: a world of a few accounts and contracts, and blocks in which everything happens that may.

A driver is deterministic in its seed. Most of what it tries succeeds, some of it cannot.
"""

import random

from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.keys import ED25519, public_key_of, secret_key_from_seed, sign
from near_tee_cli.primitives.schema import action as actions
from near_tee_cli.primitives.schema.access_key import full_access_key
from near_tee_cli.primitives.schema.action import Action
from near_tee_cli.primitives.schema.receipt import PROMISE_RESUME, DataReceipt, Receipt
from near_tee_cli.primitives.schema.transaction import (
    SignedTransaction,
    sign_with,
    transaction_hash,
    transaction_v0,
)
from near_tee_cli.runtime.block import BlockContext, ChainContext
from near_tee_cli.runtime.world import Transition, World
from tests.support import worlds
from tests.support.cli import PROJECT
from tests.support.machines import machine
from tests.support.steps import waiting_in

NEAR = worlds.NEAR
TERA = 10**12
WAT = PROJECT / "examples" / "wat"
CODES = {
    "contract.near": (WAT / "yield.wasm").read_bytes(),
    "counter.near": (WAT / "counter.wasm").read_bytes(),
    "ask.near": (WAT / "promise.wasm").read_bytes(),
}
USERS = ("a.near", "b.near", "user.near")
IMPLICIT = sha256(b"implicit").hex()
ETH_IMPLICIT = "0x" + sha256(b"eth").hex()[:40]
OTHERS = ("nobody.near", "sub.a.near", IMPLICIT, ETH_IMPLICIT)
METHODS = {
    "contract.near": ("ask", "ask", "ask_twice", "ask_named", "ask_both", "answer", "answer_named", "no_such_method"),
    "counter.near": ("increment", "get", "no_such_method"),
    "ask.near": ("ask", "ask", "give", "answered"),
}
PAYLOADS = (b"", b"yes", b"!", b"x" * 1024)


def new_world(version: int) -> World:
    """The world that every chain of that protocol version begins with."""
    records = [worlds.account(name, 1_000 * NEAR) for name in USERS]
    records += [worlds.account(name, 1_000 * NEAR, code=code, usage=20_000) for name, code in CODES.items()]
    world = worlds.world(*records, version=version)
    world.chain = ChainContext("localnet", (("v.near", 10**30),), minimum_stake=NEAR)
    return world


class Driver:
    """Makes the next block for a world, again and again."""

    def __init__(self, seed: int, version: int) -> None:
        self.random = random.Random(seed)
        self.world = new_world(version)
        self.block = worlds.block(1)
        self.nonces: dict[str, int] = {}

    def advance(self, world: World | None = None) -> Transition:
        """Apply one more block; to `world` when another one is to be driven on."""
        block, transactions, receipts = self.next()
        return (world or self.world).produce_block(
            block, transactions=transactions, receipts=receipts, machine=machine()
        )

    def next(self) -> tuple[BlockContext, list[SignedTransaction], list[Receipt]]:
        """A block and what comes in, for the world as it is."""
        draw = self.random
        self.block = self.block._replace(
            height=self.block.height + draw.choice((1, 1, 1, 1, 2, 200)),
            timestamp=self.block.timestamp + 10**9,
            random_seed=draw.randbytes(32),
            gas_price=draw.choice((10**8, 10**8, 10**9, 2 * 10**9)),
            gas_limit=draw.choice((10**15, 10**15, 10**15, 3 * TERA, 8 * TERA)),
            epoch_height=self.block.epoch_height + draw.choice((0, 0, 0, 1)),
        )
        transactions = [self._transaction() for _ in range(draw.choice((0, 1, 1, 2, 3)))]
        receipts = [self._resume()] if draw.random() < 0.15 else []
        return self.block, transactions, [one for one in receipts if one is not None]

    def _transaction(self) -> SignedTransaction:
        draw = self.random
        signer = draw.choice(USERS)
        receiver = draw.choice((*USERS, *CODES, *CODES, *OTHERS))
        count = draw.choice((1, 1, 1, 2, 3))
        if draw.random() < 0.3:
            receiver = signer
        own = receiver == signer
        things = [self._own_action(signer) if own else self._action(receiver) for _ in range(count)]
        nonce = self.nonces.get(signer, 0) + draw.choice((1, 1, 1, 1, 3, 0))
        self.nonces[signer] = max(nonce, self.nonces.get(signer, 0))
        transaction = transaction_v0(
            signer,
            worlds.public_key(signer),
            nonce=nonce,
            receiver_id=receiver,
            block_hash=bytes(32),
            actions=tuple(things),
        )
        return sign_with(transaction, sign(worlds.secret_key(signer), transaction_hash(transaction)))

    def _action(self, receiver: str) -> Action:
        draw = self.random
        if receiver in METHODS and draw.random() < 0.8:
            return actions.FunctionCall(
                draw.choice(METHODS[receiver]),
                draw.choice(PAYLOADS),
                draw.choice((30, 60, 100, 100)) * TERA,
                draw.choice((0, 0, 0, 1, NEAR)),
            )
        if receiver == "sub.a.near" and draw.random() < 0.6:
            return actions.CreateAccount()
        return actions.Transfer(draw.choice((0, 1, NEAR, 5 * NEAR, 10**30)))

    def _own_action(self, signer: str) -> Action:
        draw = self.random
        key = public_key_of(secret_key_from_seed(f"key {draw.randrange(3)}", scheme=ED25519))
        kind = draw.randrange(8)
        if kind == 0:
            return actions.AddKey(key, full_access_key(0))
        if kind == 1:
            return actions.DeleteKey(key)
        if kind == 2:
            return actions.Stake(draw.choice((0, 1, NEAR, 10 * NEAR, 10**31)), worlds.public_key(signer))
        if kind == 3:
            return actions.DeployContract(draw.choice(list(CODES.values())))
        if kind == 4 and draw.random() < 0.2:
            return actions.DeleteAccount(draw.choice((*USERS, "nobody.near")))
        if kind == 5:
            return actions.FunctionCall("ask", b"q", 50 * TERA, 0)
        return actions.Transfer(NEAR)

    def _resume(self) -> Receipt | None:
        """Data for a yield that waits, as a contract's resume sends it."""
        waiting = waiting_in(self.world)
        if not waiting:
            return None
        one = self.random.choice(waiting)
        body = DataReceipt(PROMISE_RESUME, one.data_id, self.random.choice(PAYLOADS))
        return Receipt(one.account_id, one.account_id, self.random.randbytes(32), body)
