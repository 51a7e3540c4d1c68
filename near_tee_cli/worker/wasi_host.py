"""The functions of WASI preview 1 for a program that has standard streams, variables, and nothing else.

Clock and random bytes come from recorded values, so that two runs see the same. There are no files, directories,
arguments or sockets: what asks for one gets `BADF` for a handle that is not there, else `NOSYS`. Where
wasmtime's own implementation has a choice, this makes the same one (only the first buffer that is not empty is read or
written; a pointer outside the memory or not aligned ends the program), so that programs count the same instructions.
What would take long without counting is bounded: lists of buffers and subscriptions have at most 1024 items.

Follows WASI: https://github.com/WebAssembly/WASI (wasi_snapshot_preview1.witx)
Follows wasmtime: crates/wasi/src/p1.rs
"""

import hashlib
from collections.abc import Callable
from struct import pack, unpack_from
from typing import NamedTuple, Protocol

from near_tee_cli.primitives.schema.wire import U32_MAX, U64_MAX, u32, u64
from near_tee_cli.worker.wasi_run import (
    BAD_POINTER,
    MAX_STDERR_BYTES,
    MIB,
    OUTPUT_TOO_LARGE,
    Environment,
    Limits,
    Recorded,
)

MODULE = "wasi_snapshot_preview1"
"""The name under which programs import these functions."""

SUCCESS, BADF, INVAL, NOSYS, SPIPE = 0, 8, 28, 52, 70
"""Error numbers."""

CLOCK_TICK_NS = 1000
"""Nanoseconds that each look at a clock takes."""

_RANDOM_DOMAIN = b"near-tee/wasi-random/v1\0"
_REALTIME, _MONOTONIC = 0, 1
_STDIN, _STDOUT, _STDERR = 0, 1, 2
_RIGHT_READ, _RIGHT_WRITE = 1 << 1, 1 << 6
_MAX_SUBSCRIPTIONS = 1024
_MAX_BUFFERS = 1024
_ABSOLUTE = 1
_EVENT_CLOCK = 0


class Memory(Protocol):
    """The program's linear memory."""

    def size(self) -> int:
        """Bytes it has now."""

    def read(self, at: int, length: int) -> bytes:
        """Bytes that are known to be within it."""

    def write(self, at: int, data: bytes) -> None:
        """Put bytes where they are known to fit."""


class ExitError(Exception):
    """The program asked to end."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exit {code}")
        self.code = code


class TrapError(Exception):
    """The program did what ends it; `code` is one of `TRAPS`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class HostFunction(NamedTuple):
    """A function by its type: letters `d` (i32) and `q` (i64); it gives an i32 unless it never comes back."""

    params: str
    returns: bool
    call: "Callable[..., int]"
    """`(host, memory, *arguments as unsigned numbers) -> error number`."""


class Host:
    """Everything that one run of a program can see and leave behind."""

    __slots__ = ("_clock", "_environment", "_input", "_open", "_position", "_random_calls", "_recorded", "streams")

    def __init__(self, stdin: bytes, environment: Environment, *, limits: Limits, recorded: Recorded) -> None:
        self._input = stdin
        self._position = 0
        self._environment = [f"{name}={value}".encode() + b"\0" for name, value in environment]
        self._recorded = recorded
        self._clock = 0
        self._random_calls = 0
        self._open = {_STDIN, _STDOUT, _STDERR}
        self.streams = {_STDOUT: Stream(limits.stdout_bytes), _STDERR: Stream(MAX_STDERR_BYTES)}
        """Standard output (1) and standard error (2)."""

    def no_arguments_sizes(self, memory: Memory, count_at: int, size_at: int) -> int:
        """`args_sizes_get`: there are none."""
        _put(memory, count_at, u32(0))
        _put(memory, size_at, u32(0))
        return SUCCESS

    def no_arguments(self, _memory: Memory, _pointers_at: int, _texts_at: int) -> int:
        """`args_get`: there are none."""
        return SUCCESS

    def environment_sizes(self, memory: Memory, count_at: int, size_at: int) -> int:
        """`environ_sizes_get`."""
        _put(memory, count_at, u32(len(self._environment)))
        _put(memory, size_at, u32(sum(map(len, self._environment))))
        return SUCCESS

    def environment(self, memory: Memory, pointers_at: int, texts_at: int) -> int:
        """`environ_get`: a pointer for each variable, and `NAME=value` with a zero byte behind."""
        for number, text in enumerate(self._environment):
            _put(memory, pointers_at + 4 * number, u32(texts_at & U32_MAX))
            _put(memory, texts_at, text, align=1)
            texts_at += len(text)
        return SUCCESS

    def clock_resolution(self, memory: Memory, clock: int, at: int) -> int:
        """`clock_res_get`."""
        if clock not in (_REALTIME, _MONOTONIC):
            return _bad_clock(clock)
        _put(memory, at, u64(CLOCK_TICK_NS), align=8)
        return SUCCESS

    def clock_time(self, memory: Memory, clock: int, _precision: int, at: int) -> int:
        """`clock_time_get`: what was recorded, and a tick for every look."""
        if clock not in (_REALTIME, _MONOTONIC):
            return _bad_clock(clock)
        self._clock += CLOCK_TICK_NS
        _put(memory, at, u64(self._now(clock)), align=8)
        return SUCCESS

    def _now(self, clock: int) -> int:
        return min(self._clock + (self._recorded.clock_ns if clock == _REALTIME else 0), U64_MAX)

    def random(self, memory: Memory, at: int, length: int) -> int:
        """`random_get`: SHAKE-256 of the recorded seed, the number of the call, and that of the MiB within it."""
        _require(memory, at, length, align=1)
        seed = _RANDOM_DOMAIN + self._recorded.seed + u64(self._random_calls)
        self._random_calls += 1
        for part, start in enumerate(range(0, length, MIB)):
            memory.write(at + start, hashlib.shake_256(seed + u64(part)).digest(min(length - start, MIB)))
        return SUCCESS

    def read(self, memory: Memory, handle: int, buffers_at: int, count: int, size_at: int) -> int:
        """`fd_read`: of standard input, into the first buffer that is not empty."""
        if handle != _STDIN or handle not in self._open:
            return BADF
        if count > _MAX_BUFFERS:
            return INVAL
        at, length = _first_buffer(memory, buffers_at, count)
        part = self._input[self._position : self._position + length]
        _put(memory, at, part, align=1)
        self._position += len(part)
        _put(memory, size_at, u32(len(part)))
        return SUCCESS

    def write(self, memory: Memory, handle: int, buffers_at: int, count: int, size_at: int) -> int:
        """`fd_write`: of the first buffer that is not empty, to standard output or error."""
        if handle not in self.streams or handle not in self._open:
            return BADF
        if count > _MAX_BUFFERS:
            return INVAL
        at, length = _first_buffer(memory, buffers_at, count)
        self.streams[handle].require_room(length)
        self.streams[handle].write(memory.read(at, length))
        _put(memory, size_at, u32(length))
        return SUCCESS

    def close(self, _memory: Memory, handle: int) -> int:
        """`fd_close`."""
        if handle not in self._open:
            return BADF
        self._open.remove(handle)
        return SUCCESS

    def status(self, memory: Memory, handle: int, at: int) -> int:
        """`fd_fdstat_get`: a stream of no known kind, to be read or written."""
        if handle not in self._open:
            return BADF
        rights = _RIGHT_READ if handle == _STDIN else _RIGHT_WRITE
        _put(memory, at, pack("<BxHxxxxQQ", 0, 0, rights, 0), align=8)
        return SUCCESS

    def file_status(self, memory: Memory, handle: int, at: int) -> int:
        """`fd_filestat_get`: a stream of no known kind, without size and times."""
        if handle not in self._open:
            return BADF
        _put(memory, at, bytes(64), align=8)
        return SUCCESS

    def seek(self, _memory: Memory, handle: int, *_: int) -> int:
        """`fd_seek` and `fd_tell`: streams have no position."""
        return SPIPE if handle in self._open else BADF

    def no_directory(self, _memory: Memory, _handle: int, *_: int) -> int:
        """`fd_prestat_get` and its like: no handle is a directory."""
        return BADF

    def not_done(self, _memory: Memory, handle: int, *_: int) -> int:
        """What needs a file: not even asked when the handle is not open."""
        return NOSYS if handle in self._open else BADF

    def never_done(self, _memory: Memory, *_: int) -> int:
        """What no program may do here."""
        return NOSYS

    def nothing(self, _memory: Memory) -> int:
        """`sched_yield`."""
        return SUCCESS

    def exit(self, _memory: Memory, code: int) -> int:
        """`proc_exit`. Never comes back."""
        raise ExitError(code)

    def poll(self, memory: Memory, subscriptions_at: int, events_at: int, count: int, size_at: int) -> int:
        """`poll_oneoff`: streams are always ready; waiting for a time moves the recorded clock there."""
        if not 1 <= count <= _MAX_SUBSCRIPTIONS:
            return INVAL
        _require(memory, subscriptions_at, 48 * count, align=8)
        raw = memory.read(subscriptions_at, 48 * count)
        ready: list[bytes] = []
        waiting: list[tuple[int, bytes]] = []
        for at in range(0, len(raw), 48):
            user, kind = unpack_from("<QB", raw, at)
            if kind == _EVENT_CLOCK:
                clock, wait, flags = unpack_from("<I4xQ8xH", raw, at + 16)
                if clock not in (_REALTIME, _MONOTONIC):
                    ready.append(_event(user, kind, error=_bad_clock(clock)))
                else:
                    until = max(wait - self._now(clock), 0) if flags & _ABSOLUTE else wait
                    waiting.append((until, _event(user, kind)))
            else:
                (handle,) = unpack_from("<I", raw, at + 16)
                ready.append(_event(user, kind, error=SUCCESS if handle in self._open else BADF))
        if not ready:
            soonest = min(until for until, _ in waiting)
            self._clock = min(self._clock + soonest, U64_MAX)
            ready = [event for until, event in waiting if until == soonest]
        _put(memory, events_at, b"".join(ready), align=8)
        _put(memory, size_at, u32(len(ready)))
        return SUCCESS


class Stream:
    """What a program writes, up to a bound."""

    __slots__ = ("_bound", "_data")

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._data = bytearray()

    def require_room(self, length: int) -> None:
        """Raises `TrapError` when `length` bytes more are more than there may be."""
        if len(self._data) + length > self._bound:
            raise TrapError(OUTPUT_TOO_LARGE)

    def write(self, data: bytes) -> None:
        """Take `data`, for which there is room."""
        self._data += data

    def content(self) -> bytes:
        """All that was written."""
        return bytes(self._data)


FUNCTIONS: dict[str, HostFunction] = {
    "args_get": HostFunction("dd", True, Host.no_arguments),
    "args_sizes_get": HostFunction("dd", True, Host.no_arguments_sizes),
    "environ_get": HostFunction("dd", True, Host.environment),
    "environ_sizes_get": HostFunction("dd", True, Host.environment_sizes),
    "clock_res_get": HostFunction("dd", True, Host.clock_resolution),
    "clock_time_get": HostFunction("dqd", True, Host.clock_time),
    "fd_advise": HostFunction("dqqd", True, Host.not_done),
    "fd_allocate": HostFunction("dqq", True, Host.not_done),
    "fd_close": HostFunction("d", True, Host.close),
    "fd_datasync": HostFunction("d", True, Host.not_done),
    "fd_fdstat_get": HostFunction("dd", True, Host.status),
    "fd_fdstat_set_flags": HostFunction("dd", True, Host.not_done),
    "fd_fdstat_set_rights": HostFunction("dqq", True, Host.not_done),
    "fd_filestat_get": HostFunction("dd", True, Host.file_status),
    "fd_filestat_set_size": HostFunction("dq", True, Host.not_done),
    "fd_filestat_set_times": HostFunction("dqqd", True, Host.not_done),
    "fd_pread": HostFunction("dddqd", True, Host.not_done),
    "fd_prestat_dir_name": HostFunction("ddd", True, Host.no_directory),
    "fd_prestat_get": HostFunction("dd", True, Host.no_directory),
    "fd_pwrite": HostFunction("dddqd", True, Host.not_done),
    "fd_read": HostFunction("dddd", True, Host.read),
    "fd_readdir": HostFunction("dddqd", True, Host.not_done),
    "fd_renumber": HostFunction("dd", True, Host.not_done),
    "fd_seek": HostFunction("dqdd", True, Host.seek),
    "fd_sync": HostFunction("d", True, Host.not_done),
    "fd_tell": HostFunction("dd", True, Host.seek),
    "fd_write": HostFunction("dddd", True, Host.write),
    "path_create_directory": HostFunction("ddd", True, Host.not_done),
    "path_filestat_get": HostFunction("ddddd", True, Host.not_done),
    "path_filestat_set_times": HostFunction("ddddqqd", True, Host.not_done),
    "path_link": HostFunction("ddddddd", True, Host.not_done),
    "path_open": HostFunction("dddddqqdd", True, Host.not_done),
    "path_readlink": HostFunction("dddddd", True, Host.not_done),
    "path_remove_directory": HostFunction("ddd", True, Host.not_done),
    "path_rename": HostFunction("dddddd", True, Host.not_done),
    "path_symlink": HostFunction("ddddd", True, Host.never_done),
    "path_unlink_file": HostFunction("ddd", True, Host.not_done),
    "poll_oneoff": HostFunction("dddd", True, Host.poll),
    "proc_exit": HostFunction("d", False, Host.exit),
    "proc_raise": HostFunction("d", True, Host.never_done),
    "random_get": HostFunction("dd", True, Host.random),
    "sched_yield": HostFunction("", True, Host.nothing),
}
"""Every function of preview 1 but those of sockets, by name."""

SOCKET_FUNCTIONS = ("sock_accept", "sock_recv", "sock_send", "sock_shutdown")
"""What reaches a network: programs that import one of these are refused."""


def _require(memory: Memory, at: int, length: int, *, align: int) -> None:
    if at % align or at + length > memory.size():
        raise TrapError(BAD_POINTER)


def _put(memory: Memory, at: int, data: bytes, *, align: int = 4) -> None:
    _require(memory, at, len(data), align=align)
    memory.write(at, data)


def _first_buffer(memory: Memory, at: int, count: int) -> tuple[int, int]:
    """Address and length of the first buffer that is not empty; nothing when there is none."""
    _require(memory, at, 8 * count, align=4)
    for place in range(at, at + 8 * count, 8):
        start, length = unpack_from("<II", memory.read(place, 8))
        if length:
            _require(memory, start, length, align=1)
            return start, length
    return 0, 0


def _bad_clock(clock: int) -> int:
    """The clocks of process and thread are known and not there."""
    return BADF if clock in (2, 3) else INVAL


def _event(user: int, kind: int, *, error: int = SUCCESS) -> bytes:
    return pack("<QHBxxxxxQHxxxxxx", user, error, kind, 0, 0)
