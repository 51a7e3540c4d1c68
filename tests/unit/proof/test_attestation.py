"""Checks 22 to 30 and 17: evidence beside a claim, and every way in which it is about something else."""

import pytest

from near_tee_cli.attest.appraisal import Chain
from near_tee_cli.attest.environment import HARDWARE, Environment
from near_tee_cli.attest.quote import parse_quote
from near_tee_cli.attest.report_data import RawKey
from near_tee_cli.attest.simulator import SimulatedGuest
from near_tee_cli.errors import EvidenceError
from near_tee_cli.proof.attestation import Attesting
from near_tee_cli.proof.bundle import ENVELOPE, EVIDENCE, Attachment, decode_bundle, encode_bundle
from near_tee_cli.proof.checks import ATTESTATION, EVIDENCE_CHECKS
from near_tee_cli.proof.evidence_part import MAX_PARTS, attached, encode_evidence, parse_evidence
from near_tee_cli.proof.report import Status, Strength, Verdict
from near_tee_cli.proof.signatures import sign_bundle
from near_tee_cli.proof.verifier import verify
from near_tee_cli.worker.attested_key import KMS, Asked, AttestedKey
from tests.reject.signed import KEYS, signed, signing
from tests.support.attested import GUEST, ISSUED, NOW, agent_of, attested, established, judging, policy_for
from tests.support.bundles import bundle_of, decided, small_proof

ASKED = (Strength.ATTESTED,)
PARTS = range(21, 30)


def judged(bundle, attesting=None, require=ASKED):
    return verify(encode_bundle(bundle), require=require, attesting=attesting)


def part_of(bundle):
    return parse_evidence(next(item.data for item in bundle.attachments if item.kind == EVIDENCE))


def with_part(bundle, part):
    others = [item for item in bundle.attachments if item.kind != EVIDENCE]
    return bundle._replace(attachments=tuple(sorted({*others, attached(part)})))


def statuses(report):
    return {report.checks[at].status for at in PARTS}


def test_accepted() -> None:
    report = judged(attested(), judging())
    assert (report.verdict, report.code) == (Verdict.ESTABLISHED, None), report.message
    assert report.strengths == {Strength.CONSISTENT, Strength.ATTESTED}
    assert statuses(report) == {Status.PASSED}
    assert report.checks[16].status is Status.PASSED
    assert report.evidence.key in report.signers
    assert report.evidence.environment.mode == "simulated"
    assert "signed" not in report.message


def test_it_needs_no_naming_and_is_no_signed() -> None:
    report = judged(attested(), judging(), require=(Strength.ATTESTED, Strength.SIGNED))
    assert (report.verdict, report.code) == (Verdict.INCONCLUSIVE, "no-trusted-key")
    assert Strength.ATTESTED in report.strengths


def test_not_asked_for_is_no_doubt() -> None:
    report = judged(attested(), require=(Strength.CONSISTENT,))
    assert (report.verdict, report.code) == (Verdict.ESTABLISHED, None)
    assert report.strengths == {Strength.CONSISTENT}
    assert report.checks[21].status is Status.PASSED
    assert report.checks[16].status is Status.NOT_MADE
    assert all(report.checks[at].code is None for at in PARTS)


@pytest.mark.parametrize(
    ("attesting", "code"),
    [
        (None, "no-time"),
        (Attesting(time=NOW), "evidence-simulated"),
        (judging(policy=None), "no-policy"),
        (judging(time=None), "no-time"),
        (judging(time=NOW + 400 * 86_400), "evidence-expired"),
        (judging(time=ISSUED - 1), "evidence-not-yet-valid"),
        (judging(allow_dev=False), "evidence-simulated"),
        (judging(policy=policy_for(binding={"require_challenge": True})), "challenge-missing"),
        (judging(policy=policy_for(binding={"max_anchor_age_blocks": 5})), "anchor-age-unknown"),
    ],
)
def test_what_cannot_be_told(attesting, code) -> None:
    report = judged(attested(), attesting)
    assert (report.verdict, report.code) == (Verdict.INCONCLUSIVE, code)
    assert Strength.ATTESTED not in report.strengths


def test_without_evidence() -> None:
    for bundle in (decode_bundle(small_proof().data), signed(0)):
        report = judged(bundle, judging())
        assert (report.verdict, report.code) == (Verdict.INCONCLUSIVE, "not-attested")
        assert decided(report) == (17, "not-attested")


OTHER = SimulatedGuest(seed=b"another guest", issued=ISSUED)


@pytest.mark.parametrize(
    ("number", "code", "attesting"),
    [
        (23, "other-root", judging(dev_root=OTHER.pki.root)),
        (24, "tcb-status", judging(policy=policy_for(tcb={"allowed": ["OutOfDate"]}))),
        (27, "compose-hash-not-allowed", judging(policy=policy_for(app={"compose_hashes": ["00" * 32]}))),
        (28, "measurements-not-allowed", judging(policy=policy_for(measurements=[]))),
        (29, "ppid-not-allowed", judging(policy=policy_for(platform={"ppids": ["00" * 16]}))),
        (30, "challenge-mismatch", judging(chain=Chain(challenge=b"now"))),
    ],
)
def test_what_a_policy_does_not_accept(number, code, attesting) -> None:
    report = judged(attested(), attesting)
    assert (report.verdict, report.code) == (Verdict.CONTRADICTED, code)
    assert report.checks[number - 1].code == code
    assert [one.number for one in report.checks if one.status is Status.FAILED] == [number]


def test_collateral_of_the_verifier_wins() -> None:
    bundle = with_part(
        attested(), part_of(attested())._replace(evidence=part_of(attested()).evidence._replace(collateral=None))
    )
    report = judged(bundle, judging())
    assert (report.verdict, report.code) == (Verdict.INCONCLUSIVE, "no-collateral")
    report = judged(bundle, judging(collateral=GUEST.pki.collateral()))
    assert report.verdict is Verdict.ESTABLISHED
    assert report.evidence.collateral_of_verifier
    report = judged(attested(), judging(collateral=b"{}"))
    assert decided(report) == (23, "bad-collateral")


def stolen(guest=GUEST):
    """The evidence of a genuine key beside the signature of somebody else's."""
    return with_part(signed(0), part_of(attested(guest)))


def lying_about(**changes):
    """Signed by a key that nobody attested, and says that it lives where the genuine one does."""
    part = part_of(attested())
    environment = Environment("simulated", parse_quote(part.evidence.quote).identity)._replace(**changes)
    bundle = sign_bundle(decode_bundle(small_proof().data), **signing(0), environment=environment)
    return with_part(bundle, part)


def moved():
    """The signature and evidence of one claim beside another."""
    other = bundle_of("runtime/transactions/transactions-views")
    return other._replace(attachments=attested().attachments)


def for_another_claim():
    """A quote that was made for one claim, and a signature of its key for another."""
    with agent_of() as agent:
        key = AttestedKey(agent, kind=KMS, asked=Asked(), collateral=GUEST.pki.collateral())
        part = key._bound(b"\1" * 32)
        environment = Environment(key.mode, parse_quote(part.evidence.quote).identity)
        bundle = sign_bundle(
            decode_bundle(small_proof().data), public_key=key.public_key, sign=key._signature, environment=environment
        )
    return with_part(bundle, part)


def other_evidence():
    """Evidence of the same key, made again: the signature names the first."""
    with agent_of() as agent:
        one = AttestedKey(agent, kind=KMS, asked=Asked(), collateral=None)
        two = AttestedKey(agent, kind=KMS, asked=Asked(challenge=b"again"), collateral=GUEST.pki.collateral())
        bundle = one.sign(decode_bundle(small_proof().data), established())
        return with_part(bundle, two._part)


def rebound():
    """A quote that says it binds another key than it does."""
    part = part_of(attested())
    return with_part(attested(), part._replace(evidence=part.evidence._replace(binding=RawKey(KEYS[0]))))


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (stolen, "key-not-bound"),
        (lying_about, "key-not-bound"),
        (for_another_claim, "other-claim"),
        (other_evidence, "evidence-mismatch"),
        (rebound, "report-data-mismatch"),
    ],
)
def test_evidence_about_something_else_contradicts_whatever_was_asked(make, code) -> None:
    for attesting, require in ((judging(), ASKED), (None, (Strength.CONSISTENT,))):
        report = judged(make(), attesting, require)
        assert (report.verdict, decided(report)) == (Verdict.CONTRADICTED, (22, code))


def test_a_signature_of_another_claim_is_found_before() -> None:
    assert decided(judged(moved(), judging())) == (16, "other-claim")


def test_simulated_evidence_cannot_claim_to_be_hardware() -> None:
    """Whatever the agent says of itself: under Intel's root there is nothing."""
    part = part_of(attested())
    key = part.evidence.binding.key
    with agent_of() as agent:
        mine = AttestedKey(agent, kind=KMS, asked=Asked(), collateral=GUEST.pki.collateral())
        environment = Environment(HARDWARE, parse_quote(mine._part.evidence.quote).identity)
        bundle = sign_bundle(
            decode_bundle(small_proof().data),
            public_key=mine.public_key,
            sign=mine._signature,
            environment=environment,
        )
        bundle = with_part(bundle, mine._part)
    assert key != mine.public_key
    report = judged(bundle, judging())
    assert (report.verdict, report.code) == (Verdict.CONTRADICTED, "other-root")
    assert Strength.ATTESTED not in report.strengths


def test_of_several_pieces_a_contradicted_one_decides_then_an_accepted_one() -> None:
    twice = attested()._replace(
        attachments=tuple(sorted({*attested().attachments, attached(part_of(attested())._replace(vm_config=b"{}"))}))
    )
    assert judged(twice, judging()).verdict is Verdict.ESTABLISHED
    bad = twice._replace(attachments=tuple(sorted({*twice.attachments, attached(part_of(rebound()))})))
    assert decided(judged(bad, judging())) == (22, "report-data-mismatch")
    many = [attached(part_of(attested())._replace(vm_config=b"%d" % at)) for at in range(MAX_PARTS + 1)]
    flood = attested()._replace(attachments=tuple(sorted({*attested().attachments, *many})))
    assert decided(judged(flood)) == (22, "bad-evidence")


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"\xff", b'{"type":"other"}', encode_evidence(part_of(attested())) + b" "]
)
def test_what_is_no_evidence(data) -> None:
    bundle = signed(0)
    bundle = bundle._replace(attachments=tuple(sorted({*bundle.attachments, Attachment(EVIDENCE, data)})))
    for require in (ASKED, (Strength.CONSISTENT,)):
        report = judged(bundle, judging(), require)
        assert (report.verdict, decided(report)) == (Verdict.CONTRADICTED, (22, "bad-evidence"))


def test_one_text_of_one_content() -> None:
    part = part_of(attested())
    assert parse_evidence(encode_evidence(part)) == part
    raw = part._replace(evidence=part.evidence._replace(binding=RawKey(KEYS[0]), event_log=None), vm_config=None)
    assert parse_evidence(encode_evidence(raw)) == raw


def test_a_key_signs_only_what_was_verified_here() -> None:
    bundle = decode_bundle(small_proof().data)
    consistent = verify(small_proof().data, require=(Strength.CONSISTENT,))
    from near_tee_cli.proof.verifier import verified

    with agent_of() as agent:
        key = AttestedKey(agent, kind=KMS, asked=Asked(), collateral=None)
        for what, claim in (
            (bundle, verified(consistent, small_proof().data)),
            (bundle_of("runtime/transactions/transactions-views"), established()),
            (bundle._replace(claim=bundle.claim._replace(post_root=bytes(32))), established()),
            (bundle._replace(claim_digest=bytes(32)), established()),
        ):
            with pytest.raises(EvidenceError) as caught:
                key.sign(what, claim)
            assert caught.value.code == "not-verified"


def test_a_quote_for_each_claim() -> None:
    bundle = attested(GUEST, Asked(per_claim=True, anchor_height=7, anchor_hash=b"\2" * 32))
    assert part_of(bundle).evidence.binding.scope_digest == bundle.claim_digest
    known = Chain(height=9, blocks={7: b"\2" * 32})
    policy = policy_for(binding={"max_anchor_age_blocks": 2})
    assert judged(bundle, judging(policy=policy, chain=known)).verdict is Verdict.ESTABLISHED
    stale = judged(bundle, judging(policy=policy, chain=known._replace(height=10)))
    assert (stale.verdict, stale.code) == (Verdict.INCONCLUSIVE, "anchor-too-old")


def test_keys_of_a_key_service_are_the_same_every_time_and_others_never() -> None:
    with agent_of() as agent:
        make = lambda kind: AttestedKey(agent, kind=kind, asked=Asked(), collateral=None).public_key  # noqa: E731
        assert make(KMS) == make(KMS)
        assert make("ephemeral") != make("ephemeral")


def test_which_service_issued_the_key() -> None:
    """Where a policy names key services, the signing key leads to one of them, for this very application."""
    hashes = {"compose_hashes": [GUEST.compose_hash.hex()]}
    wants = judging(policy=policy_for(app={**hashes, "kms_roots": [GUEST.kms_root.hex()]}))
    bundle = attested(kind=KMS)
    chain = part_of(bundle).evidence.key_chain
    assert judged(bundle, wants).verdict is Verdict.ESTABLISHED
    assert judged(bundle, judging()).verdict is Verdict.ESTABLISHED

    def with_chain(signatures):
        return with_part(
            bundle, part_of(bundle)._replace(evidence=part_of(bundle).evidence._replace(key_chain=signatures))
        )

    others = judging(policy=policy_for(app={**hashes, "kms_roots": [OTHER.kms_root.hex()]}))
    stranger = attested(
        SimulatedGuest(seed=b"a guest", issued=ISSUED, misbehave=frozenset({"other-key-chain"})), kind=KMS
    )
    for one, attesting, verdict, code in (
        (bundle, others, Verdict.CONTRADICTED, "kms-root-not-allowed"),
        (stranger, wants, Verdict.CONTRADICTED, "kms-root-not-allowed"),
        (with_chain((chain[1], chain[0])), wants, Verdict.CONTRADICTED, "kms-root-not-allowed"),
        (with_chain(chain[:1]), wants, Verdict.CONTRADICTED, "key-chain-malformed"),
        (with_chain((b"", b"")), wants, Verdict.CONTRADICTED, "key-chain-malformed"),
        (with_chain(None), wants, Verdict.INCONCLUSIVE, "key-chain-missing"),
        (attested(), wants, Verdict.INCONCLUSIVE, "key-chain-missing"),
    ):
        report = judged(one, attesting)
        assert (report.verdict, report.code, report.checks[26].code) == (verdict, code, code)


def test_the_environment_stands_inside_what_is_signed() -> None:
    """Nobody can take it out, or put another one in."""
    bundle = attested()
    envelope = next(item for item in bundle.attachments if item.kind == ENVELOPE)
    for old, new in ((b"simulated", b"hardware"), (b"sha256:", b"sha255:")):
        from near_tee_cli.attest.dsse import encode_envelope, parse_envelope

        inner = parse_envelope(envelope.data)
        changed = encode_envelope(inner._replace(payload=inner.payload.replace(old, new)))
        others = {item for item in bundle.attachments if item is not envelope}
        broken = bundle._replace(attachments=tuple(sorted({*others, Attachment(ENVELOPE, changed)})))
        number, code = decided(judged(broken, judging()))
        assert (number, code in ("bad-signature", "bad-envelope", "other-claim")) == (16, True)


def test_numbers() -> None:
    assert [check.number for check in EVIDENCE_CHECKS] == list(range(22, 31))
    assert ATTESTATION.number == 17
