"""The machine that runs contracts, with the user's cache of compiled code behind it.

Where the cache lies: `$NEAR_TEE_HOME/cache`, else the cache directory of the user's system. It changes how long a
command takes and nothing else. `verify` has a namespace of its own there.
"""

import os
import sys
from typing import Any, NamedTuple

from near_tee_cli.errors import HostError
from near_tee_cli.workspace.code_cache import DiskCodeCache
from near_tee_cli.workspace.lent_code import LentCodeCache

EXECUTING = "run"
"""Namespace of code that `run`, `prove` and `replay` compiled."""
VERIFYING = "verify"
"""Namespace of code that `verify` compiled."""


class Prepared(NamedTuple):
    """A machine, and what is to be said of it."""

    machine: Any
    """A `vm.runner.VirtualMachine`."""
    engine: dict[str, Any]
    """For the JSON document."""
    warnings: tuple[str, ...]


def machine(compiler: str | None, *, namespace: str, cached: bool = True) -> Prepared:
    """A machine with `compiler` (default: the fastest here).

    A cache that cannot be used makes things slower, which is said and no more. Raises `UsageError` for an unknown
    compiler and `HostError` when the engine cannot be used.
    """
    cache, warnings = code_cache(namespace) if cached else (None, ())
    return machine_with(compiler, cache, warnings)


def machine_with(
    compiler: str | None, cache: DiskCodeCache | LentCodeCache | None, warnings: tuple[str, ...]
) -> Prepared:
    """A machine with a cache that was opened before, or what is lent of one. Raises as `machine` does."""
    from near_tee_cli.vm.engine import Engine
    from near_tee_cli.vm.runner import VirtualMachine

    engine = Engine(compiler)
    described = {"compiler": engine.compiler, "wasmtime": engine.version}
    return Prepared(VirtualMachine(engine, cache), described, warnings)


def code_cache(namespace: str) -> tuple[DiskCodeCache | None, tuple[str, ...]]:
    """The user's cache, and what is to be said when it cannot be used."""
    try:
        return DiskCodeCache(cache_directory(), namespace), ()
    except HostError as error:
        return None, (f"compiled code is not cached: {error.message}",)


def cache_directory() -> str:
    """The directory of the code cache."""
    home = os.environ.get("NEAR_TEE_HOME")
    if home:
        return os.path.join(home, "cache")
    base = os.environ.get("XDG_CACHE_HOME")
    if not base:
        base = os.path.expanduser("~/Library/Caches" if sys.platform == "darwin" else "~/.cache")
    return os.path.join(base, "near-tee")
