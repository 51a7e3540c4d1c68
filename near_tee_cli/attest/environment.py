"""What a key that lives in a measured environment says of it in everything that it signs.

    "environment": {"mode": "hardware" | "simulated", "evidence": "sha256:<64 digits>"}

It stands inside the signed statement, so that nobody can pass off a simulation as hardware later, and names the
evidence by the hash of what the quoting enclave signed, so that nobody can put other evidence beside the signature.
"""

from typing import Any, NamedTuple

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives import canonical_json as cj

MEMBER = "environment"
HARDWARE, SIMULATED = "hardware", "simulated"

_PREFIX = "sha256:"


class Environment(NamedTuple):
    """Where a key lives."""

    mode: str
    """`HARDWARE` or `SIMULATED`."""
    evidence: bytes
    """Identity of the quote that binds the key, 32 bytes: see `Quote.identity`."""


def environment_document(environment: Environment) -> dict[str, str]:
    """The member of a predicate."""
    return {"mode": environment.mode, "evidence": _PREFIX + environment.evidence.hex()}


def environment_in(payload: bytes) -> Environment | None:
    """The environment that a statement names, if any. Raises `BadInputError` for what is no statement."""
    document = cj.mapping(cj.loads(payload, "the statement"), "the statement")
    predicate: Any = document.get("predicate")
    if not isinstance(predicate, dict) or MEMBER not in predicate:
        return None
    told = cj.members(predicate[MEMBER], MEMBER, required=("mode", "evidence"))
    mode, evidence = (cj.string(told[name], name) for name in ("mode", "evidence"))
    digits = evidence.removeprefix(_PREFIX)
    if mode not in (HARDWARE, SIMULATED) or len(digits) != 64 or not set(digits) <= set("0123456789abcdef"):
        raise BadInputError("an environment has a mode and names its evidence by a hash", code="bad-statement")
    return Environment(mode, bytes.fromhex(digits))
