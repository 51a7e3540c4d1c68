"""Witnesses that hash right and make no sense."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from near_tee_cli.errors import BadInputError, EvidenceError, MissingNodeError
from near_tee_cli.primitives.hashes import ZERO_HASH, sha256
from near_tee_cli.proof.limits import MAX_KEY_NIBBLES, MAX_MEMORY_USAGE, MAX_TRIE_NODE_BYTES
from near_tee_cli.proof.partial_state import PartialStore, Soundness, changed_root
from near_tee_cli.state.build import build
from near_tee_cli.state.node import Branch, Extension, Leaf, ValueRef, direct_memory, encode
from near_tee_cli.state.recorder import Recorder
from near_tee_cli.state.trie import Trie


def items_of(*nodes):
    return {sha256(node): node for node in nodes}


def code_of(root, items):
    with pytest.raises((EvidenceError, BadInputError)) as caught:
        Soundness().require(root, items)
    return caught.value.code


def value(data):
    return ValueRef(len(data), sha256(data))


def leaf(path, data, memory=None):
    node = Leaf(path, value(data), 0)
    return encode(node._replace(memory_usage=direct_memory(node) if memory is None else memory))


def branch(children, memory, data=None):
    slots = [None] * 16
    for nibble, child in children.items():
        slots[nibble] = sha256(child)
    return encode(Branch(tuple(slots), None if data is None else value(data), memory))


def memory(node):
    return int.from_bytes(node[-8:], "little")


rows = st.dictionaries(st.binary(min_size=1, max_size=4), st.binary(max_size=5), min_size=1, max_size=20)


@given(rows, st.data())
def test_whatever_a_trie_recorded_is_sound(content, draw) -> None:
    root, store = build(content)
    recorder = Recorder()
    trie = Trie(store, root, recorder=recorder)
    for key in draw.draw(st.lists(st.sampled_from(sorted(content)) | st.binary(min_size=1, max_size=4), min_size=1)):
        if draw.draw(st.booleans()):
            trie.get(key)
        else:
            trie.ref(key)
    Soundness().require(root, recorder.nodes)


@given(rows)
def test_a_whole_trie_is_sound_and_one_item_more_is_not(content) -> None:
    root, store = build(content)
    items = {item: store.load(item) for item in store}
    soundness = Soundness()
    soundness.require(root, items)
    soundness.require(root, items)
    extra = b"something else entirely"
    with pytest.raises(EvidenceError) as caught:
        soundness.require(root, {**items, sha256(extra): extra})
    assert caught.value.code == "superfluous-node"


def test_the_empty_state() -> None:
    Soundness().require(ZERO_HASH, {})
    assert code_of(ZERO_HASH, items_of(b"x")) == "superfluous-node"


def test_a_missing_root() -> None:
    assert code_of(sha256(b"x"), {}) == "missing-node"


def test_a_root_that_is_no_node() -> None:
    assert code_of(sha256(b"x"), items_of(b"x")) == "malformed-node"
    assert code_of(sha256(b""), items_of(b"")) == "malformed-node"


def test_a_value_passed_off_as_a_node() -> None:
    inner = b"I am a value"
    top = branch({1: inner, 2: leaf("1", b"v")}, 500)
    assert code_of(sha256(top), items_of(top, inner)) == "malformed-node"


def test_a_value_of_another_length() -> None:
    node = encode(Leaf("12", ValueRef(9, sha256(b"short")), 200))
    assert code_of(sha256(node), items_of(node, b"short")) == "impossible-node"


def test_memory_usage() -> None:
    one, two = leaf("1", b"v"), leaf("2", b"w")
    right = 50 + memory(one) + memory(two)
    Soundness().require(sha256(branch({1: one, 2: two}, right)), items_of(branch({1: one, 2: two}, right), one, two))
    for wrong in (right - 1, right + 1, 0, MAX_MEMORY_USAGE + 1, 2**64 - 1):
        top = branch({1: one, 2: two}, wrong)
        assert code_of(sha256(top), items_of(top, one, two)) == "impossible-node"
    # One child unknown: more is possible, less than what is known is not.
    top = branch({1: one, 2: two}, right + 500)
    Soundness().require(sha256(top), items_of(top, one))
    top = branch({1: one, 2: two}, 50)
    assert code_of(sha256(top), items_of(top, one)) == "impossible-node"
    lonely = leaf("1", b"v", memory=1)
    assert code_of(sha256(lonely), items_of(lonely)) == "impossible-node"


def test_shapes_that_no_trie_has() -> None:
    one = leaf("1", b"v")
    single = branch({1: one}, 50 + memory(one))
    assert code_of(sha256(single), items_of(single, one)) == "impossible-node"
    bare = branch({}, 51 + 50, b"v")
    assert code_of(sha256(bare), items_of(bare)) == "impossible-node"
    over = Extension("12", sha256(one), 0)
    extension = encode(over._replace(memory_usage=direct_memory(over) + memory(one)))
    assert code_of(sha256(extension), items_of(extension, one)) == "impossible-node"
    Soundness().require(sha256(extension), items_of(extension))


def test_sizes_that_no_trie_has() -> None:
    long = leaf("1" * 5000, b"v")
    assert code_of(sha256(long), items_of(long)) == "impossible-node"
    huge = leaf("1" * 20_000, b"v")
    assert code_of(sha256(huge), items_of(huge)) == "impossible-node"


def test_what_is_unknown_is_never_absent() -> None:
    store = PartialStore({})
    with pytest.raises(MissingNodeError):
        store.find(bytes(32))
    root, _ = build({b"a": b"1", b"b": b"2"})
    with pytest.raises(EvidenceError) as caught:
        changed_root(Trie(store, root), [(b"a", b"3")])
    assert caught.value.code == "missing-node"


@given(rows, rows)
def test_changes_of_a_part_lead_where_changes_of_the_whole_lead(content, changes) -> None:
    root, store = build(content)
    recorder = Recorder()
    after, _ = Trie(store, root, recorder=recorder).update(changes)
    assert changed_root(Trie(PartialStore(recorder.nodes), root), changes.items()) == after


def refused(root, items):
    with pytest.raises(EvidenceError) as caught:
        Soundness().require(root, items)
    assert caught.value.code == "impossible-node"
    return caught.value.message


def tower(way, top):
    """A chain of `way` branches of one child and one value each, above the node `top`; all its nodes."""
    nodes = [top]
    for _ in range(way):
        below = nodes[-1]
        nodes.append(branch({1: below}, 50 + 50 + 1 + memory(below), b"v"))
    return nodes


def test_as_deep_as_a_key_is_long_and_no_deeper() -> None:
    """Every branch is one nibble, every path as many as it has."""
    for way, rest in ((0, MAX_KEY_NIBBLES), (100, MAX_KEY_NIBBLES - 100), (MAX_KEY_NIBBLES - 1, 1)):
        nodes = tower(way, leaf("1" * rest, b"v"))
        Soundness().require(sha256(nodes[-1]), items_of(*nodes))
        nodes = tower(way, leaf("1" * (rest + 1), b"v"))
        assert f"{MAX_KEY_NIBBLES + 1} nibbles deep" in refused(sha256(nodes[-1]), items_of(*nodes))


def test_what_is_reached_by_many_paths_is_walked_once() -> None:
    """Forty branches, each leading twice to the next: 2^40 paths, and as many visits for whoever takes them all."""
    nodes = [leaf("1", b"v")]
    for _ in range(40):
        nodes.append(branch({1: nodes[-1], 2: nodes[-1]}, 50 + 2 * memory(nodes[-1])))
    Soundness().require(sha256(nodes[-1]), items_of(*nodes))


def test_the_largest_node_and_the_largest_usage() -> None:
    """Node sizes and memory usages reach their caps and do not exceed them."""
    odd = encode(Leaf("1", value(b"v"), 0))
    longest = leaf("1" * (2 * (MAX_TRIE_NODE_BYTES - len(odd)) + 1), b"v")
    assert len(longest) == MAX_TRIE_NODE_BYTES
    assert "nibbles deep" in refused(sha256(longest), items_of(longest))
    longer = leaf("1" * (2 * (MAX_TRIE_NODE_BYTES - len(odd)) + 3), b"v")
    assert f"has {MAX_TRIE_NODE_BYTES + 1} bytes" in refused(sha256(longer), items_of(longer))
    one = leaf("1", b"v")
    top = branch({1: one, 2: leaf("2", b"w")}, MAX_MEMORY_USAGE)
    Soundness().require(sha256(top), items_of(top, one))


def test_what_is_left_over_is_counted() -> None:
    top = leaf("1", b"v")
    with pytest.raises(EvidenceError, match=r"^2 nodes or values lie under no path"):
        Soundness().require(sha256(top), items_of(top, b"v", b"one", b"two"))


def test_no_change_of_a_key_that_no_row_has() -> None:
    root, store = build({b"a": b"1", b"b": b"2"})
    longest = b"a" * (MAX_KEY_NIBBLES // 2)
    assert changed_root(Trie(store, root), [(longest, b"3")]) == build({b"a": b"1", b"b": b"2", longest: b"3"})[0]
    with pytest.raises(EvidenceError) as caught:
        changed_root(Trie(store, root), [(longest + b"a", b"3")])
    assert caught.value.code == "impossible-key"
