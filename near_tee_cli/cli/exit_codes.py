"""Exit codes: what the number means that a command ends with. Documented in docs/exit-codes.md, repeated in JSON.

An unknown code means failure. The names are the words of the JSON envelope.
"""

from near_tee_cli.errors import (
    BadInputError,
    EvidenceError,
    HostError,
    NearTeeError,
    NotResumableError,
    StateError,
    UndecidedError,
    UsageError,
    WriteError,
)

OK = 0
"""Done; for `verify`: every claim established at the strength asked for."""
INTERNAL = 1
"""A defect of ours, or a machine that cannot run this."""
USAGE = 2
"""A flag or a combination of flags that makes no sense."""
CONTRACT_FAILED = 3
"""The contract failed: panic, trap, gas, link, compilation, missing method."""
VERIFY_FAILED = 4
"""The evidence contradicts the claim."""
VERIFY_INCONCLUSIVE = 5
"""The evidence is missing or too weak, or of a version that is not implemented."""
BAD_INPUT = 6
"""A file is unreadable, malformed, too large, of an unsupported version, or cannot be written."""
DIVERGED = 7
"""`replay` found another result than the recorded one, `diff` a difference."""
NOT_RESUMABLE = 8
"""There is no such pending yield, or no longer."""
THRESHOLD = 9
"""A measured figure is beyond its limit."""
BATCH_MIXED = 10
"""Some items of a batch failed."""
TIMEOUT = 124
"""An item of a batch took longer than it may."""
INTERRUPTED = 130
"""Ctrl-C."""
CLOSED_PIPE = 141
"""Whoever read the output stopped reading."""

WORDS = {
    OK: "ok",
    INTERNAL: "internal",
    USAGE: "usage",
    CONTRACT_FAILED: "contract-failed",
    VERIFY_FAILED: "verify-failed",
    VERIFY_INCONCLUSIVE: "verify-inconclusive",
    BAD_INPUT: "bad-input",
    DIVERGED: "diverged",
    NOT_RESUMABLE: "not-resumable",
    THRESHOLD: "threshold",
    BATCH_MIXED: "batch-mixed",
    TIMEOUT: "timeout",
    INTERRUPTED: "interrupted",
    CLOSED_PIPE: "closed-pipe",
}
"""Exit code -> its stable word."""

_BY_ERROR: tuple[tuple[type[NearTeeError], int], ...] = (
    (UsageError, USAGE),
    (BadInputError, BAD_INPUT),
    (StateError, BAD_INPUT),
    (NotResumableError, NOT_RESUMABLE),
    (EvidenceError, VERIFY_FAILED),
    (UndecidedError, VERIFY_INCONCLUSIVE),
    (WriteError, BAD_INPUT),
    (HostError, INTERNAL),
)


def of_error(error: NearTeeError) -> int:
    """The exit code of a command that `error` stopped."""
    for kind, code in _BY_ERROR:
        if isinstance(error, kind):
            return code
    return INTERNAL
