"""`attest task`: a coordinator's record of an execution on OutLayer, held against its quote and what is at hand."""

from typing import Any

from near_tee_cli.cli import exit_codes
from near_tee_cli.cli.parameters import OUTPUT, CommandLine, Given, Parameter
from near_tee_cli.cli.report import Report

LINE = CommandLine(
    name="attest task",
    summary="a record of an OutLayer task, held against its quote",
    description="Compute the hash of the task in RECORD again, and compare it with the report data of the quote in it,"
    " and the files that are given with its hashes. Whether the quote is genuine says `attest verify --profile"
    " outlayer-task-v1 --task RECORD`.",
    parameters=(
        Parameter("record", (), "The record (JSON).", "RECORD", required=True),
        Parameter("program", ("--program",), "The program that was asked for.", "WASM"),
        Parameter("input", ("--input",), "The input that it was given.", "FILE"),
        Parameter("returned", ("--returned",), "What the contract's callback returned, as JSON.", "FILE"),
        *OUTPUT,
    ),
)


def execute(given: Given) -> Report:
    """Check a record. Raises `BadInputError`, and `EvidenceError` for what does not fit."""
    from near_tee_cli.worker.outlayer_task import check_record, parse_record

    record = parse_record(_read(given["record"], "the record") or b"")
    found = check_record(
        record,
        program=_read(given["program"], "the program"),
        stdin=_read(given["input"], "the input"),
        returned=_read(given["returned"], "what was returned"),
    )
    result: dict[str, Any] = {
        "task_hash": found.task_hash.hex(),
        "checked": list(found.checked),
        "unbound": list(found.unbound),
    }
    lines = [f"task  {result['task_hash']}, as in the report data"]
    lines += [f"  {name} is the hash of what is here" for name in found.checked]
    lines += [f"  {name} is bound by nothing" for name in found.unbound]
    return Report(exit_codes.OK, result, lambda audience: lines[:1] if audience.quiet else lines)


def _read(path: str | None, what: str) -> bytes | None:
    from near_tee_cli.cli import files

    return None if path is None else files.read(path, what, max_bytes=files.MAX_CONTRACT_BYTES)
