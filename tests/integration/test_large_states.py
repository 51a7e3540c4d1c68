"""State directories as a user has them: the same commands, the same results, and never half a change."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from base64 import b64decode

import pytest

from near_tee_cli.state.build import root_of
from near_tee_cli.workspace.state_directory import StateDirectory
from tests.support.cli import PROJECT, near_tee
from tests.support.steps import YIELD_WASM

COUNTER = PROJECT / "examples/wat/counter.wasm"
STATUS = "examples/contracts/status-message/status_message.wasm"
COUNT = ("run", COUNTER, "increment", "--contract", "counter.near")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def made(home, tmp_path_factory):
    """`before.json`, and the same as `before.lmdb`."""
    folder = tmp_path_factory.mktemp("made")
    for line in (
        ("state", "init", "-o", "before.json", "--account", "alice.near=10 NEAR", "--with", f"counter.near={COUNTER}",
         "--with", f"contract.near={YIELD_WASM}", "--block-height", "50"),
        ("state", "convert", "before.json", "before.lmdb"),
    ):  # fmt: skip
        done = near_tee(*line, home=home, cwd=folder)
        assert done.code == 0, done.err
    return folder


@pytest.fixture
def tee(home, made, tmp_path):
    """The command line in a copy of that directory."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return lambda *arguments, **more: near_tee(*arguments, home=home, cwd=tmp_path, **more)


def result(done, code=0):
    assert done.code == code, done.err
    return done.document["result"]


def error(done, code):
    assert done.code == code, done.err
    assert "Traceback" not in done.err
    return done.document["error"]["code"]


def without(document, *names):
    return {name: value for name, value in document.items() if name not in names}


def counted(tee, path):
    """What the counter of a state stands at."""
    value = result(tee("state", "get", path, "counter.near", "count", "--json"))["value"]
    return int.from_bytes(b64decode(value["base64"]), "little")


def root(tee, path):
    return result(tee("state", "root", path, "--json"))["state_root"]


def test_there_and_back_is_the_same_file(tee, tmp_path) -> None:
    assert tee("state", "convert", "before.lmdb", "again.json").code == 0
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "before.json").read_bytes()
    assert tee("state", "convert", "before.lmdb", "one.nts").code == 0
    assert tee("state", "convert", "one.nts", "named-otherwise", "--to", "lmdb").code == 0
    assert tee("state", "convert", "named-otherwise", "last", "--to", "json").code == 0
    assert (tmp_path / "last").read_bytes() == (tmp_path / "before.json").read_bytes()


@pytest.mark.parametrize(
    "line",
    [
        ("state", "root", "STATE"),
        ("state", "show", "STATE"),
        ("state", "get", "STATE", "counter.near", "count"),
        ("state", "prove-key", "STATE", "--account", "alice.near"),
        ("inspect", "STATE"),
        (*COUNT, "--state", "STATE"),
        (*COUNT, "--state", "STATE", "--view"),
        ("prove", *COUNT[1:], "--state", "STATE", "-o", "OUT"),
        ("yields", "STATE"),
    ],
    ids=lambda line: "-".join(map(str, line[:2])),
)
def test_same_lines_same_answers(tee, tmp_path, line) -> None:
    found = []
    for state in ("before.json", "before.lmdb"):
        words = [word.replace("STATE", state).replace("OUT", f"{state}.ntb") for word in map(str, line)]
        done = tee(*words, "--json")
        document = done.document
        answer = document["result"] and without(document["result"], "form", "size", "path")
        found.append((done.code, done.err, json.loads(json.dumps(answer).replace(state, "STATE")), document["error"]))
    assert found[0] == found[1]
    if line[0] == "prove":
        assert (tmp_path / "before.json.ntb").read_bytes() == (tmp_path / "before.lmdb.ntb").read_bytes()
        assert tee("verify", "before.lmdb.ntb").code == 0


def test_state_out_leaves_the_state_and_makes_the_next_one(tee, tmp_path) -> None:
    old = root(tee, "before.lmdb")
    found = result(tee(*COUNT, "--state", "before.lmdb", "--state-out", "after.lmdb", "--json"))
    assert found["written"]["snapshot"] == {"path": "after.lmdb", "form": "lmdb"}
    assert root(tee, "before.lmdb") == old
    assert tee(*COUNT, "--state", "before.json", "--state-out", "after.json").code == 0
    assert tee("state", "convert", "after.lmdb", "same.json").code == 0
    assert (tmp_path / "same.json").read_bytes() == (tmp_path / "after.json").read_bytes()
    assert error(tee(*COUNT, "--state", "before.lmdb", "--state-out", "after.lmdb", "--json"), 6) == "exists"
    # Without an end that says otherwise, what came of a directory is one.
    assert tee(*COUNT, "--state", "before.lmdb", "--state-out", "other").code == 0
    assert root(tee, "other") == root(tee, "after.json")
    # And a file may be asked for.
    assert tee(*COUNT, "--state", "before.lmdb", "--state-out", "file.nts").code == 0
    assert (tmp_path / "file.nts").is_file()


@pytest.mark.parametrize("state", ["before.lmdb", "before.json"])
def test_in_place(tee, tmp_path, state) -> None:
    for count in (1, 2, 3):
        found = result(tee(*COUNT, "--state", state, "--in-place", "--json"))
        assert found["written"]["snapshot"]["path"] == state
        assert counted(tee, state) == count
    assert [name for name in os.listdir(tmp_path) if name.endswith(".tmp")] == []


def test_in_place_is_the_same_as_one_file_after_another(tee, tmp_path) -> None:
    shutil.copy(tmp_path / "before.json", tmp_path / "file.json")
    for state in ("before.lmdb", "file.json"):
        for _ in range(3):
            assert tee(*COUNT, "--state", state, "--in-place").code == 0
    assert tee("state", "convert", "before.lmdb", "same.json").code == 0
    assert (tmp_path / "same.json").read_bytes() == (tmp_path / "file.json").read_bytes()


@pytest.mark.parametrize(
    ("flags", "exit_code", "code"),
    [
        (("--in-place",), 2, "usage"),
        (("--state", "before.lmdb", "--in-place", "--state-out", "x.lmdb"), 2, "usage"),
        (("--state", "-", "--in-place"), 2, "usage"),
    ],
)
def test_in_place_needs_something_to_change(tee, flags, exit_code, code) -> None:
    assert error(tee(*COUNT, *flags, "--json"), exit_code) == code


def test_steps_on_a_directory(tee, tmp_path) -> None:
    """Yield, resume in two ways, timeout, proof: the same as on a file; the step before holds what was read alone."""
    digests = {}
    for state in ("before.lmdb", "before.json"):
        step = f"{state}.asked"
        asked = result(tee("yield", YIELD_WASM, "ask", "--state", state, "--out", step, "--json"))
        assert asked["status"] == "pending"
        answers = []
        for name, flags in (("said", ("--data", "hello")), ("late", ("--timeout",))):
            done = result(tee("resume", step, *flags, "--out", f"{step}.{name}", "--json"))
            answers.append(json.dumps(without(done, "step", "parent", "digest")).replace(state, "STATE"))
            assert tee("prove", "--from", f"{step}.{name}", "-o", f"{step}.{name}.ntb").code == 0
            assert tee("verify", f"{step}.{name}.ntb").code == 0
        digests[state] = (
            [hashlib.sha256((tmp_path / f"{step}.{name}.ntb").read_bytes()).hexdigest() for name in ("said", "late")],
            [json.loads(answer)["gas"] for answer in answers],
        )
        assert root(tee, f"{step}.said") != root(tee, f"{step}.late")
        assert tee("diff", f"{step}.said", f"{step}.late").code == 7
        assert tee("inspect", step).code == 0
        assert tee("yields", step).code == 0
    assert digests["before.lmdb"] == digests["before.json"]
    assert sorted(os.listdir(tmp_path / "before.lmdb.asked")) == [
        "after.lmdb", "before.ntw", "results.json", "step.json",
    ]  # fmt: skip


def test_a_step_is_never_changed(tee) -> None:
    assert tee("yield", YIELD_WASM, "ask", "--state", "before.lmdb", "--out", "asked").code == 0
    assert error(tee(*COUNT, "--state", "asked", "--in-place", "--json"), 2) == "usage"


def damaged(kind, path):
    data = path / "data.mdb"
    match kind:
        case "cut":
            data.write_bytes(data.read_bytes()[: data.stat().st_size // 2])
        case "empty":
            data.write_bytes(b"")
        case "no pages":
            data.write_bytes(bytes(16384))
        case "foreign":
            shutil.rmtree(path)
            subprocess.run([sys.executable, "-c", f"import lmdb; lmdb.open({str(path)!r}).close()"], check=True)
        case "nothing":
            data.unlink()


@pytest.mark.parametrize("kind", ["cut", "empty", "no pages", "foreign", "nothing"])
@pytest.mark.parametrize("line", [("state", "root", "before.lmdb"), (*COUNT, "--state", "before.lmdb")])
def test_damaged_directories(tee, tmp_path, kind, line) -> None:
    damaged(kind, tmp_path / "before.lmdb")
    assert error(tee(*line, "--json"), 6) in ("malformed-state", "not-a-state")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_may_only_be_read(tee, tmp_path) -> None:
    for path in ((tmp_path / "before.lmdb"), *(tmp_path / "before.lmdb").iterdir()):
        path.chmod(0o555 if path.is_dir() else 0o444)
    assert tee(*COUNT, "--state", "before.lmdb").code == 0
    assert error(tee(*COUNT, "--state", "before.lmdb", "--in-place", "--json"), 6) == "write-failed"


_ADVANCE = """
import sys
from near_tee_cli.state.trie import Trie
from near_tee_cli.workspace.state_directory import StateDirectory
path = sys.argv[1]
for number in range(1_000_000):
    with StateDirectory(path, writing=True) as directory:
        store = directory.store()
        rows = {b"\\x09a.near," + bytes([at]): b"%d" % number for at in range(200)}
        root, nodes = Trie(store, store.base).update(rows)
        store.update(nodes)
        directory.advance(store, directory.snapshot._replace(state_root=root))
    print(number, flush=True)
"""


@pytest.mark.parametrize("delay_ms", [0, 1, 2, 3, 5, 8, 13])
def test_a_process_that_is_killed_leaves_one_state(made, tmp_path, delay_ms) -> None:
    """Killed again and again while it writes: 200 rows are all of one number, and the root is theirs."""
    path = tmp_path / "state"
    shutil.copytree(made / "before.lmdb", path)
    seen = -1
    for _ in range(2):
        command = [sys.executable, "-c", _ADVANCE, str(path)]
        with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
            done = [int(process.stdout.readline()) for _ in range(3)][-1]
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(delay_ms / 1000)
            process.send_signal(signal.SIGKILL)
            done = max([done, *(int(line) for line in process.stdout.read().splitlines() if line)])
        with StateDirectory(str(path)) as directory:
            rows = dict(directory.snapshot.rows)
            values = {value for key, value in rows.items() if key.startswith(b"\x09a.near,")}
            assert values in ({b"%d" % done}, {b"%d" % (done + 1)})
            assert directory.row_count == len(rows)
            assert directory.snapshot.state_root == root_of(rows)
            seen = max(seen, done)
    assert seen >= 2


def test_two_that_write_at_once(tee, home, made, tmp_path) -> None:
    """Who began from a state that is no longer there is told so, and changes nothing."""
    environment = {**os.environ, "NEAR_TEE_HOME": str(home)}
    command = [sys.executable, "-m", "near_tee_cli", *map(str, COUNT), "--state", "before.lmdb", "--in-place", "--json"]
    running = [
        subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    done = [(process.communicate(timeout=60)[0], process.returncode) for process in running]
    good = [json.loads(out) for out, code in done if code == 0]
    assert good
    for out, code in done:
        if code:
            assert json.loads(out)["error"]["code"] == "state-changed"
    assert counted(tee, "before.lmdb") == len(good)


def test_the_library_is_loaded_for_directories_alone(home, made) -> None:
    script = (
        "import sys, os; os._exit = sys.exit; sys.argv[0] = 'near-tee'\nfrom near_tee_cli.cli import main\n"
        "try: main()\nexcept SystemExit: pass\nsys.stderr.write('\\n@' + ' '.join(sys.modules))"
    )
    for state, loaded in (("before.json", False), ("before.lmdb", True)):
        command = [sys.executable, "-c", script, *map(str, COUNT), "--state", state, "--json"]
        done = subprocess.run(
            command, cwd=made, env={**os.environ, "NEAR_TEE_HOME": str(home), "PYTHONPATH": str(PROJECT)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ("lmdb" in done.stderr.rpartition("@")[2].split()) is loaded, done.stderr


def test_both_sides_may_be_the_same_directory(tee) -> None:
    assert tee("state", "diff", "before.lmdb", "./before.lmdb").code == 0
    assert tee("state", "merge", "before.lmdb", "before.lmdb", "-o", "merged.lmdb").code == 0
    assert root(tee, "merged.lmdb") == root(tee, "before.lmdb")
    assert tee("yield", YIELD_WASM, "ask", "--state", "before.lmdb", "--out", "asked").code == 0
    assert tee("diff", "asked", "asked").code == 0
    assert error(tee("diff", "asked", "nowhere", "--json"), 6) == "not-a-step"


def test_a_file_that_is_too_large_names_the_directory(tee, tmp_path) -> None:
    with (tmp_path / "large.json").open("wb") as file:
        file.truncate((256 << 20) + 1)
    done = tee("state", "root", "large.json", "--json")
    assert error(done, 6) == "too-large"
    assert ".lmdb" in done.document["error"]["hint"]


def test_no_room_on_disk(tee, home, tmp_path) -> None:
    """A file that may not grow: the command says so, and the state is the old one."""
    old = root(tee, "before.lmdb")
    limit = (tmp_path / "before.lmdb" / "data.mdb").stat().st_size
    script = (
        f"import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit})); "
        "sys.argv[0] = 'near-tee'; runpy.run_module('near_tee_cli', run_name='__main__')"
    )
    environment = {**os.environ, "NEAR_TEE_HOME": str(home), "PYTHONPATH": str(PROJECT)}
    for flags in (("--in-place",), ("--state-out", "after.lmdb")):
        more = ("--with", f"new.near={COUNTER}", "--with", f"large.near={PROJECT / STATUS}")
        line = [*map(str, COUNT), "--state", "before.lmdb", *more, *flags, "--json"]
        done = subprocess.run(
            [sys.executable, "-c", script, *line], cwd=tmp_path, env=environment, capture_output=True, check=False
        )
        assert json.loads(done.stdout)["error"]["code"] == "write-failed", done.stderr
        assert done.returncode == 6
    assert root(tee, "before.lmdb") == old
    assert not (tmp_path / "after.lmdb").exists()
    assert [name for name in os.listdir(tmp_path) if name.endswith(".tmp")] == []
