"""Who calls, when, on what account: everything that the call's context answers.

Functions that only return a number of the context have no body here; the table names their `Constant`.

Mirrors nearcore: runtime/near-vm-runner/src/wasmtime_runner/logic.rs
"""

from near_tee_cli.params.costs import ExtCost
from near_tee_cli.primitives.schema.account import GlobalContractByAccount, LocalContract
from near_tee_cli.vm.host.arguments import take_account_id
from near_tee_cli.vm.logic import Logic

_VALIDATOR_STAKE = ExtCost.VALIDATOR_STAKE_BASE.value
_VALIDATOR_TOTAL_STAKE = ExtCost.VALIDATOR_TOTAL_STAKE_BASE.value


def current_account_id(logic: Logic, register_id: int) -> None:
    """The account whose contract runs."""
    logic.registers.write(register_id, logic.context.current_account_id.encode())


def chain_id(logic: Logic, register_id: int) -> None:
    """The name of the chain."""
    logic.registers.write(register_id, logic.context.chain_id.encode())


def signer_account_id(logic: Logic, register_id: int) -> None:
    """Who signed the transaction that led here."""
    logic.registers.write(register_id, logic.context.signer_account_id.encode())


def signer_account_pk(logic: Logic, register_id: int) -> None:
    """The key that signed it, Borsh."""
    logic.registers.write(register_id, logic.context.signer_account_pk)


def predecessor_account_id(logic: Logic, register_id: int) -> None:
    """Who sent the receipt."""
    logic.registers.write(register_id, logic.context.predecessor_account_id.encode())


def refund_to_account_id(logic: Logic, register_id: int) -> None:
    """Who gets balance refunds of this receipt."""
    logic.registers.write(register_id, logic.context.refund_to_account_id.encode())


def input_(logic: Logic, register_id: int) -> None:
    """The arguments of the call, whose length costs nothing."""
    logic.registers.share(register_id, logic.context.input)


def storage_usage(logic: Logic) -> int:
    """Bytes that the account uses, changes of this call included."""
    return logic.storage_usage


def random_seed(logic: Logic, register_id: int) -> None:
    """The seed of this action."""
    logic.registers.write(register_id, logic.context.random_seed)


def current_contract_code(logic: Logic, register_id: int) -> int:
    """What code the account runs: its kind as the result, its identifier in the register."""
    contract = logic.context.account_contract
    if contract is None:
        return 0
    if isinstance(contract, GlobalContractByAccount):
        logic.registers.write(register_id, contract.account_id.encode())
        return 3
    logic.registers.write(register_id, contract.code_hash)
    return 1 if isinstance(contract, LocalContract) else 2


def validator_stake(logic: Logic, account_id_len: int, account_id_ptr: int, stake_ptr: int) -> None:
    """Stake of a validator of this epoch, 0 for anybody else."""
    account_id = take_account_id(logic, account_id_len, account_id_ptr)
    logic.gas.pay(_VALIDATOR_STAKE)
    logic.memory.write_u128(stake_ptr, logic.external.validator_stake(account_id))


def validator_total_stake(logic: Logic, stake_ptr: int) -> None:
    """Stake of all validators of this epoch."""
    logic.gas.pay(_VALIDATOR_TOTAL_STAKE)
    logic.memory.write_u128(stake_ptr, logic.external.validator_total_stake())
