"""The whole loop with a worker, through the command line and without any network.

A contract asks for an execution and waits; the request is read out of its log; the program runs; the answer resumes
the very yield; the callback returns the output. Once with a contract of the same shape as OutLayer's, and with
OutLayer's own when `NEAR_TEE_OUTLAYER_WASM` names its file; `NEAR_TEE_OUTLAYER_OLD_WASM` names that of the older one.
"""

import hashlib
import json
import os
import pathlib
import shutil
from base64 import b64decode

import pytest

from near_tee_cli.primitives.schema.json_scalars import hash_text
from near_tee_cli.worker.outlayer_answers import (
    JsonOutput,
    Response,
    TextOutput,
    answer,
    failure,
    payload,
    response_of,
    returned_json,
)
from near_tee_cli.worker.outlayer_cost import Resources, charged_for, refund_of
from near_tee_cli.worker.outlayer_environment import ChainContext, environment_of
from near_tee_cli.worker.outlayer_events import GitHubSource, program_hash_of, requests_in
from near_tee_cli.worker.wasi import execute
from near_tee_cli.worker.wasi_run import Limits, Recorded
from near_tee_cli.worker.wasi_statement import Asked, Place, check_again, claim_of
from tests.support.cli import PROJECT, near_tee
from tests.support.wasi_programs import ECHO, ENVIRONMENT, FAIL, SPIN, WORDS

CONTRACT = PROJECT / "examples" / "wat" / "outlayer.wasm"
PINNED = {
    "NEAR_TEE_OUTLAYER_WASM": "97a0accb45d9a5d72c437d698d73fca252a025fc779c518686b7172718d33e81",
    "NEAR_TEE_OUTLAYER_OLD_WASM": "4a55284dd211d1eeb280eb9f006165a91e68feb3f4c7f41938575752fd4e1473",
}
"""SHA-256 of contracts that are not part of this project, by the variable that names the file."""
DEPOSIT = 10**23
OPERATOR = ("--signer", "worker.near", "--account", "worker.near=10 NEAR")


def theirs(name="NEAR_TEE_OUTLAYER_WASM"):
    path = os.environ.get(name)
    if path is None:
        pytest.skip(f"{name} names no file")
    wasm = pathlib.Path(path)
    assert hashlib.sha256(wasm.read_bytes()).hexdigest() == PINNED[name]
    return wasm


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module", params=["ours", "theirs"])
def new(request, home, tmp_path_factory):
    """A directory with `new.json`, the contract with its operator."""
    directory = tmp_path_factory.mktemp("outlayer")
    shutil.copy(CONTRACT if request.param == "ours" else theirs(), directory / "contract.wasm")
    args = '{"owner_id":"owner.near","operator_id":"worker.near"}'
    done = near_tee("run", "contract.wasm", "new", args, "--state-out", "new.json", "--json", home=home, cwd=directory)
    assert done.code == 0, done.err
    return directory


@pytest.fixture
def tee(home, new, tmp_path):
    shutil.copytree(new, tmp_path, dirs_exist_ok=True)

    def call(*arguments, code=0):
        done = near_tee(*arguments, "--json", home=home, cwd=tmp_path)
        assert done.code == code, (done.out, done.err)
        return done.document["result"]

    call.ours = (tmp_path / "contract.wasm").read_bytes() == CONTRACT.read_bytes()
    return call


def ask(tee, program, text, form="Text", *, instructions=10**6, state="new.json", out="asked"):
    """Ask, and read the request out of the log."""
    source = {"url": "https://example.com/p.wasm", "hash": hashlib.sha256(program).hexdigest(),
              "build_target": "wasm32-wasip1"}  # fmt: skip
    limits = {"max_instructions": instructions, "max_memory_mb": 1, "max_execution_seconds": 5}
    args = {"source": {"WasmUrl": source}, "resource_limits": limits, "input_data": text, "response_format": form}
    found = tee("yield", "contract.wasm", "request_execution", json.dumps(args), "--state", state, "--deposit",
                "0.1 NEAR", "--gas", "150 Tgas", "--out", out)  # fmt: skip
    (request,) = requests_in(logs_of(found))
    return request, found


def work(request, program):
    """What a worker does: the program under the request's limits, and a claim that holds."""
    assert program_hash_of(request) == hashlib.sha256(program).digest()
    limits = Limits(request.limits.max_instructions, request.limits.max_memory_mb, request.limits.max_execution_seconds)
    context = ChainContext("mainnet", "contract.near", 2)
    asked = Asked(
        program, request.input_data.encode(), environment_of(request, context), limits,
        Recorded(request.timestamp, request.data_id),
    )  # fmt: skip

    def run(one):
        return execute(
            one.program, stdin=one.stdin, environment=one.environment, limits=one.limits, recorded=one.recorded
        )

    done = run(asked)
    place = Place("mainnet", "contract.near", request.request_id, request.data_id)
    claim = claim_of(asked, done, place=place, elapsed_ms=42)
    assert check_again(
        claim, program=program, stdin=asked.stdin, environment=asked.environment, execute=run
    ) == done  # fmt: skip
    return response_of(done, request.response_format, time_ms=42)


def resume(tee, request, response, *, step="asked", out="answered"):
    (call,) = answer(request.request_id, response)
    found = tee("resume", step, "--call", call.method, "--args", call.args.decode(), *OPERATOR, "--gas", "150 Tgas",
                "--out", out)  # fmt: skip
    (one,) = [one for one in found["yields"] if one["data_id"] == hash_text(request.data_id)]
    assert (one["status"], one["outcome"]) == ("executed", "success")
    short = json.loads(call.args).get("response")
    apart = call.method == "submit_execution_output_and_resolve"
    told = response._replace(output=None) if apart else response._replace(error=short["error"])
    assert b64decode(one["data"]) == payload(told)
    if not tee.ours:
        charged = charged_for(response.resources, success=response.success)
        assert str(refund_of(DEPOSIT, charged)) in transfers(found)
        assert f'[[yNEAR charged: "{charged}"]]' in logs_of(found)
    return call, returned(found, one)


def returned(found, waited):
    """What the callback of a yield returned, as bytes."""
    (value,) = [
        one["outcome"]["status"]["SuccessValue"]
        for block in found["blocks"]
        for one in block["outcomes"]
        if one["id"] == waited["receipt_id"]
    ]
    return b64decode(value)


def transfers(found):
    return [
        action["Transfer"]["deposit"]
        for one in found["receipts"]
        if "Action" in one["receipt"]
        for action in one["receipt"]["Action"]["actions"]
        if "Transfer" in action
    ]


def logs_of(found):
    return [log for block in found["blocks"] for one in block["outcomes"] for log in one["outcome"]["logs"]]


def same_json(left, right):
    return json.loads(left) == json.loads(right)


@pytest.mark.parametrize(
    ("program", "text", "form", "method", "value"),
    [
        (WORDS, "twelve bytes", "Json", "resolve_execution", {"bytes": 12}),
        (ECHO, 'say "é\\n"', "Text", "resolve_execution", 'say "é\\n"'),
        (ECHO, "abcd", "Bytes", "resolve_execution", "YWJjZA=="),
        (ECHO, "x" * 3000, "Text", "submit_execution_output_and_resolve", "x" * 3000),
        (ECHO, "y" * 500, "Bytes", "submit_execution_output_and_resolve", "eXl5" * 166 + "eXk="),
        (ECHO, json.dumps({"a": ["]}", 1]}), "Json", "resolve_execution", {"a": ["]}", 1]}),
        (ECHO, '{"b":1e21,"a":1.50,"c":0.00001}', "Json", "resolve_execution", {"a": 1.5, "b": 1e21, "c": 1e-5}),
        (FAIL, "", "Text", "resolve_execution", None),
        (ECHO, "no json", "Json", "resolve_execution", None),
    ],
)
def test_asked_executed_answered(tee, program, text, form, method, value) -> None:
    request, found = ask(tee, program, text, form)
    assert found["status"] == "pending"
    assert (request.request_id, request.sender_id, request.predecessor_id) == (0, "user.near", "user.near")
    assert (request.input_data, request.response_format, request.payment) == (text, form, DEPOSIT)
    response = work(request, program)
    call, got = resume(tee, request, response)
    assert call.method == method
    assert same_json(got, returned_json(response))
    assert json.loads(got) == value


def test_out_of_instructions_is_a_failure(tee) -> None:
    request, _ = ask(tee, SPIN, "", instructions=1000)
    response = work(request, SPIN)
    assert (response.success, response.resources.instructions) == (False, 1000)
    assert resume(tee, request, response)[1] == b"null"


def test_nobody_answers(tee) -> None:
    ask(tee, WORDS, "x")
    found = tee("resume", "asked", "--timeout", "--out", "late")
    assert found["return_value"]["json"] is None
    if not tee.ours:
        assert str(refund_of(DEPOSIT, charged_for(None, success=False))) in transfers(found)


def test_only_the_operator_answers(tee) -> None:
    request, _ = ask(tee, WORDS, "x")
    (call,) = answer(0, work(request, WORDS))
    found = tee("resume", "asked", "--call", call.method, "--args", call.args.decode(), "--out", "no", code=3)
    assert "operator" in json.dumps(found["failure"])
    private = tee("run", "contract.wasm", "on_execution_response", "{}", "--state", "new.json", code=3)
    assert private["status"] == "failure"


def test_two_requests_are_answered_each_by_its_number(tee) -> None:
    first, _ = ask(tee, ECHO, "one")
    second, _ = ask(tee, ENVIRONMENT, "", "Bytes", state="asked", out="both")
    assert (first.request_id, second.request_id) == (0, 1)
    assert first.data_id != second.data_id
    _, got = resume(tee, second, work(second, ENVIRONMENT), step="both", out="one")
    assert b"NEAR_REQUEST_ID=1" in b64decode(json.loads(got))
    _, got = resume(tee, first, work(first, ECHO), step="one", out="none")
    assert got == b'"one"'


def test_an_error_is_cut_to_fit(tee) -> None:
    request, _ = ask(tee, WORDS, "x")
    response = failure("e" * 5000, Resources(5, 1, None))
    assert resume(tee, request, response)[1] == b"null"


@pytest.mark.parametrize(
    ("output", "value"), [(JsonOutput({"x": 1.5}), {"x": 1.5}), (TextOutput("z" * 3000), "z" * 3000), (None, None)]
)
def test_the_older_contract(home, tmp_path, output, value) -> None:
    """Its requests name sources alone, so that nothing is executed; its answers are the same."""
    shutil.copy(theirs("NEAR_TEE_OUTLAYER_OLD_WASM"), tmp_path / "contract.wasm")

    def tee(*arguments):
        done = near_tee(*arguments, "--gas", "150 Tgas", "--json", home=home, cwd=tmp_path)
        assert done.code == 0, (done.out, done.err)
        return done.document["result"]

    source = {"repo": "https://example.com/p", "commit": "main", "build_target": "wasm32-wasip1"}
    limits = {"max_instructions": 1000, "max_memory_mb": 1, "max_execution_seconds": 5}
    args = {"code_source": source, "resource_limits": limits, "input_data": "hi"}
    tee(
        "run",
        "contract.wasm",
        "new",
        '{"owner_id":"owner.near","operator_id":"worker.near"}',
        "--state-out",
        "new.json",
    )
    asked = tee("yield", "contract.wasm", "request_execution", json.dumps(args), "--state", "new.json", "--deposit",
                "0.1 NEAR", "--out", "asked")  # fmt: skip
    (request,) = requests_in(logs_of(asked))
    assert (request.source, request.input_data) == (GitHubSource(*source.values()), "hi")
    used = Resources(12_345_678, 42, None)
    response = failure("e" * 3000, used) if output is None else Response(True, output, None, used)
    (call,) = answer(request.request_id, response)
    found = tee("resume", "asked", "--call", call.method, "--args", call.args.decode(), *OPERATOR, "--out", "answered")
    (one,) = found["yields"]
    assert json.loads(returned(found, one)) == value
    charged = charged_for(used, success=output is not None)
    assert f'[[yNEAR charged: "{charged}"]]' in logs_of(found)
    assert str(refund_of(DEPOSIT, charged)) in transfers(found)
