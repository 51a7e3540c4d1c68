import hashlib

import pytest

from near_tee_cli.errors import BadInputError
from near_tee_cli.params.store import config_at
from near_tee_cli.vm.artifact import PREPARATION_VERSION, artifact_name, decode, encode
from near_tee_cli.vm.engine import Engine
from near_tee_cli.vm.kinds import kind_of
from near_tee_cli.vm.prepare import prepare
from near_tee_cli.vm.prepared import Import, Prepared, PrepareError
from tests.support.nearcore_calls import CALLS
from tests.support.wat import wat

PREPARED = Prepared(
    wasm=b"the module",
    imports=(Import("sha256", "qqq", ""), Import('odd "name"\n\0é', "dfgr", "q")),
    methods={"main": True, "": False, "naïve \U0001f600": True, "b": False, "a": True},
    has_start=True,
    nearcore_length=2**40,
    context_bytes=1,
    compile_error=None,
)


class TestBytes:
    @pytest.mark.parametrize("native", [b"", b"x", bytes(1000)])
    @pytest.mark.parametrize("prepared", [PREPARED, PREPARED._replace(imports=(), methods={}, compile_error="no")])
    def test_there_and_back_less_the_module(self, prepared, native):
        data = encode(prepared, native)
        artifact = decode(data)
        assert artifact.prepared == prepared._replace(wasm=b"")
        assert list(artifact.prepared.methods) == list(prepared.methods)
        assert data[artifact.code_offset :] == native

    @pytest.mark.parametrize("error", PrepareError)
    def test_reasons_why_there_is_none(self, error):
        data = encode(error, b"")
        assert decode(data) == (error, len(data))
        assert isinstance(decode(data).prepared, PrepareError)

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"NTA1",
            b"NTA1\xff\xff\xff\xff{}",
            b"NTA0\x01\0\0\x001",
            b"NTA1\x02\0\0\x0099",
            b"NTA1\x02\0\0\0[]",
            b"NTA1\x02\0\0\0{}",
            b"NTA1\x03\0\0\0[1]",
            b"NTA1\x04\0\0\0null",
            b"NTA1\x01\0\0\0\xff",
        ],
    )
    def test_other_bytes(self, data):
        with pytest.raises(BadInputError):
            decode(data)


class TestName:
    def test_everything_counts(self):
        parts = {"code_hash": bytes(32), "config_digest": bytes(32), "engine": bytes(32)}
        names = {artifact_name(**{**parts, changed: b"\1" * 32}) for changed in parts}
        names.add(artifact_name(**parts))
        assert len(names) == 4

    def test_it_stays(self):
        name = artifact_name(bytes(32), config_digest=bytes(32), engine=bytes(32))
        text = b"near-tee/artifact" + PREPARATION_VERSION.to_bytes(4, "little") + bytes(96)
        assert name == hashlib.sha256(text).digest()


VARIETY = """
  (import "env" "sha256" (func $sha256 (param i64 i64 i64)))
  (import "env" "block_index" (func $height (result i64)))
  (import "env" "gas" (func $gas (param i32)))
  (memory 1) (table 4 funcref) (global $g (mut i64) (i64.const 5)) (data "abc") (data (i32.const 0) "def")
  (elem (i32.const 0) $height $callee) (elem func $callee)
  (type $unary (func (param i32) (result i32)))
  (func $callee (type $unary) (local i64 f32)
    (if (local.get 0) (then (return (i32.const 3))) (else (nop)))
    (if (result i32) (local.get 0) (then (i32.const 1)) (else (return (i32.const 2)))))
  (func $start (global.set $g (call $height)))
  (start $start)
  (func (export "main") (local i32)
    (block $out (loop $again
      (br_if $out (i32.gt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 9)))
      (br_table $again $out $again (local.get 0))))
    (call $sha256 (i64.const 3) (i64.const 0) (i64.const 1))
    (call $gas (i32.const 7))
    (drop (call_indirect (type $unary) (local.get 0) (i32.const 1)))
    (memory.fill (i32.const 0) (i32.const 1) (i32.const 100))
    (memory.copy (i32.const 0) (i32.const 1) (i32.const 100))
    (memory.init 0 (i32.const 0) (i32.const 1) (i32.const 1)) (data.drop 0)
    (table.init 0 1 (i32.const 0) (i32.const 0) (i32.const 1)) (elem.drop 1)
    (table.copy (i32.const 0) (i32.const 1) (i32.const 1))
    (table.fill 0 (i32.const 0) (ref.func $height) (i32.const 1))
    (drop (table.grow 0 (ref.null func) (i32.const 1)))
    (drop (memory.grow (i32.const 1)))
    (drop (i32.trunc_f64_s (f64.load (i32.const 8))))
    (unreachable))
"""
OLDER = """
  (memory 1) (func (export "main") (param f32) (result f32) (local f64)
    (local.set 1 (f64.promote_f32 (f32.neg (f32.add (local.get 0) (local.get 0)))))
    (f32.demote_f64 (f64.neg (f64.sqrt (local.get 1)))))
"""
OUTPUT = {6: "51538da74f7cd1a5525c5823d322340185169d1aabeed499bedad9cbdcd3e6b4"}
"""Digest of what preparation gives for the modules here, by version."""


def test_the_version_counts_every_change_of_what_preparation_gives():
    digest = hashlib.sha256()
    engine = Engine()
    for version, example in ((86, VARIETY), (83, OLDER)):
        config = config_at(version).vm
        validate = engine.validator(bulk_memory=kind_of(config).bulk_memory)
        module = wat(f"(module {example})")
        assert isinstance(prepare(module, config, validate=validate), Prepared)
        for code in (module, *(call.code for call in CALLS.values())):
            digest.update(repr(prepare(code, config, validate=validate)).encode())
    assert OUTPUT.get(PREPARATION_VERSION) == digest.hexdigest(), (
        "prepared modules differ from what caches hold: raise PREPARATION_VERSION and record the digest under it"
    )
