"""A file system that fails: every call of `os` that changes something can be recorded, refused, or be the last.

`Faults` stands between a writer and the system in a forked child, so that a kill is a real one.
"""

import errno
import os
import random
import signal
from collections.abc import Callable
from contextlib import contextmanager
from typing import NamedTuple

CALLS = ("open", "write", "fsync", "link", "replace", "rename", "unlink", "mkdir", "rmdir", "close")
EFFECTS = ("ENOSPC", "EIO", "KILL")


class Call(NamedTuple):
    """One call: its name, the paths that it is about, and data that it writes."""

    name: str
    path: str
    other: str
    data: bytes


class Faults:
    """Counts and records calls below `root`; at the `at`-th call of `name` has its effect."""

    def __init__(self, root: str, *, name: str = "", at: int = 0, effect: str = "") -> None:
        self.root, self.name, self.at, self.effect = root, name, at, effect
        self.seen = 0
        self.calls: list[Call] = []
        self._paths: dict[int, str] = {}
        self._real = {name: getattr(os, name) for name in CALLS}

    @contextmanager
    def active(self):
        """Stand between for the time of the block."""
        for name in CALLS:
            setattr(os, name, getattr(self, f"_{name}"))
        try:
            yield self
        finally:
            for name, real in self._real.items():
                setattr(os, name, real)

    def _before(self, name: str) -> None:
        if name != self.name:
            return
        self.seen += 1
        if self.seen != self.at:
            return
        if self.effect == "KILL":
            os.kill(os.getpid(), signal.SIGKILL)
        raise OSError(getattr(errno, self.effect), os.strerror(getattr(errno, self.effect)))

    def _ours(self, path) -> bool:
        return isinstance(path, str) and os.path.abspath(path).startswith(self.root)

    def _note(self, name, path, other="", data=b"") -> None:
        self.calls.append(Call(name, os.path.abspath(path), os.path.abspath(other) if other else "", bytes(data)))

    def _open(self, path, flags, mode=0o777, *, dir_fd=None):
        if self._ours(path):
            self._before("open")
        handle = self._real["open"](path, flags, mode, dir_fd=dir_fd)
        if self._ours(path):
            self._paths[handle] = path
            if flags & os.O_CREAT:
                self._note("create", path)
        return handle

    def _write(self, handle, data):
        if handle in self._paths:
            self._before("write")
        count = self._real["write"](handle, data)
        if handle in self._paths:
            self._note("write", self._paths[handle], data=bytes(data[:count]))
        return count

    def _fsync(self, handle):
        if handle in self._paths:
            self._before("fsync")
        self._real["fsync"](handle)
        if handle in self._paths:
            self._note("fsync", self._paths[handle])

    def _close(self, handle):
        path = self._paths.pop(handle, None)
        if path is not None and self.name == "close" and self.effect == "KILL":
            self._before("close")
        self._real["close"](handle)

    def _one(self, name, path, *rest, **more):
        if self._ours(path):
            self._before(name)
        self._real[name](path, *rest, **more)
        if self._ours(path):
            self._note(name, path)

    def _two(self, name, source, target, **more):
        if self._ours(source):
            self._before(name)
        self._real[name](source, target, **more)
        if self._ours(source):
            self._note(name, source, target)

    def _unlink(self, path, **more):
        self._one("unlink", path, **more)

    def _rmdir(self, path, **more):
        self._one("rmdir", path, **more)

    def _mkdir(self, path, mode=0o777, **more):
        self._one("mkdir", path, mode, **more)

    def _link(self, source, target, **more):
        self._two("link", source, target, **more)

    def _replace(self, source, target, **more):
        self._two("replace", source, target, **more)

    def _rename(self, source, target, **more):
        self._two("rename", source, target, **more)


def in_child(act: Callable[[], str]) -> str:
    """What `act` says in a forked child: its text, or `killed`."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(writing, act().encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode()
    _, status = os.waitpid(pid, 0)
    return "killed" if os.WIFSIGNALED(status) else said


class Disk:
    """What is on a disk after a power cut: what was synced, and any part of what was not."""

    def __init__(self, calls: list[Call], draw: random.Random) -> None:
        """`calls` are those before the cut."""
        self.draw = draw
        self.files: dict[int, list[bytes]] = {}
        """File -> everything written, and what of it was synced."""
        self.names: dict[str, int] = {}
        """Path -> file, or -1 for a directory, as the disk has it."""
        now: dict[str, int] = {}
        pending: list[Call] = []
        for call in calls:
            if call.name == "write":
                self.files[now[call.path]][0] += call.data
            elif call.name == "fsync" and now.get(call.path, -1) >= 0:
                self.files[now[call.path]][1] = self.files[now[call.path]][0]
            elif call.name == "fsync":
                for one in [one for one in pending if os.path.dirname(one.other or one.path) == call.path]:
                    self._apply(one, self.names)
                    pending.remove(one)
            else:
                if call.name == "create":
                    self.files[len(self.files)] = [b"", b""]
                numbered = call._replace(data=b"%d" % self._number(call, now))
                self._apply(numbered, now)
                pending.append(numbered)
        for one in pending:
            if draw.random() < 0.5:
                self._apply(one, self.names)

    def _number(self, call: Call, now: dict[str, int]) -> int:
        """The file that a change of names is about."""
        return len(self.files) - 1 if call.name == "create" else now.get(call.path, -1)

    @staticmethod
    def _apply(call: Call, names: dict[str, int]) -> None:
        """Let one change of names happen in `names`."""
        number = int(call.data)
        if call.name in ("create", "mkdir"):
            names[call.path] = number if call.name == "create" else -1
        elif call.name in ("unlink", "rmdir"):
            names.pop(call.path, None)
        elif number >= 0:
            names[call.other] = number
            if call.name != "link":
                names.pop(call.path, None)
        else:
            for path in [path for path in names if path == call.path or path.startswith(call.path + os.sep)]:
                names[call.other + path[len(call.path) :]] = names.pop(path)

    def content(self, number: int) -> bytes:
        """A file's bytes: those that were synced, or whatever the disk made of the others."""
        written, synced = self.files[number]
        if written == synced:
            return written
        return self.draw.choice([synced, written[: self.draw.randrange(len(written) + 1)], bytes(len(written)), b""])

    def lay_out(self, root: str) -> None:
        """Make the directory tree of this disk at `root`."""
        for path, number in sorted(self.names.items()):
            if os.path.isdir(os.path.dirname(path)):
                if number == -1:
                    os.makedirs(path, exist_ok=True)
                else:
                    with open(path, "wb") as file:
                        file.write(self.content(number))
