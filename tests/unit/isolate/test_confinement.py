"""A contract that escaped gets nothing: no key, no foreign file, no other process, no way to leave code behind."""

import json
import os
import subprocess
import sys

import pytest

from near_tee_cli.cli import machine

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="confinement is Linux's")
ARTIFACT = b"compiled" * 4
"""Something that is in the memory of every child that has read its cache."""


def turned(data: bytes) -> str:
    return bytes(255 - byte for byte in data).hex()


@pytest.fixture(scope="module")
def found(tmp_path_factory, project):
    """What each probe came to."""
    home = tmp_path_factory.mktemp("home")
    environment = {**os.environ, "NEAR_TEE_HOME": str(home)}
    opening = "from near_tee_cli.cli import machine as m; m.code_cache(m.VERIFYING); m.code_cache(m.EXECUTING)"
    subprocess.run([sys.executable, "-c", opening], cwd=project, env=environment, check=True)
    needles = [turned((home / "cache" / f"{name}.key").read_bytes()) for name in (machine.VERIFYING, machine.EXECUTING)]

    def probed(*more):
        command = [sys.executable, "-m", "tests.support.escape_probes", *needles, *more]
        done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return probed


def test_no_probe_succeeds(found) -> None:
    came_to = found()
    assert len(came_to) >= 45
    assert {name: answer for name, answer in came_to.items() if answer != "refused"} == {}


def test_the_search_for_keys_finds_what_is_in_memory(found) -> None:
    came_to = found(turned(ARTIFACT))
    assert came_to["memory"].startswith("needle 2 in ")


SCRIPT = """
import os, sys, time
from near_tee_cli.isolate import confinement
reading, writing = os.pipe()
middle = os.fork()
if middle == 0:
    parent = os.getpid()
    if os.fork() == 0:
        os.close(reading)
        while os.getppid() == parent:
            time.sleep(0.01)
        confinement.die_with_parent(parent)
        os.write(writing, b"lives on")
    os._exit(0)
os.close(writing)
os.waitpid(middle, 0)
print(os.read(reading, 100).decode())
"""


def test_a_parent_that_ended_before_it_could_be_watched(project) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=project, capture_output=True, text=True, check=True, timeout=20
    )
    assert done.stdout == "\n"


THREADED = """
import threading
from near_tee_cli.errors import HostError
from near_tee_cli.isolate.bounds import Bounds
from near_tee_cli.isolate.child import Child, Paths
ending = threading.Event()
thread = threading.Thread(target=ending.wait)
thread.start()
try:
    Child(lambda _: b"", bounds=Bounds(), paths=Paths((), ()))
except HostError as error:
    print(error.code)
ending.set()
thread.join()
print(Child(lambda _: b"done", bounds=Bounds(), paths=Paths((), ())).wait().decode())
"""


def test_what_has_threads_starts_no_children(project) -> None:
    done = subprocess.run(
        [sys.executable, "-c", THREADED], cwd=project, capture_output=True, text=True, check=True, timeout=20
    )
    assert done.stdout.split() == ["host-threads", "done"]
