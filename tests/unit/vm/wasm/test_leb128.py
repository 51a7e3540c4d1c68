import pytest

from near_tee_cli.vm.wasm import leb128

UNSIGNED = {0: "00", 1: "01", 127: "7f", 128: "8001", 16_383: "ff7f", 16_384: "808001", 2**32 - 1: "ffffffff0f"}
SIGNED = {
    0: "00", -1: "7f", 63: "3f", 64: "c000", -64: "40", -65: "bf7f", 822_756: "e49b32", 26_328_192: "80f9c60c",
    2**31 - 1: "ffffffff07", -(2**31): "8080808078",
    2**63 - 1: "ffffffffffffffffff00", -(2**63): "8080808080808080807f",
}  # fmt: skip


@pytest.mark.parametrize("value", UNSIGNED)
def test_unsigned(value):
    encoded = leb128.unsigned(value)
    assert encoded.hex() == UNSIGNED[value]
    assert leb128.unsigned_length(value) == len(encoded)
    assert leb128.read_unsigned(b"\xff" + encoded, 1) == (value, 1 + len(encoded))
    assert leb128.skip(b"\xff" + encoded + b"\0", 1) == 1 + len(encoded)


@pytest.mark.parametrize("value", SIGNED)
def test_signed(value):
    encoded = leb128.signed(value)
    assert encoded.hex() == SIGNED[value]
    assert leb128.signed_length(value) == len(encoded)
    assert leb128.read_signed(b"\xff" + encoded, 1) == (value, 1 + len(encoded))


@pytest.mark.parametrize("power", range(64))
def test_lengths_around_powers_of_two(power):
    for value in (2**power - 1, 2**power, 2**power + 1):
        assert leb128.unsigned_length(value) == len(leb128.unsigned(value))
        for signed in (value, -value):
            assert leb128.signed_length(signed) == len(leb128.signed(signed))
