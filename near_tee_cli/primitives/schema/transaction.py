"""Transactions: what an account signs.

Version 0 has no tag; version 1 starts with one, may name a nonce of a gas key and may ask for the very next nonce.

Mirrors nearcore: core/primitives/src/transaction.rs
"""

from typing import NamedTuple

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.action import Action, encode_actions, encode_nonce, read_actions, read_nonce
from near_tee_cli.primitives.schema.wire import (
    read_account_id,
    read_hash,
    read_public_key,
    read_signature,
    read_u64,
    string,
    u64,
    whole,
)


class Transaction(NamedTuple):
    """`version` is 0 or 1; `nonce_index` and `strict_nonce` belong to version 1."""

    version: int
    signer_id: str
    public_key: bytes
    nonce: int
    nonce_index: int | None
    receiver_id: str
    block_hash: bytes
    actions: tuple[Action, ...]
    strict_nonce: bool


class SignedTransaction(NamedTuple):
    """A transaction with its signature, the hash that was signed and names it, and the bytes of both parts."""

    transaction: Transaction
    signature: bytes
    hash: bytes
    size: int


def transaction_v0(
    signer_id: str,
    public_key: bytes,
    *,
    nonce: int,
    receiver_id: str,
    block_hash: bytes,
    actions: tuple[Action, ...],
) -> Transaction:
    """An ordinary transaction."""
    return Transaction(0, signer_id, public_key, nonce, None, receiver_id, block_hash, actions, False)


def encode_transaction(transaction: Transaction) -> bytes:
    """The bytes whose hash is signed."""
    version, signer_id, public_key, nonce, nonce_index, receiver_id, block_hash, actions, strict = transaction
    body = string(receiver_id) + block_hash + encode_actions(actions)
    if version == 0:
        return string(signer_id) + public_key + u64(nonce) + body
    head = b"\1" + string(signer_id) + public_key + encode_nonce(nonce, nonce_index)
    return head + body + (b"\1" if strict else b"\0")


def sign_with(transaction: Transaction, signature: bytes) -> SignedTransaction:
    """The transaction with a signature over `transaction_hash` of it."""
    raw = encode_transaction(transaction)
    return SignedTransaction(transaction, signature, sha256(raw), len(raw) + len(signature))


def transaction_hash(transaction: Transaction) -> bytes:
    """The 32 bytes that name a transaction and that its signer signs."""
    return sha256(encode_transaction(transaction))


def encode_signed_transaction(signed: SignedTransaction) -> bytes:
    """Borsh of a signed transaction."""
    return encode_transaction(signed.transaction) + signed.signature


def decode_signed_transaction(data: bytes) -> SignedTransaction:
    """The signed transaction that `data` encodes. Raises `BadInputError` when it is none."""
    return whole(data, read_signed_transaction, what="transaction")


def read_signed_transaction(data: bytes, at: int) -> tuple[SignedTransaction, int]:
    """A signed transaction at `at`."""
    transaction, at = read_transaction(data, at)
    signature, at = read_signature(data, at)
    return sign_with(transaction, signature), at


def read_transaction(data: bytes, at: int) -> tuple[Transaction, int]:
    """A transaction at `at`; the second byte tells the versions apart, as no account id has 256 letters."""
    version = 0
    if data[at + 1] != 0:
        if data[at] != 1:
            raise BadInputError(f"unknown version {data[at]} of a transaction")
        version = 1
        at += 1
    signer_id, at = read_account_id(data, at)
    public_key, at = read_public_key(data, at)
    nonce_index = None
    if version == 0:
        nonce, at = read_u64(data, at)
    else:
        nonce, nonce_index, at = read_nonce(data, at)
    receiver_id, at = read_account_id(data, at)
    block_hash, at = read_hash(data, at)
    actions, at = read_actions(data, at)
    strict = False
    if version == 1:
        if data[at] > 1:
            raise BadInputError(f"unknown nonce mode {data[at]}")
        strict = data[at] == 1
        at += 1
    transaction = Transaction(
        version, signer_id, public_key, nonce, nonce_index, receiver_id, block_hash, actions, strict
    )
    return transaction, at
