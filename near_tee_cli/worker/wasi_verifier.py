"""Verification of claims about WASI programs: the numbered checks of bundles, so far as they are about such a claim.

    1 format, 2 encoding, 4 claim-digest, 5 content, 14 re-execution, 16 signatures, 17 and 22 to 30 evidence,
    20 expectations

The others are not made: nothing of a state, a receipt or gas is claimed. As with bundles, the first failure decides,
nothing is executed unless it is asked for, and then in a child whose answer is held against the claim.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from near_tee_cli.errors import BadInputError, EvidenceError, HostError, NearTeeError, UndecidedError, UnsupportedError
from near_tee_cli.isolate.bounds import Bounds
from near_tee_cli.isolate.child import TIMEOUT, Child, Death, Paths
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.proof import checks
from near_tee_cli.proof.checks import CHECKS
from near_tee_cli.proof.expectations import NAMES, Expectations
from near_tee_cli.proof.report import Report, Strength, Verdict
from near_tee_cli.proof.verifier import Course, Demands, concluded, hold_signatures, strengths_of
from near_tee_cli.worker.wasi_bundle import KNOWN_ATTACHMENTS, WasiBundle, decode_wasi_bundle, signable_of
from near_tee_cli.worker.wasi_child import bounds_of, job, read_answer
from near_tee_cli.worker.wasi_run import Limits, Run
from near_tee_cli.worker.wasi_statement import (
    Asked,
    WasiClaim,
    check_again,
    claim_digest,
    environment_digest,
    require_asked,
)

ANOTHER_KIND = "not part of this kind of claim"

CONSISTENT = (checks.FORMAT, checks.ENCODING, checks.CLAIM_DIGEST, checks.CONTENT)
"""What establishes that a claim is about its content."""

_MADE = frozenset(
    {
        *CONSISTENT,
        checks.RE_EXECUTION,
        checks.SIGNATURES,
        checks.ATTESTATION,
        checks.EXPECTATIONS,
        *checks.EVIDENCE_CHECKS,
    }
)

EXPECTED = ("network", "contract", "code_hash")
"""What can be expected of such a claim; `code_hash` is the program's."""


class WasiReport(NamedTuple):
    """A verification from its first check to its verdict."""

    report: Report
    """As of bundles, without their kind of claim."""
    claim: WasiClaim | None
    """What was claimed, `None` when that could not be read. Believe it only as far as the strengths go."""
    bundle: WasiBundle | None
    established: "VerifiedWasi | None"
    """The claim for further use, where it is established."""


class VerifiedWasi:
    """A claim with what has been established about it. Only verifying makes one, and nothing changes it."""

    __slots__ = ("claim", "claim_digest", "file_digest", "strengths")

    claim: WasiClaim
    claim_digest: bytes
    file_digest: bytes
    """SHA-256 of the file that was verified."""
    strengths: frozenset[Strength]

    def __init__(self) -> None:
        raise TypeError("only verifying makes a verified claim")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{name} of a verified claim stays what it is")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{name} of a verified claim stays where it is")


class WasiBegun:
    """A verification of which everything is done that executes nothing."""

    __slots__ = ("_course", "_data", "_demands", "bundle")

    def __init__(self, data: bytes, demands: Demands, course: Course, bundle: WasiBundle | None) -> None:
        self._data = data
        self._demands = demands
        self._course = course
        self.bundle = bundle
        """What was read, `None` when it cannot be."""

    @property
    def wants_execution(self) -> bool:
        """Whether executing again is asked for, and nothing has decided before it."""
        return not self._course.ended and Strength.RE_EXECUTED in self._demands.required

    def starter(self, paths: Paths, *, seconds: float) -> Callable[[], Child] | None:
        """What starts a child that executes again, within `seconds` and the claim's own limits.

        `None` when the program is not at hand, of which `report` is told with `None` too.
        """
        asked = None if self.bundle is None else _asked(self.bundle, self._demands)
        if asked is None:
            return None
        bounds = shortened(asked.limits, seconds)

        def start() -> Child:
            work = job(
                asked.program,
                stdin=asked.stdin,
                environment=asked.environment,
                limits=asked.limits,
                recorded=asked.recorded,
            )
            return Child(work, bounds=bounds, paths=paths)

        return start

    def report(self, answer: bytes | Death | None) -> WasiReport:
        """The end of the verification; `answer` is what the child handed back when `wants_execution`."""
        if self.wants_execution and self.bundle is not None:
            _hold_execution(self._course, self.bundle, self._demands, answer)
        return _report(self._data, self._course, self._demands, self.bundle)


def shortened(limits: Limits, seconds: float) -> Bounds:
    """What a child may use for a program with these limits, and no more than so many seconds."""
    bounds = bounds_of(limits)
    if bounds.wall_seconds <= seconds:
        return bounds
    factor = seconds / bounds.wall_seconds
    return bounds._replace(wall_seconds=seconds, cpu_seconds=int(bounds.cpu_seconds * factor) + 1)


def begin_wasi(data: bytes, demands: Demands) -> WasiBegun:
    """Make all checks of the file in `data` that execute nothing."""
    course = Course()
    bundle = _read(data, course)
    if bundle is not None:
        for check, make in ((checks.CLAIM_DIGEST, _check_digest), (checks.CONTENT, _check_content)):
            try:
                course.passed(check, make(bundle))
            except EvidenceError as error:
                course.failed(check, error)
                break
        if not course.ended:
            hold_signatures(course, signable_of(bundle), demands)
        if not course.ended:
            _expect(course, bundle.claim, demands)
    return WasiBegun(data, demands, course, bundle)


def _read(data: bytes, course: Course) -> WasiBundle | None:
    """Checks 1 and 2."""
    try:
        bundle = decode_wasi_bundle(data)
    except UnsupportedError as error:
        course.not_told(checks.FORMAT, error)
        return None
    except BadInputError as error:
        course.malformed = True
        course.passed(checks.FORMAT, "a claim about a program")
        course.failed(checks.ENCODING, error)
        return None
    kinds = sorted({item.kind for item in bundle.attachments} - KNOWN_ATTACHMENTS)
    if kinds:
        told = f"attachments of the unknown kinds {kinds}"
        course.not_told(checks.FORMAT, UnsupportedError(told, what="attachments"))
        return None
    course.passed(checks.FORMAT, f"{len(data)} bytes")
    course.passed(checks.ENCODING, "the one encoding of its content")
    return bundle


def _check_digest(bundle: WasiBundle) -> str:
    if claim_digest(bundle.claim) != bundle.claim_digest:
        raise EvidenceError("the digest beside the claim is not that of the claim", code="claim-digest-mismatch")
    return "the digest beside the claim is its own"


def _check_content(bundle: WasiBundle) -> str:
    task, outcome = bundle.claim.task, bundle.claim.outcome
    program = bundle.program_hash if bundle.program is None else sha256(bundle.program)
    for what, found, claimed in (
        ("program", bundle.program_hash, task.program),
        ("program", program, task.program),
        ("input", sha256(bundle.stdin), task.input),
        ("environment", environment_digest(bundle.environment), task.environment),
        ("output", sha256(bundle.stdout), outcome.stdout),
        ("output", len(bundle.stdout), outcome.stdout_length),
        ("errors", sha256(bundle.stderr), outcome.stderr),
        ("errors", len(bundle.stderr), outcome.stderr_length),
    ):
        if found != claimed:
            raise EvidenceError(f"the claim is about another {what}", code=f"other-{what}")
    return "program, input, environment and output are those of the claim"


def _asked(bundle: WasiBundle, demands: Demands) -> Asked | None:
    """What the claim is about, `None` when its program is not at hand."""
    program = demands.codes.get(bundle.program_hash) if bundle.program is None else bundle.program
    if program is None:
        return None
    try:
        return require_asked(bundle.claim, program=program, stdin=bundle.stdin, environment=bundle.environment)
    except (BadInputError, EvidenceError):
        return None  # somebody else's file under that hash


def _hold_execution(course: Course, bundle: WasiBundle, demands: Demands, answer: bytes | Death | None) -> None:
    """Check 14."""
    asked = _asked(bundle, demands)
    if asked is None:
        told = f"the program {bundle.program_hash.hex()} is named but not at hand"
        course.not_told(checks.RE_EXECUTION, UndecidedError(told, code="missing-code"))
        return
    try:
        run = _run(answer)
        check_again(
            bundle.claim,
            program=asked.program,
            stdin=asked.stdin,
            environment=asked.environment,
            execute=lambda _: run,
        )
    except EvidenceError as error:
        course.failed(checks.RE_EXECUTION, error)
    except BadInputError as error:
        if isinstance(error, UnsupportedError) and error.code == "unsupported-metering":
            course.not_told(checks.RE_EXECUTION, error)
        else:
            why = f"no outcome can be that of this program: {error.message}"
            course.failed(checks.RE_EXECUTION, EvidenceError(why, code="wasi-diverged"))
    except (HostError, UndecidedError) as error:
        course.not_told(checks.RE_EXECUTION, error)
    else:
        course.passed(checks.RE_EXECUTION, f"{run.instructions} instructions with the same outcome")


def _run(answer: bytes | Death | None) -> Run:
    run = Death("child-crashed", "nothing was executed") if answer is None else read_answer(answer)
    if isinstance(run, Death):
        code = "too-expensive" if run.code == TIMEOUT else run.code
        raise UndecidedError(f"executing again: {run.message}", code=code)
    return run


def _expect(course: Course, claim: WasiClaim, demands: Demands) -> None:
    """Check 20."""
    unmet = next((error for one in demands.expectations for error in _unmet(claim, one)), None)
    if unmet is not None:
        course.failed(checks.EXPECTATIONS, unmet)
    elif all(value is None for one in demands.expectations for value in one):
        course.skipped(checks.EXPECTATIONS, "nothing is expected of the claim")
    else:
        course.passed(checks.EXPECTATIONS, "the claim is about what was expected")


def _unmet(claim: WasiClaim, expected: Expectations) -> Iterator[NearTeeError]:
    found = {"network": claim.place.network, "contract": claim.place.contract, "code_hash": claim.task.program}
    for name in NAMES:
        allowed = getattr(expected, name)
        if allowed is None:
            continue
        code = f"unexpected-{_CODES.get(name, name).replace('_', '-')}"
        if name not in found:
            yield EvidenceError(f"{name} is expected, and a claim about a program has none", code=code)
        elif found[name] not in allowed:
            value = found[name]
            shown = value.hex() if isinstance(value, bytes) else value or "none"
            yield EvidenceError(f"{name} is {shown}, which is not expected", code=code)


_CODES = {"code_hash": "code", "min_height": "height", "max_height": "height", "max_age": "height"}


def _report(data: bytes, course: Course, demands: Demands, bundle: WasiBundle | None) -> WasiReport:
    strengths = strengths_of(course, CONSISTENT, (checks.RE_EXECUTION,))
    for check in CHECKS:
        if check not in _MADE:
            course.skipped(check, ANOTHER_KIND)
    names = tuple(name for name in EXPECTED if all(getattr(one, name) is None for one in demands.expectations))
    report = concluded(data, course, demands.required, strengths=strengths, unconstrained=names)
    made = None
    if report.verdict is Verdict.ESTABLISHED and bundle is not None:
        made = _established(bundle, report)
    return WasiReport(report, None if bundle is None else bundle.claim, bundle, made)


def _established(bundle: WasiBundle, report: Report) -> VerifiedWasi:
    """The one place where a verified claim is made."""
    made = VerifiedWasi.__new__(VerifiedWasi)
    fields = {
        "claim": bundle.claim,
        "claim_digest": claim_digest(bundle.claim),
        "file_digest": report.file_digest,
        "strengths": report.strengths,
    }
    for name, value in fields.items():
        object.__setattr__(made, name, value)
    return made


def verified_wasi(report: WasiReport) -> VerifiedWasi:
    """The claim for further use. Raises `EvidenceError` when it is not established."""
    if report.established is None:
        raise EvidenceError(f"nothing is established: {report.report.message}", code=report.report.code)
    return report.established
