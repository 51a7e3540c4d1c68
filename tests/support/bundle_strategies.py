"""Hypothesis strategies for everything that stands in a bundle. The values make sense only to codecs."""

from hypothesis import strategies as st

from near_tee_cli.params.costs import ActionCost, ExtCost
from near_tee_cli.primitives.schema.account import GlobalContract, GlobalContractByAccount, LocalContract
from near_tee_cli.primitives.schema.outcome import (
    ExecutionMetadata,
    ExecutionOutcome,
    Failure,
    GasProfile,
    OutcomeWithId,
    SuccessReceiptId,
    SuccessValue,
)
from near_tee_cli.proof.bundle import Attachment, Bundle, Carried, Chunk, Code, Content, Transition
from near_tee_cli.proof.claim import Call, Claim, Entry, EntryInput, EntryOutcome, EntryWitness, Trace
from near_tee_cli.proof.gas_kinds import GasKinds
from near_tee_cli.runtime.block import (
    BalanceStats,
    BandwidthRequest,
    BlockContext,
    CongestionInfo,
    ValidatorProposal,
    YieldTimeout,
)

u8 = st.integers(0, 255)
u16 = st.integers(0, 2**16 - 1)
u32 = st.integers(0, 2**32 - 1)
u64 = st.integers(0, 2**64 - 1)
u128 = st.integers(0, 2**128 - 1)
hash32 = st.binary(min_size=32, max_size=32)
blob = st.binary(max_size=20)
account = st.sampled_from(["a.near", "bob.near", "c" * 64, "x1", "0x" + "12" * 20])


def several(item, most=3):
    return st.lists(item, max_size=most).map(tuple)


def ascending(item, most=4, by=None):
    return st.lists(item, max_size=most, unique_by=by or (lambda x: x)).map(
        lambda items: tuple(sorted(items, key=by or (lambda x: x)))
    )


blocks = st.builds(
    BlockContext,
    height=u64,
    timestamp=u64,
    prev_block_hash=hash32,
    random_seed=hash32,
    epoch_id=hash32,
    epoch_height=u64,
    gas_price=u128,
    gas_limit=st.none() | u64,
    is_new_chunk=st.booleans(),
    proof_size_limit=st.none() | u64,
)
congestion = st.builds(
    CongestionInfo, delayed_receipts_gas=u128, buffered_receipts_gas=u128, receipt_bytes=u64, allowed_shard=u16
)
requests = st.builds(BandwidthRequest, to_shard=u16, bitmap=st.binary(min_size=5, max_size=5))
carried = st.builds(Carried, congestion_info=congestion, bandwidth_requests=several(requests))
stats = st.builds(BalanceStats, *[u128] * 5)
public_keys = st.one_of(
    st.binary(min_size=32, max_size=32).map(lambda raw: b"\0" + raw),
    st.binary(min_size=64, max_size=64).map(lambda raw: b"\1" + raw),
)
proposals = st.builds(ValidatorProposal, account_id=account, public_key=public_keys, stake=u128)
timeouts = st.builds(YieldTimeout, account_id=account, data_id=hash32, expires_at=u64)
chunks = st.builds(
    Chunk,
    carried=carried,
    balance_stats=stats,
    validator_proposals=several(proposals),
    yield_timeouts=several(timeouts),
    delayed_receipts=u64,
)
errors = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2**128) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=5,
)
statuses = st.one_of(
    st.builds(SuccessValue, blob),
    st.builds(SuccessReceiptId, hash32),
    st.builds(Failure, st.dictionaries(st.text(max_size=4), errors, max_size=2)),
)
contracts = st.one_of(
    st.none(),
    st.builds(LocalContract, hash32),
    st.builds(GlobalContract, hash32),
    st.builds(GlobalContractByAccount, account),
)
sparse = st.sampled_from([0, 0, 0, 1, 2**64 - 1])
profiles = st.builds(
    GasProfile,
    actions=st.tuples(*[sparse] * len(ActionCost)),
    ext=st.tuples(*[sparse] * len(ExtCost)),
    wasm_gas=sparse,
)
outcomes = st.builds(
    OutcomeWithId,
    id=hash32,
    outcome=st.builds(
        ExecutionOutcome,
        logs=several(st.text(max_size=8)),
        receipt_ids=several(hash32),
        gas_burnt=u64,
        compute_usage=u64,
        tokens_burnt=u128,
        executor_id=account,
        status=statuses,
        metadata=st.builds(
            ExecutionMetadata, version=u8, profile=st.none() | profiles, contracts=several(contracts, most=2)
        ),
    ),
)
changes = ascending(st.tuples(st.binary(max_size=6), st.none() | blob), by=lambda change: change[0])


def transitions(node_count, code_count):
    def positions(count):
        return ascending(st.integers(0, count - 1)) if count else st.just(())

    return several(blob).flatmap(
        lambda transactions: st.builds(
            Transition,
            block=blocks,
            forward=st.booleans(),
            transactions=st.just(transactions),
            expired=ascending(st.integers(0, len(transactions) - 1)) if transactions else st.just(()),
            receipts=several(blob),
            post_root=hash32,
            outcomes=several(outcomes, most=2),
            sent=several(blob),
            changes=changes,
            chunk=chunks,
            nodes=positions(node_count),
            codes=positions(code_count),
        )
    )


@st.composite
def contents(draw):
    nodes = draw(ascending(blob))
    codes = draw(ascending(st.builds(Code, hash=hash32, code=st.none() | blob), by=lambda code: code.hash))
    return Content(
        validators=draw(ascending(st.tuples(account, u128), by=lambda pair: pair[0])),
        minimum_stake=draw(st.none() | u128),
        carried=draw(carried),
        transitions=draw(several(transitions(len(nodes), len(codes)), most=2)),
        nodes=nodes,
        codes=codes,
    )


gas_kinds = st.builds(GasKinds, *[u128] * 6)
calls = st.builds(
    Call,
    transition=u32,
    source=st.integers(0, 1),
    id=hash32,
    action=u32,
    signer_id=account,
    predecessor_id=account,
    receiver_id=account,
    method_name=st.text(max_size=8),
    args_digest=hash32,
    args_length=u32,
    deposit=u128,
    gas=u64,
    code_hash=st.none() | hash32,
)
claims = st.builds(
    Claim,
    network=st.text(max_size=8),
    audience=st.just("") | account,
    worker=st.just("") | account,
    sequence=u64,
    previous=st.none() | hash32,
    protocol_version=u32,
    config_digest=hash32,
    first_height=u64,
    last_height=u64,
    pre_root=hash32,
    post_root=hash32,
    transitions=u32,
    entries_root=hash32,
    calls=u32,
    calls_root=hash32,
    call=st.none() | calls,
    input_digest=hash32,
    outcome_digest=hash32,
    gas=gas_kinds,
    witness_digest=hash32,
    witness_size=u64,
    changes_digest=hash32,
    changes_size=u64,
    codes_digest=hash32,
    trace=st.none() | st.builds(Trace, root=hash32, length=u64),
)
attachments = ascending(st.builds(Attachment, kind=u8, data=blob), most=2)
bundles = st.builds(Bundle, claim=claims, claim_digest=hash32, content=contents(), attachments=attachments)
entries = st.builds(
    Entry,
    position=u32,
    pre_root=hash32,
    input=st.builds(
        EntryInput,
        block=blocks,
        forward=st.booleans(),
        transactions=u32,
        transactions_digest=hash32,
        receipts=u32,
        receipts_digest=hash32,
    ),
    outcome=st.builds(
        EntryOutcome,
        post_root=hash32,
        outcomes=u32,
        outcome_root=hash32,
        outcomes_digest=hash32,
        receipts=u32,
        receipts_digest=hash32,
        changes=u32,
        changes_digest=hash32,
        chunk_digest=hash32,
        gas_burnt=u64,
    ),
    witness=st.builds(EntryWitness, nodes=u32, size=u64, written=u64, digest=hash32),
    gas=gas_kinds,
)
