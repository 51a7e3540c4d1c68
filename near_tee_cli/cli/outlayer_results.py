"""`worker --outlayer`, the process that signs: what was established gets a signature, a name, and calls that answer.

objects/<SHA-256>.ntw   claims without signatures, never changed
<name>.ntw              a claim under the name of its request, signed
"""

import os
import sys
from collections.abc import Callable
from typing import Any

from near_tee_cli.cli import exit_codes
from near_tee_cli.cli.batch_jobs import members_of, stopped
from near_tee_cli.cli.working import Finished, finished_jobs, log
from near_tee_cli.errors import BadInputError, NearTeeError, WriteError
from near_tee_cli.isolate.child import TIMEOUT
from near_tee_cli.primitives import base58
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.proof.claim import digest
from near_tee_cli.proof.report import Verdict
from near_tee_cli.proof.verifier import DEFAULT_REQUIRED, NO_REPLAY, Demands
from near_tee_cli.worker.outlayer_answers import Response, answer, failure, response_of
from near_tee_cli.worker.outlayer_cost import Resources, charged_for
from near_tee_cli.worker.wasi_bundle import SUFFIX, WasiBundle, decode_wasi_bundle, encode_wasi_bundle, run_of
from near_tee_cli.worker.wasi_statement import Asked, Place, Task, environment_digest, task_digest
from near_tee_cli.worker.wasi_verifier import VerifiedWasi, begin_wasi, verified_wasi
from near_tee_cli.workspace.atomic import make_directory, read_file, write_file
from near_tee_cli.workspace.blobs import DirectoryBlobs
from near_tee_cli.workspace.result_seal import own_key
from near_tee_cli.workspace.result_store import Results

Sign = Callable[[WasiBundle, VerifiedWasi], WasiBundle]
"""Signs what was established."""

_MAX_BYTES = 64 << 20


def results_in(out: str) -> Results:
    """The finished requests in a directory, which is made when it is not there. Raises `WriteError`."""
    own_key()  # is there, or says so now
    blobs = DirectoryBlobs(out)
    for path in (out, blobs.path("objects"), blobs.path("jobs")):
        make_directory(path)
    return Results(blobs, key=own_key, suffix=SUFFIX)


def job_id_of(place: Place, asked: Asked) -> bytes:
    """What names a request with everything that determines its result, 32 bytes."""
    task = Task(
        program=sha256(asked.program),
        input=sha256(asked.stdin),
        environment=environment_digest(asked.environment),
        limits=asked.limits,
        recorded=asked.recorded,
        metering="",
    )
    data_id = None if place.data_id is None else place.data_id.hex()
    return digest(
        "outlayer-job", task_digest(task) + cj.dumps([place.network, place.contract, place.request_id, data_id])
    )


def _found(path: str) -> WasiBundle | None:
    try:
        return decode_wasi_bundle(read_file(path, "the claim", max_bytes=_MAX_BYTES))
    except BadInputError:
        return None


def serve(pipe: int, results: Results, out: str, *, sign: Sign | None, signer: str | None) -> dict[str, int]:
    """Sign, store and tell of every finished request; how many there were of each kind."""
    log("ready", signer=signer)
    counts = dict.fromkeys(("proved", "already", "failed"), 0)
    for finished in finished_jobs(pipe):
        result = _told(finished, results, out, sign)
        kind = "failed" if result["exit"] != exit_codes.OK else "already" if result["cached"] else "proved"
        counts[kind] += 1
        sys.stdout.write(cj.dumps({"name": finished.name, **result}).decode())
        sys.stdout.flush()
    return counts


_NOTHING: dict[str, Any] = {
    "path": None, "claim_digest": None, "success": None, "resources_used": None, "cost": None, "answers": [],
}  # fmt: skip


def _told(finished: Finished, results: Results, out: str, sign: Sign | None) -> dict[str, Any]:
    """The result of a request, its claim stored under its name."""
    summary = dict(finished.summary)
    response_format = summary.pop("response_format", None)
    about = {name: summary.get(name) for name in ("request_id", "data_id")}
    try:
        if finished.bundle:
            return {**summary, **_established(finished, str(response_format), results, out, sign)}
        error, elapsed_ms = summary["error"], summary.pop("elapsed_ms", 0)
        if error["code"] != TIMEOUT or about["request_id"] is None:
            return {**summary, **_NOTHING}
        response = failure(f"Execution timeout: {error['message']}", Resources(0, elapsed_ms, None))
        return {**summary, **_NOTHING, **_answered(about["request_id"], response)}
    except NearTeeError as error:
        return {**stopped(exit_codes.of_error(error), members_of(error)), **_NOTHING, **about}


def _established(
    finished: Finished, response_format: str, results: Results, out: str, sign: Sign | None
) -> dict[str, Any]:
    """Hold the second execution against the claim, sign, store. Raises `EvidenceError` when it is not established."""
    report = begin_wasi(finished.bundle, Demands(DEFAULT_REQUIRED)).report(finished.executed)
    made, bundle = verified_wasi(report), decode_wasi_bundle(finished.bundle)
    request_id = made.claim.place.request_id
    if request_id is None:
        raise BadInputError("the claim answers no request", code="bad-request")
    response = response_of(run_of(bundle), response_format, time_ms=made.claim.elapsed_ms)
    answered = _answered(request_id, response)
    if finished.job_id is None:
        raise BadInputError("the claim is of no job", code="bad-request")
    kept = results.keep(finished.job_id, finished.bundle, {})
    path = os.path.join(out, finished.name + SUFFIX)
    if not _is_there(path, bundle, signed=sign is not None):
        _require_ours(path)
        signed = bundle if sign is None else sign(bundle, made)
        write_file(path, encode_wasi_bundle(signed), overwrite=True)
    return {"path": path, "bundle": kept["bundle"], "claim_digest": base58.encode(made.claim_digest), **answered}


def _is_there(path: str, bundle: WasiBundle, *, signed: bool) -> bool:
    """Whether the claim lies there already, with signatures that hold where it is to have one."""
    found = _found(path)
    if found is None or found._replace(attachments=()) != bundle or (signed and not found.attachments):
        return False
    report = begin_wasi(encode_wasi_bundle(found), Demands(NO_REPLAY)).report(None)
    return report.report.verdict is Verdict.ESTABLISHED


def _require_ours(path: str) -> None:
    if os.path.lexists(path) and (os.path.islink(path) or _found(path) is None):
        told = f"{path} holds something that no worker has made, and is not overwritten"
        raise WriteError(told, code="exists", where=path)


def _answered(request_id: int, response: Response) -> dict[str, Any]:
    """The calls that answer a request, and what the execution costs its payer."""
    calls = answer(request_id, response)
    return {
        "success": response.success,
        "resources_used": response.resources._asdict(),
        "cost": str(charged_for(response.resources, success=response.success)),
        "answers": [{"method": call.method, "args": call.args.decode()} for call in calls],
    }
