"""What the context answers, registers, refusals in views: nearcore's context.rs, registers.rs, view_method.rs."""

import pytest

from near_tee_cli.params.costs import ExtCost
from near_tee_cli.params.store import config_at
from near_tee_cli.primitives.schema.account import GlobalContract, GlobalContractByAccount, LocalContract
from near_tee_cli.vm.failure import U64_MAX, HostFailure
from near_tee_cli.vm.host.table import TABLE
from near_tee_cli.vm.outcome import HostError
from tests.support.host_calls import CONTEXT, PAGE, Guest

BASE = 264_768_111


def refused(guest, name, *arguments):
    with pytest.raises(HostFailure) as caught:
        guest.call(name, *arguments)
    return caught.value.error


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("current_account_id", b"alice.near"),
        ("signer_account_id", b"bob.near"),
        ("signer_account_pk", bytes([0, 1, 2, 3, 4])),
        ("predecessor_account_id", b"carol.near"),
        ("refund_to_account_id", b"david.near"),
        ("random_seed", bytes([0, 1, 2])),
        ("chain_id", b"mocknet"),
    ],
)
def test_answers_in_a_register(name, value):
    guest = Guest()
    guest.call(name, 7)
    assert guest.logic.registers.values == {7: value}
    assert guest.costs() == {"base": 1, "write_register_base": 1, "write_register_byte": len(value)}


def test_the_length_of_the_input_is_free():
    guest = Guest(input=bytes(100))
    guest.call("input", 0)
    assert guest.logic.registers.values == {0: bytes(100)}
    assert guest.costs() == {"base": 1, "write_register_base": 1}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("block_index", 10),
        ("block_timestamp", 42),
        ("epoch_height", 1),
        ("prepaid_gas", 10**14),
        ("used_gas", BASE),
        ("storage_usage", 12),
        ("promise_results_count", 3),
    ],
)
def test_answers_as_a_number(name, value):
    guest = Guest(storage_usage=12, promise_results=(b"", None, b"x"))
    assert guest.call(name) == value
    assert guest.costs() == {"base": 1}
    assert guest.gas == 10**14 - BASE


@pytest.mark.parametrize("value", [0, 2**63, U64_MAX])
def test_numbers_are_unsigned(value):
    guest = Guest(block_height=value, storage_usage=value)
    assert (guest.call("block_index"), guest.call("storage_usage")) == (value, value)


@pytest.mark.parametrize(
    ("name", "value"), [("account_balance", 110), ("account_locked_balance", 50), ("attached_deposit", 10)]
)
def test_balances(name, value):
    guest = Guest()
    guest.call(name, 5)
    assert int.from_bytes(guest.get(5, 16), "little") == value
    assert guest.costs() == {"base": 1, "write_memory_base": 1, "write_memory_byte": 16}
    assert refused(guest, name, PAGE - 15) == HostError("MemoryAccessViolation")


@pytest.mark.parametrize("amount", [0, 1, 2**128 - 1])
def test_a_view_sees_the_attached_deposit(amount):
    guest = Guest(view_gas_limit=10**15, account_balance=0, attached_deposit=amount)
    guest.call("attached_deposit", 0)
    assert int.from_bytes(guest.get(0, 16), "little") == amount


@pytest.mark.parametrize(
    ("contract", "kind", "value"),
    [
        (None, 0, None),
        (LocalContract(b"\1" * 32), 1, b"\1" * 32),
        (GlobalContract(b"\2" * 32), 2, b"\2" * 32),
        (GlobalContractByAccount("global.near"), 3, b"global.near"),
    ],
)
def test_the_contract_of_the_account(contract, kind, value):
    guest = Guest(account_contract=contract)
    assert guest.call("current_contract_code", 3) == kind
    assert guest.logic.registers.values == ({} if value is None else {3: value})


def test_validators():
    guest = Guest()
    guest.chain.stakes = {"val.near": 2**100, "other.near": 1}
    guest.call("validator_stake", *guest.put(b"val.near"), 100)
    guest.call("validator_stake", *guest.put(b"nobody.near"), 116)
    guest.call("validator_total_stake", 132)
    numbers = [int.from_bytes(guest.get(at, 16), "little") for at in (100, 116, 132)]
    assert numbers == [2**100, 0, 2**100 + 1]
    costs = guest.costs()
    assert (costs["validator_stake_base"], costs["validator_total_stake_base"], costs["base"]) == (2, 1, 3)
    assert refused(guest, "validator_stake", *guest.put(b"Not An Id"), 0) == HostError("InvalidAccountId")
    assert "validator_stake_base" not in guest.costs()


def test_registers_through_the_host():
    guest = Guest()
    length, pointer = guest.put(b"abc")
    guest.call("write_register", 5, length, pointer)
    assert guest.call("register_len", 5) == 3
    guest.call("read_register", 5, 100)
    assert guest.get(100, 3) == b"abc"
    assert guest.call("register_len", 6) == U64_MAX
    guest.call("write_register", 6, 0, 0)
    assert guest.call("register_len", 6) == 0


def test_an_unset_register_costs_the_base():
    guest = Guest()
    assert refused(guest, "read_register", 9, 0) == HostError("InvalidRegisterId", (("register_id", 9),))
    assert guest.costs() == {"base": 1}


def test_writing_a_register_reads_memory_only():
    guest = Guest()
    guest.call("write_register", 0, 1, 0)
    assert refused(guest, "write_register", 1, U64_MAX, 0) == HostError("IntegerOverflow")


def test_reading_a_register_out_of_bounds_is_paid_for():
    guest = Guest()
    guest.register(0, b"abc")
    guest.costs()
    assert refused(guest, "read_register", 0, PAGE - 2) == HostError("MemoryAccessViolation")
    read = {"read_register_base": 1, "read_register_byte": 3}
    assert guest.costs() == {"base": 1, **read, "write_memory_base": 1, "write_memory_byte": 3}


def test_many_registers():
    guest = Guest()
    for number in range(100):
        guest.call("write_register", number, 0, 0)
    assert refused(guest, "write_register", 100, 0, 0) == HostError("MemoryAccessViolation")
    assert refused(guest, "write_register", 0, 0, 0) == HostError("MemoryAccessViolation")


REFUSED_IN_VIEWS = {
    "signer_account_id", "signer_account_pk", "predecessor_account_id", "refund_to_account_id", "prepaid_gas",
    "used_gas", "promise_create", "promise_then", "promise_and", "promise_batch_create", "promise_batch_then",
    "promise_set_refund_to", "promise_results_count", "promise_result", "promise_return",
    "promise_batch_action_create_account", "promise_batch_action_deploy_contract",
    "promise_batch_action_deploy_global_contract", "promise_batch_action_deploy_global_contract_by_account_id",
    "promise_batch_action_use_global_contract", "promise_batch_action_use_global_contract_by_account_id",
    "promise_batch_action_state_init", "promise_batch_action_state_init_by_account_id", "set_state_init_data_entry",
    "promise_batch_action_function_call", "promise_batch_action_function_call_weight",
    "promise_batch_action_transfer", "promise_batch_action_stake", "promise_batch_action_delete_account",
    "promise_batch_action_add_key_with_full_access", "promise_batch_action_add_key_with_function_call",
    "promise_batch_action_delete_key", "promise_batch_action_transfer_to_gas_key",
    "promise_batch_action_add_gas_key_with_full_access", "promise_batch_action_add_gas_key_with_function_call",
    "promise_yield_create", "promise_yield_create_with_id", "promise_yield_resume",
    "promise_yield_resume_with_yield_id", "storage_write", "storage_remove",
}  # fmt: skip
NAMED_OTHERWISE = {
    "promise_create": "promise_batch_create",
    "promise_then": "promise_batch_then",
    "promise_batch_action_function_call_weight": "promise_batch_action_function_call",
}


@pytest.mark.parametrize("entry", TABLE, ids=lambda entry: entry.name)
def test_what_a_view_may_call(entry):
    guest = Guest(view_gas_limit=10**15)
    error = None
    try:
        guest.call(entry.name, *[0] * len(entry.params))
    except HostFailure as failure:
        error = failure.error
    if entry.name in REFUSED_IN_VIEWS:
        name = NAMED_OTHERWISE.get(entry.name, entry.name)
        assert error == HostError("ProhibitedInView", (("method_name", name),))
        extra = {"promise_return": 1} if entry.name == "promise_return" else {}
        assert guest.costs() == {"base": 1, **extra}
        assert guest.logic.gas.burnt == sum(guest.logic.gas.prices[ExtCost[cost.upper()]] for cost in ("base", *extra))
    else:
        assert error is None or error.variant != "ProhibitedInView"


def test_the_gas_of_a_view_is_bounded_by_its_limit():
    guest = Guest(view_gas_limit=BASE, prepaid_gas=1)
    assert guest.gas == BASE
    guest.call("block_index")
    assert refused(guest, "block_index") == HostError("GasLimitExceeded")


def test_running_out_on_the_base_charge():
    for name, arguments in (("block_index", ()), ("used_gas", ()), ("register_len", (0,))):
        guest = Guest(prepaid_gas=BASE - 1)
        assert refused(guest, name, *arguments) == HostError("GasExceeded")
        outcome = guest.logic.outcome(HostError("GasExceeded"))
        assert outcome.burnt_gas == outcome.profile.ext[ExtCost.BASE] == BASE - 1


def test_calls_share_nothing():
    guest = Guest()
    guest.promise()
    guest.register(1, b"x")
    guest.call("value_return", 0, 0)
    guest.call("log_utf8", *guest.put(b"log"))
    guest.begin()
    outcome = guest.logic.outcome(None)
    assert (outcome.burnt_gas, outcome.logs, outcome.return_data) == (0, (), None)
    assert (guest.logic.promises, guest.logic.registers.values) == ([], {})
    assert (outcome.balance, outcome.storage_usage) == (CONTEXT.account_balance + CONTEXT.attached_deposit, 0)


def test_a_constant_follows_the_call():
    guest = Guest(block_height=1)
    assert guest.call("block_index") == 1
    guest.begin(block_height=2)
    assert guest.call("block_index") == 2


def test_older_versions_lack_functions():
    guest = Guest(config_at(84))
    assert "chain_id" not in guest.functions
    assert "promise_batch_action_use_global_contract" in guest.functions
