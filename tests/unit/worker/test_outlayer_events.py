"""Requests are read strictly, in both shapes, and what cannot be executed is refused by name."""

import json

import pytest

from near_tee_cli.errors import BadInputError, UnsupportedError
from near_tee_cli.worker.outlayer_events import (
    GitHubSource,
    Request,
    RequestLimits,
    SecretsReference,
    WasmUrlSource,
    program_hash_of,
    requests_in,
    with_stored_input,
)
from tests.support.outlayer import DATA_ID, NEW, OLD, item, log_of


def one(**changes):
    (request,) = requests_in([log_of(item({**NEW, **changes}))])
    return request


def test_the_present_shape() -> None:
    assert one() == Request(
        request_id=0, data_id=DATA_ID, sender_id="user.near", predecessor_id="app.near",
        source=WasmUrlSource("https://x/y.wasm", "ab" * 32, "wasm32-wasip1"), limits=RequestLimits(1000, 1, 5),
        input_data="hi", secrets=None, response_format="Json", payment=10**23, attached_usd=0, timestamp=2000000100,
        compile_only=False, force_rebuild=False, store_on_fastfs=False, use_bound_identity=False, project_uuid=None,
        project_id=None,
    )  # fmt: skip
    github = {"GitHub": {"repo": "r", "commit": "c", "build_target": None}}
    assert one(code_source=github).source == GitHubSource("r", "c", None)
    assert one(secrets_ref={"profile": "p", "account_id": "a.near"}).secrets == SecretsReference("p", "a.near")
    assert one(project_id="a.near/b", project_uuid="u").project_id == "a.near/b"


def test_the_older_shape() -> None:
    (request,) = requests_in([log_of(item(OLD))])
    assert request.source == GitHubSource("https://x/y", "main", "wasm32-wasip1")
    assert (request.predecessor_id, request.attached_usd, request.compile_only) == (None, 0, False)
    assert (request.response_format, request.input_data) == ("Text", "hi")
    (without,) = requests_in([log_of(item({name: OLD[name] for name in OLD if name != "response_format"}))])
    assert without.response_format == "Text"


def test_several_in_one_log_and_logs_of_others() -> None:
    logs = [
        "hello",
        "EVENT_JSON:{",
        'EVENT_JSON:{"standard":"nep171","event":"x","data":1.5}',
        log_of(item(NEW), item({**OLD, "request_id": 1})),
        log_of(item(NEW), event="execution_completed"),
        log_of(item(NEW), standard="else"),
        "EVENT_JSON:[]",
        log_of(item(NEW)).removeprefix("EVENT_JSON:"),
        log_of(item(NEW), standard="els")[:-1],
        log_of(item(NEW), event="else")[:-1],
        log_of(item({**NEW, "request_id": 2})),
    ]
    assert [request.request_id for request in requests_in(logs)] == [0, 1, 2]
    assert [request.request_id for request in requests_in(logs, standard="else")] == [0]
    assert requests_in([]) == ()


def test_an_input_in_the_state() -> None:
    request = one(input_data="", input_data_in_state=True)
    assert request.input_data is None
    stored = {"request_id": 0, "data_id": list(DATA_ID), "input_data": "long", "sender_id": "x"}
    assert with_stored_input(request, json.dumps(stored).encode()) == one(input_data="long")
    assert with_stored_input(one(), json.dumps({**stored, "input_data": "hi"}).encode()) == one()
    absent = with_stored_input(request, json.dumps({**stored, "input_data": None}).encode())
    assert absent.input_data == ""


@pytest.mark.parametrize(
    "changes",
    [{"request_id": 1}, {"data_id": [0] * 32}, {"data_id": [0]}, {"input_data": 1}, {"request_id": "0"}, None],
)
def test_a_stored_request_that_is_another_one(changes) -> None:
    stored = {"request_id": 0, "data_id": list(DATA_ID), "input_data": "hi"}
    answer = b"null" if changes is None else json.dumps({**stored, **changes}).encode()
    with pytest.raises(BadInputError) as refusal:
        with_stored_input(one(input_data="", input_data_in_state=True), answer)
    assert refusal.value.code == "bad-request"
    with pytest.raises(BadInputError):
        with_stored_input(one(input_data="other"), json.dumps(stored).encode())


@pytest.mark.parametrize(
    "changes",
    [
        {"request_id": -1},
        {"request_id": 2**64},
        {"request_id": "0"},
        {"sender_id": "NO"},
        {"predecessor_id": ""},
        {"code_source": None},
        {"code_source": {"WasmUrl": {"url": "u"}}},
        {"code_source": {"WasmUrl": {"url": "u", "hash": "h", "more": 1}}},
        {"code_source": {"GitHub": {"repo": "r", "commit": "c"}, "WasmUrl": {"url": "u", "hash": "h"}}},
        {"code_source": {"Project": {"project_id": "p"}}},
        {"code_source": {"repo": "r"}},
        {"resource_limits": None},
        {"resource_limits": {"max_instructions": 1.5}},
        {"resource_limits": {"max_memory_mb": 2**32}},
        {"resource_limits": {"max_disk": 1}},
        {"input_data": None},
        {"input_data_in_state": True},
        {"input_data_in_state": 1},
        {"secrets_ref": {"profile": "p"}},
        {"secrets_ref": "p"},
        {"response_format": "Xml"},
        {"response_format": None},
        {"payment": 1},
        {"payment": "-1"},
        {"payment": str(2**128)},
        {"attached_usd": "x"},
        {"timestamp": 1},
        {"compile_only": None},
        {"project_id": 1},
        {"more": 1},
    ],
)
def test_requests_that_cannot_be_read(changes) -> None:
    with pytest.raises(BadInputError) as refusal:
        requests_in([log_of(item({**NEW, **changes}))])
    assert refusal.value.code == "bad-event"


@pytest.mark.parametrize(
    "name", [name for name in NEW if name in OLD and name not in ("secrets_ref", "response_format")]
)
def test_requests_that_lack_something(name) -> None:
    with pytest.raises(BadInputError) as refusal:
        requests_in([log_of(item({key: value for key, value in NEW.items() if key != name}))])
    assert refusal.value.code == "bad-event"


@pytest.mark.parametrize(
    "log",
    [
        log_of(item(NEW), more=1),
        log_of(item(NEW)).replace("1.0.0", '1.0.0","version":"1.0.0'),
        log_of(item(NEW)).replace("2000000100", "2000000100.0"),
        log_of(item(NEW))[:-1],
        log_of(item(NEW)).replace('"1.0.0"', "1"),
        log_of({**item(NEW), "more": 1}),
        log_of(item(NEW, data_id=bytes(31))),
        log_of({**item(NEW), "data_id": [256] * 32}),
        log_of({**item(NEW), "data_id": "x"}),
        log_of({**item(NEW), "request_data": NEW}),
        log_of({**item(NEW), "request_data": "{"}),
        log_of({**item(NEW), "request_data": item(NEW)["request_data"].replace("{", '{"request_id":1,', 1)}),
        log_of("x"),
        log_of(item(NEW)).replace('"data": [', '"data": ').replace("]}", "}"),
    ],
)
def test_events_that_cannot_be_read(log) -> None:
    with pytest.raises(BadInputError) as refusal:
        requests_in([log])
    assert refusal.value.code == "bad-event"


def test_the_hash_of_a_program() -> None:
    assert program_hash_of(one()) == b"\xab" * 32
    source = {"url": "u", "hash": "AB" * 32, "build_target": None}
    assert program_hash_of(one(code_source={"WasmUrl": source})) == b"\xab" * 32


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"compile_only": True}, "unsupported-compile-only"),
        ({"code_source": OLD["code_source"]}, "unsupported-github-source"),
        ({"secrets_ref": {"profile": "p", "account_id": "a.near"}}, "unsupported-secrets"),
        ({"use_bound_identity": True}, "unsupported-bound-identity"),
        ({"store_on_fastfs": True}, "unsupported-fastfs"),
        ({"build_target": "wasm32-wasip2"}, "unsupported-wasip2"),
        ({"build_target": "wasm64"}, "unsupported-build-target"),
        ({"hash": "ab"}, "bad-request"),
        ({"hash": "zz" * 32}, "bad-request"),
        ({"hash": "ab " * 32}, "bad-request"),
        ({"input_data": "", "input_data_in_state": True}, "bad-request"),
    ],
)
def test_what_cannot_be_executed(changes, code) -> None:
    if "hash" in changes or "build_target" in changes:
        changes = {"code_source": {"WasmUrl": {**NEW["code_source"]["WasmUrl"], **changes}}}
    with pytest.raises(BadInputError) as refusal:
        program_hash_of(one(**changes))
    assert refusal.value.code == code
    assert isinstance(refusal.value, UnsupportedError) == code.startswith("unsupported")
