"""A verification told to others: a Simple Verification Result of in-toto, signed by whoever verified.

It says which files were verified, by which policy, when, and what was established: never more than all of the files
have. Whoever relies on it trusts the verifier's key and clock instead of verifying again.

Mirrors in-toto: spec/predicates/svr.md (version 0.2)
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from near_tee_cli.attest.dsse import Sign, encode_envelope, signed_envelope
from near_tee_cli.attest.statement import Statement, encode_statement
from near_tee_cli.proof.report import Report, Verdict

PREDICATE_TYPE = "https://in-toto.io/attestation/svr/v0.2"
VERIFIER = "urn:near-tee:verifier:v1"
"""Which checks were made: a later version of the list has another name."""

_PREFIX = "NEAR_TEE_"


def summary_of(reports: Mapping[str, Report], *, policies: Sequence[bytes], time: int) -> Statement:
    """The summary of established `reports` (name of the file -> report), judged by policy files with these SHA-256.

    `time` (Unix seconds) is the verifier's own. Raises `ValueError` when one of them is not established.
    """
    if not reports or any(report.verdict is not Verdict.ESTABLISHED for report in reports.values()):
        raise ValueError("only what is established is told to others")
    strengths = frozenset.intersection(*(report.strengths for report in reports.values()))
    told: list[dict[str, Any]] = [{"name": "policy", "digest": {"sha256": digest.hex()}} for digest in policies]
    predicate = {
        "verifier": {"id": VERIFIER, "policies": told},
        "timeCreated": datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "properties": sorted(_PREFIX + strength.value.upper().replace("-", "_") for strength in strengths),
    }
    return Statement({name: report.file_digest for name, report in reports.items()}, PREDICATE_TYPE, predicate)


def signed_summary(statement: Statement, *, public_key: bytes, sign: Sign) -> bytes:
    """The envelope (DSSE, JSON) of a summary. `sign` gives 64 bytes for a message."""
    return encode_envelope(signed_envelope(encode_statement(statement), public_key=public_key, sign=sign))
