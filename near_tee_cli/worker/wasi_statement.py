"""What is stated about the execution of a WASI program: `wasi-execution/v1`.

A claim in strict Borsh is what is hashed and signed, as with claims about a state: digests of everything long, and all
that determines the result. Two digests can be recomputed by whoever knows the fields: `task_digest` over what goes in,
`outcome_digest` over what comes out. The time that it took stands beside them: nobody else would measure the same.
Around it goes the same kind of in-toto statement, with all fields of the claim as its predicate.

    claim      network, contract, request id?, data id?, task, outcome, elapsed ms
    task       program, input, environment, limits, clock, seed, metering
    outcome    exit code?, trap?, output and errors by digest and length, instructions, pages

Whoever checks a claim executes the program again. Instructions counted by another metering cannot be compared.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from near_tee_cli.attest.environment import MEMBER, environment_document
from near_tee_cli.attest.environment import Environment as Home
from near_tee_cli.attest.statement import Statement, encode_statement, says
from near_tee_cli.errors import BadInputError, EvidenceError, UnsupportedError
from near_tee_cli.primitives import account_id as account_ids
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.json_scalars import hash_text
from near_tee_cli.primitives.schema.wire import (
    optional,
    read_hash,
    read_option,
    read_string,
    read_u32,
    read_u64,
    string,
    u32,
    u64,
    vector,
    whole,
)
from near_tee_cli.proof.claim import digest
from near_tee_cli.proof.limits import MAX_TEXT_BYTES
from near_tee_cli.worker.wasi_run import (
    Environment,
    Limits,
    Recorded,
    Run,
    require_ending,
    require_limits,
    require_runnable,
)

PREDICATE_TYPE = "urn:near-tee:wasi-execution:v1"
"""What these statements say of an output."""

COMPACT_DOMAIN = b"near-tee/signed-wasi-claim/v1\0"
"""Stands before the claim's digest in what a compact signature covers."""


class Task(NamedTuple):
    """All that determines the result. Digests are 32 bytes."""

    program: bytes
    """SHA-256 of the module."""
    input: bytes
    """SHA-256 of standard input."""
    environment: bytes
    """See `environment_digest`."""
    limits: Limits
    recorded: Recorded
    metering: str
    """How instructions are counted."""


class Outcome(NamedTuple):
    """What came of it. Exactly one of `exit` and `trap` is there."""

    exit: int | None
    trap: str | None
    stdout: bytes
    """SHA-256 of standard output."""
    stdout_length: int
    stderr: bytes
    """SHA-256 of standard error."""
    stderr_length: int
    instructions: int
    memory_pages: int
    """Pages of 64 KiB, at most."""


class Place(NamedTuple):
    """Whose request is answered; without one the numbers are `None` and the texts empty."""

    network: str
    """Chain id, or empty."""
    contract: str
    """Account id of the contract that asked, or empty."""
    request_id: int | None
    data_id: bytes | None
    """32 bytes: the yield that waits for the answer."""


NO_PLACE = Place("", "", None, None)
"""A program that nobody on a chain asked for."""


class WasiClaim(NamedTuple):
    """The statement."""

    place: Place
    task: Task
    outcome: Outcome
    elapsed_ms: int
    """As the worker says: no digest of task or outcome covers it, and no check can."""


class Asked(NamedTuple):
    """A program with all that it is given."""

    program: bytes
    stdin: bytes
    environment: Environment
    limits: Limits
    recorded: Recorded


Execute = Callable[[Asked], Run]
"""Executes a program, in a child or here. Raises when it cannot be told what comes of it."""


def claim_of(asked: Asked, run: Run, *, place: Place = NO_PLACE, elapsed_ms: int = 0) -> WasiClaim:
    """The claim that `run` came of `asked`. Raises `BadInputError` for what no claim can say."""
    claim = WasiClaim(place, _task(asked, run.metering), _outcome(run), elapsed_ms)
    return decode_claim(encode_claim(claim))


def _task(asked: Asked, metering: str) -> Task:
    return Task(
        program=sha256(asked.program),
        input=sha256(asked.stdin),
        environment=environment_digest(asked.environment),
        limits=asked.limits,
        recorded=asked.recorded,
        metering=metering,
    )


def _outcome(run: Run) -> Outcome:
    return Outcome(
        exit=run.exit,
        trap=run.trap,
        stdout=sha256(run.stdout),
        stdout_length=len(run.stdout),
        stderr=sha256(run.stderr),
        stderr_length=len(run.stderr),
        instructions=run.instructions,
        memory_pages=run.memory_pages,
    )


def environment_digest(environment: Environment) -> bytes:
    """Digest over the variables in their order, each as name and value in Borsh."""
    return digest("wasi-environment", vector(string(name) + string(value) for name, value in environment))


def task_digest(task: Task) -> bytes:
    """Digest of all that determines the result."""
    return digest("wasi-task", _encode_task(task))


def outcome_digest(outcome: Outcome) -> bytes:
    """Digest of all that came of it."""
    return digest("wasi-outcome", _encode_outcome(outcome))


def claim_digest(claim: WasiClaim) -> bytes:
    """What a signature covers: the digest of the whole claim."""
    return digest("wasi-claim", encode_claim(claim))


def compact_message(claim: WasiClaim) -> bytes:
    """What a compact signature covers."""
    return COMPACT_DOMAIN + claim_digest(claim)


def encode_claim(claim: WasiClaim) -> bytes:
    """Borsh of a claim."""
    place = claim.place
    return b"".join(
        (
            string(place.network),
            string(place.contract),
            optional(None if place.request_id is None else u64(place.request_id)),
            optional(place.data_id),
            _encode_task(claim.task),
            _encode_outcome(claim.outcome),
            u64(claim.elapsed_ms),
        )
    )


def _encode_task(task: Task) -> bytes:
    limits = u64(task.limits.instructions) + u32(task.limits.memory_mb) + u32(task.limits.seconds)
    recorded = u64(task.recorded.clock_ns) + task.recorded.seed
    return task.program + task.input + task.environment + limits + recorded + string(task.metering)


def _encode_outcome(outcome: Outcome) -> bytes:
    return b"".join(
        (
            optional(None if outcome.exit is None else u32(outcome.exit)),
            optional(None if outcome.trap is None else string(outcome.trap)),
            outcome.stdout,
            u32(outcome.stdout_length),
            outcome.stderr,
            u32(outcome.stderr_length),
            u64(outcome.instructions),
            u32(outcome.memory_pages),
        )
    )


def decode_claim(data: bytes) -> WasiClaim:
    """The claim that `data` encodes, all of it. Raises `BadInputError`."""
    return whole(data, read_claim, what="claim")


def read_claim(data: bytes, at: int) -> tuple[WasiClaim, int]:
    """A claim at `at`, and the position after it; only for callers of `whole`."""
    network, at = _read_text(data, at, what="network")
    contract, at = _read_text(data, at, what="contract")
    if contract and not account_ids.is_valid(contract):
        raise BadInputError("contract is no account id")
    request_id, at = read_option(data, at, read_u64)
    data_id, at = read_option(data, at, read_hash)
    task, at = _read_task(data, at)
    outcome, at = _read_outcome(data, at)
    if outcome.instructions > task.limits.instructions:
        raise BadInputError("more instructions were executed than there were")
    elapsed_ms, at = read_u64(data, at)
    return WasiClaim(Place(network, contract, request_id, data_id), task, outcome, elapsed_ms), at


def _read_task(data: bytes, at: int) -> tuple[Task, int]:
    program, at = read_hash(data, at)
    given, at = read_hash(data, at)
    environment, at = read_hash(data, at)
    instructions, at = read_u64(data, at)
    memory_mb, at = read_u32(data, at)
    seconds, at = read_u32(data, at)
    clock_ns, at = read_u64(data, at)
    seed, at = read_hash(data, at)
    limits, recorded = Limits(instructions, memory_mb, seconds), Recorded(clock_ns, seed)
    require_limits(limits, recorded)
    metering, at = _read_text(data, at, what="metering")
    return Task(program, given, environment, limits, recorded, metering), at


def _read_outcome(data: bytes, at: int) -> tuple[Outcome, int]:
    exit_code, at = read_option(data, at, read_u32)
    trap, at = read_option(data, at, read_string)
    require_ending(exit_code, trap)
    stdout, at = read_hash(data, at)
    stdout_length, at = read_u32(data, at)
    stderr, at = read_hash(data, at)
    stderr_length, at = read_u32(data, at)
    instructions, at = read_u64(data, at)
    memory_pages, at = read_u32(data, at)
    return Outcome(
        exit_code, trap, stdout, stdout_length, stderr, stderr_length, instructions, memory_pages
    ), at  # fmt: skip


def _read_text(data: bytes, at: int, *, what: str) -> tuple[str, int]:
    value, at = read_string(data, at)
    if len(value.encode()) > MAX_TEXT_BYTES:
        raise BadInputError(f"{what} is longer than {MAX_TEXT_BYTES} bytes")
    return value, at


def statement_of(claim: WasiClaim, home: Home | None = None) -> Statement:
    """The statement about a claim: program, output and outcome are its subjects, all fields its predicate.

    A key that lives in a measured environment says so in the same breath: `home`.
    """
    predicate = {
        **_fields(claim.place),
        "task": _fields(claim.task),
        "outcome": _fields(claim.outcome),
        "elapsed_ms": str(claim.elapsed_ms),
        "task_digest": hash_text(task_digest(claim.task)),
        "outcome_digest": hash_text(outcome_digest(claim.outcome)),
        "claim_digest": hash_text(claim_digest(claim)),
        **({} if home is None else {MEMBER: environment_document(home)}),
    }
    subjects = {
        "program": claim.task.program,
        "output": claim.outcome.stdout,
        "outcome": outcome_digest(claim.outcome),
    }
    return Statement(subjects, PREDICATE_TYPE, predicate)


def statement_payload(claim: WasiClaim) -> bytes:
    """The one JSON text of the statement: the payload of an envelope."""
    return encode_statement(statement_of(claim))


def require_about(payload: bytes, claim: WasiClaim) -> None:
    """Hold the payload of an envelope against `claim`.

    Raises `EvidenceError` (`other-claim`) when it says anything else, `BadInputError` when it is no JSON.
    """
    if not says(payload, statement_of(claim)):
        raise EvidenceError("an envelope is about another claim", code="other-claim")


def claim_document(claim: WasiClaim) -> dict[str, Any]:
    """All fields of a claim and its digests, as its statement has them."""
    return dict(statement_of(claim).predicate)


def _fields(record: Any) -> dict[str, Any]:
    return {name: _readable(name, value) for name, value in record._asdict().items()}


_SMALL = frozenset({"exit", "memory_mb", "seconds", "stdout_length", "stderr_length", "memory_pages"})
"""Numbers of 32 bits; others are decimal text, since other readers of JSON would round them."""


def _readable(name: str, value: Any) -> Any:
    if isinstance(value, bytes):
        return hash_text(value)
    if isinstance(value, int):
        return value if name in _SMALL else str(value)
    if value is None or isinstance(value, str):
        return value
    return _fields(value)


def require_asked(claim: WasiClaim, *, program: bytes, stdin: bytes, environment: Environment) -> Asked:
    """What `claim` is about, once these contents are what it names.

    Raises `EvidenceError` (`other-program`, `other-input`, `other-environment`) when they are not, and
    `BadInputError` for what could not be executed at all.
    """
    for what, found, claimed in (
        ("program", sha256(program), claim.task.program),
        ("input", sha256(stdin), claim.task.input),
        ("environment", environment_digest(environment), claim.task.environment),
    ):
        if found != claimed:
            raise EvidenceError(f"the claim is about another {what}", code=f"other-{what}")
    require_runnable(program, stdin, environment)
    return Asked(program, stdin, environment, claim.task.limits, claim.task.recorded)


def check_again(claim: WasiClaim, *, program: bytes, stdin: bytes, environment: Environment, execute: Execute) -> Run:
    """Execute again what `claim` is about, and compare every part of the outcome. Gives the run.

    Raises what `require_asked` raises; `EvidenceError` (`wasi-diverged`) naming the first part that differs;
    `UnsupportedError` (`unsupported-metering`) when instructions are counted in another way here, which decides
    nothing; and what `execute` raises.
    """
    asked = require_asked(claim, program=program, stdin=stdin, environment=environment)
    run = execute(asked)
    if run.metering != claim.task.metering:
        raise UnsupportedError(
            f"instructions are counted as {run.metering} here, and as {claim.task.metering} in the claim",
            what="metering",
        )
    outcome = _outcome(run)
    for name, found, claimed in zip(Outcome._fields, outcome, claim.outcome, strict=True):
        if found != claimed:
            raise EvidenceError(
                f"executed again, {name} is {_shown(found)} and not {_shown(claimed)}", code="wasi-diverged"
            )
    return run


def _shown(value: bytes | str | int | None) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
