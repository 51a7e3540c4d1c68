"""`verify --emit-result`: what was established, signed for others who trust this verifier."""

import time as clock
from collections.abc import Sequence
from typing import Any

from near_tee_cli.cli import exit_codes
from near_tee_cli.cli.parameters import Given, Parameter
from near_tee_cli.errors import UsageError

_PANEL = "Results"

EMIT = (
    Parameter("emit_result", ("--emit-result",), "Write what was established as a statement of in-toto (SVR), signed;"
              " nothing when something is not established.", "FILE", panel=_PANEL),
    Parameter("result_key", ("--result-key",), "The file of the key that signs it.", "FILE", panel=_PANEL),
)  # fmt: skip
"""Options of telling a result to others."""


def require_emitting(given: Given) -> None:
    """Refuse half of what it takes, and places that cannot be written, before anything is verified.

    Raises `UsageError`, `BadInputError` and `WriteError`.
    """
    if given["emit_result"] is None and given["result_key"] is None:
        return
    if given["emit_result"] is None or given["result_key"] is None:
        raise UsageError("--emit-result and --result-key belong together", where="--emit-result")
    from near_tee_cli.cli.key_file import require_secret_key
    from near_tee_cli.cli.outputs import require_free

    require_secret_key(given["result_key"])
    require_free(given["emit_result"], force=False, key=given["result_key"])


def emit(given: Given, entries: Sequence[dict[str, Any]], *, policy: Any) -> tuple[str, ...]:
    """Write the summary of `entries`, all children being gone; warnings. Raises `BadInputError` and `WriteError`."""
    path = given["emit_result"]
    if path is None:
        return ()
    if any(entry["exit"] != exit_codes.OK for entry in entries):
        return (f"no result is written to {path}: not everything is established",)
    from near_tee_cli.cli.key_file import read_secret_key
    from near_tee_cli.proof.summary import Verified, signed_summary, summary_of
    from near_tee_cli.workspace.atomic import write_file

    files = {
        entry["path"]: Verified(
            bytes.fromhex(entry["file_digest"].removeprefix("sha256:")), frozenset(entry["strengths"])
        )
        for entry in entries
    }
    statement = summary_of(files, policies=[] if policy is None else [policy.digest], time=int(clock.time()))
    key = read_secret_key(given["result_key"])
    write_file(path, signed_summary(statement, public_key=key.public_key(), sign=key.sign_bytes), overwrite=False)
    return ()
