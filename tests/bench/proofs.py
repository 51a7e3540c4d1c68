"""Times of proving and verifying blocks of a case in this process, beside applying them: everything compiled."""

import gc
import pathlib
import time
from collections.abc import Callable
from typing import NamedTuple

from near_tee_cli.primitives.schema.receipt import decode_receipt
from near_tee_cli.primitives.schema.transaction import decode_signed_transaction
from near_tee_cli.proof.bundle import encode_bundle
from near_tee_cli.proof.prover import UNBOUNDED_GAS, Purpose, assemble, prove
from near_tee_cli.proof.report import Verdict
from near_tee_cli.proof.verifier import NO_REPLAY, verify
from near_tee_cli.runtime.chunk import Machine
from near_tee_cli.runtime.world import Transition, World
from near_tee_cli.vm.engine import Engine
from near_tee_cli.vm.runner import VirtualMachine
from near_tee_cli.workspace.cases import CaseBlock, read_case
from near_tee_cli.workspace.replay import block_context, world_of_case

ROUNDS = 40


class ProofTimes(NamedTuple):
    """Seconds for one block."""

    run_s: float
    prove_s: float
    """Applying and proving it."""
    verify_s: float
    """Executing its bundle again and everything before that, with compiled code of its own."""


class ConsistentTime(NamedTuple):
    """Seconds for checking a bundle of so many bytes without execution."""

    seconds: float
    size: int


def block_times(path: pathlib.Path, engine: Engine, number: int) -> ProofTimes:
    """The times of block `number`, counted from 1. To be called on the contract thread."""
    case = read_case(path.read_bytes(), path.name)
    world = world_of_case(case)
    machine, verifying = VirtualMachine(engine), VirtualMachine(engine)
    for block in case.blocks[: number - 1]:
        _applying(world, block, machine)()
    run = _applying(world, case.blocks[number - 1], machine)

    def run_and_prove() -> bytes:
        return prove(world.config, world.chain, transitions=[run()], machine=machine).data

    data = run_and_prove()

    def verified() -> None:
        _require_established(verify(data, machine=verifying, max_gas=UNBOUNDED_GAS).verdict, path)

    return ProofTimes(*_best_in_turn(run, run_and_prove, verified))


def consistent_time(path: pathlib.Path, engine: Engine) -> ConsistentTime:
    """The time for the bundle of all blocks of a case. To be called on the contract thread."""
    case = read_case(path.read_bytes(), path.name)
    world = world_of_case(case)
    machine = VirtualMachine(engine)
    transitions = [_applying(world, block, machine)() for block in case.blocks]
    data = encode_bundle(assemble(world.config, world.chain, transitions=transitions, purpose=Purpose()))
    return ConsistentTime(consistent_seconds(data), len(data))


def consistent_seconds(data: bytes) -> float:
    """Seconds for checking a bundle without execution."""

    def verified() -> None:
        _require_established(verify(data, require=NO_REPLAY).verdict, "a bundle")

    (seconds,) = _best_in_turn(verified)
    return seconds


def _applying(world: World, block: CaseBlock, machine: Machine) -> Callable[[], Transition]:
    """Applies `block` to the world as it is now, however often it is called."""
    before = (world.root, world.in_flight, world.congestion_info, world.bandwidth_requests)
    transactions = [decode_signed_transaction(data) for data in block.transactions]
    receipts = [decode_receipt(data) for data in block.receipts]
    context = block_context(block)

    def apply() -> Transition:
        world.root, world.in_flight, world.congestion_info, world.bandwidth_requests = before
        return world.produce_block(
            context,
            transactions=transactions,
            expired=block.expired,
            receipts=receipts,
            forward=block.forward,
            machine=machine,
        )

    return apply


def _best_in_turn(*functions: Callable[[], object]) -> list[float]:
    """The shortest time of each, taken in turn after a first run, so that all meet the same conditions."""
    best = [float("inf")] * len(functions)
    for number in range(ROUNDS + 1):
        for position, function in enumerate(functions):
            gc.collect()
            begun = time.perf_counter()
            function()
            seconds = time.perf_counter() - begun
            if number:
                best[position] = min(best[position], seconds)
    return best


def _require_established(verdict: Verdict, what: object) -> None:
    if verdict is not Verdict.ESTABLISHED:
        raise SystemExit(f"{what}: the bundle is not established")
