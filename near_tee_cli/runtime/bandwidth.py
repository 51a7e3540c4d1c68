"""The bandwidth scheduler, as a chain of one shard runs it.

Every block grants each shard bytes to send, by allowances that are kept in the state. With a single shard there is
one link, from the shard to itself; nothing has to be shuffled, and whatever is not granted on request is granted at
the end. What remains is the record that changes in every block, whether or not it has a chunk.

Mirrors nearcore: runtime/runtime/src/bandwidth_scheduler/mod.rs, runtime/runtime/src/bandwidth_scheduler/scheduler.rs
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from near_tee_cli.errors import BadInputError, UnsupportedError
from near_tee_cli.params.config import RuntimeConfig
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.integers import saturating_sub
from near_tee_cli.primitives.schema.wire import NO_HASH, read_hash, read_u64, read_vector, u32, u64, whole
from near_tee_cli.runtime.block import SHARD_ID, BandwidthRequest
from near_tee_cli.runtime.rows import decoded
from near_tee_cli.state import keys
from near_tee_cli.state.overlay import Overlay

VALUES = 40
"""Sizes that a request can ask for."""

_SHARDS = 1


class Link(NamedTuple):
    """How much more a shard may be granted for sending to another, in bytes."""

    sender: int
    receiver: int
    allowance: int


class SchedulerState(NamedTuple):
    """What the scheduler keeps from block to block; the hash shows that all shards saw the same."""

    links: tuple[Link, ...]
    sanity_check_hash: bytes


_NO_STATE = SchedulerState((), NO_HASH)
_SHARDS_HASH = sha256(u32(_SHARDS) + u64(SHARD_ID))


def base_bandwidth(config: RuntimeConfig, *, shards: int) -> int:
    """Bytes that every link is granted without asking."""
    spare = config.max_shard_bandwidth - config.max_single_grant
    return min(config.max_base_bandwidth, spare // max(1, shards - 1))


def request_values(config: RuntimeConfig, *, shards: int) -> list[int]:
    """The sizes that the bits of a request stand for."""
    base = base_bandwidth(config, shards=shards)
    span = config.max_single_grant - base
    return [base + span * (step + 1) // VALUES for step in range(VALUES)]


def run_scheduler(state: Overlay, config: RuntimeConfig, *, requests: Sequence[BandwidthRequest]) -> int:
    """Write the scheduler's record for this block; the bytes that the shard may send to itself."""
    data = state.get(keys.bandwidth_scheduler_state())
    old = _NO_STATE if data is None else decoded(decode_state, data, key=keys.bandwidth_scheduler_state())
    allowance = next((link.allowance for link in old.links if link[:2] == (SHARD_ID, SHARD_ID)), 0)
    allowance = min(allowance + config.max_shard_bandwidth // _SHARDS, config.max_allowance)
    budget = config.max_shard_bandwidth
    base = base_bandwidth(config, shards=_SHARDS)
    for increase in [base, *_increases(config, requests, base=base)]:
        if increase > budget:
            break
        budget -= increase
        allowance = saturating_sub(allowance, increase)
    new = SchedulerState((Link(SHARD_ID, SHARD_ID, allowance),), sha256(old.sanity_check_hash + _SHARDS_HASH))
    state.set(keys.bandwidth_scheduler_state(), encode_state(new))
    # What was neither base nor requested is distributed without lowering the allowance: with one link, all of it.
    return config.max_shard_bandwidth


def request_for(config: RuntimeConfig, sizes: Iterable[int]) -> BandwidthRequest | None:
    """The request that a buffer of receipt groups with these `sizes` (bytes) makes, `None` if the base is enough."""
    values = request_values(config, shards=_SHARDS)
    base = base_bandwidth(config, shards=_SHARDS)
    total = bits = position = 0
    for size in sizes:
        total += min(size, config.max_receipt_size)
        if total <= base:
            continue
        while position < VALUES and values[position] < total:
            position += 1
        if position == VALUES:
            break
        bits |= 1 << position
    return BandwidthRequest(SHARD_ID, bits.to_bytes(VALUES // 8, "little")) if bits else None


def _increases(config: RuntimeConfig, requests: Sequence[BandwidthRequest], *, base: int) -> list[int]:
    """What each set bit asks for beyond the one before."""
    if len(requests) > 1:
        raise UnsupportedError("bandwidth requests to several shards are not implemented", what="shards")
    values = request_values(config, shards=_SHARDS)
    increases = []
    reached = base
    for request in requests:
        bits = int.from_bytes(request.bitmap, "little")
        for position, value in enumerate(values):
            if bits >> position & 1 and value > reached:
                increases.append(value - reached)
                reached = value
    return increases


def encode_state(state: SchedulerState) -> bytes:
    """Borsh, version 1."""
    links = b"".join(u64(sender) + u64(receiver) + u64(allowance) for sender, receiver, allowance in state.links)
    return b"\0" + u32(len(state.links)) + links + state.sanity_check_hash


def decode_state(data: bytes) -> SchedulerState:
    """The record that `data` encodes. Raises `BadInputError` when it is none."""
    return whole(data, _read_state, what="bandwidth scheduler state")


def _read_state(data: bytes, at: int) -> tuple[SchedulerState, int]:
    if data[at] != 0:
        raise BadInputError(f"unknown version {data[at]}")
    links, at = read_vector(data, at + 1, _read_link)
    sanity_check_hash, at = read_hash(data, at)
    return SchedulerState(links, sanity_check_hash), at


def _read_link(data: bytes, at: int) -> tuple[Link, int]:
    sender, at = read_u64(data, at)
    receiver, at = read_u64(data, at)
    allowance, at = read_u64(data, at)
    return Link(sender, receiver, allowance), at
