import pytest

from near_tee_cli.state.nibbles import DIGITS, LOW_MASKS, common_prefix, encode_path


@pytest.mark.parametrize(
    ("path", "is_leaf", "encoded"),
    [
        # nearcore: core/store/src/trie/nibble_slice.rs
        ("012345", False, "00012345"),
        ("012345", True, "20012345"),
        ("12345", False, "112345"),
        ("12345", True, "312345"),
        ("74657374", True, "2074657374"),
        ("", True, "20"),
        ("f", False, "1f"),
    ],
)
def test_encode_path(path, is_leaf, encoded):
    assert encode_path(path, is_leaf=is_leaf).hex() == encoded


@pytest.mark.parametrize(
    ("left", "right", "shared"), [("", "", 0), ("", "1", 0), ("12", "12", 2), ("123", "12", 2), ("12", "02", 0)]
)
def test_common_prefix(left, right, shared):
    assert common_prefix(left, right) == common_prefix(right, left) == shared


def test_low_masks_are_the_bits_below_a_digit():
    assert [LOW_MASKS[f"{nibble:x}"] for nibble in range(16)] == [2**nibble - 1 for nibble in range(16)]
    assert all(LOW_MASKS[digit] == low for low, digit in DIGITS.items())
