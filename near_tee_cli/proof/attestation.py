"""Checks 22 to 30, and 17: the key that signed lives in an environment that the verifier accepts.

A piece of evidence binds a key to measured code on a genuine platform; the key's own signature names the evidence and
says whether it is simulated. What is wrong with evidence contradicts whatever was asked for. Whether it is accepted
needs a policy and a time, both the verifier's own, and is judged when `attested` is asked for.
"""

import re
from binascii import a2b_base64
from collections.abc import Sequence
from typing import NamedTuple

from near_tee_cli.attest.appraisal import Chain
from near_tee_cli.attest.environment import SIMULATED, Environment
from near_tee_cli.attest.evidence import Conclusion, EvidenceReport, EvidenceResult, verify_evidence
from near_tee_cli.attest.platform_policy import PlatformPolicy
from near_tee_cli.attest.report_data import Binding, NearTeeBinding, Scope, bound_keys
from near_tee_cli.attest.status import Status
from near_tee_cli.errors import EvidenceError
from near_tee_cli.primitives.keys import public_key_text
from near_tee_cli.proof import checks
from near_tee_cli.proof.bundle import EVIDENCE, Attachment
from near_tee_cli.proof.evidence_part import MAX_PARTS, EvidencePart, parse_evidence
from near_tee_cli.proof.report import CheckResult
from near_tee_cli.proof.signatures import Signed


class Attesting(NamedTuple):
    """What a verifier judges evidence by."""

    policy: PlatformPolicy | None = None
    """What is accepted; without one nothing is."""
    time: int | None = None
    """Unix seconds: the verifier's own assertion, since no signature carries a time that could be trusted."""
    collateral: bytes | None = None
    """Taken in the place of the bundle's."""
    chain: Chain = Chain()
    dev_root: bytes | None = None
    """The root (DER) of simulated evidence; `None` takes the one that the quote carries."""
    allow_dev: bool = False
    """Whether simulated evidence is accepted: on laptops and in tests."""


class EvidenceFound(NamedTuple):
    """Evidence that stands beside a claim, whatever became of it."""

    key: bytes
    """The key (Borsh) that it binds."""
    environment: Environment | None
    """Where that key says that it lives; `None` when it has not signed or says nothing."""
    binding: Binding | None
    """What its quote is declared to bind."""
    report: EvidenceReport
    """The evidence by itself, with everything that it says."""
    collateral_of_verifier: bool
    """Whether the verifier's own collateral was taken in the place of the bundle's."""


class Attested(NamedTuple):
    """What became of the evidence in a bundle."""

    results: tuple[CheckResult, ...]
    """Checks 22 to 30."""
    conclusion: Conclusion
    found: EvidenceFound


def check_evidence(
    claim_digest: bytes, attachments: Sequence[Attachment], signed: Signed, attesting: Attesting
) -> Attested:
    """Judge the evidence among the `attachments` of a claim, of which there is some, and whose signatures hold.

    Of several pieces one that is contradicted decides, then one that is accepted. Raises `EvidenceError`
    (`bad-evidence`) for what cannot be read.
    """
    data = [item.data for item in attachments if item.kind == EVIDENCE]
    if len(data) > MAX_PARTS:
        raise EvidenceError(f"{len(data)} pieces of evidence, at most {MAX_PARTS} are read", code="bad-evidence")
    found = [_judged(parse_evidence(one), claim_digest, signed, attesting) for one in data]
    return min(found, key=lambda one: _ORDER.index(one.conclusion))


_ORDER = (Conclusion.CONTRADICTED, Conclusion.ACCEPTED, Conclusion.INCONCLUSIVE)


def _judged(part: EvidencePart, claim_digest: bytes, signed: Signed, attesting: Attesting) -> Attested:
    evidence = part.evidence
    if attesting.collateral is not None:
        evidence = evidence._replace(collateral=attesting.collateral)
    (key,) = () if evidence.binding is None else bound_keys(evidence.binding)
    environment = signed.environments.get(key)
    simulated = environment is not None and environment.mode == SIMULATED
    root = attesting.dev_root or root_in(evidence.quote)
    report = verify_evidence(
        evidence,
        policy=attesting.policy,
        time=attesting.time,
        key=key,
        chain=attesting.chain,
        dev_root=root if simulated else None,
        allow_dev=simulated and attesting.allow_dev,
    )
    results, conclusion = tuple(_result(one) for one in report.results), report.conclusion
    problem = _problem(report, part, claim_digest, signed, key)
    if problem is not None and results[0].status is not Status.FAILED:
        results = (_failed(checks.EVIDENCE_KEY, problem), *results[1:])
        conclusion = Conclusion.CONTRADICTED
    found = EvidenceFound(
        key, environment, evidence.binding, report, collateral_of_verifier=attesting.collateral is not None
    )
    return Attested(results, conclusion, found)


def _problem(
    report: EvidenceReport, part: EvidencePart, claim_digest: bytes, signed: Signed, key: bytes
) -> EvidenceError | None:
    """What keeps evidence that is sound in itself from being about the signature beside it."""
    if report.quote is None:
        return None
    name, environment, binding = public_key_text(key), signed.environments.get(key), part.evidence.binding
    if key not in signed.signers:
        return EvidenceError(f"{name}, which the quote binds, has not signed", code="key-not-bound")
    if environment is None or environment.evidence != report.quote.identity:
        return EvidenceError(f"{name} has not signed with this evidence", code="evidence-mismatch")
    if report.verified is not None and report.verified.root_is_intel == (environment.mode == SIMULATED):
        return EvidenceError(f"the evidence is not {environment.mode}, as {name} says", code="evidence-mismatch")
    scope = (Scope.KEY, b"") if not isinstance(binding, NearTeeBinding) else (binding.scope, binding.scope_digest)
    if scope[0] is Scope.CLAIM and scope[1] != claim_digest:
        return EvidenceError("the quote was made for another claim", code="other-claim")
    return None


def root_in(quote: bytes) -> bytes | None:
    """The last certificate (DER) that a quote carries: the root of simulated evidence, for what that is worth."""
    found = _CERTIFICATE.findall(quote)
    try:
        return a2b_base64(found[-1].translate(None, b"\r\n"), strict_mode=True) if found else None
    except ValueError:
        return None


_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----\s([A-Za-z0-9+/=\r\n]{1,8192})-----END CERTIFICATE-----")


def _result(one: EvidenceResult) -> CheckResult:
    return CheckResult(one.number, one.name, one.status, one.detail, one.code)


def _failed(check: checks.Check, error: EvidenceError) -> CheckResult:
    return CheckResult(check.number, check.name, Status.FAILED, error.message, error.code)


def deciding(attested: Attested) -> CheckResult | None:
    """The check that keeps evidence from being accepted: the first that failed, or else that cannot be told."""
    for status in (Status.FAILED, Status.NOT_MADE):
        for one in attested.results:
            if one.status is status:
                return one
    return None
