"""Jobs from streams and directories: whatever comes in is a job, and nothing is taken twice."""

import os

import pytest

from near_tee_cli.cli.job_sources import MAX_JOB_BYTES, DirectoryJobs, StreamJobs


@pytest.fixture
def stream():
    reading, writing = os.pipe()
    yield StreamJobs(reading), writing
    os.close(reading)


def test_lines_as_they_come(stream) -> None:
    jobs, writing = stream
    assert jobs.take() is None
    assert not jobs.ended
    os.write(writing, b'{"a":1}\n\n  \n{"b"')
    assert jobs.take() == ("line-1", b'{"a":1}', None)
    assert jobs.take() is None
    os.write(writing, b":2}")
    assert jobs.take() is None
    os.close(writing)
    assert jobs.take() == ("line-4", b'{"b":2}', None)
    assert (jobs.take(), jobs.ended) == (None, True)


def test_a_line_without_end(stream) -> None:
    jobs, writing = stream
    data = b"x" * (MAX_JOB_BYTES + 10) + b'\n{"a":1}\n'
    found = []
    while data:
        data = data[os.write(writing, data[:4096]) :]
        one = jobs.take()
        if one is not None:
            found.append((one.name, one.data, one.problem and one.problem.code))
    os.close(writing)
    while (one := jobs.take()) is not None:
        found.append((one.name, one.data, one.problem and one.problem.code))
    assert found == [("line-1", b"", "too-large"), ("line-2", b'{"a":1}', None)]
    assert jobs.ended


def test_files_as_they_come(tmp_path) -> None:
    jobs = DirectoryJobs(str(tmp_path), once=False)
    assert jobs.take() is None
    for at, name in enumerate(("b", "a")):
        path = tmp_path / f"{name}.json"
        path.write_bytes(name.encode())
        os.utime(path, ns=(at, at))
    (tmp_path / ".hidden.json").write_bytes(b"")
    (tmp_path / "note.txt").write_bytes(b"")
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "link.json").symlink_to(tmp_path / "note.txt")
    assert [jobs.take().data, jobs.take().data, jobs.take()] == [b"b", b"a", None]
    (tmp_path / "c.json").write_bytes(b"c" * (MAX_JOB_BYTES + 1))
    assert jobs.take().problem.code == "too-large"
    assert (jobs.take(), jobs.ended) == (None, False)


def test_once(tmp_path) -> None:
    (tmp_path / "a.json").write_bytes(b"{}")
    jobs = DirectoryJobs(str(tmp_path), once=True)
    assert not jobs.ended
    assert jobs.take().name == "a"
    assert jobs.take() is None
    assert jobs.ended
