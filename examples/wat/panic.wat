;; Ways to fail.
;;   panic        panics with a message
;;   trap         executes `unreachable`
;;   divide       divides by zero
;;   write_then_panic   a change that must not survive the failure
(module
  (import "env" "panic_utf8" (func $panic_utf8 (param i64 i64)))
  (import "env" "storage_write" (func $storage_write (param i64 i64 i64 i64 i64) (result i64)))
  (memory 1)
  (data (i32.const 0) "something went wrong")
  (func (export "panic")
    (call $panic_utf8 (i64.const 20) (i64.const 0)))
  (func (export "trap")
    unreachable)
  (func (export "divide")
    (drop (i32.div_u (i32.const 1) (i32.const 0))))
  (func (export "write_then_panic")
    (drop (call $storage_write (i64.const 9) (i64.const 0) (i64.const 5) (i64.const 15) (i64.const 0)))
    (call $panic_utf8 (i64.const 20) (i64.const 0))))
