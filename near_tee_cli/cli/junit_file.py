"""`--junit FILE`: where a report for CI systems goes, made sure of before the work.

A report replaces an older one of ours and nothing else: a file that was named by mistake may be a key.
"""

import os
import stat

from near_tee_cli.batch.junit import is_junit
from near_tee_cli.cli import files
from near_tee_cli.cli.outputs import STDOUT, require_free
from near_tee_cli.errors import UsageError, WriteError
from near_tee_cli.workspace.atomic import write_file


def require_junit_place(path: str | None, *, made: str | None = None) -> None:
    """Refuse a place that could not be written in the end; `made` is a directory that will be there by then.

    Raises `UsageError`, and `WriteError`: `exists` for a file that is no report of ours.
    """
    if path is None:
        return
    if path == STDOUT:
        raise UsageError("--junit takes a file: standard output has the results", where="--junit")
    if os.path.isdir(path):
        raise WriteError(f"{path} is a directory", code="exists", where="--junit")
    if made is not None and not os.path.lexists(made) and _is_in(path, made):
        return
    require_free(path, force=_is_report(path))


def write_junit(path: str, data: bytes) -> None:
    """Write a report. Raises `WriteError`."""
    write_file(path, data, overwrite=_is_report(path))


def _is_in(path: str, directory: str) -> bool:
    return os.path.abspath(os.path.dirname(path)) == os.path.abspath(directory)


def _is_report(path: str) -> bool:
    """Whether a report of ours lies at `path` itself."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        regular = stat.S_ISREG(os.fstat(handle).st_mode)
        return regular and is_junit(os.read(handle, files.MAX_SMALL_BYTES))
    except OSError:
        return False
    finally:
        os.close(handle)
