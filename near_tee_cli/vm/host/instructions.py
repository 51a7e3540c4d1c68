"""Gas for instructions that the contract says it executed: left from when contracts were instrumented outside.

Mirrors nearcore: runtime/near-vm-runner/src/wasmtime_runner/logic.rs
"""

from near_tee_cli.vm.logic import Logic


def gas(logic: Logic, opcodes: int) -> None:
    """Burn the price of `opcodes` regular instructions, under the name of instructions."""
    logic.gas.burn(opcodes * logic.vm.wasm_regular_op_cost)
