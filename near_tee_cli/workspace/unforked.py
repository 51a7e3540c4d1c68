"""Memory that a forked child does not get, for keys that a parent of children has to hold."""

import contextlib
import mmap

_WIPE_ON_FORK = 18


def unforked(size: int) -> memoryview:
    """`size` zero bytes; whatever is written there is zero again in a child. Only Linux can do that: elsewhere it is
    memory like any other.
    """
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with contextlib.suppress(OSError, ValueError, AttributeError):
        memory.madvise(_WIPE_ON_FORK)
    return memoryview(memory)
