"""What a child may use, set inside the child by the operating system."""

import resource
from typing import NamedTuple

GIB = 1 << 30


class Bounds(NamedTuple):
    """Limits of one child."""

    wall_seconds: float = 60.0
    """From its start; then it is killed."""
    cpu_seconds: int = 60
    memory_bytes: int = 2 * GIB
    """Writable memory. Address space that is only reserved costs nothing."""
    output_bytes: int = 64 << 20
    """What it may hand back."""
    open_files: int = 64


def set_bounds(bounds: Bounds) -> None:
    """Bind this process for good. Raises `OSError` or `ValueError` where the system refuses."""
    for kind, limit in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, bounds.cpu_seconds),
        (resource.RLIMIT_DATA, bounds.memory_bytes),
        (resource.RLIMIT_NOFILE, bounds.open_files),
    ):
        _, hard = resource.getrlimit(kind)
        bound = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        # A second more of computing, so that the signal that names the limit comes first.
        last = bound + 1 if kind == resource.RLIMIT_CPU and hard == resource.RLIM_INFINITY else bound
        resource.setrlimit(kind, (bound, last))
