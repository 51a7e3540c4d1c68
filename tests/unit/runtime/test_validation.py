"""Validation: every rule, and which one wins (runtime/runtime/src/action_validation.rs, verifier.rs)."""

import pytest

from near_tee_cli.params.store import config_at
from near_tee_cli.primitives.keys import public_key_text
from near_tee_cli.primitives.schema.access_key import AccessKey, FunctionCallPermission, GasKeyInfo, full_access_key
from near_tee_cli.primitives.schema.account import GlobalContractByAccount
from near_tee_cli.primitives.schema.action import (
    AddKey,
    CreateAccount,
    Delegate,
    DelegateAction,
    DelegateV2,
    DeleteAccount,
    DeployContract,
    DeterministicStateInit,
    FunctionCall,
    Stake,
    Transfer,
    TransferToGasKey,
)
from near_tee_cli.primitives.schema.global_contract import deterministic_account_id, state_init
from near_tee_cli.primitives.schema.receipt import ACTION, DATA, ActionReceipt, DataReceipt, Receipt
from near_tee_cli.primitives.schema.transaction import transaction_v0
from near_tee_cli.runtime.validation import validate_actions, validate_receipt, validate_transaction
from tests.support.worlds import public_key, sign_transaction

CONFIG = config_at(86)
KEY = bytes(33)
ML_DSA = b"\2" + bytes(1952)


def error_of(*actions, receiver="b.near", new=True, version=86):
    return validate_actions(config_at(version), actions, receiver_id=receiver, new=new)


def name_of(error):
    return error if isinstance(error, str) or error is None else next(iter(error))


def call(**fields):
    return FunctionCall(**{"method_name": "m", "args": b"", "gas": 1, "deposit": 0, **fields})


def key(**fields):
    permission = FunctionCallPermission(**{"allowance": None, "receiver_id": "c.near", "method_names": (), **fields})
    return AddKey(KEY, AccessKey(0, permission, None))


def gas_key(balance=0, num_nonces=1, permission=None):
    return AddKey(KEY, AccessKey(0, permission, GasKeyInfo(balance, num_nonces)))


def delegate(*actions, receiver="c.near", kind=Delegate):
    return kind(DelegateAction("b.near", receiver, actions, 1, None, 10, KEY), bytes(65))


INIT = state_init(GlobalContractByAccount("ft.near"), [(b"k", b"v")])
INIT_ID = deterministic_account_id(INIT)


@pytest.mark.parametrize(
    ("actions", "name"),
    [
        ((), None),
        ((Transfer(1),) * 100, None),
        ((Transfer(1),) * 101, "TotalNumberOfActionsExceeded"),
        ((DeployContract(b""),) * 10, None),
        ((DeployContract(b""),) * 11, "TotalNumberOfDeployActionsExceeded"),
        ((Transfer(1), DeleteAccount("a.near")), None),
        ((DeleteAccount("a.near"), Transfer(1)), "DeleteActionMustBeFinal"),
        ((DeployContract(bytes(4194304)),), None),
        ((DeployContract(bytes(4194305)),), "ContractSizeExceeded"),
        ((call(gas=0),), "FunctionCallZeroAttachedGas"),
        ((call(method_name="m" * 256),), None),
        ((call(method_name="ü" * 129),), "FunctionCallMethodNameLengthExceeded"),
        ((call(args=bytes(4194305)),), "FunctionCallArgumentsLengthExceeded"),
        ((call(gas=10**15),), None),
        ((call(gas=10**15), call()), "TotalPrepaidGasExceeded"),
        ((call(gas=2**64 - 1), call()), "IntegerOverflow"),
        ((Stake(1, KEY),), "UnsuitableStakingKey"),
        ((Stake(1, public_key("a")),), None),
        ((AddKey(KEY, full_access_key(5)),), None),
        ((key(),), None),
        ((key(receiver_id="Invalid"),), "InvalidAccountId"),
        ((key(method_names=("m" * 257,)),), "AddKeyMethodNameLengthExceeded"),
        ((key(method_names=("m" * 99,) * 20),), None),
        ((key(method_names=("m" * 99,) * 20 + ("",)),), "AddKeyMethodNamesNumberOfBytesExceeded"),
        ((gas_key(num_nonces=1024),), None),
        ((gas_key(num_nonces=1025),), "GasKeyInvalidNumNonces"),
        ((gas_key(num_nonces=0),), "GasKeyInvalidNumNonces"),
        ((gas_key(balance=1),), "AddGasKeyWithNonZeroBalance"),
        ((gas_key(permission=FunctionCallPermission(5, "c.near", ())),), "GasKeyFunctionCallAllowanceNotAllowed"),
        ((delegate(Transfer(1)), delegate(Transfer(1))), "DelegateActionMustBeOnlyOne"),
        ((delegate(call(gas=0)),), "FunctionCallZeroAttachedGas"),
        ((delegate(call(gas=10**15)), call()), "TotalPrepaidGasExceeded"),
        ((DeterministicStateInit(INIT, 0),), "InvalidDeterministicStateInitReceiver"),
        ((delegate(DeterministicStateInit(INIT, 0), receiver=INIT_ID),), None),
        ((call(gas=0), DeleteAccount("a.near"), Transfer(1)), "FunctionCallZeroAttachedGas"),
    ],
)
def test_actions(actions, name) -> None:
    assert name_of(error_of(*actions)) == name


def test_fields_of_errors() -> None:
    assert error_of(*[Transfer(1)] * 101) == {
        "TotalNumberOfActionsExceeded": {"total_number_of_actions": 101, "limit": 100}
    }
    assert error_of(Stake(1, KEY)) == {"UnsuitableStakingKey": {"public_key": public_key_text(KEY)}}
    assert error_of(key(receiver_id="Ü" * 100)) == {"InvalidAccountId": {"account_id": "Ü" * 64}}
    assert error_of(DeterministicStateInit(INIT, 0)) == {
        "InvalidDeterministicStateInitReceiver": {"receiver_id": "b.near", "derived_id": INIT_ID}
    }


def test_lengths_of_a_state_init() -> None:
    for rows, name in (
        ([(bytes(2048), b"")], None),
        ([(bytes(2049), b"")], "DeterministicStateInitKeyLengthExceeded"),
        ([(b"", bytes(4194304))], None),
        ([(b"", bytes(4194305))], "DeterministicStateInitValueLengthExceeded"),
    ):
        init = state_init(GlobalContractByAccount("ft.near"), rows)
        receiver = deterministic_account_id(init)
        assert name_of(error_of(DeterministicStateInit(init, 0), receiver=receiver)) == name


def test_only_new_receipts_have_few_deployments() -> None:
    assert error_of(*[DeployContract(b"")] * 11, new=False) is None


@pytest.mark.parametrize(
    ("action", "feature"),
    [
        (gas_key(), "GasKeys"),
        (TransferToGasKey(KEY, 1), "GasKeys"),
        (delegate(kind=DelegateV2), "DelegateV2"),
        (AddKey(ML_DSA, full_access_key(0)), "PostQuantumSignatures"),
        (delegate(AddKey(ML_DSA, full_access_key(0))), "PostQuantumSignatures"),
    ],
)
def test_features_of_version_85(action, feature) -> None:
    assert error_of(action, version=85) is None
    expected = {"UnsupportedProtocolFeature": {"protocol_feature": feature, "version": 84}}
    assert error_of(action, version=84) == expected


def test_a_delegated_state_init_was_checked_against_the_wrong_receiver() -> None:
    action = delegate(DeterministicStateInit(INIT, 0), receiver=INIT_ID)
    assert error_of(action, version=85) is None
    assert name_of(error_of(action, version=84)) == "InvalidDeterministicStateInitReceiver"
    assert error_of(action, receiver=INIT_ID, version=84) is None


def transaction(*actions, **fields):
    made = transaction_v0(
        "a.near", public_key("a.near"), nonce=1, receiver_id="b.near", block_hash=bytes(32), actions=actions
    )
    return made._replace(**fields)


def test_transactions() -> None:
    assert validate_transaction(CONFIG, sign_transaction(transaction(Transfer(1)))) is None
    forged = sign_transaction(transaction(Transfer(1)), signer="b.near")
    assert validate_transaction(CONFIG, forged) == "InvalidSignature"
    wrong = sign_transaction(transaction(call(gas=0)), signer="b.near")
    assert validate_transaction(CONFIG, wrong) == {"ActionsValidation": "FunctionCallZeroAttachedGas"}


def test_versions_of_transactions() -> None:
    second = sign_transaction(transaction(Transfer(1), version=1))
    assert validate_transaction(CONFIG, second) is None
    assert validate_transaction(config_at(84), second) == "InvalidTransactionVersion"


def test_size_of_transactions() -> None:
    rest = sign_transaction(transaction(DeployContract(b""))).size
    fitting = sign_transaction(transaction(DeployContract(bytes(1572864 - rest))))
    assert fitting.size == 1572864
    assert validate_transaction(CONFIG, fitting) is None
    large = sign_transaction(transaction(DeployContract(bytes(1572865 - rest))))
    expected = {"TransactionSizeExceeded": {"size": 1572865, "limit": 1572864}}
    assert validate_transaction(CONFIG, large) == expected
    # Before version 85 the signature did not count.
    assert validate_transaction(config_at(84), large) is None


def receipt(body) -> Receipt:
    return Receipt("a.near", "b.near", bytes(32), body)


def test_receipts() -> None:
    def action_receipt(*actions, inputs=0):
        return receipt(ActionReceipt(ACTION, "a.near", None, KEY, 0, (), (bytes(32),) * inputs, actions))

    assert validate_receipt(CONFIG, action_receipt(inputs=128), new=True) is None
    error = validate_receipt(CONFIG, action_receipt(call(gas=0), inputs=129), new=True)
    assert name_of(error) == "NumberInputDataDependenciesExceeded"
    error = validate_receipt(CONFIG, action_receipt(call(gas=0)), new=False)
    assert error == {"ActionsValidation": "FunctionCallZeroAttachedGas"}
    large = receipt(DataReceipt(DATA, bytes(32), bytes(4194304)))
    assert name_of(validate_receipt(CONFIG, large, new=True)) == "ReceiptSizeExceeded"
    assert validate_receipt(CONFIG, large, new=False) is None
    larger = receipt(DataReceipt(DATA, bytes(32), bytes(4194305)))
    expected = {"ReturnedValueLengthExceeded": {"length": 4194305, "limit": 4194304}}
    assert validate_receipt(CONFIG, larger, new=False) == expected
    assert validate_receipt(CONFIG, receipt(DataReceipt(DATA, bytes(32), None)), new=True) is None
    assert error_of(CreateAccount()) is None
