"""One machine per compiler and process, with nothing on disk."""

import functools

from near_tee_cli.vm.engine import Engine
from near_tee_cli.vm.runner import VirtualMachine


@functools.cache
def machine(compiler: str | None = None) -> VirtualMachine:
    """The machine of a compiler, by default of the fastest one here."""
    return VirtualMachine(Engine(compiler))
