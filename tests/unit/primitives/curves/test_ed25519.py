"""Ed25519: the chain's rule against answers of its library, whatever the libsodium at hand does."""

import functools
import hashlib
import json
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from near_tee_cli.errors import HostError
from near_tee_cli.primitives.curves import ed25519

DATA = pathlib.Path(__file__).parent.parent / "data"
VECTORS = json.loads((DATA / "ed25519_dalek.json").read_text())
POINTS = json.loads((DATA / "ed25519_points_dalek.json").read_text())

# nearcore: runtime/near-vm-runner/src/logic/tests/ed25519_verify.rs
SIGNATURE = bytes.fromhex(
    "91c1cb1272e30e7521d57942820e190424782e8ee2d707427a70611ef9873da5"
    "ddf9fc17692838461f98ec8d9a7acf144b764f5aa806dd7ad51d7ec4d868bf06"
)
PUBLIC_KEY = bytes.fromhex("207a067892821e25d770f1fba0c47c11ff4b813e54162ece9eb839e076231ab6")
MESSAGE = b"kajdlfkjalkfjaklfjdkladjfkljadsk"

NEUTRAL = (1).to_bytes(32, "little")


def parts(vector: dict[str, Any]) -> tuple[bytes, bytes, bytes]:
    return tuple(bytes.fromhex(vector[name]) for name in ("public_key", "message", "signature"))


def cofactored(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """What the other kind of libsodium accepts: both sides equal up to a point of small order."""
    key, r = ed25519.decompress(public_key), ed25519.decompress(signature[:32])
    small = {*ed25519._SMALL_ORDER}
    if key is None or r is None or public_key in small or signature[:32] in small or not ed25519.is_reduced(public_key):
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % ed25519.L
    sides = ed25519._double_multiple(ed25519._negated(key), k, int.from_bytes(signature[32:], "little"))
    return ed25519._is_neutral(ed25519._multiple(ed25519._add(sides, ed25519._negated(r)), 8))


@pytest.fixture(params=["the libsodium installed", "a libsodium that accepts up to small order"])
def libsodium(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if request.param != "the libsodium installed":
        monkeypatch.setattr(ed25519, "_sodium_accepts", lambda: cofactored)
    ed25519._sodium_compares_exactly.cache_clear()
    yield
    ed25519._sodium_compares_exactly.cache_clear()


def test_vectors_reach_both_answers() -> None:
    answers = [vector["valid"] for vector in VECTORS]
    assert (answers.count(True), answers.count(False)) == (62, 59)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["about"])
def test_chain_accepts_what_its_library_accepts(vector: dict[str, Any], libsodium: None) -> None:
    assert ed25519.verify_chain(*parts(vector)) == vector["valid"]


def test_the_probe_tells_the_two_kinds_of_libsodium_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    for signature in ed25519._PROBE_SIGNATURES:
        assert cofactored(ed25519._PROBE_KEY, b"", signature)
        assert not ed25519._verify_exactly(ed25519._PROBE_KEY, b"", signature)
        assert not ed25519.verify_chain(ed25519._PROBE_KEY, b"", signature)
    ed25519._sodium_compares_exactly.cache_clear()
    monkeypatch.setattr(ed25519, "_sodium_accepts", lambda: cofactored)
    assert not ed25519._sodium_compares_exactly()
    ed25519._sodium_compares_exactly.cache_clear()
    monkeypatch.setattr(ed25519, "_sodium_accepts", lambda: ed25519._verify_exactly)
    assert ed25519._sodium_compares_exactly()
    ed25519._sodium_compares_exactly.cache_clear()


def test_ordinary_signatures_never_need_the_slow_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> bool:
        raise RuntimeError("the slow way")

    monkeypatch.setattr(ed25519, "_verify_exactly", never)
    assert ed25519.verify_chain(PUBLIC_KEY, MESSAGE, SIGNATURE)
    assert not ed25519.verify_chain(PUBLIC_KEY, MESSAGE + b"!", SIGNATURE)
    assert not ed25519.verify_chain(PUBLIC_KEY, MESSAGE, bytes(range(32)) + SIGNATURE[32:])
    unreduced = next(
        encoding
        for encoding in ((y + ed25519.P).to_bytes(32, "little") for y in range(2, 19))
        if ed25519.is_decodable_point(encoding)
    )
    for public_key in (NEUTRAL, unreduced):
        with pytest.raises(RuntimeError, match="slow way"):
            ed25519.verify_chain(public_key, MESSAGE, SIGNATURE)


def test_signature_of_nearcore() -> None:
    for rule in (ed25519.verify_chain, ed25519.verify_strict, ed25519._verify_exactly):
        assert rule(PUBLIC_KEY, MESSAGE, SIGNATURE)
    assert not ed25519.verify_chain(PUBLIC_KEY, MESSAGE, b"\1" * 64)
    assert not ed25519.verify_chain(PUBLIC_KEY[:31] + b"\xe1", MESSAGE, SIGNATURE)
    assert not ed25519.verify_chain(PUBLIC_KEY, MESSAGE, SIGNATURE[:63] + b"\xe1")
    assert ed25519.is_decodable_point(PUBLIC_KEY)
    assert not ed25519.is_decodable_point(PUBLIC_KEY[:31] + b"\xe1")


def test_unreduced_s() -> None:
    s = int.from_bytes(SIGNATURE[32:], "little")
    for multiple in range(1, 16):
        unreduced = SIGNATURE[:32] + (s + multiple * ed25519.L).to_bytes(32, "little")
        assert not ed25519.verify_chain(PUBLIC_KEY, MESSAGE, unreduced)
        assert not ed25519.verify_strict(PUBLIC_KEY, MESSAGE, unreduced)


@functools.cache
def bindings() -> Any:
    import nacl.bindings

    return nacl.bindings


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=100), st.integers(0, 511), st.integers(0, 2))
def test_every_rule_agrees_on_ordinary_keys(seed: bytes, message: bytes, bit: int, damage: int) -> None:
    public_key, secret_key = bindings().crypto_sign_seed_keypair(seed)
    signature = bindings().crypto_sign(message, secret_key)[:64]
    assert ed25519.secret_key_of(seed) == secret_key
    assert ed25519.sign(secret_key, message) == signature
    if damage == 1:
        flipped = int.from_bytes(signature, "little") ^ 1 << bit
        signature = flipped.to_bytes(64, "little")
    elif damage == 2:
        message += b"\0"
    for rule in (ed25519.verify_chain, ed25519.verify_strict):
        assert rule(public_key, message, signature) == (damage == 0)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["about"])
def test_strict_rule_takes_no_torsion(vector: dict[str, Any], libsodium: None) -> None:
    # What adds the neutral point adds nothing, so there is no fault in it.
    faultless = vector["about"] == "valid" or "plus torsion 010000..00" in vector["about"]
    assert ed25519.verify_strict(*parts(vector)) == faultless


def test_libsodium_that_fails_is_a_fault_of_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing:
        NULL = None

        def __getattr__(self, name: str) -> Any:
            return lambda *_: -1

    monkeypatch.setattr(ed25519, "_sodium", lambda: (Failing(), Failing()))
    for attempt in (lambda: ed25519.secret_key_of(bytes(32)), lambda: ed25519.sign(bytes(64), b"")):
        with pytest.raises(HostError) as caught:
            attempt()
        assert caught.value.code == "host-libsodium"


def test_strict_rule_refuses_other_lengths() -> None:
    assert not ed25519.verify_strict(PUBLIC_KEY[:31], MESSAGE, SIGNATURE)
    assert not ed25519.verify_strict(PUBLIC_KEY, MESSAGE, SIGNATURE + b"\0")


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point["encoding"][:16])
def test_points(point: dict[str, Any]) -> None:
    encoding = bytes.fromhex(point["encoding"])
    assert ed25519.is_decodable_point(encoding) == point["decodable"]
    assert ed25519.is_torsion_free_key(encoding) == point["torsion_free"]


@pytest.mark.parametrize("encoding", sorted(ed25519._SMALL_ORDER), ids=bytes.hex)
def test_small_order(encoding: bytes) -> None:
    point = ed25519.decompress(encoding)
    assert point is not None
    assert ed25519._is_neutral(ed25519._multiple(point, 8))
    assert not ed25519.is_prime_order_point(encoding)


def test_all_encodings_of_small_order_are_known() -> None:
    orders = set()
    for encoding in ed25519._SMALL_ORDER:
        point = ed25519.decompress(encoding)
        orders.add(ed25519.compress(point))
        for y in (int.from_bytes(encoding, "little") & ed25519._Y_BITS,):
            for other in (y % ed25519.P, y % ed25519.P + ed25519.P):
                if other < 2**255:
                    for sign in (0, 1 << 255):
                        assert (other | sign).to_bytes(32, "little") in ed25519._SMALL_ORDER
    assert len(orders) == 8


def brute(point: Any, scalar: int) -> bytes:
    total = ed25519._NEUTRAL
    for _ in range(scalar):
        total = ed25519._add(total, point)
    return ed25519.compress(total)


@given(st.integers(0, 40), st.integers(0, 40))
def test_multiples_agree_with_repeated_addition(scalar: int, base_scalar: int) -> None:
    base = ed25519._base_multiples()[0]
    point = ed25519._double(ed25519._double(base))
    assert ed25519.compress(ed25519._double_multiple(point, scalar, base_scalar)) == brute(
        base, 4 * scalar + base_scalar
    )


@given(st.integers(0, ed25519.L - 1))
def test_multiples_of_the_base_agree_with_libsodium(scalar: int) -> None:
    got = ed25519.compress(ed25519._double_multiple(ed25519._NEUTRAL, 0, scalar))
    if scalar:
        assert got == bindings().crypto_scalarmult_ed25519_base_noclamp(scalar.to_bytes(32, "little"))
    else:
        assert got == NEUTRAL
