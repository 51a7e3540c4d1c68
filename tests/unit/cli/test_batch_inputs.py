"""What a batch reads: what was hashed is what is used, whatever happens to the files meanwhile."""

import os
import threading

import pytest

from near_tee_cli.cli import batch_inputs
from near_tee_cli.cli.batch_inputs import Inputs
from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives.hashes import sha256


@pytest.fixture
def inputs():
    with Inputs() as found:
        yield found


def digests(inputs, taken):
    return {path: sha256(inputs.read(path)).hex() for path in taken.files}


def test_a_file_is_taken_once(inputs, tmp_path) -> None:
    path = tmp_path / "a.wasm"
    path.write_bytes(b"one")
    taken = inputs.take(str(path), is_file=True)
    path.write_bytes(b"two")
    assert inputs.take(str(path), is_file=True) == taken
    assert (taken.digest, inputs.read(taken.path)) == (sha256(b"one").hex(), b"one")
    assert os.path.basename(taken.path) == "a.wasm"
    assert digests(inputs, taken) == taken.files
    assert os.stat(inputs.directory).st_mode & 0o077 == 0


def test_a_directory_without_the_lock_of_a_state(inputs, tmp_path) -> None:
    folder = tmp_path / "s"
    (folder / "inner.lmdb").mkdir(parents=True)
    (folder / "lock.mdb").write_bytes(b"no lock: no state is beside it")
    for name in ("data.mdb", "lock.mdb"):
        (folder / "inner.lmdb" / name).write_bytes(name.encode())
    taken = inputs.take(str(folder), is_file=False)
    assert sorted(path.partition("/s/")[2] for path in taken.files) == ["inner.lmdb/data.mdb", "lock.mdb"]
    (folder / "inner.lmdb" / "lock.mdb").write_bytes(b"changed")
    with Inputs() as others:
        assert others.take(str(folder), is_file=False).digest == taken.digest
    (folder / "inner.lmdb" / "data.mdb").rename(folder / "inner.lmdb" / "other.mdb")
    with Inputs() as others:
        assert others.take(str(folder), is_file=False).digest != taken.digest


def test_what_is_not_taken(inputs, tmp_path, monkeypatch) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    for number in range(5):
        (tmp_path / "folder" / str(number)).write_bytes(bytes(100))
    monkeypatch.setattr(batch_inputs, "_MAX_BYTES", 450)
    for name, is_file, code in (
        ("nowhere", True, "not-found"), ("fifo", True, "not-a-file"), ("folder", True, "not-a-file"),
        ("folder", False, "too-large"), ("a\0b", True, "unreadable"), ("", True, "not-a-file"),
    ):  # fmt: skip
        with pytest.raises(BadInputError) as caught:
            inputs.take(os.path.join(str(tmp_path), name), is_file=is_file)
        assert caught.value.code == code, name
    (tmp_path / "folder" / "0").unlink()
    assert len(inputs.take(str(tmp_path / "folder"), is_file=False).files) == 4


def test_nothing_is_left(tmp_path) -> None:
    inputs = Inputs()
    inputs.close()
    (tmp_path / "a").write_bytes(b"")
    inputs.take(str(tmp_path / "a"), is_file=True)
    directory = inputs.directory
    inputs.close()
    assert not os.path.exists(directory)


def test_files_that_are_exchanged_all_the_time(tmp_path) -> None:
    """A thousand copies while somebody replaces the file and writes into it: each is what its digest says."""
    path = tmp_path / "a"
    contents = [bytes([number]) * 70_000 for number in range(4)]
    path.write_bytes(contents[0])
    over = threading.Event()

    def exchange() -> None:
        while not over.is_set():
            for number, content in enumerate(contents):
                if number % 2:
                    path.write_bytes(content)
                else:
                    (tmp_path / "b").write_bytes(content)
                    os.replace(tmp_path / "b", path)

    thread = threading.Thread(target=exchange)
    thread.start()
    try:
        for _ in range(100):
            with Inputs() as inputs:
                for number in range(10):
                    taken = inputs.take(os.path.join(str(tmp_path), "./" * number + "a"), is_file=True)
                    assert digests(inputs, taken) == taken.files == {taken.path: taken.digest}
    finally:
        over.set()
        thread.join()
