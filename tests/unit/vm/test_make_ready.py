"""Contracts prepared before anything is executed, and what of them is kept."""

import pytest

from near_tee_cli.params.store import config_at
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.vm.engine import Engine
from near_tee_cli.vm.runner import VirtualMachine


class Cache(dict):
    """A `CodeCache` in memory."""

    load = dict.get
    store = dict.__setitem__


@pytest.fixture(scope="module")
def code(project):
    return (project / "examples" / "wat" / "counter.wasm").read_bytes()


def test_a_contract_is_compiled_once(code) -> None:
    cache = Cache()
    machine = VirtualMachine(Engine(), cache)
    machine.make_ready(code, sha256(code), config=config_at(86))
    (name,) = cache
    artifact = cache[name]
    machine.make_ready(code, sha256(code), config=config_at(86))
    assert cache == {name: artifact}


def test_what_does_not_have_its_hash_is_not_kept(code) -> None:
    cache = Cache()
    VirtualMachine(Engine(), cache).make_ready(code, sha256(b"another contract"), config=config_at(86))
    assert cache == {}
