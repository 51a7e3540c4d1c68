"""What was proved once is found again, and only what is whole."""

import json

import pytest

from near_tee_cli.errors import BadInputError, WriteError
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.workspace.result_store import ResultStore

KEY = b"\7" * 32
JOB = b"\1" * 32
OTHER_JOB = b"\2" * 32


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "results"


@pytest.fixture
def store(directory):
    return ResultStore(str(directory), resume=False, key=lambda: KEY)


def test_kept_and_found(store, directory) -> None:
    assert store.find(JOB) is None
    kept = store.keep(JOB, b"bundle", {"exit": 0})
    assert kept == {"exit": 0, "bundle": sha256(b"bundle").hex()}
    assert store.find(JOB) == (kept, b"bundle")
    assert ResultStore(str(directory), resume=True, key=lambda: KEY).find(JOB) == (kept, b"bundle")
    path = store.name("a", kept["bundle"])
    assert (directory / "a.ntb").read_bytes() == b"bundle"
    assert store.name("a", kept["bundle"]) == path
    assert sorted(entry.name for entry in directory.iterdir()) == ["a.ntb", "jobs", "objects"]
    assert len(list((directory / "jobs").iterdir())) == 1


def test_two_jobs_with_one_result(store, directory) -> None:
    store.keep(JOB, b"bundle", {})
    store.keep(OTHER_JOB, b"bundle", {})
    assert len(list((directory / "objects").iterdir())) == 1


def test_a_name_moves_on(store, directory) -> None:
    store.name("a", store.keep(JOB, b"one", {})["bundle"])
    store.name("a", store.keep(OTHER_JOB, b"two", {})["bundle"])
    assert (directory / "a.ntb").read_bytes() == b"two"
    assert (store.find(JOB).bundle, store.find(OTHER_JOB).bundle) == (b"one", b"two")


@pytest.mark.parametrize("damage", ["bundle", "missing-bundle", "job", "digest"])
def test_what_is_damaged_was_never_made(store, directory, damage) -> None:
    store.keep(JOB, b"bundle", {"exit": 0})
    (object_path,) = (directory / "objects").iterdir()
    (job_path,) = (directory / "jobs").iterdir()
    if damage == "bundle":
        object_path.chmod(0o644)
        object_path.write_bytes(b"bundlf")
    elif damage == "missing-bundle":
        object_path.unlink()
    elif damage == "job":
        damaged = job_path.read_bytes()[:-5]
        job_path.unlink()
        job_path.write_bytes(damaged)
    else:
        job_path.unlink()
        job_path.write_text('{"bundle":"../../../etc/passwd"}')
    assert store.find(JOB) is None
    store.keep(JOB, b"bundle", {"exit": 0})
    assert store.find(JOB).bundle == b"bundle"


def test_what_is_there_is_only_gone_on_with_when_asked(directory) -> None:
    directory.mkdir()
    ResultStore(str(directory), resume=False, key=lambda: KEY)
    with pytest.raises(WriteError) as caught:
        ResultStore(str(directory), resume=False, key=lambda: KEY)
    assert caught.value.code == "exists"
    ResultStore(str(directory), resume=True, key=lambda: KEY)
    with pytest.raises(WriteError):
        ResultStore(str(directory / "no" / "where"), resume=True, key=lambda: KEY)


@pytest.mark.parametrize("lie", [{"bundle": sha256(b"other").hex()}, {"exit": 1}, {"more": 1}, {"seal": "0" * 64}])
def test_what_is_told_of_a_job_is_sealed(store, directory, lie) -> None:
    """A job is finished if one of our batches says so, and is finished as it says."""
    store.keep(JOB, b"bundle", {"exit": 0})
    store.keep(OTHER_JOB, b"other", {"exit": 0})
    path, other = (directory / "jobs" / f"{job.hex()}.json" for job in (JOB, OTHER_JOB))
    changed = json.dumps({**json.loads(path.read_text()), **lie})
    for text in (changed, other.read_text()):
        path.unlink()
        path.write_text(text)
        assert store.find(JOB) is None
    assert ResultStore(str(directory), resume=True, key=lambda: bytes(32)).find(OTHER_JOB) is None
    store.keep(JOB, b"bundle", {"exit": 0})
    assert store.find(JOB).bundle == b"bundle"


def test_a_name_holds_a_copy(store, directory) -> None:
    digest = store.keep(JOB, b"bundle", {})["bundle"]
    (directory / "a.ntb").write_bytes(b"precious")
    with pytest.raises(WriteError) as caught:
        store.name("a", digest)
    assert caught.value.code == "exists"
    path = store.name("b", digest)
    (directory / "b.ntb").write_bytes(b"")
    assert store.bundle(digest) == b"bundle"
    with pytest.raises(WriteError):
        store.name("b", digest)
    assert store.form("b", digest) == b"bundle"
    (directory / "b.ntb").unlink()
    assert store.name("b", digest) == path
    (directory / "objects" / f"{digest}.ntb").unlink()
    assert store.form("b", digest) == b"bundle"
    (directory / "b.ntb").unlink()
    with pytest.raises(BadInputError) as caught:
        store.form("b", digest)
    assert caught.value.code == "not-found"
