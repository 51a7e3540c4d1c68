"""Keys: what adding and deleting them does to rows, storage and balances (runtime/runtime/src/access_keys.rs)."""

import pytest

from near_tee_cli.errors import InconsistentStateError
from near_tee_cli.primitives.keys import public_key_text
from near_tee_cli.primitives.schema.access_key import AccessKey, FunctionCallPermission, GasKeyInfo, full_access_key
from near_tee_cli.primitives.schema.action import AddKey, DeleteKey, TransferToGasKey, WithdrawFromGasKey
from near_tee_cli.primitives.schema.outcome import SuccessValue
from near_tee_cli.primitives.schema.records import GasKeyNonceRecord
from near_tee_cli.runtime import rows
from near_tee_cli.runtime.actions.access_keys import first_nonce
from tests.support.worlds import (
    NEAR,
    NO_MACHINE,
    account,
    block,
    error_of,
    failures,
    overlay_of,
    public_key,
    receipt_of,
    statuses,
    world,
)

KEY = b"\0" + b"\7" * 32
SECP = b"\1" + b"\7" * 64
NAMED = {"account_id": "a.near", "public_key": public_key_text(KEY)}


def run(state, *actions, height=5, **fields):
    return state.produce_block(block(height), receipts=[receipt_of(*actions, **fields)], machine=NO_MACHINE)


def usage(state) -> int:
    found = rows.account(overlay_of(state), "a.near")
    assert found is not None
    return found.storage_usage


def with_gas_key(balance: int, num_nonces: int = 2):
    key = AccessKey(0, None, GasKeyInfo(balance, num_nonces))
    nonces = [GasKeyNonceRecord("a.near", KEY, index, 5) for index in range(num_nonces)]
    extra = account("a.near", key=key)[-1]._replace(public_key=KEY)
    return world([*account("a.near", usage=500), extra, *nonces])


def test_the_nonce_of_a_new_key_comes_from_the_height() -> None:
    state = world(account("a.near"))
    permission = FunctionCallPermission(5, "b.near", ("m",))
    run(state, AddKey(KEY, AccessKey(77, permission, None)), AddKey(SECP, full_access_key(1)))
    assert rows.access_key(overlay_of(state), "a.near", KEY) == AccessKey(4_000_000, permission, None)
    assert rows.access_key(overlay_of(state), "a.near", SECP) == full_access_key(4_000_000)
    lengths = 8 + 1 + 17 + 4 + 6 + 4 + 4 + 1
    assert usage(state) == 182 + (33 + lengths + 40) + (65 + 9 + 40)
    run(state, DeleteKey(KEY), DeleteKey(SECP), number=2)
    assert usage(state) == 182
    with pytest.raises(InconsistentStateError):
        first_nonce(0)


def test_keys_that_are_there_or_not() -> None:
    state = world(account("a.near"))
    again = run(state, AddKey(public_key("a.near"), full_access_key(0)))
    fields = {"account_id": "a.near", "public_key": public_key_text(public_key("a.near"))}
    assert error_of(statuses(again)[0]) == {"AddKeyAlreadyExists": fields}
    missing = run(state, DeleteKey(KEY), number=2)
    assert error_of(statuses(missing)[-1]) == {"DeleteKeyDoesNotExist": NAMED}


def test_gas_keys_have_rows_of_their_own() -> None:
    state = world(account("a.near"))
    run(state, AddKey(KEY, AccessKey(9, None, GasKeyInfo(0, 3))))
    overlay = overlay_of(state)
    assert rows.access_key(overlay, "a.near", KEY) == AccessKey(0, None, GasKeyInfo(0, 3))
    nonces = [rows.gas_key_nonce(overlay, "a.near", KEY, index=index) for index in range(4)]
    assert nonces == [4_000_000] * 3 + [None]
    assert usage(state) == 182 + (33 + 27 + 40) + 3 * (33 + 2 + 8 + 40)
    deleted = run(state, DeleteKey(KEY), number=2)
    assert usage(state) == 182
    assert list(state.rows(b"\x02a.near\x02" + KEY)) == []
    row = 1 + 6 + 1 + 33 + 2
    compute = 3 * 200_000_000_000 + 3 * row * 38_220_384 + 3 * 8 * 11_531_556
    outcome = deleted.result.outcomes[-1].outcome
    assert outcome.compute_usage - outcome.gas_burnt == compute


def test_the_balance_of_a_deleted_gas_key_is_burnt() -> None:
    state = with_gas_key(NEAR)
    outcome = run(state, DeleteKey(KEY)).result.outcomes[0].outcome
    assert outcome.status == SuccessValue(b"")
    assert outcome.tokens_burnt == outcome.gas_burnt * 10**8 + NEAR
    state = with_gas_key(NEAR + 1)
    expected = {"GasKeyBalanceTooHigh": {**NAMED, "balance": str(NEAR + 1)}}
    assert error_of(statuses(run(state, DeleteKey(KEY)))[0]) == expected


def test_funding_and_withdrawing() -> None:
    state = with_gas_key(10)
    run(state, TransferToGasKey(KEY, 5), sender="b.near", receiver="a.near")
    found = rows.access_key(overlay_of(state), "a.near", KEY)
    assert found is not None
    assert found.gas_key == GasKeyInfo(15, 2)
    before = rows.account(overlay_of(state), "a.near")
    run(state, WithdrawFromGasKey(KEY, 15), number=2)
    after = rows.account(overlay_of(state), "a.near")
    assert before is not None
    assert after is not None
    assert after.amount == before.amount + 15
    lacking = run(state, WithdrawFromGasKey(KEY, 1), number=3)
    expected = {"InsufficientGasKeyBalance": {**NAMED, "balance": "0", "required": "1"}}
    assert failures(lacking) == [expected]
    stranger = run(state, WithdrawFromGasKey(KEY, 0), sender="b.near", receiver="a.near", number=4)
    expected = {"ActorNoPermission": {"account_id": "a.near", "actor_id": "b.near"}}
    assert failures(stranger) == [expected]


@pytest.mark.parametrize("action", [TransferToGasKey, WithdrawFromGasKey])
def test_an_ordinary_key_is_no_gas_key(action) -> None:
    state = world(account("a.near"))
    assert error_of(statuses(run(state, action(KEY, 1)))[0]) == {"GasKeyDoesNotExist": NAMED}
    own = public_key("a.near")
    expected = {"GasKeyDoesNotExist": {**NAMED, "public_key": public_key_text(own)}}
    assert failures(run(state, action(own, 1), number=2)) == [expected]


def test_refunds_of_gas_go_where_it_came_from() -> None:
    allowance = FunctionCallPermission(7, "b.near", ())
    state = world(
        [*account("a.near"), account("a.near", key=AccessKey(1, allowance, None))[-1]._replace(public_key=KEY)]
    )
    run(state, TransferToGasKey(KEY, 1), signer_public_key=KEY)
    assert len(state.in_flight) == 2
    state.produce_block(block(6), machine=NO_MACHINE)
    found = rows.access_key(overlay_of(state), "a.near", KEY)
    assert found is not None
    assert found.function_call is not None
    assert found.function_call.allowance is not None
    assert found.function_call.allowance > 7
    state = with_gas_key(10)
    before = rows.account(overlay_of(state), "a.near")
    run(state, WithdrawFromGasKey(KEY, 11), signer_public_key=KEY)
    state.produce_block(block(6), machine=NO_MACHINE)
    assert rows.account(overlay_of(state), "a.near") == before
    funded = rows.access_key(overlay_of(state), "a.near", KEY)
    assert funded is not None
    assert funded.gas_key is not None
    assert funded.gas_key.balance > 10**20
