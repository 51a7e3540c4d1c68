"""Programs in children: what they answer arrives, what they refuse too, and time ends."""

import json
import subprocess
import sys

import pytest

from near_tee_cli.errors import BadInputError, HostError, UnsupportedError
from near_tee_cli.isolate.child import Death
from near_tee_cli.worker.wasi_child import bounds_of, job, read_answer
from near_tee_cli.worker.wasi_run import MIB, Limits, Recorded, Run, encode_run
from tests.support.wasi_programs import ECHO, SPIN, program


@pytest.fixture
def child(project, tmp_path):
    def run(wasm, stdin=b"", instructions=10**6, seconds=60):
        path = tmp_path / "program.wasm"
        path.write_bytes(wasm)
        done = subprocess.run(
            [sys.executable, "-m", "tests.support.wasi_jobs", str(path), str(instructions), str(seconds)],
            cwd=project, input=stdin, capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def test_a_run(child) -> None:
    assert child(ECHO, b"hello") == {"exit": 0, "trap": None, "stdout": "hello"}


def test_time_runs_out(child) -> None:
    found = child(SPIN, instructions=10**15, seconds=2)
    assert (found["death"], found["message"]) == ("timeout", "not done after 2 seconds")


def test_a_refusal(child) -> None:
    found = child(program("", "sock_send"))
    assert (found["error"], found["code"]) == ("UnsupportedError", "unsupported-network")


def test_bounds_leave_room_for_the_programs_own() -> None:
    bounds = bounds_of(Limits(1, 100, 180))
    assert (bounds.wall_seconds, bounds.memory_bytes > 100 * MIB + (2 << 30)) == (190.0, True)
    assert bounds.output_bytes > 65 * MIB
    assert bounds_of(Limits(1, 1, 1)).wall_seconds == 15.0


def test_what_a_child_says() -> None:
    work = job(b"", stdin=b"", environment=(), limits=Limits(1, 1, 1), recorded=Recorded(0, bytes(32)))
    with pytest.raises(BadInputError) as refusal:
        read_answer(work(()))
    assert refusal.value.code == "bad-program"
    with pytest.raises(UnsupportedError):
        read_answer(b'\1{"code":"unsupported-x","kind":"input","message":"m"}')
    with pytest.raises(HostError) as trouble:
        read_answer(b'\1{"code":"host-stack","kind":"host","message":"m"}')
    assert (trouble.value.code, trouble.value.message) == ("host-stack", "m")
    run = Run(0, None, b"", b"", 1, 1, "m")
    assert read_answer(b"\0" + encode_run(run)) == run


@pytest.mark.parametrize("answer", [b"", b"\0", b"\2", b"\1", b"\1{}", b'\1{"code":1,"kind":"","message":""}'])
def test_what_no_child_of_ours_says(answer) -> None:
    found = read_answer(answer)
    assert isinstance(found, Death)
    assert found.code == "child-crashed"


def test_a_death_stays_one() -> None:
    assert read_answer(Death("timeout", "late")) == Death("timeout", "late")
