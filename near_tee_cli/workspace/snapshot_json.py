"""Snapshots as JSON, schema `near-tee/snapshot/v1`.

One member to a line, one record to a line, members in alphabetical order: the same state gives the same text, and a
line-by-line difference of two texts is a difference of states.
"""

from collections.abc import Mapping

from near_tee_cli.errors import BadInputError, UnsupportedError
from near_tee_cli.primitives import base58
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.primitives.integers import U16_MAX, U32_MAX
from near_tee_cli.primitives.schema.receipt import Receipt, decode_receipt, encode_receipt
from near_tee_cli.runtime.block import NO_CONGESTION, BandwidthRequest, BlockContext, ChainContext, CongestionInfo
from near_tee_cli.workspace.cases import DEFAULT_CHAIN_ID, parse_hash, parse_rows, parse_validators
from near_tee_cli.workspace.rows_json import read_rows, rows_json
from near_tee_cli.workspace.snapshots import MAX_ROWS, Snapshot

SCHEMA = "near-tee/snapshot/v1"

_REQUIRED = ("schema", "protocol_version")
_OPTIONAL = (
    "bandwidth_requests", "block", "chain_id", "congestion_info", "minimum_stake", "raw", "receipts", "records",
    "state_root", "validators",
)  # fmt: skip
_BLOCK = (
    "height", "timestamp", "prev_block_hash", "random_seed", "epoch_id", "epoch_height", "gas_price", "gas_limit",
    "is_new_chunk", "proof_size_limit",
)  # fmt: skip
_CONGESTION = ("allowed_shard", "buffered_receipts_gas", "delayed_receipts_gas", "receipt_bytes")
_BITMAP_BYTES = 5


def is_snapshot(document: object) -> bool:
    """Whether a parsed JSON document says that it is a snapshot, of whichever version."""
    return isinstance(document, dict) and str(document.get("schema", "")).startswith("near-tee/snapshot/")


def parse_snapshot(document: object) -> Snapshot:
    """The snapshot in a parsed JSON document.

    Raises `BadInputError` for anything malformed and `UnsupportedError` for another version of the schema.
    """
    found = cj.mapping(document, "snapshot")
    if found.get("schema") != SCHEMA:
        if is_snapshot(document):
            raise UnsupportedError(
                f"snapshot schema {cj.shown(found['schema'])} is not known, only {SCHEMA}", what="snapshot-schema"
            )
        raise BadInputError(f"not a snapshot: schema is {cj.shown(found.get('schema'))}", code="not-a-snapshot")
    get = cj.members(found, "snapshot", required=_REQUIRED, optional=_OPTIONAL).get
    records = cj.array(get("records", []), "records")
    raw = parse_rows(get("raw", []), "raw")
    if len(records) + len(raw) > MAX_ROWS:
        raise BadInputError(f"a snapshot of {len(records) + len(raw)} rows, at most {MAX_ROWS} are read",
                            code="too-large")  # fmt: skip
    validators = parse_validators(get("validators", {}), "validators")
    minimum_stake = get("minimum_stake")
    state_root = get("state_root")
    block = get("block")
    congestion_info = get("congestion_info")
    return Snapshot(
        protocol_version=cj.integer(get("protocol_version"), "protocol_version", bound=U32_MAX),
        chain=ChainContext(
            chain_id=cj.string(get("chain_id", DEFAULT_CHAIN_ID), "chain_id"),
            validators=tuple(sorted(validators.items())),
            minimum_stake=None if minimum_stake is None else cj.decimal(minimum_stake, "minimum_stake"),
        ),
        rows=read_rows(records, raw),
        block=None if block is None else parse_block(block, "block"),
        in_flight=_receipts(get("receipts", []), "receipts"),
        congestion_info=NO_CONGESTION if congestion_info is None else _congestion(congestion_info, "congestion_info"),
        bandwidth_requests=_requests(get("bandwidth_requests", []), "bandwidth_requests"),
        state_root=None if state_root is None else parse_hash(state_root, "state_root"),
    )


def parse_block(value: object, where: str) -> BlockContext:
    """A block context. Raises `BadInputError` with the place."""
    members = cj.members(value, where, required=_BLOCK)
    gas_limit, proof_size_limit = members["gas_limit"], members["proof_size_limit"]
    return BlockContext(
        height=cj.integer(members["height"], f"{where}.height"),
        timestamp=cj.integer(members["timestamp"], f"{where}.timestamp"),
        prev_block_hash=parse_hash(members["prev_block_hash"], f"{where}.prev_block_hash"),
        random_seed=parse_hash(members["random_seed"], f"{where}.random_seed"),
        epoch_id=parse_hash(members["epoch_id"], f"{where}.epoch_id"),
        epoch_height=cj.integer(members["epoch_height"], f"{where}.epoch_height"),
        gas_price=cj.decimal(members["gas_price"], f"{where}.gas_price"),
        gas_limit=None if gas_limit is None else cj.integer(gas_limit, f"{where}.gas_limit"),
        is_new_chunk=cj.boolean(members["is_new_chunk"], f"{where}.is_new_chunk"),
        proof_size_limit=(
            None if proof_size_limit is None else cj.integer(proof_size_limit, f"{where}.proof_size_limit")
        ),
    )


def block_json(block: BlockContext) -> dict[str, object]:
    """A block context as JSON."""
    return {
        "height": block.height,
        "timestamp": block.timestamp,
        "prev_block_hash": base58.encode(block.prev_block_hash),
        "random_seed": base58.encode(block.random_seed),
        "epoch_id": base58.encode(block.epoch_id),
        "epoch_height": block.epoch_height,
        "gas_price": str(block.gas_price),
        "gas_limit": block.gas_limit,
        "is_new_chunk": block.is_new_chunk,
        "proof_size_limit": block.proof_size_limit,
    }


def _receipts(value: object, where: str) -> tuple[Receipt, ...]:
    receipts = []
    for position, item in enumerate(cj.array(value, where)):
        place = f"{where}[{position}]"
        raw = cj.base64(item, place)
        try:
            receipt = decode_receipt(raw)
        except BadInputError as error:
            raise BadInputError(f"{place}: {error.message}", code="bad-field", where=place) from error
        if encode_receipt(receipt) != raw:
            raise BadInputError(f"{place} is not in the one encoding of its receipt", code="bad-field", where=place)
        receipts.append(receipt)
    return tuple(receipts)


def _congestion(value: object, where: str) -> CongestionInfo:
    members = cj.members(value, where, required=_CONGESTION)
    return CongestionInfo(
        delayed_receipts_gas=cj.decimal(members["delayed_receipts_gas"], f"{where}.delayed_receipts_gas"),
        buffered_receipts_gas=cj.decimal(members["buffered_receipts_gas"], f"{where}.buffered_receipts_gas"),
        receipt_bytes=cj.integer(members["receipt_bytes"], f"{where}.receipt_bytes"),
        allowed_shard=cj.integer(members["allowed_shard"], f"{where}.allowed_shard", bound=U16_MAX),
    )


def _requests(value: object, where: str) -> tuple[BandwidthRequest, ...]:
    requests = []
    for position, item in enumerate(cj.array(value, where)):
        place = f"{where}[{position}]"
        members = cj.members(item, place, required=("bitmap", "to_shard"))
        bitmap = cj.base64(members["bitmap"], f"{place}.bitmap")
        if len(bitmap) != _BITMAP_BYTES:
            raise BadInputError(f"{place}.bitmap has {len(bitmap)} bytes, expected {_BITMAP_BYTES}", code="bad-field",
                                where=f"{place}.bitmap")  # fmt: skip
        to_shard = cj.integer(members["to_shard"], f"{place}.to_shard", bound=U16_MAX)
        requests.append(BandwidthRequest(to_shard, bitmap))
    return tuple(requests)


def snapshot_json(snapshot: Snapshot) -> bytes:
    """The text of a snapshot."""
    records, raw = rows_json(snapshot.rows)
    info = snapshot.congestion_info
    members: Mapping[str, object] = {
        "schema": SCHEMA,
        "protocol_version": snapshot.protocol_version,
        "chain_id": snapshot.chain.chain_id,
        "validators": {account_id: str(stake) for account_id, stake in snapshot.chain.validators},
        "minimum_stake": None if snapshot.chain.minimum_stake is None else str(snapshot.chain.minimum_stake),
        "block": None if snapshot.block is None else block_json(snapshot.block),
        "state_root": None if snapshot.state_root is None else base58.encode(snapshot.state_root),
        "receipts": [cj.base64_text(encode_receipt(receipt)) for receipt in snapshot.in_flight],
        "congestion_info": {
            "delayed_receipts_gas": str(info.delayed_receipts_gas),
            "buffered_receipts_gas": str(info.buffered_receipts_gas),
            "receipt_bytes": info.receipt_bytes,
            "allowed_shard": info.allowed_shard,
        },
        "bandwidth_requests": [
            {"to_shard": request.to_shard, "bitmap": cj.base64_text(request.bitmap)}
            for request in snapshot.bandwidth_requests
        ],
        "records": records,
        "raw": raw,
    }
    lines = [b'"%s":%s' % (name.encode(), _member(members[name])) for name in sorted(members)]
    return b"{\n" + b",\n".join(lines) + b"\n}\n"


def _member(value: object) -> bytes:
    """A value on one line, or an array with each item on its own."""
    if isinstance(value, list) and value:
        return b"[\n" + b",\n".join(cj.dumps(item)[:-1] for item in value) + b"\n]"
    return cj.dumps(value)[:-1]
