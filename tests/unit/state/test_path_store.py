"""A store of places: the same roots, reads and updates as in memory, and what has to change on disk."""

import pytest

from near_tee_cli.errors import InconsistentStateError, MissingNodeError
from near_tee_cli.primitives.hashes import ZERO_HASH, sha256
from near_tee_cli.state.build import build, build_by_path, root_of
from near_tee_cli.state.difference import differing_rows
from near_tee_cli.state.path_store import PathStore, relocated
from near_tee_cli.state.trie import Trie

ROWS = {
    b"": b"empty key",
    b"a": b"1",
    b"ab": b"2",
    b"abc": b"x" * 5000,
    b"abd": b"2",
    b"b" * 600: b"long",
    b"zz": b"",
    b"\xff\x00": b"1",
}


class Places:
    """Places in memory."""

    def __init__(self, rows: dict[bytes, bytes]) -> None:
        self.values = dict(rows)
        self.nodes: dict[str, bytes] = {}
        self.root = build_by_path(rows, self.nodes)
        self.codes: dict[bytes, bytes] = {}
        self.asked: list[str | bytes] = []

    def node(self, path: str, /) -> bytes | None:
        self.asked.append(path)
        return self.nodes.get(path)

    def value(self, key: bytes, /) -> bytes | None:
        self.asked.append(key)
        return self.values.get(key)

    def code(self, code_hash: bytes, /) -> bytes | None:
        return self.codes.get(code_hash)

    def relocate(self, store: PathStore, root: bytes) -> None:
        """Bring the places to `root`."""
        moves = relocated(store, root)
        self.nodes.update(moves.written)
        for path in moves.removed:
            del self.nodes[path]
        for key, value in moves.rows.items():
            if value is None:
                del self.values[key]
            else:
                self.values[key] = value
        self.root = root


def test_the_root_is_that_of_the_same_map() -> None:
    places = Places(ROWS)
    assert places.root == root_of(ROWS)
    store = build(ROWS)[1]
    assert all(store.load(sha256(node)) == node for node in places.nodes.values())


def test_every_row_is_read_and_nothing_else() -> None:
    places = Places(ROWS)
    trie = Trie(PathStore(places, places.root), places.root)
    assert {key: trie.get(key) for key in ROWS} == ROWS
    assert trie.get(b"nothing") is None
    assert dict(trie.iter_prefix(b"")) == ROWS
    assert len(places.asked) == len(set(places.asked))


def test_only_what_is_on_the_way_is_asked_for() -> None:
    rows = {b"%05d" % number: b"value %d" % number for number in range(5000)}
    places = Places(rows)
    Trie(PathStore(places, places.root), places.root).get(b"01234")
    assert len(places.asked) < 16


@pytest.mark.parametrize(
    "changes",
    [
        {b"a": b"other"},
        {b"ab": None, b"abc": None},
        dict.fromkeys(ROWS),
        {b"b" * 601: b"longer", b"b" * 600: None},
        {b"abc": b"2", b"new": b"1", b"zz": None},
        {},
    ],
)
def test_places_follow_updates(changes) -> None:
    places = Places(ROWS)
    store = PathStore(places, places.root)
    root, nodes = Trie(store, places.root).update(changes)
    store.update(nodes)
    expected = {key: value for key, value in {**ROWS, **changes}.items() if value is not None}
    assert root == root_of(expected)
    assert dict(Trie(store, root).iter_prefix(b"")) == expected
    assert dict(Trie(store, places.root).iter_prefix(b"")) == ROWS
    difference = differing_rows((places.root, store), (root, store))
    assert difference == {
        key: (ROWS.get(key), value) for key, value in sorted(changes.items()) if ROWS.get(key) != value
    }
    places.relocate(store, root)
    fresh = Places(expected)
    assert (places.nodes, places.values, places.root) == (fresh.nodes, fresh.values, fresh.root)


def test_several_updates_are_one_relocation() -> None:
    places = Places(ROWS)
    store = PathStore(places, places.root)
    root, rows = places.root, dict(ROWS)
    for number in range(20):
        change = {b"ab%d" % number: b"v", b"ab%d" % (number - 3): None, b"a": b"%d" % number}
        root, nodes = Trie(store, root).update(change)
        store.update(nodes)
        rows = {key: value for key, value in {**rows, **change}.items() if value is not None}
    places.relocate(store, root)
    fresh = Places(rows)
    assert (places.nodes, places.values) == (fresh.nodes, fresh.values)


def test_damage_is_found_when_it_is_read() -> None:
    for place in ("node", "value"):
        places = Places(ROWS)
        if place == "node":
            places.nodes[""] = places.nodes[""][:-1] + b"\1"
        else:
            places.values[b"zz"] = b"else"
        with pytest.raises(InconsistentStateError) as caught:
            Trie(PathStore(places, places.root), places.root).get(b"zz")
        assert caught.value.code == "state-damaged"


def test_what_nobody_mentioned_is_missing() -> None:
    places = Places(ROWS)
    store = PathStore(places, places.root)
    with pytest.raises(MissingNodeError):
        store.load(sha256(b"2"))
    assert store.find(sha256(b"2")) is None


def test_code_is_found_by_its_hash() -> None:
    places = Places(ROWS)
    places.codes = {sha256(b"code"): b"code", sha256(b"other"): b"wrong"}
    store = PathStore(places, places.root)
    assert store.find(sha256(b"code")) == b"code"
    with pytest.raises(InconsistentStateError):
        store.find(sha256(b"other"))


def test_the_empty_state() -> None:
    places = Places({})
    assert places.root == ZERO_HASH
    store = PathStore(places, ZERO_HASH)
    root, nodes = Trie(store, ZERO_HASH).update({b"a": b"1"})
    store.update(nodes)
    places.relocate(store, root)
    assert places.values == {b"a": b"1"}
    again = PathStore(places, root)
    emptied, nodes = Trie(again, root).update({b"a": None})
    again.update(nodes)
    places.relocate(again, emptied)
    assert (places.values, places.nodes) == ({}, {})
