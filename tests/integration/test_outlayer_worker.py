"""`near-tee worker --outlayer`: requests are executed, attested, verified by anybody, and answered to their yields."""

import hashlib
import json
import os
import pathlib
import shutil
from base64 import b64decode

import pytest

from near_tee_cli.attest.simulator_server import SimulatedAgent
from near_tee_cli.primitives.keys import ED25519, public_key_of, public_key_text, secret_key_from_seed, secret_key_text
from near_tee_cli.primitives.schema.json_scalars import hash_text
from near_tee_cli.worker.outlayer_answers import payload, response_of
from near_tee_cli.worker.wasi_bundle import decode_wasi_bundle, encode_wasi_bundle, run_of
from near_tee_cli.worker.wasi_statement import claim_digest
from tests.reject import attested as reject
from tests.support.attested import GUEST, NOW
from tests.support.cli import PROJECT, near_tee
from tests.support.wasi_bundles import signed_by
from tests.support.wasi_programs import ECHO, FAIL, SPIN, WORDS

THEIRS = "97a0accb45d9a5d72c437d698d73fca252a025fc779c518686b7172718d33e81"
"""SHA-256 of OutLayer's own contract, which is no part of this project; `NEAR_TEE_OUTLAYER_WASM` names its file."""
CONTRACT = PROJECT / "examples" / "wat" / "outlayer.wasm"
SECRET = secret_key_from_seed("outlayer", scheme=ED25519)
FLAGS = ("--outlayer", "--programs", "programs", "--contract", "contract.near", "--network", "localnet")
OPERATOR = ("--signer", "worker.near", "--account", "worker.near=10 NEAR")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


def started(contract, home, tmp_path_factory):
    """A directory with `new.json`, the contract with its operator."""
    directory = tmp_path_factory.mktemp("outlayer")
    shutil.copy(contract, directory / "contract.wasm")
    args = '{"owner_id":"owner.near","operator_id":"worker.near"}'
    done = near_tee("run", "contract.wasm", "new", args, "--state-out", "new.json", "--json", home=home, cwd=directory)
    assert done.code == 0, done.err
    return directory


@pytest.fixture(scope="module")
def new(home, tmp_path_factory):
    return started(CONTRACT, home, tmp_path_factory)


@pytest.fixture
def tee(home, new, tmp_path):
    return line_in(new, home, tmp_path)


@pytest.fixture(params=["ours", "theirs"])
def either(request, home, new, tmp_path, tmp_path_factory):
    """`tee` with a contract of the same shape as OutLayer's, and with OutLayer's own."""
    if request.param == "ours":
        return line_in(new, home, tmp_path)
    path = os.environ.get("NEAR_TEE_OUTLAYER_WASM")
    if path is None:
        pytest.skip("NEAR_TEE_OUTLAYER_WASM names no file")
    assert hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest() == THEIRS
    return line_in(started(path, home, tmp_path_factory), home, tmp_path)


def line_in(new, home, tmp_path):
    """A command line in a directory with the contract and with programs."""
    shutil.copytree(new, tmp_path, dirs_exist_ok=True)
    programs = tmp_path / "programs"
    programs.mkdir()
    for number, program in enumerate((ECHO, WORDS, SPIN)):
        (programs / f"{number}.bin").write_bytes(program)
    (programs / f"{hashlib.sha256(FAIL).hexdigest()}.wasm").write_bytes(FAIL)
    return lambda *arguments, **more: near_tee(*arguments, home=home, cwd=tmp_path, **more)


@pytest.fixture
def agent(tmp_path):
    (tmp_path / "collateral.json").write_bytes(GUEST.pki.collateral())
    (tmp_path / "policy.toml").write_bytes(reject.policy(of=GUEST))
    with SimulatedAgent(GUEST, str(tmp_path / "agent.sock")):
        yield ("--attest", "--agent", tmp_path / "agent.sock", "--collateral", "collateral.json")


def result_of(done, code=0):
    assert done.code == code, (done.out, done.err)
    return done.document["result"]


def source_of(program):
    return {"WasmUrl": {"url": "https://example.com/p", "hash": hashlib.sha256(program).hexdigest(),
                        "build_target": "wasm32-wasip1"}}  # fmt: skip


def ask(tee, program, text, form="Text", *, source=None, state="new.json", out="asked", instructions=10**6):
    limits = {"max_instructions": instructions, "max_memory_mb": 1, "max_execution_seconds": 5}
    args = {"source": source or source_of(program), "resource_limits": limits, "input_data": text,
            "response_format": form}  # fmt: skip
    return result_of(tee("yield", "contract.wasm", "request_execution", json.dumps(args), "--state", state,
                         "--deposit", "0.1 NEAR", "--gas", "150 Tgas", "--out", out, "--json"))  # fmt: skip


def logs_of(found):
    return [log for block in found["blocks"] for one in block["outcomes"] for log in one["outcome"]["logs"]]


def worked(tee, *jobs, more=(), out="out"):
    stdin = "".join(json.dumps(one) + "\n" for one in jobs).encode()
    done = tee("worker", *FLAGS, "-o", out, "--json", *more, stdin=stdin)
    assert done.code == 0, (done.out, done.err)
    *found, last = [json.loads(line) for line in done.out.splitlines() if line.startswith("{")]
    return {one["name"]: one for one in found}, last["result"]


def resumed(tee, result, step="asked", out="answered"):
    for at, call in enumerate(result["answers"]):
        last = at + 1 == len(result["answers"])
        found = result_of(tee("resume", step, "--call", call["method"], "--args", call["args"], *OPERATOR, "--gas",
                              "150 Tgas", "--out", out if last else f"{out}-{at}", "--json"))  # fmt: skip
    return found


def test_request_worker_verify_resume_callback(either, tmp_path, agent) -> None:
    tee = either
    asked = ask(tee, WORDS, "twelve bytes", "Json")
    assert asked["status"] == "pending"
    found, last = worked(tee, {"name": "one", "step": "asked"}, more=agent)
    result = found["one"]
    assert (result["exit"], result["request_id"], result["success"], result["cached"]) == (0, 0, True, False)
    assert last["counts"] == {"proved": 1, "already": 0, "failed": 0}
    assert result["data_id"] in {one["data_id"] for one in asked["yields"]}

    judged = ("--policy", "policy.toml", "--time", str(NOW), "--allow-dev-evidence")
    wanted = ("--network", "localnet", "--contract", "contract.near", "--signer", last["signer"])
    entry = result_of(tee("verify", result["path"], *judged, *wanted, "--require", "re-executed", "--json"))
    assert entry["strengths"] == ["attested", "consistent", "re-executed", "signed"]
    assert (entry["claim"], entry["verdict"], entry["signers"]) == (None, "established", [last["signer"]])
    wasi = entry["wasi"]
    assert (wasi["contract"], wasi["request_id"], wasi["data_id"]) == ("contract.near", "0", result["data_id"])
    assert wasi["claim_digest"] == result["claim_digest"] == entry["claim_digest"]
    assert wasi["outcome"]["instructions"] == str(result["resources_used"]["instructions"])
    refused = tee("verify", result["path"], *judged[:-1], "--json")
    assert (refused.code, refused.document["error"]["code"]) == (5, "evidence-simulated")

    answered = resumed(tee, result)
    (one,) = answered["yields"]
    assert (one["status"], one["outcome"]) == ("executed", "success")
    bundle = decode_wasi_bundle((tmp_path / result["path"]).read_bytes())
    told = response_of(run_of(bundle), "Json", time_ms=result["resources_used"]["time_ms"])
    assert b64decode(one["data"]) == payload(told)
    (value,) = [
        entry["outcome"]["status"]["SuccessValue"]
        for block in answered["blocks"] for entry in block["outcomes"] if entry["id"] == one["receipt_id"]
    ]  # fmt: skip
    assert json.loads(b64decode(value)) == {"bytes": 12}


def test_a_long_answer_and_a_failure(tee) -> None:
    ask(tee, ECHO, "x" * 3000)
    ask(tee, FAIL, "", state="asked", out="both")
    found, _ = worked(tee, {"name": "a", "step": "asked"}, {"name": "b", "step": "both"})
    assert [found["a"]["answers"][0]["method"], found["b"]["success"]] == ["submit_execution_output_and_resolve", False]
    assert found["b"]["cost"] == str(10**21)
    resumed(tee, found["a"], step="both", out="one")
    assert resumed(tee, found["b"], step="one", out="none")["status"] != "failure"


def test_verify_at_every_strength(tee, tmp_path) -> None:
    ask(tee, ECHO, "hello")
    (tmp_path / "k.json").write_text(secret_key_text(SECRET))
    (tmp_path / "k.json").chmod(0o600)
    found, last = worked(tee, {"name": "one", "step": "asked"}, more=("--key", "k.json"))
    path, signer = found["one"]["path"], public_key_text(public_key_of(SECRET))
    assert last["signer"] == signer

    def verified(*flags, path=path):
        done = tee("verify", path, *flags, "--json")
        entry = done.document["result"]
        assert entry["exit"] == done.code
        return done.code, entry["code"], entry["strengths"]

    assert verified() == (0, None, ["consistent", "re-executed"])
    assert verified("--no-replay") == (0, None, ["consistent"])
    assert verified("--no-replay", "--signer", signer) == (0, None, ["consistent", "signed"])
    other = public_key_text(public_key_of(secret_key_from_seed("other", scheme=ED25519)))
    assert verified("--signer", other)[:2] == (5, "untrusted")
    assert verified("--require", "attested")[:2] == (5, "not-attested")
    assert verified("--contract", "other.near")[:2] == (4, "unexpected-contract")
    assert verified("--network", "mainnet")[:2] == (4, "unexpected-network")
    assert verified("--time-limit", "0.01")[:2] == (5, "too-expensive")
    assert verified("--chain")[:2] == (6, "not-a-bundle")

    bundle = decode_wasi_bundle((tmp_path / path).read_bytes())
    (tmp_path / "apart.ntw").write_bytes(encode_wasi_bundle(bundle._replace(program=None)))
    assert verified(path="apart.ntw")[:2] == (5, "missing-code")
    assert verified("--code", "programs/0.bin", "--signer", signer, path="apart.ntw")[0] == 0
    lie = bundle._replace(stdout=b"hallo")
    (tmp_path / "lie.ntw").write_bytes(encode_wasi_bundle(lie))
    assert verified(path="lie.ntw")[:2] == (4, "other-output")
    (tmp_path / "torn.ntw").write_bytes(encode_wasi_bundle(bundle)[:-1])
    assert verified(path="torn.ntw")[:2] == (6, "malformed-wasi-bundle")
    everything = tee("verify", "out", "--jsonl")
    assert (everything.code, len(everything.out.splitlines())) == (0, 2)
    people = tee("verify", path)
    assert "request 0 of contract.near on localnet" in people.out
    assert "ESTABLISHED" in people.out


def test_what_is_refused_is_named(tee, tmp_path) -> None:
    logs = logs_of(ask(tee, WORDS, "x"))
    absent = logs_of(ask(tee, b"absent", "x", out="absent"))
    github = {"GitHub": {"repo": "r", "commit": "c", "build_target": "wasm32-wasip1"}}
    unbuilt = logs_of(ask(tee, WORDS, "x", source=github, out="unbuilt"))
    (tmp_path / "programs" / "zzz.wasm").write_bytes(b"absent")
    jobs = {
        "good": ({"logs": logs}, None),
        "again": ({"logs": logs * 2}, "bad-job"),
        "nothing": ({"logs": ["hello"]}, "no-request"),
        "two": ({"logs": [], "step": "asked"}, "bad-job"),
        "bad": ({"logs": absent}, "bad-program"),
        "unbuilt": ({"logs": unbuilt}, "unsupported-github-source"),
        "gone": ({"step": "no-such-step"}, "not-found"),
        "unknown": ({"logs": logs, "program": "x"}, "bad-field"),
        "shape": ({"rpc": "new.json"}, "bad-field"),
        "broken": ({"logs": [log.replace("request_id", "request_number") for log in logs]}, "bad-event"),
    }
    lines = [{"name": name, **one} for name, (one, _) in jobs.items()]
    found, last = worked(tee, *lines, {"name": "../x", "logs": logs}, ["no", "job"])
    codes = {name: None if one["error"] is None else one["error"]["code"] for name, one in found.items()}
    expected = {name: code for name, (_, code) in jobs.items()}
    assert codes == {**expected, "line-11": "bad-job", "line-12": "bad-field"}
    assert all(one["answers"] == [] for one in found.values() if one["exit"])
    assert last["counts"] == {"proved": 1, "already": 0, "failed": 11}


def test_a_program_that_is_not_there(tee) -> None:
    found, _ = worked(tee, {"name": "one", "logs": logs_of(ask(tee, b"absent", "x"))})
    assert (found["one"]["error"]["code"], found["one"]["request_id"]) == ("program-not-found", 0)


def test_a_program_that_takes_too_long_gets_the_failure_answer(tee, tmp_path) -> None:
    ask(tee, SPIN, "", instructions=10**12)
    found, _ = worked(tee, {"name": "one", "step": "asked"}, more=("--time-limit", "1"))
    result = found["one"]
    assert (result["exit"], result["error"]["code"], result["path"], result["success"]) == (124, "timeout", None, False)
    assert not list((tmp_path / "out").glob("*.ntw"))
    answered = resumed(tee, result)
    assert answered["yields"][0]["status"] == "executed"


def test_a_saved_answer_of_rpc(tee, tmp_path) -> None:
    logs = logs_of(ask(tee, ECHO, "hi"))
    outcomes = [
        {"id": hash_text(bytes([at]) * 32), "outcome": {"executor_id": account, "logs": logs}}
        for at, account in enumerate(("liar.near", "contract.near"))
    ]
    result = {"transaction": {"hash": hash_text(bytes(32))}, "receipts_outcome": outcomes}
    for name, document in (("whole.json", {"jsonrpc": "2.0", "id": "x", "result": result}), ("bare.json", result)):
        (tmp_path / name).write_text(json.dumps(document))
    found, _ = worked(
        tee, {"name": "a", "rpc": "whole.json", "block_height": 7}, {"name": "b", "rpc": "bare.json"}
    )  # fmt: skip
    assert (found["a"]["exit"], found["b"]["exit"]) == (0, 0)
    environment = dict(decode_wasi_bundle((tmp_path / found["a"]["path"]).read_bytes()).environment)
    assert environment["NEAR_BLOCK_HEIGHT"] == "7"
    assert environment["NEAR_RECEIPT_ID"] == outcomes[1]["id"]
    assert environment["NEAR_TRANSACTION_HASH"] == hash_text(bytes(32))
    (tmp_path / "liar.json").write_text(json.dumps({**result, "receipts_outcome": outcomes[:1]}))
    found, _ = worked(tee, {"name": "c", "rpc": "liar.json"})
    assert found["c"]["error"]["code"] == "no-request"


def test_restarted_it_executes_once_more_and_claims_the_same(tee, tmp_path, agent) -> None:
    job = {"name": "one", "logs": logs_of(ask(tee, ECHO, "hi"))}
    first, _ = worked(tee, job, more=agent)
    path = tmp_path / first["one"]["path"]
    before = path.read_bytes()
    again, last = worked(tee, job, more=agent)
    assert last["counts"] == {"proved": 0, "already": 1, "failed": 0}
    assert path.read_bytes() == before
    assert again["one"]["answers"] == first["one"]["answers"]
    path.unlink()
    again, _ = worked(tee, job, more=agent)
    assert again["one"]["cached"]
    assert decode_wasi_bundle(path.read_bytes()).claim == decode_wasi_bundle(before).claim
    for changed in (b"something else", b""):
        path.write_bytes(changed)
        found, _ = worked(tee, job, more=agent)
        assert found["one"]["error"]["code"] == "exists"
        assert path.read_bytes() == changed


def test_what_lies_in_the_directory_is_not_believed(tee, tmp_path, agent) -> None:
    """A claim with an invented time, however well signed, is not taken over: it has no seal."""
    job = {"name": "one", "logs": logs_of(ask(tee, ECHO, "hi"))}
    first, _ = worked(tee, job)
    path = tmp_path / first["one"]["path"]
    bundle = decode_wasi_bundle(path.read_bytes())
    claim = bundle.claim._replace(elapsed_ms=10**9)
    forged = signed_by(bundle._replace(claim=claim, claim_digest=claim_digest(claim)), 0)
    path.write_bytes(encode_wasi_bundle(forged))
    (tmp_path / "out" / "objects" / f"{first['one']['bundle']}.ntw").write_bytes(encode_wasi_bundle(forged))
    found, last = worked(tee, job, more=agent)
    assert last["counts"] == {"proved": 1, "already": 0, "failed": 0}
    assert decode_wasi_bundle(path.read_bytes()).claim.elapsed_ms < 10**6
    assert found["one"]["resources_used"]["time_ms"] < 10**6


def test_requests_from_a_directory(tee, tmp_path) -> None:
    logs = logs_of(ask(tee, ECHO, "hi")), logs_of(ask(tee, WORDS, "hi", state="asked", out="both"))
    jobs = tmp_path / "jobs"
    jobs.mkdir()
    (jobs / "two.json").write_text(json.dumps({"logs": [*logs[0], *logs[1]]}))
    (jobs / "step.json").write_text(json.dumps({"step": "../asked"}))
    done = tee("worker", *FLAGS, "-o", "out", "--json", "--jobs-from", "jobs", "--once")
    *found, last = [json.loads(line) for line in done.out.splitlines() if line.startswith("{")]
    assert (done.code, last["result"]["counts"]["proved"]) == (0, 3), (done.out, done.err)
    assert sorted(one["name"] for one in found) == ["step", "two-0", "two-1"]


def test_lines_that_make_no_sense(tee) -> None:
    for flags in (
        ("--outlayer",), ("--programs", "programs"), ("--contract", "a.near"), ("--outlayer", "--programs", "absent"),
        ("--outlayer", "--programs", "programs", "--contract", "!"),
    ):  # fmt: skip
        assert tee("worker", "-o", "out", *flags).code in (2, 6)
