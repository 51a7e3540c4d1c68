"""Children that behave in every bad way: each ends, is named, and leaves nothing."""

import json
import subprocess
import sys
import time

import pytest

from near_tee_cli.isolate.confinement import LANDLOCK, SECCOMP

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="confinement is Linux's")


def run(name, project):
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.isolated_jobs", name],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - begun < 6
    return json.loads(done.stdout)


def test_a_job_that_is_done(project) -> None:
    found = run("fine", project)
    assert set(json.loads(found["data"])) <= {SECCOMP, LANDLOCK}
    assert run("large", project)["size"] == 1 << 19


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("loop", "timeout", "not done after"),
        ("sleep", "timeout", "not done after 3 seconds"),
        ("silent", "killed", "SIGKILL"),
        ("memory", "out-of-memory", "512 MiB"),
        ("abort", "killed", "SIG"),
        ("segv", "killed", "SIGSEGV"),
        ("exit", "child-crashed", "9"),
        ("wrong", "child-crashed", "70"),
        ("too-large", "output-too-large", "bytes"),
    ],
)
def test_deaths_have_names(name, code, words, project) -> None:
    found = run(name, project)
    assert found["death"] == code
    assert words in found["message"]


@LINUX
def test_memory_outside_python_is_bounded_too(project) -> None:
    assert run("native-memory", project)["data"] == "refused"


@LINUX
@pytest.mark.parametrize(
    "name",
    ["socket", "thread", "fork", "clone", "execute", "subprocess", "kill-parent", "read-secret", "write-temporary",
     "write-home", "list-root", "parent-memory"],
)  # fmt: skip
def test_what_a_child_may_not(name, project) -> None:
    confined = set(json.loads(run("fine", project)["data"]))
    needs = LANDLOCK if name.startswith(("read", "write", "list", "parent")) else SECCOMP
    if needs not in confined:
        pytest.skip(f"this kernel has no {needs}")
    assert run(name, project)["data"].startswith("refused: ")
