"""What every numeric WebAssembly instruction computes, written plainly and apart from the package.

Values are unsigned integers: the bits of an i32, i64, f32 or f64. A result that is a NaN is the canonical one,
as the engine is configured to produce; sign operations, reinterpretation and memory access keep all bits.
"""

import ctypes
import math
import struct
from collections.abc import Callable
from fractions import Fraction

I32, I64, F32, F64 = "i32", "i64", "f32", "f64"
MASK = {I32: 0xFFFFFFFF, I64: 0xFFFFFFFFFFFFFFFF, F32: 0xFFFFFFFF, F64: 0xFFFFFFFFFFFFFFFF}
BITS = {I32: 32, I64: 64, F32: 32, F64: 64}
NAN = {F32: 0x7FC00000, F64: 0x7FF8000000000000}

Operation = Callable[..., int]


class Trap(Exception):
    """The instruction traps; `kind` is the word used for it throughout the tests."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value


def to_float(bits: int, kind: str) -> float:
    return struct.unpack("<f" if kind == F32 else "<d", struct.pack("<I" if kind == F32 else "<Q", bits))[0]


def from_float(value: float, kind: str) -> int:
    if math.isnan(value):
        return NAN[kind]
    if kind == F64:
        return struct.unpack("<Q", struct.pack("<d", value))[0]
    return struct.unpack("<I", struct.pack("<I", ctypes.c_uint32.from_buffer(ctypes.c_float(value)).value))[0]


def _integer_operations(kind: str) -> list[tuple[str, Operation]]:
    bits, mask = BITS[kind], MASK[kind]

    def s(value: int) -> int:
        return signed(value, bits)

    def div_s(a: int, b: int) -> int:
        if b == 0:
            raise Trap("arithmetic")
        quotient = abs(s(a)) // abs(s(b))
        quotient = -quotient if (s(a) < 0) != (s(b) < 0) else quotient
        if quotient == 1 << (bits - 1):
            raise Trap("arithmetic")
        return quotient & mask

    def rem_s(a: int, b: int) -> int:
        if b == 0:
            raise Trap("arithmetic")
        remainder = abs(s(a)) % abs(s(b))
        return (-remainder if s(a) < 0 else remainder) & mask

    def div_u(a: int, b: int) -> int:
        if b == 0:
            raise Trap("arithmetic")
        return a // b

    def rem_u(a: int, b: int) -> int:
        if b == 0:
            raise Trap("arithmetic")
        return a % b

    def rotl(a: int, b: int) -> int:
        b %= bits
        return ((a << b) | (a >> (bits - b))) & mask

    return [
        ("clz", lambda a: bits - a.bit_length()),
        ("ctz", lambda a: bits if a == 0 else (a & -a).bit_length() - 1),
        ("popcnt", lambda a: a.bit_count()),
        ("add", lambda a, b: (a + b) & mask),
        ("sub", lambda a, b: (a - b) & mask),
        ("mul", lambda a, b: (a * b) & mask),
        ("div_s", div_s),
        ("div_u", div_u),
        ("rem_s", rem_s),
        ("rem_u", rem_u),
        ("and", lambda a, b: a & b),
        ("or", lambda a, b: a | b),
        ("xor", lambda a, b: a ^ b),
        ("shl", lambda a, b: (a << (b % bits)) & mask),
        ("shr_s", lambda a, b: (s(a) >> (b % bits)) & mask),
        ("shr_u", lambda a, b: a >> (b % bits)),
        ("rotl", rotl),
        ("rotr", lambda a, b: rotl(a, bits - b % bits)),
    ]


def _integer_comparisons(kind: str) -> list[tuple[str, Operation]]:
    bits = BITS[kind]

    def s(value: int) -> int:
        return signed(value, bits)

    return [
        ("eqz", lambda a: int(a == 0)),
        ("eq", lambda a, b: int(a == b)),
        ("ne", lambda a, b: int(a != b)),
        ("lt_s", lambda a, b: int(s(a) < s(b))),
        ("lt_u", lambda a, b: int(a < b)),
        ("gt_s", lambda a, b: int(s(a) > s(b))),
        ("gt_u", lambda a, b: int(a > b)),
        ("le_s", lambda a, b: int(s(a) <= s(b))),
        ("le_u", lambda a, b: int(a <= b)),
        ("ge_s", lambda a, b: int(s(a) >= s(b))),
        ("ge_u", lambda a, b: int(a >= b)),
    ]


def _float_comparisons(kind: str) -> list[tuple[str, Operation]]:
    def compare(test: Callable[[float, float], bool]) -> Operation:
        return lambda a, b: int(test(to_float(a, kind), to_float(b, kind)))

    return [
        ("eq", compare(lambda a, b: a == b)),
        ("ne", compare(lambda a, b: a != b)),
        ("lt", compare(lambda a, b: a < b)),
        ("gt", compare(lambda a, b: a > b)),
        ("le", compare(lambda a, b: a <= b)),
        ("ge", compare(lambda a, b: a >= b)),
    ]


def _rounded(rounding: Callable[[float], int]) -> Callable[[float], float]:
    def apply(value: float) -> float:
        if math.isnan(value) or math.isinf(value) or value == 0:
            return value
        return math.copysign(float(rounding(value)), value)

    return apply


def _divide(a: float, b: float) -> float:
    if b != 0:
        return a / b
    if a == 0 or math.isnan(a):
        return math.nan
    return math.copysign(math.inf, math.copysign(1, a) * math.copysign(1, b))


def _minimum(a: float, b: float) -> float:
    if math.isnan(a) or math.isnan(b):
        return math.nan
    if a == b == 0:
        return min((a, b), key=lambda x: math.copysign(1, x))
    return min(a, b)


def _maximum(a: float, b: float) -> float:
    return -_minimum(-a, -b)


def _float_operations(kind: str) -> list[tuple[str, Operation]]:
    sign = 1 << (BITS[kind] - 1)

    def lift(function: Callable[..., float]) -> Operation:
        def operation(*operands: int) -> int:
            try:
                return from_float(function(*(to_float(x, kind) for x in operands)), kind)
            except OverflowError:  # pragma: no cover - float arithmetic of Python does not raise for these
                raise
            except ValueError:
                return NAN[kind]

        return operation

    return [
        ("abs", lambda a: a & ~sign),
        ("neg", lambda a: a ^ sign),
        ("ceil", lift(_rounded(math.ceil))),
        ("floor", lift(_rounded(math.floor))),
        ("trunc", lift(_rounded(math.trunc))),
        ("nearest", lift(_rounded(round))),
        ("sqrt", lift(math.sqrt)),
        ("add", lift(lambda a, b: a + b)),
        ("sub", lift(lambda a, b: a - b)),
        ("mul", lift(lambda a, b: a * b)),
        ("div", lift(_divide)),
        ("min", lift(_minimum)),
        ("max", lift(_maximum)),
        ("copysign", lambda a, b: (a & ~sign) | (b & sign)),
    ]


def _truncation(source: str, target: str, *, is_signed: bool, saturating: bool) -> Operation:
    bits = BITS[target]
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if is_signed else (0, (1 << bits) - 1)

    def operation(a: int) -> int:
        value = to_float(a, source)
        if math.isnan(value):
            if saturating:
                return 0
            raise Trap("arithmetic")
        if math.isinf(value):
            whole = high + 1 if value > 0 else low - 1
        else:
            whole = math.trunc(value)
        if not low <= whole <= high:
            if not saturating:
                raise Trap("arithmetic")
            whole = min(max(whole, low), high)
        return whole & MASK[target]

    return operation


def _to_nearest(value: int, kind: str) -> int:
    """The float of `kind` nearest to an integer, ties to even, without rounding twice."""
    if value == 0 or kind == F64:
        return from_float(float(value), kind)
    precision = 24
    exact = Fraction(abs(value))
    shift = max(abs(value).bit_length() - precision, 0)
    scaled = exact / (1 << shift)
    whole = round(scaled)
    return from_float(math.copysign(float(whole * (1 << shift)), value), kind)


def _conversion(source: str, target: str, *, is_signed: bool) -> Operation:
    return lambda a: _to_nearest(signed(a, BITS[source]) if is_signed else a, target)


def _sign_extension(kind: str, width: int) -> Operation:
    return lambda a: signed(a & ((1 << width) - 1), width) & MASK[kind]


def _table() -> dict[int, tuple[str, tuple[str, ...], str, Operation]]:
    table: dict[int, tuple[str, tuple[str, ...], str, Operation]] = {}

    def add(first: int, entries: list[tuple[str, Operation]], operand: str, result: str) -> None:
        unary = {"clz", "ctz", "popcnt", "eqz", "abs", "neg", "ceil", "floor", "trunc", "nearest", "sqrt"}
        for opcode, (name, operation) in enumerate(entries, first):
            arity = 1 if name in unary else 2
            table[opcode] = (f"{operand}.{name}", (operand,) * arity, result, operation)

    add(0x45, _integer_comparisons(I32), I32, I32)
    add(0x50, _integer_comparisons(I64), I64, I32)
    add(0x5B, _float_comparisons(F32), F32, I32)
    add(0x61, _float_comparisons(F64), F64, I32)
    add(0x67, _integer_operations(I32), I32, I32)
    add(0x79, _integer_operations(I64), I64, I64)
    add(0x8B, _float_operations(F32), F32, F32)
    add(0x99, _float_operations(F64), F64, F64)

    table[0xA7] = ("i32.wrap_i64", (I64,), I32, lambda a: a & MASK[I32])
    table[0xAC] = ("i64.extend_i32_s", (I32,), I64, _sign_extension(I64, 32))
    table[0xAD] = ("i64.extend_i32_u", (I32,), I64, lambda a: a)
    for opcode, source, target in ((0xA8, F32, I32), (0xAA, F64, I32), (0xAE, F32, I64), (0xB0, F64, I64)):
        for step, is_signed in enumerate((True, False)):
            suffix = "s" if is_signed else "u"
            name = f"{target}.trunc_{source}_{suffix}"
            table[opcode + step] = (
                name,
                (source,),
                target,
                _truncation(source, target, is_signed=is_signed, saturating=False),
            )
    for opcode, source, target in ((0xB2, I32, F32), (0xB4, I64, F32), (0xB7, I32, F64), (0xB9, I64, F64)):
        for step, is_signed in enumerate((True, False)):
            suffix = "s" if is_signed else "u"
            table[opcode + step] = (
                f"{target}.convert_{source}_{suffix}",
                (source,),
                target,
                _conversion(source, target, is_signed=is_signed),
            )
    table[0xB6] = ("f32.demote_f64", (F64,), F32, lambda a: from_float(to_float(a, F64), F32))
    table[0xBB] = ("f64.promote_f32", (F32,), F64, lambda a: from_float(to_float(a, F32), F64))
    for opcode, source, target in ((0xBC, F32, I32), (0xBD, F64, I64), (0xBE, I32, F32), (0xBF, I64, F64)):
        table[opcode] = (f"{target}.reinterpret_{source}", (source,), target, lambda a: a)
    for opcode, kind, width in ((0xC0, I32, 8), (0xC1, I32, 16), (0xC2, I64, 8), (0xC3, I64, 16), (0xC4, I64, 32)):
        table[opcode] = (f"{kind}.extend{width}_s", (kind,), kind, _sign_extension(kind, width))
    for step, (source, target, is_signed) in enumerate(
        (s, t, g) for t in (I32, I64) for s in (F32, F64) for g in (True, False)
    ):
        suffix = "s" if is_signed else "u"
        name = f"{target}.trunc_sat_{source}_{suffix}"
        table[0xFC00 + step] = (
            name,
            (source,),
            target,
            _truncation(source, target, is_signed=is_signed, saturating=True),
        )
    return table


NUMERIC = _table()
"""Opcode (0xfc-prefixed ones as 0xfcNN) -> name, operand types, result type, operation."""

LOADS = {
    0x28: (I32, 4, 32, False), 0x29: (I64, 8, 64, False), 0x2A: (F32, 4, 32, False), 0x2B: (F64, 8, 64, False),
    0x2C: (I32, 1, 8, True), 0x2D: (I32, 1, 8, False), 0x2E: (I32, 2, 16, True), 0x2F: (I32, 2, 16, False),
    0x30: (I64, 1, 8, True), 0x31: (I64, 1, 8, False), 0x32: (I64, 2, 16, True), 0x33: (I64, 2, 16, False),
    0x34: (I64, 4, 32, True), 0x35: (I64, 4, 32, False),
}  # fmt: skip
"""Opcode -> result type, bytes read, bits kept, whether the sign is extended."""

STORES = {
    0x36: (I32, 4), 0x37: (I64, 8), 0x38: (F32, 4), 0x39: (F64, 8), 0x3A: (I32, 1), 0x3B: (I32, 2),
    0x3C: (I64, 1), 0x3D: (I64, 2), 0x3E: (I64, 4),
}  # fmt: skip
"""Opcode -> operand type, bytes written."""
