import ctypes
import os
import subprocess
import sys

import pytest

from near_tee_cli.errors import HostError
from near_tee_cli.vm import engine_api
from near_tee_cli.vm.engine_api import check_sizes, library, loaded


@pytest.fixture
def site(tmp_path, monkeypatch):
    """An import path of its own with a distribution in it that looks like wasmtime."""

    def make(*versions, platform=sys.platform):
        folder = tmp_path / "wasmtime" / f"{platform}-x86_64"
        folder.mkdir(parents=True)
        (tmp_path / "wasmtime" / "__init__.py").write_text("raise ImportError('must not be imported')")
        name = {"darwin": "_libwasmtime.dylib"}.get(sys.platform, "_libwasmtime.so")
        (folder / name).write_bytes(b"\x7fELF but not really")
        for version in versions:
            (tmp_path / f"wasmtime-{version}.dist-info").mkdir()
        return tmp_path

    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    library.cache_clear()
    yield make
    library.cache_clear()


def refused(part):
    with pytest.raises(HostError) as caught:
        library()
    assert caught.value.code == "host-engine"
    assert part in caught.value.message
    assert "wasmtime>=48,<51" in caught.value.hint


class TestInstalled:
    def test_the_real_one(self):
        found = library()
        assert found.version.partition(".")[0] in {"48", "49", "50"}
        assert found.architecture == os.uname().machine.replace("arm64", "aarch64")

    def test_nothing_is_imported_for_it(self, project):
        script = "import sys; from near_tee_cli.vm.engine import Engine; Engine(); print('wasmtime' in sys.modules)"
        done = subprocess.run([sys.executable, "-c", script], cwd=project, capture_output=True, text=True, check=True)
        assert done.stdout == "False\n"

    def test_none(self, site):
        refused("not installed")

    @pytest.mark.parametrize("version", ["47.0.1", "51.0.0", "nonsense"])
    def test_unknown_versions(self, site, version):
        site(version)
        refused(version)

    def test_no_record_or_two(self, site):
        made = site()
        refused("0 version records")
        for version in ("50.0.0", "50.0.1"):
            (made / f"wasmtime-{version}.dist-info").mkdir()
        refused("2 version records")

    def test_library_of_another_system(self, site):
        site("50.0.1", platform="amiga")
        refused("no library for")

    def test_damaged_library(self, site):
        site("50.0.1")
        refused("cannot be loaded")


class TestLoaded:
    def test_a_missing_symbol_is_named(self, monkeypatch):
        monkeypatch.setitem(engine_api.PROTOTYPES, "wasmtime_no_such_function", (None, ()))
        with pytest.raises(HostError, match="lacks wasmtime_no_such_function") as caught:
            loaded(library().c._name, version="50.0.1", architecture="x86_64")
        assert caught.value.code == "host-engine"

    def test_a_wrong_size_is_named(self, monkeypatch):
        class Odd(ctypes.Structure):
            _fields_ = (("size", ctypes.c_uint8),)

        check_sizes()
        monkeypatch.setattr(engine_api, "EXPECTED_SIZES", ((Odd, 16),))
        with pytest.raises(HostError, match="Odd has 1 bytes here, not 16"):
            check_sizes()
