"""Snapshots as Borsh: small, and read without parsing text. `docs/snapshot-format.md` has the layout.

There is one encoding of one snapshot: rows and validators stand in ascending order, nothing is left over.
"""

from struct import unpack_from

from near_tee_cli.errors import BadInputError, UnsupportedError
from near_tee_cli.primitives.schema.receipt import decode_receipt, encode_receipt
from near_tee_cli.primitives.schema.wire import (
    blob,
    optional,
    read_account_id,
    read_blob,
    read_hash,
    read_option,
    read_string,
    read_u32,
    read_u128,
    read_vector,
    string,
    u16,
    u32,
    u128,
    vector,
    whole,
)
from near_tee_cli.proof.claim import encode_block, read_block
from near_tee_cli.proof.results import encode_congestion, encode_request, read_congestion, read_request
from near_tee_cli.runtime.block import ChainContext
from near_tee_cli.runtime.genesis import Rows
from near_tee_cli.workspace.snapshots import MAX_BYTES, MAX_ROWS, Snapshot

MAGIC = b"near-nts"
"""The first eight bytes."""

VERSION = 1
"""The version that is written, a `u16` behind the magic."""

_HEAD = len(MAGIC) + 2
_MIN_ROW_BYTES = 8


def is_snapshot(data: bytes) -> bool:
    """Whether `data` says that it is a snapshot in Borsh, of whichever version."""
    return data.startswith(MAGIC)


def snapshot_borsh(snapshot: Snapshot) -> bytes:
    """The bytes of a snapshot."""
    block = snapshot.block
    minimum_stake = snapshot.chain.minimum_stake
    rows = snapshot.rows
    return b"".join(
        (
            MAGIC,
            u16(VERSION),
            u32(snapshot.protocol_version),
            string(snapshot.chain.chain_id),
            vector(string(account_id) + u128(stake) for account_id, stake in snapshot.chain.validators),
            optional(None if minimum_stake is None else u128(minimum_stake)),
            optional(None if block is None else encode_block(block)),
            optional(snapshot.state_root),
            vector(blob(encode_receipt(receipt)) for receipt in snapshot.in_flight),
            encode_congestion(snapshot.congestion_info),
            vector(map(encode_request, snapshot.bandwidth_requests)),
            u32(len(rows)),
            *(blob(key) + blob(value) for key, value in sorted(rows.items())),
        )
    )


def parse_snapshot(data: bytes) -> Snapshot:
    """The snapshot in `data`, all of it.

    Raises `BadInputError` for anything malformed and `UnsupportedError` for another version.
    """
    if len(data) > MAX_BYTES:
        raise BadInputError(f"a snapshot of {len(data)} bytes, at most {MAX_BYTES} are read", code="too-large")
    if len(data) >= _HEAD:
        version = unpack_from("<H", data, len(MAGIC))[0]
        if version != VERSION:
            raise UnsupportedError(f"snapshot version {version} is not known, only {VERSION}", what="snapshot-version")
    try:
        snapshot = whole(data, _read, what="snapshot")
    except BadInputError as error:
        inner = error.__cause__
        doubled = isinstance(inner, BadInputError) and inner.code == "duplicate-key"
        code = "duplicate-key" if doubled else "malformed-snapshot"
        raise BadInputError(error.message, code=code) from error
    if snapshot_borsh(snapshot) != data:
        raise BadInputError("snapshot: not in the one encoding of its content", code="malformed-snapshot")
    return snapshot


def _read(data: bytes, at: int) -> tuple[Snapshot, int]:
    protocol_version, at = read_u32(data, at + _HEAD)
    chain_id, at = read_string(data, at)
    validators, at = read_vector(data, at, _read_validator)
    minimum_stake, at = read_option(data, at, read_u128)
    block, at = read_option(data, at, read_block)
    state_root, at = read_option(data, at, read_hash)
    receipts, at = read_vector(data, at, read_blob)
    congestion_info, at = read_congestion(data, at)
    requests, at = read_vector(data, at, read_request)
    rows, at = _read_rows(data, at)
    return Snapshot(
        protocol_version=protocol_version,
        chain=ChainContext(chain_id, tuple(sorted(dict(validators).items())), minimum_stake),
        rows=rows,
        block=block,
        in_flight=tuple(map(decode_receipt, receipts)),
        congestion_info=congestion_info,
        bandwidth_requests=requests,
        state_root=state_root,
    ), at


def _read_validator(data: bytes, at: int) -> tuple[tuple[str, int], int]:
    account_id, at = read_account_id(data, at)
    stake, at = read_u128(data, at)
    return (account_id, stake), at


def _read_rows(data: bytes, at: int) -> tuple[Rows, int]:
    count, at = read_u32(data, at)
    if count > MAX_ROWS or count * _MIN_ROW_BYTES > len(data) - at:
        raise BadInputError(f"{count} rows in {len(data) - at} bytes, at most {MAX_ROWS} are read")
    rows: Rows = {}
    for _ in range(count):
        key, at = read_blob(data, at)
        value, at = read_blob(data, at)
        if key in rows:
            raise BadInputError(f"the trie key {key.hex()} is there twice", code="duplicate-key")
        rows[key] = value
    return rows, at
