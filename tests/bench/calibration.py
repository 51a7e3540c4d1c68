"""The loop that makes times of two machines comparable, and how things are timed here: best of several runs."""

import time
from collections.abc import Callable


def loop() -> int:
    """The calibration loop of the reference, inside a function as there."""
    x = 0
    for i in range(3_000_000):
        x = (x * 31 + i) & 0xFFFFFFFF
    return x


def best_of(count: int, function: Callable[[], object]) -> float:
    """The shortest of `count` runs, in seconds."""
    best = float("inf")
    for _ in range(count):
        begun = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - begun)
    return best
