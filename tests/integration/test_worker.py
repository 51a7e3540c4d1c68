"""`near-tee worker`: jobs as they come, signed by a key of the process that executes nothing, restarted and stopped."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from near_tee_cli.attest.simulator_server import SimulatedAgent
from near_tee_cli.primitives.keys import ED25519, public_key_of, public_key_text, secret_key_from_seed, secret_key_text
from near_tee_cli.proof.bundle import decode_bundle
from tests.reject import attested as reject
from tests.support.attested import GUEST, NOW
from tests.support.cli import PROJECT, near_tee

WAT = PROJECT / "examples" / "wat"
COUNTER = str(WAT / "counter.wasm")
SECRET = secret_key_from_seed("worker", scheme=ED25519)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def tee(home, tmp_path):
    return lambda *arguments, **more: near_tee(*arguments, home=home, cwd=tmp_path, **more)


@pytest.fixture
def agent(tmp_path):
    (tmp_path / "collateral.json").write_bytes(GUEST.pki.collateral())
    (tmp_path / "policy.toml").write_bytes(reject.policy(of=GUEST))
    with SimulatedAgent(GUEST, str(tmp_path / "agent.sock")):
        yield ("--attest", "--agent", tmp_path / "agent.sock", "--collateral", "collateral.json")


def job(number, **more):
    return {"name": f"n{number}", "contract": COUNTER, "method": "increment", "block_height": number + 1, **more}


def lines(*jobs):
    return "".join(json.dumps(one) + "\n" for one in jobs).encode()


def results(done):
    return [json.loads(line) for line in done.out.splitlines() if line.startswith("{")]


def worked(tee, stdin, *flags, out="out"):
    done = tee("worker", "-o", out, "--json", *flags, stdin=stdin)
    *found, last = results(done)
    return {one["name"]: one for one in found}, last, done


def test_attested_jobs_that_anybody_verifies(tee, agent) -> None:
    found, last, done = worked(tee, lines(*map(job, range(3))), *agent)
    assert (done.code, last["result"]["counts"]) == (0, {"proved": 3, "already": 0, "failed": 0}), done.err
    paths = [one["path"] for one in found.values()]
    common = ("verify", *paths, "--policy", "policy.toml", "--time", str(NOW), "--json")
    verified = tee(*common, "--require", "re-executed", "--allow-dev-evidence")
    assert verified.code == 0, verified.err
    for entry in verified.document["result"]["bundles"]:
        assert entry["strengths"] == ["attested", "consistent", "re-executed"]
        assert entry["signers"] == [last["result"]["signer"]]
    assert tee(*common).document["error"]["code"] == "evidence-simulated"
    assert "NOT INTEL" in done.err


def test_one_bad_job_never_stops_it(tee, tmp_path, agent) -> None:
    loop = {"name": "loop", "contract": str(WAT / "loop.wasm"), "method": "forever", "gas": "max"}
    bad = b'{"name":"open\n[1]\nnonsense\n{}\n{"name":"../x","contract":"a","method":"b"}\n' + lines(
        {"name": "absent", "contract": "absent.wasm", "method": "m"},
        {"name": "flag", "contract": COUNTER, "method": "increment", "no_such": 1},
        loop,
    )
    stdin = lines(job(0)) + bad + b"x" * (2 << 20) + b"\n" + lines(job(1))
    found, last, done = worked(tee, stdin, *agent, "--time-limit", "0.5", "--jobs", "2")
    assert done.code == 0, done.err
    assert {found["n0"]["exit"], found["n1"]["exit"]} == {0}
    codes = {name: one["error"]["code"] for name, one in found.items() if one["exit"]}
    assert codes == {
        "line-2": "bad-manifest", "line-3": "bad-manifest", "line-4": "bad-manifest", "line-5": "usage",
        "line-6": "bad-manifest", "absent": "not-found", "flag": "usage", "loop": "timeout", "line-10": "too-large",
    }  # fmt: skip
    assert last["result"]["counts"] == {"proved": 2, "already": 0, "failed": len(codes)}


def test_restarted_it_does_nothing_twice(tee, tmp_path, agent) -> None:
    first, _, _ = worked(tee, lines(*map(job, range(4))), *agent)
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").glob("*.ntb")}
    again, last, _ = worked(tee, lines(*map(job, range(5))), *agent)
    assert last["result"]["counts"] == {"proved": 1, "already": 4, "failed": 0}
    assert [again[name]["cached"] for name in sorted(again)] == [True] * 4 + [False]
    assert {name: (tmp_path / "out" / name).read_bytes() for name in before} == before
    assert {one["bundle"] for one in first.values()} <= {one["bundle"] for one in again.values()}


def test_jobs_from_a_directory(tee, tmp_path) -> None:
    folder = tmp_path / "jobs"
    folder.mkdir()
    (folder / "counter.wasm").write_bytes((WAT / "counter.wasm").read_bytes())
    for number in range(3):
        one = {"contract": "counter.wasm", "method": "increment", "block_height": number + 1}
        (folder / f"j{number}.json").write_text(json.dumps(one))
    (folder / "broken.json").write_text("{")
    found, last, done = worked(tee, b"", "--jobs-from", "jobs", "--once")
    assert done.code == 0, done.err
    assert sorted(found) == ["broken", "j0", "j1", "j2"]
    assert last["result"] == {"directory": "out", "signer": None, "counts": {"proved": 3, "already": 0, "failed": 1}}
    assert tee("verify", *(found[name]["path"] for name in ("j0", "j1", "j2"))).code == 0


def test_a_file_that_changes_between_two_jobs(tee, tmp_path) -> None:
    """A worker lives long: each job reads what is there when it begins."""
    process = start(tee, tmp_path)
    path = tmp_path / "c.wasm"
    path.write_bytes((WAT / "counter.wasm").read_bytes())
    one = {"contract": "c.wasm", "method": "increment"}
    process.stdin.write(lines({**one, "name": "a"}))
    process.stdin.flush()
    first = json.loads(process.stdout.readline())
    path.write_bytes((WAT / "panic.wasm").read_bytes())
    process.stdin.write(lines({**one, "name": "b"}))
    process.stdin.close()
    second = json.loads(process.stdout.readline())
    process.wait(20)
    process.stdout.close()
    process.stderr.close()
    assert first["exit"] == second["exit"] == 0
    assert first["pre_root"] != second["pre_root"]


def start(tee, tmp_path, *flags):
    environment = {**os.environ, "NEAR_TEE_HOME": str(tmp_path / "home"), "PYTHONPATH": str(PROJECT)}
    command = [sys.executable, "-m", "near_tee_cli", "worker", "-o", "out", "--json", *map(str, flags)]
    return subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_finishes_what_it_is_at(tee, tmp_path, number) -> None:
    process = start(tee, tmp_path, "--jobs", "1", "--health", "0.2")
    loops = [
        {"name": f"l{at}", "contract": str(WAT / "loop.wasm"), "method": "forever", "block_height": at + 1}
        for at in range(50)
    ]
    process.stdin.write(lines(*loops))
    process.stdin.flush()
    assert json.loads(process.stdout.readline())["exit"] == 0
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    *found, last = [json.loads(line) for line in out.splitlines()]
    assert process.returncode == 0, err
    assert 1 + len(found) == last["result"]["counts"]["proved"] < 50
    events = [json.loads(line)["near-tee"] for line in err.splitlines() if line.startswith(b"{")]
    assert events[0] == "ready"
    assert "health" in events


def test_a_killed_worker_leaves_nobody_behind(tee, tmp_path) -> None:
    process = start(tee, tmp_path, "--jobs", "1")
    process.stdin.write(lines({"name": "l", "contract": str(WAT / "loop.wasm"), "method": "forever", "gas": "max"}))
    process.stdin.flush()
    until = time.monotonic() + 20
    while len(family(process.pid)) < 2 and time.monotonic() < until:
        time.sleep(0.02)
    members = family(process.pid)
    assert len(members) >= 2
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()
    process.stderr.close()
    while any(map(alive, members)) and time.monotonic() < until:
        time.sleep(0.02)
    assert not any(map(alive, members))


def family(pid):
    """All descendants of a process."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                    parents[int(name)] = int(file.read().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found, size = {pid}, 0
    while len(found) > size:
        size = len(found)
        found |= {child for child, parent in parents.items() if parent in found}
    return found - {pid}


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


LIES = (
    {"key": "k.json"},
    {"sign_with": "k.json"},
    {"signer_key": "k.json", "as_transaction": True},
    {"attest": True},
    {"agent": "agent.sock", "attest": True},
    {"challenge": "00"},
    {"anchor": "5:" + "1" * 32},
    {"out": "elsewhere.ntb"},
    {"batch": "m.json"},
    {"scheduler": "tcp://127.0.0.1:1"},
    {"collateral": "c.json"},
    {"attest_key": "kms"},
    {"quote_per_claim": True},
    {"from": "out"},
    {"case": "absent.json"},
    {"state_out": "s.json"},
    {"in_place": True},
    {"previous": "agent.sock"},
    {"state": "agent.sock"},
    {"args_file": "agent.sock"},
    {"contract": "agent.sock"},
    {"claim_digest": "1" * 32},
    {"environment": {"mode": "hardware"}},
)


def test_no_field_of_a_job_has_anything_false_signed(tee, tmp_path, agent) -> None:
    """Whatever a job asks: what gets signed is established, by a verifier of its own, or nothing is."""
    (tmp_path / "k.json").write_text(secret_key_text(SECRET))
    (tmp_path / "k.json").chmod(0o600)
    jobs = [{**job(at), **more} for at, more in enumerate(LIES)]
    found, _, done = worked(tee, lines(*jobs), *agent)
    assert done.code == 0, done.err
    assert [name for name, one in found.items() if one["exit"] == 0] == []
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["jobs", "objects"]
    # Fields of the claim itself may be said freely: they say what is asked for, never what came of it.
    free = {"audience": "v.near", "worker": "w.near", "sequence": 7, "detach_code": True, "key_paths": True}
    found, _, done = worked(tee, lines({**job(0), **free}), *agent)
    path = found["n0"]["path"]
    verified = tee(
        "verify", path, "--policy", "policy.toml", "--time", str(NOW), "--require", "re-executed", "--code", COUNTER,
        "--allow-dev-evidence", "--json",
    )  # fmt: skip
    assert verified.code == 0, verified.err
    claim = decode_bundle((tmp_path / path).read_bytes()).claim
    assert (claim.audience, claim.worker, claim.sequence) == ("v.near", "w.near", 7)


def test_a_key_of_a_file_signs_without_an_environment(tee, tmp_path) -> None:
    (tmp_path / "k").write_text(secret_key_text(SECRET))
    (tmp_path / "k").chmod(0o600)
    found, last, done = worked(tee, lines(job(0)), "--key", "k")
    assert done.code == 0, done.err
    public = public_key_text(public_key_of(SECRET))
    assert last["result"]["signer"] == public
    verified = tee("verify", found["n0"]["path"], "--signer", public, "--json")
    assert (verified.code, verified.document["result"]["evidence"]) == (0, None)


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        ((), 2),
        (("-o", "x", "--once"), 2),
        (("-o", "x", "--jobs-from", "absent"), 2),
        (("-o", "x", "--agent", "a.sock"), 2),
        (("-o", "x", "--attest", "--key", "k"), 2),
        (("-o", "x", "--attest", "--attest-key", "other"), 2),
        (("-o", "x", "--attest", "--agent", "absent.sock"), 1),
        (("-o", "x", "--key", "absent"), 6),
    ],
)
def test_lines_that_make_no_sense(tee, flags, code) -> None:
    assert tee("worker", *flags).code == code
