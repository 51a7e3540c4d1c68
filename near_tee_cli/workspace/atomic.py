"""Files read with bounds and written whole or not at all.

Reading opens once, refuses everything that is no regular file (a FIFO would block, a device never ends) and reads
at most what was allowed. Writing goes to a temporary sibling, is synced, and only then takes its name; the
directory is synced last, so that what was reported as written survives a power cut. An existing file is never
replaced unless asked. A failed write leaves nothing behind but, after a kill, a hidden `*.tmp` sibling.
"""

import errno
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from near_tee_cli.errors import BadInputError, WriteError

_READ_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_CREATE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_HARD_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
_READ_CHUNK = 1 << 20
_NAME_KEPT = 80

_KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISLNK, "a symbolic link"),
)


def read_file(path: str, what: str, *, max_bytes: int) -> bytes:
    """The bytes of the regular file at `path`; `what` says in errors what it was meant to be.

    Raises `BadInputError` with code `not-found`, `unreadable`, `not-a-file` or `too-large`.
    """
    try:
        handle = os.open(path, _READ_FLAGS)
    except FileNotFoundError as error:
        raise BadInputError(f"{what} {path} does not exist", code="not-found") from error
    except (OSError, ValueError) as error:
        raise _unreadable(path, what, error) from error
    try:
        return read_open_file(handle, path, what, max_bytes=max_bytes)
    finally:
        os.close(handle)


def read_open_file(handle: int, path: str, what: str, *, max_bytes: int) -> bytes:
    """The bytes of the regular file that is open as `handle`. Raises as `read_file` does."""
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise BadInputError(f"{what} {path} is {_kind(status.st_mode)}, not a file", code="not-a-file")
        if status.st_size > max_bytes:
            raise BadInputError(
                f"{what} {path} has {status.st_size} bytes, at most {max_bytes} are read", code="too-large"
            )
        return _read_bounded(handle, path, what, max_bytes=max_bytes)
    except OSError as error:
        raise _unreadable(path, what, error) from error


def _read_bounded(handle: int, path: str, what: str, *, max_bytes: int) -> bytes:
    parts = []
    left = max_bytes + 1
    while left and (part := os.read(handle, min(left, _READ_CHUNK))):
        parts.append(part)
        left -= len(part)
    if not left:
        raise BadInputError(f"{what} {path} has more than {max_bytes} bytes", code="too-large")
    return b"".join(parts)


def read_stream(handle: int, what: str, *, max_bytes: int) -> bytes:
    """Everything that an open stream such as standard input gives, at most `max_bytes`. Raises as `read_file` does."""
    try:
        return _read_bounded(handle, "on standard input", what, max_bytes=max_bytes)
    except OSError as error:
        raise _unreadable("on standard input", what, error) from error


def write_file(path: str, data: bytes, *, overwrite: bool, mode: int = 0o666) -> None:
    """Store `data` at `path`, durably; `mode` is narrowed by the umask.

    Raises `WriteError`: with code `exists` when the name is taken and `overwrite` is off.
    """
    directory, name = _split(path)
    temporary = os.path.join(directory, _temporary_name(name))
    _refuse_taken(path, overwrite=overwrite)
    try:
        _create(temporary, data, mode=mode)
        if overwrite:
            os.replace(temporary, path)
        else:
            _link(temporary, path)
        sync_directory(directory)
    except FileExistsError as error:
        raise WriteError(f"{path} exists already and is not overwritten", code="exists") from error
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        _discard(temporary)


def write_directory(path: str, files: Mapping[str, bytes]) -> None:
    """Make the directory `path` with `files` in it, all at once. Raises `WriteError` as `write_file` does.

    An empty directory of that name may be there already.
    """
    with new_directory(path) as temporary:
        write_files(temporary, files)


def write_files(directory: str, files: Mapping[str, bytes]) -> None:
    """Put new files into a directory that is being made, durably. Raises `OSError`."""
    for file_name, data in files.items():
        _create(os.path.join(directory, file_name), data, mode=0o666)


@contextmanager
def new_directory(path: str) -> Iterator[str]:
    """A temporary sibling that becomes the directory `path` when the block ends well, and vanishes when it does not.

    Files in it have to be synced by whoever writes them. Raises `WriteError` as `write_directory` does.
    """
    parent, name = _split(path)
    temporary = os.path.join(parent, _temporary_name(name))
    _refuse_taken_directory(path)
    made = False
    try:
        os.mkdir(temporary)
        made = True
        yield temporary
        sync_directory(temporary)
        os.rename(temporary, path)
        made = False
        sync_directory(parent)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR) and os.path.lexists(path):
            raise WriteError(f"{path} exists already and is not overwritten", code="exists") from error
        raise _unwritable(path, error) from error
    finally:
        if made:
            _discard_directory(temporary)


def _discard_directory(path: str) -> None:
    """Remove a directory of ours with what is in it; what cannot be removed stays."""
    try:
        entries = list(os.scandir(path))
    except OSError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            _discard_directory(entry.path)
        else:
            _discard(entry.path)
    _discard(path, os.rmdir)


def make_directory(path: str, *, mode: int = 0o777) -> None:
    """Make the directory `path` unless it is there. Raises `WriteError`."""
    try:
        os.mkdir(path, mode)
        sync_directory(os.path.dirname(path.rstrip("/")) or ".")
    except FileExistsError:
        if not os.path.isdir(path):
            raise WriteError(f"{path} exists already and is no directory", code="exists") from None
    except OSError as error:
        raise _unwritable(path, error) from error


def sync_directory(directory: str) -> None:
    """Make names that were created or changed in `directory` survive a power cut. Raises `OSError`."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some file systems cannot sync a directory at all; there its names are as durable as they get.
        if error.errno not in (errno.EINVAL, errno.EBADF):
            raise
    finally:
        os.close(handle)


def _discard(path: str, remove: Callable[[str], None] = os.unlink) -> None:
    """Remove what may or may not be there; what cannot be removed stays."""
    try:
        remove(path)
    except OSError:
        return


def _create(path: str, data: bytes, *, mode: int) -> None:
    handle = os.open(path, _CREATE_FLAGS, mode)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(handle, rest) :]
        os.fsync(handle)
    finally:
        os.close(handle)


def _link(temporary: str, path: str) -> None:
    """Give the finished file its name, failing when that is taken."""
    try:
        os.link(temporary, path, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        # Without hard links the name is reserved by an empty file first; only then it is replaced.
        os.close(os.open(path, _CREATE_FLAGS, 0o600))
        try:
            os.replace(temporary, path)
        except OSError:
            _discard(path)
            raise


def _split(path: str) -> tuple[str, str]:
    directory, name = os.path.split(path.rstrip("/") if len(path) > 1 else path)
    if not name or name in (".", "..") or "\0" in path:
        raise WriteError(f"{path!r} is no name for a file", code="bad-path")
    return directory or ".", name


def _temporary_name(name: str) -> str:
    return f".{name[:_NAME_KEPT]}.{os.urandom(6).hex()}.tmp"


def _refuse_taken(path: str, *, overwrite: bool) -> None:
    """Say early, before any work on disk, what the final rename would refuse (or must not do)."""
    try:
        status = os.lstat(path)
    except OSError:
        return
    if not overwrite:
        raise WriteError(f"{path} exists already and is not overwritten", code="exists")
    if not stat.S_ISREG(status.st_mode):
        raise WriteError(f"{path} is {_kind(status.st_mode)} and is not overwritten", code="exists")


def _refuse_taken_directory(path: str) -> None:
    try:
        taken = bool(os.listdir(path))
    except FileNotFoundError:
        return
    except NotADirectoryError:
        taken = True
    except OSError as error:
        raise _unwritable(path, error) from error
    if taken:
        raise WriteError(f"{path} exists already and is not overwritten", code="exists")


def _kind(mode: int) -> str:
    return next((name for test, name in _KINDS if test(mode)), "no regular file")


def _reason(error: OSError | ValueError) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)


def _unreadable(path: str, what: str, error: OSError | ValueError) -> BadInputError:
    return BadInputError(f"{what} {path} cannot be read: {_reason(error)}", code="unreadable")


def _unwritable(path: str, error: OSError) -> WriteError:
    return WriteError(f"{path} cannot be written: {_reason(error)}")
