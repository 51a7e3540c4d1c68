"""Recorded cases over a state directory: every block from disk and back to it, with the same results and witnesses."""

import json

import pytest

from near_tee_cli.workspace.replay import Verdict, replay, replay_json, world_of_case
from near_tee_cli.workspace.snapshots import snapshot_of
from tests.support import cases
from tests.support.machines import machine
from tests.support.stored_worlds import stored

WHOLE = ("runtime/fuzz", "runtime/state", "vm/state")
SPREAD = 46
"""So many of the other cases, at equal distances."""


def selected():
    """Family -> names of the cases to replay; the same ones as long as the cases are the same."""
    rest = [name for name in cases.names() if name.rpartition("/")[0] not in WHOLE]
    spread = [rest[at * len(rest) // SPREAD] for at in range(SPREAD)]
    return {**{family: cases.names(family) for family in WHOLE}, "others": spread}


SELECTED = selected()


def test_the_selection_is_all_random_cases_and_a_hundred_others() -> None:
    assert len(SELECTED["runtime/fuzz"]) == 122
    assert len({name for names in SELECTED.values() for name in names}) == 222


@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("family", SELECTED)
def test_cases_agree_on_disk(family, part, tmp_path) -> None:
    for number, name in enumerate(SELECTED[family][part::4]):
        case = cases.case(name)
        world = stored(str(tmp_path / str(number)), snapshot_of(world_of_case(case), block=None))
        try:
            result = replay(case, machine=machine(), world=world)
            differing = [entry for entry in replay_json(result)["compared"] if not entry["agrees"]]
            assert result.verdict is Verdict.AGREES, f"{name}: {json.dumps(differing)[:2000]}"
            assert dict(world.directory.snapshot.rows) == dict(world.rows()), name
        finally:
            world.close()
