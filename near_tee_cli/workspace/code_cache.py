"""Compiled contracts kept on disk between commands.

Loading a file from here runs it as native code, so a file counts only if a key that lies beside this directory
authenticates its digest: damage, truncation and files from elsewhere are all the same, namely no file, and the
contract is compiled again. The directory belongs to one user and is closed to all others, or it is refused.

Children that execute contracts neither see the key nor write here; what they get is in `lent_code`. The key lies in
memory that a forked child does not inherit.

Namespaces keep apart who may trust whom: what `run` compiled can never be loaded by `verify`, because each
namespace has its own directory and its own key. File names say what the content depends on, the machine
included; so does the authentication code, and a file that was renamed is no file either.
"""

import contextlib
import hashlib
import hmac
import os
import stat
from collections.abc import Iterator

from near_tee_cli.errors import HostError
from near_tee_cli.workspace.lent_code import (
    HEAD_BYTES,
    MAC_BYTES,
    READ_FLAGS,
    SUFFIX,
    LentCodeCache,
    file_name,
    identity_of,
    is_of,
    read_entry,
    write_all,
)
from near_tee_cli.workspace.unforked import unforked

KEY_BYTES = 32

MAX_ENTRIES = 256
MAX_TOTAL_BYTES = 1 << 30
"""Beyond either of these the entries that were written first are removed."""

_TEMPORARY = ".tmp"
_STALE_SECONDS = 3600
_CREATE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_DIRECTORY_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class DiskCodeCache:
    """A `CodeCache` of `near_tee_cli.vm.artifact` in a directory."""

    def __init__(self, directory: str, namespace: str) -> None:
        """Open, and make if need be, `namespace` (a plain word) in the cache `directory`.

        Raises `HostError` with code `cache-refused` when the directory, the namespace or the key in it is open
        to others or not ours, and with code `cache-unusable` when it cannot be made or read.
        """
        if not (namespace.isascii() and namespace.isalpha()):
            raise ValueError(f"{namespace!r} is no plain word")
        self._namespace = namespace.encode()
        self._path = os.path.join(os.path.abspath(directory), namespace)
        self._vouched: dict[bytes, bytes] | None = None
        self.problem: str | None = None
        """Why the last `store` kept nothing; a cache that cannot be written is slow, not wrong."""
        try:
            base = _private_directory(directory)
            try:
                self._directory = _private_directory(self._path)
                with contextlib.ExitStack() as undo:
                    undo.callback(os.close, self._directory)
                    self._key = _key(base, f"{namespace}.key", directory)
                    undo.pop_all()
            finally:
                os.close(base)
        except OSError as error:
            raise HostError(
                f"the code cache {directory} cannot be used: {error.strerror}", code="cache-unusable"
            ) from error
        self._machine = _machine()

    def load(self, name: bytes) -> bytes | None:
        """What was stored under `name` on this machine, exactly, or `None`."""
        identity = self._identity(name)
        found = read_entry(file_name(identity), directory=self._directory)
        if found is None:
            return None
        head, artifact = found
        return artifact if self._is_ours(head, identity) and is_of(artifact, head) else None

    def store(self, name: bytes, artifact: bytes) -> None:
        """Keep `artifact` under `name`, whole or not at all; `problem` says why it was not kept."""
        identity = self._identity(name)
        digest = hashlib.sha256(artifact).digest()
        temporary = f".{os.getpid()}.{os.urandom(8).hex()}{_TEMPORARY}"
        self.problem = None
        try:
            _create(self._directory, temporary, self._mac(identity, digest), digest, artifact)
            os.rename(temporary, file_name(identity), src_dir_fd=self._directory, dst_dir_fd=self._directory)
            _prune(self._directory, newest=file_name(identity))
        except OSError as error:
            self.problem = error.strerror or str(error)
            with contextlib.suppress(OSError):
                os.unlink(temporary, dir_fd=self._directory)
        else:
            if self._vouched is not None:
                self._vouched[identity] = digest

    def lend(self) -> LentCodeCache:
        """What one child gets of this cache, made before it is forked. Raises `OSError` when no file can be made."""
        if self._vouched is None:
            self._vouched = dict(self._authentic())
        return LentCodeCache(self._path, self._machine, vouched=self._vouched, keep=self.store)

    def _authentic(self) -> Iterator[tuple[bytes, bytes]]:
        """(Identity, digest of the artifact) of everything that is here and bears the key's mark."""
        for name in os.listdir(self._directory):
            with contextlib.suppress(OSError, ValueError):
                identity = bytes.fromhex(name.removesuffix(SUFFIX))
                handle = os.open(name, READ_FLAGS, dir_fd=self._directory)
                try:
                    head = os.read(handle, HEAD_BYTES)
                finally:
                    os.close(handle)
                if self._is_ours(head, identity):
                    yield identity, head[MAC_BYTES:]

    def close(self) -> None:
        """Give the directory back."""
        os.close(self._directory)

    def _identity(self, name: bytes) -> bytes:
        return identity_of(name, self._machine)

    def _is_ours(self, head: bytes, identity: bytes) -> bool:
        mac, digest = head[:MAC_BYTES], head[MAC_BYTES:]
        return hmac.compare_digest(mac, self._mac(identity, digest))

    def _mac(self, identity: bytes, digest: bytes) -> bytes:
        # NOTE: in one step, so that no copy of the key stays in ordinary memory
        return hmac.digest(self._key, b"near-tee/code-cache\0" + self._namespace + b"\0" + identity + digest, "sha256")


def _private_directory(path: str) -> int:
    """Make `path` if it is not there, and make sure that it is ours alone; its handle."""
    with contextlib.suppress(FileExistsError):
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        os.mkdir(path, 0o700)
    handle = os.open(path, _DIRECTORY_FLAGS)
    with contextlib.ExitStack() as undo:
        undo.callback(os.close, handle)
        _require_private(os.fstat(handle), path)
        undo.pop_all()
    return handle


def _require_private(status: os.stat_result, path: str) -> None:
    if status.st_uid != os.geteuid():
        raise HostError(f"{path} belongs to another user", code="cache-refused")
    if status.st_mode & 0o077:
        mode = stat.S_IMODE(status.st_mode)
        raise HostError(
            f"{path} is open to other users (mode {mode:04o})",
            code="cache-refused",
            hint="what lies there would run as code: remove it, or close it with chmod go=",
        )


def _key(directory: int, name: str, path: str) -> memoryview:
    """The key called `name`, made by whichever process comes first."""
    key = unforked(KEY_BYTES + 1)
    for _ in range(8):
        try:
            handle = os.open(name, READ_FLAGS, dir_fd=directory)
        except FileNotFoundError:
            _make_key(directory, name)
            continue
        try:
            status = os.fstat(handle)
            _require_private(status, os.path.join(path, name))
            length = os.readv(handle, [key]) if stat.S_ISREG(status.st_mode) else 0
        finally:
            os.close(handle)
        if length == KEY_BYTES:
            return key[:KEY_BYTES]
        # Keys get their name only when complete, so this one was damaged later: what it signed is lost anyway.
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=directory)
    raise HostError(f"the key of the code cache {path} keeps changing", code="cache-unusable")


def _make_key(directory: int, name: str) -> None:
    temporary = f".{os.getpid()}.{os.urandom(8).hex()}{_TEMPORARY}"
    key = unforked(KEY_BYTES)
    source = os.open("/dev/urandom", READ_FLAGS)
    try:
        os.readv(source, [key])
    finally:
        os.close(source)
    _create(directory, temporary, key)
    try:
        os.link(temporary, name, src_dir_fd=directory, dst_dir_fd=directory, follow_symlinks=False)
    except FileExistsError:
        return
    except OSError:
        # No hard links here: the last of several processes wins, and what the others signed is compiled again.
        os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
        return
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=directory)


def _create(directory: int, name: str, *parts: bytes | memoryview) -> None:
    handle = os.open(name, _CREATE_FLAGS, 0o600, dir_fd=directory)
    try:
        os.fchmod(handle, 0o600)
        for part in parts:
            write_all(handle, part)
    finally:
        os.close(handle)


def _prune(directory: int, *, newest: str) -> None:
    """Keep the cache within its bounds: the entries written first go, and what killed processes left."""
    now = os.stat(newest, dir_fd=directory).st_mtime
    entries = []
    for name in os.listdir(directory):
        if not name.endswith((SUFFIX, _TEMPORARY)):
            continue
        with contextlib.suppress(FileNotFoundError):
            status = os.stat(name, dir_fd=directory, follow_symlinks=False)
            if name.endswith(SUFFIX):
                entries.append((status.st_mtime, name, status.st_size))
            elif now - status.st_mtime > _STALE_SECONDS:
                os.unlink(name, dir_fd=directory)
    total = sum(size for _, _, size in entries)
    entries.sort()
    while len(entries) > MAX_ENTRIES or (total > MAX_TOTAL_BYTES and len(entries) > 1):
        _, name, size = entries.pop(0)
        total -= size
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=directory)


def _machine() -> bytes:
    """What native code depends on beside the engine: system, architecture and features of the processor."""
    system = os.uname()
    text = f"{system.sysname} {system.machine}".encode()
    try:
        with open("/proc/cpuinfo", "rb", buffering=0) as file:
            first = file.read(8192)
    except OSError:
        return text + system.version.encode()
    features = next((line for line in first.split(b"\n") if line.startswith((b"flags", b"Features"))), b"")
    return text + features
