"""`prove --batch`: a manifest of things to prove, each in a child of its own.

The parent reads the manifest, finds what is finished already, hands the rest to children, holds what comes back against
itself without executing it, signs it, and stores it. A key is read when the last child has ended: what forks children
holds no secret.
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

import near_tee_cli
from near_tee_cli.batch.junit import Outcome, junit
from near_tee_cli.batch.manifest import Item, parse_manifest
from near_tee_cli.batch.pool import Task, run_all
from near_tee_cli.cli import exit_codes, files, units
from near_tee_cli.cli import machine as machines
from near_tee_cli.cli.batch_options import BATCH
from near_tee_cli.cli.claim_options import formed, purpose_of
from near_tee_cli.cli.claims import bundle_json
from near_tee_cli.cli.failures import failure_text
from near_tee_cli.cli.isolated import DEFAULT_TIME_LIMIT, paths
from near_tee_cli.cli.parameters import Given
from near_tee_cli.cli.parser import parse
from near_tee_cli.cli.proving import source_of
from near_tee_cli.cli.report import Report
from near_tee_cli.cli.terminal import is_terminal, plain
from near_tee_cli.errors import BadInputError, NearTeeError, UsageError
from near_tee_cli.isolate.bounds import Bounds
from near_tee_cli.isolate.child import Child, Death, Job, Paths
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.keys import public_key_text
from near_tee_cli.proof.bundle import decode_bundle, encode_bundle
from near_tee_cli.proof.prover import prove
from near_tee_cli.proof.report import Verdict
from near_tee_cli.proof.signatures import sign_bundle
from near_tee_cli.proof.verifier import NO_REPLAY, verify
from near_tee_cli.vm.engine_thread import on_contract_thread
from near_tee_cli.workspace.atomic import read_file, write_file
from near_tee_cli.workspace.result_store import ResultStore

_JOB_DOMAIN = b"near-tee/batch-job/v1\0"
_FILES = ("contract_file", "args_file", "state", "context", "case", "from_step")
"""Parameters of an item that name a file or directory."""
_NOT_IN_AN_ITEM = ("out", "force", "sign_with", "key", "json", "output", "quiet", "verbose", "color", "no_color")
_WITHOUT_EFFECT = ("compiler", *_NOT_IN_AN_ITEM)

LineOf = Callable[[list[str]], Given]
"""The values of the words of an item. Raises `UsageError` when they do not name one thing to prove."""

MAX_ANSWER_BYTES = (64 << 20) + (1 << 16)


class Work(NamedTuple):
    """An item that is understood."""

    name: str
    given: Given
    job_id: bytes
    reads: tuple[str, ...]
    """Files and directories that it needs."""


def read_items(path: str) -> tuple[list[Item], str]:
    """The items of a manifest or of a directory of cases, and the directory that their paths start from.

    Raises `BadInputError`.
    """
    if path != files.STDIN and os.path.isdir(path):
        names = sorted(name for name in os.listdir(path) if name.endswith(".json"))
        if not names:
            raise BadInputError(f"{path} holds no cases (*.json)", code="bad-manifest")
        return [Item(name.removesuffix(".json"), (f"--case={name}",)) for name in names], path
    data = files.read(path, "the manifest", max_bytes=files.MAX_SNAPSHOT_BYTES)
    return parse_manifest(data, "the manifest"), os.path.dirname(path) if path != files.STDIN else ""


def understood(item: Item, base: str, line_of: LineOf) -> Work:
    """An item with its files hashed. Raises `UsageError` and `BadInputError`."""
    given = line_of(list(item.words))
    for name in _NOT_IN_AN_ITEM:
        if given[name] not in (None, False, 0, ()):
            raise UsageError(f"--{name.replace('_', '-')} is said once for a batch, not in an item", where=item.name)
    named = {name: given[name] for name in _FILES if given[name] is not None}
    contracts = [text.partition("=")[2] for text in given["with"]]
    results = [text.removeprefix("ok:@") for text in given["promise_results"] if text.startswith("ok:@")]
    reads = tuple(os.path.join(base, path) for path in (*named.values(), *contracts, *results))
    if given["previous"] is not None and os.path.exists(os.path.join(base, given["previous"])):
        named["previous"] = given["previous"]
        reads = (*reads, os.path.join(base, given["previous"]))
    if any(path == files.STDIN for path in (*named.values(), *contracts)):
        raise UsageError("an item of a batch reads no standard input", where=item.name)
    values = {name: value for name, value in given.items() if name not in (*_FILES, *_WITHOUT_EFFECT)}
    preimage = {
        "tool": near_tee_cli.__version__,
        "values": {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()},
        "files": [[name, _digest(os.path.join(base, path))] for name, path in named.items()],
        "more": [_digest(os.path.join(base, path)) for path in (*contracts, *results)],
    }
    return Work(item.name, given, sha256(_JOB_DOMAIN + cj.dumps(preimage)), reads)


@cache
def _digest(path: str) -> str:
    """SHA-256 of a file, or of the names and hashes of all files of a directory."""
    if not os.path.isdir(path):
        return sha256(read_file(path, "the file", max_bytes=files.MAX_SNAPSHOT_BYTES)).hex()
    parts = []
    for folder, folders, names in os.walk(path):
        folders.sort()
        for name in sorted(names):
            inner = os.path.join(folder, name)
            parts.append([os.path.relpath(inner, path), _digest(inner)])
    return sha256(cj.dumps(parts)).hex()


class Batch:
    """A batch under way."""

    def __init__(self, given: Given, line_of: LineOf) -> None:
        """Read the manifest and open the store. Raises `UsageError`, `BadInputError` and `WriteError`."""
        self._given = given
        self.signer: str | None = None
        """Who has signed what was proved."""
        self._line_of = line_of
        self.items, self._base = read_items(given["batch"])
        self._store = ResultStore(given["out"], resume=given["resume"])
        self._cache, self.warnings = machines.code_cache(machines.EXECUTING)
        limit = DEFAULT_TIME_LIMIT
        if given["time_limit"] is not None:
            limit = units.seconds(given["time_limit"], "--time-limit")
        self._bounds = Bounds(limit, cpu_seconds=int(limit) + 1, output_bytes=MAX_ANSWER_BYTES)
        self.hands = os.cpu_count() or 1
        if given["jobs"] is not None:
            self.hands = units.number(given["jobs"], "--jobs", bound=1024) or self.hands

    def run(self) -> Iterator[dict[str, Any]]:
        """The result of each item, in the order of the manifest."""
        for (name, work), result in run_all(self._tasks(), hands=self.hands, finish=self._finish):
            yield {"name": name, **result, **self._named(name, result, work)}
            if self._given["fail_fast"] and result["exit"] != exit_codes.OK:
                return

    def _tasks(self) -> Iterator[Task]:
        for item in self.items:
            try:
                work = understood(item, self._base, self._line_of)
            except NearTeeError as error:
                yield Task((item.name, None), None, _stopped(exit_codes.of_error(error), _members(error)))
                continue
            kept = self._store.find(work.job_id) if self._given["resume"] else None
            if kept is not None:
                yield Task((item.name, work), None, {**kept.summary, "cached": True})
            else:
                yield Task((item.name, work), self._starting(work))

    def _starting(self, work: Work) -> Callable[[], Child]:
        own = paths()
        allowed = Paths((*own.readable, *map(os.path.abspath, work.reads)), own.writable)
        return lambda: Child(self._job(work), bounds=self._bounds, paths=allowed)

    def _job(self, work: Work) -> Job:
        """What the child does: prove, and hand back a line about it and the bundle."""

        def execute() -> bytes:
            try:
                prepared = machines.machine_with(self._given["compiler"], self._cache, ())
                source = source_of(work.given, prepared.machine)
                world = source.world
                proof = prove(
                    world.config,
                    world.chain,
                    transitions=source.transitions,
                    machine=prepared.machine,
                    purpose=purpose_of(work.given),
                )
            except NearTeeError as error:
                return cj.dumps({"exit": exit_codes.of_error(error), "error": _members(error)})
            failure = None if source.result is None else source.result["failure"]
            told = None if failure is None else failure_text(failure)
            return cj.dumps({"exit": exit_codes.OK, "contract_failure": told}) + formed(proof.data, work.given)

        def job(_: tuple[str, ...]) -> bytes:
            if self._base:
                os.chdir(self._base)
            return on_contract_thread(execute)

        return job

    def _finish(self, key: tuple[str, Work], answer: bytes | Death) -> dict[str, Any]:
        """Hold what a child handed back against itself, and store it."""
        if isinstance(answer, Death):
            code = exit_codes.TIMEOUT if answer.code == "timeout" else exit_codes.INTERNAL
            return _stopped(code, {"code": answer.code, "message": answer.message, "hint": None, "where": key[0]})
        head, _, data = answer.partition(b"\n")
        try:
            told = cj.mapping(cj.loads(head, "the answer"), "the answer")
            if told.get("error") is not None:
                return _stopped(cj.integer(told.get("exit"), "exit"), cj.mapping(told["error"], "error"))
            report = verify(data, require=NO_REPLAY)
            if report.verdict is not Verdict.ESTABLISHED or report.claim is None:
                raise BadInputError(f"the bundle of a child does not hold: {report.message}")
        except BadInputError as error:
            return _stopped(exit_codes.INTERNAL, {**_members(error), "code": "child-crashed"})
        bundle = bundle_json(data, report.claim)
        summary = {
            "exit": exit_codes.OK,
            "error": None,
            "contract_failure": told.get("contract_failure"),
            **{name: bundle[name] for name in ("size", "claim_digest", "pre_root", "post_root")},
        }
        return {**self._store.keep(key[1].job_id, data, summary), "cached": False}

    def _named(self, name: str, result: Mapping[str, Any], work: Work | None) -> dict[str, Any]:
        if work is None or result["exit"] != exit_codes.OK:
            return {}
        return {"path": self._store.name(name, result["bundle"])}

    def sign(self, key: Any, results: list[dict[str, Any]]) -> None:
        """Sign what was proved. To be called when no child works any more. Raises `WriteError`."""
        self.signer = public_key_text(key.public_key())
        for result in results:
            if result["exit"] == exit_codes.OK:
                data = read_file(result["path"], "the bundle", max_bytes=files.MAX_BUNDLE_BYTES)
                signed = sign_bundle(decode_bundle(data), public_key=key.public_key(), sign=key.sign_bytes)
                write_file(result["path"], encode_bundle(signed), overwrite=True)


def _members(error: NearTeeError) -> dict[str, Any]:
    return {"code": error.code, "message": error.message, "hint": error.hint, "where": error.where}


def _stopped(code: int, error: Mapping[str, Any]) -> dict[str, Any]:
    return {"exit": code, "error": dict(error), "bundle": None, "cached": False}


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
    return junit(f"near-tee prove {os.path.basename(manifest)}", outcomes)


def line_parser(line: Any, complete: Callable[[Given], Given]) -> LineOf:
    """Reads the words of an item as the words of `line`; `complete` adds what an item cannot say, and checks it."""

    def line_of(words: list[str]) -> Given:
        given = parse(line, words)
        for parameter in BATCH:
            if given[parameter.name] not in (None, False):
                raise UsageError(f"{parameter.flags[0]} is no part of an item", where=parameter.flags[0])
        return complete(given)

    return line_of


def collected(batch: Batch, *, stream: bool, quiet: bool) -> list[dict[str, Any]]:
    """All results, shown as they come: lines of JSON, a bar on a terminal, or a line each."""
    results = []
    show: Callable[[dict[str, Any]], None] = _say_json if stream else _nothing if quiet else _say_line
    with _bar(len(batch.items), shown=not stream and not quiet and is_terminal(sys.stderr)) as (advance, has_bar):
        for result in batch.run():
            results.append(result)
            if stream or not has_bar or result["exit"] != exit_codes.OK:
                show(result)
            advance()
    return results


@contextmanager
def _bar(total: int, *, shown: bool) -> Iterator[tuple[Callable[[], None], bool]]:
    if not shown:
        yield (lambda: None), False
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("proving", total=total)
        yield (lambda: progress.advance(task)), True


def _nothing(_result: dict[str, Any]) -> None:
    return


def _say_json(result: dict[str, Any]) -> None:
    sys.stdout.write(cj.dumps(result).decode())
    sys.stdout.flush()


def _say_line(result: dict[str, Any]) -> None:
    if result["exit"] == exit_codes.OK:
        told = "already proved" if result["cached"] else "proved"
        more = "" if result["contract_failure"] is None else f"  (the contract failed: {result['contract_failure']})"
        line = f"{told}  {result['path']}  {result['size']:,} bytes{more}"
    else:
        line = f"failed  {result['name']}  {result['error']['code']}: {result['error']['message']}"
    sys.stdout.write(plain(line) + "\n")
    sys.stdout.flush()


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
    result = {"directory": given["out"], "signer": batch.signer, "counts": counts}
    document = None
    if given["json"] or given["output"] == "json":
        document = cj.dumps({"batch": result, "exit": code, "error": error}).decode()
    text = ", ".join(f"{number:,} {name}" for name, number in counts.items() if number)
    return Report(code, result, lambda _: [text], warnings=batch.warnings, error=error, document=document)
