"""Check 16: whose word counts, and every way in which a signature can be about something else."""

import json

import pytest

from near_tee_cli.attest.dsse import encode_envelope, parse_envelope
from near_tee_cli.attest.statement import encode_statement
from near_tee_cli.attest.trust import trust_in
from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives.keys import SECP256K1, public_key_of, secret_key_from_seed, sign
from near_tee_cli.proof.bundle import COMPACT_SIGNATURE, ENVELOPE, KEY_PATHS, Attachment, decode_bundle, encode_bundle
from near_tee_cli.proof.key_paths import with_key_paths
from near_tee_cli.proof.report import Status, Strength, Verdict
from near_tee_cli.proof.signatures import sign_bundle, statement_of
from near_tee_cli.proof.verifier import verify
from tests.reject.signed import BUNDLE, KEYS, compact_of, entries, signed


def judged(bundle, *trusts, require=(Strength.SIGNED,)):
    return verify(encode_bundle(bundle), require=require, trusts=trusts)


def trust(*numbers, threshold=1):
    return trust_in([KEYS[number] for number in numbers], threshold=threshold)


def test_signed_by_somebody_trusted() -> None:
    report = judged(signed(0), trust(0))
    assert (report.verdict, report.code) == (Verdict.ESTABLISHED, None)
    assert report.strengths == {Strength.CONSISTENT, Strength.SIGNED}
    assert report.signers == (KEYS[0],)
    assert report.checks[15].status is Status.PASSED
    assert judged(signed(0, 1), trust(1)).signers == (KEYS[0], KEYS[1])


@pytest.mark.parametrize(
    ("bundle", "trusts", "code"),
    [
        (BUNDLE, (trust(0),), "not-signed"),
        (BUNDLE, (), "not-signed"),
        (signed(0), (), "no-trusted-key"),
        (signed(0), (trust(1),), "untrusted"),
        (signed(0), (trust(0, 1, threshold=2),), "untrusted"),
        (signed(0, 1), (trust(0), trust(2)), "untrusted"),
        (signed(0, 0, 0), (trust(0, 1, 2, threshold=2),), "untrusted"),
    ],
)
def test_what_cannot_be_told(bundle, trusts, code) -> None:
    report = judged(bundle, *trusts)
    assert (report.verdict, report.code) == (Verdict.INCONCLUSIVE, code)
    assert Strength.SIGNED not in report.strengths
    assert judged(bundle, *trusts, require=(Strength.CONSISTENT,)).verdict is Verdict.ESTABLISHED


def test_several_of_several() -> None:
    assert judged(signed(0, 1, 2), trust(0, 1, 2, threshold=3)).verdict is Verdict.ESTABLISHED
    assert judged(signed(0, 1), trust(0, 1, 2, threshold=2), trust(1)).verdict is Verdict.ESTABLISHED


def test_signing_twice_changes_nothing() -> None:
    assert signed(0, 0) == signed(0)
    assert set(signed(0, 1).attachments) == set(signed(1, 0).attachments) or len(signed(1, 0).attachments) == 3


@pytest.mark.parametrize("entry", list(entries()), ids=[entry.name for entry in entries()])
def test_what_contradicts_is_found_whoever_is_trusted(entry) -> None:
    for trusts, require in (((), (Strength.CONSISTENT,)), ((trust(0),), (Strength.SIGNED,))):
        report = judged(decode_bundle(entry.data), *trusts, require=require)
        assert (report.verdict, report.code) == (Verdict.CONTRADICTED, entry.code)
        assert report.checks[15].status is Status.FAILED


def test_a_compact_signature_alone_is_for_contracts() -> None:
    report = judged(BUNDLE._replace(attachments=(compact_of(signed(0)),)), trust(0))
    assert (report.verdict, report.code) == (Verdict.INCONCLUSIVE, "not-signed")


def test_every_field_of_the_claim_is_signed() -> None:
    predicate = json.loads(encode_statement(statement_of(BUNDLE.claim)))["predicate"]
    assert {*BUNDLE.claim._fields, "claim_digest"} == set(predicate)
    assert set(predicate["call"]) == set(BUNDLE.claim.call._fields)


def test_keys_that_nobody_could_trust_do_not_sign() -> None:
    other = secret_key_from_seed("a", scheme=SECP256K1)
    with pytest.raises(BadInputError):
        sign_bundle(BUNDLE, public_key=public_key_of(other), sign=lambda message: sign(other, message)[1:])


def test_every_bit_of_a_signature_counts() -> None:
    bundle = signed(0)
    for item in bundle.attachments:
        others = [one for one in bundle.attachments if one != item]
        accepted = 0
        for position in range(len(item.data)):
            flipped = bytearray(item.data)
            flipped[position] ^= 1
            attachments = tuple(sorted([*others, item._replace(data=bytes(flipped))]))
            report = judged(bundle._replace(attachments=attachments), trust(0))
            accepted += report.verdict is Verdict.ESTABLISHED
        # Only the hint may change: its letters are no part of what is signed.
        assert accepted == 0 or item.kind == ENVELOPE


def test_signing_keeps_what_stands_beside_it() -> None:
    """Paths, and the signatures of others in both forms."""
    bundle = with_key_paths(BUNDLE)
    both = signed(0, 1, bundle=bundle)
    assert {item for item in bundle.attachments if item.kind == KEY_PATHS} < set(both.attachments)
    compact = {compact_of(signed(number, bundle=bundle)) for number in (0, 1)}
    assert {item for item in both.attachments if item.kind == COMPACT_SIGNATURE} == compact
    assert [item.kind for item in both.attachments].count(ENVELOPE) == 1
    assert judged(both, trust(0, 1, threshold=2)).signers == (KEYS[0], KEYS[1])


def test_so_many_signatures_and_no_more() -> None:
    bundle = signed(0, 1)
    (item,) = [one for one in bundle.attachments if one.kind == ENVELOPE]
    envelope = parse_envelope(item.data)
    unnamed = envelope.signatures[0]._replace(key_id="")
    for total, code in ((256, None), (257, "bad-envelope")):
        rest = (unnamed,) * (total - 2 - 100)
        halves = (
            envelope._replace(signatures=envelope.signatures + rest),
            envelope._replace(signatures=(unnamed,) * 100),
        )
        others = [one for one in bundle.attachments if one != item]
        attachments = tuple(sorted([*others, *(Attachment(ENVELOPE, encode_envelope(half)) for half in halves)]))
        report = judged(bundle._replace(attachments=attachments), trust(0, 1, threshold=2))
        assert report.code == code
    envelopes = [
        Attachment(ENVELOPE, encode_envelope(envelope._replace(signatures=(unnamed._replace(key_id=str(number)),))))
        for number in range(257)
    ]
    for count, code in ((256, None), (257, "bad-envelope")):
        attachments = tuple(sorted(envelopes[:count]))
        assert judged(bundle._replace(attachments=attachments), trust(0)).code == code
