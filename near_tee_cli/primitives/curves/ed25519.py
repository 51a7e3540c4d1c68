"""Ed25519 verification: the chain's rule for execution, a strict one for our own trust keys.

The chain accepts what the Rust library ed25519-dalek accepts without its strict option. `s` is reduced; the
key's bytes are decompressed with any `y`, reduced or not, and whatever its order; then `sB - kA` is compressed
and compared with `R` byte by byte.

libsodium, which is fast, refuses keys and `R` of small order and keys that are not reduced, and some of its
releases accept two sides that differ by a point of small order. Its answer decides where it provably coincides
with the chain's, and everything else is computed here:

* It accepts, and was seen to compare exactly: its computation is the chain's.
* It accepts, but compares up to a point of small order: where key and `R` are reduced points of the
  prime-order group, so is the difference, which is therefore zero, and `R` has no other encoding.
* It refuses, though the key is reduced and neither key nor `R` is of small order: then the two sides differ, or
  one of them is no point, and the chain refuses too.

Mirrors nearcore: core/crypto/src/signature.rs, core/crypto/src/key_conversion.rs,
runtime/near-vm-runner/src/logic/logic.rs
"""

from collections.abc import Callable
from functools import cache, lru_cache
from hashlib import sha512
from typing import Any

from near_tee_cli.errors import HostError

P = 2**255 - 19
"""The field's prime."""

L = 2**252 + 27742317777372353535851937790883648493
"""The order of the base point's group."""

_D = -121665 * pow(121666, -1, P) % P
_SQRT_MINUS_ONE = pow(2, (P - 1) // 4, P)
_Y_BITS = 2**255 - 1
_BASE_Y = 4 * pow(5, -1, P) % P

Point = tuple[int, int, int, int]
"""Extended coordinates X, Y, Z, T with x = X/Z, y = Y/Z and T = XY/Z."""

_NEUTRAL: Point = (0, 1, 1, 0)

_SMALL_ORDER = frozenset(
    bytes.fromhex(ordinate + sign)
    for ordinate, signs in (
        ("00" * 31, ("00", "80")),
        ("01" + "00" * 30, ("00", "80")),
        ("ec" + "ff" * 30, ("7f", "ff")),
        ("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03", ("7a", "fa")),
        ("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc", ("05", "85")),
        ("ed" + "ff" * 30, ("7f", "ff")),
        ("ee" + "ff" * 30, ("7f", "ff")),
    )
    for sign in signs
)
"""Every encoding, reduced or not, of the eight points of small order."""

_PROBE_KEY = bytes.fromhex("ac9f73a3523cd54c6fc3ccbcbf225e93d7b92577e4b003e369cfd67645ba499f")
_PROBE_SIGNATURES = tuple(
    bytes.fromhex(r + s)
    for r, s in (
        (
            "98519eadf35b995233b51b5cd23e9cc5a28b639b5a4af0ec903cb960d81b7819",
            "9e1d005b063fe1a40bef947aedeefb395f0e2c0dcfd68ce59aca8705e7ee620a",
        ),
        (
            "5252cc0a7f208133b620acbd4537eba2a4123bf0a8c2e4f980c3b31bb69765ea",
            "d4f8e7aa306e1f19ce2ef2b8251152151a57683c209ecd47676004a00bc4ca0c",
        ),
        (
            "9599999999999999999999999999999999999999999999999999999999999999",
            "6ab45dbc61ec5352efc94f1f9f20746e34eaccafe44aa7676453bfb78fed0d0d",
        ),
    )
)
"""Signatures of the empty message that hold only up to a point of order eight, four and two."""


def verify_chain(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the chain accepts the 64-byte `signature` over `message` under the 32-byte `public_key`."""
    if signature[63] > 15 and int.from_bytes(signature[32:], "little") >= L:
        return False
    r = signature[:32]
    if _sodium_accepts()(public_key, message, signature):
        if _sodium_compares_exactly() or (is_prime_order_point(public_key) and is_prime_order_point(r)):
            return True
    elif is_reduced(public_key) and public_key not in _SMALL_ORDER and r not in _SMALL_ORDER:
        return False
    return _verify_exactly(public_key, message, signature)


def verify_strict(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` holds under the rule for our own keys.

    Narrower than the chain's: key and `R` must be reduced encodings of points of the prime-order group.
    """
    return (
        len(public_key) == 32
        and len(signature) == 64
        and int.from_bytes(signature[32:], "little") < L
        and is_prime_order_point(public_key)
        and is_prime_order_point(signature[:32])
        and _sodium_accepts()(public_key, message, signature)
    )


def secret_key_of(seed: bytes) -> bytes:
    """The secret key of a 32-byte `seed`: the seed and the public key, 64 bytes."""
    ffi, lib = _sodium()
    public_key = ffi.new("unsigned char[32]")
    secret_key = ffi.new("unsigned char[64]")
    if lib.crypto_sign_seed_keypair(public_key, secret_key, seed) != 0:
        raise HostError("libsodium makes no key pair", code="host-libsodium")
    return bytes(ffi.buffer(secret_key))


def sign(secret_key: bytes, message: bytes) -> bytes:
    """The signature of `message`, 64 bytes, by a 64-byte `secret_key`."""
    ffi, lib = _sodium()
    signed = ffi.new("unsigned char[]", 64 + len(message))
    if lib.crypto_sign(signed, ffi.NULL, message, len(message), secret_key) != 0:
        raise HostError("libsodium does not sign", code="host-libsodium")
    return bytes(ffi.buffer(signed, 64))


def is_decodable_point(encoding: bytes) -> bool:
    """Whether the 32 bytes `encoding` decompress to a point of the curve, as the chain's library does it."""
    return decompress(encoding) is not None


def is_torsion_free_key(encoding: bytes) -> bool:
    """Whether the 32 bytes `encoding` decompress to a point of the prime-order group, as staking keys must.

    The neutral element is one, and so are encodings that are not reduced.
    """
    point = decompress(encoding)
    return point is not None and _is_neutral(_multiple(point, L))


@lru_cache(maxsize=4096)
def is_prime_order_point(encoding: bytes) -> bool:
    """Whether the 32 bytes `encoding` are the reduced form of a point of the prime-order group, not the neutral one."""
    _, lib = _sodium()
    return bool(lib.crypto_core_ed25519_is_valid_point(encoding) == 1)


def is_reduced(encoding: bytes) -> bool:
    """Whether the `y` that the 32 bytes `encoding` carry lies below the field's prime."""
    return encoding[0] < 0xED or int.from_bytes(encoding, "little") & _Y_BITS < P


@cache
def _sodium() -> tuple[Any, Any]:
    """The libsodium inside pynacl, without pynacl's Python layer, which takes much longer to import."""
    from nacl._sodium import ffi, lib

    if lib.sodium_init() < 0:
        raise HostError("libsodium cannot be initialised", code="host-libsodium")
    return ffi, lib


@cache
def _sodium_accepts() -> Callable[[bytes, bytes, bytes], bool]:
    ffi, lib = _sodium()
    nowhere = ffi.NULL
    opened = lib.crypto_sign_open

    def accepts(public_key: bytes, message: bytes, signature: bytes) -> bool:
        signed = signature + message
        return bool(opened(nowhere, nowhere, signed, len(signed), public_key) == 0)

    return accepts


@cache
def _sodium_compares_exactly() -> bool:
    """Whether this libsodium refuses signatures whose two sides differ by a point of order eight, four or two."""
    accepts = _sodium_accepts()
    return not any(accepts(_PROBE_KEY, b"", signature) for signature in _PROBE_SIGNATURES)


def _verify_exactly(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """The chain's rule in plain arithmetic; `s` is known to be reduced."""
    key = decompress(public_key)
    if key is None:
        return False
    k = int.from_bytes(sha512(signature[:32] + public_key + message).digest(), "little") % L
    s = int.from_bytes(signature[32:], "little")
    x, y, z, t = key
    return compress(_double_multiple((P - x, y, z, P - t), k, s)) == signature[:32]


def decompress(encoding: bytes) -> Point | None:
    """The point that 32 bytes encode, or `None` when the curve has none with this `y`.

    `y` is taken modulo the prime, and the sign bit is ignored when `x` is zero.
    """
    number = int.from_bytes(encoding, "little")
    y = (number & _Y_BITS) % P
    u = (y * y - 1) % P
    v = (_D * y * y + 1) % P
    # The root of u/v without an inversion: u v^3 (u v^7)^((p-5)/8), correct up to a root of -1.
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    square = v * x * x % P
    if square != u:
        if square != P - u:
            return None
        x = x * _SQRT_MINUS_ONE % P
    if x & 1 != number >> 255:
        x = -x % P
    return x, y, 1, x * y % P


def compress(point: Point) -> bytes:
    """The reduced 32-byte encoding of `point`."""
    x, y, z, _ = point
    inverse = pow(z, -1, P)
    return (y * inverse % P | (x * inverse % P & 1) << 255).to_bytes(32, "little")


def _add(left: Point, right: Point) -> Point:
    """The sum, by formulas that are complete on this curve."""
    x1, y1, z1, t1 = left
    x2, y2, z2, t2 = right
    a = (y1 - x1) * (y2 - x2) % P
    b = (y1 + x1) * (y2 + x2) % P
    c = 2 * _D * t1 * t2 % P
    d = 2 * z1 * z2 % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _double(point: Point) -> Point:
    x, y, z, _ = point
    a = x * x % P
    b = y * y % P
    h = a + b
    e = h - (x + y) * (x + y)
    g = a - b
    f = 2 * z * z + g
    return e * f % P, g * h % P, f * g % P, e * h % P


def _negated(point: Point) -> Point:
    x, y, z, t = point
    return -x, y, z, -t


def _is_neutral(point: Point) -> bool:
    x, y, z, _ = point
    return x % P == 0 and (y - z) % P == 0


def _odd_multiples(point: Point, count: int) -> list[Point]:
    twice = _double(point)
    multiples = [point]
    for _ in range(count - 1):
        multiples.append(_add(multiples[-1], twice))
    return multiples


@cache
def _base_multiples() -> list[Point]:
    base = decompress(_BASE_Y.to_bytes(32, "little"))
    return _odd_multiples(base if base is not None else _NEUTRAL, 64)


def _signed_digits(scalar: int, width: int) -> list[int]:
    """`scalar` in non-adjacent form, lowest digit first: each digit odd and below `2**(width-1)`, or zero."""
    digits = []
    modulus = 1 << width
    while scalar:
        digit = 0
        if scalar & 1:
            digit = scalar & (modulus - 1)
            if digit >= modulus >> 1:
                digit -= modulus
            scalar -= digit
        digits.append(digit)
        scalar >>= 1
    return digits


def _sum_of_digits(terms: list[tuple[list[int], list[Point]]]) -> Point:
    result = _NEUTRAL
    for position in range(max((len(digits) for digits, _ in terms), default=0) - 1, -1, -1):
        result = _double(result)
        for digits, multiples in terms:
            digit = digits[position] if position < len(digits) else 0
            if digit > 0:
                result = _add(result, multiples[digit >> 1])
            elif digit < 0:
                result = _add(result, _negated(multiples[-digit >> 1]))
    return result


def _multiple(point: Point, scalar: int) -> Point:
    return _sum_of_digits([(_signed_digits(scalar, 5), _odd_multiples(point, 8))])


def _double_multiple(point: Point, scalar: int, base_scalar: int) -> Point:
    """`scalar` times `point` plus `base_scalar` times the base point."""
    return _sum_of_digits(
        [
            (_signed_digits(scalar, 5), _odd_multiples(point, 8)),
            (_signed_digits(base_scalar, 8), _base_multiples()),
        ]
    )
