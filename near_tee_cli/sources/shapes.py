"""Which of NEAR's many state files some bytes are: told by content, never by name.

One file may hold an answer of a node as it was saved, with or without the JSON-RPC envelope and the request around
it, a genesis, records in any of their wrappings, the map of the standalone contract runner, or what a command line
tool printed. Whatever is none of these, or is known and holds no state, is refused by name.
"""

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple

from near_tee_cli.errors import BadInputError, UnsupportedError
from near_tee_cli.primitives import canonical_json as cj

MAX_BYTES = 256 * 1024 * 1024
"""Bytes of one file."""

_BARS = "│┃| \t"
"""What command line tools draw before the lines of an answer."""

RECORD_KINDS = frozenset(
    (
        "Account", "AccessKey", "Contract", "Data", "DelayedReceipt", "GasKeyNonce", "PostponedReceipt",
        "ReceivedData",
    )
)  # fmt: skip
"""Names of the kinds of state records."""


class Shape(Enum):
    """What a file is; the value is how it is called towards people and programs."""

    GENESIS = "genesis"
    GENESIS_CONFIG = "genesis-config"
    RECORDS = "records"
    PATCH = "sandbox-patch-state"
    VIEW_STATE = "view-state"
    VIEW_ACCOUNT = "view-account"
    VIEW_CODE = "view-code"
    VIEW_ACCESS_KEY = "view-access-key"
    VIEW_ACCESS_KEY_LIST = "view-access-key-list"
    STATE_MAP = "state-map"
    BLOCK = "block"


class Found(NamedTuple):
    """A part of a file that is one thing."""

    shape: Shape
    content: Any
    """The parsed JSON, without what was around it."""
    request: Mapping[str, Any]
    """Parameters of the request that it answers, empty when they are not in the file."""


def recognise(data: bytes, what: str) -> list[Found]:
    """What the file `what` with the bytes `data` holds; several parts when it is a batch of answers.

    Raises `BadInputError`: `not-recognised` for anything unknown, `not-a-state` for what has no state, `rpc-error`
    for an answer that is an error, `no-answer` for a request without one, and the codes of strict JSON.
    """
    if data.lstrip()[:1] in (b"{", b"["):
        document = _as_javascript(data) or cj.loads(data, what, max_bytes=MAX_BYTES)
    else:
        document = _printed(data, what)
    if isinstance(document, list) and document and all(_is_envelope(item) for item in document):
        return [_unwrapped(item, {}, what) for item in document]
    return [_unwrapped(document, {}, what)]


def _as_javascript(data: bytes) -> object:
    """The keys and values that near-cli-js prints, as JavaScript; `None` for anything else."""
    if len(data) > MAX_BYTES or not _JAVASCRIPT.match(data):
        return None
    items = [(match[1].decode(), match[2].decode()) for match in _ITEM.finditer(data)]
    rest = _ITEM.sub(b"", data).translate(None, b"[], \t\r\n")
    return None if rest else {"values": [{"key": key, "value": value} for key, value in items]}


_ITEM = re.compile(rb"\{\s*key:\s*'([A-Za-z0-9+/=]*)',\s*value:\s*'([A-Za-z0-9+/=]*)'\s*\}")
_JAVASCRIPT = re.compile(rb"\s*\[\s*\{\s*key:")


def _printed(data: bytes, what: str) -> object:
    """The list of keys and values among the lines that a command line tool printed."""
    refused = BadInputError(
        f"{what} is neither JSON nor what a command line tool prints of a contract's state", code="not-recognised"
    )
    if len(data) > MAX_BYTES:
        raise BadInputError(f"{what} has {len(data)} bytes, at most {MAX_BYTES} are read", code="too-large")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise refused from error
    lines = [line.lstrip(_BARS) for line in text.splitlines()]
    begin = next((at for at, line in enumerate(lines) if line.startswith("[")), None)
    if begin is None:
        raise refused
    whole = lines[begin].rstrip().endswith("]")
    end = begin if whole else next((at for at in range(begin, len(lines)) if lines[at].rstrip() == "]"), begin)
    values = cj.loads("\n".join(lines[begin : end + 1]).encode(), what, max_bytes=MAX_BYTES)
    return {"values": values}


def _is_envelope(value: object) -> bool:
    return isinstance(value, dict) and "jsonrpc" in value


def _unwrapped(value: object, request: Mapping[str, Any], what: str) -> Found:
    """Take off envelopes, keeping the request."""
    if isinstance(value, dict):
        if set(value) == {"request", "response"}:
            asked = value["request"]
            params = asked.get("params", asked) if isinstance(asked, dict) else {}
            return _unwrapped(value["response"], params if isinstance(params, dict) else {}, what)
        if _is_envelope(value) or ("result" in value and set(value) <= {"id", "method", "params", "result", "error"}):
            return _from_envelope(value, request, what)
    return Found(_shape(value, what), value, request)


def _from_envelope(value: Mapping[str, Any], request: Mapping[str, Any], what: str) -> Found:
    params = value.get("params")
    if value.get("error") is not None:
        raise BadInputError(
            f"{what} is the answer that there was an error: {_reason(value['error'])}", code="rpc-error"
        )
    if value.get("method") == "sandbox_patch_state" and isinstance(params, dict) and "records" in params:
        return Found(Shape.PATCH, {"records": params["records"]}, {})
    if "result" not in value:
        raise BadInputError(f"{what} is a request without its answer", code="no-answer")
    result = value["result"]
    return _unwrapped(result, params if isinstance(params, dict) else request, what)


def _error_answer(value: Mapping[str, Any], what: str) -> BadInputError:
    return BadInputError(f"{what} is the answer that there was an error: {_reason(value['error'])}", code="rpc-error")


def _reason(error: object) -> str:
    """What an error of a node says, short enough for a line."""
    if isinstance(error, dict):
        cause = error.get("cause")
        parts = [cause.get("name") if isinstance(cause, dict) else None, error.get("data"), error.get("message")]
        texts = [part for part in parts if isinstance(part, str)]
        return ": ".join(texts)[:200] or "of an unknown kind"
    return cj.shown(error)


def _shape(value: object, what: str) -> Shape:
    if isinstance(value, list):
        return _shape_of_list(value, what)
    if not isinstance(value, dict):
        raise BadInputError(f"{what} is {cj.shown(value)}, no state", code="not-recognised")
    _refuse_known(value, what)
    for shape, names in _MEMBERS:
        if all(name in value for name in names):
            return shape
    if value and all(isinstance(item, str) for item in value.values()):
        return Shape.STATE_MAP
    shown = ", ".join(cj.shown(name) for name in list(value)[:5])
    raise BadInputError(
        f"{what} is no state that is known: an object with {shown or 'nothing in it'}",
        code="not-recognised",
        hint="known: " + ", ".join(shape.value for shape in Shape),
    )


_MEMBERS = (
    (Shape.GENESIS, ("records", "chain_id", "protocol_version")),
    (Shape.RECORDS, ("records",)),
    (Shape.GENESIS_CONFIG, ("chain_id", "protocol_version", "genesis_height")),
    (Shape.BLOCK, ("header", "chunks")),
    (Shape.VIEW_STATE, ("values",)),
    (Shape.VIEW_CODE, ("code_base64",)),
    (Shape.VIEW_ACCESS_KEY_LIST, ("keys",)),
    (Shape.VIEW_ACCESS_KEY, ("nonce", "permission")),
    (Shape.VIEW_ACCOUNT, ("amount", "code_hash")),
)
"""The members that tell each, the more telling first."""


def _shape_of_list(items: list[object], what: str) -> Shape:
    if not items:
        raise BadInputError(f"{what} is an empty array: of records, or of what?", code="not-recognised")
    if all(isinstance(item, dict) and len(item) == 1 for item in items):
        return Shape.RECORDS
    if all(isinstance(item, dict) and "key" in item and "value" in item for item in items):
        return Shape.VIEW_STATE
    raise BadInputError(f"{what} is an array of neither state records nor keys and values", code="not-recognised")


def _refuse_known(value: Mapping[str, Any], what: str) -> None:
    """Refuse what can be told apart and holds no state of its own."""
    if str(value.get("schema", "")).startswith("near-tee/") or str(value.get("format", "")).startswith("near-tee/"):
        raise BadInputError(
            f"{what} is near-tee's own", code="not-foreign", hint="give it as it is: --state, or state merge"
        )
    if "current_account_id" in value:
        raise BadInputError(f"{what} is the context of a call, no state", code="not-a-state", hint="--context reads it")
    if "error" in value and "block_hash" in value:
        raise BadInputError(
            f"{what} is the answer that there was an error: {_reason(value['error'])}", code="rpc-error"
        )
    if "changes" in value and "block_hash" in value:
        raise UnsupportedError(f"{what} has changes of a state, no state", what="state-changes")
    if "result" in value and "logs" in value:
        raise BadInputError(f"{what} is the answer of a view call, no state", code="not-a-state")
    if "request_type" in value:
        raise BadInputError(f"{what} is a request without its answer", code="no-answer")
