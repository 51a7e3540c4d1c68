"""Which platforms and which measured code a verifier accepts: sections of its policy file, read strictly.

    [tcb]            allowed, grace_days, reject_advisories, min_eval_data_number, max_collateral_age_days
    [td]             debug, allow_pks, allow_perfmon, mr_seam, service_td
    [[measurements]] label, mrtd, rtmr0, rtmr1, rtmr2, rtmr3, os_image_hash, not_after
    [app]            compose_hashes, app_ids, key_providers, kms_roots, require_mr_config_id,
                     forbid_compose_keys, allowed_post_events
    [compose]        accept, allowed_envs, agent_socket_services
    [platform]       ppids, allow_dynamic, allow_smt
    [binding]        profiles, max_anchor_age_blocks, require_challenge

An unknown name is a mistake, never ignored. A list that is absent leaves something open only where that lets no code
in: without measurements or compose hashes nothing is accepted. `attest.appraisal` holds evidence against it.

Follows the option lists of Intel's appraisal policies and of go-tdx-guest (`check`), and what near/mpc pins.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from near_tee_cli.attest.compose import SCRIPT_KEYS, ComposeRules
from near_tee_cli.attest.report_data import PROFILES
from near_tee_cli.errors import BadInputError

T = TypeVar("T")

SECTIONS = ("tcb", "td", "measurements", "app", "compose", "platform", "binding")
"""Names of the tables that are read here."""

STATUSES = (
    "UpToDate",
    "SWHardeningNeeded",
    "ConfigurationNeeded",
    "ConfigurationAndSWHardeningNeeded",
    "OutOfDate",
    "OutOfDateConfigurationNeeded",
    "TDRelaunchAdvised",
    "TDRelaunchAdvisedConfigurationNeeded",
)
"""Words of Intel's that a policy may accept. `Revoked` is none of them."""

MAX_VALUES = 4096
"""Values of one list."""

_U64_MAX = 2**64 - 1


class Measurements(NamedTuple):
    """One image on one kind of machine: all registers, or this is not it."""

    label: str
    mrtd: bytes
    rtmr0: bytes
    rtmr1: bytes
    rtmr2: bytes
    rtmr3: bytes | None
    """Pins what ran, for guests whose register 3 has no log; `None` leaves that to log and compose hash."""
    os_image_hash: bytes | None
    """Compared where the guest logged it."""
    not_after: int | None
    """Unix seconds up to which the set is accepted."""


class PlatformPolicy(NamedTuple):
    """What is accepted. Empty tuples and sets of optional lists leave that open."""

    statuses: frozenset[str]
    grace_days: Mapping[str, int]
    """Days after the date of its level during which a platform may still have a status."""
    reject_advisories: frozenset[str]
    min_evaluation_number: int
    max_collateral_age_days: int
    allow_pks: bool
    allow_perfmon: bool
    mr_seam: frozenset[bytes]
    measurements: tuple[Measurements, ...]
    compose_hashes: frozenset[bytes]
    app_ids: frozenset[bytes]
    key_providers: tuple[tuple[str, bytes | None], ...]
    kms_roots: frozenset[bytes]
    """Public keys of key management services, 33 bytes: where there are some, one of them issued the signing key."""
    require_mr_config_id: bool
    allowed_post_events: frozenset[str]
    compose: ComposeRules
    accept_compose: frozenset[str]
    """Faults of compose files that are accepted, by code."""
    ppids: frozenset[bytes]
    allow_dynamic: bool
    allow_smt: bool
    profiles: frozenset[str]
    max_anchor_age_blocks: int | None
    require_challenge: bool


def parse_platform_policy(tables: Mapping[str, Any]) -> PlatformPolicy:
    """The policy in parsed TOML `tables`; names outside `SECTIONS` are somebody else's.

    Raises `BadInputError` (`bad-policy`) with the place.
    """
    tcb = _section(tables, "tcb", _TCB)
    td = _section(tables, "td", _TD)
    app = _section(tables, "app", _APP)
    compose = _section(tables, "compose", _COMPOSE)
    platform = _section(tables, "platform", _PLATFORM)
    binding = _section(tables, "binding", _BINDING)
    sets = tables.get("measurements", [])
    if not isinstance(sets, list) or len(sets) > MAX_VALUES:
        raise _bad("measurements", f"must be up to {MAX_VALUES} tables, each [[measurements]]")
    return PlatformPolicy(
        statuses=tcb.get("allowed", frozenset({"UpToDate"})),
        grace_days=tcb.get("grace_days", {}),
        reject_advisories=tcb.get("reject_advisories", frozenset()),
        min_evaluation_number=tcb.get("min_eval_data_number", 0),
        max_collateral_age_days=tcb.get("max_collateral_age_days", 31),
        allow_pks=td.get("allow_pks", False),
        allow_perfmon=td.get("allow_perfmon", False),
        mr_seam=td.get("mr_seam", frozenset()),
        measurements=tuple(_measurements(item, f"measurements[{at}]") for at, item in enumerate(sets)),
        compose_hashes=app.get("compose_hashes", frozenset()),
        app_ids=app.get("app_ids", frozenset()),
        key_providers=app.get("key_providers", ()),
        kms_roots=app.get("kms_roots", frozenset()),
        require_mr_config_id=app.get("require_mr_config_id", False),
        allowed_post_events=app.get("allowed_post_events", frozenset()),
        compose=ComposeRules(
            forbidden_keys=app.get("forbid_compose_keys", SCRIPT_KEYS),
            allowed_envs=compose.get("allowed_envs", frozenset()),
            agent_socket_services=compose.get("agent_socket_services", frozenset()),
        ),
        accept_compose=compose.get("accept", frozenset()),
        ppids=platform.get("ppids", frozenset()),
        allow_dynamic=platform.get("allow_dynamic", True),
        allow_smt=platform.get("allow_smt", True),
        profiles=binding.get("profiles", frozenset({"near-tee-v1"})),
        max_anchor_age_blocks=binding.get("max_anchor_age_blocks"),
        require_challenge=binding.get("require_challenge", False),
    )


def _bad(where: str, what: str) -> BadInputError:
    return BadInputError(f"{where} {what}", code="bad-policy", where=where)


def _section(tables: Mapping[str, Any], name: str, readers: Mapping[str, Callable[[Any, str], Any]]) -> dict[str, Any]:
    table = tables.get(name, {})
    if not isinstance(table, dict):
        raise _bad(name, "must be a table")
    return _read(table, name, readers)


def _read(table: Mapping[str, Any], name: str, readers: Mapping[str, Callable[[Any, str], Any]]) -> dict[str, Any]:
    for key in table:
        if key not in readers:
            raise BadInputError(
                f"{name}.{key[:60]!r} says nothing in a policy",
                code="bad-policy",
                where=f"{name}.{key[:60]}",
                hint=f"known are {', '.join(readers)}",
            )
    return {key: readers[key](value, f"{name}.{key}") for key, value in table.items()}


def _measurements(item: Any, where: str) -> Measurements:
    if not isinstance(item, dict):
        raise _bad(where, "must be a table")
    found: dict[str, Any] = dict.fromkeys(Measurements._fields)
    found.update(_read(item, where, _MEASUREMENTS))
    for name in ("label", "mrtd", "rtmr0", "rtmr1", "rtmr2"):
        if found[name] is None:
            raise _bad(where, f"lacks {name}: sets are compared whole")
    return Measurements(**found)


def _flag(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise _bad(where, "must be true or false")
    return value


def _never(value: Any, where: str) -> bool:
    if value is not False:
        raise _bad(where, "must be false: a guest that can be debugged proves nothing")
    return False


def _zero(value: Any, where: str) -> str:
    if value != "zero":
        raise _bad(where, 'must be "zero": service TDs are not accepted')
    return "zero"


def _number(value: Any, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _U64_MAX:
        raise _bad(where, f"must be a number from 0 to {_U64_MAX}")
    return value


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise _bad(where, "must be text")
    return value


def _among(names: Sequence[str]) -> Callable[[Any, str], str]:
    def read(value: Any, where: str) -> str:
        if value not in names:
            raise _bad(where, f"knows only {', '.join(names)}")
        return str(value)

    return read


def _bytes(length: int) -> Callable[[Any, str], bytes]:
    def read(value: Any, where: str) -> bytes:
        text = _text(value, where)
        try:
            data = bytes.fromhex(text)
        except ValueError as error:
            raise _bad(where, "must be hexadecimal") from error
        if len(data) != length or len(text) != 2 * length:
            raise _bad(where, f"must have {length} bytes in hexadecimal")
        return data

    return read


def _list(read: Callable[[Any, str], T], *, may_be_empty: bool) -> Callable[[Any, str], tuple[T, ...]]:
    """A list. Where none of its values would mean that anything does, it may not be empty."""

    def read_all(value: Any, where: str) -> tuple[T, ...]:
        if not isinstance(value, list) or len(value) > MAX_VALUES:
            raise _bad(where, f"must be a list of up to {MAX_VALUES} values")
        if not value and not may_be_empty:
            raise _bad(where, "is empty: leave it out when anything will do")
        return tuple(read(item, f"{where}[{at}]") for at, item in enumerate(value))

    return read_all


def _set(read: Callable[[Any, str], T], *, may_be_empty: bool = True) -> Callable[[Any, str], frozenset[T]]:
    read_all = _list(read, may_be_empty=may_be_empty)
    return lambda value, where: frozenset(read_all(value, where))


def _grace(value: Any, where: str) -> Mapping[str, int]:
    if not isinstance(value, dict):
        raise _bad(where, "must be a table of days by status")
    return {_among(STATUSES)(name, where): _number(days, f"{where}.{name}") for name, days in value.items()}


def _provider(value: Any, where: str) -> tuple[str, bytes | None]:
    if not isinstance(value, dict):
        raise _bad(where, "must be a table with name and perhaps id")
    found = _read(value, where, {"name": _text, "id": _any_bytes})
    if "name" not in found:
        raise _bad(where, "lacks name")
    return found["name"], found.get("id")


def _any_bytes(value: Any, where: str) -> bytes:
    return _bytes(len(value) // 2 if isinstance(value, str) else 0)(value, where)


def _moment(value: Any, where: str) -> int:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise _bad(where, "must say its time zone, as in 2027-01-01T00:00:00Z")
        return int(value.timestamp())
    return _number(value, where)


_TCB: Mapping[str, Callable[[Any, str], Any]] = {
    "allowed": _set(_among(STATUSES), may_be_empty=False),
    "grace_days": _grace,
    "reject_advisories": _set(_text),
    "min_eval_data_number": _number,
    "max_collateral_age_days": _number,
}
_TD: Mapping[str, Callable[[Any, str], Any]] = {
    "debug": _never,
    "allow_pks": _flag,
    "allow_perfmon": _flag,
    "mr_seam": _set(_bytes(48), may_be_empty=False),
    "service_td": _zero,
}
_MEASUREMENTS: Mapping[str, Callable[[Any, str], Any]] = {
    "label": _text,
    "mrtd": _bytes(48),
    "rtmr0": _bytes(48),
    "rtmr1": _bytes(48),
    "rtmr2": _bytes(48),
    "rtmr3": _bytes(48),
    "os_image_hash": _bytes(32),
    "not_after": _moment,
}
_APP: Mapping[str, Callable[[Any, str], Any]] = {
    "compose_hashes": _set(_bytes(32)),
    "app_ids": _set(_bytes(20), may_be_empty=False),
    "key_providers": _list(_provider, may_be_empty=False),
    "kms_roots": _set(_bytes(33), may_be_empty=False),
    "require_mr_config_id": _flag,
    "forbid_compose_keys": _list(_text, may_be_empty=True),
    "allowed_post_events": _set(_text),
}
_COMPOSE: Mapping[str, Callable[[Any, str], Any]] = {
    "accept": _set(_text),
    "allowed_envs": _set(_text),
    "agent_socket_services": _set(_text),
}
_PLATFORM: Mapping[str, Callable[[Any, str], Any]] = {
    "ppids": _set(_bytes(16), may_be_empty=False),
    "allow_dynamic": _flag,
    "allow_smt": _flag,
}
_BINDING: Mapping[str, Callable[[Any, str], Any]] = {
    "profiles": _set(_among(PROFILES), may_be_empty=False),
    "max_anchor_age_blocks": _number,
    "require_challenge": _flag,
}
