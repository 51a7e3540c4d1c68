"""A WASI program in a child process, bounded in time: the only way to execute one that nobody vouches for.

What the child hands back is parsed strictly: a run, or why there is none. A death is no outcome of the program: where
the time ran out, another machine might have been faster.
"""

from near_tee_cli.errors import BadInputError, HostError, NearTeeError, UnsupportedError
from near_tee_cli.isolate.bounds import GIB, Bounds
from near_tee_cli.isolate.child import Death, Job, Paths, started
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.vm import engine_api
from near_tee_cli.worker import wasi_host
from near_tee_cli.worker.wasi_run import (
    MAX_STDERR_BYTES,
    MIB,
    Environment,
    Limits,
    Recorded,
    Run,
    decode_run,
    encode_run,
    require_limits,
    require_runnable,
)

MIN_SECONDS = 5
"""Fewer seconds than these are taken for these, as OutLayer's runner does."""

STARTING_SECONDS = 10
"""Seconds that the child has beside the program's own: to load the engine and to compile."""

LOADED_BEFORE = (engine_api, wasi_host)
"""What every child needs and its parent may have: loaded once, and not by each of them. The engine is not among it."""

_RUN, _ERROR = b"\0", b"\1"
_UNSUPPORTED = "unsupported-"
_COMPILING_THREADS = 4


def execute_in_child(
    program: bytes, *, stdin: bytes, environment: Environment, limits: Limits, recorded: Recorded, paths: Paths
) -> Run | Death:
    """Execute `program` in a child that is ended when `limits.seconds` are over.

    The caller must not have loaded the engine, and has one thread.

    `paths` are what Python needs to read. Raises what `worker.wasi.execute` raises.
    """
    require_runnable(program, stdin, environment)
    require_limits(limits, recorded)
    work = job(program, stdin=stdin, environment=environment, limits=limits, recorded=recorded)
    with started(work, bounds=bounds_of(limits), paths=paths) as child:
        return read_answer(child.wait())


def bounds_of(limits: Limits) -> Bounds:
    """What a child needs for a program with these limits, so that the program's own come first."""
    seconds = max(limits.seconds, MIN_SECONDS) + STARTING_SECONDS
    output = limits.stdout_bytes + MAX_STDERR_BYTES
    return Bounds(
        wall_seconds=float(seconds),
        cpu_seconds=_COMPILING_THREADS * seconds + 1,
        memory_bytes=limits.memory_mb * MIB + 4 * output + 2 * GIB,
        output_bytes=output + MIB,
    )


def job(program: bytes, *, stdin: bytes, environment: Environment, limits: Limits, recorded: Recorded) -> Job:
    """What a child has to do; `read_answer` reads what it hands back."""

    def work(_confined: tuple[str, ...]) -> bytes:
        # Here and not above: the parent must not load the engine.
        from near_tee_cli.worker.wasi import execute

        try:
            run = execute(program, stdin=stdin, environment=environment, limits=limits, recorded=recorded)
        except (BadInputError, HostError) as error:
            kind = "host" if isinstance(error, HostError) else "input"
            return _ERROR + cj.dumps({"code": error.code, "kind": kind, "message": error.message})
        return _RUN + encode_run(run)

    return work


def read_answer(answer: bytes | Death) -> Run | Death:
    """The run that a child handed back, or how it died. Raises what the child said it cannot do."""
    if isinstance(answer, Death):
        return answer
    try:
        if answer[:1] == _RUN:
            return decode_run(answer[1:])
        fields = cj.members(cj.loads(answer[1:], "the answer"), "the answer", required=("code", "kind", "message"))
        code, kind, message = (cj.string(fields[name], name) for name in ("code", "kind", "message"))
    except BadInputError as error:
        return Death("child-crashed", f"the child's answer cannot be read: {error.message}")
    raise _error(kind, code, message)


def _error(kind: str, code: str, message: str) -> NearTeeError:
    if kind == "host":
        return HostError(message, code=code)
    if code.startswith(_UNSUPPORTED):
        return UnsupportedError(message, what=code.removeprefix(_UNSUPPORTED))
    return BadInputError(message, code=code)
