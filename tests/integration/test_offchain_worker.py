"""The example contract that asks a worker outside the chain, and the walkthrough of it."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from tests.support.cli import PROJECT, near_tee

CONTRACT = PROJECT / "examples" / "contracts" / "offchain-worker" / "offchain_worker.wasm"
TENTH = 10**23
LONGEST_ANSWER = 1022  # and its quotes
STORAGE_BYTE_COST = 10**19


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def made(home, tmp_path_factory):
    """A directory with `start.json`, the new contract, and the step `asked`, in which alice's question waits."""
    directory = tmp_path_factory.mktemp("made")
    call(home, directory, "run", CONTRACT, "new", '{"worker":"worker.near"}', "--signer", "worker.near",
         "--as-transaction", "--state-out", "start.json")  # fmt: skip
    call(home, directory, "yield", CONTRACT, "request", '{"input":"how warm?"}', "--state", "start.json", "--signer",
         "alice.near", "--account", "alice.near=10 NEAR", "--deposit", "0.1 NEAR", "--as-transaction",
         "--out", "asked")  # fmt: skip
    return directory


@pytest.fixture
def tee(home, made, tmp_path):
    """The command line in a copy of that directory; gives the result."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return lambda *arguments, code=0: call(home, tmp_path, *arguments, code=code)


def call(home, directory, *arguments, code=0):
    done = near_tee(*arguments, "--json", home=home, cwd=directory)
    assert done.code == code, done.err
    return done.document["result"]


def respond(request_id, answer, *, by="worker.near"):
    args = json.dumps({"request_id": request_id, "answer": answer})
    return ("--call", "respond", "--args", args, "--signer", by, "--as-transaction")  # the last one may be left out


def pending(tee, state):
    return tee("run", CONTRACT, "pending", "--view", "--state", state)["return_value"]["json"]


def transfers(result):
    """Who got how much, refunds of gas apart."""
    return [
        (receipt["receiver_id"], int(action["Transfer"]["deposit"]))
        for receipt in result["receipts"]
        if receipt["predecessor_id"] != "system" and "Action" in receipt["receipt"]
        for action in receipt["receipt"]["Action"]["actions"]
        if "Transfer" in action
    ]


def events(result):
    return [(event["standard"], event["event"], event["data"]) for event in result["events"]]


def balances(tee, state):
    shown = tee("state", "show", state)
    return {account["account_id"]: int(account["amount"]) for account in shown["accounts"]}


def storage_usage(tee, state):
    (usage,) = [one["storage_usage"] for one in tee("state", "show", state)["accounts"]
                if one["account_id"] == "contract.near"]  # fmt: skip
    return usage


def test_run_shows_the_request_as_waiting(tee) -> None:
    found = tee("run", CONTRACT, "request", '{"input":"x"}', "--state", "start.json", "--deposit", "0.01 NEAR")
    assert found["status"] == "pending"
    assert found["in_flight"] == 0
    (one,) = found["yields"]
    assert (one["status"], one["method_name"], one["gas"]) == ("pending", "on_response", 5 * 10**12)
    assert events(found) == [
        ("offchain-worker", "requested",
         {"request_id": 0, "requester": "user.near", "input": "x", "deposit": str(10**22)}),
    ]  # fmt: skip


def test_a_view_lists_what_waits_and_touches_nothing(tee) -> None:
    found = tee("run", CONTRACT, "pending", "--view", "--state", "asked")
    assert found["return_value"]["json"] == [
        {"request_id": 0, "requester": "alice.near", "input": "how warm?", "deposit": str(TENTH)}
    ]
    assert found["call"]["made"] == {}
    assert found["state_root"] == tee("inspect", "asked")["post_root"]


def test_the_worker_answers(tee) -> None:
    before = balances(tee, "asked")
    found = tee("resume", "asked", *respond(0, "21"), "--out", "answered")
    assert found["return_value"]["base64"] == ""
    assert events(found) == [
        ("offchain-worker", "answered", {"request_id": 0, "worker": "worker.near", "paid": str(TENTH)})
    ]
    assert transfers(found) == [("worker.near", TENTH)]
    assert (found["in_flight"], found["yields"][0]["outcome"]) == (0, "success")
    assert pending(tee, "answered") == []
    gained = balances(tee, "answered")["worker.near"] - before["worker.near"]
    assert TENTH - 10**21 < gained < TENTH


def test_nobody_answers(tee) -> None:
    found = tee("resume", "asked", "--timeout", "--out", "late")
    assert found["return_value"]["json"] is None
    assert events(found) == [
        ("offchain-worker", "timed_out", {"request_id": 0, "requester": "alice.near", "refunded": str(TENTH)})
    ]
    assert transfers(found) == [("alice.near", TENTH)]
    assert pending(tee, "late") == []
    after = balances(tee, "late")
    assert 10 * 10**24 - 10**21 < after["alice.near"] < 10 * 10**24
    assert after["worker.near"] == balances(tee, "asked")["worker.near"]


@pytest.mark.parametrize(("version", "compiler"), [("84", "cranelift"), ("85", "winch"), ("86", "cranelift")])
def test_other_versions_and_the_other_compiler(tee, version, compiler) -> None:
    tee("run", CONTRACT, "new", '{"worker":"worker.near"}', "--signer", "worker.near", "--protocol-version", version,
        "--compiler", compiler, "--state-out", "new.json")  # fmt: skip
    tee("yield", CONTRACT, "request", '{"input":"?"}', "--state", "new.json", "--deposit", "0.1 NEAR", "--compiler",
        compiler, "--out", "question")  # fmt: skip
    assert tee("yields", "question")["rules"]["protocol_version"] == int(version)
    found = tee("resume", "question", *respond(0, "!")[:-1], "--compiler", compiler, "--out", "answer")
    assert transfers(found) == [("worker.near", TENTH)]
    found = tee("resume", "question", "--timeout", "--compiler", compiler, "--out", "none")
    assert transfers(found) == [("user.near", TENTH)]
    for step in ("question", "answer", "none"):
        tee("prove", "--from", step, "-o", f"{step}.ntb", "--compiler", compiler)
        tee("verify", f"{step}.ntb")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (respond(0, "21", by="alice.near"), "only the worker responds"),
        (respond(1, "21"), "no such request"),
        (respond(0, "x" * (LONGEST_ANSWER + 1)), "the answer is too long"),
        (respond(0, "\n" * 512), "the answer is too long"),
        (("--call", "on_response", "--args", '{"request_id":0}'), "Method on_response is private"),
        (("--call", "new", "--args", '{"worker":"user.near"}'), "already been initialized"),
    ],
)
def test_refused(tee, flags, message) -> None:
    found = tee("resume", "asked", *flags, *(() if "--signer" in flags else ("--signer", "alice.near")), "--out", "no",
                code=3)  # fmt: skip
    assert message in json.dumps(found["failure"])
    assert found["yields"][0]["status"] == "pending"
    assert len(pending(tee, "no")) == 1
    assert balances(tee, "no")["contract.near"] > balances(tee, "asked")["contract.near"] - 10**20


def test_a_second_response_changes_nothing(tee) -> None:
    """Also when it is made before the callback has run: what is in flight comes first."""
    tee("resume", "asked", *respond(0, "21")[:-1], "--single", "--out", "resumed")
    assert pending(tee, "resumed") == []
    tee("resume", "asked", *respond(0, "21"), "--out", "answered")
    args = '{"request_id":0,"answer":"22"}'
    for state, moved in {"resumed": [("worker.near", TENTH)], "answered": []}.items():
        again = tee("run", CONTRACT, "respond", args, "--state", state, "--signer", "worker.near", code=3)
        assert "no such request" in json.dumps(again["failure"])
        assert transfers(again) == moved


def test_several_requests_end_each_in_its_own_way(tee) -> None:
    tee("yield", CONTRACT, "request", '{"input":"how wet?"}', "--state", "asked", "--signer", "bob.near", "--deposit",
        "0.2 NEAR", "--out", "both")  # fmt: skip
    assert [request["requester"] for request in pending(tee, "both")] == ["alice.near", "bob.near"]
    assert tee("run", CONTRACT, "pending", '{"from_index":1,"limit":1}', "--view", "--state", "both")["return_value"][
        "json"
    ][0]["input"] == "how wet?"  # fmt: skip
    found = tee("resume", "both", *respond(1, "dry"), "--out", "one")
    assert transfers(found) == [("worker.near", 2 * TENTH)]
    assert [request["request_id"] for request in pending(tee, "one")] == [0]
    found = tee("resume", "one", "--timeout", "--out", "none")
    assert transfers(found) == [("alice.near", TENTH)]


@pytest.mark.parametrize(("deposit", "length", "message"), [
    ("0.00999 NEAR", 1, "a deposit of 0.01 NEAR at least"), ("1 NEAR", 513, "the input is too long"),
])  # fmt: skip
def test_requests_that_are_refused_cost_nothing_but_gas(tee, deposit, length, message) -> None:
    args = json.dumps({"input": "x" * length})
    found = tee("run", CONTRACT, "request", args, "--state", "start.json", "--deposit", deposit, code=3)
    assert message in json.dumps(found["failure"])
    assert found["yields"] == []
    assert any(receipt["predecessor_id"] == "system" for receipt in found["receipts"])


@pytest.mark.parametrize("end", [respond(0, "y" * LONGEST_ANSWER), ("--timeout",)])
def test_at_its_most(tee, end) -> None:
    """The price pays for the storage of the longest request, and the gas set aside suffices for the longest answer."""
    args = json.dumps({"input": "x" * 512})
    tee("yield", CONTRACT, "request", args, "--state", "start.json", "--signer", "a" * 59 + ".near", "--deposit",
        "0.01 NEAR", "--gas", "8 Tgas", "--out", "long")  # fmt: skip
    grown = storage_usage(tee, "long") - storage_usage(tee, "start.json")
    assert 512 < grown <= 10**22 // STORAGE_BYTE_COST
    found = tee("resume", "long", *end, "--out", "ended")
    assert storage_usage(tee, "ended") == storage_usage(tee, "start.json")
    (burnt,) = [
        one["outcome"]["gas_burnt"]
        for block in found["blocks"]
        for one in block["outcomes"]
        if any("answered" in log or "timed_out" in log for log in one["outcome"]["logs"])
    ]
    assert 10**12 < burnt < 3 * 10**12


def run_script(script, directory, home):
    """What `script` prints, in one, with its exit code."""
    environment = {
        **os.environ,
        "PATH": f"{pathlib.Path(sys.executable).parent}:/usr/bin:/bin",
        "NEAR_TEE_HOME": str(home),
        "PYTHONPATH": str(PROJECT),
    }
    return subprocess.run(
        ["sh", "-c", script], cwd=directory, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, check=False,
    )  # fmt: skip


def commands(block):
    """Each command of a block with the exit code that a comment beside it announces."""
    for line in block.replace("\\\n", " ").splitlines():
        announced = re.search(r"# ends with (\d+)", line)
        if line.strip():
            yield line, 0 if announced is None else int(announced[1])


def test_the_walkthrough(home, tmp_path) -> None:
    """Every command ends as it should, and what is quoted is in the output, line by line and in this order."""
    text = (PROJECT / "docs" / "yield-walkthrough.md").read_text(encoding="utf-8")
    shutil.copytree(PROJECT / "examples", tmp_path / "examples")
    directory = tmp_path
    printed: list[str] = []
    at = 0
    for kind, block in re.findall(r"^```(\w+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        if kind == "text":
            at = after_quote(block.splitlines(), printed, at)
            continue
        for command, code in commands(block):
            if command.startswith("cd "):
                directory = directory / command.removeprefix("cd ")
                continue
            done = run_script(command, directory, home)
            assert done.returncode == code, (command, done.stdout)
            printed += done.stdout.splitlines()
    assert at > 0


def after_quote(quoted, printed, at):
    """Where the output goes on after the quoted lines; `...` stands for any number of lines."""
    anywhere = True
    for line in quoted:
        if line == "...":
            anywhere = True
            continue
        if anywhere:
            assert line in printed[at:], line
            at = printed.index(line, at)
        assert printed[at] == line
        at += 1
        anywhere = False
    return at
