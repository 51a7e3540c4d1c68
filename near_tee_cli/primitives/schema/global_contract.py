"""How contracts that everybody may use are named, and the initial state of deterministic accounts.

Mirrors nearcore: core/primitives-core/src/global_contract.rs, core/primitives-core/src/deterministic_account_id.rs
"""

from collections.abc import Iterable
from typing import NamedTuple

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives.hashes import keccak256
from near_tee_cli.primitives.schema.account import GlobalContract, GlobalContractByAccount
from near_tee_cli.primitives.schema.wire import blob, read_account_id, read_blob, read_hash, read_vector, string, u32

GlobalContractIdentifier = GlobalContract | GlobalContractByAccount
"""By the hash of the code, or by the account that deployed it."""


class StateInit(NamedTuple):
    """What a deterministic account starts with: its contract, and rows of data in ascending order of keys."""

    code: GlobalContractIdentifier
    data: tuple[tuple[bytes, bytes], ...]


def encode_identifier(identifier: GlobalContractIdentifier) -> bytes:
    """Borsh of the identifier."""
    if isinstance(identifier, GlobalContract):
        return b"\0" + identifier.code_hash
    return b"\1" + string(identifier.account_id)


def identifier_length(identifier: GlobalContractIdentifier) -> int:
    """Bytes that fees and storage count for an identifier."""
    return len(identifier[0])


def read_identifier(data: bytes, at: int) -> tuple[GlobalContractIdentifier, int]:
    """An identifier at `at`."""
    tag = data[at]
    if tag == 0:
        code_hash, at = read_hash(data, at + 1)
        return GlobalContract(code_hash), at
    if tag == 1:
        account_id, at = read_account_id(data, at + 1)
        return GlobalContractByAccount(account_id), at
    raise BadInputError(f"unknown kind {tag} of global contract identifier")


def state_init(code: GlobalContractIdentifier, entries: Iterable[tuple[bytes, bytes]]) -> StateInit:
    """A state init with its rows in order; of rows with the same key the last one counts."""
    return StateInit(code, tuple(sorted(dict(entries).items())))


def encode_state_init(init: StateInit) -> bytes:
    """Borsh of a state init (version 1)."""
    rows = b"".join(blob(key) + blob(value) for key, value in init.data)
    return b"\0" + encode_identifier(init.code) + u32(len(init.data)) + rows


def read_state_init(data: bytes, at: int) -> tuple[StateInit, int]:
    """A state init at `at`; rows may come in any order, as nearcore's map accepts them."""
    if data[at] != 0:
        raise BadInputError(f"unknown version {data[at]} of a state init")
    code, at = read_identifier(data, at + 1)
    rows, at = read_vector(data, at, _read_row)
    return state_init(code, rows), at


def deterministic_account_id(init: StateInit) -> str:
    """The account id that a state init derives."""
    return "0s" + keccak256(encode_state_init(init))[12:].hex()


def _read_row(data: bytes, at: int) -> tuple[tuple[bytes, bytes], int]:
    key, at = read_blob(data, at)
    value, at = read_blob(data, at)
    return (key, value), at
