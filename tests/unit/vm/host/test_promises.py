"""The promise graph; totals from nearcore's logic/tests/promises.rs and miscs.rs."""

import pytest

from near_tee_cli.params.costs import ActionCost
from near_tee_cli.primitives.base58 import decode
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.access_key import AccessKey, FunctionCallPermission, GasKeyInfo
from near_tee_cli.primitives.schema.account import GlobalContract, GlobalContractByAccount
from near_tee_cli.primitives.schema.action import (
    AddKey,
    CreateAccount,
    DeleteAccount,
    DeleteKey,
    DeployContract,
    DeployGlobalContract,
    DeployMode,
    DeterministicStateInit,
    FunctionCall,
    Stake,
    Transfer,
    TransferToGasKey,
    UseGlobalContract,
)
from near_tee_cli.primitives.schema.global_contract import StateInit
from near_tee_cli.vm.failure import U64_MAX, HostFailure
from near_tee_cli.vm.outcome import HostError
from tests.support.host_calls import REGISTER, Guest
from tests.support.reference_config import bent, reference_config

KEY = b"\0" + decode("5do5nkAEVhL8iteDvXNgxi4pWK78Y7DDadX11ArFNyrf")
FIRST_CALL = (0, FunctionCall("promise_create", b"args", 0, 0))


def refused(guest, name, *arguments):
    with pytest.raises(HostFailure) as caught:
        guest.call(name, *arguments)
    return caught.value.error


def joined(guest, *indices):
    pointer = guest.put(b"".join(index.to_bytes(8, "little") for index in indices))[1]
    return guest.call("promise_and", pointer, len(indices))


def on_batches(guest, name, *arguments):
    """Refused on an unknown and on a joint promise, then appended to the first one."""
    index = guest.promise_with_call()
    passed = [guest.put(item) if isinstance(item, bytes) else (item,) for item in arguments]
    flat = [number for part in passed for number in part]
    assert refused(guest, name, 123, *flat) == HostError("InvalidPromiseIndex", (("promise_idx", 123),))
    assert refused(guest, name, joined(guest, index), *flat) == HostError("CannotAppendActionToJointPromise")
    result = guest.call(name, index, *flat)
    assert guest.chain.actions[0] == FIRST_CALL
    return result


def used(guest):
    return guest.call("used_gas")


def test_create_account():
    guest = Guest()
    on_batches(guest, "promise_batch_action_create_account")
    assert used(guest) == 12_578_263_688_564
    assert guest.chain.actions[1:] == [(0, CreateAccount())]


def test_deploy_contract():
    guest = Guest()
    on_batches(guest, "promise_batch_action_deploy_contract", b"sample")
    assert used(guest) == 5_255_774_958_146
    assert guest.chain.actions[1:] == [(0, DeployContract(b"sample"))]


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("promise_batch_action_deploy_global_contract", DeployMode.CODE_HASH),
        ("promise_batch_action_deploy_global_contract_by_account_id", DeployMode.ACCOUNT_ID),
    ],
)
def test_deploy_global_contract(name, mode):
    guest = Guest()
    on_batches(guest, name, b"sample")
    assert used(guest) == 5_256_154_080_152
    assert guest.chain.actions[1:] == [(0, DeployGlobalContract(b"sample", mode))]


def test_use_global_contract():
    guest = Guest()
    name = "promise_batch_action_use_global_contract"
    malformed = guest.put(b"not a valid CryptoHash repr")
    index = guest.promise_with_call()
    code_hash = guest.put(sha256(b"arbitrary"))
    assert refused(guest, name, 123, *code_hash).variant == "InvalidPromiseIndex"
    assert refused(guest, name, joined(guest, index), *code_hash).variant == "CannotAppendActionToJointPromise"
    assert refused(guest, name, 123, *malformed) == HostError("ContractCodeHashMalformed")
    guest.call(name, index, *code_hash)
    assert used(guest) == 5_262_559_186_522
    assert guest.chain.actions[1:] == [(0, UseGlobalContract(GlobalContract(sha256(b"arbitrary"))))]


def test_use_global_contract_by_account_id():
    guest = Guest()
    name = "promise_batch_action_use_global_contract_by_account_id"
    on_batches(guest, name, b"global.near")
    assert guest.chain.actions[1:] == [(0, UseGlobalContract(GlobalContractByAccount("global.near")))]
    assert refused(guest, name, 0, *guest.put(b"not a valid account id")) == HostError("InvalidAccountId")
    assert refused(guest, name, 0, *guest.put(b"\xff\xfe")) == HostError("BadUTF8")


def test_transfer():
    guest = Guest()
    index = guest.promise_with_call()
    amount, one = guest.number(110), guest.number(1)
    name = "promise_batch_action_transfer"
    assert refused(guest, name, 123, amount).variant == "InvalidPromiseIndex"
    assert refused(guest, name, joined(guest, index), amount).variant == "CannotAppendActionToJointPromise"
    guest.call(name, index, amount)
    assert refused(guest, name, index, one) == HostError("BalanceExceeded")
    assert used(guest) == 5_349_703_444_787
    assert guest.chain.actions[1:] == [(0, Transfer(110))]
    assert guest.logic.balance == 0


def test_stake():
    guest = Guest()
    index = guest.promise_with_call()
    amount, key = guest.number(110), guest.put(KEY)
    name = "promise_batch_action_stake"
    assert refused(guest, name, 123, amount, *key).variant == "InvalidPromiseIndex"
    assert refused(guest, name, joined(guest, index), amount, *key).variant == "CannotAppendActionToJointPromise"
    guest.call(name, index, amount, *key)
    assert used(guest) == 5_138_414_976_215
    assert guest.chain.actions[1:] == [(0, Stake(110, KEY))]
    assert guest.logic.balance == 110


def function_call_key(guest, index):
    key, receiver, allowance = guest.put(KEY), guest.put(b"sam"), guest.number(999)
    name = "promise_batch_action_add_key_with_function_call"
    return name, (index, *key, 1, allowance, *receiver, *guest.put(b"foo,bar"))


def test_add_key_with_function_call():
    guest = Guest()
    index = guest.promise_with_call()
    name, arguments = function_call_key(guest, 123)
    assert refused(guest, name, *arguments).variant == "InvalidPromiseIndex"
    name, arguments = function_call_key(guest, joined(guest, index))
    assert refused(guest, name, *arguments).variant == "CannotAppendActionToJointPromise"
    name, arguments = function_call_key(guest, index)
    guest.call(name, *arguments)
    assert used(guest) == 5_126_680_499_695
    permission = FunctionCallPermission(999, "sam", ("foo", "bar"))
    assert guest.chain.actions[1:] == [(0, AddKey(KEY, AccessKey(1, permission, None)))]


def test_other_actions_on_keys_and_accounts():
    guest = Guest()
    on_batches(guest, "promise_batch_action_add_key_with_full_access", KEY, 7)
    guest.call("promise_batch_action_delete_key", 0, *guest.put(KEY))
    guest.call("promise_batch_action_delete_account", 0, *guest.put(b"heir.near"))
    assert guest.chain.actions[1:] == [
        (0, AddKey(KEY, AccessKey(7, None, None))),
        (0, DeleteKey(KEY)),
        (0, DeleteAccount("heir.near")),
    ]


def test_gas_keys():
    guest = Guest()
    on_batches(guest, "promise_batch_action_add_gas_key_with_full_access", KEY, 4)
    key, receiver = guest.put(KEY), guest.put(b"sam")
    name = "promise_batch_action_add_gas_key_with_function_call"
    guest.call(name, 0, *key, 2, guest.number(0), *receiver, *guest.put(b""))
    guest.call("promise_batch_action_transfer_to_gas_key", 0, *key, guest.number(110))
    assert refused(guest, "promise_batch_action_transfer_to_gas_key", 0, *key, guest.number(1)).variant == (
        "BalanceExceeded"
    )
    permission = FunctionCallPermission(None, "sam", ())
    assert guest.chain.actions[1:] == [
        (0, AddKey(KEY, AccessKey(0, None, GasKeyInfo(0, 4)))),
        (0, AddKey(KEY, AccessKey(0, permission, GasKeyInfo(0, 2)))),
        (0, TransferToGasKey(KEY, 110)),
    ]
    too_many = refused(guest, "promise_batch_action_add_gas_key_with_full_access", 0, *key, 65_536)
    assert too_many == HostError("IntegerOverflow")


def test_an_invalid_key_shows_after_its_fee():
    guest = Guest()
    guest.promise()
    for broken in (b"", KEY[:-1], KEY + b"\0", b"\3" + KEY[1:], b"\1" + KEY[1:]):
        before = guest.logic.gas.actions[ActionCost.DELETE_KEY]
        assert refused(guest, "promise_batch_action_delete_key", 0, *guest.put(broken)) == HostError("InvalidPublicKey")
        assert guest.logic.gas.actions[ActionCost.DELETE_KEY] == before + 94_946_625_000
    assert guest.chain.actions == []


@pytest.mark.parametrize("length", [33, 65, 1953])
def test_keys_of_every_kind_are_accepted(length):
    guest = Guest()
    key = bytes([(33, 65, 1953).index(length)]) + bytes(length - 1)
    guest.call("promise_batch_action_delete_key", guest.promise(), *guest.put(key))
    assert guest.chain.actions == [(0, DeleteKey(key))]


@pytest.mark.parametrize(
    ("names", "error"),
    [
        (b",", "EmptyMethodName"),
        (b"a,", "EmptyMethodName"),
        (b",a", "EmptyMethodName"),
        (b"a,,b", "EmptyMethodName"),
        (b"a,\xff", "InvalidMethodName"),
    ],
)
def test_names_of_methods(names, error):
    guest = Guest()
    index = guest.promise()
    key, receiver = guest.put(KEY), guest.put(b"sam")
    name = "promise_batch_action_add_key_with_function_call"
    got = refused(guest, name, index, *key, 1, guest.number(1), *receiver, *guest.put(names))
    assert got == HostError(error)
    assert (guest.logic.gas.actions[ActionCost.ADD_FUNCTION_CALL_KEY_BASE] > 0) == (error == "InvalidMethodName")


def test_then():
    guest = Guest()
    index = guest.promise_with_call()
    account = guest.put(b"rick.test")
    assert refused(guest, "promise_batch_then", 123, *account).variant == "InvalidPromiseIndex"
    assert guest.call("promise_batch_then", joined(guest, index), *account) == 2
    assert guest.call("promise_batch_then", index, *account) == 3
    assert used(guest) == 24_124_999_601_771
    assert guest.chain.receipts == [("rick.test", ()), ("rick.test", (0,)), ("rick.test", (0,))]


def test_state_init():
    guest = Guest()
    index = guest.promise()
    length = len("rick.test")
    read = {"base": 1, "read_memory_base": 1, "read_memory_byte": length}
    assert guest.costs() == {**read, "utf8_decoding_base": 1, "utf8_decoding_byte": length}
    account, key, value = guest.put(b"global.near"), guest.put(b"key"), guest.put(b"value")
    amount = guest.number(110)
    guest.register(0, b"key2")
    guest.register(1, b"value2")
    guest.costs()
    action = guest.call("promise_batch_action_state_init_by_account_id", index, *account, amount)
    assert action == 0
    read = {"base": 1, "read_memory_base": 2, "read_memory_byte": account[0] + 16}
    assert guest.costs() == {**read, "utf8_decoding_base": 1, "utf8_decoding_byte": account[0]}
    guest.call("set_state_init_data_entry", index, action, *key, *value)
    assert guest.costs() == {"base": 1, "read_memory_base": 2, "read_memory_byte": 8}
    guest.call("set_state_init_data_entry", index, action, REGISTER, 0, REGISTER, 1)
    assert guest.costs() == {"base": 1, "read_register_base": 2, "read_register_byte": 10}
    actions = guest.logic.gas.profile().actions
    assert used(guest) == 8_586_074_959_513
    assert actions[ActionCost.DETERMINISTIC_STATE_INIT_BASE] == 3_850 * 10**9
    assert actions[ActionCost.DETERMINISTIC_STATE_INIT_ENTRY] == 0
    assert actions[ActionCost.DETERMINISTIC_STATE_INIT_BYTE] == 1_296_000_000
    assert actions[ActionCost.NEW_ACTION_RECEIPT] // 10**9 == 108
    init = DeterministicStateInit(StateInit(GlobalContractByAccount("global.near"), ()), 110)
    assert guest.chain.actions == [(0, init)]
    assert guest.chain.entries[0, 0] == {b"key": b"value", b"key2": b"value2"}
    assert guest.logic.balance == 0


def test_state_init_entries_that_are_refused():
    guest = Guest()
    index = guest.promise()
    code_hash = guest.put(sha256(b"code"))
    name = "set_state_init_data_entry"
    key, value = guest.put(b"key"), guest.put(b"value")
    fields = (("receipt_index", 0), ("action_index", 5))
    assert refused(guest, name, index, 5, *key, *value) == HostError("InvalidActionIndex", fields)
    assert guest.call("promise_batch_action_state_init", index, *code_hash, guest.number(0)) == 0
    guest.call(name, index, 0, *key, *value)
    assert refused(guest, name, index, 0, *key, *value) == HostError("DataEntryAlreadyExists")
    guest.costs()
    assert refused(guest, name, 9, 0, *key, *value).variant == "InvalidPromiseIndex"
    assert guest.costs() == {"base": 1}


def test_function_call():
    guest = Guest()
    name, arguments = guest.put(b"method"), guest.put(b"args")
    index = guest.promise()
    guest.call("promise_batch_action_function_call_weight", index, *name, *arguments, guest.number(60), 7, 3)
    guest.call("promise_batch_action_function_call", index, *name, *arguments, guest.number(50), 8)
    assert guest.chain.actions == [
        (0, FunctionCall("method", b"args", 7, 60)),
        (0, FunctionCall("method", b"args", 8, 50)),
    ]
    assert guest.chain.weights == [(0, 0, 3)]
    assert (guest.logic.balance, guest.logic.gas.actions[ActionCost.FUNCTION_CALL_BYTE]) == (0, 20 * 2_235_934)


def test_function_calls_that_are_refused():
    guest = Guest()
    index = guest.promise()
    name = "promise_batch_action_function_call"
    good, arguments = guest.put(b"method"), guest.put(b"args")
    assert refused(guest, name, index, *guest.put(b""), *arguments, guest.number(0), 0).variant == "EmptyMethodName"
    assert refused(guest, name, index, *guest.put(b"\xff"), *arguments, guest.number(0), 0).variant == (
        "InvalidMethodName"
    )
    assert refused(guest, name, index, *good, *arguments, guest.number(111), 0).variant == "BalanceExceeded"
    assert guest.chain.actions == []


def call_with(guest, amount):
    name, arguments = guest.put(b"method"), guest.put(b"args")
    guest.call("promise_batch_action_function_call_weight", 0, *name, *arguments, guest.number(amount), 0, 0)


def test_one_yocto_is_free_for_an_account_without_any():
    guest = Guest(account_balance=0, attached_deposit=0)
    guest.promise_with_call()
    call_with(guest, 1)
    with pytest.raises(HostFailure):
        call_with(guest, 2)
    assert refused(guest, "promise_batch_action_transfer", 0, guest.number(1)).variant == "BalanceExceeded"
    assert guest.logic.outcome(None).subsidized_amount == 1


def test_one_yocto_is_taken_from_an_account_that_has_it():
    guest = Guest(account_balance=1, attached_deposit=0)
    guest.promise_with_call()
    call_with(guest, 1)
    assert (guest.logic.balance, guest.logic.subsidized) == (0, 0)
    call_with(guest, 1)
    assert (guest.logic.balance, guest.logic.subsidized) == (0, 1)


def test_one_yocto_is_not_free_where_the_version_does_not_say_so():
    guest = Guest(bent(reference_config(), one_yocto_on_promise=False), account_balance=0, attached_deposit=0)
    guest.promise_with_call()
    with pytest.raises(HostFailure) as caught:
        call_with(guest, 1)
    assert caught.value.error == HostError("BalanceExceeded")


def test_the_number_of_promises():
    guest = Guest(bent(reference_config(), max_promises_per_function_call_action=10))
    for _ in range(10):
        guest.promise()
    fields = (("number_of_promises", 11), ("limit", 10))
    account = guest.put(b"alice")
    assert refused(guest, "promise_batch_create", *account) == HostError("NumberPromisesExceeded", fields)


def test_the_number_of_dependencies():
    guest = Guest(bent(reference_config(), max_number_input_data_dependencies=10))
    guest.promise()
    for count in range(11):
        joined(guest, *[0] * count)
    twice = guest.put(bytes(8) * 11)[1]
    fields = (("number_of_input_data_dependencies", 11), ("limit", 10))
    assert refused(guest, "promise_and", twice, 11) == HostError("NumberInputDataDependenciesExceeded", fields)


def test_dependencies_of_joints_count_each():
    guest = Guest(bent(reference_config(), max_number_input_data_dependencies=1 << 4))
    index = guest.promise()
    for _ in range(4):
        index = joined(guest, index, index)
    assert guest.logic.promises[index] == (0,) * 16
    pointer = guest.put(index.to_bytes(8, "little") + bytes(8))[1]
    fields = (("number_of_input_data_dependencies", 17), ("limit", 16))
    assert refused(guest, "promise_and", pointer, 2) == HostError("NumberInputDataDependenciesExceeded", fields)


def test_joining_pays_by_bytes_of_indices():
    guest = Guest()
    guest.promise()
    guest.costs()
    joined(guest, 0, 0, 0)
    expected = {"base": 1, "promise_and_base": 1, "promise_and_per_promise": 24}
    assert guest.costs() == {**expected, "read_memory_base": 1, "read_memory_byte": 24}


def test_joining_nothing_and_too_much():
    guest = Guest()
    assert joined(guest) == 0
    assert guest.logic.promises == [()]
    guest.costs()
    assert refused(guest, "promise_and", 0, 2**61) == HostError("IntegerOverflow")
    assert guest.costs() == {"base": 1, "promise_and_base": 1}
    unknown = guest.put((5).to_bytes(8, "little"))[1]
    assert refused(guest, "promise_and", unknown, 1) == HostError("InvalidPromiseIndex", (("promise_idx", 5),))


def test_an_index_beyond_every_list():
    guest = Guest()
    error = refused(guest, "promise_batch_action_create_account", U64_MAX)
    assert error == HostError("InvalidPromiseIndex", (("promise_idx", U64_MAX),))


def test_refunds_can_be_sent_elsewhere():
    guest = Guest()
    account = guest.put(b"refund.near")
    index = guest.promise()
    joint = joined(guest, index)
    guest.call("promise_set_refund_to", index, *account)
    assert guest.chain.refunds == {0: "refund.near"}
    assert refused(guest, "promise_set_refund_to", joint, *account) == HostError("CannotSetRefundToOnJointPromise")
    assert refused(guest, "promise_set_refund_to", 9, *account).variant == "InvalidPromiseIndex"


def test_create_and_then_pay_the_base_twice():
    guest = Guest()
    account, name, arguments = guest.put(b"rick.test"), guest.put(b"method"), guest.put(b"args")
    amount = guest.number(0)
    guest.call("promise_create", *account, *name, *arguments, amount, 0)
    assert guest.costs()["base"] == 2
    assert guest.call("promise_then", 0, *account, *name, *arguments, amount, 5) == 1
    assert guest.costs()["base"] == 2
    assert guest.chain.receipts == [("rick.test", ()), ("rick.test", (0,))]
    assert guest.chain.actions[-1] == (1, FunctionCall("method", b"args", 5, 0))


def test_the_size_of_contracts():
    guest = Guest(bent(reference_config(), max_contract_size=1024))
    index = guest.promise()
    for name in ("promise_batch_action_deploy_contract", "promise_batch_action_deploy_global_contract"):
        guest.call(name, index, 1024, 0)
        fields = (("size", 1025), ("limit", 1024))
        assert refused(guest, name, index, 1025, 0) == HostError("ContractSizeExceeded", fields)
