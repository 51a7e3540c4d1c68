"""What a value on the command line may look like: gas, NEAR, times, seeds, hashes, stakes.

Numbers are written in plain decimal digits. Amounts carry a unit, since a bare number means something different in
each of NEAR's tools. Every reader takes the text and the flag it stands at, and raises `UsageError` that names
both.
"""

from near_tee_cli.errors import BadInputError, UsageError
from near_tee_cli.primitives import base58, hashes
from near_tee_cli.primitives.account_id import require_valid
from near_tee_cli.primitives.integers import U64_MAX, U128_MAX

GAS_UNITS = {"gas": 0, "ggas": 9, "gigagas": 9, "tgas": 12, "teragas": 12}
"""Unit (lower case) -> decimal exponent of gas."""
NEAR_UNITS = {"near": 24, "n": 24, "yoctonear": 0, "ynear": 0, "yn": 0}
"""Unit (lower case) -> decimal exponent of yoctoNEAR."""
UNAMBIGUOUS_GAS = 10**9
"""A bare number from here on can only be meant in gas."""
SEED_DOMAIN = b"near-tee/seed/v1\0"
"""Stands before the eight little-endian bytes of an integer seed; SHA-256 of both is the seed."""

_NANOSECONDS = 1_000_000_000


def number(text: str, flag: str, *, bound: int = U64_MAX) -> int:
    """A plain decimal number from 0 to `bound`."""
    if not (text.isascii() and text.isdigit()) or len(text) > 40:
        raise UsageError(f"{flag} takes a number in decimal digits, not {text[:60]!r}", where=flag)
    value = int(text)
    if value > bound:
        raise UsageError(f"{flag} is {value}, above {bound}", where=flag)
    return value


def seconds(text: str, flag: str, *, bound: int = 86_400) -> float:
    """Seconds above zero, as in 30 or 0.5."""
    whole, point, fraction = text.partition(".")
    digits = whole + fraction
    if not (digits.isascii() and digits.isdigit() and whole and bool(fraction) == bool(point)) or len(text) > 20:
        raise UsageError(f"{flag} takes seconds, not {text[:60]!r}", where=flag)
    value = float(text)
    if not 0 < value <= bound:
        raise UsageError(f"{flag} is {text}, not from above 0 to {bound}", where=flag)
    return value


def gas(text: str, flag: str, *, limit: int) -> int:
    """Gas: `100 Tgas`, `30ggas`, `1.5 TeraGas`, `5000000 gas`, or `max` for `limit`.

    A bare number is taken as gas when it is far too large to be meant in Tgas.
    """
    if text.strip().lower() == "max":
        return limit
    digits, unit = _split(text)
    if not unit and digits.isdigit():
        value = number(digits, flag)
        if value == 0 or value >= UNAMBIGUOUS_GAS:
            return value
        raise UsageError(
            f"{flag} {digits[:40]} has no unit", where=flag, hint=f"write '{digits[:40]} Tgas' or '{digits[:40]} gas'"
        )
    return _amount(text, flag, digits=digits, unit=unit, units=GAS_UNITS, bound=U64_MAX, example="100 Tgas")


def near(text: str, flag: str) -> int:
    """yoctoNEAR: `1 NEAR`, `0.5N`, `1 yoctoNEAR`, `1yN`. Bare numbers are refused, except zero."""
    digits, unit = _split(text)
    if not unit and digits.isdigit():
        if not digits.strip("0"):
            return 0
        hint = f"write '{digits[:40]} NEAR' or '{digits[:40]} yoctoNEAR'"
        raise UsageError(f"{flag} {digits[:40]} has no unit", where=flag, hint=hint)
    return _amount(text, flag, digits=digits, unit=unit, units=NEAR_UNITS, bound=U128_MAX, example="1 NEAR")


def _split(text: str) -> tuple[str, str]:
    """The leading digits (with a point) and the rest, without blanks."""
    stripped = text.strip()
    end = 0
    while end < len(stripped) and stripped[end] in "0123456789.":
        end += 1
    return stripped[:end], stripped[end:].strip()


def _amount(text: str, flag: str, *, digits: str, unit: str, units: dict[str, int], bound: int, example: str) -> int:
    exponent = units.get(unit.lower())
    whole, point, fraction = digits.partition(".")
    if exponent is None or not (whole + fraction).isdigit() or (point and not (whole and fraction)):
        raise UsageError(f"{flag} cannot be {text[:60]!r}", where=flag, hint=f"write it like '{example}'")
    significant = fraction.rstrip("0")
    if len(significant) > exponent:
        raise UsageError(f"{flag} {text[:60]!r} is no whole number of the smallest unit", where=flag)
    if len(whole) > 40:
        raise UsageError(f"{flag} is too large", where=flag)
    value: int = int(whole) * 10**exponent + int(significant.ljust(exponent, "0") or "0")
    if value > bound:
        raise UsageError(f"{flag} is {value}, above {bound}", where=flag)
    return value


def timestamp(text: str, flag: str) -> int:
    """Nanoseconds since 1970: as a number, or as RFC 3339 (`2026-01-31T12:00:00.5Z`)."""
    if text.isascii() and text.isdigit():
        return number(text, flag)
    from datetime import UTC, datetime

    head, point, rest = text.partition(".")
    fraction = rest[: len(rest) - len(rest.lstrip("0123456789"))] if point else ""
    zone = rest[len(fraction) :] if point else ""
    if point and not 1 <= len(fraction) <= 9:
        raise UsageError(f"{flag} takes one to nine digits after the second, not {text[:60]!r}", where=flag)
    try:
        moment = datetime.fromisoformat(head + zone)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or "T" not in head.upper().replace(" ", "T"):
        raise UsageError(
            f"{flag} takes nanoseconds since 1970 or RFC 3339 with a zone, not {text[:60]!r}",
            where=flag,
            hint="for example 2026-01-31T12:00:00Z",
        )
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    value = (since.days * 86_400 + since.seconds) * _NANOSECONDS + int(fraction.ljust(9, "0") or "0")
    if not 0 <= value <= U64_MAX:
        raise UsageError(f"{flag} {text[:60]!r} is outside the range of a block timestamp", where=flag)
    return value


def seed(text: str, flag: str) -> bytes:
    """32 bytes: 64 hexadecimal digits (`0x` allowed), base58, or an integer below 2^64 that is expanded.

    An integer becomes SHA-256 of `SEED_DOMAIN` and its eight little-endian bytes.
    """
    if len(text) <= 20 and text.isascii() and text.isdigit():
        value = number(text, flag)
        return hashes.sha256(SEED_DOMAIN + value.to_bytes(8, "little"))
    digits = text.removeprefix("0x")
    if len(digits) == 64:
        try:
            return bytes.fromhex(digits)
        except ValueError:
            pass
    return hash32(text, flag, what="64 hexadecimal digits, base58 of 32 bytes, or an integer below 2^64")


def hash32(text: str, flag: str, *, what: str = "base58 of 32 bytes") -> bytes:
    """A hash in base58."""
    if len(text) <= 50:
        try:
            return base58.decode(text, 32)
        except BadInputError as error:
            raise UsageError(f"{flag} takes {what}: {error.message}", where=flag) from error
    raise UsageError(f"{flag} takes {what}, not {text[:60]!r}", where=flag)


def account(text: str, flag: str) -> str:
    """An account id."""
    try:
        return require_valid(text)
    except BadInputError as error:
        raise UsageError(f"{flag}: {error.message}", where=flag, hint=error.hint) from error


def stake(text: str, flag: str) -> tuple[str, int]:
    """`ACCOUNT=STAKE`, the stake as an amount of NEAR or as a bare number of yoctoNEAR, as in case files."""
    name, equals, amount = text.partition("=")
    if not equals:
        raise UsageError(f"{flag} takes ACCOUNT=STAKE, not {text[:80]!r}", where=flag)
    bare = amount.isascii() and amount.isdigit()
    return account(name, flag), number(amount, flag, bound=U128_MAX) if bare else near(amount, flag)


def shown_gas(value: int) -> str:
    """Gas for people: Tgas, Ggas or gas, with at most three digits after the point, never rounded to nothing."""
    for size, unit in ((10**12, "Tgas"), (10**9, "Ggas")):
        if value >= size:
            return f"{_rounded(value, size)} {unit}"
    return f"{value} gas"


def shown_near(value: int) -> str:
    """An amount for people: NEAR with at most five digits after the point, or yoctoNEAR when it is tiny."""
    if value == 0:
        return "0 NEAR"
    if value < 10**19:
        return f"{value} yoctoNEAR"
    return f"{_rounded(value, 10**24, digits=5)} NEAR"


def _rounded(value: int, size: int, *, digits: int = 3) -> str:
    scaled = (value * 10**digits + size // 2) // size
    whole, fraction = divmod(scaled, 10**digits)
    text = f"{fraction:0{digits}d}".rstrip("0")
    return f"{whole:,}.{text}" if text else f"{whole:,}"
