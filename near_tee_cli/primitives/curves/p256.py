"""ECDSA on P-256 over a hash that the caller made: the rule of the host function `p256_verify`.

Mirrors nearcore: runtime/near-vm-runner/src/logic/logic.rs (crates p256, ecdsa, primeorder)
"""

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
"""The field's prime."""

N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""The order of the group."""

_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
_COMPACT = 5


def is_signature(signature: bytes) -> bool:
    """Whether the 64 bytes `signature` are `r ‖ s` with both from 1 to the group order less one."""
    return 0 < int.from_bytes(signature[:32], "big") < N and 0 < int.from_bytes(signature[32:], "big") < N


def verify_prehash(public_key: bytes, prehash: bytes, signature: bytes) -> bool:
    """Whether `signature` (64 bytes, `is_signature` holds) signs `prehash` under the 33-byte SEC1 `public_key`.

    The tag of `public_key` may be 2 or 3 (parity of `y`) or 5 (the smaller `y`). A `prehash` below 16 bytes is
    refused, below 32 filled with zeros on the left, beyond 32 cut. An upper-half `s` is accepted.
    """
    tag = public_key[0]
    if len(prehash) < 16 or tag not in (2, 3, _COMPACT):
        return False
    if tag == _COMPACT:
        tag = _tag_of_smaller_y(int.from_bytes(public_key[1:], "big"))
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        key = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), bytes([tag]) + public_key[1:])
    except ValueError:
        return False
    der = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    try:
        key.verify(der, prehash[:32].rjust(32, b"\0"), ECDSA(Prehashed(SHA256())))
    except InvalidSignature:
        return False
    return True


def _tag_of_smaller_y(x: int) -> int:
    """The parity tag of the smaller of the two `y` above `x`; any tag when there is none."""
    y = pow(x * x * x - 3 * x + _B, (P + 1) // 4, P)
    return 2 | min(y, P - y) & 1
