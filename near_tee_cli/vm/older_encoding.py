"""Modules as the older kind of VM decoded them, rewritten to what the decoder of the newer one reads alike.

The older decoder let the alignment of a memory instruction name the memory, as long as that was the only one there
is. It took a section that counts the data segments, segments that are copied by nobody and empty segments of
expressions, though it had neither bulk memory nor reference types. And it spelled references another way: what it
could not read becomes something that nobody can.

Mirrors: wasmparser 0.105 (`read_memarg`, `ModuleState::validate_end`, `Validator::data_count_section`, `RefType`)
"""

from typing import NamedTuple

from near_tee_cli.vm.wasm import leb128, reader, writer
from near_tee_cli.vm.wasm import opcodes as op
from near_tee_cli.vm.wasm.reader import Cursor, MalformedError

_NAMES_MEMORY = 0x40
_FUNCREF, _NULLABLE, _NEWER_NULLABLE = 0x70, 0x6C, 0x63
_FUNCTION_TYPE = 0x60
_PASSIVE = 1
_EXPRESSIONS = 4
_MAX_DATA_SEGMENTS = 100_000
_BEFORE_DATA_COUNT = frozenset(range(writer.TYPE, writer.ELEMENT + 1))
_BEHIND_DATA_COUNT = frozenset((writer.CODE, writer.DATA))
_UNREADABLE = b"\0"
"""No type begins with this byte."""

_NO_SECTION = b"\x7f\0"


class Translation(NamedTuple):
    """A module in the newer encoding."""

    code: bytes
    counts_agree: bool
    """Whether there are as many data segments as were announced: the last thing that the older decoder looked at."""


def translated(code: bytes, *, bodies: bool) -> Translation:
    """`code` in the newer encoding, function bodies only if asked for; from where nobody can read it on, as it is.

    Bodies take long, and hardly any differs.
    """
    if code[:8] != writer.HEADER:
        return Translation(code, counts_agree=True)
    translator = _Translator(code, bodies=bodies)
    end = translator.run()
    agree = translator.counted in (None, translator.segments)
    return Translation(b"".join((*translator.pieces, code[end:])), agree)


class _Translator:
    """One walk over the sections."""

    def __init__(self, code: bytes, *, bodies: bool) -> None:
        self.pieces = [code[:8]]
        self.counted: int | None = None
        self.segments = 0
        self._code = code
        self._seen: set[int] = set()
        self._rewriters = {writer.TYPE: _types, writer.TABLE: _tables, writer.ELEMENT: _elements}
        if bodies:
            self._rewriters[writer.CODE] = _bodies

    def run(self) -> int:
        """Translate section after section; where that ends."""
        file = Cursor(self._code, 8, end=len(self._code))
        done = file.position
        try:
            while file.position < file.end:
                number = file.byte()
                length = file.u32()
                start = file.skip(length)
                self._section(
                    number, Cursor(self._code, start, end=start + length), whole=self._code[done : start + length]
                )
                done = file.position
        except MalformedError:
            return done
        return done

    def _section(self, number: int, content: Cursor, *, whole: bytes) -> None:
        """Append a section; raises `MalformedError` where the older decoder stops."""
        if number == writer.DATA_COUNT:
            if self.counted is not None or not _BEFORE_DATA_COUNT.issuperset(self._seen):
                raise MalformedError("data count out of order")
            counted = content.u32()
            content.finish()
            if counted > _MAX_DATA_SEGMENTS:
                raise MalformedError("too many data segments")
            self.counted = counted
            return
        if number != writer.CUSTOM:
            if self.counted is not None and number not in _BEHIND_DATA_COUNT:
                # The count is gone by now; something has to be wrong here still.
                self.pieces.append(_NO_SECTION)
                raise MalformedError("section out of order")
            self._seen.add(number)
        if number == writer.DATA:
            kept, self.segments = _data(content)
            self.pieces.append(writer.counted(number, kept))
        elif number in self._rewriters:
            self.pieces.append(writer.section(number, self._rewriters[number](content)))
        else:
            self.pieces.append(whole)


def _types(section: Cursor) -> bytes:
    """Function types have one form only."""
    start = section.position
    for _ in range(section.u32()):
        at = section.position
        if section.byte() != _FUNCTION_TYPE:
            return section.data[start:at] + _UNREADABLE
        section.position = at
        reader.read_type(section)
    return section.data[start : section.end]


def _tables(section: Cursor) -> bytes:
    """The long form of a reference to functions."""
    start = section.position
    pieces = [leb128.unsigned(section.u32())]
    copied = section.position
    if section.position == start + 1 and section.position < section.end:
        first = section.byte()
        if first == _NEWER_NULLABLE:
            pieces.append(_UNREADABLE)
        elif first == _NULLABLE and section.byte() == _FUNCREF:
            pieces.append(bytes((_FUNCREF,)))
            copied = section.position
    return b"".join((*pieces, section.data[copied : section.end]))


def _elements(section: Cursor) -> bytes:
    """Segments of no expressions, which become segments of no functions."""
    count = section.u32()
    pieces = [leb128.unsigned(count)]
    for _ in range(count):
        start = section.position
        flags = section.u32()
        if flags not in (_EXPRESSIONS, _EXPRESSIONS | 2):
            section.position = start
            reader.read_segment(section)
            pieces.append(section.data[start : section.position])
            continue
        table = section.u32() if flags & 2 else 0
        place = section.position
        section.constant()
        offset = section.data[place : section.position]
        if flags & 2:
            first = section.byte()
            if first != _FUNCREF and (first != _NULLABLE or section.byte() != _FUNCREF):
                raise MalformedError("not a reference to functions")
        if table or section.u32():
            # Expressions that give references need reference types.
            raise MalformedError("segment of expressions")
        pieces.append(b"\0" + offset + b"\0")
    section.finish()
    return b"".join(pieces)


def _bodies(section: Cursor) -> bytes:
    count = section.u32()
    pieces = [leb128.unsigned(count)]
    for _ in range(count):
        length = section.u32()
        start = section.skip(length)
        pieces.append(writer.sized(_body(section.data, start, start + length)))
    return b"".join((*pieces, section.data[section.position : section.end]))


def _body(code: bytes, start: int, end: int) -> bytes:
    pieces = []
    copied = start
    try:
        locals_ = Cursor(code, start, end=end)
        for _ in range(locals_.u32()):
            locals_.u32()
            reader.read_local_type(locals_)
        for instruction in reader.instructions(code, locals_.position, end):
            if not op.FIRST_LOAD <= instruction.opcode < op.MEMORY_SIZE:
                continue
            argument = Cursor(code, instruction.start + 1, end=instruction.end)
            flags = argument.u32()
            if flags & _NAMES_MEMORY and argument.u32() == 0:
                pieces += [code[copied : instruction.start + 1], leb128.unsigned(flags ^ _NAMES_MEMORY)]
                copied = argument.position
    except MalformedError:
        pass
    return b"".join((*pieces, code[copied:end]))


def _data(section: Cursor) -> tuple[list[bytes], int]:
    """The segments that something is copied from, and how many there are in all."""
    kept = []
    count = section.u32()
    for _ in range(count):
        start = section.position
        flags = Cursor(section.data, start, end=section.end).u32()
        reader.read_data(section)
        if flags != _PASSIVE:
            kept.append(section.data[start : section.position])
    section.finish()
    return kept, count
