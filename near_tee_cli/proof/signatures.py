"""Check 16: who vouches for a claim.

Beside a claim stand envelopes (DSSE over an in-toto statement that repeats every field of the claim) and compact
signatures over its digest, which a contract checks cheaply. Each must be about exactly this claim and hold under the
key that it names, whoever is trusted. `signed` is established by envelopes alone, when as many distinct trusted keys
have signed as were asked for.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from near_tee_cli.attest.dsse import (
    STATEMENT_TYPE,
    Envelope,
    Sign,
    encode_envelope,
    named_keys,
    parse_envelope,
    signed_envelope,
    signers_among,
    with_signature,
)
from near_tee_cli.attest.environment import Environment, environment_document, environment_in
from near_tee_cli.attest.statement import Statement, encode_statement, says
from near_tee_cli.attest.trust import SIGNATURE_LENGTH, Trust, is_signed_by, require_strict_key
from near_tee_cli.errors import BadInputError, EvidenceError
from near_tee_cli.primitives.keys import public_key_text
from near_tee_cli.primitives.schema.json_scalars import hash_text
from near_tee_cli.proof.bundle import COMPACT_SIGNATURE, ENVELOPE, Attachment, Bundle
from near_tee_cli.proof.claim import Claim, claim_digest
from near_tee_cli.proof.limits import MAX_SIGNATURES

PREDICATE_TYPE = "urn:near-tee:state-transition:v1"
"""What our statements say of a state."""

COMPACT_DOMAIN = b"near-tee/signed-claim/v1\0"
"""Stands before the claim's digest in what a compact signature covers."""

_KEY_LENGTH = 33
_SOURCES = ("transaction", "receipt")


class Unsigned(NamedTuple):
    """Why `signed` cannot be told: nobody is trusted, or too few of those who are have signed."""

    code: str
    detail: str


class Signable(NamedTuple):
    """A claim as far as signatures are about it, of whichever kind it is."""

    claim_digest: bytes
    """32 bytes."""
    statement: Callable[[Environment | None], Statement]
    """What an envelope states, for a key that lives in that environment or says nothing of one."""
    message: bytes
    """What a compact signature covers."""
    attachments: tuple[Attachment, ...]


class Signed(NamedTuple):
    """Whose signatures hold."""

    signers: tuple[bytes, ...]
    """All keys (Borsh) that envelopes name and that have signed, in the order of the envelopes."""
    missing: Unsigned | None
    environments: Mapping[bytes, Environment]
    """Signer -> where it says that it lives; those who say nothing of it are left out."""


def statement_of(claim: Claim, environment: Environment | None = None) -> Statement:
    """The statement about a claim: the root after and the outcome are its subjects, all fields its predicate.

    A key that lives in an `environment` says so in the same breath.
    """
    told = {} if environment is None else {"environment": environment_document(environment)}
    return Statement(
        {"post-root": claim.post_root, "outcome": claim.outcome_digest},
        PREDICATE_TYPE,
        {**_fields(claim), "claim_digest": hash_text(claim_digest(claim)), **told},
    )


def _fields(record: Any) -> dict[str, Any]:
    return {name: _readable(name, value) for name, value in record._asdict().items()}


def _readable(name: str, value: Any) -> Any:
    """Hashes in base58, and numbers beyond 32 bits as decimal text: other readers of JSON would round them."""
    if isinstance(value, bytes):
        return hash_text(value)
    if isinstance(value, int):
        if name == "source":
            return _SOURCES[value]
        return value if name in _SMALL else str(value)
    if value is None or isinstance(value, str):
        return value
    return _fields(value)


_SMALL = frozenset({"protocol_version", "transitions", "calls", "transition", "action", "args_length"})
"""Numbers of 32 bits."""


def compact_message(claim: Claim) -> bytes:
    """What a compact signature covers: 57 bytes."""
    return COMPACT_DOMAIN + claim_digest(claim)


def signable_of(bundle: Bundle) -> Signable:
    """A bundle as far as signatures are about it."""
    claim = bundle.claim
    return Signable(bundle.claim_digest, partial(statement_of, claim), compact_message(claim), bundle.attachments)


def sign_bundle(bundle: Bundle, *, public_key: bytes, sign: Sign, environment: Environment | None = None) -> Bundle:
    """`bundle` with the signature of one more key: see `signed_attachments`."""
    subject = signable_of(bundle)
    return bundle._replace(attachments=signed_attachments(subject, public_key, sign, environment=environment))


def signed_attachments(
    subject: Signable, public_key: bytes, sign: Sign, *, environment: Environment | None = None
) -> tuple[Attachment, ...]:
    """Attachments with the signature of one more key, in both forms. Signing twice changes nothing.

    `environment` is where the key lives. `sign` gives 64 bytes for a message. Raises `BadInputError` for a key that
    nobody could trust.
    """
    require_strict_key(public_key)
    envelopes = [parse_envelope(item.data) for item in subject.attachments if item.kind == ENVELOPE]
    others = [item for item in subject.attachments if item.kind != ENVELOPE]
    payload = encode_statement(subject.statement(environment))
    same = [(one.payload_type, one.payload) == (STATEMENT_TYPE, payload) for one in envelopes]
    ours = same.index(True) if True in same else None
    if ours is None:
        envelopes.append(signed_envelope(payload, public_key=public_key, sign=sign))
    elif (public_key, True) not in named_keys(envelopes[ours]):
        envelopes[ours] = with_signature(envelopes[ours], public_key=public_key, sign=sign)
    compact = Attachment(COMPACT_SIGNATURE, public_key + sign(subject.message))
    attachments = {*others, compact, *(Attachment(ENVELOPE, encode_envelope(one)) for one in envelopes)}
    return tuple(sorted(attachments))


def check_signatures(subject: Signable, trusts: Sequence[Trust]) -> Signed:
    """Hold every signature beside a claim against it, then count those of trusted keys.

    Raises `EvidenceError`: `bad-envelope`, `other-claim`, `bad-signature`, `signer-mismatch`.
    """
    envelopes, compact = _parts(subject.attachments)
    signers: list[bytes] = []
    environments: dict[bytes, Environment] = {}
    for envelope in envelopes:
        environment = _require_about(envelope, subject)
        for key, holds in named_keys(envelope):
            if not holds:
                raise EvidenceError(f"the signature of {public_key_text(key)} does not hold", code="bad-signature")
            signers.append(key)
            if environment is not None and environments.setdefault(key, environment) != environment:
                raise EvidenceError(f"{public_key_text(key)} says that it lives in two places", code="other-claim")
    for data in compact:
        key = _compact_signer(data, subject.message)
        if envelopes and key not in signers:
            raise EvidenceError(
                f"{public_key_text(key)} signed the digest of the claim and no envelope", code="signer-mismatch"
            )
    trusted = [key for trust in trusts for key in trust.signers]
    found = {key for envelope in envelopes for key in signers_among(envelope, trusted)}
    return Signed(tuple(dict.fromkeys(signers)), _missing(envelopes, compact, trusts, found), environments)


def _parts(attachments: Sequence[Attachment]) -> tuple[list[Envelope], list[bytes]]:
    """The envelopes and the compact signatures, when they are not too many."""
    sealed = [item for item in attachments if item.kind == ENVELOPE]
    compact = [item.data for item in attachments if item.kind == COMPACT_SIGNATURE]
    _require_few(len(sealed), len(compact))
    envelopes = [_envelope(item) for item in sealed]
    _require_few(sum(len(envelope.signatures) for envelope in envelopes))
    return envelopes, compact


def _require_few(*counts: int) -> None:
    if max(counts) > MAX_SIGNATURES:
        told = f"{max(counts)} signatures beside one claim, at most {MAX_SIGNATURES} are read"
        raise EvidenceError(told, code="bad-envelope")


def _envelope(item: Attachment) -> Envelope:
    try:
        return parse_envelope(item.data)
    except BadInputError as error:
        raise EvidenceError(f"an envelope cannot be read: {error.message}", code="bad-envelope") from error


def _require_about(envelope: Envelope, subject: Signable) -> Environment | None:
    """Hold an envelope against the claim; the environment that it names."""
    if envelope.payload_type != STATEMENT_TYPE:
        raise EvidenceError(f"an envelope of the type {envelope.payload_type[:80]!r}", code="other-claim")
    try:
        environment = environment_in(envelope.payload)
        fits = says(envelope.payload, subject.statement(environment))
    except BadInputError as error:
        raise EvidenceError(f"an envelope's payload: {error.message}", code="bad-envelope") from error
    if not fits:
        raise EvidenceError("an envelope is about another claim", code="other-claim")
    return environment


def _compact_signer(data: bytes, message: bytes) -> bytes:
    key, signature = data[:_KEY_LENGTH], data[_KEY_LENGTH:]
    if len(signature) != SIGNATURE_LENGTH or not is_signed_by(key, message, signature):
        raise EvidenceError("a compact signature does not hold", code="bad-signature")
    return key


def _missing(
    envelopes: Sequence[Envelope], compact: Sequence[bytes], trusts: Sequence[Trust], found: Iterable[bytes]
) -> Unsigned | None:
    if not envelopes:
        return Unsigned("not-signed", "only compact signatures" if compact else "not present")
    if not trusts:
        return Unsigned("no-trusted-key", "nobody's signature is trusted")
    signed = set(found)
    for trust in trusts:
        count = len(signed.intersection(trust.signers))
        if count < trust.threshold:
            return Unsigned("untrusted", f"{count} trusted keys have signed, {trust.threshold} are asked for")
    return None
