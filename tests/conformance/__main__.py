"""`python -m tests.conformance DIRECTORY`: how many cases agree, are refused by name, differ, or are malformed.

The cases go through the public `near-tee replay`, in as many processes as the machine has processors, with both
compilers. Every one has to agree.
"""

import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
from collections import Counter

CHUNK = 25
COMPILERS = ("winch", "cranelift")


def replayed(paths: list[pathlib.Path], compiler: str) -> list[dict]:
    """The results of some cases, from one process."""
    command = [sys.executable, "-m", "near_tee_cli", "replay", "--json", "--compiler", compiler, *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return json.loads(done.stdout)["result"]["cases"]
    except (ValueError, KeyError, TypeError):
        raise SystemExit(f"near-tee replay ended with {done.returncode}: {done.stderr}") from None


def run(directory: pathlib.Path, compiler: str) -> list[str]:
    """Replay everything under `directory`, print the counts, and give what is wrong."""
    paths = sorted(path for path in directory.rglob("*.json"))
    chunks = [paths[at : at + CHUNK] for at in range(0, len(paths), CHUNK)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = [entry for chunk in pool.map(lambda chunk: replayed(chunk, compiler), chunks) for entry in chunk]
    counts = Counter(entry["verdict"] for entry in results)
    refused = Counter(entry["refused"]["code"] for entry in results if entry["verdict"] == "refused")
    print(
        f"{compiler}: " + ", ".join(f"{counts[word]} {word}" for word in ("agrees", "refused", "differs", "malformed"))
    )
    for code, count in sorted(refused.items()):
        print(f"  {count} {code}")
    return [f"{compiler}: {entry['path']} {entry['verdict']}" for entry in results if entry["verdict"] != "agrees"]


def main() -> None:
    directory = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/vectors")
    if not directory.is_dir():
        print(f"{directory} is not here, so there is nothing to replay beyond what `make test` does")
        print("0 passed, 0 failed")
        return
    import platform

    compilers = COMPILERS if platform.machine() in ("x86_64", "AMD64") else COMPILERS[1:]
    wrong = [line for compiler in compilers for line in run(directory, compiler)]
    for line in wrong:
        print(line)
    if wrong:
        sys.exit(1)


main()
