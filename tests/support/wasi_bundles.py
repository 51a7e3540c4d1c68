"""Claims about a small program as files, signed or not, and what a child would hand back of them."""

from functools import cache

from near_tee_cli.proof.signatures import signed_attachments
from near_tee_cli.proof.verifier import DEFAULT_REQUIRED, Demands
from near_tee_cli.worker.attested_key import EPHEMERAL, AttestedKey
from near_tee_cli.worker.wasi import execute
from near_tee_cli.worker.wasi_bundle import WasiBundle, bundle_of, encode_wasi_bundle, signable_of
from near_tee_cli.worker.wasi_run import Limits, Recorded, Run, encode_run
from near_tee_cli.worker.wasi_statement import Asked, Place, claim_of
from near_tee_cli.worker.wasi_verifier import begin_wasi, verified_wasi
from tests.reject.signed import signing
from tests.support.attested import GUEST, PLAINLY, agent_of
from tests.support.wasi_programs import ECHO

ASKED = Asked(ECHO, b"hello", (("A", "1"), ("B", "")), Limits(10**6, 1, 5), Recorded(7, bytes(32)))
PLACE = Place("mainnet", "outlayer.near", 3, bytes(range(32)))
DEMANDS = Demands(DEFAULT_REQUIRED)


@cache
def run_here(asked: Asked = ASKED) -> Run:
    """What comes of a program, in this process."""
    return execute(
        asked.program, stdin=asked.stdin, environment=asked.environment, limits=asked.limits, recorded=asked.recorded
    )


def answer_of(run: Run) -> bytes:
    """What a child hands back."""
    return b"\0" + encode_run(run)


@cache
def small_bundle(asked: Asked = ASKED) -> WasiBundle:
    """Without signatures."""
    run = run_here(asked)
    return bundle_of(claim_of(asked, run, place=PLACE, elapsed_ms=12), asked, run)


def signed_by(bundle: WasiBundle, *numbers: int) -> WasiBundle:
    """Signed by the keys with these numbers."""
    for number in numbers:
        key = signing(number)
        attachments = signed_attachments(signable_of(bundle), key["public_key"], key["sign"])
        bundle = bundle._replace(attachments=attachments)
    return bundle


@cache
def attested_bundle() -> WasiBundle:
    """Signed by a key that the simulated guest binds."""
    data = encode_wasi_bundle(small_bundle())
    made = verified_wasi(begin_wasi(data, DEMANDS).report(answer_of(run_here())))
    with agent_of() as agent:
        key = AttestedKey(agent, kind=EPHEMERAL, asked=PLAINLY, collateral=GUEST.pki.collateral())
        return key.sign_wasi(small_bundle(), made)
