"""Many bundles verified: what executes nothing happens here, one after another; executing again in children."""

from collections.abc import Iterator, Sequence
from typing import Any

from near_tee_cli.batch.pool import Task, run_all
from near_tee_cli.cli import exit_codes, files
from near_tee_cli.cli.claims import bundle_json
from near_tee_cli.cli.expecting import Expected, expectations_json
from near_tee_cli.errors import BadInputError, NearTeeError
from near_tee_cli.isolate.child import Child, Death
from near_tee_cli.primitives.keys import public_key_text
from near_tee_cli.proof.report import Report
from near_tee_cli.proof.verifier import Begun, Demands, begin

_EXITS = {"established": exit_codes.OK, "contradicted": exit_codes.VERIFY_FAILED}


def verified_all(
    paths: Sequence[str], demands: Demands, *, executor: Any, expected: Expected, hands: int
) -> list[dict[str, Any]]:
    """The entry of each bundle, in order, for programs; one that cannot be read does not stop the others.

    `executor` is an `IsolatedExecutor`, `None` when nothing is executed. Raises `HostError` when no machine can run.
    """

    def tasks() -> Iterator[Task]:
        for path in paths:
            try:
                data = files.read(path, "the bundle", max_bytes=files.MAX_BUNDLE_BYTES)
            except BadInputError as error:
                yield Task(path, None, _unread(path, error))
                continue
            begun = begin(data, demands)
            if executor is None or not begun.wants_execution:
                yield Task(path, None, _entry(path, data, begun.report(None), expected))
            else:
                yield Task((path, data, begun), _starting(begun))

    def _starting(begun: Begun) -> Any:
        job = begun.execute(executor.job)
        return lambda: Child(job, **executor.limits)

    def finish(key: tuple[str, bytes, Begun], answer: bytes | Death) -> dict[str, Any]:
        path, data, begun = key
        return _entry(path, data, begun.report(executor.executed(answer)), expected)

    return [entry for _, entry in run_all(tasks(), hands=hands, finish=finish)]


def _entry(path: str, data: bytes, report: Report, expected: Expected) -> dict[str, Any]:
    """The verification of one file."""
    verdict = report.verdict.value
    code = exit_codes.BAD_INPUT if report.malformed else _EXITS.get(verdict, exit_codes.VERIFY_INCONCLUSIVE)
    checks = [
        {"number": one.number, "name": one.name, "result": one.status.value, "detail": one.detail, "code": one.code}
        for one in report.checks
    ]
    return {
        "path": path,
        **bundle_json(data, report.claim),
        "checks": checks,
        "signers": [public_key_text(key) for key in report.signers],
        "strengths": sorted(strength.value for strength in report.strengths),
        "required": sorted(strength.value for strength in report.required),
        "expected": expectations_json(expected, report.unconstrained),
        "verdict": verdict,
        "code": report.code,
        "message": report.message,
        "exit": code,
    }


def _unread(path: str, error: NearTeeError) -> dict[str, Any]:
    nothing: dict[str, Any] = dict.fromkeys(
        ("file_digest", "size", "claim_digest", "pre_root", "post_root", "claim"), None
    )
    verdict: dict[str, Any] = {
        "checks": [],
        "signers": [],
        "strengths": [],
        "required": [],
        "expected": None,
        "verdict": "inconclusive",
    }
    return {
        "path": path,
        **nothing,
        **verdict,
        "code": error.code,
        "message": error.message,
        "exit": exit_codes.BAD_INPUT,
    }
