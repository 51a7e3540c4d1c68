"""What a worker for OutLayer is asked: jobs understood, requests in them, programs found."""

import json
import os

import pytest

from near_tee_cli.cli.job_sources import Incoming
from near_tee_cli.cli.outlayer_jobs import Programs, RequestJobs
from near_tee_cli.errors import BadInputError, UnsupportedError
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.worker.wasi_run import MAX_PROGRAM_BYTES

PROGRAM = b"\0asm\1\0\0\0"


def log_of(number, program=PROGRAM, **changes):
    request = {
        "request_id": number, "sender_id": "user.near", "input_data": "hi", "payment": "0", "timestamp": 5,
        "code_source": {"WasmUrl": {"url": "u", "hash": sha256(program).hex(), "build_target": "wasm32-wasip1"}},
        "resource_limits": {}, **changes,
    }  # fmt: skip
    data = [{"request_data": json.dumps(request), "data_id": [number] * 32, "timestamp": 5}]
    event = {"standard": "near-outlayer", "version": "1.0.0", "event": "execution_requested", "data": data}
    return "EVENT_JSON:" + json.dumps(event)


class Listed:
    """A source of these jobs."""

    def __init__(self, *jobs) -> None:
        self._jobs = [
            one if isinstance(one, Incoming) else Incoming(f"job-{at}", json.dumps(one).encode())
            for at, one in enumerate(jobs)
        ]

    def take(self):
        return self._jobs.pop(0) if self._jobs else None

    @property
    def ended(self):
        return not self._jobs

    def fileno(self):
        return 7


def asked(*jobs, base=""):
    source = RequestJobs(Listed(*jobs), network="mainnet", contract="outlayer.near", base=base)
    assert source.fileno() == 7
    found = []
    while not source.ended:
        found.append(source.take())
    assert source.take() is None
    return found


def code_of(*jobs, **more):
    (one,) = asked(*jobs, **more)
    assert one.request is None
    return one.name, one.problem.code


def test_each_request_by_itself() -> None:
    first, second, third = asked({"logs": [log_of(1), "hello", log_of(2)], "name": "x"}, {"logs": [log_of(3)]})
    assert [one.name for one in (first, second, third)] == ["x-1", "x-2", "job-1"]
    assert [one.request.request_id for one in (first, second, third)] == [1, 2, 3]
    assert (first.context.network, first.context.contract_id) == ("mainnet", "outlayer.near")
    assert first.context.block_height is None
    (one,) = asked({"logs": [log_of(1)], "block_height": 9})
    assert one.context.block_height == 9


def test_what_is_no_job() -> None:
    assert code_of({}) == ("job-0", "bad-job")
    assert code_of({"logs": [log_of(1)], "rpc": "x"}) == ("job-0", "bad-job")
    assert code_of({"logs": [log_of(1)], "more": 1}) == ("job-0", "bad-field")
    assert code_of({"logs": [log_of(1)], "name": "a/b"}) == ("job-0", "bad-job")
    assert code_of({"logs": [], "name": "n"}) == ("n", "no-request")
    assert code_of({"logs": [7], "name": "n"}) == ("n", "bad-field")
    assert code_of({"logs": [log_of(1), log_of(1)], "name": "n"}) == ("n", "bad-job")
    assert code_of({"step": "\0"})[1] in ("not-found", "unreadable")
    assert code_of({"rpc": "absent.json"}) == ("job-0", "not-found")
    assert code_of(Incoming("f", b"", BadInputError("x", code="too-large"))) == ("f", "too-large")
    assert code_of(Incoming("f", b"{")) == ("f", "bad-json")


def test_an_input_in_the_state() -> None:
    log = log_of(1, input_data="", input_data_in_state=True)
    (one,) = asked({"logs": [log]})
    assert one.request.input_data is None
    stored = {"request_id": 1, "data_id": [1] * 32, "input_data": "long"}
    (one,) = asked({"logs": [log], "stored": [stored]})
    assert one.request.input_data == "long"
    assert code_of({"logs": [log], "stored": [{**stored, "data_id": [2] * 32}]}) == ("job-0", "bad-request")


def request_of(program=PROGRAM, **changes):
    return asked({"logs": [log_of(1, program, **changes)]})[0].request


def test_programs_by_their_hash(tmp_path) -> None:
    programs = Programs(str(tmp_path))
    named = tmp_path / f"{sha256(PROGRAM).hex()}.wasm"

    def missed():
        with pytest.raises(BadInputError) as caught:
            programs.find(request_of())
        return caught.value.code

    assert missed() == "program-not-found"
    named.write_bytes(b"other")
    (tmp_path / "large").write_bytes(bytes(MAX_PROGRAM_BYTES + 1))
    (tmp_path / "folder").mkdir()
    (tmp_path / "dangling").symlink_to("nowhere")
    assert missed() == "program-not-found"
    (tmp_path / "any").write_bytes(PROGRAM)
    assert programs.find(request_of()) == PROGRAM
    os.utime(tmp_path / "any", ns=(1, 1))
    (tmp_path / "any").write_bytes(PROGRAM[:-1] + b"\1")
    assert missed() == "program-not-found"
    named.write_bytes(PROGRAM)
    assert programs.find(request_of()) == PROGRAM
    with pytest.raises(UnsupportedError):
        programs.find(request_of(code_source={"GitHub": {"repo": "r", "commit": "c"}}))


def test_a_directory_that_is_gone(tmp_path) -> None:
    with pytest.raises(BadInputError) as caught:
        Programs(str(tmp_path / "gone")).find(request_of())
    assert caught.value.code == "program-not-found"
