"""Fees: the worked example, forms of receivers, delegates, gas keys."""

import pytest

from near_tee_cli.params.costs import ActionCost, Cost
from near_tee_cli.params.store import config_at
from near_tee_cli.primitives.schema.access_key import AccessKey, FunctionCallPermission, GasKeyInfo
from near_tee_cli.primitives.schema.account import GlobalContract
from near_tee_cli.primitives.schema.action import (
    AddKey,
    CreateAccount,
    Delegate,
    DelegateAction,
    DeployContract,
    DeterministicStateInit,
    FunctionCall,
    Transfer,
    TransferToGasKey,
    UseGlobalContract,
)
from near_tee_cli.primitives.schema.global_contract import state_init
from near_tee_cli.primitives.schema.transaction import transaction_v0
from near_tee_cli.runtime.fees import (
    execution_fee,
    prepaid_execution_fees,
    prepaid_gas,
    prepaid_send_fees,
    receipt_gas,
    send_fee,
    total_deposit,
    transaction_cost,
)

CONFIG = config_at(86)
FEES = CONFIG.fees
KEY = bytes(33)
ED_ML_DSA = b"\2" + bytes(1952)


def transaction(*actions, receiver="b.near", key=KEY):
    return transaction_v0("a.near", key, nonce=1, receiver_id=receiver, block_hash=bytes(32), actions=actions)


def test_worked_example() -> None:
    cost = transaction_cost(CONFIG, transaction(Transfer(5)), gas_price=10**8)
    assert cost is not None
    assert cost.gas_burnt == 223182562500
    assert cost.burnt_amount == 22318256250000000000
    assert cost.receipt_gas_price == 10**9
    assert cost.gas_cost == 245500818750000000000
    assert cost.total_cost == cost.gas_cost + 5


def test_gas_is_never_bought_below_the_minimum_price() -> None:
    cost = transaction_cost(CONFIG, transaction(Transfer(0)), gas_price=3 * 10**9)
    assert cost is not None
    assert cost.receipt_gas_price == 3 * 10**9
    assert cost.gas_cost == 2 * 223182562500 * 3 * 10**9


def test_overflow() -> None:
    call = FunctionCall("m", b"", 2**63, 0)
    assert transaction_cost(CONFIG, transaction(call, call), gas_price=1) is None
    assert transaction_cost(CONFIG, transaction(Transfer(2**128 - 1)), gas_price=1) is None
    assert transaction_cost(CONFIG, transaction(Transfer(0)), gas_price=2**100) is None


@pytest.mark.parametrize(
    ("receiver", "extra"),
    [
        ("b.near", ()),
        ("0x" + "ab" * 20, (ActionCost.CREATE_ACCOUNT,)),
        ("0s" + "ab" * 20, (ActionCost.CREATE_ACCOUNT,)),
        ("ab" * 32, (ActionCost.CREATE_ACCOUNT, ActionCost.ADD_FULL_ACCESS_KEY)),
    ],
)
def test_transfers_pay_for_the_account_that_they_might_create(receiver, extra) -> None:
    parts = (ActionCost.TRANSFER, *extra)
    sending = sum(FEES[part].send_not_sir.gas for part in parts)
    executing = sum(FEES[part].execution.gas for part in parts)
    assert send_fee(CONFIG, Transfer(1), receiver_id=receiver, sir=False).gas == sending
    assert execution_fee(CONFIG, Transfer(1), receiver_id=receiver).gas == executing


def test_fees_by_length() -> None:
    call = FunctionCall("größe", b"1234", 7, 0)
    base, byte = FEES[ActionCost.FUNCTION_CALL_BASE], FEES[ActionCost.FUNCTION_CALL_BYTE]
    assert send_fee(CONFIG, call, receiver_id="b.near", sir=True).gas == base.send_sir.gas + 11 * byte.send_sir.gas
    deploy = execution_fee(CONFIG, DeployContract(bytes(10)), receiver_id="b.near")
    assert deploy == Cost(184765750000 + 645729440, 20000000000000 + 2500000000)
    use = UseGlobalContract(GlobalContract(bytes(32)))
    assert execution_fee(CONFIG, use, receiver_id="b.near").gas == 184765750000 + 32 * 64572944
    init = DeterministicStateInit(state_init(GlobalContract(bytes(32)), [(b"k", b"vv"), (b"l", b"")]), 0)
    assert execution_fee(CONFIG, init, receiver_id="b.near").gas == 7430000000000 + 2 * 200000000000 + 4 * 70000000
    assert send_fee(CONFIG, CreateAccount(), receiver_id="b.near", sir=False).gas == 500000000000


def test_keys() -> None:
    named = AccessKey(0, FunctionCallPermission(None, "c.near", ("ab", "c")), None)
    fee = execution_fee(CONFIG, AddKey(KEY, named), receiver_id="b.near")
    assert fee.gas == 102217625000 + 5 * 1925331
    gas_key = AccessKey(0, None, GasKeyInfo(0, 3))
    adding = AddKey(KEY, gas_key)
    row = 1 + len("b.near") + 1 + 33 + 2 + 8
    assert send_fee(CONFIG, adding, receiver_id="b.near", sir=False).gas == 101765125000 + 18 * 59357464
    executing = 101765125000 + 3 * 64196736000 + 3 * row * 101435400
    assert execution_fee(CONFIG, adding, receiver_id="b.near").gas == executing
    funding = TransferToGasKey(KEY, 5)
    assert send_fee(CONFIG, funding, receiver_id="b.near", sir=False).gas == 115123062500 + 33 * 59357464
    row = 1 + len("b.near") + 1 + 33 + 27
    assert execution_fee(CONFIG, funding, receiver_id="b.near").gas == 235676644250 + row * 101435400


def delegate(*actions, sender="b.near", receiver="c.near"):
    return Delegate(DelegateAction(sender, receiver, actions, 1, None, 10, KEY), bytes(65))


def test_a_delegate_sends_what_is_inside_twice() -> None:
    inner = FunctionCall("m", b"", 10**12, 3)
    action = delegate(inner)
    inside = send_fee(CONFIG, inner, receiver_id="c.near", sir=True)
    assert send_fee(CONFIG, action, receiver_id="b.near", sir=True).gas == 200000000000 + inside.gas
    prepaid = send_fee(CONFIG, inner, receiver_id="c.near", sir=False)
    assert prepaid_send_fees(CONFIG, (action, Transfer(1))) == prepaid
    same = delegate(inner, sender="c.near")
    assert prepaid_send_fees(CONFIG, (same,)) == inside
    assert execution_fee(CONFIG, action, receiver_id="b.near").gas == 200000000000
    receipt = FEES[ActionCost.NEW_ACTION_RECEIPT].execution.gas
    executing = execution_fee(CONFIG, inner, receiver_id="c.near").gas
    assert prepaid_execution_fees(CONFIG, (action,), receiver_id="b.near") == 200000000000 + receipt + executing
    assert prepaid_gas((action, inner)) == 2 * 10**12
    assert total_deposit((action, inner, Transfer(1))) == 7
    total = receipt + 10**12 + prepaid.gas + 200000000000 + receipt + executing
    assert receipt_gas(CONFIG, (action,), receiver_id="b.near") == total


def test_ml_dsa_signatures_cost_extra() -> None:
    plain = transaction_cost(CONFIG, transaction(Transfer(0)), gas_price=1)
    quantum = transaction_cost(CONFIG, transaction(Transfer(0), key=ED_ML_DSA), gas_price=1)
    assert plain is not None
    assert quantum is not None
    assert quantum.gas_burnt - plain.gas_burnt == 100000000000
    assert quantum.compute_burnt - plain.compute_burnt == 100000000000
