"""Small WASI programs in text form, each of which does one thing."""

from tests.support.wat import wat

WASI = "wasi_snapshot_preview1"

TYPES = {
    "environ_get": "i32 i32", "environ_sizes_get": "i32 i32", "args_get": "i32 i32", "args_sizes_get": "i32 i32",
    "clock_time_get": "i32 i64 i32", "clock_res_get": "i32 i32", "fd_write": "i32 i32 i32 i32",
    "fd_read": "i32 i32 i32 i32", "fd_close": "i32", "fd_fdstat_get": "i32 i32", "fd_seek": "i32 i64 i32 i32",
    "fd_prestat_get": "i32 i32", "fd_filestat_get": "i32 i32", "path_open": "i32 i32 i32 i32 i32 i64 i64 i32 i32",
    "poll_oneoff": "i32 i32 i32 i32", "random_get": "i32 i32", "sched_yield": "", "proc_exit": "i32",
    "sock_send": "i32 i32 i32 i32 i32", "fd_sync": "i32", "fd_tell": "i32 i32", "proc_raise": "i32",
}  # fmt: skip


def program(body, *names, pages=1, more=""):
    """A program whose `_start` is `body`; it may call the named functions.

    `$put` writes `length` bytes from `at` to standard output; addresses up to 64 belong to it. `$say` writes one
    number in 4 bytes.
    """
    wanted = dict.fromkeys((*names, "fd_write"))
    imports = "\n".join(
        f'(import "{WASI}" "{name}" (func ${name} (param {TYPES[name]})'
        f"{'' if name == 'proc_exit' else ' (result i32)'}))"
        for name in wanted
    )
    return wat(f"""(module {imports}
      (memory (export "memory") {pages})
      (func $put (param $at i32) (param $length i32)
        (i32.store (i32.const 0) (local.get $at))
        (i32.store (i32.const 4) (local.get $length))
        (if (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)) (then (unreachable))))
      (func $say (param $number i32)
        (i32.store (i32.const 16) (local.get $number))
        (call $put (i32.const 16) (i32.const 4)))
      {more}
      (func (export "_start") {body}))""")


ECHO = program(
    """(local $read i32)
    (loop $again
      (i32.store (i32.const 0) (i32.const 1024))
      (i32.store (i32.const 4) (i32.const 100))
      (if (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)) (then (unreachable)))
      (local.set $read (i32.load (i32.const 8)))
      (if (local.get $read)
        (then (call $put (i32.const 1024) (local.get $read)) (br $again))))""",
    "fd_read",
)
"""Writes what it reads, a hundred bytes at a time."""

ENVIRONMENT = program(
    """
    (if (call $environ_sizes_get (i32.const 32) (i32.const 36)) (then (unreachable)))
    (if (call $environ_get (i32.const 64) (i32.const 1024)) (then (unreachable)))
    (call $put (i32.const 32) (i32.const 8))
    (call $put (i32.const 1024) (i32.load (i32.const 36)))""",
    "environ_sizes_get", "environ_get",
)  # fmt: skip
"""Writes how many variables it has, how many bytes, and all of them."""

CLOCK_AND_RANDOM = program(
    """
    (if (call $clock_time_get (i32.const 0) (i64.const 1) (i32.const 32)) (then (unreachable)))
    (if (call $clock_time_get (i32.const 1) (i64.const 1) (i32.const 40)) (then (unreachable)))
    (if (call $random_get (i32.const 48) (i32.const 16)) (then (unreachable)))
    (call $put (i32.const 32) (i32.const 32))""",
    "clock_time_get", "random_get",
)  # fmt: skip

SPIN = program("(loop $again (br $again))")

FAIL = program(
    """
    (i64.store (i32.const 1024) (i64.const 0x21656e6f67))
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (i32.const 5))
    (drop (call $fd_write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))
    (call $proc_exit (i32.const 7))
    (unreachable)""",
    "proc_exit",
)
"""Writes `gone!` to standard error and exits with 7."""

GROW = program(
    """
    (call $say (memory.grow (i32.const 15)))
    (call $say (memory.grow (i32.const 1)))
    (call $say (memory.size))"""
)
"""Grows to sixteen pages, then tries for one more."""

ENDLESS_OUTPUT = program("(loop $again (call $put (i32.const 0) (i32.const 65536)) (br $again))")

WORDS = wat(f"""(module
  (import "{WASI}" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "{WASI}" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "{{\\"bytes\\":")
  (func (export "_start") (local $n i32) (local $at i32)
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (i32.const 4096))
    (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (local.set $n (i32.load (i32.const 8)))
    (local.set $at (i32.const 63))
    (i32.store8 (local.get $at) (i32.const 125))
    (loop $digits
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at) (i32.add (i32.const 48) (i32.rem_u (local.get $n) (i32.const 10))))
      (local.set $n (i32.div_u (local.get $n) (i32.const 10)))
      (br_if $digits (local.get $n)))
    (i32.store (i32.const 0) (i32.const 16))
    (i32.store (i32.const 4) (i32.const 9))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (i32.sub (i32.const 64) (local.get $at)))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))""")
"""Writes JSON that says how many bytes it read (up to 4096)."""
