;; Work without end or of a given size.
;;   forever   loops until the gas is used up
;;   count     one million rounds, returns their sum as eight bytes
(module
  (import "env" "value_return" (func $value_return (param i64 i64)))
  (memory 1)
  (func (export "forever")
    (loop $again (br $again)))
  (func (export "count") (local $i i64) (local $sum i64)
    (loop $again
      (local.set $i (i64.add (local.get $i) (i64.const 1)))
      (local.set $sum (i64.add (local.get $sum) (local.get $i)))
      (br_if $again (i64.lt_u (local.get $i) (i64.const 1000000))))
    (i64.store (i32.const 0) (local.get $sum))
    (call $value_return (i64.const 8) (i64.const 0))))
