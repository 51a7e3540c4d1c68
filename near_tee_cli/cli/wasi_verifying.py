"""`verify` of claims about WASI programs: executed again in a child of their own, told like bundles."""

from collections.abc import Callable, Mapping
from typing import Any

from near_tee_cli.batch.pool import Task
from near_tee_cli.cli.isolated import paths
from near_tee_cli.cli.terminal import plain
from near_tee_cli.isolate.child import Death
from near_tee_cli.primitives import base58
from near_tee_cli.proof.report import Report
from near_tee_cli.proof.verifier import Demands
from near_tee_cli.worker.wasi_statement import WasiClaim, claim_digest, claim_document
from near_tee_cli.worker.wasi_verifier import WasiReport, begin_wasi

Entry = dict[str, Any]


def task(path: str, data: bytes, demands: Demands, *, executor: Any, entry: Callable[[Report], Entry]) -> Task:
    """What there is to do with the file in `data`; `entry` makes the entry of a report without its claim.

    `executor` is an `IsolatedExecutor`, whose time a child has; `None` when nothing is executed.
    """
    begun = begin_wasi(data, demands)

    def finish(answer: bytes | Death | None) -> Entry:
        return _with_claim(entry, begun.report(answer))

    start = None
    if executor is not None and begun.wants_execution:
        start = begun.starter(paths(), seconds=executor.seconds)
    return Task(path, None, finish(None)) if start is None else Task(finish, start)


def _with_claim(entry: Callable[[Report], Entry], found: WasiReport) -> Entry:
    """The entry of a bundle, with `wasi` beside a `claim` that is null."""
    return {**entry(found.report), **claim_members(found.claim)}


def claim_members(claim: WasiClaim | None) -> Entry:
    """The claim for programs, `None` when it could not be read."""
    return {
        "claim_digest": None if claim is None else base58.encode(claim_digest(claim)),
        "wasi": None if claim is None else claim_document(claim),
    }


def claim_lines(wasi: Mapping[str, Any]) -> list[str]:
    """What is claimed, in a few lines. `wasi` as `claim_members` gives it."""
    task_fields, outcome = wasi["task"], wasi["outcome"]
    asked = "asked by nobody on a chain"
    if wasi["contract"]:
        number = "" if wasi["request_id"] is None else f"request {wasi['request_id']} of "
        asked = f"{number}{plain(wasi['contract'])} on {plain(wasi['network'])}"
    ending = f"exit {outcome['exit']}" if outcome["trap"] is None else outcome["trap"]
    amounts = (
        f"{int(outcome['instructions']):,} instructions as {plain(task_fields['metering'])},"
        f" {outcome['memory_pages']:,} pages of memory, {wasi['elapsed_ms']} ms as the worker says"
    )
    return [
        asked,
        f"program {task_fields['program']} with input {task_fields['input']}",
        f"{ending}, {outcome['stdout_length']:,} bytes of output {outcome['stdout']}",
        amounts,
    ]
