"""Encodings that only the older kind of VM took, rewritten to those that mean the same everywhere.

Its decoder let the alignment of a memory instruction name the memory, as long as that was the only one there is. And it
took a section that counts the data segments, and segments that are copied by nobody, though it had no bulk memory.

Mirrors: wasmparser 0.105 (`read_memarg`, `ModuleState::validate_end`, `Validator::data_count_section`)
"""

from near_tee_cli.vm.wasm import leb128, reader, writer
from near_tee_cli.vm.wasm import opcodes as op
from near_tee_cli.vm.wasm.reader import Cursor, MalformedError

_NAMES_MEMORY = 0x40
_BEFORE_DATA_COUNT = frozenset(range(writer.TYPE, writer.ELEMENT + 1))
_BEHIND_DATA_COUNT = frozenset((writer.CODE, writer.DATA))
_PASSIVE = 1


def modernised(code: bytes) -> bytes:
    """`code` without such encodings; unchanged where there are none, or where it is no module anyway."""
    try:
        return _rewritten(code)
    except MalformedError:
        return code


def _rewritten(code: bytes) -> bytes:
    if code[:8] != writer.HEADER:
        return code
    pieces = [code[:8]]
    counted: int | None = None
    segments = 0
    seen: list[int] = []
    file = Cursor(code, 8, end=len(code))
    while file.position < file.end:
        start = file.position
        number = file.byte()
        length = file.u32()
        content = Cursor(code, file.skip(length), end=file.position)
        if number == writer.DATA_COUNT:
            if counted is not None or not _BEFORE_DATA_COUNT.issuperset(seen):
                return code
            counted = content.u32()
            content.finish()
        elif number == writer.CODE:
            pieces.append(writer.counted(writer.CODE, _bodies(content)))
        elif number == writer.DATA:
            kept, segments = _data(content)
            pieces.append(writer.counted(writer.DATA, kept))
        else:
            pieces.append(code[start : file.position])
        if number not in (writer.CUSTOM, writer.DATA_COUNT):
            if counted is not None and number not in _BEHIND_DATA_COUNT:
                return code
            seen.append(number)
    return code if counted not in (None, segments) else b"".join(pieces)


def _bodies(section: Cursor) -> list[bytes]:
    bodies = []
    for _ in range(section.u32()):
        length = section.u32()
        start = section.skip(length)
        bodies.append(writer.sized(_body(section.data, start, start + length)))
    section.finish()
    return bodies


def _body(code: bytes, start: int, end: int) -> bytes:
    locals_ = Cursor(code, start, end=end)
    for _ in range(locals_.u32()):
        locals_.u32()
        reader.read_local_type(locals_)
    pieces = []
    copied = start
    for instruction in reader.instructions(code, locals_.position, end):
        if not op.FIRST_LOAD <= instruction.opcode < op.MEMORY_SIZE:
            continue
        argument = Cursor(code, instruction.start + 1, end=instruction.end)
        flags = argument.u32()
        if flags & _NAMES_MEMORY and argument.u32() == 0:
            pieces += [code[copied : instruction.start + 1], leb128.unsigned(flags ^ _NAMES_MEMORY)]
            copied = argument.position
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
