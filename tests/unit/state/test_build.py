"""Roots of whole maps: nearcore's values and ones derived from the rules."""

import pytest

from near_tee_cli.primitives import base58
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.state.build import build, root_of
from near_tee_cli.state.node import Branch, Extension, Leaf, decode, leaf_memory
from near_tee_cli.state.trie import EMPTY_ROOT, Trie

SIX = {
    b"doge": b"coin",
    b"docu": b"value",
    b"do": b"verb",
    b"horse": b"stallion",
    b"dog": b"puppy",
    b"h": b"value",
}
SCHEDULER_STATE = bytes.fromhex(
    "000100000000000000000000000000000000000000802343000000000090366329a306885e44e53c49426e0eeba415df29c8e68e1093dda0a66030331a"
)


@pytest.mark.parametrize(
    ("items", "root"),
    [
        # nearcore: core/store/src/trie/mem/memtrie_update.rs (test_memtrie_snapshot)
        ({"ff00": "0000", "ff01": "0100"}, "8utD1no12bD972DPzij3ydnaNGkLBRzuxGTKhbqrx39Q"),
        ({"ff00": "0000", "ff01": "0100", "ff0101": "0101"}, "87gK6ZaJBgtuBLL3MZ5GB1rVKJmpJ1gYBLusRbTHyZuu"),
        # Derived from the rules by a program of its own.
        ({b"doge".hex(): b"coin".hex(), b"docu".hex(): b"value".hex()}, "5XoUea9mXnWj5Wx4yaVrdSK5ULv1bExFvSrhGq9tG6b3"),
        ({key.hex(): value.hex() for key, value in SIX.items()}, "hvKZryexWm5CPgcvB3VKxKp1uRQWZnSDALLNa9raXJV"),
        ({"61": ""}, "5krt87GpN1vnrMj75razEWvTCFqP43LXviMCUYti5dfQ"),
        ({"0f": SCHEDULER_STATE.hex()}, "DrQXcrgTmCGvz1SYctd6htttuCpBUmapMrvCMZq1Dio9"),
        ({}, "1" * 32),
    ],
)
def test_roots(items, root):
    pairs = {bytes.fromhex(key): bytes.fromhex(value) for key, value in items.items()}
    assert base58.encode(root_of(pairs)) == root
    assert base58.encode(build(pairs)[0]) == root


def test_node_sizes_of_two_keys():
    root, store = build({b"doge": b"coin", b"docu": b"value"})
    nodes = [store.load(item) for item in store]
    values = (b"coin", b"value")
    # Two leaves, the branch above them, and the extension over what the keys share.
    assert sorted(len(node) for node in nodes if node not in values) == [48, 51, 51, 75]
    top = decode(store.load(root))
    assert isinstance(top, Extension)
    assert top.path == b"do".hex() + "6"
    branch = decode(store.load(top.child))
    assert isinstance(branch, Branch)
    assert [nibble for nibble, child in enumerate(branch.children) if child] == [3, 7]
    leaf = decode(store.load(branch.children[7]))
    assert isinstance(leaf, Leaf)
    assert leaf.path == b"e".hex()
    assert leaf.memory_usage == leaf_memory(2, 4)
    other = leaf_memory(2, 5)
    assert branch.memory_usage == 50 + leaf.memory_usage + other
    assert top.memory_usage == 50 + 2 * 3 + branch.memory_usage


def test_empty_map():
    root, store = build({})
    assert root == EMPTY_ROOT == bytes(32)
    assert len(store) == 0


def test_the_empty_key_stands_at_the_root():
    root, store = build({b"": b"top", b"\x00": b"below"})
    top = decode(store.load(root))
    assert isinstance(top, Branch)
    assert top.value is not None
    assert top.value.hash == sha256(b"top")
    assert Trie(store, root).get(b"") == b"top"


def test_keys_as_deep_as_keys_can_be():
    # Each key is a prefix of the next one, so every nibble is a level: far deeper than Python may recurse.
    deep = {b"k" * length: bytes([length % 251]) for length in range(800)}
    root, store = build(deep)
    trie = Trie(store, root)
    assert trie.get(b"k" * 799) == bytes([799 % 251])
    assert list(trie.iter_prefix(b"k" * 790)) == [(b"k" * n, deep[b"k" * n]) for n in range(790, 800)]
    emptied, _ = trie.update(dict.fromkeys(deep))
    assert emptied == EMPTY_ROOT
    rebuilt, _ = Trie(store, EMPTY_ROOT).update(deep)
    assert rebuilt == root


def test_equal_values_and_subtrees_are_kept_once():
    items = {bytes([first, second]): b"same" for first in (1, 2) for second in (1, 2)}
    _, store = build(items)
    # The value, one leaf, one branch for both subtrees below `01` and `02`, its extension, and the two nodes above.
    assert len(store) == 6
