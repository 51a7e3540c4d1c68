"""Bounds, saturation and decimal text."""

import pytest

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives import integers


def test_saturating_arithmetic() -> None:
    assert integers.saturating_sub(5, 3) == 2
    assert integers.saturating_sub(3, 5) == 0
    assert integers.saturating_add(1, 2, bound=integers.U64_MAX) == 3
    assert integers.saturating_add(integers.U64_MAX, 1, bound=integers.U64_MAX) == integers.U64_MAX


@pytest.mark.parametrize("value", [0, integers.U64_MAX])
def test_bounds_belong_to_the_range(value: int) -> None:
    assert integers.checked(value, bound=integers.U64_MAX, what="gas") == value


@pytest.mark.parametrize("value", [-1, integers.U64_MAX + 1])
def test_outside_the_range(value: int) -> None:
    with pytest.raises(BadInputError, match=f"gas is {value}"):
        integers.checked(value, bound=integers.U64_MAX, what="gas")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("00", 0),
        ("007", 7),
        ("340282366920938463463374607431768211455", integers.U128_MAX),
        ("0" * 50 + "9", 9),
    ],
)
def test_decimal_text(text: str, value: int) -> None:
    assert integers.from_decimal(text, bound=integers.U128_MAX, what="balance") == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "-1",
        "+1",
        "1_000",
        "0x10",
        "1.0",
        "1e3",
        "\u0661",
        "\u00b2",
        "340282366920938463463374607431768211456",
        "9" * 5000,
    ],
)
def test_text_that_is_no_decimal_number_in_range(text: str) -> None:
    with pytest.raises(BadInputError, match="balance is"):
        integers.from_decimal(text, bound=integers.U128_MAX, what="balance")
