"""Jobs as they come, several at once, each through as many children as it needs.

A job is a generator: it yields a child to wait for, is handed what came of it, and returns its result. Nothing waits
for anything else: a source that has no more for now, a child that works, and the time between two signs of life are
waited for together. What a job raises is the job's own result.
"""

import select
import time
from collections.abc import Callable, Generator
from typing import Generic, Protocol, TypeVar

from near_tee_cli.errors import NearTeeError
from near_tee_cli.isolate.child import Child, Death

J = TypeVar("J")
J_co = TypeVar("J_co", covariant=True)
R = TypeVar("R")

Work = Generator[Child, bytes | Death, R]
"""A job under way."""

_POLL_SECONDS = 0.5
"""How long a source without a handle is left alone."""


class Source(Protocol[J_co]):
    """Where jobs come from."""

    def take(self) -> J_co | None:
        """The next job, `None` when there is none now."""

    @property
    def ended(self) -> bool:
        """Whether there will be none any more."""

    def fileno(self) -> int | None:
        """What becomes readable when there may be one; `None` when it has to be asked."""


class Loop(Generic[J, R]):
    """Works on jobs until their source ends, or `stop` is called."""

    def __init__(
        self,
        source: Source[J],
        *,
        hands: int,
        work: Callable[[J], Work[R]],
        failed: Callable[[J, NearTeeError], R],
        deliver: Callable[[J, R], None],
    ) -> None:
        """`work` does a job, `failed` makes a result of what it raised, `deliver` takes results as they come."""
        self._source = source
        self._hands = hands
        self._work = work
        self._failed = failed
        self._deliver = deliver
        self._working: dict[Child, tuple[J, Work[R]]] = {}
        self._stopped = False

    @property
    def working(self) -> int:
        """How many jobs are under way."""
        return len(self._working)

    def stop(self) -> None:
        """Begin nothing more; what is under way is finished."""
        self._stopped = True

    def run(self, *, sign_of_life: Callable[[], None], every: float) -> None:
        """Work until everything is done; `sign_of_life` is called every so many seconds."""
        due = time.monotonic() + every
        try:
            while self._begin() or self._working:
                now = time.monotonic()
                if now >= due:
                    sign_of_life()
                    due = now + every
                self._wait(max(0.0, due - now))
        finally:
            for child in self._working:
                child.abandon()

    def _begin(self) -> bool:
        """Begin what there are hands for; whether more may come."""
        while not self._stopped and len(self._working) < self._hands:
            job = self._source.take()
            if job is None:
                break
            self._advance(job, self._work(job), None)
        return not self._stopped and not self._source.ended

    def _wait(self, seconds: float) -> None:
        waiting = select.poll()
        by_handle = {child.fileno(): child for child in self._working}
        for handle in by_handle:
            waiting.register(handle, select.POLLIN | select.POLLHUP)
        if not self._stopped and not self._source.ended and len(self._working) < self._hands:
            intake = self._source.fileno()
            if intake is None:
                seconds = min(seconds, _POLL_SECONDS)
            else:
                waiting.register(intake, select.POLLIN | select.POLLHUP)
        now = time.monotonic()
        for child in by_handle.values():
            seconds = min(seconds, max(0.0, child.deadline - now))
        ready = {handle for handle, _ in waiting.poll(int(seconds * 1000) + 1)}
        now = time.monotonic()
        for handle, child in by_handle.items():
            if handle in ready and child.read():
                self._ended(child)
            elif child.deadline <= now:
                child.expire()
                self._ended(child)

    def _ended(self, child: Child) -> None:
        job, work = self._working.pop(child)
        self._advance(job, work, child.end())

    def _advance(self, job: J, work: Work[R], answer: bytes | Death | None) -> None:
        try:
            child = next(work) if answer is None else work.send(answer)
        except StopIteration as end:
            self._deliver(job, end.value)
        except NearTeeError as error:
            self._deliver(job, self._failed(job, error))
        else:
            self._working[child] = (job, work)
