"""TOML from somebody else, held against what its reader can bear before it is read.

For a dotted key the reader notes every beginning of it, so a line of a few hundred thousand parts takes more memory
than any machine has. Outside of strings and comments dots stand in keys alone, and once in a number.
"""

import re
import tomllib
from typing import Any

from near_tee_cli.errors import BadInputError

MAX_KEY_PARTS = 8
"""Parts of one dotted key."""

_STRING_OR_COMMENT = re.compile(
    r'"""(?:\\.|[^\\])*?(?:"""|\Z)'
    r"|'''.*?(?:'''|\Z)"
    r'|"(?:\\.|[^"\\\n])*"?'
    r"|'[^'\n]*'?"
    r"|#[^\n]*",
    re.DOTALL,
)
_BETWEEN_DOTS = re.compile(r"[^.=,\[\]{}\n]+")


def loads(data: bytes, what: str, *, code: str = "bad-input") -> dict[str, Any]:
    """The document in `data`. Raises `BadInputError` with `code` for what is none, and for keys of too many parts."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadInputError(f"{what} is no UTF-8 text", code=code) from error
    if "." * MAX_KEY_PARTS in _BETWEEN_DOTS.sub("", _STRING_OR_COMMENT.sub("", text)):
        raise BadInputError(f"{what} has a key of more than {MAX_KEY_PARTS} parts", code=code)
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise BadInputError(f"{what} is no TOML: {str(error)[:200]}", code=code) from error
