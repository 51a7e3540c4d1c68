"""What reaches a terminal: untrusted text made harmless, and colour only where it is wanted.

Logs, panic messages, names and keys come from contracts and files of strangers. `plain` leaves nothing in them that
a terminal would obey or that would show other characters in another order than they have: control characters,
escape sequences, bidirectional marks, invisible characters and line breaks become visible escapes.
"""

import os
import sys
from typing import TextIO

_BIDI_AND_INVISIBLE = (
    *range(0x200B, 0x2010),  # zero width, directional marks
    0x061C,
    *range(0x2028, 0x202F),  # line and paragraph separators, embeddings and overrides
    *range(0x2060, 0x2070),  # invisible operators, isolates
    *range(0xFFF9, 0xFFFC),
    0x00AD,
    0x034F,
    0x115F,
    0x1160,
    0x17B4,
    0x17B5,
    0x180E,
    0x3164,
    0xFEFF,
    0xFFA0,
)
_SHORT = {0x09: "\\t", 0x0A: "\\n", 0x0D: "\\r", 0x1B: "\\e"}

RED, GREEN, YELLOW, DIM, BOLD = "31", "32", "33", "2", "1"


def plain(text: str) -> str:
    """`text` on one line, with everything that a terminal could obey or hide shown as an escape."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(ord(character), character) for character in text)


def _shown(code: int, character: str) -> str:
    if code in _SHORT:
        return _SHORT[code]
    if character.isprintable() and code not in _BIDI_AND_INVISIBLE and not 0xE0000 <= code < 0xE1000:
        return character
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{{{code:x}}}"


def plain_bytes(data: bytes, *, limit: int = 200) -> str:
    """`data` as harmless text if it is UTF-8, else as hexadecimal digits; cut to about `limit` characters."""
    try:
        text = plain(data.decode("utf-8"))
    except UnicodeDecodeError:
        text = "0x" + data[: limit + 1].hex()
    return cut(text, limit)


def cut(text: str, limit: int) -> str:
    """`text`, or its beginning and an ellipsis if it is longer than `limit`."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


class Style:
    """Marks for a stream: ANSI colours if `enabled`, else the bare words."""

    __slots__ = ("enabled",)

    def __init__(self, *, enabled: bool) -> None:
        self.enabled = enabled

    def __call__(self, text: str, *codes: str) -> str:
        """`text` in the given colours; the text is ours or went through `plain`."""
        return f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if self.enabled and codes else text


def style_for(stream: TextIO, choice: str) -> Style:
    """Colours for `stream`: as `choice` says (always, never), else by NO_COLOR, FORCE_COLOR, TERM and the stream."""
    return Style(enabled=wants_color(stream, choice))


def wants_color(stream: TextIO, choice: str) -> bool:
    """Whether `stream` gets colours; see `style_for`."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return os.environ.get("TERM") != "dumb" and is_terminal(stream)


def is_terminal(stream: TextIO) -> bool:
    """Whether a person reads `stream`."""
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False


def warn(text: str) -> None:
    """One line of talk to the user, on stderr; `text` is ours or went through `plain`."""
    try:
        sys.stderr.write(text + "\n")
    except (OSError, ValueError):
        return  # nobody listens
