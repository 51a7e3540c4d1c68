"""The hash functions of NEAR: SHA-256 everywhere, the others for keys, account ids and host functions.

`keccak256` and `keccak512` use Keccak's original padding, not that of SHA-3.

Mirrors nearcore: core/primitives-core/src/hash.rs
"""

import hashlib
from functools import cache
from hashlib import sha256 as _sha256
from typing import Protocol

ZERO_HASH = bytes(32)
"""The default hash: the root of nothing."""


class _Digest(Protocol):
    def digest(self) -> bytes: ...


class _Constructor(Protocol):
    def __call__(self, data: bytes, /) -> _Digest: ...


def sha256(data: bytes) -> bytes:
    """SHA-256 of `data`, 32 bytes: what NEAR calls a `CryptoHash`."""
    return _sha256(data).digest()


def sha512(data: bytes) -> bytes:
    """SHA-512 of `data`, 64 bytes."""
    return hashlib.sha512(data).digest()


def sha3_256(data: bytes) -> bytes:
    """SHA3-256 of `data`, 32 bytes."""
    return hashlib.sha3_256(data).digest()


def keccak256(data: bytes) -> bytes:
    """Keccak-256 of `data`, 32 bytes, as Ethereum uses it."""
    from Crypto.Hash import keccak

    return keccak.new(data=data, digest_bits=256).digest()


def keccak512(data: bytes) -> bytes:
    """Keccak-512 of `data`, 64 bytes."""
    from Crypto.Hash import keccak

    return keccak.new(data=data, digest_bits=512).digest()


def ripemd160(data: bytes) -> bytes:
    """RIPEMD-160 of `data`, 20 bytes."""
    return _ripemd160()(data).digest()


@cache
def _ripemd160() -> _Constructor:
    """OpenSSL's RIPEMD-160 where it is offered (some builds leave it out), else pycryptodome's."""
    try:
        hashlib.new("ripemd160", b"", usedforsecurity=False)
    except ValueError:
        from Crypto.Hash import RIPEMD160

        return RIPEMD160.new
    return lambda data: hashlib.new("ripemd160", data, usedforsecurity=False)
