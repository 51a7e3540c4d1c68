"""Random chains: nothing is lost or made, every block can be proved, and a chain goes on the same from its snapshot."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from near_tee_cli.cli.changes import changes_of
from near_tee_cli.params.features import SUPPORTED_VERSIONS
from near_tee_cli.proof.prover import prove
from near_tee_cli.proof.report import Strength, Verdict
from near_tee_cli.runtime.balances import balances_of, receipt_value
from near_tee_cli.runtime.yield_history import EXECUTED, continued
from near_tee_cli.workspace.snapshot_files import Form, read_snapshot, write_snapshot
from near_tee_cli.workspace.snapshots import snapshot_of, world_of
from near_tee_cli.workspace.step_files import pack, read_step, write_step
from near_tee_cli.workspace.steps import repeat_step, step_of, world_after
from tests.support.balances import gone, tokens_of
from tests.support.bundles import executed
from tests.support.machines import machine
from tests.support.random_worlds import Driver
from tests.support.steps import waiting_in
from tests.support.stored_worlds import scratch
from tests.support.stored_worlds import stored as stored_world

SEEDS = st.integers(0, 2**32)
VERSIONS = st.sampled_from(SUPPORTED_VERSIONS)
BLOCKS = 12
FEW = settings(max_examples=settings.default.max_examples // 6)


@FEW
@given(SEEDS, VERSIONS)
def test_tokens_are_neither_lost_nor_made(seed, version) -> None:
    driver = Driver(seed, version)
    history = ()
    for _ in range(BLOCKS):
        before = tokens_of(driver.world)
        in_flight, root = driver.world.in_flight, driver.world.root
        arrived = len(in_flight)
        transition = driver.advance()
        outside = sum(receipt_value(driver.world.config, one) for one in transition.inputs.receipts[arrived:])
        assert tokens_of(driver.world) == before + outside - gone(transition)
        changes = changes_of([transition], store=driver.world.store, pre_root=root)
        found = balances_of(driver.world.config, [transition], changes=changes, in_flight=in_flight)
        assert (found.burnt, found.came_in) == (gone(transition), outside)
        history = continued(history, [transition])
        waiting = {one.name: one.status for one in waiting_in(driver.world)}
        assert waiting == {one.name: one.status for one in history if one.status != EXECUTED}


@FEW
@given(SEEDS, VERSIONS, st.integers(1, 4))
def test_every_run_of_blocks_proves_and_verifies(seed, version, length) -> None:
    driver = Driver(seed, version)
    transitions = [driver.advance() for _ in range(BLOCKS)]
    for start in range(0, BLOCKS, length):
        part = transitions[start : start + length]
        proof = prove(driver.world.config, driver.world.chain, transitions=part, machine=machine())
        report = executed(proof.data, max_gas=10**18)
        assert report.verdict is Verdict.ESTABLISHED, report.message
        assert Strength.RE_EXECUTED in report.strengths


@FEW
@given(SEEDS, VERSIONS, st.integers(1, BLOCKS - 2), st.sampled_from((Form.JSON, Form.BORSH)))
def test_a_chain_goes_on_the_same_from_its_snapshot(seed, version, at, form) -> None:
    driver = Driver(seed, version)
    last = [driver.advance() for _ in range(at)][-1]
    stored = write_snapshot(snapshot_of(driver.world, block=last.block), form)
    other = world_of(read_snapshot(stored, "the snapshot").snapshot)
    for _ in range(at, BLOCKS):
        block, transactions, receipts = driver.next()
        one, two = (
            world.produce_block(block, transactions=transactions, receipts=receipts, machine=machine())
            for world in (driver.world, other)
        )
        assert one == two


@FEW
@given(SEEDS, VERSIONS, st.integers(1, BLOCKS - 2))
def test_a_chain_goes_on_the_same_in_a_state_directory(seed, version, at) -> None:
    driver = Driver(seed, version)
    last = [driver.advance() for _ in range(at)][-1]
    with scratch() as folder:
        other = stored_world(f"{folder}/state", snapshot_of(driver.world, block=last.block))
        for _ in range(at, BLOCKS):
            block, transactions, receipts = driver.next()
            one, two = (
                world.produce_block(block, transactions=transactions, receipts=receipts, machine=machine())
                for world in (driver.world, other)
            )
            assert one == two
        assert snapshot_of(other, block=block) == snapshot_of(driver.world, block=block)
        other.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("steps")


@FEW
@given(seed=SEEDS, version=VERSIONS, at=st.integers(1, BLOCKS - 1), suffix=st.sampled_from(("", ".step")))
def test_a_step_holds_everything(place, seed, version, at, suffix) -> None:
    driver = Driver(seed, version)
    head = [driver.advance() for _ in range(at)]
    history = continued((), head)
    before = snapshot_of(driver.world, block=head[-1].block)
    transitions = [driver.advance() for _ in range(at, BLOCKS)]
    step = step_of(
        {}, {},
        transitions=transitions,
        before=before,
        after=snapshot_of(driver.world, block=transitions[-1].block),
        world=driver.world,
        yields=continued(history, transitions),
        parent=None,
    )  # fmt: skip
    packed = pack(step)
    path = str(place / packed.digest.hex()) + suffix
    write_step(path, packed)
    stored = read_step(path).step
    assert stored == step
    assert world_after(stored).root == driver.world.root
    assert [one.result for one in repeat_step(stored, machine=machine()).transitions] == [
        one.result for one in transitions
    ]
