"""Jobs that ought not to come back, each in a child: `python -m tests.support.isolated_jobs NAME`.

Prints one JSON object: `data` of a job that finished, or `death` and `message`.
"""

import ctypes
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from near_tee_cli.isolate.bounds import Bounds
from near_tee_cli.isolate.child import Death, Paths, started

SECRET = pathlib.Path(tempfile.gettempdir()) / f"near-tee-secret-{os.getuid()}"
BOUNDS = Bounds(wall_seconds=3.0, cpu_seconds=2, memory_bytes=512 << 20, output_bytes=1 << 20)


def attempt(act) -> bytes:
    """What an act that should be refused comes to."""
    try:
        act()
    except OSError as error:
        return f"refused: {type(error).__name__}".encode()
    return b"allowed"


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def _write(path: str):
    return lambda: pathlib.Path(path).write_text("x")


def _clone_by_number() -> None:
    library = ctypes.CDLL(None, use_errno=True)
    number = {"x86_64": 56, "aarch64": 220}[os.uname().machine]
    found = library.syscall(number, signal.SIGCHLD, 0, 0, 0, 0)
    if found == 0:
        os._exit(0)
    if found < 0:
        raise PermissionError(ctypes.get_errno(), "clone")


def _threads(_confined) -> bytes:
    found = []
    thread = threading.Thread(target=lambda: found.append(attempt(socket.socket)))
    thread.start()
    thread.join()
    return found[0]


def _memory(_confined) -> bytes:
    kept = []
    while True:
        kept.append(bytearray(16 << 20))


def _native_memory(_confined) -> bytes:
    library = ctypes.CDLL(None)
    library.malloc.restype = ctypes.c_void_p
    while True:
        place = library.malloc(ctypes.c_size_t(64 << 20))
        if not place:
            return b"refused"
        ctypes.memset(place, 1, 64 << 20)


def _loop(_confined) -> bytes:
    while True:
        pass


def _sleep(_confined) -> bytes:
    time.sleep(60)
    return b"awake"


def _close_and_sleep(_confined) -> bytes:
    os.closerange(3, 64)
    time.sleep(60)
    return b"awake"


def _wrong(_confined) -> bytes:
    raise KeyError("nobody expects this")


def _half(_confined) -> bytes:
    os.write(max(int(name) for name in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{name}")), b"half")
    os.kill(os.getpid(), signal.SIGKILL)
    os.abort()


JOBS = {
    "fine": lambda confined: json.dumps(confined).encode(),
    "large": lambda _: b"x" * (1 << 19),
    "too-large": lambda _: b"x" * (1 << 21),
    "loop": _loop,
    "sleep": _sleep,
    "silent": _close_and_sleep,
    "memory": _memory,
    "native-memory": _native_memory,
    "abort": lambda _: os.abort(),
    "segv": lambda _: ctypes.string_at(0),
    "exit": lambda _: os._exit(9),
    "wrong": _wrong,
    "socket": lambda _: attempt(socket.socket),
    "thread": _threads,
    "fork": lambda _: attempt(_fork),
    "clone": lambda _: attempt(_clone_by_number),
    "execute": lambda _: attempt(lambda: os.execv("/bin/true", ["true"])),
    "subprocess": lambda _: attempt(lambda: subprocess.run(["/bin/true"], check=False)),
    "kill-parent": lambda _: attempt(lambda: os.kill(os.getppid(), signal.SIGTERM)),
    "read-secret": lambda _: attempt(SECRET.read_bytes),
    "write-temporary": lambda _: attempt(_write(str(SECRET) + ".new")),
    "write-home": lambda _: attempt(_write(os.path.expanduser("~/.near-tee-probe"))),
    "list-root": lambda _: attempt(lambda: os.listdir("/root")),
    "parent-memory": lambda _: attempt(lambda: os.open(f"/proc/{os.getppid()}/mem", os.O_RDONLY)),
}


def main() -> None:
    """Run the job that is named."""
    SECRET.write_text("secret")
    paths = Paths((sys.prefix, sys.base_prefix), ())
    with started(JOBS[sys.argv[1]], bounds=BOUNDS, paths=paths) as child:
        answer = child.wait()
    if isinstance(answer, Death):
        print(json.dumps({"death": answer.code, "message": answer.message}))
    else:
        print(json.dumps({"data": answer.decode()[:100], "size": len(answer)}))


if __name__ == "__main__":
    main()
