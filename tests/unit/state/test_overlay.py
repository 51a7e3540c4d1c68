"""Layers of changes: what is seen, what is recorded, what is counted."""

import pytest

from near_tee_cli.errors import MissingNodeError, NearTeeError
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.state import keys
from near_tee_cli.state.build import build, root_of
from near_tee_cli.state.overlay import Overlay
from near_tee_cli.state.recorder import Recorder, TouchCounter
from near_tee_cli.state.trie import EMPTY_ROOT, Trie
from near_tee_cli.state.witness import WitnessStore


def overlay_of(items):
    root, store = build(items)
    return Overlay(Trie(store, root, recorder=Recorder()))


def data(key, account_id="bob"):
    return keys.contract_data(account_id, key)


def test_layers_hide_what_lies_below():
    overlay = overlay_of({b"a": b"0", b"b": b"0"})
    overlay.set(b"a", b"1")
    assert overlay.get(b"a") == b"1"
    overlay.commit()
    overlay.remove(b"a")
    assert overlay.get(b"a") is None
    assert not overlay.contains(b"a")
    assert overlay.ref(b"a") is None
    overlay.rollback()
    assert overlay.get(b"a") == b"1"
    assert overlay.contains(b"a")
    overlay.remove(b"a")
    overlay.commit()
    assert overlay.get(b"a") is None
    assert overlay.get(b"b") == b"0"
    assert overlay.contains(b"b")
    assert not overlay.contains(b"c")
    assert overlay.get(b"c") is None


def test_reads_answered_by_a_layer_are_not_recorded_or_counted():
    overlay = overlay_of({b"a": b"0", b"b": b"0"})
    recorder = overlay.trie.recorder
    touches = TouchCounter()
    overlay.set(b"a", b"1")
    overlay.commit()
    overlay.remove(b"b")
    stored = overlay.ref(b"a", touches)
    assert stored.load(touches) == b"1"
    assert overlay.ref(b"b", touches) is None
    assert overlay.get(b"a") == b"1"
    assert overlay.contains(b"a")
    assert not overlay.contains(b"b")
    assert recorder.nodes == {}
    assert (touches.db, touches.mem) == (0, 0)


def test_stored_values_know_their_length_and_hash():
    overlay = overlay_of({b"a": b"from the trie"})
    overlay.set(b"b", b"")
    trie_value, layer_value = overlay.ref(b"a"), overlay.ref(b"b")
    assert (trie_value.length, trie_value.hash) == (13, sha256(b"from the trie"))
    assert (layer_value.length, layer_value.hash) == (0, sha256(b""))
    assert sha256(b"from the trie") not in overlay.trie.recorder.nodes
    assert trie_value.load() == b"from the trie"
    assert sha256(b"from the trie") in overlay.trie.recorder.nodes
    assert layer_value.load() == b""


def test_finalize_gives_every_committed_key_with_its_last_value():
    overlay = overlay_of({b"a": b"0", b"b": b"0", b"c": b"0"})
    overlay.set(b"b", b"1")
    overlay.set(b"a", b"0")
    overlay.commit()
    overlay.set(b"b", b"2")
    overlay.remove(b"d")
    overlay.remove(b"c")
    overlay.commit()
    overlay.set(b"a", b"lost")
    overlay.rollback()
    root, changes, nodes = overlay.finalize()
    assert changes == [(b"a", b"0"), (b"b", b"2"), (b"c", None), (b"d", None)]
    assert root == root_of({b"a": b"0", b"b": b"2"})
    overlay.trie.store.update(nodes)
    assert Trie(overlay.trie.store, root).get(b"b") == b"2"


def test_finalize_without_changes_reads_the_root_only():
    overlay = overlay_of({b"a": b"0", b"b": b"0"})
    root, changes, _ = overlay.finalize()
    assert root == overlay.trie.root
    assert changes == []
    assert list(overlay.trie.recorder.nodes) == [root]


def test_finalize_refuses_undecided_changes():
    overlay = overlay_of({})
    overlay.set(b"a", b"1")
    with pytest.raises(NearTeeError) as error:
        overlay.finalize()
    assert error.value.code == "internal"
    overlay.rollback()
    assert overlay.finalize().root == EMPTY_ROOT


def test_each_removal_of_contract_data_counts_and_no_other():
    overlay = overlay_of({data(b"k"): b"v", keys.account("bob"): b"v"})
    recorder = overlay.trie.recorder
    overlay.remove(keys.account("bob"))
    assert recorder.upper_bound_size == 0
    overlay.remove(data(b"k"))
    overlay.remove(data(b"k"))
    overlay.remove(data(b"absent"))
    assert recorder.upper_bound_size == 6000
    overlay.rollback()
    assert recorder.upper_bound_size == 6000
    assert recorder.size == 0


def test_without_a_recorder_removals_are_just_removals():
    root, store = build({data(b"k"): b"v"})
    overlay = Overlay(Trie(store, root))
    overlay.remove(data(b"k"))
    overlay.commit()
    assert overlay.finalize().root == EMPTY_ROOT


# Iteration.


def test_iteration_merges_all_layers():
    overlay = overlay_of({b"pa": b"0", b"pb": b"0", b"pc": b"0", b"q": b"0", b"o": b"0"})
    overlay.set(b"p", b"1")
    overlay.set(b"pbb", b"1")
    overlay.remove(b"pa")
    overlay.set(b"pc", b"1")
    overlay.set(b"pz", b"1")
    overlay.commit()
    overlay.remove(b"pz")
    overlay.remove(b"p")
    overlay.set(b"pa", b"2")
    overlay.set(b"py", b"2")
    overlay.remove(b"absent")
    assert list(overlay.iter_prefix(b"p")) == [b"pa", b"pb", b"pbb", b"pc", b"py"]
    overlay.rollback()
    assert list(overlay.iter_prefix(b"p")) == [b"p", b"pb", b"pbb", b"pc", b"pz"]
    assert list(overlay.iter_prefix(b"")) == [b"o", b"p", b"pb", b"pbb", b"pc", b"pz", b"q"]
    assert list(overlay.iter_prefix(b"x")) == []


def test_iteration_reads_and_records_values_that_a_layer_hides():
    overlay = overlay_of({b"pa": b"value of a", b"pb": b"value of b", b"q": b"value of q"})
    overlay.remove(b"pa")
    overlay.set(b"pb", b"new")
    assert list(overlay.iter_prefix(b"p")) == [b"pb"]
    assert sha256(b"value of a") in overlay.trie.recorder.nodes
    assert sha256(b"value of b") in overlay.trie.recorder.nodes
    assert sha256(b"value of q") not in overlay.trie.recorder.nodes


def test_changes_during_iteration_do_not_disturb_it():
    overlay = overlay_of({b"pa": b"0", b"pb": b"0", b"pc": b"0"})
    overlay.set(b"pd", b"1")
    seen = []
    for key in overlay.iter_prefix(b"p"):
        seen.append(key)
        overlay.remove(key)
    assert seen == [b"pa", b"pb", b"pc", b"pd"]
    assert list(overlay.iter_prefix(b"p")) == []


# Code.


def test_code_is_found_by_hash_in_the_layers_and_in_the_state():
    overlay = overlay_of({keys.contract_code("bob"): b"old code"})
    assert overlay.code(sha256(b"old code")) == b"old code"
    assert overlay.code(sha256(b"new code")) is None
    assert overlay.record_deploy(b"new code") == sha256(b"new code")
    assert overlay.code(sha256(b"new code")) == b"new code"
    assert overlay.deployed() == []
    overlay.rollback()
    assert overlay.code(sha256(b"new code")) is None
    overlay.record_deploy(b"new code")
    overlay.commit()
    overlay.rollback()
    assert overlay.code(sha256(b"new code")) == b"new code"
    assert overlay.deployed() == [sha256(b"new code")]
    assert overlay.trie.recorder.nodes == {}


def test_code_that_a_witness_lacks_is_missing():
    root, store = build({keys.contract_code("bob"): b"code"})
    overlay = Overlay(Trie(WitnessStore([store.load(root)]), root))
    with pytest.raises(MissingNodeError):
        overlay.code(sha256(b"code"))


# Touches, with the numbers of nearcore's tests. A write looks its key up, then reads the old value.


class Chunk:
    """Contract calls on one account, in chunks that each start from a fresh counter."""

    def __init__(self, items=()):
        self.root, self.store = build(dict(items))
        self.start()

    def start(self):
        self.overlay = Overlay(Trie(self.store, self.root, recorder=Recorder()))
        self.touches = TouchCounter()

    def finish(self):
        self.overlay.commit()
        self.root, _, nodes = self.overlay.finalize()
        self.store.update(nodes)
        self.start()

    def write(self, key, value):
        before = self.touches.db, self.touches.mem
        old = self.overlay.ref(data(key), self.touches)
        if old is not None:
            old.load(self.touches)
        self.overlay.set(data(key), value)
        return self.touches.db - before[0], self.touches.mem - before[1]

    def remove(self, key):
        before = self.touches.db, self.touches.mem
        old = self.overlay.ref(data(key), self.touches)
        if old is not None:
            old.load(self.touches)
        self.overlay.remove(data(key))
        return self.touches.db - before[0], self.touches.mem - before[1]

    def read(self, key):
        """A flat read: the lookup touches nothing, the value's hash is marked and counted for nobody."""
        return self.overlay.ref(data(key)).load(self.touches)


# What stands around contract data in a state: rows of other columns, so that column 9 hangs below extension and branch.
AROUND = {keys.account("bob"): b"account", keys.contract_code("bob"): b"code"}


def test_touches_of_a_first_write_and_of_the_next_one():
    # nearcore: test_contract_write_key_value_cost
    chunk = Chunk(AROUND)
    assert chunk.write((10).to_bytes(8, "little"), b"20") == (2, 0)
    chunk.finish()
    assert chunk.write((10).to_bytes(8, "little"), b"20") == (4, 0)


def test_touches_of_keys_with_a_common_parent():
    # nearcore: test_accounting_cache_common_parent
    chunk = Chunk(AROUND)
    names = [index.to_bytes(8, "little") for index in range(3)]
    for name in names:
        chunk.write(name, b"value of " + name)
    chunk.finish()
    assert [chunk.write(name, b"new") for name in names] == [(6, 0), (2, 4), (2, 4)]


def test_touches_of_a_branch_with_a_value():
    # nearcore: test_accounting_cache_branch_value
    chunk = Chunk(AROUND)
    names = [b"\x01" + bytes(7), b"\x01" + bytes(7) + b"\x01" + bytes(7)]
    for name in names:
        chunk.write(name, b"value of " + name)
    chunk.finish()
    assert [chunk.write(name, b"new") for name in names] == [(5, 0), (2, 4)]


def test_touches_of_two_writes_in_one_receipt():
    # nearcore: compare_node_counts: 2 and 2 on the first run, then 8 and 4 in every later chunk.
    chunk = Chunk(AROUND)
    first = [chunk.write(name, b"value of " + name) for name in (b"1", b"2")]
    assert [sum(column) for column in zip(*first, strict=True)] == [2, 2]
    for _ in range(2):
        chunk.finish()
        later = [chunk.write(name, b"value of " + name) for name in (b"1", b"2")]
        assert [sum(column) for column in zip(*later, strict=True)] == [8, 4]


def test_touches_of_a_write_after_a_read():
    # nearcore: test_storage_read_write_costs (with flat storage)
    chunk = Chunk(AROUND)
    chunk.write(b"\x01" + bytes(7), b"20")
    chunk.finish()
    assert chunk.read(b"\x01" + bytes(7)) == b"20"
    assert chunk.write(b"\x01" + bytes(7), b"20") == (3, 1)


def test_keys_in_a_layer_touch_nothing():
    chunk = Chunk(AROUND | {data(b"k"): b"v", data(b"l"): b"v"})
    assert sum(chunk.write(b"k", b"1")) > 0
    assert chunk.write(b"k", b"2") == (0, 0)
    chunk.overlay.commit()
    assert chunk.remove(b"k") == (0, 0)
    assert chunk.write(b"k", b"3") == (0, 0)


def test_touches_survive_a_rollback():
    chunk = Chunk(AROUND | {data(b"k"): b"v"})
    first = chunk.write(b"k", b"1")
    chunk.overlay.rollback()
    assert chunk.write(b"k", b"1") == (0, sum(first))
