"""What is done with one item of a batch: proved in a child, and held against itself before anybody believes it.

The same here as on another machine: the child has no network, keys or files but the copies of those that it reads,
and whoever started it takes its answer as from a stranger.
"""

import os
from collections.abc import Iterable, Mapping
from typing import Any

from near_tee_cli.cli import exit_codes, files
from near_tee_cli.cli import machine as machines
from near_tee_cli.cli.claim_options import formed, purpose_of
from near_tee_cli.cli.claims import bundle_json
from near_tee_cli.cli.failures import failure_text
from near_tee_cli.cli.isolated import lent_of, paths
from near_tee_cli.cli.parameters import Given
from near_tee_cli.cli.proving import source_of
from near_tee_cli.errors import BadInputError, NearTeeError
from near_tee_cli.isolate.bounds import Bounds
from near_tee_cli.isolate.child import Child, Death, Job, Paths
from near_tee_cli.isolate.lending import SealingMachine, make_ready
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.proof.bundle import decode_bundle
from near_tee_cli.proof.prover import prove
from near_tee_cli.proof.report import Verdict
from near_tee_cli.proof.verifier import NO_REPLAY, verify
from near_tee_cli.vm.engine_thread import on_contract_thread

_COMPILING = Bounds(wall_seconds=10.0, cpu_seconds=10)
"""What compiling the contracts of one bundle may cost a batch."""
_MAX_ANSWER_BYTES = files.MAX_BUNDLE_BYTES + (1 << 16)


def bounds_of(seconds: float) -> Bounds:
    """What the child of one item may use."""
    return Bounds(seconds, cpu_seconds=int(seconds) + 1, output_bytes=_MAX_ANSWER_BYTES)


def started(
    given: Given, reads: Iterable[str], *, base: str, compiler: str | None, cache: Any, bounds: Bounds
) -> Child:
    """A child that proves an item; lent of `cache`. It reads the copies `reads`, and its paths start at `base` too.

    Each copy of a file or directory lies in a folder of its own.
    """
    own = paths()
    folders = {path.partition("/")[0] for path in reads}
    allowed = Paths((*own.readable, *(os.path.join(base, folder) for folder in folders)), own.writable)
    lent = lent_of(cache)
    return Child(_job(given, base=base, compiler=compiler, lent=lent), bounds=bounds, paths=allowed, lent=lent)


def _job(given: Given, *, base: str, compiler: str | None, lent: Any) -> Job:
    """What the child does: prove, and hand back a line about it and the bundle."""

    def execute() -> bytes:
        try:
            machine = machines.machine_with(compiler, lent, ()).machine
            if lent is not None:
                machine = SealingMachine(machine, lent)
            source = source_of(given, machine)
            world = source.world
            proof = prove(
                world.config,
                world.chain,
                transitions=source.transitions,
                machine=machine,
                purpose=purpose_of(given),
            )
        except NearTeeError as error:
            return cj.dumps({"exit": exit_codes.of_error(error), "error": members_of(error)})
        failure = None if source.result is None else source.result["failure"]
        told = None if failure is None else failure_text(failure)
        missed = lent is not None and lent.missed
        return cj.dumps({"exit": exit_codes.OK, "contract_failure": told, "missed": missed}) + formed(proof.data, given)

    def job(_: tuple[str, ...]) -> bytes:
        os.chdir(base)
        return on_contract_thread(execute)

    return job


def answered(name: str, answer: bytes | Death) -> tuple[dict[str, Any], bytes | None]:
    """What a child handed back: a summary, and the bundle where there is one, which is consistent then."""
    if isinstance(answer, Death):
        code = exit_codes.TIMEOUT if answer.code == "timeout" else exit_codes.INTERNAL
        return stopped(code, {"code": answer.code, "message": answer.message, "hint": None, "where": name}), None
    head, _, data = answer.partition(b"\n")
    try:
        told = cj.mapping(cj.loads(head, "the answer"), "the answer")
        if told.get("error") is not None:
            return stopped(cj.integer(told.get("exit"), "exit"), cj.mapping(told["error"], "error")), None
        return summary_of(data, told.get("contract_failure")), data
    except BadInputError as error:
        return stopped(exit_codes.INTERNAL, {**members_of(error), "code": "child-crashed"}), None


def keep_missed(answer: bytes | Death, data: bytes, *, compiler: str | None, cache: Any) -> None:
    """Compile what an item compiled after it had begun to execute, in a child that executes nothing.

    `data` is the bundle of `answer`, which is consistent. Nothing is decided by it: it makes later items quicker.
    """
    if isinstance(answer, Death) or b'"missed":true' not in answer.partition(b"\n")[0]:
        return
    lent = lent_of(cache)
    if lent is None:
        return

    def compile_all(_: tuple[str, ...]) -> bytes:
        machine = machines.machine_with(compiler, lent, ()).machine
        on_contract_thread(lambda: make_ready(decode_bundle(data), {}, machine))
        return b""

    Child(compile_all, bounds=_COMPILING, paths=paths(), lent=lent).wait()


def summary_of(data: bytes, contract_failure: Any) -> dict[str, Any]:
    """What is told of a bundle. Raises `BadInputError` when it is not consistent."""
    report = verify(data, require=NO_REPLAY)
    if report.verdict is not Verdict.ESTABLISHED or report.claim is None:
        raise BadInputError(f"the bundle of a child does not hold: {report.message}")
    bundle = bundle_json(data, report.claim)
    told = {name: bundle[name] for name in ("size", "claim_digest", "pre_root", "post_root")}
    return {"exit": exit_codes.OK, "error": None, "contract_failure": contract_failure, **told}


def members_of(error: NearTeeError) -> dict[str, Any]:
    """An error as JSON has it."""
    where = None if error.where is None else readable(error.where)
    return {"code": error.code, "message": readable(error.message), "hint": error.hint, "where": where}


def readable(text: str) -> str:
    """What names a file, which may be any bytes, as text that JSON can hold."""
    return os.fsencode(text).decode("utf-8", "replace")


def stopped(code: int, error: Mapping[str, Any]) -> dict[str, Any]:
    """The result of an item without a bundle."""
    return {"exit": code, "error": dict(error), "bundle": None, "cached": False}
