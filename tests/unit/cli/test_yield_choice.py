"""Which yield is meant, and why it cannot be resumed."""

import pytest

from near_tee_cli.cli.yield_choice import choose, require_not_resumed, require_unanswered
from near_tee_cli.errors import NotResumableError, UsageError
from near_tee_cli.runtime.yield_history import EXECUTED, PENDING, RESUMED, TIMED_OUT, Yield

BASE = Yield(
    "a.near", bytes(32), None, bytes(32), "cb", b"", 1, 0, PENDING, 1, 201, None, None, None, None, None
)  # fmt: skip


def one(number: int, status: str = PENDING, **fields) -> Yield:
    return BASE._replace(data_id=bytes([number]) * 32, status=status, **fields)


def chosen(*yields: Yield, data_id=None, yield_id=None, account_id=None) -> Yield:
    return choose(yields, data_id=data_id, yield_id=yield_id, account_id=account_id)


def test_the_only_one_that_waits() -> None:
    pending = one(1)
    assert chosen(pending) == pending
    assert chosen(one(2, EXECUTED), pending, one(3, RESUMED)) == pending


def test_by_its_ids() -> None:
    first, second, named = one(1), one(2), one(3, yield_id=b"n" * 32)
    assert chosen(first, second, named, data_id=second.data_id) == second
    assert chosen(first, second, named, yield_id=b"n" * 32) == named
    assert chosen(first, one(2, account_id="b.near"), account_id="b.near").account_id == "b.near"


def test_a_reused_id_means_the_one_that_waits() -> None:
    ended, open_one = one(1, EXECUTED, yield_id=b"n" * 32), one(2, yield_id=b"n" * 32)
    assert chosen(ended, open_one, yield_id=b"n" * 32) == open_one
    assert chosen(ended, ended._replace(data_id=bytes(32)), yield_id=b"n" * 32).data_id == bytes(32)


def test_several() -> None:
    with pytest.raises(UsageError) as caught:
        chosen(*(one(number) for number in range(1, 12)))
    assert caught.value.code == "ambiguous-yield"
    assert caught.value.hint.endswith("and 3 more")


@pytest.mark.parametrize(
    ("yields", "wanted", "code"),
    [
        ((), {}, "no-yield"),
        ((), {"data_id": bytes(32)}, "no-yield"),
        ((one(1),), {"data_id": bytes(32)}, "unknown-yield"),
        ((one(1),), {"yield_id": bytes(32)}, "unknown-yield"),
        ((one(1),), {"account_id": "b.near"}, "unknown-yield"),
        ((one(1),), {"data_id": b"\1" * 32, "account_id": "b.near"}, "unknown-yield"),
    ],
)
def test_none(yields, wanted, code) -> None:
    with pytest.raises(NotResumableError) as caught:
        chosen(*yields, **wanted)
    assert caught.value.code == code


def test_the_owner_is_named() -> None:
    with pytest.raises(NotResumableError, match=r"belongs to a\.near, not to b\.near"):
        chosen(one(1), data_id=b"\1" * 32, account_id="b.near")


@pytest.mark.parametrize(
    ("which", "code"),
    [
        (one(1, RESUMED, resumed_at=3), "already-resumed"),
        (one(1, EXECUTED, resumed_at=3, executed_at=4, data=b"x"), "already-resumed"),
        (one(1, TIMED_OUT, timed_out_at=201), "timed-out"),
        (one(1, EXECUTED, timed_out_at=201, executed_at=202), "timed-out"),
    ],
)
def test_too_late(which, code) -> None:
    with pytest.raises(NotResumableError) as caught:
        require_unanswered(which)
    assert caught.value.code == code


def test_in_time() -> None:
    require_unanswered(one(1))
    require_not_resumed(one(1, TIMED_OUT))
    with pytest.raises(NotResumableError):
        require_not_resumed(one(1, RESUMED))
