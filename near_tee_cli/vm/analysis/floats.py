"""Where the older kind of VM gives other bits of a NaN than the standard asks for.

Its compiler makes results of arithmetic canonical only where their bits are looked at, and until then the value is
*pending*: changing the sign of a pending NaN gives the canonical one, not its negative. And it never makes the result
of a conversion between the two widths canonical, so that a NaN keeps what fits of its payload.

This walk tracks which operands are pending. A value stops being so where its bits are looked at: at the latest where
it leaves the operand stack, or the block that made it.

Mirrors nearcore: runtime/near-vm/compiler-singlepass/src/codegen_x64.rs (`FloatValue`)
"""

from collections.abc import Iterable, Sequence

from near_tee_cli.vm.analysis.changes import DEMOTE, NEGATE_4, NEGATE_8, PROMOTE
from near_tee_cli.vm.analysis.stack import POPS_AND_PUSHES, Declarations
from near_tee_cli.vm.wasm import opcodes as op
from near_tee_cli.vm.wasm.reader import Instruction

F32_ABS, F32_NEG, F64_ABS, F64_NEG = 0x8B, 0x8C, 0x99, 0x9A
F32_DEMOTE, F64_PROMOTE = 0xB6, 0xBB

_PENDING_RESULT = frozenset((*range(0x8D, 0x96), *range(0x9B, 0xA4)))
"""Rounding, square roots, sums, differences, products and quotients."""

_KEEPS_PENDING = frozenset((F32_ABS, F32_NEG, F64_ABS, F64_NEG, F32_DEMOTE, F64_PROMOTE, op.LOCAL_TEE, op.NOP))

_NO_RESULT = frozenset((op.DROP, op.LOCAL_SET, op.GLOBAL_SET, *range(op.FIRST_STORE, op.MEMORY_SIZE)))

_REPLACED = {F64_PROMOTE: PROMOTE, F32_DEMOTE: DEMOTE}
_REPLACED_IF_PENDING = {F32_NEG: NEGATE_4, F64_NEG: NEGATE_8}
_INTERESTING = tuple(bytes((opcode,)) for opcode in (*_REPLACED, *_REPLACED_IF_PENDING))


def may_differ(body: bytes) -> bool:
    """Whether a body can hold an instruction of interest at all."""
    return any(opcode in body for opcode in _INTERESTING)


class _Walker:
    """The operands, each with whether it is pending, and the blocks under way."""

    def __init__(self, declarations: Declarations) -> None:
        self.found: list[tuple[int, int]] = []
        self._declarations = declarations
        self._operands: list[bool] = []
        self._frames = [(0, "")]
        self._skipped: int | None = None
        """Blocks opened in code that cannot be reached; `None` while it can be."""

    def visit(self, instruction: Instruction) -> None:
        """Do what one instruction does to the operands, and note where it begins if it differs."""
        opcode = instruction.opcode
        if self._skipped is not None:
            self._skip(opcode)
        elif opcode in (op.BLOCK, op.LOOP, op.IF):
            self._pop(opcode == op.IF)
            self._frames.append((len(self._operands), op.VALUE_TYPES.get(instruction.value, "")))
        elif opcode == op.ELSE:
            del self._operands[self._frames[-1][0] :]
        elif opcode == op.END:
            self._leave()
        elif opcode in (op.BR, op.BR_TABLE, op.RETURN, op.UNREACHABLE):
            self._skipped = 0
        elif opcode == op.BR_IF:
            self._pop(1)
        elif opcode == op.CALL:
            function = self._declarations.functions[instruction.value]
            self._replace(len(function.params), len(function.result))
        elif opcode == op.CALL_INDIRECT:
            function = self._declarations.types[instruction.value]
            self._replace(len(function.params) + 1, len(function.result))
        elif opcode in (op.LOCAL_GET, op.GLOBAL_GET):
            self._operands.append(False)
        else:
            self._plain(instruction)

    def _plain(self, instruction: Instruction) -> None:
        opcode, operands = instruction.opcode, self._operands
        if opcode in _KEEPS_PENDING:
            kind = _REPLACED.get(opcode)
            if kind is None and operands and operands[-1]:
                kind = _REPLACED_IF_PENDING.get(opcode)
            if kind is not None:
                self.found.append((instruction.start, kind))
            return
        effect = op.PREFIXED_EFFECTS[opcode & 0xFF] if opcode > 0xFF else op.EFFECTS[opcode]
        pops, pushes = POPS_AND_PUSHES[effect]
        self._replace(pops, len(pushes))
        if opcode not in _NO_RESULT and operands:
            operands[-1] = opcode in _PENDING_RESULT

    def _skip(self, opcode: int) -> None:
        skipped = self._skipped or 0
        if opcode in (op.BLOCK, op.LOOP, op.IF):
            self._skipped = skipped + 1
        elif opcode == op.END and skipped:
            self._skipped = skipped - 1
        elif opcode == op.END:
            self._skipped = None
            self._leave()
        elif opcode == op.ELSE and not skipped:
            self._skipped = None
            del self._operands[self._frames[-1][0] :]

    def _leave(self) -> None:
        height, result = self._frames.pop()
        del self._operands[height:]
        self._operands += [False] * len(result)

    def _replace(self, pops: int, pushes: int) -> None:
        self._pop(pops)
        self._operands += [False] * pushes

    def _pop(self, count: int) -> None:
        if count:
            del self._operands[-count:]


def differing(body: Iterable[Instruction], declarations: Declarations) -> Sequence[tuple[int, int]]:
    """(Start, kind) of each instruction of a validated body that differs, in order; kinds as in `Walk.values`."""
    walker = _Walker(declarations)
    for instruction in body:
        walker.visit(instruction)
    return walker.found
