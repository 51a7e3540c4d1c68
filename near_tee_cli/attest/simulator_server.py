"""A simulated guest's agent on a unix socket, for one machine and its user: what `attest.simulator` answers, over HTTP.

The socket is made for its owner alone before anybody can connect, never in the place of something that is there, and
is removed at the end.
"""

import json
import os
import socketserver
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any, Self, cast

from near_tee_cli.attest.simulator import SimulatedGuest
from near_tee_cli.errors import BadInputError, UnsupportedError, WriteError
from near_tee_cli.primitives import canonical_json as cj

OWNER_ONLY = 0o600
"""The mode of the socket."""

MAX_REQUEST_BYTES = 4 << 20
"""Bytes of a request's body."""

_IDLE_SECONDS = 60
_DRIP_SECONDS = 0.05
_CHUNK = 1 << 16


class SimulatedAgent:
    """An agent for `guest` that listens at `path` from the beginning of a `with` block to its end.

    Raises `WriteError` (`exists` when something is at `path`) and `UnsupportedError` (`unsupported-unix-socket`).
    """

    def __init__(self, guest: SimulatedGuest, path: str) -> None:
        self.path = path
        self._guest = guest
        self._server: Any = None
        self._made: tuple[int, int] | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._server = _listening(self._guest, self.path)
        status = os.lstat(self.path)
        self._made = (status.st_dev, status.st_ino)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        with suppress(OSError):
            status = os.lstat(self.path)
            if (status.st_dev, status.st_ino) == self._made:
                os.unlink(self.path)


def _listening(guest: SimulatedGuest, path: str) -> Any:
    """A server that accepts connections. Nobody can connect before the mode of its socket is set."""
    if not hasattr(socketserver, "UnixStreamServer"):
        raise UnsupportedError("this platform has no unix sockets", what="unix-socket")
    if os.path.lexists(path):
        raise WriteError(f"{path} exists already and is not replaced", code="exists")

    class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, request: Any, client_address: Any) -> None:
            # A client that goes away is no matter of ours.
            if not isinstance(sys.exc_info()[1], OSError):
                super().handle_error(request, client_address)

    server: Any = Server(path, _Handler, bind_and_activate=False)
    server.guest = guest
    server.stopping = threading.Event()
    try:
        server.server_bind()
        os.chmod(path, OWNER_ONLY)
        server.server_activate()
    except OSError as error:
        server.server_close()
        raise WriteError(f"a socket cannot be made at {path}: {error.strerror or error}") from error
    return server


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS

    def do_POST(self) -> None:
        """Answer a request."""
        self._respond(self._body())

    def do_GET(self) -> None:
        """Answer a request without members, as people make it by hand."""
        self._respond(b"{}")

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: a client's mistakes are in the answer to it."""

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdigit()) or len(length) > 9 or int(length) > MAX_REQUEST_BYTES:
            return None
        return self.rfile.read(int(length))

    def _respond(self, body: bytes | None) -> None:
        server: Any = self.server
        guest = cast("SimulatedGuest", server.guest)
        if self._is_mischief(guest.misbehave, server.stopping):
            return
        if body is None:
            self.close_connection = True
            self._send(413, {"error": "the request is too large"})
            return
        try:
            request = cj.mapping(cj.loads(body or b"{}", "the request"), "the request")
        except BadInputError as error:
            self._send(400, {"error": error.message})
            return
        method = self.path.partition("?")[0].strip("/").rpartition("/")[2]
        self._send(*guest.answer(method, request))

    def _send(self, status: int, members: Mapping[str, object]) -> None:
        body = json.dumps(members).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _is_mischief(self, misbehave: frozenset[str], stopping: threading.Event) -> bool:
        """Misbehave on the wire, if that is asked for, and say whether it was."""
        kinds = ("timeout", "drip", "hang-up", "not-json", "huge-body")
        kind = next((one for one in kinds if one in misbehave), None)
        if kind is None:
            return False
        self.close_connection = True
        if kind == "timeout":
            stopping.wait()
            return True
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        if kind == "hang-up":
            self.send_header("Content-Length", "1000")
        self.end_headers()
        if kind in ("hang-up", "not-json"):
            self.wfile.write(b"<html>this is no JSON")
        while kind == "huge-body" and not stopping.is_set():
            self.wfile.write(b" " * _CHUNK)
        while kind == "drip" and not stopping.wait(_DRIP_SECONDS):
            self.wfile.write(b" ")
        return True
