"""Balances of a run: over every recorded case nothing is lost or made, and a mistake would be noticed."""

import pytest

from near_tee_cli.cli.changes import changes_of
from near_tee_cli.errors import BadInputError, InconsistentStateError, NearTeeError
from near_tee_cli.primitives.schema.action import Transfer
from near_tee_cli.runtime.balances import balances_of, receipt_value
from near_tee_cli.workspace.replay import apply_case_block, world_of_case
from tests.support import cases, worlds
from tests.support.machines import machine


def balances(world, transition, *, in_flight, root):
    changes = changes_of([transition], store=world.store, pre_root=root)
    return balances_of(world.config, [transition], changes=changes, in_flight=in_flight)


@pytest.mark.parametrize("family", [name for name in cases.families() if name.startswith("runtime/")])
def test_recorded_cases_add_up(family) -> None:
    seen = 0
    for name in cases.names(family):
        case = cases.case(name)
        world = world_of_case(case)
        for block in case.blocks:
            in_flight, root = world.in_flight, world.root
            try:
                transition = apply_case_block(world, block._replace(views=()), machine=machine()).transition
            except (BadInputError, InconsistentStateError):
                break
            if block.forward and block.is_new_chunk:
                balances(world, transition, in_flight=in_flight, root=root)
                seen += 1
    assert seen > 10


def transferred():
    world = worlds.world(worlds.account("a.near"), worlds.account("b.near"))
    root = world.root
    transaction = worlds.transact("a.near", "b.near", Transfer(worlds.NEAR))
    transition = world.produce_block(worlds.block(1), transactions=[transaction], machine=machine())
    return world, root, transition


def test_a_transfer_on_its_way() -> None:
    world, root, transition = transferred()
    found = balances(world, transition, in_flight=(), root=root)
    (receipt,) = world.in_flight
    assert found.waiting == receipt_value(world.config, receipt) > worlds.NEAR
    assert found.burnt == found.tokens_burnt == transition.result.balance_stats.tx_burnt_amount > 0
    assert found.accounts == {"a.near": -found.waiting - found.burnt}
    assert (found.came_in, found.to_contracts) == (0, 0)


def test_a_mistake_is_noticed() -> None:
    world, root, transition = transferred()
    stats = transition.result.balance_stats
    for wrong in (
        transition.result._replace(balance_stats=stats._replace(tx_burnt_amount=stats.tx_burnt_amount + 1)),
        transition.result._replace(outgoing_receipts=()),
    ):
        with pytest.raises(NearTeeError, match="came from nowhere") as caught:
            balances(world, transition._replace(result=wrong), in_flight=(), root=root)
        assert caught.value.code == "internal"
