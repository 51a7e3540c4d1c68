"""Secp256k1 as libsecp256k1 computes it: recovery for contracts, verification and signing for transactions.

A public key is `x ‖ y`, 64 bytes without a tag; a recoverable signature is `r ‖ s ‖ recovery id`, 65 bytes.

Mirrors nearcore: core/crypto/src/signature.rs
"""

N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""The order of the group."""


def recover(message_hash: bytes, signature: bytes, *, recovery_id: int, reject_high_s: bool) -> bytes | None:
    """The public key under which `signature` (`r ‖ s`, 64 bytes) signs the 32-byte `message_hash`.

    `None` when `r` or `s` is zero or not reduced, when `reject_high_s` and `s` lies in the upper half, or when
    `recovery_id` (0 to 3) leads to no point.
    """
    if int.from_bytes(signature[:32], "big") >= N:
        return None
    s = int.from_bytes(signature[32:], "big")
    if s >= N or (reject_high_s and s > N // 2):
        return None
    from coincurve import PublicKey

    try:
        recovered = PublicKey.from_signature_and_message(signature + bytes([recovery_id]), message_hash, hasher=None)
    except ValueError:
        return None
    return recovered.format(compressed=False)[1:]


def verify(public_key: bytes, message_hash: bytes, signature: bytes) -> bool:
    """Whether the 65-byte `signature` signs `message_hash` under the 64-byte `public_key`.

    A hash that is not 32 bytes long, an upper-half `s` and a recovery id above 3 are refused; apart from that
    the recovery id does not matter.
    """
    if len(message_hash) != 32:
        return False
    from coincurve import PublicKey
    from coincurve.ecdsa import cdata_to_der, deserialize_recoverable, recoverable_convert

    try:
        der = cdata_to_der(recoverable_convert(deserialize_recoverable(signature)))
        return PublicKey(b"\4" + public_key).verify(der, message_hash, hasher=None)
    except ValueError:
        return False


def sign(secret: bytes, message_hash: bytes) -> bytes:
    """The recoverable signature of the 32-byte `message_hash`, its nonce by RFC 6979."""
    from coincurve import PrivateKey

    return PrivateKey(secret).sign_recoverable(message_hash, hasher=None)


def public_key_of(secret: bytes) -> bytes:
    """The public key of a 32-byte `secret` for which `is_secret` holds."""
    from coincurve import PublicKey

    return PublicKey.from_valid_secret(secret).format(compressed=False)[1:]


def is_secret(secret: bytes) -> bool:
    """Whether `secret` is a secret key: 32 bytes, a number from 1 to the group order less one."""
    return len(secret) == 32 and 0 < int.from_bytes(secret, "big") < N
