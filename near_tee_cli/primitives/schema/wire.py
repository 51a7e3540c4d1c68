"""Borsh building blocks with strict bounds.

A reader takes a buffer and a position and gives the value with the position after it. Running off the end raises
`struct.error`, `IndexError` or `BadInputError`; `whole` turns every one of these into `BadInputError` and refuses
bytes that are left over, so only its callers are safe to hand untrusted input to.
"""

from collections.abc import Callable, Iterable
from struct import Struct, error
from typing import TypeVar

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives import account_id as account_ids

T = TypeVar("T")

HASH_LENGTH = 32
"""Bytes of a hash."""

NO_HASH = bytes(HASH_LENGTH)
"""The hash of 32 zero bytes: the empty trie, the absent code."""

U8_MAX = 2**8 - 1
U16_MAX = 2**16 - 1
U32_MAX = 2**32 - 1
U64_MAX = 2**64 - 1
U128_MAX = 2**128 - 1

_U16 = Struct("<H")
_U32 = Struct("<I")
_U64 = Struct("<Q")
_U128 = Struct("<QQ")
_KEY_LENGTHS = (33, 65, 1953)
_SIGNATURE_LENGTHS = (65, 66, 3310)

u16 = _U16.pack
"""A 16-bit number, little endian."""
u32 = _U32.pack
"""A 32-bit number, little endian."""
u64 = _U64.pack
"""A 64-bit number, little endian."""


def u128(value: int) -> bytes:
    """A 128-bit number, little endian. Raises `OverflowError` outside the range."""
    return value.to_bytes(16, "little")


def blob(value: bytes) -> bytes:
    """`Vec<u8>`: the length, then the bytes."""
    return u32(len(value)) + value


def string(value: str) -> bytes:
    """`String`: the length of its UTF-8, then that."""
    raw = value.encode()
    return u32(len(raw)) + raw


def vector(items: Iterable[bytes]) -> bytes:
    """`Vec<T>` of encoded items."""
    parts = list(items)
    return u32(len(parts)) + b"".join(parts)


def optional(value: bytes | None) -> bytes:
    """`Option<T>` of an encoded value."""
    return b"\0" if value is None else b"\1" + value


def read_u16(data: bytes, at: int) -> tuple[int, int]:
    """A `u16` at `at`, and the position after it."""
    return _U16.unpack_from(data, at)[0], at + 2


def read_u32(data: bytes, at: int) -> tuple[int, int]:
    """A `u32` at `at`, and the position after it."""
    return _U32.unpack_from(data, at)[0], at + 4


def read_u64(data: bytes, at: int) -> tuple[int, int]:
    """A `u64` at `at`, and the position after it."""
    return _U64.unpack_from(data, at)[0], at + 8


def read_u128(data: bytes, at: int) -> tuple[int, int]:
    """A `u128` at `at`, and the position after it."""
    low, high = _U128.unpack_from(data, at)
    return high << 64 | low, at + 16


def read_fixed(data: bytes, at: int, *, length: int) -> tuple[bytes, int]:
    """`length` raw bytes."""
    end = at + length
    if end > len(data):
        raise BadInputError(f"{length} bytes expected, {max(len(data) - at, 0)} are left")
    return data[at:end], end


def read_hash(data: bytes, at: int) -> tuple[bytes, int]:
    """32 raw bytes."""
    end = at + HASH_LENGTH
    if end > len(data):
        raise BadInputError("the data ends inside a hash")
    return data[at:end], end


def read_blob(data: bytes, at: int) -> tuple[bytes, int]:
    """`Vec<u8>`."""
    start = at + 4
    end = start + _U32.unpack_from(data, at)[0]
    if end > len(data):
        raise BadInputError("the data ends inside a byte string")
    return data[start:end], end


def read_string(data: bytes, at: int) -> tuple[str, int]:
    """`String`; not UTF-8 is malformed."""
    raw, at = read_blob(data, at)
    return raw.decode(), at


def read_account_id(data: bytes, at: int) -> tuple[str, int]:
    """A `String` that is a valid account id."""
    raw, at = read_blob(data, at)
    text = raw.decode()
    if not account_ids.is_valid(text):
        raise BadInputError(f"not an account id: {text[:128]!r}")
    return text, at


def read_option(data: bytes, at: int, read: Callable[[bytes, int], tuple[T, int]]) -> tuple[T | None, int]:
    """`Option<T>`; a tag other than 0 and 1 is malformed."""
    tag = data[at]
    if tag == 0:
        return None, at + 1
    if tag != 1:
        raise BadInputError(f"option tag {tag}")
    return read(data, at + 1)


def read_vector(data: bytes, at: int, read: Callable[[bytes, int], tuple[T, int]]) -> tuple[tuple[T, ...], int]:
    """`Vec<T>` for items of at least one byte each."""
    count, at = read_u32(data, at)
    if count > len(data) - at:
        raise BadInputError(f"a list of {count} items in {len(data) - at} bytes")
    items = []
    for _ in range(count):
        item, at = read(data, at)
        items.append(item)
    return tuple(items), at


def read_public_key(data: bytes, at: int) -> tuple[bytes, int]:
    """A public key, kept as its Borsh bytes: 33 (ed25519), 65 (secp256k1) or 1953 (ML-DSA-65)."""
    tag = data[at]
    if tag >= len(_KEY_LENGTHS):
        raise BadInputError(f"unknown kind {tag} of public key")
    return read_fixed(data, at, length=_KEY_LENGTHS[tag])


def read_signature(data: bytes, at: int) -> tuple[bytes, int]:
    """A signature, kept as its Borsh bytes: 65 (ed25519), 66 (secp256k1) or 3310 (ML-DSA-65).

    Like the library behind nearcore, refuses an ed25519 signature whose last byte has one of the top three bits.
    """
    tag = data[at]
    if tag >= len(_SIGNATURE_LENGTHS):
        raise BadInputError(f"unknown kind {tag} of signature")
    raw, at = read_fixed(data, at, length=_SIGNATURE_LENGTHS[tag])
    if tag == 0 and raw[-1] & 0xE0:
        raise BadInputError("an ed25519 signature whose scalar is out of range")
    return raw, at


def whole(data: bytes, read: Callable[[bytes, int], tuple[T, int]], *, what: str) -> T:
    """The value that `data` encodes, all of it. Raises `BadInputError`, naming `what`, for anything else."""
    try:
        value, end = read(data, 0)
    except BadInputError as problem:
        raise BadInputError(f"{what}: {problem.message}") from problem
    except (error, IndexError):
        raise BadInputError(f"{what}: the data ends too early") from None
    except UnicodeDecodeError:
        raise BadInputError(f"{what}: a string that is not UTF-8") from None
    if end != len(data):
        raise BadInputError(f"{what}: {len(data) - end} bytes are left over")
    return value
