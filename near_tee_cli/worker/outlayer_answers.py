"""Answers to OutLayer's contract: which method is called with which arguments, and what its callback then returns.

The contract resumes its yield with the response as JSON, for which the protocol has 1024 bytes. Responses below that go
with `resolve_execution`; a longer output is stored first (`submit_execution_output_and_resolve`, or
`submit_execution_output` when a refund of stablecoin has to be told as well); a longer error is cut.

Follows near-outlayer: worker/src/near_client.rs (submit_execution_result), worker/src/executor/mod.rs,
contract/src/execution.rs (on_execution_response), register-contract/src/lib.rs (register_worker_key)
"""

from typing import NamedTuple, assert_never

from near_tee_cli.attest.quote import parse_quote
from near_tee_cli.errors import BadInputError, EvidenceError
from near_tee_cli.primitives.canonical_json import base64_text
from near_tee_cli.primitives.keys import ED25519, public_key_text
from near_tee_cli.worker import serde_json
from near_tee_cli.worker.outlayer_cost import Resources
from near_tee_cli.worker.serde_json import Fields
from near_tee_cli.worker.wasi_run import OUT_OF_INSTRUCTIONS, Run

PAYLOAD_LIMIT = 1024
"""Bytes of a response from which on it does not go directly; the protocol itself takes as many."""

MAX_ERROR_BYTES = 512
"""Bytes that are left of an error whose response would be too long."""

MAX_ARGS_BYTES = 4 << 20
"""Bytes of the arguments of a call, which is what the protocol takes."""

_KEY_LENGTH = 32


class BytesOutput(NamedTuple):
    """Output as it is."""

    data: bytes


class TextOutput(NamedTuple):
    """Output as text."""

    text: str


class JsonOutput(NamedTuple):
    """Output as a JSON value: `None`, numbers, texts, lists and dictionaries."""

    value: object


Output = BytesOutput | TextOutput | JsonOutput


class Response(NamedTuple):
    """What a worker answers."""

    success: bool
    output: Output | None
    error: str | None
    resources: Resources
    compilation_note: str | None = None
    refund_usd: int | None = None
    """Smallest units of the stablecoin that the caller gets back."""


class ContractCall(NamedTuple):
    """A call to make: `args` is JSON in UTF-8."""

    method: str
    args: bytes


def response_of(run: Run, response_format: str, *, time_ms: int, compile_time_ms: int | None = None) -> Response:
    """The answer that `run` amounts to, its output in the requested form (`Bytes`, `Text` or `Json`).

    A failure says its instructions too, where OutLayer's own worker says none; the contract charges neither.
    """
    resources = Resources(run.instructions, time_ms, compile_time_ms)
    if run.exit != 0:
        return failure(_error_of(run), resources)
    if response_format == "Bytes":
        return Response(success=True, output=BytesOutput(run.stdout), error=None, resources=resources)
    if response_format == "Text":
        return Response(success=True, output=TextOutput(_text_of(run.stdout)), error=None, resources=resources)
    if response_format != "Json":
        raise BadInputError(f"{response_format[:80]!r} is no form of output", code="bad-request")
    if len(run.stdout) > MAX_ARGS_BYTES:
        return failure(f"The output has {len(run.stdout)} bytes, which no call takes", resources)
    try:
        value = serde_json.loads(run.stdout)
    except BadInputError as error:
        shown = run.stdout.decode("utf-8", "replace")
        return failure(f"Failed to parse output as JSON: {error.message}. Output was: {shown}", resources)
    return Response(success=True, output=JsonOutput(value), error=None, resources=resources)


def failure(error: str, resources: Resources) -> Response:
    """The answer of an execution that failed, or never began."""
    return Response(success=False, output=None, error=error, resources=resources)


def _error_of(run: Run) -> str:
    if run.exit is None:
        reason = "all instructions are used up" if run.trap == OUT_OF_INSTRUCTIONS else f"{run.trap}"
        return f"WASM execution failed: {reason}"
    if run.stderr:
        return run.stderr.decode("utf-8", "replace")
    return f"WASM program exited with error status {run.exit}"


def _text_of(data: bytes) -> str:
    """Text, or the words that Rust has for what is none."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":
            return f"Invalid UTF-8 output: incomplete utf-8 byte sequence from index {error.start}"
        length = error.end - error.start
        return f"Invalid UTF-8 output: invalid utf-8 sequence of {length} bytes from index {error.start}"


def answer(request_id: int, response: Response) -> tuple[ContractCall, ...]:
    """The calls, in order, that answer the request: one, or two for a long output with a refund.

    Raises `BadInputError` (`bad-answer`) when the response cannot be told in any way.
    """
    if len(payload(response)) < PAYLOAD_LIMIT:
        return (resolve_execution(request_id, response),)
    if response.success and response.output is not None:
        if response.refund_usd is None:
            return (submit_and_resolve(request_id, response),)
        return (
            submit_execution_output(request_id, response.output),
            resolve_execution(request_id, response._replace(output=None)),
        )
    return (resolve_execution(request_id, _with_short_error(response)),)


def _with_short_error(response: Response) -> Response:
    """The response with as much of its error as fits: at most `MAX_ERROR_BYTES`, and fewer when they are escaped."""
    error = response.error or ""
    size = len(error.encode())
    for kept in range(min(MAX_ERROR_BYTES, size), -1, -1):
        text = error.encode()[:kept].decode("utf-8", "ignore")
        cut = response._replace(error=f"{text}... (truncated, original size: {size} bytes)")
        if len(payload(cut)) < PAYLOAD_LIMIT:
            return cut
    raise BadInputError("the response is too long even without its error", code="bad-answer")


def payload(response: Response) -> bytes:
    """What the contract resumes its yield with when it gets this response."""
    return serde_json.dumps(_response_fields(response)).encode()


def resolve_execution(request_id: int, response: Response) -> ContractCall:
    """The call that answers directly; the payload must be within the protocol's bound (`bad-answer`)."""
    if len(payload(response)) > PAYLOAD_LIMIT:
        raise BadInputError(f"a yield is resumed with at most {PAYLOAD_LIMIT} bytes", code="bad-answer")
    return _call("resolve_execution", Fields(request_id=request_id, response=_response_fields(response)))


def submit_execution_output(request_id: int, output: Output) -> ContractCall:
    """The call that stores an output; the answer itself has still to come."""
    return _call("submit_execution_output", Fields(request_id=request_id, output=_output_fields(output)))


def submit_and_resolve(request_id: int, response: Response) -> ContractCall:
    """The call that stores a long output and answers. It has no place for a refund of stablecoin (`bad-answer`)."""
    if response.output is None or response.refund_usd is not None:
        raise BadInputError("this way takes an output and no refund", code="bad-answer")
    return _call(
        "submit_execution_output_and_resolve",
        Fields(
            request_id=request_id,
            output=_output_fields(response.output),
            success=response.success,
            error=response.error,
            resources_used=_resource_fields(response.resources),
            compilation_note=response.compilation_note,
        ),
    )


def returned_value(response: Response | None) -> object:
    """The JSON value that the callback `on_execution_response` returns; `None` is what a timeout gives it."""
    if response is None or not response.success or response.output is None:
        return None
    match response.output:
        case BytesOutput(data):
            return base64_text(data)
        case TextOutput(text):
            return text
        case JsonOutput(value):
            return value
        case _:
            assert_never(response.output)


def returned_json(response: Response | None) -> bytes:
    """The bytes that the callback returns."""
    return serde_json.dumps(returned_value(response)).encode()


def register_worker_key(public_key: bytes, quote: bytes) -> ContractCall:
    """The call that registers a worker's key (Borsh, Ed25519) at the registration contract.

    Raises `EvidenceError` (`key-not-bound`) when the quote binds another key, and what `parse_quote` raises. Whether
    the quote is genuine is for the contract to say.
    """
    if public_key[:1] != bytes([ED25519]) or len(public_key) != 1 + _KEY_LENGTH:
        raise BadInputError("only Ed25519 keys are registered", code="bad-answer")
    if parse_quote(quote).report_data[:_KEY_LENGTH] != public_key[1:]:
        raise EvidenceError(
            f"{public_key_text(public_key)} is not what the quote's report data begins with", code="key-not-bound"
        )
    return _call("register_worker_key", Fields(public_key=public_key_text(public_key), tdx_quote_hex=quote.hex()))


def _call(method: str, fields: Fields) -> ContractCall:
    args = serde_json.dumps(fields).encode()
    if len(args) > MAX_ARGS_BYTES:
        raise BadInputError(f"a call takes {MAX_ARGS_BYTES} bytes of arguments, not {len(args)}", code="bad-answer")
    return ContractCall(method, args)


def _response_fields(response: Response) -> Fields:
    return Fields(
        success=response.success,
        output=None if response.output is None else _output_fields(response.output),
        error=response.error,
        resources_used=_resource_fields(response.resources),
        compilation_note=response.compilation_note,
        refund_usd=response.refund_usd,
    )


def _resource_fields(resources: Resources) -> Fields:
    return Fields(
        instructions=resources.instructions, time_ms=resources.time_ms, compile_time_ms=resources.compile_time_ms
    )


def _output_fields(output: Output) -> Fields:
    match output:
        case BytesOutput(data):
            return Fields(Bytes=list(data))
        case TextOutput(text):
            return Fields(Text=text)
        case JsonOutput(value):
            return Fields(Json=value)
        case _:
            assert_never(output)
