"""Files that a command line names: read with bounds, `-` standing for standard input."""

import sys

from near_tee_cli.errors import UsageError
from near_tee_cli.workspace.atomic import read_file, read_stream

STDIN = "-"
"""The path that means standard input."""

MAX_CONTRACT_BYTES = 64 << 20
"""A larger file is no contract: the protocol's own limit is far below, and exceeding that is the contract's failure."""
MAX_ARGS_BYTES = 16 << 20
"""Arguments above the protocol's limit fail on chain; far above it they are a mistake."""
MAX_SNAPSHOT_BYTES = 256 << 20
MAX_BUNDLE_BYTES = 64 << 20
MAX_SMALL_BYTES = 1 << 20


def read(path: str, what: str, *, max_bytes: int) -> bytes:
    """The bytes of the file at `path`, or of standard input. `what` says in errors what it was meant to be.

    Raises `BadInputError`.
    """
    if path == STDIN:
        return read_stream(sys.stdin.fileno(), what, max_bytes=max_bytes)
    return read_file(path, what, max_bytes=max_bytes)


def at_most_one_stdin(paths: dict[str, str | None]) -> None:
    """Refuse a line that wants standard input twice. Raises `UsageError` naming both flags."""
    flags = [flag for flag, path in paths.items() if path == STDIN]
    if len(flags) > 1:
        raise UsageError(f"{flags[0]} and {flags[1]} cannot both read standard input", where=flags[1])
