"""Where gas went, in five kinds that always add up.

An outcome's profile says what host functions and wasm instructions cost; everything that it leaves of the burnt gas
was burnt by actions. When gas runs out in the middle of a charge the profile may name more than was burnt: kinds
are then filled in their order until the burnt gas is used up.
"""

from collections.abc import Iterable
from typing import NamedTuple

from near_tee_cli.params.costs import ExtCost
from near_tee_cli.primitives.schema.outcome import ExecutionOutcome

_STORAGE_PREFIXES = ("STORAGE_", "TOUCHING_TRIE_NODE", "READ_CACHED_TRIE_NODE")
_CRYPTOGRAPHY_PREFIXES = (
    "SHA256_", "KECCAK", "RIPEMD160_", "ECRECOVER_", "ALT_BN128_", "ED25519_", "BLS12381_", "P256_",
)  # fmt: skip

STORAGE = frozenset(cost for cost in ExtCost if cost.name.startswith(_STORAGE_PREFIXES))
"""Host costs of contract storage and trie nodes."""

CRYPTOGRAPHY = frozenset(cost for cost in ExtCost if cost.name.startswith(_CRYPTOGRAPHY_PREFIXES))
"""Host costs of hashes, signatures and curves."""


class GasKinds(NamedTuple):
    """Gas by kind; the first five add up to `total`."""

    wasm: int
    """Instructions of contracts."""
    storage: int
    cryptography: int
    other: int
    """All other host functions, loading of contracts included."""
    actions: int
    """Sending and executing transactions, receipts and their actions."""
    total: int
    """All gas burnt."""


NO_GAS = GasKinds(0, 0, 0, 0, 0, 0)
"""Nothing burnt."""


def of_outcome(outcome: ExecutionOutcome) -> GasKinds:
    """The kinds of one outcome."""
    profile = outcome.metadata.profile
    total = outcome.gas_burnt
    if profile is None:
        return GasKinds(0, 0, 0, 0, total, total)
    storage = sum(profile.ext[cost] for cost in STORAGE)
    cryptography = sum(profile.ext[cost] for cost in CRYPTOGRAPHY)
    other = sum(profile.ext) - storage - cryptography
    wasm, left = _taken(profile.wasm_gas, total)
    storage, left = _taken(storage, left)
    cryptography, left = _taken(cryptography, left)
    other, left = _taken(other, left)
    return GasKinds(wasm, storage, cryptography, other, left, total)


def _taken(gas: int, left: int) -> tuple[int, int]:
    """As much of `gas` as is left, and what is left then."""
    taken = min(gas, left)
    return taken, left - taken


def of_outcomes(outcomes: Iterable[ExecutionOutcome]) -> GasKinds:
    """The kinds of all outcomes together."""
    return total_of(map(of_outcome, outcomes))


def total_of(parts: Iterable[GasKinds]) -> GasKinds:
    """Kind by kind, the sum of `parts`."""
    columns = zip(*parts, strict=True)
    sums = [sum(column) for column in columns]
    return GasKinds(*sums) if sums else NO_GAS
