"""The two kinds of VM that contracts have run under: what differs between them, in one table.

Up to protocol version 83 nodes compiled contracts with a compiler of their own, since then with wasmtime. Gas,
stack and limits come from the same analysis in both; the differences are at the edges: which features there are, what
a charge of exactly the last gas does, what a stack overflow is called, and the order in which a contract is found
unfit. Everything here is executed by wasmtime.

Mirrors nearcore: core/parameters/src/vm.rs (`VMKind`), runtime/near-vm-runner/src/near_vm_runner/runner.rs,
runtime/near-vm-runner/src/prepare/prepare_v2.rs, runtime/near-vm/compiler-singlepass/src/codegen_x64.rs
"""

from typing import NamedTuple

from near_tee_cli.errors import UnsupportedError
from near_tee_cli.params.config import VMConfig
from near_tee_cli.vm.links import LinkCheck, near_vm_link_error, wasmtime_link_error
from near_tee_cli.vm.outcome import FunctionCallError, HostError, WasmTrap


class VMKind(NamedTuple):
    """How one kind differs from the other."""

    bulk_memory: bool
    """Whether contracts may use reference types and bulk memory, and growing memory is paid by the page."""
    older_encoding: bool
    """Whether modules are decoded as `older_encoding` says."""
    last_gas_is_spent: bool
    """Whether a charge in wasm succeeds that takes exactly the gas that is left."""
    stack_overflow: FunctionCallError
    """What a frame that does not fit the modelled stack ends the call with."""
    links_first: bool
    """Whether imports are resolved before the method is looked up."""
    rewrites_modules: bool
    """Whether nearcore instruments the module itself: names of exports and functions' locals grow by it."""
    bounds_context: bool
    """Whether nearcore's engine bounds what one instance takes in its own context."""
    canonical_nans: bool
    """Whether arithmetic makes every NaN canonical at once, as `analysis.floats` says."""
    max_table: int
    """Elements of a table that the validator of this kind accepts."""
    max_exports: int
    """Exports that the validator of this kind accepts."""
    link_check: LinkCheck
    """Says why imports cannot be satisfied."""


WASMTIME = VMKind(
    bulk_memory=True,
    older_encoding=False,
    last_gas_is_spent=True,
    stack_overflow=HostError("MemoryAccessViolation"),
    links_first=True,
    rewrites_modules=True,
    bounds_context=True,
    canonical_nans=True,
    max_table=2**32 - 1,
    max_exports=1_000_000,
    link_check=wasmtime_link_error,
)
"""Since protocol version 84."""

NEAR_VM = VMKind(
    bulk_memory=False,
    older_encoding=True,
    last_gas_is_spent=False,
    stack_overflow=WasmTrap.STACK_OVERFLOW,
    links_first=False,
    rewrites_modules=False,
    bounds_context=False,
    canonical_nans=False,
    max_table=10_000_000,
    max_exports=100_000,
    link_check=near_vm_link_error,
)
"""Up to protocol version 83."""

_KINDS = {("Wasmtime", True): WASMTIME, ("NearVm", False): NEAR_VM}


def kind_of(config: VMConfig) -> VMKind:
    """The kind of VM under `config`. Raises `UnsupportedError` (`unsupported-vm-kind`) for one of long ago."""
    kind = _KINDS.get((config.vm_kind, config.reftypes_bulk_memory))
    if kind is None or not config.discard_custom_sections:
        raise UnsupportedError(f"contracts of VM kind {config.vm_kind} are not implemented", what="vm-kind")
    return kind
