"""Signatures: ECDSA recovery on secp256k1, Ed25519 and P-256 verification.

What is malformed in length fails the call; what is malformed otherwise is a signature that does not hold. A
signature that cannot hold ends the function before the message is read or paid for.

Mirrors nearcore: runtime/near-vm-runner/src/wasmtime_runner/logic.rs
"""

from near_tee_cli.params.costs import ExtCost
from near_tee_cli.primitives.curves import ed25519, p256, secp256k1
from near_tee_cli.vm.failure import failure
from near_tee_cli.vm.host.arguments import HASH_BYTES, take
from near_tee_cli.vm.logic import Logic

_ECRECOVER = ExtCost.ECRECOVER_BASE.value
_ED25519_BASE = ExtCost.ED25519_VERIFY_BASE.value
_ED25519_BYTE = ExtCost.ED25519_VERIFY_BYTE.value
_P256_BASE = ExtCost.P256_VERIFY_BASE.value
_P256_BYTE = ExtCost.P256_VERIFY_BYTE.value

_SIGNATURE_BYTES = 64
_ED25519_KEY_BYTES = 32
_P256_KEY_BYTES = 33
_RECOVERY_IDS = 4
_UNREDUCED_BITS = 0b1110_0000


def ecrecover(
    logic: Logic,
    hash_len: int,
    hash_ptr: int,
    sig_len: int,
    sig_ptr: int,
    v: int,
    malleability_flag: int,
    register_id: int,
) -> int:
    """The public key that made a signature, 64 bytes, into a register; whether there is one."""
    logic.gas.pay(_ECRECOVER)
    signature = take(logic, sig_len, sig_ptr)
    if len(signature) != _SIGNATURE_BYTES:
        text = f"The length of the signature: {len(signature)}, exceeds the limit of 64 bytes"
        raise failure("ECRecoverError", msg=text)
    if v >= _RECOVERY_IDS:
        text = f"V recovery byte 0 through 3 are valid but was provided {v}"
        raise failure("ECRecoverError", msg=text)
    message_hash = take(logic, hash_len, hash_ptr)
    if len(message_hash) != HASH_BYTES:
        text = f"The length of the hash: {len(message_hash)}, exceeds the limit of 32 bytes"
        raise failure("ECRecoverError", msg=text)
    if malleability_flag > 1:
        text = f"Malleability flag needs to be 0 or 1, but is instead {malleability_flag}"
        raise failure("ECRecoverError", msg=text)
    key = secp256k1.recover(message_hash, signature, recovery_id=v, reject_high_s=malleability_flag == 1)
    if key is None:
        return 0
    logic.registers.write(register_id, key)
    return 1


def ed25519_verify(
    logic: Logic, sig_len: int, sig_ptr: int, msg_len: int, msg_ptr: int, pub_key_len: int, pub_key_ptr: int
) -> int:
    """Whether an Ed25519 signature holds, by the chain's rule."""
    logic.gas.pay(_ED25519_BASE)
    signature = take(logic, sig_len, sig_ptr)
    if len(signature) != _SIGNATURE_BYTES:
        raise failure("Ed25519VerifyInvalidInput", msg="invalid signature length")
    if signature[-1] & _UNREDUCED_BITS:
        return 0
    message = take(logic, msg_len, msg_ptr)
    logic.gas.pay_per(_ED25519_BYTE, len(message))
    public_key = take(logic, pub_key_len, pub_key_ptr)
    if len(public_key) != _ED25519_KEY_BYTES:
        raise failure("Ed25519VerifyInvalidInput", msg="invalid public key length")
    return int(ed25519.verify_chain(public_key, message, signature))


def p256_verify(
    logic: Logic, sig_len: int, sig_ptr: int, msg_len: int, msg_ptr: int, pub_key_len: int, pub_key_ptr: int
) -> int:
    """Whether an ECDSA signature on P-256 holds; the message is taken as the hash itself."""
    logic.gas.pay(_P256_BASE)
    signature = take(logic, sig_len, sig_ptr)
    if len(signature) != _SIGNATURE_BYTES:
        raise failure("P256VerifyInvalidInput", msg="invalid signature length")
    if not p256.is_signature(signature):
        return 0
    message = take(logic, msg_len, msg_ptr)
    logic.gas.pay_per(_P256_BYTE, len(message))
    public_key = take(logic, pub_key_len, pub_key_ptr)
    if len(public_key) != _P256_KEY_BYTES:
        raise failure("P256VerifyInvalidInput", msg="invalid public key length")
    return int(p256.verify_prehash(public_key, message, signature))
