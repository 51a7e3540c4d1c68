"""What differs between two tries is what differs between their maps, and little is read for it."""

from hypothesis import given

from near_tee_cli.state.build import build
from near_tee_cli.state.difference import differing_rows
from near_tee_cli.state.store import MemoryStore
from tests.property.test_state_trie import MAPS, apply, histories


class Counting(MemoryStore):
    """A store that counts what is read of it."""

    def __init__(self, other):
        super().__init__({item: other.load(item) for item in other})
        self.reads = 0
        load = self.load

        def counted(item_hash):
            self.reads += 1
            return load(item_hash)

        self.load = counted


def counting(items):
    root, store = build(items)
    return root, Counting(store)


@given(MAPS, MAPS)
def test_any_two(left, right) -> None:
    expected = {key: (left.get(key), right.get(key)) for key in sorted(left.keys() | right.keys())}
    expected = {key: values for key, values in expected.items() if values[0] != values[1]}
    found = differing_rows(build(left), build(right))
    assert found == expected
    assert list(found) == list(expected)


@given(histories())
def test_a_map_and_what_became_of_it(history) -> None:
    items, (changes,) = history
    after = apply(items, changes)
    found = differing_rows(build(items), build(after))
    assert found == {
        key: (items.get(key), after.get(key)) for key in sorted(changes) if items.get(key) != after.get(key)
    }


def test_one_row_costs_its_way_even_where_the_shape_changes() -> None:
    """A key that splits the extension above everything else: what lies below is the same, and is not read."""
    items = {b"\x00account-%d" % number: b"v" for number in range(2000)}
    left, right = counting(items), counting({**items, b"\x00b": b"new", b"\x0f": b"other"})
    assert differing_rows(left, right) == {b"\x00b": (None, b"new"), b"\x0f": (None, b"other")}
    assert left[1].reads + right[1].reads < 15
