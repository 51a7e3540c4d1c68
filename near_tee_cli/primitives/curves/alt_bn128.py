"""The curve alt_bn128 (BN254): sums, multiples and pairing checks of the host functions.

All numbers are little-endian, 32 bytes. A point of the first group is `x ‖ y`, one of the second group
`x.real ‖ x.imaginary ‖ y.real ‖ y.imaginary`; all zeros are the neutral element. Items are decoded in order,
and the first fault raises with the text that the chain puts into its error.

Mirrors nearcore: runtime/near-vm-runner/src/logic/alt_bn128.rs (crate zeropool-bn)
"""

from near_tee_cli.primitives.curves.bn254_pairing import (
    Affine2,
    P,
    U,
    is_in_second_group,
    is_on_twist,
    pairing_product_is_one,
)

R = 0x30644E72E131A029B85045B68181585D2833E84879B9709143E1F593F0000001
"""The order of both groups."""

MULTIEXP_ITEM_SIZE = 96
SUM_ITEM_SIZE = 65
PAIRING_ITEM_SIZE = 192
"""Bytes of one item by function."""

Affine1 = tuple[int, int]
"""x and y of a point of the first group; `None` elsewhere stands for the neutral element."""

_Jacobian = tuple[int, int, int]

_CUBE_ROOT = 0x59E26BCEA0D48BACD4F263F1ACDB5C4F5763473177FFFFFE
"""The cube root of one in the base field for which (x, y) -> (root x, y) multiplies by `_EIGENVALUE`."""
_EIGENVALUE = 0xB3C4D79D41A917585BFC41088D8DAAA78B17EA66B99C90DD
_A1, _B1 = 2 * U + 1, -6 * U * U - 2 * U
_A2, _B2 = 6 * U * U + 4 * U + 1, 2 * U + 1
"""Two short vectors (a, b) with a + b `_EIGENVALUE` = 0 modulo the order."""

_WINDOW = 5
_NEUTRAL: _Jacobian = (1, 1, 0)


class InvalidInputError(ValueError):
    """Data that the chain refuses; the message is the chain's."""


def require_whole_items(length: int, item_size: int) -> None:
    """Raise `InvalidInputError` when `length` bytes are no whole number of items."""
    if length % item_size:
        raise InvalidInputError(f"slice of size {length} cannot be precisely split into chunks of size {item_size}")


def g1_multiexp(data: bytes) -> bytes:
    """The sum of multiples over items `point ‖ scalar` (96 bytes). Raises `InvalidInputError`."""
    terms = []
    for at in range(0, len(data), MULTIEXP_ITEM_SIZE):
        point = _first_group(data[at : at + 64])
        raw = data[at + 64 : at + 96]
        scalar = int.from_bytes(raw, "little")
        if scalar >= R:
            raise _invalid("fr", raw)
        if point is not None and scalar:
            terms.append((point, scalar))
    return _written(_multiexp(terms))


def g1_sum(data: bytes) -> bytes:
    """The sum over items `sign ‖ point` (65 bytes), where sign 1 subtracts. Raises `InvalidInputError`."""
    total = _NEUTRAL
    for at in range(0, len(data), SUM_ITEM_SIZE):
        sign = data[at]
        if sign > 1:
            raise _invalid("bool", data[at : at + 1])
        point = _first_group(data[at + 1 : at + 65])
        if point is not None:
            x, y = point
            total = _add_affine(total, x, P - y if sign else y)
    return _written(total)


def pairing_check(data: bytes) -> bool:
    """Whether the product of pairings over items of two points (192 bytes) is one. Raises `InvalidInputError`."""
    pairs = []
    for at in range(0, len(data), PAIRING_ITEM_SIZE):
        first = _first_group(data[at : at + 64])
        second = _second_group(data[at + 64 : at + 192])
        if first is not None and second is not None:
            pairs.append((first, second))
    return pairing_product_is_one(pairs)


def _invalid(what: str, raw: bytes) -> InvalidInputError:
    return InvalidInputError(f"invalid {what}: [{', '.join(f'{byte:X}' for byte in raw)}]")


def _field_element(raw: bytes) -> int:
    number = int.from_bytes(raw, "little")
    if number >= P:
        raise _invalid("fq", raw)
    return number


def _first_group(raw: bytes) -> Affine1 | None:
    x = _field_element(raw[:32])
    y = _field_element(raw[32:])
    if not (x or y):
        return None
    if (y * y - x * x * x - 3) % P:
        raise _invalid("g1", raw)
    return x, y


def _second_group(raw: bytes) -> Affine2 | None:
    x = _field_element(raw[:32]), _field_element(raw[32:64])
    y = _field_element(raw[64:96]), _field_element(raw[96:])
    if x == y == (0, 0):
        return None
    if not (is_on_twist(x, y) and is_in_second_group(x, y)):
        raise _invalid("g2", raw)
    return x, y


def _written(point: _Jacobian) -> bytes:
    x, y, z = point
    if z == 0:
        return bytes(64)
    inverse = pow(z, -1, P)
    square = inverse * inverse % P
    return (x * square % P).to_bytes(32, "little") + (y * square * inverse % P).to_bytes(32, "little")


def _double(point: _Jacobian) -> _Jacobian:
    x, y, z = point
    b = y * y % P
    d = 4 * x * b
    e = 3 * x * x
    x3 = (e * e - 2 * d) % P
    return x3, (e * (d - x3) - 8 * b * b) % P, 2 * y * z % P


def _add_affine(point: _Jacobian, x2: int, y2: int) -> _Jacobian:
    """`point` plus the affine (`x2`, `y2`), whatever they are."""
    x1, y1, z1 = point
    if z1 == 0:
        return x2, y2, 1
    square = z1 * z1 % P
    h = (x2 * square - x1) % P
    r = (y2 * square * z1 - y1) % P
    if h == 0:
        return _NEUTRAL if r else _double(point)
    hh = h * h % P
    hhh = h * hh
    v = x1 * hh
    x3 = (r * r - hhh - 2 * v) % P
    return x3, (r * (v - x3) - y1 * hhh) % P, z1 * h % P


def _split(scalar: int) -> tuple[int, int]:
    """Two numbers of half the length, k1 + k2 `_EIGENVALUE` = `scalar` modulo the order."""
    c1 = (2 * _B2 * scalar + R) // (2 * R)
    c2 = (-2 * _B1 * scalar + R) // (2 * R)
    return scalar - c1 * _A1 - c2 * _A2, -c1 * _B1 - c2 * _B2


def _multiexp(terms: list[tuple[Affine1, int]]) -> _Jacobian:
    """The sum of multiples: every scalar split in two, all doublings shared, digits of five bits with sign."""
    tables = _odd_multiples([point for point, _ in terms])
    rows: list[list[Affine1]] = [[] for _ in range(_WINDOW + 130)]
    for (_, scalar), table in zip(terms, tables, strict=True):
        k1, k2 = _split(scalar)
        _spread(rows, table, k1)
        _spread(rows, [(x * _CUBE_ROOT % P, y) for x, y in table], k2)
    total = _NEUTRAL
    for row in reversed(rows):
        if total[2]:
            total = _double(total)
        for x, y in row:
            total = _add_affine(total, x, y)
    return total


def _spread(rows: list[list[Affine1]], table: list[Affine1], scalar: int) -> None:
    """Put the multiples that make up `scalar` times the point of `table` into the rows of their powers of two."""
    if scalar < 0:
        scalar = -scalar
        table = [(x, P - y) for x, y in table]
    position = 0
    while scalar:
        zeros = (scalar & -scalar).bit_length() - 1
        scalar >>= zeros
        position += zeros
        digit = scalar & ((1 << _WINDOW) - 1)
        if digit >> (_WINDOW - 1):
            digit -= 1 << _WINDOW
            x, y = table[-digit >> 1]
            rows[position].append((x, P - y))
        else:
            rows[position].append(table[digit >> 1])
        scalar -= digit


def _odd_multiples(points: list[Affine1]) -> list[list[Affine1]]:
    """The multiples 1, 3, ... 15 of every point, made affine with a single inversion.

    None of them is neutral, for the group's order is a large prime.
    """
    count = 1 << (_WINDOW - 2)
    chains: list[_Jacobian] = []
    for x, y in points:
        (x2, y2), *_ = _affine([_double((x, y, 1))])
        multiple: _Jacobian = (x, y, 1)
        chains.append(multiple)
        for _ in range(count - 1):
            multiple = _add_affine(multiple, x2, y2)
            chains.append(multiple)
    flat = _affine(chains)
    return [flat[at : at + count] for at in range(0, len(flat), count)]


def _affine(points: list[_Jacobian]) -> list[Affine1]:
    """The points, none of them neutral, with z = 1; one inversion for all."""
    products = []
    product = 1
    for _, _, z in points:
        products.append(product)
        product = product * z % P
    inverse = pow(product, -1, P)
    result: list[Affine1] = []
    for (x, y, z), before in zip(reversed(points), reversed(products), strict=True):
        own = inverse * before % P
        inverse = inverse * z % P
        square = own * own % P
        result.append((x * square % P, y * square * own % P))
    result.reverse()
    return result
