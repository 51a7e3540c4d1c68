"""No network, no other processes, no files but the named ones: set by a process on itself, never to be undone.

On Linux a seccomp filter refuses the system calls, and Landlock the paths; where the kernel lacks one of them, or on
other systems, the bounds of the child are all there is, and `confine` says so. A thread that is started later is
confined like the one that starts it.
"""

import ctypes
import os
import platform
import struct
import sys
from collections.abc import Collection, Iterable
from contextlib import suppress

SECCOMP = "seccomp"
LANDLOCK = "landlock"

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_SECCOMP = 22
_PR_SET_NO_NEW_PRIVS = 38
_SIGKILL = 9
_ORPHANED = 72
_STANDARD_FILES = 3
_MODE_FILTER = 2

# Numbers of the system calls that are refused, by architecture: sockets, processes, signals, tracing, other processes'
# memory and schedules, shared memory and queues, keys, mounts, files by handle. Then those that are allowed for some
# arguments.
_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_REFUSED = {
    "x86_64": (
        29, 30, 41, 42, 43, 44, 46, 49, 50, 53, 57, 58, 59, 62, 64, 68, 101, 129, 141, 142, 144, 165, 200, 203, 240,
        248, 249, 250, 251, 256, 272, 279, 288, 297, 298, 304, 308, 310, 311, 314, 321, 322, 323, 424, 425, 434, 438,
        440,
    ),
    "aarch64": (
        30, 40, 97, 117, 118, 119, 122, 129, 130, 138, 140, 180, 186, 190, 194, 196, 198, 199, 200, 201, 202, 203, 206,
        211, 217, 218, 219, 221, 238, 239, 240, 241, 242, 265, 268, 270, 271, 274, 280, 281, 282, 424, 425, 434, 438,
        440,
    ),
}  # fmt: skip
_CLONE = {"x86_64": 56, "aarch64": 220}
_SIGNAL_THREAD = {"x86_64": 234, "aarch64": 131}
_LIMITS = {"x86_64": 302, "aarch64": 261}
_CLONE3 = 435
_CLONE_THREAD = 0x10000
_X32 = 0x40000000

_CAPABILITIES_VERSION = 0x20080522
_CAPABILITIES = "<6I"
"""Effective, permitted and inheritable, the first 32 and the others."""
_DAC_CAPABILITIES = 1 << 1 | 1 << 2

_ALLOW = 0x7FFF0000
_EPERM = 0x00050001
_ENOSYS = 0x00050026
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG = 1
_PATH_BENEATH = 1
_READ = 1 << 0 | 1 << 2 | 1 << 3
"""Execute, read files, list directories."""
_OF_FILES = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14
_SYSTEM_PATHS = (
    "/usr",
    "/lib",
    "/lib64",
    "/etc/ld.so.cache",
    "/proc/cpuinfo",
    "/proc/self/maps",
    "/sys/devices/system/cpu/online",
    "/dev/null",
    "/dev/urandom",
)
"""What libraries, Python and the engine read of the system."""


def die_with_parent(parent: int | None = None) -> None:
    """End this process when the one that started it ends, and let nobody look into its memory.

    `parent` is that process where it is known: one that has ended already kills nobody.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
    hide_memory()
    if parent is not None and os.getppid() != parent:
        os._exit(_ORPHANED)


def hide_memory() -> None:
    """Let no other process of the same user look into the memory of this one, and leave no image of it behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def close_files(*, keep: Collection[int]) -> None:
    """Close every open file but `keep`; standard input and output lead nowhere from now on."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in range(_STANDARD_FILES):
        os.dup2(nowhere, standard)
    for name in os.listdir("/dev/fd"):
        handle = int(name)
        if handle >= _STANDARD_FILES and handle not in keep:
            with suppress(OSError):
                os.close(handle)


def forget_environment() -> None:
    """Empty the environment, and overwrite what it held: the variables of a process stay readable in its memory."""
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
        place = ctypes.c_void_p.in_dll(library, "environ").value
        while place and (variable := ctypes.c_void_p.from_address(place).value):
            ctypes.memset(variable, 0, len(ctypes.string_at(variable)))
            place += ctypes.sizeof(ctypes.c_void_p)
        library.clearenv()
    os.environ.clear()


def confine(*, readable: Iterable[str], writable: Iterable[str]) -> tuple[str, ...]:
    """Confine this process; which of the two ways worked. Paths that do not exist are passed over."""
    if sys.platform != "linux":
        return ()
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return ()
    _drop_capabilities(library)
    found = []
    if _landlock(library, [*_SYSTEM_PATHS, *readable], list(writable)):
        found.append(LANDLOCK)
    if _seccomp(library):
        found.append(SECCOMP)
    return tuple(found)


def _drop_capabilities(library: ctypes.CDLL) -> None:
    """Of what root may do, leave only that files are found whoever owns them."""
    header = struct.pack("<Ii", _CAPABILITIES_VERSION, 0)
    sets = ctypes.create_string_buffer(struct.calcsize(_CAPABILITIES))
    if library.capget(header, sets) == 0:
        effective, permitted, *_ = struct.unpack(_CAPABILITIES, sets.raw)
        kept = struct.pack(_CAPABILITIES, effective & _DAC_CAPABILITIES, permitted & _DAC_CAPABILITIES, 0, 0, 0, 0)
        library.capset(header, kept)


def _landlock(library: ctypes.CDLL, readable: list[str], writable: list[str]) -> bool:
    version = library.syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG)
    if version < 1:
        return False
    everything = (1 << 13) - 1 | (1 << 13 if version >= 2 else 0) | (1 << 14 if version >= 3 else 0)
    attributes = struct.pack("<Q", everything)
    ruleset = library.syscall(_CREATE_RULESET, attributes, len(attributes), 0)
    if ruleset < 0:
        return False
    try:
        for paths, allowed in ((readable, _READ), (writable, everything)):
            for path in paths:
                _allow(library, ruleset, path, allowed=allowed & everything)
        return bool(library.syscall(_RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def _allow(library: ctypes.CDLL, ruleset: int, path: str, *, allowed: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        rights = allowed if os.path.isdir(path) else allowed & _OF_FILES
        library.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("<Qi", rights, handle), 0)
    finally:
        os.close(handle)


def _seccomp(library: ctypes.CDLL) -> bool:
    machine = platform.machine()
    if machine not in _AUDIT_ARCH:
        return False
    program = b"".join(struct.pack("<HBBI", *instruction) for instruction in _filter(machine))
    buffer = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("<HxxxxxxQ", len(program) // 8, ctypes.addressof(buffer))
    return bool(library.prctl(_PR_SET_SECCOMP, _MODE_FILTER, header, 0, 0) == 0)


def _filter(machine: str) -> list[tuple[int, int, int, int]]:
    """The filter: (operation, jump if true, jump if false, operand). Every answer is a number and no signal."""
    refused = _REFUSED[machine]
    program = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, _AUDIT_ARCH[machine]),
        (_RETURN, 0, 0, _EPERM),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if machine == "x86_64":
        program += [(_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, _EPERM)]
    program += [(_EQUAL, 0, 1, _CLONE3), (_RETURN, 0, 0, _ENOSYS)]
    for number in refused:
        program += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _EPERM)]
    # A process may signal its own threads, which is how it aborts, and ask for its own limits.
    for number, own in ((_SIGNAL_THREAD[machine], os.getpid()), (_LIMITS[machine], 0)):
        program += [
            (_EQUAL, 0, 4, number),
            (_LOAD, 0, 0, _FIRST_ARGUMENT),
            (_EQUAL, 0, 1, own),
            (_RETURN, 0, 0, _ALLOW),
            (_RETURN, 0, 0, _EPERM),
        ]
    # A thread is a clone that shares everything; whatever else clones is another process.
    program += [
        (_EQUAL, 0, 3, _CLONE[machine]),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_ANY_BIT, 1, 0, _CLONE_THREAD),
        (_RETURN, 0, 0, _EPERM),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return program
