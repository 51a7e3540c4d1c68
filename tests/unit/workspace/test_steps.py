"""Steps: going on from them, applying them again, and holding a state against what a step says of it."""

import pytest

from near_tee_cli.errors import BadInputError, EvidenceError, InconsistentStateError
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.proof.prover import prove
from near_tee_cli.runtime.yield_history import EXECUTED
from near_tee_cli.state import keys
from near_tee_cli.workspace.step_files import pack, read_step, write_step
from near_tee_cli.workspace.steps import repeat_step, world_after
from tests.support.machines import machine
from tests.support.steps import applied, waiting_step


@pytest.mark.parametrize("skip", [0, 1])
def test_a_step_is_applied_again_and_proved(tmp_path, skip) -> None:
    step, world, transitions = applied(skip)
    write_step(str(tmp_path / "step"), pack(step))
    repeated = repeat_step(read_step(str(tmp_path / "step")).step, machine=machine())
    assert repeated.world.root == world.root
    assert repeated.world.in_flight == world.in_flight
    direct = prove(world.config, world.chain, transitions=transitions, machine=machine())
    again = prove(world.config, world.chain, transitions=repeated.transitions, machine=machine())
    assert direct.data == again.data


def test_going_on_from_the_snapshot_after(tmp_path) -> None:
    step, world, _ = applied()
    write_step(str(tmp_path / "step"), pack(step))
    onward = world_after(read_step(str(tmp_path / "step")).step)
    assert (onward.root, onward.in_flight, onward.congestion_info) == (
        world.root,
        world.in_flight,
        world.congestion_info,
    )


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


def _other_code(step):
    """Another contract under the account that waits, with everything else made to fit."""
    row = keys.contract_code("contract.near")
    rows = {**step.after.rows, row: step.after.rows[row] + b"\0"}
    return step._replace(after=step.after._replace(rows=rows, state_root=None))


LIES = {
    "root": (lambda step: step._replace(after=step.after._replace(state_root=bytes(32))), "state-root-mismatch"),
    "version": (
        lambda step: step._replace(after=step.after._replace(protocol_version=60)), "unsupported-protocol-version",
    ),
    "no yield": (lambda step: step._replace(yields=()), "step-damaged"),
    "executed": (lambda step: step._replace(yields=(step.yields[0]._replace(status=EXECUTED),)), "step-damaged"),
    "method": (lambda step: step._replace(yields=(step.yields[0]._replace(method_name="steal"),)), "step-damaged"),
    "gas": (lambda step: step._replace(yields=(step.yields[0]._replace(gas=1),)), "step-damaged"),
    "height": (lambda step: step._replace(yields=(step.yields[0]._replace(expires_at=9),)), "step-damaged"),
    "yield id": (lambda step: step._replace(yields=(step.yields[0]._replace(yield_id=bytes(32)),)), "step-damaged"),
    "account": (lambda step: step._replace(yields=(step.yields[0]._replace(account_id="else.near"),)), "step-damaged"),
    "code hash": (lambda step: step._replace(codes={"contract.near": bytes(32)}), "code-mismatch"),
    "no code hash": (lambda step: step._replace(codes={}), "step-damaged"),
    "code": (_other_code, "code-mismatch"),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_a_step_that_says_what_its_state_does_not_hold_is_not_gone_on_from(lie) -> None:
    change, code = LIES[lie]
    step = waiting_step()
    world_after(step)
    with pytest.raises((BadInputError, InconsistentStateError)) as caught:
        world_after(change(step))
    assert caught.value.code == code


def test_the_code_of_a_waiting_account_is_recorded() -> None:
    step = waiting_step()
    assert step.codes == {"contract.near": sha256(step.after.rows[keys.contract_code("contract.near")])}
