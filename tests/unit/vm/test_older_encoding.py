"""Modules of the older kind of VM: what it could read and the newer one cannot, and the other way round.

The verdicts are those of its decoder (wasmparser 0.105 with the features of protocol version 83).
"""

import pytest

from near_tee_cli.params.store import config_at
from near_tee_cli.vm.engine import Engine
from near_tee_cli.vm.older_encoding import translated
from near_tee_cli.vm.prepare import prepare
from near_tee_cli.vm.prepared import Prepared, PrepareError
from tests.support.raw_modules import code, functions, raw, types

CONFIG = config_at(83).vm
VALIDATE = Engine().validator(bulk_memory=False)

TYPE, FUNCTION, EMPTY = types(1), functions(1), code("000b")
TABLE, MEMORY = (4, "01700001"), (5, "010001")
SEGMENT = (11, "010041000b01aa")


def of_body(text: str, *sections) -> bytes:
    return raw(TYPE, FUNCTION, *sections, code(text))


READ = {
    "an indirect call": of_body("00 4100 110000 0b", TABLE),
    "a load that names memory 0": of_body("00 4100 28420000 1a 0b", MEMORY),
    "a load that names memory 0 at length": of_body("00 4100 2842800000 1a 0b", MEMORY),
    "a store that names memory 0": of_body("00 4100 4100 36420000 0b", MEMORY),
    "an alignment at length": of_body("00 4100 28820000 1a 0b", MEMORY),
    "a count of data segments": raw(TYPE, FUNCTION, MEMORY, (12, "01"), EMPTY, SEGMENT),
    "a count of no data segments": raw(TYPE, FUNCTION, (12, "00"), EMPTY),
    "a data segment that nobody copies": raw(TYPE, FUNCTION, MEMORY, EMPTY, (11, "010101aa")),
    "a data segment that names memory 0": raw(TYPE, FUNCTION, MEMORY, EMPTY, (11, "01020041000b01aa")),
    "an element segment that names table 0": raw(TYPE, FUNCTION, TABLE, (9, "01020041000b000100"), EMPTY),
    "a segment of no expressions": raw(TYPE, FUNCTION, TABLE, (9, "010441000b00"), EMPTY),
    "a segment of no expressions, of functions": raw(TYPE, FUNCTION, TABLE, (9, "01060041000b7000"), EMPTY),
    "its own long form in a table": raw(TYPE, FUNCTION, (4, "016c700001"), EMPTY),
    "its own long form in a segment": raw(TYPE, FUNCTION, TABLE, (9, "01060041000b6c7000"), EMPTY),
    "a saturating truncation": of_body("00 4300000000 fc00 1a 0b"),
    "code that cannot be reached": of_body("00 00 1b 1a 0b"),
}
REFUSED = {
    "a table index at length": of_body("00 4100 11008000 0b", TABLE),
    "a load that names memory 1": of_body("00 4100 28420100 1a 0b", MEMORY),
    "a memory index at length": of_body("00 3f8000 1a 0b", MEMORY),
    "a wrong count of data segments": raw(TYPE, FUNCTION, MEMORY, (12, "02"), EMPTY, SEGMENT),
    "a count of data segments without any": raw(TYPE, FUNCTION, (12, "01"), EMPTY),
    "two counts of data segments": raw(TYPE, FUNCTION, MEMORY, (12, "01"), (12, "01"), EMPTY, SEGMENT),
    "a count behind the code": raw(TYPE, FUNCTION, MEMORY, EMPTY, (12, "01"), SEGMENT),
    "a count before a table": raw(TYPE, FUNCTION, (12, "00"), TABLE, EMPTY),
    "a count of too many": raw(TYPE, FUNCTION, (12, "a18d06"), EMPTY),
    "a segment of an expression": raw(TYPE, FUNCTION, TABLE, (9, "010441000b01d2000b"), EMPTY),
    "a segment of another table": raw(TYPE, FUNCTION, TABLE, (9, "01060141000b7000"), EMPTY),
    "a segment of another type": raw(TYPE, FUNCTION, TABLE, (9, "01060041000b6f00"), EMPTY),
    "a segment that somebody copies": raw(TYPE, FUNCTION, TABLE, (9, "0101000100"), EMPTY),
    "a declaring segment": raw(TYPE, FUNCTION, TABLE, (9, "0103000100"), EMPTY),
    "the newer long form in a table": raw(TYPE, FUNCTION, (4, "0163700001"), EMPTY),
    "a long form of nothing": raw(TYPE, FUNCTION, (4, "016c6f0001"), EMPTY),
    "a final subtype": raw((1, "014f00600000"), FUNCTION, EMPTY),
    "a reference among the locals": of_body("010170 0b"),
    "a reference among the parameters": raw((1, "0160017000"), FUNCTION, EMPTY),
    "a reference among the globals": raw(TYPE, FUNCTION, (6, "017000d0700b"), EMPTY),
    "a selection with a type": of_body("00 410041004100 1c017f 1a 0b"),
    "a bulk copy": of_body("00 410041004100 fc0a0000 0b", MEMORY),
    "two tables": raw(TYPE, FUNCTION, (4, "0270000170 0001"), EMPTY),
    "a table that is too large": raw(TYPE, FUNCTION, (4, "01700081ade204"), EMPTY),
}


def verdict(module: bytes) -> str:
    prepared = prepare(module, CONFIG, validate=VALIDATE)
    return "read" if isinstance(prepared, Prepared) else prepared.variant


@pytest.mark.parametrize("name", READ)
def test_what_it_reads(name) -> None:
    assert verdict(READ[name]) == "read"


@pytest.mark.parametrize("name", REFUSED)
def test_what_it_refuses(name) -> None:
    assert verdict(REFUSED[name]) == "Deserialization"


@pytest.mark.parametrize(("count", "expected"), [(100_000, "read"), (100_001, "Deserialization")])
def test_exports(count, expected) -> None:
    names = (str(number).encode() for number in range(count))
    exports = b"".join(bytes((len(name),)) + name + b"\0\0" for name in names)
    number = bytes((count & 0x7F | 0x80, count >> 7 & 0x7F | 0x80, count >> 14))
    assert verdict(raw(TYPE, FUNCTION, (7, number + exports), EMPTY)) == expected


def test_limits_are_found_before_the_count_of_data_segments_is_compared() -> None:
    module = raw(TYPE, FUNCTION, MEMORY, (12, "02"), code("01 c1843d 7f 0b"), SEGMENT)
    assert verdict(module) == PrepareError.TOO_MANY_LOCALS.variant


def test_a_limit_behind_a_load_that_names_its_memory() -> None:
    bodies = code("00 4100 28420000 1a 0b", "01 c1843d 7f 0b", "ff")
    assert verdict(raw(TYPE, functions(3), MEMORY, bodies)) == PrepareError.TOO_MANY_LOCALS.variant


def test_what_needs_no_translation_stays_as_it_is() -> None:
    for module in (READ["an indirect call"], b"garbage", b"", raw(TYPE, FUNCTION, EMPTY)[:-1]):
        for bodies in (False, True):
            assert translated(module, bodies=bodies) == (module, True)


def test_bodies_only_if_asked_for() -> None:
    module = READ["a load that names memory 0"]
    assert translated(module, bodies=False).code == module
    assert translated(module, bodies=True).code == of_body("00 4100 280200 1a 0b", MEMORY)
