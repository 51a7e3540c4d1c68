"""`prove --batch`: a manifest of things to prove, each in a child of its own, here or on the workers of a cluster.

The parent reads the manifest, finds what is finished already, hands out the rest, holds what comes back against itself
without executing it, signs it, and stores it. A key is read when the last child has ended: what forks children holds
no secret.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

from near_tee_cli.batch.junit import Outcome, junit
from near_tee_cli.batch.manifest import Item
from near_tee_cli.batch.pool import Task, run_all
from near_tee_cli.cli import exit_codes, units
from near_tee_cli.cli import machine as machines
from near_tee_cli.cli.batch_inputs import Inputs
from near_tee_cli.cli.batch_items import LineOf, Work, read_items, understood
from near_tee_cli.cli.batch_jobs import (
    answered,
    bounds_of,
    keep_missed,
    members_of,
    readable,
    started,
    stopped,
    summary_of,
)
from near_tee_cli.cli.isolated import DEFAULT_TIME_LIMIT
from near_tee_cli.cli.parameters import Given
from near_tee_cli.cli.progress import bar, json_line, say
from near_tee_cli.cli.report import Report
from near_tee_cli.cli.terminal import plain
from near_tee_cli.errors import BadInputError, NearTeeError
from near_tee_cli.isolate.child import Child, Death
from near_tee_cli.primitives.keys import public_key_text
from near_tee_cli.proof.bundle import decode_bundle, encode_bundle
from near_tee_cli.proof.signatures import sign_bundle
from near_tee_cli.workspace.result_store import ResultStore


class Batch:
    """A batch under way, on this machine. To be used as a context: then nothing is left of what it copied."""

    def __init__(self, given: Given, line_of: LineOf) -> None:
        """Read the manifest and open the store. Raises `UsageError`, `BadInputError` and `WriteError`."""
        self.given = given
        self.signer: str | None = None
        """Who has signed what was proved."""
        self._line_of = line_of
        self.seconds = DEFAULT_TIME_LIMIT
        if given["time_limit"] is not None:
            self.seconds = units.seconds(given["time_limit"], "--time-limit")
        self._bounds = bounds_of(self.seconds)
        self.hands = os.cpu_count() or 1
        if given["jobs"] is not None:
            self.hands = units.number(given["jobs"], "--jobs", bound=1024) or self.hands
        self.items, self._base = read_items(given["batch"])
        self._cache, self.warnings = machines.code_cache(machines.EXECUTING)
        self.store = ResultStore(given["out"], resume=given["resume"])
        self.inputs = Inputs()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.inputs.close()

    def run(self) -> Iterator[dict[str, Any]]:
        """The result of each item, in the order of the manifest."""
        for (name, work), found in self.results():
            result = {"name": name, **self._named(name, found, work)}
            yield result
            if self.given["fail_fast"] and result["exit"] != exit_codes.OK:
                return

    def results(self) -> Iterator[tuple[tuple[str, Work | None], dict[str, Any]]]:
        """((name, item), result) in the order of the manifest."""
        return run_all(self._tasks(), hands=self.hands, finish=self._finish)

    def _tasks(self) -> Iterator[Task]:
        for item in self.items:
            work, result = self.known(item)
            start = self._starting(work) if work is not None and result is None else None
            yield Task((item.name, work), start, result)

    def known(self, item: Item) -> tuple[Work | None, dict[str, Any] | None]:
        """An item, understood if it can be, and its result where that is known already."""
        try:
            work = understood(item, self._base, self._line_of, self.inputs)
        except NearTeeError as error:
            return None, stopped(exit_codes.of_error(error), members_of(error))
        return work, self._done_before(work) if self.given["resume"] else None

    def _done_before(self, work: Work) -> dict[str, Any] | None:
        """What a finished job came to, held against itself like what a child hands back."""
        kept = self.store.find(work.job_id)
        if kept is None:
            return None
        try:
            told = summary_of(kept.bundle, kept.summary.get("contract_failure"))
        except BadInputError:
            return None
        return {**kept.summary, **told, "cached": True}

    def _starting(self, work: Work) -> Callable[[], Child]:
        return lambda: started(
            work.given,
            work.files,
            base=self.inputs.directory,
            compiler=self.given["compiler"],
            cache=self._cache,
            bounds=self._bounds,
        )

    def _finish(self, key: tuple[str, Work], answer: bytes | Death) -> dict[str, Any]:
        """Hold what a child handed back against itself, and store it."""
        summary, data = answered(key[0], answer)
        if data is None:
            return summary
        keep_missed(answer, data, compiler=self.given["compiler"], cache=self._cache)
        return {**self.store.keep(key[1].job_id, data, summary), "cached": False}

    def _named(self, name: str, result: dict[str, Any], work: Work | None) -> dict[str, Any]:
        """A result with the name that its bundle has got."""
        if work is None or result["exit"] != exit_codes.OK:
            return result
        try:
            return {**result, "path": readable(self.store.name(name, result["bundle"]))}
        except NearTeeError as error:
            return stopped(exit_codes.of_error(error), members_of(error))

    def sign(self, key: Any, results: list[dict[str, Any]]) -> None:
        """Sign what was proved: the bundles that this run has held against themselves, by their digests.

        To be called when no child works any more. Raises `BadInputError` and `WriteError`.
        """
        self.signer = public_key_text(key.public_key())
        for result in results:
            if result["exit"] == exit_codes.OK:
                bundle = decode_bundle(self.store.form(result["name"], result["bundle"]))
                signed = sign_bundle(bundle, public_key=key.public_key(), sign=key.sign_bytes)
                self.store.sign(result["name"], encode_bundle(signed))


def overall(results: list[dict[str, Any]], *, expected: int) -> int:
    """The exit code of a batch: of all items where they agree, `batch-mixed` where they do not."""
    codes = {result["exit"] for result in results}
    if len(results) < expected:
        codes.add(exit_codes.BATCH_MIXED)
    return codes.pop() if len(codes) == 1 else exit_codes.BATCH_MIXED


def junit_document(manifest: str, results: list[dict[str, Any]]) -> bytes:
    """The results for a CI system."""
    outcomes = [
        Outcome(one["name"], *((None, "") if one["error"] is None else (one["error"]["code"], one["error"]["message"])))
        for one in results
    ]
    return junit(f"prove {os.path.basename(manifest)}", outcomes)


def collected(batch: Batch, *, stream: bool, quiet: bool) -> list[dict[str, Any]]:
    """All results, shown as they come: lines of JSON, a bar on a terminal, or a line each."""
    results = []
    with bar("proving", len(batch.items), wanted=not stream and not quiet) as (advance, has_bar):
        for result in batch.run():
            results.append(result)
            if stream:
                say(json_line(result))
            elif not quiet and (not has_bar or result["exit"] != exit_codes.OK):
                say(_line(result))
            advance()
    return results


def _line(result: Mapping[str, Any]) -> str:
    if result["exit"] != exit_codes.OK:
        return plain(f"failed  {result['name']}  {result['error']['code']}: {result['error']['message']}")
    told = "already proved" if result["cached"] else "proved"
    more = "" if result["contract_failure"] is None else f"  (the contract failed: {result['contract_failure']})"
    return plain(f"{told}  {result['path']}  {result['size']:,} bytes{more}")


def report(given: Given, batch: Batch, results: list[dict[str, Any]]) -> Report:
    """The end of a batch."""
    code = overall(results, expected=len(batch.items))
    counts = {
        "items": len(batch.items),
        "proved": sum(one["exit"] == exit_codes.OK and not one["cached"] for one in results),
        "already": sum(one["exit"] == exit_codes.OK and one["cached"] for one in results),
        "failed": sum(one["exit"] != exit_codes.OK for one in results),
        "left": len(batch.items) - len(results),
    }
    error = None
    if code != exit_codes.OK:
        word = "batch-mixed" if code == exit_codes.BATCH_MIXED else results[0]["error"]["code"]
        left = f", {counts['left']} were not begun" if counts["left"] else ""
        message = f"{counts['failed']} of {counts['items']} items failed{left}"
        error = {"code": word, "message": message, "hint": None, "where": None}
    result = {"directory": readable(given["out"]), "signer": batch.signer, "counts": counts}
    document = None
    if given["json"] or given["output"] == "json":
        document = json_line({"batch": result, "exit": code, "error": error}) + "\n"
    text = ", ".join(f"{number:,} {name}" for name, number in counts.items() if number)
    return Report(code, result, lambda _: [text], warnings=batch.warnings, error=error, document=document)
