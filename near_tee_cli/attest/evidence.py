"""Evidence as a whole: nine checks from the bound key to freshness, each with what became of it.

A check passed, failed, or was not made, and then it says why. One that is not made because something is missing or out
of date leaves the verdict open; one that fails decides against the evidence. What is measured is returned whatever
the verdict, for people who look for the reason. Nothing here opens a file, asks a clock or reaches the network.

    22 evidence-key   23 quote   24 tcb   25 td-attributes   26 event-log   27 application
    28 measurements   29 platform   30 freshness

Follows RATS (RFC 9334): evidence and endorsements are appraised by a verifier under a policy.
"""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import NamedTuple

from near_tee_cli.attest.appraisal import (
    Chain,
    Finding,
    Kind,
    judge_app,
    judge_binding,
    judge_freshness,
    judge_key_chain,
    judge_measurements,
    judge_platform,
    judge_tcb,
    judge_td,
    matching_sets,
)
from near_tee_cli.attest.collateral import Collateral, parse_collateral
from near_tee_cli.attest.dcap import Refusal, Verified, verify_quote
from near_tee_cli.attest.event_log import Replay, mismatches, parse_event_log, replay
from near_tee_cli.attest.platform_policy import PlatformPolicy
from near_tee_cli.attest.quote import Quote, TdReport, parse_quote
from near_tee_cli.attest.report_data import Binding, require_bound
from near_tee_cli.attest.status import Status
from near_tee_cli.errors import BadInputError, EvidenceError, NearTeeError


class Conclusion(Enum):
    """What all checks together come to."""

    ACCEPTED = "accepted"
    CONTRADICTED = "contradicted"
    INCONCLUSIVE = "inconclusive"


class EvidenceResult(NamedTuple):
    """One check."""

    number: int
    name: str
    status: Status
    code: str | None
    """The stable word for a failure or for why nothing could be told; `None` when passed."""
    detail: str
    findings: tuple[Finding, ...] = ()
    """Every rule of the policy that was not met here; `code` and `detail` are those of the one that decides."""


class EvidenceReport(NamedTuple):
    """Evidence from its first check to its conclusion, with what it says."""

    results: tuple[EvidenceResult, ...]
    conclusion: Conclusion
    code: str | None
    """The word of the check that decided; `None` when accepted."""
    detail: str
    quote: Quote | None
    """As it says it is; `None` when it cannot be read. Its `identity` names the evidence."""
    verified: Verified | None
    """What the signatures establish; `None` when they do not hold at this time."""
    refusal: Refusal | None
    """Why they do not, with window and shortfalls."""
    collateral: Collateral | None
    replayed: Replay | None
    """The log, once it leads to the quote's registers."""
    labels: tuple[str, ...]
    """Labels of the measurement sets that fit."""


class Evidence(NamedTuple):
    """What stands beside a claim. All of it is untrusted bytes."""

    quote: bytes
    collateral: bytes | None = None
    event_log: bytes | None = None
    compose: bytes | None = None
    binding: Binding | None = None
    """What the report data is declared to bind."""
    key_chain: tuple[bytes, ...] | None = None
    """Signatures by which a key management service issued the bound key: see `attest.key_chain`."""


KEY, QUOTE, TCB, TD_ATTRIBUTES, EVENT_LOG, APPLICATION, MEASUREMENTS, PLATFORM, FRESHNESS = range(22, 31)
"""Numbers of the checks, among those of a verifier of bundles."""

NAMES = {
    KEY: "evidence-key",
    QUOTE: "quote",
    TCB: "tcb",
    TD_ATTRIBUTES: "td-attributes",
    EVENT_LOG: "event-log",
    APPLICATION: "application",
    MEASUREMENTS: "measurements",
    PLATFORM: "platform",
    FRESHNESS: "freshness",
}
"""The checks by number."""


class _Course:
    """A verification of evidence under way."""

    __slots__ = ("collateral", "quote", "refusal", "replayed", "results", "verified")

    def __init__(self) -> None:
        self.results: list[EvidenceResult] = []
        self.quote: Quote | None = None
        self.verified: Verified | None = None
        self.refusal: Refusal | None = None
        self.collateral: Collateral | None = None
        self.replayed: Replay | None = None

    def add(self, number: int, status: Status, code: str | None, detail: str) -> None:
        self.results.append(EvidenceResult(number, NAMES[number], status, code, detail))

    def failed(self, number: int, error: NearTeeError) -> None:
        self.add(number, Status.FAILED, error.code, error.message)

    def appraised(self, number: int, findings: Sequence[Finding], passed: str) -> None:
        """A check by the findings of a policy: contradictions decide before what is open."""
        for kind, status in ((Kind.CONTRADICTED, Status.FAILED), (Kind.INCONCLUSIVE, Status.NOT_MADE)):
            for finding in findings:
                if finding.kind is kind:
                    self.results.append(
                        EvidenceResult(number, NAMES[number], status, finding.code, finding.detail, tuple(findings))
                    )
                    return
        self.add(number, Status.PASSED, None, passed)


def verify_evidence(
    evidence: Evidence,
    *,
    policy: PlatformPolicy | None,
    time: int | None,
    key: bytes | None = None,
    chain: Chain | None = None,
    dev_root: bytes | None = None,
    allow_dev: bool = False,
) -> EvidenceReport:
    """Make checks 22 to 30 of `evidence` under `policy` at `time` (Unix seconds, the verifier's own assertion).

    `key` (Borsh) is the one that must be bound; `None` asks for no particular one. `dev_root` (DER) stands in for
    Intel's root: such evidence is simulated and, unless `allow_dev`, leaves the verdict open. Malformed or hostile
    evidence is a report like every other; raises `BadInputError` (`bad-time`) and `HostError` only.
    """
    course = _Course()
    try:
        course.quote = parse_quote(evidence.quote)
        td = course.quote.td
        if td is None:
            raise EvidenceError(f"a quote of {course.quote.tee.value}, where TDX is asked for", code="not-tdx")
    except (BadInputError, EvidenceError) as error:
        course.failed(QUOTE, error)
        return _report(course, policy, None)
    _check_binding(course, evidence, policy, key)
    _check_quote(course, evidence, time, dev_root=dev_root, allow_dev=allow_dev)
    if course.results[-1].status is Status.FAILED:
        # What nobody signed is shown, and not judged: nothing about it could pass.
        return _report(course, policy, td)
    verified = course.verified
    _judge(
        course,
        policy,
        TCB,
        _needs(verified, lambda found, rules: judge_tcb(rules, found, time=time or 0)),
        _tcb_words(verified),
    )
    _judge(course, policy, TD_ATTRIBUTES, lambda rules: judge_td(rules, td), f"attributes {td.td_attributes:#x}")
    _check_event_log(course, evidence.event_log, td, policy)
    log = course.replayed
    _judge(
        course,
        policy,
        APPLICATION,
        lambda rules: (
            *judge_app(rules, td, replayed=log, compose=evidence.compose),
            *judge_key_chain(rules, key, replayed=log, key_chain=evidence.key_chain),
        ),
        "as allowed",
    )
    _judge(
        course,
        policy,
        MEASUREMENTS,
        lambda rules: judge_measurements(rules, td, replayed=log, time=time or 0),
        "a whole set fits",
    )
    _judge(course, policy, PLATFORM, _needs(verified, lambda found, rules: judge_platform(rules, found)), "as allowed")
    issued = None if course.collateral is None else course.collateral.oldest_issue
    binding, known = evidence.binding, chain or Chain()
    _judge(
        course,
        policy,
        FRESHNESS,
        lambda rules: judge_freshness(rules, binding, chain=known, oldest_issue=issued, time=time),
        "as allowed",
    )
    return _report(course, policy, td)


def _check_binding(course: _Course, evidence: Evidence, policy: PlatformPolicy | None, key: bytes | None) -> None:
    binding = evidence.binding
    if binding is None or course.quote is None:
        course.add(KEY, Status.NOT_MADE, "no-binding", "nothing says what the report data binds")
        return
    try:
        profile = require_bound(course.quote.report_data, binding, key=key)
    except (BadInputError, EvidenceError) as error:
        course.failed(KEY, error)
        return
    course.appraised(KEY, () if policy is None else judge_binding(policy, binding), f"bound as {profile}")


def _check_quote(
    course: _Course, evidence: Evidence, time: int | None, *, dev_root: bytes | None, allow_dev: bool
) -> None:
    if evidence.collateral is None:
        course.add(QUOTE, Status.NOT_MADE, "no-collateral", "without collateral nobody vouches for the machine")
        return
    try:
        course.collateral = parse_collateral(evidence.collateral)
    except BadInputError as error:
        course.failed(QUOTE, error)
        return
    if time is None:
        course.add(QUOTE, Status.NOT_MADE, "no-time", "evidence holds for a time, and none was given")
        return
    try:
        answer = verify_quote(evidence.quote, course.collateral, time=time, root=dev_root)
    except EvidenceError as error:
        course.failed(QUOTE, error)
        return
    if isinstance(answer, Refusal):
        course.refusal = answer
        status = Status.FAILED if answer.contradicts else Status.NOT_MADE
        course.add(QUOTE, status, answer.code, answer.detail)
        return
    course.verified = answer
    if answer.root_is_intel:
        course.add(QUOTE, Status.PASSED, None, f"signed up to Intel's root, {answer.status}")
    elif allow_dev:
        course.add(
            QUOTE, Status.PASSED, None, f"NOT INTEL: simulated evidence under a root of its own, {answer.status}"
        )
    else:
        course.add(QUOTE, Status.NOT_MADE, "evidence-simulated", "NOT INTEL: simulated evidence proves nothing")


def _check_event_log(course: _Course, data: bytes | None, td: TdReport, policy: PlatformPolicy | None) -> None:
    if data is None:
        if _pinned(policy, td) == frozenset(range(4)):
            course.add(EVENT_LOG, Status.PASSED, None, "no log; all registers are pinned by the policy")
        else:
            course.add(
                EVENT_LOG, Status.NOT_MADE, "no-event-log", "registers without a log and not pinned by the policy"
            )
        return
    try:
        replayed = replay(parse_event_log(data))
    except (BadInputError, EvidenceError) as error:
        course.failed(EVENT_LOG, error)
        return
    differing = mismatches(replayed, td.registers)
    pinned = _pinned(policy, td) - replayed.logged
    left = [number for number in differing if number not in pinned]
    if left:
        names = ", ".join(f"RTMR{number}" for number in left)
        logged = any(number in replayed.logged for number in left)
        code = "event-log-mismatch" if logged else "register-not-logged"
        course.add(EVENT_LOG, Status.FAILED, code, f"the log does not lead to {names} of the quote")
        return
    course.replayed = replayed
    course.add(EVENT_LOG, Status.PASSED, None, f"{len(replayed.events)} events lead to the registers of the quote")


def _pinned(policy: PlatformPolicy | None, td: TdReport) -> frozenset[int]:
    """Registers that stand in a set of the policy of which every value fits: these need no log."""
    if policy is None:
        return frozenset()
    sets = matching_sets(policy, td, replayed=None)
    return frozenset(range(4 if any(one.rtmr3 is not None for one in sets) else 3)) if sets else frozenset()


def _judge(
    course: _Course,
    policy: PlatformPolicy | None,
    number: int,
    findings: Callable[[PlatformPolicy], Sequence[Finding]],
    passed: str,
) -> None:
    if policy is None:
        course.add(number, Status.NOT_MADE, "no-policy", "no policy says what is accepted")
    else:
        course.appraised(number, findings(policy), passed)


def _needs(
    verified: Verified | None, judged: Callable[[Verified, PlatformPolicy], Sequence[Finding]]
) -> Callable[[PlatformPolicy], Sequence[Finding]]:
    """Findings about what only signatures establish."""
    if verified is None:
        unknown = Finding("quote-not-verified", Kind.INCONCLUSIVE, "the signatures of the quote were not established")
        return lambda _: (unknown,)
    return lambda policy: judged(verified, policy)


def _tcb_words(verified: Verified | None) -> str:
    if verified is None:
        return ""
    also = f", {', '.join(verified.advisory_ids)}" if verified.advisory_ids else ""
    return f"{verified.status}, evaluation {verified.evaluation_number}{also}"


def _report(course: _Course, policy: PlatformPolicy | None, td: TdReport | None) -> EvidenceReport:
    made = {result.number for result in course.results}
    for number in NAMES:
        if number not in made:
            course.add(number, Status.NOT_MADE, None, "the quote does not hold")
    results = tuple(sorted(course.results, key=lambda result: result.number))
    conclusion, deciding = Conclusion.ACCEPTED, None
    for status, comes_to in ((Status.FAILED, Conclusion.CONTRADICTED), (Status.NOT_MADE, Conclusion.INCONCLUSIVE)):
        deciding = next((result for result in results if result.status is status), None)
        if deciding is not None:
            conclusion = comes_to
            break
    sets = () if policy is None or td is None else matching_sets(policy, td, replayed=course.replayed)
    return EvidenceReport(
        results=results,
        conclusion=conclusion,
        code=None if deciding is None else deciding.code,
        detail="every check passed" if deciding is None else deciding.detail,
        quote=course.quote,
        verified=course.verified,
        refusal=course.refusal,
        collateral=course.collateral,
        replayed=course.replayed,
        labels=tuple(one.label for one in sets),
    )
