"""Named pieces of bytes, in a directory or in an fsspec store: made once, seen whole or not at all.

Names have parts (`objects/ab12.ntb`). What is kept under the hash of its content may be made by anybody at any time:
who comes second finds the same. A directory is written durably; of another store is asked what it promises for a
single write, and that it refuses a name which is taken.
"""

import os
from typing import Any, Protocol

from near_tee_cli.errors import BadInputError, HostError, UsageError, WriteError
from near_tee_cli.workspace.atomic import make_directory, read_file, sync_directory, write_file

_READ_ONLY = 0o444
"""What is made once is not to be changed by accident; narrowed by the umask."""


class Blobs(Protocol):
    """Somewhere to keep bytes under names."""

    location: str
    """How a process elsewhere finds the same place."""

    def read(self, name: str, *, max_bytes: int) -> bytes | None:
        """What is kept under `name`, `None` for nothing. Raises `BadInputError` for what cannot be read."""

    def create(self, name: str, data: bytes) -> bool:
        """Keep `data`, unless something has that name; whether it was kept. Raises `WriteError`."""

    def replace(self, name: str, data: bytes) -> None:
        """Keep `data` whatever had that name. Raises `WriteError`."""


class DirectoryBlobs:
    """Files below a directory."""

    def __init__(self, directory: str) -> None:
        self.location = os.path.abspath(directory)
        self._directory = directory
        self._made: set[str] = set()

    def path(self, name: str) -> str:
        """Where `name` lies."""
        return os.path.join(self._directory, *name.split("/"))

    def read(self, name: str, *, max_bytes: int) -> bytes | None:
        """As `Blobs.read`."""
        try:
            return read_file(self.path(name), name, max_bytes=max_bytes)
        except BadInputError as error:
            if error.code == "not-found":
                return None
            raise

    def create(self, name: str, data: bytes) -> bool:
        """As `Blobs.create`. What was there already is durable when this comes back."""
        path = self._prepared(name)
        try:
            write_file(path, data, overwrite=False, mode=_READ_ONLY)
        except WriteError as error:
            if error.code != "exists":
                raise
            sync_directory(os.path.dirname(path))
            return False
        return True

    def replace(self, name: str, data: bytes) -> None:
        """As `Blobs.replace`."""
        write_file(self._prepared(name), data, overwrite=True)

    def _prepared(self, name: str) -> str:
        path = self.path(name)
        folder = os.path.dirname(path)
        if folder not in self._made:
            make_directory(folder)
            self._made.add(folder)
        return path


class FsspecBlobs:
    """Objects below a URL that `fsspec` understands."""

    def __init__(self, url: str) -> None:
        """Find what the URL names. Raises `UsageError` for one that nothing here understands, and `HostError`."""
        try:
            import fsspec
        except ImportError as error:
            raise HostError("fsspec is not installed", code="no-cluster", hint=INSTALL) from error
        try:
            self._files, root = fsspec.core.url_to_fs(url)
        except (ValueError, ImportError, OSError) as error:
            raise UsageError(f"--store {url[:120]}: {error}", where="--store") from error
        self.location = url
        self._root = str(root).rstrip("/")

    def read(self, name: str, *, max_bytes: int) -> bytes | None:
        """As `Blobs.read`."""
        path = self._path(name)
        try:
            size = self._files.size(path)
            if size is not None and size > max_bytes:
                raise BadInputError(f"{name} has {size} bytes, at most {max_bytes} are read", code="too-large")
            data = self._files.cat_file(path, start=0, end=max_bytes + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise BadInputError(f"{name} cannot be read: {error}", code="unreadable") from error
        if len(data) > max_bytes:
            raise BadInputError(f"{name} has more than {max_bytes} bytes", code="too-large")
        return bytes(data)

    def create(self, name: str, data: bytes) -> bool:
        """As `Blobs.create`."""
        try:
            self._write(name, data, mode="create")
        except FileExistsError:
            return False
        return True

    def replace(self, name: str, data: bytes) -> None:
        """As `Blobs.replace`."""
        self._write(name, data, mode="overwrite")

    def _write(self, name: str, data: bytes, *, mode: Any) -> None:
        path = self._path(name)
        try:
            self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
            self._files.pipe_file(path, data, mode=mode)
        except FileExistsError:
            raise
        except OSError as error:
            raise WriteError(f"{name} cannot be written: {error}") from error

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"


INSTALL = "pip install 'near-tee-cli[cluster]'"


def blobs_at(location: str) -> Blobs:
    """The store that `location` names: a URL with a scheme, or else a directory. Raises as `FsspecBlobs` does.

    A `file:` URL is a directory as well, because fsspec writes local files neither whole nor durably.
    """
    if location.startswith("file://"):
        return DirectoryBlobs(location.removeprefix("file://"))
    return FsspecBlobs(location) if "://" in location else DirectoryBlobs(location)
