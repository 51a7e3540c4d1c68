"""Yields as whoever drives a chain sees them: which ones wait in a state, and what became of those that ended.

The state holds only what waits. When a yield began, was answered or timed out shows in the blocks that did it, so a
history grows with the transitions that are applied and can be handed on with a state.

Mirrors nearcore: core/primitives/src/receipt.rs (`PromiseYieldTimeout`, `PromiseYieldStatus`),
runtime/runtime/src/lib.rs (`process_receipt`, `resolve_promise_yield_timeouts`)
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from near_tee_cli.primitives.schema.action import FunctionCall
from near_tee_cli.primitives.schema.outcome import Failure
from near_tee_cli.primitives.schema.receipt import PROMISE_RESUME, ActionReceipt, DataReceipt, Receipt, decode_receipt
from near_tee_cli.runtime import rows
from near_tee_cli.runtime.world import Transition
from near_tee_cli.runtime.yields import RESUME_INITIATED, decode_timeout
from near_tee_cli.state import keys
from near_tee_cli.state.trie import Trie

PENDING = "pending"
"""Nobody has answered, and its time is not over."""
RESUMED = "resumed"
"""The answer is on its way: a resume that comes later is ignored."""
TIMED_OUT = "timed-out"
"""Its time is over and the resume without data is on its way."""
EXECUTED = "executed"
"""The callback has run."""

Name = tuple[str, bytes]
"""Account id and data id: what tells yields apart."""


class Yield(NamedTuple):
    """One yield. Heights are `None` for what has not happened, or happened before the history begins."""

    account_id: str
    """Who waits."""
    data_id: bytes
    yield_id: bytes | None
    """The id that the contract chose, where it did."""
    receipt_id: bytes
    """Of the callback; its outcome has this id."""
    method_name: str
    """Of the callback; empty when the receipt does not call a method."""
    args: bytes
    gas: int
    """Gas kept for the callback."""
    deposit: int
    """yoctoNEAR that wait with it."""
    status: str
    """`PENDING`, `RESUMED`, `TIMED_OUT` or `EXECUTED`, as the state has it; a resume wins over a timeout."""
    created_at: int | None
    expires_at: int | None
    resumed_at: int | None
    timed_out_at: int | None
    executed_at: int | None
    data: bytes | None
    """The answer, where it came with one."""
    failed: bool | None
    """Whether the callback failed, once it has run."""

    @property
    def name(self) -> Name:
        """What tells it apart."""
        return self.account_id, self.data_id


def waiting(state: Trie) -> tuple[Yield, ...]:
    """The yields that a state holds, in the order of their trie keys: all that have not been executed.

    Raises `InconsistentStateError` for rows that no chain writes, and `MissingNodeError` on a partial state.
    """
    timeouts = {}
    for key, value in state.iter_prefix(keys.promise_yield_timeouts_prefix()):
        timeout = rows.decoded(decode_timeout, value, key=key)
        timeouts[timeout.account_id, timeout.data_id] = timeout.expires_at
    found = []
    for key, value in state.iter_prefix(keys.promise_yield_receipts_prefix()):
        receipt = rows.decoded(decode_receipt, value, key=key)
        account_id, data_id = receipt.receiver_id, _data_id(key)
        one = _yield_of(receipt, data_id=data_id, created_at=None)
        if state.get(keys.promise_yield_status(account_id, data_id)) == RESUME_INITIATED:
            status = RESUMED
        else:
            status = PENDING if one.name in timeouts else TIMED_OUT
        yield_id = state.get(keys.data_id_to_yield_id(account_id, data_id))
        found.append(one._replace(status=status, yield_id=yield_id, expires_at=timeouts.get(one.name)))
    return tuple(found)


def _data_id(key: bytes) -> bytes:
    return key[-32:]


def _yield_of(receipt: Receipt, *, data_id: bytes, created_at: int | None) -> Yield:
    actions = receipt.body.actions if isinstance(receipt.body, ActionReceipt) else ()
    calls = [action for action in actions if isinstance(action, FunctionCall)]
    return Yield(
        account_id=receipt.receiver_id,
        data_id=data_id,
        yield_id=None,
        receipt_id=receipt.receipt_id,
        method_name=calls[0].method_name if calls else "",
        args=calls[0].args if calls else b"",
        gas=sum(call.gas for call in calls),
        deposit=sum(call.deposit for call in calls),
        status=PENDING,
        created_at=created_at,
        expires_at=None,
        resumed_at=None,
        timed_out_at=None,
        executed_at=None,
        data=None,
        failed=None,
    )


def continued(history: Iterable[Yield], transitions: Sequence[Transition]) -> tuple[Yield, ...]:
    """The history after `transitions`, in order of appearance; `history` is what was known before them."""
    known = {one.name: one for one in history}
    for transition in transitions:
        _apply(known, transition)
    return tuple(known.values())


def _apply(known: dict[Name, Yield], transition: Transition) -> None:
    height, result = transition.block.height, transition.result
    changes = [(key, value) for key, value in result.state_changes if key[0] in _COLUMNS]
    for key, value in changes:
        if key[0] == _RECEIPT and value is not None:
            one = _yield_of(decode_receipt(value), data_id=_data_id(key), created_at=height)
            known[one.name] = one
    for key, value in changes:
        if value is not None:
            _written(known, key, value, height=height)
    ended = {(key[1:-33].decode(), _data_id(key)) for key, value in changes if key[0] == _RECEIPT and value is None}
    timed_out: set[Name] = set()
    for receipt in (*transition.inputs.receipts, *result.outgoing_receipts):
        _sent(known, receipt, height=height, ended=ended, timed_out=timed_out)
    failed = {entry.id: isinstance(entry.outcome.status, Failure) for entry in result.outcomes}
    for name in ended & known.keys():
        one = known[name]
        known[name] = one._replace(status=EXECUTED, executed_at=height, failed=failed.get(one.receipt_id))
    for timeout in result.yield_timeouts:
        name = timeout.account_id, timeout.data_id
        if name in known and known[name].status == PENDING:
            known[name] = known[name]._replace(status=TIMED_OUT, timed_out_at=height)


_RECEIPT = keys.promise_yield_receipts_prefix()[0]
_TIMEOUT = keys.promise_yield_timeouts_prefix()[0]
_STATUS = keys.promise_yield_status("", b"")[0]
_YIELD_ID = keys.data_id_to_yield_id("", b"")[0]
_COLUMNS = (_RECEIPT, _TIMEOUT, _STATUS, _YIELD_ID)


def _written(known: dict[Name, Yield], key: bytes, value: bytes, *, height: int) -> None:
    """What a written row says of a yield."""
    column = key[0]
    if column == _TIMEOUT:
        timeout = decode_timeout(value)
        name = timeout.account_id, timeout.data_id
        if name in known:
            known[name] = known[name]._replace(expires_at=timeout.expires_at)
        return
    one = known.get((key[1:-33].decode(), _data_id(key)))
    if one is None:
        return
    if column == _YIELD_ID:
        known[one.name] = one._replace(yield_id=value)
    elif column == _STATUS and value == RESUME_INITIATED and one.status != RESUMED:
        known[one.name] = one._replace(status=RESUMED, resumed_at=height)


def _sent(known: dict[Name, Yield], receipt: Receipt, *, height: int, ended: set[Name], timed_out: set[Name]) -> None:
    """What a resume that came in or went out does to its yield: the first one with data answers it.

    Only a contract's own resume is noted in the state, so only that makes a yield `RESUMED`. A timeout that came in
    and ended its yield leaves nothing for those behind it to answer.
    """
    body = receipt.body
    if not isinstance(body, DataReceipt) or body.tag != PROMISE_RESUME:
        return
    one = known.get((receipt.receiver_id, body.data_id))
    if one is None or one.status == EXECUTED or one.name in timed_out or one.data is not None:
        return
    if body.data is not None:
        resumed_at = height if one.resumed_at is None else one.resumed_at
        known[one.name] = one._replace(data=body.data, resumed_at=resumed_at)
    elif one.name in ended and one.status != RESUMED:
        timed_out.add(one.name)
