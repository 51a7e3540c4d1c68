"""Signature chains of a key management service: who says that a key belongs to an application.

The application's key signs the purpose and the public half of the key that was derived; the service's key signs the
application's id and key. Both signatures are recoverable, so that a chain leads to two keys, and it proves something
once the second is one that the verifier knows. It never says which machine has the key: for that a quote binds it.

Follows dstack: guest-agent (GetKey) and kms (signature of the application's key).
"""

from collections.abc import Sequence
from typing import NamedTuple

from near_tee_cli.errors import EvidenceError
from near_tee_cli.primitives.curves import secp256k1
from near_tee_cli.primitives.hashes import keccak256

PURPOSE = "near-tee"
"""What our keys are derived for."""

_ISSUED = b"dstack-kms-issued:"
_LENGTH = 65


class KeyChain(NamedTuple):
    """The keys that a chain leads to, compressed points of secp256k1, 33 bytes each."""

    app_key: bytes
    root: bytes
    """The key of the service; nothing is proved before it is compared with one that is known."""


def purpose_digest(purpose: str, public_key: bytes) -> bytes:
    """What the application's key signs, 32 bytes. `public_key` is raw: 32 bytes of ed25519, 33 of secp256k1."""
    return keccak256(purpose.encode() + b":" + public_key.hex().encode())


def issued_digest(app_id: bytes, app_key: bytes) -> bytes:
    """What the service's key signs, 32 bytes: the application's id (20 bytes) and key (33 bytes)."""
    return keccak256(_ISSUED + app_id + app_key)


def recover_key_chain(signatures: Sequence[bytes], *, purpose: str, public_key: bytes, app_id: bytes) -> KeyChain:
    """The keys behind the two `signatures` (65 bytes each, `r ‖ s ‖ recovery id`) over a derived key.

    Any two signatures lead to some keys. Raises `EvidenceError` (`key-chain-malformed`) where they lead nowhere.
    """
    if len(signatures) != 2:
        raise _malformed(f"a chain has two signatures, not {len(signatures)}")
    app_key = _recovered(signatures[0], purpose_digest(purpose, public_key))
    return KeyChain(app_key, _recovered(signatures[1], issued_digest(app_id, app_key)))


def signs(signature: bytes, digest: bytes, public_key: bytes) -> bool:
    """Whether `signature` (`r ‖ s`, 64 bytes) signs the 32-byte `digest` under the compressed `public_key`."""
    if len(signature) != _LENGTH - 1 or len(digest) != 32:
        return False
    found = (secp256k1.recover(digest, signature, recovery_id=at, reject_high_s=True) for at in (0, 1))
    return any(point is not None and compressed(point) == public_key for point in found)


def compressed(point: bytes) -> bytes:
    """The compressed form of a public key `x ‖ y`: 33 bytes."""
    return bytes([2 | point[-1] & 1]) + point[:32]


def _recovered(signature: bytes, digest: bytes) -> bytes:
    if len(signature) != _LENGTH or signature[-1] > 3:
        raise _malformed(f"a signature of a chain has {_LENGTH} bytes and ends with 0 to 3")
    point = secp256k1.recover(digest, signature[:-1], recovery_id=signature[-1], reject_high_s=True)
    if point is None:
        raise _malformed("a signature of a chain leads to no key")
    return compressed(point)


def _malformed(what: str) -> EvidenceError:
    return EvidenceError(what, code="key-chain-malformed")
