"""Values on the command line: what is accepted, what is refused, and what it means."""

import hashlib

import pytest

from near_tee_cli.cli import units
from near_tee_cli.errors import UsageError

LIMIT = 1_000 * 10**12


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("100 Tgas", 100 * 10**12),
        ("100Tgas", 100 * 10**12),
        ("100 tGAS", 100 * 10**12),
        ("1.5 TeraGas", 1_500_000_000_000),
        ("30 Ggas", 30 * 10**9),
        ("2 gigagas", 2 * 10**9),
        ("7 gas", 7),
        ("0", 0),
        ("max", LIMIT),
        ("MAX", LIMIT),
        ("300000000000000", 300 * 10**12),
        ("0.000000000001 Tgas", 1),
    ],
)
def test_gas(text, expected):
    assert units.gas(text, "--gas", limit=LIMIT) == expected


@pytest.mark.parametrize(
    "text", ["", "100", "Tgas", "-1 Tgas", "+1 Tgas", "1e3 Tgas", "1_000 Tgas", "1. Tgas", ".5 Tgas", "1.2.3 Tgas",
             "1 NEAR", "0.5 gas", "٣ Tgas", "99999999 Tgas", "9" * 60 + " gas"],
)  # fmt: skip
def test_gas_refused(text):
    with pytest.raises(UsageError) as raised:
        units.gas(text, "--gas", limit=LIMIT)
    assert raised.value.where == "--gas"


def test_gas_without_unit_gets_a_hint():
    with pytest.raises(UsageError) as raised:
        units.gas("100", "--gas", limit=LIMIT)
    assert raised.value.hint == "write '100 Tgas' or '100 gas'"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 NEAR", 10**24),
        ("1N", 10**24),
        ("0.5 near", 5 * 10**23),
        ("1 yoctoNEAR", 1),
        ("12yN", 12),
        ("3 yNEAR", 3),
        ("0", 0),
        ("0.000000000000000000000001 NEAR", 1),
        ("340282366920938463463374607431768211455 yN", 2**128 - 1),
    ],
)
def test_near(text, expected):
    assert units.near(text, "--deposit") == expected


@pytest.mark.parametrize(
    "text", ["1", "1 USD", "-1 NEAR", "0.1 yN", "340282366920938463463374607431768211456 yN", "1,5 NEAR", "NEAR",
             "0.0000000000000000000000001 NEAR"],
)  # fmt: skip
def test_near_refused(text):
    with pytest.raises(UsageError):
        units.near(text, "--deposit")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("123", 123),
        ("18446744073709551615", 2**64 - 1),
        ("1970-01-01T00:00:01Z", 10**9),
        ("1970-01-01T01:00:00.000000001+01:00", 1),
        ("2026-01-31T12:00:00.5Z", 1_769_860_800_500_000_000),
        ("2026-01-31T12:00:00.123456789Z", 1_769_860_800_123_456_789),
    ],
)
def test_timestamp(text, expected):
    assert units.timestamp(text, "--block-timestamp") == expected


@pytest.mark.parametrize(
    "text",
    ["", "now", "2026-01-31", "2026-01-31T12:00:00", "1969-12-31T23:59:59Z", "2026-01-31T12:00:00.Z",
     "18446744073709551616", "2026-01-31T12:00:00.1234567890Z", "9999-01-01T00:00:00Z"],
)  # fmt: skip
def test_timestamp_refused(text):
    with pytest.raises(UsageError):
        units.timestamp(text, "--block-timestamp")


def test_seed_forms():
    as_hex = "0123456789abcdef" * 4
    assert units.seed(as_hex, "--seed") == bytes.fromhex(as_hex)
    assert units.seed("0x" + as_hex, "--seed") == bytes.fromhex(as_hex)
    assert units.seed("1" * 32, "--seed") == bytes(32)
    expanded = hashlib.sha256(b"near-tee/seed/v1\0" + (7).to_bytes(8, "little")).digest()
    assert units.seed("7", "--seed") == expanded
    assert units.seed("007", "--seed") == expanded


@pytest.mark.parametrize("text", ["", "-1", "18446744073709551616", "xyz", "0" * 63 + "g", "1" * 33])
def test_seed_refused(text):
    with pytest.raises(UsageError):
        units.seed(text, "--seed")


def test_stake():
    assert units.stake("v1.near=5", "--validators") == ("v1.near", 5)
    assert units.stake("v1.near=5 NEAR", "--validators") == ("v1.near", 5 * 10**24)
    for text in ("v1.near", "V1=5", "v1.near=-5"):
        with pytest.raises(UsageError):
            units.stake(text, "--validators")


def test_amounts_for_people():
    assert units.shown_gas(0) == "0 gas"
    assert units.shown_gas(999_999_999) == "999999999 gas"
    assert units.shown_gas(1_234_567_890) == "1.235 Ggas"
    assert units.shown_gas(100 * 10**12) == "100 Tgas"
    assert units.shown_near(1) == "1 yoctoNEAR"
    assert units.shown_near(15 * 10**23) == "1.5 NEAR"
    assert units.shown_near(1000 * 10**24) == "1,000 NEAR"
