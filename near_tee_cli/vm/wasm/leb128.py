"""LEB128: the variable-length integers of WebAssembly, always written in their shortest form.

Reading follows the decoder of the chain: unsigned integers of 32 bits take at most five bytes, and bits that do
not fit the type are an error rather than ignored.
"""

from collections.abc import Sequence


def unsigned(value: int) -> bytes:
    """The shortest encoding of a non-negative integer."""
    if value < 0x80:
        return bytes((value,))
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def signed(value: int) -> bytes:
    """The shortest encoding of an integer of either sign."""
    out = bytearray()
    while not -0x40 <= value < 0x40:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value & 0x7F)
    return bytes(out)


def unsigned_length(value: int) -> int:
    """The number of bytes of `unsigned(value)`."""
    return (value.bit_length() + 6) // 7 or 1


def signed_length(value: int) -> int:
    """The number of bytes of `signed(value)`."""
    return ((value if value >= 0 else ~value).bit_length() + 7) // 7


def read_unsigned(data: Sequence[int], position: int) -> tuple[int, int]:
    """The unsigned integer at `position` and the position after it; the encoding is known to be well formed."""
    result = shift = 0
    while True:
        byte = data[position]
        position += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, position
        shift += 7


def read_signed(data: Sequence[int], position: int) -> tuple[int, int]:
    """The signed integer at `position` and the position after it; the encoding is known to be well formed."""
    result = shift = 0
    while True:
        byte = data[position]
        position += 1
        result |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return (result - (1 << shift) if byte & 0x40 else result), position


def skip(data: Sequence[int], position: int) -> int:
    """The position after the integer at `position`; the encoding is known to be well formed."""
    while data[position] >= 0x80:
        position += 1
    return position + 1
