"""Verdicts, strengths, and what ends in which of them."""

import pytest

from near_tee_cli.errors import EvidenceError
from near_tee_cli.proof.bundle import COMPACT_SIGNATURE, KEY_PATHS, MAGIC, Attachment, decode_bundle, encode_bundle
from near_tee_cli.proof.chain import Chain
from near_tee_cli.proof.checks import CHECKS
from near_tee_cli.proof.claim import claim_digest
from near_tee_cli.proof.expectations import Expectations
from near_tee_cli.proof.report import Report, Status, Strength, Verdict, VerifiedClaim
from near_tee_cli.proof.verifier import NO_REPLAY, Demands, begin, verified, verify
from tests.reject.chains import consecutive
from tests.support.bundles import consistent, decided, executed, relabelled, small_proof
from tests.support.machines import machine

BOTH = frozenset({Strength.CONSISTENT, Strength.RE_EXECUTED})


def statuses(report: Report) -> list[str]:
    return [result.status.value for result in report.checks]


def test_a_bundle_verified_with_execution() -> None:
    report = executed(small_proof().data)
    assert (report.verdict, report.code, report.malformed) == (Verdict.ESTABLISHED, None, False)
    assert report.strengths == report.required == BOTH
    assert statuses(report) == ["passed"] * 15 + ["not-made"] * (len(CHECKS) - 15)
    assert [result.number for result in report.checks] == [check.number for check in CHECKS]
    assert report.claim == small_proof().claim
    assert report.message == "established: consistent, re-executed"


def test_and_without() -> None:
    report = consistent(small_proof().data)
    assert (report.verdict, report.strengths) == (Verdict.ESTABLISHED, NO_REPLAY)
    assert statuses(report) == ["passed"] * 13 + ["not-made"] * (len(CHECKS) - 13)
    assert report.checks[13].detail == "not asked for"


def test_nothing_is_executed_unless_asked_for() -> None:
    class Forbidden:
        def run(self, *_args, **_kwargs):
            pytest.fail("something was executed")

    report = verify(small_proof().data, machine=Forbidden(), require=[Strength.CONSISTENT])
    assert report.verdict is Verdict.ESTABLISHED
    assert Strength.RE_EXECUTED not in report.strengths


def test_execution_needs_a_machine() -> None:
    with pytest.raises(ValueError, match="machine"):
        verify(small_proof().data, machine=None)


@pytest.mark.parametrize(("strength", "code"), [(Strength.SIGNED, "not-signed"), (Strength.ATTESTED, "not-attested")])
def test_what_is_not_there_is_inconclusive_and_never_passed(strength, code) -> None:
    report = verify(small_proof().data, machine=machine(), require=[strength])
    assert (report.verdict, report.code) == (Verdict.INCONCLUSIVE, code)
    assert strength.value in report.message
    assert report.strengths == NO_REPLAY
    report = verify(small_proof().data, machine=machine(), require=[strength, Strength.RE_EXECUTED])
    assert (report.verdict, report.code, report.strengths) == (Verdict.INCONCLUSIVE, code, BOTH)


@pytest.mark.parametrize(
    ("data", "number", "code"),
    [
        (b"", 1, "not-a-bundle"),
        (b"PK\3\4", 1, "not-a-bundle"),
        (MAGIC[:-1], 1, "not-a-bundle"),
        (MAGIC, 2, "malformed-bundle"),
        (MAGIC + b"\1", 2, "malformed-bundle"),
        (MAGIC + b"\1\0", 2, "malformed-bundle"),
        (MAGIC + b"\1\0" + b"\xff" * 1000, 2, "malformed-bundle"),
        (MAGIC + b"\1\0" + b"\0" * 5000, 2, "malformed-bundle"),
    ],
)
def test_what_is_no_bundle_is_bad_input(data, number, code) -> None:
    report = executed(data)
    assert report.malformed
    assert (report.verdict, report.code, report.claim) == (Verdict.INCONCLUSIVE, code, None)
    assert decided(report) == (number, code)
    assert report.strengths == frozenset()


def test_truncated_and_padded_files_are_bad_input() -> None:
    data = small_proof().data
    for damaged in (data[:-1], data[:100], data + b"\0", data + data):
        report = executed(damaged)
        assert report.malformed
        assert decided(report) == (2, "malformed-bundle")


@pytest.mark.parametrize("version", [0, 2, 255, 256])
def test_an_unknown_version_is_inconclusive(version) -> None:
    data = MAGIC + version.to_bytes(2, "little") + small_proof().data[10:]
    report = executed(data)
    assert (report.verdict, report.malformed) == (Verdict.INCONCLUSIVE, False)
    assert decided(report) == (1, "unsupported-bundle-version")


def test_attachments_are_reserved() -> None:
    data = small_proof().data
    assert data.endswith(b"\0\0\0\0")
    report = executed(data[:-4] + b"\1\0\0\0\xc8\0\0\0\0")
    assert (report.verdict, report.malformed) == (Verdict.INCONCLUSIVE, False)
    assert decided(report) == (1, "unsupported-attachments")


def test_an_unknown_protocol_version_is_inconclusive() -> None:
    bundle = decode_bundle(small_proof().data)
    claim = bundle.claim._replace(protocol_version=87)
    report = executed(encode_bundle(bundle._replace(claim=claim, claim_digest=claim_digest(claim))))
    assert report.verdict is Verdict.INCONCLUSIVE
    assert decided(report) == (3, "unsupported-protocol-version")


def test_too_expensive_is_inconclusive() -> None:
    data = small_proof().data
    gas = small_proof().claim.gas.total
    assert executed(data, max_gas=gas).verdict is Verdict.ESTABLISHED
    report = executed(data, max_gas=gas - 1)
    assert (report.verdict, report.strengths) == (Verdict.INCONCLUSIVE, NO_REPLAY)
    assert decided(report) == (14, "too-expensive")


def test_a_bundle_that_hides_its_cost_is_stopped() -> None:
    bundle = decode_bundle(small_proof().data)
    (*_, call) = [entry for entry in bundle.content.transitions[0].outcomes if entry.outcome.metadata.profile]

    class Costly:
        calls = 0

        def run(self, *args, **kwargs):
            self.calls += 1
            return machine().run(*args, **kwargs)._replace(burnt_gas=10**16)

    costly = Costly()
    report = verify(small_proof().data, machine=costly, max_gas=10**16)
    assert call is not None
    assert report.verdict is Verdict.CONTRADICTED
    assert costly.calls == 1


def test_code_that_travels_apart() -> None:
    bundle = decode_bundle(small_proof().data)
    code = bundle.content.codes[0]
    content = bundle.content._replace(codes=(code._replace(code=None),))
    detached = encode_bundle(bundle._replace(content=content))
    report = executed(detached)
    assert (report.verdict, report.strengths) == (Verdict.INCONCLUSIVE, NO_REPLAY)
    assert decided(report) == (14, "missing-code")
    assert executed(detached, codes={code.hash: code.code}).verdict is Verdict.ESTABLISHED
    assert decided(executed(detached, codes={code.hash: b"other"})) == (14, "missing-code")
    assert relabelled(content, bundle.claim) == detached


def test_a_verified_claim_is_only_made_by_verifying() -> None:
    data = small_proof().data
    report = executed(data)
    claim = verified(report, data)
    assert (claim.claim, claim.strengths) == (small_proof().claim, BOTH)
    assert claim.claim_digest == claim_digest(claim.claim)
    with pytest.raises(EvidenceError) as caught:
        verified(report, data + b"\0")
    assert caught.value.code == "other-bundle"
    failed = executed(data[:-1])
    with pytest.raises(EvidenceError) as caught:
        verified(failed, data[:-1])
    assert caught.value.code == "malformed-bundle"
    with pytest.raises(TypeError, match="only verifying"):
        VerifiedClaim()
    assert failed.established is None
    assert consistent(FIRST).established.strengths == NO_REPLAY


def test_no_report_is_made_up() -> None:
    """What a report says of itself is not believed; only its claim for further use counts, for its own file."""
    data = small_proof().data
    report, other = executed(data), consistent(FIRST)
    refused = executed(data, expectations=(Expectations(network=frozenset({"other"})),))
    said = refused._replace(verdict=Verdict.ESTABLISHED, strengths=BOTH, code=None)
    for made_up, code in (
        (said, "verify-failed"),
        (said._replace(established=other.established), "other-bundle"),
        (report._replace(established=other.established), "other-bundle"),
        (report._replace(verdict=Verdict.CONTRADICTED, code="no"), "no"),
        (report._replace(established=None, code="no"), "no"),
    ):
        with pytest.raises(EvidenceError) as caught:
            verified(made_up, data)
        assert caught.value.code == code


def test_a_verified_claim_stays_what_it_is() -> None:
    claim = verified(executed(small_proof().data), small_proof().data)
    for name in ("claim", "claim_digest", "file_digest", "strengths", "another"):
        with pytest.raises(AttributeError):
            setattr(claim, name, None)
        with pytest.raises(AttributeError):
            delattr(claim, name)
    same, weaker = executed(small_proof().data).established, consistent(small_proof().data).established
    assert (claim == same, hash(claim) == hash(same), claim == weaker, claim == "claim") == (True, True, False, False)


def test_a_check_that_was_not_made_says_which_one_decided() -> None:
    report = executed(small_proof().data[:-1])
    assert report.checks[1].status is Status.FAILED
    assert {result.detail for result in report.checks[2:15]} == {"check 2 decided"}
    assert [result.detail for result in report.checks[15:19]] == [
        "check 2 decided",
        "check 2 decided",
        "a single bundle, or the first of a chain",
        "not present",
    ]


FIRST, SECOND, THIRD = (encode_bundle(bundle) for bundle in consecutive(3))


def begun(data, chain=None, **demands):
    return begin(data, Demands(BOTH, **demands), chain=chain)


def in_a_chain(*files, **demands):
    """The reports of the files as one chain."""
    chain = Chain()
    courses = [begin(data, Demands(NO_REPLAY, **demands), chain=chain) for data in files]
    return [course.report(None) for course in courses]


def test_a_place_in_a_chain_is_a_check_of_its_own() -> None:
    first, second = in_a_chain(FIRST, SECOND)
    assert (first.verdict, first.checks[17].status) == (Verdict.ESTABLISHED, Status.NOT_MADE)
    assert first.checks[17].detail == "a single bundle, or the first of a chain"
    assert (second.verdict, second.checks[17].status) == (Verdict.ESTABLISHED, Status.PASSED)
    assert second.checks[17].detail == "continues the one before"
    _, third = in_a_chain(FIRST, THIRD)
    assert (third.verdict, third.code, decided(third)) == (Verdict.CONTRADICTED, "chain-root", (18, "chain-root"))
    course = begun(FIRST, chain=chain_behind(SECOND))
    assert not course.wants_execution


def chain_behind(data):
    chain = Chain()
    chain.add(decode_bundle(data))
    return chain


def test_a_break_of_the_chain_does_not_hide_what_is_wrong_with_the_bundle() -> None:
    false = encode_bundle(decode_bundle(FIRST)._replace(claim_digest=bytes(32)))
    _, report = in_a_chain(SECOND, false)
    assert (decided(report), report.code) == ((4, "claim-digest-mismatch"), "claim-digest-mismatch")
    assert report.checks[17].status is Status.NOT_MADE


def test_what_cannot_be_read_is_a_gap_in_a_chain() -> None:
    _, unread, last = in_a_chain(FIRST, SECOND[:-1], SECOND)
    assert (unread.code, last.code) == ("malformed-bundle", "chain-gap")


def test_a_broken_chain_decides_before_what_is_expected() -> None:
    other = (Expectations(network=frozenset({"other"})),)
    assert [report.code for report in in_a_chain(SECOND, FIRST, expectations=other)] == [
        "unexpected-network", "chain-root",
    ]  # fmt: skip


def test_what_the_bundle_before_sent_is_not_from_outside() -> None:
    """A refund that goes to the caller comes into the second bundle; alone it is no business of the contract."""
    expected = (Expectations(contract=frozenset({"a.near"}), method=frozenset({"set"})),)
    assert [report.verdict for report in in_a_chain(FIRST, SECOND, expectations=expected)] == [Verdict.ESTABLISHED] * 2


def test_what_cannot_be_read_is_not_executed() -> None:
    course = begun(small_proof().data[:-1])
    assert (course.bundle, course.wants_execution) == (None, False)
    with pytest.raises(ValueError, match="cannot be read"):
        course.execute(lambda *_args, **_more: pytest.fail("something was executed"))


@pytest.mark.parametrize(
    "beside",
    [
        {"attachments": (Attachment(COMPACT_SIGNATURE, bytes(96)),)},
        {"attachments": (Attachment(KEY_PATHS, b""),)},
        {},
    ],
)
def test_the_first_failure_decides_whatever_else_is_wrong(beside) -> None:
    """A false digest before a false signature, false paths, and an expectation that is not met."""
    data = encode_bundle(BUNDLE._replace(claim_digest=bytes(32), **beside))
    expectations = () if beside else (Expectations(network=frozenset({"other"})),)
    report = verify(data, require=NO_REPLAY, expectations=expectations)
    assert (decided(report), report.code) == ((4, "claim-digest-mismatch"), "claim-digest-mismatch")
    assert [result.status for result in report.checks[4:]] == [Status.NOT_MADE] * (len(CHECKS) - 4)
    assert verify(encode_bundle(BUNDLE._replace(**beside)), require=NO_REPLAY, expectations=expectations).code not in (
        None,
        "claim-digest-mismatch",
    )


def test_a_false_signature_decides_before_expectations_and_false_paths_before_both() -> None:
    expectations = (Expectations(network=frozenset({"other"})),)
    signature, paths = Attachment(COMPACT_SIGNATURE, bytes(96)), Attachment(KEY_PATHS, b"")
    found = [
        decided(
            verify(encode_bundle(BUNDLE._replace(attachments=beside)), require=NO_REPLAY, expectations=expectations)
        )
        for beside in ((), (signature,), tuple(sorted((signature, paths))))
    ]
    assert [code for _, code in found] == ["unexpected-network", "bad-signature", "key-path-mismatch"]


def test_details() -> None:
    report = consistent(small_proof().data)
    assert report.checks[15].detail == "not present"
    assert report.checks[19].detail == "nothing is expected of the claim"
    assert report.checks[20].detail == "not present"
    report = executed(small_proof().data[:-1])
    assert (report.checks[0].status, report.checks[0].detail) == (Status.PASSED, "a bundle")


BUNDLE = decode_bundle(small_proof().data)
