"""The layouts of claim and bundle as declared Borsh schemas, for whoever reads bundles with other tools.

This is the format written down once more, in a notation that does not depend on our codecs. `inspect` takes a
file apart with it; the codecs that prove and verify are straight-line code, and tests hold both against one another.
"""

from functools import cache

from near_tee_cli.primitives import borsh
from near_tee_cli.primitives.borsh import Schema
from near_tee_cli.proof.limits import MAX_BUNDLE_BYTES


@cache
def gas() -> Schema:
    """Gas by kind."""
    return borsh.record(
        wasm=borsh.u128,
        storage=borsh.u128,
        cryptography=borsh.u128,
        other=borsh.u128,
        actions=borsh.u128,
        total=borsh.u128,
    )


@cache
def call() -> Schema:
    """A function call from outside."""
    return borsh.record(
        transition=borsh.u32,
        source=borsh.u8,
        id=borsh.hash32,
        action=borsh.u32,
        signer_id=borsh.string,
        predecessor_id=borsh.string,
        receiver_id=borsh.string,
        method_name=borsh.string,
        args_digest=borsh.hash32,
        args_length=borsh.u32,
        deposit=borsh.u128,
        gas=borsh.u64,
        code_hash=borsh.option(borsh.hash32),
    )


@cache
def claim() -> Schema:
    """The claim."""
    return borsh.record(
        network=borsh.string,
        audience=borsh.string,
        worker=borsh.string,
        sequence=borsh.u64,
        previous=borsh.option(borsh.hash32),
        protocol_version=borsh.u32,
        config_digest=borsh.hash32,
        first_height=borsh.u64,
        last_height=borsh.u64,
        pre_root=borsh.hash32,
        post_root=borsh.hash32,
        transitions=borsh.u32,
        entries_root=borsh.hash32,
        calls=borsh.u32,
        calls_root=borsh.hash32,
        call=borsh.option(call()),
        input_digest=borsh.hash32,
        outcome_digest=borsh.hash32,
        gas=gas(),
        witness_digest=borsh.hash32,
        witness_size=borsh.u64,
        changes_digest=borsh.hash32,
        changes_size=borsh.u64,
        codes_digest=borsh.hash32,
        trace=borsh.option(borsh.record(root=borsh.hash32, length=borsh.u64)),
    )


@cache
def block() -> Schema:
    """A block context."""
    return borsh.record(
        height=borsh.u64,
        timestamp=borsh.u64,
        prev_block_hash=borsh.hash32,
        random_seed=borsh.hash32,
        epoch_id=borsh.hash32,
        epoch_height=borsh.u64,
        gas_price=borsh.u128,
        gas_limit=borsh.option(borsh.u64),
        is_new_chunk=borsh.boolean,
        proof_size_limit=borsh.option(borsh.u64),
    )


@cache
def entry_input() -> Schema:
    """What determined a transition."""
    return borsh.record(
        block=block(),
        forward=borsh.boolean,
        transactions=borsh.u32,
        transactions_digest=borsh.hash32,
        receipts=borsh.u32,
        receipts_digest=borsh.hash32,
    )


@cache
def entry_outcome() -> Schema:
    """What came of a transition."""
    return borsh.record(
        post_root=borsh.hash32,
        outcomes=borsh.u32,
        outcome_root=borsh.hash32,
        outcomes_digest=borsh.hash32,
        receipts=borsh.u32,
        receipts_digest=borsh.hash32,
        changes=borsh.u32,
        changes_digest=borsh.hash32,
        chunk_digest=borsh.hash32,
        gas_burnt=borsh.u64,
    )


@cache
def entry() -> Schema:
    """One transition as a leaf under the claim's root."""
    return borsh.record(
        position=borsh.u32,
        pre_root=borsh.hash32,
        input=entry_input(),
        outcome=entry_outcome(),
        witness=borsh.record(nodes=borsh.u32, size=borsh.u64, written=borsh.u64, digest=borsh.hash32),
        gas=gas(),
    )


@cache
def carried() -> Schema:
    """What a block leaves to the next beside state and receipts."""
    congestion_info = borsh.union(
        v1_0=borsh.record(
            delayed_receipts_gas=borsh.u128,
            buffered_receipts_gas=borsh.u128,
            receipt_bytes=borsh.u64,
            allowed_shard=borsh.u16,
        )
    )
    request = borsh.record(to_shard=borsh.u16, bitmap=borsh.raw(5))
    return borsh.record(congestion_info=congestion_info, bandwidth_requests=borsh.vector(request))


@cache
def chunk() -> Schema:
    """Results of a block that are in no outcome."""
    public_key = borsh.union(ed25519_0=borsh.raw(32), secp256k1_1=borsh.raw(64), ml_dsa_65_2=borsh.raw(1952))
    return borsh.record(
        carried=carried(),
        balance_stats=borsh.record(
            tx_burnt_amount=borsh.u128,
            slashed_burnt_amount=borsh.u128,
            other_burnt_amount=borsh.u128,
            gas_deficit_amount=borsh.u128,
            subsidized_amount=borsh.u128,
        ),
        validator_proposals=borsh.vector(
            borsh.record(account_id=borsh.string, public_key=public_key, stake=borsh.u128)
        ),
        yield_timeouts=borsh.vector(borsh.record(account_id=borsh.string, data_id=borsh.hash32, expires_at=borsh.u64)),
        delayed_receipts=borsh.u64,
    )


@cache
def outcome() -> Schema:
    """A complete outcome."""
    contract = borsh.union(
        none_0=borsh.nothing, local_1=borsh.hash32, global_2=borsh.hash32, global_by_account_3=borsh.string
    )
    row = borsh.record(group=borsh.u8, number=borsh.u8, gas=borsh.u64)
    return borsh.record(
        id=borsh.hash32,
        receipt_ids=borsh.vector(borsh.hash32),
        gas_burnt=borsh.u64,
        compute_usage=borsh.u64,
        tokens_burnt=borsh.u128,
        executor_id=borsh.string,
        status=borsh.union(failure_1=borsh.blob, success_value_2=borsh.blob, success_receipt_id_3=borsh.hash32),
        logs=borsh.vector(borsh.string),
        metadata_version=borsh.u8,
        profile=borsh.option(borsh.vector(row)),
        contracts=borsh.vector(contract),
    )


@cache
def transition() -> Schema:
    """One block of a bundle."""
    return borsh.record(
        block=block(),
        forward=borsh.boolean,
        transactions=borsh.vector(borsh.blob),
        expired=borsh.vector(borsh.u32),
        receipts=borsh.vector(borsh.blob),
        post_root=borsh.hash32,
        outcomes=borsh.vector(outcome()),
        sent=borsh.vector(borsh.blob),
        changes=borsh.vector(borsh.record(key=borsh.blob, value=borsh.option(borsh.blob))),
        chunk=chunk(),
        nodes=borsh.vector(borsh.u16),
        codes=borsh.vector(borsh.u16),
    )


@cache
def bundle() -> Schema:
    """A whole file."""
    return borsh.record(
        magic=borsh.raw(8),
        version=borsh.u16,
        claim=claim(),
        claim_digest=borsh.hash32,
        validators=borsh.vector(borsh.record(account_id=borsh.string, stake=borsh.u128)),
        minimum_stake=borsh.option(borsh.u128),
        carried=carried(),
        transitions=borsh.vector(transition()),
        nodes=borsh.vector(borsh.blob),
        codes=borsh.vector(borsh.record(hash=borsh.hash32, code=borsh.option(borsh.blob))),
        attachments=borsh.vector(borsh.record(kind=borsh.u8, data=borsh.blob)),
    )


@cache
def key_path() -> Schema:
    """The ways to one changed key."""
    return borsh.record(before=borsh.vector(borsh.u32), after=borsh.vector(borsh.u32))


@cache
def key_paths() -> Schema:
    """An attachment of kind 3."""
    return borsh.record(nodes=borsh.vector(borsh.blob), paths=borsh.vector(borsh.vector(key_path())))


@cache
def chain_file() -> Schema:
    """Several bundles in one file."""
    packed = borsh.record(
        head=borsh.blob,
        nodes=borsh.vector(borsh.u32),
        codes=borsh.vector(borsh.record(hash=borsh.hash32, place=borsh.u32)),
        tail=borsh.blob,
    )
    return borsh.record(
        magic=borsh.raw(8),
        version=borsh.u16,
        nodes=borsh.vector(borsh.blob),
        codes=borsh.vector(borsh.blob),
        bundles=borsh.vector(packed),
    )


def take_apart(data: bytes) -> dict[str, object]:
    """The fields of a bundle as plain values, without judging them. Raises `BadInputError` when it is none."""
    fields: dict[str, object] = borsh.decode(bundle(), data, "bundle", max_bytes=MAX_BUNDLE_BYTES)
    return fields
