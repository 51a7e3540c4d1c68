"""Contracts that attack whoever executes them: the compiler, the memory, the stack, the host, the clock.

Each is `name -> wasm`. Those that a chain would accept cost gas; the others are refused before anything is compiled.
"""

from tests.support.wat import wat

IMPORTS = """
  (import "env" "log_utf8" (func $log (param i64 i64)))
  (import "env" "write_register" (func $write_register (param i64 i64 i64)))
  (import "env" "sha256" (func $sha256 (param i64 i64 i64)))
  (import "env" "storage_write" (func $storage_write (param i64 i64 i64 i64 i64) (result i64)))
  (import "env" "promise_create" (func $promise (param i64 i64 i64 i64 i64 i64 i64 i64) (result i64)))
  (import "env" "promise_batch_create" (func $batch (param i64 i64) (result i64)))
  (import "env" "value_return" (func $return (param i64 i64)))
  (import "env" "read_register" (func $read_register (param i64 i64)))
"""


def _calling(body: str) -> bytes:
    """A module whose method `m` repeats `body` for ever; `$n` counts."""
    return wat(
        f'(module {IMPORTS} (memory 16) (data (i32.const 0) "a.near") (func (export "m") (local $n i64)'
        f" (loop (local.set $n (i64.add (local.get $n) (i64.const 1))) {body} (br 0))))"
    )


def _uleb(number: int) -> bytes:
    out = bytearray()
    while True:
        byte, number = number & 0x7F, number >> 7
        out.append(byte | (0x80 if number else 0))
        if not number:
            return bytes(out)


def _section(number: int, content: bytes) -> bytes:
    return bytes([number]) + _uleb(len(content)) + content


def _module(*, bodies: list[bytes], more: bytes = b"", before_code: bytes = b"") -> bytes:
    """A module of functions without parameters; the first is the method `m`."""
    count = _uleb(len(bodies))
    export = b"\x01\x01m\x00\x00"
    code = count + b"".join(_uleb(len(body)) + body for body in bodies)
    return (
        b"\0asm\1\0\0\0"
        + _section(1, b"\x01\x60\0\0")
        + _section(3, count + b"\0" * len(bodies))
        + before_code
        + _section(7, export)
        + _section(10, code)
        + more
    )


def _loops(count: int, local_count: int) -> bytes:
    """One after another, each writing locals: a compiler that joins values at every loop pays for the product."""
    body = _uleb(1) + _uleb(local_count) + b"\x7e"
    body += b"".join(
        b"\x03\x40\x20\x00\x42\x01\x7c\x21" + _uleb(number % local_count) + b"\x0b" for number in range(count)
    )
    return body + b"\x0b"


def _nested(count: int) -> bytes:
    return b"\0" + b"\x03\x40" * count + b"\x0b" * count + b"\x0b"


def _straight(count: int) -> bytes:
    return b"\x01\x01\x7e" + b"\x20\x00\x42\x03\x7e\x21\x00" * count + b"\x0b"


def zoo() -> dict[str, bytes]:
    """All of them."""
    empty = b"\x02\0\x0b"[1:]
    return {
        "loop": wat('(module (func (export "m") (loop br 0)))'),
        "loop-in-start": wat('(module (func $f (loop br 0)) (start $f) (func (export "m")))'),
        "recursion": wat('(module (func $f (export "m") (call $f)))'),
        "recursion-with-locals": _module(bodies=[_uleb(1) + _uleb(2000) + b"\x7e\x10\x00\x0b"]),
        "recursion-by-table": wat(
            "(module (type $t (func)) (table 1 funcref) (elem (i32.const 0) $f)"
            ' (func $f (export "m") (call_indirect (type $t) (i32.const 0))))'
        ),
        "memory-at-once": wat('(module (memory 65536) (func (export "m")))'),
        "memory-in-steps": wat(
            '(module (memory 1) (func (export "m") (loop (drop (memory.grow (i32.const 64))) br 0)))'
        ),
        "memory-touched": wat(
            '(module (memory 2048) (func (export "m") (local $a i32) (loop (i32.store8 (local.get $a) (i32.const 1))'
            " (local.set $a (i32.add (local.get $a) (i32.const 4096))) (br 0))))"
        ),
        "table": wat('(module (table 10000000 funcref) (func (export "m")))'),
        "logs": _calling("(call $log (i64.const 16000) (i64.const 0))"),
        "logs-without-length": _calling("(call $log (i64.const 0) (i64.const 0))"),
        "registers": _calling("(call $write_register (local.get $n) (i64.const 1000000) (i64.const 0))"),
        "register-beyond": _calling("(call $write_register (i64.const -1) (i64.const -1) (i64.const -1))"),
        "read-nowhere": _calling("(call $read_register (local.get $n) (i64.const -8))"),
        "hashes": _calling("(call $sha256 (i64.const 1000000) (i64.const 0) (i64.const 0))"),
        "writes": _calling(
            "(i64.store (i32.const 8) (local.get $n)) (drop (call $storage_write (i64.const 8) (i64.const 8)"
            " (i64.const 4000) (i64.const 0) (i64.const 0)))"
        ),
        "promises": _calling(
            "(drop (call $promise (i64.const 6) (i64.const 0) (i64.const 1) (i64.const 0) (i64.const 0) (i64.const 0)"
            " (i64.const 0) (i64.const 0)))"
        ),
        "batches": _calling("(drop (call $batch (i64.const 6) (i64.const 0)))"),
        "returns": _calling("(call $return (i64.const 1000000) (i64.const 0))"),
        "many-loops": _module(bodies=[_loops(2000, 1000)]),
        "many-loops-many-times": _module(bodies=[_loops(500, 1000)] * 10),
        "nested-loops": _module(bodies=[_nested(1000)]),
        "many-functions": _module(bodies=[empty] * 9000),
        "more-functions-than-allowed": _module(bodies=[empty] * 200_000),
        "straight-line": _module(bodies=[_straight(100_000)]),
        "long-names": _module(bodies=[empty], more=_section(0, b"\x04name" + b"x" * 3_000_000)),
        "no-module": b"\0asm\1\0\0\0" + b"\xff" * 1000,
        "cut": wat('(module (func (export "m") (loop br 0)))')[:-3],
        "nothing": b"",
    }
