"""Records of a coordinator, held against the quote in them."""

import hashlib
import json
import struct
from base64 import b64encode

import pytest

from near_tee_cli.attest.quote import INTEL_VENDOR
from near_tee_cli.errors import BadInputError, EvidenceError
from near_tee_cli.worker.outlayer_task import FAILED_OUTPUT, binding_of_record, check_record, parse_record

PROGRAM, INPUT, RETURNED = b"\0asm", b"hi", b'"out"'


def hexadecimal(data):
    return hashlib.sha256(data).hexdigest()


RECORD = {
    "task_id": 42, "task_type": "execute", "request_id": 7, "caller_account_id": "alice.near",
    "transaction_hash": None, "block_height": 1000, "call_id": None, "payment_key_owner": None,
    "payment_key_nonce": None, "repo_url": None, "commit_hash": None, "build_target": "wasm32-wasip1",
    "wasm_hash": hexadecimal(PROGRAM), "executed_wasm_sha256": hexadecimal(PROGRAM), "input_hash": hexadecimal(INPUT),
    "output_hash": hexadecimal(RETURNED), "project_id": "a.near/p", "secrets_ref": "a.near/default",
    "attached_usd": "5", "timestamp": 1_700_000_000,
}  # fmt: skip

HASHED = (
    b"execute" + struct.pack("<q", 42) + b"wasm32-wasip1" + hexadecimal(PROGRAM).encode()
    + hexadecimal(INPUT).encode() + hexadecimal(RETURNED).encode() + struct.pack("<Q", 1000) + b"alice.near"
    + b"a.near/p" + b"a.near/default" + struct.pack("<q", 1_700_000_000) + b"5"
)  # fmt: skip
"""What the quote's report data is the hash of, written out."""


def quote(hashed, rest=bytes(32)):
    header = struct.pack("<HHI4x", 4, 2, 0x81) + INTEL_VENDOR + bytes(20)
    return header + bytes(520) + hashlib.sha256(hashed).digest() + rest + b"signature"


def record(hashed=HASHED, rest=bytes(32), **changes):
    document = {**RECORD, "tdx_quote": b64encode(quote(hashed, rest)).decode(), **changes}
    return parse_record(json.dumps(document).encode())


def test_a_record_that_fits() -> None:
    found = check_record(record(), program=PROGRAM, stdin=INPUT, returned=RETURNED)
    assert found.task_hash == hashlib.sha256(HASHED).digest()
    assert found.checked == ("wasm_hash", "executed_wasm_sha256", "input_hash", "output_hash")
    assert found.unbound == ("executed_wasm_sha256", "request_id")
    assert check_record(record()).checked == ()
    least = {"task_id": 1, "task_type": "compile", "output_hash": "00"}
    hashed = b"compile" + struct.pack("<q", 1) + b"00"
    data = json.dumps({**least, "tdx_quote": b64encode(quote(hashed)).decode()}).encode()
    assert check_record(parse_record(data)).unbound == ()


def test_a_failed_execution() -> None:
    failed = hexadecimal(b"[EXECUTION-FAILED]")
    hashed = HASHED.replace(hexadecimal(RETURNED).encode(), failed.encode())
    assert check_record(record(hashed, output_hash=failed), returned=FAILED_OUTPUT).checked == ("output_hash",)


@pytest.mark.parametrize(
    "changes",
    [{"task_id": 43}, {"task_type": "topup"}, {"repo_url": "r"}, {"build_target": None}, {"wasm_hash": "00"},
     {"output_hash": "00"}, {"block_height": 1001}, {"caller_account_id": "bob.near"}, {"project_id": None},
     {"timestamp": None}, {"attached_usd": "6"}, {"rest": b"\1" * 32}],
)  # fmt: skip
def test_a_record_that_does_not_fit_its_quote(changes) -> None:
    with pytest.raises(EvidenceError) as refusal:
        check_record(record(**changes))
    assert refusal.value.code == "report-data-mismatch"


@pytest.mark.parametrize(
    ("contents", "code"),
    [({"program": b""}, "other-program"), ({"stdin": b""}, "other-input"), ({"returned": b""}, "other-output")],
)
def test_other_contents(contents, code) -> None:
    with pytest.raises(EvidenceError) as refusal:
        check_record(record(), **contents)
    assert refusal.value.code == code


def test_the_program_that_ran_is_compared_though_it_is_not_bound() -> None:
    other = record(executed_wasm_sha256="00")
    assert check_record(other).unbound[0] == "executed_wasm_sha256"
    with pytest.raises(EvidenceError) as refusal:
        check_record(other, program=PROGRAM)
    assert refusal.value.code == "other-program"
    assert "executed_wasm_sha256" in refusal.value.message
    assert check_record(record(executed_wasm_sha256=None), program=PROGRAM).checked == ("wasm_hash",)


def test_what_is_hashed_has_no_lengths() -> None:
    """Two records, one hash: as OutLayer made it."""
    same = record(caller_account_id="alice.neara.near/p", project_id=None)
    assert check_record(same).task_hash == check_record(record()).task_hash


@pytest.mark.parametrize(
    "changes",
    [{"task_id": None}, {"task_id": -1}, {"task_type": "x"}, {"tdx_quote": "?"}, {"output_hash": None},
     {"block_height": "1"}, {"more": 1}, {"timestamp": 2**63}, {"repo_url": 1}],
)  # fmt: skip
def test_what_is_no_record(changes) -> None:
    with pytest.raises(BadInputError) as refusal:
        record(**changes)
    assert refusal.value.code == "bad-task-record"


def test_a_record_without_a_quote() -> None:
    with pytest.raises(BadInputError) as refusal:
        check_record(record(tdx_quote=b64encode(b"no-attestation-dev-mode").decode()))
    assert refusal.value.code == "bad-quote"
    alone = json.dumps(RECORD).encode()
    assert binding_of_record(alone) == record().task
    with pytest.raises(BadInputError) as refusal:
        check_record(parse_record(alone))
    assert refusal.value.code == "bad-task-record"
