"""Batches among other people's files: what was exchanged, changed or damaged meanwhile is neither signed nor lost."""

import json
import os
import threading
import time

import pytest

from near_tee_cli.primitives.keys import ED25519, public_key_of, public_key_text, secret_key_from_seed, secret_key_text
from tests.support import cases
from tests.support.cli import PROJECT, near_tee

COUNTER = PROJECT / "examples" / "wat" / "counter.wasm"
LOOP = PROJECT / "examples" / "wat" / "loop.wasm"
SECRETS = {name: secret_key_from_seed(name, scheme=ED25519) for name in ("one", "two")}
PUBLIC = {name: public_key_text(public_key_of(secret)) for name, secret in SECRETS.items()}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def tee(home, tmp_path):
    return lambda *arguments, **more: near_tee(*arguments, **{"home": home, "cwd": tmp_path, **more})


@pytest.fixture
def batch(tee, tmp_path):
    """Proves items; (results by name, line about the batch, the command)."""

    def call(items, *flags, out="out", **more):
        (tmp_path / "manifest.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
        return told(tee("prove", "--batch", "manifest.jsonl", "-o", out, "--json", *flags, **more))

    return call


def told(done):
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert lines, done.err
    return {line["name"]: line for line in lines[:-1]}, lines[-1], done


def counting(number, **more):
    return {
        "name": f"n{number}", "contract": str(COUNTER), "method": "increment", "block_height": number + 1, **more,
    }  # fmt: skip


def codes(found):
    return {name: line["error"] and line["error"]["code"] for name, line in found.items()}


@pytest.fixture
def keys(tmp_path):
    for name, secret in SECRETS.items():
        (tmp_path / name).write_text(secret_key_text(secret))
        (tmp_path / name).chmod(0o600)


# What is signed


def documents(out):
    return {path: json.loads(path.read_text()) for path in (out / "jobs").glob("*.json")}


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("lie", ["bundle", "whole"])
def test_a_bundle_of_another_job_is_not_taken_over(batch, tee, tmp_path, lie) -> None:
    """Somebody who may write to the directory gives one job the result of another, which holds by itself."""
    first, _, _ = batch([counting(0), counting(1)])
    jobs = documents(tmp_path / "out")
    (good, _), (other, document) = sorted(jobs.items(), key=lambda pair: pair[1]["bundle"] != first["n0"]["bundle"])
    good.unlink()
    good.write_text(json.dumps({**jobs[good], "bundle": document["bundle"]} if lie == "bundle" else document))
    found, _, done = batch([counting(0), counting(1)], "--resume", "--key", "one")
    assert done.code == 0, done.err
    assert {name: line["cached"] for name, line in found.items()} == {"n0": False, "n1": True}
    for name, line in found.items():
        assert line["bundle"] == first[name]["bundle"]
        claim = tee("verify", line["path"], "--signer", PUBLIC["one"], "--json").document["result"]["claim"]
        assert claim["first_height"] == int(name[1:]) + 1
    assert other.exists()


@pytest.mark.parametrize("lie", [{"exit": "0"}, {"size": "many"}, {"exit": None}, {"error": 5}, {"seal": 5}, {"x": 1}])
def test_a_changed_job_was_never_done(batch, tmp_path, lie) -> None:
    first, _, _ = batch([counting(0)])
    ((path, document),) = documents(tmp_path / "out").items()
    path.unlink()
    path.write_text(json.dumps({**document, **lie}))
    found, _, done = batch([counting(0), counting(1)], "--resume")
    assert done.code == 0, done.out
    assert {name: line["cached"] for name, line in found.items()} == {"n0": False, "n1": False}
    assert found["n0"] == first["n0"]


def test_results_of_another_home_are_made_again(batch, tmp_path) -> None:
    batch([counting(0)])
    (tmp_path / "elsewhere").mkdir()
    found, _, done = batch([counting(0)], "--resume", home=tmp_path / "elsewhere")
    assert (done.code, found["n0"]["cached"]) == (0, False)
    assert (tmp_path / "elsewhere" / "results.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("keys")
def test_what_changes_before_the_end_is_not_signed(batch, tee, tmp_path) -> None:
    """Names are exchanged while the last item is still at work."""
    assert tee("prove", str(COUNTER), "increment", "--block-height", "77", "-o", "other.ntb").code == 0
    other = (tmp_path / "other.ntb").read_bytes()
    out = tmp_path / "out"

    def exchange() -> None:
        until = time.monotonic() + 30
        while not (out / "n0.ntb").exists() and time.monotonic() < until:
            time.sleep(0.001)
        (tmp_path / "replacement").write_bytes(other)
        os.replace(tmp_path / "replacement", out / "n0.ntb")

    thread = threading.Thread(target=exchange)
    thread.start()
    slow = {"name": "slow", "contract": str(LOOP), "method": "forever", "gas": "max"}
    batch([counting(0), slow], "--key", "one", "--jobs", "1", "--time-limit", "4")
    thread.join()
    entry = tee("verify", "out/n0.ntb", "--json").document["result"]
    assert entry["claim"]["first_height"] == 1
    assert entry["signers"] == [PUBLIC["one"]]


@pytest.mark.usefixtures("keys")
def test_signatures_stay(batch, tee, tmp_path) -> None:
    batch([counting(0), counting(1)], "--key", "one")
    signed = (tmp_path / "out" / "n0.ntb").read_bytes()
    _, last, _ = batch([counting(0), counting(1), counting(2)], "--resume")
    assert last["batch"]["counts"]["already"] == 2
    assert (tmp_path / "out" / "n0.ntb").read_bytes() == signed
    found, _, _ = batch([counting(0), counting(1)], "--resume", "--key", "two")
    paths = [line["path"] for line in found.values()]
    both = ("--signer", PUBLIC["one"], "--signer", PUBLIC["two"], "--threshold", "2")
    assert tee("verify", *paths, *both).code == 0
    assert tee("verify", "out/n2.ntb", *both).code == 5


KEYS = [
    (b"garbage", 0o600, "bad-key"),
    (b"", 0o600, "bad-key"),
    (b"garbage", 0o644, "exposed-key"),
    (None, 0, "not-found"),
]


@pytest.mark.parametrize(("content", "mode", "code"), KEYS)
def test_a_key_that_is_none_is_refused_before_the_work(batch, tmp_path, content, mode, code) -> None:
    if content is not None:
        (tmp_path / "key").write_bytes(content)
        (tmp_path / "key").chmod(mode)
    _, last, done = batch([counting(0)], "--key", "key")
    assert (done.code, last["error"]["code"]) == (6, code)
    assert not (tmp_path / "out").exists()


# What is read


def test_files_that_change_while_others_work(batch, tmp_path) -> None:
    """All items of a batch see a file as the first of them has seen it, and its job is named by just that."""
    (tmp_path / "c.wasm").write_bytes(COUNTER.read_bytes())
    slow = {"name": "slow", "contract": str(LOOP), "method": "forever", "gas": "max"}
    items = [{**counting(0), "contract": "c.wasm"}, slow, {**counting(1), "contract": "c.wasm"}]

    def exchange() -> None:
        until = time.monotonic() + 30
        while not (tmp_path / "out" / "n0.ntb").exists() and time.monotonic() < until:
            time.sleep(0.001)
        (tmp_path / "c.wasm").write_bytes(LOOP.read_bytes())

    thread = threading.Thread(target=exchange)
    thread.start()
    found, _, _ = batch(items, "--jobs", "1", "--time-limit", "4")
    thread.join()
    assert (codes(found)["n0"], codes(found)["n1"]) == (None, None)
    right, _, _ = batch([counting(1)], out="right")
    assert found["n1"]["bundle"] == right["n1"]["bundle"]
    again, _, _ = batch([items[2]], "--resume", "--time-limit", "4")
    assert again["n1"]["cached"] is False
    assert again["n1"]["bundle"] != right["n1"]["bundle"]


def test_a_state_on_disk_is_resumed_whoever_reads_it_meanwhile(batch, tee, tmp_path) -> None:
    assert tee("state", "init", "-o", "s.lmdb", "--account", "alice.near=5 NEAR").code == 0
    items = [counting(0, state="s.lmdb", signer="alice.near")]
    batch(items)
    assert tee("run", str(COUNTER), "increment", "--state", "s.lmdb", "--signer", "alice.near").code == 0
    (tmp_path / "s.lmdb" / "lock.mdb").write_bytes(os.urandom(8192))
    found, _, _ = batch(items, "--resume")
    assert found["n0"]["cached"] is True


# What is written


def test_files_of_others_stay(batch, tmp_path) -> None:
    """`--resume` in a directory that has nothing to do with batches."""
    out = tmp_path / "out"
    (out / "n1.ntb").mkdir(parents=True)
    (out / "n0.ntb").write_bytes(b"precious")
    (tmp_path / "target").write_bytes(b"precious")
    (out / "n2.ntb").symlink_to(tmp_path / "target")
    (out / "n3.ntb").symlink_to(tmp_path / "nowhere")
    found, last, done = batch([counting(number) for number in range(5)], "--resume")
    assert codes(found) == {**dict.fromkeys(("n0", "n1", "n2", "n3"), "exists"), "n4": None}
    assert (done.code, last["batch"]["counts"]["failed"]) == (10, 4)
    assert (out / "n0.ntb").read_bytes() == (tmp_path / "target").read_bytes() == b"precious"
    assert (out / "n1.ntb").is_dir()
    assert not (tmp_path / "nowhere").exists()


def test_a_name_moves_on(batch, tmp_path) -> None:
    """What a name held is replaced where the batch has it: another manifest, another bundle under the same name."""
    batch([counting(0)])
    found, _, _ = batch([{**counting(1), "name": "n0"}], "--resume")
    assert codes(found) == {"n0": None}
    assert (tmp_path / "out" / "n0.ntb").read_bytes() == (
        tmp_path / "out" / "objects" / f"{found['n0']['bundle']}.ntb"
    ).read_bytes()


def test_a_name_is_no_link_to_what_is_kept(batch, tmp_path) -> None:
    """Whoever empties a bundle under its name empties neither the object nor another item with the same content."""
    found, _, _ = batch([counting(0), {**counting(0), "name": "same"}])
    (tmp_path / "out" / "n0.ntb").write_bytes(b"")
    kept = tmp_path / "out" / "objects" / f"{found['n0']['bundle']}.ntb"
    assert kept.stat().st_mode & 0o222 == 0
    assert kept.read_bytes() == (tmp_path / "out" / "same.ntb").read_bytes() != b""


@pytest.mark.parametrize("place", ["-", "precious", "none/results.xml", "folder", "link"])
def test_junit_replaces_nothing_but_junit(batch, tmp_path, place) -> None:
    (tmp_path / "precious").write_bytes(b"<?xml version='1.0' encoding='utf-8'?>\n<testsuites><testsuite name='x'/>")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "precious")
    before = (tmp_path / "precious").read_bytes()
    _, last, done = batch([counting(0)], "--junit", place)
    assert done.code == (2 if place == "-" else 6)
    assert last["error"]["code"] in ("usage", "exists", "write-failed")
    assert (tmp_path / "precious").read_bytes() == before
    assert not (tmp_path / "out").exists()


def test_junit_beside_the_bundles(batch, tmp_path) -> None:
    for flags in ((), ("--resume",)):
        _, _, done = batch([counting(0)], "--junit", "out/results.xml", *flags)
        assert done.code == 0, done.out
    assert (tmp_path / "out" / "results.xml").read_text().count("<testcase") == 1


# What one item costs


def test_each_costs_itself(batch) -> None:
    call = {"contract": str(COUNTER), "method": "increment"}
    items = [
        {"name": "help", **call, "help": True},
        {"name": "all", "from": "step", "all": True},
        {"name": "compiler", **call, "compiler": "nope"},
        counting(0),
    ]
    found, last, done = batch(items)
    assert codes(found) == {"help": "usage", "all": "usage", "compiler": "usage", "n0": None}
    assert (done.code, last["exit"]) == (10, 10)


def test_names_of_cases(tee, tmp_path) -> None:
    folder = tmp_path / "cases"
    folder.mkdir()
    document = cases.document("vm/host/host_views")
    long = "x" * 240
    for name in (b"good", long.encode(), b"not\xffutf8", b"a b"):
        with open(os.fsencode(folder) + b"/" + name + b".json", "wb") as file:
            file.write(document)
    found, _, done = told(tee("prove", "--batch", "cases", "-o", "out", "--json", "--junit", "r.xml"))
    assert codes(found) == {"good": None, long: "bad-name", "not\ufffdutf8": "bad-name", "a b": "bad-name"}
    assert done.code == 10
