"""Public keys, secret keys and signatures: their bytes, their text, signing and the chain's verification.

A key or signature is its Borsh bytes: one tag byte for the scheme, then the raw bytes. A *key handle* is the
name of a public key inside the state trie; it differs from the key only for ML-DSA-65, whose keys are hashed.

Mirrors nearcore: core/crypto/src/signature.rs, core/crypto/src/test_utils.rs
"""

from near_tee_cli.errors import BadInputError, HostError, UnsupportedError
from near_tee_cli.primitives import base58
from near_tee_cli.primitives.account_id import AccountKind, kind
from near_tee_cli.primitives.chacha import words
from near_tee_cli.primitives.curves import ed25519, secp256k1
from near_tee_cli.primitives.hashes import keccak256, sha3_256

ED25519 = 0
SECP256K1 = 1
ML_DSA_65 = 2
"""Tags of the three schemes in public keys and signatures."""

ML_DSA_65_HANDLE = 3
"""Tag of a hashed ML-DSA-65 key among key handles; tag 2 never appears there."""

PUBLIC_KEY_LENGTHS = (33, 65, 1953)
SIGNATURE_LENGTHS = (65, 66, 3310)
SECRET_KEY_LENGTHS = (65, 33, 4033)
"""Bytes by scheme, the tag byte included."""

_HANDLE_LENGTHS = {ED25519: 33, SECP256K1: 65, ML_DSA_65_HANDLE: 33}
_TRIE_ID_LENGTHS = (33, 65, 33)
_SCHEMES = ("ed25519", "secp256k1", "ml-dsa-65")
_HANDLE_PREFIX = "ml-dsa-65-hash:"
_HANDLE_DOMAIN = b"near:ml-dsa-65-pubkey-hash:v1"
_SEED_LENGTH = 32


# Text.


def public_key_from_text(text: str) -> bytes:
    """The public key that `text` writes, `scheme:base58`; ed25519 when no scheme stands there.

    Raises `BadInputError` for an unknown scheme, bad base58, or a wrong length.
    """
    return _from_text(text, PUBLIC_KEY_LENGTHS, what="public key")


def public_key_text(public_key: bytes) -> str:
    """The text of `public_key`: `ed25519:`, `secp256k1:` or `ml-dsa-65:` and base58."""
    return _to_text(public_key)


def signature_from_text(text: str) -> bytes:
    """The signature that `text` writes. Raises `BadInputError` as `public_key_from_text`."""
    return _from_text(text, SIGNATURE_LENGTHS, what="signature")


def signature_text(signature: bytes) -> str:
    """The text of `signature`."""
    return _to_text(signature)


def secret_key_from_text(text: str) -> bytes:
    """The secret key that `text` writes: tag and 64 bytes (seed ‖ public key), 32 bytes, or 4032 bytes by scheme.

    Raises `BadInputError` as `public_key_from_text`, for a secp256k1 number out of range, and for an ed25519 key
    whose public half does not belong to its seed. The message never shows the key.
    """
    secret_key = _from_text(text, SECRET_KEY_LENGTHS, what="secret key")
    scheme = secret_key[0]
    if scheme == SECP256K1 and not secp256k1.is_secret(secret_key[1:]):
        raise BadInputError("secret key is no number in the range of secp256k1")
    if scheme == ED25519 and _ed25519_secret(secret_key[1:33]) != secret_key:
        raise BadInputError("secret key holds a public half that does not belong to its seed")
    return secret_key


def secret_key_text(secret_key: bytes) -> str:
    """The text of `secret_key`, to be written into key files only."""
    return _to_text(secret_key)


def _from_text(text: str, lengths: tuple[int, ...], *, what: str) -> bytes:
    prefix, colon, digits = text.partition(":")
    scheme = ED25519
    if colon:
        name = prefix.lower() if prefix.isascii() else prefix
        if name not in _SCHEMES:
            raise BadInputError(f"{what} is of scheme {prefix[:32]!r}, not one of {', '.join(_SCHEMES)}")
        scheme = _SCHEMES.index(name)
    else:
        digits = text
    try:
        raw = base58.decode(digits, lengths[scheme] - 1)
    except BadInputError as error:
        reason = "has bad base58 digits or length" if what == "secret key" else f"is no valid text: {error.message}"
        raise BadInputError(f"{what} {reason}") from (None if what == "secret key" else error)
    return bytes([scheme]) + raw


def _to_text(tagged: bytes) -> str:
    return f"{_SCHEMES[tagged[0]]}:{base58.encode(tagged[1:])}"


# Bytes.


def is_public_key(data: bytes) -> bool:
    """Whether `data` is exactly one public key: a known tag and the length that goes with it."""
    return len(data) > 0 and data[0] <= ML_DSA_65 and len(data) == PUBLIC_KEY_LENGTHS[data[0]]


def read_public_key(data: bytes, offset: int) -> tuple[bytes, int]:
    """The public key at `offset` of `data`, and the offset behind it. Raises `BadInputError` when there is none."""
    return _read(data, offset, PUBLIC_KEY_LENGTHS, what="public key")


def read_signature(data: bytes, offset: int) -> tuple[bytes, int]:
    """The signature at `offset` of `data`, and the offset behind it.

    Raises `BadInputError` when there is none, also for an ed25519 signature with any of the top three bits set,
    which no node decodes.
    """
    signature, end = _read(data, offset, SIGNATURE_LENGTHS, what="signature")
    if signature[0] == ED25519 and signature[64] & 0xE0:
        raise BadInputError("ed25519 signature with a number out of range", where=f"offset {offset}")
    return signature, end


def _read(data: bytes, offset: int, lengths: tuple[int, ...], *, what: str) -> tuple[bytes, int]:
    if offset >= len(data):
        raise BadInputError(f"{what} is cut off", where=f"offset {offset}")
    tag = data[offset]
    if tag > ML_DSA_65:
        raise BadInputError(f"{what} has the unknown tag {tag}", where=f"offset {offset}")
    end = offset + lengths[tag]
    if end > len(data):
        raise BadInputError(f"{what} is cut off", where=f"offset {offset}")
    return bytes(data[offset:end]), end


# Handles.


def key_handle(public_key: bytes) -> bytes:
    """The name of `public_key` in the state trie: itself, or tag 3 and a hash for ML-DSA-65."""
    if public_key[0] != ML_DSA_65:
        return public_key
    return bytes([ML_DSA_65_HANDLE]) + sha3_256(_HANDLE_DOMAIN + public_key[1:])


def trie_id_len(public_key: bytes) -> int:
    """Bytes of the handle of `public_key`, which fees and storage usage count; a handle is taken as well."""
    tag = public_key[0]
    return _TRIE_ID_LENGTHS[tag] if tag <= ML_DSA_65 else _HANDLE_LENGTHS[tag]


def read_key_handle(data: bytes, offset: int) -> tuple[bytes, int]:
    """The key handle at `offset` of `data`, and the offset behind it. Raises `BadInputError` when there is none."""
    tag = data[offset] if offset < len(data) else None
    length = _HANDLE_LENGTHS.get(tag) if tag is not None else None
    if length is None or offset + length > len(data):
        raise BadInputError("key handle is cut off or has an unknown tag", where=f"offset {offset}")
    return bytes(data[offset : offset + length]), offset + length


def key_handle_text(handle: bytes) -> str:
    """The text of a key handle: that of the key, or `ml-dsa-65-hash:` and base58."""
    if handle[0] == ML_DSA_65_HANDLE:
        return _HANDLE_PREFIX + base58.encode(handle[1:])
    return _to_text(handle)


def key_handle_from_text(text: str) -> bytes:
    """The key handle that `text` writes. Raises `BadInputError`, also for a whole ML-DSA-65 key."""
    if text.startswith(_HANDLE_PREFIX):
        return bytes([ML_DSA_65_HANDLE]) + base58.decode(text[len(_HANDLE_PREFIX) :], 32)
    handle = public_key_from_text(text)
    if handle[0] == ML_DSA_65:
        raise BadInputError(f"a whole ML-DSA-65 key is no key handle; its {_HANDLE_PREFIX} form is")
    return handle


# Account ids.


def near_implicit_id(public_key: bytes) -> str:
    """The NEAR-implicit account id of an ed25519 `public_key`: its bytes in hexadecimal."""
    return public_key[1:].hex()


def eth_implicit_id(public_key: bytes) -> str:
    """The Ethereum-implicit account id of a secp256k1 `public_key`."""
    return "0x" + keccak256(public_key[1:])[12:].hex()


def key_of_near_implicit(account_id: str) -> bytes:
    """The ed25519 public key that a NEAR-implicit `account_id` spells. Raises `BadInputError` for another kind."""
    if kind(account_id) is not AccountKind.NEAR_IMPLICIT:
        raise BadInputError(f"account {account_id} is not NEAR-implicit")
    return bytes([ED25519]) + bytes.fromhex(account_id)


# Signing and verification.


def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the chain accepts `signature` over `message` under `public_key`.

    Keys and signatures of different schemes never match; secp256k1 takes a `message` of 32 bytes only. Raises
    `HostError` where ML-DSA cannot be computed.
    """
    scheme = public_key[0]
    if scheme != signature[0]:
        return False
    if scheme == ED25519:
        return ed25519.verify_chain(public_key[1:], message, signature[1:])
    if scheme == SECP256K1:
        return secp256k1.verify(public_key[1:], message, signature[1:])
    return _verify_ml_dsa_65(public_key[1:], message, signature[1:])


def _verify_ml_dsa_65(public_key: bytes, message: bytes, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PublicKey

    try:
        MLDSA65PublicKey.from_public_bytes(public_key).verify(signature, message)
    except InvalidSignature:
        return False
    except UnsupportedAlgorithm as error:
        raise HostError("the OpenSSL of this cryptography package lacks ML-DSA", code="host-ml-dsa") from error
    return True


def is_valid_staking_key(public_key: bytes) -> bool:
    """Whether a validator may stake with `public_key`: ed25519, a point of the curve, in the prime-order group."""
    return public_key[0] == ED25519 and ed25519.is_torsion_free_key(public_key[1:])


def sign(secret_key: bytes, message: bytes) -> bytes:
    """The signature of `message`; for secp256k1 `message` is a 32-byte hash.

    Raises `UnsupportedError` for ML-DSA-65.
    """
    scheme = secret_key[0]
    if scheme == ED25519:
        return bytes([ED25519]) + ed25519.sign(secret_key[1:], message)
    if scheme == SECP256K1:
        return bytes([SECP256K1]) + secp256k1.sign(secret_key[1:], message)
    raise _unsupported_ml_dsa_secret()


def public_key_of(secret_key: bytes) -> bytes:
    """The public key that belongs to `secret_key`. Raises `UnsupportedError` for ML-DSA-65."""
    scheme = secret_key[0]
    if scheme == ED25519:
        return bytes([ED25519]) + secret_key[33:]
    if scheme == SECP256K1:
        return bytes([SECP256K1]) + secp256k1.public_key_of(secret_key[1:])
    raise _unsupported_ml_dsa_secret()


def secret_key_from_seed(seed: str, *, scheme: int) -> bytes:
    """The secret key that NEAR's tools derive from the text `seed`: for examples and tests, never for funds.

    The UTF-8 bytes of `seed`, cut or padded with blanks to 32, are the ed25519 seed, or the ChaCha key whose
    stream is the secp256k1 number. Raises `UnsupportedError` for ML-DSA-65.
    """
    padded = seed.encode()[:_SEED_LENGTH].ljust(_SEED_LENGTH, b" ")
    if scheme == ED25519:
        return _ed25519_secret(padded)
    if scheme == SECP256K1:
        stream = words(padded, rounds=12)
        while True:
            secret = b"".join(next(stream).to_bytes(4, "little") for _ in range(8))
            if secp256k1.is_secret(secret):
                return bytes([SECP256K1]) + secret
    raise _unsupported_ml_dsa_secret()


def _ed25519_secret(seed: bytes) -> bytes:
    return bytes([ED25519]) + ed25519.secret_key_of(seed)


def _unsupported_ml_dsa_secret() -> UnsupportedError:
    return UnsupportedError("ML-DSA-65 secret keys are not implemented", what="ml-dsa-65-secret-key")
