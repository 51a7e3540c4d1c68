"""`worker --outlayer`, the process that executes: each request in a child, and its claim again in a second one."""

import time
from typing import Any, NamedTuple

from near_tee_cli.cli import exit_codes
from near_tee_cli.cli.batch_jobs import stopped
from near_tee_cli.cli.isolated import paths
from near_tee_cli.cli.job_sources import Incoming
from near_tee_cli.cli.outlayer_jobs import Asking, Programs, RequestJobs
from near_tee_cli.cli.outlayer_results import job_id_of
from near_tee_cli.cli.working import Finished, Hands, refused
from near_tee_cli.errors import NearTeeError
from near_tee_cli.isolate.child import TIMEOUT, Child, Death
from near_tee_cli.primitives.schema.json_scalars import hash_text
from near_tee_cli.proof.verifier import DEFAULT_REQUIRED, Demands
from near_tee_cli.worker.loop import Source, Work
from near_tee_cli.worker.outlayer_cost import DEFAULT_INSTRUCTIONS, DEFAULT_SECONDS
from near_tee_cli.worker.outlayer_environment import environment_of
from near_tee_cli.worker.outlayer_events import Request
from near_tee_cli.worker.wasi_bundle import bundle_of, encode_wasi_bundle
from near_tee_cli.worker.wasi_child import job, read_answer
from near_tee_cli.worker.wasi_run import Limits, Recorded, require_limits, require_runnable
from near_tee_cli.worker.wasi_statement import Asked, Place, claim_of
from near_tee_cli.worker.wasi_verifier import begin_wasi, shortened
from near_tee_cli.workspace.result_store import Results

DEFAULT_MEMORY_MB = 128
"""MiB of a program whose request names none."""

DEMANDS = Demands(DEFAULT_REQUIRED)


class Requests(NamedTuple):
    """What the executing process needs."""

    source: Source[Incoming]
    base: str
    programs: Programs
    network: str
    contract: str
    hands: int
    seconds: float
    """What one execution may take, whatever its request says."""
    health_seconds: float
    results: Results
    """What is finished: it is executed once more, and not claimed anew."""


def execute_requests(requests: Requests, pipe: int) -> None:
    """What the executing process does."""
    source = RequestJobs(requests.source, network=requests.network, contract=requests.contract, base=requests.base)
    executor = _Executor(requests)
    Hands(
        pipe,
        source,
        hands=requests.hands,
        health_seconds=requests.health_seconds,
        work=executor.work,
        failed=executor.failed,
    ).run()


class _Executor:
    def __init__(self, requests: Requests) -> None:
        self._requests = requests
        self._paths = paths()

    def work(self, asking: Asking) -> Work[Finished]:
        """Execute a request twice."""
        request = asking.request
        if request is None:
            raise _problem(asking)
        asked = self._asked(asking, request)
        context = asking.context
        place = Place(context.network, context.contract_id, request.request_id, request.data_id)
        job_id = job_id_of(place, asked)
        kept = self._requests.results.find(job_id)
        if kept is not None:
            return (yield from self._finished(asking, job_id, kept.bundle, cached=True))
        begun = time.monotonic()
        answer = yield self._started(asked)
        elapsed_ms = int((time.monotonic() - begun) * 1000)
        run = read_answer(answer)
        if isinstance(run, Death):
            return _died(asking, run, elapsed_ms)
        claim = claim_of(asked, run, place=place, elapsed_ms=elapsed_ms)
        data = encode_wasi_bundle(bundle_of(claim, asked, run))
        return (yield from self._finished(asking, job_id, data, cached=False))

    def _finished(self, asking: Asking, job_id: bytes, data: bytes, *, cached: bool) -> Work[Finished]:
        """Execute a claim again, whose answer the signing process holds against it."""
        start = begin_wasi(data, DEMANDS).starter(self._paths, seconds=self._requests.seconds)
        again = b"" if start is None else (yield start())
        summary = {**_about(asking), "exit": exit_codes.OK, "error": None, "cached": cached}
        return Finished(asking.name, job_id, summary, data, b"" if isinstance(again, Death) else again)

    def failed(self, asking: Asking, error: NearTeeError) -> Finished:
        """The result of a request that is refused."""
        finished = refused(asking.name, error)
        return finished._replace(summary={**finished.summary, **_about(asking)})

    def _asked(self, asking: Asking, request: Request) -> Asked:
        program = self._requests.programs.find(request)
        wanted = request.limits
        limits = Limits(
            DEFAULT_INSTRUCTIONS if wanted.max_instructions is None else wanted.max_instructions,
            DEFAULT_MEMORY_MB if wanted.max_memory_mb is None else wanted.max_memory_mb,
            DEFAULT_SECONDS if wanted.max_execution_seconds is None else wanted.max_execution_seconds,
        )
        environment = environment_of(request, asking.context)
        stdin = (request.input_data or "").encode()
        recorded = Recorded(request.timestamp, request.data_id)
        require_limits(limits, recorded)
        require_runnable(program, stdin, environment)
        return Asked(program, stdin, environment, limits, recorded)

    def _started(self, asked: Asked) -> Child:
        work = job(
            asked.program,
            stdin=asked.stdin,
            environment=asked.environment,
            limits=asked.limits,
            recorded=asked.recorded,
        )
        return Child(work, bounds=shortened(asked.limits, self._requests.seconds), paths=self._paths)


def _problem(asking: Asking) -> NearTeeError:
    return asking.problem or NearTeeError("there is no request")


def _about(asking: Asking) -> dict[str, Any]:
    """What names a request in its result."""
    request = asking.request
    return {
        "request_id": None if request is None else request.request_id,
        "data_id": None if request is None else hash_text(request.data_id),
        "response_format": None if request is None else request.response_format,
    }


def _died(asking: Asking, death: Death, elapsed_ms: int) -> Finished:
    """A child that handed nothing back. When its time was over, the request is answered, and nothing claimed."""
    code = exit_codes.TIMEOUT if death.code == TIMEOUT else exit_codes.INTERNAL
    error = {"code": death.code, "message": death.message, "hint": None, "where": asking.name}
    return Finished(asking.name, None, {**stopped(code, error), **_about(asking), "elapsed_ms": elapsed_ms}, b"", b"")
