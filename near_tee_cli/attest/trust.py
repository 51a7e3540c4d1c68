"""Keys that a verifier trusts, and how many of them must have signed.

Ours is the strict rule of Ed25519 (reduced encodings, no points of small order), not the one that the chain executes
with: a key under which several people could have signed vouches for nobody. The algorithm follows from the trusted
key; what a signature says of itself is never asked.
"""

from collections.abc import Iterable
from typing import NamedTuple

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives.curves import ed25519
from near_tee_cli.primitives.keys import ED25519

SIGNATURE_LENGTH = 64


class Trust(NamedTuple):
    """Who is trusted: `threshold` of these distinct `signers` (public keys in Borsh) must have signed."""

    signers: tuple[bytes, ...]
    threshold: int


def trust_in(signers: Iterable[bytes], *, threshold: int = 1) -> Trust:
    """Trust in public keys in Borsh. Raises `BadInputError` for keys that cannot be trusted, or too few of them."""
    keys = tuple(signers)
    for key in keys:
        require_strict_key(key)
    if len(set(keys)) != len(keys):
        raise BadInputError("a signer is named twice: each key counts once", code="bad-signer")
    if not 1 <= threshold <= len(keys):
        raise BadInputError(f"{threshold} of {len(keys)} signers cannot be asked for", code="bad-threshold")
    return Trust(keys, threshold)


def require_strict_key(key: bytes) -> None:
    """Refuse a public key (Borsh) that is no Ed25519 key of the strict kind. Raises `BadInputError`."""
    if key[:1] != bytes([ED25519]):
        raise BadInputError("claims are signed with ed25519 keys and no others", code="bad-signer")
    if len(key) != 33 or not ed25519.is_prime_order_point(key[1:]):
        raise BadInputError("a signer's key is no point of prime order: anybody could sign", code="bad-signer")


def is_signed_by(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` (64 bytes) over `message` holds strictly under the public `key` (Borsh)."""
    return key[:1] == bytes([ED25519]) and ed25519.verify_strict(key[1:], message, signature)
