;; A counter under the storage key "count", eight little-endian bytes.
;;   increment   adds one and returns the new number (as those bytes)
;;   get         returns it (zero when there is none)
;;   reset       removes the key
(module
  (import "env" "storage_read" (func $storage_read (param i64 i64 i64) (result i64)))
  (import "env" "storage_write" (func $storage_write (param i64 i64 i64 i64 i64) (result i64)))
  (import "env" "storage_remove" (func $storage_remove (param i64 i64 i64) (result i64)))
  (import "env" "read_register" (func $read_register (param i64 i64)))
  (import "env" "value_return" (func $value_return (param i64 i64)))
  (import "env" "log_utf8" (func $log_utf8 (param i64 i64)))
  (memory 1)
  (data (i32.const 0) "count")
  (data (i32.const 16) "incremented")

  ;; The number, left at address 64 too.
  (func $load (result i64)
    (i64.store (i32.const 64) (i64.const 0))
    (if (i64.eq (call $storage_read (i64.const 5) (i64.const 0) (i64.const 0)) (i64.const 1))
      (then (call $read_register (i64.const 0) (i64.const 64))))
    (i64.load (i32.const 64)))

  (func (export "increment")
    (i64.store (i32.const 64) (i64.add (call $load) (i64.const 1)))
    (drop (call $storage_write (i64.const 5) (i64.const 0) (i64.const 8) (i64.const 64) (i64.const 0)))
    (call $log_utf8 (i64.const 11) (i64.const 16))
    (call $value_return (i64.const 8) (i64.const 64)))

  (func (export "get")
    (drop (call $load))
    (call $value_return (i64.const 8) (i64.const 64)))

  (func (export "reset")
    (drop (call $storage_remove (i64.const 5) (i64.const 0) (i64.const 0)))))
