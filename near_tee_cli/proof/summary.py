"""A verification told to others: a Simple Verification Result of in-toto, signed by whoever verified.

It says which files were verified, by which policy, when, and what was established: never more than all of the files
have. Whoever relies on it trusts the verifier's key and clock instead of verifying again.

Mirrors in-toto: spec/predicates/svr.md (version 0.2)
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from near_tee_cli.attest.dsse import Sign, encode_envelope, signed_envelope
from near_tee_cli.attest.statement import Statement, encode_statement

PREDICATE_TYPE = "https://in-toto.io/attestation/svr/v0.2"
VERIFIER = "urn:near-tee:verifier:v1"
"""Which checks were made: a later version of the list has another name."""

_PREFIX = "NEAR_TEE_"


class Verified(NamedTuple):
    """An established file."""

    digest: bytes
    """SHA-256 of its bytes."""
    strengths: frozenset[str]
    """What was established, in words: see `report.Strength`."""


def summary_of(files: Mapping[str, Verified], *, policies: Sequence[bytes], time: int) -> Statement:
    """The summary of established files by their names, judged by policy files with these SHA-256.

    `time` (Unix seconds) is the verifier's own. Raises `ValueError` for no files.
    """
    if not files:
        raise ValueError("nothing was established")
    strengths = frozenset.intersection(*(one.strengths for one in files.values()))
    told: list[dict[str, Any]] = [{"name": "policy", "digest": {"sha256": digest.hex()}} for digest in policies]
    predicate = {
        "verifier": {"id": VERIFIER, "policies": told},
        "timeCreated": datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "properties": sorted(_PREFIX + strength.upper().replace("-", "_") for strength in strengths),
    }
    return Statement({name: one.digest for name, one in files.items()}, PREDICATE_TYPE, predicate)


def signed_summary(statement: Statement, *, public_key: bytes, sign: Sign) -> bytes:
    """The envelope (DSSE, JSON) of a summary. `sign` gives 64 bytes for a message."""
    return encode_envelope(signed_envelope(encode_statement(statement), public_key=public_key, sign=sign))
