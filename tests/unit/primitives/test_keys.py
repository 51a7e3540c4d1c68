"""Values of nearcore (core/crypto/src/signature.rs, core/primitives/src/utils.rs, commit f0c7706f1), and properties."""

import json
import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from near_tee_cli.errors import BadInputError, HostError, UnsupportedError
from near_tee_cli.primitives import base58, keys
from near_tee_cli.primitives.hashes import sha3_256, sha256

DATA = pathlib.Path(__file__).parent / "data"

ED_PUBLIC = "ed25519:DcA2MzgpJbrUATQLLceocVckhhAqrkingax4oJ9kZ847"
ED_SECRET = "ed25519:3KyUuch8pYP47krBq4DosFEVBMR5wDTMQ8AThzM8kAEcBQEpsPdYTZ2FPX5ZnSoLrerjwg66hwwJaW1wHzprd5k3"
ED_SIGNATURE = "ed25519:3s1dvZdQtcAjBksMHFrysqvF63wnyMHPA4owNQmCJZ2EBakZEKdtMsLqrHdKWQjJbSRN6kRknN2WdwSBLWGCokXj"
SECP_PUBLIC = "secp256k1:5ftgm7wYK5gtVqq1kxMGy7gSudkrfYCbpsjL6sH1nwx2oj5NR2JktohjzB6fbEhhRERQpiwJcpwnQjxtoX3GS3cQ"
SECP_SECRET = "secp256k1:X4ETFKtQkSGVoZEnkn7bZ3LyajJaK2b3eweXaKmynGx"
SECP_SIGNATURE = "secp256k1:5N5CB9H1dmB9yraLGCo4ZCQTcF24zj4v2NT14MHdH3aVhRoRXrX3AhprHr2w6iXNBZDmjMS1Ntzjzq8Bv6iBvwth6"


def ml_dsa() -> dict[str, str]:
    return json.loads((DATA / "ml_dsa_65.json").read_text())


@pytest.mark.parametrize(
    ("scheme", "public", "secret", "signature", "message"),
    [
        (keys.ED25519, ED_PUBLIC, ED_SECRET, ED_SIGNATURE, b"123"),
        (keys.SECP256K1, SECP_PUBLIC, SECP_SECRET, SECP_SIGNATURE, sha256(b"123")),
    ],
)
def test_seeded_keys_and_signatures(scheme: int, public: str, secret: str, signature: str, message: bytes) -> None:
    secret_key = keys.secret_key_from_seed("test", scheme=scheme)
    assert keys.secret_key_text(secret_key) == secret
    assert keys.secret_key_from_text(secret) == secret_key
    public_key = keys.public_key_of(secret_key)
    assert keys.public_key_text(public_key) == public
    assert keys.public_key_from_text(public) == public_key
    signed = keys.sign(secret_key, message)
    assert keys.signature_text(signed) == signature
    assert keys.signature_from_text(signature) == signed
    assert keys.verify(public_key, message, signed)
    assert not keys.verify(public_key, sha256(message), signed)
    assert not keys.verify(public_key, message, signed[:5] + bytes([signed[5] ^ 1]) + signed[6:])
    assert not keys.verify(keys.public_key_of(keys.secret_key_from_seed("other", scheme=scheme)), message, signed)


def test_seeds_are_cut_and_padded_to_32_bytes() -> None:
    long = "a seed that is longer than thirty-two bytes"
    for scheme in (keys.ED25519, keys.SECP256K1):
        assert keys.secret_key_from_seed(long, scheme=scheme) == keys.secret_key_from_seed(long[:32], scheme=scheme)
        assert keys.secret_key_from_seed("a", scheme=scheme) == keys.secret_key_from_seed("a ", scheme=scheme)


def test_implicit_account_ids() -> None:
    public_key = keys.public_key_from_text(ED_PUBLIC)
    account_id = keys.near_implicit_id(public_key)
    assert account_id == "bb4dc639b212e075a751685b26bdcea5920a504181ff2910e8549742127092a0"
    assert keys.key_of_near_implicit(account_id) == public_key
    assert keys.eth_implicit_id(keys.public_key_from_text(SECP_PUBLIC)) == "0x96791e923f8cf697ad9c3290f2c9059f0231b24c"
    with pytest.raises(BadInputError, match="not NEAR-implicit"):
        keys.key_of_near_implicit("alice.near")


def test_schemes_never_match() -> None:
    ed, secp = (keys.secret_key_from_seed("x", scheme=scheme) for scheme in (keys.ED25519, keys.SECP256K1))
    message = sha256(b"x-scheme")
    vector = ml_dsa()
    publics = [keys.public_key_of(ed), keys.public_key_of(secp), keys.public_key_from_text(vector["public_key"])]
    signatures = [keys.sign(ed, message), keys.sign(secp, message), keys.signature_from_text(vector["signature"])]
    for i, public_key in enumerate(publics):
        for j, signature in enumerate(signatures):
            assert keys.verify(public_key, message, signature) == (i == j and i < 2)


def test_secp256k1_takes_hashes_of_32_bytes_only() -> None:
    secret_key = keys.secret_key_from_seed("test", scheme=keys.SECP256K1)
    signature = keys.sign(secret_key, sha256(b"123"))
    for message in (b"", b"123", sha256(b"123") + b"\0"):
        assert not keys.verify(keys.public_key_of(secret_key), message, signature)


def test_secp256k1_ignores_which_recovery_id_it_is_but_not_whether_it_is_one() -> None:
    secret_key = keys.secret_key_from_seed("test", scheme=keys.SECP256K1)
    public_key, message = keys.public_key_of(secret_key), sha256(b"123")
    signature = keys.sign(secret_key, message)
    for recovery_id in range(256):
        assert keys.verify(public_key, message, signature[:-1] + bytes([recovery_id])) == (recovery_id < 4)


def test_secp256k1_refuses_the_mirrored_signature_and_keys_off_the_curve() -> None:
    secret_key = keys.secret_key_from_seed("test", scheme=keys.SECP256K1)
    public_key, message = keys.public_key_of(secret_key), sha256(b"123")
    signature = keys.sign(secret_key, message)
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    mirrored = (order - int.from_bytes(signature[33:65], "big")).to_bytes(32, "big")
    assert not keys.verify(public_key, message, signature[:33] + mirrored + signature[65:])
    assert not keys.verify(public_key[:-1] + b"\0", message, signature)
    assert not keys.verify(public_key, message, signature[:1] + bytes(32) + signature[33:])
    assert not keys.verify(public_key, message, signature[:1] + b"\xff" * 32 + signature[33:])


def test_ml_dsa_65() -> None:
    vector = ml_dsa()
    public_key = keys.public_key_from_text(vector["public_key"])
    signature = keys.signature_from_text(vector["signature"])
    message = vector["message"].encode()
    assert keys.public_key_text(public_key) == vector["public_key"]
    assert keys.verify(public_key, message, signature)
    assert not keys.verify(public_key, message + b"!", signature)
    assert not keys.verify(public_key, message, signature[:100] + bytes([signature[100] ^ 0xFF]) + signature[101:])
    assert not keys.verify(b"\2" + bytes(1952), message, signature)
    assert not keys.verify(public_key, message, b"\2" + bytes(3309))


def test_openssl_without_ml_dsa_is_a_fault_of_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import mldsa

    class Lacking:
        @staticmethod
        def from_public_bytes(data: bytes) -> None:
            raise UnsupportedAlgorithm("no ML-DSA")

    monkeypatch.setattr(mldsa, "MLDSA65PublicKey", Lacking)
    with pytest.raises(HostError) as caught:
        keys.verify(b"\2" + bytes(1952), b"", b"\2" + bytes(3309))
    assert caught.value.code == "host-ml-dsa"


def test_ml_dsa_65_handles() -> None:
    public_key = keys.public_key_from_text(ml_dsa()["public_key"])
    handle = keys.key_handle(public_key)
    assert handle == b"\3" + sha3_256(b"near:ml-dsa-65-pubkey-hash:v1" + public_key[1:])
    assert keys.trie_id_len(public_key) == keys.trie_id_len(handle) == 33
    text = keys.key_handle_text(handle)
    assert text == "ml-dsa-65-hash:" + base58.encode(handle[1:])
    assert keys.key_handle_from_text(text) == handle
    with pytest.raises(BadInputError, match="no key handle"):
        keys.key_handle_from_text(keys.public_key_text(public_key))
    with pytest.raises(BadInputError, match="scheme 'ml-dsa-65-hash'"):
        keys.public_key_from_text(text)


def test_classical_handles_are_the_keys() -> None:
    for text, length in ((ED_PUBLIC, 33), (SECP_PUBLIC, 65)):
        public_key = keys.public_key_from_text(text)
        assert keys.key_handle(public_key) == public_key
        assert keys.trie_id_len(public_key) == length == len(public_key)
        assert keys.key_handle_text(public_key) == text
        assert keys.key_handle_from_text(text) == public_key


@given(st.integers(0, 255), st.binary(max_size=70), st.binary(max_size=3))
def test_reading_handles(tag: int, raw: bytes, before: bytes) -> None:
    data = before + bytes([tag]) + raw
    length = {0: 33, 1: 65, 3: 33}.get(tag)
    if length is not None and len(raw) >= length - 1:
        handle = data[len(before) : len(before) + length]
        assert keys.read_key_handle(data, len(before)) == (handle, len(before) + length)
    else:
        with pytest.raises(BadInputError, match="key handle"):
            keys.read_key_handle(data, len(before))


@given(st.sampled_from([0, 1, 2]), st.data())
def test_reading_public_keys(tag: int, data: st.DataObject) -> None:
    length = keys.PUBLIC_KEY_LENGTHS[tag]
    raw = data.draw(st.binary(min_size=length - 1, max_size=length - 1))
    key = bytes([tag]) + raw
    assert keys.is_public_key(key)
    assert keys.read_public_key(b"xy" + key + b"z", 2) == (key, 2 + length)
    assert keys.public_key_from_text(keys.public_key_text(key)) == key
    assert not keys.is_public_key(key + b"\0")
    assert not keys.is_public_key(key[:-1])
    with pytest.raises(BadInputError, match="cut off"):
        keys.read_public_key(key[:-1], 0)


@pytest.mark.parametrize("data", [b"", b"\3" + bytes(32), b"\xff" * 65])
def test_what_is_no_public_key(data: bytes) -> None:
    assert not keys.is_public_key(data)
    with pytest.raises(BadInputError, match="public key"):
        keys.read_public_key(data, 0)


def test_reading_signatures() -> None:
    for tag, length in enumerate(keys.SIGNATURE_LENGTHS):
        signature = bytes([tag]) + bytes(length - 1)
        assert keys.read_signature(signature + b"rest", 0) == (signature, length)
        with pytest.raises(BadInputError, match="cut off"):
            keys.read_signature(signature[:-1], 0)
    for top in range(256):
        signature = b"\0" + bytes(63) + bytes([top])
        if top < 0x20:
            assert keys.read_signature(signature, 0)[0] == signature
        else:
            with pytest.raises(BadInputError, match="out of range"):
                keys.read_signature(signature, 0)
    with pytest.raises(BadInputError, match="unknown tag 3"):
        keys.read_signature(b"\3" + bytes(65), 0)


def test_prefixes_in_any_case_and_none() -> None:
    digits = ED_PUBLIC.partition(":")[2]
    public_key = keys.public_key_from_text(ED_PUBLIC)
    assert keys.public_key_from_text(digits) == public_key
    assert keys.public_key_from_text("Ed25519:" + digits) == public_key
    assert keys.public_key_from_text("SECP256K1:" + SECP_PUBLIC.partition(":")[2]) == keys.public_key_from_text(
        SECP_PUBLIC
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "ed25519:",
        "ed25519",
        "ed448:1",
        "ed25519 :1",
        "\u212a:1",
        "ed25519:ed25519:1",
        ED_PUBLIC + "1",
        ED_PUBLIC[:-3],
        ED_SIGNATURE,
        "secp256k1" + ED_PUBLIC[7:],
    ],
)
def test_text_that_is_no_public_key(text: str) -> None:
    with pytest.raises(BadInputError, match=r"public key (is|of|has)"):
        keys.public_key_from_text(text)


@pytest.mark.parametrize(
    "text",
    [
        ED_SECRET[:-1],
        ED_SECRET + "0",
        ED_SECRET[:-1] + ("4" if ED_SECRET[-1] != "4" else "5"),
        "secp256k1:" + base58.encode(bytes(32)),
        "secp256k1:" + base58.encode(bytes.fromhex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")),
        "secp256k1:" + base58.encode(b"\1" * 31),
    ],
)
def test_secret_keys_that_are_none_are_not_shown(text: str) -> None:
    with pytest.raises(BadInputError) as caught:
        keys.secret_key_from_text(text)
    shown = f"{caught.value.message} {caught.value.__cause__} {caught.value.hint}"
    assert text.partition(":")[2] not in shown
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_ml_dsa_65_secret_keys_are_refused_by_name() -> None:
    for attempt in (
        lambda: keys.secret_key_from_seed("x", scheme=keys.ML_DSA_65),
        lambda: keys.sign(b"\2" + bytes(4032), b""),
        lambda: keys.public_key_of(b"\2" + bytes(4032)),
    ):
        with pytest.raises(UnsupportedError) as caught:
            attempt()
        assert caught.value.code == "unsupported-ml-dsa-65-secret-key"


def test_staking_keys() -> None:
    assert keys.is_valid_staking_key(keys.public_key_from_text(ED_PUBLIC))
    assert not keys.is_valid_staking_key(keys.public_key_from_text(SECP_PUBLIC))
    assert not keys.is_valid_staking_key(keys.public_key_from_text(ml_dsa()["public_key"]))
    assert not keys.is_valid_staking_key(b"\0" + b"\2" + bytes(31))
