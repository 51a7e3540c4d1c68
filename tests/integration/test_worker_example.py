"""The example of a worker in a guest: what it deploys is what it says, and a policy can accept it."""

import json
import tomllib

from near_tee_cli.attest.compose import ComposeRules, compose_hash, judge_compose
from near_tee_cli.attest.simulator import SimulatedGuest
from near_tee_cli.proof.bundle import encode_bundle
from near_tee_cli.proof.policy import parse_policy
from near_tee_cli.proof.report import Strength, Verdict
from near_tee_cli.proof.verifier import verify
from tests.support.attested import ISSUED, attested, judging
from tests.support.cli import PROJECT
from tests.support.machines import machine

FOLDER = PROJECT / "examples" / "worker"
COMPOSE = (FOLDER / "app-compose.json").read_bytes()


def test_what_is_deployed_is_the_compose_file() -> None:
    assert json.loads(COMPOSE)["docker_compose_file"] == (FOLDER / "docker-compose.yml").read_text()
    policy = tomllib.loads((FOLDER / "policy.toml").read_text())
    assert policy["app"]["compose_hashes"] == [compose_hash(COMPOSE).hex()]
    assert judge_compose(COMPOSE, ComposeRules(agent_socket_services=frozenset({"worker"}))) == ()
    assert [fault.code for fault in judge_compose(COMPOSE, ComposeRules())] == ["compose-agent-socket"]


def test_the_policy_accepts_a_guest_of_it_once_its_registers_are_filled_in() -> None:
    guest = SimulatedGuest(seed=b"worker", issued=ISSUED, compose=COMPOSE)
    text = (FOLDER / "policy.toml").read_text()
    for name, value in (("mrtd", guest.mr_td), *((f"rtmr{at}", guest.registers[at]) for at in range(3))):
        text = text.replace(f'{name} = "{"00" * 48}"', f'{name} = "{value.hex()}"')
    policy = parse_policy(text.replace("max_anchor_age_blocks = 100000", "").encode()).platform
    bundle = encode_bundle(attested(guest))
    asked = (Strength.ATTESTED, Strength.RE_EXECUTED)
    report = verify(bundle, require=asked, machine=machine(), attesting=judging(guest, policy=policy))
    assert report.verdict is Verdict.ESTABLISHED, report.message
