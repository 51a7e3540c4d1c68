"""Lookup and iteration, and what each of them records."""

import pytest

from near_tee_cli.errors import BadInputError, MissingNodeError
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.state.build import build
from near_tee_cli.state.node import Branch, Extension, Leaf, ValueRef, decode, encode
from near_tee_cli.state.recorder import Recorder, TouchCounter
from near_tee_cli.state.store import MemoryStore
from near_tee_cli.state.trie import EMPTY_ROOT, Trie
from near_tee_cli.state.witness import WitnessStore

PAIR = {b"doge": b"coin", b"docu": b"value"}
SIX = {**PAIR, b"do": b"verb", b"horse": b"stallion", b"dog": b"puppy", b"h": b"value"}


def recording(items):
    root, store = build(items)
    recorder = Recorder()
    return Trie(store, root, recorder=recorder), recorder


def nodes_of(store):
    """The nodes by what they are, for tests that know every node of a small trie."""
    found = {}
    for item in store:
        try:
            found[item] = decode(store.load(item))
        except BadInputError:
            continue
    return found


def test_every_key_is_found_and_no_other():
    trie, _ = recording(SIX)
    for key, value in SIX.items():
        assert trie.get(key) == value
        assert trie.ref(key) == ValueRef(len(value), sha256(value))
    for key in (b"", b"d", b"dod", b"dogf", b"dogee", b"horsf", b"hors", b"i", b"\xff", b"ho", b"doc"):
        assert trie.get(key) is None
        assert trie.ref(key) is None


def test_the_empty_trie_has_no_keys_and_reads_nothing():
    recorder = Recorder()
    trie = Trie(MemoryStore(), EMPTY_ROOT, recorder=recorder)
    touches = TouchCounter()
    assert trie.ref(b"key", touches) is None
    assert list(trie.iter_prefix(b"")) == []
    assert (recorder.size, touches.db, touches.mem) == (0, 0, 0)


def test_reading_records_the_path_and_the_value():
    # nearcore: test_trie_recording_reads_update
    trie, recorder = recording(PAIR)
    trie.get(b"doge")
    assert len(recorder.nodes) == 4  # extension, branch, one leaf, the value
    assert recorder.size == sum(map(len, recorder.nodes.values())) == 48 + 75 + 51 + 4
    trie.get(b"doge")
    assert recorder.size == 178


def test_asking_for_length_or_presence_records_no_value():
    trie, recorder = recording(PAIR)
    assert trie.ref(b"doge") == ValueRef(4, sha256(b"coin"))
    assert len(recorder.nodes) == 3
    assert sha256(b"coin") not in recorder.nodes


@pytest.mark.parametrize(
    ("key", "count"),
    [
        (b"a", 1),  # leaves the extension
        (b"do", 1),  # ends inside the extension
        (b"doa", 2),  # leaves the branch above both leaves
        (b"dohe", 2),
        (b"dogf", 3),  # ends at a leaf of another key
        (b"dog", 3),
        (b"dogee", 3),
    ],
)
def test_absence_records_the_nodes_that_prove_it(key, count):
    trie, recorder = recording(PAIR)
    assert trie.get(key) is None
    assert len(recorder.nodes) == count
    assert Trie(WitnessStore(recorder.nodes.values()), trie.root).get(key) is None


def test_a_recorded_trie_answers_what_was_read_and_nothing_else():
    # nearcore: test_trie_recording_reads
    trie, recorder = recording(SIX)
    trie.get(b"dog")
    trie.get(b"horse")
    replay = Trie(WitnessStore(recorder.nodes.values()), trie.root)
    assert replay.get(b"dog") == b"puppy"
    assert replay.get(b"horse") == b"stallion"
    with pytest.raises(MissingNodeError) as error:
        replay.get(b"doge")
    assert error.value.root == trie.root
    assert error.value.key == b"doge"
    assert error.value.node_hash not in recorder.nodes


def test_a_value_that_was_not_read_is_missing():
    trie, recorder = recording(PAIR)
    trie.ref(b"doge")
    replay = Trie(WitnessStore(recorder.nodes.values()), trie.root)
    assert replay.ref(b"doge") is not None
    with pytest.raises(MissingNodeError) as error:
        replay.get(b"doge")
    assert error.value.node_hash == sha256(b"coin")
    assert error.value.root == trie.root


def test_touches_count_every_node_of_the_path_and_the_value():
    trie, _ = recording(PAIR)
    touches = TouchCounter()
    reference = trie.ref(b"doge", touches)
    assert (touches.db, touches.mem) == (3, 0)
    assert reference is not None
    trie.value(reference, touches)
    assert (touches.db, touches.mem) == (4, 0)
    assert trie.ref(b"docu", touches) is not None
    assert (touches.db, touches.mem) == (5, 2)
    assert trie.ref(b"dogf", touches) is None
    assert (touches.db, touches.mem) == (5, 5)


def test_a_branch_with_a_value_is_one_touch():
    trie, _ = recording({b"\x11": b"1", b"\x11\x12": b"2"})
    touches = TouchCounter()
    trie.ref(b"\x11", touches)
    assert (touches.db, touches.mem) == (2, 0)


ITERATED = {b"\x06": b"\x00", b"\x07": b"\x01", b"\x07\x00": b"\x02", b"\x07\x01": b"\x03", b"\x08": b"\x04"}


def test_iteration_records_the_way_the_subtree_and_its_values():
    # nearcore: test_memtrie_iteration_recording
    trie, recorder = recording(ITERATED)
    found = list(trie.iter_prefix(b"\x07"))
    assert found == [(b"\x07", b"\x01"), (b"\x07\x00", b"\x02"), (b"\x07\x01", b"\x03")]
    # Extension, branch; below `07` a branch with a value, a branch, two leaves; three values.
    assert len(recorder.nodes) == 9
    assert sha256(b"\x00") not in recorder.nodes
    replayed = Recorder()
    store = WitnessStore(recorder.nodes.values())
    assert list(Trie(store, trie.root, recorder=replayed).iter_prefix(b"\x07")) == found
    assert replayed.nodes == recorder.nodes
    assert store.unread() == []


def test_iteration_reads_no_sooner_than_asked():
    trie, recorder = recording(ITERATED)
    items = trie.iter_prefix(b"\x07")
    assert recorder.nodes == {}
    next(items)
    # Extension, branch, the branch with the value of `07`, and that value.
    assert len(recorder.nodes) == 4


@pytest.mark.parametrize(
    ("prefix", "count"),
    [
        (b"\x09", 2),  # no such child of the branch
        (b"\x10", 1),  # leaves the extension at the top
        (b"\x06\x00", 3),  # a leaf that is shorter
        (b"\x07\x02", 4),  # no such child further down
        (b"\x07\x10", 3),
    ],
)
def test_iteration_over_nothing_records_what_proves_it(prefix, count):
    trie, recorder = recording(ITERATED)
    assert list(trie.iter_prefix(prefix)) == []
    assert len(recorder.nodes) == count


@pytest.mark.parametrize("prefix", [b"", b"d", b"do", b"dog", b"doge", b"h", b"ho", b"x", b"doges"])
def test_iteration_gives_what_begins_with_the_prefix(prefix):
    trie, _ = recording(SIX)
    expected = sorted((key, value) for key, value in SIX.items() if key.startswith(prefix))
    assert list(trie.iter_prefix(prefix)) == expected


def test_visited_nodes_come_root_first_in_depth_first_order():
    trie, _ = recording(PAIR)
    visited = []
    list(trie.iter_prefix(b"", visited=visited))
    kinds = [decode(node) for node in visited]
    assert [type(node) for node in kinds] == [Extension, Branch, Leaf, Leaf]
    assert [node.path for node in kinds if isinstance(node, Leaf)] == [b"u".hex(), b"e".hex()]
    assert sha256(visited[0]) == trie.root


# Roots that no chain would make.


def hostile(*nodes):
    """A store of nodes, and the hash of the last one."""
    store = MemoryStore()
    root = EMPTY_ROOT
    for node in nodes:
        root = store.add(node if isinstance(node, bytes) else encode(node))
    return store, root


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x01\x01\x00", b"\x02" * 30, b"\x00", b"\x03\x01", b"\x07" * 60])
def test_bytes_that_are_no_node_are_refused(data):
    store, root = hostile(data)
    trie = Trie(store, root)
    for read in (
        lambda: trie.get(b"key"),
        lambda: list(trie.iter_prefix(b"k")),
        lambda: trie.update({b"key": b"value"}),
        lambda: trie.update({b"key": None}),
    ):
        with pytest.raises(BadInputError) as error:
            read()
        assert error.value.code == "malformed-node"


@pytest.mark.parametrize("cut", [1, 8, 9, 40, 41])
def test_a_branch_that_is_cut_is_refused_in_a_lookup(cut):
    branch = encode(Branch((None, bytes(32), *[None] * 14), None, 100))
    store, root = hostile(branch[:-cut])
    with pytest.raises(BadInputError):
        Trie(store, root).get(b"\x10")


def test_a_value_of_another_length_is_refused():
    value = b"value"
    store, root = hostile(value, Leaf(b"key".hex(), ValueRef(6, sha256(value)), 100))
    with pytest.raises(BadInputError) as error:
        Trie(store, root).get(b"key")
    assert error.value.code == "malformed-node"


def test_a_key_of_half_a_byte_is_refused():
    store, root = hostile(b"value", Leaf("123", ValueRef(5, sha256(b"value")), 100))
    with pytest.raises(BadInputError):
        list(Trie(store, root).iter_prefix(b""))


def test_a_long_chain_of_nodes_ends():
    store = MemoryStore()
    node = store.add(encode(Leaf("", ValueRef(0, sha256(b"")), 100)))
    for _ in range(20_000):
        node = store.add(encode(Extension("1", node, 100)))
    trie = Trie(store, node)
    assert trie.get(b"\x11" * 40) is None
    with pytest.raises(MissingNodeError):
        list(trie.iter_prefix(b"\x11" * 40))
    assert trie.update({b"\x11" * 9_999: None})[0] == trie.root


def test_a_child_of_zeros_is_missing_not_absent():
    store, root = hostile(Branch((bytes(32), None, bytes(32), *[None] * 13), None, 100))
    with pytest.raises(MissingNodeError):
        Trie(store, root).get(b"\x00")
