"""The command line in this process or in one of its own, with what it printed."""

import json
import os
import pathlib
import subprocess
import sys
from typing import Any, NamedTuple

PROJECT = pathlib.Path(__file__).resolve().parents[2]


class Finished(NamedTuple):
    """A command that ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout."""
        return json.loads(self.out)


def near_tee(
    *arguments: object, home: pathlib.Path, cwd: pathlib.Path = PROJECT, stdin: bytes = b"", **env: str
) -> Finished:
    """`near-tee` as its own process with a home of its own."""
    environment = {**os.environ, "NEAR_TEE_HOME": str(home), **env}
    for name in ("NO_COLOR", "FORCE_COLOR"):
        if name not in env:
            environment.pop(name, None)
    command = [sys.executable, "-m", "near_tee_cli", *map(str, arguments)]
    done = subprocess.run(command, input=stdin, capture_output=True, cwd=cwd, env=environment, check=False)
    return Finished(done.returncode, done.stdout.decode(), done.stderr.decode())
