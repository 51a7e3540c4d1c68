"""What the items of a batch read: taken once, into a directory that nobody else writes to.

A file may change while a batch is under way. So the bytes that were hashed are the bytes that are used: every file is
copied when the first item names it, and all items read the copy, here as on another machine. What a job is named by is
thereby what it read, whatever happens to the files meanwhile.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from typing import NamedTuple, Self

from near_tee_cli.cli import files
from near_tee_cli.errors import BadInputError, WriteError
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.workspace.atomic import read_file
from near_tee_cli.workspace.state_directory import LOCK, is_state_directory

_MAX_BYTES = 4 * files.MAX_SNAPSHOT_BYTES
"""Of all files of a directory; a step has two states in it."""


class Input(NamedTuple):
    """A file or directory as it was taken."""

    path: str
    """Where the copy lies, below the directory of all inputs."""
    digest: str
    """SHA-256 of a file, or of the names and hashes of all files of a directory, hexadecimal."""
    files: Mapping[str, str]
    """Path below the directory of all inputs -> SHA-256, of every file."""


class Inputs:
    """The copies of a batch. To be closed, or used as a context; then they are gone."""

    def __init__(self) -> None:
        self._directory: str | None = None
        self._taken: dict[str, Input] = {}

    @property
    def directory(self) -> str:
        """Where the copies lie: made when it is asked for. Raises `WriteError`."""
        if self._directory is None:
            try:
                self._directory = tempfile.mkdtemp(prefix="near-tee-")
            except OSError as error:
                raise WriteError(f"there is no place for copies: {error}", hint="TMPDIR names one") from error
        return self._directory

    def take(self, path: str, *, is_file: bool) -> Input:
        """The copy of a file, or of a directory unless it `is_file`, made now or before.

        Raises `BadInputError` and `WriteError`.
        """
        if is_file and os.path.isdir(path):
            raise BadInputError(f"{path} is a directory, not a file", code="not-a-file")
        if path not in self._taken:
            target = os.path.join(str(len(self._taken)), os.path.basename(os.path.abspath(path)))
            shutil.rmtree(os.path.join(self.directory, os.path.dirname(target)), ignore_errors=True)
            self._taken[path] = self._copied(path, target)
        return self._taken[path]

    def _copied(self, path: str, target: str) -> Input:
        found = {}
        left = _MAX_BYTES
        for relative, inner in _files_of(path):
            data = read_file(inner, "the file", max_bytes=files.MAX_SNAPSHOT_BYTES)
            left -= len(data)
            if left < 0:
                raise BadInputError(f"{path} holds more than {_MAX_BYTES} bytes", code="too-large")
            place_file(os.path.join(self.directory, target, relative), data)
            found[relative] = sha256(data).hex()
        digest = sha256(cj.dumps(sorted(map(list, found.items())))).hex() if os.path.isdir(path) else found["."]
        return Input(target, digest, {os.path.normpath(os.path.join(target, name)): one for name, one in found.items()})

    def read(self, path: str) -> bytes:
        """A file among the copies. Raises `BadInputError`."""
        return read_file(os.path.join(self.directory, path), "the file", max_bytes=files.MAX_SNAPSHOT_BYTES)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the copies; what cannot be removed stays."""
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)


def place_file(path: str, data: bytes) -> None:
    """Write a new file, and the directories that it needs; it is not to last. Raises `WriteError`."""
    path = os.path.normpath(path)
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "xb") as file:
            file.write(data)
    except OSError as error:
        raise WriteError(f"{path} cannot be written: {error.strerror or error}") from error


def _files_of(path: str) -> Iterator[tuple[str, str]]:
    """(path below `path`, path) of every file: `.` for a file itself, else in order.

    The lock of a state is left out: every reader changes it, and nobody reads what it says.
    """
    if not os.path.isdir(path):
        yield ".", path
        return
    for folder, folders, names in os.walk(path):
        folders.sort()
        for name in sorted(names):
            if name != LOCK or not is_state_directory(folder):
                inner = os.path.join(folder, name)
                yield os.path.relpath(inner, path), inner
