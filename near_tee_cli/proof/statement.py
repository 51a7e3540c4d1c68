"""From a bundle's content to everything that its claim may say about it.

The prover makes claims with this, the verifier makes the same claim again and compares: no field of a claim is
believed that can be derived. Nothing here executes anything.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from near_tee_cli.errors import BadInputError, EvidenceError
from near_tee_cli.params.store import config_at
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.integers import U64_MAX
from near_tee_cli.primitives.merkle import root_of_leaves
from near_tee_cli.primitives.schema.action import Action, FunctionCall
from near_tee_cli.primitives.schema.outcome import SuccessReceiptId, outcome_leaf
from near_tee_cli.primitives.schema.receipt import ActionReceipt, Receipt, decode_receipt, encode_receipt
from near_tee_cli.primitives.schema.transaction import (
    SignedTransaction,
    decode_signed_transaction,
    encode_signed_transaction,
)
from near_tee_cli.primitives.schema.wire import string, u32, vector
from near_tee_cli.proof import gas_kinds
from near_tee_cli.proof.bundle import (
    Content,
    Transition,
    encode_carried,
    encode_changes,
    encode_chunk,
    encode_nodes,
    encode_outcomes,
    encode_receipts,
    encode_transactions,
    encode_validators,
)
from near_tee_cli.proof.call_contracts import Contracts
from near_tee_cli.proof.claim import (
    FROM_RECEIPT,
    FROM_TRANSACTION,
    Call,
    Claim,
    Entry,
    EntryInput,
    EntryOutcome,
    EntryWitness,
    Trace,
    digest,
    encode_call,
    encode_entry,
    encode_entry_input,
    encode_entry_outcome,
)
from near_tee_cli.proof.limits import MAX_METHOD_NAME_BYTES
from near_tee_cli.state.trie import Trie


class Setting(NamedTuple):
    """What a claim says that no content tells: where it holds, for whom, and in which series."""

    network: str
    protocol_version: int
    pre_root: bytes
    audience: str = ""
    worker: str = ""
    sequence: int = 0
    previous: bytes | None = None
    trace: Trace | None = None


class Parsed(NamedTuple):
    """A transition's transactions and receipts as records."""

    transactions: tuple[SignedTransaction, ...]
    receipts: tuple[Receipt, ...]
    """Those from outside the bundle."""
    sent: tuple[Receipt, ...]


def setting_of(claim: Claim) -> Setting:
    """The free fields of `claim`."""
    return Setting(
        network=claim.network,
        protocol_version=claim.protocol_version,
        pre_root=claim.pre_root,
        audience=claim.audience,
        worker=claim.worker,
        sequence=claim.sequence,
        previous=claim.previous,
        trace=claim.trace,
    )


def parse(transition: Transition) -> Parsed:
    """The records of a transition. Raises `BadInputError` for one that is malformed or not in its one encoding."""
    transactions = tuple(map(decode_signed_transaction, transition.transactions))
    for raw, transaction in zip(transition.transactions, transactions, strict=True):
        if encode_signed_transaction(transaction) != raw:
            raise BadInputError("a transaction is not in the one encoding of its content")
    return Parsed(transactions, _receipts(transition.receipts), _receipts(transition.sent))


def _receipts(raws: tuple[bytes, ...]) -> tuple[Receipt, ...]:
    receipts = tuple(map(decode_receipt, raws))
    for raw, receipt in zip(raws, receipts, strict=True):
        if encode_receipt(receipt) != raw:
            raise BadInputError("a receipt is not in the one encoding of its content")
    return receipts


def roots_before(content: Content, pre_root: bytes) -> list[bytes]:
    """The root that each transition starts from."""
    return [pre_root, *(transition.post_root for transition in content.transitions)][: len(content.transitions)]


def entries_of(content: Content, pre_root: bytes, *, hashes: Sequence[bytes]) -> list[Entry]:
    """One entry per transition; `hashes` are those of `content.nodes`.

    Raises `EvidenceError` when the gas of a transition exceeds what a chunk can burn.
    """
    pairs = zip(content.transitions, roots_before(content, pre_root), strict=True)
    return [_entry(content, position, transition, root, hashes) for position, (transition, root) in enumerate(pairs)]


def _entry(content: Content, position: int, transition: Transition, pre_root: bytes, hashes: Sequence[bytes]) -> Entry:
    outcomes = [entry.outcome for entry in transition.outcomes]
    gas = gas_kinds.of_outcomes(outcomes)
    if gas.total > U64_MAX:
        raise EvidenceError(
            f"transition {position}: {gas.total} gas is more than a chunk can burn", code="gas-mismatch"
        )
    return Entry(
        position=position,
        pre_root=pre_root,
        input=EntryInput(
            block=transition.block,
            forward=transition.forward,
            transactions=len(transition.transactions),
            transactions_digest=digest(
                "transactions", encode_transactions(transition.transactions, transition.expired)
            ),
            receipts=len(transition.receipts),
            receipts_digest=digest("receipts", encode_receipts(transition.receipts)),
        ),
        outcome=EntryOutcome(
            post_root=transition.post_root,
            outcomes=len(outcomes),
            outcome_root=root_of_leaves([outcome_leaf(entry) for entry in transition.outcomes]),
            outcomes_digest=digest("outcomes", encode_outcomes(transition.outcomes)),
            receipts=len(transition.sent),
            receipts_digest=digest("receipts", encode_receipts(transition.sent)),
            changes=len(transition.changes),
            changes_digest=digest("changes", encode_changes(transition.changes)),
            chunk_digest=digest("chunk", encode_chunk(transition.chunk)),
            gas_burnt=gas.total,
        ),
        witness=EntryWitness(
            nodes=len(transition.nodes),
            size=sum(len(content.nodes[node]) for node in transition.nodes),
            written=_size_of_changes(transition),
            digest=digest("node-hashes", vector(hashes[node] for node in transition.nodes)),
        ),
        gas=gas,
    )


def _size_of_changes(transition: Transition) -> int:
    return sum(len(key) + len(value or b"") for key, value in transition.changes)


def entry_leaf(entry: Entry) -> bytes:
    """The leaf of an entry under the claim's root."""
    return digest("entry", encode_entry(entry))


def call_leaf(call: Call) -> bytes:
    """The leaf of a call under the claim's root."""
    return digest("call", encode_call(call))


def calls_of(content: Content, parsed: Sequence[Parsed], tries: Sequence[Trie]) -> list[Call]:
    """The function calls that entered from outside, in order; `tries` are the witnesses.

    Raises `MissingNodeError` when a witness lacks the account of a call that ran.
    """
    contracts = Contracts(content, tries, [{one.hash for one in records.transactions} for records in parsed])
    calls = []
    for position, records in enumerate(parsed):
        became = _receipts_of_transactions(content.transitions[position])
        for source, entered in _entered(records):
            receipt_id = became.get(entered.id) if source == FROM_TRANSACTION else entered.id
            code_hash = contracts.of_call(
                receipt_id, entered.action, entered.receiver_id, behind_calls=entered.behind_calls
            )
            calls.append(_call(entered, position, source=source, code_hash=code_hash))
    return calls


def _receipts_of_transactions(transition: Transition) -> dict[bytes, bytes]:
    """Outcome id -> id of the receipt that it was turned into."""
    return {
        entry.id: entry.outcome.status.receipt_id
        for entry in transition.outcomes
        if isinstance(entry.outcome.status, SuccessReceiptId)
    }


class _Entered(NamedTuple):
    """A function call where it entered."""

    id: bytes
    action: int
    signer_id: str
    predecessor_id: str
    receiver_id: str
    call: FunctionCall
    behind_calls: bool
    """Whether all actions before it are calls."""


def _entered(records: Parsed) -> Iterator[tuple[int, _Entered]]:
    for signed in records.transactions:
        transaction = signed.transaction
        sender = transaction.signer_id
        for action, call, behind in _calls_among(transaction.actions):
            yield FROM_TRANSACTION, _Entered(signed.hash, action, sender, sender, transaction.receiver_id, call, behind)
    for receipt in records.receipts:
        body = receipt.body
        if isinstance(body, ActionReceipt):
            name, signer, receiver = receipt.receipt_id, body.signer_id, receipt.receiver_id
            for action, call, behind in _calls_among(body.actions):
                yield FROM_RECEIPT, _Entered(name, action, signer, receipt.predecessor_id, receiver, call, behind)


def _calls_among(actions: Sequence[Action]) -> Iterator[tuple[int, FunctionCall, bool]]:
    """Position, the call, and whether only calls stand before it."""
    behind_calls = True
    for number, action in enumerate(actions):
        if isinstance(action, FunctionCall):
            yield number, action, behind_calls
        else:
            behind_calls = False


def _call(entered: _Entered, position: int, *, source: int, code_hash: bytes | None) -> Call:
    call = entered.call
    return Call(
        transition=position,
        source=source,
        id=entered.id,
        action=entered.action,
        signer_id=entered.signer_id,
        predecessor_id=entered.predecessor_id,
        receiver_id=entered.receiver_id,
        method_name=call.method_name,
        args_digest=sha256(call.args),
        args_length=len(call.args),
        deposit=call.deposit,
        gas=call.gas,
        code_hash=code_hash,
    )


def call_fields(calls: Sequence[Call]) -> tuple[int, bytes, Call | None]:
    """What a claim says about calls: how many, their Merkle root, and the call itself when it is the only one."""
    only = calls[0] if len(calls) == 1 else None
    if only is not None and len(only.method_name.encode()) > MAX_METHOD_NAME_BYTES:
        only = None
    return len(calls), root_of_leaves([call_leaf(call) for call in calls]), only


def claim_of(content: Content, setting: Setting, *, entries: Sequence[Entry], calls: Sequence[Call]) -> Claim:
    """The claim about `content` in `setting`.

    Raises `UnsupportedError` for a protocol version that is not implemented and `BadInputError` without transitions.
    """
    if not entries:
        raise BadInputError("a bundle without a block claims nothing")
    blocks = [transition.block for transition in content.transitions]
    count, calls_root, only = call_fields(calls)
    return Claim(
        network=setting.network,
        audience=setting.audience,
        worker=setting.worker,
        sequence=setting.sequence,
        previous=setting.previous,
        protocol_version=setting.protocol_version,
        config_digest=config_at(setting.protocol_version).digest,
        first_height=blocks[0].height,
        last_height=blocks[-1].height,
        pre_root=setting.pre_root,
        post_root=content.transitions[-1].post_root,
        transitions=len(entries),
        entries_root=root_of_leaves([entry_leaf(entry) for entry in entries]),
        calls=count,
        calls_root=calls_root,
        call=only,
        input_digest=input_digest(content, setting, entries),
        outcome_digest=outcome_digest(entries),
        gas=gas_kinds.total_of(entry.gas for entry in entries),
        witness_digest=digest("nodes", encode_nodes(content.nodes)),
        witness_size=sum(map(len, content.nodes)),
        changes_digest=digest("run-changes", vector(entry.outcome.changes_digest for entry in entries)),
        changes_size=sum(entry.witness.written for entry in entries),
        codes_digest=digest("codes", vector(code.hash for code in content.codes)),
        trace=setting.trace,
    )


def input_digest(content: Content, setting: Setting, entries: Sequence[Entry]) -> bytes:
    """The digest of everything that determines the result.

    That is network, protocol version, configuration, validators, what the block before carried over, the root before,
    and each block with its transactions and receipts from outside.
    """
    config_digest = config_at(setting.protocol_version).digest
    return digest(
        "input",
        b"".join(
            (
                string(setting.network),
                u32(setting.protocol_version),
                config_digest,
                digest("validators", encode_validators(content.validators, content.minimum_stake)),
                digest("carried", encode_carried(content.carried)),
                setting.pre_root,
                vector(encode_entry_input(entry.input) for entry in entries),
            )
        ),
    )


def outcome_digest(entries: Sequence[Entry]) -> bytes:
    """The digest of everything that the protocol makes of it, block by block."""
    return digest("outcome", vector(encode_entry_outcome(entry.outcome) for entry in entries))
