"""Requests for executions, out of the logs of OutLayer's contract.

The contract logs an event (NEP-297) whose data holds the request as JSON text inside of JSON, and the id of the yield
that waits for the answer. Two shapes are in use, told apart by the source: `{"GitHub": {...}}` or `{"WasmUrl": {...}}`,
and in older contracts `{"repo": ..., "commit": ..., "build_target": ...}` without a name, with fewer fields around it.
Inputs of 10000 bytes and more are left out of the event and lie in the contract's state.

Anybody can log anything: only logs of receipts that ran on the very contract count, which the caller has to see to.

Follows near-outlayer: contract/src/events.rs, contract/src/execution.rs, contract/src/lib.rs
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from near_tee_cli.errors import BadInputError, UnsupportedError
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.primitives.integers import U64_MAX
from near_tee_cli.primitives.schema.json_scalars import read_account_id
from near_tee_cli.primitives.schema.wire import HASH_LENGTH, U32_MAX

STANDARD = "near-outlayer"
"""The standard that the events name."""

EVENT = "execution_requested"

FORMATS = ("Bytes", "Text", "Json")
"""What the caller wants the output as; `Text` unless it says so."""

TARGETS = ("wasm32-wasip1", "wasm32-wasi")
"""Build targets of programs for WASI preview 1."""

_PREFIX = "EVENT_JSON:"
_MAX_LOG_BYTES = 1 << 20
_REQUIRED = (
    "request_id", "sender_id", "code_source", "resource_limits", "input_data", "payment", "timestamp",
)  # fmt: skip
_OPTIONAL = (
    "predecessor_id", "input_data_in_state", "secrets_ref", "response_format", "attached_usd", "compile_only",
    "force_rebuild", "store_on_fastfs", "use_bound_identity", "project_uuid", "project_id",
)  # fmt: skip


class GitHubSource(NamedTuple):
    """A program that has to be built first."""

    repo: str
    commit: str
    build_target: str | None


class WasmUrlSource(NamedTuple):
    """A program that is named by its hash."""

    url: str
    hash: str
    """SHA-256 in hexadecimal digits, as the request has it."""
    build_target: str | None


class RequestLimits(NamedTuple):
    """What the program may use at most; `None` where the request leaves it open."""

    max_instructions: int | None
    max_memory_mb: int | None
    max_execution_seconds: int | None


class SecretsReference(NamedTuple):
    """Secrets that the program is to be given."""

    profile: str
    account_id: str


class Request(NamedTuple):
    """One request for an execution."""

    request_id: int
    data_id: bytes
    """32 bytes: names the yield that waits for the answer."""
    sender_id: str
    """Who signed the transaction."""
    predecessor_id: str | None
    """Who called the contract; older contracts do not say."""
    source: GitHubSource | WasmUrlSource
    limits: RequestLimits
    input_data: str | None
    """`None` when it lies in the contract's state: see `with_stored_input`."""
    secrets: SecretsReference | None
    response_format: str
    """One of `FORMATS`."""
    payment: int
    """yoctoNEAR."""
    attached_usd: int
    """Smallest units of the stablecoin."""
    timestamp: int
    """Nanoseconds since 1970, of the block."""
    compile_only: bool
    force_rebuild: bool
    store_on_fastfs: bool
    use_bound_identity: bool
    project_uuid: str | None
    project_id: str | None


def requests_in(logs: Iterable[str], *, standard: str = STANDARD) -> tuple[Request, ...]:
    """All requests in the `logs` of one contract, in order; logs that are something else are passed over.

    Raises `BadInputError` (`bad-event`) for a log that is such an event and cannot be read.
    """
    found: list[Request] = []
    for log in logs:
        if log.startswith(_PREFIX):
            found.extend(_requests_of(log.removeprefix(_PREFIX), standard))
    return tuple(found)


def _requests_of(text: str, standard: str) -> list[Request]:
    try:
        event = cj.loads(text.encode("utf-8", "surrogatepass"), "the event", max_bytes=_MAX_LOG_BYTES)
    except BadInputError as error:
        # Other events may be anything. One of these must not get lost because it is spelt badly.
        if EVENT in text and standard in text:
            raise _bad(error) from error
        return []
    if not isinstance(event, dict) or (event.get("standard"), event.get("event")) != (standard, EVENT):
        return []
    try:
        fields = cj.members(event, "the event", required=("standard", "version", "event", "data"))
        cj.string(fields["version"], "version")
        items = cj.array(fields["data"], "data")
        return [_request(item, f"data[{at}]") for at, item in enumerate(items)]
    except BadInputError as error:
        raise _bad(error) from error


def _bad(error: BadInputError) -> BadInputError:
    return BadInputError(f"a request for an execution: {error.message}", code="bad-event", where=error.where)


def _request(item: object, where: str) -> Request:
    event = cj.members(item, where, required=("request_data", "data_id", "timestamp"))
    data_id = _data_id(event["data_id"], f"{where}.data_id")
    timestamp = cj.integer(event["timestamp"], f"{where}.timestamp")
    text = cj.string(event["request_data"], f"{where}.request_data").encode()
    document = cj.loads(text, f"{where}.request_data", max_bytes=_MAX_LOG_BYTES)
    fields = cj.members(document, f"{where}.request_data", required=_REQUIRED, optional=_OPTIONAL)
    if cj.integer(fields["timestamp"], "timestamp") != timestamp:
        raise BadInputError("event and request name different times", where=where)
    in_state = _flag(fields, "input_data_in_state")
    input_data = cj.string(fields["input_data"], "input_data")
    if in_state and input_data:
        raise BadInputError("the input is both in the event and in the state", where=where)
    response_format = cj.string(fields.get("response_format", "Text"), "response_format")
    if response_format not in FORMATS:
        raise BadInputError(f"response_format is {cj.shown(response_format)}", where=where)
    predecessor = fields.get("predecessor_id")
    return Request(
        request_id=cj.integer(fields["request_id"], "request_id"),
        data_id=data_id,
        sender_id=read_account_id(fields["sender_id"], "sender_id"),
        predecessor_id=None if predecessor is None else read_account_id(predecessor, "predecessor_id"),
        source=_source(fields["code_source"]),
        limits=_limits(fields["resource_limits"]),
        input_data=None if in_state else input_data,
        secrets=_secrets(fields.get("secrets_ref")),
        response_format=response_format,
        payment=cj.decimal(fields["payment"], "payment"),
        attached_usd=cj.decimal(fields.get("attached_usd", "0"), "attached_usd"),
        timestamp=timestamp,
        compile_only=_flag(fields, "compile_only"),
        force_rebuild=_flag(fields, "force_rebuild"),
        store_on_fastfs=_flag(fields, "store_on_fastfs"),
        use_bound_identity=_flag(fields, "use_bound_identity"),
        project_uuid=_text(fields.get("project_uuid"), "project_uuid"),
        project_id=_text(fields.get("project_id"), "project_id"),
    )


def _data_id(value: object, where: str) -> bytes:
    items = cj.array(value, where)
    if len(items) != HASH_LENGTH:
        raise BadInputError(f"{where} has {len(items)} numbers, expected {HASH_LENGTH}", where=where)
    return bytes(cj.integer(item, where, bound=255) for item in items)


def _source(value: object) -> GitHubSource | WasmUrlSource:
    kinds = cj.mapping(value, "code_source")
    if set(kinds) == {"GitHub"}:
        return _github(kinds["GitHub"], "code_source.GitHub")
    if set(kinds) == {"WasmUrl"}:
        where = "code_source.WasmUrl"
        fields = cj.members(kinds["WasmUrl"], where, required=("url", "hash"), optional=("build_target",))
        url, digest = (cj.string(fields[name], f"{where}.{name}") for name in ("url", "hash"))
        return WasmUrlSource(url, digest, _text(fields.get("build_target"), f"{where}.build_target"))
    return _github(kinds, "code_source")


def _github(value: object, where: str) -> GitHubSource:
    fields = cj.members(value, where, required=("repo", "commit"), optional=("build_target",))
    repo, commit = (cj.string(fields[name], f"{where}.{name}") for name in ("repo", "commit"))
    return GitHubSource(repo, commit, _text(fields.get("build_target"), f"{where}.build_target"))


def _limits(value: object) -> RequestLimits:
    names = RequestLimits._fields
    fields = cj.members(value, "resource_limits", required=(), optional=names)
    bounds = (U64_MAX, U32_MAX, U64_MAX)
    return RequestLimits(
        *(
            None if fields.get(name) is None else cj.integer(fields[name], name, bound=bound)
            for name, bound in zip(names, bounds, strict=True)
        )
    )


def _secrets(value: object) -> SecretsReference | None:
    if value is None:
        return None
    fields = cj.members(value, "secrets_ref", required=("profile", "account_id"))
    profile = cj.string(fields["profile"], "secrets_ref.profile")
    return SecretsReference(profile, read_account_id(fields["account_id"], "secrets_ref.account_id"))


def _flag(fields: Mapping[str, object], name: str) -> bool:
    return cj.boolean(fields.get(name, False), name)


def _text(value: object, where: str) -> str | None:
    return None if value is None else cj.string(value, where)


def with_stored_input(request: Request, answer: bytes) -> Request:
    """`request` with the input that the contract's view `get_request` shows (its JSON).

    Raises `BadInputError` (`bad-request`) when the answer is about another request.
    """
    try:
        fields = cj.mapping(cj.loads(answer, "the stored request"), "the stored request")
        number = cj.integer(fields.get("request_id"), "request_id")
        data_id = _data_id(fields.get("data_id"), "data_id")
        stored = fields.get("input_data")
        data = "" if stored is None else cj.string(stored, "input_data")
    except BadInputError as error:
        raise BadInputError(error.message, code="bad-request", where=error.where) from error
    if (number, data_id) != (request.request_id, request.data_id):
        raise BadInputError("the stored request is another one", code="bad-request")
    if request.input_data is not None and data != request.input_data:
        raise BadInputError("the stored input is another one than the event's", code="bad-request")
    return request._replace(input_data=data)


def program_hash_of(request: Request) -> bytes:
    """SHA-256 of the program that `request` asks for, once it is certain that it can be executed here.

    Raises `UnsupportedError`: `unsupported-compile-only`, `unsupported-github-source`, `unsupported-secrets`,
    `unsupported-wasip2`, `unsupported-build-target`, `unsupported-bound-identity`, `unsupported-fastfs`; and
    `BadInputError` (`bad-request`) for a hash that is none and an input that is not there.
    """
    if request.compile_only:
        raise UnsupportedError("the request asks for a compilation alone", what="compile-only")
    if isinstance(request.source, GitHubSource):
        raise UnsupportedError(
            "the program would have to be built from its sources first",
            what="github-source",
            hint="ask for the built program by its hash (WasmUrl)",
        )
    if request.secrets is not None:
        raise UnsupportedError("the program asks for secrets, and none are kept here", what="secrets")
    if request.use_bound_identity:
        raise UnsupportedError("the request asks for another account's identity", what="bound-identity")
    if request.store_on_fastfs:
        raise UnsupportedError("the request asks to publish the program", what="fastfs")
    target = request.source.build_target
    if target == "wasm32-wasip2":
        raise UnsupportedError("the program is one for WASI preview 2", what="wasip2")
    if target is not None and target not in TARGETS:
        raise UnsupportedError(f"programs for {target[:80]!r} are not executed", what="build-target")
    if request.input_data is None:
        raise BadInputError(
            "the input is not in the event", code="bad-request", hint="take it from the contract's get_request"
        )
    try:
        digest = bytes.fromhex(request.source.hash)
    except ValueError:
        digest = b""
    if len(digest) != HASH_LENGTH or digest.hex() != request.source.hash.lower():
        raise BadInputError("the program is not named by a SHA-256 in hexadecimal digits", code="bad-request")
    return digest
