"""A real Dask cluster on this machine: a scheduler and workers as processes, with certificates of their own."""

import datetime as dt
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def certificates(directory, name="cluster"):
    """Files of an authority that signs itself: its certificate serves both ends. (certificate, key)."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = directory / f"{name}.pem", directory / f"{name}.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    paths[1].chmod(0o600)
    return paths


class Cluster:
    """A scheduler and some workers. To be stopped."""

    def __init__(self, directory, *, home, workers=2, tls=None) -> None:
        self.directory = directory
        self.processes = []
        scheme = "tcp" if tls is None else "tls"
        self._security = [] if tls is None else ["--tls-ca-file", tls[0], "--tls-cert", tls[0], "--tls-key", tls[1]]
        self._environment = {**os.environ, "NEAR_TEE_HOME": str(home)}
        place = ["--host", f"{scheme}://127.0.0.1"]
        self.scheduler = self._start("scheduler", *place, "--port", "0", "--no-dashboard")
        self.address = self._awaited("scheduler", rf"Scheduler at: +({scheme}://\S+)")
        for number in range(workers):
            name = f"worker-{number}"
            more = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", directory / name)
            self._start(name, self.address, *place, *more, command="worker")
        self.workers = self.processes[1:]
        for number in range(workers):
            self._awaited(f"worker-{number}", r"Registered to: +(\S+)")

    def _start(self, name, *arguments, command=None):
        words = [sys.executable, "-m", "dask", command or name, *map(str, (*arguments, *self._security))]
        with (self.directory / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                words,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=self._environment,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def _awaited(self, name, pattern):
        until = time.monotonic() + 60
        while time.monotonic() < until:
            found = re.search(pattern, self.log(name))
            if found:
                return found[1]
            time.sleep(0.05)
        raise AssertionError(self.log(name))

    def log(self, name) -> str:
        """What a process has said."""
        return (self.directory / f"{name}.log").read_text(errors="replace")

    def executed(self) -> list[str]:
        """Jobs that the workers have executed, once for each time."""
        texts = [self.log(f"worker-{number}") for number in range(len(self.workers))]
        return [job for text in texts for job in re.findall(r'"job":"([0-9a-f]{64})","near-tee":"executed"', text)]

    def stop(self) -> None:
        """Kill everything."""
        for process in self.processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
