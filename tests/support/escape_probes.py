"""What a contract that escaped would try, from inside a child as `verify` makes it.

`python -m tests.support.escape_probes NEEDLE...`: the needles are secrets, in hexadecimal and with every bit turned
round, so that looking for them does not put them there. Prints one JSON object: what each probe got, or `refused`.
"""

import ctypes
import json
import os
import pathlib
import signal
import socket
import sys

from near_tee_cli.cli import isolated, machine
from near_tee_cli.isolate.bounds import Bounds
from near_tee_cli.isolate.child import Child, Death

ENTRY = b"e" * 32
ARTIFACT = b"compiled" * 1000
PARENT = os.getpid()
TURNED = bytes(255 - byte for byte in range(256))
MAX_REGION = 1 << 28


def _reading(path):
    return lambda: f"{len(pathlib.Path(path).read_bytes())} bytes"


def _writing(path):
    def write() -> str:
        with pathlib.Path(path).open("ab") as file:
            file.write(b"x")
        return "written"

    return write


def _calling(name, *arguments):
    number = NUMBERS[os.uname().machine][name]

    def call() -> str:
        library = ctypes.CDLL(None, use_errno=True)
        if library.syscall(number, *arguments) < 0:
            raise OSError(ctypes.get_errno(), "refused")
        return "allowed"

    return call


NUMBERS = {
    "x86_64": {"tgkill": 234, "prlimit64": 302, "rt_sigqueueinfo": 129, "pidfd_open": 434, "ptrace": 101},
    "aarch64": {"tgkill": 131, "prlimit64": 261, "rt_sigqueueinfo": 138, "pidfd_open": 434, "ptrace": 117},
}


def _environment() -> str:
    variables = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), "environ")
    if variables and variables[0]:
        return str(variables[0])
    if os.environ:
        return " ".join(os.environ)
    raise PermissionError("empty")


def _remembering(needles):
    """A probe that looks for `needles` in the memory of its process."""

    def remember() -> str:
        with pathlib.Path("/proc/self/maps").open() as file:
            regions = [line.split() for line in file]
        for place, rights, *_, name in (region if len(region) > 5 else [*region, ""] for region in regions):
            start, end = (int(part, 16) for part in place.split("-"))
            if "r" not in rights or end - start > MAX_REGION or name in ("[vvar]", "[vsyscall]", "[vvar_vclock]"):
                continue
            turned = ctypes.string_at(start, end - start).translate(TURNED)
            for number, needle in enumerate(needles):
                if needle in turned:
                    return f"needle {number} in {name or 'memory'}"
        raise PermissionError("nothing")

    return remember


def _terminal() -> str:
    nowhere = os.stat(os.devnull)
    for handle in range(3):
        if os.fstat(handle).st_rdev != nowhere.st_rdev:
            return f"file {handle}"
    raise PermissionError("nowhere")


def probes(cache, needles):
    """Name -> what is tried."""
    own, other = f"{cache}/{machine.VERIFYING}", f"{cache}/{machine.EXECUTING}"
    entry = next(name for name in os.listdir(own) if name.endswith(".ntc"))
    limits = (ctypes.c_ulong * 2)(0, 0)
    reads = (
        f"{own}.key", f"{other}.key", f"{other}/{entry}", f"/proc/{PARENT}/environ", f"/proc/{PARENT}/mem",
        f"/proc/{PARENT}/cmdline", "/proc/self/environ", "/proc/self/mem", "/etc/shadow", "/etc/passwd",
        "/etc/hostname", "/proc/mounts", "/sys/kernel/uevent_seqnum", os.path.expanduser("~/.bashrc"), __file__,
    )  # fmt: skip
    writes = (
        f"{own}/{entry}", f"{own}/new.ntc", f"{own}.key", f"{other}/new.ntc", f"{cache}/new", "/tmp/near-tee-probe",
        "/dev/shm/near-tee-probe", "/proc/self/oom_score_adj", os.path.expanduser("~/.near-tee-probe"), "/dev/tty",
        os.path.join(os.path.dirname(machine.__file__), "new.py"), os.path.join(sys.prefix, "new"),
    )  # fmt: skip
    return {
        **{f"read {path}": _reading(path) for path in reads},
        **{f"write {path}": _writing(path) for path in writes},
        "list /": lambda: str(os.listdir("/")),
        "list cache": lambda: str(os.listdir(cache)),
        "remove entry": lambda: str(os.unlink(f"{own}/{entry}")),
        "rename entry": lambda: str(os.rename(f"{own}/{entry}", f"{own}/other.ntc")),
        "link entry": lambda: str(os.link(f"{own}/{entry}", f"{own}/other.ntc")),
        "truncate entry": lambda: str(os.truncate(f"{own}/{entry}", 0)),
        "socket": lambda: str(socket.socket()),
        "pair": lambda: str(socket.socketpair()),
        "kill parent": lambda: str(os.kill(PARENT, 0)),
        "queue to parent": _calling("rt_sigqueueinfo", PARENT, 0, 0),
        "kill thread of parent": _calling("tgkill", PARENT, PARENT, signal.SIGCONT),
        "limits of parent": _calling("prlimit64", PARENT, 7, None, limits),
        "open parent": _calling("pidfd_open", PARENT, 0),
        "trace parent": _calling("ptrace", 16, PARENT, 0, 0),
        "fork": lambda: str(os.fork() or os._exit(0)),
        "execute": lambda: str(os.execv("/bin/true", ["true"])),
        "environment": _environment,
        "terminal": _terminal,
        "memory": _remembering(needles),
    }


def main() -> None:
    """Run every probe in a child of its own."""
    needles = [bytes.fromhex(one) for one in sys.argv[1:]]
    caches = [machine.code_cache(name)[0] for name in (machine.VERIFYING, machine.EXECUTING)]
    for cache in caches:
        cache.store(ENTRY, ARTIFACT)
    found = {}
    for name, probe in probes(machine.cache_directory(), needles).items():
        lent = isolated.lent_of(caches[0])

        def job(_confined, probe=probe, lent=lent) -> bytes:
            if lent.load(ENTRY) != ARTIFACT:
                return b"the cache cannot be read"
            lent.seal()
            try:
                return probe().encode()
            except OSError:
                return b"refused"

        answer = Child(job, bounds=Bounds(10), paths=isolated.paths(), lent=lent).wait()
        found[name] = str(answer) if isinstance(answer, Death) else answer.decode()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
