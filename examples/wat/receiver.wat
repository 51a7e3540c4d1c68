;; The other side of `ft_transfer_call`: a contract that is sent tokens.
;;   ft_on_transfer   keeps all of them when the message is empty, else gives all of them back: the amount that is
;;                    returned is the unused one
(module
  (import "env" "input" (func $input (param i64)))
  (import "env" "register_len" (func $register_len (param i64) (result i64)))
  (import "env" "read_register" (func $read_register (param i64 i64)))
  (import "env" "value_return" (func $value_return (param i64 i64)))
  (memory 1)
  (data (i32.const 0) "\220\22")
  (data (i32.const 16) "\22340282366920938463463374607431768211455\22")
  (func (export "ft_on_transfer") (local $length i64)
    (call $input (i64.const 0))
    (local.set $length (call $register_len (i64.const 0)))
    (call $read_register (i64.const 0) (i64.const 1024))
    ;; the arguments end in  "msg":""}  when the message is empty
    (if (i32.eq
          (i32.load16_u (i32.add (i32.const 1021) (i32.wrap_i64 (local.get $length))))
          (i32.const 0x2222))
      (then (call $value_return (i64.const 3) (i64.const 0)))
      (else (call $value_return (i64.const 41) (i64.const 16))))))
