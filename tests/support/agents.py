"""Sockets that answer like a guest agent, or like nothing on earth: raw bytes, as a test says."""

import pathlib
import socket
import tempfile
import threading
from contextlib import contextmanager


def http(body: bytes, *, status: str = "200 OK", headers: tuple[str, ...] = ()) -> bytes:
    """An answer with a length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@contextmanager
def speaking(*answers: bytes, tcp: bool = False, hold: bool = False):
    """A server that gives the nth connection the nth answer (the last one again and again) and then closes it.

    With `hold` it keeps the connection open instead. Gives its address and the list of requests seen.
    """
    requests: list[bytes] = []
    stopping = threading.Event()
    with tempfile.TemporaryDirectory(prefix="nt-") as folder:
        path = str(pathlib.Path(folder) / "agent.sock")
        listener = socket.socket(socket.AF_INET if tcp else socket.AF_UNIX)
        listener.bind(("127.0.0.1", 0) if tcp else path)
        listener.listen()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}" if tcp else path

        def serve() -> None:
            left = list(answers)
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                answer = left.pop(0) if len(left) > 1 else left[0]
                with connection:
                    if stopping.is_set():
                        return
                    requests.append(_request(connection))
                    _send(connection, answer)
                    if hold:
                        stopping.wait()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield address, requests
        finally:
            stopping.set()
            with socket.socket(listener.family) as wake:
                wake.settimeout(1)
                wake.connect(listener.getsockname())
            thread.join(5)
            listener.close()


def _request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return data
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        int(line.partition(b":")[2]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def _send(connection: socket.socket, answer: bytes) -> None:
    try:
        connection.sendall(answer)
    except OSError:
        return  # the client had enough
