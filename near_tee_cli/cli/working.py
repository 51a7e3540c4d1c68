"""`worker` in two processes: one executes and holds no secret, the other signs and executes nothing.

The first is forked before there is a key. It takes jobs, proves each in a child, executes the proof again in a second
child, and hands both answers over as they came. The second holds them against themselves, signs with the key that only
it has, stores the result by content and tells of it. Neither believes a child, and no child can reach the key or the
machine's agent.
"""

import os
import signal
import struct
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, Generic, NamedTuple, TypeVar

from near_tee_cli.batch.manifest import parse_manifest
from near_tee_cli.cli import exit_codes
from near_tee_cli.cli.batch_inputs import Inputs
from near_tee_cli.cli.batch_items import LineOf, understood
from near_tee_cli.cli.batch_items import Work as WorkItem
from near_tee_cli.cli.batch_jobs import answered, bounds_of, keep_missed, members_of, started, stopped
from near_tee_cli.cli.job_sources import Incoming
from near_tee_cli.errors import BadInputError, HostError, NearTeeError
from near_tee_cli.isolate.child import Death
from near_tee_cli.isolate.confinement import die_with_parent
from near_tee_cli.isolate.reexecution import IsolatedExecutor
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.proof.verifier import DEFAULT_REQUIRED, Demands, begin
from near_tee_cli.worker.loop import Loop, Source, Work
from near_tee_cli.workspace.result_store import Results

J = TypeVar("J")

_FRAME = struct.Struct("<III")
_TICK_SECONDS = 1.0
"""How soon a signal to stop is noticed."""


class Finished(NamedTuple):
    """What the executing process hands over of a job."""

    name: str
    job_id: bytes | None
    """`None` when the job was not understood."""
    summary: dict[str, Any]
    bundle: bytes
    """As it was proved, now or before; empty without one."""
    executed: bytes
    """The answer of the child that executed the bundle again; empty when it handed none back."""


class Executing(NamedTuple):
    """What the executing process needs."""

    source: Source[Incoming]
    base: str
    line_of: LineOf
    hands: int
    seconds: float
    health_seconds: float
    compiler: str | None
    cache: Any
    executor: IsolatedExecutor
    results: Results


def forked(work: Callable[[int], None]) -> tuple[int, int]:
    """Start the executing process, which works on a pipe: its pid, and where finished jobs come out."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _execute(work, writing)
    os.close(writing)
    return pid, reading


def execute_jobs(executing: Executing, pipe: int) -> None:
    """What the executing process does."""
    _Executor(executing, pipe).run()


def _execute(work: Callable[[int], None], pipe: int) -> None:
    """Everything that the executing process does. Never comes back."""
    status = exit_codes.INTERNAL
    try:
        die_with_parent()
        work(pipe)
        status = exit_codes.OK
    finally:
        sys.stderr.flush()
        os._exit(status)


class Hands(Generic[J]):
    """The executing process at its jobs: a loop, the pipe that results go into, and signs of life."""

    def __init__(
        self,
        pipe: int,
        source: Source[J],
        *,
        hands: int,
        health_seconds: float,
        work: Callable[[J], Work[Finished]],
        failed: Callable[[J, NearTeeError], Finished],
    ) -> None:
        """`work` does a job, `failed` makes a result of what it raised."""
        self._pipe = pipe
        self._health_seconds = health_seconds
        self._begun = time.monotonic()
        self._done = self._failed = 0
        self._next_health = health_seconds
        self._loop: Loop[J, Finished] = Loop(source, hands=hands, work=work, failed=failed, deliver=self._deliver)

    def run(self) -> None:
        """Work until the source ends or a signal says so."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: self._loop.stop())
        self._loop.run(sign_of_life=self._tick, every=_TICK_SECONDS)
        self._say_health()

    def _deliver(self, _: J, finished: Finished) -> None:
        self._done += 1
        self._failed += finished.summary["exit"] != exit_codes.OK
        head = cj.dumps(
            {
                "name": finished.name,
                "job_id": None if finished.job_id is None else finished.job_id.hex(),
                "summary": finished.summary,
            }
        )
        parts = (head, finished.bundle, finished.executed)
        rest = memoryview(_FRAME.pack(*map(len, parts)) + b"".join(parts))
        while rest:
            rest = rest[os.write(self._pipe, rest) :]

    def _tick(self) -> None:
        if time.monotonic() - self._begun >= self._next_health:
            self._next_health += self._health_seconds
            self._say_health()

    def _say_health(self) -> None:
        seconds = int(time.monotonic() - self._begun)
        said = {"working": self._loop.working, "done": self._done, "failed": self._failed, "seconds": seconds}
        log("health", **said)


class _Executor:
    def __init__(self, executing: Executing, pipe: int) -> None:
        self._executing = executing
        self._hands = Hands(
            pipe,
            executing.source,
            hands=executing.hands,
            health_seconds=executing.health_seconds,
            work=self._work,
            failed=self._refused,
        )

    def run(self) -> None:
        self._hands.run()

    def _work(self, incoming: Incoming) -> Work[Finished]:
        if incoming.problem is not None:
            raise incoming.problem
        run = self._executing
        (item,) = parse_manifest(b"[" + incoming.data + b"]", "the job")
        name = item.name if item.name != "item-1" else incoming.name
        with Inputs() as inputs:
            try:
                work = understood(item._replace(name=name), run.base, run.line_of, inputs)
            except NearTeeError as error:
                return refused(name, error)
            kept = run.results.find(work.job_id)
            if kept is not None:
                return Finished(name, work.job_id, {**kept.summary, "cached": True}, kept.bundle, b"")
            answer = yield started(
                work.given,
                work.files,
                base=inputs.directory,
                compiler=run.compiler,
                cache=run.cache,
                bounds=bounds_of(run.seconds),
            )
            summary, bundle = answered(name, answer)
            if bundle is None:
                return Finished(name, work.job_id, summary, b"", b"")
            keep_missed(answer, bundle, compiler=run.compiler, cache=run.cache)
            codes = _codes(inputs, work) if work.given["detach_code"] else {}
        begun = begin(bundle, Demands(DEFAULT_REQUIRED, codes=codes))
        if not begun.wants_execution:
            return Finished(name, work.job_id, summary, bundle, b"")
        again = yield begun.execute(run.executor.starter)()
        return Finished(name, work.job_id, summary, bundle, b"" if isinstance(again, Death) else again)

    def _refused(self, incoming: Incoming, error: NearTeeError) -> Finished:
        return refused(incoming.name, error)


def refused(name: str, error: NearTeeError) -> Finished:
    """The result of a job that ended in an error."""
    return Finished(name, None, stopped(exit_codes.of_error(error), members_of(error)), b"", b"")


def _codes(inputs: Inputs, work: WorkItem) -> dict[bytes, bytes]:
    """Files that an item reads, by their hashes: among them the contracts that its bundle only names."""
    return {bytes.fromhex(digest): inputs.read(path) for path, digest in work.files.items()}


def log(event: str, **members: Any) -> None:
    """A line of JSON on standard error."""
    sys.stderr.write(cj.dumps({"near-tee": event, **members}).decode())
    sys.stderr.flush()


def finished_jobs(pipe: int) -> Iterator[Finished]:
    """What comes out of the executing process. Raises `HostError` (`executor-lost`) when it ends in the middle."""
    while True:
        header = _exactly(pipe, _FRAME.size, may_end=True)
        if not header:
            return
        head, bundle, executed = (_exactly(pipe, length) for length in _FRAME.unpack(header))
        try:
            members = cj.mapping(cj.loads(head, "the result"), "the result")
            job_id = members["job_id"]
            yield Finished(
                name=cj.string(members["name"], "name"),
                job_id=None if job_id is None else bytes.fromhex(cj.string(job_id, "job_id")),
                summary=dict(cj.mapping(members["summary"], "summary")),
                bundle=bundle,
                executed=executed,
            )
        except (BadInputError, KeyError, ValueError) as error:
            raise HostError("the executing process said something else than a result", code="executor-lost") from error


def _exactly(pipe: int, length: int, *, may_end: bool = False) -> bytes:
    parts: list[bytes] = []
    left = length
    while left:
        part = os.read(pipe, min(left, 1 << 20))
        if not part:
            if may_end and left == length:
                return b""
            raise HostError("the executing process ended in the middle of a result", code="executor-lost")
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


class Stopping:
    """While it is entered, a signal to end asks the executing process to finish what it is at; a second one ends."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._before: dict[int, Any] = {}

    def __enter__(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._stop)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _stop(self, number: int, _: object) -> None:
        os.kill(self._pid, signal.SIGTERM)
        signal.signal(number, self._before[number])
