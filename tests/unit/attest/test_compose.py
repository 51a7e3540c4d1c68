"""Compose files: hashed as they stand, and judged for whether that hash pins any code."""

import hashlib
import json

import pytest

from near_tee_cli.attest.compose import (
    AGENT_SOCKETS,
    DOCKER_SOCKETS,
    ComposeRules,
    app_id_of,
    compose_hash,
    config_id_of,
    judge_compose,
)
from tests.support import attestation as recorded

PINNED = "example/worker@sha256:" + "ab" * 32
RULES = ComposeRules()


def compose(text: str | None = None, **members) -> bytes:
    text = f"services:\n  worker:\n    image: {PINNED}\n" if text is None else text
    return json.dumps({"runner": "docker-compose", "docker_compose_file": text, "allowed_envs": [], **members}).encode()


def service(*lines: str) -> bytes:
    return compose("\n".join(["services:", "  worker:", f"    image: {PINNED}", *(f"    {line}" for line in lines)]))


def codes(data: bytes, rules: ComposeRules = RULES) -> list[str]:
    return [fault.code for fault in judge_compose(data, rules)]


def test_hash_is_of_the_bytes_as_they_stand() -> None:
    data = recorded.mpc_compose()
    case = recorded.cases()[recorded.MPC]
    assert compose_hash(data) == hashlib.sha256(data).digest()
    assert config_id_of(compose_hash(data)).hex() == case["mr_config_id"]
    assert app_id_of(compose_hash(data)) == compose_hash(data)[:20]
    again = json.dumps(json.loads(data)).encode()
    assert compose_hash(again) != compose_hash(data)


def test_a_file_without_fault() -> None:
    assert codes(compose()) == []
    assert codes(compose(pre_launch_script="", init_script=None, no_instance_id=True)) == []
    lines = (
        "volumes:",
        "  - data:/data",
        "  - /data",
        "  - ./here:/there:ro",
        "  - /srv/x:/y",
        "  - /processes:/z",
        "privileged: false",
    )
    assert codes(service(*lines)) == []
    assert codes(service("volumes:", "  - type: tmpfs", "    target: /x", "  - type: volume", "    source: data")) == []


def test_volumes_without_a_source() -> None:
    """A path alone is a fresh volume at that place in the container; a name alone is one of docker's own."""
    assert codes(service("volumes:", "  - /var/run/docker.sock", "  - ''", "  - type: volume", "    target: /x")) == []
    named = f"services:\n  w:\n    image: {PINNED}\n    volumes:\n      - v:/x\nvolumes:\n  v:\n  u: {{}}\n"
    assert codes(compose(named)) == []
    assert codes(service("volumes:", "  - type: bind", "    source: [x]", "    target: /x")) == ["compose-mount"]


def test_a_real_file() -> None:
    assert codes(recorded.mpc_compose()) == ["compose-docker-socket", "compose-agent-socket"]
    allowed = RULES._replace(agent_socket_services=frozenset({"launcher"}))
    assert codes(recorded.mpc_compose(), allowed) == ["compose-docker-socket"]


@pytest.mark.parametrize(
    "image",
    [
        "example/worker",
        "example/worker:1.0",
        "example/worker@sha256:" + "ab" * 31,
        "example/worker@sha256:" + "AB" * 32,
        "example/worker@sha512:" + "ab" * 64,
        "$IMAGE@sha256:" + "ab" * 32,
        "'${IMAGE:-" + PINNED + "}'",
        PINNED + "x",
        "",
        "[a]",
    ],
)
def test_images_by_anything_but_their_hash(image) -> None:
    assert codes(compose(f"services:\n  worker:\n    image: {image}\n")) == ["compose-image-unpinned"]


def test_one_service_of_several() -> None:
    text = f"services:\n  a:\n    image: {PINNED}\n  b:\n    image: example/b:latest\n"
    faults = judge_compose(compose(text), RULES)
    assert [fault.code for fault in faults] == ["compose-image-unpinned"]
    assert "services.b" in faults[0].detail


def test_images_that_carry_tag_and_hash() -> None:
    assert codes(compose(f"services:\n  w:\n    image: reg.example:5000/a/b:1.0@sha256:{'ab' * 32}\n")) == []


@pytest.mark.parametrize("key", ["pre_launch_script", "init_script", "bash_script"])
def test_scripts(key) -> None:
    assert codes(compose(**{key: "echo"})) == ["compose-script"]
    assert codes(compose(**{key: ["echo"]})) == ["compose-script"]
    assert codes(compose(**{key: "echo"}), RULES._replace(forbidden_keys=())) == []


def test_variables_from_outside() -> None:
    assert codes(compose(allowed_envs=["A", "B"])) == ["compose-envs"]
    assert codes(compose(allowed_envs=["A", "B"]), RULES._replace(allowed_envs=frozenset("A"))) == ["compose-envs"]
    assert codes(compose(allowed_envs=["A", "B"]), RULES._replace(allowed_envs=frozenset("AB"))) == []
    assert codes(compose(allowed_envs="A")) == codes(compose(allowed_envs=[1])) == ["compose-unreadable"]


def test_other_runners() -> None:
    assert codes(compose(runner="bash", bash_script="echo")) == ["compose-runner", "compose-script"]
    assert codes(compose(runner=None)) == ["compose-runner"]
    assert codes(compose("", runner="bash")) == ["compose-runner"]


@pytest.mark.parametrize("lines", [("build: .",), ("build:", "  context: .")])
def test_code_that_is_built_inside(lines) -> None:
    assert codes(service(*lines)) == ["compose-build"]


def test_content_from_elsewhere() -> None:
    for key in ("env_file", "label_file", "provider"):
        assert codes(service(f"{key}: x")) == ["compose-elsewhere"]
    assert codes(service("extends:", "  file: other.yml")) == ["compose-elsewhere"]
    assert codes(compose(f"include:\n  - other.yml\nservices:\n  w:\n    image: {PINNED}\n")) == ["compose-elsewhere"]


@pytest.mark.parametrize(
    "lines",
    [("privileged: true",), ("pid: host",), ("cap_add: [SYS_ADMIN]",), ("devices:", "  - /dev/kmsg:/dev/kmsg")],
)
def test_containers_that_reach_beyond_themselves(lines) -> None:
    assert codes(service(*lines)) == ["compose-privileged"]


SOURCES = [
    *((path, "compose-agent-socket") for path in AGENT_SOCKETS),
    *((path, "compose-docker-socket") for path in DOCKER_SOCKETS),
    ("/var/run/dstack", "compose-agent-socket"),
    ("/var//run/./x/../dstack.sock/", "compose-agent-socket"),
    ("//var/run/docker.sock", "compose-docker-socket"),
    ("/run/containerd", "compose-docker-socket"),
    ("$SOCKET", "compose-mount"),
    ("${SOCKET:-/x}", "compose-mount"),
    ("~/x", "compose-mount"),
    ("../x", "compose-mount"),
    ("x/../../y", "compose-mount"),
    ("/proc", "compose-mount"),
    ("/proc/1/root", "compose-mount"),
    ("/dev/tdx_guest", "compose-mount"),
    ("/sys/kernel/config/tsm", "compose-mount"),
]


@pytest.mark.parametrize(("source", "code"), SOURCES)
def test_mounts_in_every_spelling(source, code) -> None:
    assert codes(service("volumes:", "  - type: bind", f'    source: "{source}"', "    target: /x")) == [code]
    assert codes(service("volumes:", f'  - {{type: bind, source: "{source}", target: /x}}')) == [code]
    if ":" not in source:
        assert codes(service("volumes:", f'  - "{source}:/x:ro"')) == [code]
        top = f"services:\n  w:\n    image: {PINNED}\nvolumes:\n  v:\n    driver_opts:\n      device: '{source}'\n"
        assert codes(compose(top)) == [code]
        top = f"services:\n  w:\n    image: {PINNED}\nconfigs:\n  c:\n    file: '{source}'\n"
        assert codes(compose(top)) == [code]


@pytest.mark.parametrize("source", ["/", "/run", "/var/run", "/var"])
def test_directories_above_both_sockets(source) -> None:
    assert codes(service("volumes:", f"  - {source}:/x")) == ["compose-docker-socket", "compose-agent-socket"]


def test_other_ways_to_a_socket() -> None:
    assert codes(service("use_api_socket: true")) == ["compose-docker-socket"]
    assert codes(service("volumes_from: [other]")) == ["compose-mount"]
    assert codes(service("volumes:", "  - [x]")) == ["compose-mount"]
    assert codes(service("volumes:", "  - type: npipe", "    source: x")) == ["compose-mount"]
    assert codes(service("volumes:", "  - type: [x]", "    source: x")) == ["compose-mount"]
    assert codes(service("volumes:", "  - type: tmpfs", "    source: /run")) != []
    assert codes(service("volumes:", "  - src: /run/docker.sock", "    target: /x")) == ["compose-docker-socket"]
    assert codes(service("volumes:", "  - type: image", "    source: a/b:1")) == ["compose-image-unpinned"]
    assert codes(service("volumes:", "  - type: image", "    source: [x]")) == ["compose-image-unpinned"]
    assert codes(service("volumes:", "  - type: image", f"    source: {PINNED}")) == []
    assert codes(service("volumes: /run/docker.sock:/x")) == ["compose-docker-socket"]


def test_services_that_may_have_the_agents_socket() -> None:
    rules = RULES._replace(agent_socket_services=frozenset({"worker"}))
    assert codes(service("volumes:", "  - /run/dstack.sock:/run/dstack.sock"), rules) == []
    assert codes(service("volumes:", "  - /run/dstack:/x"), rules) == ["compose-agent-socket"]
    assert codes(service("volumes:", "  - /run/docker.sock:/x"), rules) == ["compose-docker-socket"]
    others = rules._replace(agent_socket_services=frozenset({"agent"}))
    assert codes(service("volumes:", "  - /run/dstack.sock:/x"), others) == ["compose-agent-socket"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"a":1,"a":2}',
        b'{"runner":"docker-compose"}',
        compose(""),
        compose("services:\n"),
        compose("- a\n"),
        compose("services: x\n"),
        compose("services:\n  w: x\n"),
        compose(f"services:\n  w:\n    image: &x {PINNED}\n"),
        compose(f"services:\n  w:\n    image: {PINNED}\nvolumes: x\n"),
        b"{}" + b" " * (256 * 1024 - 1),
    ],
)
def test_files_that_cannot_be_read(data) -> None:
    assert codes(data) == ["compose-unreadable"]


def test_the_largest_file() -> None:
    assert codes(compose() + b" " * (256 * 1024 - len(compose()))) == []
