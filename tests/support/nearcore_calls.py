"""The contract calls of nearcore's own tests of its virtual machine, with the gas that they expect.

Mirrors nearcore: runtime/near-vm-runner/src/tests/{runtime_errors,compile_errors,wasm_validation,regression_tests}.rs
at commit f0c7706f1. The modules are written anew; the length of each is part of what is expected, because loading
is charged by it.
"""

from typing import NamedTuple

from near_tee_cli.vm.context import VMContext
from near_tee_cli.vm.outcome import (
    CompileError,
    FunctionCallError,
    HostError,
    LinkError,
    MethodResolveError,
    PrepareFailure,
    WasmTrap,
)
from near_tee_cli.vm.prepared import PrepareError
from tests.support.wat import wat

TERA = 10**12
NOTHING_BURNT = 0

CONTEXT = VMContext(
    current_account_id="alice",
    signer_account_id="bob",
    signer_account_pk=bytes([0, 1, 2]),
    predecessor_account_id="carol",
    refund_to_account_id="david",
    input=b"",
    promise_results=(),
    block_height=10,
    block_timestamp=42,
    epoch_height=1,
    chain_id="mocknet",
    account_balance=2,
    account_locked_balance=0,
    storage_usage=12,
    account_contract=None,
    attached_deposit=2,
    prepaid_gas=100 * TERA,
    random_seed=bytes([0, 1, 2]),
    view_gas_limit=None,
    output_data_receivers=(),
)


class Call(NamedTuple):
    """One call and what it comes to under the newest rules."""

    code: bytes
    length: int | None
    """Bytes of `code`, where nearcore's numbers say it."""
    burnt: int
    error: FunctionCallError | None = None
    earlier: int | None = None
    """Burnt gas before loading was charged first, if that differs."""
    method: str = "main"
    gas: int = 100 * TERA


def large(*, functions: int = 1, locals_each: int = 0, panic_imports: int = 0) -> bytes:
    """A module of many equal parts; `main` is its function 0."""
    sections = [(1, b"\1\x60\0\0")]
    if panic_imports:
        sections.append((2, _vector([b"\3env\5panic\0\0"] * panic_imports)))
    body = b"\1" + _leb(locals_each) + b"\x7e\x0b"
    sections += [
        (3, _vector([b"\0"] * functions)),
        (7, b"\1\4main\0\0"),
        (10, _vector([_leb(len(body)) + body] * functions)),
    ]
    return b"\0asm\1\0\0\0" + b"".join(bytes([number]) + _leb(len(part)) + part for number, part in sections)


def nops(count: int) -> bytes:
    """A module whose `main` is so many `nop`."""
    body = b"\0" + b"\1" * count + b"\x0b"
    code = b"\1" + _leb(len(body)) + body
    head = bytes.fromhex("0061736d0100000001040160000003020100070801046d61696e0000")
    return head + b"\x0a" + _leb(len(code)) + code


def _vector(items: list[bytes]) -> bytes:
    return _leb(len(items)) + b"".join(items)


def _leb(number: int) -> bytes:
    result = bytearray()
    while number > 0x7F:
        result.append(number & 0x7F | 0x80)
        number >>= 7
    result.append(number)
    return bytes(result)


def _text(body: str) -> bytes:
    return wat(f"(module {body})")


_PANICKED = HostError("GuestPanic", (("panic_msg", "explicit guest panic"),))
_GAS = HostError("GasExceeded")
_LIMIT = HostError("GasLimitExceeded")
_UNLINKED = LinkError("unknown or invalid import")
_MALFORMED = PrepareFailure(PrepareError.DESERIALIZATION)
_FOREIGN = PrepareFailure(PrepareError.INSTANTIATE)
_TOO_MANY_FUNCTIONS = PrepareFailure(PrepareError.TOO_MANY_FUNCTIONS)
_TOO_MANY_LOCALS = PrepareFailure(PrepareError.TOO_MANY_LOCALS)
_NOT_FOUND = MethodResolveError.NOT_FOUND

_EMPTY = _text('(func (export "main"))')
_INITIALIZER = _text('(func $start (loop (br 0))) (func (export "main")) (start $start)')
_DIVISION = _text('(func (export "main") i32.const 1 i32.const 1 i32.div_s return)')
_PREPAID = _text('(import "env" "prepaid_gas" (func $prepaid_gas (result i64))) '
                 '(func (export "main") (drop (call $prepaid_gas)))')  # fmt: skip
_LOCALS = _text('(func $f1 (export "f1") (local i32) (call $f1)) '
                '(func $f2 (export "f2") (local i32 i32 i32 i32) (call $f2))')  # fmt: skip
_IMPORTS = """
  (import "env" "account_locked_balance" (func (param i64)))
  (import "env" "alt_bn128_g1_multiexp" (func (param i64 i64 i64)))
  (import "env" "alt_bn128_g1_sum" (func (param i64 i64 i64)))
  (import "env" "alt_bn128_pairing_check" (func (param i64 i64) (result i64)))
  (import "env" "keccak256" (func (param i64 i64 i64)))
  (import "env" "keccak512" (func (param i64 i64 i64)))
  (import "env" "bls12381_pairing_check" (func (param i64 i64) (result i64)))
  (import "env" "write_register" (func (param i64 i64 i64)))
  (import "env" "storage_has_key" (func (param i64 i64) (result i64)))
  (func (export "main")
    (call 0 (i64.const 0))
    (call 1 (i64.const 0) (i64.const 0) (i64.const 0))
    (call 2 (i64.const 0) (i64.const 0) (i64.const 0))
    (drop (call 3 (i64.const 0) (i64.const 0)))
    (call 4 (i64.const 0) (i64.const 0) (i64.const 0))
    (call 5 (i64.const 0) (i64.const 0) (i64.const 0))
    (drop (call 6 (i64.const 0) (i64.const 0)))
    (call 7 (i64.const 0) (i64.const 0) (i64.const 0))
    (drop (call 8 (i64.const 0) (i64.const 0))))
"""
_IMPORTED_MEMORY = bytes.fromhex(
    "0061736d01000000020c0103656e76000201ef01f8010406017000 8f8120 070c0108001111111111110202 00"
)


def _global_import(module: str) -> bytes:
    return _text(f'(import "{module}" "no-such-global" (global i32)) (func (export "main"))')


def _function_import(module: str) -> bytes:
    return _text(f'(import "{module}" "no-such-fn" (func $f)) (export "main" (func $f))')


def _truncation(operation: str) -> Call:
    code = _text(f'(func (export "main") f64.const 0x1p+1023 {operation} return)')
    return Call(code, 45, 92_691_798, WasmTrap.ILLEGAL_ARITHMETIC)


def _growth(kind: str, count: int, burnt: int) -> Call:
    if kind == "memory":
        code = _text(f'(memory 1 128) (func (export "main") (drop (memory.grow (i32.const {count}))))')
        return Call(code, 46, burnt, gas=10**10)
    code = _text(
        f'(table 1 128 funcref) (func (export "main") (drop (table.grow (ref.null func) (i32.const {count}))))'
    )
    return Call(code, 50, burnt, gas=10**10)


RUNTIME_ERRORS = {
    "infinite_initializer": Call(_INITIALIZER, 63, 10**10, _GAS, gas=10**10),
    "infinite_initializer_export_not_found": Call(
        _INITIALIZER, 63, 104_071_548, _NOT_FOUND, NOTHING_BURNT, method="no-such-method"
    ),
    "simple_contract": Call(_EMPTY, 34, 79_064_041),
    "imported_memory": Call(_IMPORTED_MEMORY, 44, 83_374_943, PrepareFailure(PrepareError.MEMORY), NOTHING_BURNT),
    "multiple_memories": Call(_text("(memory 1 2) (memory 3 4)"), 17, 53_963_978, _MALFORMED, NOTHING_BURNT),
    "export_not_found": Call(_EMPTY, 34, 72_481_993, _NOT_FOUND, NOTHING_BURNT, method="no-such-method"),
    "empty_method": Call(_EMPTY, 34, 0, MethodResolveError.EMPTY_NAME, method=""),
    "trap_contract": Call(_text('(func (export "main") (unreachable))'), 35, 80_976_092, WasmTrap.UNREACHABLE),
    "trap_initializer": Call(
        _text('(func $f (export "main") (unreachable)) (start $f)'), 51, 98_404_812, WasmTrap.UNREACHABLE
    ),
    "div_by_zero_contract": Call(
        _text('(func (export "main") i32.const 1 i32.const 0 i32.div_s return)'),
        40,
        88_068_079,
        WasmTrap.ILLEGAL_ARITHMETIC,
    ),
    **{
        f"float_to_int_contract {operation}": _truncation(operation)
        for operation in ("i32.trunc_f64_s", "i32.trunc_f64_u", "i64.trunc_f64_s", "i64.trunc_f64_u")
    },
    "indirect_call_to_null_contract": Call(
        _text('(type $ty (func)) (table 1 funcref) (func (export "main") i32.const 0 call_indirect (type $ty) return)'),
        60,
        109_031_223,
        WasmTrap.INDIRECT_CALL_TO_NULL,
    ),
    "indirect_call_to_wrong_signature_contract": Call(
        _text('(type $ty (func (result i32))) (func $f) (table 1 funcref) (elem (i32.const 0) $f) '
              '(func (export "main") i32.const 0 call_indirect (type $ty) return)'),
        83,
        134_085_008,
        WasmTrap.INCORRECT_CALL_INDIRECT_SIGNATURE,
    ),
    "wrong_signature_contract": Call(
        _text('(func (export "main") (param i32))'),
        35,
        73_571_288,
        MethodResolveError.INVALID_SIGNATURE,
        NOTHING_BURNT,
    ),
    "export_wrong_type": Call(
        _text('(global (export "main") i32 (i32.const 123))'), 27, 64_856_928, _NOT_FOUND, NOTHING_BURNT
    ),
    "guest_panic": Call(
        _text('(import "env" "panic" (func $panic)) (func (export "main") (call $panic))'),
        68,
        381_690_938,
        _PANICKED,
    ),
    "trampoline_only_start_section": Call(
        _text('(import "env" "panic" (func $panic)) (start $panic) (export "main" (func $panic))'),
        59,
        364_482_479,
        _PANICKED,
    ),
    "trampoline_only_remaining_gas_global": Call(
        _text('(import "env" "panic" (func $panic)) (global $g i32 (i32.const 0)) (export "main" (func $panic))'),
        70,
        376_464_724,
        _PANICKED,
    ),
    "panic_re_export": Call(
        _text('(import "env" "panic" (func $panic)) (export "main" (func $panic))'), 56, 361_214_594, _PANICKED
    ),
    "stack_overflow": Call(
        _text('(func $f (export "main") (call $f))'), 49, 30_418_898_602, HostError("MemoryAccessViolation")
    ),
    "stack_instrumentation f1": Call(_LOCALS, 67, 31_825_672_528, HostError("MemoryAccessViolation"), method="f1"),
    "stack_instrumentation f2": Call(_LOCALS, 67, 29_757_263_944, HostError("MemoryAccessViolation"), method="f2"),
    "memory_grow": Call(
        _text('(memory 17 32) (func (export "main") (loop (memory.grow (i32.const 1)) drop br 0))'),
        50,
        10**10,
        _GAS,
        gas=10**10,
    ),
    "memory_grow_1_page": _growth("memory", 1, 120_932_041),
    "memory_grow_10_pages": _growth("memory", 10, 128_336_845),
    "table_grow_1_element": _growth("table", 1, 126_111_977),
    "table_grow_10_elements": _growth("table", 10, 133_516_781),
    "bad_import_1": Call(_global_import("no-such-module"), 70, 111_696_613, _FOREIGN, NOTHING_BURNT),
    "bad_import_2": Call(_function_import("no-such-module"), 68, 109_518_023, _FOREIGN, NOTHING_BURNT),
    "bad_import_3": Call(_global_import("env"), 59, 99_714_368, _FOREIGN, NOTHING_BURNT),
    "bad_import_4": Call(_function_import("env"), 57, 97_535_778, _UNLINKED),
    "initializer_no_gas": Call(_text('(func $f (export "main") nop) (start $f)'), None, 0, _GAS, gas=0),
    "bad_many_imports": Call(
        _text("".join(f'(import "env" "wtf{n}" (func))' for n in range(100)) + '(export "main" (func 0))'),
        1_218,
        1_362_207_273,
        _UNLINKED,
    ),
    "external_call_ok": Call(_PREPAID, 85, 401_031_709),
    "external_call_error": Call(_PREPAID, 85, 100, _GAS, gas=100),
    "external_call_indirect": Call(
        _text('(import "env" "prepaid_gas" (func $prepaid_gas (result i64))) (type $prepaid_gas_t (func (result i64)))'
              '(table 1 funcref) (elem (i32.const 0) $prepaid_gas) '
              '(func (export "main") (call_indirect (type $prepaid_gas_t) (i32.const 0)) drop)'),
        121,
        441_069_085,
    ),
    "address_overflow": Call(
        _text('(memory 1) (func (export "main") i32.const 1 i64.load32_u offset=4294967295 align=1 drop)'),
        49,
        97_048_978,
        WasmTrap.MEMORY_OUT_OF_BOUNDS,
    ),
    "nan_sign": Call(
        _text('(func (export "main") (drop (i32.div_u (i32.const 0) (f32.gt (f32.copysign (f32.const 1) '
              "(f32.sqrt (f32.const -1))) (f32.const 0)))))"),
        56,
        110_433_335,
    ),
    "gas_exceed_loading": Call(_EMPTY, 34, 1, _GAS, method="non_empty_non_existing", gas=1),
    "gas_overflow_direct_call": Call(
        _text('(import "env" "gas" (func $gas (param i32))) (func (export "main") (call $gas (i32.const -1)))'),
        70,
        100 * TERA,
        _LIMIT,
    ),
    "gas_overflow_indirect_call": Call(
        _text('(import "env" "gas" (func $gas (param i32))) (type $gas_ty (func (param i32))) (table 1 funcref) '
              '(elem (i32.const 0) $gas) (func (export "main") '
              "(call_indirect (type $gas_ty) (i32.const 0xffff_ffff) (i32.const 0)))"),
        99,
        100 * TERA,
        _LIMIT,
    ),
    "loading_gas": Call(_DIVISION, 40, 88_890_835),
    "loading_gas exceed_loading": Call(_DIVISION, 40, 79_017_763, _GAS, gas=79_017_763),
    "loading_gas exceed_executing": Call(_DIVISION, 40, 79_901_800, _GAS, gas=79_901_800),
    "fail_preparing 1": Call(_text('(export "main" (func 0))'), 18, 55_053_273, _MALFORMED, NOTHING_BURNT),
    "fail_preparing 2": Call(_global_import("wtf"), 59, 99_714_368, _FOREIGN, NOTHING_BURNT),
    "fail_preparing 3": Call(_function_import("wtf"), 57, 97_535_778, _FOREIGN, NOTHING_BURNT),
    "fail_preparing 4": Call(
        large(functions=101, locals_each=9_901), 738, 839_345_673, _TOO_MANY_LOCALS, NOTHING_BURNT
    ),
    "fail_preparing 5": Call(
        large(functions=5_000, panic_imports=5_001), 90_053, 98_129_728_598, _TOO_MANY_FUNCTIONS, NOTHING_BURNT
    ),
    "regression_9393": Call(nops(2_611), None, 5_073_607_792),
}  # fmt: skip

COMPILE_ERRORS = {
    "initializer_wrong_signature_contract": Call(
        _text('(func $f (param i32)) (start 0) (func (export "main"))'), 58, 98_625_073, _MALFORMED, NOTHING_BURNT
    ),
    "function_not_defined_contract": Call(
        _text('(export "hello" (func 0))'), 19, 56_142_568, _MALFORMED, NOTHING_BURNT, method="hello"
    ),
    **{
        f"function_type_not_defined_contract {number}": Call(
            _text(f'(func $main (type {number})) (export "main" (func $main))'),
            44,
            83_374_943,
            _MALFORMED,
            NOTHING_BURNT,
        )
        for number in (0, 1)
    },
    "garbage_contract": Call(b"", 0, 35_445_963, _MALFORMED, NOTHING_BURNT),
    "evil_function_index": Call(
        _text('(func (export "main") call 4294967295)'),
        40,
        79_017_763,
        _MALFORMED,
        NOTHING_BURNT,
        method="abort_with_zero",
    ),
    "limit_functions": Call(large(functions=10_000), None, 65_437_853_336),
    "limit_functions 1": Call(
        large(functions=10_001), None, 65_437_807_058, _TOO_MANY_FUNCTIONS, NOTHING_BURNT
    ),
    "limit_functions 2": Call(
        large(functions=10_000, panic_imports=1), None, 65_447_610_713, _TOO_MANY_FUNCTIONS, NOTHING_BURNT
    ),
    "limit_locals": Call(large(locals_each=50_001), 38, 76_839_173, _MALFORMED, NOTHING_BURNT),
    "limit_locals of the compiler": Call(
        large(locals_each=50_000),
        38,
        76_839_173,
        CompileError("failed to compile: wasm[0]::function[3]"),
        NOTHING_BURNT,
    ),
    "limit_locals_global": Call(large(functions=64, locals_each=15_625), None, 13_419_362_816),
    "stabilized_host_function": Call(
        _text('(import "env" "ripemd160" (func $ripemd160 (param i64 i64 i64))) '
              '(func (export "main") (call $ripemd160 (i64.const 0) (i64.const 0) (i64.const 0)))'),
        88,
        7_226_376_631,
    ),
    "sandbox_only_function": Call(
        _text('(import "env" "sandbox_debug_log" (func $sandbox_debug_log (param i64 i64))) '
              '(func (export "main") (call $sandbox_debug_log (i64.const 0) (i64.const 1)))'),
        101,
        145_464_758,
        _UNLINKED,
    ),
    "extension_signext": Call(
        _text('(func $extend8_s (param $x i32) (result i32) (i32.extend8_s (local.get $x))) (func (export "main"))'),
        75,
        123_725_136,
    ),
}  # fmt: skip

WASM_VALIDATION = {
    "saturating_float_to_int": Call(
        _text("(func $test_trunc (param $x f64) (result i32) (i32.trunc_sat_f64_s (local.get $x)))"),
        60,
        100_803_663,
        _NOT_FOUND,
        NOTHING_BURNT,
    ),
    "memory_export_method": Call(_text('(func (export "memory"))'), 36, 81_242_631, method="memory"),
    "memory_export_clash": Call(_text('(func (export "memory")) (func (export "main"))'), 47, 93_224_876),
    "gas_export_clash": Call(
        _text('(global (export "remaining_gas") (mut i64) i64.const 0) (func (export "main"))'), 58, 105_207_121
    ),
    "start_export_clash": Call(_text('(func (export "start")) (func (export "main"))'), 46, 92_135_581),
    "start_export_clash_duplicate": Call(
        _text('(func (export "start") call 1) (func (export "main")) (start 1)'), 51, 104_164_104
    ),
    "memory_export_internal": Call(_text('(memory (export "memory") 0 0) (func (export "main"))'), 49, 95_403_466),
    "memory_custom": Call(_text('(memory (export "foo") 42 42) (func (export "main"))'), 46, 92_135_581),
    "too_many_table_elements": Call(
        _text('(func (export "main")) (table 1000001 funcref)'),
        42,
        81_196_353,
        PrepareFailure(PrepareError.TOO_MANY_TABLE_ELEMENTS),
        NOTHING_BURNT,
    ),
    "too_many_tables": Call(
        _text('(func (export "main")) ' + "(table 0 funcref)" * 6),
        55,
        95_357_188,
        PrepareFailure(PrepareError.TOO_MANY_TABLES),
        NOTHING_BURNT,
    ),
    "use_imports": Call(_text(_IMPORTS), None, 12_637_863_260_998),
}

REGRESSIONS = {
    "memory_size_alignment_issue": Call(
        _text('(memory 1 1024) (func (export "foo") memory.size drop)'), 43, 90_513_208, method="foo"
    ),
    "finite_wasm_gas_was_being_traced": Call(
        _text('(func (export "foo") loop (result i64) loop br 0 end i64.const 0 end drop)'),
        None,
        100 * TERA,
        _GAS,
        method="foo",
    ),
    "parallel_runtime_invocations": Call(
        _text('(func (export "foo") loop br 0 end)'), None, 100 * TERA, _GAS, method="foo"
    ),
}


def _body(instructions: str) -> bytes:
    """A module with one page of memory whose `main` is given in hexadecimal."""
    body = b"\0" + bytes.fromhex(instructions) + b"\x0b"
    code = b"\1" + _leb(len(body)) + body
    head = "0061736d0100000001040160000003020100050301000107080104 6d61696e 00000a"
    return bytes.fromhex(head) + _leb(len(code)) + code


EXTRA = {
    "memory index in the flags of a load": Call(_body("4100 28420000 1a"), 46, 85_553_533, _MALFORMED, NOTHING_BURNT),
    "overlong memory index": Call(_body("3f8000 1a"), 43, 82_285_648, _MALFORMED, NOTHING_BURNT),
    "memory offset of ten bytes": Call(
        _body("4100 2802 80808080808080808000 1a"), 54, 94_267_893, _MALFORMED, NOTHING_BURNT
    ),
    "call_indirect beyond the table": Call(
        _text('(type $t (func)) (table 1 funcref) (func (export "main") i32.const 5 call_indirect (type $t))'),
        58,
        106_852_633,
        WasmTrap.MEMORY_OUT_OF_BOUNDS,
    ),
    "table.get beyond the table": Call(
        _text('(table 1 funcref) (func (export "main") i32.const 5 table.get 0 drop)'),
        45,
        92_691_798,
        WasmTrap.MEMORY_OUT_OF_BOUNDS,
    ),
    "element segment beyond the table": Call(
        _text('(table 1 funcref) (func $f (export "main")) (elem (i32.const 1) $f)'),
        62,
        102_982_253,
        WasmTrap.MEMORY_OUT_OF_BOUNDS,
    ),
    "data segment beyond the memory": Call(
        _text('(memory 1) (data (i32.const 67108864) "x") (func (export "main"))'),
        51,
        91_000_008,
        WasmTrap.MEMORY_OUT_OF_BOUNDS,
    ),
    "data segment beyond the declared memory": Call(
        _text('(memory 1) (data (i32.const 70000) "x") (func (export "main"))'), 50, 96_492_761
    ),
}
"""Numbers of the same kind that are not nearcore's own, but were measured with another implementation."""

CALLS = {**RUNTIME_ERRORS, **COMPILE_ERRORS, **WASM_VALIDATION, **REGRESSIONS, **EXTRA}


def _unknown(name: str, params: str = "") -> LinkError:
    function = f"Function(FunctionType {{ params: [{params}], results: [] }})"
    return LinkError(f'Error while importing "env"."{name}": unknown import. Expected {function}')


NEAR_VM = {
    "stack_overflow": (30_418_898_602, WasmTrap.STACK_OVERFLOW),
    "stack_instrumentation f1": (31_825_672_528, WasmTrap.STACK_OVERFLOW),
    "stack_instrumentation f2": (29_757_263_944, WasmTrap.STACK_OVERFLOW),
    "memory_grow_1_page": (85_553_533 + 11 * 822_756, None),
    "memory_grow_10_pages": (85_553_533 + 11 * 822_756, None),
    "table_grow_1_element": (NOTHING_BURNT, _MALFORMED),
    "table_grow_10_elements": (NOTHING_BURNT, _MALFORMED),
    "bad_import_4": (97_535_778, _unknown("no-such-fn")),
    "bad_many_imports": (1_362_207_273, _unknown("wtf0")),
    "limit_locals of the compiler": (76_839_173, WasmTrap.STACK_OVERFLOW),
    "sandbox_only_function": (145_464_758, _unknown("sandbox_debug_log", "I64, I64")),
    "too_many_tables": (NOTHING_BURNT, _MALFORMED),
    "memory index in the flags of a load": (85_553_533 + 11 * 822_756, None),
    "table.get beyond the table": (NOTHING_BURNT, _MALFORMED),
}
"""Burnt gas and error under the older kind of VM, where they are other ones."""
