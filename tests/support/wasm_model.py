"""A WebAssembly module as plain data, and its binary form: what the generator makes and the interpreter runs.

An instruction is a tuple of its opcode (0xfc-prefixed ones as 0xfcNN) and its immediates. A block type is `None`
or a value type. The encoder is independent of the package under test.
"""

import struct
from dataclasses import dataclass, field

from tests.support.wasm_numeric import F32, F64, I32, I64, LOADS, STORES

FUNCREF = "funcref"
VALUE_TYPES = {I32: 0x7F, I64: 0x7E, F32: 0x7D, F64: 0x7C, FUNCREF: 0x70}

UNREACHABLE, NOP, BLOCK, LOOP, IF, ELSE, END = 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x0B
BR, BR_IF, BR_TABLE, RETURN, CALL, CALL_INDIRECT = 0x0C, 0x0D, 0x0E, 0x0F, 0x10, 0x11
DROP, SELECT, SELECT_TYPED = 0x1A, 0x1B, 0x1C
LOCAL_GET, LOCAL_SET, LOCAL_TEE, GLOBAL_GET, GLOBAL_SET, TABLE_GET, TABLE_SET = 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26
MEMORY_SIZE, MEMORY_GROW = 0x3F, 0x40
I32_CONST, I64_CONST, F32_CONST, F64_CONST = 0x41, 0x42, 0x43, 0x44
REF_NULL, REF_IS_NULL, REF_FUNC = 0xD0, 0xD1, 0xD2
MEMORY_INIT, DATA_DROP, MEMORY_COPY, MEMORY_FILL = 0xFC08, 0xFC09, 0xFC0A, 0xFC0B
TABLE_INIT, ELEM_DROP, TABLE_COPY, TABLE_GROW, TABLE_SIZE, TABLE_FILL = 0xFC0C, 0xFC0D, 0xFC0E, 0xFC0F, 0xFC10, 0xFC11

CONST = {I32: I32_CONST, I64: I64_CONST, F32: F32_CONST, F64: F64_CONST}

Instruction = tuple
FunctionType = tuple[tuple[str, ...], tuple[str, ...]]


@dataclass
class Function:
    """A defined function: index of its type, declared locals, body without the final `end`."""

    type_index: int
    locals: list[str]
    body: list[Instruction]


@dataclass
class Segment:
    """A data or element segment: `offset` is None when passive; `items` are bytes or function indices."""

    offset: int | None
    items: bytes | list[int]


@dataclass
class Module:
    """Sections as lists; function indices count imports first."""

    types: list[FunctionType] = field(default_factory=list)
    imports: list[tuple[str, int]] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)
    table: tuple[int, int | None] | None = None
    memory: tuple[int, int | None] | None = (1, None)
    globals: list[tuple[str, bool, int]] = field(default_factory=list)
    exports: list[tuple[str, int, int]] = field(default_factory=list)
    start: int | None = None
    elements: list[Segment] = field(default_factory=list)
    data: list[Segment] = field(default_factory=list)

    def type_of(self, function_index: int) -> FunctionType:
        if function_index < len(self.imports):
            return self.types[self.imports[function_index][1]]
        return self.types[self.functions[function_index - len(self.imports)].type_index]


def unsigned(value: int) -> bytes:
    out = bytearray()
    while True:
        byte, value = value & 0x7F, value >> 7
        out.append(byte | (0x80 if value else 0))
        if not value:
            return bytes(out)


def signed_leb(value: int) -> bytes:
    out = bytearray()
    while True:
        byte, value = value & 0x7F, value >> 7
        done = (value == 0 and not byte & 0x40) or (value == -1 and byte & 0x40)
        out.append(byte | (0 if done else 0x80))
        if done:
            return bytes(out)


def vector(items: list[bytes]) -> bytes:
    return unsigned(len(items)) + b"".join(items)


def sized(content: bytes) -> bytes:
    return unsigned(len(content)) + content


def _block_type(kind: str | None) -> bytes:
    return b"\x40" if kind is None else bytes([VALUE_TYPES[kind]])


def encode_instruction(instruction: Instruction) -> bytes:
    opcode, *imm = instruction
    head = bytes([opcode]) if opcode < 0x100 else b"\xfc" + unsigned(opcode & 0xFF)
    if opcode in (BLOCK, LOOP, IF):
        return head + _block_type(imm[0])
    if opcode == BR_TABLE:
        return head + vector([unsigned(x) for x in imm[0]]) + unsigned(imm[1])
    if opcode == CALL_INDIRECT:
        return head + unsigned(imm[0]) + b"\x00"
    if opcode == SELECT_TYPED:
        return head + vector([bytes([VALUE_TYPES[imm[0]]])])
    if opcode in LOADS or opcode in STORES:
        return head + unsigned(imm[0]) + unsigned(imm[1])
    if opcode == I32_CONST:
        return head + signed_leb(imm[0] - (1 << 32) if imm[0] >> 31 else imm[0])
    if opcode == I64_CONST:
        return head + signed_leb(imm[0] - (1 << 64) if imm[0] >> 63 else imm[0])
    if opcode == F32_CONST:
        return head + struct.pack("<I", imm[0])
    if opcode == F64_CONST:
        return head + struct.pack("<Q", imm[0])
    if opcode == REF_NULL:
        return head + b"\x70"
    if opcode in (MEMORY_SIZE, MEMORY_GROW, MEMORY_FILL):
        return head + b"\x00"
    if opcode in (MEMORY_COPY, TABLE_COPY):
        return head + b"\x00\x00"
    if opcode in (MEMORY_INIT, TABLE_INIT):
        return head + unsigned(imm[0]) + b"\x00"
    if opcode in (TABLE_GET, TABLE_SET, TABLE_GROW, TABLE_SIZE, TABLE_FILL):
        return head + b"\x00"
    return head + b"".join(unsigned(x) for x in imm)


def _constant(kind: str, value: int) -> bytes:
    return encode_instruction((CONST[kind], value)) + b"\x0b"


def _limits(limits: tuple[int, int | None]) -> bytes:
    low, high = limits
    return b"\x00" + unsigned(low) if high is None else b"\x01" + unsigned(low) + unsigned(high)


def _element(segment: Segment) -> bytes:
    indices = vector([unsigned(x) for x in segment.items])
    if segment.offset is None:
        return b"\x01\x00" + indices
    return b"\x00" + _constant(I32, segment.offset) + indices


def _data(segment: Segment) -> bytes:
    content = sized(bytes(segment.items))
    if segment.offset is None:
        return b"\x01" + content
    return b"\x00" + _constant(I32, segment.offset) + content


def _function(function: Function) -> bytes:
    groups = [unsigned(1) + bytes([VALUE_TYPES[kind]]) for kind in function.locals]
    body = b"".join(map(encode_instruction, function.body)) + b"\x0b"
    return sized(vector(groups) + body)


def encode(module: Module) -> bytes:
    """The binary module."""
    types = [
        b"\x60" + vector([bytes([VALUE_TYPES[p]]) for p in params]) + vector([bytes([VALUE_TYPES[r]]) for r in results])
        for params, results in module.types
    ]
    sections: list[tuple[int, bytes]] = [(1, vector(types))]
    if module.imports:
        sections.append(
            (2, vector([sized(b"env") + sized(n.encode()) + b"\x00" + unsigned(t) for n, t in module.imports]))
        )
    sections.append((3, vector([unsigned(f.type_index) for f in module.functions])))
    if module.table is not None:
        sections.append((4, vector([b"\x70" + _limits(module.table)])))
    if module.memory is not None:
        sections.append((5, vector([_limits(module.memory)])))
    if module.globals:
        sections.append((6, vector([bytes([VALUE_TYPES[k], int(m)]) + _constant(k, v) for k, m, v in module.globals])))
    sections.append((7, vector([sized(n.encode()) + bytes([k]) + unsigned(i) for n, k, i in module.exports])))
    if module.start is not None:
        sections.append((8, unsigned(module.start)))
    if module.elements:
        sections.append((9, vector([_element(s) for s in module.elements])))
    if module.data:
        sections.append((12, unsigned(len(module.data))))
    sections.append((10, vector([_function(f) for f in module.functions])))
    if module.data:
        sections.append((11, vector([_data(s) for s in module.data])))
    return b"\0asm\x01\0\0\0" + b"".join(bytes([i]) + sized(c) for i, c in sections)
