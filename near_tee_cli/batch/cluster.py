"""Work for other machines, through a Dask scheduler.

A task of Dask is one program in a process of its own, which gets bytes and gives bytes: what executes a contract is a
child of that program, so that a hostile contract costs neither the program nor the worker. Dask's connections carry
pickled objects, hence whoever can connect can do everything: beyond this machine every connection is encrypted, and
both ends show certificates of one authority that serves this purpose alone.
"""

import contextlib
import ipaddress
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from near_tee_cli.errors import HostError, UsageError

_CONNECT_SECONDS = 15
_RETRIES = 3
"""How often a task is begun again whose worker was lost."""
_TASKS_AHEAD = 4
"""Tasks that each thread of the cluster has before it, so that it never waits."""
_SCHEMES = ("tcp", "tls")
INSTALL = "pip install 'near-tee-cli[cluster]'"


class Certificates(NamedTuple):
    """Paths of PEM files."""

    authority: str
    certificate: str
    key: str


class Lost(NamedTuple):
    """A task without a result: a stable word and a sentence."""

    code: str
    message: str


def require_safe(address: str, certificates: Certificates | None) -> None:
    """Refuse an address that is none, or to which a connection would not be safe. Raises `UsageError`."""
    scheme, found, place = address.partition("://")
    if not found or scheme not in _SCHEMES or ":" not in place:
        raise UsageError(
            f"{address[:80]!r} is no scheduler", where="--scheduler", hint="tls://HOST:PORT, or tcp://127.0.0.1:PORT"
        )
    if scheme == "tls" and certificates is None:
        raise UsageError("tls:// needs certificates", where="--scheduler", hint="--tls-ca, --tls-cert and --tls-key")
    if scheme == "tcp" and not is_loopback(address):
        raise UsageError(
            "a connection that leaves this machine has to be tls://: whoever could listen in could do everything",
            where="--scheduler",
        )


def is_loopback(address: str) -> bool:
    """Whether an address (`tcp://127.0.0.1:8786`) stays on this machine, without asking anybody for names."""
    host = address.partition("://")[2].rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Cluster:
    """A connection to a scheduler. To be closed; then what it still had to do is forgotten."""

    def __init__(self, address: str, certificates: Certificates | None) -> None:
        """Connect. Raises `UsageError` for an unsafe address, `HostError` (`no-cluster`) when nobody answers."""
        require_safe(address, certificates)
        try:
            import dask
            import distributed as untyped
        except ImportError as error:
            raise HostError("Dask is not installed", code="no-cluster", hint=INSTALL) from error
        distributed: Any = untyped
        dask.config.set({"distributed.comm.timeouts.connect": _CONNECT_SECONDS})
        security = None
        try:
            if certificates is not None:
                security = distributed.Security(
                    tls_ca_file=certificates.authority,
                    tls_client_cert=certificates.certificate,
                    tls_client_key=certificates.key,
                    require_encryption=True,
                )
            self._client = distributed.Client(
                address, security=security, timeout=_CONNECT_SECONDS, set_as_default=False
            )
        except (OSError, TimeoutError, ValueError) as error:
            raise HostError(f"no scheduler answers at {address}: {error}", code="no-cluster") from error
        self._lost = (distributed.client.FutureCancelledError, distributed.comm.CommClosedError, OSError, TimeoutError)
        self._killed = distributed.scheduler.KilledWorker
        self.threads = self._require_workers()

    def _require_workers(self) -> int:
        """Threads of all workers. Raises `HostError` when there is none, or one that can be reached unsafely."""
        workers = self._client.scheduler_info(n_workers=-1)["workers"]
        if not workers:
            self.close()
            raise HostError("the cluster has no workers", code="no-cluster")
        for address in workers:
            if not address.startswith("tls://") and not is_loopback(address):
                self.close()
                raise HostError(f"the worker at {address} takes connections that are not tls://", code="no-cluster")
        return sum(worker["nthreads"] for worker in workers.values())

    def run_all(self, module: str, tasks: Iterable[tuple[str, bytes]]) -> Iterator[bytes | Lost]:
        """What `python -m module` gives for every task (a key of its own, and bytes), in their order.

        No more tasks are asked for than keep the cluster busy. Raises `HostError` (`cluster-lost`) when the scheduler
        is gone.
        """
        waiting: deque[Any] = deque()
        ahead = _TASKS_AHEAD * self.threads
        try:
            for key, task in tasks:
                waiting.append(self._client.submit(in_a_process, module, task, key=key, pure=True, retries=_RETRIES))
                if len(waiting) >= ahead:
                    yield self._result(waiting.popleft())
            while waiting:
                yield self._result(waiting.popleft())
        finally:
            for future in waiting:
                with contextlib.suppress(*self._lost):
                    future.cancel()

    def _result(self, future: Any) -> bytes | Lost:
        try:
            return bytes(future.result())
        except self._killed:
            return Lost("worker-lost", "every worker that tried it was lost")
        except ProgramError as error:
            return Lost("worker-lost", str(error))
        except self._lost as error:
            raise HostError(
                f"the scheduler is gone: {error or type(error).__name__}",
                code="cluster-lost",
                hint="--resume goes on with what is finished",
            ) from error

    def close(self) -> None:
        """Leave the cluster."""
        with contextlib.suppress(*self._lost):
            self._client.close(timeout=2)


class ProgramError(Exception):
    """A program on a worker that ended without a result."""


def in_a_process(module: str, task: bytes) -> bytes:
    """On a worker: `python -m module` with `task` on its standard input; its standard output."""
    done = subprocess.run([sys.executable, "-m", module], input=task, stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise ProgramError(f"{module} ended with status {done.returncode}")
    return done.stdout
