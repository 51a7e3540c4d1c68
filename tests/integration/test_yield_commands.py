"""`yield`, `resume`, `yields`, `steps` and `diff` as a user types them."""

import json
import shutil

import pytest

from tests.support.cli import PROJECT, near_tee
from tests.support.steps import YIELD_WASM

TIMEOUT = 200


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def asked(home, tmp_path_factory):
    """A directory with the step `asked`, in which a yield waits."""
    directory = tmp_path_factory.mktemp("asked")
    done = near_tee("yield", YIELD_WASM, "ask", '"q"', "--out", "asked", "--json", home=home, cwd=directory)
    assert done.code == 0, done.err
    assert done.document["result"]["status"] == "pending"
    return directory


@pytest.fixture
def tee(home, asked, tmp_path):
    """The command line in a copy of that directory."""
    shutil.copytree(asked, tmp_path, dirs_exist_ok=True)
    return lambda *arguments, **more: near_tee(*arguments, home=home, cwd=tmp_path, **more)


def result(done, code=0):
    assert done.code == code, done.err
    return done.document["result"]


def test_yield_says_what_waits(asked, home) -> None:
    found = result(near_tee("yields", "asked", "--json", home=home, cwd=asked))
    (one,) = found["yields"]
    assert (one["status"], one["account_id"], one["method_name"]) == ("pending", "contract.near", "answered")
    assert one["expires_at"] == one["created_at"] + TIMEOUT
    assert found["rules"] == {
        "protocol_version": 86,
        "timeout_in_blocks": TIMEOUT,
        "max_payload_bytes": 1024,
        "ids_chosen_by_contracts": True,
    }
    text = near_tee("yields", "asked", home=home, cwd=asked).out
    assert one["data_id"] in text
    assert "times out at 201" in text


@pytest.mark.parametrize(
    ("flags", "answer"),
    [
        (("--data", "yes"), "yes"),
        (("--data-base64", "eWVz"), "yes"),
        (("--data-hex", "0x796573"), "yes"),
        (("--data-file", "answer.bin"), "from a file"),
        (("--data-file", "-"), "from stdin"),
        (("--timeout",), "timeout"),
    ],
)
def test_resume(tee, tmp_path, flags, answer) -> None:
    (tmp_path / "answer.bin").write_text("from a file")
    done = tee("resume", "asked", *flags, "--out", "answered", "--json", stdin=b"from stdin")
    found = result(done)
    assert found["return_value"]["text"] == answer
    assert found["call"]["entry"] == ("timeout" if answer == "timeout" else "resume")
    (one,) = found["yields"]
    assert one["status"] == "executed"
    assert (one["timed_out_at"] is not None) == (answer == "timeout")
    proof = tee("prove", "--from", "answered", "-o", "answered.ntb")
    assert proof.code == 0, proof.err
    assert tee("verify", "answered.ntb").code == 0


def test_resume_by_a_call(tee) -> None:
    found = result(tee("resume", "asked", "--call", "answer", "--args", '"a"', "--out", "answered", "--json"))
    assert found["return_value"]["text"] == "1"
    (one,) = found["yields"]
    assert (one["status"], one["data"]) == ("executed", "ImEi")
    told = tee("resume", "asked", "--call", "answer", "--args", '"a"').out
    assert '      returned "a"' in told.splitlines()
    assert told.count("returned") == 2
    again = tee("resume", "answered", "--call", "answer", "--json", "--out", "again")
    assert result(again)["return_value"]["text"] == "0"
    assert "the call resumed no yield" in again.err


def test_a_call_that_leaves_the_named_yield_alone(tee) -> None:
    data_id = result(tee("yields", "asked", "--json"))["yields"][0]["data_id"]
    done = tee("resume", "asked", "--data-id", data_id, "--call", "answer_named", "--json", "--out", "nothing")
    assert (done.code, done.document["error"]["code"]) == (8, "not-resumed")
    assert result(done, 8)["return_value"]["text"] == "0"
    assert tee("yields", "nothing").code == 0


@pytest.mark.parametrize(
    ("flags", "exit_code", "code"),
    [
        (("--data", "x" * 1025), 8, "payload-too-long"),
        (("--data-id", "1" * 32, "--data", "x"), 8, "unknown-yield"),
        (("--yield-id", "1" * 32, "--data", "x"), 8, "unknown-yield"),
        (("--contract", "else.near", "--data", "x"), 8, "unknown-yield"),
        (("--data-id", "xyz0", "--data", "x"), 2, "usage"),
        ((), 2, "usage"),
        (("--data", "x", "--timeout"), 2, "usage"),
        (("--data", "x", "--gas", "max"), 2, "usage"),
        (("--timeout", "--args", "{}"), 2, "usage"),
        (("--data", "x", "--block-height", "2"), 2, "usage"),
        (("--call", "answer", "--signer", "nobody.near"), 6, "unknown-account"),
        (("--call", "answer", "--contract", "NO"), 2, "usage"),
    ],
)
def test_refusals(tee, tmp_path, flags, exit_code, code) -> None:
    done = tee("resume", "asked", *flags, "--json")
    assert (done.code, done.document["error"]["code"]) == (exit_code, code), done.err
    assert "Traceback" not in done.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["asked"]


def test_a_payload_of_the_most_bytes(tee) -> None:
    assert tee("resume", "asked", "--data", "x" * 1024, "--out", "long").code == 0


def test_time_travel(tee) -> None:
    for name, flags in {"yes": ("--data", "yes"), "no": ("--data", "no"), "late": ("--timeout",)}.items():
        assert tee("resume", "asked", *flags, "--out", name).code == 0
    for name, code in {"yes": "already-resumed", "late": "timed-out"}.items():
        done = tee("resume", name, "--data", "more", "--json")
        assert (done.code, done.document["error"]["code"]) == (8, code)
    found = result(tee("steps", ".", "--json"))
    assert [(one["path"], one["depth"]) for one in found["steps"]] == [
        ("./asked", 0), ("./late", 1), ("./no", 1), ("./yes", 1),
    ]  # fmt: skip
    text = tee("steps", ".").out.splitlines()
    assert [line.index("./") for line in text] == [0, 4, 4, 4]
    difference = tee("diff", "yes", "no", "--json")
    found = result(difference, 7)
    assert found["outcome"]["return_value"] == {"left": "eWVz", "right": "bm8="}
    assert found["differs"]["logs"] is False
    assert result(tee("diff", "yes", "yes", "--json"))["same"]
    told = tee("diff", "yes", "late")
    assert "- contract.near.answered" in told.out
    assert told.out.startswith("outcome\n")
    assert (told.code, told.err) == (7, "")
    assert tee("steps").out == tee("steps", ".").out


def test_the_step_may_be_one_file_and_go_elsewhere(tee, tmp_path) -> None:
    assert tee("resume", "asked", "--data", "yes", "--out", "a").code == 0
    assert tee("resume", "asked", "--data", "yes", "--out", "a.step").code == 0
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    (tmp_path / "a.step").rename(moved / "b.step")
    assert result(tee("diff", "a", "elsewhere/b.step", "--json"))["same"]
    assert tee("prove", "--from", "elsewhere/b.step", "-o", "b.ntb").code == 0
    assert tee("inspect", "elsewhere/b.step").code == 0


def test_without_a_place_the_step_is_named_by_its_content(tee, tmp_path) -> None:
    for _ in range(2):
        done = tee("yield", YIELD_WASM, "ask", '"q"', "--json")
        path = result(done)["written"]["step"]["path"]
    assert path.startswith("steps/")
    child = result(tee("resume", path, "--data", "yes", "--json"))["written"]["step"]["path"]
    assert child.startswith("steps/")
    assert len(list((tmp_path / "steps").iterdir())) == 2
    assert [one["depth"] for one in result(tee("steps", "--json"))["steps"]] == [0, 1]


def test_no_yield(tee, tmp_path) -> None:
    done = tee("yield", PROJECT / "examples" / "wat" / "counter.wasm", "increment", "--out", "counted", "--json")
    assert (done.code, done.document["error"]["code"]) == (8, "no-yield")
    assert (tmp_path / "counted" / "step.json").is_file()
    done = tee("resume", "counted", "--data", "x", "--json")
    assert (done.code, done.document["error"]["code"]) == (8, "no-yield")


def test_a_contract_that_fails(tee, tmp_path) -> None:
    done = tee("yield", PROJECT / "examples" / "wat" / "panic.wasm", "panic", "--out", "failed", "--json")
    assert (done.code, done.document["error"]["code"]) == (3, "contract-failed")
    assert (tmp_path / "failed" / "step.json").is_file()
    done = tee("resume", "asked", "--data", "!", "--json", "--out", "failed-too")
    assert (done.code, done.document["error"]["code"]) == (3, "contract-failed")
    assert done.document["result"]["yields"][0]["outcome"] == "failure"


def test_from_a_snapshot(tee) -> None:
    assert tee("yield", YIELD_WASM, "ask", "--state-out", "after.json").code == 0
    found = result(tee("yields", "after.json", "--json"))
    assert [one["status"] for one in found["yields"]] == ["pending"]
    assert result(tee("resume", "after.json", "--data", "x", "--json"))["return_value"]["text"] == "x"
    assert result(tee("resume", "after.json", "--timeout", "--json"))["return_value"]["text"] == "timeout"


def test_what_is_in_flight_comes_first(tee) -> None:
    assert tee("yield", YIELD_WASM, "ask", "--single", "--out", "single").code == 0
    found = result(tee("resume", "single", "--timeout", "--out", "late", "--json"))
    assert [block["height"] for block in found["blocks"]] == [2, 201, 202, 203]
    assert found["return_value"]["text"] == "timeout"


@pytest.mark.parametrize("change", ["post_root", "protocol_version", "yields", "codes"])
def test_a_step_that_was_changed(tee, tmp_path, change) -> None:
    path = tmp_path / "asked" / "step.json"
    document = json.loads(path.read_text())
    if change == "post_root":
        document["post_root"] = document["pre_root"]
    elif change == "protocol_version":
        document["protocol_version"] = 85
    elif change == "yields":
        document["yields"][0]["method_name"] = "steal"
    else:
        document["codes"]["contract.near"] = document["pre_root"]
    path.write_text(json.dumps(document))
    done = tee("resume", "asked", "--data", "x", "--json")
    assert (done.code, done.document["error"]["code"]) == (
        6, "code-mismatch" if change == "codes" else "step-damaged",
    )  # fmt: skip


@pytest.mark.parametrize("command", [("yields",), ("resume", "--timeout"), ("steps",), ("diff", "asked"), ("inspect",)])
def test_nothing_to_read(tee, tmp_path, command) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").write_text("text")
    for name in ("empty", "text", "missing"):
        done = tee(command[0], name, *command[1:], "--json")
        if command[0] == "steps" and name == "empty":
            assert done.document["result"]["steps"] == []
            continue
        assert done.code == 6, (done.err, name)
        assert done.document["error"]["code"] not in ("internal", "usage")


def test_what_is_put_into_the_state_is_said(tee) -> None:
    counter = PROJECT / "examples" / "wat" / "counter.wasm"
    done = tee("resume", "asked", "--call", "answer", "--signer", "worker.near", "--account", "worker.near=3 NEAR",
               "--with", f"counter.near={counter}", "--json", "--out", "added")  # fmt: skip
    assert result(done)["return_value"]["text"] == "1"
    assert "worker.near" not in done.err
    assert "does not begin where its parent ended" in done.err
    assert tee("prove", "--from", "added", "-o", "added.ntb").code == 0
