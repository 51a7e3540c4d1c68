"""The canonical encoding of memory operands.

The chain decodes modules with every feature of its decoder on and then refuses what uses them. So it takes memory
index 0 written out (in several bytes, or in the flags of a load) and offsets of up to ten bytes, which a decoder
with those features off does not. The module is the same one; this rewrites it so that every decoder agrees.
"""

from near_tee_cli.vm.wasm import leb128, writer
from near_tee_cli.vm.wasm import opcodes as op
from near_tee_cli.vm.wasm.reader import Cursor, MalformedError, instructions, read_local_type

_EXPLICIT_MEMORY = 0x40
_MAX_OFFSET = (1 << 32) - 1


def canonical(code: bytes) -> bytes | None:
    """The module with short memory operands, or `None` if there is nothing to shorten or it does not decode."""
    try:
        parts = [code[:8]]
        file = Cursor(code, 8, end=len(code))
        while file.position < file.end:
            at = file.position
            number = file.byte()
            length = file.u32()
            start = file.skip(length)
            if number == writer.CODE:
                parts.append(_code_section(Cursor(code, start, end=file.position)))
            else:
                parts.append(code[at : file.position])
    except MalformedError:
        return None
    rewritten = b"".join(parts)
    return rewritten if len(rewritten) < len(code) else None


def _code_section(section: Cursor) -> bytes:
    bodies = []
    for _ in range(section.u32()):
        length = section.u32()
        start = section.skip(length)
        bodies.append(writer.sized(_body(section.data, start, start + length)))
    section.finish()
    return writer.counted(writer.CODE, bodies)


def _body(code: bytes, start: int, end: int) -> bytes:
    body = Cursor(code, start, end=end)
    for _ in range(body.u32()):
        body.u32()
        read_local_type(body)
    pieces = []
    copied = start
    for instruction in instructions(code, body.position, end):
        shape = op.IMMEDIATES[instruction.opcode & 0xFF] if instruction.opcode < 0x100 else op.SUBOPCODE
        if shape == op.MEMORY_ARGUMENT:
            short = _memory_argument(Cursor(code, instruction.start + 1, end=instruction.end))
        elif instruction.opcode in (op.MEMORY_SIZE, op.MEMORY_GROW):
            short = leb128.unsigned(instruction.value)
        else:
            continue
        if len(short) < instruction.end - instruction.start - 1:
            pieces.append(code[copied : instruction.start + 1] + short)
            copied = instruction.end
    pieces.append(code[copied:end])
    return b"".join(pieces)


def _memory_argument(argument: Cursor) -> bytes:
    start = argument.position
    flags = argument.u32()
    memory = argument.u32() if flags & _EXPLICIT_MEMORY else 0
    offset = shift = 0
    while True:
        byte = argument.byte()
        offset |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    if memory or offset > _MAX_OFFSET:
        return argument.data[start : argument.position]
    return leb128.unsigned(flags & ~_EXPLICIT_MEMORY) + leb128.unsigned(offset)
