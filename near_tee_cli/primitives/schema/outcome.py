"""Execution outcomes: what running a transaction or receipt came to.

Logs, receipt ids, gas, tokens and the kind of result are hashed into the outcome root; the text of an error, the
profile and the metadata are not.

Mirrors nearcore: core/primitives/src/transaction.rs, core/primitives/src/errors.rs
"""

from typing import Any, NamedTuple

from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.account import AccountContract
from near_tee_cli.primitives.schema.wire import blob, string, u32, u64, u128

ErrorKind = str | dict[str, Any]
"""One of nearcore's error enums in its JSON form: the name, or `{name: fields}`."""


class SuccessValue(NamedTuple):
    """It ended well with these bytes."""

    value: bytes


class SuccessReceiptId(NamedTuple):
    """It ended well, and the result will be that of this receipt."""

    receipt_id: bytes


class Failure(NamedTuple):
    """It failed; `error` is `{"ActionError": ...}` or `{"InvalidTxError": ...}` in nearcore's JSON form."""

    error: dict[str, Any]


Status = SuccessValue | SuccessReceiptId | Failure
"""How an execution ended."""


class GasProfile(NamedTuple):
    """Gas by what it was burnt for; `actions` and `ext` are indexed by `ActionCost` and `ExtCost`."""

    actions: tuple[int, ...]
    ext: tuple[int, ...]
    wasm_gas: int


class ExecutionMetadata(NamedTuple):
    """Version 1 has nothing, 3 a profile, 4 also the contract of the account before each action."""

    version: int
    profile: GasProfile | None
    contracts: tuple[AccountContract, ...]


class ExecutionOutcome(NamedTuple):
    """Gas, tokens (yoctoNEAR) and results of one execution; `compute_usage` is no part of what is hashed."""

    logs: tuple[str, ...]
    receipt_ids: tuple[bytes, ...]
    gas_burnt: int
    compute_usage: int
    tokens_burnt: int
    executor_id: str
    status: Status
    metadata: ExecutionMetadata


class OutcomeWithId(NamedTuple):
    """An outcome under the hash of its transaction or the id of its receipt."""

    id: bytes
    outcome: ExecutionOutcome


NO_METADATA = ExecutionMetadata(1, None, ())
"""What outcomes of transactions carry."""


def action_error(index: int | None, kind: ErrorKind) -> Failure:
    """The failure of a receipt: in action `index`, or in none of them."""
    return Failure({"ActionError": {"index": index, "kind": kind}})


def invalid_tx_error(kind: ErrorKind) -> Failure:
    """The failure of a transaction."""
    return Failure({"InvalidTxError": kind})


def encode_partial_outcome(outcome: ExecutionOutcome) -> bytes:
    """What of an outcome is hashed beside its logs."""
    status = outcome.status
    if isinstance(status, SuccessValue):
        ending = b"\2" + blob(status.value)
    elif isinstance(status, SuccessReceiptId):
        ending = b"\3" + status.receipt_id
    else:
        ending = b"\1"
    ids = outcome.receipt_ids
    head = u32(len(ids)) + b"".join(ids) + u64(outcome.gas_burnt) + u128(outcome.tokens_burnt)
    return head + string(outcome.executor_id) + ending


def outcome_hashes(entry: OutcomeWithId) -> list[bytes]:
    """The hashes that a light client is shown of an outcome: its id, its partial form, each log."""
    hashes = [entry.id, sha256(encode_partial_outcome(entry.outcome))]
    hashes += [sha256(log.encode()) for log in entry.outcome.logs]
    return hashes


def outcome_leaf(entry: OutcomeWithId) -> bytes:
    """The leaf of an outcome in the tree of its chunk."""
    hashes = outcome_hashes(entry)
    return sha256(u32(len(hashes)) + b"".join(hashes))
