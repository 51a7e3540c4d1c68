"""Real commands with system calls that fail, or are the last, by strace."""

import shutil
import subprocess
import sys

import pytest

from tests.support.cli import PROJECT, near_tee

COUNTER = str(PROJECT / "examples" / "wat" / "counter.wasm")
COMMANDS = {
    "prove": (("prove", COUNTER, "increment", "-o", "made"), ("verify", "made")),
    "step": (("run", COUNTER, "increment", "--out", "made"), ("prove", "--from", "made", "-o", "x.ntb")),
    "snapshot": (("run", COUNTER, "increment", "--state-out", "made"), ("state", "root", "made")),
    "directory": (("run", COUNTER, "increment", "--state-out", "made.lmdb"), ("state", "root", "made.lmdb")),
}
CALLS = (
    "fsync",
    "link",
    "linkat",
    "rename",
    "renameat",
    "mkdir",
    "unlink",
    "unlinkat",
    "fdatasync",
    "write",
    "pwrite64",
)
EFFECTS = ("error=ENOSPC", "error=EIO", "signal=KILL")

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed here"),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home in which everything is compiled already, so that only results are written."""
    home = tmp_path_factory.mktemp("home")
    near_tee("run", COUNTER, "increment", home=home)
    return home


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("command", COMMANDS)
def test_what_lies_there_is_whole(command, call, home, tmp_path) -> None:
    line, check = COMMANDS[command]
    hit = 0
    for effect in EFFECTS:
        for at in range(1, 5):
            directory = tmp_path / f"{effect}-{at}"
            directory.mkdir()
            inject = f"inject={call}:{effect}:when={at}"
            tracer = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", inject]
            words = [*tracer, sys.executable, "-m", "near_tee_cli", *line]
            environment = {"NEAR_TEE_HOME": str(home), "PYTHONPATH": str(PROJECT), "PATH": "/usr/bin:/bin"}
            done = subprocess.run(words, cwd=directory, env=environment, capture_output=True, text=True, check=False)
            if "ptrace" in done.stderr:
                pytest.skip("processes cannot be traced here")
            assert "Traceback" not in done.stderr
            hit += done.returncode != 0
            final = directory / ("made.lmdb" if command == "directory" else "made")
            if done.returncode not in (0, -9, 137):
                assert done.stderr.startswith("error["), done.stderr
            if final.exists():
                checked = near_tee(*check, home=home, cwd=directory)
                assert checked.code == 0, (effect, at, checked.err)
            assert final.exists() or done.returncode != 0
            if not final.exists():
                assert near_tee(*line, home=home, cwd=directory).code == 0
    if call == "fsync":
        assert hit > 0
