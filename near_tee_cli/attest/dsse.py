"""DSSE envelopes: a payload, its type, and signatures over both.

What is signed is the type and the exact bytes of the payload (PAE), so that nothing has to be written in one canonical
way and nothing signed as one thing can be read as another. The bytes that were verified are the bytes that are
parsed. A key id is a hint. Fields that DSSE does not define are ignored, as it demands, and so must not matter.

Mirrors in-toto and DSSE: https://github.com/secure-systems-lab/dsse (protocol.md, envelope.md)
"""

from binascii import Error as _Base64Error
from binascii import a2b_base64
from collections.abc import Callable, Iterable
from typing import NamedTuple

from near_tee_cli.attest.trust import SIGNATURE_LENGTH, is_signed_by
from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.primitives.keys import ED25519, public_key_from_text, public_key_text

STATEMENT_TYPE = "application/vnd.in-toto+json"
"""The payload type of in-toto statements."""

MAX_ENVELOPE_BYTES = 1 << 20
MAX_SIGNATURES = 256

Sign = Callable[[bytes], bytes]
"""Signs a message with a key that it keeps: 64 bytes."""


class Signature(NamedTuple):
    """One signature of an envelope."""

    key_id: str
    """A hint; ours is the public key as text."""
    signature: bytes


class Envelope(NamedTuple):
    """A payload with its signatures."""

    payload_type: str
    payload: bytes
    signatures: tuple[Signature, ...]


def pae(payload_type: str, payload: bytes) -> bytes:
    """What a signature covers: type and payload, each behind its length."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def signed_envelope(payload: bytes, *, public_key: bytes, sign: Sign) -> Envelope:
    """The envelope of a statement with one signature."""
    signature = Signature(public_key_text(public_key), sign(pae(STATEMENT_TYPE, payload)))
    return Envelope(STATEMENT_TYPE, payload, (signature,))


def with_signature(envelope: Envelope, *, public_key: bytes, sign: Sign) -> Envelope:
    """`envelope` with one signature more."""
    added = Signature(public_key_text(public_key), sign(pae(envelope.payload_type, envelope.payload)))
    return envelope._replace(signatures=(*envelope.signatures, added))


def encode_envelope(envelope: Envelope) -> bytes:
    """The one JSON text of an envelope."""
    return cj.dumps(
        {
            "payload": cj.base64_text(envelope.payload),
            "payloadType": envelope.payload_type,
            "signatures": [{"keyid": one.key_id, "sig": cj.base64_text(one.signature)} for one in envelope.signatures],
        }
    )


def parse_envelope(data: bytes) -> Envelope:
    """The envelope in `data`. Raises `BadInputError` (`bad-envelope`)."""
    try:
        document = cj.mapping(cj.loads(data, "the envelope", max_bytes=MAX_ENVELOPE_BYTES), "the envelope")
        payload = _bytes(document.get("payload"), "payload")
        payload_type = cj.string(document.get("payloadType"), "payloadType")
        items = cj.array(document.get("signatures"), "signatures")
        if not 1 <= len(items) <= MAX_SIGNATURES:
            raise BadInputError(f"an envelope has 1 to {MAX_SIGNATURES} signatures, not {len(items)}")
        return Envelope(payload_type, payload, tuple(_signature(item, at) for at, item in enumerate(items)))
    except BadInputError as error:
        raise BadInputError(error.message, code="bad-envelope", where=error.where) from error


def _signature(item: object, at: int) -> Signature:
    where = f"signatures[{at}]"
    members = cj.mapping(item, where)
    key_id = members.get("keyid")
    return Signature("" if key_id is None else cj.string(key_id, f"{where}.keyid"), _bytes(members.get("sig"), where))


def _bytes(value: object, where: str) -> bytes:
    """Base64 of either alphabet, as DSSE allows, in the one spelling that the bytes have in it."""
    text = cj.string(value, where)
    standard = text.translate({ord("-"): "+", ord("_"): "/"}) if "-" in text or "_" in text else text
    if standard != text and ("+" in text or "/" in text):
        raise BadInputError(f"{where} mixes two alphabets of base64")
    try:
        data = a2b_base64(standard, strict_mode=True)
    except (_Base64Error, ValueError) as error:
        raise BadInputError(f"{where} is no base64: {error}") from error
    if cj.base64_text(data) != standard:
        raise BadInputError(f"{where} is base64 with stray bits at the end")
    return data


def signers_among(envelope: Envelope, keys: Iterable[bytes]) -> tuple[bytes, ...]:
    """Those of the public `keys` (Borsh) under which some signature holds, each once.

    A signature whose key id is an Ed25519 key counts for that key alone: no other could have made it. All others are
    tried under every key, since a key id is a hint.
    """
    message = pae(envelope.payload_type, envelope.payload)
    candidates = [(_named_key(signature), signature) for signature in envelope.signatures]
    return tuple(
        key
        for key in dict.fromkeys(keys)
        if any(named in (None, key) and _holds(key, message, signature) for named, signature in candidates)
    )


def _holds(key: bytes, message: bytes, signature: Signature) -> bool:
    return len(signature.signature) == SIGNATURE_LENGTH and is_signed_by(key, message, signature.signature)


def named_keys(envelope: Envelope) -> tuple[tuple[bytes, bool], ...]:
    """The Ed25519 keys that key ids name, in order, and whether the signature beside each holds under it."""
    message = pae(envelope.payload_type, envelope.payload)
    keys = ((_named_key(signature), signature) for signature in envelope.signatures)
    return tuple((key, _holds(key, message, signature)) for key, signature in keys if key is not None)


def _named_key(signature: Signature) -> bytes | None:
    """The Ed25519 key that a key id is, if it is one."""
    try:
        key = public_key_from_text(signature.key_id)
    except BadInputError:
        return None
    return key if key[0] == ED25519 else None
