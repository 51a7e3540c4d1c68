"""Both compilers give the same bits, and NaN has one form only."""

import ctypes
import itertools
import struct

import pytest

from near_tee_cli.vm.engine import Engine
from near_tee_cli.vm.engine_instance import Trap
from tests.support.engine_modules import COMPILERS, called, instance_of

COMPARE_I = "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u"
ARITHMETIC_I = "add sub mul and or xor shl shr_s shr_u rotl rotr"
DIVISION = "div_s div_u rem_s rem_u"
COMPARE_F = "eq ne lt gt le ge"
ARITHMETIC_F = "add sub mul div min max"
ROUNDING = "sqrt ceil floor trunc nearest"
SATURATING = "i32.trunc_sat_{}_s i32.trunc_sat_{}_u i64.trunc_sat_{}_s i64.trunc_sat_{}_u"
TRUNCATION = SATURATING.replace("_sat", "")


def named(prefix, words):
    return [f"{prefix}.{word}" for word in words.split()]


# Operation -> operand type, number of operands, result type.
OPERATIONS = {
    **dict.fromkeys(named("i32", f"{COMPARE_I} {ARITHMETIC_I}"), ("i32", 2, "i32")),
    **dict.fromkeys(named("i64", COMPARE_I), ("i64", 2, "i32")),
    **dict.fromkeys(named("i64", ARITHMETIC_I), ("i64", 2, "i64")),
    **dict.fromkeys(named("i32", "clz ctz popcnt eqz extend8_s extend16_s"), ("i32", 1, "i32")),
    **dict.fromkeys(named("i64", "clz ctz popcnt extend8_s extend16_s extend32_s"), ("i64", 1, "i64")),
    "i64.eqz": ("i64", 1, "i32"),
    "i32.wrap_i64": ("i64", 1, "i32"),
    **dict.fromkeys(named("i64", "extend_i32_s extend_i32_u"), ("i32", 1, "i64")),
    **{f"{f}.convert_{i}_{s}": (i, 1, f) for f in ("f32", "f64") for i in ("i32", "i64") for s in "su"},
    **{op: (f, 2, "i32") for f in ("f32", "f64") for op in named(f, COMPARE_F)},
    **{op: (f, 2, f) for f in ("f32", "f64") for op in named(f, f"{ARITHMETIC_F} copysign")},
    **{op: (f, 1, f) for f in ("f32", "f64") for op in named(f, f"{ROUNDING} abs neg")},
    **{op.format(f): (f, 1, op[:3]) for f in ("f32", "f64") for op in SATURATING.split()},
    "f32.demote_f64": ("f64", 1, "f32"),
    "f64.promote_f32": ("f32", 1, "f64"),
    "i32.reinterpret_f32": ("f32", 1, "i32"),
    "i64.reinterpret_f64": ("f64", 1, "i64"),
    "f32.reinterpret_i32": ("i32", 1, "f32"),
    "f64.reinterpret_i64": ("i64", 1, "f64"),
}
KEEPS_BITS = ("abs", "neg", "copysign", "reinterpret")
TRAPPING = {
    **dict.fromkeys(named("i32", DIVISION), ("i32", 2, "i32")),
    **dict.fromkeys(named("i64", DIVISION), ("i64", 2, "i64")),
    **{op.format(f): (f, 1, op[:3]) for f in ("f32", "f64") for op in TRUNCATION.split()},
}


def integers(bits):
    half = 2 ** (bits - 1)
    edges = [0, 1, 2, 7, 31, 32, 63, 64, 2**bits - 1, 2**bits - 2, half, half - 1, half + 1]
    return [*edges, 0x0123_4567_89AB_CDEF % 2**bits, 0x80, 0x7FFF, 0x8000, 0xDEAD_BEEF]


F32 = [0, 0x8000_0000, 1, 0x8000_0001, 0x7F_FFFF, 0x80_0000, 0x7F7F_FFFF, 0x7F80_0000, 0xFF80_0000]
F32 += [0x7FC0_0000, 0xFFC0_0000, 0x7FC1_2345, 0x7F80_0001, 0xFFBF_FFFF, 0x3F80_0000, 0xBF80_0000, 0x3F00_0000]
F32 += [0x4F00_0000, 0xCF00_0000, 0xCF00_0001, 0x4F80_0000, 0x5F00_0000, 0xDF00_0000, 0x5F80_0000, 0x4EFF_FFFF]
F32 += [0x3FC0_0000, 0x4020_0000, 0xBFC0_0000, 0x4B00_0001]
F64 = [0, 1 << 63, 1, 0xF_FFFF_FFFF_FFFF, 1 << 52, 0x7FEF_FFFF_FFFF_FFFF, 0x7FF0 << 48, 0xFFF0 << 48, 0x7FF8 << 48]
F64 += [0xFFF8 << 48, 0x7FF8_0000_0001_2345, 0x7FF0_0000_0000_0001, 0xFFF7_FFFF_FFFF_FFFF]
F64 += [
    struct.unpack("<Q", struct.pack("<d", x))[0]
    for x in (1, -1, 0.5, 1.5, 2.5, -1.5, 2.0**31, -(2.0**31), -2147483649.0)
]
F64 += [
    struct.unpack("<Q", struct.pack("<d", x))[0]
    for x in (2.0**32, 4294967295.5, 2.0**63, -(2.0**63), 2.0**64, 1e300, 0.1)
]
OPERANDS = {"i32": integers(32), "i64": integers(64), "f32": F32, "f64": F64}
CANONICAL = {"f32": (0x7FC0_0000, 0x7F80_0000, 0x7F_FFFF, 0x8000_0000), "f64": (
    0x7FF8 << 48, 0x7FF0 << 48, 0xF_FFFF_FFFF_FFFF, 1 << 63)}  # fmt: skip


def loads(kind, count, base="(local.get $at)"):
    return " ".join(f"({kind}.load offset={8 * i} {base})" for i in range(count))


def table_of_results(engine, operations):
    """Every operation over every combination of operands, as 8 bytes each."""
    inputs = {op: list(itertools.product(OPERANDS[kind], repeat=n)) for op, (kind, n, _) in operations.items()}
    functions = "".join(
        f"""(func (export "{op}") (local $at i32) (loop
          ({result}.store offset=16 (local.get $at) ({op} {loads(kind, count)}))
          (local.set $at (i32.add (local.get $at) (i32.const 24)))
          (br_if 0 (i32.lt_u (local.get $at) (i32.const {24 * len(inputs[op])})))))"""
        for op, (kind, count, result) in operations.items()
    )
    instance = instance_of(engine, functions)
    results = {}
    for op, rows in inputs.items():
        for index, row in enumerate(rows):
            data = b"".join(value.to_bytes(8, "little") for value in row)
            ctypes.memset(instance.memory_base + 24 * index, 0, 24)
            ctypes.memmove(instance.memory_base + 24 * index, data, len(data))
        assert called(instance, op.encode()) is None
        raw = ctypes.string_at(instance.memory_base, 24 * len(rows))
        results[op] = [int.from_bytes(raw[24 * i + 16 : 24 * i + 24], "little") for i in range(len(rows))]
    instance.close()
    return inputs, results


@pytest.fixture(scope="module")
def tables():
    return {name: table_of_results(Engine(name), OPERATIONS) for name in COMPILERS}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_both_compilers_agree(tables, operation):
    (inputs, winch), (_, cranelift) = tables["winch"], tables["cranelift"]
    assert winch[operation] == cranelift[operation]
    assert len(winch[operation]) == len(inputs[operation])


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("operation", [op for op, (_, _, result) in OPERATIONS.items() if result in CANONICAL])
def test_nan_is_canonical_where_it_is_made(tables, compiler, operation):
    inputs, results = tables[compiler]
    kind = OPERATIONS[operation][2]
    canonical, exponent, mantissa, sign = CANONICAL[kind]
    nans = [(row, bits) for row, bits in zip(inputs[operation], results[operation], strict=True)
            if bits & exponent == exponent and bits & mantissa]  # fmt: skip
    if any(word in operation for word in KEEPS_BITS):
        for row, bits in nans:
            assert bits & ~sign == row[0] & ~sign
    else:
        assert {bits for _, bits in nans} <= {canonical}
        assert nans or "convert" in operation


def test_positive_nan_of_a_negative_root():
    for compiler in COMPILERS:
        body = """(func (export "go") (drop (i32.div_u (i32.const 0)
          (f32.gt (f32.copysign (f32.const 1) (f32.sqrt (f32.const -1))) (f32.const 0)))))"""
        assert called(instance_of(Engine(compiler), body)) is None


@pytest.mark.parametrize("operation", TRAPPING)
def test_both_compilers_trap_alike(operation):
    kind, count, result = TRAPPING[operation]
    outcomes = []
    for compiler in COMPILERS:
        value = f"({operation} {loads(kind, count, '(i32.const 0)')})"
        instance = instance_of(Engine(compiler), f'(func (export "go") ({result}.store (i32.const 16) {value}))')
        row = []
        for operands in itertools.product(OPERANDS[kind], repeat=count):
            ctypes.memset(instance.memory_base, 0, 24)
            for index, value in enumerate(operands):
                ctypes.memmove(instance.memory_base + 8 * index, value.to_bytes(8, "little"), 8)
            row.append((called(instance), ctypes.string_at(instance.memory_base + 16, 8)))
        outcomes.append(row)
        instance.close()
    assert outcomes[0] == outcomes[1]
    assert {trap for trap, _ in outcomes[0]} == {None, Trap.ILLEGAL_ARITHMETIC}
