"""Manifests: lists of things to prove, as TOML, JSON or JSON Lines.

An item says what a line of `prove` says, each flag under its long name: `{"contract": "a.wasm", "method": "set",
"args": {"a": 1}, "block_height": 5}`. What is meant for all items stands once, under `defaults`. Everything is read
strictly: an unknown name is refused where the line itself would refuse it.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.primitives import toml

MAX_MANIFEST_BYTES = 64 << 20
MAX_ITEMS = 1_000_000
VERSION = 1

_POSITIONS = ("contract", "method")
_JSON_VALUES = ("args",)


class Item(NamedTuple):
    """One thing to prove."""

    name: str
    words: tuple[str, ...]
    """The words of its line of `prove`."""


def parse_manifest(data: bytes, what: str) -> list[Item]:
    """The items of a manifest. Raises `BadInputError` (`bad-manifest`) with the place."""
    if len(data) > MAX_MANIFEST_BYTES:
        raise BadInputError(f"{what} has more than {MAX_MANIFEST_BYTES} bytes", code="too-large")
    try:
        defaults, items = _read(data, what)
        if len(items) > MAX_ITEMS:
            raise BadInputError(f"{what} has more than {MAX_ITEMS} items")
        found = [_item({**defaults, **item}, f"item {number}", number) for number, item in enumerate(items, 1)]
    except BadInputError as error:
        raise BadInputError(error.message, code="bad-manifest", where=error.where) from error
    names = [item.name for item in found]
    if len(set(names)) != len(names):
        doubled = next(name for position, name in enumerate(names) if name in names[:position])
        raise BadInputError(f"{what}: two items are called {doubled[:80]!r}", code="bad-manifest")
    if not found:
        raise BadInputError(f"{what} names nothing to prove", code="bad-manifest")
    return found


def _read(data: bytes, what: str) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]]:
    """Defaults and items, from whichever form: what begins like JSON is JSON, or one JSON document in each line."""
    head = data.lstrip()[:1]
    if head == b"{" and _is_lines(data):
        return {}, [_object(cj.loads(line, what), f"{what} line {number}") for number, line in _lines(data)]
    if head == b"{" or (head == b"[" and data.lstrip()[1:].lstrip()[:1] in (b"{", b"]", b"")):
        value = cj.loads(data, what)
        if isinstance(value, list):
            return {}, [_object(item, f"item {number}") for number, item in enumerate(value, 1)]
        if isinstance(value, dict) and "items" not in value:
            return {}, [value]
        document = _object(value, what)
    else:
        document = toml.loads(data, what, code="bad-manifest")
    _only(document, ("version", "defaults", "items"), what)
    if document.get("version", VERSION) != VERSION:
        raise BadInputError(f"{what}: version must be {VERSION}", where="version")
    items = document.get("items")
    if not isinstance(items, list):
        raise BadInputError(f"{what} has no list of items", where="items")
    defaults = _object(document.get("defaults", {}), "defaults")
    return defaults, [_object(item, f"item {number}") for number, item in enumerate(items, 1)]


def _is_lines(data: bytes) -> bool:
    """Whether what begins like an object is several of them: the first line is one already, and more follows."""
    first, _, rest = data.strip().partition(b"\n")
    if not rest.strip():
        return False
    try:
        return isinstance(cj.loads(first, "the first line"), dict)
    except BadInputError:
        return False


def _lines(data: bytes) -> list[tuple[int, bytes]]:
    return [(number, line) for number, line in enumerate(data.splitlines(), 1) if line.strip()]


def _object(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BadInputError(f"{where} is no object", where=where)
    return value


def _only(document: Mapping[str, Any], names: tuple[str, ...], where: str) -> None:
    for name in document:
        if name not in names:
            raise BadInputError(f"{where}: {name[:60]!r} says nothing; known are {', '.join(names)}", where=name[:60])


def _item(members: Mapping[str, Any], where: str, number: int) -> Item:
    name = members.get("name", f"item-{number}")
    if not isinstance(name, str) or not is_plain(name):
        raise BadInputError(f"{where}: a name has letters, digits, dots, dashes and underscores", where=f"{where}.name")
    words = [_text(members[member], f"{where}.{member}") for member in _POSITIONS if member in members]
    flags: list[str] = []
    for member, value in members.items():
        if member not in ("name", *_POSITIONS):
            flags += _words(member, value, f"{where}.{member[:60]}")
    for word in words:
        if word.startswith("-") and word != "-":
            raise BadInputError(f"{where}: {word[:60]!r} looks like a flag", where=where)
    return Item(name, (*words, *flags))


def is_plain(name: str) -> bool:
    """Whether an item may have this name, under which its bundle lies."""
    body = name.replace("-", "").replace("_", "").replace(".", "")
    return bool(body) and body.isascii() and body.isalnum() and not name.startswith((".", "-")) and len(name) <= 100


def _words(member: str, value: Any, where: str) -> list[str]:
    """The words of a flag: nothing for false, the flag alone for true, and once for each value of a list."""
    if len(member) > 60 or not member.replace("_", "").replace("-", "").isalnum():
        raise BadInputError(f"{where}: no flag has such a name", where=where)
    flag = "--" + member.replace("_", "-")
    if isinstance(value, bool):
        return [flag] if value else []
    if member in _JSON_VALUES and not isinstance(value, str):
        return [f"{flag}={cj.dumps(value).decode().strip()}"]
    values = value if isinstance(value, list) else [value]
    return [f"{flag}={_text(one, where)}" for one in values]


def _text(value: Any, where: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadInputError(f"{where} is neither text nor a number", where=where)
    return str(value)
