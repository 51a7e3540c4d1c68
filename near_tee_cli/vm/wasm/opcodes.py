"""Instructions of WebAssembly as far as NEAR allows them: what follows an opcode, and what it does to the stack.

An instruction with the prefix byte 0xfc is written as one number, `PREFIX << 8 | subopcode`. The tables are
indexed by the first byte; the ones for prefixed instructions by the subopcode.

Mirrors nearcore: runtime/near-vm-runner/src/features.rs (which instructions exist)
"""

UNREACHABLE = 0x00
NOP = 0x01
BLOCK = 0x02
LOOP = 0x03
IF = 0x04
ELSE = 0x05
END = 0x0B
BR = 0x0C
BR_IF = 0x0D
BR_TABLE = 0x0E
RETURN = 0x0F
CALL = 0x10
CALL_INDIRECT = 0x11
DROP = 0x1A
SELECT = 0x1B
TYPED_SELECT = 0x1C
LOCAL_GET = 0x20
LOCAL_SET = 0x21
LOCAL_TEE = 0x22
GLOBAL_GET = 0x23
GLOBAL_SET = 0x24
TABLE_GET = 0x25
TABLE_SET = 0x26
FIRST_LOAD = 0x28
FIRST_STORE = 0x36
MEMORY_SIZE = 0x3F
MEMORY_GROW = 0x40
I32_CONST = 0x41
I64_CONST = 0x42
F32_CONST = 0x43
F64_CONST = 0x44
REF_NULL = 0xD0
REF_IS_NULL = 0xD1
REF_FUNC = 0xD2
PREFIX = 0xFC

MEMORY_INIT = PREFIX << 8 | 0x08
DATA_DROP = PREFIX << 8 | 0x09
MEMORY_COPY = PREFIX << 8 | 0x0A
MEMORY_FILL = PREFIX << 8 | 0x0B
TABLE_INIT = PREFIX << 8 | 0x0C
ELEM_DROP = PREFIX << 8 | 0x0D
TABLE_COPY = PREFIX << 8 | 0x0E
TABLE_GROW = PREFIX << 8 | 0x0F
TABLE_SIZE = PREFIX << 8 | 0x10
TABLE_FILL = PREFIX << 8 | 0x11

VALUE_TYPES = {0x7F: "d", 0x7E: "q", 0x7D: "f", 0x7C: "g", 0x70: "r"}
"""The letter of each one-byte value type."""

VALUE_TYPE_BYTES = {"d": b"\x7f", "q": b"\x7e", "f": b"\x7d", "g": b"\x7c", "r": b"\x70"}
"""The encoding of each value type, by its letter."""

VALUE_SIZES = {"d": 4, "q": 8, "f": 4, "g": 8, "r": 8}
"""Bytes that a value takes on the modelled stack, by the letter of its type."""

NO_IMMEDIATE = 0
ONE_INTEGER = 1
TWO_INTEGERS = 2
BLOCK_TYPE = 3
MEMORY_ARGUMENT = 4
BRANCH_TABLE = 5
FOUR_BYTES = 6
EIGHT_BYTES = 7
SELECT_TYPES = 8
REFERENCE_TYPE = 9
SUBOPCODE = 10
NOT_ALLOWED = 255


def _fill(table: bytearray, spans: tuple[tuple[int, int, int], ...]) -> bytes:
    for first, last, value in spans:
        table[first : last + 1] = bytes((value,)) * (last + 1 - first)
    return bytes(table)


IMMEDIATES = _fill(
    bytearray((NOT_ALLOWED,)) * 256,
    (
        (UNREACHABLE, NOP, NO_IMMEDIATE),
        (BLOCK, IF, BLOCK_TYPE),
        (ELSE, ELSE, NO_IMMEDIATE),
        (END, END, NO_IMMEDIATE),
        (BR, BR_IF, ONE_INTEGER),
        (BR_TABLE, BR_TABLE, BRANCH_TABLE),
        (RETURN, RETURN, NO_IMMEDIATE),
        (CALL, CALL, ONE_INTEGER),
        (CALL_INDIRECT, CALL_INDIRECT, TWO_INTEGERS),
        (DROP, SELECT, NO_IMMEDIATE),
        (TYPED_SELECT, TYPED_SELECT, SELECT_TYPES),
        (LOCAL_GET, TABLE_SET, ONE_INTEGER),
        (FIRST_LOAD, 0x3E, MEMORY_ARGUMENT),
        (MEMORY_SIZE, MEMORY_GROW, ONE_INTEGER),
        (I32_CONST, I64_CONST, ONE_INTEGER),
        (F32_CONST, F32_CONST, FOUR_BYTES),
        (F64_CONST, F64_CONST, EIGHT_BYTES),
        (0x45, 0xC4, NO_IMMEDIATE),
        (REF_NULL, REF_NULL, REFERENCE_TYPE),
        (REF_IS_NULL, REF_IS_NULL, NO_IMMEDIATE),
        (REF_FUNC, REF_FUNC, ONE_INTEGER),
        (PREFIX, PREFIX, SUBOPCODE),
    ),
)
"""What follows each opcode."""

PREFIXED_INTEGERS = bytes((0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2, 1, 2, 1, 2, 1, 1, 1))
"""How many integers follow each prefixed instruction."""

KEEP = 0
PUSH_4 = 1
PUSH_8 = 2
POP_1 = 3
POP_2 = 4
POP_3 = 5
POP_1_PUSH_4 = 6
POP_1_PUSH_8 = 7
POP_2_PUSH_4 = 8
SPECIAL = 9

EFFECTS = _fill(
    bytearray((SPECIAL,)) * 256,
    (
        (NOP, NOP, KEEP),
        (DROP, DROP, POP_1),
        (SELECT, TYPED_SELECT, POP_2),
        (LOCAL_SET, LOCAL_SET, POP_1),
        (LOCAL_TEE, LOCAL_TEE, KEEP),
        (GLOBAL_SET, GLOBAL_SET, POP_1),
        (TABLE_GET, TABLE_GET, POP_1_PUSH_8),
        (TABLE_SET, TABLE_SET, POP_2),
        (0x28, 0x28, POP_1_PUSH_4),  # i32.load
        (0x29, 0x29, POP_1_PUSH_8),  # i64.load
        (0x2A, 0x2A, POP_1_PUSH_4),  # f32.load
        (0x2B, 0x2B, POP_1_PUSH_8),  # f64.load
        (0x2C, 0x2F, POP_1_PUSH_4),  # i32.load8_s ... i32.load16_u
        (0x30, 0x35, POP_1_PUSH_8),  # i64.load8_s ... i64.load32_u
        (0x36, 0x3E, POP_2),  # stores
        (MEMORY_SIZE, MEMORY_SIZE, PUSH_4),
        (MEMORY_GROW, MEMORY_GROW, KEEP),
        (I32_CONST, I32_CONST, PUSH_4),
        (I64_CONST, I64_CONST, PUSH_8),
        (F32_CONST, F32_CONST, PUSH_4),
        (F64_CONST, F64_CONST, PUSH_8),
        (0x45, 0x45, POP_1_PUSH_4),  # i32.eqz
        (0x46, 0x4F, POP_2_PUSH_4),  # comparisons of i32
        (0x50, 0x50, POP_1_PUSH_4),  # i64.eqz
        (0x51, 0x66, POP_2_PUSH_4),  # comparisons of i64, f32, f64
        (0x67, 0x69, KEEP),  # i32.clz, ctz, popcnt
        (0x6A, 0x78, POP_1),  # arithmetic of i32: the result takes the lower operand's place
        (0x79, 0x7B, KEEP),  # i64.clz, ctz, popcnt
        (0x7C, 0x8A, POP_1),  # arithmetic of i64
        (0x8B, 0x91, KEEP),  # f32.abs ... sqrt
        (0x92, 0x98, POP_1),  # arithmetic of f32
        (0x99, 0x9F, KEEP),  # f64.abs ... sqrt
        (0xA0, 0xA6, POP_1),  # arithmetic of f64
        (0xA7, 0xAB, POP_1_PUSH_4),  # i32.wrap_i64, i32.trunc_*
        (0xAC, 0xB1, POP_1_PUSH_8),  # i64.extend_*, i64.trunc_*
        (0xB2, 0xB6, POP_1_PUSH_4),  # f32.convert_*, f32.demote_f64
        (0xB7, 0xBB, POP_1_PUSH_8),  # f64.convert_*, f64.promote_f32
        (0xBC, 0xBC, POP_1_PUSH_4),  # i32.reinterpret_f32
        (0xBD, 0xBD, POP_1_PUSH_8),  # i64.reinterpret_f64
        (0xBE, 0xBE, POP_1_PUSH_4),  # f32.reinterpret_i32
        (0xBF, 0xBF, POP_1_PUSH_8),  # f64.reinterpret_i64
        (0xC0, 0xC4, KEEP),  # sign extensions
        (REF_NULL, REF_NULL, PUSH_8),
        (REF_IS_NULL, REF_IS_NULL, POP_1_PUSH_4),
        (REF_FUNC, REF_FUNC, PUSH_8),
    ),
)
"""What each instruction does to the modelled operand stack; control flow, calls and variables are `SPECIAL`."""

PREFIXED_EFFECTS = bytes(
    (POP_1_PUSH_4,) * 4  # i32.trunc_sat_*
    + (POP_1_PUSH_8,) * 4  # i64.trunc_sat_*
    + (POP_3, KEEP, POP_3, POP_3)  # memory.init, data.drop, memory.copy, memory.fill
    + (POP_3, KEEP, POP_3, POP_2_PUSH_4, PUSH_4, POP_3)  # table.init, elem.drop, copy, grow, size, fill
)
"""The same for prefixed instructions."""

TRAPPING = frozenset(
    (
        *(CALL, CALL_INDIRECT, TABLE_GET, TABLE_SET),
        *range(FIRST_LOAD, MEMORY_SIZE),
        *(0x6D, 0x6E, 0x6F, 0x70),  # i32.div_s, div_u, rem_s, rem_u
        *(0x7F, 0x80, 0x81, 0x82),  # i64.div_s, div_u, rem_s, rem_u
        *(0xA8, 0xA9, 0xAA, 0xAB, 0xAE, 0xAF, 0xB0, 0xB1),  # i32.trunc_*, i64.trunc_* (not the saturating ones)
    )
)
"""Instructions that may trap or have an effect outside the function, so that the gas before them is seen."""

BULK = frozenset(
    (
        MEMORY_GROW, MEMORY_INIT, MEMORY_COPY, MEMORY_FILL,
        TABLE_INIT, TABLE_COPY, TABLE_GROW, TABLE_FILL,
    )
)  # fmt: skip
"""Instructions whose price grows with their last operand."""
