"""Linking: what a callback does with slots, gas and exceptions; and the table itself."""

from ctypes import addressof, c_uint64

import pytest

from near_tee_cli.params.store import config_at
from near_tee_cli.vm.failure import HostFailure
from near_tee_cli.vm.host.link import link
from near_tee_cli.vm.host.table import TABLE, Entry, enabled
from near_tee_cli.vm.logic import Logic
from near_tee_cli.vm.outcome import HostError
from tests.support.host_calls import CONTEXT, FakeChain, Guest

BASE = 264_768_111


def linked(body, *, params="q", result="q", pays_base=True):
    logic = Logic(config_at(86))
    logic.begin(CONTEXT, FakeChain())
    problems = []

    def fail(problem):
        problems.append(problem)
        return 77

    entry = Entry("f", params, result, body, pays_base=pays_base, refused_as=None, flag=None)
    (function,) = link(logic, [entry], fail=fail)
    return logic, function, problems


def call(function, *values):
    slots = (c_uint64 * 32)(*[number for value in values for number in (value, 0xBAD)])
    return function.callback(False, False, addressof(slots)), list(slots)


def test_result_and_gas_come_back_in_the_first_slots():
    logic, function, _ = linked(lambda _logic, a, b: a + b, params="qq")
    assert (function.params, function.results) == ("qqq", "qq")
    trap, slots = call(function, 2**63, 5, 10**12)
    assert (trap, slots[0], slots[2]) == (0, 2**63 + 5, 10**12 - BASE)
    assert slots[1] == 0xBAD
    assert logic.gas.units[0] == 1


def test_without_a_result_the_gas_is_the_first():
    _, function, _ = linked(lambda logic, a: logic.gas.burn(a), result="")
    trap, slots = call(function, 7, 10**12)
    assert (trap, slots[0]) == (0, 10**12 - BASE - 7)


def test_a_function_without_parameters():
    _, function, _ = linked(lambda _logic: 9, params="", pays_base=False)
    trap, slots = call(function, 10**12)
    assert (trap, slots[0], slots[2]) == (0, 9, 10**12)


def test_narrow_parameters_ignore_the_upper_half():
    _, function, _ = linked(lambda _logic, a, b: a + b, params="dd")
    assert call(function, (5 << 32) + 1, (6 << 32) + 2, 10**12)[1][0] == 3


def broken(_logic, _a):
    message = "a defect of ours"
    raise RuntimeError(message)


def test_whatever_is_raised_is_handed_over():
    for error in (RuntimeError, KeyboardInterrupt, SystemExit, MemoryError):

        def raising(_logic, _a, error=error):
            raise error

        _, function, problems = linked(raising)
        assert call(function, 1, 10**12)[0] == 77
        assert type(problems[0]) is error


def test_the_gas_at_a_failure_is_in_the_counter():
    logic, function, problems = linked(broken)
    call(function, 1, 10**12)
    assert isinstance(problems[0], RuntimeError)
    assert logic.gas.remaining == 10**12 - BASE


@pytest.mark.parametrize("gas", [0, BASE - 1])
def test_the_base_charge_may_not_fit(gas):
    for params in ("", "q"):
        logic, function, problems = linked(lambda *_: 1, params=params)
        logic.gas.limit = logic.gas.prepaid = gas
        assert call(function, *[0] * len(params), gas)[0] == 77
        assert problems[0].error == HostError("GasExceeded")
        assert logic.gas.burnt == gas


def test_callbacks_follow_the_address_they_are_given():
    _, function, _ = linked(lambda _logic, a: a)
    _, constant_function, _ = linked(lambda _logic: 1, params="")
    rows = [(c_uint64 * 8)(number, 0, 10**12) for number in range(3)]
    for turn in (0, 1, 2, 1, 0):
        rows[turn][0], rows[turn][2] = turn + 10, 10**12
        function.callback(False, False, addressof(rows[turn]))
        assert rows[turn][0] == turn + 10
        rows[turn][0] = 10**12
        constant_function.callback(False, False, addressof(rows[turn]))
        assert rows[turn][0] == 1


def test_constants_follow_the_address_they_are_given():
    guest = Guest(block_height=123)
    callback = guest.functions["block_index"].callback
    rows = [(c_uint64 * 4)() for _ in range(2)]
    for row in (rows[0], rows[1], rows[0]):
        row[0] = 10**12
        assert callback(False, False, addressof(row)) == 0
        assert (row[0], row[2]) == (123, 10**12 - BASE)


def test_more_addresses_than_are_kept():
    _, function, _ = linked(lambda _logic, a: a + 1)
    rows = [(c_uint64 * 4)(number, 0, 10**12) for number in range(3000)]
    for row in rows:
        function.callback(False, False, addressof(row))
    assert [row[0] for row in rows] == list(range(1, 3001))


def test_names_are_unique_and_types_are_known():
    names = [entry.name for entry in TABLE]
    assert len(set(names)) == len(names) == 89
    assert {letter for entry in TABLE for letter in entry.params + entry.result} == {"q", "d"}
    fields = set(config_at(86).vm._fields)
    assert {entry.flag for entry in TABLE} - {None} <= fields


@pytest.mark.parametrize(("version", "count"), [(84, 82), (85, 89), (86, 89)])
def test_versions(version, count):
    assert len(enabled(config_at(version).vm)) == count


def test_functions_that_came_with_85():
    new = {e.name for e in enabled(config_at(85).vm)} - {e.name for e in enabled(config_at(84).vm)}
    assert new == {
        "chain_id",
        "p256_verify",
        "promise_batch_action_transfer_to_gas_key",
        "promise_batch_action_add_gas_key_with_full_access",
        "promise_batch_action_add_gas_key_with_function_call",
        "promise_yield_create_with_id",
        "promise_yield_resume_with_yield_id",
    }


def test_instructions_are_no_host_cost():
    guest = Guest()
    guest.call("gas", 1000)
    assert guest.costs() == {}
    assert guest.logic.gas.profile().wasm_gas == guest.logic.gas.burnt == 1000 * 822_756
    with pytest.raises(HostFailure) as caught:
        guest.call("gas", 2**32 - 1)
    # The charge is beyond what a contract may burn at all, whatever was prepaid.
    assert caught.value.error == HostError("GasLimitExceeded")
