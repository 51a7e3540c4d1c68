"""Refunds: unused gas, prices, deposits, the price of creating an account."""

import pytest

from near_tee_cli.errors import InconsistentStateError
from near_tee_cli.params.store import config_at, config_from, parameters_at
from near_tee_cli.primitives.schema.action import FunctionCall, Transfer
from near_tee_cli.primitives.schema.receipt import ACTION_V2, ActionReceipt, Receipt
from near_tee_cli.runtime.fees import receipt_gas
from near_tee_cli.runtime.refunds import refund_of

CALL = FunctionCall("m", b"", 10**13, 5)
KEY = b"\0" + b"\7" * 32
NEAR = 10**24


def refund(*actions, price=10**9, burn_price=10**8, burnt=10**12, used=2 * 10**12, failed=False, **more):
    version = more.get("version", 86)
    config = more.get("config", config_at(version))
    body = ActionReceipt(ACTION_V2, "signer.near", more.get("refund_to"), KEY, price, (), (), actions)
    receipt = Receipt("sender.near", "receiver.near", bytes(32), body)
    bought = receipt_gas(config, actions, receiver_id="receiver.near")
    result = refund_of(
        config,
        receipt,
        body,
        failed=failed,
        gas_burnt=burnt,
        gas_used=used,
        burn_price=burn_price,
        created_account=more.get("created", False),
    )
    return result, bought


def amounts(result) -> list[tuple[str, int]]:
    return [(receipt.receiver_id, receipt.body.actions[0].deposit) for receipt in result.receipts]


def test_success_returns_what_was_not_used_and_the_surplus() -> None:
    result, bought = refund(CALL)
    unused = (bought - 2 * 10**12) * 10**9
    surplus = (10**9 - 10**8) * 10**12
    assert amounts(result) == [("signer.near", unused + surplus)]
    assert result.receipts[0].body.signer_public_key == KEY
    assert (result.price_surplus, result.price_deficit, result.penalty) == (surplus, 0, 0)


def test_failure_counts_what_was_burnt_and_returns_the_deposit_first() -> None:
    result, bought = refund(CALL, failed=True)
    gas = (bought - 10**12) * 10**9 + (10**9 - 10**8) * 10**12
    assert amounts(result) == [("sender.near", 5), ("signer.near", gas)]
    result, _ = refund(CALL, failed=True, refund_to="other.near")
    assert amounts(result)[0] == ("other.near", 5)


def test_an_account_that_was_created_is_paid_from_the_surplus() -> None:
    surplus = (10**9 - 10**8) * 10**13
    charge = 7 * NEAR // 1000 - 10**8 * 7_200_000_000_000
    result, _ = refund(Transfer(1), burnt=10**13, used=10**11, created=True)
    assert result.create_account_charge == charge
    unused = amounts(result)[0][1] - (surplus - charge)
    assert unused == (receipt_gas(config_at(86), (Transfer(1),), receiver_id="receiver.near") - 10**11) * 10**9
    result, _ = refund(Transfer(1), burnt=10**9, used=10**9, created=True)
    assert result.create_account_charge == (10**9 - 10**8) * 10**9
    result, _ = refund(Transfer(1), price=10**8, created=True, burnt=1, used=1)
    assert result.create_account_charge == 0


def test_nothing_is_returned_when_everything_was_used_at_the_price_of_buying() -> None:
    bought = receipt_gas(config_at(86), (Transfer(1),), receiver_id="receiver.near")
    result, _ = refund(Transfer(1), price=10**8, burnt=bought, used=bought)
    assert result.receipts == ()


def test_more_than_was_bought() -> None:
    with pytest.raises(InconsistentStateError):
        refund(Transfer(1), used=10**18)


def test_before_version_85_a_surplus_was_burnt_and_a_deficit_noted() -> None:
    result, bought = refund(CALL, version=84)
    assert amounts(result) == [("signer.near", (bought - 2 * 10**12) * 10**9)]
    assert result.price_surplus == (10**9 - 10**8) * 10**12
    result, _ = refund(CALL, version=84, burn_price=2 * 10**9)
    assert (result.price_surplus, result.price_deficit) == (0, 10**9 * 10**12)


def test_penalty() -> None:
    parameters = {**parameters_at(86), "gas_refund_penalty": {"numerator": 5, "denominator": 100}}
    parameters["min_gas_refund_penalty"] = 10**12
    config = config_from(parameters, 86)
    result, bought = refund(CALL, config=config, used=10**12)
    gross = bought - 10**12
    assert result.penalty == max(gross * 5 // 100, 10**12) * 10**8
    result, bought = refund(CALL, config=config, used=10**12, price=10**8)
    assert amounts(result) == [("signer.near", (bought - 10**12) * 10**8 - result.penalty)]
