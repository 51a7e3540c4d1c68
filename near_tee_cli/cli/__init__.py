"""The command line: the only layer that knows of arguments, terminals and exit codes.

The version is answered before anything else is imported, because scripts ask for it often. Everything else goes
through `boundary`, which imports the module of the named command and no other.
"""

import sys

from near_tee_cli import __version__


def main() -> None:
    """The command `near-tee`: run the process's own command line and end the process with its exit code."""
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
