"""Delegates: each check in its place, and what the relayer pays (runtime/runtime/src/actions.rs)."""

import pytest

from near_tee_cli.params.costs import ActionCost
from near_tee_cli.primitives.keys import sign
from near_tee_cli.primitives.schema.access_key import AccessKey, FunctionCallPermission, GasKeyInfo
from near_tee_cli.primitives.schema.action import (
    CreateAccount,
    Delegate,
    DelegateAction,
    DelegateV2,
    FunctionCall,
    Transfer,
    delegate_message,
)
from near_tee_cli.primitives.schema.outcome import SuccessValue
from near_tee_cli.primitives.schema.receipt import ACTION
from near_tee_cli.primitives.schema.records import GasKeyNonceRecord
from near_tee_cli.runtime import rows
from near_tee_cli.runtime.fees import execution_fee, send_fee
from tests.support.worlds import (
    CONFIG,
    NO_MACHINE,
    account,
    block,
    error_of,
    overlay_of,
    public_key,
    receipt_of,
    secret_key,
    statuses,
    transact,
    world,
)

CALL = FunctionCall("m", b"", 10**12, 0)
LIMITED = AccessKey(0, FunctionCallPermission(None, "c.near", ("m",)), None)


def delegated(*actions, kind=Delegate, signer="b.near", **fields):
    values = {
        "sender_id": "b.near",
        "receiver_id": "c.near",
        "actions": actions,
        "nonce": 1,
        "nonce_index": None,
        "max_block_height": 5,
        "public_key": public_key("b.near"),
    }
    inner = DelegateAction(**{**values, **fields})
    unsigned = kind(inner, bytes(65))
    return kind(inner, sign(secret_key(signer), delegate_message(unsigned)))


def run(action, *, key=None, nonces=(), version=86, height=5):
    records = [
        *account("b.near", key=key),
        *[GasKeyNonceRecord("b.near", public_key("b.near"), i, n) for i, n in nonces],
    ]
    state = world(account("a.near"), records, account("c.near"), version=version)
    transition = state.produce_block(
        block(height), receipts=[receipt_of(action, receiver="b.near")], machine=NO_MACHINE
    )
    return state, transition


def test_the_inner_receipt() -> None:
    state, transition = run(delegated(Transfer(5), CALL))
    assert statuses(transition) == [SuccessValue(b"")]
    sent, refund = state.in_flight
    assert (sent.predecessor_id, sent.receiver_id) == ("b.near", "c.near")
    assert (sent.body.tag, sent.body.signer_id, sent.body.gas_price) == (ACTION, "a.near", 10**9)
    assert sent.body.actions == (Transfer(5), CALL)
    assert rows.access_key(overlay_of(state), "b.near", public_key("b.near")) == AccessKey(1, None, None)
    sending = sum(send_fee(CONFIG, action, receiver_id="c.near", sir=False).gas for action in sent.body.actions)
    receipt = CONFIG.fees[ActionCost.NEW_ACTION_RECEIPT].execution.gas
    burnt = receipt + CONFIG.fees[ActionCost.DELEGATE].execution.gas + sending
    outcome = transition.result.outcomes[0].outcome
    assert (outcome.gas_burnt, outcome.compute_usage) == (burnt, burnt)
    # Everything that was bought is used: only the difference of prices comes back.
    assert refund.body.actions == (Transfer(burnt * (10**9 - 10**8)),)
    assert execution_fee(CONFIG, CALL, receiver_id="c.near").gas > 0


@pytest.mark.parametrize(
    ("action", "name"),
    [
        (delegated(CALL, signer="a.near"), "DelegateActionInvalidSignature"),
        (delegated(CALL, max_block_height=4), "DelegateActionExpired"),
        (delegated(CALL, sender_id="c.near"), "DelegateActionSenderDoesNotMatchTxReceiver"),
        (delegated(CALL, nonce=0), "DelegateActionInvalidNonce"),
        (delegated(CALL, nonce=5_000_000), "DelegateActionNonceTooLarge"),
        (delegated(CALL, nonce=4_999_999), None),
        (delegated(CALL, kind=DelegateV2), None),
        (delegated(CALL, kind=DelegateV2, nonce_index=0), "DelegateActionAccessKeyError"),
    ],
)
def test_checks(action, name) -> None:
    (status,) = statuses(run(action)[1])
    kind = None if status == SuccessValue(b"") else error_of(status)
    assert (kind if isinstance(kind, str) or kind is None else next(iter(kind))) == name


def key_error(action, *, key, nonces=(), version=86):
    (status,) = statuses(run(action, key=key, nonces=nonces, version=version)[1])
    if status == SuccessValue(b""):
        return None
    kind = error_of(status)
    error = kind.get("DelegateActionAccessKeyError", kind)
    return error if isinstance(error, str) else next(iter(error))


def test_keys_that_may_only_call() -> None:
    assert key_error(delegated(CALL), key=LIMITED) is None
    assert key_error(delegated(CALL, CALL), key=LIMITED) == "RequiresFullAccess"
    assert key_error(delegated(CreateAccount()), key=LIMITED) == "RequiresFullAccess"
    assert key_error(delegated(CALL._replace(deposit=1)), key=LIMITED) == "DepositWithFunctionCall"
    assert key_error(delegated(CALL, receiver_id="a.near"), key=LIMITED) == "ReceiverMismatch"
    assert key_error(delegated(CALL._replace(method_name="n")), key=LIMITED) == "MethodNameMismatch"
    missing = delegated(CALL, public_key=public_key("a.near"), signer="a.near")
    assert key_error(missing, key=LIMITED) == "AccessKeyNotFound"


def test_before_version_85_a_later_error_took_the_place_of_a_deposit() -> None:
    other = delegated(CALL._replace(deposit=1), receiver_id="a.near")
    assert key_error(other, key=LIMITED, version=85) == "DepositWithFunctionCall"
    assert key_error(other, key=LIMITED, version=84) == "ReceiverMismatch"
    same = delegated(CALL._replace(deposit=1))
    assert key_error(same, key=LIMITED, version=84) == "DepositWithFunctionCall"
    assert key_error(delegated(CALL), key=LIMITED, version=84) is None


def test_gas_keys() -> None:
    key = AccessKey(0, None, GasKeyInfo(0, 2))
    nonces = ((0, 3), (1, 7))
    assert key_error(delegated(CALL), key=key, nonces=nonces) == "DelegateActionRequiresNonGasKey"
    second = {"kind": DelegateV2, "nonce_index": 1}
    assert key_error(delegated(CALL, **second, nonce=7), key=key, nonces=nonces) == "DelegateActionInvalidNonce"
    beyond = delegated(CALL, kind=DelegateV2, nonce_index=2, nonce=8)
    assert key_error(beyond, key=key, nonces=nonces) == "DelegateActionInvalidNonceIndex"
    state, transition = run(delegated(CALL, **second, nonce=8), key=key, nonces=nonces)
    assert statuses(transition) == [SuccessValue(b"")]
    overlay = overlay_of(state)
    assert rows.gas_key_nonce(overlay, "b.near", public_key("b.near"), index=1) == 8
    assert rows.gas_key_nonce(overlay, "b.near", public_key("b.near"), index=0) == 3
    assert rows.access_key(overlay, "b.near", public_key("b.near")) == key


def test_a_relayer_pays_for_everything() -> None:
    state = world(account("a.near"), account("b.near"), account("c.near"))
    before = rows.account(overlay_of(state), "b.near")
    transaction = transact("a.near", "b.near", delegated(Transfer(5)))
    state.produce_block(block(1), transactions=[transaction], machine=NO_MACHINE)
    for height in (2, 3, 4):
        state.produce_block(block(height), machine=NO_MACHINE)
    assert rows.account(overlay_of(state), "b.near") == before
    received = rows.account(overlay_of(state), "c.near")
    assert before is not None
    assert received is not None
    assert received.amount == before.amount + 5
