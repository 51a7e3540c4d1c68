"""The one thread on which contracts run.

Wasm takes its native stack from the thread that calls it, and the depth at which NEAR's own stack limit ends a
recursion needs more than a main thread is sure to have. So there is one long-lived thread with a stack of known
size; whoever wants to run contracts hands it a function and waits. Hand over whole batches of work: inside the
function everything else is an ordinary call.

The caller waits in Python, not in wasm, so that Ctrl-C reaches it at once even while a contract loops. What runs
on the thread then cannot be stopped; the thread is given up, and the process must end without it: leaving the
interpreter while it is busy ends the process with status 130.
"""

import atexit
import os
import sys
import threading
from collections.abc import Callable
from functools import cache
from typing import TypeVar

from near_tee_cli.errors import HostError

STACK_BYTES = 32 << 20
"""Stack of the thread: wasm may take half of it, host functions have the rest."""

INTERRUPTED_STATUS = 130
"""Exit status of a process that is interrupted while a contract runs."""

T = TypeVar("T")


class ContractThread:
    """A thread of `STACK_BYTES` that runs one function after another."""

    __slots__ = ("_abandoned", "_busy", "_done", "_failure", "_identity", "_job", "_ready", "_turn")

    def __init__(self) -> None:
        """Start the thread. Raises `HostError` when the machine refuses it."""
        self._turn = threading.Lock()
        self._ready = threading.Lock()
        self._done = threading.Lock()
        self._ready.acquire()
        self._done.acquire()
        self._job: Callable[[], None] | None = None
        self._failure: BaseException | None = None
        self._busy = False
        self._abandoned = False
        thread = threading.Thread(target=self._serve, name="contracts", daemon=True)
        previous = threading.stack_size(STACK_BYTES)
        try:
            thread.start()
        except RuntimeError as error:
            raise HostError(f"no thread of {STACK_BYTES >> 20} MiB stack can be started", code="host-stack") from error
        finally:
            threading.stack_size(previous)
        self._identity = thread.ident
        atexit.register(self._at_exit)

    def run(self, function: Callable[[], T]) -> T:
        """`function()` on this thread: its result, or its exception raised here.

        A direct call when already there. Interrupting the wait gives the thread up: the exception that
        interrupted it goes on, and every later call raises `HostError`.
        """
        if threading.get_ident() == self._identity:
            return function()
        results: list[T] = []
        with self._turn:
            if self._abandoned:
                raise HostError("an interrupted contract still runs", code="host-interrupted")
            self._job = lambda: results.append(function())
            self._busy = True
            try:
                self._ready.release()
                self._done.acquire()
            except BaseException:
                self._abandoned = True
                raise
            failure, self._failure = self._failure, None
        if failure is not None:
            try:
                raise failure
            finally:
                failure = None  # NOTE: the traceback refers to this frame; without this, neither is freed soon
        return results[0]

    def _serve(self) -> None:
        while True:
            self._ready.acquire()
            job, self._job = self._job, None
            try:
                if job is not None:
                    job()
            except BaseException as error:  # handed over to the caller
                self._failure = error
            del job
            self._busy = False
            self._done.release()

    def _at_exit(self) -> None:
        if self._busy:
            for stream in (sys.stdout, sys.stderr):
                try:
                    stream.flush()
                except (OSError, ValueError):
                    continue
            os._exit(INTERRUPTED_STATUS)


@cache
def contract_thread() -> ContractThread:
    """The thread of this process, started when first asked for."""
    return ContractThread()


def on_contract_thread(function: Callable[[], T]) -> T:
    """`function()` on the thread that may run contracts; returns its result or raises its exception."""
    return contract_thread().run(function)
