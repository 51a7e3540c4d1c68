"""Which connections are safe, and what a program on a worker gives."""

import sys

import pytest

from near_tee_cli.batch import cluster
from near_tee_cli.batch.cluster import Certificates, Cluster, ProgramError, in_a_process, is_loopback, require_safe
from near_tee_cli.errors import HostError, UsageError

OURS = Certificates("ca.pem", "cert.pem", "key.pem")


@pytest.mark.parametrize(
    ("address", "loopback"),
    [
        ("tcp://127.0.0.1:8786", True),
        ("tcp://127.9.9.9:1", True),
        ("tcp://localhost:8786", True),
        ("tcp://[::1]:8786", True),
        ("tls://10.0.0.1:8786", False),
        ("tcp://0.0.0.0:8786", False),
        ("tcp://[::]:8786", False),
        ("tcp://localhost.example:8786", False),
        ("tcp://127.0.0.1.example:8786", False),
        ("tcp://2130706433:8786", False),
        ("tcp://:8786", False),
    ],
)
def test_what_stays_on_this_machine(address, loopback) -> None:
    assert is_loopback(address) is loopback
    if loopback:
        require_safe(address, None)
    elif address.startswith("tcp"):
        with pytest.raises(UsageError):
            require_safe(address, OURS)


@pytest.mark.parametrize("address", ["", "host", "host:1", "ucx://127.0.0.1:1", "inproc://x:1", "tls://host", "://:1"])
def test_what_is_no_scheduler(address) -> None:
    with pytest.raises(UsageError):
        require_safe(address, OURS)


def test_certificates_are_needed_wherever_they_are_used() -> None:
    require_safe("tls://far.example:8786", OURS)
    for address in ("tls://far.example:8786", "tls://127.0.0.1:8786"):
        with pytest.raises(UsageError):
            require_safe(address, None)


def test_a_program_gets_bytes_and_gives_bytes() -> None:
    assert in_a_process("base64", b"near") == b"bmVhcg==\n"
    with pytest.raises(ProgramError):
        in_a_process("no.such.module", b"")


def test_without_dask(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "dask", None)
    with pytest.raises(HostError) as caught:
        Cluster("tcp://127.0.0.1:1", None)
    assert (caught.value.code, "pip install" in caught.value.hint) == ("no-cluster", True)


def test_nobody_there(monkeypatch) -> None:
    monkeypatch.setattr(cluster, "_CONNECT_SECONDS", 1)
    with pytest.raises(HostError) as caught:
        Cluster("tcp://127.0.0.1:1", None)
    assert caught.value.code == "no-cluster"
