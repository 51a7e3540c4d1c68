"""Signatures that do not hold, or are about something else: check 16."""

from collections.abc import Iterator

from near_tee_cli.attest.dsse import Envelope, encode_envelope, parse_envelope, signed_envelope
from near_tee_cli.attest.statement import encode_statement
from near_tee_cli.primitives.keys import ED25519, public_key_of, public_key_text, secret_key_from_seed, sign
from near_tee_cli.proof.bundle import COMPACT_SIGNATURE, ENVELOPE, Attachment, decode_bundle, encode_bundle
from near_tee_cli.proof.signatures import compact_message, sign_bundle, statement_of
from tests.reject.entry import Entry
from tests.support.bundles import proof_of, small_proof

SECRETS = [secret_key_from_seed(seed, scheme=ED25519) for seed in ("a", "b", "c")]
KEYS = [public_key_of(secret) for secret in SECRETS]
TEXTS = [public_key_text(key) for key in KEYS]
BUNDLE = decode_bundle(small_proof().data)
OTHER = decode_bundle(proof_of("runtime/transactions/transactions-views").data)


def signing(number):
    """The key with that number, as `sign_bundle` takes it."""
    return {"public_key": KEYS[number], "sign": lambda message: sign(SECRETS[number], message)[1:]}


def signed(*numbers, bundle=BUNDLE):
    """The bundle signed by the keys with these numbers."""
    for number in numbers:
        bundle = sign_bundle(bundle, **signing(number))
    return bundle


def with_envelope(envelope: Envelope, *compact):
    """The bundle with `envelope` beside it."""
    attachments = (Attachment(ENVELOPE, encode_envelope(envelope)), *compact)
    return BUNDLE._replace(attachments=tuple(sorted(attachments)))


def envelope_of(bundle) -> Envelope:
    """The envelope of a signed bundle."""
    return parse_envelope(next(item.data for item in bundle.attachments if item.kind == ENVELOPE))


def compact_of(bundle):
    """The compact signature of a signed bundle."""
    return next(item for item in bundle.attachments if item.kind == COMPACT_SIGNATURE)


def entries() -> Iterator[Entry]:
    """Those that are contradicted whoever is trusted."""
    for threats, reason, bundle, code in _bad():
        name = "signed-" + "-".join(word for word in reason.lower().split() if word not in ("a", "an", "of"))
        yield Entry(name, threats, reason, encode_bundle(bundle), 16, code)


def untrusted() -> Iterator[Entry]:
    """Those whose signatures are not the ones that were asked for."""
    for name, reason, bundle, code, *flags in (
        ("nobody", "nobody signed", BUNDLE, "not-signed", "--signer", TEXTS[0]),
        ("required", "nobody signed", BUNDLE, "not-signed", "--require", "signed"),
        ("compact-only", "only a compact signature is there",
         BUNDLE._replace(attachments=(compact_of(signed(0)),)), "not-signed", "--signer", TEXTS[0]),
        ("no-trust", "nobody is trusted", signed(0), "no-trusted-key", "--require", "signed"),
        ("somebody-else", "somebody else signed", signed(0), "untrusted", "--signer", TEXTS[1]),
        ("too-few", "one of two signed", signed(0), "untrusted", "--signer", TEXTS[0], "--signer", TEXTS[1],
         "--threshold", "2"),
        ("one-twice", "one signed twice", signed(0, 0), "untrusted", "--signer", TEXTS[0], "--signer", TEXTS[1],
         "--threshold", "2"),
    ):  # fmt: skip
        yield Entry(f"signer-{name}", ("B7", "B8"), reason, encode_bundle(bundle), 16, code, tuple(flags))


def _bad():
    ours = envelope_of(signed(0))
    (signature,) = ours.signatures
    flipped = signature._replace(signature=bytes([signature.signature[0] ^ 1]) + signature.signature[1:])
    yield (
        ("B7",),
        "a signature that does not hold",
        with_envelope(ours._replace(signatures=(flipped,))),
        "bad-signature",
    )
    named = signature._replace(key_id=envelope_of(signed(1)).signatures[0].key_id)
    yield ("B7", "B8"), "a key id of somebody else", with_envelope(ours._replace(signatures=(named,))), "bad-signature"
    yield ("B10",), "an envelope of another bundle", with_envelope(envelope_of(signed(0, bundle=OTHER))), "other-claim"
    kind = ours._replace(payload_type="application/json")
    yield ("B8",), "an envelope of another type", with_envelope(kind), "other-claim"
    statement = statement_of(BUNDLE.claim)
    for name, value in (("network", "mainnet"), ("audience", "x.near"), ("sequence", "9"), ("claim_digest", "1" * 32)):
        said = statement._replace(predicate={**statement.predicate, name: value})
        payload = encode_statement(said)
        yield ("B9", "B11"), f"another {name}", with_envelope(signed_envelope(payload, **signing(0))), "other-claim"
    other = statement._replace(subjects={**statement.subjects, "post-root": bytes(32)})
    yield (
        ("B10",),
        "another subject",
        with_envelope(signed_envelope(encode_statement(other), **signing(0))),
        "other-claim",
    )
    twice = encode_statement(statement).replace(b'{"_type"', b'{"_type":"x","_type"', 1)
    yield ("B3", "B9"), "a member twice", with_envelope(signed_envelope(twice, **signing(0))), "bad-envelope"
    yield ("B3",), "no JSON", BUNDLE._replace(attachments=(Attachment(ENVELOPE, b"envelope"),)), "bad-envelope"
    yield (
        ("B3", "B7"),
        "a short compact signature",
        BUNDLE._replace(attachments=(Attachment(2, KEYS[0] + bytes(63)),)),
        "bad-signature",
    )
    yield ("B3",), "no compact signature", BUNDLE._replace(attachments=(Attachment(2, b""),)), "bad-signature"
    lent = Attachment(2, KEYS[0] + sign(SECRETS[0], compact_message(OTHER.claim))[1:])
    yield ("B10",), "a compact signature of another claim", BUNDLE._replace(attachments=(lent,)), "bad-signature"
    yield ("B10",), "a compact signature of another key", with_envelope(ours, compact_of(signed(1))), "signer-mismatch"
    bare = Attachment(2, KEYS[0] + sign(SECRETS[0], compact_message(BUNDLE.claim)[25:])[1:])
    yield ("B8",), "a compact signature without its domain", BUNDLE._replace(attachments=(bare,)), "bad-signature"
    unnamed = signature._replace(key_id="")
    many = ours._replace(signatures=(unnamed,) * 129)
    more = many._replace(signatures=(unnamed._replace(key_id="x"),) * 128)
    envelopes = tuple(sorted(Attachment(ENVELOPE, encode_envelope(one)) for one in (many, more)))
    yield ("B15",), "257 signatures in two envelopes", BUNDLE._replace(attachments=envelopes), "bad-envelope"
    compacts = tuple(Attachment(2, number.to_bytes(97, "big")) for number in range(257))
    yield ("B15",), "257 compact signatures", BUNDLE._replace(attachments=compacts), "bad-envelope"
    small = Attachment(2, b"\0\1" + bytes(31) + b"\1" + bytes(63))
    yield ("B7",), "a key of small order", BUNDLE._replace(attachments=(small,)), "bad-signature"
