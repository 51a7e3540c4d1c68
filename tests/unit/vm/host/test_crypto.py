"""Hashes, signatures and curves: charges, lengths, early ends; the computing itself is tested with the curves.

From nearcore's logic/tests/{miscs,ed25519_verify,p256_verify,bls12381,alt_bn128}.rs.
"""

import pytest

from near_tee_cli.primitives import hashes
from near_tee_cli.vm.failure import HostFailure
from near_tee_cli.vm.outcome import HostError
from tests.support.host_calls import REGISTER, Guest

SIGNATURE = bytes.fromhex(
    "91c1cb1272e30e7521d57942820e190424782e8ee2d707427a70611ef9873da5"
    "ddf9fc17692838461f98ec8d9a7acf144b764f5aa806dd7ad51d7ec4d868bf06"
)
FORGED = SIGNATURE[:63] + b"\xe1"
PUBLIC_KEY = bytes.fromhex("207a067892821e25d770f1fba0c47c11ff4b813e54162ece9eb839e076231ab6")
FORGED_KEY = PUBLIC_KEY[:31] + b"\xe1"
MESSAGE = b"kajdlfkjalkfjaklfjdkladjfkljadsk"


def refused(guest, name, *arguments):
    with pytest.raises(HostFailure) as caught:
        guest.call(name, *arguments)
    return caught.value.error


@pytest.mark.parametrize(
    ("name", "units", "digest"),
    [
        ("sha256", {"sha256_base": 1, "sha256_byte": 7}, hashes.sha256),
        ("keccak256", {"keccak256_base": 1, "keccak256_byte": 7}, hashes.keccak256),
        ("keccak512", {"keccak512_base": 1, "keccak512_byte": 7}, hashes.keccak512),
        ("ripemd160", {"ripemd160_base": 1, "ripemd160_block": 1}, hashes.ripemd160),
    ],
)
def test_hashes(name, units, digest):
    guest = Guest()
    guest.call(name, *guest.put(b"tesdsst"), 0)
    value = digest(b"tesdsst")
    written = {"write_register_base": 1, "write_register_byte": len(value)}
    assert guest.costs() == {**units, **written, "read_memory_base": 1, "read_memory_byte": 7}
    assert guest.logic.registers.values == {0: value}
    guest.register(1, b"tesdsst")
    guest.costs()
    guest.call(name, REGISTER, 1, 2)
    assert guest.costs() == {**units, **written, "read_register_base": 1, "read_register_byte": 7}
    assert guest.logic.registers.values[2] == value


def test_the_hash_of_nearcores_test():
    guest = Guest()
    guest.call("sha256", *guest.put(b"tesdsst"), 0)
    assert guest.logic.registers.values[0].hex() == "12b0739c2d64f184b4864d2a696fc77f76705cff582b53937a371a242a9ca09e"


@pytest.mark.parametrize(("length", "blocks"), [(0, 1), (55, 1), (56, 2), (119, 2), (120, 3)])
def test_blocks_of_ripemd160(length, blocks):
    guest = Guest()
    guest.call("ripemd160", length, 0, 0)
    assert guest.costs()["ripemd160_block"] == blocks


def ed25519(guest, signature, message, key):
    return guest.call("ed25519_verify", *guest.put(signature), *guest.put(message), *guest.put(key))


def paid(*, base, byte, message=None):
    costs = {"ed25519_verify_base": 1, "read_memory_base": base, "read_memory_byte": byte}
    return {**costs, "ed25519_verify_byte": message} if message else costs


@pytest.mark.parametrize(
    ("signature", "message", "key", "result", "costs"),
    [
        (SIGNATURE, MESSAGE, PUBLIC_KEY, 1, paid(base=3, byte=128, message=32)),
        (SIGNATURE, MESSAGE, FORGED_KEY, 0, paid(base=3, byte=128, message=32)),
        (b"\1" * 64, MESSAGE, PUBLIC_KEY, 0, paid(base=3, byte=128, message=32)),
        (FORGED, MESSAGE, PUBLIC_KEY, 0, paid(base=1, byte=64)),
        (FORGED, b"", PUBLIC_KEY, 0, paid(base=1, byte=64)),
        (SIGNATURE, b"", PUBLIC_KEY, 0, paid(base=3, byte=96)),
    ],
)
def test_ed25519(signature, message, key, result, costs):
    guest = Guest()
    assert ed25519(guest, signature, message, key) == result
    assert guest.costs() == costs


@pytest.mark.parametrize(
    ("signature", "key", "text", "costs"),
    [
        (SIGNATURE, PUBLIC_KEY[:-1], "invalid public key length", paid(base=3, byte=127, message=32)),
        (SIGNATURE[:-1], PUBLIC_KEY, "invalid signature length", paid(base=1, byte=63)),
    ],
)
def test_ed25519_lengths(signature, key, text, costs):
    guest = Guest()
    parts = (*guest.put(signature), *guest.put(MESSAGE), *guest.put(key))
    assert refused(guest, "ed25519_verify", *parts) == HostError("Ed25519VerifyInvalidInput", (("msg", text),))
    assert guest.costs() == costs


def test_ed25519_from_registers():
    guest = Guest()
    parts = [guest.register(number, raw) for number, raw in enumerate((SIGNATURE, MESSAGE, PUBLIC_KEY))]
    guest.costs()
    assert guest.call("ed25519_verify", *parts[0], *parts[1], *parts[2]) == 1
    units = {"ed25519_verify_base": 1, "ed25519_verify_byte": 32}
    assert guest.costs() == {**units, "read_register_base": 3, "read_register_byte": 128}


P256_KEY = bytes.fromhex("0360fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6")


def test_p256_ends_early_for_what_is_no_signature():
    guest = Guest()
    parts = (*guest.put(bytes(64)), *guest.put(MESSAGE), *guest.put(P256_KEY))
    assert guest.call("p256_verify", *parts) == 0
    assert guest.costs() == {"p256_verify_base": 1, "read_memory_base": 1, "read_memory_byte": 64}


def test_p256_reads_on_otherwise():
    guest = Guest()
    parts = (*guest.put(b"\1" * 64), *guest.put(MESSAGE), *guest.put(P256_KEY))
    assert guest.call("p256_verify", *parts) == 0
    read = {"read_memory_base": 3, "read_memory_byte": 64 + 32 + 33}
    assert guest.costs() == {"p256_verify_base": 1, "p256_verify_byte": 32, **read}


@pytest.mark.parametrize(
    ("signature", "key", "text"),
    [(b"\1" * 63, P256_KEY, "invalid signature length"), (b"\1" * 64, b"\2" * 32, "invalid public key length")],
)
def test_p256_lengths(signature, key, text):
    guest = Guest()
    parts = (*guest.put(signature), *guest.put(MESSAGE), *guest.put(key))
    assert refused(guest, "p256_verify", *parts) == HostError("P256VerifyInvalidInput", (("msg", text),))


HASH = bytes.fromhex("ce0677bb30baa8cf067c88db9811f4333d131bf8bcf12fe7065d211dce971008")
RECOVERABLE = bytes.fromhex(
    "90f27b8b488db00b00606796d2987f6a5f59ae62ea05effe84fef5b8b0e549984a691139ad57a3f0b906637673aa2f63d1f55cb1a69199d4009eea23ceaddc93"
)


def test_ecrecover():
    guest = Guest()
    message_hash, signature = guest.put(HASH), guest.put(RECOVERABLE)
    assert guest.call("ecrecover", *message_hash, *signature, 1, 1, 7) == 1
    read = {"read_memory_base": 2, "read_memory_byte": 96}
    written = {"write_register_base": 1, "write_register_byte": 64}
    assert guest.costs() == {"ecrecover_base": 1, **read, **written}
    assert guest.logic.registers.values[7].hex() == (
        "e32df42865e97135acfb65f3bae71bdc86f4d49150ad6a440b6f15878109880a"
        "0a2b2667f7e725ceea70c673093bf67663e0312623c8e091b13cf2c0f11ef652"
    )
    assert guest.call("ecrecover", *message_hash, *guest.put(b"\xff" * 64), 0, 0, 8) == 0
    assert guest.costs() == {"ecrecover_base": 1, **read}


@pytest.mark.parametrize(
    ("hash_len", "sig_len", "v", "flag", "text", "reads"),
    [
        (31, 63, 4, 2, "The length of the signature: 63, exceeds the limit of 64 bytes", 1),
        (31, 64, 4, 2, "V recovery byte 0 through 3 are valid but was provided 4", 1),
        (31, 64, 3, 2, "The length of the hash: 31, exceeds the limit of 32 bytes", 2),
        (32, 64, 3, 2, "Malleability flag needs to be 0 or 1, but is instead 2", 2),
    ],
)
def test_ecrecover_checks_in_order(hash_len, sig_len, v, flag, text, reads):
    guest = Guest()
    error = refused(guest, "ecrecover", hash_len, 0, sig_len, 0, v, flag, 0)
    assert error == HostError("ECRecoverError", (("msg", text),))
    assert guest.costs()["read_memory_base"] == reads


BLS = [
    ("bls12381_p1_sum", "p1_sum", 97, 96, "bls12381_p1_sum"),
    ("bls12381_p2_sum", "p2_sum", 193, 192, "bls12381_p2_sum"),
    ("bls12381_g1_multiexp", "g1_multiexp", 128, 96, "bls12381_p1_multiexp"),
    ("bls12381_g2_multiexp", "g2_multiexp", 224, 192, "bls12381_p2_multiexp"),
    ("bls12381_map_fp_to_g1", "map_fp_to_g1", 48, 0, "bls12381_map_fp_to_g1"),
    ("bls12381_map_fp2_to_g2", "map_fp2_to_g2", 96, 0, "bls12381_map_fp2_to_g2"),
    ("bls12381_p1_decompress", "p1_decompress", 48, 0, "bls12381_p1_decompress"),
    ("bls12381_p2_decompress", "p2_decompress", 96, 0, "bls12381_p2_decompress"),
]


@pytest.mark.parametrize(("name", "cost", "item", "empty", "printed"), BLS)
def test_bls12381(name, cost, item, empty, printed):
    guest = Guest(prepaid_gas=10**15)
    assert guest.call(name, 0, 0, 3) == 0
    assert len(guest.logic.registers.values[3]) == empty
    assert guest.costs()[f"bls12381_{cost}_base"] == 1
    guest.put(b"\xff" * 1000)
    assert guest.call(name, 2 * item, 0, 4) == 1
    assert 4 not in guest.logic.registers.values
    expected = {f"bls12381_{cost}_base": 1, f"bls12381_{cost}_element": 2, "read_memory_base": 1}
    assert guest.costs() == {**expected, "read_memory_byte": 2 * item}
    text = f"Incorrect input length for {printed}: {item + 1} is not divisible by {item}"
    assert refused(guest, name, item + 1, 0, 4) == HostError("BLS12381InvalidInput", (("msg", text),))
    assert guest.costs()[f"bls12381_{cost}_element"] == 1


@pytest.mark.parametrize(("name", "cost", "item", "_empty", "_printed"), BLS)
def test_bls12381_counts_items_by_the_length_that_was_passed(name, cost, item, _empty, _printed):
    guest = Guest(prepaid_gas=10**15)
    guest.register(1, bytes(item))
    guest.costs()
    error = refused(guest, name, REGISTER, 1, 2)
    assert error.variant in ("IntegerOverflow", "GasLimitExceeded", "GasExceeded")
    assert guest.costs() == {f"bls12381_{cost}_base": 1}


def test_bls12381_pairing():
    guest = Guest(prepaid_gas=10**15)
    assert guest.call("bls12381_pairing_check", 0, 0) == 0
    guest.register(1, b"\xff" * 288)
    guest.costs()
    assert guest.call("bls12381_pairing_check", REGISTER, 1) == 1
    read = {"read_register_base": 1, "read_register_byte": 288}
    assert guest.costs() == {"bls12381_pairing_base": 1, "bls12381_pairing_element": 1, **read}
    text = "Incorrect input length for bls12381_pairing_check: 289 is not divisible by 288"
    assert refused(guest, "bls12381_pairing_check", 289, 0) == HostError("BLS12381InvalidInput", (("msg", text),))
    assert guest.costs()["bls12381_pairing_element"] == 1


ALT = [("alt_bn128_g1_multiexp", 96), ("alt_bn128_g1_sum", 65), ("alt_bn128_pairing_check", 192)]


@pytest.mark.parametrize(("name", "item"), ALT)
def test_alt_bn128(name, item):
    guest = Guest(prepaid_gas=10**15)
    register = () if name.endswith("check") else (3,)
    result = guest.call(name, 0, 0, *register)
    assert result == (None if register else 1)
    if register:
        assert guest.logic.registers.values[3] == bytes(64)
    guest.costs()
    text = f"slice of size {item + 1} cannot be precisely split into chunks of size {item}"
    assert refused(guest, name, item + 1, 0, *register) == HostError("AltBn128InvalidInput", (("msg", text),))
    assert guest.costs() == {f"{name}_base": 1, "read_memory_base": 1, "read_memory_byte": item + 1}
    guest.put(b"\xff" * item)
    error = refused(guest, name, item, 0, *register)
    assert error.variant == "AltBn128InvalidInput"
    assert error.fields[0][1].startswith("invalid bool: [FF]" if "sum" in name else "invalid fq: [FF, FF, ")
    assert guest.costs()[f"{name}_element"] == 1
