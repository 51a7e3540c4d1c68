"""Jobs through children, whatever comes and goes."""

import os
import time

import pytest

from near_tee_cli.errors import BadInputError
from near_tee_cli.isolate.bounds import Bounds
from near_tee_cli.isolate.child import Child, Death, Paths
from near_tee_cli.worker.loop import Loop

NOTHING = Paths((), ())


def child(job, seconds=5.0):
    return Child(lambda _: job(), bounds=Bounds(seconds), paths=NOTHING)


class Listed:
    """All jobs at once."""

    def __init__(self, *jobs):
        self.jobs = list(jobs)

    def take(self):
        return self.jobs.pop(0) if self.jobs else None

    @property
    def ended(self):
        return not self.jobs

    def fileno(self):
        return None


class Piped:
    """Jobs of one byte, as somebody writes them."""

    def __init__(self, handle):
        self.handle, self.ended = handle, False

    def take(self):
        if not self._readable():
            return None
        data = os.read(self.handle, 1)
        self.ended = not data
        return data.decode() or None

    def _readable(self):
        import select

        return bool(select.select([self.handle], [], [], 0)[0])

    def fileno(self):
        return self.handle


def run(source, work, *, hands=2, every=60.0, sign=lambda: None):
    found = []
    loop = Loop(
        source,
        hands=hands,
        work=work,
        failed=lambda _, error: error.code,
        deliver=lambda job, r: found.append((job, r)),
    )
    loop.run(sign_of_life=sign, every=every)
    return found


def doubled(job):
    answer = yield child(lambda: job.encode() * 2)
    again = yield child(lambda: answer * 2)
    return again


def test_every_job_goes_through_its_children() -> None:
    assert sorted(run(Listed("a", "b", "c"), doubled)) == [("a", b"aaaa"), ("b", b"bbbb"), ("c", b"cccc")]


def test_what_a_job_raises_is_its_own() -> None:
    def work(job):
        if job == "b":
            raise BadInputError("no", code="no")
        yield from ()
        return "done"

    assert run(Listed("a", "b", "c"), work) == [("a", "done"), ("b", "no"), ("c", "done")]


def test_a_child_that_dies_or_takes_too_long_costs_its_job() -> None:
    def work(job):
        return (yield child({"dies": lambda: os._exit(3), "loops": forever, "fine": lambda: b"fine"}[job], 0.3))

    found = dict(run(Listed("dies", "loops", "fine"), work, hands=3))
    assert found["fine"] == b"fine"
    assert [type(found[name]) for name in ("dies", "loops")] == [Death, Death]
    assert found["loops"].code == "timeout"


def forever():
    while True:
        pass


def test_no_more_at_once_than_there_are_hands() -> None:
    begun, most = [], []

    def work(job):
        begun.append(job)
        most.append(len(begun))
        yield child(lambda: b"")
        begun.remove(job)

    run(Listed(*"abcdefgh"), work, hands=3)
    assert max(most) == 3


def test_jobs_are_taken_as_they_come_and_results_given_as_they_are_done() -> None:
    reading, writing = os.pipe()
    seen, signs = [], []

    def deliver(job, _):
        seen.append(job)
        if job == "a":
            os.write(writing, b"b")
        else:
            os.close(writing)

    os.write(writing, b"a")
    source = Piped(reading)
    loop = Loop(source, hands=2, work=doubled, failed=None, deliver=deliver)
    loop.run(sign_of_life=lambda: signs.append(1), every=0.001)
    os.close(reading)
    assert seen == ["a", "b"]
    assert signs


def test_stopped_in_the_middle() -> None:
    found = []

    def deliver(job, _):
        found.append(job)
        loop.stop()

    loop = Loop(Listed(*"abcdef"), hands=1, work=doubled, failed=None, deliver=deliver)
    loop.run(sign_of_life=lambda: None, every=60)
    assert found == ["a"]


def test_no_child_outlives_the_loop() -> None:
    pids = []

    def work(_):
        one = child(forever, 60)
        pids.append(one.pid)
        yield one

    def sign():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(Listed("a", "b"), work, every=0.05, sign=sign)
    time.sleep(0.05)
    assert len(pids) == 2
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
