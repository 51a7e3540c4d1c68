"""The second group of alt_bn128 and its pairing, in plain integers.

The quadratic field has i*i = -1; numbers in it are pairs (real, imaginary). The field of the pairing's values is
built on it by w**6 = 9 + i: six such pairs, flat in one tuple of twelve integers, lowest power of w first. The
curve y*y = x*x*x + 3/(9 + i) over the quadratic field carries the second group, and (x w**2, y w**3) lies on the
curve of the first.

Whether a product of pairings is one does not depend on which power of the pairing is computed, as long as the
exponent is prime to the group's order; so this need not follow the chain's library step by step.
"""

Pair = tuple[int, int]
"""A number of the quadratic field."""

Affine2 = tuple[Pair, Pair]
"""x and y of a point of the second group."""

_Jacobian2 = tuple[Pair, Pair, Pair]

Value = tuple[int, int, int, int, int, int, int, int, int, int, int, int]
"""A number of the pairing's field."""

_Half = tuple[int, int, int, int, int, int]
"""The even or the odd powers of w: a number of the field of degree six, with v = w*w."""

U = 4965661367192848881
"""The number from which the curve's parameters come."""

P = 36 * U**4 + 36 * U**3 + 24 * U**2 + 6 * U + 1
"""The prime of the base field."""

_LOOP = 6 * U + 2
_THREE_OVER_XI = (
    0x2B149D40CEB8AAAE81BE18991BE06AC3B5B4C5E559DBEFA33267E6DC24A138E5,
    0x9713B03AF0FED4CD2CAFADEED8FDF4A74FA084E52D1852E4A2BD0685C315D2,
)
_XI_SIXTH = (
    0x1284B71C2865A7DFE8B99FDD76E68B605C521E08292F2176D60B35DADCC9E470,
    0x246996F3B4FAE7E6A6327CFE12150B8E747992778EEEC7E5CA5CF05F80F362AC,
)
_XI_THIRD = (
    0x2FB347984F7911F74C0BEC3CF559B143B78CC310C2C3330C99E39557176F553D,
    0x16C9E55061EBAE204BA4CC8BD75A079432AE2A1D0B7C9DCE1665D51C640FCBA2,
)
_XI_HALF = (
    0x63CF305489AF5DCDC5EC698B6E2F9B9DBAAE0EDA9C95998DC54014671A0135A,
    0x7C03CBCAC41049A0704B5A7EC796F2B21807DC98FA25BD282D37F632623B0E3,
)
"""9 + i to the powers (p - 1)/6, (p - 1)/3 and (p - 1)/2."""

_ONE: Value = (1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)


def _digits(number: int) -> tuple[int, ...]:
    """`number` in digits -1, 0, 1 without two neighbours, lowest first."""
    digits = []
    while number:
        digit = (2 - (number & 3)) if number & 1 else 0
        digits.append(digit)
        number = (number - digit) >> 1
    return tuple(digits)


def _mul(a: Pair, b: Pair) -> Pair:
    a0, a1 = a
    b0, b1 = b
    return (a0 * b0 - a1 * b1) % P, (a0 * b1 + a1 * b0) % P


def _square(a: Pair) -> Pair:
    a0, a1 = a
    return (a0 + a1) * (a0 - a1) % P, 2 * a0 * a1 % P


def is_on_twist(x: Pair, y: Pair) -> bool:
    """Whether (`x`, `y`) lies on the curve that carries the second group."""
    cube = _mul(_square(x), x)
    square = _square(y)
    return (square[0] - cube[0] - _THREE_OVER_XI[0]) % P == 0 and (square[1] - cube[1] - _THREE_OVER_XI[1]) % P == 0


def is_in_second_group(x: Pair, y: Pair) -> bool:
    """Whether (`x`, `y`) of that curve has the group's order.

    The Frobenius map F satisfies F**2 - tF + p = 0 on the curve. Where F acts as t - 1 = 6 u**2, it follows that
    p + 1 - t, which is the order, annihilates the point; and on the group F acts as p = t - 1.
    """
    six_u_squared = _multiple_2(_multiple_2((x, y, (1, 0)), U), U)
    six_u_squared = _add_2(_double_2(six_u_squared), six_u_squared)
    x3, y3, z3 = _double_2(six_u_squared)
    if z3 == (0, 0):
        return False
    mapped_x, mapped_y = _frobenius_2(x, y)
    z_squared = _square(z3)
    return _mul(mapped_x, z_squared) == x3 and _mul(mapped_y, _mul(z_squared, z3)) == y3


def _frobenius_2(x: Pair, y: Pair) -> Affine2:
    """The map (x, y) -> (x**p, y**p) of the first group's curve, seen on the second's."""
    return _mul((x[0], -x[1]), _XI_THIRD), _mul((y[0], -y[1]), _XI_HALF)


def _double_2(point: _Jacobian2) -> _Jacobian2:
    x, y, z = point
    b = _square(y)
    d0, d1 = _mul(x, b)
    e = _square(x)
    e = 3 * e[0], 3 * e[1]
    f0, f1 = _square(e)
    x3 = (f0 - 8 * d0) % P, (f1 - 8 * d1) % P
    c0, c1 = _square(b)
    g0, g1 = _mul(e, (4 * d0 - x3[0], 4 * d1 - x3[1]))
    z3 = _mul(y, z)
    return x3, ((g0 - 8 * c0) % P, (g1 - 8 * c1) % P), (2 * z3[0] % P, 2 * z3[1] % P)


def _add_2(left: _Jacobian2, right: _Jacobian2) -> _Jacobian2:
    """The sum of any two points; z = 0 is the neutral one."""
    x1, y1, z1 = left
    x2, y2, z2 = right
    if z1 == (0, 0):
        return right
    if z2 == (0, 0):
        return left
    zz1 = _square(z1)
    zz2 = _square(z2)
    u1 = _mul(x1, zz2)
    u2 = _mul(x2, zz1)
    s1 = _mul(y1, _mul(zz2, z2))
    s2 = _mul(y2, _mul(zz1, z1))
    h = (u2[0] - u1[0]) % P, (u2[1] - u1[1]) % P
    r = (s2[0] - s1[0]) % P, (s2[1] - s1[1]) % P
    if h == (0, 0):
        return _double_2(left) if r == (0, 0) else ((1, 0), (1, 0), (0, 0))
    hh = _square(h)
    hhh = _mul(h, hh)
    v0, v1 = _mul(u1, hh)
    rr = _square(r)
    x3 = (rr[0] - hhh[0] - 2 * v0) % P, (rr[1] - hhh[1] - 2 * v1) % P
    a0, a1 = _mul(r, (v0 - x3[0], v1 - x3[1]))
    b0, b1 = _mul(s1, hhh)
    return x3, ((a0 - b0) % P, (a1 - b1) % P), _mul(_mul(z1, z2), h)


def _multiple_2(point: _Jacobian2, scalar: int) -> _Jacobian2:
    x, (y0, y1), z = point
    negated = x, (-y0 % P, -y1 % P), z
    digits = _digits(scalar)
    result = point
    for digit in reversed(digits[:-1]):
        result = _double_2(result)
        if digit:
            result = _add_2(result, point if digit > 0 else negated)
    return result


def pairing_product_is_one(pairs: list[tuple[tuple[int, int], Affine2]]) -> bool:
    """Whether the product of the pairings of all `pairs` (no neutral point among them) is one."""
    return not pairs or _final_exponentiation(_miller_loop(pairs)) == _ONE


def _miller_loop(pairs: list[tuple[tuple[int, int], Affine2]]) -> Value:
    """The product of the loops' values up to factors that the final exponentiation removes."""
    inverses = [pow(y, -1, P) for (_, y), _ in pairs]
    # Every line is divided by the y of its first point, so that its lowest coefficient is one.
    scales = [(-x * inverse % P, inverse) for ((x, _), _), inverse in zip(pairs, inverses, strict=True)]
    points = [second for _, second in pairs]
    negated = [(x, (-y0 % P, -y1 % P)) for x, (y0, y1) in points]
    running = points
    value = _ONE
    for digit in reversed(_digits(_LOOP)[:-1]):
        value = _squared(value)
        running, value = _doubling_step(running, scales, value)
        if digit:
            running, value = _addition_step(running, points if digit > 0 else negated, scales, value)
    once = [_frobenius_2(x, y) for x, y in points]
    twice = [_frobenius_2(x, y) for x, y in once]
    running, value = _addition_step(running, once, scales, value)
    _, value = _addition_step(running, [(x, (-y0 % P, -y1 % P)) for x, (y0, y1) in twice], scales, value)
    return value


def _inverted(numbers: list[Pair]) -> list[Pair]:
    """The inverses of numbers other than zero, by one inversion of an integer."""
    norms = [a * a + b * b for a, b in numbers]
    products = []
    product = 1
    for norm in norms:
        products.append(product)
        product = product * norm % P
    inverse = pow(product, -1, P)
    result = []
    for (a, b), norm, before in zip(reversed(numbers), reversed(norms), reversed(products), strict=True):
        own = inverse * before % P
        inverse = inverse * norm % P
        result.append((a * own % P, -b * own % P))
    result.reverse()
    return result


def _doubling_step(running: list[Affine2], scales: list[Pair], value: Value) -> tuple[list[Affine2], Value]:
    inverses = _inverted([(2 * y0, 2 * y1) for _, (y0, y1) in running])
    following = []
    for (x, y), inverse, scale in zip(running, inverses, scales, strict=True):
        square = _square(x)
        slope = _mul((3 * square[0], 3 * square[1]), inverse)
        point, value = _stepped(x, y, x, slope, scale, value)
        following.append(point)
    return following, value


def _addition_step(
    running: list[Affine2], added: list[Affine2], scales: list[Pair], value: Value
) -> tuple[list[Affine2], Value]:
    inverses = _inverted([(x2[0] - x1[0], x2[1] - x1[1]) for (x1, _), (x2, _) in zip(running, added, strict=True)])
    following = []
    for (x, y), (x2, y2), inverse, scale in zip(running, added, inverses, scales, strict=True):
        slope = _mul((y2[0] - y[0], y2[1] - y[1]), inverse)
        point, value = _stepped(x, y, x2, slope, scale, value)
        following.append(point)
    return following, value


def _stepped(x: Pair, y: Pair, x2: Pair, slope: Pair, scale: Pair, value: Value) -> tuple[Affine2, Value]:
    """The third point of the line through (`x`, `y`) with `slope`, mirrored, and `value` times the line."""
    square = _square(slope)
    x3 = (square[0] - x[0] - x2[0]) % P, (square[1] - x[1] - x2[1]) % P
    rise = _mul(slope, (x[0] - x3[0], x[1] - x3[1]))
    c0, c1 = _mul(slope, x)
    by_x, by_one = scale
    line_1 = slope[0] * by_x % P, slope[1] * by_x % P
    line_3 = (c0 - y[0]) * by_one % P, (c1 - y[1]) * by_one % P
    return (x3, ((rise[0] - y[0]) % P, (rise[1] - y[1]) % P)), _times_line(value, line_1, line_3)


def _times_line(value: Value, b: Pair, c: Pair) -> Value:
    """`value` times 1 + `b` w + `c` w**3."""
    b0, b1 = b
    c0, c1 = c
    f0, g0, f1, g1, f2, g2, f3, g3, f4, g4, f5, g5 = value
    r = b0 * f5 - b1 * g5 + c0 * f3 - c1 * g3
    s = b0 * g5 + b1 * f5 + c0 * g3 + c1 * f3
    t = c0 * f4 - c1 * g4
    v = c0 * g4 + c1 * f4
    m = c0 * f5 - c1 * g5
    n = c0 * g5 + c1 * f5
    return (
        (f0 + 9 * r - s) % P,
        (g0 + 9 * s + r) % P,
        (f1 + b0 * f0 - b1 * g0 + 9 * t - v) % P,
        (g1 + b0 * g0 + b1 * f0 + 9 * v + t) % P,
        (f2 + b0 * f1 - b1 * g1 + 9 * m - n) % P,
        (g2 + b0 * g1 + b1 * f1 + 9 * n + m) % P,
        (f3 + b0 * f2 - b1 * g2 + c0 * f0 - c1 * g0) % P,
        (g3 + b0 * g2 + b1 * f2 + c0 * g0 + c1 * f0) % P,
        (f4 + b0 * f3 - b1 * g3 + c0 * f1 - c1 * g1) % P,
        (g4 + b0 * g3 + b1 * f3 + c0 * g1 + c1 * f1) % P,
        (f5 + b0 * f4 - b1 * g4 + c0 * f2 - c1 * g2) % P,
        (g5 + b0 * g4 + b1 * f4 + c0 * g2 + c1 * f2) % P,
    )


def _mul_half(a: _Half, b: _Half) -> _Half:
    a0, b0, a1, b1, a2, b2 = a
    c0, d0, c1, d1, c2, d2 = b
    # Products of the equal powers of v, then of sums of two powers, not reduced.
    p0 = a0 * c0 - b0 * d0
    q0 = a0 * d0 + b0 * c0
    p1 = a1 * c1 - b1 * d1
    q1 = a1 * d1 + b1 * c1
    p2 = a2 * c2 - b2 * d2
    q2 = a2 * d2 + b2 * c2
    s, t, u, v = a1 + a2, b1 + b2, c1 + c2, d1 + d2
    r = s * u - t * v - p1 - p2
    i = s * v + t * u - q1 - q2
    x0 = p0 + 9 * r - i
    y0 = q0 + 9 * i + r
    s, t, u, v = a0 + a1, b0 + b1, c0 + c1, d0 + d1
    x1 = s * u - t * v - p0 - p1 + 9 * p2 - q2
    y1 = s * v + t * u - q0 - q1 + 9 * q2 + p2
    s, t, u, v = a0 + a2, b0 + b2, c0 + c2, d0 + d2
    x2 = s * u - t * v - p0 - p2 + p1
    y2 = s * v + t * u - q0 - q2 + q1
    return x0 % P, y0 % P, x1 % P, y1 % P, x2 % P, y2 % P


def _times_v(a: _Half) -> _Half:
    a0, b0, a1, b1, a2, b2 = a
    return 9 * a2 - b2, 9 * b2 + a2, a0, b0, a1, b1


def _halves(value: Value) -> tuple[_Half, _Half]:
    a0, b0, c0, d0, a1, b1, c1, d1, a2, b2, c2, d2 = value
    return (a0, b0, a1, b1, a2, b2), (c0, d0, c1, d1, c2, d2)


def _joined(even: _Half, odd: _Half) -> Value:
    a0, b0, a1, b1, a2, b2 = even
    c0, d0, c1, d1, c2, d2 = odd
    return a0, b0, c0, d0, a1, b1, c1, d1, a2, b2, c2, d2


def _sum(a: _Half, b: _Half) -> _Half:
    return a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3], a[4] + b[4], a[5] + b[5]


def _reduced_difference(a: _Half, b: _Half) -> _Half:
    return (
        (a[0] - b[0]) % P,
        (a[1] - b[1]) % P,
        (a[2] - b[2]) % P,
        (a[3] - b[3]) % P,
        (a[4] - b[4]) % P,
        (a[5] - b[5]) % P,
    )


def _product(left: Value, right: Value) -> Value:
    a, b = _halves(left)
    c, d = _halves(right)
    ac = _mul_half(a, c)
    bd = _mul_half(b, d)
    cross = _mul_half(_sum(a, b), _sum(c, d))
    bd_v = _times_v(bd)
    even = _sum(ac, bd_v)
    return _joined(
        (even[0] % P, even[1] % P, even[2], even[3], even[4], even[5]), _reduced_difference(cross, _sum(ac, bd))
    )


def _squared(value: Value) -> Value:
    a, b = _halves(value)
    ab = _mul_half(a, b)
    cross = _mul_half(_sum(a, b), _sum(a, _times_v(b)))
    even = _reduced_difference(cross, _sum(ab, _times_v(ab)))
    return _joined(even, _sum(ab, ab))


def _conjugate(value: Value) -> Value:
    a, b, c, d, e, f, g, h, i, j, k, m = value
    return a, b, -c, -d, e, f, -g, -h, i, j, -k, -m


def _inverse(value: Value) -> Value:
    a, b = _halves(value)
    aa = _mul_half(a, a)
    bb = _times_v(_mul_half(b, b))
    a0, b0, a1, b1, a2, b2 = _reduced_difference(aa, bb)
    x0, x1, x2 = (a0, b0), (a1, b1), (a2, b2)
    s, t = _square(x0), _mul(x1, x2)
    c0 = s[0] - 9 * t[0] + t[1], s[1] - 9 * t[1] - t[0]
    s, t = _square(x2), _mul(x0, x1)
    c1 = 9 * s[0] - s[1] - t[0], 9 * s[1] + s[0] - t[1]
    s, t = _square(x1), _mul(x0, x2)
    c2 = s[0] - t[0], s[1] - t[1]
    s, t, u = _mul(x2, c1), _mul(x1, c2), _mul(x0, c0)
    r, i = s[0] + t[0], s[1] + t[1]
    (scale,) = _inverted([((u[0] + 9 * r - i) % P, (u[1] + 9 * i + r) % P)])
    inverse = (*_mul(c0, scale), *_mul(c1, scale), *_mul(c2, scale))
    odd = _mul_half(b, inverse)
    return _joined(_mul_half(a, inverse), (-odd[0], -odd[1], -odd[2], -odd[3], -odd[4], -odd[5]))


def _frobenius(value: Value, times: int) -> Value:
    """`value` to the power p, `times` times."""
    for _ in range(times):
        factor = (1, 0)
        parts: list[int] = []
        for at in range(0, 12, 2):
            parts.extend(_mul((value[at], -value[at + 1]), factor))
            factor = _mul(factor, _XI_SIXTH)
        a, b, c, d, e, f, g, h, i, j, k, m = parts
        value = (a, b, c, d, e, f, g, h, i, j, k, m)
    return value


def _to_the_u(value: Value) -> Value:
    """`value`, whose inverse is its conjugate, to the power u."""
    conjugate = _conjugate(value)
    digits = _digits(U)
    result = value
    for digit in reversed(digits[:-1]):
        result = _squared(result)
        if digit:
            result = _product(result, value if digit > 0 else conjugate)
    return result


def _final_exponentiation(value: Value) -> Value:
    """`value` to a power that is (p**12 - 1)/order times a number prime to the order, every part reduced."""
    value = _product(_conjugate(value), _inverse(value))
    value = _product(_frobenius(value, 2), value)
    # The exponent (p**4 - p**2 + 1)/order in powers of p, its coefficients in powers of u.
    u1 = _to_the_u(value)
    u2 = _to_the_u(u1)
    u3 = _to_the_u(u2)
    y0 = _product(_product(_frobenius(value, 1), _frobenius(value, 2)), _frobenius(value, 3))
    y1 = _conjugate(value)
    y2 = _frobenius(u2, 2)
    y3 = _conjugate(_frobenius(u1, 1))
    y4 = _conjugate(_product(u1, _frobenius(u2, 1)))
    y5 = _conjugate(u2)
    y6 = _conjugate(_product(u3, _frobenius(u3, 1)))
    t0 = _product(_product(_squared(y6), y4), y5)
    t1 = _product(_product(y3, y5), t0)
    t0 = _product(t0, y2)
    t1 = _squared(_product(_squared(t1), t0))
    t0 = _product(t1, y1)
    t1 = _product(t1, y0)
    a, b, c, d, e, f, g, h, i, j, k, m = _product(_squared(t0), t1)
    return a % P, b % P, c % P, d % P, e % P, f % P, g % P, h % P, i % P, j % P, k % P, m % P
