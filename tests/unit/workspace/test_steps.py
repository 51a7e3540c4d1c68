"""Steps: written whole, read back, applied again, and refused when anything in them was touched."""

import json
import os

import pytest

from near_tee_cli.errors import BadInputError, EvidenceError, UnsupportedError, WriteError
from near_tee_cli.primitives import base58
from near_tee_cli.proof.prover import prove
from near_tee_cli.workspace.replay import apply_case_block, world_of_case
from near_tee_cli.workspace.snapshots import snapshot_of, world_of
from near_tee_cli.workspace.steps import is_step, read_step, repeat_step, step_of, write_step
from tests.support import cases
from tests.support.machines import machine

NAME = "runtime/promises/promises-results-range"
ABOUT = {"command": "run", "gas": 5, "nested": {"list": [1, "two", None, True]}}


def applied(skip=0):
    """A step over the blocks of a case behind the first `skip`, the world after it, and its transitions."""
    case = cases.case(NAME)
    world = world_of_case(case)
    last = None
    for block in case.blocks[:skip]:
        last = apply_case_block(world, block, machine=machine()).transition.block
    before = snapshot_of(world, block=last)
    transitions = [apply_case_block(world, block, machine=machine()).transition for block in case.blocks[skip:]]
    after = snapshot_of(world, block=transitions[-1].block)
    return step_of(ABOUT, transitions, before=before, after=after, parent=bytes(range(32))), world, transitions


@pytest.mark.parametrize("skip", [0, 1])
def test_there_and_back(tmp_path, skip) -> None:
    step, _, _ = applied(skip)
    assert bool(step.before.in_flight) == bool(skip)
    path = str(tmp_path / "step")
    digest = write_step(path, step)
    assert is_step(path)
    assert sorted(os.listdir(path)) == ["after.nts", "before.nts", "results.json", "step.json"]
    stored = read_step(path)
    assert stored == (step, digest)
    with pytest.raises(WriteError) as caught:
        write_step(path, step)
    assert caught.value.code == "exists"


def test_same_step_same_bytes(tmp_path) -> None:
    assert write_step(str(tmp_path / "a"), applied()[0]) == write_step(str(tmp_path / "b"), applied()[0])


@pytest.mark.parametrize("skip", [0, 1])
def test_a_step_is_applied_again_and_proved(tmp_path, skip) -> None:
    step, world, transitions = applied(skip)
    write_step(str(tmp_path / "step"), step)
    repeated = repeat_step(read_step(str(tmp_path / "step")).step, machine=machine())
    assert repeated.world.root == world.root
    assert repeated.world.in_flight == world.in_flight
    direct = prove(world.config, world.chain, transitions=transitions, machine=machine())
    again = prove(world.config, world.chain, transitions=repeated.transitions, machine=machine())
    assert direct.data == again.data


def test_going_on_from_the_snapshot_after(tmp_path) -> None:
    step, world, _ = applied()
    write_step(str(tmp_path / "step"), step)
    onward = world_of(read_step(str(tmp_path / "step")).step.after)
    assert (onward.root, onward.in_flight, onward.congestion_info) == (
        world.root,
        world.in_flight,
        world.congestion_info,
    )


@pytest.mark.parametrize("name", ["after.nts", "before.nts", "results.json"])
@pytest.mark.parametrize("damage", ["flip", "cut", "gone"])
def test_damaged_parts(tmp_path, name, damage) -> None:
    step, _, _ = applied()
    path = tmp_path / "step"
    write_step(str(path), step)
    data = bytearray((path / name).read_bytes())
    if damage == "flip":
        data[len(data) // 2] ^= 1
    (path / name).write_bytes(data[:-1] if damage == "cut" else data)
    if damage == "gone":
        (path / name).unlink()
    with pytest.raises(BadInputError) as caught:
        read_step(str(path))
    assert caught.value.code == ("not-found" if damage == "gone" else "step-damaged")


CHANGES = [
    (lambda d: d.update(schema="near-tee/step/v2"), "unsupported-step-schema"),
    (lambda d: d.update(schema="else"), "not-a-step"),
    (lambda d: d.update(more=1), "bad-field"),
    (lambda d: d.pop("parent"), "bad-field"),
    (lambda d: d.update(parent="x"), "bad-field"),
    (lambda d: d.update(pre_root=base58.encode(bytes(32))), "step-damaged"),
    (lambda d: d.update(post_root=None), "step-damaged"),
    (lambda d: d["blocks"].pop(), "step-damaged"),
    (lambda d: d["blocks"][0].pop("forward"), "bad-field"),
    (lambda d: d["blocks"][0].update(expired=[5]), "bad-field"),
    (lambda d: d["blocks"][0].update(transactions=["*"]), "bad-base64"),
    (lambda d: d["files"].pop("after.nts"), "bad-field"),
    (lambda d: d["files"].update({"../evil": "x"}), "bad-field"),
    (lambda d: d.update(about=[]), "bad-field"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "code"), CHANGES, ids=range(len(CHANGES)))
def test_wrong_documents(tmp_path, change, code) -> None:
    step, _, _ = applied()
    path = tmp_path / "step"
    write_step(str(path), step)
    document = json.loads((path / "step.json").read_bytes())
    change(document)
    (path / "step.json").write_text(json.dumps(document))
    with pytest.raises((BadInputError, UnsupportedError)) as caught:
        read_step(str(path))
    assert caught.value.code == code


def test_what_is_no_step(tmp_path) -> None:
    assert not is_step(str(tmp_path))
    assert not is_step(str(tmp_path / "nothing"))
    with pytest.raises(BadInputError) as caught:
        read_step(str(tmp_path))
    assert caught.value.code == "not-found"


@pytest.mark.parametrize("what", ["gas", "input", "after"])
def test_a_step_that_tells_another_story_is_found_out_when_applied_again(what) -> None:
    step, _, _ = applied()
    if what == "gas":
        results = ({**step.results[0], "gas_burnt_total": 1}, *step.results[1:])
        step = step._replace(results=results)
    elif what == "input":
        first = step.blocks[0]
        step = step._replace(blocks=(first._replace(transactions=()), *step.blocks[1:]))
    else:
        step = step._replace(after=step.after._replace(state_root=bytes(32)))
    with pytest.raises(EvidenceError) as caught:
        repeat_step(step, machine=machine())
    assert caught.value.code == "step-mismatch"
