"""Many bundles verified: what executes nothing happens here, one after another; executing again in children."""

import os
from collections.abc import Generator, Iterator, Sequence
from functools import partial
from typing import Any

from near_tee_cli.batch.pool import Task, run_all
from near_tee_cli.cli import exit_codes, files
from near_tee_cli.cli.attesting import evidence_json
from near_tee_cli.cli.claims import bundle_json
from near_tee_cli.cli.expecting import Expected, expectations_json
from near_tee_cli.errors import BadInputError, NearTeeError, UnsupportedError
from near_tee_cli.isolate.child import Death
from near_tee_cli.primitives.keys import public_key_text
from near_tee_cli.proof.bundle import is_bundle
from near_tee_cli.proof.chain import Chain
from near_tee_cli.proof.chain_file import is_chain_file, unpack
from near_tee_cli.proof.report import Report
from near_tee_cli.proof.verifier import Begun, Demands, begin

SUFFIXES = (".ntb", ".ntc", ".ntw")
_EXITS = {"established": exit_codes.OK, "contradicted": exit_codes.VERIFY_FAILED}


def verified(
    paths: Sequence[str], demands: Demands, *, chain: Chain | None, executor: Any, expected: Expected, hands: int
) -> Generator[dict[str, Any], None, None]:
    """The entry of each bundle, in order and as they come; one that cannot be read does not stop the others.

    With a `chain` each has to continue the one before it.

    `executor` is an `IsolatedExecutor`, `None` when nothing is executed. Raises `HostError` when no machine can run.
    """

    def tasks() -> Iterator[Task]:
        for path, data in _bundles_in(paths):
            if isinstance(data, BadInputError):
                if chain is not None:
                    chain.skip()
                yield Task(path, None, _unread(path, data))
                continue
            if not is_bundle(data) and (task := _about_program(path, data, demands, chain, executor, expected)):
                yield task
                continue
            begun = begin(data, demands, chain=chain)
            if executor is None or not begun.wants_execution:
                yield Task(path, None, _entry(path, data, begun.report(None), expected))
            else:
                finish = partial(_finished, path, data, begun, executor, expected)
                yield Task(finish, begun.execute(executor.starter))

    return (entry for _, entry in run_all(tasks(), hands=hands, finish=lambda finish, answer: finish(answer)))


def _finished(
    path: str, data: bytes, begun: Begun, executor: Any, expected: Expected, answer: bytes | Death
) -> dict[str, Any]:
    return _entry(path, data, begun.report(executor.executed(answer)), expected)


def _about_program(
    path: str, data: bytes, demands: Demands, chain: Chain | None, executor: Any, expected: Expected
) -> Task | None:
    """What there is to do with a claim about a program; `None` when `data` is none."""
    from near_tee_cli.worker.wasi_bundle import is_wasi_bundle

    if not is_wasi_bundle(data):
        return None
    if chain is not None:
        chain.skip()
        told = "a claim about a program continues no bundle and has none after it"
        return Task(path, None, _unread(path, BadInputError(told, code="not-a-bundle")))
    from near_tee_cli.cli.wasi_verifying import task

    return task(path, data, demands, executor=executor, entry=lambda report: _entry(path, data, report, expected))


def _bundles_in(paths: Sequence[str]) -> Iterator[tuple[str, bytes | BadInputError]]:
    """(Name, bytes) of every bundle: in a file of its own, in a chain file, or in a directory, in order of names."""
    for path in paths:
        if path != files.STDIN and os.path.isdir(path):
            names = _names_in(path)
            if not names:
                yield (
                    path,
                    BadInputError(
                        f"{path} holds no bundles ({', '.join('*' + suffix for suffix in SUFFIXES)})", code="not-found"
                    ),
                )
            for name in names:
                yield from _bundles_in_file(os.path.join(path, name))
        else:
            yield from _bundles_in_file(path)


def _names_in(directory: str) -> list[str]:
    return sorted(name for name in os.listdir(directory) if name.endswith(SUFFIXES))


def count_of(paths: Sequence[str]) -> int:
    """How many files a line names, those of directories too. A chain file counts as one."""
    return sum(len(_names_in(path)) if os.path.isdir(path) else 1 for path in paths)


def _bundles_in_file(path: str) -> Iterator[tuple[str, bytes | BadInputError]]:
    try:
        data = files.read(path, "the bundle", max_bytes=files.MAX_BUNDLE_BYTES)
        bundles = unpack(data) if is_chain_file(data) else None
    except BadInputError as error:
        yield path, error
        return
    if bundles is None:
        yield path, data
    else:
        yield from ((f"{path}[{number}]", one) for number, one in enumerate(bundles))


def exit_of(report: Report) -> int:
    """The exit code of a verification."""
    if report.malformed:
        return exit_codes.BAD_INPUT
    return _EXITS.get(report.verdict.value, exit_codes.VERIFY_INCONCLUSIVE)


def _entry(path: str, data: bytes, report: Report, expected: Expected) -> dict[str, Any]:
    """The verification of one file."""
    verdict = report.verdict.value
    checks = [
        {"number": one.number, "name": one.name, "result": one.status.value, "detail": one.detail, "code": one.code}
        for one in report.checks
    ]
    return {
        "path": path,
        **bundle_json(data, report.claim),
        "checks": checks,
        "signers": [public_key_text(key) for key in report.signers],
        "evidence": evidence_json(report.evidence),
        "wasi": None,
        "strengths": sorted(strength.value for strength in report.strengths),
        "required": sorted(strength.value for strength in report.required),
        "expected": expectations_json(expected, report.unconstrained),
        "verdict": verdict,
        "code": report.code,
        "message": report.message,
        "exit": exit_of(report),
    }


def _unread(path: str, error: NearTeeError) -> dict[str, Any]:
    nothing: dict[str, Any] = dict.fromkeys(
        ("file_digest", "size", "claim_digest", "pre_root", "post_root", "claim"), None
    )
    verdict: dict[str, Any] = {
        "checks": [],
        "signers": [],
        "evidence": None,
        "wasi": None,
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
        "exit": exit_codes.VERIFY_INCONCLUSIVE if isinstance(error, UnsupportedError) else exit_codes.BAD_INPUT,
    }
