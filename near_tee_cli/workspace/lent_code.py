"""What a child gets of its parent's cache of compiled code: to read, and to hand back what it compiles.

The parent has authenticated the digests of everything in the cache before it forks, so the child needs no key to tell
whether a file is what it was. It hands back through a file without a name, which it closes before it executes
anything: what is in there was compiled by a process in which no contract had run, and nothing can be added
afterwards. The parent vouches for it, under the name that the child gave, when the child has ended.
"""

import contextlib
import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping

MAC_BYTES = 32
DIGEST_BYTES = 32
HEAD_BYTES = MAC_BYTES + DIGEST_BYTES
"""What stands in a file before the artifact: the mark of the cache's key on its digest, and the digest."""

MAX_FILE_BYTES = 512 << 20
"""Larger files are not read: the largest legal contract compiles to far less."""

SUFFIX = ".ntc"
READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_SCRATCH_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NAME_BYTES = 32
_LENGTH_BYTES = 8
_CLOSED = -1


class LentCodeCache:
    """A `CodeCache` of `near_tee_cli.vm.artifact` for one child."""

    def __init__(
        self,
        directory: str,
        machine: bytes,
        *,
        vouched: Mapping[bytes, bytes],
        keep: Callable[[bytes, bytes], None],
    ) -> None:
        """`vouched` are digests of artifacts by identity; `keep` stores, in the parent, what was handed back.

        Raises `OSError` when no file can be made.
        """
        self.directory = directory
        """What the child has to be allowed to read."""
        self._machine = machine
        self._vouched = vouched
        self._keep = keep
        scratch = os.path.join(directory, f".{os.getpid()}.{os.urandom(8).hex()}.tmp")
        self.missed = False
        """Whether something was compiled too late to be handed back."""
        self._handle = os.open(scratch, _SCRATCH_FLAGS, 0o600)
        os.unlink(scratch)

    @property
    def handles(self) -> tuple[int, ...]:
        """Open files that the child needs."""
        return (self._handle,)

    def load(self, name: bytes) -> bytes | None:
        """What is stored under `name` on this machine, exactly, or `None`."""
        identity = identity_of(name, self._machine)
        digest = self._vouched.get(identity)
        if digest is None:
            return None
        found = read_entry(os.path.join(self.directory, file_name(identity)))
        return None if found is None or found[0][MAC_BYTES:] != digest or not is_of(*found[::-1]) else found[1]

    def store(self, name: bytes, artifact: bytes) -> None:
        """Hand `artifact` back under `name`, unless something may have been executed."""
        if self._handle == _CLOSED:
            self.missed = True
            return
        try:
            for part in (name, len(artifact).to_bytes(_LENGTH_BYTES, "little"), artifact):
                write_all(self._handle, part)
        except OSError:
            self.seal()

    def seal(self) -> None:
        """In the child, before it executes anything: from now on nothing is handed back."""
        if self._handle != _CLOSED:
            os.close(self._handle)
            self._handle = _CLOSED

    def take_back(self) -> None:
        """In the parent, when the child has ended: keep what was handed back whole."""
        with contextlib.suppress(OSError):
            for name, artifact in self._handed_back():
                self._keep(name, artifact)
        self.seal()

    def _handed_back(self) -> Iterator[tuple[bytes, bytes]]:
        size = os.fstat(self._handle).st_size
        if not 0 < size <= MAX_FILE_BYTES:
            return
        os.lseek(self._handle, 0, os.SEEK_SET)
        data = read_up_to(self._handle, size)
        position = 0
        while len(data) - position >= _NAME_BYTES + _LENGTH_BYTES:
            start = position + _NAME_BYTES + _LENGTH_BYTES
            end = start + int.from_bytes(data[position + _NAME_BYTES : start], "little")
            if end > len(data):
                return
            yield data[position : position + _NAME_BYTES], data[start:end]
            position = end


def identity_of(name: bytes, machine: bytes) -> bytes:
    """What a file is called after: the name of the artifact, on this machine."""
    return hashlib.sha256(name + machine).digest()


def file_name(identity: bytes) -> str:
    """The name of the file of an artifact."""
    return identity.hex() + SUFFIX


def read_entry(path: str, *, directory: int | None = None) -> tuple[bytes, bytes] | None:
    """(Head, artifact) of a file, `None` when it is none or cannot be read. Nothing of it is authenticated."""
    try:
        handle = os.open(path, READ_FLAGS, dir_fd=directory)
    except OSError:
        return None
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or not HEAD_BYTES <= status.st_size <= MAX_FILE_BYTES:
            return None
        return read_up_to(handle, HEAD_BYTES), read_up_to(handle, status.st_size - HEAD_BYTES + 1)
    except OSError:
        return None
    finally:
        os.close(handle)


def is_of(artifact: bytes, head: bytes) -> bool:
    """Whether the digest in `head` is that of `artifact`."""
    return hashlib.sha256(artifact).digest() == head[MAC_BYTES:]


def read_up_to(handle: int, length: int) -> bytes:
    """Up to `length` bytes, fewer only at the end of the file."""
    content = os.read(handle, length)
    while len(content) < length:
        more = os.read(handle, length - len(content))
        if not more:
            break
        content += more
    return content


def write_all(handle: int, data: bytes | memoryview) -> None:
    """Write all of `data`. Raises `OSError`."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(handle, rest) :]
