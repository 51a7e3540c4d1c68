"""How much stack a call takes: finite-wasm's model of operands, and the frame.

A contract's recursion is bounded by a model that no machine shares: every call takes the size of its locals plus
64 bytes, and the largest total size of operands that its body can have at a time. The sum over all open calls
must not exceed `max_stack_height`.

This module is the definition. `body` computes the same sizes in one pass and is what runs.

Mirrors nearcore: runtime/near-vm-runner/src/prepare/prepare_v3.rs; finite-wasm: src/max_stack/mod.rs
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from near_tee_cli.vm.wasm import opcodes as op
from near_tee_cli.vm.wasm.reader import FuncType, Instruction

FRAME_OVERHEAD = 64
"""Bytes of every frame beside its locals."""

_BLOCK_RESULTS = {0x40: "", **op.VALUE_TYPES}


class Declarations(NamedTuple):
    """What a body refers to, by the index spaces of the module and of its function."""

    types: Sequence[FuncType]
    functions: Sequence[FuncType]
    globals: Sequence[str]
    locals: Sequence[str]


def frame_size(locals_: Iterable[str]) -> int:
    """Bytes of a frame with these parameters and locals."""
    return FRAME_OVERHEAD + sum(op.VALUE_SIZES[letter] for letter in locals_)


class _Frame(NamedTuple):
    height: int
    result: str


class _Model:
    """Sizes of the operands on the stack, and the blocks under way, each with whether it can be reached."""

    def __init__(self, declarations: Declarations) -> None:
        self.largest = 0
        self._declarations = declarations
        self._operands: list[int] = []
        self._frames = [_Frame(0, "")]
        self._polymorphic = [False]

    def visit(self, instruction: Instruction) -> None:
        """Do what one instruction does to the operands."""
        opcode = instruction.opcode
        if opcode in (op.BLOCK, op.LOOP, op.IF):
            self._pop(1 if opcode == op.IF else 0)
            self._enter(_BLOCK_RESULTS[instruction.value])
        elif opcode == op.ELSE:
            self._enter(self._leave().result)
        elif opcode == op.END:
            if len(self._frames) > 1:
                self._push(self._leave().result)
        elif opcode in (op.BR, op.BR_TABLE, op.RETURN, op.UNREACHABLE):
            self._polymorphic[-1] = True
        elif opcode == op.BR_IF:
            self._pop(1)
        elif opcode == op.LOCAL_GET:
            self._push(self._declarations.locals[instruction.value])
        elif opcode == op.GLOBAL_GET:
            self._push(self._declarations.globals[instruction.value])
        elif opcode == op.CALL:
            self._call(self._declarations.functions[instruction.value])
        elif opcode == op.CALL_INDIRECT:
            # NOTE: the index in the table is not popped beside the arguments, so one of them stays behind.
            self._call(self._declarations.types[instruction.value])
        else:
            self._apply(op.PREFIXED_EFFECTS[opcode & 0xFF] if opcode > 0xFF else op.EFFECTS[opcode])

    def _apply(self, effect: int) -> None:
        pops, pushes = POPS_AND_PUSHES[effect]
        self._pop(pops)
        self._push(pushes)

    def _call(self, function: FuncType) -> None:
        self._pop(len(function.params))
        self._push(function.result)

    def _push(self, letters: str) -> None:
        if not self._polymorphic[-1]:
            self._operands += [op.VALUE_SIZES[letter] for letter in letters]
            self.largest = max(self.largest, sum(self._operands))

    def _pop(self, count: int) -> None:
        if count and not self._polymorphic[-1]:
            del self._operands[-count:]

    def _enter(self, result: str) -> None:
        self._frames.append(_Frame(len(self._operands), result))
        self._polymorphic.append(self._polymorphic[-1])

    def _leave(self) -> _Frame:
        frame = self._frames.pop()
        self._polymorphic.pop()
        self._pop(len(self._operands) - frame.height)
        return frame


POPS_AND_PUSHES = {
    op.KEEP: (0, ""),
    op.PUSH_4: (0, "d"),
    op.PUSH_8: (0, "q"),
    op.POP_1: (1, ""),
    op.POP_2: (2, ""),
    op.POP_3: (3, ""),
    op.POP_1_PUSH_4: (1, "d"),
    op.POP_1_PUSH_8: (1, "q"),
    op.POP_2_PUSH_4: (2, "d"),
}
"""Operands that an effect takes away, and the types of those it leaves."""


def operand_size(body: Iterable[Instruction], declarations: Declarations) -> int:
    """The largest total size in bytes of the operands of a validated body."""
    model = _Model(declarations)
    for instruction in body:
        model.visit(instruction)
    return model.largest
