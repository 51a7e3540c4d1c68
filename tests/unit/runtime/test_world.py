"""Worlds: trivial blocks, transfers from transaction to refund, promises, delayed receipts, witnesses."""

import pytest

from near_tee_cli.errors import BadInputError, InconsistentStateError, MissingNodeError
from near_tee_cli.params.costs import ActionCost
from near_tee_cli.primitives import base58
from near_tee_cli.primitives.hashes import ZERO_HASH, sha256
from near_tee_cli.primitives.schema.access_key import AccessKey, FunctionCallPermission
from near_tee_cli.primitives.schema.account import LocalContract
from near_tee_cli.primitives.schema.action import (
    CreateAccount,
    DeleteAccount,
    DeployContract,
    FunctionCall,
    Transfer,
)
from near_tee_cli.primitives.schema.outcome import Failure, SuccessReceiptId, SuccessValue
from near_tee_cli.primitives.schema.receipt import ACTION, DATA, ActionReceipt, DataReceipt, Receipt
from near_tee_cli.runtime import rows
from near_tee_cli.runtime.apply import apply
from near_tee_cli.runtime.block import NO_CONGESTION
from near_tee_cli.runtime.views import View
from near_tee_cli.runtime.world import World
from near_tee_cli.state.witness import WitnessStore
from near_tee_cli.vm.outcome import MethodResolveError
from tests.support.worlds import (
    CHAIN,
    CONFIG,
    NEAR,
    NO_MACHINE,
    PythonMachine,
    account,
    block,
    error_of,
    overlay_of,
    public_key,
    receipt_of,
    statuses,
    transact,
    world,
)

CODE = b"code"


def balance(state: World, account_id: str) -> int | None:
    found = rows.account(overlay_of(state), account_id)
    return None if found is None else found.amount


def test_a_trivial_block_writes_the_scheduler_and_nothing_else() -> None:
    state = world()
    assert state.root == ZERO_HASH
    transition = state.produce_block(block(), machine=NO_MACHINE)
    assert base58.encode(state.root) == "DrQXcrgTmCGvz1SYctd6htttuCpBUmapMrvCMZq1Dio9"
    assert [key for key, _ in transition.result.state_changes] == [b"\x0f"]
    assert transition.result.outcome_root == ZERO_HASH
    assert transition.result.congestion_info == NO_CONGESTION


def test_a_block_without_a_chunk() -> None:
    state = world(account("a.near"), account("b.near"))
    state.produce_block(block(1), transactions=[transact("a.near", "b.near", Transfer(1))], machine=NO_MACHINE)
    assert len(state.in_flight) == 1
    with pytest.raises(BadInputError):
        state.produce_block(
            block(2, is_new_chunk=False),
            transactions=[transact("a.near", "b.near", Transfer(1))],
            machine=NO_MACHINE,
        )
    transition = state.produce_block(block(2, is_new_chunk=False), machine=NO_MACHINE)
    assert transition.inputs.receipts == ()
    assert [key for key, _ in transition.result.state_changes] == [b"\x0f"]
    assert state.in_flight == ()


def test_a_transfer_from_transaction_to_refund() -> None:
    state = world(account("a.near", 10 * NEAR), account("b.near", NEAR))
    first = state.produce_block(
        block(1), transactions=[transact("a.near", "b.near", Transfer(NEAR))], machine=NO_MACHINE
    )
    (entry,) = first.result.outcomes
    assert isinstance(entry.outcome.status, SuccessReceiptId)
    assert entry.outcome.gas_burnt == 223182562500
    assert entry.outcome.tokens_burnt == 22318256250000000000
    assert balance(state, "a.near") == 9 * NEAR - 245500818750000000000
    second = state.produce_block(block(2), machine=NO_MACHINE)
    assert statuses(second) == [SuccessValue(b"")]
    assert balance(state, "b.near") == 2 * NEAR
    third = state.produce_block(block(3), machine=NO_MACHINE)
    assert third.result.outcomes[0].outcome.tokens_burnt == 0
    assert balance(state, "a.near") == 9 * NEAR - 2 * 22318256250000000000
    assert state.in_flight == ()
    burnt = [transition.result.balance_stats.tx_burnt_amount for transition in (first, second, third)]
    assert burnt == [22318256250000000000, 22318256250000000000, 0]


def test_what_a_transaction_may_not() -> None:
    named = AccessKey(0, FunctionCallPermission(NEAR, "c.near", ("m",)), None)
    state = world(account("a.near", NEAR), account("k.near", key=named), account("c.near"))

    def run(*transactions, **more):
        return state.produce_block(block(1), transactions=transactions, machine=NO_MACHINE, **more)

    refused = run(
        transact("a.near", "b.near", Transfer(NEAR)),
        transact("a.near", "b.near", Transfer(1), nonce=0),
        transact("a.near", "b.near", Transfer(1), nonce=10**6),
        transact("d.near", "b.near", Transfer(1)),
        transact("k.near", "c.near", Transfer(1)),
        transact("k.near", "c.near", FunctionCall("m", b"", 10**12, 1)),
        transact("k.near", "a.near", FunctionCall("m", b"", 10**12, 0)),
        transact("k.near", "c.near", FunctionCall("n", b"", 10**12, 0)),
        transact("k.near", "c.near", FunctionCall("m", b"", 10**15, 0)),
        transact("a.near", "b.near", Transfer(2)),
        expired=[9],
    )
    names = [kind if isinstance(kind, str) else next(iter(kind)) for kind in map(error_of, statuses(refused))]
    assert names == [
        "NotEnoughBalance",
        "InvalidNonce",
        "NonceTooLarge",
        "InvalidSignerId",
        "InvalidAccessKeyError",
        "InvalidAccessKeyError",
        "InvalidAccessKeyError",
        "InvalidAccessKeyError",
        "InvalidAccessKeyError",
        "Expired",
    ]
    keys = [error_of(status)["InvalidAccessKeyError"] for status in statuses(refused)[4:9]]
    assert keys[:2] == ["RequiresFullAccess", "DepositWithFunctionCall"]
    assert [next(iter(kind)) for kind in keys[2:]] == [
        "ReceiverMismatch",
        "MethodNameMismatch",
        "NotEnoughAllowance",
    ]
    assert refused.result.gas_burnt == 0
    assert [key for key, _ in refused.result.state_changes] == [b"\x0f"]


def test_the_same_transaction_twice() -> None:
    twice = [transact("a.near", "b.near", Transfer(1))] * 2
    state = world(account("a.near"), account("b.near"))
    assert len(statuses(state.produce_block(block(1), transactions=twice, machine=NO_MACHINE))) == 1
    state = world(account("a.near"), account("b.near"), version=84)
    older = statuses(state.produce_block(block(1), transactions=twice, machine=NO_MACHINE))
    assert isinstance(older[0], SuccessReceiptId)
    assert next(iter(error_of(older[1]))) == "InvalidNonce"


def test_a_failing_action_undoes_the_receipt() -> None:
    state = world(account("a.near"))
    actions = (CreateAccount(), Transfer(5 * NEAR), DeployContract(CODE), CreateAccount())
    state.produce_block(block(1), transactions=[transact("a.near", "s.a.near", *actions)], machine=NO_MACHINE)
    transition = state.produce_block(block(2), machine=NO_MACHINE)
    (status,) = statuses(transition)
    assert status == Failure(
        {"ActionError": {"index": 3, "kind": {"AccountAlreadyExists": {"account_id": "s.a.near"}}}}
    )
    assert balance(state, "s.a.near") is None
    deposit, gas = transition.result.outgoing_receipts
    assert deposit.body.actions == (Transfer(5 * NEAR),)
    assert (deposit.receiver_id, gas.receiver_id) == ("a.near", "a.near")
    assert transition.result.contract_deploys == ()


def test_an_account_that_cannot_pay_for_its_storage() -> None:
    state = world(account("a.near"))
    state.produce_block(
        block(1),
        transactions=[transact("a.near", "s.a.near", CreateAccount(), DeployContract(bytes(1000)))],
        machine=NO_MACHINE,
    )
    (status,) = statuses(state.produce_block(block(2), machine=NO_MACHINE))
    expected = {"LackBalanceForState": {"account_id": "s.a.near", "amount": str(1100 * 10**19)}}
    assert status == Failure({"ActionError": {"index": None, "kind": expected}})


def test_a_deletion_on_oneself_runs_in_the_same_chunk() -> None:
    state = world(account("a.near"), account("b.near", NEAR))
    body = ActionReceipt(ACTION, "a.near", None, public_key("a.near"), 10**9, (), (), (DeleteAccount("b.near"),))
    transition = state.produce_block(
        block(1), receipts=[Receipt("a.near", "a.near", b"\1" * 32, body)], machine=NO_MACHINE
    )
    assert statuses(transition) == [SuccessValue(b"")]
    assert balance(state, "a.near") is None
    state.produce_block(block(2), machine=NO_MACHINE)
    assert balance(state, "b.near") == 101 * NEAR


def call(method: str, gas: int = 10**13, deposit: int = 0) -> FunctionCall:
    return FunctionCall(method, b"args", gas, deposit)


def two_steps(context, external):
    first = external.create_action_receipt((), "b.near")
    external.append_function_call(first, call("answer"), gas_weight=0)
    second = external.create_action_receipt((first,), "a.near")
    external.append_function_call(second, call("callback", gas=0), gas_weight=1)
    return {"return_data": second, "used_gas": 3 * 10**13}


def test_promises_and_callback() -> None:
    seen = []

    def callback(context, external):
        seen.append((context.promise_results, context.predecessor_account_id, context.prepaid_gas))
        return {"return_data": b"done"}

    machine = PythonMachine(
        two_steps=two_steps, answer=lambda context, external: {"return_data": context.input}, callback=callback
    )
    state = world(account("a.near", code=CODE), account("b.near", code=CODE))
    state.produce_block(
        block(1), transactions=[transact("a.near", "a.near", call("two_steps", gas=10**14))], machine=machine
    )
    assert len(state.in_flight) == 3
    assert seen == []
    waiting = state.produce_block(block(2), machine=machine)
    assert len(waiting.result.outcomes) == 2
    data = [receipt.body for receipt in waiting.result.outgoing_receipts if isinstance(receipt.body, DataReceipt)]
    assert [body.data for body in data] == [b"args"]
    last = state.produce_block(block(3), machine=machine)
    assert seen == [((b"args",), "a.near", 10**14 - 3 * 10**13)]
    assert SuccessValue(b"done") in statuses(last)
    reward = 10**8 * 3 * 10**11
    assert last.result.balance_stats.tx_burnt_amount % 10**8 == 0
    assert balance(state, "b.near") == 100 * NEAR + reward


def test_a_failed_call_gives_a_failed_result() -> None:
    results = []
    machine = PythonMachine(
        two_steps=two_steps,
        answer=lambda context, external: {"aborted": MethodResolveError.NOT_FOUND, "logs": ("said",)},
        callback=lambda context, external: results.append(context.promise_results),
    )
    state = world(account("a.near", code=CODE), account("b.near", code=CODE))
    state.produce_block(
        block(1), transactions=[transact("a.near", "a.near", call("two_steps", gas=10**14))], machine=machine
    )
    failed = state.produce_block(block(2), machine=machine)
    outcome = next(e.outcome for e in failed.result.outcomes if e.outcome.executor_id == "b.near")
    assert error_of(outcome.status) == {"FunctionCallError": {"MethodResolveError": "MethodNotFound"}}
    assert outcome.logs == ("said",)
    state.produce_block(block(3), machine=machine)
    assert results == [(None,)]


def test_storage_of_a_contract() -> None:
    def write(context, external):
        assert external.storage_ref(b"k", counted=True) is None
        external.storage_set(b"k", b"value")
        found = external.storage_ref(b"k", counted=True)
        assert found is not None
        assert (found.length, found.load()) == (5, b"value")
        return {"storage_usage": context.storage_usage + 46}

    def read(context, external):
        before = external.touches.db + external.touches.mem
        found = external.storage_ref(b"k", counted=False)
        assert found is not None
        assert external.touches.db + external.touches.mem == before
        size = external.recorded_size()
        value = found.load()
        assert external.touches.db + external.touches.mem == before + 1
        assert external.recorded_size() == size + 5
        external.storage_remove(b"absent")
        assert external.recorded_size() == size + 2005
        return {"return_data": value}

    machine = PythonMachine(write=write, read=read)
    state = world(account("a.near", code=CODE))
    state.produce_block(block(1), transactions=[transact("a.near", "a.near", call("write"))], machine=machine)
    second = state.produce_block(
        block(2), transactions=[transact("a.near", "a.near", call("read"), nonce=2)], machine=machine
    )
    assert SuccessValue(b"value") in statuses(second)
    assert (b"\x09a.near,k", b"value") in list(state.rows(b"\x09"))


def test_views_record_nothing_and_change_nothing() -> None:
    def look(context, external):
        assert context.is_view
        assert external.recorded_size() == 0
        external.storage_set(b"k", b"v")
        return {"return_data": context.input}

    state = world(account("a.near", code=CODE), account("b.near"))
    root = state.root
    outcome = state.view(View("a.near", "look", b"x"), block=block(1), machine=PythonMachine(look=look))
    assert outcome is not None
    assert outcome.return_data == b"x"
    assert state.root == root
    assert state.view(View("c.near", "look", b""), block=block(1), machine=NO_MACHINE) is None
    without = state.view(View("b.near", "look", b""), block=block(1), machine=NO_MACHINE)
    assert without is not None
    assert without.aborted is not None


def test_a_witness_is_enough_and_exactly_enough() -> None:
    state = world(
        account("a.near", code=CODE), account("b.near", code=CODE), *(account(f"x{n}.near") for n in range(40))
    )
    machine = PythonMachine(two_steps=two_steps, answer=lambda c, e: None, callback=lambda c, e: None)
    state.produce_block(
        block(1), transactions=[transact("a.near", "a.near", call("two_steps", gas=10**14))], machine=machine
    )
    for height in (2, 3, 4):
        transition = state.produce_block(block(height), machine=machine)
        result = transition.result

        def again(items, transition=transition):
            return apply(
                CONFIG,
                transition.block,
                chain=CHAIN,
                inputs=transition.inputs,
                store=WitnessStore(items),
                root=transition.pre_root,
                machine=machine,
                list_accesses=False,
            )

        codes = [code for code in result.codes.values() if code is not None]
        replayed = again([*result.witness, *codes])
        assert replayed._replace(contract_accesses=result.contract_accesses) == result
        for left_out in result.witness:
            with pytest.raises(MissingNodeError):
                again([item for item in result.witness if item != left_out] + codes)


def test_receipts_beyond_the_compute_limit_are_delayed() -> None:
    state = world(account("a.near"), account("b.near"))
    transfers = [transact("a.near", "a.near", Transfer(1), nonce=nonce) for nonce in (1, 2, 3)]
    fee = CONFIG.fees[ActionCost.NEW_ACTION_RECEIPT].execution.gas
    first = state.produce_block(block(1, gas_limit=4 * fee), transactions=transfers, machine=NO_MACHINE)
    assert first.result.delayed_receipts_count == 3
    assert first.result.congestion_info.delayed_receipts_gas == 3 * 223182562500
    assert len(first.result.outcomes) == 3
    second = state.produce_block(block(2, gas_limit=223182562501), machine=NO_MACHINE)
    assert second.result.delayed_receipts_count == 1
    third = state.produce_block(block(3), machine=NO_MACHINE)
    assert third.result.delayed_receipts_count == 0
    assert third.result.congestion_info == NO_CONGESTION


def test_receipts_beyond_the_storage_proof_are_delayed() -> None:
    transfers = [transact("a.near", "a.near", Transfer(1), nonce=nonce) for nonce in (1, 2)]

    def delayed(limit, height=1):
        state = world(account("a.near"), account("b.near"))
        context = block(height, proof_size_limit=limit)
        result = state.produce_block(context, transactions=transfers, machine=NO_MACHINE).result
        return result.delayed_receipts_count, sum(map(len, result.witness))

    # Everything that these receipts need was read by the transactions: the proof grows no more.
    recorded = delayed(None)[1]
    assert delayed(None)[0] == 0
    assert delayed(recorded)[0] == 0
    assert delayed(0)[0] == 2
    assert delayed(recorded // 2)[0] == 2


def test_local_receipts_come_before_delayed_ones_and_those_before_what_comes_in() -> None:
    state = world(account("a.near"), account("b.near"), account("c.near"))
    waiting = transact("a.near", "a.near", Transfer(1))
    first = state.produce_block(block(1, gas_limit=1), transactions=[waiting], machine=NO_MACHINE)
    assert first.result.delayed_receipts_count == 1
    (delayed,) = first.result.outcomes[0].outcome.receipt_ids
    incoming = receipt_of(Transfer(1), sender="b.near", receiver="c.near")
    own = [transact("b.near", "b.near", Transfer(1), nonce=nonce) for nonce in (1, 2)]
    second = state.produce_block(block(2), transactions=own, receipts=[incoming], machine=NO_MACHINE)
    *converted, one, two, three, four = second.result.outcomes
    local = [receipt_id for entry in converted for receipt_id in entry.outcome.receipt_ids]
    assert [one.id, two.id, three.id, four.id] == [*local, delayed, incoming.receipt_id]


def test_the_metadata_of_a_receipt_has_an_entry_for_each_action() -> None:
    state = world(account("a.near"), account("b.near", code=CODE))
    machine = PythonMachine(fail=lambda context, external: {"aborted": MethodResolveError.NOT_FOUND})
    receipt = receipt_of(Transfer(1), call("fail"), Transfer(1), Transfer(1), receiver="b.near")
    (entry,) = state.produce_block(block(1), receipts=[receipt], machine=machine).result.outcomes
    contract = LocalContract(sha256(CODE))
    assert entry.outcome.metadata.contracts == (contract, contract, None, None)


def test_an_incoming_receipt_that_no_chain_sends() -> None:
    state = world(account("a.near"))
    body = ActionReceipt(ACTION, "a.near", None, bytes(33), 0, (), (), (FunctionCall("m", b"", 0, 0),))
    root = state.root
    with pytest.raises(BadInputError, match="FunctionCallZeroAttachedGas"):
        state.produce_block(block(1), receipts=[Receipt("a.near", "a.near", bytes(32), body)], machine=NO_MACHINE)
    assert state.root == root


def test_rows_that_contradict_one_another() -> None:
    rows_of_nobody = [(b"\x04a.near," + bytes(32), b"\1" * 32)]
    state = World.from_records(CONFIG, CHAIN, records=account("a.near"), raw=rows_of_nobody)
    data = Receipt("a.near", "a.near", bytes(32), DataReceipt(DATA, bytes(32), b""))
    with pytest.raises(InconsistentStateError, match="pending data count"):
        state.produce_block(block(1), receipts=[data], machine=NO_MACHINE)
    state = World.from_records(CONFIG, CHAIN, records=[], raw=[(b"\x00a.near", b"short")])
    body = ActionReceipt(ACTION, "a.near", None, bytes(33), 0, (), (), (Transfer(1),))
    with pytest.raises(InconsistentStateError, match="malformed"):
        state.produce_block(block(1), receipts=[Receipt("b.near", "a.near", bytes(32), body)], machine=NO_MACHINE)
