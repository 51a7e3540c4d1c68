"""A bound on how many items a bundle makes its reader build.

A length costs four bytes to write and may ask for four thousand million items. Each list is held against the bytes
that are left, and all lists of a bundle together against one number.
"""

from collections.abc import Callable
from typing import TypeVar

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives.schema.wire import read_u32

T = TypeVar("T")


class Budget:
    """How many items may still be read."""

    __slots__ = ("left",)

    def __init__(self, items: int) -> None:
        self.left = items

    def count(self, data: bytes, at: int, *, least: int) -> tuple[int, int]:
        """The length of a list at `at` whose items take at least `least` bytes each, and the position after it."""
        count, at = read_u32(data, at)
        if count * least > len(data) - at:
            raise BadInputError(f"a list of {count} items in {len(data) - at} bytes")
        if count > self.left:
            raise BadInputError(f"more items than the {self.left} that may still follow")
        self.left -= count
        return count, at

    def read_list(
        self, data: bytes, at: int, read: Callable[[bytes, int], tuple[T, int]], *, least: int
    ) -> tuple[tuple[T, ...], int]:
        """`Vec<T>` at `at`, and the position after it."""
        count, at = self.count(data, at, least=least)
        items = []
        for _ in range(count):
            item, at = read(data, at)
            items.append(item)
        return tuple(items), at
