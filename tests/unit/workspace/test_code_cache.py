import hashlib
import os
import pathlib
import stat
import subprocess
import sys

import pytest

from near_tee_cli.errors import HostError
from near_tee_cli.workspace import code_cache, lent_code
from near_tee_cli.workspace.code_cache import DiskCodeCache

NAME = hashlib.sha256(b"one").digest()
OTHER = hashlib.sha256(b"two").digest()
ARTIFACT = bytes(range(256)) * 40


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def opened():
    caches = []

    def open_cache(folder, namespace="run"):
        caches.append(DiskCodeCache(str(folder), namespace))
        return caches[-1]

    yield open_cache
    for cache in caches:
        cache.close()


def only_file(folder, namespace="run"):
    (path,) = (folder / namespace).glob("*.ntc")
    return path


class TestKeeping:
    def test_what_was_stored_comes_back_in_another_process_too(self, folder, opened):
        opened(folder).store(NAME, ARTIFACT)
        assert opened(folder).load(NAME) == ARTIFACT
        assert opened(folder).load(OTHER) is None

    @pytest.mark.parametrize("artifact", [b"", b"x", bytes(3_000_000)])
    def test_any_length(self, folder, opened, artifact):
        cache = opened(folder)
        cache.store(NAME, artifact)
        assert cache.load(NAME) == artifact

    def test_the_newest_counts(self, folder, opened):
        cache = opened(folder)
        for artifact in (b"first", b"second"):
            cache.store(NAME, artifact)
        assert cache.load(NAME) == b"second"
        assert len(list((folder / "run").iterdir())) == 1

    def test_missing_parents_are_made(self, folder, opened):
        opened(folder / "deep" / "down").store(NAME, ARTIFACT)
        assert opened(folder / "deep" / "down").load(NAME) == ARTIFACT

    def test_a_namespace_is_a_plain_word(self, folder):
        for name in ("", "..", "a/b", "run1", "é"):
            with pytest.raises(ValueError, match="plain word"):
                DiskCodeCache(str(folder), name)


class TestDistrust:
    @pytest.mark.parametrize("position", [0, 31, 32, 33, 5000, -1])
    def test_a_flipped_bit_anywhere(self, folder, opened, position):
        cache = opened(folder)
        cache.store(NAME, ARTIFACT)
        path = only_file(folder)
        data = bytearray(path.read_bytes())
        data[position] ^= 1
        path.write_bytes(data)
        assert cache.load(NAME) is None
        cache.store(NAME, ARTIFACT)
        assert cache.load(NAME) == ARTIFACT

    @pytest.mark.parametrize("size", [0, 1, 31, 32, 33, 10_000])
    def test_truncation(self, folder, opened, size):
        cache = opened(folder)
        cache.store(NAME, ARTIFACT)
        os.truncate(only_file(folder), size)
        assert cache.load(NAME) is None

    def test_additional_bytes(self, folder, opened):
        cache = opened(folder)
        cache.store(NAME, ARTIFACT)
        with only_file(folder).open("ab") as file:
            file.write(b"\0")
        assert cache.load(NAME) is None

    def test_entries_cannot_be_exchanged(self, folder, opened):
        cache = opened(folder)
        cache.store(NAME, b"one")
        first = only_file(folder)
        moved = first.with_name("moved")
        first.rename(moved)
        cache.store(OTHER, b"two")
        second = only_file(folder)
        second.write_bytes(moved.read_bytes())
        assert cache.load(OTHER) is None

    def test_namespaces_do_not_trust_each_other(self, folder, opened):
        run, verify = opened(folder), opened(folder, "verify")
        run.store(NAME, ARTIFACT)
        verify.store(NAME, ARTIFACT)
        assert only_file(folder).read_bytes() != only_file(folder, "verify").read_bytes()
        only_file(folder, "verify").write_bytes(only_file(folder).read_bytes())
        assert verify.load(NAME) is None
        assert (folder / "run.key").read_bytes() != (folder / "verify.key").read_bytes()

    def test_even_with_one_key_namespaces_stay_apart(self, folder, opened):
        opened(folder).store(NAME, ARTIFACT)
        opened(folder, "verify")
        (folder / "verify.key").write_bytes((folder / "run.key").read_bytes())
        verify = opened(folder, "verify")
        (folder / "verify" / only_file(folder).name).write_bytes(only_file(folder).read_bytes())
        assert verify.load(NAME) is None

    def test_another_machine(self, folder, opened, monkeypatch):
        opened(folder).store(NAME, ARTIFACT)
        monkeypatch.setattr(code_cache, "_machine", lambda: b"another")
        assert opened(folder).load(NAME) is None

    @pytest.mark.parametrize("kind", ["link", "fifo", "directory"])
    def test_what_is_no_file(self, folder, opened, kind, tmp_path):
        cache = opened(folder)
        cache.store(NAME, ARTIFACT)
        path = only_file(folder)
        if kind == "link":
            path.rename(tmp_path / "elsewhere")
            path.symlink_to(tmp_path / "elsewhere")
        else:
            path.unlink()
            os.mkfifo(path) if kind == "fifo" else path.mkdir()
        assert cache.load(NAME) is None

    def test_files_beyond_the_bound_are_not_read(self, folder, opened, monkeypatch):
        cache = opened(folder)
        cache.store(NAME, ARTIFACT)
        monkeypatch.setattr(lent_code, "MAX_FILE_BYTES", len(ARTIFACT) + 31)
        assert cache.load(NAME) is None


class TestPrivacy:
    @pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
    def test_modes(self, folder, opened, umask):
        before = os.umask(umask)
        try:
            opened(folder).store(NAME, ARTIFACT)
        finally:
            os.umask(before)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.rglob("*")]}
        assert modes.pop("cache") == modes.pop("run") == 0o700
        assert set(modes.values()) == {0o600}
        assert len(modes) == 2

    @pytest.mark.parametrize("part", ["", "run", "run.key"])
    @pytest.mark.parametrize("bits", [0o001, 0o010, 0o004, 0o040, 0o002, 0o020])
    def test_what_is_open_to_others_is_refused(self, folder, opened, part, bits):
        opened(folder)
        path = folder / part
        path.chmod(stat.S_IMODE(path.stat().st_mode) | bits)
        with pytest.raises(HostError) as caught:
            DiskCodeCache(str(folder), "run")
        assert caught.value.code == "cache-refused"
        assert str(path) in caught.value.message

    def test_what_belongs_to_others_is_refused(self, folder, opened, monkeypatch):
        opened(folder)
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
        with pytest.raises(HostError) as caught:
            DiskCodeCache(str(folder), "run")
        assert caught.value.code == "cache-refused"

    @pytest.mark.parametrize("part", ["cache", "cache/run"])
    def test_links_in_place_of_directories_are_refused(self, folder, tmp_path, part):
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir(mode=0o700)
        path = tmp_path / part
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.symlink_to(elsewhere)
        with pytest.raises(HostError) as caught:
            DiskCodeCache(str(folder), "run")
        assert caught.value.code == "cache-unusable"

    def test_a_file_in_place_of_the_directory(self, folder):
        folder.write_bytes(b"")
        with pytest.raises(HostError) as caught:
            DiskCodeCache(str(folder), "run")
        assert caught.value.code == "cache-unusable"

    def test_a_damaged_key_is_replaced_and_nothing_old_is_loaded(self, folder, opened):
        opened(folder).store(NAME, ARTIFACT)
        (folder / "run.key").write_bytes(b"short")
        cache = opened(folder)
        assert cache.load(NAME) is None
        cache.store(NAME, ARTIFACT)
        assert opened(folder).load(NAME) == ARTIFACT


class TestKeys:
    def test_one_key_when_many_start_at_once(self, folder, project):
        script = (
            "import sys; from near_tee_cli.workspace.code_cache import DiskCodeCache;"
            "sys.stdin.readline(); print(DiskCodeCache(sys.argv[1], 'run')._key.hex())"
        )
        started = [
            subprocess.Popen(
                [sys.executable, "-c", script, str(folder)],
                cwd=project, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
            for _ in range(8)
        ]  # fmt: skip
        for process in started:
            process.stdin.write("\n")
            process.stdin.flush()
        keys = {process.communicate(timeout=30)[0] for process in started}
        assert len(keys) == 1
        assert sorted(path.name for path in folder.rglob("*")) == ["run", "run.key"]

    def test_without_hard_links(self, folder, opened, monkeypatch):
        def refuse(*args, **kwargs):
            raise PermissionError(1, "not here")

        monkeypatch.setattr(os, "link", refuse)
        opened(folder).store(NAME, ARTIFACT)
        assert opened(folder).load(NAME) == ARTIFACT


class TestConcurrency:
    def test_writers_and_readers_never_see_mixed_content(self, folder, project):
        script = """if True:
            import hashlib, sys
            from near_tee_cli.workspace.code_cache import DiskCodeCache
            cache, own = DiskCodeCache(sys.argv[1], "run"), sys.argv[2].encode()
            names = [hashlib.sha256(bytes([n])).digest() for n in range(4)]
            for turn in range(100):
                name = names[turn % 4]
                cache.store(name, name + own * (20_000 + turn))
                found = cache.load(name)
                assert found is not None and cache.problem is None
                assert found[:32] == name and len(set(found[32:])) == 1 and len(found) >= 20_032
            print("fine")
        """
        started = [
            subprocess.Popen(
                [sys.executable, "-c", script, str(folder), letter], cwd=project, stdout=subprocess.PIPE, text=True
            )
            for letter in "abcd"
        ]
        assert [process.communicate(timeout=60)[0] for process in started] == ["fine\n"] * 4
        assert not list((folder / "run").glob("*.tmp"))


class TestBounds:
    def test_the_oldest_go_when_there_are_too_many(self, folder, opened, monkeypatch):
        monkeypatch.setattr(code_cache, "MAX_ENTRIES", 3)
        cache = opened(folder)
        names = [hashlib.sha256(bytes([n])).digest() for n in range(5)]
        for age, name in enumerate(names):
            cache.store(name, ARTIFACT)
            path = folder / "run" / f"{cache._identity(name).hex()}.ntc"
            os.utime(path, (1_000_000 + age, 1_000_000 + age))
        assert [cache.load(name) is not None for name in names] == [False, False, True, True, True]

    def test_the_oldest_go_when_they_are_too_large(self, folder, opened, monkeypatch):
        monkeypatch.setattr(code_cache, "MAX_TOTAL_BYTES", 3 * len(ARTIFACT))
        cache = opened(folder)
        names = [hashlib.sha256(bytes([n])).digest() for n in range(4)]
        for age, name in enumerate(names):
            cache.store(name, ARTIFACT)
            path = folder / "run" / f"{cache._identity(name).hex()}.ntc"
            os.utime(path, (1_000_000 + age, 1_000_000 + age))
        assert [cache.load(name) is not None for name in names] == [False, False, True, True]

    def test_what_killed_processes_left_goes(self, folder, opened):
        cache = opened(folder)
        fresh, stale = (folder / "run" / f".1.{name}.tmp" for name in ("fresh", "stale"))
        fresh.write_bytes(b"")
        stale.write_bytes(b"")
        os.utime(stale, (1, 1))
        cache.store(NAME, ARTIFACT)
        assert fresh.exists()
        assert not stale.exists()


class TestTrouble:
    def test_a_full_disk_is_a_problem_and_no_error(self, folder, opened, monkeypatch):
        cache = opened(folder)
        monkeypatch.setattr(os, "write", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        cache.store(NAME, ARTIFACT)
        assert cache.problem == "No space left on device"
        assert sorted(path.name for path in folder.rglob("*")) == ["run", "run.key"]
        monkeypatch.undo()
        cache.store(NAME, ARTIFACT)
        assert cache.problem is None
        assert cache.load(NAME) == ARTIFACT

    def test_the_directory_was_removed_meanwhile(self, folder, opened):
        cache = opened(folder)
        cache.store(NAME, ARTIFACT)
        for path in (folder / "run").iterdir():
            path.unlink()
        pathlib.Path(folder / "run").rmdir()
        assert cache.load(NAME) is None
        cache.store(NAME, ARTIFACT)
        assert cache.problem is not None
