"""Compiled code in children: what a child is lent, and the moment from which on nothing of it is believed."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Protocol

from near_tee_cli.errors import NearTeeError
from near_tee_cli.params.config import RuntimeConfig
from near_tee_cli.params.store import config_at
from near_tee_cli.proof.bundle import Bundle
from near_tee_cli.runtime.chunk import Machine
from near_tee_cli.vm.context import VMContext
from near_tee_cli.vm.external import External
from near_tee_cli.vm.outcome import VMOutcome


class Lent(Protocol):
    """What one child gets of its parent's cache of compiled code."""

    @property
    def directory(self) -> str:
        """What the child has to be allowed to read."""

    @property
    def handles(self) -> tuple[int, ...]:
        """Open files that the child needs."""

    def seal(self) -> None:
        """In the child, before it executes anything: from now on nothing is handed back."""

    def take_back(self) -> None:
        """In the parent, when the child has ended: keep what was handed back."""


class Preparing(Machine, Protocol):
    """A machine that can prepare contracts without executing them."""

    def make_ready(self, code: bytes, code_hash: bytes, *, config: RuntimeConfig) -> None:
        """Compile a contract for calls to come. Raises `HostError` when the machine cannot go on."""


def make_ready(bundle: Bundle, codes: Mapping[bytes, bytes], machine: Preparing) -> None:
    """Compile every contract of `bundle`; `codes` are those that it only names.

    What cannot be compiled is told when it is executed, if it is.
    """
    config = config_at(bundle.claim.protocol_version)
    for named in bundle.content.codes:
        code = codes.get(named.hash) if named.code is None else named.code
        if code is not None:
            with suppress(NearTeeError):
                machine.make_ready(code, named.hash, config=config)


class SealingMachine:
    """A machine that seals what was lent as soon as the first contract is compiled, and only then executes it."""

    __slots__ = ("_lent", "_machine")

    def __init__(self, machine: Preparing, lent: Lent) -> None:
        self._machine = machine
        self._lent: Lent | None = lent

    def run(
        self,
        code: bytes,
        code_hash: bytes,
        *,
        method: str,
        context: VMContext,
        external: External,
        config: RuntimeConfig,
    ) -> VMOutcome:
        """As the machine inside."""
        if self._lent is not None:
            self._machine.make_ready(code, code_hash, config=config)
            self._lent.seal()
            self._lent = None
        return self._machine.run(code, code_hash, method=method, context=context, external=external, config=config)
