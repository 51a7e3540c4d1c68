"""`prove --attest`: one claim, proved in a child, executed again in another, and signed by a key of this process.

The key is made, and the machine's agent asked, when both children have ended: what executes a contract was forked from
a process that held no secret.
"""

from typing import Any

from near_tee_cli.attest.environment import SIMULATED
from near_tee_cli.batch.manifest import Item
from near_tee_cli.cli import machine as machines
from near_tee_cli.cli.agents import ATTEST, attested_key
from near_tee_cli.cli.attesting import SIMULATED as NOTICE
from near_tee_cli.cli.batch_inputs import Inputs
from near_tee_cli.cli.batch_items import understood
from near_tee_cli.cli.batch_jobs import answered, bounds_of, started
from near_tee_cli.cli.claims import bundle_json
from near_tee_cli.cli.isolated import DEFAULT_TIME_LIMIT, executor
from near_tee_cli.cli.parameters import Given
from near_tee_cli.errors import BadInputError, EvidenceError, HostError, UsageError
from near_tee_cli.primitives.keys import public_key_text
from near_tee_cli.proof.bundle import decode_bundle, encode_bundle
from near_tee_cli.proof.report import VerifiedClaim
from near_tee_cli.proof.verifier import DEFAULT_REQUIRED, Demands, begin, verified
from near_tee_cli.workspace.atomic import write_file

_NAME = "claim"
_SAID_ELSEWHERE = ("out", "force", "compiler", *(parameter.name for parameter in ATTEST))
_RAISED = {2: UsageError, 6: BadInputError}
"""Exit codes of a child, and what they stand for; anything else is a defect of the host."""


def attested_proof(item: Given, given: Given) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Prove what `item` names and write it as `given` says; the result, and warnings. Raises what stops it."""
    bundle, claim = _established(item, given)
    key = attested_key(given)
    signed = encode_bundle(key.sign(decode_bundle(bundle), claim))
    write_file(given["out"], signed, overwrite=given["force"])
    signer = public_key_text(key.public_key)
    result = {"path": given["out"], **bundle_json(signed, claim.claim), "signer": signer, "run": None}
    return result, (NOTICE,) if key.mode == SIMULATED else ()


def _established(item: Given, given: Given) -> tuple[bytes, VerifiedClaim]:
    """The bundle, and its claim as established by executing it again. Both children have ended when it returns."""
    cache, _ = machines.code_cache(machines.EXECUTING)
    plain = {**item, **dict.fromkeys(_SAID_ELSEWHERE)}
    with Inputs() as inputs:
        work = understood(Item(_NAME, ()), "", lambda _: plain, inputs)
        child = started(
            work.given,
            work.files,
            base=inputs.directory,
            compiler=given["compiler"],
            cache=cache,
            bounds=bounds_of(DEFAULT_TIME_LIMIT),
        )
        try:
            answer = child.wait()
        finally:
            child.abandon()
        codes = {bytes.fromhex(digest): inputs.read(path) for path, digest in work.files.items()}
    summary, bundle = answered(_NAME, answer)
    if bundle is None:
        error = summary["error"]
        kind = _RAISED.get(summary["exit"], HostError)
        raise kind(error["message"], code=error["code"], hint=error["hint"], where=error["where"])
    begun = begin(bundle, Demands(DEFAULT_REQUIRED, codes=codes if item["detach_code"] else {}))
    if not begun.wants_execution:
        raise EvidenceError("the proof does not hold", code="child-crashed")
    executed = begun.execute(executor(given["compiler"], seconds=DEFAULT_TIME_LIMIT))
    return bundle, verified(begun.report(executed), bundle)
