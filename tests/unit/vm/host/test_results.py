"""Results of promises and of the call itself, yields and resumes."""

import pytest

from near_tee_cli.params.costs import ActionCost
from near_tee_cli.primitives.schema.action import FunctionCall
from near_tee_cli.vm.failure import U64_MAX, HostFailure
from near_tee_cli.vm.outcome import HostError
from tests.support.host_calls import REGISTER, Guest
from tests.support.reference_config import bent, free, reference_config


def refused(guest, name, *arguments):
    with pytest.raises(HostFailure) as caught:
        guest.call(name, *arguments)
    return caught.value.error


def test_results_of_promises():
    guest = Guest(promise_results=(b"test" * 25, None))
    assert guest.call("promise_results_count") == 2
    guest.costs()
    assert guest.call("promise_result", 0, 5) == 1
    assert guest.costs() == {"base": 1, "write_register_base": 1}
    assert guest.call("promise_result", 1, 6) == 2
    assert guest.logic.registers.values == {5: b"test" * 25}
    for index in (2, U64_MAX):
        error = HostError("InvalidPromiseResultIndex", (("result_idx", index),))
        assert refused(guest, "promise_result", index, 0) == error


def test_the_result_of_the_call():
    guest = Guest()
    guest.call("value_return", *guest.put(b"first"))
    assert guest.logic.outcome(None).return_data == b"first"
    guest.call("promise_return", guest.promise())
    assert guest.logic.outcome(None).return_data == 0
    guest.call("value_return", 0, 0)
    assert guest.logic.outcome(None).return_data == b""


def test_promises_that_cannot_be_returned():
    guest = Guest()
    index = guest.promise()
    joint = guest.call("promise_and", guest.put(index.to_bytes(8, "little"))[1], 1)
    guest.costs()
    assert refused(guest, "promise_return", joint) == HostError("CannotReturnJointPromise")
    assert guest.costs() == {"base": 1, "promise_return": 1}
    assert refused(guest, "promise_return", 7) == HostError("InvalidPromiseIndex", (("promise_idx", 7),))


def test_the_length_of_results():
    guest = Guest(bent(reference_config(), max_length_returned_data=1024), output_data_receivers=("x.near",))
    guest.call("value_return", 1024, 0)
    burnt = guest.logic.gas.actions[ActionCost.NEW_DATA_RECEIPT_BYTE]
    error = HostError("ReturnedValueLengthExceeded", (("length", 1025), ("limit", 1024)))
    assert refused(guest, "value_return", 1025, 0) == error
    assert guest.logic.gas.actions[ActionCost.NEW_DATA_RECEIPT_BYTE] == burnt


def create(guest, method=b"callback", arguments=b"args", *, gas=0, weight=1, register=0):
    parts = (*guest.put(method), *guest.put(arguments))
    return guest.call("promise_yield_create", *parts, gas, weight, register)


def create_with_id(guest, yield_id, *, amount=0, method=b"callback", gas=0):
    parts = (*guest.put(method), *guest.put(b"args"), guest.number(amount), gas, 1, *guest.put(yield_id))
    return guest.call("promise_yield_create_with_id", *parts)


def test_yield_and_resume():
    guest = Guest()
    assert create(guest, gas=5, register=9) == 0
    data_id = guest.logic.registers.values[9]
    assert guest.chain.receipts == [("alice.near", ())]
    assert guest.chain.actions == [(0, FunctionCall("callback", b"args", 5, 0))]
    assert guest.chain.weights == [(0, 0, 1)]
    costs = guest.costs()
    assert (costs["base"], costs["yield_create_base"], costs["yield_create_byte"]) == (1, 1, 12)
    fees = guest.config.fees
    data = fees[ActionCost.NEW_DATA_RECEIPT_BASE]
    receipt = fees[ActionCost.NEW_ACTION_RECEIPT].send_sir.gas + data.send_sir.gas + data.execution.gas
    assert guest.logic.gas.actions[ActionCost.NEW_ACTION_RECEIPT] == receipt
    assert guest.logic.gas.actions[ActionCost.FUNCTION_CALL_BYTE] == 12 * 2_235_934
    assert guest.call("promise_yield_resume", *guest.put(data_id), *guest.put(b"data")) == 1
    assert guest.chain.resumed == [(data_id, b"data")]
    assert guest.call("promise_yield_resume", *guest.put(b"\0" * 32), *guest.put(b"")) == 0
    costs = guest.costs()
    assert (costs["yield_resume_base"], costs["yield_resume_byte"]) == (2, 4)


def test_yield_with_an_id_of_its_own():
    guest = Guest()
    assert create_with_id(guest, b"\7" * 32, amount=25) == 0
    assert (guest.logic.balance, guest.chain.actions) == (85, [(0, FunctionCall("callback", b"args", 0, 25))])
    used = guest.logic.gas.used
    guest.costs()
    assert create_with_id(guest, b"\7" * 32, gas=10**13) == U64_MAX
    host = {"base": 1, "yield_create_with_id_base": 1, "yield_create_byte": 12}
    assert guest.costs() == {**host, "read_memory_base": 4, "read_memory_byte": 16 + 8 + 4 + 32}
    assert guest.logic.gas.used - used < 10**12
    assert guest.call("promise_yield_resume_with_yield_id", *guest.put(b"\7" * 32), *guest.put(b"d")) == 1
    assert guest.call("promise_yield_resume_with_yield_id", *guest.put(b"\6" * 32), *guest.put(b"d")) == 0


def test_malformed_yields():
    guest = Guest(free(reference_config()))
    with pytest.raises(HostFailure) as caught:
        create(guest, b"")
    assert caught.value.error == HostError("EmptyMethodName")
    with pytest.raises(HostFailure) as caught:
        create_with_id(guest, b"\1" * 32, method=b"")
    assert caught.value.error == HostError("EmptyMethodName")
    with pytest.raises(HostFailure) as caught:
        create_with_id(guest, b"\1" * 16)
    assert caught.value.error == HostError("YieldIdMalformed")
    short, payload = guest.put(bytes(16)), guest.put(b"payload")
    assert refused(guest, "promise_yield_resume", *short, *payload) == HostError("DataIdMalformed")
    assert refused(guest, "promise_yield_resume_with_yield_id", *short, *payload) == HostError("YieldIdMalformed")
    with pytest.raises(HostFailure) as caught:
        create(guest, b"\xff")
    assert caught.value.error == HostError("InvalidMethodName")


def test_the_length_of_payloads():
    guest = Guest()
    identifier = guest.put(bytes(16))
    error = HostError("YieldPayloadLength", (("length", 1025), ("limit", 1024)))
    assert refused(guest, "promise_yield_resume", *identifier, 1025, 0) == error
    assert refused(guest, "promise_yield_resume", *identifier, 1024, 0) == HostError("DataIdMalformed")
    guest.register(1, b"small")
    guest.costs()
    assert refused(guest, "promise_yield_resume", *identifier, REGISTER, 1) == HostError("IntegerOverflow")
    assert guest.costs() == {"base": 1, "yield_resume_base": 1}


@pytest.mark.parametrize(
    ("balance", "amount", "enabled", "left", "subsidized"),
    [(100, 25, True, 75, 0), (0, 0, True, 0, 0), (0, 1, True, 0, 1), (1, 1, True, 0, 0)],
)
def test_deposits_of_yields(balance, amount, enabled, left, subsidized):
    config = bent(free(reference_config()), one_yocto_on_promise=enabled)
    guest = Guest(config, account_balance=balance, attached_deposit=0)
    create_with_id(guest, b"\1" * 32, amount=amount)
    assert (guest.logic.balance, guest.logic.subsidized) == (left, subsidized)


@pytest.mark.parametrize(("balance", "amount", "enabled"), [(10, 100, True), (0, 2, True), (0, 1, False)])
def test_deposits_of_yields_that_are_not_there(balance, amount, enabled):
    config = bent(free(reference_config()), one_yocto_on_promise=enabled)
    guest = Guest(config, account_balance=balance, attached_deposit=0)
    with pytest.raises(HostFailure) as caught:
        create_with_id(guest, b"\1" * 32, amount=amount)
    assert caught.value.error == HostError("BalanceExceeded")
    assert guest.logic.balance == balance
