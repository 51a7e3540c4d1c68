"""How a host function ends a call from any depth.

`HostFailure` lives inside `vm` only: whoever runs a contract turns it into the outcome's error value.
"""

from near_tee_cli.vm.outcome import HostError

U64_MAX = 2**64 - 1
"""The largest number that a contract can pass."""


class HostFailure(Exception):  # noqa: N818 - it is no error of ours, and never leaves this package
    """The contract asked for something that is refused; `error` says what."""

    def __init__(self, error: HostError) -> None:
        super().__init__(error)
        self.error = error


def failure(variant: str, **fields: int | str) -> HostFailure:
    """A failure of nearcore's `variant` with its particulars in order."""
    return HostFailure(HostError(variant, tuple(fields.items())))
