"""Changes merged into what the walk found."""

from tests.support.analysed import only_body, walked


def test_changes_stand_behind_the_charge_at_their_place() -> None:
    walk = walked(only_body("(param f32) local.get 0 f64.promote_f32 drop nop"), 0)
    assert (walk.offsets, walk.values, walk.floats) == ([0], [4], False)
    changed = walk.replacing([(0, -3), (2, -5), (9, -4)])
    assert changed.offsets == [0, 0, 2, 9]
    assert changed.values == [4, -3, -5, -4]
    assert changed.floats
    assert changed.operand_bytes == walk.operand_bytes
