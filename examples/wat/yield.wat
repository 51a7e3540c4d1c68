;; Yields: calls that wait for data from outside.
;;   ask          waits for an answer; the input goes to the callback as its arguments
;;   ask_twice    waits for two answers; the second one is the result
;;   ask_named    waits under an id of its own: 32 times the letter n
;;   ask_both     waits and answers itself in the same call, with the input
;;   answer       answers what waits (the last one that asked) with the input; returns 1 if it waited, else 0
;;   answer_named answers what waits under the id of `ask_named`
;;   answered     the callback: returns the answer, or "timeout"; fails when the answer begins with "!"
(module
  (import "env" "input" (func $input (param i64)))
  (import "env" "register_len" (func $register_len (param i64) (result i64)))
  (import "env" "read_register" (func $read_register (param i64 i64)))
  (import "env" "storage_write" (func $storage_write (param i64 i64 i64 i64 i64) (result i64)))
  (import "env" "storage_read" (func $storage_read (param i64 i64 i64) (result i64)))
  (import "env" "value_return" (func $value_return (param i64 i64)))
  (import "env" "promise_return" (func $promise_return (param i64)))
  (import "env" "promise_result" (func $promise_result (param i64 i64) (result i64)))
  (import "env" "promise_yield_create" (func $yield (param i64 i64 i64 i64 i64 i64 i64) (result i64)))
  (import "env" "promise_yield_resume" (func $resume (param i64 i64 i64 i64) (result i32)))
  (import "env" "promise_yield_create_with_id"
    (func $yield_named (param i64 i64 i64 i64 i64 i64 i64 i64 i64) (result i64)))
  (import "env" "promise_yield_resume_with_yield_id" (func $resume_named (param i64 i64 i64 i64) (result i32)))
  (memory 1)
  (data (i32.const 0) "answered")
  (data (i32.const 16) "timeout")
  (data (i32.const 32) "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn")
  (data (i32.const 64) "01")
  ;; 80: the key of the data id; 96: an amount of zero; 128: a data id; 1024: input or answer

  (func $read_input (result i64)
    (call $input (i64.const 0))
    (call $read_register (i64.const 0) (i64.const 1024))
    (call $register_len (i64.const 0)))

  (func $ask (export "ask")
    (call $promise_return
      (call $yield
        (i64.const 8) (i64.const 0) (call $read_input) (i64.const 1024) (i64.const 20000000000000) (i64.const 0)
        (i64.const 1)))
    (call $read_register (i64.const 1) (i64.const 128))
    (drop (call $storage_write (i64.const 1) (i64.const 80) (i64.const 32) (i64.const 128) (i64.const 2))))

  (func (export "ask_twice")
    (call $ask)
    (call $ask))

  (func (export "ask_named")
    (call $promise_return
      (call $yield_named
        (i64.const 8) (i64.const 0) (call $read_input) (i64.const 1024) (i64.const 96) (i64.const 20000000000000)
        (i64.const 0) (i64.const 32) (i64.const 32))))

  (func (export "ask_both")
    (call $ask)
    (drop (call $resume (i64.const 32) (i64.const 128) (call $read_input) (i64.const 1024))))

  (func $return_flag (param $flag i32)
    (call $value_return (i64.const 1) (i64.add (i64.const 64) (i64.extend_i32_u (local.get $flag)))))

  (func (export "answer")
    (drop (call $storage_read (i64.const 1) (i64.const 80) (i64.const 2)))
    (call $read_register (i64.const 2) (i64.const 128))
    (call $return_flag (call $resume (i64.const 32) (i64.const 128) (call $read_input) (i64.const 1024))))

  (func (export "answer_named")
    (call $return_flag (call $resume_named (i64.const 32) (i64.const 32) (call $read_input) (i64.const 1024))))

  (func (export "answered")
    (if (i64.ne (call $promise_result (i64.const 0) (i64.const 0)) (i64.const 1))
      (then (return (call $value_return (i64.const 7) (i64.const 16)))))
    (call $read_register (i64.const 0) (i64.const 1024))
    (if (i32.eq (i32.load8_u (i32.const 1024)) (i32.const 33)) (then (unreachable)))
    (call $value_return (call $register_len (i64.const 0)) (i64.const 1024))))
