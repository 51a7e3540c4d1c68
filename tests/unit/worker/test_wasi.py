"""Programs under wasmtime: counted, bounded, the same every time, and refused where they ask for more."""

import hashlib
import struct
import tempfile
from importlib.metadata import version

import pytest
import wasmtime

from near_tee_cli.errors import BadInputError, HostError, UnsupportedError
from near_tee_cli.worker.wasi import execute, metering
from near_tee_cli.worker.wasi_run import Limits, Recorded, Run
from tests.support.wasi_programs import (
    CLOCK_AND_RANDOM,
    ECHO,
    ENDLESS_OUTPUT,
    ENVIRONMENT,
    FAIL,
    GROW,
    SPIN,
    WASI,
    WORDS,
    program,
)
from tests.support.wat import wat

METERING = metering()
LIMITS = Limits(1_000_000, 1, 5)
RECORDED = Recorded(1_700_000_000_000_000_000, bytes(range(32)))


def run(wasm, stdin=b"", environment=(), limits=LIMITS, recorded=RECORDED):
    return execute(wasm, stdin=stdin, environment=environment, limits=limits, recorded=recorded)


def test_a_program_echoes() -> None:
    text = bytes(range(256)) * 3
    found = run(ECHO, text)
    assert (found.exit, found.trap, found.stdout, found.stderr, found.memory_pages) == (0, None, text, b"", 1)
    assert found.metering == METERING == f"wasmtime-{version('wasmtime').split('.')[0]}-fuel"
    assert found == run(ECHO, text)
    assert run(ECHO, text[:-1]).instructions == found.instructions
    assert run(ECHO, text[:100]).instructions < found.instructions


def test_variables() -> None:
    found = run(ENVIRONMENT, environment=(("B", "1=2"), ("Ä", "")))
    assert found.stdout == struct.pack("<II", 2, 10) + "B=1=2\0Ä=\0".encode()
    assert run(ENVIRONMENT).stdout == bytes(8)


def test_clock_and_random_bytes_are_recorded() -> None:
    found = run(CLOCK_AND_RANDOM)
    drawn = hashlib.shake_256(b"near-tee/wasi-random/v1\0" + RECORDED.seed + bytes(16)).digest(16)
    assert found.stdout == struct.pack("<QQ", RECORDED.clock_ns + 1000, 2000) + drawn
    other = run(CLOCK_AND_RANDOM, recorded=RECORDED._replace(seed=bytes(32)))
    assert other.stdout[:16] == found.stdout[:16]
    assert other.stdout[16:] != found.stdout[16:]


def test_out_of_instructions() -> None:
    found = run(SPIN, limits=LIMITS._replace(instructions=12345))
    assert found == Run(None, "out-of-instructions", b"", b"", 12345, 1, METERING)
    needed = run(ECHO, bytes(1000)).instructions
    assert run(ECHO, bytes(1000), limits=LIMITS._replace(instructions=needed)).instructions == needed
    cut = run(ECHO, bytes(1000), limits=LIMITS._replace(instructions=needed // 2))
    assert (cut.trap, cut.instructions, len(cut.stdout)) == ("out-of-instructions", needed // 2, 500)


def test_what_stands_between_two_checks_may_be_executed_beyond_the_limit() -> None:
    """As wasmtime has it; the limit is then what is said to have been executed."""
    needed = run(WORDS, b"abc").instructions
    found = run(WORDS, b"abc", limits=LIMITS._replace(instructions=needed - 1))
    assert (found.exit, found.instructions) == (0, needed - 1)


def test_an_exit_code() -> None:
    found = run(FAIL)
    assert (found.exit, found.trap, found.stdout, found.stderr) == (7, None, b"", b"gone!")


def test_memory_is_bounded() -> None:
    found = run(GROW)
    assert (struct.unpack("<iii", found.stdout), found.memory_pages) == ((1, -1, 16), 16)
    assert struct.unpack("<iii", run(GROW, limits=LIMITS._replace(memory_mb=2)).stdout) == (1, 16, 17)
    assert run(program("", pages=16)).exit == 0
    assert run(program("", pages=32), limits=LIMITS._replace(memory_mb=2)).exit == 0
    assert run(program("", pages=33), limits=LIMITS._replace(memory_mb=2)).trap == "memory-limit"
    assert run(program("", pages=17)) == Run(None, "memory-limit", b"", b"", 0, 0, METERING)


def test_output_is_bounded() -> None:
    found = run(ENDLESS_OUTPUT)
    assert (found.trap, len(found.stdout)) == ("output-too-large", 1 << 20)


@pytest.mark.parametrize(
    ("body", "trap"),
    [
        ("(unreachable)", "unreachable"),
        ("(drop (i32.load (i32.const 65536)))", "memory-out-of-bounds"),
        ("(drop (i32.div_u (i32.const 1) (i32.const 0)))", "integer-division-by-zero"),
        ("(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))", "integer-overflow"),
        ("(drop (i32.trunc_f32_s (f32.const nan)))", "bad-conversion-to-integer"),
        ("(call $put (i32.const 65536) (i32.const 1))", "bad-pointer"),
        ("(call $put (i32.const 1) (i32.const 65536))", "bad-pointer"),
        ("(drop (call $fd_write (i32.const 1) (i32.const 2) (i32.const 1) (i32.const 8)))", "bad-pointer"),
    ],
)
def test_traps(body, trap) -> None:
    found = run(program(body))
    assert (found.exit, found.trap, found.stdout) == (None, trap, b"")


def test_nan_is_canonical() -> None:
    body = "(f32.store (i32.const 1024) (f32.add (f32.const nan:0x200001) (f32.const 1))) (call $put {} {})"
    found = run(program(body.format("(i32.const 1024)", "(i32.const 4)")))
    assert found.stdout == bytes.fromhex("0000c07f")


def test_deep_recursion_is_no_outcome() -> None:
    more = "(func $deep (param i32) (result i32) (i32.add (i32.const 1) (call $deep (local.get 0))))"
    with pytest.raises(HostError) as refusal:
        run(program("(drop (call $deep (i32.const 0)))", more=more), limits=LIMITS._replace(instructions=10**9))
    assert refusal.value.code == "host-stack"


START = '(func (export "_start"))'
MEMORY = '(memory (export "memory") 1)'


@pytest.mark.parametrize(
    ("wasm", "error", "code"),
    [
        (b"", BadInputError, "bad-program"),
        (b"\0asm\1\0\0\0\xff", BadInputError, "bad-program"),
        (b"\0asm\x0d\0\1\0", UnsupportedError, "unsupported-wasip2"),
        (wat(f"(module {MEMORY})"), BadInputError, "bad-program"),
        (wat(f'(module {MEMORY} (func (export "_start") (param i32)))'), BadInputError, "bad-program"),
        (wat(f'(module {MEMORY} (global (export "_start") i32 (i32.const 1)))'), BadInputError, "bad-program"),
        (program("", "sock_send"), UnsupportedError, "unsupported-network"),
        (wat(f'(module (import "env" "x" (func)) {MEMORY} {START})'), UnsupportedError, "unsupported-wasi-import"),
        (wat(f'(module (import "wasi_unstable" "sched_yield" (func (result i32))) {MEMORY} {START})'),
         UnsupportedError, "unsupported-wasi-import"),
        (wat(f'(module (import "{WASI}" "sched_yield" (func)) {MEMORY} {START})'),
         UnsupportedError, "unsupported-wasi-import"),
        (wat(f'(module (import "{WASI}" "sched_yield" (func (result i32))) {START})'),
         UnsupportedError, "unsupported-wasi-memory"),
        (wat(f"(module (memory 1 1 shared) {START})"), BadInputError, "bad-program"),
        (wat(f"(module (memory i64 1) {START})"), BadInputError, "bad-program"),
        (wat(f"(module (memory 1 (pagesize 1)) {START})"), BadInputError, "bad-program"),
        (wat(f"(module (table 2000000 funcref) {START})"), BadInputError, "bad-program"),
    ],
)  # fmt: skip
def test_what_is_no_program(wasm, error, code) -> None:
    with pytest.raises(error) as refusal:
        run(wasm)
    assert refusal.value.code == code
    assert type(refusal.value) is error


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"environment": (("A=", ""),)}, "bad-environment"),
        ({"environment": (("", ""),)}, "bad-environment"),
        ({"environment": (("A", "\0"),)}, "bad-environment"),
        ({"environment": (("A", ""), ("A", ""))}, "bad-environment"),
        ({"environment": (("A", "x" * (1 << 20)),)}, "too-large"),
        ({"stdin": bytes((16 << 20) + 1)}, "too-large"),
        ({"wasm": bytes((10 << 20) + 1)}, "too-large"),
        ({"limits": Limits(0, 1, 5)}, "bad-limits"),
        ({"limits": Limits(1, 4097, 5)}, "bad-limits"),
        ({"limits": Limits(1, 1, 0)}, "bad-limits"),
        ({"recorded": Recorded(0, b"")}, "bad-limits"),
        ({"recorded": Recorded(-1, bytes(32))}, "bad-limits"),
    ],
)
def test_what_cannot_be_handed_over(changes, code) -> None:
    with pytest.raises(BadInputError) as refusal:
        run(**{"wasm": ECHO, **changes})
    assert refusal.value.code == code


V = "(v128.const i32x4 1 2 3 4)"


@pytest.mark.parametrize(
    "body",
    [
        "(memory.fill (i32.const 0) (i32.const 1) (i32.const 8))",
        "(call $two) (drop) (drop)",
        f"(drop (i32x4.add {V} {V}))",
        "(drop (ref.null func))",
        "(drop (i32.extend8_s (i32.const 255)))",
        "(drop (i32.trunc_sat_f32_s (f32.const nan)))",
    ],
)
def test_instructions_that_there_are(body) -> None:
    more = "(func $two (result i32 i32) (i32.const 1) (i32.const 2))" if "$two" in body else ""
    assert run(program(body, more=more)).exit == 0


@pytest.mark.parametrize(
    ("body", "more"),
    [
        (f"(drop (f32x4.relaxed_madd {V} {V} {V}))", ""),
        ("(drop (i32.atomic.load (i32.const 0)))", ""),
        ("(return_call $done)", "(func $done)"),
        ("(drop (struct.new $s))", "(type $s (struct))"),
        ("(call_ref $t (ref.func $done))", "(type $t (func)) (func $done (type $t)) (elem declare func $done)"),
        ("(throw $t)", "(tag $t)"),
        ("(i64.add128 (i64.const 1) (i64.const 1) (i64.const 1) (i64.const 1)) (drop) (drop)", ""),
        ("", "(memory 1)"),
        ("(drop (ref.null $c))", "(type $t (func)) (type $c (cont $t))"),
    ],
)
def test_instructions_that_there_are_not(body, more) -> None:
    with pytest.raises(BadInputError) as refusal:
        run(program(body, more=more))
    assert refusal.value.code == "bad-program"
    assert "is no valid module" in refusal.value.message


def test_text_is_no_program() -> None:
    with pytest.raises(BadInputError) as refusal:
        run(b'(module (func (export "_start")))')
    assert (refusal.value.code, refusal.value.message) == ("bad-program", "the program is no WebAssembly module")


def test_without_memory_and_imports() -> None:
    assert run(wat(f"(module {START})")) == Run(0, None, b"", b"", 1, 0, METERING)


def test_a_start_section_counts_too() -> None:
    wasm = wat(f"(module {MEMORY} (func $a (drop (memory.grow (i32.const 1)))) (start $a) {START})")
    found = run(wasm)
    assert (found.exit, found.memory_pages) == (0, 2)
    assert found.instructions > 1
    endless = run(wat(f"(module {MEMORY} (func $a (loop (br 0))) (start $a) {START})"))
    assert (endless.trap, endless.memory_pages) == ("out-of-instructions", 0)


@pytest.mark.parametrize(
    ("wasm", "stdin"),
    [(ECHO, b"x" * 1234), (ENVIRONMENT, b""), (WORDS, b"one two"), (FAIL, b""), (GROW, b""), (program("(nop)"), b"")],
)
def test_the_same_as_wasmtimes_own_implementation(wasm, stdin) -> None:
    """What is written, how it ends, and how many instructions it takes."""
    config = wasmtime.Config()
    config.consume_fuel = True
    engine = wasmtime.Engine(config)
    store = wasmtime.Store(engine)
    store.set_fuel(LIMITS.instructions)
    store.set_limits(LIMITS.memory_mb << 20)
    wasi = wasmtime.WasiConfig()
    wasi.env = [("A", "1"), ("B", "")]
    with (
        tempfile.NamedTemporaryFile() as given,
        tempfile.NamedTemporaryFile() as out,
        tempfile.NamedTemporaryFile() as err,
    ):
        given.write(stdin)
        given.flush()
        wasi.stdin_file, wasi.stdout_file, wasi.stderr_file = given.name, out.name, err.name
        store.set_wasi(wasi)
        linker = wasmtime.Linker(engine)
        linker.define_wasi()
        start = linker.instantiate(store, wasmtime.Module(engine, wasm)).exports(store)["_start"]
        code = 0
        try:
            start(store)
        except wasmtime.ExitTrap as ended:
            code = ended.code
        theirs = (code, out.read(), err.read(), LIMITS.instructions - store.get_fuel())
    ours = run(wasm, stdin, (("A", "1"), ("B", "")))
    assert (ours.exit, ours.stdout, ours.stderr, ours.instructions) == theirs
