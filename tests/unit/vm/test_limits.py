"""The limits of contracts, and which of several failures is the one that the chain reports."""

import pytest

from near_tee_cli.vm.limits import check
from near_tee_cli.vm.prepared import PrepareError
from near_tee_cli.vm.wasm.module import Module
from tests.support.analysed import CONFIG, VALIDATE
from tests.support.raw_modules import code, functions, raw, types
from tests.support.wat import wat

SMALL = CONFIG._replace(
    max_types_per_contract=3,
    max_functions_number_per_contract=3,
    max_locals_per_contract=10,
    max_tables_per_contract=1,
    max_elements_per_contract_table=10,
    max_function_body_size=20,
)
TYPE, FUNCTION = types(1), functions(1)
EMPTY, INVALID = "000b", "006a0b"
TOO_LARGE = "00" + "01" * 19 + "0b"
TOO_LARGE_AND_INVALID = "00" + "6a" * 19 + "0b"


def result(module, config=SMALL):
    found = check(module if isinstance(module, bytes) else wat(f"(module {module})"), config, validate=VALIDATE)
    return None if isinstance(found, Module) else found.variant


def imports(*names):
    return " ".join(f"(import {name})" for name in names)


F, FROM_ELSEWHERE = '"env" "f" (func)', '"wtf" "f" (func)'
MEMORY, TABLE, GLOBAL = '"env" "m" (memory 1)', '"env" "t" (table 1 funcref)', '"env" "g" (global i32)'

WITHIN_AND_BEYOND = {
    "types": (raw(types(3)), raw(types(4)), "TooManyTypes"),
    "imported functions": (imports(F, F, F), imports(F, F, F, F), "TooManyFunctions"),
    "functions": (
        raw(TYPE, functions(3), code(*[EMPTY] * 3)),
        raw(TYPE, functions(4), code(*[EMPTY] * 4)),
        "TooManyFunctions",
    ),
    "both together": (imports(F, F) + "(func)", imports(F, F) + "(func) (func)", "TooManyFunctions"),
    "tables": ("(table 1 funcref)", "(table 1 funcref) (table 1 funcref)", "TooManyTables"),
    "elements": ("(table 10 funcref)", "(table 11 funcref)", "TooManyTableElements"),
    "the maximum of a table is free": ("(table 10 99999 funcref)", "(table 11 99999 funcref)", "TooManyTableElements"),
    "very many elements": ("(table 0 funcref)", "(table 20000000 funcref)", "TooManyTableElements"),
    "a body": ("(func" + " nop" * 18 + ")", "(func" + " nop" * 19 + ")", "FunctionBodyTooLarge"),
    "locals in one function": (
        "(func (local" + " i64" * 10 + "))",
        "(func (local" + " i64" * 11 + "))",
        "TooManyLocals",
    ),
    "locals in all functions": (
        "(func (local i32 i32 i64 i64 i64)) (func (local i64 i64 i64 i64 i32))",
        "(func (local i32 i32 i64 i64 i64)) (func (local i64 i64 i64 i64 i32 i32))",
        "TooManyLocals",
    ),
    "parameters are no locals": (
        "(func (param" + " i64" * 20 + "))",
        "(func (local" + " i64" * 20 + "))",
        "TooManyLocals",
    ),
}


@pytest.mark.parametrize("name", WITHIN_AND_BEYOND)
def test_limits(name):
    within, beyond, error = WITHIN_AND_BEYOND[name]
    assert result(within) is None
    assert result(beyond) == error


@pytest.mark.parametrize("name", WITHIN_AND_BEYOND)
def test_a_version_may_know_no_limits(name):
    unlimited = CONFIG._replace(
        **{field: None for field in CONFIG._fields if field.startswith("max_") and field.count("_per_")}
    )
    assert result(WITHIN_AND_BEYOND[name][1], unlimited._replace(max_function_body_size=None)) is None


IMPORTS = {
    "from elsewhere": (imports(FROM_ELSEWHERE), "Instantiate"),
    "a memory": (imports(MEMORY), "Memory"),
    "a table": (imports(TABLE), "Instantiate"),
    "a global": (imports(GLOBAL), "Instantiate"),
    "a memory from elsewhere": (imports('"wtf" "m" (memory 1)'), "Instantiate"),
    "the first decides": (imports(MEMORY, FROM_ELSEWHERE), "Memory"),
    "the first decides here too": (imports(FROM_ELSEWHERE, MEMORY), "Instantiate"),
    "before the number is too high": (imports(F, F, F, MEMORY), "Memory"),
    "after the number is too high": (imports(F, F, F, F, MEMORY), "TooManyFunctions"),
    "functions from elsewhere are not counted": (imports(F, F, F, FROM_ELSEWHERE), "Instantiate"),
    "a tag": (raw(TYPE, (2, "01 03656e76 0174 04 00 00")), "Deserialization"),
}


@pytest.mark.parametrize("name", IMPORTS)
def test_imports(name):
    assert result(IMPORTS[name][0]) == IMPORTS[name][1]


FIRST_FAILURES = {
    # Types are counted before they are looked at.
    "too many types of which one is malformed": (raw((1, "04 6000005f")), "TooManyTypes"),
    "too few bytes for a type": (raw((1, "03 600000")), "Deserialization"),
    "types twice, together too many": (raw(types(2), types(2)), "TooManyTypes"),
    "types twice": (raw(types(1), types(2)), "Deserialization"),
    "too many types behind the code": (raw(TYPE, FUNCTION, code(EMPTY), types(3)), "TooManyTypes"),
    "too many types behind the data": (
        raw(TYPE, FUNCTION, (5, "010001"), (12, "00"), code(EMPTY), (11, "00"), types(3)),
        "TooManyTypes",
    ),
    # The import section is validated as a whole before its items are judged.
    "bad import and then a bad type index": (
        raw(TYPE, (2, "02 03777466 0166 0000 03656e76 0166 0005")),
        "Deserialization",
    ),
    "memory that starts above its end": (raw((2, "01 03656e76 0166 0201 0201")), "Deserialization"),
    "import section twice": (raw(TYPE, (2, "00"), (2, "01 03777466 0166 0000")), "Deserialization"),
    "bad import behind a bad custom section": (
        raw((0, "05 61"), TYPE, (2, "01 03777466 0166 0000")),
        "Deserialization",
    ),
    "bad custom section behind a bad import": (raw(TYPE, (2, "01 03777466 0166 0000"), (0, "05 61")), "Instantiate"),
    # Tables: validity, then number, then sizes.
    "tables too many, and one invalid": (raw((4, "02 700001 70010201")), "Deserialization"),
    "tables too many, and one too large": (raw((4, "02 70000b 700001")), "TooManyTables"),
    "a table too large behind an unknown type": (raw(TYPE, (3, "0101"), (4, "01 70000b")), "Deserialization"),
    "an unknown type behind a table too large": (
        raw(TYPE, FUNCTION, (4, "01 70000b"), (7, "01016d0009")),
        "TooManyTableElements",
    ),
    "tables too many in the wrong place": (raw((5, "010001"), (4, "02 700001 700001")), "Deserialization"),
    # Code: the number of bodies first, even of a section that is cut off.
    "too many functions, one invalid": (
        raw(TYPE, functions(4), code(EMPTY, EMPTY, EMPTY, INVALID)),
        "TooManyFunctions",
    ),
    "too many bodies for the functions": (raw(TYPE, FUNCTION, code(*[EMPTY] * 4)), "TooManyFunctions"),
    "more bodies than functions": (raw(TYPE, FUNCTION, code(*[EMPTY] * 2)), "Deserialization"),
    "too many functions in a code section cut off": (
        raw(TYPE, functions(4), code(*[EMPTY] * 4))[:-3],
        "TooManyFunctions",
    ),
    "a code section cut off": (raw(TYPE, FUNCTION, code(TOO_LARGE))[:-1], "Deserialization"),
    "an invalid export before too many functions": (
        raw(TYPE, functions(4), (7, "01016d0009"), code(*[EMPTY] * 4)),
        "Deserialization",
    ),
    "an invalid element before too many functions": (
        raw(TYPE, functions(4), (4, "01700001"), (9, "01004100 0b0109"), code(*[EMPTY] * 4)),
        "Deserialization",
    ),
    "invalid data behind too many functions": (
        raw(TYPE, functions(4), code(*[EMPTY] * 4), (11, "0100")),
        "TooManyFunctions",
    ),
    "code twice, together too many": (
        raw(TYPE, functions(2), code(EMPTY, EMPTY), code(EMPTY, EMPTY)),
        "TooManyFunctions",
    ),
    "code twice": (raw(TYPE, FUNCTION, code(EMPTY), code(EMPTY)), "Deserialization"),
    "code twice, one body too large": (raw(TYPE, FUNCTION, code(EMPTY), code(TOO_LARGE)), "Deserialization"),
    # Bodies: each is judged, then validated, before the next.
    "an invalid body before one too large": (raw(TYPE, functions(2), code(INVALID, TOO_LARGE)), "Deserialization"),
    "a body too large before an invalid one": (
        raw(TYPE, functions(2), code(TOO_LARGE, INVALID)),
        "FunctionBodyTooLarge",
    ),
    "a body too large and invalid": (
        raw(TYPE, functions(2), code(EMPTY, TOO_LARGE_AND_INVALID)),
        "FunctionBodyTooLarge",
    ),
    "a body too large with too many locals": (
        raw(TYPE, FUNCTION, code("01 20 7f" + "01" * 19 + "0b")),
        "FunctionBodyTooLarge",
    ),
    "too many locals in an invalid body": (raw(TYPE, FUNCTION, code("01 0b 7f 6a 0b")), "TooManyLocals"),
    "an invalid body before too many locals": (
        raw(TYPE, functions(2), code(INVALID, "01 0b 7f 0b")),
        "Deserialization",
    ),
    "too many locals of a type not allowed": (raw(TYPE, FUNCTION, code("01 0b 7b 0b")), "TooManyLocals"),
    "too many locals of a type by its index": (raw(TYPE, FUNCTION, code("01 0b 63 00 0b")), "TooManyLocals"),
    "locals of a type not allowed": (raw(TYPE, FUNCTION, code("01 0a 7b 0b")), "Deserialization"),
    "too many locals of no type": (raw(TYPE, FUNCTION, code("01 0b 40 0b")), "Deserialization"),
    "too many locals before a group that does not parse": (raw(TYPE, FUNCTION, code("02 0b 7f 80")), "TooManyLocals"),
    "a body longer than the section": (raw(TYPE, FUNCTION, (10, "01 40 00")), "Deserialization"),
    "bytes behind the last body": (raw(TYPE, FUNCTION, (10, "01 02 000b 00")), "Deserialization"),
    "a segment missing behind a body too large": (
        raw(TYPE, functions(2), (5, "010001"), (12, "02"), code("00 410041004100 fc080100 0b", TOO_LARGE)),
        "FunctionBodyTooLarge",
    ),
    "a segment unknown before a body too large": (
        raw(TYPE, functions(2), (5, "010001"), (12, "01"), code("00 410041004100 fc080100 0b", TOO_LARGE)),
        "Deserialization",
    ),
    "a body that needs the number of segments": (
        raw(TYPE, functions(2), (5, "010001"), code("00 410041004100 fc080000 0b", TOO_LARGE), (11, "0101 00")),
        "Deserialization",
    ),
    "more segments than there can be": (
        raw(TYPE, FUNCTION, (5, "010001"), (12, "a18d06"), code(TOO_LARGE)),
        "Deserialization",
    ),
    "a start function of another type": (
        raw((1, "0160017f00"), FUNCTION, (8, "00"), code(TOO_LARGE)),
        "Deserialization",
    ),
}


@pytest.mark.parametrize("name", FIRST_FAILURES)
def test_the_first_failure_counts(name):
    assert result(FIRST_FAILURES[name][0]) == FIRST_FAILURES[name][1]


def test_locals_of_one_function_have_a_limit_of_the_decoder():
    for count, error in ((50_000, None), (50_001, "Deserialization")):
        assert result("(func (local" + " i32" * count + "))", CONFIG) == error
    assert result("(func (param i32) (local" + " i32" * 50_000 + "))", CONFIG) == "Deserialization"


def test_branch_tables_have_a_limit_of_the_decoder():
    def table(count):
        targets = b"\x0e" + bytes((count & 0x7F | 0x80, count >> 7 & 0x7F | 0x80, count >> 14)) + bytes(count + 1)
        return b"\0\x41\0" + targets + b"\x0b"

    assert result(raw(TYPE, FUNCTION, code(table(131_072))), CONFIG) is None
    assert result(raw(TYPE, FUNCTION, code(table(131_073))), CONFIG) == "Deserialization"
    # It is found before what follows it.
    small = CONFIG._replace(max_locals_per_contract=10)
    assert result(raw(TYPE, functions(2), code(table(131_073), "01 0b 7f 0b")), small) == "Deserialization"
    assert result(raw(TYPE, functions(2), code(table(131_072), "01 0b 7f 0b")), small) == "TooManyLocals"
    assert result(raw(TYPE, functions(2), code("01 0b 7f 0b", table(131_073))), small) == "TooManyLocals"


ALLOWED = {
    "nothing": "",
    "sign extension": "(func (drop (i32.extend8_s (i32.const 1))))",
    "saturating conversions": "(func (drop (i64.trunc_sat_f32_u (f32.const 1))))",
    "bulk memory": """(memory 1) (data "x")
        (func (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 1)) (data.drop 0))""",
    "references to functions": """(table 1 funcref) (elem declare func $f)
        (func $f (table.set 0 (i32.const 0) (ref.func $f)))""",
    "mutable globals": '(global (export "g") (mut f64) (f64.const nan))',
    "funcref globals": "(func $f) (global funcref (ref.func $f)) (global funcref (ref.null func))",
    "memory of any size": "(memory 0 0)",
    "custom sections of any content": raw((0, "016e ff"), TYPE, (0, "00"), (0, b"\x04name\xff\xff")),
    "funcref in its long form": raw((1, "01 60 01 6370 00"), FUNCTION, code("01 01 6370 0b")),
    "a final type": raw((1, "01 4f00 600000"), FUNCTION, code(EMPTY)),
    "empty sections": raw(*((number, "00") for number in (1, 2, 3, 4, 5, 6, 7, 9, 12, 10, 11))),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_allowed(name):
    assert result(ALLOWED[name], CONFIG) is None


NOT_ALLOWED = {
    "several results": "(func (result i32 i32) (i32.const 1) (i32.const 2))",
    "a block with parameters": "(func (i32.const 1) (block (param i32) (drop)))",
    "a block type by its index": raw(TYPE, FUNCTION, code("00 0200 0b 0b")),
    "externref": "(func (param externref))",
    "ref.null extern": "(func (drop (ref.null extern)))",
    "a table of externref": "(table 1 externref)",
    "references that are never null": "(type $t (func)) (func (param (ref func)))",
    "references to a type": "(type $t (func)) (func (param (ref null $t)))",
    "call_ref": "(type $t (func)) (func (param funcref) (call_ref $t (ref.null $t)))",
    "vectors": "(func (drop (v128.const i64x2 0 0)))",
    "a local vector": "(func (local v128))",
    "tail calls": "(func $f (return_call $f))",
    "a second memory": "(memory 1) (memory 1)",
    "a memory of 64 bits": "(memory i64 1)",
    "a shared memory": "(memory 1 1 shared)",
    "a page size": "(memory 1 (pagesize 1))",
    "atomics": "(memory 1) (func (drop (i32.atomic.load (i32.const 0))))",
    "tags": "(tag)",
    "throw": "(tag) (func (throw 0))",
    "structs": "(type (struct))",
    "rec groups": raw((1, "01 4e 01 600000")),
    "subtypes": raw((1, "01 50 00 600000")),
    "wide arithmetic": "(func (i64.add128 (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0)) drop drop)",
    "a table with an initial value": "(table 1 funcref (ref.null func))",
    "a table of 64 bits": "(table i64 1 funcref)",
    "extended constants in globals": "(global i32 (i32.add (i32.const 1) (i32.const 2)))",
    "extended constants in elements": "(table 9 funcref) (elem (offset (i32.add (i32.const 1) (i32.const 2))) func)",
    "extended constants in data": '(memory 1) (data (offset (i32.add (i32.const 1) (i32.const 2))) "")',
    "a global in a constant": "(global i32 (i32.const 1)) (global i32 (global.get 0))",
    "a constant of the wrong type": "(global i32 (i64.const 1))",
    "two exports of one name": '(func (export "f") (export "f"))',
    "memory.size without a memory": "(func (drop (memory.size)))",
    "an export that is not there": raw(TYPE, FUNCTION, (7, "01016d0001"), code(EMPTY)),
    "an undeclared reference": "(func $f (drop (ref.func $f)))",
    "a wrong type": "(func (result i32) (i64.const 1))",
    "a text that is not UTF-8": raw(TYPE, FUNCTION, (7, "01 01ff 00 00"), code(EMPTY)),
    "an unknown section": raw((14, "00")),
    "a component": b"\0asm\x0d\0\1\0",
    "another version": b"\0asm\2\0\0\0",
    "no header": b"",
    "half a header": b"\0asm\1",
    "no wasm at all": b"#!/bin/sh",
    "a section cut off": raw(TYPE)[:-1],
    "bytes behind the last item": raw((1, "01 600000 00")),
    "sections out of order": raw(FUNCTION, TYPE, code(EMPTY)),
    "functions without code": raw(TYPE, FUNCTION),
    "a number of segments without segments": raw((5, "010001"), (12, "01")),
}


@pytest.mark.parametrize("name", NOT_ALLOWED)
def test_not_allowed(name):
    assert result(NOT_ALLOWED[name], CONFIG) == PrepareError.DESERIALIZATION.variant
