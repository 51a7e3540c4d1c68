"""A bundle in pieces, so that each can be spelt in a way that no encoder would."""

from typing import NamedTuple

from near_tee_cli.primitives.schema.wire import blob, optional, string, u16, u32, u64, vector
from near_tee_cli.proof.bundle import (
    MAGIC,
    VERSION,
    Bundle,
    decode_bundle,
    encode_carried,
    encode_transition,
    encode_validators,
)
from near_tee_cli.proof.claim import encode_claim


class Parts(NamedTuple):
    """The fields of a bundle as bytes, in their order."""

    magic: bytes
    version: bytes
    claim: bytes
    claim_digest: bytes
    validators: bytes
    carried: bytes
    transitions: bytes
    nodes: bytes
    codes: bytes
    attachments: bytes

    def data(self) -> bytes:
        """The file."""
        return b"".join(self)


def parts_of(data: bytes) -> Parts:
    """The pieces of a bundle."""
    bundle = decode_bundle(data)
    content = bundle.content
    return Parts(
        MAGIC,
        u16(VERSION),
        encode_claim(bundle.claim),
        bundle.claim_digest,
        encode_validators(content.validators, content.minimum_stake),
        encode_carried(content.carried),
        vector(map(encode_transition, content.transitions)),
        vector(map(blob, content.nodes)),
        vector(code.hash + optional(None if code.code is None else blob(code.code)) for code in content.codes),
        vector(bytes((item.kind,)) + blob(item.data) for item in bundle.attachments),
    )


def with_claim_bytes(bundle: Bundle, claim: bytes, rest: Parts) -> bytes:
    """The file with other bytes for the claim."""
    return rest._replace(claim=claim, claim_digest=bundle.claim_digest).data()


def claim_pieces(bundle: Bundle) -> dict[str, bytes]:
    """The head of the claim field by field, and `rest`."""
    claim = bundle.claim
    pieces = {
        "network": string(claim.network),
        "audience": string(claim.audience),
        "worker": string(claim.worker),
        "sequence": u64(claim.sequence),
        "previous": optional(claim.previous),
        "protocol_version": u32(claim.protocol_version),
    }
    head = b"".join(pieces.values())
    return {**pieces, "rest": encode_claim(claim)[len(head) :]}
