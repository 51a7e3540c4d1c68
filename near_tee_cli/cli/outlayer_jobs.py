"""What a worker for OutLayer is asked: requests in logs, in steps and in saved RPC answers, and the programs they name.

A job names one place where requests are; each request in it is done by itself, under the name of its job, with its
number behind it where there are several.

    {"logs": [LINE, ...]}    logs of receipts that ran on the contract
    {"step": PATH}           a step of `yield`
    {"rpc": PATH}            an answer of `EXPERIMENTAL_tx_status` or `tx`

Beside it may stand `name`, `block_height`, and `stored`: what the contract's view `get_request` says of requests whose
input lies in its state. Of steps and answers only what ran on the very contract counts.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple

from near_tee_cli.batch.manifest import is_plain
from near_tee_cli.cli.job_sources import Incoming
from near_tee_cli.errors import BadInputError, NearTeeError
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.worker.loop import Source
from near_tee_cli.worker.outlayer_environment import ChainContext
from near_tee_cli.worker.outlayer_events import Request, program_hash_of, requests_in, with_stored_input
from near_tee_cli.worker.wasi_run import MAX_PROGRAM_BYTES
from near_tee_cli.workspace.atomic import read_file
from near_tee_cli.workspace.step_files import read_step

_PLACES = ("logs", "step", "rpc")
_MAX_ANSWER_BYTES = 64 << 20


class Asking(NamedTuple):
    """One request, or why there is none: `problem`."""

    name: str
    request: Request | None
    context: ChainContext
    problem: NearTeeError | None = None


class RequestJobs:
    """Requests, one after another, out of a source of jobs."""

    def __init__(self, source: Source[Incoming], *, network: str, contract: str, base: str) -> None:
        """Only requests of `contract` on `network` count. Relative paths start at `base`."""
        self._source = source
        self._context = ChainContext(network, contract)
        self._base = base
        self._waiting: list[Asking] = []

    def take(self) -> Asking | None:
        """The next request, `None` when there is none now."""
        if not self._waiting:
            incoming = self._source.take()
            if incoming is None:
                return None
            self._waiting = self._understood(incoming)
        return self._waiting.pop(0)

    @property
    def ended(self) -> bool:
        """Whether there will be none any more."""
        return not self._waiting and self._source.ended

    def fileno(self) -> int | None:
        """What becomes readable when there may be one."""
        return self._source.fileno()

    def _understood(self, incoming: Incoming) -> list[Asking]:
        name = incoming.name
        try:
            if incoming.problem is not None:
                raise incoming.problem
            job = cj.mapping(cj.loads(incoming.data, "the job"), "the job")
            name = _name_of(job, name)
            return self._requests(job, name)
        except NearTeeError as error:
            return [Asking(name, None, self._context, error)]

    def _requests(self, job: Mapping[str, object], name: str) -> list[Asking]:
        places = [place for place in _PLACES if place in job]
        if len(places) != 1:
            raise BadInputError(f"a job has one of {', '.join(_PLACES)}", code="bad-job")
        fields = cj.members(job, "the job", required=places, optional=("name", "block_height", "stored"))
        context = self._context
        if "block_height" in fields:
            context = context._replace(block_height=cj.integer(fields["block_height"], "block_height"))
        stored = _stored(cj.array(fields.get("stored", []), "stored"))
        found = [
            (with_stored_input(request, stored[request.request_id]) if request.request_id in stored else request, where)
            for request, where in self._found(places[0], fields[places[0]], context)
        ]
        if not found:
            raise BadInputError(f"there is no request of {context.contract_id} in it", code="no-request")
        names = [name] if len(found) == 1 else [f"{name}-{request.request_id}" for request, _ in found]
        if len(set(names)) != len(names):
            raise BadInputError("two requests in it have the same number", code="bad-job")
        return [Asking(one, request, where) for one, (request, where) in zip(names, found, strict=True)]

    def _found(self, place: str, value: object, context: ChainContext) -> Iterator[tuple[Request, ChainContext]]:
        if place == "logs":
            logs = [cj.string(log, "logs") for log in cj.array(value, "logs")]
            yield from ((request, context) for request in requests_in(logs))
            return
        path = os.path.join(self._base, cj.string(value, place))
        outcomes = _of_step(path, context) if place == "step" else _of_answer(path, context)
        for outcome, where in outcomes:
            if outcome.get("executor_id") == context.contract_id:
                logs = [cj.string(log, "logs") for log in cj.array(outcome.get("logs"), "logs")]
                yield from ((request, where) for request in requests_in(logs))


def _name_of(job: Mapping[str, object], otherwise: str) -> str:
    name = cj.string(job.get("name", otherwise), "name")
    if not is_plain(name):
        raise BadInputError(f"{name[:80]!r} cannot be the name of a result", code="bad-job")
    return name


def _stored(items: list[object]) -> dict[int, bytes]:
    """Number of a request -> what the contract says of it."""
    found = [cj.mapping(item, "stored") for item in items]
    return {cj.integer(item.get("request_id"), "request_id"): cj.dumps(item) for item in found}


def _of_step(path: str, context: ChainContext) -> Iterator[tuple[Mapping[str, object], ChainContext]]:
    """Every outcome of a step, with the height of its block."""
    step = read_step(path).step
    for block, result in zip(step.blocks, step.results, strict=True):
        height = block.block.height if context.block_height is None else context.block_height
        for entry in cj.array(result.get("outcomes"), "outcomes"):
            outcome = cj.mapping(entry, "outcome").get("outcome")
            yield cj.mapping(outcome, "outcome"), context._replace(block_height=height)


def _of_answer(path: str, context: ChainContext) -> Iterator[tuple[Mapping[str, object], ChainContext]]:
    """Every outcome of a receipt in an answer, with the transaction that it comes from."""
    answer = cj.mapping(cj.loads(read_file(path, "the answer", max_bytes=_MAX_ANSWER_BYTES), "the answer"), "answer")
    found = cj.mapping(answer.get("result", answer), "result")
    transaction = cj.mapping(found.get("transaction"), "transaction")
    context = context._replace(transaction_hash=cj.string(transaction.get("hash"), "hash"))
    for entry in cj.array(found.get("receipts_outcome"), "receipts_outcome"):
        fields = cj.mapping(entry, "outcome")
        where = context._replace(receipt_id=cj.string(fields.get("id"), "id"))
        yield cj.mapping(fields.get("outcome"), "outcome"), where


class Programs:
    """Programs by their hash, in a directory: `<sha256>.wasm`, or any file with that content."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._known: dict[tuple[str, int, int], bytes] = {}

    def find(self, request: Request) -> bytes:
        """The program that `request` asks for.

        Raises what `program_hash_of` raises, and `BadInputError` (`program-not-found`).
        """
        digest = program_hash_of(request)
        program = self._read(os.path.join(self._directory, f"{digest.hex()}.wasm"), digest)
        if program is None:
            path = self._path(digest)
            program = None if path is None else self._read(path, digest)
        if program is None:
            raise BadInputError(f"no program here has the hash {digest.hex()}", code="program-not-found")
        return program

    def _read(self, path: str, digest: bytes) -> bytes | None:
        with suppress(BadInputError):
            program = read_file(path, "the program", max_bytes=MAX_PROGRAM_BYTES)
            return program if sha256(program) == digest else None
        return None

    def _path(self, digest: bytes) -> str | None:
        """A file with that hash; files are hashed again when they change."""
        found: dict[tuple[str, int, int], bytes] = {}
        with suppress(OSError), os.scandir(self._directory) as entries:
            for entry in entries:
                with suppress(OSError, BadInputError):
                    status = entry.stat()
                    key = (entry.path, status.st_size, status.st_mtime_ns)
                    if key in self._known:
                        found[key] = self._known[key]
                    elif entry.is_file() and status.st_size <= MAX_PROGRAM_BYTES:
                        found[key] = sha256(read_file(entry.path, "the program", max_bytes=MAX_PROGRAM_BYTES))
        self._known = found
        return next((path for (path, _, _), one in found.items() if one == digest), None)
