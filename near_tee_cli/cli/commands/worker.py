"""`worker`: take jobs as they come, prove each, sign, and tell of it, until told to stop."""

import os
import sys
from functools import partial
from typing import Any

from near_tee_cli.cli import exit_codes
from near_tee_cli.cli.agents import ATTEST, require_attesting
from near_tee_cli.cli.attesting import SIMULATED
from near_tee_cli.cli.parameters import COMPILER, FLAG, OUTPUT, CommandLine, Given, Parameter
from near_tee_cli.cli.report import Report
from near_tee_cli.errors import EvidenceError, UsageError

_PANEL = "OutLayer"
OUTLAYER = (
    Parameter("outlayer", ("--outlayer",), "Jobs are requests of OutLayer's contract: in logs, in steps, or in saved"
              " answers of RPC.", kind=FLAG, panel=_PANEL),
    Parameter("programs", ("--programs",), "Where programs lie, found by their hash.", "DIRECTORY", panel=_PANEL),
    Parameter("contract", ("--contract",), "The account whose requests count. Default outlayer.near.", "ACCOUNT",
              panel=_PANEL),
    Parameter("network", ("--network",), "The network that it is on. Default mainnet.", "ID", panel=_PANEL),
)  # fmt: skip
"""Answering requests for executions."""

LINE = CommandLine(
    name="worker",
    summary="take jobs as they come, prove each, sign, and tell of it",
    description=(
        "Take jobs (JSON objects as the items of a batch) from standard input, one in each line, or from files that"
        " appear in a directory. Each is proved in a child, executed again in another, signed by a process that"
        " executes nothing, and stored by content; a line of JSON tells of it. Restarted, it does nothing twice."
    ),
    parameters=(
        Parameter("jobs_directory", ("--jobs-from",), "A directory in which jobs appear as *.json, renamed into place."
                  " Default: standard input.", "DIRECTORY"),
        Parameter("once", ("--once",), "End when every job in the directory is done.", kind=FLAG),
        Parameter("out", ("--out", "-o"), "Where results go.", "DIRECTORY"),
        Parameter("base", ("--base",), "Where relative paths in jobs start. Default: the directory of jobs, or this"
                  " one.", "DIRECTORY"),
        Parameter("jobs", ("--jobs", "-J"), "How many at once. Default: one for each processor.", "N"),
        Parameter("time_limit", ("--time-limit",), "Seconds that one execution may take. Default 60.", "SECONDS"),
        Parameter("health", ("--health",), "Seconds between two lines of health on standard error. Default 30.",
                  "SECONDS"),
        Parameter("sign_with", ("--key",), "The file of a key that signs what was proved.", "FILE"),
        *OUTLAYER,
        *ATTEST,
        COMPILER,
        *OUTPUT,
    ),
)  # fmt: skip


def execute(given: Given) -> Report:
    """Work until the source of jobs ends or a signal says so. Raises what stops all of it."""
    from near_tee_cli.cli import working
    from near_tee_cli.workspace.result_store import ResultStore

    if given["out"] is None:
        raise UsageError("where shall results go?", where="--out", hint="add -o DIRECTORY")
    if given["once"] and given["jobs_directory"] is None:
        raise UsageError("standard input ends by itself", where="--once")
    if given["attest"] and given["sign_with"] is not None:
        raise UsageError("one key signs: --attest makes it, --key names it", where="--key")
    require_attesting(given)
    _require_outlayer(given)
    if given["outlayer"]:
        work, serve = _outlayer(given)
    else:
        store = ResultStore(given["out"], resume=True)
        work, serve = partial(working.execute_jobs, _executing(given, store)), partial(_serve, store=store)
    pid, pipe = working.forked(work)
    try:
        with working.Stopping(pid):
            key, warnings = _key(given)
            counts = serve(pipe, key=key)
    finally:
        os.close(pipe)
        ended = os.waitpid(pid, 0)[1]
    if ended != 0:
        from near_tee_cli.errors import HostError

        raise HostError("the executing process did not end well", code="executor-lost")
    result = {"directory": given["out"], "signer": None if key is None else key.signer, "counts": counts}
    text = ", ".join(f"{number:,} {name}" for name, number in counts.items())
    return Report(exit_codes.OK, result, lambda _: [text], warnings=warnings)


def _require_outlayer(given: Given) -> None:
    """Refuse half of what it takes. Raises `UsageError`."""
    if given["outlayer"] and given["programs"] is None:
        raise UsageError("where are the programs?", where="--programs", hint="add --programs DIRECTORY")
    for parameter in OUTLAYER:
        if not given["outlayer"] and given[parameter.name] not in (None, False):
            raise UsageError(f"{parameter.flags[0]} goes with --outlayer", where=parameter.flags[0])


def _outlayer(given: Given) -> tuple[Any, Any]:
    """What both processes do with requests of OutLayer's contract."""
    from near_tee_cli.cli import outlayer_executing, outlayer_results
    from near_tee_cli.cli.outlayer_jobs import Programs
    from near_tee_cli.primitives.account_id import require_valid

    if not os.path.isdir(given["programs"]):
        raise UsageError(f"{given['programs']} is no directory", where="--programs")
    contract = given["contract"] or "outlayer.near"
    require_valid(contract)
    results = outlayer_results.results_in(given["out"])
    requests = outlayer_executing.Requests(
        source=_source(given),
        base=given["base"] or given["jobs_directory"] or "",
        programs=Programs(given["programs"]),
        network=given["network"] or "mainnet",
        contract=contract,
        hands=_hands(given),
        seconds=_seconds(given),
        health_seconds=_health_seconds(given),
        results=results,
    )

    def serve(pipe: int, *, key: Any) -> dict[str, int]:
        sign, signer = (None, None) if key is None else (key.sign_wasi, key.signer)
        return outlayer_results.serve(pipe, results, given["out"], sign=sign, signer=signer)

    return partial(outlayer_executing.execute_requests, requests), serve


def _source(given: Given) -> Any:
    from near_tee_cli.cli.job_sources import DirectoryJobs, StreamJobs

    folder = given["jobs_directory"]
    if folder is not None and not os.path.isdir(folder):
        raise UsageError(f"{folder} is no directory", where="--jobs-from")
    return StreamJobs(sys.stdin.fileno()) if folder is None else DirectoryJobs(folder, once=given["once"])


def _hands(given: Given) -> int:
    from near_tee_cli.cli import units

    return (units.number(given["jobs"], "--jobs", bound=1024) if given["jobs"] else 0) or os.cpu_count() or 1


def _seconds(given: Given) -> float:
    from near_tee_cli.cli import units
    from near_tee_cli.cli.isolated import DEFAULT_TIME_LIMIT

    limit = given["time_limit"]
    return DEFAULT_TIME_LIMIT if limit is None else units.seconds(limit, "--time-limit")


def _health_seconds(given: Given) -> float:
    from near_tee_cli.cli import units

    return 30.0 if given["health"] is None else units.seconds(given["health"], "--health")


def _executing(given: Given, store: Any) -> Any:
    from near_tee_cli.cli import machine as machines
    from near_tee_cli.cli import working
    from near_tee_cli.cli.batch_items import line_parser
    from near_tee_cli.cli.commands.prove import LINE as PROVE
    from near_tee_cli.cli.commands.prove import complete
    from near_tee_cli.cli.isolated import executor

    source, seconds = _source(given), _seconds(given)
    cache, _ = machines.code_cache(machines.EXECUTING)
    return working.Executing(
        source=source,
        base=given["base"] or given["jobs_directory"] or "",
        line_of=line_parser(PROVE, complete),
        hands=_hands(given),
        seconds=seconds,
        health_seconds=_health_seconds(given),
        compiler=given["compiler"],
        cache=cache,
        executor=executor(given["compiler"], seconds=seconds),
        results=store,
    )


class _FileKey:
    """A key of a file, which says nothing of where it lives."""

    def __init__(self, path: str) -> None:
        from near_tee_cli.cli.key_file import read_secret_key
        from near_tee_cli.primitives.keys import public_key_text

        self._key = read_secret_key(path)
        self.signer = public_key_text(self._key.public_key())

    def sign(self, bundle: Any, verified: Any) -> Any:
        from near_tee_cli.proof.signatures import sign_bundle

        if verified.claim_digest != bundle.claim_digest:
            raise EvidenceError("another claim was verified", code="not-verified")
        return sign_bundle(bundle, public_key=self._key.public_key(), sign=self._key.sign_bytes)

    def sign_wasi(self, bundle: Any, verified: Any) -> Any:
        from near_tee_cli.proof.signatures import signed_attachments
        from near_tee_cli.worker.wasi_bundle import signable_of

        if verified.claim_digest != bundle.claim_digest:
            raise EvidenceError("another claim was verified", code="not-verified")
        subject, key = signable_of(bundle), self._key
        return bundle._replace(attachments=signed_attachments(subject, key.public_key(), key.sign_bytes))


class _BoundKey:
    """A key of this process, bound by the machine."""

    def __init__(self, key: Any) -> None:
        from near_tee_cli.primitives.keys import public_key_text

        self._key = key
        self.signer = public_key_text(key.public_key)
        self.sign = key.sign
        self.sign_wasi = key.sign_wasi


def _key(given: Given) -> tuple[Any, tuple[str, ...]]:
    """Who signs, made when the executing process is forked already; `None` for nobody."""
    if given["sign_with"] is not None:
        return _FileKey(given["sign_with"]), ()
    if not given["attest"]:
        return None, ()
    from near_tee_cli.attest.environment import SIMULATED as MODE
    from near_tee_cli.cli.agents import attested_key

    key = attested_key(given)
    return _BoundKey(key), (SIMULATED,) if key.mode == MODE else ()


def _serve(pipe: int, *, store: Any, key: Any) -> dict[str, int]:
    """Sign, store and tell of every finished job; how many there were of each kind."""
    from near_tee_cli.cli.working import finished_jobs, log
    from near_tee_cli.primitives import canonical_json as cj

    log("ready", signer=None if key is None else key.signer)
    counts = dict.fromkeys(("proved", "already", "failed"), 0)
    for finished in finished_jobs(pipe):
        result = _told(finished, store, key)
        kind = "failed" if result["exit"] != exit_codes.OK else "already" if result["cached"] else "proved"
        counts[kind] += 1
        sys.stdout.write(cj.dumps({"name": finished.name, **result}).decode())
        sys.stdout.flush()
    return counts


def _told(finished: Any, store: Any, key: Any) -> dict[str, Any]:
    """The result of a job, stored under its name."""
    from near_tee_cli.cli.batch_jobs import members_of, stopped
    from near_tee_cli.errors import NearTeeError

    result = dict(finished.summary)
    if result["exit"] != exit_codes.OK:
        return result
    try:
        signed = None
        if not result.get("cached"):
            signed = _signed(finished, key)
            result = {**store.keep(finished.job_id, finished.bundle, result), "cached": False}
        path = store.name(finished.name, result["bundle"])
        if signed is not None:
            store.sign(finished.name, signed)
    except NearTeeError as error:
        return stopped(exit_codes.of_error(error), members_of(error))
    return {**result, "path": path}


def _signed(finished: Any, key: Any) -> bytes | None:
    """The bundle signed by `key`, once it is established, or `None` without one.

    Raises `EvidenceError` when it is not established.
    """
    from near_tee_cli.isolate.reexecution import read_answer
    from near_tee_cli.proof.bundle import decode_bundle, encode_bundle
    from near_tee_cli.proof.verifier import DEFAULT_REQUIRED, Demands, begin, verified

    begun = begin(finished.bundle, Demands(DEFAULT_REQUIRED))
    executed = read_answer(finished.executed)[0] if begun.wants_execution else None
    claim = verified(begun.report(executed), finished.bundle)
    if key is None:
        return None
    return encode_bundle(key.sign(decode_bundle(finished.bundle), claim))
