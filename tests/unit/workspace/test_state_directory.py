"""State directories: everything there and back, whole or not at all, and refused when they are not what they say."""

import os
import shutil
import signal
import subprocess
import sys

import lmdb
import pytest

from near_tee_cli.errors import BadInputError, InconsistentStateError, UnsupportedError, WriteError
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.state import keys
from near_tee_cli.state.node import Leaf, ValueRef, encode
from near_tee_cli.state.trie import Trie
from near_tee_cli.workspace.saving import advance_in_place, save_world
from near_tee_cli.workspace.snapshot_borsh import snapshot_borsh
from near_tee_cli.workspace.snapshot_files import Form
from near_tee_cli.workspace.snapshots import header_of, snapshot_of, world_of
from near_tee_cli.workspace.state_directory import DATA, StateDirectory, create_state, is_state_directory
from tests.support.cli import PROJECT
from tests.support.steps import YIELD_WASM, ask, waiting_in, yield_world

CODE = YIELD_WASM.read_bytes()


def rich_snapshot():
    """A state with a waiting yield, code that two accounts share, and keys of every length."""
    world = yield_world()
    last = ask(world, "ask")
    rows = {
        **snapshot_of(world, block=last.block).rows,
        keys.contract_code("second.near"): CODE,
        keys.contract_data("contract.near", b"k" * 480): b"long",
        keys.contract_data("contract.near", b"k" * 2000): b"longer",
        keys.contract_data("contract.near", b""): b"",
    }
    snapshot = snapshot_of(world, block=last.block)._replace(rows=rows, state_root=None)
    return snapshot._replace(state_root=world_of(snapshot).root)


@pytest.fixture
def place(tmp_path):
    path = str(tmp_path / "state.lmdb")
    create_state(path, rich_snapshot())
    return path


def changed(world, **rows):
    """Write rows of contract data into a world."""
    changes = {keys.contract_data("contract.near", name.encode()): value for name, value in rows.items()}
    world.root, nodes = Trie(world.store, world.root).update(changes)
    world.store.update(nodes)


def test_there_and_back(place, tmp_path) -> None:
    snapshot = rich_snapshot()
    with StateDirectory(place) as directory:
        found = directory.snapshot
        assert found._replace(rows={}) == snapshot._replace(rows={})
        assert list(found.rows) == sorted(snapshot.rows)
        assert len(found.rows) == len(snapshot.rows)
        assert dict(found.rows) == snapshot.rows
        assert found.rows.get(b"nothing") is None
        assert found.rows.get(b"") is None
        world = world_of(found)
        assert waiting_in(world)
        assert dict(world.rows()) == snapshot.rows
        copy = str(tmp_path / "copy.lmdb")
        save_world(world, copy, form=Form.LMDB, block=found.block)
    with StateDirectory(copy) as directory:
        assert dict(directory.snapshot.rows) == snapshot.rows


def test_going_on_in_place(place) -> None:
    with StateDirectory(place, writing=True) as directory:
        world = world_of(directory.snapshot)
        changed(world, new=b"1", **{"k" * 2000: None})
        advance_in_place(world, block=None)
        rows = dict(world.rows())
    with StateDirectory(place) as directory:
        assert directory.snapshot.state_root == world.root
        assert dict(directory.snapshot.rows) == rows
        assert len(directory.snapshot.rows) == len(rows)


def test_shared_code_stays_while_somebody_has_it(place) -> None:
    code_hash = sha256(CODE)
    for account_id, left in (("second.near", True), ("contract.near", False)):
        with StateDirectory(place, writing=True) as directory:
            world = world_of(directory.snapshot)
            world.root, nodes = Trie(world.store, world.root).update({keys.contract_code(account_id): None})
            world.store.update(nodes)
            advance_in_place(world, block=None)
        with StateDirectory(place) as directory:
            assert (directory.code(code_hash) is not None) == left


def test_a_directory_that_has_moved_on_is_left_alone(place) -> None:
    with StateDirectory(place, writing=True) as directory:
        first, second = world_of(directory.snapshot), world_of(directory.snapshot)
        changed(first, a=b"1")
        advance_in_place(first, block=None)
        changed(second, b=b"1")
        with pytest.raises(WriteError) as caught:
            advance_in_place(second, block=None)
        assert caught.value.code == "state-changed"
    with StateDirectory(place) as directory:
        assert directory.snapshot.state_root == first.root


def test_nothing_is_overwritten(place, tmp_path) -> None:
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(WriteError) as caught:
        create_state(place, rich_snapshot())
    assert caught.value.code == "exists"
    with pytest.raises(InconsistentStateError) as wrong:
        create_state(str(tmp_path / "other.lmdb"), rich_snapshot()._replace(state_root=bytes(32)))
    assert wrong.value.code == "state-root-mismatch"
    assert sorted(os.listdir(tmp_path)) == before


def _meta(path, name, value):
    environment = lmdb.open(path, max_dbs=8, map_size=1 << 28)
    with environment.begin(write=True) as transaction:
        transaction.put(name, value, db=environment.open_db(b"meta", txn=transaction))
    environment.close()


def _overwrite(path):
    with open(os.path.join(path, DATA), "wb") as file:
        file.write(b"x" * 8192)


def _cut(path, keep):
    with open(os.path.join(path, DATA), "r+b") as file:
        file.truncate(keep if keep >= 0 else os.path.getsize(os.path.join(path, DATA)) + keep)


DAMAGE = {
    "empty": (lambda path: _cut(path, 0), "malformed-state"),
    "short": (lambda path: _cut(path, 100), "malformed-state"),
    "cut off": (lambda path: _cut(path, -4096 * 3), "malformed-state"),
    "no magic": (_overwrite, "malformed-state"),
    "format": (lambda path: _meta(path, b"format", b"else"), "not-a-state"),
    "newer": (lambda path: _meta(path, b"format", b"near-tee/state/v9"), "unsupported-state-format"),
    "snapshot": (lambda path: _meta(path, b"snapshot", b"else"), "malformed-state"),
    "no snapshot": (lambda path: _meta(path, b"snapshot", b""), "malformed-state"),
    "very many rows": (lambda path: _meta(path, b"rows", b"\xff" * 8), "malformed-state"),
    "a long number of rows": (lambda path: _meta(path, b"rows", bytes(9)), "malformed-state"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_directories(place, damage) -> None:
    change, code = DAMAGE[damage]
    change(place)
    with pytest.raises((BadInputError, UnsupportedError)) as caught:
        StateDirectory(place)
    assert caught.value.code == code


def test_somebody_elses_environment(tmp_path) -> None:
    path = str(tmp_path / "other")
    environment = lmdb.open(path, max_dbs=1)
    with environment.begin(write=True) as transaction:
        transaction.put(b"a", b"b")
    environment.close()
    assert is_state_directory(path)
    with pytest.raises(BadInputError) as caught:
        StateDirectory(path)
    assert caught.value.code in ("not-a-state", "malformed-state")
    with pytest.raises(BadInputError) as caught:
        StateDirectory(str(tmp_path))
    assert caught.value.code == "not-a-state"


def test_other_values_are_found_out(place) -> None:
    environment = lmdb.open(place, max_dbs=8, map_size=1 << 28)
    with environment.begin(write=True) as transaction:
        key = keys.contract_data("contract.near", b"k" * 480)
        transaction.put(key, b"forged", db=environment.open_db(b"values", txn=transaction))
    environment.close()
    with StateDirectory(place) as directory:
        world = world_of(directory.snapshot)
        with pytest.raises(InconsistentStateError) as caught:
            Trie(world.store, world.root).get(key)
        assert caught.value.code == "state-damaged"
        rows = directory.snapshot.rows
        for read in (lambda: rows.get(key), lambda: list(rows), lambda: dict(rows.items())):
            with pytest.raises(InconsistentStateError) as caught:
                read()
            assert caught.value.code == "state-damaged"


def test_rows_that_are_there_and_not_counted(place) -> None:
    with StateDirectory(place) as directory:
        count = len(directory.snapshot.rows)
    _meta(place, b"rows", (count + 1).to_bytes(8, "little"))
    with StateDirectory(place) as directory, pytest.raises(InconsistentStateError) as caught:
        dict(directory.snapshot.rows.items())
    assert caught.value.code == "state-damaged"


def test_a_node_that_no_state_has(place) -> None:
    """The hashes agree all the way, and a value stands behind half a byte."""
    node = encode(Leaf("0", ValueRef(1, sha256(b"v")), 105))
    environment = lmdb.open(place, max_dbs=8, map_size=1 << 28)
    with environment.begin(write=True) as transaction:
        transaction.put(b"\0", node, db=environment.open_db(b"nodes", txn=transaction))
    environment.close()
    with StateDirectory(place) as directory:
        head = directory.snapshot._replace(rows={}, state_root=sha256(node))
    _meta(place, b"snapshot", snapshot_borsh(head))
    with StateDirectory(place) as directory:
        root, store = directory.snapshot.rows.trie()
        for read in (lambda: list(directory.snapshot.rows), lambda: list(Trie(store, root).iter_prefix(b""))):
            with pytest.raises(BadInputError) as caught:
                read()
            assert caught.value.code == "malformed-node"


_ADVANCE = """
import sys
from near_tee_cli.state import keys
from near_tee_cli.state.node import Leaf, ValueRef, encode
from near_tee_cli.state.trie import Trie
from near_tee_cli.workspace.saving import advance_in_place
from near_tee_cli.workspace.snapshots import world_of
from near_tee_cli.workspace.state_directory import StateDirectory
with StateDirectory(sys.argv[1], writing=True) as directory:
    world = world_of(directory.snapshot)
    changes = {keys.contract_data("contract.near", b"%d" % number): b"v" * 500 for number in range(2000)}
    world.root, nodes = Trie(world.store, world.root).update(changes)
    world.store.update(nodes)
    print(world.root.hex(), flush=True)
    advance_in_place(world, block=None)
    print("done", flush=True)
"""


def _advance(path):
    return subprocess.Popen([sys.executable, "-c", _ADVANCE, path], cwd=PROJECT, stdout=subprocess.PIPE, text=True)


def test_a_killed_process_leaves_the_old_or_the_new_state(place, tmp_path) -> None:
    with StateDirectory(place) as directory:
        old = directory.snapshot.state_root
    seen = set()
    for attempt in range(12):
        path = str(tmp_path / f"{attempt}.lmdb")
        shutil.copytree(place, path)
        process = _advance(path)
        new = bytes.fromhex(process.stdout.readline())
        try:
            process.wait(timeout=0.004 * attempt)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.communicate()
        with StateDirectory(path) as directory:
            root = directory.snapshot.state_root
            assert root in (old, new)
            seen.add(root == new)
            world = world_of(directory.snapshot)
            rows = dict(world.rows())
            assert dict(directory.snapshot.rows) == rows
            assert world_of(header_of(world, block=None)._replace(rows=rows)).root == root
    assert True in seen
