"""Answers: which call, with which arguments, and what the callback makes of it."""

import json
import struct

import pytest

from near_tee_cli.attest.quote import INTEL_VENDOR
from near_tee_cli.errors import BadInputError, EvidenceError
from near_tee_cli.primitives.keys import SECP256K1, public_key_of, public_key_text, secret_key_from_seed
from near_tee_cli.worker.outlayer_answers import (
    BytesOutput,
    JsonOutput,
    Response,
    TextOutput,
    answer,
    failure,
    payload,
    register_worker_key,
    resolve_execution,
    response_of,
    returned_json,
    submit_and_resolve,
)
from near_tee_cli.worker.outlayer_cost import Resources
from near_tee_cli.worker.wasi_run import Run

USED = Resources(12_345_678, 42, None)
RUN = Run(0, None, b'{"b":1,"a":0.5}', b"", 12_345_678, 1, "m")


def success(output, **more):
    return Response(success=True, output=output, error=None, resources=USED, **more)


def text(length):
    return TextOutput("x" * length)


BARE = len(payload(success(text(0))))


@pytest.mark.parametrize(
    ("form", "output", "returned"),
    [
        ("Bytes", BytesOutput(RUN.stdout), b'"eyJiIjoxLCJhIjowLjV9"'),
        ("Text", TextOutput(RUN.stdout.decode()), b'"{\\"b\\":1,\\"a\\":0.5}"'),
        ("Json", JsonOutput({"b": 1, "a": 0.5}), b'{"a":0.5,"b":1}'),
    ],
)
def test_forms_of_output(form, output, returned) -> None:
    response = response_of(RUN, form, time_ms=42)
    assert response == success(output)
    assert returned_json(response) == returned


def test_the_payload_is_the_whole_response() -> None:
    assert payload(success(TextOutput("é"), compilation_note="n", refund_usd=5)).decode() == (
        '{"success":true,"output":{"Text":"é"},"error":null,"resources_used":{"instructions":12345678,"time_ms":42,'
        '"compile_time_ms":null},"compilation_note":"n","refund_usd":5}'
    )


def test_a_short_answer_goes_directly() -> None:
    (call,) = answer(7, success(BytesOutput(b"\0\xff")))
    assert call.method == "resolve_execution"
    assert json.loads(call.args) == {
        "request_id": 7,
        "response": {
            "success": True, "output": {"Bytes": [0, 255]}, "error": None, "compilation_note": None, "refund_usd": None,
            "resources_used": {"instructions": 12_345_678, "time_ms": 42, "compile_time_ms": None},
        },
    }  # fmt: skip


def test_from_1024_bytes_on_the_output_goes_apart() -> None:
    (short,) = answer(7, success(text(1023 - BARE)))
    (long,) = answer(7, success(text(1024 - BARE)))
    assert (short.method, long.method) == ("resolve_execution", "submit_execution_output_and_resolve")
    assert json.loads(long.args) == {
        "request_id": 7, "output": {"Text": "x" * (1024 - BARE)}, "success": True, "error": None,
        "resources_used": {"instructions": 12_345_678, "time_ms": 42, "compile_time_ms": None},
        "compilation_note": None,
    }  # fmt: skip
    assert resolve_execution(7, success(text(1024 - BARE))).method == "resolve_execution"
    with pytest.raises(BadInputError) as refusal:
        resolve_execution(7, success(text(1025 - BARE)))
    assert refusal.value.code == "bad-answer"


def test_a_long_output_with_a_refund_takes_two_calls() -> None:
    first, second = answer(7, success(text(2000), refund_usd=5))
    assert (first.method, second.method) == ("submit_execution_output", "resolve_execution")
    assert json.loads(first.args) == {"request_id": 7, "output": {"Text": "x" * 2000}}
    response = json.loads(second.args)["response"]
    assert (response["success"], response["output"], response["refund_usd"]) == (True, None, 5)
    with pytest.raises(BadInputError):
        submit_and_resolve(7, success(text(2000), refund_usd=5))
    with pytest.raises(BadInputError):
        submit_and_resolve(7, failure("x", USED))


@pytest.mark.parametrize(
    ("error", "kept"),
    [("e" * 513, 513), ("e" * 5000, 512), ("é" * 1000, 256), ("\0" * 1000, 136), ("a" + "é" * 1000, 256)],
)
def test_a_long_error_is_cut(error, kept) -> None:
    (call,) = answer(7, failure(error, USED))
    told = json.loads(call.args)["response"]["error"]
    assert call.method == "resolve_execution"
    assert told.startswith(error[:kept])
    if kept < len(error):
        assert told == f"{error[:kept]}... (truncated, original size: {len(error.encode())} bytes)"
    assert len(payload(failure(told, USED))) < 1024
    if kept == 136:  # each of them takes six bytes
        assert len(payload(failure("\0" + told, USED))) >= 1024


def test_an_answer_that_cannot_be_told() -> None:
    with pytest.raises(BadInputError) as refusal:
        answer(7, failure("", USED)._replace(compilation_note="n" * 2000))
    assert refusal.value.code == "bad-answer"
    with pytest.raises(BadInputError) as refusal:
        answer(7, failure("e", USED)._replace(output=text(2000)))
    assert refusal.value.code == "bad-answer"
    with pytest.raises(BadInputError) as refusal:
        answer(7, success(text(5 << 20)))
    assert refusal.value.code == "bad-answer"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"exit": 3, "stderr": b"bad \xff"}, "bad \ufffd"),
        ({"exit": 3}, "WASM program exited with error status 3"),
        ({"exit": None, "trap": "unreachable"}, "WASM execution failed: unreachable"),
        ({"exit": None, "trap": "out-of-instructions"}, "WASM execution failed: all instructions are used up"),
    ],
)
def test_failures(changes, error) -> None:
    response = response_of(RUN._replace(**changes), "Text", time_ms=42)
    assert response == failure(error, USED)
    assert returned_json(response) == returned_json(None) == b"null"


def test_output_that_is_not_what_was_asked_for() -> None:
    for data, words in (
        (b"a\xff", "invalid utf-8 sequence of 1 bytes from index 1"),
        (b"\xe2\x28\xa1", "invalid utf-8 sequence of 1 bytes from index 0"),
        (b"ab\xe2\x82", "incomplete utf-8 byte sequence from index 2"),
    ):
        found = response_of(RUN._replace(stdout=data), "Text", time_ms=42)
        assert found == success(TextOutput(f"Invalid UTF-8 output: {words}"))
    wrong = response_of(RUN._replace(stdout=b"{x"), "Json", time_ms=42)
    assert not wrong.success
    assert wrong.error is not None
    assert wrong.error.startswith("Failed to parse output as JSON: ")
    assert wrong.error.endswith("Output was: {x")
    huge = response_of(RUN._replace(stdout=b" " * (5 << 20)), "Json", time_ms=42)
    assert (huge.success, huge.error) == (False, "The output has 5242880 bytes, which no call takes")
    with pytest.raises(BadInputError):
        response_of(RUN, "Xml", time_ms=42)


def test_success_without_output_returns_null() -> None:
    assert returned_json(Response(success=True, output=None, error=None, resources=USED)) == b"null"


def quote(report_data):
    header = struct.pack("<HHI4x", 4, 2, 0x81) + INTEL_VENDOR + bytes(20)
    return header + bytes(520) + report_data + b"signature"


def test_registration() -> None:
    key = public_key_of(secret_key_from_seed("worker", scheme=0))
    evidence = quote(key[1:] + bytes(range(32)))
    call = register_worker_key(key, evidence)
    assert call.method == "register_worker_key"
    assert json.loads(call.args) == {"public_key": public_key_text(key), "tdx_quote_hex": evidence.hex()}
    with pytest.raises(EvidenceError) as refusal:
        register_worker_key(public_key_of(secret_key_from_seed("other", scheme=0)), evidence)
    assert refusal.value.code == "key-not-bound"
    with pytest.raises(BadInputError):
        register_worker_key(key, b"no quote")
    for wrong in (public_key_of(secret_key_from_seed("worker", scheme=SECP256K1)), key + b"x"):
        with pytest.raises(BadInputError) as bad:
            register_worker_key(wrong, evidence)
        assert bad.value.code == "bad-answer"
