"""Promises: dependencies, and sharing gas by weight (runtime/runtime/src/receipt_manager.rs)."""

import pytest

from near_tee_cli.errors import InconsistentStateError
from near_tee_cli.primitives.schema.account import GlobalContract
from near_tee_cli.primitives.schema.action import CreateAccount, DeterministicStateInit, FunctionCall
from near_tee_cli.primitives.schema.global_contract import state_init
from near_tee_cli.primitives.schema.receipt import DataReceiver
from near_tee_cli.runtime.promises import Promises

ID = bytes(32)


def call(gas: int) -> FunctionCall:
    return FunctionCall("m", b"", gas, 0)


@pytest.mark.parametrize(
    ("calls", "totals"),
    [
        ([(0, 3), (0, 2)], [6_000_000_000, 4_000_000_000]),
        ([(1_000_000, 3), (3_000_000, 2)], [5_998_600_000, 4_001_400_000]),
        (
            [(1_000_000, 3), (3_000_000, 2), (0, 1), (10**9, 0), (0, 4)],
            [2_699_800_000, 1_802_200_000, 899_600_000, 10**9, 3_598_400_000],
        ),
        ([(0, 2**64 - 1), (0, 1000)], [9_999_999_999, 1]),
        ([(0, 0), (0, 1)], [0, 10**10]),
        ([(0, 10**10), (0, 1), (0, 10**10)], [4_999_999_999, 0, 5_000_000_001]),
    ],
)
def test_weights(calls, totals) -> None:
    promises = Promises()
    for gas, weight in calls:
        promises.append_weighted(promises.create("a.near", (), data_ids=()), call(gas), gas_weight=weight)
    unused = 10**10 - sum(gas for gas, _ in calls)
    assert promises.distribute_gas(unused) == unused
    assert [receipt.actions[0].gas for receipt in promises.receipts] == totals


def test_nothing_to_share_or_nobody_to_share_with() -> None:
    promises = Promises()
    assert promises.distribute_gas(10) == 0
    index = promises.create("a.near", (), data_ids=())
    promises.append_weighted(index, call(5), gas_weight=0)
    assert promises.distribute_gas(10) == 0
    promises.append_weighted(index, call(5), gas_weight=1)
    assert promises.distribute_gas(0) == 0
    assert promises.distribute_gas(10) == 10
    assert promises.receipts[index].actions == [call(5), call(15)]


def test_gas_that_overflows() -> None:
    promises = Promises()
    promises.append_weighted(promises.create("a.near", (), data_ids=()), call(2**64 - 1), gas_weight=1)
    with pytest.raises(InconsistentStateError):
        promises.distribute_gas(1)


def test_a_receipt_waits_for_those_that_it_depends_on() -> None:
    promises = Promises()
    first = promises.create("a.near", (), data_ids=())
    second = promises.create("b.near", (), data_ids=())
    third = promises.create("c.near", (first, second), data_ids=(ID, b"\1" * 32))
    assert promises.receipts[first].output_data_receivers == [DataReceiver(ID, "c.near")]
    assert promises.receipts[second].output_data_receivers == [DataReceiver(b"\1" * 32, "c.near")]
    assert promises.receipts[third].input_data_ids == (ID, b"\1" * 32)
    waiting = promises.create_yield("d.near", ID)
    assert promises.receipts[waiting].is_promise_yield


def test_rows_of_a_state_init() -> None:
    promises = Promises()
    index = promises.create("a.near", (), data_ids=())
    promises.append(index, CreateAccount())
    promises.append(index, DeterministicStateInit(state_init(GlobalContract(ID), ()), 5))
    assert promises.set_state_init_entry(index, 1, key=b"b", value=b"2") is None
    assert promises.set_state_init_entry(index, 1, key=b"a", value=b"1") is None
    assert promises.receipts[index].actions[1].state_init.data == ((b"a", b"1"), (b"b", b"2"))
    taken = promises.set_state_init_entry(index, 1, key=b"a", value=b"3")
    assert taken is not None
    assert taken.variant == "DataEntryAlreadyExists"
    for wrong in (0, 2):
        missing = promises.set_state_init_entry(index, wrong, key=b"c", value=b"")
        assert missing is not None
        assert missing.text.startswith(f"Action {wrong} in receipt {index}")
