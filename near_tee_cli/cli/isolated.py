"""Executing bundles again in children: what they may use, and the machine that they make."""

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import near_tee_cli
from near_tee_cli.cli import machine as machines
from near_tee_cli.isolate.bounds import Bounds
from near_tee_cli.isolate.child import Paths
from near_tee_cli.isolate.reexecution import IsolatedExecutor
from near_tee_cli.workspace.code_cache import DiskCodeCache
from near_tee_cli.workspace.lent_code import LentCodeCache

DEFAULT_TIME_LIMIT = 60.0
"""Seconds for executing one bundle again, unless told otherwise."""


def executor(compiler: str | None, *, seconds: float | None) -> IsolatedExecutor:
    """An executor whose children have so many seconds, and are lent the cache of `verify`."""
    cache, warnings = machines.code_cache(machines.VERIFYING)

    def prepare(lent: Any) -> tuple[Any, Mapping[str, Any]]:
        prepared = machines.machine_with(compiler, lent, warnings)
        return prepared.machine, {"engine": prepared.engine, "warnings": list(prepared.warnings)}

    limit = DEFAULT_TIME_LIMIT if seconds is None else seconds
    bounds = Bounds(wall_seconds=limit, cpu_seconds=int(limit) + 1)
    return IsolatedExecutor(prepare, bounds=bounds, paths=paths(), lend=lambda: lent_of(cache))


def lent_of(cache: DiskCodeCache | None) -> LentCodeCache | None:
    """What one child gets of `cache`; nothing where that cannot be had, which makes the child slow and no more."""
    with suppress(OSError):
        return None if cache is None else cache.lend()
    return None


def paths() -> Paths:
    """What a child reads: Python, its packages and this one. It writes nothing."""
    package = os.path.dirname(os.path.abspath(near_tee_cli.__file__))
    installed = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    readable = (sys.prefix, sys.base_prefix, package, *installed)
    return Paths(readable, ())
