"""Hypothesis strategies for the records of the chain: every variant, with values that decoders accept."""

from hypothesis import strategies as st

from near_tee_cli.primitives.schema import action as actions
from near_tee_cli.primitives.schema.access_key import AccessKey, FunctionCallPermission, GasKeyInfo
from near_tee_cli.primitives.schema.account import (
    Account,
    GlobalContract,
    GlobalContractByAccount,
    LocalContract,
)
from near_tee_cli.primitives.schema.global_contract import state_init
from near_tee_cli.primitives.schema.receipt import (
    DATA,
    GLOBAL_CONTRACT_DISTRIBUTION,
    PROMISE_RESUME,
    ActionReceipt,
    DataReceipt,
    DataReceiver,
    GlobalContractDistribution,
    Receipt,
    StateStoredReceipt,
)
from near_tee_cli.primitives.schema.transaction import Transaction, sign_with

u16 = st.integers(0, 2**16 - 1)
u64 = st.integers(0, 2**64 - 1)
u128 = st.integers(0, 2**128 - 1)
balance = st.integers(0, 2**127)
hash32 = st.binary(min_size=32, max_size=32)
real_hash = hash32.filter(any)
blob = st.binary(max_size=20)
account_id = st.sampled_from(["aa", "bob.near", "c" * 64, "0x" + "12" * 20, "0s" + "ab" * 20, "system"])
text = st.text(max_size=8)


def several(item, most=3):
    return st.lists(item, max_size=most).map(tuple)


public_key = st.one_of(
    hash32.map(lambda raw: b"\0" + raw),
    st.binary(min_size=64, max_size=64).map(lambda raw: b"\1" + raw),
    st.binary(min_size=1, max_size=1).map(lambda raw: b"\2" + raw * 1952),
)
key_handle = st.one_of(
    hash32.map(lambda raw: b"\0" + raw),
    st.binary(min_size=64, max_size=64).map(lambda raw: b"\1" + raw),
    hash32.map(lambda raw: b"\3" + raw),
)
signature = st.one_of(
    st.binary(min_size=63, max_size=63).map(lambda raw: b"\0" + raw + b"\x0f"),
    st.binary(min_size=65, max_size=65).map(lambda raw: b"\1" + raw),
    st.binary(min_size=1, max_size=1).map(lambda raw: b"\2" + raw * 3309),
)
local_contract = st.one_of(st.none(), st.builds(LocalContract, real_hash))
global_contract = st.one_of(st.builds(GlobalContract, hash32), st.builds(GlobalContractByAccount, account_id))
account = st.one_of(
    st.builds(Account, amount=balance, locked=u128, contract=local_contract, storage_usage=u64, version=st.just(1)),
    st.builds(
        Account,
        amount=u128,
        locked=u128,
        contract=local_contract | global_contract,
        storage_usage=u64,
        version=st.just(2),
    ),
)
permission = st.builds(FunctionCallPermission, allowance=st.none() | u128, receiver_id=text, method_names=several(text))
access_key = st.builds(
    AccessKey,
    nonce=u64,
    function_call=st.none() | permission,
    gas_key=st.none() | st.builds(GasKeyInfo, balance=u128, num_nonces=u16),
)
init = st.builds(state_init, global_contract, several(st.tuples(blob, blob)))
plain_action = st.one_of(
    st.builds(actions.CreateAccount),
    st.builds(actions.DeployContract, blob),
    st.builds(actions.FunctionCall, text, blob, u64, u128),
    st.builds(actions.Transfer, u128),
    st.builds(actions.Stake, u128, public_key),
    st.builds(actions.AddKey, public_key, access_key),
    st.builds(actions.DeleteKey, public_key),
    st.builds(actions.DeleteAccount, account_id),
    st.builds(actions.DeployGlobalContract, blob, st.sampled_from(actions.DeployMode)),
    st.builds(actions.UseGlobalContract, global_contract),
    st.builds(actions.DeterministicStateInit, init, u128),
    st.builds(actions.TransferToGasKey, public_key, u128),
    st.builds(actions.WithdrawFromGasKey, public_key, u128),
)


def _delegate(nonce_index):
    return st.builds(
        actions.DelegateAction,
        sender_id=account_id,
        receiver_id=account_id,
        actions=several(plain_action, most=2),
        nonce=u64,
        nonce_index=nonce_index,
        max_block_height=u64,
        public_key=public_key,
    )


action = st.one_of(
    plain_action,
    st.builds(actions.Delegate, _delegate(st.none()), signature),
    st.builds(actions.DelegateV2, _delegate(st.none() | u16), signature),
)
_data_receivers = several(st.builds(DataReceiver, hash32, account_id), most=2)


def _action_receipt(tag, refund_to):
    return st.builds(
        ActionReceipt,
        tag=tag,
        signer_id=account_id,
        refund_to=refund_to,
        signer_public_key=public_key,
        gas_price=u128,
        output_data_receivers=_data_receivers,
        input_data_ids=several(hash32, most=2),
        actions=several(action, most=2),
    )


receipt_body = st.one_of(
    _action_receipt(st.sampled_from((0, 2)), st.none()),
    _action_receipt(st.sampled_from((5, 6)), st.none() | account_id),
    st.builds(DataReceipt, tag=st.sampled_from((DATA, PROMISE_RESUME)), data_id=hash32, data=st.none() | blob),
    st.builds(
        GlobalContractDistribution,
        tag=st.just(GLOBAL_CONTRACT_DISTRIBUTION),
        id=global_contract,
        target_shard=u64,
        already_delivered_shards=several(u64),
        code=blob,
        nonce=st.none() | u64,
    ),
)
receipt = st.builds(Receipt, account_id, account_id, hash32, receipt_body)
stored_receipt = st.one_of(
    st.builds(StateStoredReceipt, st.sampled_from((0, 1)), receipt, u64, u64),
    st.builds(StateStoredReceipt, st.none(), receipt, st.just(0), st.just(0)),
)


def _transaction(version, nonce_index, strict):
    return st.builds(
        Transaction,
        version=st.just(version),
        signer_id=account_id,
        public_key=public_key,
        nonce=u64,
        nonce_index=nonce_index,
        receiver_id=account_id,
        block_hash=hash32,
        actions=several(action, most=2),
        strict_nonce=strict,
    )


transaction = st.one_of(_transaction(0, st.none(), st.just(False)), _transaction(1, st.none() | u16, st.booleans()))
signed_transaction = st.builds(sign_with, transaction, signature)
