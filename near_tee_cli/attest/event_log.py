"""Event logs of dstack guests: replayed into the registers of a quote, and what may be concluded from that.

Registers 0 to 2 are extended by firmware and kernel; of their entries only the digests are proved, what else they
say is nobody's word. Register 3 is extended by the guest's own system: its digests are computed here from name and
payload, so that a payload shown is a payload measured. What the system says counts up to the first `system-ready`;
afterwards anybody inside the guest may extend the register, and the application's events are told apart from the
system's. The list that is replayed is the list that is returned.

Follows dstack: cc-eventlog/src/lib.rs, docs/security (replay of RTMR3); TDX extends as SHA-384(register ‖ digest).
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from near_tee_cli.errors import BadInputError, EvidenceError
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.primitives.integers import U32_MAX

MAX_LOG_BYTES = 1 << 20
"""Bytes of an event log; nothing longer is read."""

MAX_EVENTS = 4096
"""Entries of an event log; nothing is hashed before they are counted."""

RUNTIME_EVENT = 0x08000001
"""The type of every event of register 3."""

READY = "system-ready"
"""The event after which the application's events follow."""

REQUIRED = ("app-id", "compose-hash", "key-provider", READY)
"""System events without which a log says nothing about its guest."""

SYSTEM = frozenset(
    (
        *REQUIRED,
        "system-preparing",
        "init-script-hash",
        "gpu-policy-hash",
        "gpu-attestation",
        "instance-id",
        "boot-mr-done",
        "os-image-hash",
        "storage-fs",
    )
)
"""Names that the guest's system uses. The application may not use them."""

_LENGTHS = {"app-id": (20,), "compose-hash": (32,), "os-image-hash": (32,), "instance-id": (0, 20)}
_DIGEST_LENGTH = 48
_ZERO = bytes(_DIGEST_LENGTH)
_REQUIRED_MEMBERS = ("imr", "event_type", "digest", "event", "event_payload")
_OPTIONAL_MEMBERS = ("version", "preimage")


class Event(NamedTuple):
    """One entry of a log."""

    register: int
    """0 to 3."""
    kind: int
    digest: bytes
    """48 bytes: for register 3 the one computed here, otherwise the one that the log gives."""
    name: str
    """Proved for register 3 only."""
    payload: bytes
    """Proved for register 3 only."""


class Replay(NamedTuple):
    """A log brought into registers. It proves something once the registers are those of a quote."""

    registers: tuple[bytes, bytes, bytes, bytes]
    """What RTMR0 to RTMR3 must be, 48 bytes each."""
    logged: frozenset[int]
    """Registers that have entries."""
    system: Mapping[str, bytes]
    """Payloads of the system's events before `system-ready`, each once, by name."""
    application: tuple[Event, ...]
    """Events of register 3 after `system-ready`, in order."""
    events: tuple[Event, ...]
    """All entries in order: exactly what was replayed."""


class KeyProvider(NamedTuple):
    """Where a guest has its keys from."""

    name: str
    """`kms`, `local-sgx`, `tpm` or `none`."""
    id: bytes
    """Which one: a public key or measurement; may be empty."""


def parse_event_log(data: bytes) -> tuple[Event, ...]:
    """The entries of a log, a JSON array, with the digests of register 3 computed from what they say.

    Raises `BadInputError` (`too-large`, `bad-event-log`) for what cannot be read, and `EvidenceError` for entries that
    contradict themselves: `event-digest-mismatch`, `event-type-mismatch`, `event-ambiguous`.
    """
    try:
        items = cj.array(cj.loads(data, "the event log", max_bytes=MAX_LOG_BYTES), "the event log")
    except BadInputError as error:
        raise _bad(error) from error
    if len(items) > MAX_EVENTS:
        raise BadInputError(f"an event log has at most {MAX_EVENTS} entries, not {len(items)}", code="too-large")
    return tuple(_event(item, f"entry {position}") for position, item in enumerate(items))


def replay(events: Sequence[Event]) -> Replay:
    """Extend four registers by `events` in order, and tell the system's events from the application's.

    Raises `EvidenceError`: `event-missing`, `event-repeated`, `event-late`, `event-malformed`.
    """
    if len(events) > MAX_EVENTS:
        raise BadInputError(f"an event log has at most {MAX_EVENTS} entries, not {len(events)}", code="too-large")
    registers = [_ZERO] * 4
    for event in events:
        registers[event.register] = _sha384(registers[event.register] + event.digest)
    runtime = [event for event in events if event.register == 3]
    names = [event.name for event in runtime]
    ready = names.index(READY) + 1 if READY in names else len(names)
    return Replay(
        registers=(registers[0], registers[1], registers[2], registers[3]),
        logged=frozenset(event.register for event in events),
        system=_system_events(runtime[:ready]) if runtime else {},
        application=_application_events(runtime[ready:]),
        events=tuple(events),
    )


def mismatches(replayed: Replay, registers: Iterable[bytes]) -> tuple[int, ...]:
    """Which of the four `registers` of a quote the log does not lead to. One without entries must be zero."""
    pairs = zip(replayed.registers, registers, strict=True)
    return tuple(number for number, (ours, theirs) in enumerate(pairs) if ours != theirs)


def key_provider_of(replayed: Replay) -> KeyProvider:
    """The key provider that the guest measured. Raises `EvidenceError` (`event-missing`, `event-malformed`)."""
    if "key-provider" not in replayed.system:
        raise EvidenceError("the log names no key provider", code="event-missing")
    try:
        where = "key-provider"
        found = cj.members(cj.loads(replayed.system[where], where), where, required=("name", "id"))
        return KeyProvider(cj.string(found["name"], where), _hex(found["id"], where))
    except BadInputError as error:
        raise EvidenceError(
            f"the event key-provider cannot be read: {error.message}", code="event-malformed"
        ) from error


def event_digest(name: str, payload: bytes, *, version: int = 1) -> bytes:
    """The digest of an event of register 3, 48 bytes.

    Version 1 joins type, name and payload by colons; version 2 hashes a canonical JSON of them.
    """
    if version == 2:
        document = {"name": name, "payload": payload.hex(), "type": RUNTIME_EVENT}
        text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return _sha384(text.encode())
    return _sha384(RUNTIME_EVENT.to_bytes(4, "little") + b":" + name.encode() + b":" + payload)


def _event(item: object, where: str) -> Event:
    try:
        found = cj.members(item, where, required=_REQUIRED_MEMBERS, optional=_OPTIONAL_MEMBERS)
        register = cj.integer(found["imr"], f"{where}.imr", bound=3)
        kind = cj.integer(found["event_type"], f"{where}.event_type", bound=U32_MAX)
        digest = _hex(found["digest"], f"{where}.digest")
        name = cj.string(found["event"], f"{where}.event")
        payload = _hex(found["event_payload"], f"{where}.event_payload")
        version = found.get("version")
        number = 1 if version is None else cj.integer(version, f"{where}.version", bound=U32_MAX)
    except BadInputError as error:
        raise _bad(error) from error
    if len(digest) not in (0, _DIGEST_LENGTH):
        raise BadInputError(f"{where}.digest has {len(digest)} bytes, not 48", code="bad-event-log", where=where)
    if register == 3:
        digest = _runtime_digest(Event(register, kind, digest, name, payload), number, where)
    elif not digest:
        raise BadInputError(f"{where} of register {register} has no digest", code="bad-event-log", where=where)
    return Event(register, kind, digest, name, payload)


def _runtime_digest(event: Event, version: int, where: str) -> bytes:
    """The digest that name and payload have; one that the log gives must be the same."""
    if event.kind != RUNTIME_EVENT:
        raise EvidenceError(f"{where} of register 3 is of type {event.kind}", code="event-type-mismatch", where=where)
    if version not in (1, 2):
        raise BadInputError(f"{where} is of version {version}", code="bad-event-log", where=where)
    if ":" in event.name or not event.name:
        # Joined by colons, ("a", "b:c") and ("a:b", "c") would have one digest.
        raise EvidenceError(
            f"{where} has the name {event.name[:60]!r}: it could be read in two ways",
            code="event-ambiguous",
            where=where,
        )
    digest = event_digest(event.name, event.payload, version=version)
    if event.digest not in (b"", digest):
        raise EvidenceError(
            f"{where} ({event.name[:60]}) has another digest than its content",
            code="event-digest-mismatch",
            where=where,
        )
    return digest


def _system_events(events: Sequence[Event]) -> Mapping[str, bytes]:
    found: dict[str, bytes] = {}
    for event in events:
        if event.name in found:
            raise EvidenceError(f"the event {event.name[:60]} comes twice before {READY}", code="event-repeated")
        found[event.name] = event.payload
        lengths = _LENGTHS.get(event.name)
        if lengths is not None and len(event.payload) not in lengths:
            raise EvidenceError(f"the event {event.name} has {len(event.payload)} bytes", code="event-malformed")
    for name in REQUIRED:
        if name not in found:
            raise EvidenceError(f"the event {name} is missing before {READY}", code="event-missing")
    return found


def _application_events(events: Sequence[Event]) -> tuple[Event, ...]:
    for event in events:
        if event.name in SYSTEM:
            raise EvidenceError(f"the system's event {event.name} comes after {READY}", code="event-late")
    return tuple(events)


def _sha384(data: bytes) -> bytes:
    return hashlib.sha384(data).digest()


def _hex(value: object, where: str) -> bytes:
    text = cj.string(value, where)
    try:
        data = bytes.fromhex(text)
    except ValueError as error:
        raise BadInputError(f"{where} is no hexadecimal text", code="bad-event-log", where=where) from error
    if len(data) * 2 != len(text):
        raise BadInputError(f"{where} has blanks in hexadecimal text", code="bad-event-log", where=where)
    return data


def _bad(error: BadInputError) -> BadInputError:
    code = error.code if error.code == "too-large" else "bad-event-log"
    return BadInputError(error.message, code=code, where=error.where)
