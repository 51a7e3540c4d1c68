"""What a bundle claims: the bounded statement that is hashed, and that a signature would cover.

Account ids stand in it as text, everything long as a digest. What every claim has to fix lies in two digests that
a contract can recompute from fields it knows: `input_digest` over all that determines the result, `outcome_digest`
over all that the protocol makes of it, and nothing about tools, witnesses or files. Each transition is one `Entry`
under a Merkle root, so that one of them can be opened alone; so are the function calls that came in from outside.

All numbers are little endian Borsh; every digest is SHA-256 over a tag that names its kind, a zero byte, and Borsh.
`docs/bundle-format.md` has the same layouts in tables.
"""

from typing import NamedTuple

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives import account_id as account_ids
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.wire import (
    optional,
    read_hash,
    read_option,
    read_string,
    read_u32,
    read_u64,
    read_u128,
    string,
    u32,
    u64,
    u128,
    whole,
)
from near_tee_cli.proof.gas_kinds import GasKinds
from near_tee_cli.proof.limits import MAX_METHOD_NAME_BYTES, MAX_TEXT_BYTES
from near_tee_cli.runtime.block import BlockContext

FROM_TRANSACTION = 0
"""A call that came as an action of a transaction."""
FROM_RECEIPT = 1
"""A call that came as an action of a receipt from outside the bundle."""


class Call(NamedTuple):
    """A function call that entered from outside. `deposit` in yoctoNEAR."""

    transition: int
    """Position of the block that it entered in."""
    source: int
    """`FROM_TRANSACTION` or `FROM_RECEIPT`."""
    id: bytes
    """Hash of the transaction or id of the receipt."""
    action: int
    """Position among its actions."""
    signer_id: str
    predecessor_id: str
    receiver_id: str
    """The account whose contract is called."""
    method_name: str
    args_digest: bytes
    """SHA-256 of the arguments."""
    args_length: int
    deposit: int
    gas: int
    """Gas attached."""
    code_hash: bytes | None
    """The contract that the receiver had before the block in which the call's receipt ran; `None` when it did not
    run within the bundle, met no contract, or met one of another account that the witness does not show."""


class Trace(NamedTuple):
    """A commitment to the steps of the execution, for disputes."""

    root: bytes
    length: int


class Claim(NamedTuple):
    """The statement. Roots and digests are 32 bytes."""

    network: str
    """Chain id."""
    audience: str
    """Account id of the contract that the claim is meant for, or empty."""
    worker: str
    """Account id of who made it, or empty."""
    sequence: int
    """Position in the worker's own series of claims."""
    previous: bytes | None
    """Digest of the claim before it in that series."""
    protocol_version: int
    config_digest: bytes
    """Names the runtime configuration."""
    first_height: int
    last_height: int
    pre_root: bytes
    post_root: bytes
    transitions: int
    """How many blocks were applied."""
    entries_root: bytes
    """NEAR's Merkle root over the digests of the entries, one per block."""
    calls: int
    calls_root: bytes
    """NEAR's Merkle root over the digests of the calls."""
    call: Call | None
    """The call itself when there is exactly one (and its method's name is no longer than the limit)."""
    input_digest: bytes
    outcome_digest: bytes
    gas: GasKinds
    witness_digest: bytes
    witness_size: int
    """Bytes of all trie nodes and values."""
    changes_digest: bytes
    changes_size: int
    """Bytes of all changed keys and their new values."""
    codes_digest: bytes
    trace: Trace | None


class EntryInput(NamedTuple):
    """What determined one transition, beside the state before it and what the block before carried over."""

    block: BlockContext
    forward: bool
    """Whether the receipts that the block before sent came in first."""
    transactions: int
    transactions_digest: bytes
    receipts: int
    receipts_digest: bytes


class EntryOutcome(NamedTuple):
    """What the protocol made of it."""

    post_root: bytes
    outcomes: int
    outcome_root: bytes
    """As the chain has it."""
    outcomes_digest: bytes
    """Over complete outcomes: errors, profiles and compute usage too."""
    receipts: int
    receipts_digest: bytes
    """Over the receipts sent out."""
    changes: int
    changes_digest: bytes
    chunk_digest: bytes
    """Over congestion, bandwidth, balances, proposals, yield timeouts and the delayed queue."""
    gas_burnt: int


class EntryWitness(NamedTuple):
    """What was needed to apply it."""

    nodes: int
    """Trie nodes and values that were read."""
    size: int
    """Bytes of them: the recorded size of the storage proof."""
    written: int
    """Bytes of all changed keys and their new values."""
    digest: bytes
    """Over their hashes, in the order of the bundle."""


class Entry(NamedTuple):
    """One transition: a leaf under `Claim.entries_root`."""

    position: int
    pre_root: bytes
    input: EntryInput
    outcome: EntryOutcome
    witness: EntryWitness
    gas: GasKinds


def digest(kind: str, data: bytes) -> bytes:
    """The digest of `data` (Borsh) as something of this `kind`: no two kinds can be taken for one another."""
    return sha256(b"near-tee/" + kind.encode("ascii") + b"/v1\0" + data)


def claim_digest(claim: Claim) -> bytes:
    """What a signature covers: the digest of the whole claim."""
    return digest("claim", encode_claim(claim))


def encode_gas(gas: GasKinds) -> bytes:
    """Borsh of the kinds in their order, each a `u128`."""
    return b"".join(map(u128, gas))


def encode_call(call: Call) -> bytes:
    """Borsh of a call."""
    return b"".join(
        (
            u32(call.transition),
            bytes((call.source,)),
            call.id,
            u32(call.action),
            string(call.signer_id),
            string(call.predecessor_id),
            string(call.receiver_id),
            string(call.method_name),
            call.args_digest,
            u32(call.args_length),
            u128(call.deposit),
            u64(call.gas),
            optional(call.code_hash),
        )
    )


def encode_block(block: BlockContext) -> bytes:
    """Borsh of a block context."""
    return b"".join(
        (
            u64(block.height),
            u64(block.timestamp),
            block.prev_block_hash,
            block.random_seed,
            block.epoch_id,
            u64(block.epoch_height),
            u128(block.gas_price),
            optional(None if block.gas_limit is None else u64(block.gas_limit)),
            b"\1" if block.is_new_chunk else b"\0",
            optional(None if block.proof_size_limit is None else u64(block.proof_size_limit)),
        )
    )


def encode_entry_input(entry: EntryInput) -> bytes:
    """Borsh of what determined a transition."""
    transactions = u32(entry.transactions) + entry.transactions_digest
    receipts = u32(entry.receipts) + entry.receipts_digest
    return encode_block(entry.block) + (b"\1" if entry.forward else b"\0") + transactions + receipts


def encode_entry_outcome(entry: EntryOutcome) -> bytes:
    """Borsh of what came of a transition."""
    return b"".join(
        (
            entry.post_root,
            u32(entry.outcomes),
            entry.outcome_root,
            entry.outcomes_digest,
            u32(entry.receipts),
            entry.receipts_digest,
            u32(entry.changes),
            entry.changes_digest,
            entry.chunk_digest,
            u64(entry.gas_burnt),
        )
    )


def encode_entry(entry: Entry) -> bytes:
    """Borsh of an entry."""
    witness = entry.witness
    needed = u32(witness.nodes) + u64(witness.size) + u64(witness.written) + witness.digest
    head = u32(entry.position) + entry.pre_root + encode_entry_input(entry.input)
    return head + encode_entry_outcome(entry.outcome) + needed + encode_gas(entry.gas)


def encode_claim(claim: Claim) -> bytes:
    """Borsh of a claim."""
    trace = claim.trace
    return b"".join(
        (
            string(claim.network),
            string(claim.audience),
            string(claim.worker),
            u64(claim.sequence),
            optional(claim.previous),
            u32(claim.protocol_version),
            claim.config_digest,
            u64(claim.first_height),
            u64(claim.last_height),
            claim.pre_root,
            claim.post_root,
            u32(claim.transitions),
            claim.entries_root,
            u32(claim.calls),
            claim.calls_root,
            optional(None if claim.call is None else encode_call(claim.call)),
            claim.input_digest,
            claim.outcome_digest,
            encode_gas(claim.gas),
            claim.witness_digest,
            u64(claim.witness_size),
            claim.changes_digest,
            u64(claim.changes_size),
            claim.codes_digest,
            optional(None if trace is None else trace.root + u64(trace.length)),
        )
    )


def decode_claim(data: bytes) -> Claim:
    """The claim that `data` encodes, all of it. Raises `BadInputError`."""
    return whole(data, read_claim, what="claim")


def read_claim(data: bytes, at: int) -> tuple[Claim, int]:
    """A claim at `at`, and the position after it."""
    network, at = _read_text(data, at, what="network")
    audience, at = _read_account_or_nothing(data, at, what="audience")
    worker, at = _read_account_or_nothing(data, at, what="worker")
    sequence, at = read_u64(data, at)
    previous, at = read_option(data, at, read_hash)
    protocol_version, at = read_u32(data, at)
    config_digest, at = read_hash(data, at)
    first_height, at = read_u64(data, at)
    last_height, at = read_u64(data, at)
    pre_root, at = read_hash(data, at)
    post_root, at = read_hash(data, at)
    transitions, at = read_u32(data, at)
    entries_root, at = read_hash(data, at)
    calls, at = read_u32(data, at)
    calls_root, at = read_hash(data, at)
    call, at = read_option(data, at, _read_call)
    input_digest, at = read_hash(data, at)
    outcome_digest, at = read_hash(data, at)
    gas, at = _read_gas(data, at)
    witness_digest, at = read_hash(data, at)
    witness_size, at = read_u64(data, at)
    changes_digest, at = read_hash(data, at)
    changes_size, at = read_u64(data, at)
    codes_digest, at = read_hash(data, at)
    trace, at = read_option(data, at, _read_trace)
    return Claim(
        network, audience, worker, sequence, previous, protocol_version, config_digest, first_height, last_height,
        pre_root, post_root, transitions, entries_root, calls, calls_root, call, input_digest, outcome_digest, gas,
        witness_digest, witness_size, changes_digest, changes_size, codes_digest, trace,
    ), at  # fmt: skip


def read_block(data: bytes, at: int) -> tuple[BlockContext, int]:
    """A block context at `at`, and the position after it."""
    height, at = read_u64(data, at)
    timestamp, at = read_u64(data, at)
    prev_block_hash, at = read_hash(data, at)
    random_seed, at = read_hash(data, at)
    epoch_id, at = read_hash(data, at)
    epoch_height, at = read_u64(data, at)
    gas_price, at = read_u128(data, at)
    gas_limit, at = read_option(data, at, read_u64)
    is_new_chunk, at = read_flag(data, at)
    proof_size_limit, at = read_option(data, at, read_u64)
    return BlockContext(
        height, timestamp, prev_block_hash, random_seed, epoch_id, epoch_height, gas_price, gas_limit, is_new_chunk,
        proof_size_limit,
    ), at  # fmt: skip


def read_flag(data: bytes, at: int) -> tuple[bool, int]:
    """One byte, 0 or 1."""
    value = data[at]
    if value > 1:
        raise BadInputError(f"flag {value} is neither 0 nor 1")
    return value == 1, at + 1


def _read_text(data: bytes, at: int, *, what: str) -> tuple[str, int]:
    value, at = read_string(data, at)
    if len(value.encode()) > MAX_TEXT_BYTES:
        raise BadInputError(f"{what} is longer than {MAX_TEXT_BYTES} bytes")
    return value, at


def _read_account_or_nothing(data: bytes, at: int, *, what: str) -> tuple[str, int]:
    value, at = read_string(data, at)
    if value and not account_ids.is_valid(value):
        raise BadInputError(f"{what} is no account id")
    return value, at


def _read_call(data: bytes, at: int) -> tuple[Call, int]:
    transition, at = read_u32(data, at)
    source = data[at]
    if source > FROM_RECEIPT:
        raise BadInputError(f"unknown source {source} of a call")
    call_id, at = read_hash(data, at + 1)
    action, at = read_u32(data, at)
    signer_id, at = _read_text(data, at, what="signer")
    predecessor_id, at = _read_text(data, at, what="predecessor")
    receiver_id, at = _read_text(data, at, what="receiver")
    method_name, at = read_string(data, at)
    if len(method_name.encode()) > MAX_METHOD_NAME_BYTES:
        raise BadInputError("the method's name is too long to stand in the claim")
    args_digest, at = read_hash(data, at)
    args_length, at = read_u32(data, at)
    deposit, at = read_u128(data, at)
    gas, at = read_u64(data, at)
    code_hash, at = read_option(data, at, read_hash)
    return Call(
        transition, source, call_id, action, signer_id, predecessor_id, receiver_id, method_name, args_digest,
        args_length, deposit, gas, code_hash,
    ), at  # fmt: skip


def _read_gas(data: bytes, at: int) -> tuple[GasKinds, int]:
    values = []
    for _ in GasKinds._fields:
        value, at = read_u128(data, at)
        values.append(value)
    return GasKinds(*values), at


def _read_trace(data: bytes, at: int) -> tuple[Trace, int]:
    root, at = read_hash(data, at)
    length, at = read_u64(data, at)
    return Trace(root, length), at
