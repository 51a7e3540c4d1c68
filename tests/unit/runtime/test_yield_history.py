"""Yields seen from outside: what a state says of them, and what a history says that follows the blocks."""

import pytest

from near_tee_cli.primitives.schema.receipt import PROMISE_RESUME, DataReceipt, Receipt
from near_tee_cli.runtime.yield_history import EXECUTED, PENDING, RESUMED, TIMED_OUT, continued
from tests.support import worlds
from tests.support.machines import machine
from tests.support.steps import ask, call, waiting_in, yield_world

TIMEOUT = worlds.CONFIG.yield_timeout_length_in_blocks
_FROM_BLOCKS_ONLY = ("created_at", "resumed_at", "timed_out_at", "data")


class Chain:
    """A world with its history, held against the state after every block."""

    def __init__(self) -> None:
        self.world = yield_world()
        self.history = ()

    def block(self, *methods: str, height: int, receipts: tuple[Receipt, ...] = ()) -> None:
        if methods:
            transition = ask(self.world, *methods, height=height)
        else:
            transition = self.world.produce_block(worlds.block(height), receipts=receipts, machine=machine())
        self.history = continued(self.history, [transition])
        self.agree()

    def agree(self) -> None:
        """The state says the same of what is not executed, as far as it can."""
        recorded = {one.name: one for one in self.history if one.status != EXECUTED}
        found = {one.name: one for one in waiting_in(self.world)}
        assert recorded.keys() == found.keys()
        for name, one in found.items():
            expected = recorded[name]._replace(**dict.fromkeys(_FROM_BLOCKS_ONLY))
            if one.expires_at is None:  # the entry is gone from the queue, the history remembers it
                expected = expected._replace(expires_at=None)
            assert one == expected

    @property
    def only(self):
        (one,) = self.history
        return one


def resume(one, data: bytes | None, number: int = 99) -> Receipt:
    return Receipt(one.account_id, one.account_id, bytes([number]) * 32, DataReceipt(PROMISE_RESUME, one.data_id, data))


def test_pending() -> None:
    chain = Chain()
    chain.block("ask", height=5)
    one = chain.only
    assert (one.status, one.created_at, one.expires_at) == (PENDING, 5, 5 + TIMEOUT)
    assert (one.account_id, one.method_name, one.args, one.gas) == (
        "contract.near", "answered", b"question", 20_000_000_000_000,
    )  # fmt: skip
    assert one.yield_id is None


def test_resumed_by_a_call_and_executed() -> None:
    chain = Chain()
    chain.block("ask", height=1)
    chain.block("answer", height=2)
    assert (chain.only.status, chain.only.resumed_at, chain.only.data) == (RESUMED, 2, b"question")
    chain.block(height=3)
    assert (chain.only.status, chain.only.executed_at, chain.only.failed) == (EXECUTED, 3, False)
    assert chain.only.timed_out_at is None


def test_resumed_in_the_call_that_yielded() -> None:
    chain = Chain()
    chain.block("ask_both", height=1)
    assert (chain.only.status, chain.only.created_at, chain.only.resumed_at) == (RESUMED, 1, 1)
    chain.block(height=2)
    assert (chain.only.status, chain.only.executed_at) == (EXECUTED, 2)


def test_the_first_answer_counts() -> None:
    chain = Chain()
    chain.block("ask", height=1)
    one = chain.only
    chain.block(height=2, receipts=(resume(one, b"first", 1), resume(one, b"second", 2)))
    assert (chain.only.status, chain.only.data, chain.only.resumed_at) == (EXECUTED, b"first", 2)


def test_a_callback_that_fails() -> None:
    chain = Chain()
    chain.block("ask", height=1)
    chain.block(height=2, receipts=(resume(chain.only, b"!"),))
    assert (chain.only.status, chain.only.failed) == (EXECUTED, True)


def test_timed_out() -> None:
    chain = Chain()
    chain.block("ask", height=1)
    chain.block(height=TIMEOUT)
    assert chain.only.status == PENDING
    chain.block(height=1 + TIMEOUT)
    assert (chain.only.status, chain.only.timed_out_at) == (TIMED_OUT, 1 + TIMEOUT)
    chain.block(height=2 + TIMEOUT)
    assert (chain.only.status, chain.only.executed_at, chain.only.data) == (EXECUTED, 2 + TIMEOUT, None)


def test_an_answer_behind_the_timeout_comes_too_late() -> None:
    chain = Chain()
    chain.block("ask", height=1)
    chain.block(height=1 + TIMEOUT)
    chain.block(height=2 + TIMEOUT, receipts=(resume(chain.only, b"late"),))
    assert (chain.only.status, chain.only.data, chain.only.resumed_at) == (EXECUTED, None, None)
    assert chain.only.timed_out_at == 1 + TIMEOUT


def test_resumed_in_the_block_of_its_timeout() -> None:
    chain = Chain()
    chain.block("ask", height=1)
    chain.block("answer", height=1 + TIMEOUT)
    assert (chain.only.status, chain.only.timed_out_at, chain.only.data) == (RESUMED, None, b"question")
    chain.block(height=2 + TIMEOUT)
    assert (chain.only.status, chain.only.executed_at) == (EXECUTED, 2 + TIMEOUT)


def test_an_id_of_its_own() -> None:
    chain = Chain()
    chain.block("ask_named", height=1)
    assert chain.only.yield_id == b"n" * 32
    chain.block("answer_named", height=2)
    chain.block(height=3)
    assert (chain.only.status, chain.only.yield_id) == (EXECUTED, b"n" * 32)
    chain.block("ask_named", height=4)
    first, second = chain.history
    assert (first.status, second.status) == (EXECUTED, PENDING)
    assert first.yield_id == second.yield_id


@pytest.mark.parametrize("methods", [("ask_twice",), ("ask", "ask"), ("ask", "ask_named", "ask_twice")])
def test_several_at_once(methods) -> None:
    chain = Chain()
    chain.block(*methods, height=1)
    names = [one.name for one in chain.history]
    assert len(names) == len(set(names)) == len(methods) + methods.count("ask_twice")
    chain.block(height=2, receipts=(resume(chain.history[1], b"x"),))
    assert [one.status for one in chain.history].count(EXECUTED) == 1
    chain.block(height=1 + TIMEOUT)
    chain.block(height=2 + TIMEOUT)
    assert {one.status for one in chain.history} == {EXECUTED}


def test_a_history_that_begins_in_the_middle() -> None:
    chain = Chain()
    chain.block("ask", height=1)
    history = waiting_in(chain.world)
    assert [one.created_at for one in history] == [None]
    transition = chain.world.produce_block(worlds.block(2), receipts=(resume(chain.only, b"x"),), machine=machine())
    (one,) = continued(history, [transition])
    assert (one.status, one.executed_at, one.data) == (EXECUTED, 2, b"x")


def test_a_failed_call_leaves_no_yield() -> None:
    chain = Chain()
    receipt = worlds.receipt_of(call("ask"), call("no_such_method"), sender="user.near", receiver="contract.near")
    chain.block(height=1, receipts=(receipt,))
    assert chain.history == ()
