"""What a command hands back to be shown: the result for programs and, when asked for, the lines for people."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from near_tee_cli.cli.terminal import Style


class Audience(NamedTuple):
    """Who reads the lines: colours, and how much is wanted."""

    style: Style
    quiet: bool
    verbose: int


class Report(NamedTuple):
    """The end of a command. `error` is set when the exit code is not 0 but there is a result all the same."""

    exit_code: int
    result: Mapping[str, Any]
    lines: Callable[[Audience], Sequence[str]]
    warnings: Sequence[str] = ()
    engine: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None
    """`code`, `message`, `hint` and `where`, as for an error that stopped the command."""
    answered: bool = False
    """Whether `error` is what was asked for, so that people read it in the lines and not as an error."""
    document: str | None = None
    """A document of its own that goes to stdout instead of everything else (`--out -`)."""
