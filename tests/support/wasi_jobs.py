"""WASI programs in children, from a parent without an engine.

    python -m tests.support.wasi_jobs FILE INSTRUCTIONS SECONDS

The program's input is standard input. Prints one JSON object about the run, its death, or what was refused.
"""

import json
import pathlib
import sys

from near_tee_cli.cli.isolated import paths
from near_tee_cli.errors import NearTeeError
from near_tee_cli.isolate.child import Death
from near_tee_cli.worker import wasi_child
from near_tee_cli.worker.wasi_run import Limits, Recorded


def main() -> None:
    """Run one program."""
    wasi_child.MIN_SECONDS, wasi_child.STARTING_SECONDS = 1, 0  # patience is not what is tested
    limits = Limits(int(sys.argv[2]), 16, int(sys.argv[3]))
    program = pathlib.Path(sys.argv[1]).read_bytes()
    try:
        found = wasi_child.execute_in_child(
            program, stdin=sys.stdin.buffer.read(), environment=(), limits=limits, recorded=Recorded(0, bytes(32)),
            paths=paths(),
        )  # fmt: skip
    except NearTeeError as error:
        print(json.dumps({"error": type(error).__name__, "code": error.code, "message": error.message}))
        return
    assert "wasmtime" not in sys.modules
    if isinstance(found, Death):
        print(json.dumps({"death": found.code, "message": found.message}))
    else:
        print(json.dumps({"exit": found.exit, "trap": found.trap, "stdout": found.stdout.decode()}))


if __name__ == "__main__":
    main()
