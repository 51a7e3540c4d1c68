"""Times and memory of whole commands: what a user waits for, over what the bare interpreter takes."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

PROJECT = pathlib.Path(__file__).resolve().parents[2]
COMMAND = pathlib.Path(sys.executable).with_name("near-tee")
RUNS = 25


def environment(home: pathlib.Path) -> dict[str, str]:
    """The user's environment with a home of its own, and with byte code kept, as an installed program has it."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "NEAR_TEE_HOME": str(home)}


def _best(command: list[str], env: dict[str, str], *, runs: int = RUNS) -> float:
    best = float("inf")
    for _ in range(runs):
        begun = time.perf_counter()
        subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        best = min(best, time.perf_counter() - begun)
    return best


WARM_RUN = [
    "run", "examples/contracts/status-message/status_message.wasm", "new", "--json",
]  # fmt: skip


def startup() -> dict[str, float]:
    """Seconds of each command, under its own name; "python -c pass" is what they are compared with."""
    os.chdir(PROJECT)
    with tempfile.TemporaryDirectory() as home:
        env = environment(pathlib.Path(home))
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "near-tee --version": [str(COMMAND), "--version"],
            "near-tee --help": [str(COMMAND), "--help"],
            "near-tee run --help": [str(COMMAND), "run", "--help"],
            "near-tee run --json (warm)": [str(COMMAND), *WARM_RUN],
        }
        for command in commands.values():
            subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)
        return {name: _best(command, env) for name, command in commands.items()}


def peak_memory(arguments: list[str]) -> float:
    """MiB that a command took at most, its code cached by a first run."""
    os.chdir(PROJECT)
    with tempfile.TemporaryDirectory() as home:
        env = environment(pathlib.Path(home))
        script = (
            "import resource, subprocess, sys;"
            "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL);"
            "subprocess.run(['rm', '-rf', *[a for a in sys.argv if a.endswith('.ntb')]]);"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
        )
        command = [sys.executable, "-c", script, str(COMMAND), *arguments]
        subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)
        printed = subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout
        size = int(printed)
        return size / 1024 if sys.platform != "darwin" else size / 1024 / 1024


def snapshot_of(records: int) -> bytes:
    """A JSON snapshot with so many records, made by a fixed rule."""
    from base64 import b64encode
    from hashlib import sha256

    rows = []
    for number in range(records // 2):
        name = f"account-{number}.near"
        account = {"amount": str(10**24), "locked": "0", "code_hash": "1" * 32, "storage_usage": 200, "version": "V1"}
        rows.append({"Account": {"account_id": name, "account": account}})
        key, value = sha256(b"%d" % number).digest(), sha256(b"v%d" % number).digest() * 3
        data = {"account_id": "token.near", "data_key": b64encode(key).decode(), "value": b64encode(value).decode()}
        rows.append({"Data": data})
    return json.dumps({"records": rows}).encode()
