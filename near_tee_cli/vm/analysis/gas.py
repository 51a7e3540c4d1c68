"""Where gas is charged: finite-wasm's placement of instrumentation points, step by step.

A first pass gives every instruction a point with its fee and a *kind*, which says what the instruction has to do
with control flow; two folds then merge neighbours, first those at one offset, then any that may be charged
together. What remains is what a contract pays, and in which portions: the portion that does not fit decides how
much gas a failing call burns, so the merging is part of the protocol.

This module is the definition. `body` computes the same charges in one pass and is what runs.

Mirrors nearcore: runtime/near-vm-runner/src/prepare/prepare_v3.rs; finite-wasm: src/gas/mod.rs, src/gas/optimize.rs
"""

from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import NamedTuple

from near_tee_cli.vm.wasm import opcodes as op
from near_tee_cli.vm.wasm.reader import Instruction

_MAX_FEE = (1 << 64) - 1


class Kind(IntEnum):
    """What the instruction behind a point means for charges around it."""

    PURE = 0
    """Nothing: it can be charged together with its neighbours."""
    PRE = 1
    """It may leave the straight line, so nothing behind it may be charged before it."""
    POST = 2
    """The one before it may have; nothing before it may be charged here."""
    BETWEEN = 3
    """Both."""
    UNREACHABLE = 4
    BULK = 5
    """A bulk instruction, whose fee depends on its last operand."""


class Fee(NamedTuple):
    """A price in gas: a constant part, and one for each unit of the operand."""

    constant: int
    linear: int = 0


class Prices(NamedTuple):
    """What instructions cost, in gas."""

    regular: int
    bulk: Fee

    def of(self, opcode: int) -> Fee:
        """The fee of an instruction: `block`, `else` and `end` are free."""
        if opcode in (op.BLOCK, op.ELSE, op.END):
            return _FREE
        return self.bulk if opcode in op.BULK else Fee(self.regular)


class Point(NamedTuple):
    """A charge of `fee` before the instruction at `offset`."""

    offset: int
    kind: Kind
    fee: Fee


_FREE = Fee(0)


class _Frame:
    """A block under way: whether its code can be reached, and what a branch to it means."""

    __slots__ = ("loop", "polymorphic", "taken")

    def __init__(self, *, polymorphic: bool, taken: bool = False, loop: int | None = None) -> None:
        self.polymorphic = polymorphic
        self.taken = taken
        self.loop = loop
        """Index of the point before a loop's header; the one behind it is next."""


class _Placement:
    """The first pass: points in order, the frames, and a point scheduled for the next instruction."""

    def __init__(self, prices: Prices) -> None:
        self.points: list[Point] = []
        self._prices = prices
        self._frames = [_Frame(polymorphic=False)]
        self._scheduled: tuple[Kind, Fee] | None = None

    def visit(self, instruction: Instruction) -> None:
        """Place the points of one instruction."""
        at, opcode = instruction.start, instruction.opcode
        if self._scheduled is not None:
            self.points.append(Point(at, *self._scheduled))
            self._scheduled = None
        fee = self._prices.of(opcode)
        if opcode == op.BLOCK:
            self._before(at, Kind.PURE, fee)
            self._enter()
        elif opcode == op.LOOP:
            header = len(self.points)
            self._before(at, Kind.PURE, _FREE)
            self._scheduled = (Kind.PURE, fee)
            self._enter(loop=header)
        elif opcode == op.IF:
            self._side_effect(at, fee)
            self._enter(taken=True)
        elif opcode == op.ELSE:
            self._frames.pop()
            self._enter(taken=True)
            self._side_effect(at, fee)
        elif opcode == op.END:
            if self._frames[-1].taken and self._frames[-1].loop is None:
                self._side_effect(at, fee)
            else:
                self._before(at, Kind.PURE, fee)
            if len(self._frames) > 1:
                self._frames.pop()
        elif opcode in (op.BR, op.BR_IF, op.BR_TABLE, op.RETURN):
            self._side_effect(at, fee)
            root = len(self._frames) - 1
            for depth in instruction.targets or ((root if opcode == op.RETURN else instruction.value),):
                self._mark(depth)
            self._frames[-1].polymorphic |= opcode != op.BR_IF
        elif opcode == op.UNREACHABLE:
            self._before(at, Kind.PRE, fee)
            self._scheduled = (Kind.UNREACHABLE, _FREE)
            self._frames[-1].polymorphic = True
        elif opcode in op.BULK:
            self._before(at, Kind.BULK, fee)
            self._scheduled = (Kind.POST, _FREE)
        elif opcode in op.TRAPPING:
            self._side_effect(at, fee)
        else:
            self._before(at, Kind.PURE, fee)

    def _before(self, at: int, kind: Kind, fee: Fee) -> None:
        self.points.append(Point(at, Kind.UNREACHABLE if self._frames[-1].polymorphic else kind, fee))

    def _side_effect(self, at: int, fee: Fee) -> None:
        self._before(at, Kind.PRE, fee)
        self._scheduled = (Kind.POST, _FREE)

    def _enter(self, *, taken: bool = False, loop: int | None = None) -> None:
        self._frames.append(_Frame(polymorphic=self._frames[-1].polymorphic, taken=taken, loop=loop))

    def _mark(self, depth: int) -> None:
        frame = self._frames[-1 - depth]
        frame.taken = True
        if frame.loop is not None:
            points = self.points
            points[frame.loop] = points[frame.loop]._replace(kind=Kind.PRE)
            points[frame.loop + 1] = points[frame.loop + 1]._replace(kind=Kind.POST)


def points(body: Iterable[Instruction], prices: Prices) -> list[Point]:
    """The points of a validated body, merged as far as finite-wasm merges them.

    Points that are unreachable or free are among them; they charge nothing.
    """
    placement = _Placement(prices)
    for instruction in body:
        placement.visit(instruction)
    return _fold(_fold(placement.points, _merged_at_one_offset), _merged_across)


def _fold(given: list[Point], merged: Callable[[Point, Point], Kind | None]) -> list[Point]:
    folded: list[Point] = []
    for point in given:
        if folded:
            last = folded[-1]
            kind = merged(last, point)
            fee = Fee(last.fee.constant + point.fee.constant)
            if kind is not None and not last.fee.linear and not point.fee.linear and fee.constant <= _MAX_FEE:
                folded[-1] = Point(min(last.offset, point.offset), kind, fee)
                continue
        folded.append(point)
    return folded


def _merged_at_one_offset(first: Point, second: Point) -> Kind | None:
    if first.offset != second.offset:
        return None
    kinds = (first.kind, second.kind)
    if Kind.UNREACHABLE in kinds:
        return Kind.UNREACHABLE
    if second.kind == Kind.BULK or first.kind == Kind.PURE:
        return second.kind
    if second.kind in (Kind.PURE, first.kind):
        return first.kind
    return Kind.BETWEEN


_ACROSS = {
    (Kind.PURE, Kind.PURE): Kind.PURE,
    (Kind.UNREACHABLE, Kind.UNREACHABLE): Kind.UNREACHABLE,
    (Kind.POST, Kind.PRE): Kind.BETWEEN,
    (Kind.PURE, Kind.PRE): Kind.PRE,
    (Kind.POST, Kind.PURE): Kind.POST,
}


def _merged_across(first: Point, second: Point) -> Kind | None:
    return _ACROSS.get((first.kind, second.kind))
