;; A contract that asks workers for executions as OutLayer's does: same methods, same event, same answers. What it
;; leaves out: prices and refunds, sources by project, inputs that lie in the state, secrets. Arguments are JSON whose
;; members stand close to their colons; nothing checks more of them than it needs.
;;   new                 {operator_id}: who may answer
;;   request_execution   {source, resource_limits, input_data?, response_format?}: logs the event `execution_requested`,
;;                       and waits for an answer
;;   resolve_execution   {request_id, response}: resumes what waits with the response; for the operator alone
;;   submit_execution_output_and_resolve
;;                       {request_id, output, success, error, resources_used, compilation_note}: keeps an output that is
;;                       too long to resume with, and resumes without it
;;   on_execution_response
;;                       the callback: returns the bare output, bytes in base64; null for a failure or a timeout
;; Below "operator" lies who may answer, below "next" the next number, below "r" and a number what waits (the data id),
;; below "o" and a number its output.
(module
  (import "env" "input" (func $input (param i64)))
  (import "env" "register_len" (func $register_len (param i64) (result i64)))
  (import "env" "read_register" (func $read_register (param i64 i64)))
  (import "env" "signer_account_id" (func $signer (param i64)))
  (import "env" "predecessor_account_id" (func $predecessor (param i64)))
  (import "env" "current_account_id" (func $current (param i64)))
  (import "env" "attached_deposit" (func $deposit (param i64)))
  (import "env" "block_timestamp" (func $timestamp (result i64)))
  (import "env" "storage_write" (func $storage_write (param i64 i64 i64 i64 i64) (result i64)))
  (import "env" "storage_read" (func $storage_read (param i64 i64 i64) (result i64)))
  (import "env" "storage_remove" (func $storage_remove (param i64 i64 i64) (result i64)))
  (import "env" "log_utf8" (func $log (param i64 i64)))
  (import "env" "panic_utf8" (func $panic_utf8 (param i64 i64)))
  (import "env" "value_return" (func $value_return (param i64 i64)))
  (import "env" "promise_return" (func $promise_return (param i64)))
  (import "env" "promise_result" (func $promise_result (param i64 i64) (result i64)))
  (import "env" "promise_yield_create" (func $yield (param i64 i64 i64 i64 i64 i64 i64) (result i64)))
  (import "env" "promise_yield_resume" (func $resume (param i64 i64 i64 i64) (result i32)))
  (memory 4)
  (data (i32.const 0) "operator")
  (data (i32.const 8) "next")
  (data (i32.const 12) "on_execution_response")
  (data (i32.const 36) "null")
  (data (i32.const 40) "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
  (data (i32.const 104) "operator_id")
  (data (i32.const 116) "request_id")
  (data (i32.const 128) "source")
  (data (i32.const 136) "resource_limits")
  (data (i32.const 152) "input_data")
  (data (i32.const 164) "response_format")
  (data (i32.const 180) "response")
  (data (i32.const 188) "output")
  (data (i32.const 196) "success")
  (data (i32.const 204) "error")
  (data (i32.const 212) "resources_used")
  (data (i32.const 228) "compilation_note")
  (data (i32.const 244) "Json")
  (data (i32.const 248) "Text")
  (data (i32.const 252) "Bytes")
  (data (i32.const 260) "\"\"")
  (data (i32.const 264) "\"Text\"")
  (data (i32.const 272) "{\"request_id\":")
  (data (i32.const 288) ",\"sender_id\":\"")
  (data (i32.const 304) "\",\"predecessor_id\":\"")
  (data (i32.const 324) "\",\"code_source\":")
  (data (i32.const 340) ",\"resource_limits\":")
  (data (i32.const 360) ",\"input_data\":")
  (data (i32.const 376) ",\"input_data_in_state\":false,\"secrets_ref\":null,\"response_format\":")
  (data (i32.const 444) ",\"payment\":\"")
  (data (i32.const 456) "\",\"attached_usd\":\"0\",\"timestamp\":")
  (data (i32.const 492)
    ",\"compile_only\":false,\"force_rebuild\":false,\"store_on_fastfs\":false,"
    "\"use_bound_identity\":false,\"project_uuid\":null,\"project_id\":null}")
  (data (i32.const 628)
    "EVENT_JSON:{\"standard\":\"near-outlayer\",\"version\":\"1.0.0\","
    "\"event\":\"execution_requested\",\"data\":[{\"request_data\":\"")
  (data (i32.const 740) "\",\"data_id\":[")
  (data (i32.const 756) "],\"timestamp\":")
  (data (i32.const 772) "}]}")
  (data (i32.const 776) "{\"success\":")
  (data (i32.const 788) ",\"output\":null,\"error\":")
  (data (i32.const 812) ",\"resources_used\":")
  (data (i32.const 832) ",\"compilation_note\":")
  (data (i32.const 852) ",\"refund_usd\":null}")
  (data (i32.const 872) "the arguments are no JSON")
  (data (i32.const 900) "an argument is missing")
  (data (i32.const 924) "the arguments are too long")
  (data (i32.const 952) "only the operator may answer")
  (data (i32.const 980) "no such request waits")
  (data (i32.const 1004) "Unable to resume execution promise")
  (data (i32.const 1040) "only the contract itself may call this")
  ;; 4096: a data id; 4128: an amount; 4160: a storage key; 4224: digits; 8192: input; 32768: what is written;
  ;; 98304: the event; 163840: operator, 163968: who calls; 164096: stored output or promise result
  (global $out (mut i32) (i32.const 0))   ;; where the next byte is written
  (global $from (mut i32) (i32.const 0))  ;; the JSON object that is looked into
  (global $to (mut i32) (i32.const 0))
  (global $at (mut i32) (i32.const 0))    ;; the value that was found
  (global $end (mut i32) (i32.const 0))

  (func $panic (param $at i32) (param $length i32)
    (call $panic_utf8 (i64.extend_i32_u (local.get $length)) (i64.extend_i32_u (local.get $at)))
    (unreachable))

  ;; Writing
  (func $byte (param $byte i32)
    (i32.store8 (global.get $out) (local.get $byte))
    (global.set $out (i32.add (global.get $out) (i32.const 1))))

  (func $copy (param $at i32) (param $length i32)
    (loop $again
      (if (local.get $length)
        (then
          (call $byte (i32.load8_u (local.get $at)))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (local.set $length (i32.sub (local.get $length) (i32.const 1)))
          (br $again)))))

  (func $copy_escaped (param $at i32) (param $end i32)
    (local $byte i32)
    (loop $again
      (if (i32.lt_u (local.get $at) (local.get $end))
        (then
          (local.set $byte (i32.load8_u (local.get $at)))
          (if (i32.or (i32.eq (local.get $byte) (i32.const 34)) (i32.eq (local.get $byte) (i32.const 92)))
            (then (call $byte (i32.const 92))))
          (call $byte (local.get $byte))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br $again)))))

  (func $copy_found
    (call $copy (global.get $at) (i32.sub (global.get $end) (global.get $at))))

  (func $register (param $register i64)
    (call $read_register (local.get $register) (i64.extend_i32_u (global.get $out)))
    (global.set $out (i32.add (global.get $out) (i32.wrap_i64 (call $register_len (local.get $register))))))

  (func $number (param $number i64)
    (local $at i32)
    (local.set $at (i32.const 4288))
    (loop $again
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at)
        (i32.add (i32.const 48) (i32.wrap_i64 (i64.rem_u (local.get $number) (i64.const 10)))))
      (local.set $number (i64.div_u (local.get $number) (i64.const 10)))
      (br_if $again (i64.ne (local.get $number) (i64.const 0))))
    (call $copy (local.get $at) (i32.sub (i32.const 4288) (local.get $at))))

  ;; The amount at 4128, which has 128 bits: divided by ten, 32 bits at a time, until nothing is left
  (func $amount
    (local $at i32) (local $part i32) (local $rest i64) (local $more i64)
    (local.set $at (i32.const 4288))
    (loop $digit
      (local.set $rest (i64.const 0))
      (local.set $more (i64.const 0))
      (local.set $part (i32.const 4140))
      (loop $limb
        (local.set $rest
          (i64.or (i64.shl (local.get $rest) (i64.const 32)) (i64.load32_u (local.get $part))))
        (i64.store32 (local.get $part) (i64.div_u (local.get $rest) (i64.const 10)))
        (local.set $more (i64.or (local.get $more) (i64.load32_u (local.get $part))))
        (local.set $rest (i64.rem_u (local.get $rest) (i64.const 10)))
        (local.set $part (i32.sub (local.get $part) (i32.const 4)))
        (br_if $limb (i32.ge_u (local.get $part) (i32.const 4128))))
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at) (i32.add (i32.const 48) (i32.wrap_i64 (local.get $rest))))
      (br_if $digit (i64.ne (local.get $more) (i64.const 0))))
    (call $copy (local.get $at) (i32.sub (i32.const 4288) (local.get $at))))

  ;; Reading JSON
  (func $equal (param $left i32) (param $right i32) (param $length i32) (result i32)
    (loop $again
      (if (i32.eqz (local.get $length)) (then (return (i32.const 1))))
      (if (i32.ne (i32.load8_u (local.get $left)) (i32.load8_u (local.get $right))) (then (return (i32.const 0))))
      (local.set $left (i32.add (local.get $left) (i32.const 1)))
      (local.set $right (i32.add (local.get $right) (i32.const 1)))
      (local.set $length (i32.sub (local.get $length) (i32.const 1)))
      (br $again))
    (unreachable))

  ;; Behind the string that begins at $at
  (func $string_end (param $at i32) (result i32)
    (local $byte i32)
    (loop $again
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (if (i32.ge_u (local.get $at) (global.get $to)) (then (call $panic (i32.const 872) (i32.const 25))))
      (local.set $byte (i32.load8_u (local.get $at)))
      (if (i32.eq (local.get $byte) (i32.const 92)) (then (local.set $at (i32.add (local.get $at) (i32.const 1)))))
      (br_if $again (i32.ne (local.get $byte) (i32.const 34))))
    (i32.add (local.get $at) (i32.const 1)))

  ;; 1 for an opening bracket, -1 for a closing one
  (func $nesting (param $byte i32) (result i32)
    (local.set $byte (i32.or (local.get $byte) (i32.const 32)))
    (i32.sub (i32.eq (local.get $byte) (i32.const 123)) (i32.eq (local.get $byte) (i32.const 125))))

  ;; Behind the value that begins at $at: at the comma or bracket that follows it
  (func $value_end (param $at i32) (result i32)
    (local $byte i32) (local $depth i32)
    (loop $again
      (if (i32.ge_u (local.get $at) (global.get $to)) (then (call $panic (i32.const 872) (i32.const 25))))
      (local.set $byte (i32.load8_u (local.get $at)))
      (if (i32.eqz (local.get $depth))
        (then
          (if (i32.or (i32.eq (local.get $byte) (i32.const 44))
                (i32.eq (call $nesting (local.get $byte)) (i32.const -1)))
            (then (return (local.get $at))))))
      (if (i32.eq (local.get $byte) (i32.const 34))
        (then (local.set $at (call $string_end (local.get $at))))
        (else
          (local.set $depth (i32.add (local.get $depth) (call $nesting (local.get $byte))))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))))
      (br $again))
    (unreachable))

  ;; Finds the member of that name in the object between $from and $to, and whether there is one
  (func $find (param $name i32) (param $length i32) (result i32)
    (local $at i32) (local $behind i32) (local $depth i32)
    (local.set $at (global.get $from))
    (loop $again
      (if (i32.ge_u (local.get $at) (global.get $to)) (then (return (i32.const 0))))
      (if (i32.ne (i32.load8_u (local.get $at)) (i32.const 34))
        (then
          (local.set $depth (i32.add (local.get $depth) (call $nesting (i32.load8_u (local.get $at)))))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br $again)))
      (local.set $behind (call $string_end (local.get $at)))
      (if (i32.and
            (i32.and
              (i32.eq (local.get $depth) (i32.const 1))
              (i32.eq (i32.load8_u (local.get $behind)) (i32.const 58)))
            (i32.eq (i32.sub (i32.sub (local.get $behind) (local.get $at)) (i32.const 2)) (local.get $length)))
        (then
          (if (call $equal (i32.add (local.get $at) (i32.const 1)) (local.get $name) (local.get $length))
            (then
              (loop $blank
                (local.set $behind (i32.add (local.get $behind) (i32.const 1)))
                (br_if $blank (i32.eq (i32.load8_u (local.get $behind)) (i32.const 32))))
              (global.set $at (local.get $behind))
              (global.set $end (call $value_end (local.get $behind)))
              (return (i32.const 1))))))
      (local.set $at (local.get $behind))
      (br $again))
    (unreachable))

  (func $need (param $name i32) (param $length i32)
    (if (i32.eqz (call $find (local.get $name) (local.get $length)))
      (then (call $panic (i32.const 900) (i32.const 22)))))

  ;; Writes the member of that name, or else the given text
  (func $copy_or (param $name i32) (param $length i32) (param $else i32) (param $else_length i32)
    (if (call $find (local.get $name) (local.get $length))
      (then (call $copy_found))
      (else (call $copy (local.get $else) (local.get $else_length)))))

  ;; Whether the found value begins with the letter: enough for true, false and null
  (func $begins (param $letter i32) (result i32)
    (i32.eq (i32.load8_u (global.get $at)) (local.get $letter)))

  (func $read_input
    (call $input (i64.const 0))
    (if (i64.gt_u (call $register_len (i64.const 0)) (i64.const 16384))
      (then (call $panic (i32.const 924) (i32.const 26))))
    (call $read_register (i64.const 0) (i64.const 8192))
    (global.set $from (i32.const 8192))
    (global.set $to (i32.add (i32.const 8192) (i32.wrap_i64 (call $register_len (i64.const 0))))))

  ;; The state
  (func $key (param $letter i32)
    (local $number i64)
    (call $need (i32.const 116) (i32.const 10))
    (loop $digit
      (local.set $number
        (i64.add (i64.mul (local.get $number) (i64.const 10))
          (i64.sub (i64.load8_u (global.get $at)) (i64.const 48))))
      (global.set $at (i32.add (global.get $at) (i32.const 1)))
      (br_if $digit (i32.lt_u (global.get $at) (global.get $end))))
    (call $key_of (local.get $letter) (local.get $number)))

  (func $key_of (param $letter i32) (param $number i64)
    (i32.store8 (i32.const 4160) (local.get $letter))
    (i64.store (i32.const 4161) (local.get $number)))

  (func $require_operator
    (drop (call $storage_read (i64.const 8) (i64.const 0) (i64.const 1)))
    (call $read_register (i64.const 1) (i64.const 163840))
    (call $predecessor (i64.const 2))
    (call $read_register (i64.const 2) (i64.const 163968))
    (if (i64.ne (call $register_len (i64.const 1)) (call $register_len (i64.const 2)))
      (then (call $panic (i32.const 952) (i32.const 28))))
    (if (i32.eqz (call $equal (i32.const 163840) (i32.const 163968) (i32.wrap_i64 (call $register_len (i64.const 1)))))
      (then (call $panic (i32.const 952) (i32.const 28)))))

  (func (export "new")
    (call $read_input)
    (call $need (i32.const 104) (i32.const 11))
    (drop (call $storage_write (i64.const 8) (i64.const 0)
      (i64.extend_i32_u (i32.sub (i32.sub (global.get $end) (global.get $at)) (i32.const 2)))
      (i64.extend_i32_u (i32.add (global.get $at) (i32.const 1))) (i64.const 0))))

  (func (export "request_execution")
    (local $number i64) (local $request_end i32) (local $at i32)
    (call $read_input)
    (if (i64.eq (call $storage_read (i64.const 4) (i64.const 8) (i64.const 1)) (i64.const 1))
      (then
        (call $read_register (i64.const 1) (i64.const 4288))
        (local.set $number (i64.load (i32.const 4288)))))
    (i64.store (i32.const 4288) (i64.add (local.get $number) (i64.const 1)))
    (drop (call $storage_write (i64.const 4) (i64.const 8) (i64.const 8) (i64.const 4288) (i64.const 1)))

    ;; the request, which goes to the callback as well
    (global.set $out (i32.const 32768))
    (call $copy (i32.const 272) (i32.const 14))
    (call $number (local.get $number))
    (call $copy (i32.const 288) (i32.const 14))
    (call $signer (i64.const 1))
    (call $register (i64.const 1))
    (call $copy (i32.const 304) (i32.const 20))
    (call $predecessor (i64.const 1))
    (call $register (i64.const 1))
    (call $copy (i32.const 324) (i32.const 16))
    (call $need (i32.const 128) (i32.const 6))
    (call $copy_found)
    (call $copy (i32.const 340) (i32.const 19))
    (call $need (i32.const 136) (i32.const 15))
    (call $copy_found)
    (call $copy (i32.const 360) (i32.const 14))
    (call $copy_or (i32.const 152) (i32.const 10) (i32.const 260) (i32.const 2))
    (call $copy (i32.const 376) (i32.const 66))
    (call $copy_or (i32.const 164) (i32.const 15) (i32.const 264) (i32.const 6))
    (call $copy (i32.const 444) (i32.const 12))
    (call $deposit (i64.const 4128))
    (call $amount)
    (call $copy (i32.const 456) (i32.const 33))
    (call $number (call $timestamp))
    (call $copy (i32.const 492) (i32.const 133))
    (local.set $request_end (global.get $out))

    (call $promise_return
      (call $yield (i64.const 21) (i64.const 12) (i64.extend_i32_u (i32.sub (local.get $request_end) (i32.const 32768)))
        (i64.const 32768) (i64.const 50000000000000) (i64.const 1) (i64.const 37)))
    (call $read_register (i64.const 37) (i64.const 4096))
    (call $key_of (i32.const 114) (local.get $number))
    (drop (call $storage_write (i64.const 9) (i64.const 4160) (i64.const 32) (i64.const 4096) (i64.const 1)))

    (global.set $out (i32.const 98304))
    (call $copy (i32.const 628) (i32.const 112))
    (call $copy_escaped (i32.const 32768) (local.get $request_end))
    (call $copy (i32.const 740) (i32.const 13))
    (local.set $at (i32.const 4096))
    (loop $again
      (call $number (i64.load8_u (local.get $at)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (if (i32.lt_u (local.get $at) (i32.const 4128)) (then (call $byte (i32.const 44)) (br $again))))
    (call $copy (i32.const 756) (i32.const 14))
    (call $number (call $timestamp))
    (call $copy (i32.const 772) (i32.const 3))
    (call $log (i64.extend_i32_u (i32.sub (global.get $out) (i32.const 98304))) (i64.const 98304)))

  ;; Resumes what waits under the number of the input with what was written from 32768 on
  (func $resolve
    (call $key (i32.const 114))
    (if (i64.ne (call $storage_read (i64.const 9) (i64.const 4160) (i64.const 1)) (i64.const 1))
      (then (call $panic (i32.const 980) (i32.const 21))))
    (call $read_register (i64.const 1) (i64.const 4096))
    (if (i32.eqz
          (call $resume (i64.const 32) (i64.const 4096)
            (i64.extend_i32_u (i32.sub (global.get $out) (i32.const 32768))) (i64.const 32768)))
      (then (call $panic (i32.const 1004) (i32.const 34)))))

  (func (export "resolve_execution")
    (call $require_operator)
    (call $read_input)
    (global.set $out (i32.const 32768))
    (call $need (i32.const 180) (i32.const 8))
    (call $copy_found)
    (call $resolve))

  (func (export "submit_execution_output_and_resolve")
    (call $require_operator)
    (call $read_input)
    (call $key (i32.const 111))
    (call $need (i32.const 188) (i32.const 6))
    (drop (call $storage_write (i64.const 9) (i64.const 4160)
      (i64.extend_i32_u (i32.sub (global.get $end) (global.get $at))) (i64.extend_i32_u (global.get $at))
      (i64.const 1)))
    (global.set $out (i32.const 32768))
    (call $copy (i32.const 776) (i32.const 11))
    (call $need (i32.const 196) (i32.const 7))
    (call $copy_found)
    (call $copy (i32.const 788) (i32.const 23))
    (call $copy_or (i32.const 204) (i32.const 5) (i32.const 36) (i32.const 4))
    (call $copy (i32.const 812) (i32.const 18))
    (call $need (i32.const 212) (i32.const 14))
    (call $copy_found)
    (call $copy (i32.const 832) (i32.const 20))
    (call $copy_or (i32.const 228) (i32.const 16) (i32.const 36) (i32.const 4))
    (call $copy (i32.const 852) (i32.const 19))
    (call $resolve))

  (func $return (param $at i32) (param $end i32)
    (call $value_return (i64.extend_i32_u (i32.sub (local.get $end) (local.get $at)))
      (i64.extend_i32_u (local.get $at))))

  (func (export "on_execution_response")
    (call $predecessor (i64.const 1))
    (call $read_register (i64.const 1) (i64.const 163840))
    (call $current (i64.const 2))
    (call $read_register (i64.const 2) (i64.const 163968))
    (if (i32.or
          (i64.ne (call $register_len (i64.const 1)) (call $register_len (i64.const 2)))
          (i32.eqz (call $equal (i32.const 163840) (i32.const 163968)
            (i32.wrap_i64 (call $register_len (i64.const 1))))))
      (then (call $panic (i32.const 1040) (i32.const 38))))
    (call $read_input)
    (call $key (i32.const 114))
    (drop (call $storage_remove (i64.const 9) (i64.const 4160) (i64.const 1)))
    (i32.store8 (i32.const 4160) (i32.const 111))
    (drop (call $storage_remove (i64.const 9) (i64.const 4160) (i64.const 3)))
    (if (i64.ne (call $promise_result (i64.const 0) (i64.const 4)) (i64.const 1))
      (then (return (call $value_return (i64.const 4) (i64.const 36)))))
    (call $read_register (i64.const 4) (i64.const 164096))
    (global.set $from (i32.const 164096))
    (global.set $to (i32.add (i32.const 164096) (i32.wrap_i64 (call $register_len (i64.const 4)))))
    (call $need (i32.const 196) (i32.const 7))
    (if (i32.eqz (call $begins (i32.const 116))) (then (return (call $value_return (i64.const 4) (i64.const 36)))))
    (call $need (i32.const 188) (i32.const 6))
    (if (call $begins (i32.const 110))
      (then
        ;; it was stored, where the removed value went
        (if (i64.eq (call $register_len (i64.const 3)) (i64.const -1))
          (then (return (call $value_return (i64.const 4) (i64.const 36)))))
        (call $read_register (i64.const 3) (i64.const 164096))
        (global.set $from (i32.const 164096))
        (global.set $to (i32.add (i32.const 164096) (i32.wrap_i64 (call $register_len (i64.const 3))))))
      (else
        (global.set $from (global.get $at))
        (global.set $to (global.get $end))))
    (if (i32.or (call $find (i32.const 244) (i32.const 4)) (call $find (i32.const 248) (i32.const 4)))
      (then (return (call $return (global.get $at) (global.get $end)))))
    (call $need (i32.const 252) (i32.const 5))
    (global.set $out (i32.const 32768))
    (call $base64)
    (call $return (i32.const 32768) (global.get $out)))

  ;; Writes the found list of numbers as a string in base64
  (func $base64
    (local $at i32) (local $bits i32) (local $held i32) (local $digit i32) (local $number i32) (local $any i32)
    (call $byte (i32.const 34))
    (local.set $at (global.get $at))
    (loop $again
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (local.set $digit (i32.sub (i32.load8_u (local.get $at)) (i32.const 48)))
      (if (i32.lt_u (local.get $digit) (i32.const 10))
        (then
          (local.set $number (i32.add (i32.mul (local.get $number) (i32.const 10)) (local.get $digit)))
          (local.set $any (i32.const 1))
          (br $again)))
      (if (local.get $any)
        (then
          (local.set $bits (i32.or (i32.shl (local.get $bits) (i32.const 8)) (local.get $number)))
          (local.set $held (i32.add (local.get $held) (i32.const 8)))
          (loop $six
            (if (i32.ge_u (local.get $held) (i32.const 6))
              (then
                (local.set $held (i32.sub (local.get $held) (i32.const 6)))
                (call $base64_digit (i32.shr_u (local.get $bits) (local.get $held)))
                (br $six))))
          (local.set $number (i32.const 0))
          (local.set $any (i32.const 0))))
      (br_if $again (i32.lt_u (local.get $at) (global.get $end))))
    (if (local.get $held)
      (then
        (call $base64_digit (i32.shl (local.get $bits) (i32.sub (i32.const 6) (local.get $held))))
        (call $byte (i32.const 61))
        (if (i32.eq (local.get $held) (i32.const 2)) (then (call $byte (i32.const 61))))))
    (call $byte (i32.const 34)))

  (func $base64_digit (param $bits i32)
    (call $byte (i32.load8_u (i32.add (i32.const 40) (i32.and (local.get $bits) (i32.const 63)))))))
