"""What a file is shows in its content; what holds no state is refused by name."""

import json

import pytest

from near_tee_cli.errors import BadInputError, UnsupportedError
from near_tee_cli.sources.shapes import Shape, recognise
from tests.support import answers

ENTRY = {"key": "YQ==", "value": "MQ=="}
RECORD = {"Data": {"account_id": "a.near", "data_key": "YQ==", "value": "MQ=="}}
CONFIG = {"chain_id": "x", "protocol_version": 86, "genesis_height": 0}


def shapes(document):
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return [found.shape for found in recognise(data, "x.json")]


@pytest.mark.parametrize(
    ("document", "shape"),
    [
        (answers.view_account(), Shape.VIEW_ACCOUNT),
        (answers.view_code(), Shape.VIEW_CODE),
        (answers.view_state(), Shape.VIEW_STATE),
        (answers.view_state({}), Shape.VIEW_STATE),
        (answers.view_access_key_list(), Shape.VIEW_ACCESS_KEY_LIST),
        ({"nonce": 1, "permission": "FullAccess", **answers.BLOCK}, Shape.VIEW_ACCESS_KEY),
        ({**CONFIG, "records": [RECORD]}, Shape.GENESIS),
        (CONFIG, Shape.GENESIS_CONFIG),
        ({"records": [RECORD]}, Shape.RECORDS),
        ([RECORD], Shape.RECORDS),
        ([ENTRY], Shape.VIEW_STATE),
        ({"YQ==": "MQ=="}, Shape.STATE_MAP),
        ({"header": {}, "chunks": []}, Shape.BLOCK),
        ({"jsonrpc": "2.0", "id": 1, "method": "sandbox_patch_state", "params": {"records": [RECORD]}}, Shape.PATCH),
    ],
)
def test_shapes(document, shape):
    assert shapes(document) == [shape]


def test_envelopes_keep_the_request():
    params = {"request_type": "view_state", "account_id": "a.near", "finality": "final", "prefix_base64": ""}
    body = answers.view_state()
    asked = {"jsonrpc": "2.0", "id": "x", "method": "query", "params": params}
    for document in (
        {"jsonrpc": "2.0", "id": "x", "params": params, "result": body},
        {"request": asked, "response": {"jsonrpc": "2.0", "id": "x", "result": body}},
        {"request": params, "response": body},
        {"params": params, "result": body},
    ):
        (found,) = recognise(json.dumps(document).encode(), "x")
        assert (found.shape, found.request, found.content) == (Shape.VIEW_STATE, params, body)


def test_batch_of_answers():
    batch = [json.loads(answers.answer(answers.view_account())), json.loads(answers.answer(answers.view_code()))]
    assert shapes(batch) == [Shape.VIEW_ACCOUNT, Shape.VIEW_CODE]


@pytest.mark.parametrize("bar", ["", "│ ", "  | "])
def test_what_a_command_line_tool_prints(bar):
    pretty = json.dumps([ENTRY], indent=2).splitlines()
    lines = ["Contract state (values):", *pretty, "", "Contract state (proof):", "[", "]"]
    (found,) = recognise("\n".join(bar + line for line in lines).encode(), "x")
    assert found.content == {"values": [ENTRY]}
    (found,) = recognise(b"Contract state (values):\n[]\nContract state (proof):\n[\n]\n", "x")
    assert found.content == {"values": []}


def test_what_the_older_command_line_tool_prints():
    printed = b"[\n  { key: 'YQ==', value: 'MQ==' },\n  {\n    key: 'Yg==',\n    value: ''\n  }\n]\n"
    (found,) = recognise(printed, "x")
    assert found.content == {"values": [ENTRY, {"key": "Yg==", "value": ""}]}
    for cut in (b"... 1 more item\n]", b"x]"):
        with pytest.raises(BadInputError) as refused:
            recognise(printed.replace(b"]", cut), "x")
        assert refused.value.code == "bad-json"


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"jsonrpc": "2.0", "error": {"cause": {"name": "TOO_LARGE_CONTRACT_STATE"}}}, "rpc-error"),
        ({"error": "account does not exist", "logs": [], **answers.BLOCK}, "rpc-error"),
        ({"jsonrpc": "2.0", "method": "query", "params": {"request_type": "view_state"}}, "no-answer"),
        ({"request_type": "view_state", "account_id": "a.near"}, "no-answer"),
        ({"result": [1], "logs": [], **answers.BLOCK}, "not-a-state"),
        ({"current_account_id": "a.near", "input": ""}, "not-a-state"),
        ({"changes": [], "block_hash": "x"}, "unsupported-state-changes"),
        ({"schema": "near-tee/snapshot/v1"}, "not-foreign"),
        ({"format": "near-tee/case/v1"}, "not-foreign"),
        ({"what": 1}, "not-recognised"),
        ({}, "not-recognised"),
        ([], "not-recognised"),
        ([1], "not-recognised"),
        (b"hello", "not-recognised"),
        (b"\xff\xfe", "not-recognised"),
        (b"", "not-recognised"),
        (b'{"a":1,"a":2}', "duplicate-key"),
        (b"[" * 100 + b"]" * 100, "too-deep"),
        (b"{", "bad-json"),
    ],
)
def test_what_is_refused(document, code):
    with pytest.raises(BadInputError) as refused:
        shapes(document)
    assert refused.value.code == code


def test_the_reason_of_an_error_is_told():
    with pytest.raises(BadInputError, match="TOO_LARGE_CONTRACT_STATE"):
        shapes({"jsonrpc": "2.0", "error": {"cause": {"name": "TOO_LARGE_CONTRACT_STATE", "info": {}}}})


def test_changes_are_unsupported_by_name():
    with pytest.raises(UnsupportedError):
        shapes({"changes": [], "block_hash": "x"})
