"""What preparation hands on: the instrumented module and everything a call has to know about it.

**The instrumented module** (contract between preparation, engine and host functions):

* *Gas* is one mutable `i64` global, exported as `remaining_gas`: the gas that wasm may still burn, as u64.
  The host sets it before it calls an export and reads it afterwards, however the call ended.
* *Host functions.* An import `env.f: (params) -> result?` of the contract is imported as
  `env.f: (params..., gas: i64) -> (result?, gas: i64)`: the remaining gas goes in as the last parameter and
  comes back as the last result. (A call in the contract
  passes the gas along on the spot; what refers to an import as a value (`ref.func`, elements, exports, start)
  gets a guest function that does.) The imports of the module are exactly `Prepared.imports`, in this order, all
  from module `env`.
* *Exhaustion* is a trap `unreachable` with the mutable `i64` global `exhausted` set (it is 0 otherwise, so
  read it whenever a call ended in a trap of that kind):
  a value above 0 is a charge in gas that did not fit: `remaining_gas` still holds what there was before it
  (burn the charge: that fails with the right error). -1 (all bits set): a function's frame did not fit the
  modelled stack (`MemoryAccessViolation`).
* *Exports.* `memory`, `remaining_gas`, `exhausted`; `start` if the contract has a start function, to be called
  like a method before the method itself (the module has no start section). Every function, table and global
  that the contract exports keeps its name behind one NUL byte (see `export_name`); its memory exports are gone.
* *Memory* is the one that the configuration prescribes, whatever the contract declares.

Value types are written with one letter: `d` i32, `q` i64, `f` f32, `g` f64, `r` funcref.

Mirrors nearcore: runtime/near-vm-runner/src/logic/errors.rs, runtime/near-vm-runner/src/wasmtime_runner/mod.rs
"""

from enum import IntEnum
from typing import NamedTuple

from near_tee_cli.primitives.hashes import sha256

EXPORT_PREFIX = "\0"
"""Stands before every name that the contract itself exports."""

MEMORY_EXPORT = "memory"
REMAINING_GAS_EXPORT = "remaining_gas"
EXHAUSTED_EXPORT = "exhausted"
START_EXPORT = "start"

STACK_EXHAUSTED = -1
"""Value of the global `exhausted` when a frame does not fit the modelled stack."""

MAX_CONTEXT_BYTES = 1 << 20
"""A module whose `Prepared.context_bytes` exceeds this cannot be loaded (`LoadingError`)."""

_MAX_NAME_BYTES = 100_000
_LONG_PREFIX = b"sha256:"


def export_name(name: bytes) -> bytes:
    """What an export of the contract is called in the instrumented module: no longer than the engine allows."""
    prefixed = EXPORT_PREFIX.encode() + name
    return prefixed if len(prefixed) <= _MAX_NAME_BYTES else _LONG_PREFIX + sha256(name).hex().encode()


class PrepareError(IntEnum):
    """Why a contract cannot be executed; the numbers are the Borsh tags."""

    SERIALIZATION = 0
    DESERIALIZATION = 1
    INTERNAL_MEMORY_DECLARED = 2
    GAS_INSTRUMENTATION = 3
    STACK_HEIGHT_INSTRUMENTATION = 4
    INSTANTIATE = 5
    MEMORY = 6
    TOO_MANY_FUNCTIONS = 7
    TOO_MANY_LOCALS = 8
    TOO_MANY_TABLES = 9
    TOO_MANY_TABLE_ELEMENTS = 10
    FUNCTION_BODY_TOO_LARGE = 11
    INSTRUMENTED_CODE_TOO_LARGE = 12
    TOO_MANY_BLOCKS_PER_FUNCTION = 13
    TOO_MANY_BLOCKS_PER_CONTRACT = 14
    TOO_MANY_TYPES = 15
    TOO_MANY_PARAMS_PER_CONTRACT = 16
    TOO_MANY_PARAMS_PER_FUNCTION = 17
    OPERAND_STACK_TOO_LARGE = 18

    @property
    def variant(self) -> str:
        """The name that nearcore gives it, as in status JSON: `TooManyTables`."""
        return self.name.title().replace("_", "")


class Import(NamedTuple):
    """A function that the contract imports from `env`, with the type that the contract gave it."""

    name: str
    params: str
    """One letter for each parameter."""
    result: str
    """One letter, or empty."""


class Prepared(NamedTuple):
    """An instrumented module and what a call must know without looking into it."""

    wasm: bytes
    """What the engine compiles."""
    imports: tuple[Import, ...]
    """Every import of `wasm`, in order; the types lack the additional gas parameter and result."""
    methods: dict[str, bool]
    """Exported functions by the contract's own name: whether it takes and returns nothing, as a method must.
    Whatever is not in here is not a method (exported tables and globals neither)."""
    has_start: bool
    nearcore_length: int
    """Bytes of the module that nearcore's instrumentation would give; 0 under the kind of VM that has none."""
    context_bytes: int
    """Estimated size of the engine's context for one instance of nearcore's module."""
    compile_error: str | None
    """The text of the engine's refusal to compile nearcore's module, when it would refuse."""
