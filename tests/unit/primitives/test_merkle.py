"""Merkle trees: nearcore's values (core/primitives/src/merkle.rs, views.rs, neard/res) and properties."""

import json
import pathlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives import base58, merkle
from near_tee_cli.primitives.hashes import ZERO_HASH, sha256

DATA = pathlib.Path(__file__).parent / "data"


def hash_of(text: str) -> bytes:
    return base58.decode(text, 32)


def path_of(items: list[dict[str, str]]) -> list[merkle.PathItem]:
    return [merkle.PathItem(hash_of(item["hash"]), is_left=item["direction"] == "Left") for item in items]


def test_combine() -> None:
    assert (
        merkle.combine(ZERO_HASH, ZERO_HASH).hex() == "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b"
    )


def test_three_items() -> None:
    root, paths = merkle.merklize([n.to_bytes(4, "little") for n in range(3)])
    assert base58.encode(root) == "8hUKhJdFrsRziY49arB27BWpAXFkvjKYqv2wmPMoeWfU"
    assert [len(path) for path in paths] == [2, 2, 1]


def test_no_item_and_one_item() -> None:
    assert merkle.merklize([]) == (ZERO_HASH, [])
    assert merkle.root_of([]) == ZERO_HASH
    assert merkle.merklize([b"x"]) == (sha256(b"x"), [()])


def recursive_root(leaves: list[bytes]) -> bytes:
    if len(leaves) <= 1:
        return leaves[0] if leaves else ZERO_HASH
    half = 1 << ((len(leaves) - 1).bit_length() - 1)
    return sha256(recursive_root(leaves[:half]) + recursive_root(leaves[half:]))


@given(st.lists(st.binary(max_size=8), max_size=40))
def test_roots_paths_and_shapes(items: list[bytes]) -> None:
    root, paths = merkle.merklize(items)
    assert root == merkle.root_of(items) == recursive_root([sha256(item) for item in items])
    for index, (item, path) in enumerate(zip(items, paths, strict=True)):
        assert merkle.verify_path(root, path, item=item)
        assert not merkle.verify_path(root, path, item=item + b"!")
        assert merkle.path_matches_index(path, index, count=len(items))
        assert not merkle.path_matches_index(path, index + 1, count=len(items)) or len(items) == 0


@given(st.integers(1, 60), st.data())
def test_no_two_indices_share_a_shape(count: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, count - 1))
    other = data.draw(st.integers(0, count - 1))
    _, paths = merkle.merklize([bytes([n]) for n in range(count)])
    assert merkle.path_matches_index(paths[index], other, count=count) == (index == other)


def test_index_outside_the_tree() -> None:
    assert not merkle.path_matches_index((), 1, count=1)
    assert not merkle.path_matches_index((), -1, count=1)


def test_paths_of_neighbours_do_not_verify() -> None:
    items = [n.to_bytes(4, "little") for n in (111, 222, 333)]
    root, paths = merkle.merklize(items)
    for index, item in enumerate(items):
        assert not merkle.verify_path(root, paths[(index + 1) % 3], item=item)


@given(st.integers(0, 60))
def test_partial_tree_grows_to_the_same_roots(count: int) -> None:
    tree = merkle.PartialMerkleTree()
    leaves = []
    for n in range(count):
        leaf = sha256(bytes([n]))
        tree.insert(leaf)
        leaves.append(leaf)
    assert tree.root() == merkle.root_of_leaves(leaves) == merkle.merklize_leaves(leaves)[0]
    assert len(tree.path) == count.bit_count()
    again = merkle.PartialMerkleTree(tree.path, tree.size)
    again.insert(ZERO_HASH)
    assert again.root() == merkle.root_of_leaves([*leaves, ZERO_HASH])


def test_partial_tree_of_the_wrong_shape() -> None:
    with pytest.raises(BadInputError, match="3 leaves has 2 hashes, not 1"):
        merkle.PartialMerkleTree([ZERO_HASH], 3)


@given(st.lists(st.tuples(st.binary(min_size=32, max_size=32), st.booleans()), max_size=10), st.binary(max_size=3))
def test_path_bytes_come_back(items: list[tuple[bytes, bool]], before: bytes) -> None:
    path = tuple(merkle.PathItem(sibling, is_left) for sibling, is_left in items)
    data = before + merkle.path_bytes(path)
    assert merkle.read_path(data + b"rest", len(before)) == (path, len(data))
    assert data[len(before) + 4 :: 33] == b"".join(sibling[:1] for sibling, _ in items)


def test_damaged_path_bytes() -> None:
    data = merkle.path_bytes([merkle.PathItem(ZERO_HASH, is_left=True)])
    assert data == b"\1\0\0\0" + ZERO_HASH + b"\0"
    for cut in range(len(data)):
        with pytest.raises(BadInputError, match="cut off"):
            merkle.read_path(data[:cut], 0)
    with pytest.raises(BadInputError, match="neither left nor right"):
        merkle.read_path(data[:-1] + b"\2", 0)
    with pytest.raises(BadInputError, match="4294967295 levels"):
        merkle.read_path(b"\xff" * 4 + data, 0)


def outcome_hashes(outcome_with_id: dict[str, Any]) -> list[bytes]:
    outcome = outcome_with_id["outcome"]
    status, value = next(iter(outcome["status"].items()))
    partial = b"".join(
        [
            len(outcome["receipt_ids"]).to_bytes(4, "little"),
            *map(hash_of, outcome["receipt_ids"]),
            outcome["gas_burnt"].to_bytes(8, "little"),
            int(outcome["tokens_burnt"]).to_bytes(16, "little"),
            len(outcome["executor_id"]).to_bytes(4, "little"),
            outcome["executor_id"].encode(),
            b"\2\0\0\0\0" if (status, value) == ("SuccessValue", "") else b"\3" + hash_of(value),
        ]
    )
    return [hash_of(outcome_with_id["id"]), sha256(partial), *(sha256(log.encode()) for log in outcome["logs"])]


def inner_lite_bytes(inner: dict[str, Any]) -> bytes:
    return b"".join(
        [
            inner["height"].to_bytes(8, "little"),
            hash_of(inner["epoch_id"]),
            hash_of(inner["next_epoch_id"]),
            hash_of(inner["prev_state_root"]),
            hash_of(inner["outcome_root"]),
            int(inner["timestamp_nanosec"]).to_bytes(8, "little"),
            hash_of(inner["next_bp_hash"]),
            hash_of(inner["block_merkle_root"]),
        ]
    )


def block_outcome_root(proof: dict[str, Any]) -> bytes:
    outcome = proof["outcome_proof"]
    shard_root = merkle.root_from_path(path_of(outcome["proof"]), merkle.outcome_leaf(outcome_hashes(outcome)))
    return merkle.root_from_path(path_of(proof["outcome_root_proof"]), sha256(shard_root))


def test_light_client_proof_of_nearcore() -> None:
    proof = json.loads((DATA / "outcome_proof_valid.json").read_text())
    header = proof["block_header_lite"]
    inner = header["inner_lite"]
    assert block_outcome_root(proof) == hash_of(inner["outcome_root"])
    assert inner["outcome_root"] == "55TttfAcnk4VxftNs6Dr7sxmXHc72H5qjP7uzyoDQjkY"
    inner_hash = merkle.combine(sha256(inner_lite_bytes(inner)), hash_of(header["inner_rest_hash"]))
    block_hash = merkle.combine(inner_hash, hash_of(header["prev_block_hash"]))
    assert base58.encode(block_hash) == "HqZHDTHSqH6Az22SZgFUjodGFDtfC2qSt4v9uYFpLuFC"
    root = merkle.root_from_path(path_of(proof["block_proof"]), block_hash)
    assert base58.encode(root) == "BWwZdhAhjAgKxZ5ycqn1CvXads5DjPMfj4kRdc1rWit8"


def test_invalid_light_client_proof_of_nearcore() -> None:
    proof = json.loads((DATA / "outcome_proof_invalid.json").read_text())
    assert base58.encode(block_outcome_root(proof)) == "8dbP9tmdNbw1EvTzts83Ao8VrjxtnhK2bYyg7jPTdiY6"
    header = proof["block_header_lite"]["inner_lite"]
    assert header["outcome_root"] == "6xeVbqxTT5GMEVCyHUpnDkK5tHdZnoNWyidhpU3gWLvS"


def test_two_real_outcomes_of_one_chunk() -> None:
    transaction, receipt = json.loads((DATA / "outcomes_of_one_chunk.json").read_text())
    leaves = [merkle.outcome_leaf(outcome_hashes(outcome)) for outcome in (transaction, receipt)]
    assert [base58.encode(leaf) for leaf in leaves] == [
        "BoQHueiPH9e4C7fkxouV4tFpGZ4hK5fJhKQnPBWwPazS",
        "HDgWEk2okmDdAFAVf6ffxGBH6F6vdLM1X3H5Fmaafe4S",
    ]
    for outcome, leaf in zip((transaction, receipt), leaves, strict=True):
        root = merkle.root_from_path(path_of(outcome["proof"]), leaf)
        assert base58.encode(root) == "DYm1Yqs94WgSDRUPNYfHWsoQ6rDRYBEiXdwRCRTJsVp1"
