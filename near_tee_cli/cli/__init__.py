"""The command line: the only layer that knows of arguments, terminals and exit codes.

The version is answered before anything else is imported, because scripts ask for it often. Everything else goes
through `boundary`, which imports the module of the named command and no other.
"""

import os
import sys

from near_tee_cli import __version__

_STREAMS = (("stdin", "r", os.O_WRONLY), ("stdout", "w", os.O_RDONLY), ("stderr", "w", os.O_RDWR))


def main() -> None:
    """The command `near-tee`: run the process's own command line and end the process with its exit code."""
    _replace_closed_streams()
    arguments = sys.argv[1:]
    if arguments in (["--version"], ["-V"]):
        try:
            sys.stdout.write(f"near-tee {__version__}\n")
            sys.stdout.flush()
        except OSError:
            arguments = []
        else:
            return
    from near_tee_cli.cli import boundary

    boundary.leave(boundary.run(arguments) if arguments else boundary.output_lost())


def _replace_closed_streams() -> None:
    """Put something in the place of standard streams that the caller has closed, so that no file of ours gets their
    numbers: reading and writing fail there as on a stream that is broken, and nobody hears what is said on stderr.
    """
    for name, mode, flags in _STREAMS:
        if getattr(sys, name) is None:
            handle = os.open(os.devnull, flags)
            os.set_inheritable(handle, True)
            setattr(sys, name, os.fdopen(handle, mode, closefd=False, encoding="utf-8"))
