"""Which yield a line of `resume` means, and whether it can be resumed at all."""

from collections.abc import Sequence

from near_tee_cli.errors import NotResumableError, UsageError
from near_tee_cli.primitives import base58
from near_tee_cli.runtime.yield_history import EXECUTED, PENDING, RESUMED, TIMED_OUT, Yield

MAX_SHOWN = 8


def choose(yields: Sequence[Yield], *, data_id: bytes | None, yield_id: bytes | None, account_id: str | None) -> Yield:
    """The yield that is meant: by its ids, else the only one that waits.

    Raises `NotResumableError` (`no-yield`, `unknown-yield`) and `UsageError` (`ambiguous-yield`).
    """
    named = [
        one
        for one in yields
        if (data_id is None or one.data_id == data_id)
        and (yield_id is None or one.yield_id == yield_id)
        and (account_id is None or one.account_id == account_id)
    ]
    if not named:
        raise _nothing(yields, data_id=data_id, yield_id=yield_id, account_id=account_id)
    open_ones = [one for one in named if one.status != EXECUTED]
    pending = [one for one in open_ones if one.status == PENDING]
    candidates = pending or open_ones or named[-1:]
    if len(candidates) > 1:
        raise UsageError(
            f"{len(candidates)} yields wait; --data-id says which is meant",
            code="ambiguous-yield",
            hint=f"they are {_listed(candidates)}",
            where="--data-id",
        )
    return candidates[0]


def _nothing(
    yields: Sequence[Yield], *, data_id: bytes | None, yield_id: bytes | None, account_id: str | None
) -> NotResumableError:
    pending = [one for one in yields if one.status == PENDING]
    if not yields or (data_id is None and yield_id is None and account_id is None):
        return NotResumableError("no yield waits here", code="no-yield")
    if account_id is not None and (data_id is not None or yield_id is not None):
        same = [one for one in yields if data_id in (None, one.data_id) and yield_id in (None, one.yield_id)]
        others = {one.account_id for one in same}
        if others:
            owner = ", ".join(sorted(others))
            return NotResumableError(f"the yield belongs to {owner}, not to {account_id}", code="unknown-yield")
    hint = f"those that wait are {_listed(pending)}" if pending else "none waits any more"
    name = base58.encode(data_id or yield_id or b"") or f"of {account_id}"
    return NotResumableError(f"there is no yield {name}", code="unknown-yield", hint=hint)


def _listed(yields: Sequence[Yield]) -> str:
    shown = ", ".join(f"{base58.encode(one.data_id)} ({one.account_id})" for one in yields[:MAX_SHOWN])
    return shown if len(yields) <= MAX_SHOWN else f"{shown} and {len(yields) - MAX_SHOWN} more"


def require_unanswered(one: Yield) -> None:
    """Refuse a yield that data can no longer reach, since the chain would ignore the resume.

    Raises `NotResumableError` with code `already-resumed` or `timed-out`.
    """
    name = base58.encode(one.data_id)
    if one.status == EXECUTED and one.data is None and one.timed_out_at is not None:
        raise NotResumableError(
            f"yield {name} timed out at height {one.timed_out_at}, its callback ran at {one.executed_at}",
            code="timed-out",
            hint="an earlier step can be resumed again",
        )
    if one.status == TIMED_OUT:
        raise NotResumableError(f"the time of yield {name} is over, its callback is on its way", code="timed-out")
    if one.status == EXECUTED:
        raise NotResumableError(
            f"yield {name} was resumed at height {one.resumed_at}, its callback ran at {one.executed_at}",
            code="already-resumed",
            hint="an earlier step can be resumed again",
        )
    require_not_resumed(one)


def require_not_resumed(one: Yield) -> None:
    """Refuse a yield that somebody has resumed already. Raises `NotResumableError` (`already-resumed`)."""
    if one.status == RESUMED:
        raise NotResumableError(
            f"yield {base58.encode(one.data_id)} has been resumed, its callback is on its way", code="already-resumed"
        )
