"""Task attestations of OutLayer: what a coordinator keeps about an execution, held against the quote beside it.

The quote's report data is a hash over the fields of the task. Only what is hashed is bound: the hash of the program
that really ran and the number of the request are not, and since fields are hashed without lengths between them, some
records can be respelt without anybody noticing. A checked record says what was compared and what is not bound.

Follows near-outlayer: worker/src/tdx_attestation.rs (generate_task_attestation), worker/src/api_client.rs
(StoreAttestationRequest), worker/src/main.rs
"""

from collections.abc import Mapping
from typing import NamedTuple

from near_tee_cli.attest.quote import parse_quote
from near_tee_cli.attest.report_data import OutlayerTask, outlayer_task_hash, require_bound
from near_tee_cli.errors import BadInputError, EvidenceError
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.integers import U64_MAX

MAX_RECORD_BYTES = 1 << 20

FAILED_OUTPUT = b"[EXECUTION-FAILED]"
"""What is hashed as the output of an execution that failed."""

TASK_TYPES = ("execute", "compile", "topup")

_I64_MAX = 2**63 - 1
_REQUIRED = ("task_id", "task_type", "output_hash")
_TEXTS = (
    "repo_url", "commit_hash", "build_target", "wasm_hash", "input_hash", "caller_account_id", "project_id",
    "secrets_ref", "attached_usd", "executed_wasm_sha256", "transaction_hash", "call_id", "payment_key_owner",
)  # fmt: skip
_NUMBERS = ("block_height", "timestamp", "request_id", "payment_key_nonce")
_UNBOUND = ("executed_wasm_sha256", "request_id", "transaction_hash")


class TaskRecord(NamedTuple):
    """A coordinator's record. Hashes are hexadecimal text, as they stand in it."""

    task: OutlayerTask
    """The fields that are hashed."""
    quote: bytes | None
    """The quote, where the record holds it itself."""
    executed_wasm_sha256: str | None
    """The program that really ran, says the coordinator: the quote does not bind it."""
    request_id: int | None
    transaction_hash: str | None


class CheckedTask(NamedTuple):
    """A record that fits its quote."""

    task_hash: bytes
    """32 bytes: the first half of the quote's report data."""
    checked: tuple[str, ...]
    """Names of the fields that were compared with content that the caller has."""
    unbound: tuple[str, ...]
    """Names of the fields of the record that the quote does not bind."""


def parse_record(data: bytes) -> TaskRecord:
    """The record in `data` (JSON). Raises `BadInputError` (`bad-task-record`)."""
    try:
        document = cj.loads(data, "the record", max_bytes=MAX_RECORD_BYTES)
        fields = cj.members(document, "the record", required=_REQUIRED, optional=(*_TEXTS, *_NUMBERS, "tdx_quote"))
        return _record(fields)
    except BadInputError as error:
        raise BadInputError(error.message, code="bad-task-record", where=error.where) from error


def binding_of_record(data: bytes) -> OutlayerTask:
    """What the quote of a record (JSON) has to bind. Raises `BadInputError` (`bad-task-record`)."""
    return parse_record(data).task


def _record(fields: Mapping[str, object]) -> TaskRecord:
    texts = {name: None if fields.get(name) is None else cj.string(fields[name], name) for name in _TEXTS}
    numbers = {
        name: None if fields.get(name) is None else cj.integer(fields[name], name, bound=_bound(name))
        for name in _NUMBERS
    }
    task_type = cj.string(fields["task_type"], "task_type")
    if task_type not in TASK_TYPES:
        raise BadInputError(f"task_type is {cj.shown(task_type)}", where="task_type")
    task = OutlayerTask(
        task_type=task_type,
        task_id=cj.integer(fields["task_id"], "task_id", bound=_I64_MAX),
        repo=texts["repo_url"],
        commit=texts["commit_hash"],
        build_target=texts["build_target"],
        wasm_hash=texts["wasm_hash"],
        input_hash=texts["input_hash"],
        output_hash=cj.string(fields["output_hash"], "output_hash"),
        block_height=numbers["block_height"],
        caller=texts["caller_account_id"],
        project_id=texts["project_id"],
        secrets_ref=texts["secrets_ref"],
        timestamp=numbers["timestamp"],
        attached_usd=texts["attached_usd"],
    )
    return TaskRecord(
        task=task,
        quote=None if fields.get("tdx_quote") is None else cj.base64(fields["tdx_quote"], "tdx_quote"),
        executed_wasm_sha256=texts["executed_wasm_sha256"],
        request_id=numbers["request_id"],
        transaction_hash=texts["transaction_hash"],
    )


def _bound(name: str) -> int:
    return U64_MAX if name == "block_height" else _I64_MAX


def check_record(
    record: TaskRecord, *, program: bytes | None = None, stdin: bytes | None = None, returned: bytes | None = None
) -> CheckedTask:
    """Hold a record against its own quote, and against those contents that the caller has.

    `program` is the one that was asked for (by its hash, not by a repository), `stdin` the input, `returned` the JSON
    that the contract's callback returned, `FAILED_OUTPUT` for a failure. Whether the quote is genuine is not looked at.
    Raises `EvidenceError` (`report-data-mismatch`, `other-program`, `other-input`, `other-output`), and
    `BadInputError` for a quote that is none.
    """
    if record.quote is None:
        raise BadInputError("the record has no quote", code="bad-task-record", where="tdx_quote")
    require_bound(parse_quote(record.quote).report_data, record.task, key=None)
    checked = []
    for name, content, said, code in (
        ("wasm_hash", program, record.task.wasm_hash, "other-program"),
        ("executed_wasm_sha256", program, record.executed_wasm_sha256 or record.task.wasm_hash, "other-program"),
        ("input_hash", stdin, record.task.input_hash, "other-input"),
        ("output_hash", returned, record.task.output_hash, "other-output"),
    ):
        if content is None:
            continue
        if sha256(content).hex() != said:
            raise EvidenceError(f"the record's {name} is not the hash of what is there", code=code)
        if name != "executed_wasm_sha256" or record.executed_wasm_sha256 is not None:
            checked.append(name)
    unbound = [name for name in _UNBOUND if getattr(record, name) is not None]
    return CheckedTask(outlayer_task_hash(record.task), tuple(checked), tuple(unbound))
