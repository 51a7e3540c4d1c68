"""Balances and gas of the call.

Mirrors nearcore: runtime/near-vm-runner/src/wasmtime_runner/logic.rs
"""

from near_tee_cli.vm.logic import Logic


def account_balance(logic: Logic, balance_ptr: int) -> None:
    """Liquid balance with the attached deposit, less what this call gave away."""
    logic.memory.write_u128(balance_ptr, logic.balance)


def account_locked_balance(logic: Logic, balance_ptr: int) -> None:
    """Balance locked for validating, as it was before the call."""
    logic.memory.write_u128(balance_ptr, logic.context.account_locked_balance)


def attached_deposit(logic: Logic, balance_ptr: int) -> None:
    """What came with the call."""
    logic.memory.write_u128(balance_ptr, logic.context.attached_deposit)


def used_gas(logic: Logic) -> int:
    """Burnt and promised gas so far, this question included."""
    return logic.gas.used
