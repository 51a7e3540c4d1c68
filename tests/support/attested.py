"""Bundles signed by keys that a simulated guest binds, and what a verifier needs to accept them."""

import contextlib
import pathlib
import tempfile
from functools import cache

from near_tee_cli.attest.guest_agent import GuestAgent
from near_tee_cli.attest.platform_policy import PlatformPolicy, parse_platform_policy
from near_tee_cli.attest.simulator import SimulatedGuest
from near_tee_cli.attest.simulator_server import SimulatedAgent
from near_tee_cli.proof.attestation import Attesting
from near_tee_cli.proof.bundle import Bundle, decode_bundle
from near_tee_cli.proof.report import VerifiedClaim
from near_tee_cli.proof.verifier import verified, verify
from near_tee_cli.worker.attested_key import EPHEMERAL, Asked, AttestedKey
from tests.support.bundles import small_proof
from tests.support.machines import machine

ISSUED = 1_790_000_000
NOW = ISSUED + 86_400
PLAINLY = Asked()
GUEST = SimulatedGuest(seed=b"a guest", issued=ISSUED)


@contextlib.contextmanager
def agent_of(guest=GUEST):
    """A client of the agent of `guest`."""
    with tempfile.TemporaryDirectory(prefix="nt-") as folder:
        path = str(pathlib.Path(folder) / "agent.sock")
        with SimulatedAgent(guest, path):
            yield GuestAgent(path, timeout=5)


@cache
def established() -> VerifiedClaim:
    """The small claim, verified."""
    data = small_proof().data
    return verified(verify(data, machine=machine()), data)


@cache
def attested(guest: SimulatedGuest = GUEST, asked: Asked = PLAINLY, kind: str = EPHEMERAL) -> Bundle:
    """The small bundle, signed and with evidence."""
    with agent_of(guest) as agent:
        key = AttestedKey(agent, kind=kind, asked=asked, collateral=guest.pki.collateral())
        return key.sign(decode_bundle(small_proof().data), established())


def policy_for(guest: SimulatedGuest = GUEST, **tables) -> PlatformPolicy:
    """A policy that accepts `guest`, with `tables` in the place of its own."""
    registers = {f"rtmr{at}": guest.registers[at].hex() for at in range(3)}
    return parse_platform_policy(
        {
            "measurements": [{"label": "simulated", "mrtd": guest.mr_td.hex(), **registers}],
            "app": {"compose_hashes": [guest.compose_hash.hex()]},
            **tables,
        }
    )


def judging(guest: SimulatedGuest = GUEST, **changes) -> Attesting:
    """A verifier that accepts the simulated evidence of `guest`."""
    return Attesting(policy=policy_for(guest), time=NOW, allow_dev=True, dev_root=guest.pki.root)._replace(**changes)
