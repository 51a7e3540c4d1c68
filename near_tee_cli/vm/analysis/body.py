"""One walk over a function body: where gas is charged, how deep the stack gets, and what must be rewritten.

`gas` and `stack` say what the two analyses are; this module computes both results in one pass, because contracts
have hundreds of thousands of instructions. It relies on a validated body, and on prices that
are the same for all instructions but the free and the bulk ones.

How the placement of charges becomes a single pass. A *group* is open: it began at some instruction and counts what
follows. It closes, including the instruction that closes it, at everything that may trap, call or branch, at
`else`, and at an `end` that is the target of a branch; the next group opens right behind. A bulk instruction has a
price of its own, and closes the group before it without being part of it. An `end` that nobody branches to leaves
the group open. Code that cannot be reached is skipped, but branches in it still mark their targets. A `loop` header
closes its group if some branch goes back to it, which is known only at the loop's end: so a group is opened behind
every header, and when the loop turns out to be no target, it is added to the group before.

On the stack model, `bases` holds the height in bytes below each operand, and `top` the height above the last.
"""

from collections.abc import Callable
from typing import ClassVar, NamedTuple

from near_tee_cli.vm.analysis.actions import (
    ACTIONS,
    BINARY,
    BLOCK_SIZES,
    COMPARE,
    CONST_4,
    CONST_8,
    GLOBAL_GET,
    INTEGERS,
    LOAD_4,
    OTHER,
    POPS_AND_PUSH,
    SET,
    STORE,
    TO_4,
    TO_8,
)
from near_tee_cli.vm.analysis.changes import BULK, CALL_IMPORT, REFER_TO_IMPORT, RETURN, Walk
from near_tee_cli.vm.wasm import leb128
from near_tee_cli.vm.wasm import opcodes as op

NEARCORE_IMPORTS = 3
"""Functions that nearcore's instrumentation puts before all others: its function indices are that much higher."""


class Environment(NamedTuple):
    """What bodies refer to, by the index spaces of the module."""

    globals: list[int]
    """Sizes in bytes."""
    functions: list[tuple[int, int]]
    """Of each function, imports first: number of parameters, size in bytes of the result (0: none)."""
    types: list[tuple[int, int]]
    """The same of each type."""
    imports: int
    bulk_memory: bool
    """Whether bulk operations are priced by their last operand; without, growing memory is a regular instruction."""


def walk(body: bytes, locals_: list[int], *, environment: Environment) -> Walk:
    """Analyse the instructions of a body, its final `end` included.

    `locals_` are the sizes in bytes of parameters and locals, by index.
    """
    walker = _Walker(body, environment)
    walker.run(locals_)
    return Walk(
        walker.offsets,
        walker.values,
        walker.peak,
        walker.blocks,
        walker.calls,
        walker.root[_TAKEN] == 1,
        walker.live_end,
        walker.dead_returns,
        walker.bulk,
        walker.growth,
    )


# A frame is a list: whether a branch goes to it, the number of operands and the height in bytes below it, the size
# of its result, and for a loop the groups before and behind its header (-1: not a loop).
_TAKEN, _OPERANDS, _HEIGHT, _RESULT, _BEFORE, _BEHIND = range(6)


class _Walker:
    """The state of one walk. `run` keeps what it needs at hand and stores it before any other method is called."""

    __slots__ = (
        "bases",
        "blocks",
        "bulk",
        "calls",
        "dead_returns",
        "environment",
        "fee",
        "frames",
        "group",
        "growth",
        "live_end",
        "offsets",
        "peak",
        "position",
        "root",
        "text",
        "top",
        "values",
    )

    def __init__(self, body: bytes, environment: Environment) -> None:
        self.text = list(body)
        self.environment = environment
        self.position = 0
        self.offsets = [0]
        self.values = [0]
        self.group = 0
        self.fee = 0
        self.bases: list[int] = []
        self.top = 0
        self.peak = 0
        self.root = [0, 0, 0, 0, 0, -1]
        self.frames = [self.root]
        self.blocks = 0
        self.calls = False
        self.live_end = False
        self.dead_returns = 0
        self.bulk = 0
        self.growth = 0

    def run(self, locals_: list[int]) -> None:
        """Walk the whole body. The common instructions are handled here, the others by `HANDLERS`."""
        text, offsets, values, bases = self.text, self.offsets, self.values, self.bases
        push, pop = bases.append, bases.pop
        globals_ = self.environment.globals
        actions, handlers, integer = ACTIONS, self.HANDLERS, leb128.read_unsigned
        rare = _Walker._rare
        position = top = peak = fee = group = 0
        while True:
            opcode = text[position]
            position += 1
            if opcode == 0x20:  # local.get
                index = text[position]
                position += 1
                if index >= 0x80:
                    index, position = integer(text, position - 1)
                push(top)
                top += locals_[index]
                if top > peak:
                    peak = top
                fee += 1
                continue
            action = actions[opcode]
            if action <= BINARY:
                fee += 1
                if action == BINARY:
                    top = pop()
                elif action == COMPARE:
                    pop()
                    top = bases[-1] + 4
                elif action == TO_4:
                    top = bases[-1] + 4
                elif action == TO_8:
                    top = bases[-1] + 8
                    if top > peak:
                        peak = top
                continue
            if action == OTHER:
                self.position, self.top, self.peak, self.fee, self.group = position, top, peak, fee, group
                if handlers.get(opcode, rare)(self, opcode):
                    return
                position, top, peak, fee, group = self.position, self.top, self.peak, self.fee, self.group
                continue
            # What remains is followed by an integer, memory instructions by two.
            first = position
            while text[position] >= 0x80:
                position += 1
            position += 1
            fee += 1
            if action == SET:
                top = pop()
            elif action <= CONST_8:
                push(top)
                top += 4 if action == CONST_4 else 8
                if top > peak:
                    peak = top
            elif action <= STORE:
                while text[position] >= 0x80:
                    position += 1
                position += 1
                values[group] = fee
                group = len(offsets)
                offsets.append(position)
                values.append(0)
                fee = 0
                if action == STORE:
                    pop()
                    top = pop()
                else:
                    top = bases[-1] + (4 if action == LOAD_4 else 8)
                    if top > peak:
                        peak = top
            elif action == GLOBAL_GET:
                push(top)
                top += globals_[integer(text, first)[0]]
                if top > peak:
                    peak = top

    def _close(self, price: int) -> None:
        """The group ends with an instruction of that price; the next one begins at the current position."""
        self.values[self.group] = self.fee + price
        self._open()

    def _open(self) -> None:
        self.group = len(self.offsets)
        self.offsets.append(self.position)
        self.values.append(0)
        self.fee = 0

    def _push(self, size: int) -> None:
        self.bases.append(self.top)
        self.top += size
        if self.top > self.peak:
            self.peak = self.top

    def _integer(self) -> int:
        index, self.position = leb128.read_unsigned(self.text, self.position)
        return index

    def _block_size(self) -> int:
        byte = self.text[self.position]
        self.position += 2 if byte == 0x63 else 1
        return BLOCK_SIZES[byte]

    def _enter(self, opcode: int) -> bool:
        size = self._block_size()
        self.blocks += 1
        if opcode == op.BLOCK:
            self.frames.append([0, len(self.bases), self.top, size, 0, -1])
        elif opcode == op.IF:
            self.top = self.bases.pop()
            self._close(1)
            self.frames.append([1, len(self.bases), self.top, size, 0, -1])
        else:
            before = self.group
            self._close(0)
            self.fee = 1
            self.frames.append([0, len(self.bases), self.top, size, before, self.group])
        return False

    def _leave(self, _opcode: int) -> bool:
        """An `end` that is reached from the instruction before it."""
        frame = self.frames.pop()
        if not self.frames:
            self.values[self.group] = self.fee
            self.live_end = True
            return True
        if frame[_BEHIND] >= 0:
            if not frame[_TAKEN]:
                self.values[self.group] = self.fee
                self._join(frame)
        elif frame[_TAKEN]:
            self._close(0)
        self._restore(frame)
        return False

    def _join(self, loop: list[int]) -> None:
        """Nothing branches to the loop: what follows its header belongs to the group before the header."""
        before, behind = loop[_BEFORE], loop[_BEHIND]
        self.values[before] += self.values[behind]
        self.values[behind] = 0
        if self.group == behind:
            self.group = before
            self.fee = self.values[before]

    def _restore(self, frame: list[int]) -> None:
        """The operands below the frame, and its result."""
        del self.bases[frame[_OPERANDS] :]
        self.top = frame[_HEIGHT]
        if frame[_RESULT]:
            self._push(frame[_RESULT])

    def _otherwise(self, _opcode: int) -> bool:
        """An `else` that is reached from the instruction before it."""
        self._close(0)
        return self._begin_else()

    def _begin_else(self) -> bool:
        frame = self.frames[-1]
        del self.bases[frame[_OPERANDS] :]
        self.top = frame[_HEIGHT]
        return False

    def _branch(self, opcode: int) -> bool:
        if opcode == op.BR_IF:
            self.top = self.bases.pop()
        self._mark(opcode, [])
        if opcode == op.BR_IF:
            self._close(1)
            return False
        self.values[self.group] = self.fee + 1
        return self._skip_unreachable()

    def _mark(self, opcode: int, unreachable: list[int]) -> None:
        """Note the targets of a branch; `unreachable` is as in `_skip_unreachable`."""
        count = self._integer() + 1 if opcode == op.BR_TABLE else 1
        for _ in range(count):
            depth = self._integer()
            if depth >= len(unreachable):
                self.frames[len(unreachable) - 1 - depth][_TAKEN] = 1
            elif unreachable[-1 - depth]:
                self.values[unreachable[-1 - depth]] = 1

    def _return(self, _opcode: int) -> bool:
        self.values[self.group] = self.fee + 1
        self.offsets.append(self.position - 1)
        self.values.append(RETURN)
        return self._skip_unreachable()

    def _trap(self, _opcode: int) -> bool:
        self.values[self.group] = self.fee + 1
        return self._skip_unreachable()

    def _skip_unreachable(self) -> bool:
        """Pass what cannot be reached, up to the end of the frame; true at the end of the function.

        NOTE: one thing is charged there. The price of a `loop` is due behind it; when another loop follows at once
        and something branches to that, finite-wasm takes the place between the headers for a reachable one. Nobody
        ever pays, but it makes the instrumented module longer. `blocks` holds for each open block the index in
        `values` of such a place, or 0.
        """
        blocks: list[int] = []
        after_loop = False
        while True:
            at = self.position
            opcode = self.text[at]
            self.position += 1
            if opcode == op.END:
                if not blocks:
                    return self._end_unreachable()
                blocks.pop()
            elif opcode == op.ELSE:
                if not blocks:
                    self._open()  # NOTE: what left the branch has closed its group already, its own price included
                    return self._begin_else()
            elif opcode in (op.BLOCK, op.LOOP, op.IF):
                blocks.append(0)
                if after_loop and opcode == op.LOOP:
                    blocks[-1] = len(self.values)
                    self.offsets.append(at)
                    self.values.append(0)
                self._block_size()
                self.blocks += 1
            elif opcode in (op.BR, op.BR_IF, op.BR_TABLE):
                self._mark(opcode, blocks)
            elif opcode in (op.CALL, op.REF_FUNC):
                self._refer(opcode)
            else:
                self.dead_returns += opcode == op.RETURN
                self._skip_immediates(opcode)
            after_loop = opcode == op.LOOP

    def _end_unreachable(self) -> bool:
        frame = self.frames.pop()
        if not self.frames:
            return True
        if frame[_BEHIND] >= 0 and not frame[_TAKEN]:
            self._join(frame)
        self._open()
        self._restore(frame)
        return False

    def _skip_immediates(self, opcode: int) -> None:
        shape = op.IMMEDIATES[opcode]
        if shape == op.SUBOPCODE:
            integers = op.PREFIXED_INTEGERS[self._integer()]
        elif shape == op.SELECT_TYPES:
            self._integer()
            self._block_size()
            return
        elif shape in (op.FOUR_BYTES, op.EIGHT_BYTES):
            self.position += 4 if shape == op.FOUR_BYTES else 8
            return
        else:
            integers = INTEGERS[shape]
        for _ in range(integers):
            self.position = leb128.skip(self.text, self.position)

    def _refer(self, opcode: int) -> int:
        """The function index of a `call` or `ref.func`; a reference to an import is noted."""
        at = self.position
        index = self._integer()
        self.growth += leb128.unsigned_length(index + NEARCORE_IMPORTS) - (self.position - at)
        if index < self.environment.imports:
            self.offsets.append(at - 1)
            self.values.append((CALL_IMPORT if opcode == op.CALL else REFER_TO_IMPORT) - 2 * index)
        return index

    def _call(self, opcode: int) -> bool:
        if opcode == op.CALL:
            index = self._refer(opcode)
            params, result = self.environment.functions[index]
            self.calls |= index >= self.environment.imports
        else:
            params, result = self.environment.types[self._integer()]
            self._integer()
            self.calls = True
        if params:
            # NOTE: of an indirect call too: the index in the table counts as the last argument.
            self.top = self.bases[-params]
            del self.bases[-params:]
        if result:
            self._push(result)
        self._close(1)
        return False

    def _reference(self, opcode: int) -> bool:
        self._refer(opcode)
        self._push(8)
        self.fee += 1
        return False

    def _rare(self, opcode: int) -> bool:
        """Instructions without a case of their own, by the tables."""
        at = self.position - 1
        effect = op.EFFECTS[opcode]
        number = opcode
        if opcode == op.PREFIX:
            sub = leb128.read_unsigned(self.text, self.position)[0]
            effect = op.PREFIXED_EFFECTS[sub]
            number = opcode << 8 | sub
        self._skip_immediates(opcode)
        if number in op.BULK:
            self.values[self.group] = self.fee
            self.offsets.append(at)
            self.values.append(BULK if self.environment.bulk_memory else 1)
            self.bulk += self.environment.bulk_memory
            self._open()
        elif number in op.TRAPPING:
            self._close(1)
        else:
            self.fee += 1
        self._apply(effect)
        return False

    def _apply(self, effect: int) -> None:
        bases = self.bases
        pops, push = POPS_AND_PUSH[effect]
        if pops:
            self.top = bases[-pops]
            del bases[-pops:]
        if push:
            self._push(push)

    HANDLERS: ClassVar[dict[int, Callable[["_Walker", int], bool]]] = {
        **dict.fromkeys((op.BLOCK, op.LOOP, op.IF), _enter),
        **dict.fromkeys((op.BR, op.BR_IF, op.BR_TABLE), _branch),
        **dict.fromkeys((op.CALL, op.CALL_INDIRECT), _call),
        op.ELSE: _otherwise,
        op.END: _leave,
        op.RETURN: _return,
        op.UNREACHABLE: _trap,
        op.REF_FUNC: _reference,
    }
    """What is done for an opcode; it gives true at the end of the function. Others are `_rare`."""
