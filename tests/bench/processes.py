"""Times and memory of whole commands: what a user waits for, over what the bare interpreter takes."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from hashlib import sha256
from typing import NamedTuple

PROJECT = pathlib.Path(__file__).resolve().parents[2]
COMMAND = pathlib.Path(sys.executable).with_name("near-tee")
RUNS = 25
BATCH_RUNS = 2
STATUS = "examples/contracts/status-message/status_message.wasm"
YIELD = "examples/wat/yield.wasm"
INCREMENT = {"contract": str(PROJECT / "examples/wat/counter.wasm"), "method": "increment"}
STATUS_CALL = [STATUS, "new"]
WARM_RUN = ["run", *STATUS_CALL, "--json"]

_PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def _environment(home: str) -> dict[str, str]:
    """The user's environment with a home of its own, and with byte code kept, as an installed program has it."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "NEAR_TEE_HOME": home}


def _best(command: list[str], environment: dict[str, str]) -> float:
    return min(_seconds(command, environment) for _ in range(RUNS))


def _seconds(command: list[str], environment: dict[str, str]) -> float:
    begun = time.perf_counter()
    subprocess.run(
        command,
        env=environment,
        cwd=PROJECT,
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return time.perf_counter() - begun


def startup() -> dict[str, float]:
    """Seconds of each command by name; `python -c pass` is what the others are compared with."""
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "near-tee --version": [str(COMMAND), "--version"],
        "near-tee --help": [str(COMMAND), "--help"],
        "near-tee run --help": [str(COMMAND), "run", "--help"],
        "near-tee run --json (warm)": [str(COMMAND), *WARM_RUN],
    }
    with tempfile.TemporaryDirectory() as home:
        environment = _environment(home)
        for command in commands.values():
            subprocess.run(command, env=environment, cwd=PROJECT, check=True, stdout=subprocess.DEVNULL)
        return {name: _best(command, environment) for name, command in commands.items()}


def resumes() -> tuple[float, float]:
    """Seconds of going on from a yield with data, and by its timeout."""
    with tempfile.TemporaryDirectory() as home:
        environment = _environment(home)
        asked = ["yield", YIELD, "ask", "--out", f"{home}/asked"]
        subprocess.run([COMMAND, *asked], env=environment, cwd=PROJECT, check=True, stdout=subprocess.DEVNULL)
        # Without a place a step is named by its content: every run after the first finds it there already.
        resume = [str(COMMAND), "resume", f"{home}/asked", "--json"]
        return _best([*resume, "--data", "x"], environment), _best([*resume, "--timeout"], environment)


def proofs(call: list[str]) -> tuple[float, float, float]:
    """Seconds of running a call, of proving it, and of verifying the bundle, in turn; all of it compiled before."""
    with tempfile.TemporaryDirectory() as home:
        environment = _environment(home)
        bundle = f"{home}/call.ntb"
        commands = [
            [str(COMMAND), "run", *call, "--json"],
            [str(COMMAND), "prove", *call, "-o", bundle, "--force", "--json"],
            [str(COMMAND), "verify", bundle, "--json"],
        ]
        rounds = [[_seconds(command, environment) for command in commands] for _ in range(RUNS + 1)]
        run, prove, verify = map(min, zip(*rounds[1:], strict=True))
        return run, prove, verify


class BatchTime(NamedTuple):
    """Seconds of proving many items, and MiB by which the parent grew meanwhile; `None` without /proc."""

    seconds: float
    grown: float | None


def batches(count: int, *hands: int) -> list[BatchTime]:
    """Proving so many small calls, once for each number of children at once; the code is compiled before."""
    with tempfile.TemporaryDirectory() as home:
        items = [{"name": f"n{number}", "block_height": number + 1, **INCREMENT} for number in range(count)]
        manifest = pathlib.Path(home, "manifest.jsonl")
        manifest.write_text("".join(json.dumps(item) + "\n" for item in items), encoding="utf-8")
        environment = _environment(home)
        warm = [str(COMMAND), "run", INCREMENT["contract"], INCREMENT["method"]]
        subprocess.run(warm, env=environment, cwd=PROJECT, check=True, stdout=subprocess.DEVNULL)
        rounds = [[_batch(manifest, count, jobs, environment) for jobs in hands] for _ in range(BATCH_RUNS)]
        return [min(found, key=lambda one: one.seconds) for found in zip(*rounds, strict=True)]


def _batch(manifest: pathlib.Path, count: int, jobs: int, environment: dict[str, str]) -> BatchTime:
    """One batch, its parent measured at a tenth of the items and just before the last."""
    out = manifest.with_name(f"out-{jobs}")
    command = [COMMAND, "prove", "--batch", manifest, "-o", out, "--jobs", str(jobs), "--json"]
    measured = (count // 10, count - count // 100)
    begun = time.perf_counter()
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
        sizes = [_resident(process.pid) for number, _ in enumerate(process.stdout, 1) if number in measured]
    seconds = time.perf_counter() - begun
    if process.returncode != 0:
        raise SystemExit(f"a batch ended with {process.returncode}")
    shutil.rmtree(out)
    first, last = sizes
    return BatchTime(seconds, None if first is None or last is None else last - first)


def _resident(process_id: int) -> float | None:
    """MiB of memory that a process has now; `None` without /proc."""
    statistics = pathlib.Path(f"/proc/{process_id}/statm")
    if not statistics.is_file():
        return None
    return int(statistics.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def calls_on_directories(*counts: int) -> list[float]:
    """Seconds of a call on a state directory with so many records each."""
    found = []
    with tempfile.TemporaryDirectory() as home:
        environment = _environment(home)
        for count in counts:
            path = f"{home}/{count}"
            pathlib.Path(f"{path}.json").write_bytes(snapshot_of(count))
            convert = [COMMAND, "state", "convert", f"{path}.json", f"{path}.lmdb"]
            subprocess.run(convert, env=environment, cwd=PROJECT, check=True, stdout=subprocess.DEVNULL)
            call = [str(COMMAND), *WARM_RUN, "--state", f"{path}.lmdb"]
            found.append(_best(call, environment))
    return found


def peak_memory(arguments: list[str]) -> float:
    """MiB that a command took at most; its code is cached by a first run. `OUT` stands for a file to write."""
    with tempfile.TemporaryDirectory() as home:
        environment = _environment(home)
        sizes = []
        for number in range(2):
            own = [word.replace("OUT", f"{home}/{number}.ntb") for word in arguments]
            command = [sys.executable, "-c", _PEAK, str(COMMAND), *own]
            done = subprocess.run(command, env=environment, cwd=PROJECT, check=True, capture_output=True, text=True)
            sizes.append(int(done.stdout) / (1024 if sys.platform != "darwin" else 1024 * 1024))
        return sizes[1]


def snapshot_of(records: int) -> bytes:
    """A JSON snapshot with so many records (half accounts, half contract data), made by a fixed rule."""
    rows: list[object] = []
    for number in range(records // 2):
        account = {"amount": str(10**24), "locked": "0", "code_hash": "1" * 32, "storage_usage": 200, "version": "V1"}
        rows.append({"Account": {"account_id": f"account-{number}.near", "account": account}})
        key, value = sha256(b"k%d" % number).digest(), sha256(b"v%d" % number).digest() * 3
        content = {"data_key": b64encode(key).decode(), "value": b64encode(value).decode()}
        rows.append({"Data": {"account_id": "token.near", **content}})
    return json.dumps({**json.loads(_EMPTY_SNAPSHOT), "records": rows}).encode()


_EMPTY_SNAPSHOT = """{
"schema": "near-tee/snapshot/v1", "protocol_version": 86, "chain_id": "localnet", "validators": {}, "records": [],
"raw": [], "receipts": [], "block": null, "bandwidth_requests": [], "state_root": null,
"congestion_info": {"allowed_shard": 0, "buffered_receipts_gas": "0", "delayed_receipts_gas": "0", "receipt_bytes": 0}
}"""
