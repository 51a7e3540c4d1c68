"""Compose files of dstack guests: the hash under which they are measured, and whether that hash pins any code.

The hash is over the raw bytes; written again by whatever tool, the file would have another one. A hash on an
allow-list says which file ran, not what the file fetches when it runs: an image by tag, a build section, a script or a
variable set from outside lets other code in under the same hash. So the file is judged besides, each fault by its code.

Follows dstack: docs (app-compose.json, `mr_config_id`), and the compose specification for services and volumes.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from near_tee_cli.attest.compose_yaml import Value, parse_yaml
from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.primitives.hashes import sha256

MAX_COMPOSE_BYTES = 256 * 1024
"""Bytes of a compose file."""

SCRIPT_KEYS = ("pre_launch_script", "init_script", "bash_script")
"""Members that run scripts beside the containers."""

AGENT_SOCKETS = (
    "/var/run/dstack.sock",
    "/run/dstack.sock",
    "/var/run/dstack/dstack.sock",
    "/run/dstack/dstack.sock",
    "/var/run/tappd.sock",
    "/run/tappd.sock",
)
"""Where a guest agent listens: whoever opens it has the guest's keys."""

DOCKER_SOCKETS = (
    "/var/run/docker.sock",
    "/run/docker.sock",
    "/var/run/containerd/containerd.sock",
    "/run/containerd/containerd.sock",
)
"""Where containers are started: whoever opens one of these is the guest."""

_PINNED = re.compile(r"[a-z0-9][A-Za-z0-9._:/-]*@sha256:[0-9a-f]{64}", re.ASCII)
_CONFIG_TYPE = b"\x01"
_POWERS = ("privileged", "pid", "cap_add", "devices", "device_cgroup_rules", "userns_mode", "cgroup_parent")
_KERNEL = ("/proc/", "/sys/", "/dev/")
_ELSEWHERE = ("extends", "env_file", "label_file", "provider")


class ComposeRules(NamedTuple):
    """What a policy says about compose files."""

    forbidden_keys: tuple[str, ...] = SCRIPT_KEYS
    """Members of the file that must be absent or empty."""
    allowed_envs: frozenset[str] = frozenset()
    """Variables that may be set from outside."""
    agent_socket_services: frozenset[str] = frozenset()
    """Services that may have the agent's socket: those that execute no contract in a process that can open it."""


class Fault(NamedTuple):
    """Why a compose file pins no code."""

    code: str
    detail: str


def compose_hash(data: bytes) -> bytes:
    """The hash under which a compose file is measured: SHA-256 of its raw bytes."""
    return sha256(data)


def app_id_of(measured_hash: bytes) -> bytes:
    """The app id that a compose hash gives where none was assigned: its first 20 bytes."""
    return measured_hash[:20]


def config_id_of(measured_hash: bytes) -> bytes:
    """`mr_config_id` of a guest with this compose hash, 48 bytes: type 1, the hash, zeros."""
    return _CONFIG_TYPE + measured_hash + bytes(48 - 1 - len(measured_hash))


def judge_compose(data: bytes, rules: ComposeRules) -> tuple[Fault, ...]:
    """Every fault of the compose file `data` (app-compose.json), none when its hash pins what runs.

    Codes: `compose-unreadable`, `compose-runner`, `compose-script`, `compose-envs`, `compose-elsewhere`,
    `compose-image-unpinned`, `compose-build`, `compose-agent-socket`, `compose-docker-socket`, `compose-mount`,
    `compose-privileged`.
    """
    try:
        app = cj.mapping(cj.loads(data, "the compose file", max_bytes=MAX_COMPOSE_BYTES), "the compose file")
        faults = [*_app_faults(app, rules)]
        if not any(fault.code == "compose-runner" for fault in faults):
            faults.extend(_docker_faults(_docker_file(app), rules))
    except BadInputError as error:
        return (Fault("compose-unreadable", error.message),)
    return tuple(dict.fromkeys(faults))


def _app_faults(app: Mapping[str, object], rules: ComposeRules) -> Iterator[Fault]:
    if app.get("runner", "docker-compose") != "docker-compose":
        yield Fault("compose-runner", f"the runner is {cj.shown(app['runner'])}, not docker-compose")
    for key in rules.forbidden_keys:
        if app.get(key) not in (None, "", [], {}):
            yield Fault("compose-script", f"{key} is set")
    names = [cj.string(one, "allowed_envs") for one in cj.array(app.get("allowed_envs", []), "allowed_envs")]
    others = [name for name in names if name not in rules.allowed_envs]
    if others:
        yield Fault("compose-envs", f"may be set from outside: {', '.join(others)[:200]}")


def _docker_file(app: Mapping[str, object]) -> Mapping[str, Value]:
    text = cj.string(app.get("docker_compose_file"), "docker_compose_file")
    document = parse_yaml(text)
    if not isinstance(document, dict):
        raise BadInputError("docker_compose_file is no mapping", code="bad-yaml")
    return document


def _docker_faults(document: Mapping[str, Value], rules: ComposeRules) -> Iterator[Fault]:
    if "include" in document:
        yield Fault("compose-elsewhere", "include brings in other files")
    services = _members(document.get("services", ""), "services")
    if not services:
        raise BadInputError("docker_compose_file has no services", code="bad-yaml")
    for name, value in services.items():
        yield from _service_faults(name, _members(value, f"services.{name}"), rules)
    for kind in ("volumes", "configs", "secrets"):
        for name, value in _members(document.get(kind, ""), kind).items():
            yield from _resource_faults(f"{kind}.{name}", value)


def _service_faults(name: str, service: Mapping[str, Value], rules: ComposeRules) -> Iterator[Fault]:
    where = f"services.{name}"
    image = service.get("image", "")
    if not isinstance(image, str) or _PINNED.fullmatch(image) is None:
        yield Fault("compose-image-unpinned", f"{where}.image is not pinned by @sha256: {cj.shown(image)}")
    if "build" in service:
        yield Fault("compose-build", f"{where} is built in the guest")
    for key in _ELSEWHERE:
        if key in service:
            yield Fault("compose-elsewhere", f"{where}.{key} brings in other files")
    for key in _POWERS:
        if service.get(key, "") not in ("", "false", [], {}):
            yield Fault("compose-privileged", f"{where}.{key} is set: the container may reach beyond itself")
    if service.get("use_api_socket", "false") != "false":
        yield Fault("compose-docker-socket", f"{where}.use_api_socket hands in docker's socket")
    if "volumes_from" in service:
        yield Fault("compose-mount", f"{where}.volumes_from takes mounts of others")
    volumes = service.get("volumes", [])
    may_have_agent = name in rules.agent_socket_services
    for at, volume in enumerate(volumes if isinstance(volumes, list) else [volumes] if volumes else []):
        yield from _volume_faults(volume, f"{where}.volumes[{at}]", may_have_agent=may_have_agent)


def _volume_faults(volume: Value, where: str, *, may_have_agent: bool) -> Iterator[Fault]:
    """One volume of a service, in its short or long form."""
    kind: Value = "bind"
    if isinstance(volume, str):
        # A path alone is a fresh volume at that path.
        source, _, target = volume.partition(":")
        found: Value = source if target else ""
    elif isinstance(volume, dict):
        kind = volume.get("type", "bind")
        found = volume.get("source", volume.get("src", ""))
    else:
        kind = found = ""
    if kind == "image":
        if not isinstance(found, str) or _PINNED.fullmatch(found) is None:
            yield Fault("compose-image-unpinned", f"{where} is an image that is not pinned by @sha256:")
    elif kind not in ("bind", "volume", "tmpfs") or not isinstance(found, str):
        yield Fault("compose-mount", f"{where} is no mount that is understood here")
    else:
        yield from _mount_faults(found, where, may_have_agent=may_have_agent)


def _resource_faults(where: str, value: Value) -> Iterator[Fault]:
    """Top-level volumes, configurations and secrets can name paths of the guest too."""
    if not isinstance(value, dict):
        return
    options = value.get("driver_opts", {})
    sources: list[Value] = [value["file"]] if "file" in value else []
    if isinstance(options, dict) and "device" in options:
        sources.append(options["device"])
    for source in sources:
        yield from _mount_faults(source if isinstance(source, str) else "$", where, may_have_agent=False)


def _mount_faults(source: str, where: str, *, may_have_agent: bool) -> Iterator[Fault]:
    """A source that is a path of the guest; names of volumes and no source at all stay relative and harmless."""
    if "$" in source or source.startswith("~"):
        yield Fault("compose-mount", f"{where} mounts what a variable says: {cj.shown(source)}")
        return
    path = posixpath.normpath(source)
    if not path.startswith("/"):
        if path.startswith(".."):
            yield Fault("compose-mount", f"{where} mounts what lies above the compose file")
        return
    path = "/" + path.lstrip("/")
    if f"{path}/".startswith(_KERNEL):
        yield Fault("compose-mount", f"{where} mounts {path}: from there other processes and quotes can be reached")
    if _reaches(path, DOCKER_SOCKETS):
        yield Fault("compose-docker-socket", f"{where} mounts {path} with docker's socket")
    if _reaches(path, AGENT_SOCKETS) and not (may_have_agent and path in AGENT_SOCKETS):
        yield Fault("compose-agent-socket", f"{where} mounts {path} with the agent's socket")


def _reaches(path: str, sockets: Sequence[str]) -> bool:
    """Whether mounting `path` hands in one of `sockets`: itself, or a directory above it."""
    return any(socket == path or socket.startswith(path.rstrip("/") + "/") for socket in sockets)


def _members(value: Value, where: str) -> Mapping[str, Value]:
    if value == "":
        return {}
    if not isinstance(value, dict):
        raise BadInputError(f"{where} is no mapping", code="bad-yaml", where=where)
    return value
