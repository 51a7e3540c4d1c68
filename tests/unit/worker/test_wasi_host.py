"""The functions of WASI, one by one, over a memory of plain bytes."""

import hashlib
import struct

import pytest

from near_tee_cli.worker.wasi_host import (
    BADF,
    FUNCTIONS,
    INVAL,
    MODULE,
    NOSYS,
    SOCKET_FUNCTIONS,
    SPIPE,
    SUCCESS,
    ExitError,
    Host,
    TrapError,
)
from near_tee_cli.worker.wasi_run import Limits, Recorded

U32_MAX = 2**32 - 1
NOW = 1_700_000_000_000_000_000


class Bytes:
    def __init__(self, size=4096):
        self.data = bytearray(size)

    def size(self):
        return len(self.data)

    def read(self, at, length):
        assert at + length <= len(self.data)
        return bytes(self.data[at : at + length])

    def write(self, at, data):
        assert at + len(data) <= len(self.data)
        self.data[at : at + len(data)] = data


@pytest.fixture
def memory():
    return Bytes()


@pytest.fixture
def call(memory):
    host = Host(b"input", (("A", "1"),), limits=Limits(1, 1, 1), recorded=Recorded(NOW, bytes(32)))

    def made(name, *arguments):
        function = FUNCTIONS[name]
        assert len(arguments) == len(function.params)
        return function.call(host, memory, *arguments)

    made.host = host
    return made


def buffers(memory, at, *items):
    for number, item in enumerate(items):
        memory.write(at + 8 * number, struct.pack("<II", *item))


def number(memory, at, form="<I"):
    return struct.unpack_from(form, memory.data, at)[0]


def test_the_table_is_the_standards() -> None:
    assert MODULE == "wasi_snapshot_preview1"
    assert len(FUNCTIONS) + len(SOCKET_FUNCTIONS) == 46
    assert [name for name, function in FUNCTIONS.items() if not function.returns] == ["proc_exit"]


def test_error_numbers_are_the_standards() -> None:
    assert (SUCCESS, BADF, INVAL, NOSYS, SPIPE) == (0, 8, 28, 52, 70)


def test_variables_lie_where_their_pointers_say(memory) -> None:
    host = Host(b"", (("A", "1"), ("BC", ""), ("D", "4")), limits=Limits(1, 1, 1), recorded=Recorded(NOW, bytes(32)))
    assert host.environment_sizes(memory, 0, 4) == SUCCESS
    assert (number(memory, 0), number(memory, 4)) == (3, 12)
    assert host.environment(memory, 4, 101) == SUCCESS
    assert struct.unpack_from("<IIII", memory.data, 0) == (3, 101, 105, 109)
    assert memory.read(101, 13) == b"A=1\0BC=\0D=4\0\0"


def test_buffers_need_no_alignment_and_lists_of_them_do(call, memory) -> None:
    buffers(memory, 4, (4091, 5))
    assert call("fd_read", 0, 4, 1, 64) == SUCCESS
    assert memory.read(4091, 5) == b"input"
    assert call("fd_write", 1, 4, 1, 64) == SUCCESS
    assert call.host.streams[1].content() == b"input"
    for at in (2, 5):
        with pytest.raises(TrapError):
            call("fd_write", 1, at, 1, 64)
    memory.write(4088, struct.pack("<II", 4091, 5))
    assert call("fd_write", 1, 4088, 1, 64) == SUCCESS
    buffers(memory, 4, (4092, 5))
    with pytest.raises(TrapError):
        call("fd_write", 1, 4, 1, 64)


def test_lists_of_1024_buffers_and_no_more() -> None:
    memory = Bytes(8 * 1025 + 8)
    host = Host(b"x", (), limits=Limits(1, 1, 1), recorded=Recorded(NOW, bytes(32)))
    for function, handle in ((host.read, 0), (host.write, 1)):
        assert function(memory, handle, 0, 1024, 8 * 1025) == SUCCESS
        assert number(memory, 8 * 1025) == 0
        assert function(memory, handle, 0, 1025, 8 * 1025) == INVAL


def test_status_needs_alignment(call) -> None:
    for name in ("fd_fdstat_get", "fd_filestat_get"):
        assert call(name, 1, 8) == SUCCESS
        for at in (4, 9):
            with pytest.raises(TrapError):
                call(name, 1, at)


def test_there_are_no_arguments(call, memory) -> None:
    memory.write(0, b"\xff" * 8)
    assert call("args_sizes_get", 0, 4) == SUCCESS
    assert memory.read(0, 8) == bytes(8)
    assert call("args_get", 0, 4) == SUCCESS


def test_only_the_first_buffer_that_is_not_empty_is_used(call, memory) -> None:
    buffers(memory, 0, (U32_MAX, 0), (100, 3), (200, 3))
    assert call("fd_read", 0, 0, 3, 64) == SUCCESS
    assert (number(memory, 64), memory.read(100, 4), memory.read(200, 1)) == (3, b"inp\0", b"\0")
    assert call("fd_write", 1, 0, 3, 64) == SUCCESS
    assert call("fd_write", 2, 0, 1, 64) == SUCCESS
    assert number(memory, 64) == 0
    assert (call.host.streams[1].content(), call.host.streams[2].content()) == (b"inp", b"")
    assert call("fd_read", 0, 0, 3, 64) == SUCCESS
    assert call("fd_read", 0, 0, 3, 64) == SUCCESS
    assert number(memory, 64) == 0


@pytest.mark.parametrize(("name", "handle"), [("fd_read", 1), ("fd_read", 3), ("fd_write", 0), ("fd_write", 3)])
def test_streams_have_a_direction(call, name, handle) -> None:
    assert call(name, handle, 0, 0, 64) == BADF


def test_closing(call) -> None:
    assert call("fd_close", 0) == SUCCESS
    assert call("fd_close", 0) == BADF
    assert call("fd_read", 0, 0, 0, 64) == BADF
    assert call("fd_close", 1) == SUCCESS
    assert call("fd_write", 1, 0, 0, 64) == BADF
    assert call("fd_close", 3) == BADF


def test_status_of_streams(call, memory) -> None:
    assert call("fd_fdstat_get", 0, 0) == SUCCESS
    assert memory.read(0, 24) == struct.pack("<QQQ", 0, 1 << 1, 0)
    assert call("fd_fdstat_get", 2, 0) == SUCCESS
    assert memory.read(0, 24) == struct.pack("<QQQ", 0, 1 << 6, 0)
    assert call("fd_fdstat_get", 3, 0) == BADF
    memory.write(0, b"\xff" * 72)
    assert call("fd_filestat_get", 1, 0) == SUCCESS
    assert memory.read(0, 72) == bytes(64) + b"\xff" * 8
    assert call("fd_filestat_get", 9, 0) == BADF


@pytest.mark.parametrize(
    ("name", "arguments", "answer"),
    [
        ("fd_seek", (1, 0, 0, 0), SPIPE),
        ("fd_seek", (3, 0, 0, 0), BADF),
        ("fd_tell", (0, 0), SPIPE),
        ("fd_prestat_get", (3, 0), BADF),
        ("fd_prestat_get", (0, 0), BADF),
        ("fd_prestat_dir_name", (3, 0, 0), BADF),
        ("path_open", (3, 0, 0, 0, 0, 0, 0, 0, 0), BADF),
        ("path_open", (1, 0, 0, 0, 0, 0, 0, 0, 0), NOSYS),
        ("fd_sync", (1,), NOSYS),
        ("fd_renumber", (0, 1), NOSYS),
        ("path_symlink", (0, 0, 0, 0, 0), NOSYS),
        ("proc_raise", (9,), NOSYS),
        ("sched_yield", (), SUCCESS),
        ("clock_time_get", (2, 0, 0), BADF),
        ("clock_time_get", (4, 0, 0), INVAL),
        ("clock_res_get", (3, 0), BADF),
        ("clock_res_get", (9, 0), INVAL),
        ("fd_read", (0, 0, 1025, 0), INVAL),
        ("fd_write", (1, 0, U32_MAX, 0), INVAL),
        ("poll_oneoff", (0, 0, 0, 0), INVAL),
        ("poll_oneoff", (0, 0, 1025, 0), INVAL),
    ],
)
def test_answers(call, memory, name, arguments, answer) -> None:
    before = bytes(memory.data)
    assert call(name, *arguments) == answer
    assert memory.data == before


def test_everything_that_needs_a_file_is_refused(call) -> None:
    for name, function in FUNCTIONS.items():
        if name.startswith("path_") or function.call in (Host.not_done, Host.no_directory):
            assert call(name, *([5] * len(function.params))) in (BADF, NOSYS)


def test_the_clock_moves_when_it_is_looked_at(call, memory) -> None:
    seen = []
    for clock in (1, 1, 0):
        assert call("clock_time_get", clock, 1, 8) == SUCCESS
        seen.append(number(memory, 8, "<Q"))
    assert seen == [1000, 2000, NOW + 3000]
    assert call("clock_res_get", 1, 8) == SUCCESS
    assert number(memory, 8, "<Q") == 1000


def test_random_bytes_depend_on_the_number_of_the_call(call, memory) -> None:
    assert call("random_get", 1, 32) == SUCCESS
    first = memory.read(1, 32)
    assert call("random_get", 1, 32) == SUCCESS
    assert memory.read(1, 32) != first
    assert call("random_get", 0, 4096) == SUCCESS
    with pytest.raises(TrapError):
        call("random_get", 0, 4097)


def test_many_random_bytes_come_in_parts() -> None:
    memory = Bytes((1 << 20) + 16)
    host = Host(b"", (), limits=Limits(1, 1, 1), recorded=Recorded(NOW, bytes(32)))
    assert host.random(memory, 8, (1 << 20) + 8) == SUCCESS
    domain = b"near-tee/wasi-random/v1\0"
    for part, (at, length) in enumerate(((8, 1 << 20), ((1 << 20) + 8, 8))):
        seed = domain + bytes(32) + bytes(8) + struct.pack("<Q", part)
        assert memory.read(at, length) == hashlib.shake_256(seed).digest(length)
    assert memory.read(0, 8) == bytes(8)


def test_streams_take_so_much_and_no_more(memory) -> None:
    host = Host(b"", (), limits=Limits(1, 1, 1), recorded=Recorded(NOW, bytes(32)))
    for handle in (1, 2):
        buffers(memory, 0, (0, 4096))
        for _ in range(256):
            assert host.write(memory, handle, 0, 1, 64) == SUCCESS
        buffers(memory, 0, (0, 1))
        with pytest.raises(TrapError) as trap:
            host.write(memory, handle, 0, 1, 64)
        assert trap.value.code == "output-too-large"
        assert len(host.streams[handle].content()) == 1 << 20


def subscription(memory, at, user, kind, *, clock=0, wait=0, absolute=0, handle=0):
    body = struct.pack("<I4xQQH6x", clock, wait, 0, absolute) if kind == 0 else struct.pack("<I28x", handle)
    memory.write(at, struct.pack("<QB7x", user, kind) + body)


def test_waiting_moves_the_clock(call, memory) -> None:
    subscription(memory, 0, 7, 0, clock=1, wait=5_000_000)
    subscription(memory, 48, 8, 0, clock=0, wait=NOW + 2_000_000, absolute=1)
    assert call("poll_oneoff", 0, 512, 2, 1024) == SUCCESS
    assert number(memory, 1024) == 1
    assert memory.read(512, 32) == struct.pack("<QHB21x", 8, 0, 0)
    call("clock_time_get", 1, 0, 8)
    assert number(memory, 8, "<Q") == 2_001_000
    subscription(memory, 4096 - 48, 9, 0, clock=1, wait=2_000_000)
    assert call("poll_oneoff", 4096 - 48, 512, 1, 1024) == SUCCESS
    call("clock_time_get", 1, 0, 8)
    assert number(memory, 8, "<Q") == 4_002_000
    subscription(memory, 48, 8, 0, clock=0, wait=1, absolute=1)
    assert call("poll_oneoff", 48, 512, 1, 1024) == SUCCESS
    call("clock_time_get", 1, 0, 8)
    assert number(memory, 8, "<Q") == 4_003_000


def test_streams_are_ready_at_once(call, memory) -> None:
    subscription(memory, 0, 1, 0, clock=1, wait=5_000_000)
    subscription(memory, 48, 2, 1, handle=0)
    subscription(memory, 96, 3, 2, handle=3)
    subscription(memory, 144, 4, 0, clock=3)
    assert call("poll_oneoff", 0, 512, 4, 1024) == SUCCESS
    assert number(memory, 1024) == 3
    events = [struct.unpack_from("<QHB", memory.data, 512 + 32 * at) for at in range(3)]
    assert events == [(2, SUCCESS, 1), (3, BADF, 2), (4, BADF, 0)]
    call("clock_time_get", 1, 0, 8)
    assert number(memory, 8, "<Q") == 1000


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("environ_sizes_get", (4095, 0)),
        ("environ_sizes_get", (4096, 0)),
        ("environ_sizes_get", (2, 0)),
        ("environ_get", (4096, 0)),
        ("environ_get", (0, 4093)),
        ("environ_get", (0, U32_MAX)),
        ("clock_time_get", (0, 0, 4)),
        ("clock_time_get", (0, 0, 4096)),
        ("fd_read", (0, 2, 0, 0)),
        ("fd_read", (0, 0, 513, 0)),
        ("fd_write", (1, 4092, 1, 0)),
        ("fd_write", (1, 0, 0, 4096)),
        ("fd_fdstat_get", (0, 4080)),
        ("fd_filestat_get", (0, 4040)),
        ("random_get", (U32_MAX, U32_MAX)),
        ("poll_oneoff", (4056, 0, 1, 0)),
        ("poll_oneoff", (4, 0, 1, 0)),
    ],
)
def test_bad_pointers_end_the_program(call, name, arguments) -> None:
    with pytest.raises(TrapError) as trap:
        call(name, *arguments)
    assert trap.value.code == "bad-pointer"


def test_exit_never_comes_back(call) -> None:
    with pytest.raises(ExitError) as ended:
        call("proc_exit", U32_MAX)
    assert ended.value.code == U32_MAX
