"""Options and arguments as data: what a command takes, declared once for the parser and for the help.

The first flag of a parameter is ours; the others are spellings of neighbouring tools that are accepted too.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

VALUE, FLAG, COUNT, MANY = "value", "flag", "count", "many"
"""Takes one value, once; takes none; counts itself; takes a value and may be repeated."""


class Parameter(NamedTuple):
    """One option, or without `flags` one positional argument."""

    name: str
    flags: tuple[str, ...]
    help: str
    metavar: str = ""
    kind: str = VALUE
    required: bool = False
    panel: str = ""
    """Heading in the help."""


class CommandLine(NamedTuple):
    """What the line of a command may hold; `name` as typed ("state root")."""

    name: str
    summary: str
    description: str
    parameters: tuple[Parameter, ...]
    executes: bool = False
    """Whether it may execute contracts, which has to happen on the thread made for that."""
    children_with: tuple[str, ...] = ()
    """Parameters with any of which it executes nothing itself, but in children."""


Given = Mapping[str, Any]
"""Parameter name -> str or None, bool, int or tuple of str, by kind."""

OUTPUT = (
    Parameter("json", ("--json", "-j"), "One JSON document on stdout, also on failure.", kind=FLAG, panel="Output"),
    Parameter(
        "output", ("--output",), "`json` is the same as --json; `text` is the default.", "FORMAT", panel="Output"
    ),
    Parameter("quiet", ("--quiet", "-q"), "Only the essential line.", kind=FLAG, panel="Output"),
    Parameter("verbose", ("--verbose", "-v"), "More detail; repeat for more.", kind=COUNT, panel="Output"),
    Parameter("color", ("--color",), "Colours: auto, always or never.", "WHEN", panel="Output"),
    Parameter("no_color", ("--no-color",), "The same as --color never.", kind=FLAG, panel="Output"),
)
"""What every command takes."""

COMPILER = Parameter(
    "compiler",
    ("--compiler",),
    "How contracts are compiled: `winch` (default on x86-64) or `cranelift`. The results are the same.",
    "NAME",
    panel="Engine",
)
