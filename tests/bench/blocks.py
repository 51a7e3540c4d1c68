"""Times of applying the blocks of a case: everything loaded and compiled, the trie recording, as in the reference.

On disk a block begins with nothing of the state in this process (the system has its pages), and its time has the
durable transaction in it.
"""

import gc
import pathlib
import tempfile
import time
from typing import NamedTuple

from near_tee_cli.primitives import base58
from near_tee_cli.primitives.schema.receipt import decode_receipt
from near_tee_cli.primitives.schema.transaction import decode_signed_transaction
from near_tee_cli.runtime.world import World
from near_tee_cli.vm.engine import Engine
from near_tee_cli.vm.runner import VirtualMachine
from near_tee_cli.workspace.cases import CaseBlock, read_case
from near_tee_cli.workspace.replay import block_context, world_of_case
from near_tee_cli.workspace.snapshots import header_of, snapshot_of, world_of
from near_tee_cli.workspace.state_directory import DATA, StateDirectory, create_state

MIN_RUNS = 7
MAX_RUNS = 60
SECONDS_PER_BLOCK = 2.0


class BlockTime(NamedTuple):
    """Seconds for one block, numbered from 1; `first_s` with nothing compiled yet, where that was asked for."""

    block: int
    best_s: float
    first_s: float | None


def times(path: pathlib.Path, engine: Engine, *, first_for: tuple[int, ...] = ()) -> list[BlockTime]:
    """The time of each block of the case at `path`. To be called on the contract thread."""
    case = read_case(path.read_bytes(), path.name)
    world = world_of_case(case)
    machine = VirtualMachine(engine)
    result = []
    for number, block in enumerate(case.blocks, 1):
        first = None
        if number in first_for:
            first = min(_once(world, block, VirtualMachine(engine), keep=False) for _ in range(MIN_RUNS))
        _once(world, block, machine, keep=False)
        best, spent, runs = float("inf"), 0.0, 0
        while runs < MIN_RUNS or (spent < SECONDS_PER_BLOCK and runs < MAX_RUNS):
            seconds = _once(world, block, machine, keep=False)
            best, spent, runs = min(best, seconds), spent + seconds, runs + 1
        _once(world, block, machine, keep=True)
        result.append(BlockTime(number, best, first))
        if case.expect["blocks"][number - 1]["state_root"] != base58.encode(world.root):
            raise SystemExit(f"{path.name} block {number}: the state root is not the recorded one")
    return result


def times_on_disk(path: pathlib.Path, engine: Engine) -> list[BlockTime]:
    """The time of each block of the case at `path` from a state directory and into it. As `times` otherwise."""
    case = read_case(path.read_bytes(), path.name)
    machine = VirtualMachine(engine)
    result = []
    with tempfile.TemporaryDirectory() as folder:
        create_state(f"{folder}/0", snapshot_of(world_of_case(case), block=None))
        for number, block in enumerate(case.blocks, 1):
            best = float("inf")
            for run in range(MIN_RUNS + 1):
                copy = f"{folder}/{number}" if run == MIN_RUNS else f"{folder}/{number}-{run}"
                with StateDirectory(f"{folder}/{number - 1}") as before:
                    before.copy(copy, store=before.store(), after=before.snapshot)
                pathlib.Path(copy, DATA).read_bytes()  # LMDB copies around the system's cache.
                seconds, root = _once_on_disk(copy, block, machine)
                best = min(best, seconds)
            result.append(BlockTime(number, best, None))
            if case.expect["blocks"][number - 1]["state_root"] != base58.encode(root):
                raise SystemExit(f"{path.name} block {number} on disk: the state root is not the recorded one")
    return result


def _once_on_disk(path: str, block: CaseBlock, machine: VirtualMachine) -> tuple[float, bytes]:
    """Apply `block` to the directory `path`, and write it there. Gives the seconds and the root."""
    with StateDirectory(path, writing=True) as directory:
        world = world_of(directory.snapshot)
        seconds = _once(world, block, machine, keep=True)
        begun = time.perf_counter()
        directory.advance(world.store, header_of(world, block=block_context(block)))
        return seconds + time.perf_counter() - begun, world.root


def _once(world: World, block: CaseBlock, machine: VirtualMachine, *, keep: bool) -> float:
    """Apply `block`; with `keep` off the world is put back afterwards."""
    before = (world.root, world.in_flight, world.congestion_info, world.bandwidth_requests)
    transactions = [decode_signed_transaction(data) for data in block.transactions]
    receipts = [decode_receipt(data) for data in block.receipts]
    context = block_context(block)
    gc.collect()
    begun = time.perf_counter()
    world.produce_block(
        context,
        transactions=transactions,
        expired=block.expired,
        receipts=receipts,
        forward=block.forward,
        machine=machine,
    )
    seconds = time.perf_counter() - begun
    if not keep:
        world.root, world.in_flight, world.congestion_info, world.bandwidth_requests = before
    return seconds
