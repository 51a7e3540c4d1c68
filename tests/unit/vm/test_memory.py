"""Guest memory: what is charged, what is in bounds, and that growth is noticed."""

from ctypes import addressof, c_char

import pytest

from near_tee_cli.vm.failure import U64_MAX, HostFailure
from near_tee_cli.vm.gas import GasCounter
from near_tee_cli.vm.memory import Memory
from tests.support.reference_config import reference_config

CAPACITY = 100
READ = (2_609_863_200, 3_801_333)
WRITE = (2_803_794_861, 2_723_772)


class Bench:
    def __init__(self, size=10):
        self.gas = GasCounter(reference_config().vm.ext_costs)
        self.gas.begin(max_burnt=10**15, prepaid=10**15, is_view=False)
        self.memory = Memory(self.gas, capacity=CAPACITY)
        self.bytes = (c_char * CAPACITY)()
        self.size = size
        self.asked = 0
        self.memory.attach(addressof(self.bytes), self.size_now)

    def size_now(self):
        self.asked += 1
        return self.size


def refused(act, *arguments):
    with pytest.raises(HostFailure) as caught:
        act(*arguments)
    return caught.value.error.variant


def test_write_and_read():
    bench = Bench()
    bench.memory.write(3, b"a\0b")
    assert bench.memory.read(2, 5) == b"\0a\0b\0"
    assert bench.bytes[3:6] == b"a\0b"
    assert bench.gas.burnt == READ[0] + 5 * READ[1] + WRITE[0] + 3 * WRITE[1]


@pytest.mark.parametrize(
    ("pointer", "length"), [(10, 1), (9, 2), (0, 11), (11, 0), (U64_MAX, 1), (U64_MAX, 0), (2**63, 3)]
)
def test_what_lies_outside_is_charged_and_refused(pointer, length):
    bench = Bench()
    assert refused(bench.memory.read, pointer, length) == "MemoryAccessViolation"
    assert bench.gas.burnt == READ[0] + length * READ[1]
    assert refused(bench.memory.write, pointer, bytes(length)) == "MemoryAccessViolation"
    assert refused(bench.memory.peek, pointer, length) == "MemoryAccessViolation"


def test_nothing_may_be_read_at_the_very_end():
    assert Bench().memory.read(10, 0) == b""


def test_an_absurd_length_is_a_matter_of_gas():
    bench = Bench()
    assert refused(bench.memory.read, 0, U64_MAX) == "IntegerOverflow"
    assert bench.gas.burnt == READ[0]
    assert refused(bench.memory.read, 0, 10**12) == "GasLimitExceeded"


def test_growth_is_noticed_when_it_matters():
    bench = Bench()
    asked = bench.asked
    bench.memory.read(0, 10)
    assert bench.asked == asked
    bench.size = 20
    bench.memory.write(15, b"12345")
    assert bench.memory.read(15, 5) == b"12345"
    assert bench.asked == asked + 1


def test_numbers_are_little_endian():
    bench = Bench(50)
    bench.memory.write_u128(0, 2**127 + 5)
    assert bench.bytes[0:16] == b"\5" + bytes(14) + b"\x80"
    assert bench.memory.read_u128(0) == 2**127 + 5
    assert bench.memory.read_u32(0) == 5


def test_peeking_is_free_and_gives_what_there_is():
    bench = Bench()
    bench.memory.write(8, b"xy")
    burnt = bench.gas.burnt
    assert bench.memory.peek(8, 2) == b"xy"
    assert bench.memory.peek_up_to(7, 9) == b"\0xy"
    assert bench.memory.peek_up_to(10, 9) == b""
    assert bench.memory.peek_up_to(U64_MAX, 9) == b""
    assert bench.gas.burnt == burnt


@pytest.mark.parametrize("gas", [0, 1, READ[0], READ[0] + READ[1] * 2 + 1, 3 * (READ[0] + 2 * READ[1]) - 1])
def test_reads_charged_together_are_charged_one_by_one(gas):
    together, apart = Bench(), Bench()
    for bench in (together, apart):
        bench.gas.begin(max_burnt=10**15, prepaid=gas, is_view=False)
    assert refused(lambda: together.memory.pay_reads(width=2, count=3)) == "GasExceeded"
    assert refused(lambda: [apart.memory.read(0, 2) for _ in range(3)]) == "GasExceeded"
    assert together.gas.profile() == apart.gas.profile()


def test_reads_that_can_be_paid_are_counted():
    together, apart = Bench(), Bench()
    together.memory.pay_reads(width=2, count=3)
    for _ in range(3):
        apart.memory.read(0, 2)
    assert together.gas.profile() == apart.gas.profile()


def test_a_detached_memory_has_nothing():
    bench = Bench()
    bench.memory.detach()
    assert refused(bench.memory.read, 0, 1) == "MemoryAccessViolation"
    assert bench.memory.read(0, 0) == b""
