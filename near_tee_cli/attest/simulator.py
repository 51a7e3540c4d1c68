"""A dstack guest that does not exist: measurements, event log, keys and quotes, each answer as an agent gives it.

NOT INTEL: quotes come from a synthetic infrastructure (`attest.synthetic_pki`), and quote, info and machine
configuration say so. Within that everything fits together as on a real guest: the log leads to the registers, the
measured compose hash is that of the compose file, keys come with a chain. A guest can be told to misbehave in the
ways of `MISBEHAVIOURS`, so that what must be refused can be seen refused.

Follows dstack: guest-agent/src/rpc_service.rs (answers, keys), cc-eventlog (events), and the order of events that
guests of version 0.5 log.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from typing import NamedTuple

from near_tee_cli.attest.compose import app_id_of, compose_hash, config_id_of
from near_tee_cli.attest.event_log import MAX_EVENTS, RUNTIME_EVENT, event_digest
from near_tee_cli.attest.guest_agent import ED25519, SECP256K1, SECP256K1_PREHASHED, SIMULATED
from near_tee_cli.attest.key_chain import compressed, issued_digest, purpose_digest
from near_tee_cli.attest.quote import DEBUG, REPORT_DATA_LENGTH, SEPT_VE_DISABLE
from near_tee_cli.attest.synthetic_pki import LIFETIME, Platform, SyntheticPki, Td
from near_tee_cli.errors import BadInputError, UsageError
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.primitives.curves import ed25519, secp256k1
from near_tee_cli.primitives.hashes import sha256

MISBEHAVIOURS: Mapping[str, str] = {
    "timeout": "answers nothing, ever",
    "drip": "answers a byte at a time, without end",
    "hang-up": "closes the connection in the middle of an answer",
    "error": "refuses everything with status 400 and a reason",
    "not-json": "answers text that is no JSON",
    "wrong-types": "answers numbers where text is due",
    "huge-body": "answers without end",
    "huge-event-log": "logs more events than anybody reads",
    "no-version": "has no method Version, as agents before 0.5.7",
    "other-echo": "says that the quote is about other report data",
    "other-report-data": "makes quotes about other report data than asked for",
    "other-key-chain": "has its keys signed by another key management service",
    "forged-signature": "signs wrongly",
    "stripped-digests": "leaves out digests that follow from the content, as dstack 0.6 (no fault)",
    "v2-events": "logs events of version 2 (no fault)",
    "app-event": "has an event of the application after system-ready",
    "late-event": "measured a second compose-hash after system-ready",
    "repeated-event": "measured compose-hash twice before system-ready",
    "ambiguous-event": "measured an event whose name has a colon",
    "wrong-measurements": "has other registers in its quotes than the log leads to",
    "other-image": "is measured as another image; log and quote agree",
    "dropped-event": "leaves an event out of the log",
    "reordered-events": "gives the log in another order",
    "forged-compose": "gives another compose-hash in the log and keeps the digest of the measured one",
    "other-compose": "hands out another compose file than the measured one",
    "forged-quote": "gives quotes with a wrong signature",
    "other-root": "has quotes that lead to another root",
    "debug": "can be debugged",
    "sept-ve": "is told when its host takes pages away, instead of stopping",
    "revoked": "runs on a machine whose certificate was revoked",
    "expired": "has collateral whose time was over before it was started",
}
"""What a guest can be told to do wrong; those that say so do nothing wrong, only something uncommon."""

DEFAULT_COMPOSE = cj.dumps(
    {
        "manifest_version": 2,
        "name": "near-tee-simulated",
        "runner": "docker-compose",
        "docker_compose_file": f"services:\n  worker:\n    image: example.org/near-tee@sha256:{'5a' * 32}\n",
        "kms_enabled": True,
        "gateway_enabled": False,
        "allowed_envs": [],
        "no_instance_id": False,
    },
    indent=2,
)
"""A compose file that pins what runs."""

VERSION = "0.5.9"
"""The version of dstack that answers are shaped as."""

_BOOT = (
    (0, 0x8000000B, "firmware configuration"),
    (0, 0x8000000A, "firmware volume"),
    (0, 0x80000001, "secure boot"),
    (0, 4, "separator 0"),
    (1, 0x80000003, "kernel"),
    (1, 0x80000007, "calling EFI application"),
    (1, 4, "separator 1"),
    (2, 6, "command line"),
    (2, 6, "initial file system"),
)
_READY = "system-ready"
_OTHER = bytes([0xFF]) * 32

Answer = tuple[int, Mapping[str, object]]
"""Status and members of an answer."""


class _Event(NamedTuple):
    register: int
    kind: int
    name: str
    payload: bytes
    digest: bytes
    version: int = 1


class SimulatedGuest:
    """A guest of `compose` (raw bytes) on a machine that stands as `platform` says.

    `seed` gives all its keys and `issued` (Unix seconds) the date of its collateral, so that everything repeats.
    `misbehave` names some of `MISBEHAVIOURS`. Raises `UsageError` for others, and `BadInputError` (`bad-time`,
    `bad-json`, `bad-field`) for a date or compose file that no guest could have.
    """

    def __init__(
        self,
        *,
        seed: bytes,
        issued: int,
        compose: bytes = DEFAULT_COMPOSE,
        platform: Platform | None = None,
        misbehave: frozenset[str] = frozenset(),
    ) -> None:
        for kind in sorted(misbehave):
            if kind not in MISBEHAVIOURS:
                known = ", ".join(MISBEHAVIOURS)
                raise UsageError(f"a guest cannot misbehave as {kind[:40]!r}", hint=f"it can as {known}")
        self.misbehave = misbehave
        stands = platform or Platform()
        if "revoked" in misbehave:
            stands = stands._replace(revoked=True)
        begins = issued - LIFETIME - 1 if "expired" in misbehave else issued
        self.pki = SyntheticPki(seed, issued=begins, platform=stands)
        self._signer = self.pki
        if "other-root" in misbehave:
            self._signer = SyntheticPki(b"another " + seed, issued=begins, platform=stands)
        self.compose = compose
        self.compose_hash = compose_hash(compose)
        self.app_id = app_id_of(self.compose_hash)
        self.instance_id = sha256(b"near-tee simulated instance\0" + seed)[:20]
        name = cj.mapping(cj.loads(compose, "the compose file"), "the compose file").get("name", "")
        self._app_name = name if isinstance(name, str) else ""
        self._app_secret = sha256(b"near-tee simulated application\0" + self.app_id + seed)
        kms = b"another " + seed if "other-key-chain" in misbehave else seed
        self._kms_secret = sha256(b"near-tee simulated key management\0" + kms)
        image = b"near-tee another simulated image" if "other-image" in misbehave else b"near-tee simulated image"
        self.image_hash = sha256(image)
        self._mr_td = _sha384(image + b": firmware")
        self._key_provider = json.dumps({"name": "kms", "id": self._kms_key().hex()}, separators=(",", ":"))
        self._measured = self._measure(image)
        self.registers = _replayed(self._measured)
        self.event_log = json.dumps([_entry(event, misbehave) for event in self._logged()], separators=(",", ":"))

    @property
    def mr_td(self) -> bytes:
        """The measurement of the firmware, 48 bytes."""
        return self._mr_td

    @property
    def kms_root(self) -> bytes:
        """The public key of its key management service, 33 bytes, to compare chains with."""
        return self._kms_key()

    def quote(self, report_data: bytes) -> bytes:
        """A quote about `report_data`, 64 bytes."""
        attributes = 0 if "sept-ve" in self.misbehave else SEPT_VE_DISABLE
        registers = self.registers
        if "wrong-measurements" in self.misbehave:
            registers = (registers[0], registers[1], _sha384(registers[2]), registers[3])
        if "other-report-data" in self.misbehave:
            report_data = _OTHER + report_data[32:]
        td = Td(
            self._mr_td,
            registers,
            report_data,
            mr_config_id=config_id_of(self.compose_hash),
            td_attributes=attributes | DEBUG if "debug" in self.misbehave else attributes,
        )
        made = self._signer.quote(td)
        if "forged-quote" in self.misbehave:
            at = 48 + 584 + 4
            made = made[:at] + bytes([made[at] ^ 1]) + made[at + 1 :]
        return made

    def answer(self, method: str, request: Mapping[str, object]) -> Answer:
        """Status and members of the answer to a request, also for one that is refused."""
        methods: Mapping[str, Callable[[Mapping[str, object]], Mapping[str, object]]] = {
            "Version": self._version,
            "Info": self._info,
            "GetQuote": self._get_quote,
            "GetKey": self._get_key,
            "Sign": self._sign,
        }
        if method not in methods or (method == "Version" and "no-version" in self.misbehave):
            return 404, {"error": f"there is no method {method[:40]}"}
        if "error" in self.misbehave:
            return 400, {"error": "simulated failure"}
        try:
            found = methods[method](request)
        except BadInputError as error:
            return 400, {"error": error.message}
        return 200, dict.fromkeys(found, 7) if "wrong-types" in self.misbehave else found

    def _version(self, _: Mapping[str, object]) -> Mapping[str, object]:
        return {"version": VERSION, "rev": SIMULATED}

    def _info(self, _: Mapping[str, object]) -> Mapping[str, object]:
        numbered = {f"rtmr{at}": register.hex() for at, register in enumerate(self.registers)}
        aggregated = sha256(self._mr_td + b"".join(self.registers)).hex()
        compose = self.compose + b" " if "other-compose" in self.misbehave else self.compose
        shared = {
            "mr_aggregated": aggregated,
            "os_image_hash": self.image_hash.hex(),
            "compose_hash": self.compose_hash.hex(),
            "device_id": sha256(b"").hex(),
        }
        tcb = {
            "mrtd": self._mr_td.hex(),
            **numbered,
            **shared,
            "event_log": json.loads(self.event_log),
            "app_compose": compose.decode(),
        }
        return {
            "app_id": self.app_id.hex(),
            "instance_id": self.instance_id.hex(),
            "app_cert": "",
            "tcb_info": json.dumps(tcb),
            "app_name": self._app_name,
            **shared,
            "key_provider_info": self._key_provider,
            "vm_config": self._vm_config(),
            "cloud_vendor": "near-tee",
            "cloud_product": SIMULATED,
            "simulated": True,
        }

    def _get_quote(self, request: Mapping[str, object]) -> Mapping[str, object]:
        report_data = _bytes(request, "report_data")
        if len(report_data) > REPORT_DATA_LENGTH:
            raise BadInputError("Report data is too long")
        report_data = report_data.ljust(REPORT_DATA_LENGTH, b"\0")
        echo = _OTHER * 2 if "other-echo" in self.misbehave else report_data
        return {
            "quote": self.quote(report_data).hex(),
            "event_log": self.event_log,
            "report_data": echo.hex(),
            "vm_config": self._vm_config(),
        }

    def _get_key(self, request: Mapping[str, object]) -> Mapping[str, object]:
        given = {name: cj.string(request.get(name, ""), name) for name in ("path", "purpose", "algorithm")}
        secret, public_key = self._derived(given["path"], given["algorithm"])
        return {"key": secret.hex(), "signature_chain": self._chain(given["purpose"], public_key)}

    def _sign(self, request: Mapping[str, object]) -> Mapping[str, object]:
        algorithm, data = cj.string(request.get("algorithm", ""), "algorithm"), _bytes(request, "data")
        secret, public_key = self._derived("vms", algorithm.removesuffix("_prehashed"))
        if algorithm == ED25519:
            signature = ed25519.sign(ed25519.secret_key_of(secret), data)
        elif algorithm == SECP256K1_PREHASHED:
            if len(data) != 32:
                raise BadInputError("Pre-hashed signing requires a 32-byte digest")
            signature = secp256k1.sign(secret, data)[:64]
        else:
            signature = secp256k1.sign(secret, sha256(data))[:64]
        if "forged-signature" in self.misbehave:
            signature = signature[:-1] + bytes([signature[-1] ^ 1])
        chain = [signature.hex(), *self._chain("signing", public_key)]
        return {"signature": signature.hex(), "signature_chain": chain, "public_key": public_key.hex()}

    def _derived(self, path: str, algorithm: str) -> tuple[bytes, bytes]:
        """The secret for a path and its raw public key. Both algorithms have the same secret."""
        secret = _hkdf(self._app_secret, path.encode())
        if algorithm == ED25519:
            return secret, ed25519.secret_key_of(secret)[32:]
        if algorithm in (SECP256K1, "k256", ""):
            return secret, compressed(secp256k1.public_key_of(secret))
        raise BadInputError("Unsupported algorithm")

    def _chain(self, purpose: str, public_key: bytes) -> list[str]:
        app_key = compressed(secp256k1.public_key_of(self._app_secret))
        by_app = secp256k1.sign(self._app_secret, purpose_digest(purpose, public_key))
        by_kms = secp256k1.sign(self._kms_secret, issued_digest(self.app_id, app_key))
        return [by_app.hex(), by_kms.hex()]

    def _kms_key(self) -> bytes:
        return compressed(secp256k1.public_key_of(self._kms_secret))

    def _vm_config(self) -> str:
        config = {"simulated": True, "os_image_hash": self.image_hash.hex(), "cpu_count": 2, "memory_size": 1 << 31}
        return json.dumps(config, separators=(",", ":"))

    def _measure(self, image: bytes) -> list[_Event]:
        """What was really measured, in order."""
        boot = [
            _Event(register, kind, "", content.encode(), _sha384(image + content.encode()))
            for register, kind, content in _BOOT
        ]
        version = 2 if "v2-events" in self.misbehave else 1
        system = [
            ("system-preparing", b""),
            ("app-id", self.app_id),
            ("compose-hash", self.compose_hash),
            ("instance-id", self.instance_id),
            ("boot-mr-done", b""),
            ("os-image-hash", self.image_hash),
            ("key-provider", self._key_provider.encode()),
            ("storage-fs", b"ext4"),
            (_READY, b""),
        ]
        if "repeated-event" in self.misbehave:
            system.insert(3, ("compose-hash", _OTHER))
        if "ambiguous-event" in self.misbehave:
            system.insert(3, ("compose-hash:", _OTHER))
        if "late-event" in self.misbehave:
            system.append(("compose-hash", _OTHER))
        if "app-event" in self.misbehave:
            system.append(("application", b"an event of the application"))
        if "huge-event-log" in self.misbehave:
            system.extend((f"application-{at}", bytes(64)) for at in range(MAX_EVENTS))
        return boot + [
            _Event(3, RUNTIME_EVENT, name, payload, event_digest(name, payload, version=version), version)
            for name, payload in system
        ]

    def _logged(self) -> list[_Event]:
        """What the log says was measured."""
        events = list(self._measured)
        names = [event.name for event in events]
        at = names.index("compose-hash")
        if "forged-compose" in self.misbehave:
            events[at] = events[at]._replace(payload=_OTHER)
        if "dropped-event" in self.misbehave:
            del events[names.index("storage-fs")]
        if "reordered-events" in self.misbehave:
            events[at - 1], events[at] = events[at], events[at - 1]
        return events


def _entry(event: _Event, misbehave: frozenset[str]) -> dict[str, object]:
    """An event as an entry of the log."""
    is_stripped = "stripped-digests" in misbehave and event.register == 3
    entry: dict[str, object] = {
        "imr": event.register,
        "event_type": event.kind,
        "digest": "" if is_stripped else event.digest.hex(),
        "event": event.name,
        "event_payload": event.payload.hex(),
    }
    if event.version == 2:
        document = {"name": event.name, "payload": event.payload.hex(), "type": event.kind}
        entry["version"] = 2
        entry["preimage"] = json.dumps(document, separators=(",", ":")).encode().hex()
    return entry


def _replayed(events: list[_Event]) -> tuple[bytes, bytes, bytes, bytes]:
    registers = [bytes(48)] * 4
    for event in events:
        registers[event.register] = _sha384(registers[event.register] + event.digest)
    return registers[0], registers[1], registers[2], registers[3]


def _hkdf(secret: bytes, info: bytes) -> bytes:
    """HKDF-SHA256 with dstack's salt, 32 bytes."""
    key = hmac.digest(b"RATLS", secret, "sha256")
    return hmac.digest(key, info + b"\x01", "sha256")


def _bytes(request: Mapping[str, object], name: str) -> bytes:
    text = cj.string(request.get(name, ""), name)
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise BadInputError(f"{name} is no hexadecimal text") from error


def _sha384(data: bytes) -> bytes:
    return hashlib.sha384(data).digest()
