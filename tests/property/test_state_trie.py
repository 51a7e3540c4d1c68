"""The trie against a dictionary and against a second, recursive reading of its rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from near_tee_cli.errors import BadInputError, EvidenceError, MissingNodeError
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.state.build import build, root_of
from near_tee_cli.state.key_proof import prove_key, verify_key
from near_tee_cli.state.node import Branch, Extension, Leaf, ValueRef, decode, direct_memory, encode
from near_tee_cli.state.recorder import Recorder, TouchCounter
from near_tee_cli.state.store import MemoryStore
from near_tee_cli.state.trie import EMPTY_ROOT, Trie
from near_tee_cli.state.witness import WitnessStore

# Few different bytes, so that keys share prefixes, end inside one another and meet again.
KEYS = st.lists(st.sampled_from([0x00, 0x01, 0x10]), max_size=3).map(bytes) | st.binary(max_size=2)
VALUES = st.binary(max_size=4) | st.sampled_from([b"", b"same", b"a value longer than its hash is, by some bytes"])
MAPS = st.dictionaries(KEYS, VALUES, max_size=20)
CHANGES = st.dictionaries(KEYS, st.none() | VALUES, max_size=6)


@st.composite
def histories(draw, *, rounds=1):
    """A map and changes to it one after another, of which many remove what is there."""
    items = current = draw(MAPS)
    changes = []
    for _ in range(rounds):
        removed = draw(st.sets(st.sampled_from(sorted(current)))) if current else set()
        changes.append(dict.fromkeys(removed) | draw(CHANGES))
        current = apply(current, changes[-1])
    return items, changes


def apply(items, changes):
    return {key: value for key, value in {**items, **changes}.items() if value is not None}


# The rules of the shape, as they are said: one pair is a leaf, a common prefix is an extension, else a branch.


def shape_root(items):
    """(hash, memory usage) of {path of nibbles: value}, recursively; the empty map has no node."""
    paths = sorted(items)
    if len(paths) == 1:
        value = items[paths[0]]
        return leaf(paths[0], value)
    first, last = paths[0], paths[-1]
    shared = 0
    while shared < len(first) and first[shared] == last[shared]:
        shared += 1
    if shared:
        child, memory = shape_root({path[shared:]: value for path, value in items.items()})
        packed = pack(first[:shared], 0)
        memory += 50 + 2 * len(packed)
        return sealed(b"\x03" + len(packed).to_bytes(4, "little") + packed + child, memory)
    memory, mask, hashes, head = 50, 0, b"", b"\x01"
    if () in items:
        value = items[()]
        head = b"\x02" + len(value).to_bytes(4, "little") + sha256(value)
        memory += len(value) + 50
    for nibble in range(16):
        below = {path[1:]: value for path, value in items.items() if path[:1] == (nibble,)}
        if below:
            child, usage = shape_root(below)
            mask |= 1 << nibble
            hashes += child
            memory += usage
    return sealed(head + mask.to_bytes(2, "little") + hashes, memory)


def pack(nibbles, flag):
    padded = (flag + 1, *nibbles) if len(nibbles) % 2 else (flag, 0, *nibbles)
    return bytes(16 * high + low for high, low in zip(padded[::2], padded[1::2], strict=True))


def leaf(path, value):
    packed = pack(path, 2)
    memory = 50 + 2 * len(packed) + len(value) + 50
    data = b"\x00" + len(packed).to_bytes(4, "little") + packed + len(value).to_bytes(4, "little") + sha256(value)
    return sealed(data, memory)


def sealed(data, memory):
    return sha256(data + memory.to_bytes(8, "little")), memory


def nibbles_of(key):
    return tuple(nibble for byte in key for nibble in (byte >> 4, byte & 15))


@given(MAPS)
def test_roots_follow_the_rules(items):
    by_path = {nibbles_of(key): value for key, value in items.items()}
    expected = shape_root(by_path)[0] if items else EMPTY_ROOT
    assert root_of(items) == build(items)[0] == expected


@given(histories(rounds=4), CHANGES)
def test_edits_lead_where_building_from_nothing_leads(history, absent):
    items, rounds = history
    root, store = build(items)
    for changes in rounds:
        root, nodes = Trie(store, root).update(changes)
        assert all(sha256(data) == item_hash for item_hash, data in nodes.items())
        store.update(nodes)
        items = apply(items, changes)
        assert root == root_of(items)
    trie = Trie(store, root)
    for key in {*items, *absent}:
        assert trie.get(key) == items.get(key)
        assert (trie.ref(key) is not None) is (key in items)
    assert list(trie.iter_prefix(b"")) == sorted(items.items())


@given(MAPS, KEYS)
def test_iteration_gives_the_keys_of_a_prefix_in_order(items, prefix):
    root, store = build(items)
    found = list(Trie(store, root).iter_prefix(prefix))
    assert found == sorted((key, value) for key, value in items.items() if key.startswith(prefix))


@given(MAPS)
def test_nodes_decode_and_encode_and_count_their_memory(items):
    root, store = build(items)
    usage = {}

    def visit(node_hash):
        node = decode(store.load(node_hash))
        assert encode(node) == store.load(node_hash)
        below = [node.child] if hasattr(node, "child") else [c for c in getattr(node, "children", ()) if c]
        for child in below:
            visit(child)
        usage[node_hash] = direct_memory(node) + sum(usage[child] for child in below)
        assert node.memory_usage == usage[node_hash]

    if items:
        visit(root)


@given(histories(), st.sets(KEYS, max_size=5), KEYS)
def test_what_was_recorded_is_enough_and_is_needed(history, reads, prefix):
    items, (changes,) = history
    root, store = build(items)

    def transition(from_store, recorder):
        trie = Trie(from_store, root, recorder=recorder)
        touches = TouchCounter()
        seen = [trie.get(key) for key in sorted(reads)]
        counted = [trie.ref(key, touches) for key in sorted(changes)]
        listed = list(trie.iter_prefix(prefix))
        return seen, counted, listed, touches.db, touches.mem, trie.update(changes)

    recorder = Recorder()
    result = transition(store, recorder)
    assert recorder.size == sum(map(len, recorder.nodes.values()))
    assert all(store.load(item_hash) == data for item_hash, data in recorder.nodes.items())

    again = Recorder()
    witness = WitnessStore(recorder.sorted_items())
    assert transition(witness, again) == result
    assert list(again.nodes) == list(recorder.nodes)
    assert witness.unread() == []
    for lacking in recorder.nodes:
        rest = WitnessStore(data for item_hash, data in recorder.nodes.items() if item_hash != lacking)
        with pytest.raises(MissingNodeError) as error:
            transition(rest, None)
        assert error.value.node_hash == lacking
        assert error.value.root == root


@given(MAPS, st.sets(KEYS, max_size=4), KEYS)
def test_unrecorded_keys_are_unknown_or_answered_rightly(items, reads, asked):
    root, store = build(items)
    recorder = Recorder()
    trie = Trie(store, root, recorder=recorder)
    for key in reads:
        trie.get(key)
    path = Recorder()
    Trie(store, root, recorder=path).get(asked)
    replay = Trie(WitnessStore(recorder.nodes.values()), root)
    if path.nodes.keys() <= recorder.nodes.keys():
        assert replay.get(asked) == items.get(asked)
    else:
        with pytest.raises(MissingNodeError) as error:
            replay.get(asked)
        assert error.value.node_hash not in recorder.nodes


@given(MAPS, KEYS)
def test_proofs_verify(items, key):
    root, store = build(items)
    reference, proof = prove_key(store, root, key)
    assert verify_key(root, key, proof) == reference
    value = items.get(key)
    assert (reference is None) is (value is None)
    if reference is not None:
        assert (reference.length, reference.hash) == (len(value), sha256(value))


@given(MAPS.filter(bool), KEYS, st.data())
def test_proofs_that_were_tampered_with_fail(items, key, data):
    root, store = build(items)
    _, proof = prove_key(store, root, key)
    at = data.draw(st.integers(0, len(proof) - 1))
    bit = data.draw(st.integers(0, 8 * len(proof[at]) - 1))
    flipped = bytearray(proof[at])
    flipped[bit // 8] ^= 1 << bit % 8
    broken = data.draw(
        st.sampled_from(
            [
                [*proof[:at], bytes(flipped), *proof[at + 1 :]],
                [*proof[:at], *proof[at + 1 :]],
                [*proof[:at], proof[at] + b"\0", *proof[at + 1 :]],
                [*proof[:at], proof[at][:-1], *proof[at + 1 :]],
            ]
        )
    )
    with pytest.raises(EvidenceError):
        verify_key(root, key, broken)


# Roots that no chain would make: whatever stands under them, every operation answers or says what is wrong.


PATHS = st.text("01f", min_size=1, max_size=5)
MEMORY = st.sampled_from([0, 50, 103, 104, 105, 250, 1000, 2**64 - 1])
VALUE_REFS = st.builds(lambda value: ValueRef(len(value), sha256(value)), VALUES)


@st.composite
def odd_tries(draw):
    """A store of well-formed nodes in any arrangement, and the last of them as its root."""
    store = MemoryStore({sha256(b""): b""})
    hashes = []
    for _ in range(draw(st.integers(1, 8))):
        below = st.sampled_from(hashes) if hashes else st.just(sha256(b"nothing"))
        node = draw(
            st.builds(Leaf, PATHS | st.just(""), VALUE_REFS, MEMORY)
            | st.builds(Extension, PATHS, below, MEMORY)
            | st.builds(
                lambda children, value, memory: Branch(
                    tuple(children.get(nibble) for nibble in range(16)), value, memory
                ),
                st.dictionaries(st.sampled_from([0, 1, 15]), below),
                st.none() | VALUE_REFS,
                MEMORY,
            )
        )
        hashes.append(store.add(encode(node)))
    return store, hashes[-1]


@st.composite
def byte_tries(draw):
    """A store of arbitrary bytes, and the first of them as its root."""
    blobs = draw(st.lists(st.binary(max_size=120), min_size=1, max_size=6))
    store = MemoryStore()
    store.add_all(blobs)
    return store, sha256(blobs[0])


@given(odd_tries() | byte_tries(), KEYS, CHANGES)
def test_hostile_nodes_end_in_an_answer_or_in_an_error_of_ours(made, key, changes):
    store, root = made
    trie = Trie(store, root)
    for read in (lambda: trie.get(key), lambda: list(trie.iter_prefix(key)), lambda: trie.update(changes)):
        try:
            read()
        except MissingNodeError:
            continue
        except BadInputError as error:
            if error.code != "malformed-node":
                raise
