"""The overlay against a plain model: a stack of dictionaries above a dictionary."""

from hypothesis import given
from hypothesis import strategies as st

from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.state.build import build, root_of
from near_tee_cli.state.overlay import Overlay
from near_tee_cli.state.recorder import Recorder, TouchCounter
from near_tee_cli.state.trie import Trie
from near_tee_cli.state.witness import WitnessStore

# The first byte is the column; 9 is contract data.
KEYS = st.tuples(
    st.sampled_from([b"\x00", b"\x09"]), st.lists(st.sampled_from([0, 1, 255]), max_size=3).map(bytes)
).map(b"".join)
VALUES = st.binary(max_size=3)
STEPS = st.one_of(
    st.tuples(st.just("set"), KEYS, VALUES),
    st.tuples(st.just("remove"), KEYS),
    st.tuples(st.just("get"), KEYS),
    st.tuples(st.just("contains"), KEYS),
    st.tuples(st.just("ref"), KEYS),
    st.tuples(st.just("iterate"), KEYS | st.just(b"")),
    st.tuples(st.just("commit")),
    st.tuples(st.just("rollback")),
)


class Model:
    """What an overlay means."""

    def __init__(self, items):
        self.below = dict(items)
        self.committed = {}
        self.prospective = {}
        self.removals = 0

    def value(self, key):
        return {**self.below, **self.committed, **self.prospective}.get(key)

    def keys(self, prefix):
        merged = {**self.below, **self.committed, **self.prospective}
        return sorted(key for key, value in merged.items() if value is not None and key.startswith(prefix))


def run(overlay, model, step):
    match step:
        case ("set", key, value):
            overlay.set(key, value)
            model.prospective[key] = value
        case ("remove", key):
            overlay.remove(key)
            model.prospective[key] = None
            model.removals += key[0] == 9
        case ("get", key):
            assert overlay.get(key) == model.value(key)
        case ("contains", key):
            assert overlay.contains(key) is (model.value(key) is not None)
        case ("ref", key):
            touches = TouchCounter()
            stored = overlay.ref(key, touches)
            value = model.value(key)
            if value is None:
                assert stored is None
            else:
                assert (stored.length, stored.hash, stored.load(touches)) == (len(value), sha256(value), value)
            if key in model.prospective or key in model.committed:
                assert touches.db == touches.mem == 0
        case ("iterate", prefix):
            assert list(overlay.iter_prefix(prefix)) == model.keys(prefix)
        case ("commit",):
            overlay.commit()
            model.committed.update(model.prospective)
            model.prospective = {}
        case ("rollback",):
            overlay.rollback()
            model.prospective = {}


@given(st.dictionaries(KEYS, VALUES, max_size=10), st.lists(STEPS, max_size=30))
def test_an_overlay_is_a_stack_of_maps(items, steps):
    root, store = build(items)
    recorder = Recorder()
    overlay = Overlay(Trie(store, root, recorder=recorder))
    model = Model(items)
    for step in steps:
        run(overlay, model, step)
    assert recorder.removals == model.removals
    overlay.rollback()
    new_root, changes, nodes = overlay.finalize()
    assert changes == sorted(model.committed.items())
    expected = {**model.below, **model.committed}
    assert new_root == root_of({key: value for key, value in expected.items() if value is not None})
    store.update(nodes)
    for key, value in changes:
        assert Trie(store, new_root).get(key) == value

    # A verifier with nothing but the record sees the same and ends at the same root with the same record.
    again = Recorder()
    replay = Overlay(Trie(WitnessStore(recorder.nodes.values()), root, recorder=again))
    model = Model(items)
    for step in steps:
        run(replay, model, step)
    replay.rollback()
    assert replay.finalize().root == new_root
    assert list(again.nodes) == list(recorder.nodes)
    assert again.upper_bound_size == recorder.upper_bound_size
