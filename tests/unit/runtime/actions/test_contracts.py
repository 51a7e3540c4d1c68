"""Contracts: deploying, global ones, storage, wallets of Ethereum-implicit accounts, deterministic accounts."""

import pytest

from near_tee_cli.errors import InconsistentStateError
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.account import (
    Account,
    GlobalContract,
    GlobalContractByAccount,
    LocalContract,
    new_account,
)
from near_tee_cli.primitives.schema.action import (
    CreateAccount,
    DeleteAccount,
    DeployContract,
    DeployGlobalContract,
    DeployMode,
    DeterministicStateInit,
    FunctionCall,
    Transfer,
    UseGlobalContract,
)
from near_tee_cli.primitives.schema.global_contract import deterministic_account_id, state_init
from near_tee_cli.primitives.schema.outcome import SuccessValue
from near_tee_cli.primitives.schema.receipt import DataReceiver, GlobalContractDistribution
from near_tee_cli.primitives.schema.records import AccountRecord
from near_tee_cli.runtime import rows
from near_tee_cli.runtime.actions.contracts import code_hash_of
from near_tee_cli.runtime.eth_wallet import LEGACY_MARKERS, wallet_code_hash
from near_tee_cli.runtime.world import World
from near_tee_cli.state import keys
from tests.support.worlds import (
    CHAIN,
    CONFIG,
    NEAR,
    NO_MACHINE,
    PythonMachine,
    account,
    block,
    error_of,
    failures,
    overlay_of,
    receipt_of,
    statuses,
    world,
)

CODE = b"c" * 100
BY_HASH = GlobalContract(sha256(CODE))
BY_ACCOUNT = GlobalContractByAccount("b.near")


def run(state, *actions, **fields):
    return state.produce_block(block(5), receipts=[receipt_of(*actions, **fields)], machine=NO_MACHINE)


def found(state, name="a.near") -> Account:
    value = rows.account(overlay_of(state), name)
    assert value is not None
    return value


def with_globals(*records) -> World:
    raw = [(keys.global_contract_code(identifier), CODE) for identifier in (BY_HASH, BY_ACCOUNT)]
    return World.from_records(CONFIG, CHAIN, records=[r for group in records for r in group], raw=raw)


def test_storage_follows_the_contract() -> None:
    state = with_globals(account("a.near"))
    deployed = run(state, DeployContract(CODE))
    assert deployed.result.contract_deploys == (sha256(CODE),)
    assert (found(state).contract, found(state).storage_usage) == (LocalContract(sha256(CODE)), 282)
    run(state, DeployContract(b"d" * 50))
    assert found(state).storage_usage == 232
    run(state, UseGlobalContract(BY_HASH))
    assert (found(state).contract, found(state).storage_usage) == (BY_HASH, 214)
    assert found(state).version == 2
    assert list(state.rows(b"\x01")) == []
    run(state, UseGlobalContract(BY_ACCOUNT))
    assert (found(state).contract, found(state).storage_usage) == (BY_ACCOUNT, 188)
    run(state, DeployContract(b""))
    assert (found(state).contract, found(state).storage_usage) == (LocalContract(sha256(b"")), 182)
    assert found(state).version == 2


def test_a_global_contract_that_is_not_there() -> None:
    state = world(account("a.near"))
    (status,) = statuses(run(state, UseGlobalContract(BY_ACCOUNT)))
    assert error_of(status) == {"GlobalContractDoesNotExist": {"identifier": {"account_id": "b.near"}}}


def test_which_code_runs() -> None:
    state = overlay_of(with_globals(account("a.near")))

    def resolve(contract, name="a.near"):
        made = new_account(0, 0, contract=contract, storage_usage=0)
        return code_hash_of(state, name, account=made, chain_id="testnet")

    assert resolve(None) == (None, b"")
    assert resolve(LocalContract(b"\1" * 32)) == (b"\1" * 32, keys.contract_code("a.near"))
    assert resolve(BY_HASH) == (sha256(CODE), keys.global_contract_code(BY_HASH))
    assert resolve(BY_ACCOUNT) == (sha256(CODE), keys.global_contract_code(BY_ACCOUNT))
    with pytest.raises(InconsistentStateError):
        resolve(GlobalContractByAccount("c.near"))
    marker = LocalContract(min(LEGACY_MARKERS))
    wallet = wallet_code_hash("testnet")
    assert resolve(marker) == (marker.code_hash, keys.contract_code("a.near"))
    eth = "0x" + "ab" * 20
    assert resolve(marker, eth) == (wallet, keys.global_contract_code(GlobalContract(wallet)))
    assert resolve(LocalContract(b"\1" * 32), eth) == (b"\1" * 32, keys.contract_code(eth))


def test_deploying_for_everybody() -> None:
    state = world(account("b.near"), account("a.near"))
    cost = 100 * 10**20
    before = found(state, "b.near").amount
    for identifier, mode in ((BY_HASH, DeployMode.CODE_HASH), (BY_ACCOUNT, DeployMode.ACCOUNT_ID)):
        first = run(state, DeployGlobalContract(CODE, mode), sender="b.near")
        outcome = first.result.outcomes[-1].outcome
        assert outcome.tokens_burnt == outcome.gas_burnt * 10**8 + cost
        distribution, _ = state.in_flight
        assert distribution.receiver_id == "system"
        assert isinstance(distribution.body, GlobalContractDistribution)
        assert (distribution.body.id, distribution.body.nonce) == (identifier, 1)
        assert outcome.receipt_ids == tuple(r.receipt_id for r in state.in_flight[1:])
        second = state.produce_block(block(6), machine=NO_MACHINE)
        assert len(second.result.outcomes) == 1
        assert overlay_of(state).get(keys.global_contract_code(identifier)) == CODE
    # The receipts of this test were paid by nobody, so that more gas comes back than the account ever had.
    refunds = found(state, "b.near").amount - (before - 2 * cost)
    assert 0 < refunds < NEAR
    stale = distribution._replace(body=distribution.body._replace(nonce=None, code=b"old"))
    state.produce_block(block(7), receipts=[stale], machine=NO_MACHINE)
    assert overlay_of(state).get(keys.global_contract_code(BY_ACCOUNT)) == CODE
    poor = world(account("b.near", cost - 1))
    (status,) = statuses(run(poor, DeployGlobalContract(CODE, DeployMode.CODE_HASH), sender="b.near"))
    assert error_of(status) == {"LackBalanceForState": {"account_id": "b.near", "amount": str(cost)}}


def test_the_last_action_alone_knows_who_waits() -> None:
    seen = []
    machine = PythonMachine(m=lambda context, external: seen.append(context.output_data_receivers))
    call = FunctionCall("m", b"", 10**13, 0)
    state = world(account("a.near", code=CODE))
    receipt = receipt_of(call, call, output_data_receivers=(DataReceiver(bytes(32), "b.near"),))
    state.produce_block(block(1), receipts=[receipt], machine=machine)
    assert seen == [(), ("b.near",)]


def test_accounts_that_come_into_being_by_a_transfer() -> None:
    near, eth, deterministic = "ab" * 32, "0x" + "ab" * 20, "0s" + "ab" * 20
    state = world(account("a.near"))
    for number, name in enumerate((near, eth, deterministic)):
        run(state, Transfer(5), receiver=name, number=number)
    assert found(state, near) == Account(5, 0, None, 182, 1)
    assert found(state, eth) == Account(5, 0, GlobalContract(wallet_code_hash("localnet")), 132, 2)
    assert found(state, deterministic) == Account(5, 0, None, 100, 1)
    key = rows.access_key(overlay_of(state), near, b"\0" + bytes.fromhex(near))
    assert key is not None
    assert key.nonce == 4_000_000
    both = run(state, Transfer(5), Transfer(5), receiver="cd" * 32)
    assert failures(both) == [{"AccountDoesNotExist": {"account_id": "cd" * 32}}]
    made = run(state, CreateAccount(), receiver="cd" * 32)
    assert failures(made) == [{"OnlyImplicitAccountCreationAllowed": {"account_id": "cd" * 32}}]


INIT = state_init(BY_HASH, [(b"k", b"value")])
INIT_ID = deterministic_account_id(INIT)


def test_deterministic_accounts() -> None:
    state = with_globals(account("a.near"))
    run(state, DeterministicStateInit(INIT, NEAR), receiver=INIT_ID)
    assert found(state, INIT_ID) == Account(0, 0, BY_HASH, 100 + 32 + 46, 2)
    assert list(state.rows(b"\x09")) == [(keys.contract_data(INIT_ID, b"k"), b"value")]
    deposit = state.in_flight[0]
    assert (deposit.receiver_id, deposit.body.actions) == ("a.near", (Transfer(NEAR),))
    changed = run(state, DeterministicStateInit(INIT, 3), receiver=INIT_ID, number=2)
    assert changed.result.outcomes[-1].outcome.status == SuccessValue(b"")
    assert found(state, INIT_ID).storage_usage == 178


def test_a_state_init_pays_for_its_storage() -> None:
    init = state_init(BY_HASH, [(b"k", bytes(1000))])
    name = deterministic_account_id(init)
    needed = (100 + 32 + 1041) * 10**19
    state = with_globals(account("a.near"))
    run(state, DeterministicStateInit(init, needed + 7), receiver=name)
    assert found(state, name).amount == needed
    assert state.in_flight[0].body.actions == (Transfer(7),)
    state = with_globals(account("a.near"))
    (status,) = statuses(run(state, DeterministicStateInit(init, needed - 1), receiver=name))
    assert error_of(status) == {"LackBalanceForState": {"account_id": name, "amount": str(needed)}}
    assert rows.account(overlay_of(state), name) is None
    state = world(account("a.near"))
    (status,) = statuses(run(state, DeterministicStateInit(INIT, 0), receiver=INIT_ID))
    assert next(iter(error_of(status))) == "GlobalContractDoesNotExist"


def test_deleting_an_account() -> None:
    state = with_globals([*account("a.near", usage=10_032)[:1], *account("b.near", 0)])
    big = found(state)._replace(contract=BY_HASH, version=2)
    for usage, deleted in ((10_032, True), (10_033, False)):
        records = [AccountRecord("a.near", big._replace(storage_usage=usage))]
        raw = [(keys.contract_data("a.near", b"k"), b"v"), (keys.contract_data("a.near", b""), b"")]
        state = World.from_records(CONFIG, CHAIN, records=records, raw=raw)
        run(state, DeleteAccount("b.near"))
        assert (rows.account(overlay_of(state), "a.near") is None) == deleted
        assert (list(state.rows(b"\x09")) == []) == deleted
    staking = [AccountRecord("a.near", found(state)._replace(locked=1, storage_usage=100))]
    state = World.from_records(CONFIG, CHAIN, records=staking)
    assert error_of(statuses(run(state, DeleteAccount("b.near")))[0]) == {
        "DeleteAccountStaking": {"account_id": "a.near"}
    }


def test_who_may_create_an_account() -> None:
    state = world(account("near"), account("registrar"))
    assert error_of(statuses(run(state, CreateAccount(), sender="near", receiver="short"))[0]) == {
        "CreateAccountOnlyByRegistrar": {
            "account_id": "short",
            "registrar_account_id": "registrar",
            "predecessor_id": "near",
        }
    }
    made = run(state, CreateAccount(), sender="registrar", receiver="short", number=2)
    assert SuccessValue(b"") in statuses(made)
    assert found(state, "short") == Account(0, 0, None, 100, 1)
    other = run(state, CreateAccount(), sender="registrar", receiver="x.near", number=3)
    expected = {"CreateAccountNotAllowed": {"account_id": "x.near", "predecessor_id": "registrar"}}
    assert failures(other) == [expected]
