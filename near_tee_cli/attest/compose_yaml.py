"""The part of YAML that compose files are written in, and nothing that could be read in two ways.

Block mappings and sequences, quoted and plain scalars on one line, block scalars, and flow collections on one line.
Anchors, aliases, tags, merge keys, directives, several documents, values that go on in the next line, tabs and doubled
keys are refused by line: what is judged here must be what the guest's own reader sees. Every scalar stays text.
"""

import json
import re
from typing import NamedTuple

from near_tee_cli.errors import BadInputError

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32
"""Collections inside one another."""

Value = dict[str, "Value"] | list["Value"] | str
"""What a document is made of; an empty value is an empty text."""

_KEY = re.compile(r"([A-Za-z0-9_./$][^\s:#'\"\[\]{},&*!|>%@`]*):(?= |$)")
_BLOCK = re.compile(r"[|>][+-]?(?: +#.*)?")
_FORBIDDEN_FIRST = frozenset("&*!|>%@`,]}#?")
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]")


class _Line(NamedTuple):
    number: int
    indent: int
    text: str


def parse_yaml(text: str) -> Value:
    """The one document in `text`. Raises `BadInputError` (`bad-yaml`) with the line for everything else."""
    if len(text) > MAX_BYTES:
        raise BadInputError(f"a compose file has at most {MAX_BYTES} characters", code="bad-yaml")
    raw = text.replace("\r\n", "\n").split("\n")
    for number, line in enumerate(raw, 1):
        if _CONTROL.search(line):
            raise _bad(number, "has a tab or control character")
    reader = _Reader(raw)
    value = reader.block(0, 0)
    left = reader.peek()
    if left is not None:
        raise _bad(left.number, "does not belong to what stands before it")
    return value


class _Reader:
    """Position in the lines. `pending` is the rest of a line whose beginning was a dash."""

    __slots__ = ("at", "pending", "raw", "started")

    def __init__(self, raw: list[str]) -> None:
        self.raw = raw
        self.at = 0
        self.pending: _Line | None = None
        self.started = False
        first = self.peek()
        if first is not None and first.text == "---" and first.indent == 0:
            self.take()
        self.started = True

    def peek(self) -> _Line | None:
        """The next line with content."""
        if self.pending is not None:
            return self.pending
        while self.at < len(self.raw):
            line = self.raw[self.at]
            body = line.strip(" ")
            if body and not body.startswith("#"):
                if line.startswith(("---", "...", "%")) and (self.started or line.rstrip(" ") != "---"):
                    raise _bad(self.at + 1, "begins or ends a document")
                return _Line(self.at + 1, len(line) - len(line.lstrip(" ")), body)
            self.at += 1
        return None

    def take(self) -> None:
        if self.pending is not None:
            self.pending = None
        self.at += 1

    def block(self, least: int, depth: int) -> Value:
        """The collection or scalar that begins with the next line, indented by `least` or more."""
        line = self.peek()
        if line is None or line.indent < least:
            return ""
        if depth > MAX_DEPTH:
            raise _bad(line.number, f"nests deeper than {MAX_DEPTH} levels")
        if line.text == "-" or line.text.startswith("- "):
            return self.sequence(line.indent, depth)
        if _key_of(line) is not None:
            return self.mapping(line.indent, depth)
        self.take()
        return _inline(line.text, line.number)

    def sequence(self, indent: int, depth: int) -> Value:
        items: list[Value] = []
        while True:
            line = self.peek()
            if line is None or line.indent != indent or not (line.text == "-" or line.text.startswith("- ")):
                break
            rest = line.text[1:].lstrip(" ")
            if not rest or rest.startswith("#"):
                self.take()
                items.append(self.block(indent + 1, depth + 1))
            elif _BLOCK.fullmatch(rest):
                self.take()
                items.append(self.block_scalar(indent, folded=rest[0] == ">"))
            else:
                inner = line.indent + len(line.text) - len(rest)
                self.pending = _Line(line.number, inner, rest)
                items.append(self.block(inner, depth + 1))
        self.require_end(indent)
        return items

    def mapping(self, indent: int, depth: int) -> Value:
        members: dict[str, Value] = {}
        while True:
            line = self.peek()
            if line is None or line.indent != indent:
                break
            found = _key_of(line)
            if found is None:
                raise _bad(line.number, "is no key with a value")
            key, rest = found
            if key in members:
                raise _bad(line.number, f"repeats the key {key[:60]!r}")
            self.take()
            members[key] = self.value(rest, line, depth)
        self.require_end(indent)
        return members

    def value(self, rest: str, line: _Line, depth: int) -> Value:
        if _BLOCK.fullmatch(rest):
            return self.block_scalar(line.indent, folded=rest[0] == ">")
        if rest and not rest.startswith("#"):
            return _inline(rest, line.number)
        after = self.peek()
        if after is not None and after.indent == line.indent and (after.text == "-" or after.text.startswith("- ")):
            return self.sequence(line.indent, depth + 1)
        return self.block(line.indent + 1, depth + 1)

    def block_scalar(self, indent: int, *, folded: bool) -> str:
        """The lines that are indented deeper than `indent`, as they stand; how they end does not matter here."""
        lines: list[str] = []
        inner = None
        while self.at < len(self.raw):
            line = self.raw[self.at]
            width = len(line) - len(line.lstrip(" "))
            if line.strip(" "):
                if width <= indent:
                    break
                if inner is None:
                    inner = width
                if width < inner:
                    raise _bad(self.at + 1, "is indented less than the text that it belongs to")
            elif inner is None and width > indent:
                raise _bad(self.at + 1, "is a blank line with blanks before a text")
            lines.append(line.strip(" "))
            self.at += 1
        return (" " if folded else "\n").join(lines).strip()

    def require_end(self, indent: int) -> None:
        line = self.peek()
        if line is not None and line.indent > indent:
            raise _bad(line.number, "is indented deeper than what it could belong to")


def _key_of(line: _Line) -> tuple[str, str] | None:
    """Key and rest of a line that begins a mapping."""
    text = line.text
    if text[0] in "'\"":
        key, end = _quoted(text, 0, line.number)
        if text[end : end + 1] != ":" or text[end + 1 : end + 2] not in ("", " "):
            return None
        return key, text[end + 1 :].lstrip(" ")
    match = _KEY.match(text)
    return None if match is None else (match[1], text[match.end() :].lstrip(" "))


def _inline(text: str, number: int) -> Value:
    """A value that ends in its line, with perhaps a comment behind it."""
    if text[0] in "[{":
        value, end = _flow(text, 0, number, 0)
    elif text[0] in "'\"":
        value, end = _quoted(text, 0, number)
    else:
        return _plain(re.split(r" +#", text, maxsplit=1)[0].rstrip(" "), number)
    rest = text[end:]
    if rest.strip(" ") and not rest.lstrip(" ").startswith("#"):
        raise _bad(number, "goes on behind its value")
    return value


def _plain(text: str, number: int) -> str:
    if not text or text[0] in _FORBIDDEN_FIRST or text[0] in "[{'\"" or text.startswith(("- ", ": ")) or text == "-":
        raise _bad(number, f"has a value that is not read here: {text[:40]!r}")
    if ": " in text or text.endswith(":") or " #" in text:
        raise _bad(number, "has a second key, or a comment inside brackets")
    return text


def _quoted(text: str, at: int, number: int) -> tuple[str, int]:
    """A quoted scalar at `at`, and where it ends."""
    if text[at] == "'":
        match = re.compile(r"'((?:[^']|'')*)'").match(text, at)
        if match is None:
            raise _bad(number, "leaves a quote open")
        return match[1].replace("''", "'"), match.end()
    match = re.compile(r'"(?:[^"\\]|\\.)*"').match(text, at)
    if match is None:
        raise _bad(number, "leaves a quote open")
    try:
        return str(json.loads(match[0])), match.end()
    except ValueError as error:
        raise _bad(number, "has an escape that is not read here") from error


def _flow(text: str, at: int, number: int, depth: int) -> tuple[Value, int]:
    """A flow collection or scalar at `at`, and where it ends."""
    if depth > MAX_DEPTH or at >= len(text):
        raise _bad(number, "leaves a bracket open")
    if text[at] in "'\"":
        return _quoted(text, at, number)
    if text[at] == "[":
        return _flow_items(text, at + 1, number, depth)
    if text[at] == "{":
        return _flow_members(text, at + 1, number, depth)
    end = at
    while end < len(text) and text[end] not in ",[]{}":
        end += 1
    return _plain(text[at:end].strip(" "), number), end


def _flow_items(text: str, at: int, number: int, depth: int) -> tuple[Value, int]:
    items: list[Value] = []
    at = _blank(text, at)
    while text[at : at + 1] != "]":
        item, at = _flow(text, at, number, depth + 1)
        items.append(item)
        at = _separator(text, at, number, "]")
    return items, at + 1


def _flow_members(text: str, at: int, number: int, depth: int) -> tuple[Value, int]:
    members: dict[str, Value] = {}
    at = _blank(text, at)
    while text[at : at + 1] != "}":
        found = _key_of(_Line(number, 0, text[at:])) if text[at : at + 1] else None
        if found is None:
            raise _bad(number, "has no key where one is due")
        key, rest = found
        if key in members or not rest:
            raise _bad(number, "has a key without a value, or one twice")
        members[key], at = _flow(text, len(text) - len(rest), number, depth + 1)
        at = _separator(text, at, number, "}")
    return members, at + 1


def _separator(text: str, at: int, number: int, closing: str) -> int:
    at = _blank(text, at)
    if text[at : at + 1] == ",":
        return _blank(text, at + 1)
    if text[at : at + 1] != closing:
        raise _bad(number, "leaves a bracket open")
    return at


def _blank(text: str, at: int) -> int:
    while text[at : at + 1] == " ":
        at += 1
    return at


def _bad(number: int, what: str) -> BadInputError:
    return BadInputError(f"line {number} {what}", code="bad-yaml", where=f"line {number}")
