"""The bandwidth scheduler: parameters, requests and the record of a chain of one shard."""

import pytest

from near_tee_cli.errors import BadInputError, InconsistentStateError
from near_tee_cli.params.store import config_at
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.runtime import bandwidth
from near_tee_cli.runtime.block import BandwidthRequest
from near_tee_cli.state import keys
from near_tee_cli.state.overlay import Overlay
from near_tee_cli.state.store import MemoryStore
from near_tee_cli.state.trie import EMPTY_ROOT, Trie

CONFIG = config_at(86)
FIRST_STATE = (
    "000100000000000000000000000000000000000000802343000000000090366329a306885e44e53c49426e0eeba415df29c8e68e1093"
    "dda0a66030331a"
)


def empty_state() -> Overlay:
    return Overlay(Trie(MemoryStore(), EMPTY_ROOT))


def test_base_bandwidth_and_values() -> None:
    assert bandwidth.base_bandwidth(CONFIG, shards=1) == 100_000
    assert bandwidth.base_bandwidth(CONFIG, shards=6) == 61_139
    values = bandwidth.request_values(CONFIG, shards=6)
    assert values[:3] == [164_468, 267_797, 371_126]
    assert values[-1] == 4_194_304
    assert len(values) == 40


def test_record_of_the_first_chunk() -> None:
    state = empty_state()
    assert bandwidth.run_scheduler(state, CONFIG, requests=()) == 4_500_000
    data = state.get(keys.bandwidth_scheduler_state())
    assert data is not None
    assert data.hex() == FIRST_STATE
    decoded = bandwidth.decode_state(data)
    assert decoded.links == (bandwidth.Link(0, 0, 4_400_000),)
    assert bandwidth.encode_state(decoded) == data


def test_the_hash_goes_on_from_block_to_block() -> None:
    state = empty_state()
    bandwidth.run_scheduler(state, CONFIG, requests=())
    first = bandwidth.decode_state(state.get(keys.bandwidth_scheduler_state()) or b"")
    bandwidth.run_scheduler(state, CONFIG, requests=())
    second = bandwidth.decode_state(state.get(keys.bandwidth_scheduler_state()) or b"")
    shards = sha256(b"\1\0\0\0" + bytes(8))
    assert second.sanity_check_hash == sha256(first.sanity_check_hash + shards)
    assert second.links == first.links


def test_a_request_lowers_the_allowance() -> None:
    state = empty_state()
    request = bandwidth.request_for(CONFIG, [200_000])
    assert request == BandwidthRequest(0, b"\1\0\0\0\0")
    assert bandwidth.run_scheduler(state, CONFIG, requests=(request,)) == 4_500_000
    decoded = bandwidth.decode_state(state.get(keys.bandwidth_scheduler_state()) or b"")
    assert decoded.links[0].allowance == 4_400_000 - (4_194_304 - 100_000) // 40


@pytest.mark.parametrize(
    ("sizes", "bits"),
    [
        ([], None),
        ([100_000], None),
        ([50_000, 50_001], 1),
        ([202_358], 2),
        ([202_357, 1], 3),
        ([9_999_999], 1 << 39),
        ([4_194_304, 1], 1 << 39),
    ],
)
def test_requests(sizes, bits) -> None:
    request = bandwidth.request_for(CONFIG, sizes)
    assert (None if request is None else int.from_bytes(request.bitmap, "little")) == bits


@pytest.mark.parametrize("data", [b"", b"\1" + bytes(36), bytes(36), bytes(38)])
def test_malformed_record(data) -> None:
    with pytest.raises(BadInputError):
        bandwidth.decode_state(data)
    state = empty_state()
    state.set(keys.bandwidth_scheduler_state(), data)
    with pytest.raises(InconsistentStateError):
        bandwidth.run_scheduler(state, CONFIG, requests=())
