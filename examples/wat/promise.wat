;; A call to another account with a callback.
;;   ask          calls `increment` on counter.near, then `answered` here; the result of that is the result
;;   answered     returns what the call gave, or "failed"
;;   give         sends one yoctoNEAR to user.near
(module
  (import "env" "promise_create" (func $promise_create (param i64 i64 i64 i64 i64 i64 i64 i64) (result i64)))
  (import "env" "promise_then" (func $promise_then (param i64 i64 i64 i64 i64 i64 i64 i64 i64) (result i64)))
  (import "env" "promise_return" (func $promise_return (param i64)))
  (import "env" "promise_result" (func $promise_result (param i64 i64) (result i64)))
  (import "env" "promise_batch_create" (func $promise_batch_create (param i64 i64) (result i64)))
  (import "env" "promise_batch_action_transfer" (func $transfer (param i64 i64)))
  (import "env" "current_account_id" (func $current_account_id (param i64)))
  (import "env" "register_len" (func $register_len (param i64) (result i64)))
  (import "env" "read_register" (func $read_register (param i64 i64)))
  (import "env" "value_return" (func $value_return (param i64 i64)))
  (memory 1)
  (data (i32.const 0) "counter.near")
  (data (i32.const 16) "increment")
  (data (i32.const 32) "answered")
  (data (i32.const 48) "failed")
  (data (i32.const 64) "user.near")

  (func (export "ask") (local $asked i64)
    (local.set $asked
      (call $promise_create
        (i64.const 12) (i64.const 0) (i64.const 9) (i64.const 16) (i64.const 0) (i64.const 0)
        (i64.const 128) (i64.const 10000000000000)))
    (call $current_account_id (i64.const 0))
    (call $read_register (i64.const 0) (i64.const 256))
    (call $promise_return
      (call $promise_then
        (local.get $asked)
        (call $register_len (i64.const 0)) (i64.const 256) (i64.const 8) (i64.const 32) (i64.const 0) (i64.const 0)
        (i64.const 128) (i64.const 10000000000000))))

  (func (export "answered")
    (if (i64.eq (call $promise_result (i64.const 0) (i64.const 0)) (i64.const 1))
      (then
        (call $read_register (i64.const 0) (i64.const 1024))
        (call $value_return (call $register_len (i64.const 0)) (i64.const 1024)))
      (else (call $value_return (i64.const 6) (i64.const 48)))))

  (func (export "give")
    (i64.store (i32.const 512) (i64.const 1))
    (i64.store (i32.const 520) (i64.const 0))
    (call $transfer (call $promise_batch_create (i64.const 9) (i64.const 64)) (i64.const 512))))
