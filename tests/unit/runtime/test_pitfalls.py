"""The twenty-eight things that reimplementations of nearcore's runtime get wrong: one test each.

Those whose place is beside the module that they are about stand in `ELSEWHERE`,
the others here as `test_NN_...`; some have both.
"""

import ast
import itertools
import pathlib
import re

import pytest

from near_tee_cli.params.costs import ExtCost
from near_tee_cli.params.features import SUPPORTED_VERSIONS
from near_tee_cli.primitives import merkle
from near_tee_cli.primitives.schema.access_key import AccessKey, GasKeyInfo, encode_access_key
from near_tee_cli.primitives.schema.account import Account, decode_account, encode_account
from near_tee_cli.primitives.schema.action import DeleteAccount, DeployContract, FunctionCall, Transfer
from near_tee_cli.primitives.schema.outcome import Failure, SuccessReceiptId, outcome_leaf
from near_tee_cli.primitives.schema.receipt import (
    ACTION,
    ACTION_V2,
    DATA,
    PROMISE_YIELD_V2,
    DataReceipt,
    DataReceiver,
    balance_refund,
    decode_receipt,
    decode_state_stored_receipt,
    encode_receipt,
    gas_refund,
)
from near_tee_cli.primitives.schema.records import AccountRecord
from near_tee_cli.primitives.schema.transaction import transaction_v0
from near_tee_cli.runtime import rows
from near_tee_cli.runtime.world import World
from near_tee_cli.state import keys
from near_tee_cli.state.overlay import Overlay
from near_tee_cli.state.recorder import Recorder
from near_tee_cli.state.trie import Trie
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
    sign_transaction,
    transact,
    world,
)

ELSEWHERE = {
    1: ("state/test_update.py::test_a_deletion_is_squashed_before_the_next_key",),
    3: (
        "state/test_node.py::test_memory_usage_of_single_nodes",
        "state/test_update.py::test_memory_usage_after_edits_of_every_kind",
    ),
    8: ("runtime/actions/test_delegate.py::test_the_inner_receipt",),
    11: ("runtime/test_world.py::test_the_same_transaction_twice",),
    12: (
        "runtime/test_fees.py::test_transfers_pay_for_the_account_that_they_might_create",
        "runtime/test_fees.py::test_keys",
    ),
    13: (
        "runtime/test_fees.py::test_a_delegate_sends_what_is_inside_twice",
        "runtime/actions/test_delegate.py::test_the_inner_receipt",
    ),
    14: (
        "runtime/test_fees.py::test_worked_example",
        "runtime/test_fees.py::test_gas_is_never_bought_below_the_minimum_price",
        "runtime/test_refunds.py::test_an_account_that_was_created_is_paid_from_the_surplus",
    ),
    18: (
        "runtime/test_congestion.py::test_what_exceeds_the_bandwidth_is_buffered_and_sent_later",
        "runtime/test_bandwidth.py::test_record_of_the_first_chunk",
    ),
    # With one shard the scheduler has nothing to draw at random; that draws are ChaCha's has a test for itself.
    20: (
        "runtime/test_world.py::test_a_block_without_a_chunk",
        "runtime/test_bandwidth.py::test_the_hash_goes_on_from_block_to_block",
        "primitives/test_chacha.py::test_shuffle_of_nearcore",
    ),
    25: (
        "primitives/test_merkle.py::test_three_items",
        "primitives/test_merkle.py::test_light_client_proof_of_nearcore",
    ),
    26: ("state/test_overlay.py::test_each_removal_of_contract_data_counts_and_no_other",),
    27: ("runtime/actions/test_contracts.py::test_deleting_an_account",),
}
UNIT = pathlib.Path(__file__).resolve().parents[1]


def test_each_pitfall_has_a_test() -> None:
    here = {
        int(number) for number in re.findall(r"^def test_(\d\d)_", pathlib.Path(__file__).read_text(), re.MULTILINE)
    }
    assert here | set(ELSEWHERE) == set(range(1, 29))
    for place in itertools.chain.from_iterable(ELSEWHERE.values()):
        file, _, name = place.partition("::")
        tree = ast.parse((UNIT / file).read_text())
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, place


def run(state: World, *receipts, height: int = 1, machine=NO_MACHINE, **more):
    return state.produce_block(block(height), receipts=receipts, machine=machine, **more)


def call(method: str, **fields) -> FunctionCall:
    return FunctionCall(method, b"", fields.get("gas", 10**13), fields.get("deposit", 0))


def test_02_writing_what_is_there_and_deleting_what_is_not_record_their_paths() -> None:
    state = world(account("a.near"), account("b.near"))
    key = keys.account("b.near")
    value = dict(state.rows(key))[key]
    for changes in ({key: value}, {keys.account("bb.near"): None}):
        recorder = Recorder()
        overlay = Overlay(Trie(state.store, state.root, recorder=recorder))
        for changed, written in changes.items():
            overlay.remove(changed) if written is None else overlay.set(changed, written)
        overlay.commit()
        result = overlay.finalize()
        assert (result.root, result.changes) == (state.root, list(changes.items()))
        assert len(recorder.nodes) > 1


def test_04_nonces_of_gas_keys_go_with_their_account() -> None:
    handle = b"\0" + b"\7" * 32
    assert keys.access_key("a.near", handle) == b"\x02a.near\x02" + handle
    nonce = keys.gas_key_nonce("a.near", handle, 1)
    assert nonce.startswith(keys.access_key("a.near", handle))
    raw = [
        (keys.access_key("a.near", handle), encode_access_key(AccessKey(0, None, GasKeyInfo(0, 2)))),
        (keys.gas_key_nonce("a.near", handle, 0), bytes(8)),
        (nonce, bytes(8)),
    ]
    records = [record for group in (account("a.near"), account("b.near")) for record in group]
    state = World.from_records(CONFIG, CHAIN, records=records, raw=raw)
    assert len(list(state.rows(b"\x02a.near"))) == 4
    run(state, receipt_of(DeleteAccount("b.near")))
    assert list(state.rows(b"\x02a.near")) == []
    assert [key for key, _ in state.rows(b"\x02b.near")] != []


def test_05_shard_ids_have_two_bytes_in_one_column_and_eight_in_the_next() -> None:
    assert keys.buffered_receipt(0x0102, 3) == b"\x0e\x02\x01" + (3).to_bytes(8, "little")
    assert keys.buffered_receipt_groups_queue_data(0x0102) == b"\x10" + (0x0102).to_bytes(8, "little")
    item = keys.buffered_receipt_groups_queue_item(0x0102, 3)
    assert item == b"\x11" + (0x0102).to_bytes(8, "little") + (3).to_bytes(8, "little")


def test_06_the_version_of_an_account_is_its_history() -> None:
    old = Account(NEAR, 0, None, 182, 1)
    new = old._replace(version=2)
    assert encode_account(new)[:16] == b"\xff" * 16
    records = [AccountRecord("a.near", old), AccountRecord("b.near", new), *account("c.near")]
    state = World.from_records(CONFIG, CHAIN, records=records)
    run(state, receipt_of(Transfer(1), sender="c.near", receiver="a.near"))
    run(state, receipt_of(Transfer(1), sender="c.near", receiver="b.near", number=2), height=2)
    found = {key: decode_account(value).version for key, value in state.rows(b"\0")}
    assert (found[keys.account("a.near")], found[keys.account("b.near")]) == (1, 2)
    run(state, receipt_of(DeployContract(b"code"), sender="b.near", number=3), height=3)
    assert rows.account(overlay_of(state), "b.near").version == 2


def test_07_what_waits_is_plain_and_what_queues_may_be_either() -> None:
    plain = receipt_of(Transfer(1))
    assert decode_state_stored_receipt(encode_receipt(plain)).version is None
    waiting = receipt_of(Transfer(1), receiver="b.near", input_data_ids=(b"\1" * 32,))
    state = world(account("a.near"), account("b.near"))
    run(state, waiting)
    ((_, postponed),) = state.rows(b"\x06")
    assert decode_receipt(postponed) == waiting
    state = world(account("a.near"), account("b.near"))
    receipts = [receipt_of(Transfer(1), receiver="b.near", number=number) for number in range(1, 5)]
    state.produce_block(block(1, gas_limit=1), receipts=receipts, machine=NO_MACHINE)
    queued = [value for key, value in state.rows(b"\x07") if key != b"\x07"]
    assert queued
    assert {decode_state_stored_receipt(value).version for value in queued} == {1}


def test_08_contracts_write_receipts_of_the_second_version() -> None:
    def start(context, external):
        created, _ = external.create_promise_yield_receipt("a.near")
        external.append_function_call(created, call("later"), gas_weight=0)
        sent = external.create_action_receipt((), "b.near")
        external.append_action(sent, Transfer(1))
        return {"used_gas": 5 * 10**13}

    state = world(account("a.near", code=b"code"), account("b.near"))
    first = transact("a.near", "a.near", call("start", gas=10**14))
    state.produce_block(block(1), transactions=[first], machine=PythonMachine(start=start))
    ((_, waiting),) = state.rows(b"\x0c")
    assert decode_receipt(waiting).body.tag == PROMISE_YIELD_V2
    tags = {receipt.predecessor_id: receipt.body.tag for receipt in state.in_flight}
    assert tags == {"a.near": ACTION_V2, "system": ACTION}
    other = world(account("a.near"), account("b.near"))
    other.produce_block(block(1), transactions=[transact("a.near", "b.near", Transfer(1))], machine=NO_MACHINE)
    assert [receipt.body.tag for receipt in other.in_flight] == [ACTION]
    assert balance_refund("b.near", 1).body.tag == ACTION
    assert gas_refund("b.near", 1, signer_public_key=public_key("b.near")).body.tag == ACTION


def test_09_a_success_writes_the_account_and_a_call_reads_the_yields() -> None:
    state = world(account("a.near", code=b"code"))
    transition = run(state, receipt_of(call("nothing", gas=10**12)), machine=PythonMachine(nothing=lambda c, e: {
        "burnt_gas": 0, "used_gas": 0,
    }))  # fmt: skip
    assert keys.account("a.near") in dict(transition.result.state_changes)
    # A proof limit that the chunk reaches with that read only: then what comes next is delayed.
    machine = PythonMachine(nothing=lambda c, e: None, fails=lambda c, e: {"aborted": MethodResolveError.NOT_FOUND})
    records = [*account("a.near", code=b"code"), *account("b.near")]
    raw = [(keys.promise_yield_indices(), bytes(16))]

    def delayed(action, limit: int | None) -> tuple[int, int]:
        state = World.from_records(CONFIG, CHAIN, records=records, raw=raw)
        receipts = [receipt_of(action), receipt_of(Transfer(1), number=2)]
        context = block(1, proof_size_limit=limit)
        result = state.produce_block(context, receipts=receipts, machine=machine).result
        return result.delayed_receipts_count, sum(map(len, result.witness))

    _, everything = delayed(Transfer(1), None)
    assert delayed(call("nothing"), everything - 1)[0] == 1
    assert delayed(Transfer(1), everything - 1)[0] == 0
    assert delayed(call("fails"), everything - 1)[0] == 0


def test_10_signers_are_read_before_anything_runs_and_those_of_expired_transactions_are_not() -> None:
    names = [f"x{number}.near" for number in range(4)]
    forged = sign_transaction(
        transaction_v0(
            names[1], public_key(names[1]), nonce=1, receiver_id="x", block_hash=bytes(32), actions=(Transfer(1),)
        ),
        signer=names[2],
    )

    def touched(*transactions, expired=()) -> list[bool]:
        state = world(*(account(name, number * NEAR) for number, name in enumerate(names, start=1)))
        values = dict(state.rows())
        result = state.produce_block(block(1), transactions=transactions, expired=expired, machine=NO_MACHINE).result
        return [values[keys.account(name)] in result.witness for name in names]

    good = transact(names[0], names[3], Transfer(1))
    assert touched(good) == [True, False, False, False]
    assert touched(good, forged) == [True, True, False, False]
    assert touched(good, forged, expired=(1,)) == [True, False, False, False]


def test_11_an_invalid_transaction_has_an_outcome_of_no_gas_and_that_one_is_in_the_root() -> None:
    state = world(account("a.near"), account("b.near"))
    good, bad = transact("a.near", "b.near", Transfer(1)), transact("a.near", "b.near", Transfer(1), nonce=0)
    result = state.produce_block(block(1), transactions=[good, good, bad], machine=NO_MACHINE).result
    first, second = result.outcomes
    assert (first.id, second.id) == (good.hash, bad.hash)
    assert isinstance(second.outcome.status, Failure)
    assert (second.outcome.gas_burnt, second.outcome.tokens_burnt, second.outcome.receipt_ids) == (0, 0, ())
    assert result.outcome_root == merkle.combine(outcome_leaf(first), outcome_leaf(second))


def test_14_gas_is_burnt_at_the_lower_price_and_the_difference_comes_back() -> None:
    numerator, denominator = CONFIG.burnt_gas_reward
    for price, burnt_at in ((10**8, 10**8), (10**9, 10**9), (3 * 10**9, 10**9)):
        state = world(account("a.near"), account("b.near", code=b"code"))
        before = rows.account(overlay_of(state), "b.near").amount
        receipt = receipt_of(call("work", gas=10**12), receiver="b.near", gas_price=10**9)
        machine = PythonMachine(work=lambda c, e: None)
        result = state.produce_block(block(1, gas_price=price), receipts=[receipt], machine=machine).result
        (entry,) = result.outcomes
        assert entry.outcome.tokens_burnt == entry.outcome.gas_burnt * burnt_at
        assert result.balance_stats.gas_deficit_amount == 0
        refunded = sum(sent.body.actions[0].deposit for sent in result.outgoing_receipts)
        assert refunded == entry.outcome.gas_burnt * (10**9 - burnt_at)
        reward = 10**12 * numerator // denominator * burnt_at
        assert rows.account(overlay_of(state), "b.near").amount == before + reward


def test_15_refunds_come_before_results_and_the_ids_count_them() -> None:
    state = world(account("a.near"), account("b.near", code=b"code"))
    waiting = DataReceiver(b"\5" * 32, "a.near")
    receipt = receipt_of(call("none", deposit=7), receiver="b.near", output_data_receivers=(waiting,))
    machine = PythonMachine(none=lambda c, e: {"aborted": MethodResolveError.NOT_FOUND})
    transition = run(state, receipt, machine=machine)
    sent = transition.result.outgoing_receipts
    assert [receipt.body.tag for receipt in sent] == [ACTION, ACTION, DATA]
    deposit, gas, data = sent
    assert (deposit.body.signer_id, deposit.body.actions) == ("system", (Transfer(7),))
    assert gas.body.signer_id == "a.near"
    assert data.body == DataReceipt(DATA, waiting.data_id, None)
    (entry,) = transition.result.outcomes
    assert entry.outcome.receipt_ids == (deposit.receipt_id, gas.receipt_id)
    assert len({one.receipt_id for one in sent}) == 3


@pytest.mark.parametrize("version", SUPPORTED_VERSIONS)
def test_16_refunds_burn_no_tokens_and_their_gas_counts(version: int) -> None:
    state = world(account("a.near"), account("b.near"), version=version)
    refund = balance_refund("b.near", 7)._replace(receipt_id=b"\1" * 32)
    result = run(state, refund).result
    (entry,) = result.outcomes
    assert (entry.outcome.tokens_burnt, result.balance_stats.tx_burnt_amount) == (0, 0)
    assert result.outgoing_receipts == ()
    assert entry.outcome.gas_burnt == result.gas_burnt == 223182562500
    # A limit that the refund reaches delays what comes after it.
    limited = state.produce_block(block(2, gas_limit=1), receipts=[refund, refund], machine=NO_MACHINE)
    assert limited.result.delayed_receipts_count == 1
    # One that finds no account is not refunded once more.
    lost = run(world(account("a.near"), version=version), refund).result
    assert isinstance(lost.outcomes[0].outcome.status, Failure)
    assert lost.outgoing_receipts == ()
    assert (lost.balance_stats.tx_burnt_amount, lost.balance_stats.other_burnt_amount) == (0, 7)


def test_17_a_contract_is_rewarded_for_its_own_gas_even_when_it_fails() -> None:
    numerator, denominator = CONFIG.burnt_gas_reward
    reward = 10**12 * numerator // denominator * 10**8
    for outcome in (None, {"aborted": MethodResolveError.NOT_FOUND}):
        state = world(account("a.near"), account("b.near", code=b"code"))
        before = rows.account(overlay_of(state), "b.near").amount
        machine = PythonMachine(work=lambda c, e, outcome=outcome: outcome)
        (entry,) = run(state, receipt_of(call("work"), receiver="b.near"), machine=machine).result.outcomes
        assert isinstance(entry.outcome.status, Failure) == (outcome is not None)
        assert rows.account(overlay_of(state), "b.near").amount == before + reward
        assert entry.outcome.tokens_burnt == entry.outcome.gas_burnt * 10**8
    # Two calls of a receipt are rounded together.
    state = world(account("a.near"), account("b.near", code=b"code"))
    machine = PythonMachine(work=lambda c, e: {"burnt_gas": 12, "used_gas": 12})
    run(state, receipt_of(call("work"), call("work"), receiver="b.near"), machine=machine)
    assert (12 * 3 // 10) * 2 == 6
    assert rows.account(overlay_of(state), "b.near").amount == before + 7 * 10**8


def test_19_instant_receipts_know_no_limit_and_come_straight_after_their_parent() -> None:
    state = world(account("a.near"), account("b.near"), account("c.near", code=b"code"))

    def leave(context, external):
        index = external.create_action_receipt((), "c.near")
        external.append_action(index, DeleteAccount("b.near"))
        return {"used_gas": 2 * 10**12}

    receipts = [receipt_of(call("leave"), receiver="c.near"), receipt_of(Transfer(1), receiver="b.near", number=2)]
    machine = PythonMachine(leave=leave)
    full = state.produce_block(block(1, gas_limit=1), receipts=receipts, machine=machine)
    assert full.result.delayed_receipts_count == 1
    first, second = full.result.outcomes
    assert (first.id, second.id) == (receipts[0].receipt_id, first.outcome.receipt_ids[0])
    assert rows.account(overlay_of(state), "c.near") is None
    state = world(account("a.near"), account("b.near"), account("c.near", code=b"code"))
    free = run(state, *receipts, machine=machine)
    assert [entry.id for entry in free.result.outcomes] == [first.id, second.id, receipts[1].receipt_id]


def test_21_receipts_execute_in_the_order_in_which_they_come_in() -> None:
    state = world(account("a.near"), account("b.near"))
    receipts = [receipt_of(Transfer(1), receiver="b.near", number=number) for number in (3, 1, 2)]
    outcomes = run(state, *receipts).result.outcomes
    assert [entry.id for entry in outcomes] == [receipt.receipt_id for receipt in receipts]


def test_22_the_status_of_a_yield_is_there_from_the_call_to_the_resume() -> None:
    made: list[bytes] = []

    def start(context, external):
        index, data_id = external.create_promise_yield_receipt("a.near")
        external.append_function_call(index, call("later"), gas_weight=0)
        made.append(data_id)
        return {"used_gas": 2 * 10**13}

    def start_and_resume(context, external):
        used = start(context, external)
        # The receipt of the yield is not stored yet: only the status says that there is one.
        assert external.submit_promise_resume_data(made[-1], b"data")
        return used

    def resume(context, external):
        assert external.submit_promise_resume_data(made[-1], b"data")

    results = []
    machine = PythonMachine(
        start=start,
        both=start_and_resume,
        resume=resume,
        later=lambda context, external: results.append(context.promise_results),
    )

    def status(state: World) -> list[bytes]:
        return [value for _, value in state.rows(keys.promise_yield_status("a.near", made[-1]))]

    state = world(account("a.near", code=b"code"))
    run(state, receipt_of(call("start", gas=10**14)), machine=machine)
    assert status(state) == [b"\0"]
    run(state, height=200, machine=machine)
    assert status(state) == [b"\0"]
    timeout = run(state, height=201, machine=machine)
    assert [receipt.body.data for receipt in timeout.result.outgoing_receipts] == [None]
    assert status(state) == [b"\0"]
    run(state, height=202, machine=machine)
    assert (status(state), results) == ([], [(None,)])

    state = world(account("a.near", code=b"code"))
    run(state, receipt_of(call("start", gas=10**14)), machine=machine)
    run(state, receipt_of(call("resume"), number=2), height=2, machine=machine)
    assert status(state) == [b"\1"]
    run(state, height=3, machine=machine)
    assert (status(state), results[1:]) == ([], [(b"data",)])

    state = world(account("a.near", code=b"code"))
    run(state, receipt_of(call("both", gas=10**14)), machine=machine)
    assert status(state) == [b"\1"]


def test_23_the_allowed_shard_is_there_without_congestion() -> None:
    info = run(world(account("a.near"))).result.congestion_info
    assert (info.delayed_receipts_gas, info.buffered_receipts_gas, info.receipt_bytes) == (0, 0, 0)
    assert info.allowed_shard == 0


def test_24_words_of_failures_and_profiles_are_not_hashed_and_logs_are() -> None:
    state = world(account("a.near"), account("b.near", code=b"code"))
    machine = PythonMachine(fail=lambda c, e: {"aborted": MethodResolveError.NOT_FOUND})
    (entry,) = run(state, receipt_of(call("fail"), receiver="b.near"), machine=machine).result.outcomes
    leaf, outcome = outcome_leaf(entry), entry.outcome

    def changed(**fields) -> bytes:
        return outcome_leaf(entry._replace(outcome=outcome._replace(**fields)))

    assert changed(status=Failure({"other": "words"})) == leaf
    assert changed(metadata=outcome.metadata._replace(profile=None, version=0)) == leaf
    assert changed(compute_usage=1) == leaf
    assert changed(status=SuccessReceiptId(bytes(32))) != leaf
    assert changed(logs=("said",)) != leaf
    assert changed(receipt_ids=(bytes(32),)) != leaf


def test_27_an_account_with_much_on_its_gas_keys_cannot_be_deleted() -> None:
    def deleted(*balances: int) -> bool:
        raw = [
            (
                keys.access_key("a.near", b"\0" + bytes([number]) * 32),
                encode_access_key(AccessKey(0, None, GasKeyInfo(balance, 1))),
            )
            for number, balance in enumerate(balances)
        ]
        records = [*account("a.near"), *account("b.near")]
        state = World.from_records(CONFIG, CHAIN, records=records, raw=raw)
        (entry, *_) = run(state, receipt_of(DeleteAccount("b.near"))).result.outcomes
        gone = rows.account(overlay_of(state), "a.near") is None
        if gone:
            assert entry.outcome.tokens_burnt == entry.outcome.gas_burnt * 10**8 + sum(balances)
        else:
            fields = {"account_id": "a.near", "public_key": None, "balance": str(sum(balances))}
            assert error_of(entry.outcome.status) == {"GasKeyBalanceTooHigh": fields}
        return gone

    assert deleted(NEAR)
    assert deleted(NEAR // 2, NEAR // 2)
    assert not deleted(NEAR + 1)
    assert not deleted(NEAR // 2, NEAR // 2, 1)


def test_28_fees_are_those_of_the_protocol_and_not_of_its_tests() -> None:
    assert CONFIG.vm.ext_costs[ExtCost.SHA256_BASE].gas == 4540970250
    assert CONFIG.storage_amount_per_byte == 10**19
    state = world(account("a.near", NEAR), account("b.near"))
    (entry,) = state.produce_block(
        block(1), transactions=[transact("a.near", "b.near", Transfer(1))], machine=NO_MACHINE
    ).result.outcomes
    assert entry.outcome.gas_burnt == 223182562500
