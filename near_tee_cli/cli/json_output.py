"""The one JSON document that `--json` prints, on success and on failure alike.

The envelope is ours; inside `result` outcomes, receipts and status keep the field names of NEAR's RPC. The
document is pure ASCII, so that it is harmless on a terminal too. Its shape is documented in docs/json.md.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from near_tee_cli import __version__


def document(
    command: str,
    exit_code: int,
    *,
    result: Mapping[str, Any] | None = None,
    error: Mapping[str, Any] | None = None,
    warnings: Sequence[str] = (),
    engine: Mapping[str, Any] | None = None,
) -> str:
    """The envelope around `result` or `error`, as text. `exit_code` is the number the process ends with."""
    envelope = {
        "schema": f"near-tee/{command.replace(' ', '-') or 'none'}/v1",
        "ok": exit_code == 0,
        "exit": exit_code,
        "command": command,
        "result": result,
        "error": error,
        "warnings": list(warnings),
        "engine": {"version": __version__, **(engine or {})},
    }
    return json.dumps(envelope)
