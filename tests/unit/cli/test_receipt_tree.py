"""The tree of receipts: over recorded cases every outcome stands in it once, and below the one that sent it."""

import pytest

from near_tee_cli.cli.execution import Followed, execution_of
from near_tee_cli.cli.receipt_tree import tree_json, tree_of
from near_tee_cli.errors import BadInputError, InconsistentStateError
from near_tee_cli.workspace.replay import apply_case_block, world_of_case
from tests.support import cases, worlds
from tests.support.machines import machine
from tests.support.steps import ask, yield_world

STATES = {"success", "failure", "in flight", "delayed", "waits for results", "waits for data"}


def execution_over(world, transitions):
    followed = Followed(world, transitions[0].pre_root, (), tuple(transitions), settled=False)
    return execution_of(followed, bytes(32), call_id=None, history=())


@pytest.mark.parametrize("family", [name for name in cases.families() if name.startswith("runtime/")])
def test_recorded_cases(family) -> None:
    for name in cases.names(family):
        case = cases.case(name)
        world = world_of_case(case)
        transitions = []
        for block in case.blocks:
            try:
                transitions.append(apply_case_block(world, block._replace(views=()), machine=machine()).transition)
            except (BadInputError, InconsistentStateError):
                break
        if not transitions:
            continue
        execution = execution_over(world, transitions)
        tree = tree_of(execution)
        walked = [node for _, node in tree.walk()]
        assert len(walked) == len(tree.nodes) == len({node.id for node in walked}), name
        assert {node.id for node in walked if node.outcome is not None} == set(execution.outcomes), name
        assert {node.state for node in walked} <= STATES
        for node in walked:
            assert node.outcome is None or node.children == node.outcome.receipt_ids
            assert node.kind != "distribution" or not node.actions
        assert len(tree_json(tree)) == len(walked)


def states(execution):
    return [(depth, node.kind, node.state) for depth, node in tree_of(execution).walk()]


def test_a_yield_waits_and_runs_below_the_call_that_made_it() -> None:
    world = yield_world()
    transitions = [ask(world, "ask")]
    assert states(execution_over(world, transitions))[:2] == [
        (0, "receipt", "success"),
        (1, "yield", "waits for data"),
    ]
    transitions += [ask(world, "answer", height=2), world.produce_block(worlds.block(3), machine=machine())]
    found = states(execution_over(world, transitions))
    assert (1, "yield", "success") in found
    assert (1, "gas refund", "success") in found
