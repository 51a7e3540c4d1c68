"""The plain interpreter under the older kind of VM.

An instruction may not take exactly the last gas, growing memory is a regular instruction, and the results of
arithmetic on floats are *pending*: whatever NaN they are, it becomes the canonical one where its bits can be told,
and until then changing its sign changes nothing. Conversions between the widths keep what fits of a NaN.
"""

from collections.abc import Callable
from typing import Any

from tests.support.wasm_interpreter import Machine, OutOfGas
from tests.support.wasm_numeric import F32, F64, MASK, NAN, NUMERIC

_ARITHMETIC = ("ceil", "floor", "trunc", "nearest", "sqrt", "add", "sub", "mul", "div")
_SIGNS = ("abs", "neg")


class Pending(int):
    """Bits of a float that were not looked at yet; `kind` is its type."""

    kind: str

    @classmethod
    def of(cls, bits: int, kind: str) -> "Pending":
        """A pending float of that type."""
        made = cls(bits)
        made.kind = kind
        return made


def settled(value: Any) -> Any:
    """The bits that a value shows."""
    if isinstance(value, Pending):
        return NAN[value.kind] if _is_nan(value, value.kind) else int(value)
    return value


def _is_nan(bits: int, kind: str) -> bool:
    infinity = 0x7F800000 if kind == F32 else 0x7FF0000000000000
    return bits & (MASK[kind] >> 1) > infinity


def _promoted(bits: int) -> int:
    return (bits >> 31) << 63 | 0x7FF8 << 48 | (bits & 0x7FFFFF) << 29


def _demoted(bits: int) -> int:
    return (bits >> 63) << 31 | 0x7FC0 << 16 | (bits >> 29) & 0x7FFFFF


def _kept(operation: Callable[..., int], kind: str) -> Callable[[int], int]:
    """The operation on one float, whose result is pending if its operand was."""
    return lambda a: Pending.of(operation(a), kind) if isinstance(a, Pending) else operation(a)


def _converted(operation: Callable[..., int], source: str, nan: Callable[[int], int]) -> Callable[[int], int]:
    return lambda a: nan(a) if _is_nan(a, source) else operation(a)


def _table() -> dict[int, tuple[str, tuple[str, ...], str, Callable[..., int]]]:
    table = dict(NUMERIC)
    for opcode, (name, operands, result, operation) in NUMERIC.items():
        _, _, word = name.partition(".")
        if result in (F32, F64) and word in _ARITHMETIC:

            def arithmetic(*values: int, operation: Callable[..., int] = operation, result: str = result) -> int:
                return Pending.of(operation(*values), result)

            table[opcode] = (name, operands, result, arithmetic)
        elif result in (F32, F64) and word in _SIGNS:
            table[opcode] = (name, operands, result, _kept(operation, result))
        elif word.startswith("reinterpret") or word == "copysign":

            def looking(*values: int, operation: Callable[..., int] = operation) -> int:
                return operation(*map(settled, values))

            table[opcode] = (name, operands, result, looking)
        elif word in ("promote_f32", "demote_f64"):
            nan = _promoted if word == "promote_f32" else _demoted
            table[opcode] = (name, operands, result, _kept(_converted(operation, operands[0], nan), result))
    return table


class OlderMachine(Machine):
    """One instance under the older kind of VM."""

    numeric = _table()
    priced_by_length = frozenset[int]()
    seen = staticmethod(settled)

    def spend(self, amount: int) -> None:
        """Charge what runs in the module itself: something has to be left."""
        if self.gas + amount >= self.budget:
            wanted, self.gas = self.gas + amount, self.budget
            raise OutOfGas(wanted)
        self.gas += amount
