"""Nibble paths and their hex-prefix encoding.

A path is a string of lower-case hexadecimal digits, one per nibble: `key.hex()` is the path of a key, and
slices and comparisons of paths run at the speed of strings. In a node a path is packed behind a flag byte:
`20` for a leaf, `00` for an extension, plus `10` and the first nibble when the number of nibbles is odd.

Mirrors nearcore: core/store/src/trie/nibble_slice.rs
"""

LOW_MASKS = {digit: (1 << value) - 1 for value, digit in enumerate("0123456789abcdef")}
"""Digit -> the bits below its own in a branch's bitmask of children; its own bit is that plus one."""

DIGITS = {low: digit for digit, low in LOW_MASKS.items()}
"""The inverse of `LOW_MASKS`."""


def encode_path(path: str, *, is_leaf: bool) -> bytes:
    """The hex-prefix bytes of `path`: 1 + len(path) // 2 of them."""
    if len(path) & 1:
        return bytes.fromhex(("3" if is_leaf else "1") + path)
    return bytes.fromhex(("20" if is_leaf else "00") + path)


def common_prefix(left: str, right: str) -> int:
    """How many nibbles two paths share from their beginning."""
    shared = 0
    for a, b in zip(left, right, strict=False):
        if a != b:
            break
        shared += 1
    return shared
