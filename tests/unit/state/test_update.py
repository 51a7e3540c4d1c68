"""Updates: canonical shape, memory usage, and exactly which nodes are read on the way."""

import pytest

from near_tee_cli.errors import BadInputError, MissingNodeError
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.state.build import build, root_of
from near_tee_cli.state.node import Branch, Extension, Leaf, ValueRef, decode, encode, leaf_memory
from near_tee_cli.state.recorder import Recorder
from near_tee_cli.state.store import MemoryStore
from near_tee_cli.state.trie import EMPTY_ROOT, Trie
from near_tee_cli.state.witness import WitnessStore

PAIR = {b"doge": b"coin", b"docu": b"value"}
BASE = {b"\x07": b"\x01", b"\x07\x00": b"\x02", b"\x07\x01": b"\x03"}


def updated(items, changes):
    """(new root, recorder) of an update that is checked in every way that does not depend on the case."""
    root, store = build(items)
    recorder = Recorder()
    new_root, nodes = Trie(store, root, recorder=recorder).update(changes)
    expected = {**items, **changes}
    assert new_root == root_of({key: value for key, value in expected.items() if value is not None})
    for item_hash, data in nodes.items():
        assert sha256(data) == item_hash
    witness = WitnessStore(recorder.nodes.values())
    assert Trie(witness, root).update(changes)[0] == new_root
    assert witness.unread() == []
    for item in recorder.nodes:
        lacking = WitnessStore(data for item_hash, data in recorder.nodes.items() if item_hash != item)
        with pytest.raises(MissingNodeError) as error:
            Trie(lacking, root).update(changes)
        assert error.value.node_hash == item
        assert error.value.root == root
    return new_root, recorder


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        # nearcore: test_trie_recording_reads_update
        ({b"doge": None}, 4),  # extension, branch and both leaves: the branch collapses into the other leaf
        ({b"dodo": b"asdf"}, 2),  # extension and branch; a new child needs no neighbour
        # By the same rules.
        ({}, 1),  # the root, always
        ({b"doge": b"coin"}, 3),  # the same value again still walks the path
        ({b"doge": b"other"}, 3),
        ({b"x": None}, 1),  # an absent key, as far as it goes
        ({b"dogf": None}, 3),
        ({b"dod": None}, 2),
        ({b"doc": b"1"}, 3),  # becomes the value of a branch above an old leaf
        ({b"dogee": b"1"}, 3),
        ({b"a": b"1"}, 1),  # splits the extension at the top
        ({b"d": b"1"}, 1),
        ({b"doge": None, b"docu": None}, 4),
    ],
)
def test_reads_of_an_update(changes, count):
    _, recorder = updated(PAIR, changes)
    assert len(recorder.nodes) == count
    assert not {sha256(value) for value in PAIR.values()} & set(recorder.nodes)


def test_a_deletion_is_squashed_before_the_next_key():
    # nearcore: test_memtrie_recorded_branch_restructuring. Inserting `0706` afterwards would have kept the branch.
    root, store = build(BASE)
    branch = decode(store.load(root))
    _, recorder = updated(BASE, {b"\x07": b"\x0a", b"\x07\x00": None, b"\x07\x06": b"\x08"})
    assert isinstance(branch, Extension)
    leaf = encode(Leaf("", ValueRef(1, sha256(b"\x03")), leaf_memory(1, 1)))
    assert sha256(leaf) in recorder.nodes
    _, recorder = updated(BASE, {b"\x07": b"\x0a", b"\x07\x06": b"\x08"})
    assert sha256(leaf) not in recorder.nodes


def test_deleting_an_absent_key_reads_no_neighbours():
    # nearcore: test_memtrie_recorded_delete_non_existent_key
    _, recorder = updated(BASE, {b"\x08": None})
    assert len(recorder.nodes) == 1


def test_a_branch_that_keeps_two_children_reads_no_neighbours():
    items = {**PAIR, b"dodo": b"3"}
    _, recorder = updated(items, {b"doge": None})
    assert len(recorder.nodes) == 3


def test_a_branch_that_keeps_its_value_and_a_child_reads_no_neighbours():
    items = {b"\x11": b"1", b"\x11\x22": b"2", b"\x11\x33": b"3"}
    _, recorder = updated(items, {b"\x11\x22": None})
    assert len(recorder.nodes) == 3  # extension, branch, the leaf that goes; not the leaf that stays


def test_clearing_the_value_of_a_branch_with_one_child_reads_that_child():
    items = {b"\x11": b"1", b"\x11\x22": b"2"}
    _, recorder = updated(items, {b"\x11": None})
    assert len(recorder.nodes) == 3


@pytest.mark.parametrize(
    ("others", "becomes"),
    [
        ({b"\x10\x00": b"1"}, Leaf),
        ({b"\x10\x00": b"1", b"\x11\x00": b"2"}, Extension),  # the child was a branch
        ({b"\x10\x00": b"1", b"\x10\x01": b"2"}, Extension),  # the child was an extension
        ({b"\x10": b"1", b"\x10\x01": b"2"}, Extension),
        ({b"": b"1"}, Leaf),  # the branch's own value is left
        ({b"": b"1", b"\x10": b"2"}, Branch),
        ({b"\x10": b"1", b"\x30": b"2"}, Branch),
    ],
)
def test_a_branch_that_loses_a_child_becomes_what_is_left(others, becomes):
    root, store = build({**others, b"\x20\x05": b"goes"})
    new_root, nodes = Trie(store, root).update({b"\x20\x05": None})
    assert isinstance(decode(nodes[new_root]), becomes)
    updated({**others, b"\x20\x05": b"goes"}, {b"\x20\x05": None})
    # The same below an extension, which joins with what is left.
    deep = {b"\x77" + key: value for key, value in others.items()}
    updated({**deep, b"\x77\x20\x05": b"goes"}, {b"\x77\x20\x05": None})


def test_removing_everything_leaves_the_empty_trie():
    new_root, _ = updated(PAIR, dict.fromkeys(PAIR))
    assert new_root == EMPTY_ROOT


def test_updates_of_the_empty_trie_read_nothing():
    recorder = Recorder()
    trie = Trie(MemoryStore(), EMPTY_ROOT, recorder=recorder)
    assert trie.update({}) == (EMPTY_ROOT, {})
    assert trie.update({b"key": None}) == (EMPTY_ROOT, {})
    root, nodes = trie.update({b"key": b"value"})
    assert root == root_of({b"key": b"value"})
    assert len(nodes) == 2
    assert recorder.nodes == {}


def test_keys_are_handled_in_ascending_order_however_they_come():
    changes = {b"\x07\x06": b"\x08", b"\x07\x00": None, b"\x07": b"\x0a"}
    _, recorder = updated(BASE, changes)
    _, ordered = updated(BASE, dict(sorted(changes.items())))
    assert list(recorder.nodes) == list(ordered.nodes)


def memory_is_consistent(store, node_hash):
    """Whether every node's memory usage is its own and its children's; returns it."""
    pending = [node_hash]
    usage = {}
    while pending:
        item = pending[-1]
        node = decode(store.load(item))
        if isinstance(node, Leaf):
            direct, below = leaf_memory(1 + len(node.path) // 2, node.value.length), []
        elif isinstance(node, Extension):
            direct, below = 50 + 2 * (1 + len(node.path) // 2), [node.child]
        else:
            direct = 50 + (0 if node.value is None else node.value.length + 50)
            below = [child for child in node.children if child is not None]
        unknown = [child for child in below if child not in usage]
        if unknown:
            pending.extend(unknown)
            continue
        usage[item] = direct + sum(usage[child] for child in below)
        assert node.memory_usage == usage[item]
        pending.pop()
    return usage[node_hash]


def test_memory_usage_after_edits_of_every_kind():
    items = {bytes([a, b]): bytes(a) for a in (0x10, 0x11, 0x20) for b in (0x00, 0x01, 0x10)}
    root, store = build(items)
    for changes in (
        {b"\x10\x00": b"longer than before"},
        {b"\x10": b"1", b"\x11": b"2"},
        {b"\x10\x00": None, b"\x10\x01": None, b"\x10\x10": None},
        {b"\x30\x30\x30": b"far", b"\x30\x30": b"", b"\x11\x00\x00": b"x"},
        {b"\x30\x30\x30": None, b"\x11": None},
    ):
        root, nodes = Trie(store, root).update(changes)
        store.update(nodes)
        memory_is_consistent(store, root)


# Memory usage is data of the root: subtrees that are not read are trusted to be what their parents say.


def odd_trie(child_memory, root_memory):
    """A branch over two leaves whose memory usages are whatever they are."""
    store = MemoryStore()
    leaves = [
        store.add(encode(Leaf("1", ValueRef(1, sha256(value)), memory)))
        for value, memory in ((b"a", child_memory), (b"b", 103))
    ]
    root = store.add(encode(Branch((*leaves, *[None] * 14), None, root_memory)))
    return store, root


@pytest.mark.parametrize(
    ("child_memory", "root_memory", "expected"),
    [
        (103, 256, 256 - 103 + 105),  # consistent
        (203, 356, 356 - 203 + 105),  # what the child said goes, what it says now comes
        (103, 1000, 1000 - 103 + 105),
        (103, 100, 105),  # never below zero
        (13, 7, 50 - 13 + 105),  # a node never counts for less than itself
        (2**64 - 1, 256, 105),
        (103, 2**64 - 3, 2**64 - 1),
    ],
)
def test_memory_usage_of_unread_children_is_what_their_parent_says(child_memory, root_memory, expected):
    store, root = odd_trie(child_memory, root_memory)
    new_root, nodes = Trie(store, root).update({b"\x01": b"aaa"})
    assert decode(nodes[new_root]).memory_usage == expected


def test_memory_usage_beyond_a_u64_is_refused():
    store, root = odd_trie(103, 2**64 - 1)
    with pytest.raises(BadInputError) as error:
        Trie(store, root).update({b"\x01": b"aaa"})
    assert error.value.code == "malformed-node"
