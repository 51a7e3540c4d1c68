"""State directories against a trie in memory: roots, rows, records of reading, and what is on disk afterwards."""

from contextlib import ExitStack

from hypothesis import given
from hypothesis import strategies as st

from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.state.build import build, root_of
from near_tee_cli.state.key_proof import prove_key
from near_tee_cli.state.path_store import children_of, value_of
from near_tee_cli.state.recorder import Recorder, TouchCounter
from near_tee_cli.state.trie import EMPTY_ROOT, Trie
from near_tee_cli.workspace.snapshot_borsh import snapshot_borsh
from near_tee_cli.workspace.snapshot_files import Form, read_snapshot, write_snapshot
from near_tee_cli.workspace.snapshots import Snapshot
from near_tee_cli.workspace.state_directory import StateDirectory, create_state
from tests.support.snapshot_strategies import snapshots
from tests.support.stored_worlds import scratch
from tests.support.worlds import CHAIN

# Columns of code among them, keys within one another, and keys longer than LMDB takes that share almost everything.
COLUMNS = st.sampled_from([0x00, 0x01, 0x09, 0x12, 0xFF])
SHORT = st.lists(st.sampled_from([0x00, 0x01, 0x10, 0xFF]), max_size=3).map(bytes)
LONG = st.tuples(st.sampled_from([490, 499, 500, 501, 600, 2000]), SHORT).map(lambda made: b"\x01" * made[0] + made[1])
KEYS = st.tuples(COLUMNS.map(lambda column: bytes((column,))), SHORT | LONG).map(b"".join) | st.just(b"")
VALUES = st.binary(max_size=4) | st.sampled_from([b"", b"same", b"a value longer than its hash is, by some bytes"])
MAPS = st.dictionaries(KEYS, VALUES, max_size=12)


@st.composite
def histories(draw, *, rounds):
    items = current = draw(MAPS)
    changes = []
    for _ in range(rounds):
        removed = draw(st.sets(st.sampled_from(sorted(current)))) if current else set()
        changes.append(dict.fromkeys(removed) | draw(st.dictionaries(KEYS, st.none() | VALUES, max_size=5)))
        current = apply(current, changes[-1])
    return items, changes


def apply(items, changes):
    return {key: value for key, value in {**items, **changes}.items() if value is not None}


def head(root, rows=None):
    return Snapshot(protocol_version=86, chain=CHAIN, rows=rows or {}, state_root=root)


def on_disk(directory):
    """Everything in the databases of an open directory."""
    found = {}
    for name, database in directory._databases.items():
        cursor = directory._transaction.cursor(db=database)
        found[name] = {bytes(key): bytes(value) for key, value in cursor}
    return found


def transition(store, root, changes, prefix):
    recorder, touches = Recorder(), TouchCounter()
    trie = Trie(store, root, recorder=recorder)
    seen = [trie.ref(key, touches) for key in sorted(changes)]
    listed = list(trie.iter_prefix(prefix))
    new_root, nodes = trie.update(changes)
    return new_root, nodes, seen, listed, touches.db, touches.mem, list(recorder.nodes.items())


@given(histories(rounds=3), st.data())
def test_a_directory_is_the_trie_in_memory(history, data) -> None:
    items, rounds = history
    root, memory = build(items)
    with scratch() as folder, ExitStack() as opened:
        path = f"{folder}/state"
        assert create_state(path, head(None, items)) == root
        directory = opened.enter_context(StateDirectory(path, writing=True))
        store = directory.store()
        pending = False
        for changes in rounds:
            prefix = data.draw(KEYS)
            expected = transition(memory, root, changes, prefix)
            assert transition(store, root, changes, prefix) == expected
            root, nodes = expected[:2]
            memory.update(nodes)
            store.update(nodes)
            items = apply(items, changes)
            # Several blocks may go into one transaction.
            pending = data.draw(st.booleans())
            if not pending:
                directory.advance(store, head(root))
                directory.close()
                directory = opened.enter_context(StateDirectory(path, writing=True))
                store = directory.store()
                assert dict(directory.snapshot.rows) == items
        directory.advance(store, head(root))
        directory.close()
        with StateDirectory(path) as again:
            assert (again.snapshot.state_root, again.row_count) == (root, len(items))
            rows = again.snapshot.rows
            assert list(rows.items()) == sorted(items.items())
            assert all(rows[key] == value for key, value in items.items())
            assert len(rows) == len(items)
            assert root == root_of(items)
            for key in items:
                assert prove_key(again.store(), root, key) == prove_key(memory, root, key)
            # Nothing is left over: it is what building from nothing leaves.
            create_state(f"{folder}/new", head(root, items))
            with StateDirectory(f"{folder}/new") as new:
                assert on_disk(again) == on_disk(new)


@given(histories(rounds=2))
def test_a_copy_is_the_state_after_and_leaves_the_one_before(history) -> None:
    items, rounds = history
    with scratch() as folder:
        create_state(f"{folder}/0", head(None, items))
        for number, changes in enumerate(rounds):
            with StateDirectory(f"{folder}/{number}") as directory:
                store = directory.store()
                before = on_disk(directory)
                root, nodes = Trie(store, store.base).update(changes)
                store.update(nodes)
                directory.copy(f"{folder}/{number + 1}", store=store, after=head(root))
            with StateDirectory(f"{folder}/{number}") as directory:
                assert on_disk(directory) == before
            items = apply(items, changes)
            with StateDirectory(f"{folder}/{number + 1}") as directory:
                assert (dict(directory.snapshot.rows), directory.snapshot.state_root) == (items, root_of(items))


@given(snapshots)
def test_every_form_into_every_other(snapshot) -> None:
    """JSON to a directory to Borsh to JSON: the bytes are the same."""
    snapshot = snapshot._replace(state_root=root_of(snapshot.rows))
    text = write_snapshot(snapshot, Form.JSON)
    with scratch() as folder:
        create_state(f"{folder}/a", read_snapshot(text, "x").snapshot)
        with StateDirectory(f"{folder}/a") as directory:
            data = snapshot_borsh(directory.snapshot)
            assert directory.snapshot._replace(rows=dict(directory.snapshot.rows)) == snapshot
        create_state(f"{folder}/b", read_snapshot(data, "x").snapshot)
        with StateDirectory(f"{folder}/b") as directory:
            assert write_snapshot(directory.snapshot, Form.JSON) == text


@given(MAPS.filter(bool))
def test_nodes_say_where_everything_below_them_lies(items) -> None:
    root, memory = build(items)
    assert root != EMPTY_ROOT
    places, values, pending = {}, {}, [(root, "")]
    while pending:
        node_hash, path = pending.pop()
        places[path] = node = memory.load(node_hash)
        assert sha256(node) == node_hash
        pending.extend(children_of(node, path))
        value = value_of(node, path)
        if value is not None:
            values[value[1]] = memory.load(value[0])
    assert values == items
