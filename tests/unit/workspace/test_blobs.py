"""Stores of named bytes, of every kind with the same words."""

import sys
import uuid

import pytest

from near_tee_cli.errors import BadInputError, HostError, UsageError, WriteError
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.workspace.blobs import DirectoryBlobs, FsspecBlobs, blobs_at
from near_tee_cli.workspace.result_store import Results


@pytest.fixture(params=["directory", "file-url", "memory", "local"])
def location(request, tmp_path):
    return {
        "directory": str(tmp_path),
        "file-url": f"file://{tmp_path}",
        "memory": f"memory://{uuid.uuid4().hex}",
        "local": f"local://{tmp_path}",
    }[request.param]


@pytest.fixture
def blobs(location):
    return blobs_at(location)


def test_made_once(blobs) -> None:
    assert blobs.read("a/b", max_bytes=9) is None
    assert blobs.create("a/b", b"one")
    assert not blobs.create("a/b", b"two")
    assert blobs.read("a/b", max_bytes=3) == b"one"
    blobs.replace("a/b", b"three")
    assert blobs.read("a/b", max_bytes=9) == b"three"
    blobs.replace("a/c", b"")
    assert blobs.read("a/c", max_bytes=0) == b""


def test_somebody_else_sees_the_same(blobs, location) -> None:
    blobs.create("x/y", b"data")
    assert blobs.location == location.removeprefix("file://")
    assert blobs_at(blobs.location).read("x/y", max_bytes=9) == b"data"


def test_no_more_is_read_than_allowed(blobs) -> None:
    blobs.create("a/b", bytes(100))
    with pytest.raises(BadInputError) as caught:
        blobs.read("a/b", max_bytes=99)
    assert caught.value.code == "too-large"


def test_results(blobs) -> None:
    results, job = Results(blobs, key=lambda: bytes(32)), b"\1" * 32
    assert results.find(job) is None
    kept = results.keep(job, b"bundle", {"exit": 0})
    assert Results(blobs, key=lambda: bytes(32)).find(job) == (kept, b"bundle")
    blobs.replace(f"objects/{kept['bundle']}.ntb", b"damaged")
    assert results.find(job) is None
    results.keep(job, b"bundle", {"exit": 0})
    assert results.find(job) == (kept, b"bundle")
    digest = sha256(b"input").hex()
    with pytest.raises(BadInputError) as caught:
        results.input(digest)
    assert caught.value.code == "missing-input"
    results.ship(digest, lambda: b"input")
    assert results.input(digest) == b"input"
    blobs.replace(f"inputs/{digest}", b"damaged")
    with pytest.raises(BadInputError):
        results.input(digest)
    Results(blobs, key=lambda: bytes(32)).ship(digest, lambda: b"input")
    assert results.input(digest) == b"input"
    assert not results.is_marked("here")
    results.mark("here")
    assert Results(blobs, key=lambda: bytes(32)).is_marked("here")


def test_what_only_one_kind_can_be(tmp_path) -> None:
    assert isinstance(blobs_at("memory://x"), FsspecBlobs)
    assert isinstance(blobs_at(f"file://{tmp_path}"), DirectoryBlobs)
    with pytest.raises(UsageError):
        blobs_at("nothing-known://x")
    with pytest.raises(WriteError):
        DirectoryBlobs(str(tmp_path / "no" / "where")).create("a/b", b"")
    (tmp_path / "file").write_bytes(b"")
    for store in (DirectoryBlobs(str(tmp_path / "file")), FsspecBlobs(f"local://{tmp_path}/file")):
        with pytest.raises(WriteError):
            store.replace("a/b", b"")
        with pytest.raises(BadInputError):
            store.read("a", max_bytes=1)


def test_without_fsspec(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(HostError) as caught:
        blobs_at("memory://x")
    assert caught.value.code == "no-cluster"
