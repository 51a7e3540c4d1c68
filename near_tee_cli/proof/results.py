"""Borsh of what came of a block: outcomes complete with errors and profiles, and the chunk's own results.

The chain hashes only part of an outcome. Here all of it is written down, so that a re-execution can be compared to
the last bit: an error as the canonical text of its JSON form, a profile as its rows that are not zero.
"""

from near_tee_cli.errors import BadInputError
from near_tee_cli.params.costs import ActionCost, ExtCost
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.primitives.schema.account import AccountContract, encode_contract, read_contract
from near_tee_cli.primitives.schema.outcome import (
    ExecutionMetadata,
    ExecutionOutcome,
    Failure,
    GasProfile,
    OutcomeWithId,
    Status,
    SuccessReceiptId,
    SuccessValue,
)
from near_tee_cli.primitives.schema.wire import (
    blob,
    optional,
    read_account_id,
    read_blob,
    read_fixed,
    read_hash,
    read_option,
    read_public_key,
    read_string,
    read_u16,
    read_u64,
    read_u128,
    string,
    u16,
    u32,
    u64,
    u128,
    vector,
)
from near_tee_cli.proof.budget import Budget
from near_tee_cli.runtime.block import (
    BalanceStats,
    BandwidthRequest,
    CongestionInfo,
    ValidatorProposal,
    YieldTimeout,
)

FAILURE = 1
SUCCESS_VALUE = 2
SUCCESS_RECEIPT_ID = 3
"""Tags of a status, as in the hashed part of an outcome."""

ACTION_ROW = 0
HOST_ROW = 1
WASM_ROW = 2
"""Groups of a profile's rows."""

BANDWIDTH_BITMAP_BYTES = 5
"""Bytes of the bitmap of a bandwidth request."""

_MAX_ERROR_BYTES = 1 << 20


def encode_outcome(entry: OutcomeWithId) -> bytes:
    """Borsh of a complete outcome under its id."""
    outcome = entry.outcome
    metadata = outcome.metadata
    profile = metadata.profile
    return b"".join(
        (
            entry.id,
            vector(outcome.receipt_ids),
            u64(outcome.gas_burnt),
            u64(outcome.compute_usage),
            u128(outcome.tokens_burnt),
            string(outcome.executor_id),
            _encode_status(outcome.status),
            vector(map(string, outcome.logs)),
            bytes((metadata.version,)),
            optional(None if profile is None else _encode_profile(profile)),
            vector(map(encode_contract, metadata.contracts)),
        )
    )


def read_outcome(data: bytes, at: int, *, budget: Budget) -> tuple[OutcomeWithId, int]:
    """A complete outcome at `at`, and the position after it."""
    outcome_id, at = read_hash(data, at)
    receipt_ids, at = budget.read_list(data, at, read_hash, least=32)
    gas_burnt, at = read_u64(data, at)
    compute_usage, at = read_u64(data, at)
    tokens_burnt, at = read_u128(data, at)
    executor_id, at = read_account_id(data, at)
    status, at = _read_status(data, at)
    logs, at = budget.read_list(data, at, read_string, least=4)
    version = data[at]
    profile, at = read_option(data, at + 1, _read_profile)
    contracts: tuple[AccountContract, ...]
    contracts, at = budget.read_list(data, at, read_contract, least=1)
    outcome = ExecutionOutcome(
        logs=logs,
        receipt_ids=receipt_ids,
        gas_burnt=gas_burnt,
        compute_usage=compute_usage,
        tokens_burnt=tokens_burnt,
        executor_id=executor_id,
        status=status,
        metadata=ExecutionMetadata(version, profile, contracts),
    )
    return OutcomeWithId(outcome_id, outcome), at


def _encode_status(status: Status) -> bytes:
    if isinstance(status, SuccessValue):
        return bytes((SUCCESS_VALUE,)) + blob(status.value)
    if isinstance(status, SuccessReceiptId):
        return bytes((SUCCESS_RECEIPT_ID,)) + status.receipt_id
    return bytes((FAILURE,)) + blob(error_text(status))


def error_text(failure: Failure) -> bytes:
    """The canonical JSON of a failure, without a newline."""
    return cj.dumps(failure.error)[:-1]


def _read_status(data: bytes, at: int) -> tuple[Status, int]:
    tag = data[at]
    if tag == SUCCESS_VALUE:
        value, at = read_blob(data, at + 1)
        return SuccessValue(value), at
    if tag == SUCCESS_RECEIPT_ID:
        receipt_id, at = read_hash(data, at + 1)
        return SuccessReceiptId(receipt_id), at
    if tag != FAILURE:
        raise BadInputError(f"unknown kind {tag} of a status")
    text, at = read_blob(data, at + 1)
    error = cj.loads(text, "error of an outcome", max_bytes=_MAX_ERROR_BYTES)
    if not isinstance(error, dict):
        raise BadInputError("error of an outcome is no object")
    return Failure(error), at


def _encode_profile(profile: GasProfile) -> bytes:
    rows = [(ACTION_ROW, number, gas) for number, gas in enumerate(profile.actions) if gas]
    rows += [(HOST_ROW, number, gas) for number, gas in enumerate(profile.ext) if gas]
    if profile.wasm_gas:
        rows.append((WASM_ROW, 0, profile.wasm_gas))
    return u32(len(rows)) + b"".join(bytes((group, number)) + u64(gas) for group, number, gas in rows)


def _read_profile(data: bytes, at: int) -> tuple[GasProfile, int]:
    actions = [0] * len(ActionCost)
    ext = [0] * len(ExtCost)
    wasm = [0]
    groups = (actions, ext, wasm)
    count = int.from_bytes(data[at : at + 4], "little")
    at += 4
    before = (-1, -1)
    if count > sum(map(len, groups)):
        raise BadInputError(f"a profile of {count} rows")
    for _ in range(count):
        group, number = data[at], data[at + 1]
        gas, at = read_u64(data, at + 2)
        if group > WASM_ROW or number >= len(groups[group]) or (group, number) <= before or not gas:
            raise BadInputError(f"row {group}.{number} of a profile is unknown, empty or out of order")
        before = (group, number)
        groups[group][number] = gas
    return GasProfile(tuple(actions), tuple(ext), wasm[0]), at


def encode_congestion(info: CongestionInfo) -> bytes:
    """Borsh of congestion info, as the chain writes its version 1."""
    return info.encode()


def read_congestion(data: bytes, at: int) -> tuple[CongestionInfo, int]:
    """Congestion info at `at`, and the position after it."""
    if data[at] != 0:
        raise BadInputError(f"unknown version {data[at]} of congestion info")
    delayed, at = read_u128(data, at + 1)
    buffered, at = read_u128(data, at)
    receipt_bytes, at = read_u64(data, at)
    allowed_shard, at = read_u16(data, at)
    return CongestionInfo(delayed, buffered, receipt_bytes, allowed_shard), at


def encode_request(request: BandwidthRequest) -> bytes:
    """Borsh of a bandwidth request: the shard, and the bitmap as raw bytes."""
    return u16(request.to_shard) + request.bitmap


def read_request(data: bytes, at: int) -> tuple[BandwidthRequest, int]:
    """A bandwidth request at `at`, and the position after it."""
    to_shard, at = read_u16(data, at)
    bitmap, at = read_fixed(data, at, length=BANDWIDTH_BITMAP_BYTES)
    return BandwidthRequest(to_shard, bitmap), at


def encode_stats(stats: BalanceStats) -> bytes:
    """Borsh of the balance changes, five `u128`."""
    return b"".join(map(u128, stats))


def read_stats(data: bytes, at: int) -> tuple[BalanceStats, int]:
    """Balance changes at `at`, and the position after them."""
    amounts = []
    for _ in BalanceStats._fields:
        amount, at = read_u128(data, at)
        amounts.append(amount)
    return BalanceStats(*amounts), at


def encode_proposal(proposal: ValidatorProposal) -> bytes:
    """Borsh of a validator proposal."""
    return string(proposal.account_id) + proposal.public_key + u128(proposal.stake)


def read_proposal(data: bytes, at: int) -> tuple[ValidatorProposal, int]:
    """A validator proposal at `at`, and the position after it."""
    account_id, at = read_account_id(data, at)
    public_key, at = read_public_key(data, at)
    stake, at = read_u128(data, at)
    return ValidatorProposal(account_id, public_key, stake), at


def encode_timeout(timeout: YieldTimeout) -> bytes:
    """Borsh of a yield timeout."""
    return string(timeout.account_id) + timeout.data_id + u64(timeout.expires_at)


def read_timeout(data: bytes, at: int) -> tuple[YieldTimeout, int]:
    """A yield timeout at `at`, and the position after it."""
    account_id, at = read_account_id(data, at)
    data_id, at = read_hash(data, at)
    expires_at, at = read_u64(data, at)
    return YieldTimeout(account_id, data_id, expires_at), at
