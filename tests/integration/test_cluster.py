"""`prove --batch --scheduler`: real schedulers and workers, safe connections, and both of them lost on the way."""

import collections
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.support.cli import PROJECT, near_tee
from tests.support.dask_cluster import Cluster, certificates

pytestmark = pytest.mark.slow
WAT = PROJECT / "examples" / "wat"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    return certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, home, tls):
    found = Cluster(tmp_path_factory.mktemp("cluster"), home=home, tls=tls)
    yield found
    found.stop()


@pytest.fixture
def tee(home, tmp_path):
    return lambda *arguments, **more: near_tee(*arguments, home=home, cwd=tmp_path, **more)


def secure(tls):
    return ("--tls-ca", tls[0], "--tls-cert", tls[0], "--tls-key", tls[1])


def lines(done):
    found = [json.loads(line) for line in done.out.splitlines()]
    return found[:-1], found[-1]


def counting(number, **more):
    return {"name": f"n{number}", "contract": "c.wasm", "method": "increment", "block_height": number + 1, **more}


def test_as_on_this_machine(cluster, tee, tls, tmp_path) -> None:
    """Every kind of file that an item may read, failures, and the same bytes as here."""
    (tmp_path / "c.wasm").write_bytes((WAT / "counter.wasm").read_bytes())
    (tmp_path / "arguments").write_text('{"a":1}')
    (tmp_path / "result").write_bytes(b"a result")
    assert tee("run", "c.wasm", "increment", "--out", "step").code == 0
    assert tee("state", "init", "-o", "state.lmdb", "--account", "alice.near=5 NEAR").code == 0
    assert tee("prove", "c.wasm", "increment", "-o", "before.ntb").code == 0
    items = [
        counting(0),
        counting(1, args_file="arguments"),
        counting(2, **{"with": "other.near=c.wasm"}, promise_result=["ok:@result", "failed"]),
        counting(3, state="state.lmdb"),
        counting(4, previous="before.ntb"),
        {"name": "step", "from": "step"},
        {"name": "missing", "contract": "nowhere.wasm", "method": "m"},
        {"name": "flag", "contract": "c.wasm", "method": "increment", "no_such_flag": 1},
    ]
    (tmp_path / "m.json").write_text(json.dumps(items))
    common = ("prove", "--batch", "m.json", "--json")
    here, _ = lines(tee(*common, "-o", "here"))
    done = tee(*common, "-o", "there", "--scheduler", cluster.address, *secure(tls))
    there, last = lines(done)
    assert (done.code, last["error"]["code"]) == (10, "batch-mixed")
    moved = [{**item, **({"path": item["path"].replace("here", "there")} if "path" in item else {})} for item in here]
    assert there == moved
    assert {item["name"]: item["exit"] for item in there if item["exit"]} == {"missing": 6, "flag": 2}
    for item in there:
        if item["exit"] == 0:
            same = (tmp_path / item["path"].replace("there", "here")).read_bytes()
            assert (tmp_path / item["path"]).read_bytes() == same
    _, last = lines(tee(*common, "-o", "there", "--resume", "--scheduler", cluster.address, *secure(tls)))
    assert last["batch"]["counts"] == {"items": 8, "proved": 0, "already": 6, "failed": 2, "left": 0}


def test_an_item_takes_no_longer_than_allowed(cluster, tee, tls, tmp_path) -> None:
    item = {"contract": str(WAT / "loop.wasm"), "method": "forever", "gas": "max"}
    (tmp_path / "m.json").write_text(json.dumps([{**item, "name": "a"}, {**item, "name": "b", "block_height": 9}]))
    flags = ("--time-limit", "0.1", "--scheduler", cluster.address, *secure(tls))
    items, last = lines(tee("prove", "--batch", "m.json", "-o", "out", "--json", *flags))
    assert [(item["exit"], item["error"]["code"]) for item in items] == [(124, "timeout")] * 2
    assert last["exit"] == 124


def test_a_store_apart(cluster, tee, tls, tmp_path) -> None:
    """Results come back from the store, and a second batch finds them there."""
    (tmp_path / "c.wasm").write_bytes((WAT / "counter.wasm").read_bytes())
    (tmp_path / "m.json").write_text(json.dumps([counting(number) for number in range(20, 24)]))
    (tmp_path / "shared").mkdir()
    for out, cached in (("one", False), ("two", True)):
        flags = ("--store", tmp_path / "shared", "--scheduler", cluster.address, *secure(tls))
        done = tee("prove", "--batch", "m.json", "-o", out, "--json", *flags)
        items, _ = lines(done)
        assert done.code == 0, done.err
        assert [item["cached"] for item in items] == [cached] * 4
        assert tee("verify", *(item["path"] for item in items)).code == 0
    # Whoever writes to the store gives one job the result of another: the workers do not believe it.
    first, second = sorted((tmp_path / "shared" / "jobs").iterdir())[:2]
    document = first.read_bytes()
    first.unlink()
    first.write_bytes(second.read_bytes())
    done = tee("prove", "--batch", "m.json", "-o", "exchanged", "--json", *flags)
    exchanged, _ = lines(done)
    assert sorted(item["cached"] for item in exchanged) == [False, True, True, True]
    assert [item["bundle"] for item in exchanged] == [item["bundle"] for item in items]
    assert first.read_bytes() == document
    # Memory is no place that two processes share: the workers say so.
    flags = ("--store", "memory://here", "--scheduler", cluster.address, *secure(tls))
    items, _ = lines(tee("prove", "--batch", "m.json", "-o", "three", "--json", *flags))
    assert {item["error"]["code"] for item in items} == {"no-store"}


def test_who_is_not_let_in(cluster, tee, tls, tmp_path) -> None:
    (tmp_path / "c.wasm").write_bytes((WAT / "counter.wasm").read_bytes())
    (tmp_path / "m.json").write_text(json.dumps([counting(0)]))
    others = certificates(tmp_path, "others")
    plain = cluster.address.replace("tls://", "tcp://")
    exposed = tmp_path / "exposed.key"
    exposed.write_bytes(tls[1].read_bytes())
    exposed.chmod(0o644)
    for flags, code, word in (
        ((plain,), 1, "no-cluster"),
        ((cluster.address, *secure(others)), 1, "no-cluster"),
        ((cluster.address, "--tls-ca", tls[0], "--tls-cert", tls[0], "--tls-key", exposed), 6, "exposed-key"),
        ((cluster.address,), 2, "usage"),
        ((cluster.address, "--tls-ca", tls[0]), 2, "usage"),
        (("tcp://192.0.2.1:8786",), 2, "usage"),
        (("tcp://scheduler.example:8786",), 2, "usage"),
        (("scheduler.example",), 2, "usage"),
        ((cluster.address, *secure(tls), "--jobs", "2"), 2, "usage"),
        ((cluster.address, *secure(tls), "--store", "nothing://x"), 2, "usage"),
    ):
        done = tee("prove", "--batch", "m.json", "-o", "out", "--json", "--scheduler", *flags)
        assert (done.code, done.document["error"]["code"]) == (code, word), flags
        assert not list(tmp_path.glob("out/*.ntb"))
    done = tee("prove", "--batch", "m.json", "-o", "out", "--store", "x")
    assert done.code == 2


def test_a_lost_worker_and_a_lost_scheduler(home, tls, tmp_path) -> None:
    """Nothing that was finished is lost, and nothing of it is done twice."""
    count = 40
    (tmp_path / "loop.wasm").write_bytes((WAT / "loop.wasm").read_bytes())
    item = {"contract": "loop.wasm", "method": "forever", "gas": "300 Tgas"}
    items = [{**item, "name": f"n{number}", "block_height": number + 1} for number in range(count)]
    (tmp_path / "m.json").write_text(json.dumps(items))
    executed = []
    for attempt in ("first", "second"):
        (tmp_path / attempt).mkdir()
        cluster = Cluster(tmp_path / attempt, home=home, tls=tls)
        try:
            process = proving(cluster, home, tls, tmp_path, resume=attempt == "second")
            if attempt == "first":
                finished(tmp_path, 5, process)
                os.killpg(cluster.workers[0].pid, signal.SIGKILL)
                finished(tmp_path, 12, process)
                cluster.scheduler.send_signal(signal.SIGKILL)
            out, err = process.communicate(timeout=120)
            if attempt == "first":
                # The worker that is left notices by itself, and ends with everything that it has begun.
                cluster.workers[1].wait(timeout=60)
            executed += cluster.executed()
        finally:
            cluster.stop()
        last = json.loads(out.splitlines()[-1])
        if attempt == "first":
            assert (process.returncode, last["error"]["code"]) == (1, "cluster-lost"), err
            assert "--resume" in last["error"]["hint"]
            kept = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out" / "jobs").glob("*.json")}
            assert 12 <= len(kept) < count
        else:
            assert (process.returncode, last["error"]) == (0, None), err
            assert last["batch"]["counts"]["already"] >= len(kept)
    jobs = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out" / "jobs").glob("*.json")}
    assert len(jobs) == count
    assert {name: jobs[name] for name in kept} == kept
    assert collections.Counter(executed) == dict.fromkeys((name.removesuffix(".json") for name in jobs), 1)
    assert len(list((tmp_path / "out").glob("*.ntb"))) == count


def proving(cluster, home, tls, directory, *, resume):
    words = ["prove", "--batch", "m.json", "-o", "out", "--json", "--scheduler", cluster.address, *secure(tls)]
    return subprocess.Popen(
        [sys.executable, "-m", "near_tee_cli", *map(str, words), *(["--resume"] if resume else [])],
        cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
        env={**os.environ, "NEAR_TEE_HOME": str(home), "PYTHONPATH": str(PROJECT)},
    )  # fmt: skip


def finished(directory, count, process):
    """Wait until so many jobs are."""
    until = time.monotonic() + 60
    while len(list((directory / "out" / "jobs").glob("*.json"))) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.01)
