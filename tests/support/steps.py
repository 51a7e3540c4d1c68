"""Steps to test with: over the blocks of a recorded case, and one in which a yield waits."""

import pathlib

from near_tee_cli.primitives.schema.action import FunctionCall
from near_tee_cli.runtime.world import Transition, World
from near_tee_cli.runtime.yield_history import Yield, continued, waiting
from near_tee_cli.state.trie import Trie
from near_tee_cli.workspace.replay import apply_case_block, world_of_case
from near_tee_cli.workspace.snapshots import Snapshot, snapshot_of
from near_tee_cli.workspace.steps import Step, step_of
from tests.support import cases, worlds
from tests.support.machines import machine

NAME = "runtime/promises/promises-results-range"
ABOUT = {"command": "run", "gas": 5, "nested": {"list": [1, "two", None, True]}}
OUTCOME = {"status": "success", "gas_burnt": 7}
YIELD_WASM = pathlib.Path(__file__).resolve().parents[2] / "examples" / "wat" / "yield.wasm"


def applied(skip: int = 0) -> tuple[Step, World, list[Transition]]:
    """A step over the blocks of a case behind the first `skip`, the world after it, and its transitions."""
    case = cases.case(NAME)
    world = world_of_case(case)
    last = None
    for block in case.blocks[:skip]:
        last = apply_case_block(world, block, machine=machine()).transition.block
    before = snapshot_of(world, block=last)
    transitions = [apply_case_block(world, block, machine=machine()).transition for block in case.blocks[skip:]]
    return step(before, transitions, world, parent=bytes(range(32))), world, transitions


def step(
    before: Snapshot, transitions: list[Transition], world: World, *, history: tuple[Yield, ...] = (), parent=None
) -> Step:
    """The step of `transitions`, which led to `world`."""
    return step_of(
        ABOUT,
        OUTCOME,
        transitions=transitions,
        before=before,
        after=snapshot_of(world, block=transitions[-1].block),
        world=world,
        yields=continued(history, transitions),
        parent=parent,
    )


def yield_world() -> World:
    """A world with the example contract of yields."""
    return worlds.world(
        worlds.account("contract.near", code=YIELD_WASM.read_bytes(), usage=2000), worlds.account("user.near")
    )


def call(method: str, args: bytes = b"{}", *, gas: int = 10**14) -> FunctionCall:
    """A call of that contract."""
    return FunctionCall(method, args, gas, 0)


def ask(world: World, *methods: str, height: int = 1) -> Transition:
    """A block in which each method is called once."""
    receipts = [
        worlds.receipt_of(call(method, b"question"), sender="user.near", receiver="contract.near", number=number)
        for number, method in enumerate(methods, start=10 * height % 200)
    ]
    return world.produce_block(worlds.block(height), receipts=receipts, machine=machine())


def waiting_step() -> Step:
    """A step at the end of which one yield waits."""
    world = yield_world()
    before = snapshot_of(world, block=None)
    return step(before, [ask(world, "ask")], world)


def waiting_in(world: World) -> tuple[Yield, ...]:
    """The yields that wait in a world."""
    return waiting(Trie(world.store, world.root))
