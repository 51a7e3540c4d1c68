"""Compiled contracts kept on disk between commands.

Loading a file from here runs it as native code, so a file counts only if a key that never leaves this directory
authenticates it: damage, truncation and files from elsewhere are all the same, namely no file, and the contract
is compiled again. The directory belongs to one user and is closed to all others, or it is refused.

Namespaces keep apart who may trust whom: what `run` compiled can never be loaded by `verify`, because each
namespace has its own directory and its own key. File names say what the content depends on, the machine
included; so does the authentication code, and a file that was renamed is no file either.
"""

import contextlib
import hashlib
import hmac
import os
import stat

from near_tee_cli.errors import HostError

KEY_BYTES = 32
MAC_BYTES = 32

MAX_FILE_BYTES = 512 << 20
"""Larger files are not read: the largest legal contract compiles to far less."""

MAX_ENTRIES = 256
MAX_TOTAL_BYTES = 1 << 30
"""Beyond either of these the entries that were written first are removed."""

_SUFFIX = ".ntc"
_TEMPORARY = ".tmp"
_STALE_SECONDS = 3600
_READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
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
        self.problem: str | None = None
        """Why the last `store` kept nothing; a cache that cannot be written is slow, not wrong."""
        try:
            _private_directory(directory)
            own = os.path.join(directory, namespace)
            self._directory = _private_directory(own, keep=True)
            with contextlib.ExitStack() as undo:
                undo.callback(os.close, self._directory)
                self._key = _key(self._directory, own)
                undo.pop_all()
        except OSError as error:
            raise HostError(
                f"the code cache {directory} cannot be used: {error.strerror}", code="cache-unusable"
            ) from error
        self._machine = _machine()

    def load(self, name: bytes) -> bytes | None:
        """What was stored under `name` on this machine, exactly, or `None`."""
        identity = self._identity(name)
        try:
            handle = os.open(_file_name(identity), _READ_FLAGS, dir_fd=self._directory)
        except OSError:
            return None
        try:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode) or not MAC_BYTES <= status.st_size <= MAX_FILE_BYTES:
                return None
            code = os.read(handle, MAC_BYTES)
            artifact = _read(handle, status.st_size - MAC_BYTES)
        except OSError:
            return None
        finally:
            os.close(handle)
        return artifact if hmac.compare_digest(code, self._mac(identity, artifact)) else None

    def store(self, name: bytes, artifact: bytes) -> None:
        """Keep `artifact` under `name`, whole or not at all; `problem` says why it was not kept."""
        identity = self._identity(name)
        temporary = f".{os.getpid()}.{os.urandom(8).hex()}{_TEMPORARY}"
        self.problem = None
        try:
            _create(self._directory, temporary, self._mac(identity, artifact), artifact)
            os.rename(temporary, _file_name(identity), src_dir_fd=self._directory, dst_dir_fd=self._directory)
            _prune(self._directory, newest=_file_name(identity))
        except OSError as error:
            self.problem = error.strerror or str(error)
            with contextlib.suppress(OSError):
                os.unlink(temporary, dir_fd=self._directory)

    def close(self) -> None:
        """Give the directory back."""
        os.close(self._directory)

    def _identity(self, name: bytes) -> bytes:
        return hashlib.sha256(name + self._machine).digest()

    def _mac(self, identity: bytes, artifact: bytes) -> bytes:
        mac = hmac.new(self._key, b"near-tee/code-cache\0" + self._namespace + b"\0" + identity, "sha256")
        mac.update(artifact)
        return mac.digest()


def _file_name(identity: bytes) -> str:
    return identity.hex() + _SUFFIX


def _private_directory(path: str, *, keep: bool = False) -> int:
    """Make `path` if it is not there, and make sure that it is ours alone; its handle if `keep`, else -1."""
    with contextlib.suppress(FileExistsError):
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        os.mkdir(path, 0o700)
    handle = os.open(path, _DIRECTORY_FLAGS)
    kept = False
    try:
        _require_private(os.fstat(handle), path)
        kept = keep
    finally:
        if not kept:
            os.close(handle)
    return handle if keep else -1


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


def _key(directory: int, path: str) -> bytes:
    """The key of a namespace, made by whichever process comes first."""
    for _ in range(8):
        try:
            handle = os.open("key", _READ_FLAGS, dir_fd=directory)
        except FileNotFoundError:
            _make_key(directory)
            continue
        try:
            status = os.fstat(handle)
            _require_private(status, os.path.join(path, "key"))
            key = _read(handle, KEY_BYTES + 1) if stat.S_ISREG(status.st_mode) else b""
        finally:
            os.close(handle)
        if len(key) == KEY_BYTES:
            return key
        # Keys get their name only when complete, so this one was damaged later: what it signed is lost anyway.
        with contextlib.suppress(FileNotFoundError):
            os.unlink("key", dir_fd=directory)
    raise HostError(f"the key of the code cache {path} keeps changing", code="cache-unusable")


def _make_key(directory: int) -> None:
    temporary = f".{os.getpid()}.{os.urandom(8).hex()}{_TEMPORARY}"
    _create(directory, temporary, os.urandom(KEY_BYTES), b"")
    try:
        os.link(temporary, "key", src_dir_fd=directory, dst_dir_fd=directory, follow_symlinks=False)
    except FileExistsError:
        return
    except OSError:
        # No hard links here: the last of several processes wins, and what the others signed is compiled again.
        os.rename(temporary, "key", src_dir_fd=directory, dst_dir_fd=directory)
        return
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=directory)


def _create(directory: int, name: str, first: bytes, second: bytes) -> None:
    handle = os.open(name, _CREATE_FLAGS, 0o600, dir_fd=directory)
    try:
        os.fchmod(handle, 0o600)
        for part in (first, second):
            rest = memoryview(part)
            while rest:
                rest = rest[os.write(handle, rest) :]
    finally:
        os.close(handle)


def _read(handle: int, length: int) -> bytes:
    """Up to `length` bytes, fewer only at the end of the file."""
    content = os.read(handle, length)
    while len(content) < length:
        more = os.read(handle, length - len(content))
        if not more:
            break
        content += more
    return content


def _prune(directory: int, *, newest: str) -> None:
    """Keep the cache within its bounds: the entries written first go, and what killed processes left."""
    now = os.stat(newest, dir_fd=directory).st_mtime
    entries = []
    for name in os.listdir(directory):
        if not name.endswith((_SUFFIX, _TEMPORARY)):
            continue
        with contextlib.suppress(FileNotFoundError):
            status = os.stat(name, dir_fd=directory, follow_symlinks=False)
            if name.endswith(_SUFFIX):
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
