"""Bounded integers: the widths NEAR uses and the arithmetic that says what overflow does.

Python's integers have no bound, so a value is plain `int` inside and is checked where it enters and where
a rule of the protocol names an overflow.
"""

from near_tee_cli.errors import BadInputError

U8_MAX = 2**8 - 1
U16_MAX = 2**16 - 1
U32_MAX = 2**32 - 1
U64_MAX = 2**64 - 1
U128_MAX = 2**128 - 1

_MAX_DECIMAL_DIGITS = 39
"""Digits of the largest u128; longer text is refused before Python parses it."""


def saturating_sub(left: int, right: int) -> int:
    """`left - right`, or zero when that is negative."""
    return left - right if left > right else 0


def saturating_add(left: int, right: int, *, bound: int) -> int:
    """`left + right`, or `bound` when that is exceeded."""
    return min(left + right, bound)


def checked(value: int, *, bound: int, what: str) -> int:
    """`value` itself when it lies in `0..=bound`. Raises `BadInputError` naming `what` otherwise."""
    if 0 <= value <= bound:
        return value
    raise BadInputError(f"{what} is {value}, outside 0 to {bound}")


def from_decimal(text: str, *, bound: int, what: str) -> int:
    """The number that `text` writes in plain decimal digits: no sign, no blanks, no underscores.

    Leading zeros are accepted, as nearcore accepts them. Raises `BadInputError` naming `what` for anything else
    and for a number above `bound`.
    """
    digits = text.lstrip("0") or text[-1:]
    if not (text.isascii() and text.isdigit()) or len(digits) > _MAX_DECIMAL_DIGITS:
        shown = text if len(text) <= _MAX_DECIMAL_DIGITS else text[:_MAX_DECIMAL_DIGITS] + "..."
        raise BadInputError(f"{what} is {shown!r}, not a decimal number of at most {_MAX_DECIMAL_DIGITS} digits")
    return checked(int(digits), bound=bound, what=what)
