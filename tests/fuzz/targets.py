"""The parsers: for each a function over bytes, and inputs that it takes."""

import functools
import json
import os
import pathlib
import tempfile
from collections.abc import Callable
from typing import NamedTuple

from near_tee_cli.attest.collateral import parse_collateral
from near_tee_cli.attest.compose import ComposeRules, judge_compose
from near_tee_cli.attest.dsse import encode_envelope, parse_envelope, signed_envelope
from near_tee_cli.attest.environment import Environment, environment_in
from near_tee_cli.attest.event_log import parse_event_log, replay
from near_tee_cli.attest.evidence import verify_evidence
from near_tee_cli.attest.quote import parse_quote
from near_tee_cli.attest.simulator import DEFAULT_COMPOSE
from near_tee_cli.attest.statement import encode_statement, predicate_type_of
from near_tee_cli.batch.manifest import parse_manifest
from near_tee_cli.cli import units
from near_tee_cli.cli.context_file import read_context
from near_tee_cli.cli.key_file import read_secret_key
from near_tee_cli.params.store import config_at
from near_tee_cli.primitives import canonical_json, keys
from near_tee_cli.primitives.account_id import require_valid
from near_tee_cli.primitives.schema.access_key import decode_access_key, encode_access_key, full_access_key
from near_tee_cli.primitives.schema.account import decode_account, encode_account, new_account
from near_tee_cli.primitives.schema.receipt import decode_receipt, decode_state_stored_receipt, encode_receipt
from near_tee_cli.primitives.schema.transaction import decode_signed_transaction, encode_signed_transaction
from near_tee_cli.proof.bundle import decode_bundle, encode_bundle
from near_tee_cli.proof.chain_file import pack, unpack
from near_tee_cli.proof.evidence_part import encode_evidence, parse_evidence
from near_tee_cli.proof.policy import parse_policy
from near_tee_cli.proof.signatures import statement_of
from near_tee_cli.proof.verifier import NO_REPLAY, Demands, verify
from near_tee_cli.sources.quote_files import read_quote_file
from near_tee_cli.sources.shapes import recognise
from near_tee_cli.state.keys import describe
from near_tee_cli.state.node import decode, encode
from near_tee_cli.vm.limits import check
from near_tee_cli.worker.wasi_bundle import decode_wasi_bundle, encode_wasi_bundle
from near_tee_cli.worker.wasi_verifier import begin_wasi
from near_tee_cli.workspace.cases import read_case
from near_tee_cli.workspace.snapshot_files import Form, read_snapshot, write_snapshot
from near_tee_cli.workspace.step_files import MAGIC as STEP_MAGIC
from near_tee_cli.workspace.step_files import read_step
from tests.reject import attested as reject
from tests.reject.attested import GUEST
from tests.support import attestation as recorded
from tests.support import cases
from tests.support.bundles import proof_of, small_proof
from tests.support.hostile import zoo

CONFIG = config_at(86)
SECRET = keys.secret_key_from_seed("fuzz", scheme=keys.ED25519)
SEEDS = pathlib.Path(__file__).parent / "seeds"
CASE = "runtime/yields/yields-resume-bad-id"


class Target(NamedTuple):
    """One parser."""

    parse: Callable[[bytes], object]
    """Raises `NearTeeError` for what it refuses, and nothing else ever."""
    seeds: Callable[[], list[bytes]]
    again: Callable[[object], bytes] | None = None
    """Writes what was parsed: the same bytes, where there is one spelling."""


def _text(read: Callable[[str], object]) -> Callable[[bytes], object]:
    """A parser of arguments: they come as text, undecodable bytes as surrogates, as Python gives them."""
    return lambda data: read(data.decode("utf-8", "surrogateescape"))


def _in_a_file(read: Callable[[str], object], *, mode: int = 0o600) -> Callable[[bytes], object]:
    def parse(data: bytes) -> object:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "file")
            with open(os.open(path, os.O_WRONLY | os.O_CREAT, mode), "wb") as file:
                file.write(data)
            return read(path)

    return parse


def _bundles() -> list[bytes]:
    return [
        small_proof().data,
        proof_of("runtime/transactions/transactions-views").data,
        proof_of("vm/host/host_views").data,
    ]


@functools.cache
def _content():
    return decode_bundle(proof_of(CASE).data).content


def _records(name: str) -> list[bytes]:
    return [raw for transition in _content().transitions for raw in getattr(transition, name)]


def _trie_nodes() -> list[bytes]:
    return [node for node in _content().nodes if node[:1] in (b"\1", b"\3") and len(node) > 60]


def _snapshots(form: Form) -> list[bytes]:
    data = (cases.PROJECT / "examples" / "token-snapshot.json").read_bytes()
    return [write_snapshot(read_snapshot(data, "seed").snapshot, form)]


def _verified(data: bytes) -> object:
    report = verify(data, require=NO_REPLAY)
    if report.code is None and data not in _bundles():
        decode_bundle(data)
    return report


def _claims_about_programs() -> list[bytes]:
    return [(SEEDS / "echo.ntw").read_bytes()]


def _verified_wasi(data: bytes) -> object:
    report = begin_wasi(data, Demands(NO_REPLAY)).report(None)
    if report.report.code is None:
        decode_wasi_bundle(data)
    return report


def _evidence() -> list[bytes]:
    return [encode_evidence(reject.part()), encode_evidence(reject.part(event_log=None, compose=None))]


def _judged(data: bytes) -> object:
    """Evidence that only wasteful or impossible work could stop is a report."""
    part = parse_evidence(data)
    policy = parse_policy(reject.policy()).platform
    return verify_evidence(part.evidence, policy=policy, time=reject.NOW, dev_root=GUEST.pki.root, allow_dev=True)


def _steps() -> list[bytes]:
    return [(SEEDS / "counter.step").read_bytes(), STEP_MAGIC]


POLICY = b'version = 1\nrequire = ["signed"]\n[claim]\ncontract = ["a.near"]\nmin_height = 5\n[limits]\nmax_gas = 7\n'
MANIFEST = b'[{"name": "a", "contract": "a.wasm", "method": "m", "args": {"k": [1]}, "block_height": 5}]'
CONTEXT = json.dumps({"signer_account_id": "a.near", "input": "x", "block_index": 5, "prepaid_gas": 10**12}).encode()
ANSWER = json.dumps(
    {"jsonrpc": "2.0", "id": "x", "result": {"values": [{"key": "YQ==", "value": "Yg=="}], "block_height": 5}}
)

TARGETS: dict[str, Target] = {
    "account": Target(decode_account, lambda: [encode_account(new_account(5, 0, contract=None, storage_usage=100))],
                      encode_account),
    "account-id": Target(_text(require_valid), lambda: [b"a.near", b"0x" + b"a" * 40, b"c" * 64]),
    "access-key": Target(decode_access_key, lambda: [encode_access_key(full_access_key(5))], encode_access_key),
    "amount": Target(_text(lambda text: units.near(text, "--x")), lambda: [b"1.5 NEAR", b"7 yoctoNEAR"]),
    "bundle": Target(decode_bundle, _bundles, encode_bundle),
    "case": Target(lambda data: read_case(data, "case"), lambda: [cases.document(CASE)]),
    "chain-file": Target(unpack, lambda: [pack(_bundles())], pack),
    "context": Target(read_context, lambda: [CONTEXT]),
    "contract": Target(lambda data: check(data, CONFIG.vm, validate=lambda _: True),
                       lambda: [code for code in zoo().values() if len(code) < 20_000]),
    "collateral": Target(parse_collateral, lambda: [recorded.collateral_of(recorded.MPC), GUEST.pki.collateral()]),
    "compose-file": Target(lambda data: judge_compose(data, ComposeRules()),
                           lambda: [recorded.mpc_compose(), DEFAULT_COMPOSE]),
    "environment": Target(environment_in, lambda: [encode_statement(statement_of(
        small_proof().claim, Environment("simulated", bytes(32))))]),
    "event-log": Target(lambda data: replay(parse_event_log(data)), lambda: [
        recorded.log_of(recorded.MPC), recorded.log_of(recorded.LITE), GUEST.event_log.encode()]),
    "evidence": Target(parse_evidence, _evidence, encode_evidence),
    "evidence-judged": Target(_judged, _evidence),
    "envelope": Target(parse_envelope, lambda: [encode_envelope(signed_envelope(
        b"payload", public_key=keys.public_key_of(SECRET), sign=lambda message: keys.sign(SECRET, message)[1:]))]),
    "gas": Target(_text(lambda text: units.gas(text, "--x", limit=10**15)), lambda: [b"100 Tgas", b"max"]),
    "hash": Target(_text(lambda text: units.hash32(text, "--x")), lambda: [b"1" * 32, b"4" * 44]),
    "json": Target(lambda data: canonical_json.loads(data, "json"), lambda: [MANIFEST, CONTEXT, ANSWER.encode()]),
    "key-file": Target(_in_a_file(read_secret_key), lambda: [
        keys.secret_key_text(SECRET).encode(), json.dumps({"private_key": keys.secret_key_text(SECRET)}).encode()]),
    "manifest": Target(lambda data: parse_manifest(data, "manifest"), lambda: [MANIFEST, b"[[items]]\nmethod = 'm'\n"]),
    "other-tools": Target(lambda data: recognise(data, "file"), lambda: [ANSWER.encode(), b'{"records": []}']),
    "policy": Target(parse_policy, lambda: [
        POLICY, reject.policy(), (cases.PROJECT / "examples" / "near-mpc-policy.toml").read_bytes()]),
    "public-key": Target(_text(keys.public_key_from_text),
                         lambda: [keys.public_key_text(keys.public_key_of(SECRET)).encode()]),
    "quote": Target(parse_quote, lambda: [recorded.quote_of(recorded.MPC), recorded.quote_of(recorded.OUTDATED),
                                          recorded.quote_of(recorded.SGX)]),
    "quote-file": Target(lambda data: read_quote_file(data, "quote"), lambda: [
        recorded.quote_of(recorded.MPC).hex().encode(), *_evidence(),
        json.dumps({"quote": recorded.quote_of(recorded.MPC).hex(), "event_log": "[]"}).encode()]),
    "receipt": Target(decode_receipt, lambda: _records("receipts") + _records("sent"), encode_receipt),
    "seed": Target(_text(lambda text: units.seed(text, "--x")), lambda: [b"5", b"00" * 32]),
    "snapshot-borsh": Target(lambda data: read_snapshot(data, "snapshot"), lambda: _snapshots(Form.BORSH)),
    "snapshot-json": Target(lambda data: read_snapshot(data, "snapshot"), lambda: _snapshots(Form.JSON)),
    "statement": Target(predicate_type_of, lambda: [encode_statement(statement_of(small_proof().claim))]),
    "step": Target(_in_a_file(read_step), _steps),
    "stored-receipt": Target(decode_state_stored_receipt, lambda: _records("receipts") + _records("sent")),
    "time": Target(_text(lambda text: units.timestamp(text, "--x")), lambda: [b"2026-01-01T00:00:00Z", b"5"]),
    "transaction": Target(decode_signed_transaction, lambda: _records("transactions"), encode_signed_transaction),
    "trie-key": Target(describe, lambda: [b"\0a.near", b"\x09a.near,k", b"\x10" + bytes(8)]),
    "trie-node": Target(decode, _trie_nodes, encode),
    "verification": Target(_verified, _bundles),
    "wasi-bundle": Target(decode_wasi_bundle, _claims_about_programs, encode_wasi_bundle),
    "wasi-verification": Target(_verified_wasi, _claims_about_programs),
}  # fmt: skip
