"""Reading with bounds; writing whole or not at all, whichever call fails."""

import errno
import os
import stat
import subprocess
import sys

import pytest

from near_tee_cli.errors import BadInputError, WriteError
from near_tee_cli.workspace import atomic


def code_of(call, *args, **kwargs):
    with pytest.raises((BadInputError, WriteError)) as caught:
        call(*args, **kwargs)
    assert "\n" not in caught.value.message
    return caught.value.code


def test_reads_a_file_and_through_a_link(tmp_path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "b").symlink_to("a")
    assert atomic.read_file(str(tmp_path / "a"), "the state", max_bytes=5) == b"12345"
    assert atomic.read_file(str(tmp_path / "b"), "the state", max_bytes=5) == b"12345"


def test_refuses_what_is_no_file(tmp_path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert code_of(atomic.read_file, str(tmp_path / "fifo"), "the state", max_bytes=5) == "not-a-file"
    assert code_of(atomic.read_file, str(tmp_path), "the state", max_bytes=5) == "not-a-file"
    assert code_of(atomic.read_file, "/dev/zero", "the state", max_bytes=5) == "not-a-file"
    assert code_of(atomic.read_file, str(tmp_path / "none"), "the state", max_bytes=5) == "not-found"
    assert code_of(atomic.read_file, str(tmp_path / "none" / "x"), "the state", max_bytes=5) == "not-found"
    assert code_of(atomic.read_file, "a\0b", "the state", max_bytes=5) == "unreadable"
    (tmp_path / "loop").symlink_to("loop")
    assert code_of(atomic.read_file, str(tmp_path / "loop"), "the state", max_bytes=5) == "unreadable"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_refuses_what_may_not_be_read(tmp_path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "a").chmod(0)
    assert code_of(atomic.read_file, str(tmp_path / "a"), "the state", max_bytes=5) == "unreadable"


def test_size_is_bounded(tmp_path) -> None:
    (tmp_path / "a").write_bytes(b"123456")
    assert code_of(atomic.read_file, str(tmp_path / "a"), "the state", max_bytes=5) == "too-large"
    # A file under /proc says that it is empty and is not.
    assert code_of(atomic.read_file, "/proc/self/maps", "the state", max_bytes=5) == "too-large"


def test_streams_are_bounded() -> None:
    read, write = os.pipe()
    os.write(write, b"123456")
    os.close(write)
    assert code_of(atomic.read_stream, read, "the state", max_bytes=5) == "too-large"
    os.close(read)


def test_writes_and_never_overwrites_unasked(tmp_path) -> None:
    path = str(tmp_path / "out")
    atomic.write_file(path, b"one", overwrite=False)
    assert code_of(atomic.write_file, path, b"two", overwrite=False) == "exists"
    assert (tmp_path / "out").read_bytes() == b"one"
    atomic.write_file(path, b"two", overwrite=True)
    assert (tmp_path / "out").read_bytes() == b"two"
    assert os.listdir(tmp_path) == ["out"]


def test_the_name_is_not_stolen_between_the_check_and_the_link(tmp_path, monkeypatch) -> None:
    path = str(tmp_path / "out")
    monkeypatch.setattr(atomic, "_refuse_taken", lambda *_args, **_kwargs: (tmp_path / "out").write_bytes(b"other"))
    assert code_of(atomic.write_file, path, b"ours", overwrite=False) == "exists"
    assert (tmp_path / "out").read_bytes() == b"other"
    assert os.listdir(tmp_path) == ["out"]


def test_mode_is_kept_private_when_asked(tmp_path) -> None:
    atomic.write_file(str(tmp_path / "key"), b"s", overwrite=False, mode=0o600)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) & 0o077 == 0


@pytest.mark.parametrize("kind", ["fifo", "directory", "link"])
def test_only_regular_files_are_overwritten(tmp_path, kind) -> None:
    target = tmp_path / "out"
    if kind == "fifo":
        os.mkfifo(target)
    elif kind == "directory":
        target.mkdir()
    else:
        target.symlink_to("elsewhere")
    assert code_of(atomic.write_file, str(target), b"x", overwrite=True) == "exists"
    assert code_of(atomic.write_file, str(target), b"x", overwrite=False) == "exists"
    assert os.listdir(tmp_path) == ["out"]


@pytest.mark.parametrize("path", ["", ".", "..", "/", "a/..", "a\0b"])
def test_names_that_are_none(path) -> None:
    assert code_of(atomic.write_file, path, b"x", overwrite=False) == "bad-path"


def test_missing_directory(tmp_path) -> None:
    assert code_of(atomic.write_file, str(tmp_path / "no" / "out"), b"x", overwrite=False) == "write-failed"


def test_file_systems_without_hard_links(tmp_path, monkeypatch) -> None:
    def refuse(*_args, **_kwargs):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    path = str(tmp_path / "out")
    atomic.write_file(path, b"one", overwrite=False)
    monkeypatch.setattr(atomic, "_refuse_taken", lambda *_args, **_kwargs: None)
    assert code_of(atomic.write_file, path, b"two", overwrite=False) == "exists"
    assert (tmp_path / "out").read_bytes() == b"one"
    assert os.listdir(tmp_path) == ["out"]


CALLS = ["open", "write", "fsync", "link", "replace", "mkdir", "rename"]


class Failing:
    """The N-th of all the calls in `CALLS` fails with `number`."""

    def __init__(self, monkeypatch, nth, number) -> None:
        self.count = 0
        self.failed = None
        for name in CALLS:
            monkeypatch.setattr(os, name, self.wrap(name, getattr(os, name), nth, number))

    def wrap(self, name, real, nth, number):
        def call(*args, **kwargs):
            self.count += 1
            if self.count == nth:
                self.failed = name
                raise OSError(number, os.strerror(number))
            return real(*args, **kwargs)

        return call


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT])
@pytest.mark.parametrize("kind", ["new", "overwrite", "directory"])
def test_whichever_call_fails_nothing_half_written_stays(tmp_path, monkeypatch, kind, number) -> None:
    (tmp_path / "old").write_bytes(b"old")
    failed = []
    for nth in range(1, 40):
        name = "old" if kind == "overwrite" else f"new{nth}"
        path = str(tmp_path / name)
        with monkeypatch.context() as patch:
            failing = Failing(patch, nth, number)
            try:
                if kind == "directory":
                    atomic.write_directory(path, {"a": b"aa", "b": b"bb"})
                else:
                    atomic.write_file(path, b"new", overwrite=kind == "overwrite")
                error = None
            except WriteError as caught:
                error = caught
        if failing.failed is None:
            assert error is None
            break
        failed.append(failing.failed)
        assert error is not None
        assert os.strerror(number) in error.message
        assert path in error.message
        # After the last sync failed the whole file may stand there; a part of one never does.
        for entry in tmp_path.iterdir():
            assert not entry.name.endswith(".tmp")
            if entry.is_dir():
                assert {inner.name: inner.read_bytes() for inner in entry.iterdir()} == {"a": b"aa", "b": b"bb"}
            else:
                assert entry.read_bytes() in ((b"old", b"new") if entry.name == "old" else (b"new",))
    else:
        pytest.fail("the loop never came to a run without a failure")
    assert {"open", "write", "fsync"} <= set(failed)
    assert {"new": "link", "overwrite": "replace", "directory": "rename"}[kind] in failed


def test_a_full_disk_in_a_real_process(tmp_path) -> None:
    script = (
        "import resource, signal, sys\n"
        "from near_tee_cli.workspace import atomic\n"
        "from near_tee_cli.errors import WriteError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try:\n    atomic.write_file(sys.argv[1], bytes(10_000), overwrite=False)\n"
        "except WriteError as error:\n    print(error.code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "out")], capture_output=True, text=True, check=True
    )
    assert done.stdout == "write-failed\n"
    assert os.listdir(tmp_path) == []


def test_directories_appear_whole(tmp_path) -> None:
    path = str(tmp_path / "step")
    atomic.write_directory(path, {"a": b"1", "b": b"2"})
    assert sorted(os.listdir(path)) == ["a", "b"]
    assert code_of(atomic.write_directory, path, {"a": b"3"}) == "exists"
    (tmp_path / "file").write_bytes(b"")
    assert code_of(atomic.write_directory, str(tmp_path / "file"), {"a": b"3"}) == "exists"
    (tmp_path / "empty").mkdir()
    atomic.write_directory(str(tmp_path / "empty"), {"a": b"3"})
    assert sorted(os.listdir(tmp_path)) == ["empty", "file", "step"]
    assert (tmp_path / "step" / "a").read_bytes() == b"1"
