"""What a WASI program is given, what it may use, and what came of it; all as values, and a run as bytes.

Nothing here executes anything. The bounds of the streams are those of OutLayer's runner.

Follows near-outlayer: worker/src/executor/wasi_p1.rs
"""

from typing import NamedTuple

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives.schema.wire import (
    HASH_LENGTH,
    U64_MAX,
    blob,
    optional,
    read_blob,
    read_option,
    read_string,
    read_u32,
    read_u64,
    string,
    u32,
    u64,
    whole,
)

PAGE_BYTES = 1 << 16
"""Bytes of a page of linear memory."""

MIB = 1 << 20

MAX_PROGRAM_BYTES = 10 * MIB
"""Bytes of a program."""

MAX_INPUT_BYTES = 16 * MIB
"""Bytes of standard input."""

MAX_ENVIRONMENT_BYTES = MIB
"""Bytes of all variables together, each with its name and two bytes more."""

MAX_INSTRUCTIONS = 2**62
MAX_MEMORY_MB = 4096
"""MiB that a memory of 32-bit addresses can have."""
MAX_SECONDS = 24 * 3600

MAX_STDERR_BYTES = MIB
"""Bytes that a program may write to standard error."""

MAX_STDOUT_MB = 64
"""MiB that a program may write to standard output, however much memory it has."""

OUT_OF_INSTRUCTIONS = "out-of-instructions"
"""The trap of a program that needs more instructions than it may have."""
MEMORY_LIMIT = "memory-limit"
"""The trap of a program that begins with more memory than it may have; growing beyond it gives -1."""
OUTPUT_TOO_LARGE = "output-too-large"
"""The trap of a program that writes more than a stream takes."""
BAD_POINTER = "bad-pointer"
"""The trap of a program that hands an address outside its memory, or not aligned, to a WASI function."""

TRAPS = (
    OUT_OF_INSTRUCTIONS,
    MEMORY_LIMIT,
    OUTPUT_TOO_LARGE,
    BAD_POINTER,
    "memory-out-of-bounds",
    "table-out-of-bounds",
    "indirect-call-to-null",
    "bad-signature",
    "integer-overflow",
    "integer-division-by-zero",
    "bad-conversion-to-integer",
    "unreachable",
    "null-reference",
)
"""Every way in which a program can end without an exit code."""

Environment = tuple[tuple[str, str], ...]
"""Variables: name and value, in the order in which the program gets them."""


class Limits(NamedTuple):
    """What a program may use."""

    instructions: int
    """Instructions as wasmtime's fuel counts them."""
    memory_mb: int
    """MiB of linear memory."""
    seconds: int
    """Of wall clock. Running out of them is no outcome: nobody else could see it again."""

    @property
    def stdout_bytes(self) -> int:
        """Bytes that standard output takes: as many as there is memory, up to `MAX_STDOUT_MB`."""
        return min(self.memory_mb, MAX_STDOUT_MB) * MIB


class Recorded(NamedTuple):
    """What stands in for clock and randomness, so that everybody sees the same."""

    clock_ns: int
    """Nanoseconds since 1970 when the program starts; each look at a clock takes a microsecond."""
    seed: bytes
    """32 bytes from which all random ones follow."""


class Run(NamedTuple):
    """What came of a program. Exactly one of `exit` and `trap` is there."""

    exit: int | None
    """Exit code, 0 when the program just ended."""
    trap: str | None
    """One of `TRAPS`."""
    stdout: bytes
    stderr: bytes
    instructions: int
    """Executed, up to the limit. Whether they are used up is looked at where functions and loops begin, so that a
    program which ends soon after may have executed some more than this says."""
    memory_pages: int
    """Pages of 64 KiB at the end, which is the most that it had: memory never shrinks."""
    metering: str
    """How the instructions were counted: runs that say different things cannot be compared."""


def require_runnable(program: bytes, stdin: bytes, environment: Environment) -> None:
    """Refuse what is too large or cannot be handed over. Raises `BadInputError` (`too-large`, `bad-environment`)."""
    for what, data, most in (("program", program, MAX_PROGRAM_BYTES), ("input", stdin, MAX_INPUT_BYTES)):
        if len(data) > most:
            raise BadInputError(f"the {what} has {len(data)} bytes, at most {most} are taken", code="too-large")
    names = set()
    for name, value in environment:
        if not name or "=" in name or "\0" in name or "\0" in value:
            raise BadInputError(f"a variable cannot be called {name[:80]!r} with this value", code="bad-environment")
        if name in names:
            raise BadInputError(f"the variable {name[:80]!r} is there twice", code="bad-environment")
        names.add(name)
    if sum(len(name.encode()) + len(value.encode()) + 2 for name, value in environment) > MAX_ENVIRONMENT_BYTES:
        raise BadInputError(f"the environment has more than {MAX_ENVIRONMENT_BYTES} bytes", code="too-large")


def require_limits(limits: Limits, recorded: Recorded) -> None:
    """Refuse limits and recorded values that mean nothing. Raises `BadInputError` (`bad-limits`)."""
    for what, value, most in (
        ("instructions", limits.instructions, MAX_INSTRUCTIONS),
        ("MiB of memory", limits.memory_mb, MAX_MEMORY_MB),
        ("seconds", limits.seconds, MAX_SECONDS),
    ):
        if not 1 <= value <= most:
            raise BadInputError(f"{value} {what} are not between 1 and {most}", code="bad-limits")
    if not 0 <= recorded.clock_ns <= U64_MAX // 2 or len(recorded.seed) != HASH_LENGTH:
        raise BadInputError("a clock has 63 bits and a seed 32 bytes", code="bad-limits")


def encode_run(run: Run) -> bytes:
    """Borsh of a run."""
    return b"".join(
        (
            optional(None if run.exit is None else u32(run.exit)),
            optional(None if run.trap is None else string(run.trap)),
            blob(run.stdout),
            blob(run.stderr),
            u64(run.instructions),
            u32(run.memory_pages),
            string(run.metering),
        )
    )


def decode_run(data: bytes) -> Run:
    """The run that `data` encodes, all of it. Raises `BadInputError`."""
    return whole(data, _read_run, what="run")


def _read_run(data: bytes, at: int) -> tuple[Run, int]:
    exit_code, at = read_option(data, at, read_u32)
    trap, at = read_option(data, at, read_string)
    require_ending(exit_code, trap)
    stdout, at = read_blob(data, at)
    stderr, at = read_blob(data, at)
    instructions, at = read_u64(data, at)
    memory_pages, at = read_u32(data, at)
    metering, at = read_string(data, at)
    return Run(exit_code, trap, stdout, stderr, instructions, memory_pages, metering), at


def require_ending(exit_code: int | None, trap: str | None) -> None:
    """Refuse an ending that is not exactly one of exit code and known trap. Raises `BadInputError`."""
    if (exit_code is None) == (trap is None) or (trap is not None and trap not in TRAPS):
        raise BadInputError("a program ends with an exit code or with a known trap")
