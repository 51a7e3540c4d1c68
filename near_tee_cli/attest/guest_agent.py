"""A dstack guest agent asked over its socket: version, info, quotes, keys and signatures.

Nothing that an agent answers is believed for its form: one deadline and one bound in bytes hold for a whole exchange,
however it is spread out, and every member that is used has the type that it must have. A quote is handed on only when
it is about the report data that were asked for. Members that are not used may be anything, since agents differ.

Whoever can open the socket has the guest's keys; it is never within reach of a process that executes contracts.

Follows dstack: guest-agent/rpc/proto/agent_rpc.proto; guest-agent/src/rpc_service.rs
"""

import json
import socket
from collections.abc import Mapping
from http.client import HTTPException, HTTPResponse
from io import BufferedReader, RawIOBase
from time import monotonic
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit

from near_tee_cli.attest.event_log import MAX_LOG_BYTES
from near_tee_cli.attest.key_chain import signs
from near_tee_cli.attest.quote import REGISTER_LENGTH, REPORT_DATA_LENGTH, TdReport, parse_quote, td_report_of
from near_tee_cli.errors import BadInputError, HostError
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.primitives.curves import ed25519
from near_tee_cli.primitives.hashes import sha256

DEFAULT_SOCKETS = (
    "/var/run/dstack.sock",
    "/run/dstack.sock",
    "/var/run/dstack/dstack.sock",
    "/run/dstack/dstack.sock",
)
"""Where an agent listens inside a guest; the first that exists counts."""

ADDRESS_VARIABLE = "DSTACK_SIMULATOR_ENDPOINT"
"""The environment variable by which neighbouring tools name another address. It is not read here."""

SIMULATED = "NOT INTEL: simulated by near-tee"
"""The `cloud_product` of an agent that simulates."""

SIMULATED_OWNER = SIMULATED.encode().ljust(REGISTER_LENGTH, b"\0")
"""The owner that its quotes name, inside what is signed."""

MAX_ANSWER_BYTES = 4 << 20
"""Bytes of one answer, its headers included."""

DEFAULT_TIMEOUT = 30.0
"""Seconds for one exchange. A machine makes quotes one after another."""

MAX_SIGNED_BYTES = 1 << 20
"""Bytes that an agent is asked to sign."""

ED25519, SECP256K1, SECP256K1_PREHASHED = "ed25519", "secp256k1", "secp256k1_prehashed"
"""Algorithms of keys and signatures."""

_MAX_SHOWN = 200


class AgentVersion(NamedTuple):
    """Which agent answers."""

    version: str
    rev: str


class AgentInfo(NamedTuple):
    """What an agent says of its guest. Its word: a quote and its event log prove it, or do not."""

    app_id: bytes
    """20 bytes."""
    instance_id: bytes
    """20 bytes, or empty."""
    app_name: str
    compose: bytes
    """The compose file, its raw bytes."""
    compose_hash: bytes
    os_image_hash: bytes
    device_id: bytes
    key_provider: str
    vm_config: bytes
    cloud_vendor: str
    cloud_product: str

    @property
    def is_simulated(self) -> bool:
        """Whether the agent says that it simulates. Where it does not, only the quote's root tells."""
        return self.cloud_product == SIMULATED


class AgentQuote(NamedTuple):
    """A quote about the report data that were asked for, and what belongs to it."""

    quote: bytes
    event_log: bytes
    """The log as it came, a JSON array."""
    vm_config: bytes
    report_data: bytes
    """64 bytes."""
    is_simulated: bool
    """Whether it says so itself, inside what is signed."""


def is_simulated(td: TdReport) -> bool:
    """Whether a guest says in its quote that it is simulated. Where it does not, only the root tells."""
    return td.mr_owner == SIMULATED_OWNER


class AgentKey:
    """A key that the agent derived. Its text never shows the secret."""

    __slots__ = ("algorithm", "chain", "secret")

    def __init__(self, algorithm: str, secret: bytes, chain: tuple[bytes, ...]) -> None:
        self.algorithm = algorithm
        self.secret = secret
        """32 bytes."""
        self.chain = chain
        """Two signatures for `attest.key_chain`."""

    def __repr__(self) -> str:
        return f"AgentKey({self.algorithm})"


class AgentSignature(NamedTuple):
    """A signature by the guest's key, which holds."""

    signature: bytes
    """64 bytes."""
    public_key: bytes
    """Raw: 32 bytes of ed25519, 33 of secp256k1 (compressed)."""
    chain: tuple[bytes, ...]
    """Two signatures for `attest.key_chain`, purpose `signing`."""


class GuestAgent:
    """An agent at `address`: the path of a unix socket, or `http://HOST:PORT` as simulators have.

    Every exchange is a connection of its own and ends within `timeout` seconds. All methods raise `HostError`:
    `agent-unreachable`, `agent-timeout`, `agent-refused` (with the agent's words), `agent-too-large`,
    `agent-malformed`. Raises `BadInputError` (`bad-agent-address`).
    """

    def __init__(self, address: str, *, timeout: float = DEFAULT_TIMEOUT) -> None:
        self._timeout = timeout
        self._address = address
        self._host, self._port, self._prefix = "localhost", 0, ""
        self._is_remote = "://" in address
        if self._is_remote:
            self._host, self._port, self._prefix = _parts(address)
        elif not address or "\0" in address:
            raise BadInputError("an agent's address is no path", code="bad-agent-address")

    def version(self) -> AgentVersion:
        """Which agent this is. Agents before 0.5.7 have no such method and refuse."""
        answer = self._ask("Version", {})
        return AgentVersion(_text(answer, "version"), _text(answer, "rev", otherwise=""))

    def info(self) -> AgentInfo:
        """What the agent says of its guest."""
        answer = self._ask("Info", {})
        tcb = _inner(_text(answer, "tcb_info"), "tcb_info")
        app_id, instance_id = _hex(answer, "app_id"), _hex(answer, "instance_id", otherwise="")
        if len(app_id) != 20 or len(instance_id) not in (0, 20):
            raise _malformed("app_id and instance_id have 20 bytes")
        return AgentInfo(
            app_id=app_id,
            instance_id=instance_id,
            app_name=_text(answer, "app_name", otherwise=""),
            compose=_text(tcb, "app_compose").encode(),
            compose_hash=_hex(answer, "compose_hash", otherwise=""),
            os_image_hash=_hex(answer, "os_image_hash", otherwise=""),
            device_id=_hex(answer, "device_id", otherwise=""),
            key_provider=_text(answer, "key_provider_info", otherwise=""),
            vm_config=_text(answer, "vm_config", otherwise="").encode(),
            cloud_vendor=_text(answer, "cloud_vendor", otherwise=""),
            cloud_product=_text(answer, "cloud_product", otherwise=""),
        )

    def get_quote(self, report_data: bytes) -> AgentQuote:
        """A TDX quote about `report_data`, 1 to 64 bytes that are filled up with zeros.

        Also raises `HostError` (`agent-other-report-data`) for a quote about anything else, and `BadInputError`
        (`bad-report-data`).
        """
        if not 0 < len(report_data) <= REPORT_DATA_LENGTH:
            raise BadInputError(f"report data have 1 to {REPORT_DATA_LENGTH} bytes", code="bad-report-data")
        wanted = report_data.ljust(REPORT_DATA_LENGTH, b"\0")
        answer = self._ask("GetQuote", {"report_data": wanted.hex()})
        quote, echo = _hex(answer, "quote"), _hex(answer, "report_data", otherwise="")
        log = _text(answer, "event_log").encode()
        if len(log) > MAX_LOG_BYTES:
            raise HostError(f"the agent's event log has {len(log)} bytes, too many", code="agent-too-large")
        try:
            td = td_report_of(parse_quote(quote))
        except BadInputError as error:
            raise _malformed(f"the quote cannot be read: {error.message}") from error
        if td.report_data != wanted or (echo and echo.ljust(REPORT_DATA_LENGTH, b"\0") != wanted):
            raise HostError("the agent made a quote about other report data", code="agent-other-report-data")
        vm_config = _text(answer, "vm_config", otherwise="").encode()
        return AgentQuote(quote, log, vm_config, wanted, is_simulated=is_simulated(td))

    def get_key(self, path: str, *, purpose: str, algorithm: str = ED25519) -> AgentKey:
        """The guest's key for `path`, with signatures that name `purpose`.

        Agents before 0.5.7 give a secp256k1 key whatever was asked for, so that these are not asked for another:
        also raises `HostError` (`agent-too-old`), and `BadInputError` (`bad-algorithm`).
        """
        if algorithm not in (ED25519, SECP256K1):
            raise BadInputError(f"keys are {ED25519} or {SECP256K1}", code="bad-algorithm")
        if algorithm != SECP256K1:
            self._require_version()
        answer = self._ask("GetKey", {"path": path, "purpose": purpose, "algorithm": algorithm})
        secret = _hex(answer, "key")
        if len(secret) != 32:
            raise _malformed("a key has 32 bytes")
        return AgentKey(algorithm, secret, _chain(answer, 2))

    def sign(self, data: bytes, *, algorithm: str = ED25519) -> AgentSignature:
        """A signature over `data` by the guest's own key, checked. `secp256k1` hashes with SHA-256 before it signs.

        Also raises `BadInputError` (`bad-algorithm`, `too-large`).
        """
        if algorithm not in (ED25519, SECP256K1, SECP256K1_PREHASHED):
            raise BadInputError(f"an agent does not sign with {algorithm[:40]!r}", code="bad-algorithm")
        if algorithm == SECP256K1_PREHASHED and len(data) != 32:
            raise BadInputError("what is hashed already has 32 bytes", code="bad-algorithm")
        if len(data) > MAX_SIGNED_BYTES:
            raise BadInputError(f"an agent signs at most {MAX_SIGNED_BYTES} bytes", code="too-large")
        answer = self._ask("Sign", {"algorithm": algorithm, "data": data.hex()})
        signature, public_key = _hex(answer, "signature"), _hex(answer, "public_key")
        if not _holds(algorithm, data, signature, public_key):
            raise _malformed("the signature does not hold under the key that comes with it")
        return AgentSignature(signature, public_key, _chain(answer, 3)[1:])

    def _require_version(self) -> None:
        try:
            self.version()
        except HostError as error:
            if error.code != "agent-refused":
                raise
            raise HostError(
                "the agent is too old to give any but secp256k1 keys",
                code="agent-too-old",
                hint="use a dstack image from 0.5.7 on",
            ) from error

    def _ask(self, method: str, request: Mapping[str, object]) -> Mapping[str, object]:
        """The members of the answer to one request."""
        status, body = self._exchange(method, json.dumps(request).encode())
        if status != 200:
            raise HostError(f"the agent refuses {method} ({status}): {_reason(body)}", code="agent-refused")
        return _inner(body, "the answer")

    def _exchange(self, method: str, body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer."""
        head = (
            f"POST {self._prefix}/{method} HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: application/json\r\n"
            f"Accept: application/json\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        deadline = monotonic() + self._timeout
        try:
            with self._connected(deadline) as connection:
                connection.settimeout(_left(deadline))
                connection.sendall(head.encode("ascii") + body)
                # All that is asked of the connection is a file to read from.
                with HTTPResponse(cast("Any", _Source(connection, deadline)), method="POST") as response:
                    response.begin()
                    answer = response.read(MAX_ANSWER_BYTES)
                    if response.length:
                        raise _malformed("the answer ends too early")
                    return response.status, answer
        except TimeoutError as error:
            raise HostError(
                f"the agent at {self._address} does not answer within {self._timeout:g} s", code="agent-timeout"
            ) from error
        except _TooMuchError as error:
            raise HostError(f"the agent answers more than {MAX_ANSWER_BYTES} bytes", code="agent-too-large") from error
        except (HTTPException, ValueError) as error:
            raise _malformed(f"the answer is no HTTP: {type(error).__name__}") from error
        except OSError as error:
            raise HostError(
                f"the agent at {self._address} cannot be reached: {error.strerror or error}",
                code="agent-unreachable",
                hint="inside a dstack guest its socket has to be mounted into the container",
            ) from error

    def _connected(self, deadline: float) -> socket.socket:
        if self._is_remote:
            return socket.create_connection((self._host, self._port), timeout=_left(deadline))
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(_left(deadline))
            connection.connect(self._address)
        except (OSError, ValueError):
            connection.close()
            raise
        return connection


class _TooMuchError(OSError):
    """More bytes than an answer may have."""


class _Source:
    """What `HTTPResponse` takes for a socket: a file that ends with a deadline and a number of bytes."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._file = _Reader(connection, deadline)

    def makefile(self, _mode: str) -> BufferedReader:
        return BufferedReader(self._file)


class _Reader(RawIOBase):
    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline
        self._bytes_left = MAX_ANSWER_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connection.settimeout(_left(self._deadline))
        count = self._connection.recv_into(buffer)
        self._bytes_left -= count
        if self._bytes_left < 0:
            raise _TooMuchError
        return count


def _left(deadline: float) -> float:
    """Seconds until the deadline. Raises `TimeoutError` after it."""
    seconds = deadline - monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def _parts(address: str) -> tuple[str, int, str]:
    """Host, port and path prefix of an `http://` address."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    plain = address.isascii() and address.isprintable() and " " not in address
    if not plain or parts.scheme != "http" or not host or parts.username or parts.query or parts.fragment:
        raise BadInputError(
            f"an agent is at the path of a socket or at http://HOST:PORT, not at {address[:80]!r}",
            code="bad-agent-address",
        )
    return host, port or 80, parts.path.rstrip("/")


def _holds(algorithm: str, data: bytes, signature: bytes, public_key: bytes) -> bool:
    if algorithm == ED25519:
        return len(public_key) == 32 and len(signature) == 64 and ed25519.verify_strict(public_key, data, signature)
    return signs(signature, data if algorithm == SECP256K1_PREHASHED else sha256(data), public_key)


def _chain(answer: Mapping[str, object], length: int) -> tuple[bytes, ...]:
    where = "signature_chain"
    value = answer.get(where)
    if not isinstance(value, list) or len(value) != length:
        raise _malformed(f"{where} is no array of {length} signatures")
    return tuple(_hex({where: item}, where) for item in value)


def _inner(document: bytes | str, where: str) -> Mapping[str, object]:
    data = document.encode() if isinstance(document, str) else document
    try:
        return cj.mapping(cj.loads(data, where, max_bytes=MAX_ANSWER_BYTES), where)
    except BadInputError as error:
        raise _malformed(error.message) from error


def _text(members: Mapping[str, object], name: str, *, otherwise: str | None = None) -> str:
    value = members.get(name, otherwise)
    if not isinstance(value, str):
        raise _malformed(f"{name} is {cj.shown(value)}, not text")
    return value


def _hex(members: Mapping[str, object], name: str, *, otherwise: str | None = None) -> bytes:
    text = _text(members, name, otherwise=otherwise)
    try:
        data = bytes.fromhex(text)
    except ValueError as error:
        raise _malformed(f"{name} is no hexadecimal text") from error
    if 2 * len(data) != len(text):
        raise _malformed(f"{name} has blanks in hexadecimal text")
    return data


def _reason(body: bytes) -> str:
    """The agent's words for a refusal, or the beginning of what it said instead."""
    try:
        value = cj.mapping(cj.loads(body, "the answer", max_bytes=MAX_ANSWER_BYTES), "the answer").get("error")
    except BadInputError:
        value = None
    text = value if isinstance(value, str) else body[:_MAX_SHOWN].decode("utf-8", "replace")
    return text[:_MAX_SHOWN]


def _malformed(what: str) -> HostError:
    return HostError(f"the agent's answer cannot be used: {what}", code="agent-malformed")
