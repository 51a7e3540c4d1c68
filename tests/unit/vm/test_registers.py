"""Registers by themselves; totals from nearcore's vmstate.rs."""

import pytest

from near_tee_cli.vm.failure import U64_MAX, HostFailure
from near_tee_cli.vm.gas import GasCounter
from near_tee_cli.vm.outcome import HostError
from near_tee_cli.vm.registers import Registers
from tests.support.reference_config import reference_config


class Bench:
    def __init__(self, **limits):
        config = reference_config().vm._replace(**limits)
        self.gas = GasCounter(config.ext_costs)
        self.gas.begin(max_burnt=U64_MAX, prepaid=U64_MAX, is_view=False)
        self.registers = Registers(self.gas, config)

    def set(self, number, value):
        self.registers.write(number, value)
        assert self.registers.read(number) == value

    def refused(self, number, value):
        with pytest.raises(HostFailure) as caught:
            self.registers.write(number, value)
        assert caught.value.error == HostError("MemoryAccessViolation")

    def absent(self, number):
        with pytest.raises(HostFailure) as caught:
            self.registers.read(number)
        assert caught.value.error == HostError("InvalidRegisterId", (("register_id", number),))


def test_set_and_read():
    bench = Bench()
    bench.absent(42)
    bench.absent(24)
    bench.set(42, b"foo")
    bench.absent(24)
    assert (bench.gas.burnt, bench.gas.used) == (5_394_388_050, 5_394_388_050)


def test_when_all_registers_are_used_none_can_be_overwritten():
    bench = Bench(max_number_registers=2)
    bench.set(42, b"foo")
    bench.set(24, b"bar")
    bench.refused(12, b"baz")
    bench.refused(42, b"O_o")
    bench.refused(24, b"O_o")
    assert bench.gas.burnt == 19_419_557_634
    assert bench.registers.values == {42: b"foo", 24: b"bar"}


def test_size_of_one_register():
    bench = Bench(max_register_size=3)
    bench.set(42, b"foo")
    bench.refused(24, b"quux")
    assert bench.gas.burnt == 8_275_116_792


def test_usage_of_all_registers():
    bench = Bench(registers_memory_limit=11)
    bench.set(42, b"foo")
    bench.set(42, b"bar")
    bench.set(42, b"")
    bench.set(42, b"baz")
    bench.refused(42, b"quux")
    assert bench.gas.burnt == 24_446_580_564


def test_usage_counts_every_register_with_its_overhead():
    bench = Bench(registers_memory_limit=8 + 3 + 8)
    bench.set(1, b"foo")
    bench.set(U64_MAX, b"")
    bench.refused(2, b"")


def test_a_shared_value_costs_nothing_by_length():
    bench = Bench()
    bench.registers.share(7, bytes(1000))
    assert bench.gas.burnt == 2_865_522_486
    assert bench.registers.values[7] == bytes(1000)


def test_a_shared_value_has_limits_too():
    bench = Bench(max_register_size=3)
    with pytest.raises(HostFailure):
        bench.registers.share(7, b"quux")


def test_beginning_again_frees_everything():
    bench = Bench(registers_memory_limit=11)
    bench.set(42, b"foo")
    bench.registers.begin()
    bench.absent(42)
    bench.set(1, b"foo")
