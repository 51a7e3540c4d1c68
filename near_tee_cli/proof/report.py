"""The result of a verification: every check with what became of it, the verdict, and what has been established.

A check passed, failed, or was not made, and then it says why. Three verdicts: *established* when all that was asked
for holds, *contradicted* when a check failed, *inconclusive* when something that was asked for could not be told.
"""

from enum import Enum
from typing import Any, NamedTuple

from near_tee_cli.attest.status import Status
from near_tee_cli.proof.claim import Claim


class Verdict(Enum):
    """What a verification came to."""

    ESTABLISHED = "established"
    CONTRADICTED = "contradicted"
    INCONCLUSIVE = "inconclusive"


class Strength(Enum):
    """What can be established about a claim. A set, not a ladder: none implies another."""

    CONSISTENT = "consistent"
    """Values before are in the root before, changes lead to the root after, outcomes and gas add up."""
    SIGNED = "signed"
    """A key that the verifier named vouches for the claim."""
    ATTESTED = "attested"
    """A key that lives in an accepted execution environment signed the claim."""
    RE_EXECUTED = "re-executed"
    """Executing again gave the same."""


class CheckResult(NamedTuple):
    """One check of the list, by its number and name."""

    number: int
    name: str
    status: Status
    detail: str
    """What was looked at, what was wrong, or why the check was not made."""
    code: str | None
    """The stable word for a failure or for why nothing could be told; `None` otherwise."""


class Report(NamedTuple):
    """A verification from its first check to its verdict."""

    file_digest: bytes
    """SHA-256 of the bundle's bytes."""
    claim: Claim | None
    """What was claimed, `None` when that could not even be read. Believe it only as far as `strengths` go."""
    checks: tuple[CheckResult, ...]
    strengths: frozenset[Strength]
    """What has been established."""
    required: frozenset[Strength]
    """What was asked for."""
    verdict: Verdict
    code: str | None
    """The stable word of what decided against the claim; `None` when it is established."""
    message: str
    """One sentence."""
    malformed: bool
    """Whether the file itself cannot be read as a bundle: an error of the input, not evidence."""
    signers: tuple[bytes, ...] = ()
    """Public keys (Borsh) whose signatures hold, trusted or not."""
    evidence: Any = None
    """The piece of evidence that decided, an `attestation.EvidenceFound`; `None` without one."""
    unconstrained: tuple[str, ...] = ()
    """What nobody expected anything of: names of `expectations.Expectations`."""
    established: "VerifiedClaim | None" = None
    """The claim for further use, where it is established."""


class VerifiedClaim:
    """A claim with what has been established about it. Only verifying makes one, and nothing changes it."""

    __slots__ = ("claim", "claim_digest", "file_digest", "strengths")

    claim: Claim
    claim_digest: bytes
    file_digest: bytes
    """SHA-256 of the bundle that was verified."""
    strengths: frozenset[Strength]

    def __init__(self) -> None:
        raise TypeError("only verifying makes a verified claim")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, VerifiedClaim) and self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash(self._fields())

    def _fields(self) -> tuple[object, ...]:
        return self.claim, self.claim_digest, self.file_digest, self.strengths

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{name} of a verified claim stays what it is")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{name} of a verified claim stays where it is")
