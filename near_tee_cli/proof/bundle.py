"""The file `*.ntb`: a claim and everything that is needed to check it, in one strict Borsh layout.

Trie nodes, values and contracts stand once, in order, however many transitions use them; a transition names them by
position. Receipts that one block sends to the next stand once too. There is one encoding of one content: what is
read is encoded again and compared, so that no second spelling of a bundle exists.
"""

from collections.abc import Sequence
from struct import unpack_from
from typing import NamedTuple, TypeVar

from near_tee_cli.errors import BadInputError, UnsupportedError
from near_tee_cli.primitives.schema.outcome import OutcomeWithId
from near_tee_cli.primitives.schema.wire import (
    blob,
    optional,
    read_account_id,
    read_blob,
    read_hash,
    read_option,
    read_u16,
    read_u32,
    read_u64,
    read_u128,
    string,
    u16,
    u32,
    u64,
    u128,
    vector,
    whole,
)
from near_tee_cli.proof.budget import Budget
from near_tee_cli.proof.claim import Claim, encode_block, encode_claim, read_block, read_claim, read_flag
from near_tee_cli.proof.limits import (
    MAX_BUNDLE_BYTES,
    MAX_CODE_BYTES,
    MAX_CODES,
    MAX_ITEMS,
    MAX_NODE_BYTES,
    MAX_NODES,
    MAX_TRANSITIONS,
    MAX_VALIDATORS,
)
from near_tee_cli.proof.results import (
    encode_congestion,
    encode_outcome,
    encode_proposal,
    encode_request,
    encode_stats,
    encode_timeout,
    read_congestion,
    read_outcome,
    read_proposal,
    read_request,
    read_stats,
    read_timeout,
)
from near_tee_cli.runtime.block import (
    BalanceStats,
    BandwidthRequest,
    BlockContext,
    CongestionInfo,
    ValidatorProposal,
    YieldTimeout,
)

MAGIC = b"near-tee"
"""The first eight bytes of every bundle."""

VERSION = 1
"""The format that is written, a `u16` behind the magic."""

ENVELOPE = 1
"""Kind of an attachment: a DSSE envelope, JSON."""
COMPACT_SIGNATURE = 2
"""A public key of 33 bytes and a signature of 64."""
KEY_PATHS = 3
"""Merkle paths of every change, Borsh."""
EVIDENCE = 4
"""Evidence that a key lives in a measured environment, JSON."""
KNOWN_ATTACHMENTS = frozenset({ENVELOPE, COMPACT_SIGNATURE, KEY_PATHS, EVIDENCE})

Sortable = TypeVar("Sortable", bytes, int, str)

_HEAD = len(MAGIC) + 2


class Carried(NamedTuple):
    """What a block leaves to the next beside state and receipts."""

    congestion_info: CongestionInfo
    bandwidth_requests: tuple[BandwidthRequest, ...]


class Chunk(NamedTuple):
    """Results of a block that are in no outcome. Balances in yoctoNEAR."""

    carried: Carried
    balance_stats: BalanceStats
    validator_proposals: tuple[ValidatorProposal, ...]
    yield_timeouts: tuple[YieldTimeout, ...]
    delayed_receipts: int


class Transition(NamedTuple):
    """One block: what went in, what came out, and which nodes and contracts it needed."""

    block: BlockContext
    forward: bool
    """Whether the receipts that the transition before sent out come in first."""
    transactions: tuple[bytes, ...]
    """Borsh of each signed transaction."""
    expired: tuple[int, ...]
    """Positions of transactions whose validity period has passed, ascending."""
    receipts: tuple[bytes, ...]
    """Borsh of each receipt that came in from outside the bundle."""
    post_root: bytes
    outcomes: tuple[OutcomeWithId, ...]
    sent: tuple[bytes, ...]
    """Borsh of each receipt that was sent out."""
    changes: tuple[tuple[bytes, bytes | None], ...]
    """Last value of every key that was written, ascending keys."""
    chunk: Chunk
    nodes: tuple[int, ...]
    """Positions in `Content.nodes`, ascending."""
    codes: tuple[int, ...]
    """Positions in `Content.codes`, ascending."""


class Code(NamedTuple):
    """A contract; `code` is `None` in a bundle whose code travels apart."""

    hash: bytes
    code: bytes | None


class Content(NamedTuple):
    """All of a bundle but its claim."""

    validators: tuple[tuple[str, int], ...]
    """Stakes in yoctoNEAR, ascending account ids."""
    minimum_stake: int | None
    """yoctoNEAR, `None` when nobody said what it is."""
    carried: Carried
    """What the block before the first one left."""
    transitions: tuple[Transition, ...]
    nodes: tuple[bytes, ...]
    """Trie nodes and values, ascending bytes."""
    codes: tuple[Code, ...]
    """Ascending hashes."""


class Attachment(NamedTuple):
    """Something that stands beside the claim, such as a signature: bound by what it says, not by where it stands."""

    kind: int
    """One of `KNOWN_ATTACHMENTS`; a bundle with another one is for a later verifier."""
    data: bytes


class Bundle(NamedTuple):
    """A claim with its digest, and the content that it speaks about."""

    claim: Claim
    claim_digest: bytes
    content: Content
    attachments: tuple[Attachment, ...] = ()
    """Ascending kinds, then ascending bytes."""


def encode_bundle(bundle: Bundle) -> bytes:
    """The bytes of the file. Raises `BadInputError` (`bundle-too-large`) beyond a cap of the format."""
    content = bundle.content
    for count, bound, what in (
        (len(content.nodes), MAX_NODES, "trie nodes and values"),
        (len(content.codes), MAX_CODES, "contracts"),
        (len(content.transitions), MAX_TRANSITIONS, "blocks"),
        (len(content.validators), MAX_VALIDATORS, "validators"),
    ):
        if count > bound:
            raise BadInputError(f"{count} {what} do not fit one bundle, at most {bound} do", code="bundle-too-large")
    data = b"".join(
        (
            MAGIC,
            u16(VERSION),
            encode_claim(bundle.claim),
            bundle.claim_digest,
            encode_validators(content.validators, content.minimum_stake),
            encode_carried(content.carried),
            vector(map(encode_transition, content.transitions)),
            encode_nodes(content.nodes),
            encode_codes(content.codes),
            encode_attachments(bundle.attachments),
        )
    )
    if len(data) > MAX_BUNDLE_BYTES:
        size = f"{len(data)} bytes do not fit one bundle, at most {MAX_BUNDLE_BYTES} do"
        raise BadInputError(size, code="bundle-too-large")
    return data


def is_bundle(data: bytes) -> bool:
    """Whether `data` says that it is a bundle, of whichever version."""
    return data.startswith(MAGIC)


def decode_bundle(data: bytes) -> Bundle:
    """The bundle in `data`, all of it.

    Raises `BadInputError` with code `not-a-bundle`, `bundle-too-large` or `malformed-bundle`, and `UnsupportedError`
    for another version.
    """
    if not is_bundle(data):
        raise BadInputError("this is no bundle: it does not begin with the bytes that every bundle has",
                            code="not-a-bundle")  # fmt: skip
    if len(data) > MAX_BUNDLE_BYTES:
        size = f"a bundle of {len(data)} bytes, at most {MAX_BUNDLE_BYTES} are read"
        raise BadInputError(size, code="bundle-too-large")
    try:
        version = unpack_from("<H", data.ljust(_HEAD, b"\0"), len(MAGIC))[0]
        if version != VERSION and len(data) >= _HEAD:
            raise UnsupportedError(f"bundle version {version} is not known, only {VERSION}", what="bundle-version")
        bundle = whole(data, _read_bundle, what="bundle")
        again = encode_bundle(bundle)
    except UnsupportedError:
        raise
    except BadInputError as error:
        raise BadInputError(error.message, code="malformed-bundle", where=error.where) from error
    if again != data:
        raise BadInputError("bundle: not in the one encoding of its content", code="malformed-bundle")
    return bundle


def _read_bundle(data: bytes, at: int) -> tuple[Bundle, int]:
    claim, at = read_claim(data, at + _HEAD)
    digest, at = read_hash(data, at)
    budget = Budget(MAX_ITEMS)
    validators, at = Budget(MAX_VALIDATORS).read_list(data, at, _read_validator, least=20)
    _require_ascending([account_id for account_id, _ in validators], "validators")
    minimum_stake, at = read_option(data, at, read_u128)
    carried, at = _read_carried(data, at, budget=budget)
    count, at = Budget(MAX_TRANSITIONS).count(data, at, least=1)
    transitions = []
    for _ in range(count):
        transition, at = _read_transition(data, at, budget=budget)
        transitions.append(transition)
    nodes, at = Budget(MAX_NODES).read_list(data, at, _read_node, least=4)
    _require_ascending(nodes, "trie nodes and values")
    codes, at = Budget(MAX_CODES).read_list(data, at, _read_code, least=33)
    _require_ascending([code.hash for code in codes], "contracts")
    for transition in transitions:
        _require_within(transition.nodes, len(nodes), "trie nodes and values")
        _require_within(transition.codes, len(codes), "contracts")
    attachments, at = budget.read_list(data, at, _read_attachment, least=5)
    _require_ascending([bytes((item.kind,)) + item.data for item in attachments], "attachments")
    content = Content(validators, minimum_stake, carried, tuple(transitions), nodes, codes)
    return Bundle(claim, digest, content, attachments), at


def encode_validators(validators: tuple[tuple[str, int], ...], minimum_stake: int | None) -> bytes:
    """Borsh of validators and stakes, and of the least that one may have."""
    least = optional(None if minimum_stake is None else u128(minimum_stake))
    return vector(string(account_id) + u128(stake) for account_id, stake in validators) + least


def _read_validator(data: bytes, at: int) -> tuple[tuple[str, int], int]:
    account_id, at = read_account_id(data, at)
    stake, at = read_u128(data, at)
    return (account_id, stake), at


def encode_carried(carried: Carried) -> bytes:
    """Borsh of what a block leaves to the next."""
    return encode_congestion(carried.congestion_info) + vector(map(encode_request, carried.bandwidth_requests))


def _read_carried(data: bytes, at: int, *, budget: Budget) -> tuple[Carried, int]:
    congestion_info, at = read_congestion(data, at)
    requests, at = budget.read_list(data, at, read_request, least=7)
    return Carried(congestion_info, requests), at


def encode_chunk(chunk: Chunk) -> bytes:
    """Borsh of a block's results that are in no outcome."""
    return b"".join(
        (
            encode_carried(chunk.carried),
            encode_stats(chunk.balance_stats),
            vector(map(encode_proposal, chunk.validator_proposals)),
            vector(map(encode_timeout, chunk.yield_timeouts)),
            u64(chunk.delayed_receipts),
        )
    )


def _read_chunk(data: bytes, at: int, *, budget: Budget) -> tuple[Chunk, int]:
    carried, at = _read_carried(data, at, budget=budget)
    stats, at = read_stats(data, at)
    proposals, at = budget.read_list(data, at, read_proposal, least=55)
    timeouts, at = budget.read_list(data, at, read_timeout, least=46)
    delayed, at = read_u64(data, at)
    return Chunk(carried, stats, proposals, timeouts, delayed), at


def encode_transactions(transactions: tuple[bytes, ...], expired: tuple[int, ...]) -> bytes:
    """Borsh of the transactions and of which of them have expired."""
    return vector(map(blob, transactions)) + vector(map(u32, expired))


def encode_receipts(receipts: tuple[bytes, ...]) -> bytes:
    """Borsh of receipts, each behind its length."""
    return vector(map(blob, receipts))


def encode_outcomes(outcomes: tuple[OutcomeWithId, ...]) -> bytes:
    """Borsh of complete outcomes."""
    return vector(map(encode_outcome, outcomes))


def encode_changes(changes: tuple[tuple[bytes, bytes | None], ...]) -> bytes:
    """Borsh of changed keys and their new values."""
    return vector(blob(key) + optional(None if value is None else blob(value)) for key, value in changes)


def encode_nodes(nodes: tuple[bytes, ...]) -> bytes:
    """Borsh of trie nodes and values."""
    return vector(map(blob, nodes))


def encode_codes(codes: tuple[Code, ...]) -> bytes:
    """Borsh of contracts, or of their hashes alone."""
    return vector(code.hash + optional(None if code.code is None else blob(code.code)) for code in codes)


def encode_attachments(attachments: tuple[Attachment, ...]) -> bytes:
    """Borsh of what stands beside the claim."""
    return vector(bytes((item.kind,)) + blob(item.data) for item in attachments)


def encode_transition(transition: Transition) -> bytes:
    """Borsh of a transition."""
    return b"".join(
        (
            encode_block(transition.block),
            b"\1" if transition.forward else b"\0",
            encode_transactions(transition.transactions, transition.expired),
            encode_receipts(transition.receipts),
            transition.post_root,
            encode_outcomes(transition.outcomes),
            encode_receipts(transition.sent),
            encode_changes(transition.changes),
            encode_chunk(transition.chunk),
            vector(map(u16, transition.nodes)),
            vector(map(u16, transition.codes)),
        )
    )


def _read_transition(data: bytes, at: int, *, budget: Budget) -> tuple[Transition, int]:
    block, at = read_block(data, at)
    forward, at = read_flag(data, at)
    transactions, at = budget.read_list(data, at, read_blob, least=4)
    expired, at = budget.read_list(data, at, read_u32, least=4)
    if expired:
        _require_ascending(expired, "expired transactions")
        if expired[-1] >= len(transactions):
            raise BadInputError(f"transaction {expired[-1]} of {len(transactions)} has expired")
    receipts, at = budget.read_list(data, at, read_blob, least=4)
    post_root, at = read_hash(data, at)
    count, at = budget.count(data, at, least=1)
    outcomes = []
    for _ in range(count):
        outcome, at = read_outcome(data, at, budget=budget)
        outcomes.append(outcome)
    sent, at = budget.read_list(data, at, read_blob, least=4)
    changes, at = budget.read_list(data, at, _read_change, least=5)
    _require_ascending([key for key, _ in changes], "changed keys")
    chunk, at = _read_chunk(data, at, budget=budget)
    nodes, at = budget.read_list(data, at, read_u16, least=2)
    codes, at = budget.read_list(data, at, read_u16, least=2)
    _require_ascending(nodes, "positions of nodes")
    _require_ascending(codes, "positions of contracts")
    return Transition(
        block, forward, transactions, expired, receipts, post_root, tuple(outcomes), sent, changes, chunk, nodes, codes
    ), at


def _read_change(data: bytes, at: int) -> tuple[tuple[bytes, bytes | None], int]:
    key, at = read_blob(data, at)
    value, at = read_option(data, at, read_blob)
    return (key, value), at


def _read_node(data: bytes, at: int) -> tuple[bytes, int]:
    node, at = read_blob(data, at)
    if len(node) > MAX_NODE_BYTES:
        raise BadInputError(f"a trie node or value of {len(node)} bytes, at most {MAX_NODE_BYTES} are read")
    return node, at


def _read_code(data: bytes, at: int) -> tuple[Code, int]:
    code_hash, at = read_hash(data, at)
    code, at = read_option(data, at, read_blob)
    if code is not None and len(code) > MAX_CODE_BYTES:
        raise BadInputError(f"a contract of {len(code)} bytes, at most {MAX_CODE_BYTES} are read")
    return Code(code_hash, code), at


def _read_attachment(data: bytes, at: int) -> tuple[Attachment, int]:
    kind = data[at]
    content, at = read_blob(data, at + 1)
    return Attachment(kind, content), at


def _require_ascending(items: Sequence[Sortable], what: str) -> None:
    for position in range(1, len(items)):
        if items[position - 1] >= items[position]:
            raise BadInputError(f"{what} are out of order or doubled at position {position}")


def _require_within(positions: tuple[int, ...], count: int, what: str) -> None:
    if positions and positions[-1] >= count:
        raise BadInputError(f"{what}: position {positions[-1]} of {count} is named")
