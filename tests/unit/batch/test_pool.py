"""Order, hands and deaths, with children that are made up."""

import pytest

from near_tee_cli.batch import pool
from near_tee_cli.batch.pool import Task, run_all
from near_tee_cli.isolate.child import Death


class Made:
    """A child that ends when its turn comes."""

    working = 0
    most = 0
    abandoned = 0

    def __init__(self, turn, answer):
        self.turn, self.answer = turn, answer
        Made.working += 1
        Made.most = max(Made.most, Made.working)

    def abandon(self):
        Made.abandoned += 1


@pytest.fixture(autouse=True)
def children(monkeypatch):
    Made.working = Made.most = Made.abandoned = 0

    def next_ended(working):
        child = min(working, key=lambda one: one.turn)
        Made.working -= 1
        return child, child.answer

    monkeypatch.setattr(pool, "next_ended", next_ended)


def task(key, turn, answer=b"done"):
    return Task(key, lambda: Made(turn, answer))


@pytest.mark.parametrize("hands", [1, 2, 3, 7, 100])
def test_results_come_in_order_whatever_ends_first(hands) -> None:
    tasks = [task(number, (number * 7) % 11) for number in range(30)]
    found = list(run_all(tasks, hands=hands, finish=lambda key, answer: (key, answer)))
    assert [key for key, _ in found] == list(range(30))
    assert all(result == (key, b"done") for key, result in found)
    assert Made.most == min(hands, 30)
    assert Made.working == 0


def test_known_results_and_deaths() -> None:
    death = Death("killed", "SIGSEGV")
    tasks = [Task("known", None, 5), task("dies", 1, death), Task("also", None, 6), task("lives", 0)]
    found = dict(run_all(tasks, hands=2, finish=lambda _, answer: answer))
    assert found == {"known": 5, "dies": death, "also": 6, "lives": b"done"}
    assert list(run_all([], hands=2, finish=lambda *_: None)) == []


def test_no_task_is_asked_for_before_there_is_a_hand_for_it() -> None:
    asked = []

    def tasks():
        for number in range(100):
            asked.append(number)
            yield task(number, number)

    running = run_all(tasks(), hands=3, finish=lambda *_: None)
    next(running)
    assert len(asked) <= 4
    running.close()
    assert Made.abandoned == Made.working > 0


def test_a_slow_task_does_not_let_results_pile_up() -> None:
    tasks = [task(0, 10**9), *(task(number, number) for number in range(1, 1000))]
    asked = []

    def watched():
        for one in tasks:
            asked.append(one)
            yield one

    running = run_all(watched(), hands=2, finish=lambda *_: None)
    next(running)
    assert len(asked) < 20


def test_an_exception_ends_every_child() -> None:
    def finish(key, _):
        raise KeyError(key)

    with pytest.raises(KeyError):
        list(run_all([task(number, number) for number in range(5)], hands=3, finish=finish))
    assert Made.abandoned == 2
