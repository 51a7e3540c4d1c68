"""JSON read strictly and written in one way.

Python's reader is lenient where it hurts: of two equal keys it keeps the last, it takes NaN and floats, guesses
UTF-16, lets lone surrogates pass and recurses as deep as the text asks. `loads` refuses each of these before
anything is built from them, bounds size and depth first, and names what it was reading in every error.

The field readers below it take a parsed value and a `where` such as `blocks[3].height`, and give back the typed
value or raise `BadInputError` with that place. Objects are closed: an unknown member is an error, so that a
misspelt optional field never silently means its default.
"""

import gc
import json
from binascii import Error as _BinasciiError
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping, Sequence

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives.integers import U64_MAX, U128_MAX, from_decimal

MAX_BYTES = 256 * 1024 * 1024
"""Bytes of one document unless the caller allows less."""

MAX_DEPTH = 64
"""Arrays and objects inside one another."""

MAX_VALUES = 16_000_000
"""Arrays, objects and items of either: each takes memory beyond its bytes."""

_CHUNK = 1 << 20
_NOT_STRUCTURE = bytes(byte for byte in range(256) if byte not in b"[]{},")
_LARGE = 1 << 20
_SHOWN = 40


def loads(data: bytes, what: str, *, max_bytes: int = MAX_BYTES) -> object:
    """The value of one JSON document in UTF-8: dicts, lists, str, int, bool and None.

    `what` names the document in errors. Raises `BadInputError` with code `too-large`, `too-deep`, `duplicate-key` or
    `bad-json`.
    """
    if len(data) > max_bytes:
        raise BadInputError(f"{what} has {len(data)} bytes, at most {max_bytes} are read", code="too-large")
    structure = _structure(data)
    if structure.count(b",") + structure.count(b"[") + structure.count(b"{") > MAX_VALUES:
        raise BadInputError(f"{what} has more than {MAX_VALUES} values", code="too-large")
    if not _depth_within(structure.translate(None, b","), MAX_DEPTH):
        raise BadInputError(f"{what} nests deeper than {MAX_DEPTH} levels", code="too-deep")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadInputError(f"{what} is not UTF-8 at byte {error.start}", code="bad-json") from error
    try:
        value = _parse(text)
    except BadInputError as error:
        raise BadInputError(f"{what}: {error.message}", code=error.code) from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        raise BadInputError(f"{what} is not JSON: {error.msg} at {place}", code="bad-json", where=place) from error
    except (ValueError, RecursionError) as error:
        raise BadInputError(f"{what} is not JSON that can be read: {error}", code="bad-json") from error
    if b"\\u" in data and _has_surrogate(value):
        raise BadInputError(f"{what} has half a surrogate pair in a string", code="bad-json")
    return value


def _parse(text: str) -> object:
    """`json.loads` with every leniency off.

    What a document consists of is acyclic, so the collector only costs time while a large one is built.
    """
    paused = len(text) > _LARGE and gc.isenabled()
    if paused:
        gc.disable()
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_float=_refuse_float, parse_constant=_refuse_constant)
    finally:
        if paused:
            gc.enable()


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise BadInputError(f"key {shown(key)} appears twice in one object", code="duplicate-key")
            seen.add(key)
    return members


def _refuse_float(text: str) -> object:
    raise BadInputError(f"{text[:_SHOWN]} is no integer", code="bad-json")


def _refuse_constant(text: str) -> object:
    raise BadInputError(f"{text} is no JSON", code="bad-json")


def _structure(data: bytes) -> bytes:
    """The brackets and commas of a document that stand outside strings, found by splitting at quotes."""
    if b"\\" in data:
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    outside: list[bytes] = []
    inside = 0
    for start in range(0, len(data), _CHUNK):
        parts = data[start : start + _CHUNK].split(b'"')
        outside.append(b"".join(parts[inside::2]).translate(None, _NOT_STRUCTURE))
        inside ^= (len(parts) - 1) & 1
    return b"".join(outside)


def _depth_within(brackets: bytes, limit: int) -> bool:
    """Whether `brackets` nest at most `limit` deep (and close).

    Each round of replacing removes the innermost level of all that is left: everything runs in C, nothing recurses.
    """
    for level in range(limit):
        before = len(brackets)
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
        if len(brackets) == before:
            # What never closes is left to the parser, which says where, unless it could recurse too deep first.
            return level + before <= limit
    return not brackets


def _has_surrogate(value: object) -> bool:
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            if not item.isascii() and any("\ud800" <= character <= "\udfff" for character in item):
                return True
        elif isinstance(item, dict):
            pending.extend(item)
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
    return False


def dumps(value: object, *, indent: int | None = None) -> bytes:
    """The one text of `value`: members sorted by name, no blanks (or `indent`), UTF-8, a newline at the end."""
    separators = (",", ":") if indent is None else (",", ": ")
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, indent=indent, separators=separators)
    return text.encode("utf-8") + b"\n"


def shown(value: object) -> str:
    """A short, printable form of any parsed value, for messages."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    text = value if isinstance(value, str) else str(value) if isinstance(value, int) else type(value).__name__
    text = text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
    return repr(text) if isinstance(value, str) else text


def _expected(what: str, value: object, where: str) -> BadInputError:
    return BadInputError(f"{where} is {shown(value)}, expected {what}", code="bad-field", where=where)


def members(
    value: object, where: str, *, required: Sequence[str], optional: Sequence[str] = ()
) -> Mapping[str, object]:
    """The members of an object that has every `required` name and no name outside both lists."""
    if not isinstance(value, dict):
        raise _expected("an object", value, where)
    for name in required:
        if name not in value:
            raise BadInputError(f"{where} lacks the member {name}", code="bad-field", where=where)
    if len(value) != len(required):
        for name in value:
            if name not in required and name not in optional:
                raise BadInputError(f"{where} has the unknown member {shown(name)}", code="bad-field", where=where)
    return value


def array(value: object, where: str) -> list[object]:
    """The items of an array."""
    if isinstance(value, list):
        return value
    raise _expected("an array", value, where)


def mapping(value: object, where: str) -> Mapping[str, object]:
    """The members of an object used as a map, whatever their names."""
    if isinstance(value, dict):
        return value
    raise _expected("an object", value, where)


def string(value: object, where: str) -> str:
    """A string."""
    if isinstance(value, str):
        return value
    raise _expected("a string", value, where)


def boolean(value: object, where: str) -> bool:
    """`true` or `false`."""
    if isinstance(value, bool):
        return value
    raise _expected("true or false", value, where)


def integer(value: object, where: str, *, bound: int = U64_MAX) -> int:
    """A whole number written as a JSON number in `0..=bound`."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= bound:
        return value
    raise _expected(f"a whole number from 0 to {bound}", value, where)


def decimal(value: object, where: str, *, bound: int = U128_MAX) -> int:
    """A whole number written as a string of decimal digits in `0..=bound`, as balances are."""
    if isinstance(value, str):
        try:
            return from_decimal(value, bound=bound, what=where)
        except BadInputError as error:
            raise BadInputError(error.message, code="bad-field", where=where) from error
    raise _expected("a string of decimal digits", value, where)


def base64(value: object, where: str) -> bytes:
    """The bytes of a string in standard base64 with padding, in the one spelling that these bytes have."""
    if not isinstance(value, str):
        raise _expected("a base64 string", value, where)
    try:
        data = a2b_base64(value, strict_mode=True)
    except (_BinasciiError, ValueError) as error:
        raise BadInputError(f"{where} is no base64: {error}", code="bad-base64", where=where) from error
    # Only the bits before padding can be spelt in more than one way.
    if value[-1:] == "=" and b2a_base64(data[len(data) - len(data) % 3 :], newline=False).decode() != value[-4:]:
        raise BadInputError(f"{where} is base64 with stray bits at the end", code="bad-base64", where=where)
    return data


def base64_text(data: bytes) -> str:
    """Standard base64 with padding."""
    return b2a_base64(data, newline=False).decode("ascii")
