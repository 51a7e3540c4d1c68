"""JSON as Rust's `serde_json` reads and writes it: what contracts do with values that programs print.

Unlike our own strict JSON this has numbers with fractions, takes the last of two equal keys, and sorts members by name.
Whole numbers beyond 64 bits become floats; floats are written with the fewest digits that give them back.

Follows serde_json 1.0 (without its optional features) and the float form of ryu 1.0.
"""

import json
import math
from decimal import Decimal

from near_tee_cli.errors import BadInputError

_LEAST_INTEGER = -(2**63)
_MOST_INTEGER = 2**64 - 1
_MAX_DEPTH = 127
_DIGITS_THAT_FIT = 20


class Fields(dict[str, object]):
    """An object whose members are written in their own order, as a Rust structure's are."""


def loads(data: bytes) -> object:
    """The value in `data`. Raises `BadInputError` (`bad-json`) with what is wrong."""
    try:
        text = data.decode("utf-8")
        value: object = json.loads(text, parse_int=_integer, parse_float=_float, parse_constant=_no_constant)
        if _depth(value) > _MAX_DEPTH:
            raise BadInputError("it nests too deep", code="bad-json")
        dumps(value).encode("utf-8")
    except UnicodeError as error:
        raise BadInputError("it is not UTF-8", code="bad-json") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        raise BadInputError(f"{error.msg} at {place}", code="bad-json", where=place) from error
    except RecursionError as error:
        raise BadInputError("it nests too deep", code="bad-json") from error
    return value


def dumps(value: object) -> str:
    """The text of `value`, without blanks."""
    if value is None or isinstance(value, bool | str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return float_text(value)
    if isinstance(value, Fields):
        return _object(value)
    if isinstance(value, dict):
        return _object({key: value[key] for key in sorted(value, key=str.encode)})
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(dumps, value)) + "]"
    raise BadInputError(f"{type(value).__name__} is no JSON", code="bad-json")


def _object(members: dict[str, object]) -> str:
    return "{" + ",".join(f"{dumps(key)}:{dumps(item)}" for key, item in members.items()) + "}"


def float_text(value: float) -> str:
    """A finite float in the fewest digits, with a point or an exponent."""
    sign = "-" if math.copysign(1.0, value) < 0 else ""
    if value == 0:
        return sign + "0.0"
    _, raw, exponent = Decimal(repr(abs(value))).as_tuple()
    digits = "".join(map(str, raw))
    power = int(exponent)
    stripped = digits.rstrip("0")
    power += len(digits) - len(stripped)
    point = len(stripped) + power
    if power >= 0 and point <= 16:
        return f"{sign}{stripped}{'0' * power}.0"
    if 0 < point <= 16:
        return f"{sign}{stripped[:point]}.{stripped[point:]}"
    if -5 < point <= 0:
        return f"{sign}0.{'0' * -point}{stripped}"
    fraction = f".{stripped[1:]}" if len(stripped) > 1 else ""
    return f"{sign}{stripped[0]}{fraction}e{point - 1}"


def _integer(text: str) -> int | float:
    if len(text) <= _DIGITS_THAT_FIT and text != "-0":
        value = int(text)
        if _LEAST_INTEGER <= value <= _MOST_INTEGER:
            return value
    return _float(text)


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise BadInputError("a number is out of range", code="bad-json")
    return value


def _no_constant(text: str) -> object:
    raise BadInputError(f"{text} is no JSON", code="bad-json")


def _depth(value: object) -> int:
    depth = 0
    level = [value]
    while level:
        inside: list[object] = []
        for item in level:
            if isinstance(item, dict):
                inside.extend(item.values())
            elif isinstance(item, list):
                inside.extend(item)
        if any(isinstance(item, dict | list) for item in level):
            depth += 1
        level = inside
    return depth
