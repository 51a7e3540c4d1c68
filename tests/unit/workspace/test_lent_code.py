"""What a child gets of a cache of compiled code, and what its parent takes back."""

import hashlib
import os

import pytest

from near_tee_cli.workspace.code_cache import DiskCodeCache
from near_tee_cli.workspace.unforked import unforked

NAME = hashlib.sha256(b"one").digest()
OTHER = hashlib.sha256(b"two").digest()
ARTIFACT = bytes(range(256)) * 40


@pytest.fixture
def cache(tmp_path):
    found = DiskCodeCache(str(tmp_path / "cache"), "verify")
    yield found
    found.close()


def entry(tmp_path):
    (path,) = (tmp_path / "cache" / "verify").glob("*.ntc")
    return path


def test_what_is_in_the_cache_can_be_read(cache) -> None:
    cache.store(NAME, ARTIFACT)
    lent = cache.lend()
    assert lent.load(NAME) == ARTIFACT
    assert lent.load(OTHER) is None
    cache.store(OTHER, b"later")
    assert lent.load(OTHER) == b"later"
    lent.seal()
    assert lent.load(NAME) == ARTIFACT


def test_what_is_handed_back_before_the_seal_is_kept(cache, tmp_path) -> None:
    lent = cache.lend()
    lent.store(NAME, ARTIFACT)
    lent.store(OTHER, b"")
    assert cache.load(NAME) is None
    lent.take_back()
    assert (cache.load(NAME), cache.load(OTHER)) == (ARTIFACT, b"")
    again = DiskCodeCache(str(tmp_path / "cache"), "verify")
    assert again.lend().load(NAME) == ARTIFACT
    again.close()


def test_nothing_is_handed_back_after_the_seal(cache) -> None:
    lent = cache.lend()
    (handle,) = lent.handles
    child = os.fork()
    if child == 0:
        lent.store(NAME, ARTIFACT)
        lent.seal()
        lent.store(OTHER, b"evil")
        status = 1
        try:
            os.write(handle, b"evil")
        except OSError:
            status = 0 if lent.missed else 2
        os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    lent.take_back()
    assert (cache.load(NAME), cache.load(OTHER)) == (ARTIFACT, None)


@pytest.mark.parametrize("cut", [1, 32, 40, 41, 10_000])
def test_what_did_not_arrive_whole_is_not_kept(cache, cut) -> None:
    lent = cache.lend()
    lent.store(NAME, ARTIFACT)
    lent.store(OTHER, ARTIFACT)
    (handle,) = lent.handles
    os.truncate(handle, os.fstat(handle).st_size - cut)
    lent.take_back()
    assert (cache.load(NAME), cache.load(OTHER)) == (ARTIFACT, None)


@pytest.mark.parametrize("position", [0, 32, 64, -1])
def test_a_changed_file_is_no_file(cache, tmp_path, position) -> None:
    cache.store(NAME, ARTIFACT)
    path = entry(tmp_path)
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)
    fresh = DiskCodeCache(str(tmp_path / "cache"), "verify")
    assert fresh.lend().load(NAME) is None
    fresh.close()


def test_a_file_that_is_changed_after_it_was_vouched_for(cache, tmp_path) -> None:
    cache.store(NAME, ARTIFACT)
    lent = cache.lend()
    data = bytearray(entry(tmp_path).read_bytes())
    data[32:64] = hashlib.sha256(b"evil").digest()
    entry(tmp_path).write_bytes(bytes(data[:64]) + b"evil")
    assert lent.load(NAME) is None


def test_what_is_lent_leaves_nothing_behind(cache, tmp_path) -> None:
    lent = cache.lend()
    lent.take_back()
    assert sorted(path.name for path in (tmp_path / "cache").rglob("*")) == ["verify", "verify.key"]


def test_a_directory_that_is_gone(cache, tmp_path) -> None:
    (tmp_path / "cache" / "verify").rmdir()
    with pytest.raises(OSError, match="No such file"):
        cache.lend()


def test_a_forked_child_does_not_have_the_key(cache) -> None:
    secret = unforked(32)
    secret[:] = b"k" * 32
    child = os.fork()
    if child == 0:
        os._exit(0 if bytes(secret) == bytes(32) and bytes(cache._key) == bytes(32) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert bytes(secret) == b"k" * 32
    assert bytes(cache._key) != bytes(32)
