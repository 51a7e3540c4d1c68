"""Verification of claims about programs: each check refuses what it is there for, and nothing changed goes through."""

import pytest

from near_tee_cli.attest.trust import Trust
from near_tee_cli.errors import EvidenceError
from near_tee_cli.isolate.child import Death, Paths
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.proof.bundle import EVIDENCE, KEY_PATHS, Attachment, decode_bundle
from near_tee_cli.proof.expectations import NAMES, Expectations
from near_tee_cli.proof.report import Status, Strength, Verdict
from near_tee_cli.proof.signatures import sign_bundle
from near_tee_cli.proof.verifier import DEFAULT_REQUIRED, NO_REPLAY, Demands
from near_tee_cli.worker.attested_key import EPHEMERAL, AttestedKey
from near_tee_cli.worker.wasi_bundle import decode_wasi_bundle, encode_wasi_bundle
from near_tee_cli.worker.wasi_statement import claim_digest
from near_tee_cli.worker.wasi_verifier import ANOTHER_KIND, VerifiedWasi, begin_wasi, shortened, verified_wasi
from tests.reject.signed import signing
from tests.support.attested import GUEST, PLAINLY, agent_of, judging
from tests.support.bundles import small_proof
from tests.support.wasi_bundles import (
    ASKED,
    DEMANDS,
    answer_of,
    attested_bundle,
    run_here,
    signed_by,
    small_bundle,
)
from tests.support.wasi_programs import ENVIRONMENT, WORDS

SMALL = small_bundle()
RUN = run_here()
TRUST = Trust((signing(0)["public_key"],), 1)
MADE = {1, 2, 4, 5, 14, 16, 17, 20, *range(22, 31)}


def told(bundle, demands=DEMANDS, answer=None):
    data = bundle if isinstance(bundle, bytes) else encode_wasi_bundle(bundle)
    return begin_wasi(data, demands).report(answer_of(RUN) if answer is None else answer)


def failed(report):
    return [(one.number, one.code) for one in report.report.checks if one.status is Status.FAILED]


def doubted(report):
    return [(one.number, one.code) for one in report.report.checks if one.status is Status.NOT_MADE and one.code]


def test_established() -> None:
    found = told(SMALL)
    assert found.report.verdict is Verdict.ESTABLISHED
    assert found.report.strengths == DEFAULT_REQUIRED
    assert (found.claim, found.report.claim, found.report.established) == (SMALL.claim, None, None)
    made = verified_wasi(found)
    assert (made.claim, made.claim_digest, made.strengths) == (SMALL.claim, SMALL.claim_digest, DEFAULT_REQUIRED)
    others = {one.number for one in found.report.checks if one.detail == ANOTHER_KIND}
    assert others == {one.number for one in found.report.checks} - MADE
    assert {one.number for one in found.report.checks if one.status is Status.PASSED} == {1, 2, 4, 5, 14}


def test_nothing_is_executed_unless_asked() -> None:
    begun = begin_wasi(encode_wasi_bundle(SMALL), Demands(NO_REPLAY))
    assert not begun.wants_execution
    report = begun.report(None)
    assert (report.report.verdict, report.report.strengths) == (Verdict.ESTABLISHED, NO_REPLAY)


def again(bundle):
    """`bundle` with the digest of its claim."""
    return bundle._replace(claim_digest=claim_digest(bundle.claim))


def outcome(**changes):
    return again(SMALL._replace(claim=SMALL.claim._replace(outcome=SMALL.claim.outcome._replace(**changes))))


def task(**changes):
    return again(SMALL._replace(claim=SMALL.claim._replace(task=SMALL.claim.task._replace(**changes))))


@pytest.mark.parametrize(
    ("bundle", "decided"),
    [
        (SMALL._replace(claim_digest=bytes(32)), (4, "claim-digest-mismatch")),
        (SMALL._replace(claim=SMALL.claim._replace(elapsed_ms=13)), (4, "claim-digest-mismatch")),
        (SMALL._replace(program=WORDS), (5, "other-program")),
        (SMALL._replace(program=WORDS, program_hash=sha256(WORDS)), (5, "other-program")),
        (SMALL._replace(program=None, program_hash=bytes(32)), (5, "other-program")),
        (SMALL._replace(stdin=b"hallo"), (5, "other-input")),
        (SMALL._replace(environment=ASKED.environment[::-1]), (5, "other-environment")),
        (SMALL._replace(stdout=b"hallo"), (5, "other-output")),
        (SMALL._replace(stderr=b"x"), (5, "other-errors")),
        (outcome(stdout_length=6), (5, "other-output")),
        (outcome(stderr_length=1), (5, "other-errors")),
        (outcome(instructions=5), (14, "wasi-diverged")),
        (outcome(memory_pages=2), (14, "wasi-diverged")),
        (outcome(exit=1), (14, "wasi-diverged")),
        (outcome(exit=None, trap="unreachable"), (14, "wasi-diverged")),
    ],
)
def test_each_is_refused_by_its_check(bundle, decided) -> None:
    found = told(bundle)
    assert failed(found) == [decided]
    assert found.report.verdict is Verdict.CONTRADICTED
    assert found.established is None
    with pytest.raises(EvidenceError):
        verified_wasi(found)


def test_an_output_that_was_not_printed() -> None:
    lie = outcome(stdout=sha256(b"hallo"))._replace(stdout=b"hallo")
    assert failed(told(lie)) == [(14, "wasi-diverged")]
    assert told(lie, Demands(NO_REPLAY)).report.verdict is Verdict.ESTABLISHED


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Death("timeout", "x"), "too-expensive"),
        (Death("out-of-memory", "x"), "out-of-memory"),
        (b"\0", "child-crashed"),
        (b"nonsense", "child-crashed"),
        (b'\1{"code":"host-stack","kind":"host","message":"x"}', "host-stack"),
        (answer_of(RUN._replace(metering="wasmtime-1-fuel")), "unsupported-metering"),
    ],
)
def test_what_the_child_cannot_tell_is_no_contradiction(answer, code) -> None:
    found = told(SMALL, answer=answer)
    assert (found.report.verdict, found.report.code, doubted(found)) == (Verdict.INCONCLUSIVE, code, [(14, code)])
    assert found.established is None


def test_a_program_that_is_none() -> None:
    answer = b'\1{"code":"bad-program","kind":"input","message":"x"}'
    assert failed(told(SMALL, answer=answer)) == [(14, "wasi-diverged")]


def test_a_program_that_travels_apart() -> None:
    apart = SMALL._replace(program=None)
    begun = begin_wasi(encode_wasi_bundle(apart), DEMANDS)
    assert begun.starter(Paths((), ()), seconds=5) is None
    assert begun.report(None).report.code == "missing-code"
    codes = {sha256(ASKED.program): ASKED.program}
    assert told(apart, DEMANDS._replace(codes=codes)).report.verdict is Verdict.ESTABLISHED
    other = {sha256(ASKED.program): ENVIRONMENT}
    assert told(apart, DEMANDS._replace(codes=other)).report.code == "missing-code"


def test_signatures() -> None:
    asking = DEMANDS._replace(required=DEFAULT_REQUIRED | {Strength.SIGNED}, trusts=(TRUST,))
    assert told(signed_by(SMALL, 0), asking).report.strengths == DEFAULT_REQUIRED | {Strength.SIGNED}
    assert told(SMALL, asking).report.code == "not-signed"
    assert told(signed_by(SMALL, 1), asking).report.code == "untrusted"
    slower = again(SMALL._replace(claim=SMALL.claim._replace(elapsed_ms=13)))
    moved = slower._replace(attachments=signed_by(SMALL, 0).attachments)
    assert failed(told(moved, asking)) == [(16, "other-claim")]
    of_a_bundle = signed_state().attachments
    assert failed(told(SMALL._replace(attachments=of_a_bundle), asking)) == [(16, "other-claim")]
    broken = [one._replace(data=one.data[:-1] + b"\0") for one in signed_by(SMALL, 0).attachments if one.kind == 2]
    assert failed(told(SMALL._replace(attachments=tuple(broken)), asking)) == [(16, "bad-signature")]


def signed_state():
    return sign_bundle(decode_bundle(small_proof().data), **signing(0))


def test_no_byte_can_be_changed() -> None:
    """Signed: whatever changes is contradicted, malformed or of another version, and never established."""
    data = encode_wasi_bundle(signed_by(SMALL, 0))
    asking = DEMANDS._replace(required=DEFAULT_REQUIRED | {Strength.SIGNED}, trusts=(TRUST,))
    assert told(data, asking).report.verdict is Verdict.ESTABLISHED
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1 << at % 8
        found = told(bytes(changed), asking)
        assert found.report.verdict is not Verdict.ESTABLISHED, at
        assert found.established is None


def test_attachments_of_another_kind() -> None:
    for kind in (KEY_PATHS, 9):
        found = told(SMALL._replace(attachments=(Attachment(kind, b"x"),)))
        assert (found.report.verdict, found.report.code) == (Verdict.INCONCLUSIVE, "unsupported-attachments")


def test_evidence() -> None:
    asking = DEMANDS._replace(required=DEFAULT_REQUIRED | {Strength.ATTESTED}, attesting=judging())
    found = told(attested_bundle(), asking)
    assert found.report.strengths == asking.required
    assert {one.number for one in found.report.checks if one.status is Status.PASSED} >= {17, *range(22, 31)}
    assert told(attested_bundle(), asking._replace(attesting=judging(allow_dev=False))).report.code == (
        "evidence-simulated"
    )
    assert told(SMALL, asking).report.code == "not-attested"
    alone = tuple(one for one in attested_bundle().attachments if one.kind == EVIDENCE)
    beside = SMALL._replace(attachments=tuple(sorted((*signed_by(SMALL, 0).attachments, *alone))))
    assert failed(told(beside, asking))[0] == (22, "key-not-bound")
    torn = SMALL._replace(attachments=(Attachment(EVIDENCE, b"{}"),))
    assert failed(told(torn)) == [(22, "bad-evidence")]


def test_a_quote_for_one_claim_is_not_for_another() -> None:
    other = small_bundle(ASKED._replace(stdin=b"other"))
    made = [
        verified_wasi(told(one, answer=answer_of(run_here(ASKED._replace(stdin=one.stdin))))) for one in (SMALL, other)
    ]
    with agent_of() as agent:
        asked = PLAINLY._replace(per_claim=True)
        key = AttestedKey(agent, kind=EPHEMERAL, asked=asked, collateral=GUEST.pki.collateral())
        first, second = key.sign_wasi(SMALL, made[0]), key.sign_wasi(other, made[1])
    asking = Demands(NO_REPLAY | {Strength.ATTESTED}, attesting=judging())
    assert told(first, asking).report.verdict is Verdict.ESTABLISHED
    evidence = [one for one in second.attachments if one.kind == EVIDENCE]
    swapped = first._replace(attachments=(*(one for one in first.attachments if one.kind != EVIDENCE), *evidence))
    assert failed(told(swapped, asking)) == [(22, "evidence-mismatch")]


def test_an_attested_key_signs_nothing_else() -> None:
    with agent_of() as agent:
        key = AttestedKey(agent, kind=EPHEMERAL, asked=PLAINLY, collateral=None)
        unexecuted = verified_wasi(told(SMALL, Demands(NO_REPLAY)))
        executed = verified_wasi(told(SMALL))
        slower = again(SMALL._replace(claim=SMALL.claim._replace(elapsed_ms=13)))
        for bundle, made in ((SMALL, unexecuted), (slower, executed), (SMALL._replace(claim=slower.claim), executed)):
            with pytest.raises(EvidenceError) as caught:
                key.sign_wasi(bundle, made)
            assert caught.value.code == "not-verified"
    with pytest.raises(TypeError):
        VerifiedWasi()
    with pytest.raises(AttributeError):
        executed.strengths = frozenset(Strength)
    with pytest.raises(AttributeError):
        del executed.claim


def test_expectations() -> None:
    def expecting(**values):
        return told(SMALL, DEMANDS._replace(expectations=(Expectations(**values),))).report

    good = expecting(network=frozenset({"mainnet"}), contract=frozenset({"outlayer.near"}))
    assert (good.verdict, good.unconstrained) == (Verdict.ESTABLISHED, ("code_hash",))
    assert expecting(code_hash=frozenset({sha256(ASKED.program)})).verdict is Verdict.ESTABLISHED
    for name, value, code in (
        ("network", frozenset({"testnet"}), "unexpected-network"),
        ("contract", frozenset({"o.near"}), "unexpected-contract"),
        ("code_hash", frozenset({bytes(32)}), "unexpected-code"),
    ):
        assert expecting(**{name: value}).code == code
    for name in set(NAMES) - {"network", "contract", "code_hash"}:
        value = 5 if name in ("min_height", "max_height", "max_age") else frozenset({"x"})
        found = expecting(**{name: value})
        assert (found.verdict, found.code.startswith("unexpected-")) == (Verdict.CONTRADICTED, True)


def test_a_verifier_bounds_what_a_claim_asks_for() -> None:
    limits = ASKED.limits._replace(seconds=24 * 3600)
    bounds = shortened(limits, 2.0)
    assert bounds.wall_seconds == 2.0
    assert bounds.cpu_seconds < 20
    assert shortened(ASKED.limits, 60.0).wall_seconds < 60


def test_what_is_no_such_file_is_malformed() -> None:
    report = told(encode_wasi_bundle(SMALL)[:-1]).report
    assert (report.malformed, report.code, report.claim) == (True, "malformed-wasi-bundle", None)
    other = bytearray(encode_wasi_bundle(SMALL))
    other[8] = 2
    assert told(bytes(other)).report.code == "unsupported-wasi-bundle-version"
    assert decode_wasi_bundle(encode_wasi_bundle(SMALL)) == SMALL
