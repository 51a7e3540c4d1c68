"""`python -m near_tee_cli.cli.cluster_worker`: prove some items of somebody else's batch, on a worker of a cluster.

A task comes in on standard input, a line of JSON for each item goes out. Files come from the store and results go
into it, by content; what is finished there is taken over. On standard error stands a line of JSON for each item that
was really executed, for whoever runs the worker.
"""

import os
import sys
import tempfile
from collections.abc import Mapping
from typing import Any

import near_tee_cli
from near_tee_cli.cli import exit_codes
from near_tee_cli.cli.batch_inputs import place_file
from near_tee_cli.cli.batch_jobs import answered, members_of, stopped
from near_tee_cli.cli.cluster_item import proved, proved_apart
from near_tee_cli.errors import BadInputError, NearTeeError
from near_tee_cli.isolate.child import thread_count
from near_tee_cli.isolate.confinement import die_with_parent
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.workspace.blobs import blobs_at
from near_tee_cli.workspace.result_store import Results

MAX_TASK_BYTES = 64 << 20


def main() -> None:
    """Read a task, execute it, write the lines."""
    die_with_parent()
    task: Any = cj.loads(sys.stdin.buffer.read(MAX_TASK_BYTES), "the task")
    for item in task["items"]:
        try:
            result = _result(task, item)
        except NearTeeError as error:
            result = stopped(exit_codes.of_error(error), members_of(error))
        sys.stdout.buffer.write(cj.dumps(result))
        sys.stdout.buffer.flush()


def _result(task: Mapping[str, Any], item: Mapping[str, Any]) -> dict[str, Any]:
    """What an item came to."""
    if task["version"] != near_tee_cli.__version__:
        raise BadInputError(
            f"the worker has version {near_tee_cli.__version__}, the batch is of {task['version']}",
            code="other-version",
        )
    results = _store(task)
    job_id = bytes.fromhex(item["job_id"])
    kept = results.find(job_id)
    if kept is not None:
        return {**kept.summary, "cached": True}
    with tempfile.TemporaryDirectory(prefix="near-tee-") as base:
        for path, digest in item["files"].items():
            place_file(os.path.join(base, path), results.input(digest))
        work = {
            "values": item["values"],
            "files": list(item["files"]),
            "base": base,
            "compiler": task["compiler"],
            "milliseconds": task["milliseconds"],
        }
        answer = proved(work) if thread_count() == 1 else proved_apart(work)
        summary, bundle = answered(item["name"], answer)
    sys.stderr.buffer.write(cj.dumps({"near-tee": "executed", "job": item["job_id"], "exit": summary["exit"]}))
    sys.stderr.buffer.flush()
    if bundle is None:
        return summary
    return {**results.keep(job_id, bundle, summary), "cached": False}


def _store(task: Mapping[str, Any]) -> Results:
    results = Results(blobs_at(task["store"]), key=lambda: bytes.fromhex(task["key"]))
    if not results.is_marked(task["mark"]):
        raise BadInputError(
            f"the worker does not see {task['store']}",
            code="no-store",
            hint="give a directory that all machines share, or --store URL",
        )
    return results


if __name__ == "__main__":
    main()
