import pytest

from near_tee_cli.errors import MissingNodeError
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.state.witness import WitnessStore


def test_unknown_is_never_absent():
    store = WitnessStore([b"one"])
    assert store.load(sha256(b"one")) == store.find(sha256(b"one")) == b"one"
    for ask in (store.load, store.find):
        with pytest.raises(MissingNodeError) as error:
            ask(sha256(b"two"))
        assert error.value.node_hash == sha256(b"two")
    assert len(store) == 1


def test_hashes_are_its_own():
    store = WitnessStore([b"one"])
    with pytest.raises(MissingNodeError):
        store.load(b"one")
    with pytest.raises(MissingNodeError):
        store.load(bytes(32))


def test_says_what_nobody_read():
    store = WitnessStore([b"one", b"two", b"three", b"two"])
    assert len(store) == 3
    store.load(sha256(b"two"))
    store.load(sha256(b"two"))
    assert store.unread() == [sha256(b"one"), sha256(b"three")]
    store.find(sha256(b"one"))
    store.load(sha256(b"three"))
    assert store.unread() == []
    assert store.load(sha256(b"one")) == b"one"


def test_what_a_transition_wrote_is_there_and_is_no_surplus():
    store = WitnessStore([b"one"])
    store.update({sha256(b"new"): b"new", sha256(b"one"): b"one"})
    assert store.unread() == [sha256(b"one")]
    assert store.load(sha256(b"new")) == b"new"
    assert len(store) == 2
