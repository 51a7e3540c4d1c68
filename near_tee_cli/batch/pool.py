"""As many children at once as there are hands, results in the order of the tasks.

A child that dies or takes too long costs its own task and nothing else. When the caller stops listening, or an
exception passes through, every child that still works is killed.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from near_tee_cli.isolate.child import Child, Death, next_ended

Started = Callable[[], Child]


class Task(NamedTuple):
    """Something to be done in a child: `start` makes the child, or `result` is known already."""

    key: Any
    start: Started | None
    result: Any = None


def run_all(
    tasks: Iterable[Task], *, hands: int, finish: Callable[[Any, bytes | Death], Any]
) -> Iterator[tuple[Any, Any]]:
    """(key, result) of every task, in their order. `finish` makes a result of what a child handed back.

    At most `hands` children work at a time, and no task is asked for before there is a hand for it, but that results
    which are done wait for those before them.
    """
    working: dict[Child, tuple[int, Any]] = {}
    done: dict[int, tuple[Any, Any]] = {}
    waiting = enumerate(tasks)
    following = 0
    exhausted = False
    try:
        while True:
            while not exhausted and len(working) < hands and len(done) < 4 * hands:
                number, task = next(waiting, (-1, None))
                if task is None:
                    exhausted = True
                elif task.start is None:
                    done[number] = (task.key, task.result)
                else:
                    working[task.start()] = (number, task.key)
                if following in done:
                    break
            while following in done:
                yield done.pop(following)
                following += 1
            if working and (exhausted or len(working) == hands or len(done) >= 4 * hands):
                child, answer = next_ended(working)
                number, key = working.pop(child)
                done[number] = (key, finish(key, answer))
            elif exhausted and not working and not done:
                return
    finally:
        for child in working:
            child.abandon()
