"""Envelopes: what is signed, how they are read, and how others read them."""

import json
from base64 import b64encode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope as TheirEnvelope
from securesystemslib.signer import SSlibKey

from near_tee_cli.attest.dsse import (
    STATEMENT_TYPE,
    Envelope,
    Signature,
    encode_envelope,
    named_keys,
    pae,
    parse_envelope,
    signed_envelope,
    signers_among,
    with_signature,
)
from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives.keys import (
    ED25519,
    SECP256K1,
    public_key_of,
    public_key_text,
    secret_key_from_seed,
    sign,
)

SECRETS = [secret_key_from_seed(seed, scheme=ED25519) for seed in ("a", "b", "c")]
KEYS = [public_key_of(secret) for secret in SECRETS]
PAYLOAD = b'{"_type":"x"}'


def signer(number):
    return {"public_key": KEYS[number], "sign": lambda message: sign(SECRETS[number], message)[1:]}


def test_what_is_signed() -> None:
    assert (
        pae("http://example.com/HelloWorld", b"hello world")
        == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert pae("é", b"") == "DSSEv1 2 é 0 ".encode()


def test_signed_by_several() -> None:
    envelope = with_signature(signed_envelope(PAYLOAD, **signer(0)), **signer(1))
    assert parse_envelope(encode_envelope(envelope)) == envelope
    assert signers_among(envelope, KEYS) == (KEYS[0], KEYS[1])
    assert signers_among(envelope, [KEYS[2], KEYS[1], KEYS[1]]) == (KEYS[1],)
    assert named_keys(envelope) == ((KEYS[0], True), (KEYS[1], True))


def test_a_key_id_is_a_hint() -> None:
    envelope = signed_envelope(PAYLOAD, **signer(0))
    for key_id in ("", "anything", public_key_text(public_key_of(secret_key_from_seed("a", scheme=SECP256K1)))):
        renamed = envelope._replace(signatures=(envelope.signatures[0]._replace(key_id=key_id),))
        assert signers_among(renamed, KEYS) == (KEYS[0],)
        assert named_keys(renamed) == ()
    lying = envelope._replace(signatures=(envelope.signatures[0]._replace(key_id=public_key_text(KEYS[1])),))
    assert named_keys(lying) == ((KEYS[1], False),)
    assert signers_among(lying, KEYS) == ()


@pytest.mark.parametrize("scheme", [ED25519, SECP256K1])
@pytest.mark.parametrize("trusted", [ED25519, SECP256K1])
@pytest.mark.parametrize("kind", [STATEMENT_TYPE, "application/octet-stream"])
@pytest.mark.parametrize("signed_kind", [STATEMENT_TYPE, "application/octet-stream"])
def test_the_algorithm_is_that_of_the_trusted_key(scheme, trusted, kind, signed_kind) -> None:
    from hashlib import sha256

    secret = secret_key_from_seed("a", scheme=scheme)
    message = pae(signed_kind, PAYLOAD)
    signature = sign(secret, message if scheme == ED25519 else sha256(message).digest())[1:]
    envelope = Envelope(kind, PAYLOAD, (Signature(public_key_text(public_key_of(secret)), signature),))
    key = public_key_of(secret_key_from_seed("a", scheme=trusted))
    holds = scheme == trusted == ED25519 and kind == signed_kind
    assert signers_among(envelope, [key]) == ((key,) if holds else ())


def test_others_read_ours_and_we_read_theirs() -> None:
    envelope = signed_envelope(PAYLOAD, **signer(0))
    theirs = TheirEnvelope.from_dict(json.loads(encode_envelope(envelope)))
    assert theirs.pae() == pae(STATEMENT_TYPE, PAYLOAD)
    key = SSlibKey(public_key_text(KEYS[0]), "ed25519", "ed25519", {"public": KEYS[0][1:].hex()})
    assert list(theirs.verify([key], 1)) == [key.keyid]
    assert parse_envelope(json.dumps(theirs.to_dict()).encode()).payload == PAYLOAD


def document(**changes):
    envelope = json.loads(encode_envelope(signed_envelope(b"\xff\xfe\xfd>>??", **signer(0))))
    return {**envelope, **changes}


def test_both_alphabets_and_unknown_fields() -> None:
    raw = b"\xff\xfe\xfd>>??"
    for text in (b64encode(raw), urlsafe_b64encode(raw)):
        found = parse_envelope(json.dumps({**document(), "payload": text.decode(), "more": 1}).encode())
        assert found.payload == raw
        assert signers_among(found, KEYS) == (KEYS[0],)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"payload":"","payload":""}',
        json.dumps(document(payload=5)).encode(),
        json.dumps(document(payload="A")).encode(),
        json.dumps(document(payload="QQ")).encode(),
        json.dumps(document(payload="QR==")).encode(),
        json.dumps(document(payload="+_8=")).encode(),
        json.dumps(document(payloadType=None)).encode(),
        json.dumps(document(signatures=[])).encode(),
        json.dumps(document(signatures={})).encode(),
        json.dumps(document(signatures=[{"keyid": "x"}])).encode(),
        json.dumps(document(signatures=[{"keyid": 5, "sig": ""}])).encode(),
        json.dumps(document(signatures=[{"sig": ""}] * 257)).encode(),
        b"[" * 100,
        b" " * (1 << 20) + b"{}",
    ],
)
def test_what_is_no_envelope(data) -> None:
    with pytest.raises(BadInputError) as caught:
        parse_envelope(data)
    assert caught.value.code == "bad-envelope"


@given(st.binary(max_size=60))
def test_any_payload_comes_back(payload) -> None:
    envelope = signed_envelope(payload, **signer(2))
    assert parse_envelope(encode_envelope(envelope)) == envelope
    assert signers_among(envelope, KEYS) == (KEYS[2],)
    other = envelope._replace(payload=payload + b"\0")
    assert signers_among(other, KEYS) == ()
