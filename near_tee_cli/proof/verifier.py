"""Verification: the numbered checks in their order, the first failure decides, and a report of them all.

Works on the bytes of a bundle and on nothing else: no file, no network, no key, no clock. A bundle that is
malformed, hostile or from somewhere else ends in a report like every other; only a machine that cannot run
contracts at all ends in an error.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

from near_tee_cli.attest.status import Status
from near_tee_cli.attest.trust import Trust
from near_tee_cli.errors import BadInputError, EvidenceError, NearTeeError, UnsupportedError
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.keys import public_key_text
from near_tee_cli.proof import checks
from near_tee_cli.proof.bundle import EVIDENCE, KNOWN_ATTACHMENTS, Bundle, decode_bundle
from near_tee_cli.proof.chain import Chain
from near_tee_cli.proof.checks import CHECKS, Check, Examined
from near_tee_cli.proof.claim import Claim, claim_digest
from near_tee_cli.proof.expectations import Anchor, Expectations, Subject, judge, unconstrained
from near_tee_cli.proof.key_paths import check_key_paths
from near_tee_cli.proof.limits import DEFAULT_MAX_GAS
from near_tee_cli.proof.reexecution import Executed, Executor, execute_again
from near_tee_cli.proof.report import CheckResult, Report, Strength, Verdict, VerifiedClaim
from near_tee_cli.proof.signatures import Signable, Signed, Unsigned, check_signatures, signable_of
from near_tee_cli.runtime.chunk import Machine

T = TypeVar("T")

DEFAULT_REQUIRED = frozenset({Strength.CONSISTENT, Strength.RE_EXECUTED})
"""What is asked for unless told otherwise."""

NO_REPLAY = frozenset({Strength.CONSISTENT})
"""What is asked for when nothing shall be executed."""

_NO_CODES: Mapping[bytes, bytes] = {}

_WITHOUT_EXECUTION: tuple[tuple[Check, Callable[[Examined], str]], ...] = (
    (checks.PROTOCOL, checks.check_protocol),
    (checks.CLAIM_DIGEST, checks.check_claim_digest),
    (checks.CONTENT, checks.check_content),
    (checks.INPUTS, checks.check_inputs),
    (checks.WITNESS, checks.check_witness),
    (checks.CODE, checks.check_code),
    (checks.CHANGES, checks.check_changes),
    (checks.CALLS, checks.check_calls),
    (checks.OUTCOMES, checks.check_outcomes),
    (checks.RECEIPTS, checks.check_receipts),
    (checks.GAS, checks.check_gas),
)

_ABSENT = (
    (checks.CHAIN, "a single bundle, or the first of a chain"),
    (checks.TRACE, "not present"),
)


_CONSISTENT = tuple(check for check in CHECKS if check.number <= checks.GAS.number)
_RE_EXECUTED = (checks.RE_EXECUTION, checks.COMPLETENESS)


class Course:
    """A verification under way: what became of each check so far, and the first thing that decided."""

    __slots__ = ("claim", "code", "doubt", "evidence", "malformed", "message", "results", "signed")

    def __init__(self) -> None:
        self.results: dict[int, CheckResult] = {}
        self.claim: Claim | None = None
        self.code: str | None = None
        self.message = ""
        self.malformed = False
        self.signed: Signed | None = None
        self.evidence: Any = None
        self.doubt: NearTeeError | None = None
        """Something that was asked for and cannot be told, while the other checks go on."""

    def passed(self, check: Check, detail: str) -> None:
        """What must hold does."""
        self.results[check.number] = CheckResult(check.number, check.name, Status.PASSED, detail, None)

    def failed(self, check: Check, error: NearTeeError) -> None:
        """It does not hold, which decides."""
        self._ended(check, Status.FAILED, error)

    def decided(self, result: CheckResult) -> None:
        """What this check came to decides."""
        self.results[result.number] = result
        self.code, self.message = result.code, result.detail

    def not_told(self, check: Check, error: NearTeeError) -> None:
        """It cannot be told, which ends the verification."""
        self._ended(check, Status.NOT_MADE, error)

    def doubted(self, check: Check, error: NearTeeError) -> None:
        """It was asked for and cannot be told; other checks go on."""
        self.doubt = self.doubt or error
        self.results[check.number] = CheckResult(check.number, check.name, Status.NOT_MADE, error.message, error.code)

    def executed(self, executed: Executed) -> None:
        """What executing again came to."""
        for result in executed.results:
            self.results[result.number] = result
            if result.status is not Status.PASSED:
                self.code, self.message = result.code, result.detail

    def _ended(self, check: Check, status: Status, error: NearTeeError) -> None:
        self.code = error.code
        self.message = error.message
        self.results[check.number] = CheckResult(check.number, check.name, status, error.message, error.code)

    def skipped(self, check: Check, why: str, code: str | None = None) -> None:
        """It was not made, unless something is known of it already."""
        self.results.setdefault(check.number, CheckResult(check.number, check.name, Status.NOT_MADE, why, code))

    @property
    def ended(self) -> bool:
        """Whether something has decided."""
        return self.code is not None


def verify(
    data: bytes,
    *,
    require: Collection[Strength] = DEFAULT_REQUIRED,
    executor: Executor | None = None,
    machine: Machine | None = None,
    codes: Mapping[bytes, bytes] = _NO_CODES,
    max_gas: int = DEFAULT_MAX_GAS,
    trusts: Sequence[Trust] = (),
    expectations: Sequence[Expectations] = (),
    anchors: Sequence[Anchor] = (),
    attesting: Any = None,
) -> Report:
    """Check the bundle in `data`; nothing is executed unless `require` has `RE_EXECUTED`.

    `executor` executes again, or else `machine` in this process; both may be `None` when that is not asked for.
    `codes` are contracts by their hash, for a bundle that only names its own. `max_gas` bounds the gas of executing
    again. Signatures count under the keys of `trusts`, each of which has to be met, as has every one of
    `expectations`; `anchors` are known blocks of the chain; `attesting` is what evidence is judged by, an
    `attestation.Attesting`. Raises `HostError` when the machine cannot run, `ValueError` when executing again is asked
    for and nothing executes.
    """
    demands = Demands(
        required=frozenset(require) | NO_REPLAY,
        codes=codes,
        max_gas=max_gas,
        trusts=tuple(trusts),
        expectations=tuple(expectations),
        anchors=tuple(anchors),
        attesting=attesting,
    )
    if executor is None and machine is not None:
        executor = partial(execute_again, machine=machine)
    if Strength.RE_EXECUTED in demands.required and executor is None:
        raise ValueError("executing again needs a machine")
    begun = begin(data, demands)
    return begun.report(begun.execute(executor) if begun.wants_execution and executor is not None else None)


class Demands(NamedTuple):
    """What a verifier asks for: see `verify`."""

    required: frozenset[Strength]
    codes: Mapping[bytes, bytes] = _NO_CODES
    max_gas: int = DEFAULT_MAX_GAS
    trusts: tuple[Trust, ...] = ()
    expectations: tuple[Expectations, ...] = ()
    anchors: tuple[Anchor, ...] = ()
    attesting: Any = None
    """What evidence is judged by, an `attestation.Attesting`; without it nothing is accepted."""


class Begun:
    """A verification of which everything is done that executes nothing."""

    __slots__ = ("_course", "_data", "_demands", "examined")

    def __init__(self, data: bytes, demands: Demands, course: "Course", examined: Examined | None) -> None:
        self._data = data
        self._demands = demands
        self._course = course
        self.examined = examined
        """The bundle and what follows from it, `None` when it cannot be read."""

    @property
    def wants_execution(self) -> bool:
        """Whether executing again is asked for, and nothing has decided before it."""
        return not self._course.ended and Strength.RE_EXECUTED in self._demands.required

    @property
    def bundle(self) -> Bundle | None:
        """What was read, `None` when it cannot be."""
        return None if self.examined is None else self.examined.bundle

    def execute(self, executor: Callable[..., T]) -> T:
        """What an `Executor`, or whatever is called like one, gives for checks 14 and 15 of this bundle."""
        if self.examined is None:
            raise ValueError("what cannot be read is not executed")
        examined, demands = self.examined, self._demands
        own = {code_hash: code for code_hash, code in demands.codes.items() if sha256(code) == code_hash}
        return executor(examined.bundle, examined.parsed, examined.hashes, codes=own, max_gas=demands.max_gas)

    def report(self, executed: Executed | None) -> Report:
        """The end of the verification; `executed` when `wants_execution`."""
        if executed is not None:
            self._course.executed(executed)
        strengths = strengths_of(self._course, _CONSISTENT, _RE_EXECUTED)
        for check, why in _ABSENT:
            self._course.skipped(check, why)
        names = unconstrained(self._demands.expectations)
        return concluded(self._data, self._course, self._demands.required, strengths=strengths, unconstrained=names)


def begin(data: bytes, demands: Demands, *, chain: Chain | None = None) -> Begun:
    """Make all checks of the bundle in `data` that execute nothing; it is added to the `chain` that it belongs to."""
    course = Course()
    examined = _read(data, course)
    if examined is not None:
        for check, make in _WITHOUT_EXECUTION:
            _make(course, check, make, examined)
            if course.ended:
                break
        if not course.ended:
            _hold_key_paths(course, examined)
        if not course.ended:
            hold_signatures(course, signable_of(examined.bundle), demands)
    received = None if chain is None else _link(course, chain, examined)
    if examined is not None and not course.ended:
        _expect(course, examined, demands, received=received)
    return Begun(data, demands, course, examined)


def _read(data: bytes, course: Course) -> Examined | None:
    """Checks 1 and 2."""
    try:
        bundle = decode_bundle(data)
    except UnsupportedError as error:
        course.not_told(checks.FORMAT, error)
        return None
    except BadInputError as error:
        course.malformed = True
        if error.code == "malformed-bundle":
            course.passed(checks.FORMAT, "a bundle")
            course.failed(checks.ENCODING, error)
        else:
            course.failed(checks.FORMAT, error)
        return None
    course.claim = bundle.claim
    kinds = sorted({item.kind for item in bundle.attachments} - KNOWN_ATTACHMENTS)
    if kinds:
        course.not_told(
            checks.FORMAT, UnsupportedError(f"attachments of the unknown kinds {kinds}", what="attachments")
        )
        return None
    course.passed(checks.FORMAT, f"{len(data)} bytes")
    course.passed(checks.ENCODING, "the one encoding of its content")
    return Examined(bundle)


def _make(course: Course, check: Check, make: Callable[[Examined], str], examined: Examined) -> None:
    try:
        course.passed(check, make(examined))
    except UnsupportedError as error:
        course.not_told(check, error)
    except EvidenceError as error:
        course.failed(check, error)


def _hold_key_paths(course: Course, examined: Examined) -> None:
    """Check 21."""
    try:
        found = check_key_paths(examined.bundle)
    except EvidenceError as error:
        course.failed(checks.KEY_PATHS, error)
    else:
        if found is None:
            course.skipped(checks.KEY_PATHS, "not present")
        else:
            course.passed(checks.KEY_PATHS, found)


def hold_signatures(course: Course, subject: Signable, demands: Demands) -> None:
    """Check 16, and of what stands beside signatures that hold 22 to 30 and 17."""
    try:
        signed = check_signatures(subject, demands.trusts)
    except EvidenceError as error:
        course.failed(checks.SIGNATURES, error)
        return
    course.signed = signed
    missing = signed.missing
    if missing is None:
        course.passed(checks.SIGNATURES, f"signed by {len(signed.signers)}, as many of whom are trusted as asked for")
    elif Strength.SIGNED in demands.required:
        course.doubted(checks.SIGNATURES, EvidenceError(_asked(missing), code=missing.code))
    else:
        course.skipped(checks.SIGNATURES, missing.detail)
    _hold_evidence(course, subject, signed, demands)


def _asked(missing: Unsigned) -> str:
    return (
        f"signed is asked for, but signatures are {missing.detail}" if missing.code == "not-signed" else missing.detail
    )


def _hold_evidence(course: Course, subject: Signable, signed: Signed, demands: Demands) -> None:
    """Checks 22 to 30, and 17. What only a policy could accept is no doubt unless it was asked for."""
    asked, attesting = Strength.ATTESTED in demands.required, demands.attesting
    if all(item.kind != EVIDENCE for item in subject.attachments):
        if asked:
            absent = EvidenceError("attested is asked for, but evidence is not present", code="not-attested")
            course.doubted(checks.ATTESTATION, absent)
        for check in (checks.ATTESTATION, *checks.EVIDENCE_CHECKS):
            course.skipped(check, "not present")
        return
    from near_tee_cli.proof.attestation import Attesting, check_evidence, deciding

    judging = attesting if asked and attesting is not None else Attesting()
    try:
        attested = check_evidence(subject.claim_digest, subject.attachments, signed, judging)
    except EvidenceError as error:
        course.failed(checks.EVIDENCE_KEY, error)
        return
    course.evidence = attested.found
    for result in attested.results:
        course.results[result.number] = result if asked else result._replace(code=None)
    decides = deciding(attested)
    if decides is None:
        course.passed(checks.ATTESTATION, f"{public_key_text(attested.found.key)} lives in an accepted environment")
    elif decides.status is Status.FAILED:
        course.decided(decides)
    elif asked:
        course.doubted(checks.ATTESTATION, EvidenceError(decides.detail, code=decides.code))
    else:
        course.skipped(checks.ATTESTATION, "present, and not asked for")


def _link(course: Course, chain: Chain, examined: Examined | None) -> int | None:
    """Check 18: how many receipts the bundle before sent into this one, `None` when it continues none.

    What was found wrong with the bundle itself stays what decided.
    """
    if examined is None:
        chain.skip()
        return None
    try:
        link = chain.add(examined.bundle)
    except EvidenceError as error:
        if not course.ended:
            course.failed(checks.CHAIN, error)
        return None
    if link is None:
        return None
    course.passed(checks.CHAIN, "continues the one before")
    return link.received


def _expect(course: Course, examined: Examined, demands: Demands, *, received: int | None) -> None:
    """Check 20. It is only made where something was compared."""
    bundle = examined.bundle
    subject = Subject(bundle.claim, bundle.content, examined.parsed, examined.calls, received)
    unmet, compared, notes = judge(subject, demands.expectations, anchors=demands.anchors)
    if unmet is not None:
        end = course.doubted if unmet.undecided else course.failed
        end(checks.EXPECTATIONS, unmet.error)
    elif compared:
        course.passed(checks.EXPECTATIONS, "; ".join(("the claim is about what was expected", *notes)))
    else:
        course.skipped(checks.EXPECTATIONS, "; ".join(("nothing is expected of the claim", *notes)))


def concluded(
    data: bytes,
    course: Course,
    required: frozenset[Strength],
    *,
    strengths: frozenset[Strength],
    unconstrained: tuple[str, ...],
) -> Report:
    """The report on `data`, of which `strengths` were found.

    Checks of which nothing is known are said to have been decided before, or not to be asked for.
    """
    missing = sorted(required - strengths, key=lambda strength: strength.value)
    decided = next((result for result in course.results.values() if result.status is Status.FAILED), None)
    if decided is not None and not course.malformed:
        verdict = Verdict.CONTRADICTED
    elif missing or course.ended or course.doubt is not None:
        verdict = Verdict.INCONCLUSIVE
    else:
        verdict = Verdict.ESTABLISHED
    after = f"check {_deciding(course)} decided" if course.ended else "not asked for"
    for check in CHECKS:
        course.skipped(check, after)
    results = tuple(course.results[check.number] for check in CHECKS)
    code, message = course.code, course.message
    if verdict is Verdict.INCONCLUSIVE and not course.ended and course.doubt is not None:
        code, message = course.doubt.code, course.doubt.message
    elif verdict is Verdict.INCONCLUSIVE and not course.ended:
        code, message = "undecided", f"{missing[0].value} is asked for and was not looked at"
    if verdict is Verdict.ESTABLISHED:
        message = f"established: {', '.join(sorted(strength.value for strength in strengths))}"
    file_digest = sha256(data)
    made = None
    if verdict is Verdict.ESTABLISHED and course.claim is not None:
        made = _established(course.claim, file_digest=file_digest, strengths=strengths)
    return Report(
        file_digest=file_digest,
        claim=course.claim,
        checks=results,
        strengths=strengths,
        required=required,
        verdict=verdict,
        code=code,
        message=message,
        malformed=course.malformed,
        unconstrained=unconstrained,
        signers=() if course.signed is None else course.signed.signers,
        evidence=course.evidence,
        established=made,
    )


def _deciding(course: Course) -> int:
    """The number of the check that ended the verification."""
    return next(number for number, result in course.results.items() if result.code == course.code)


def strengths_of(course: Course, consistent: Collection[Check], re_executed: Collection[Check]) -> frozenset[Strength]:
    """What has been found, each when all of its checks passed; nothing counts for what is not consistent."""

    def all_passed(*needed: Check) -> bool:
        found = [course.results.get(check.number) for check in needed]
        return all(result is not None and result.status is Status.PASSED for result in found)

    if not all_passed(*consistent):
        return frozenset()
    needed = {
        Strength.SIGNED: (checks.SIGNATURES,),
        Strength.ATTESTED: (checks.ATTESTATION,),
        Strength.RE_EXECUTED: tuple(re_executed),
    }
    return frozenset({Strength.CONSISTENT, *(name for name, those in needed.items() if all_passed(*those))})


def _established(claim: Claim, *, file_digest: bytes, strengths: frozenset[Strength]) -> VerifiedClaim:
    """The one place where a verified claim is made."""
    made = VerifiedClaim.__new__(VerifiedClaim)
    fields = {"claim": claim, "claim_digest": claim_digest(claim), "file_digest": file_digest, "strengths": strengths}
    for name, value in fields.items():
        object.__setattr__(made, name, value)
    return made


def verified(report: Report, data: bytes) -> VerifiedClaim:
    """The claim of the bundle `data` for further use, when `report` is about it and established it.

    Raises `EvidenceError` otherwise: what a report says of itself is not believed.
    """
    if report.file_digest != sha256(data):
        raise EvidenceError("the report is about another bundle", code="other-bundle")
    if report.established is None or report.verdict is not Verdict.ESTABLISHED:
        raise EvidenceError(f"nothing is established: {report.message}", code=report.code)
    if report.established.file_digest != report.file_digest:
        raise EvidenceError("the report is put together from others", code="other-bundle")
    return report.established
