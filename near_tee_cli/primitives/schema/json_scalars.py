"""The scalars of NEAR's JSON: hashes and keys in base58, balances as decimal strings, bytes in base64.

Readers take a parsed value and the name of the field, and raise `BadInputError` with that name.
"""

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives import account_id as account_ids
from near_tee_cli.primitives import base58, keys
from near_tee_cli.primitives.canonical_json import decimal, integer, shown, string
from near_tee_cli.primitives.integers import U64_MAX
from near_tee_cli.primitives.schema.wire import HASH_LENGTH

hash_text = base58.encode
"""A hash as text."""


def read_hash(value: object, where: str) -> bytes:
    """A hash of 32 bytes in base58."""
    return base58.decode(string(value, where), HASH_LENGTH)


def read_balance(value: object, where: str) -> int:
    """yoctoNEAR: a string of digits; like nearcore, a JSON number of 64 bits will do too."""
    if isinstance(value, str):
        return decimal(value, where)
    return integer(value, where, bound=U64_MAX)


def read_optional_balance(value: object, where: str) -> int | None:
    """A balance in yoctoNEAR, or null."""
    return None if value is None else read_balance(value, where)


def read_account_id(value: object, where: str) -> str:
    """A string that is a valid account id."""
    account_id = string(value, where)
    if not account_ids.is_valid(account_id):
        raise BadInputError(f"{where} {shown(account_id)} is no account id", code="bad-field", where=where)
    return account_id


def read_public_key(value: object, where: str) -> bytes:
    """A public key with its prefix, as Borsh bytes."""
    return keys.public_key_from_text(string(value, where))


def read_key_handle(value: object, where: str) -> bytes:
    """The name of a public key in the trie, with its prefix, as trie bytes."""
    return keys.key_handle_from_text(string(value, where))


def read_signature(value: object, where: str) -> bytes:
    """A signature with its prefix, as Borsh bytes."""
    return keys.signature_from_text(string(value, where))
