"""BLS12-381: sums, multiples, decompression, maps to the curve and pairing checks of the host functions.

Field elements are big-endian, those of the quadratic field with the imaginary part first. A point is `x ‖ y`;
the first byte 0x40 and zeros write infinity. Data is a row of items whose number the caller has checked;
`None` stands for data that contains no valid item somewhere.

Mirrors nearcore: runtime/near-vm-runner/src/logic/bls12381.rs (crate blst)
"""

from typing import Any, Protocol

P = 0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB
"""The field's prime."""

P1_SIZE = 96
P2_SIZE = 192
SCALAR_SIZE = 32
FP_SIZE = 48
FP2_SIZE = 96

PAIRING_IS_ONE = 0
PAIRING_BAD_INPUT = 1
PAIRING_IS_NOT_ONE = 2
"""Results of a pairing check."""

_COMPRESSED = 0x80
_INFINITY = 0x40
_LARGER_Y = 0x20
_FLAGS = 0xE0
_INFINITY_1 = bytes([_INFINITY]) + bytes(P1_SIZE - 1)
_INFINITY_2 = bytes([_INFINITY]) + bytes(P2_SIZE - 1)
_ZERO_1 = bytes(P1_SIZE)
_ZERO_2 = bytes(P2_SIZE)


class _Point(Protocol):
    def to_xy_bytes_be(self) -> bytes: ...


def p1_sum(data: bytes, *, not_in_group_fix: bool) -> bytes | None:
    """The sum of items `sign ‖ point` (97 bytes, sign 1 subtracts) over the whole curve, 96 bytes.

    Without `not_in_group_fix` a point whose `x` is zero counts as invalid.
    """
    from py_arkworks_bls12381 import G1Point

    total = G1Point.identity()
    for at in range(0, len(data), 1 + P1_SIZE):
        point = _point_1(data[at + 1 : at + 1 + P1_SIZE], zero_x=not_in_group_fix)
        sign = data[at]
        if point is None or sign > 1:
            return None
        total = total - point if sign else total + point
    return _written_1(total)


def p2_sum(data: bytes) -> bytes | None:
    """The sum of items `sign ‖ point` (193 bytes, sign 1 subtracts) over the whole curve, 192 bytes."""
    from py_arkworks_bls12381 import G2Point

    total = G2Point.identity()
    for at in range(0, len(data), 1 + P2_SIZE):
        point = _point_2(data[at + 1 : at + 1 + P2_SIZE])
        sign = data[at]
        if point is None or sign > 1:
            return None
        total = total - point if sign else total + point
    return _written_2(total)


def g1_multiexp(data: bytes) -> bytes | None:
    """The sum of multiples over items `point ‖ scalar` (128 bytes, scalar little-endian), 96 bytes."""
    from py_arkworks_bls12381 import G1Point, Scalar

    points, scalars = [], []
    for at in range(0, len(data), P1_SIZE + SCALAR_SIZE):
        point = _point_1(data[at : at + P1_SIZE], zero_x=False)
        if point is None or not point.is_in_subgroup():
            return None
        points.append(point)
        scalars.append(Scalar.from_le_bytes_mod_order(data[at + P1_SIZE : at + P1_SIZE + SCALAR_SIZE]))
    return _written_1(G1Point.multiexp_unchecked(points, scalars) if points else G1Point.identity())


def g2_multiexp(data: bytes) -> bytes | None:
    """The sum of multiples over items `point ‖ scalar` (224 bytes, scalar little-endian), 192 bytes."""
    from py_arkworks_bls12381 import G2Point, Scalar

    points, scalars = [], []
    for at in range(0, len(data), P2_SIZE + SCALAR_SIZE):
        point = _point_2(data[at : at + P2_SIZE])
        if point is None or not point.is_in_subgroup():
            return None
        points.append(point)
        scalars.append(Scalar.from_le_bytes_mod_order(data[at + P2_SIZE : at + P2_SIZE + SCALAR_SIZE]))
    return _written_2(G2Point.multiexp_unchecked(points, scalars) if points else G2Point.identity())


def p1_decompress(data: bytes, *, not_in_group_fix: bool) -> bytes | None:
    """The points of the whole curve behind compressed ones of 48 bytes, 96 bytes each.

    Without `not_in_group_fix` a point whose `x` is zero counts as invalid.
    """
    from py_arkworks_bls12381 import G1Point

    points = []
    for at in range(0, len(data), FP_SIZE):
        compressed = data[at : at + FP_SIZE]
        if _is_compressed_infinity(compressed):
            points.append(_INFINITY_1)
            continue
        x = _compressed_x(compressed)
        if x is None or (x == 0 and not not_in_group_fix):
            return None
        try:
            points.append(G1Point.from_compressed_bytes_unchecked(compressed).to_xy_bytes_be())
        except ValueError:
            return None
    return b"".join(points)


def p2_decompress(data: bytes) -> bytes | None:
    """The points of the whole curve behind compressed ones of 96 bytes, 192 bytes each."""
    from py_arkworks_bls12381 import G2Point

    points = []
    for at in range(0, len(data), FP2_SIZE):
        compressed = data[at : at + FP2_SIZE]
        if _is_compressed_infinity(compressed):
            points.append(_INFINITY_2)
            continue
        if _compressed_x(compressed[:FP_SIZE]) is None or int.from_bytes(compressed[FP_SIZE:], "big") >= P:
            return None
        try:
            points.append(
                _real_and_imaginary_swapped(G2Point.from_compressed_bytes_unchecked(compressed).to_xy_bytes_be())
            )
        except ValueError:
            return None
    return b"".join(points)


def map_fp_to_g1(data: bytes) -> bytes | None:
    """The images of field elements of 48 bytes in the first group, 96 bytes each."""
    from py_arkworks_bls12381 import G1Point

    points = []
    for at in range(0, len(data), FP_SIZE):
        element = data[at : at + FP_SIZE]
        if int.from_bytes(element, "big") >= P:
            return None
        points.append(_written_1(G1Point.map_from_fp_be(element)))
    return b"".join(points)


def map_fp2_to_g2(data: bytes) -> bytes | None:
    """The images of quadratic field elements of 96 bytes in the second group, 192 bytes each."""
    from py_arkworks_bls12381 import G2Point

    points = []
    for at in range(0, len(data), FP2_SIZE):
        element = data[at : at + FP2_SIZE]
        if int.from_bytes(element[:FP_SIZE], "big") >= P or int.from_bytes(element[FP_SIZE:], "big") >= P:
            return None
        points.append(_written_2(G2Point.map_from_fp2_be(_real_and_imaginary_swapped(element))))
    return b"".join(points)


def pairing_check(data: bytes) -> int:
    """Whether the product of pairings over items of two points (288 bytes) is one: one of the `PAIRING_` results."""
    from py_arkworks_bls12381 import GT

    firsts, seconds = [], []
    for at in range(0, len(data), P1_SIZE + P2_SIZE):
        first = _point_1(data[at : at + P1_SIZE], zero_x=False)
        if first is None or not first.is_in_subgroup():
            return PAIRING_BAD_INPUT
        second = _point_2(data[at + P1_SIZE : at + P1_SIZE + P2_SIZE])
        if second is None or not second.is_in_subgroup():
            return PAIRING_BAD_INPUT
        firsts.append(first)
        seconds.append(second)
    if not firsts or GT.pairing_check(firsts, seconds):
        return PAIRING_IS_ONE
    return PAIRING_IS_NOT_ONE


def _point_1(encoding: bytes, *, zero_x: bool) -> Any:
    """The library's point for 96 bytes, anywhere on the curve, or `None`; without `zero_x` none whose `x` is zero."""
    from py_arkworks_bls12381 import G1Point

    if encoding[0] & _FLAGS:
        return G1Point.identity() if encoding == _INFINITY_1 else None
    x = int.from_bytes(encoding[:FP_SIZE], "big")
    y = int.from_bytes(encoding[FP_SIZE:], "big")
    if x >= P or y >= P or (y * y - x * x * x - 4) % P or not (x or zero_x):
        return None
    return G1Point.from_xy_bytes_unchecked_be(encoding)


def _point_2(encoding: bytes) -> Any:
    """The library's point that 192 bytes write, anywhere on the curve, or `None`; no point there has `x` zero."""
    from py_arkworks_bls12381 import G2Point

    if encoding[0] & _FLAGS:
        return G2Point.identity() if encoding == _INFINITY_2 else None
    b = int.from_bytes(encoding[:FP_SIZE], "big")
    a = int.from_bytes(encoding[FP_SIZE : 2 * FP_SIZE], "big")
    d = int.from_bytes(encoding[2 * FP_SIZE : 3 * FP_SIZE], "big")
    c = int.from_bytes(encoding[3 * FP_SIZE :], "big")
    if a >= P or b >= P or c >= P or d >= P:
        return None
    # (c + di)^2 = (a + bi)^3 + 4 + 4i, part by part.
    square_real, square_imaginary = (a + b) * (a - b) % P, 2 * a * b % P
    real = square_real * a - square_imaginary * b
    imaginary = square_real * b + square_imaginary * a
    if ((c + d) * (c - d) - real - 4) % P or (2 * c * d - imaginary - 4) % P:
        return None
    return G2Point.from_xy_bytes_unchecked_be(_real_and_imaginary_swapped(encoding))


def _is_compressed_infinity(compressed: bytes) -> bool:
    return compressed[0] == _COMPRESSED | _INFINITY and not any(compressed[1:])


def _compressed_x(compressed: bytes) -> int | None:
    """The number in 48 bytes under the flags, or `None` when it is too large or the flags are not those of a point."""
    if compressed[0] & (_COMPRESSED | _INFINITY) != _COMPRESSED:
        return None
    x = int.from_bytes(compressed, "big") & ~(_FLAGS << 376)
    return x if x < P else None


def _written_1(point: _Point) -> bytes:
    encoding = point.to_xy_bytes_be()
    return _INFINITY_1 if encoding == _ZERO_1 else encoding


def _written_2(point: _Point) -> bytes:
    encoding = point.to_xy_bytes_be()
    return _INFINITY_2 if encoding == _ZERO_2 else _real_and_imaginary_swapped(encoding)


def _real_and_imaginary_swapped(elements: bytes) -> bytes:
    """The same quadratic field elements (one or two), parts in the other order: arkworks writes the real one first."""
    swapped = elements[FP_SIZE:FP2_SIZE] + elements[:FP_SIZE]
    if len(elements) > FP2_SIZE:
        swapped += elements[FP2_SIZE + FP_SIZE :] + elements[FP2_SIZE : FP2_SIZE + FP_SIZE]
    return swapped
