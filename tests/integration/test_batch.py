"""`prove --batch` as a user types it: many at once, hostile ones among them, interrupted and gone on with."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from near_tee_cli.primitives.keys import ED25519, public_key_of, public_key_text, secret_key_from_seed, secret_key_text
from tests.support import cases
from tests.support.cli import PROJECT, near_tee
from tests.support.wat import wat

WAT = PROJECT / "examples" / "wat"
COUNTER = str(WAT / "counter.wasm")
SECRET = secret_key_from_seed("batch", scheme=ED25519)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def tee(home, tmp_path):
    return lambda *arguments, **more: near_tee(*arguments, home=home, cwd=tmp_path, **more)


@pytest.fixture
def batch(tee, tmp_path):
    """Proves items; the lines about them, the line about the batch, and the command."""

    def call(items, *flags, out="out"):
        (tmp_path / "manifest.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
        done = tee("prove", "--batch", "manifest.jsonl", "-o", out, "--json", *flags)
        lines = [json.loads(line) for line in done.out.splitlines()]
        return lines[:-1], lines[-1], done

    return call


def counting(number, **more):
    return {"name": f"n{number}", "contract": COUNTER, "method": "increment", "block_height": number + 1, **more}


def test_many(batch, tee, tmp_path) -> None:
    items, last, done = batch([counting(number) for number in range(12)], "--jobs", "3")
    assert (done.code, last["exit"], last["error"]) == (0, 0, None)
    assert last["batch"]["counts"] == {"items": 12, "proved": 12, "already": 0, "failed": 0, "left": 0}
    assert [item["name"] for item in items] == [f"n{number}" for number in range(12)]
    assert tee("prove", COUNTER, "increment", "--block-height", "4", "-o", "alone.ntb").code == 0
    assert (tmp_path / "out" / "n3.ntb").read_bytes() == (tmp_path / "alone.ntb").read_bytes()
    verified = tee("verify", *(item["path"] for item in items), "--jobs", "2", "--json").document
    assert verified["exit"] == 0
    assert [entry["path"] for entry in verified["result"]["bundles"]] == [item["path"] for item in items]


def test_nothing_is_done_twice(batch, tmp_path) -> None:
    items = [counting(number) for number in range(4)]
    first, _, _ = batch(items)
    again, last, done = batch(items, "--resume")
    assert done.code == 0
    assert last["batch"]["counts"]["already"] == 4
    assert [{**item, "cached": False} for item in again] == first
    # Other names and another order are the same jobs; another height is another one.
    more, last, _ = batch([{**items[2], "name": "x"}, counting(9), {**items[0], "name": "y"}], "--resume")
    assert [item["cached"] for item in more] == [True, False, True]
    (tmp_path / "out" / "objects" / f"{first[1]['bundle']}.ntb").write_bytes(b"damaged")
    repaired, _, _ = batch(items, "--resume")
    assert [item["cached"] for item in repaired] == [True, False, True, True]
    _, _, refused = batch(items)
    assert refused.code == 6
    assert refused.document["error"]["code"] == "exists"


HOSTILE = {
    "bomb": '(module (func (export "m") (loop br 0)))',
    "grows": '(module (memory 1) (func (export "m") (loop (drop (memory.grow (i32.const 1))) br 0)))',
    "deep": '(module (func $f (export "m") (call $f)))',
    "traps": '(module (func (export "m") unreachable))',
}


def test_hostile_items_cost_themselves(batch, tmp_path) -> None:
    for name, text in HOSTILE.items():
        (tmp_path / f"{name}.wasm").write_bytes(wat(text))
    (tmp_path / "none.wasm").write_bytes(b"no contract")
    items = [
        counting(0),
        {"name": "missing", "contract": "nowhere.wasm", "method": "m"},
        *({"name": name, "contract": f"{name}.wasm", "method": "m", "gas": "300 Tgas"} for name in (*HOSTILE, "none")),
        {"name": "flag", "contract": COUNTER, "method": "increment", "no_such_flag": 5},
        {"name": "out", "contract": COUNTER, "method": "increment", "out": "elsewhere"},
        {"name": "key", "contract": COUNTER, "method": "increment", "as_transaction": True, "signer_key": "k"},
        {"name": "stdin", "contract": "-", "method": "increment"},
        {"name": "both", "contract": COUNTER, "method": "increment", "case": "x"},
        counting(1),
    ]
    found, last, done = batch(items, "--jobs", "2")
    assert (done.code, last["error"]["code"]) == (10, "batch-mixed")
    codes = {item["name"]: (item["exit"], None if item["error"] is None else item["error"]["code"]) for item in found}
    fine = dict.fromkeys(("n0", "n1", *HOSTILE, "none"), (0, None))
    assert codes == {
        **fine, "missing": (6, "not-found"), "flag": (2, "usage"), "out": (2, "usage"), "key": (2, "usage"),
        "stdin": (2, "usage"), "both": (2, "usage"),
    }  # fmt: skip
    failures = {item["name"]: item["contract_failure"] for item in found if item["exit"] == 0}
    assert failures["n0"] is None
    assert "unreachable" in failures["traps"].lower()
    assert not (tmp_path / "elsewhere").exists()


def test_an_item_takes_no_longer_than_allowed(batch, tmp_path) -> None:
    loop = {"name": "loop", "contract": str(WAT / "loop.wasm"), "method": "forever", "gas": "max"}
    found, last, done = batch([counting(0), loop, counting(1)], "--time-limit", "0.25", "--jobs", "1")
    assert [(item["exit"], item["error"] and item["error"]["code"]) for item in found] == [
        (0, None), (124, "timeout"), (0, None),
    ]  # fmt: skip
    assert (done.code, last["batch"]["counts"]["failed"]) == (10, 1)
    alone, _, done = batch([loop], "--time-limit", "0.25", out="alone")
    assert (alone[0]["exit"], done.code) == (124, 124)


def test_a_large_state_is_read_by_many(batch, tee) -> None:
    """Children read the copy of a directory with a state, which nobody writes to and which needs no lock."""
    assert tee("state", "init", "-o", "state.lmdb", "--account", "alice.near=5 NEAR").code == 0
    found, _, done = batch([counting(number, state="state.lmdb", signer="alice.near") for number in range(4)])
    assert (done.code, [item["error"] for item in found]) == (0, [None] * 4)


def test_fail_fast_and_junit(batch, tmp_path) -> None:
    items = [counting(0), {"name": "bad", "contract": "nowhere.wasm", "method": "m"}, *map(counting, range(2, 9))]
    found, last, done = batch(items, "--fail-fast", "--jobs", "1", "--junit", "results.xml")
    assert done.code == 10
    assert [item["name"] for item in found] == ["n0", "bad"]
    assert last["batch"]["counts"]["left"] == 7
    assert 'failures="1"' in (tmp_path / "results.xml").read_text()
    _, last, done = batch([*items[:1], *items[2:]], "--resume")
    assert (done.code, last["batch"]["counts"]["already"] >= 1) == (0, True)


def test_signed_when_nobody_works_any_more(batch, tee, tmp_path) -> None:
    key = tmp_path / "key"
    key.write_text(secret_key_text(SECRET))
    _, _, refused = batch([counting(0)], "--key", "key")
    assert refused.document["error"]["code"] == "exposed-key"
    key.chmod(0o600)
    found, last, done = batch([counting(0), counting(1)], "--key", "key", "--resume")
    assert done.code == 0, done.err
    public = public_key_text(public_key_of(SECRET))
    assert last["batch"]["signer"] == public
    assert tee("verify", *(item["path"] for item in found), "--signer", public).code == 0
    for path in (tmp_path / "out").rglob("*"):
        assert path.is_dir() or secret_key_text(SECRET)[8:].encode() not in path.read_bytes()


def test_other_manifests(tee, tmp_path) -> None:
    folder = tmp_path / "cases"
    folder.mkdir()
    for name in ("vm/host/host_views", "runtime/transactions/transactions-batch-empty"):
        (folder / f"{name.rpartition('/')[2]}.json").write_bytes(cases.document(name))
    done = tee("prove", "--batch", "cases", "-o", "from-cases", "--quiet")
    assert (done.code, done.out) == (0, "2 items, 2 proved\n")
    stdin = json.dumps([counting(0)]).encode()
    assert tee("prove", "--batch", "-", "-o", "from-stdin", stdin=stdin).code == 0
    example = PROJECT / "examples" / "batch.toml"
    told = tee("prove", "--batch", example, "-o", "from-example")
    assert told.code == 0, told.err
    assert told.out.startswith("proved  from-example/first.ntb")
    assert tee("verify", *sorted((tmp_path / "from-example").glob("*.ntb"))).code == 0


@pytest.mark.parametrize(
    "flags",
    [
        ("--batch", "m.json"),
        ("--batch", "m.json", "-o", "-"),
        ("--batch", "m.json", "-o", "x", "--jobs", "many"),
        ("--batch", "m.json", "-o", "x", "--time-limit", "0"),
        ("--batch", "m.json", "-o", "x", "--gas", "5 Tgas"),
        (COUNTER, "increment", "--batch", "m.json", "-o", "x"),
        (COUNTER, "increment", "-o", "x", "--jobs", "2"),
        (COUNTER, "increment", "-o", "x", "--resume"),
    ],
)
def test_lines_that_make_no_sense(tee, tmp_path, flags) -> None:
    (tmp_path / "m.json").write_text(json.dumps([counting(0)]))
    assert tee("prove", *flags).code == 2
    assert not (tmp_path / "x").exists() or not list((tmp_path / "x").glob("*.ntb"))


UNTIED = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from near_tee_cli.cli import main
main()
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_interrupted_and_gone_on_with(batch, home, tmp_path, how) -> None:
    """Whatever was finished is not done again, and no child outlives its parent."""
    items = [counting(number) for number in range(60)]
    (tmp_path / "manifest.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
    command = [sys.executable, "-c", UNTIED, "prove", "--batch", "manifest.jsonl", "-o", "out", "--json"]
    environment = {**os.environ, "NEAR_TEE_HOME": str(home), "PYTHONPATH": str(PROJECT)}
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        done = [json.loads(process.stdout.readline()) for _ in range(10)]
        process.send_signal(how)
        begun = time.monotonic()
        rest = process.stdout.read()
        code = process.wait(timeout=10)
    assert time.monotonic() - begun < 2
    assert code == {signal.SIGINT: 130}.get(how, -how)
    assert _children_of_group(process.pid) == []
    finished = {item["name"] for item in done} | {
        json.loads(line)["name"] for line in rest.splitlines() if b"name" in line
    }
    again, last, ended = batch(items, "--resume")
    assert (ended.code, last["batch"]["counts"]["failed"]) == (0, 0)
    assert finished <= {item["name"] for item in again if item["cached"]}
    assert len(list((tmp_path / "out").glob("*.ntb"))) == 60


def _children_of_group(group) -> list[str]:
    """Processes of a group that still run, after a moment."""
    until = time.monotonic() + 2
    while True:
        found = subprocess.run(
            ["ps", "-o", "pid=,stat=", "-g", str(group)], capture_output=True, text=True, check=False
        )
        alive = [line for line in found.stdout.splitlines() if " Z" not in line]
        if not alive or time.monotonic() > until:
            return alive
        time.sleep(0.05)


@pytest.mark.long
def test_the_parent_of_many_stays_small(home, tmp_path) -> None:
    """From the hundredth item to almost the thousandth it grows by less than 20 MiB."""
    with (tmp_path / "manifest.jsonl").open("w") as manifest:
        manifest.writelines(json.dumps(counting(number)) + "\n" for number in range(1000))
    command = [sys.executable, "-m", "near_tee_cli", "prove", "--batch", "manifest.jsonl", "-o", "out", "--json"]
    environment = {**os.environ, "NEAR_TEE_HOME": str(home), "PYTHONPATH": str(PROJECT)}
    sizes = []
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE) as process:
        for number, _ in enumerate(process.stdout, 1):
            if number in (100, 990):
                pages = int(pathlib.Path(f"/proc/{process.pid}/statm").read_text().split()[1])
                sizes.append(pages * os.sysconf("SC_PAGE_SIZE"))
    assert process.returncode == 0
    assert sizes[1] - sizes[0] < 20 << 20
