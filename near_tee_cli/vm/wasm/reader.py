"""Reading modules: sections, their items, and the instructions of function bodies.

Everything that is read may be hostile. A reader never looks outside its range and raises `MalformedError` for
whatever it does not accept; that includes encodings of features that contracts must not use, because the chain
answers both alike. Types of values and stack discipline inside function bodies are not its business.

Mirrors nearcore: runtime/near-vm-runner/src/prepare/prepare_v3.rs (through wasmparser)
"""

from collections.abc import Iterator
from typing import NamedTuple

from near_tee_cli.vm.wasm import opcodes as op

MAX_STRING_BYTES = 100_000
MAX_PARAMS = 1_000
MAX_LOCALS = 50_000
MAX_BRANCH_TARGETS = 131_072

_FUNC_TYPE = 0x60
_FINAL_SUBTYPE = 0x4F
_REF_NULL_PREFIX = 0x63
_REF_PREFIX = 0x64
_SHARED_PREFIX = 0x65
_ABSTRACT_HEAP_TYPES = frozenset(range(0x68, 0x76))
_MAX_TYPE_INDEX = (1 << 20) - 1


class MalformedError(Exception):
    """Bytes that are not a module, or that use what contracts must not use."""


class FuncType(NamedTuple):
    """The type of a function: one letter for each parameter, and for the result one or none."""

    params: str
    result: str


class Global(NamedTuple):
    """A global: the letter of its type, whether it can be set, and its initial value's instruction."""

    type: str
    mutable: bool
    init: "Constant"


class Constant(NamedTuple):
    """A constant expression: one instruction and `end`. `opcode`, with `value` for an index, `end` after `end`."""

    opcode: int
    value: int
    start: int
    end: int


class Export(NamedTuple):
    """An export: its name's bytes (UTF-8), kind (0 function, 1 table, 2 memory, 3 global) and what it is."""

    name: bytes
    kind: int
    item: int
    """An index among the functions, tables, memories or globals."""


class Segment(NamedTuple):
    """An element segment; `functions` are indices with their place, or `items` constant expressions."""

    flags: int
    table: int | None
    offset: Constant | None
    functions: list[tuple[int, int, int]]
    items: list[Constant] | None


class Body(NamedTuple):
    """A function body: the range of locals and code, where the code begins, and the groups of locals."""

    start: int
    code: int
    end: int
    locals: list[tuple[int, str]]


class Cursor:
    """A place in a byte string, and where reading has to stop."""

    __slots__ = ("data", "end", "position")

    def __init__(self, data: bytes, position: int, *, end: int) -> None:
        self.data = data
        self.position = position
        self.end = end

    def byte(self) -> int:
        """The next byte."""
        position = self.position
        if position >= self.end:
            raise MalformedError("unexpected end")
        self.position = position + 1
        return self.data[position]

    def u32(self) -> int:
        """The next unsigned LEB128 integer of 32 bits, in any encoding of at most five bytes."""
        position = self.position
        if position < self.end:
            byte = self.data[position]
            if byte < 0x80:
                self.position = position + 1
                return byte
        result = shift = 0
        while True:
            byte = self.byte()
            result |= (byte & 0x7F) << shift
            if shift == 28 and byte >> 4:
                raise MalformedError("integer too large")
            if byte < 0x80:
                return result
            shift += 7

    def skip_integer(self, *, limit: int) -> None:
        """Pass an integer of at most `limit` bytes without looking at its value."""
        for _ in range(limit):
            if self.byte() < 0x80:
                return
        raise MalformedError("integer too long")

    def skip(self, length: int) -> int:
        """Pass `length` bytes; gives the position where they began."""
        start = self.position
        if length > self.end - start:
            raise MalformedError("unexpected end")
        self.position = start + length
        return start

    def name(self) -> bytes:
        """The next string: its bytes, which are known to be UTF-8."""
        length = self.u32()
        if length > MAX_STRING_BYTES:
            raise MalformedError("string too long")
        start = self.skip(length)
        name = self.data[start : start + length]
        try:
            name.decode()
        except UnicodeDecodeError as error:
            raise MalformedError("not UTF-8") from error
        return name

    def value_type(self) -> str:
        """The letter of the next value type; `funcref` also in its long form."""
        byte = self.byte()
        if byte == _REF_NULL_PREFIX and self.byte() == 0x70:
            return "r"
        letter = op.VALUE_TYPES.get(byte)
        if letter is None:
            raise MalformedError("value type not allowed")
        return letter

    def finish(self) -> None:
        """Everything has been read."""
        if self.position != self.end:
            raise MalformedError("unexpected content at the end")

    def constant(self) -> Constant:
        """A constant expression: exactly one instruction that gives a value, then `end`.

        Longer ones belong to the extended constant expressions, which contracts must not use; `global.get` may
        only name imported globals, and contracts cannot import any.
        """
        start = self.position
        opcode = self.byte()
        value = 0
        if opcode in (op.I32_CONST, op.I64_CONST):
            self.skip_integer(limit=10)
        elif opcode in (op.F32_CONST, op.F64_CONST):
            self.skip(4 if opcode == op.F32_CONST else 8)
        elif opcode == op.REF_FUNC:
            value = self.u32()
        elif opcode != op.REF_NULL or self.byte() != 0x70:
            raise MalformedError("not a constant expression")
        if self.byte() != op.END:
            raise MalformedError("extended constant expression")
        return Constant(opcode, value, start, self.position)


def read_type(cursor: Cursor) -> FuncType:
    """An item of the type section."""
    form = cursor.byte()
    if form == _FINAL_SUBTYPE:
        if cursor.u32():
            raise MalformedError("supertypes are not allowed")
        form = cursor.byte()
    if form != _FUNC_TYPE:
        raise MalformedError("not a function type")
    count = cursor.u32()
    if count > MAX_PARAMS:
        raise MalformedError("too many parameters")
    params = "".join([cursor.value_type() for _ in range(count)])
    count = cursor.u32()
    if count > 1:
        raise MalformedError("more than one result")
    return FuncType(params, cursor.value_type() if count else "")


def read_limits(cursor: Cursor) -> int:
    """The limits of a table or memory; gives the initial size. 64-bit and shared ones are not allowed."""
    flags = cursor.byte()
    if flags > 1:
        raise MalformedError("limits not allowed")
    initial = cursor.u32()
    if flags:
        cursor.u32()
    return initial


def read_table(cursor: Cursor) -> int:
    """An item of the table section; gives its initial number of elements."""
    if cursor.value_type() != "r":
        raise MalformedError("not a reference type")
    return read_limits(cursor)


def read_import(cursor: Cursor) -> tuple[bytes, bytes, int, int]:
    """An item of the import section: module, name, kind and, for a function, the index of its type."""
    module = cursor.name()
    name = cursor.name()
    kind = cursor.byte()
    index = 0
    if kind == 0:
        index = cursor.u32()
    elif kind == 1:
        read_table(cursor)
    elif kind == 2:
        read_limits(cursor)
    elif kind == 3:
        cursor.value_type()
        if cursor.byte() > 1:
            raise MalformedError("mutability")
    else:
        raise MalformedError("kind of import not allowed")
    return module, name, kind, index


def read_global(cursor: Cursor) -> Global:
    """An item of the global section."""
    letter = cursor.value_type()
    mutable = cursor.byte()
    if mutable > 1:
        raise MalformedError("mutability")
    return Global(letter, mutable == 1, cursor.constant())


def read_export(cursor: Cursor) -> Export:
    """An item of the export section."""
    name = cursor.name()
    kind = cursor.byte()
    if kind > 3:
        raise MalformedError("kind of export not allowed")
    return Export(name, kind, cursor.u32())


def read_segment(cursor: Cursor) -> Segment:
    """An item of the element section."""
    flags = cursor.u32()
    if flags > 7:
        raise MalformedError("flags of an element segment")
    table = offset = None
    if not flags & 1:
        if flags & 2:
            table = cursor.u32()
        offset = cursor.constant()
    if flags & 3:
        if flags & 4:
            if cursor.value_type() != "r":
                raise MalformedError("not a reference type")
        elif cursor.byte():
            raise MalformedError("kind of elements not allowed")
    count = cursor.u32()
    if flags & 4:
        return Segment(flags, table, offset, [], [cursor.constant() for _ in range(count)])
    functions = []
    for _ in range(count):
        start = cursor.position
        index = cursor.u32()
        functions.append((start, cursor.position, index))
    return Segment(flags, table, offset, functions, None)


def read_data(cursor: Cursor) -> None:
    """An item of the data section."""
    flags = cursor.u32()
    if flags > 2:
        raise MalformedError("flags of a data segment")
    if flags != 1:
        if flags == 2:
            cursor.u32()
        cursor.constant()
    cursor.skip(cursor.u32())


def read_local_type(cursor: Cursor) -> str:
    """The type of a group of locals; empty for a type that parses but that contracts must not use.

    NOTE: the chain counts a group before it looks whether its type is allowed.
    """
    byte = cursor.byte()
    letter = op.VALUE_TYPES.get(byte)
    if letter is not None:
        return letter
    if byte == 0x7B:
        return ""
    if byte not in (_REF_NULL_PREFIX, _REF_PREFIX):
        cursor.position -= 1
    elif byte == _REF_NULL_PREFIX and cursor.position < cursor.end and cursor.data[cursor.position] == 0x70:
        cursor.position += 1
        return "r"
    _skip_heap_type(cursor)
    return ""


def _skip_heap_type(cursor: Cursor) -> None:
    start = cursor.position
    first = byte = cursor.byte()
    index = byte & 0x7F
    shift = 7
    while byte >= 0x80:
        byte = cursor.byte()
        index |= (byte & 0x7F) << shift
        if shift == 28 and (byte >= 0x80 or byte & 0x70 not in (0, 0x70)):
            raise MalformedError("integer too long")
        shift += 7
    if not byte & 0x40:
        if index > _MAX_TYPE_INDEX:
            raise MalformedError("type index")
        return
    cursor.position = start + 1
    if (cursor.byte() if first == _SHARED_PREFIX else first) not in _ABSTRACT_HEAP_TYPES:
        raise MalformedError("heap type")


class Instruction(NamedTuple):
    """An instruction of a body: its range, opcode, and immediates that the analyses need.

    `value` is the (first) index, the depth of a branch, or the byte of a block type; `targets` are the depths
    of a branch table, the default last.
    """

    start: int
    end: int
    opcode: int
    value: int
    targets: tuple[int, ...]


def instructions(data: bytes, start: int, end: int) -> Iterator[Instruction]:
    """Every instruction from `start` to `end`; raises `MalformedError` for what does not decode."""
    cursor = Cursor(data, start, end=end)
    while cursor.position < end:
        at = cursor.position
        opcode = cursor.byte()
        value = 0
        targets: tuple[int, ...] = ()
        shape = op.IMMEDIATES[opcode]
        if shape == op.NO_IMMEDIATE:
            pass
        elif shape == op.ONE_INTEGER:
            if opcode in (op.I32_CONST, op.I64_CONST):
                cursor.skip_integer(limit=10)
            else:
                value = cursor.u32()
        elif shape == op.MEMORY_ARGUMENT:
            if cursor.u32() & 0x40:
                value = cursor.u32()
            cursor.skip_integer(limit=10)
        elif shape == op.BLOCK_TYPE:
            value = cursor.byte()
            if value != 0x40:
                cursor.position -= 1
                value = op.VALUE_TYPE_BYTES[cursor.value_type()][0]
        elif shape == op.TWO_INTEGERS:
            value = cursor.u32()
            cursor.u32()
        elif shape == op.BRANCH_TABLE:
            count = cursor.u32()
            if count > MAX_BRANCH_TARGETS:
                raise MalformedError("too many branch targets")
            targets = tuple([cursor.u32() for _ in range(count + 1)])
        elif shape == op.SELECT_TYPES:
            if cursor.u32() != 1:
                raise MalformedError("select of several types")
            cursor.value_type()
        elif shape == op.REFERENCE_TYPE:
            if cursor.byte() != 0x70:
                raise MalformedError("reference type not allowed")
        elif shape == op.SUBOPCODE:
            sub = cursor.u32()
            if sub >= len(op.PREFIXED_INTEGERS):
                raise MalformedError("instruction not allowed")
            opcode = op.PREFIX << 8 | sub
            for _ in range(op.PREFIXED_INTEGERS[sub]):
                value = cursor.u32()
        elif shape in (op.FOUR_BYTES, op.EIGHT_BYTES):
            cursor.skip(4 if shape == op.FOUR_BYTES else 8)
        else:
            raise MalformedError("instruction not allowed")
        yield Instruction(at, cursor.position, opcode, value, targets)
