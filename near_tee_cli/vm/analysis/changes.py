"""What the walk over a body (`body`) finds: charges, and the instructions that are written anew.

Both stand in one list, in the order of the body, so that it is copied in one go.
"""

from collections.abc import Iterable
from typing import NamedTuple

RETURN = -1
"""In `Walk.values`: the instruction at this offset is a `return`."""

BULK = -2
"""In `Walk.values`: the instruction at this offset is a bulk operation, priced by its last operand."""

PROMOTE = -3
"""In `Walk.values`: the `f64.promote_f32` at this offset keeps the payload of a NaN (see `floats`)."""

DEMOTE = -4
"""In `Walk.values`: the `f32.demote_f64` at this offset does."""

NEGATE_4 = -5
"""In `Walk.values`: the `f32.neg` at this offset makes every NaN the canonical one."""

NEGATE_8 = -6
"""In `Walk.values`: the `f64.neg` at this offset does."""

CALL_IMPORT = -7
"""In `Walk.values`, this minus twice an index: the `call` at this offset names that import."""

REFER_TO_IMPORT = -8
"""In `Walk.values`, this minus twice an index: the `ref.func` at this offset names that import."""


class Walk(NamedTuple):
    """The result for one body; offsets count from its first instruction."""

    offsets: list[int]
    values: list[int]
    """For each offset: above 0 a charge for as many instructions, below 0 a change (see the constants)."""
    operand_bytes: int
    blocks: int
    calls: bool
    """Whether the body may call functions that the module defines."""
    branches_out: bool
    """Whether a branch other than `return` leaves the function."""
    live_end: bool
    """Whether the final `end` is reached from the instruction before it."""
    dead_returns: int
    bulk: int
    """Bulk operations that can be reached."""
    growth: int
    """Bytes that references to functions grow by in nearcore's instrumented body."""
    floats: bool = False
    """Whether instructions on floats are among the changes."""

    def replacing(self, changes: Iterable[tuple[int, int]]) -> "Walk":
        """The same with further changes to floats, given as (offset, value), each behind the charge at its offset."""
        merged = sorted([*zip(self.offsets, self.values, strict=True), *changes], key=_place)
        offsets, values = map(list, zip(*merged, strict=True))
        return self._replace(offsets=offsets, values=values, floats=True)


def _place(item: tuple[int, int]) -> tuple[int, bool]:
    offset, value = item
    return offset, value < 0
