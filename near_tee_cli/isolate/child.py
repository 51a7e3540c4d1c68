"""A job in a child: forked, bound, confined, waited for, and killed when its time is over.

The job is a function that gives bytes. It sees everything that its parent had in memory, so a parent that holds a key
must not fork; of its files it keeps those that are named, of its environment nothing. A parent with more than one
thread is refused: what the others held would be held in the child for ever. The job hands back through a pipe, and what
does not arrive whole has not arrived.
"""

import os
import select
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from near_tee_cli.errors import HostError
from near_tee_cli.isolate.bounds import Bounds, set_bounds
from near_tee_cli.isolate.confinement import close_files, confine, die_with_parent, forget_environment
from near_tee_cli.isolate.lending import Lent

TIMEOUT = "timeout"
KILLED = "killed"
OUT_OF_MEMORY = "out-of-memory"
CRASHED = "child-crashed"
OUTPUT_TOO_LARGE = "output-too-large"

_FINISHED, _FAILED, _NO_MEMORY = 0, 70, 71
_CHUNK = 1 << 16
_LAST_WORDS = 1.0
"""Seconds between the last word of a child and its end."""
_LAST_MOMENTS = 0.1
"""Seconds that a thread which has ended may need to be gone."""
_DONE = b"done"
"""Stands behind everything that was handed back."""

Job = Callable[[tuple[str, ...]], bytes]
"""What a child does; it is told by what it is confined."""


class Death(NamedTuple):
    """A child that handed nothing back: a stable word, and a sentence."""

    code: str
    message: str


class Paths(NamedTuple):
    """Directories and files that a child may read, and those that it may also write."""

    readable: tuple[str, ...]
    writable: tuple[str, ...]


class Child:
    """A child at work. `fileno` is readable whenever it has said something or ended."""

    def __init__(self, job: Job, *, bounds: Bounds, paths: Paths, lent: Lent | None = None) -> None:
        """Start it, with what it is `lent` of the parent's cache.

        Raises `OSError` when the system has no process or pipe left, and `HostError` in a parent with threads.
        """
        _require_one_thread()
        self._bounds = bounds
        self._lent = lent
        self._parts: list[bytes] = []
        self._size = 0
        self._death: Death | None = None
        reading, writing = os.pipe()
        self.deadline = time.monotonic() + bounds.wall_seconds
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            _work(job, writing, parent=parent, bounds=bounds, paths=paths, lent=lent)
        os.close(writing)
        self._pipe = reading
        self._open = True

    def fileno(self) -> int:
        """The pipe, for `select`."""
        return self._pipe

    def read(self) -> bool:
        """Take in what is there; whether it was the last."""
        part = os.read(self._pipe, _CHUNK)
        self._parts.append(part)
        self._size += len(part)
        if self._size > self._bounds.output_bytes + len(_DONE):
            self._death = Death(OUTPUT_TOO_LARGE, f"more than {self._bounds.output_bytes} bytes were handed back")
            return True
        return not part

    def expire(self) -> None:
        """Its time is over."""
        self._death = Death(TIMEOUT, f"not done after {self._bounds.wall_seconds:g} seconds")

    def end(self) -> bytes | Death:
        """Kill it if it still works, and say what came of it."""
        self._open = False
        os.close(self._pipe)
        data = b"".join(self._parts)
        found = self._found(data)
        if self._lent is not None:
            self._lent.take_back()
        return found

    def _found(self, data: bytes) -> bytes | Death:
        if self._death is None and data.endswith(_DONE):
            self._reap(patient=False)
            return data[: -len(_DONE)]
        status = self._reap(patient=self._death is None)
        return _death_of(status, self._bounds) if self._death is None else self._death

    def _reap(self, *, patient: bool) -> int:
        """How it ended. One that has nothing more to say is waited for a moment, to learn of what it died."""
        until = time.monotonic() + _LAST_WORDS
        while patient and time.monotonic() < until:
            found, status = os.waitpid(self.pid, os.WNOHANG)
            if found:
                return status
            time.sleep(0.002)
        os.kill(self.pid, signal.SIGKILL)
        return os.waitpid(self.pid, 0)[1]

    def wait(self) -> bytes | Death:
        """What it hands back, or what it died of."""
        return next_ended((self,))[1]

    def abandon(self) -> None:
        """Kill it, whatever it does; nothing is said."""
        if self._open:
            self.expire()
            self.end()


def _death_of(status: int, bounds: Bounds) -> Death:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number == signal.SIGXCPU:
            return Death(TIMEOUT, f"not done after {bounds.cpu_seconds} seconds of computing")
        return Death(KILLED, f"killed by {signal.Signals(number).name}")
    if os.WEXITSTATUS(status) == _NO_MEMORY:
        return Death(OUT_OF_MEMORY, f"needs more than {bounds.memory_bytes >> 20} MiB of memory")
    return Death(CRASHED, f"ended with status {os.WEXITSTATUS(status)}")


def _work(job: Job, pipe: int, *, parent: int, bounds: Bounds, paths: Paths, lent: Lent | None) -> None:
    """Everything that the child does. Never comes back."""
    status = _FAILED
    try:
        die_with_parent(parent)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        close_files(keep={pipe, *(() if lent is None else lent.handles)})
        forget_environment()
        set_bounds(bounds)
        readable = paths.readable if lent is None else (*paths.readable, lent.directory)
        confined = confine(readable=readable, writable=paths.writable)
        rest = memoryview(job(confined) + _DONE)
        while rest:
            rest = rest[os.write(pipe, rest) :]
        status = _FINISHED
    except MemoryError:
        status = _NO_MEMORY
    finally:
        # Nothing of the parent's may run here: no handlers, no buffers, no finalizers.
        os._exit(status)


def thread_count() -> int:
    """Threads of this process, Python's and others."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return threading.active_count()


def _require_one_thread() -> None:
    """Refuse to fork a process of several threads. Raises `HostError`."""
    until = time.monotonic() + _LAST_MOMENTS
    # A thread that was waited for may still be on its way out of the kernel.
    while (threads := thread_count()) > 1 and time.monotonic() < until:
        time.sleep(0.002)
    if threads > 1:
        raise HostError(f"a process with {threads} threads does not start children", code="host-threads")


@contextmanager
def started(job: Job, *, bounds: Bounds, paths: Paths, lent: Lent | None = None) -> Iterator[Child]:
    """A child at `job`, killed when the block ends. The caller must not have loaded the engine."""
    child = Child(job, bounds=bounds, paths=paths, lent=lent)
    try:
        yield child
    finally:
        child.abandon()


def next_ended(children: Iterable[Child]) -> tuple[Child, bytes | Death]:
    """Wait until one of `children` has ended, or its time is over: which one, and what came of it."""
    by_handle = {child.fileno(): child for child in children}
    waiting = select.poll()
    for handle in by_handle:
        waiting.register(handle, select.POLLIN | select.POLLHUP)
    while True:
        now = time.monotonic()
        late = next((child for child in by_handle.values() if child.deadline <= now), None)
        if late is not None:
            late.expire()
            return late, late.end()
        left = min(child.deadline for child in by_handle.values()) - now
        for handle, _ in waiting.poll(int(left * 1000) + 1):
            if by_handle[handle].read():
                return by_handle[handle], by_handle[handle].end()
