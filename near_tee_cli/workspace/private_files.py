"""Files that only their owner may read: keys.

A key that others can read is not secret any more, and one behind a symbolic link is whosever the link's target is.
Such files are refused, not repaired: whoever made them readable should know.
"""

import os
import stat

from near_tee_cli.errors import BadInputError, WriteError
from near_tee_cli.workspace.atomic import make_directory, read_open_file, write_file

_READ_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NOCTTY
OWNER_ONLY = 0o600
_OTHERS = 0o077


def read_private_file(path: str, what: str, *, max_bytes: int) -> bytes:
    """The bytes of the file at `path`, which only its owner may read.

    Raises `BadInputError`: `not-found`, `unreadable`, `not-a-file`, `too-large`, and `exposed-key` for a file that
    others could read or that belongs to somebody else.
    """
    handle = _open(path, what)
    try:
        return read_open_file(handle, path, what, max_bytes=max_bytes)
    finally:
        os.close(handle)


def require_private_file(path: str, what: str) -> None:
    """Refuse what `read_private_file` would refuse, without reading it. Raises as it does."""
    os.close(_open(path, what))


def _open(path: str, what: str) -> int:
    try:
        handle = os.open(path, _READ_FLAGS)
    except FileNotFoundError as error:
        raise BadInputError(f"{what} {path} does not exist", code="not-found") from error
    except (OSError, ValueError) as error:
        link = os.path.islink(path)
        told = f"{what} {path} is a symbolic link" if link else f"{what} {path} cannot be read: {error}"
        raise BadInputError(told, code="exposed-key" if link else "unreadable") from error
    try:
        status = os.fstat(handle)
        if stat.S_ISREG(status.st_mode):
            _require_private(status, path, what)
    except BadInputError:
        os.close(handle)
        raise
    return handle


def _require_private(status: os.stat_result, path: str, what: str) -> None:
    if status.st_mode & _OTHERS:
        raise BadInputError(
            f"others may read {what} {path} (mode {stat.S_IMODE(status.st_mode):04o})",
            code="exposed-key",
            hint=f"chmod 600 {path}, if nobody has read it yet",
        )
    if status.st_uid != os.geteuid():
        raise BadInputError(f"{what} {path} belongs to somebody else", code="exposed-key")


def write_private_file(path: str, data: bytes) -> None:
    """Write a file that only its owner may read, in directories of that kind. Nothing is ever replaced.

    Raises `WriteError`, with code `exists` when something is there, and `bad-path` for the name of a directory.
    """
    if os.path.basename(path) in ("", ".", ".."):
        raise WriteError(f"{path!r} is no name for a file", code="bad-path")
    missing = []
    directory = os.path.dirname(path)
    while directory and not os.path.lexists(directory):
        missing.append(directory)
        directory = os.path.dirname(directory.rstrip("/"))
    for one in reversed(missing):
        make_directory(one, mode=0o700)
    write_file(path, data, overwrite=False, mode=OWNER_ONLY)
