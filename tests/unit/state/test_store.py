import pytest

from near_tee_cli.errors import MissingNodeError
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.state.store import MemoryStore


def test_serves_bytes_by_their_hash():
    store = MemoryStore()
    assert store.add(b"code") == sha256(b"code")
    store.add_all([b"one", b"two", b"one"])
    store.update({sha256(b"three"): b"three"})
    assert len(store) == 4
    assert store.load(sha256(b"two")) == store.find(sha256(b"two")) == b"two"
    assert store.load(sha256(b"three")) == b"three"
    assert sha256(b"one") in store
    assert set(store) == {sha256(data) for data in (b"code", b"one", b"two", b"three")}


def test_a_whole_state_knows_what_it_lacks():
    store = MemoryStore({sha256(b"one"): b"one"})
    assert store.find(sha256(b"two")) is None
    assert sha256(b"two") not in store
    with pytest.raises(MissingNodeError) as error:
        store.load(sha256(b"two"))
    assert error.value.node_hash == sha256(b"two")
    assert len(store) == 1


def test_does_not_share_what_it_was_made_from():
    items = {sha256(b"one"): b"one"}
    store = MemoryStore(items)
    store.add(b"two")
    assert len(items) == 1
