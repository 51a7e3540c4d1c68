"""Which kind of VM a configuration asks for."""

import pytest

from near_tee_cli.errors import UnsupportedError
from near_tee_cli.params.features import SUPPORTED_VERSIONS
from near_tee_cli.params.store import config_at
from near_tee_cli.vm.kinds import NEAR_VM, WASMTIME, kind_of
from near_tee_cli.vm.outcome import HostError, WasmTrap


@pytest.mark.parametrize("version", SUPPORTED_VERSIONS)
def test_wasmtime_came_with_version_84(version) -> None:
    assert kind_of(config_at(version).vm) is (NEAR_VM if version == 83 else WASMTIME)


def test_the_kinds_differ_in_everything_that_the_table_has() -> None:
    same = [name for name in NEAR_VM._fields if getattr(NEAR_VM, name) == getattr(WASMTIME, name)]
    assert same == []
    assert WASMTIME.stack_overflow == HostError("MemoryAccessViolation")
    assert NEAR_VM.stack_overflow is WasmTrap.STACK_OVERFLOW


@pytest.mark.parametrize(
    "changes",
    [
        {"vm_kind": "Wasmer2"},
        {"vm_kind": "NearVm"},
        {"reftypes_bulk_memory": False},
        {"discard_custom_sections": False},
    ],
)
def test_combinations_that_no_implemented_version_has_are_refused_by_name(changes) -> None:
    with pytest.raises(UnsupportedError) as refused:
        kind_of(config_at(86).vm._replace(**changes))
    assert refused.value.code == "unsupported-vm-kind"
