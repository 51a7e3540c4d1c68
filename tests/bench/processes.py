"""Times and memory of whole commands: what a user waits for, over what the bare interpreter takes."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from hashlib import sha256

PROJECT = pathlib.Path(__file__).resolve().parents[2]
COMMAND = pathlib.Path(sys.executable).with_name("near-tee")
RUNS = 25
STATUS = "examples/contracts/status-message/status_message.wasm"
YIELD = "examples/wat/yield.wasm"
WARM_RUN = ["run", STATUS, "new", "--json"]

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
    best = float("inf")
    for _ in range(RUNS):
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
        best = min(best, time.perf_counter() - begun)
    return best


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
