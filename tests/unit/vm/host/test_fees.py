"""What sending costs, and what running out of gas on one fee leaves: nearcore's logic/tests/gas_counter.rs.

Commit f0c7706f1. In each case one fee is made so dear that it alone exceeds what there is.
"""

import pytest

from near_tee_cli.errors import UnsupportedError
from near_tee_cli.params.costs import ActionCost, ExtCost
from near_tee_cli.primitives.base58 import decode
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.vm.failure import U64_MAX, HostFailure
from tests.support.host_calls import REGISTER, Guest
from tests.support.reference_config import bent, fee, reference_config

KEY = b"\0" + decode("22W5rKuvbMRphnDoCj6nfrWhRKvh9Xf9SWXfGHaeXGde")
LIMIT = 10**14
READ_BYTE = reference_config().vm.ext_costs[ExtCost.READ_MEMORY_BYTE].gas
OP = reference_config().vm.wasm_regular_op_cost


def new_receipt(guest):
    guest.promise()


def dependency(guest):
    guest.call("promise_batch_then", guest.promise(), *guest.put(b"rick.test"))


def value_return(guest):
    guest.call("value_return", *guest.put(b"lorem ipsum"))


def create_account(guest):
    guest.call("promise_batch_action_create_account", guest.promise())


def delete_account(guest):
    guest.call("promise_batch_action_delete_account", guest.promise(b"bob.test"), *guest.put(b"alice.test"))


def deploy(guest):
    guest.call("promise_batch_action_deploy_contract", guest.promise(), *guest.put(b"lorem ipsum with length 26"))


def deploy_global(guest):
    code = guest.put(b"lorem ipsum with length 26")
    guest.call("promise_batch_action_deploy_global_contract", guest.promise(), *code)


def use_global(guest):
    guest.call("promise_batch_action_use_global_contract", guest.promise(), *guest.put(sha256(b"arbitrary")))


def use_global_by_account(guest):
    account = guest.put(b"alice.near")
    guest.call("promise_batch_action_use_global_contract_by_account_id", guest.promise(), *account)


def function_call(guest):
    index = guest.promise()
    name, arguments = guest.put(b"fn_with_len_14"), guest.put(b"lorem ipsum with length 26")
    guest.call("promise_batch_action_function_call", index, *name, *arguments, guest.number(1), 1)


def function_call_by_weight(guest):
    index = guest.promise()
    name, arguments = guest.put(b"fn_with_len_14"), guest.put(b"lorem ipsum with length 26")
    guest.call("promise_batch_action_function_call_weight", index, *name, *arguments, guest.number(1), 1, 1)


def transfer(guest):
    guest.call("promise_batch_action_transfer", guest.promise(b"alice.test"), guest.number(1 << 120))


def stake(guest):
    index = guest.promise(b"pool.test")
    guest.call("promise_batch_action_stake", index, guest.number(1 << 120), *guest.put(KEY))


def add_full_access_key(guest):
    guest.call("promise_batch_action_add_key_with_full_access", guest.promise(b"alice.test"), *guest.put(KEY), 0)


def add_function_call_key(guest):
    index = guest.promise(b"alice.test")
    key, receiver, names = guest.put(KEY), guest.put(b"alice.test"), guest.put(b"foo,baz")
    name = "promise_batch_action_add_key_with_function_call"
    guest.call(name, index, *key, 0, guest.number(1), *receiver, *names)


def delete_key(guest):
    guest.call("promise_batch_action_delete_key", guest.promise(b"alice.test"), *guest.put(KEY))


def state_init(guest):
    code_hash = guest.put(sha256(b"some code"))
    return guest.call("promise_batch_action_state_init", guest.promise(), *code_hash, guest.number(110))


def state_init_by_account(guest):
    account = guest.put(b"global.near")
    guest.call("promise_batch_action_state_init_by_account_id", guest.promise(), *account, guest.number(110))


def state_init_with_data(guest):
    action = state_init(guest)
    guest.call("set_state_init_data_entry", 0, action, *guest.put(b"key"), *guest.put(b"value"))


CASES = [
    # the fee, how often it is paid, what is paid for, what is burnt when its execution part does not fit
    (ActionCost.NEW_ACTION_RECEIPT, 1, new_receipt, 8_644_846_690),
    (ActionCost.NEW_ACTION_RECEIPT, 2, dependency, 9_411_968_532_130),
    (ActionCost.NEW_DATA_RECEIPT_BASE, 1, dependency, 10**13),
    (ActionCost.NEW_DATA_RECEIPT_BYTE, 11, value_return, 10**13),
    (ActionCost.CREATE_ACCOUNT, 1, create_account, 116_969_114_801),
    (ActionCost.DELETE_ACCOUNT, 1, delete_account, 125_349_193_370),
    (ActionCost.DEPLOY_CONTRACT_BASE, 1, deploy, 119_677_812_659),
    (ActionCost.DEPLOY_CONTRACT_BYTE, 26, deploy, 304_443_562_909),
    (ActionCost.DEPLOY_GLOBAL_CONTRACT_BASE, 1, deploy_global, 119_677_812_659),
    (ActionCost.DEPLOY_GLOBAL_CONTRACT_BYTE, 26, deploy_global, 304_443_562_909),
    (ActionCost.USE_GLOBAL_CONTRACT_BASE, 1, use_global, 119_700_620_657),
    (ActionCost.USE_GLOBAL_CONTRACT_BASE, 1, use_global_by_account, 125_644_575_182),
    (ActionCost.USE_GLOBAL_CONTRACT_BYTE, 32, use_global, 304_466_370_967),
    (ActionCost.USE_GLOBAL_CONTRACT_BYTE, 10, use_global_by_account, 310_410_325_272),
    (ActionCost.FUNCTION_CALL_BASE, 1, function_call, 125_011_579_049),
    (ActionCost.FUNCTION_CALL_BASE, 1, function_call_by_weight, 125_011_579_049),
    (ActionCost.FUNCTION_CALL_BYTE, 40, function_call, 2_444_873_079_439),
    (ActionCost.FUNCTION_CALL_BYTE, 40, function_call_by_weight, 2_444_873_079_439),
    (ActionCost.TRANSFER, 1, transfer, 119_935_181_141),
    (ActionCost.STAKE, 1, stake, 122_375_106_518),
    (ActionCost.ADD_FULL_ACCESS_KEY, 1, add_full_access_key, 119_999_803_802),
    (ActionCost.ADD_FUNCTION_CALL_KEY_BASE, 1, add_function_call_key, 133_982_421_242),
    (ActionCost.ADD_FUNCTION_CALL_KEY_BYTE, 7, add_function_call_key, 236_200_046_312),
    (ActionCost.DELETE_KEY, 1, delete_key, 119_999_803_802),
    (ActionCost.DETERMINISTIC_STATE_INIT_BASE, 1, state_init, 122_371_305_185),
    (ActionCost.DETERMINISTIC_STATE_INIT_BASE, 1, state_init_by_account, None),
    (ActionCost.DETERMINISTIC_STATE_INIT_ENTRY, 1, state_init_with_data, 3_977_886_210_360),
    (ActionCost.DETERMINISTIC_STATE_INIT_BYTE, 8, state_init_with_data, 3_977_886_210_430),
]


def exhausted(cost, dear, act, *, max_burnt, error):
    guest = Guest(
        bent(reference_config(), fees={cost: dear}),
        max_burnt=max_burnt,
        prepaid_gas=10**13,
        output_data_receivers=("alice.test",),
    )
    with pytest.raises(HostFailure) as caught:
        act(guest)
    assert caught.value.error.variant == error
    return guest.logic.outcome(caught.value.error)


@pytest.mark.parametrize(("cost", "times", "act", "burnt"), CASES)
def test_out_of_attached_gas(cost, times, act, burnt):
    dear = fee(1, 10, 10**13 // times + 1)
    outcome = exhausted(cost, dear, act, max_burnt=10**14, error="GasExceeded")
    if burnt is not None:
        assert outcome.burnt_gas == burnt
    assert outcome.used_gas == 10**13
    assert outcome.compute_usage == outcome.burnt_gas


@pytest.mark.parametrize(("cost", "times", "act", "burnt"), CASES)
def test_out_of_gas_that_may_be_burnt(cost, times, act, burnt):
    dear = fee(10**13 // times + 1, 10**13 // times + 10, 1)
    outcome = exhausted(cost, dear, act, max_burnt=10**13, error="GasLimitExceeded")
    assert (outcome.burnt_gas, outcome.used_gas, outcome.compute_usage) == (10**13,) * 3


def attach(guest, index, gas):
    name, arguments = guest.put(b"promise_batch_action"), guest.put(b"promise_batch_action_args")
    guest.call("promise_batch_action_function_call", index, *name, *arguments, guest.number(0), gas)


def create_with_gas(guest, gas):
    account, name, arguments = guest.put(b"brick.test"), guest.put(b"promise_create"), guest.put(b"args")
    return guest.call("promise_create", *account, *name, *arguments, guest.number(0), gas)


def failed(guest, act):
    with pytest.raises(HostFailure) as caught:
        act()
    outcome = guest.logic.outcome(caught.value.error)
    assert outcome.burnt_gas == outcome.compute_usage
    return outcome


def test_attaching_more_than_there_is_does_not_burn_it():
    guest = Guest(max_burnt=2 * LIMIT, prepaid_gas=LIMIT)
    index = create_with_gas(guest, 0)
    outcome = failed(guest, lambda: attach(guest, index, 2 * LIMIT))
    assert outcome.burnt_gas < LIMIT // 2
    assert outcome.used_gas == LIMIT


def test_instructions_may_not_burn_what_is_attached():
    guest = Guest(max_burnt=2 * LIMIT, prepaid_gas=LIMIT)
    index = create_with_gas(guest, 0)
    attach(guest, index, LIMIT // 2)
    outcome = failed(guest, lambda: guest.call("gas", LIMIT // OP // 2))
    assert LIMIT // 2 < outcome.burnt_gas < LIMIT
    assert outcome.used_gas == LIMIT


def test_no_more_than_the_maximum_is_burnt():
    guest = Guest(max_burnt=LIMIT, prepaid_gas=2 * LIMIT)
    outcome = failed(guest, lambda: guest.call("gas", LIMIT // OP * 3))
    assert (outcome.burnt_gas, outcome.used_gas) == (LIMIT, 2 * LIMIT)


def test_no_more_than_the_prepaid_gas_is_burnt():
    guest = Guest(max_burnt=2 * LIMIT, prepaid_gas=LIMIT)
    outcome = failed(guest, lambda: guest.call("gas", LIMIT // OP * 3))
    assert (outcome.burnt_gas, outcome.used_gas) == (LIMIT, LIMIT)


def test_hitting_the_maximum_with_gas_attached():
    guest = Guest(max_burnt=LIMIT, prepaid_gas=3 * LIMIT)
    create_with_gas(guest, LIMIT // 2)
    outcome = failed(guest, lambda: guest.call("gas", LIMIT // OP * 2))
    assert outcome.burnt_gas == LIMIT
    assert outcome.used_gas > 2 * LIMIT


def test_hitting_the_prepaid_gas_with_gas_attached():
    guest = Guest(max_burnt=3 * LIMIT, prepaid_gas=LIMIT)
    create_with_gas(guest, LIMIT // 2)
    outcome = failed(guest, lambda: guest.call("gas", LIMIT // OP * 2))
    assert (outcome.burnt_gas, outcome.used_gas) == (LIMIT, LIMIT)


def test_without_weight_nothing_more_is_used():
    guest = Guest(max_burnt=LIMIT, prepaid_gas=LIMIT)
    name, arguments = guest.put(b"method"), guest.put(b"args")
    index = guest.promise()
    guest.call("promise_batch_action_function_call_weight", index, *name, *arguments, guest.number(0), 1000, 0)
    outcome = guest.logic.outcome(None)
    assert outcome.used_gas < LIMIT
    assert outcome.burnt_gas == outcome.compute_usage
    assert guest.chain.weights == []


def prepare_overflow(guest):
    index = guest.promise()
    guest.call("promise_batch_action_transfer", index, guest.number(100))
    return guest.call("promise_batch_then", index, *guest.put(b"rick.test"))


def overflow(guest, call_id):
    name_length = (U64_MAX - guest.logic.gas.used - 1) // READ_BYTE
    name = "promise_batch_action_function_call"
    return failed(guest, lambda: guest.call(name, call_id, name_length, 0, *guest.put(b""), guest.number(10), 10_000))


def test_a_charge_that_nearly_wraps_with_promised_gas():
    limit = 3 * 10**14
    guest = Guest(max_burnt=limit, prepaid_gas=limit)
    outcome = overflow(guest, prepare_overflow(guest))
    assert (outcome.aborted.variant, outcome.used_gas) == ("GasLimitExceeded", limit)


def test_a_charge_that_nearly_wraps_when_everything_is_used():
    limit = 3 * 10**14
    guest = Guest(max_burnt=limit, prepaid_gas=limit // 2)
    prepare_overflow(guest)
    least = guest.logic.gas.used
    guest.begin(max_burnt=limit, prepaid_gas=least)
    call_id = prepare_overflow(guest)
    outcome = overflow(guest, call_id)
    assert (outcome.aborted.variant, outcome.used_gas) == ("GasExceeded", least)


G = 10**9
HEX = b"0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("receiver", "parts"),
    [
        (b"rick.test", [ActionCost.TRANSFER]),
        (HEX, [ActionCost.TRANSFER, ActionCost.CREATE_ACCOUNT, ActionCost.ADD_FULL_ACCESS_KEY]),
        (b"0x" + HEX[:40], [ActionCost.TRANSFER, ActionCost.CREATE_ACCOUNT]),
        (b"0s" + HEX[:40], [ActionCost.TRANSFER, ActionCost.CREATE_ACCOUNT]),
    ],
)
def test_a_transfer_pays_for_the_account_that_it_makes(receiver, parts):
    guest = Guest()
    index = guest.promise(receiver)
    before = guest.logic.gas.used
    guest.costs()
    guest.call("promise_batch_action_transfer", index, guest.number(1))
    fees = [guest.config.fees[part] for part in parts]
    send, execution = sum(part.send_not_sir.gas for part in fees), sum(part.execution.gas for part in fees)
    paid = guest.costs()
    host = sum(guest.logic.gas.prices[ExtCost[name.upper()]] * units for name, units in paid.items())
    assert guest.logic.gas.used - before == host + send + execution
    assert guest.logic.gas.actions[ActionCost.TRANSFER] == send


def test_an_eth_account_is_named_where_the_version_does_not_know_it():
    guest = Guest(bent(reference_config(), eth_implicit_accounts=False))
    guest.call("promise_batch_action_transfer", guest.promise(b"0x" + HEX[:40]), guest.number(1))
    assert guest.logic.gas.actions[ActionCost.TRANSFER] == 115_123_062_500


def test_sending_to_oneself_has_its_own_price():
    cheap = {ActionCost.CREATE_ACCOUNT: fee(3, 5, 7)}
    guest = Guest(bent(reference_config(), fees=cheap))
    for account in (b"alice.near", b"rick.test"):
        guest.call("promise_batch_action_create_account", guest.promise(account))
    assert guest.logic.gas.actions[ActionCost.CREATE_ACCOUNT] == 3 + 5


def test_a_dependency_is_priced_by_its_own_receiver():
    fees = {
        ActionCost.NEW_ACTION_RECEIPT: fee(1, 2, 4),
        ActionCost.NEW_DATA_RECEIPT_BASE: fee(10, 100, 1000),
    }
    guest = Guest(bent(reference_config(), fees=fees))
    own, other = guest.promise(b"alice.near"), guest.promise(b"rick.test")
    assert guest.logic.gas.actions[ActionCost.NEW_ACTION_RECEIPT] == 1 + 2
    guest.call("promise_batch_then", own, *guest.put(b"alice.near"))
    assert guest.logic.gas.actions[ActionCost.NEW_ACTION_RECEIPT] == 3 + 1 + 1010
    guest.call("promise_batch_then", other, *guest.put(b"rick.test"))
    assert guest.logic.gas.actions[ActionCost.NEW_ACTION_RECEIPT] == 1014 + 2 + 1010
    guest.call("promise_batch_then", other, *guest.put(b"alice.near"))
    assert guest.logic.gas.actions[ActionCost.NEW_ACTION_RECEIPT] == 2026 + 1 + 1100


def test_returned_bytes_are_burnt_for_every_receiver():
    fees = {ActionCost.NEW_DATA_RECEIPT_BYTE: fee(1, 10, 100)}
    guest = Guest(bent(reference_config(), fees=fees), output_data_receivers=("alice.near", "x.near", "x.near"))
    used = guest.logic.gas.used - guest.logic.gas.burnt
    guest.call("value_return", *guest.put(b"12345"))
    assert guest.logic.gas.actions[ActionCost.NEW_DATA_RECEIPT_BYTE] == 5 * (101 + 110 + 110)
    assert guest.logic.gas.used - guest.logic.gas.burnt == used


def gas_key_fees(guest):
    send, _, execution = guest.config.fees[ActionCost.GAS_KEY_BYTE]
    return send.gas, execution.gas


def test_funding_a_gas_key_goes_by_the_length_that_was_passed():
    guest = Guest()
    index = guest.promise(b"alice.near")
    promised = guest.logic.gas.promised
    guest.call("promise_batch_action_transfer_to_gas_key", index, *guest.put(KEY), guest.number(1))
    send, execution = gas_key_fees(guest)
    assert guest.logic.gas.actions[ActionCost.GAS_KEY_BYTE] == send * 33
    assert guest.logic.gas.actions[ActionCost.GAS_KEY_TRANSFER_BASE] == 115_123_062_500
    row = 1 + len("alice.near") + 1 + 33
    assert guest.logic.gas.promised - promised == 235_676_644_250 + execution * (row + 27)


def test_a_new_gas_key_pays_for_every_nonce():
    guest = Guest()
    index = guest.promise(b"alice.near")
    promised = guest.logic.gas.promised
    guest.call("promise_batch_action_add_gas_key_with_full_access", index, *guest.put(KEY), 4)
    send, execution = gas_key_fees(guest)
    row = 1 + len("alice.near") + 1 + 33
    assert guest.logic.gas.actions[ActionCost.GAS_KEY_BYTE] == send * 18
    assert guest.logic.gas.actions[ActionCost.GAS_KEY_NONCE_WRITE_BASE] == 0
    added = 101_765_125_000 + 4 * 64_196_736_000 + execution * (row + 10) * 4
    assert guest.logic.gas.promised - promised == added


@pytest.mark.parametrize(
    ("name", "last"),
    [("promise_batch_action_transfer_to_gas_key", 0), ("promise_batch_action_add_gas_key_with_full_access", 1)],
)
def test_a_gas_key_in_a_register_is_refused_by_name(name, last):
    guest = Guest()
    index = guest.promise()
    guest.register(1, KEY)
    with pytest.raises(UnsupportedError) as caught:
        guest.call(name, index, REGISTER, 1, last)
    assert caught.value.code == "unsupported-gas-key-fee"
