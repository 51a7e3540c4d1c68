"""Where a worker takes its jobs from: lines on a stream, or files that appear in a directory.

A job is one JSON object. What is no object is a job all the same, whose result says so: nothing that comes in is lost,
and nothing stops the others.
"""

import os
import select
import stat
from typing import NamedTuple

from near_tee_cli.errors import BadInputError
from near_tee_cli.workspace.atomic import read_file

MAX_JOB_BYTES = 1 << 20
SUFFIX = ".json"

_CHUNK = 1 << 16


class Incoming(NamedTuple):
    """A job as it came in."""

    name: str
    """Of its file, or `line-N`."""
    data: bytes
    """The object; empty when it could not be read."""
    problem: BadInputError | None = None


class StreamJobs:
    """One job in each line of an open stream. Blank lines are none."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._buffer = bytearray()
        self._lines = 0
        self._closed = False
        self._too_long = False

    def take(self) -> Incoming | None:
        """The next line, `None` when there is no whole one now."""
        while True:
            line = self._line()
            if line is None:
                return None
            self._lines += 1
            name = f"line-{self._lines}"
            if self._too_long:
                self._too_long = False
                told = f"a job has at most {MAX_JOB_BYTES} bytes"
                return Incoming(name, b"", BadInputError(told, code="too-large", where=name))
            if line.strip():
                return Incoming(name, line)

    @property
    def ended(self) -> bool:
        """Whether the stream is at its end, and every line was taken."""
        return self._closed and not self._buffer

    def fileno(self) -> int | None:
        """The stream."""
        return self._handle

    def _line(self) -> bytes | None:
        while True:
            end = self._buffer.find(b"\n")
            if end >= 0 or (self._closed and self._buffer):
                line = bytes(self._buffer[: end if end >= 0 else len(self._buffer)])
                del self._buffer[: len(line) + 1]
                self._too_long |= len(line) > MAX_JOB_BYTES
                return line
            if self._closed or not select.select([self._handle], [], [], 0)[0]:
                return None
            part = os.read(self._handle, _CHUNK)
            self._closed = not part
            self._buffer += part
            if len(self._buffer) > MAX_JOB_BYTES and b"\n" not in self._buffer:
                self._too_long = True
                self._buffer.clear()


class DirectoryJobs:
    """One job in each file `*.json` of a directory, oldest first; whoever puts files there renames them into place."""

    def __init__(self, directory: str, *, once: bool) -> None:
        """With `once` it ends when everything that is there is taken."""
        self._directory = directory
        self._taken: set[str] = set()
        self._once = once
        self._waiting: list[str] = []
        self._scanned = False

    def take(self) -> Incoming | None:
        """The next file that nobody took, `None` when there is none now."""
        if not self._waiting:
            self._waiting = self._scan()
        if not self._waiting:
            return None
        name = self._waiting.pop(0)
        self._taken.add(name)
        try:
            data = read_file(os.path.join(self._directory, name + SUFFIX), "the job", max_bytes=MAX_JOB_BYTES)
        except BadInputError as error:
            return Incoming(name, b"", error)
        return Incoming(name, data)

    @property
    def ended(self) -> bool:
        """Only with `once`: a directory may always get another file."""
        return self._once and self._scanned and not self._waiting

    def fileno(self) -> int | None:
        """Nothing becomes readable: a directory is asked again."""
        return None

    def _scan(self) -> list[str]:
        self._scanned = True
        found = []
        with os.scandir(self._directory) as entries:
            for entry in entries:
                name = entry.name.removesuffix(SUFFIX)
                if name == entry.name or name in self._taken or entry.name.startswith("."):
                    continue
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode):
                    found.append((status.st_mtime_ns, name))
        return [name for _, name in sorted(found)]
