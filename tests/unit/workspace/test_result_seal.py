"""The key of results: one for each user, closed to others, read when it is needed; and what it seals."""

import os

import pytest

from near_tee_cli.errors import BadInputError, WriteError
from near_tee_cli.workspace.result_seal import KEY_BYTES, is_sealed, own_key, seal

JOB, OTHER = b"\1" * 32, b"\2" * 32


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.setenv("NEAR_TEE_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "results.key"


def test_made_once(path) -> None:
    key = bytes(own_key())
    assert (len(key), bytes(own_key()), path.read_bytes()) == (KEY_BYTES, key, key)
    assert path.stat().st_mode & 0o777 == 0o600
    path.unlink()
    assert bytes(own_key()) != key


def test_elsewhere_without_a_home(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("NEAR_TEE_HOME", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    key = bytes(own_key())
    assert (tmp_path / "near-tee" / "results.key").read_bytes() == key
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    (tmp_path / "user").mkdir()
    assert bytes(own_key()) != key


@pytest.mark.parametrize("damage", ["short", "long", "open", "link", "folder"])
def test_a_key_that_is_none_is_refused(path, damage) -> None:
    key = bytes(own_key())
    path.unlink()
    if damage == "folder":
        path.mkdir()
    elif damage == "link":
        path.with_name("other").write_bytes(key)
        path.symlink_to("other")
    else:
        path.write_bytes({"short": key[:-1], "long": key + b"x", "open": key}[damage])
        path.chmod(0o644 if damage == "open" else 0o600)
    with pytest.raises(BadInputError):
        own_key()


def test_no_place_for_a_key(path) -> None:
    path.parent.write_bytes(b"")
    with pytest.raises((WriteError, BadInputError)):
        own_key()


def test_a_child_has_no_key_of_its_parent(path) -> None:
    key = own_key()
    pid = os.fork()
    if pid == 0:
        os._exit(int(any(key)))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert any(key)
    assert path.exists()


def test_a_seal_is_of_one_job_and_what_came_of_it() -> None:
    told = seal(lambda: bytes(32), JOB, b"{}")
    assert is_sealed(lambda: bytes(32), JOB, b"{}", told=told)
    for key, job, document, one in (
        (bytes(31) + b"\1", JOB, b"{}", told), (bytes(32), OTHER, b"{}", told), (bytes(32), JOB, b"{ }", told),
        (bytes(32), JOB, b"{}", told[:-1]), (bytes(32), JOB, b"{}", ""), (bytes(32), JOB, b"{}", "\u00e4" * 64),
    ):  # fmt: skip
        assert not is_sealed(lambda key=key: key, job, document, told=one)
