"""How long a module becomes when nearcore instruments it.

That length has a limit of its own, so it must be known to the byte although our module is another one. Each piece
is counted here: opcodes and fixed operands as one number, and what depends on an index or a price by the length of
its shortest encoding, for nearcore writes everything anew that it does not copy.

Mirrors nearcore: runtime/near-vm-runner/src/prepare/instrument_v3.rs
"""

from near_tee_cli.params.config import VMConfig
from near_tee_cli.vm.analysis.body import NEARCORE_IMPORTS
from near_tee_cli.vm.analysis.changes import BULK, RETURN, Walk
from near_tee_cli.vm.prepared import MEMORY_EXPORT, REMAINING_GAS_EXPORT, START_EXPORT
from near_tee_cli.vm.wasm import leb128
from near_tee_cli.vm.wasm import opcodes as op
from near_tee_cli.vm.wasm.leb128 import signed_length, unsigned_length
from near_tee_cli.vm.wasm.module import FUNCTION_KIND, MEMORY_KIND, Module
from near_tee_cli.vm.wasm.reader import Body, Constant, Segment

_HEADER = 8
_IMPORT_MODULE = "internal"
_IMPORTS = (("finite_wasm_gas_exhausted", 0), ("finite_wasm_stack_exhausted", 0), ("finite_wasm_gas", 1))
"""The functions that are imported in addition, and which of the two added types they have."""
_ADDED_TYPES = (3, 4)
"""Bytes of the types: nothing to nothing, and one i64 to nothing."""
_ADDED_LOCALS = 2


class NearcoreLength:
    """Adds up the length while bodies are instrumented."""

    def __init__(self, module: Module, config: VMConfig) -> None:
        self._module = module
        self._operation = config.wasm_regular_op_cost
        self._config = config
        gas = len(module.globals or ())
        self._gas_bytes, self._stack_bytes = unsigned_length(gas), unsigned_length(gas + 1)
        self._linear = sum(map(signed_length, (config.wasm_linear_op_base_cost, config.wasm_linear_op_unit_cost)))
        self._charges: dict[int, int] = {}
        self._bodies: list[int] = []

    def add(self, body: Body, walk: Walk, *, frame: int, frame_operations: int, slots: int) -> None:
        """A body: `frame` in bytes without operands, its price in instructions, its parameters and locals."""
        charges = self._charges
        length = self._charge(frame_operations)
        returns = walk.dead_returns
        for value in walk.values:
            if value > 0:
                length += charges.get(value) or self._charge(value)
            elif value == RETURN:
                returns += 1
            elif value == BULK:
                length += self._linear_charge(slots)
        stack_change = 17 + 2 * self._stack_bytes + signed_length(frame + walk.operand_bytes)
        length += (returns + 2) * stack_change
        block_and_end = 2 + 1
        groups = sum(unsigned_length(count) + 1 for count, _ in body.locals) + 2 * _ADDED_LOCALS
        groups += unsigned_length(len(body.locals) + _ADDED_LOCALS)
        self._bodies.append(_sized(groups + body.end - body.code + walk.growth + block_and_end + length))

    def _charge(self, operations: int) -> int:
        length = self._charges[operations] = 15 + 3 * (self._gas_bytes + signed_length(operations * self._operation))
        return length

    def _linear_charge(self, slots: int) -> int:
        count, price = unsigned_length(slots + 1), unsigned_length(slots)
        multiply = 12 + count
        add = 15
        compare = 13 + 3 * price + 2 * self._gas_bytes
        back = 3 + count + price + self._gas_bytes
        return multiply + add + compare + back + self._linear

    def total(self) -> int:
        """Bytes of the whole module."""
        module = self._module
        with_code = bool(module.bodies)
        with_globals = with_code or module.globals is not None
        sections = [
            self._types(added=module.has_imports or with_code),
            self._imports() if module.has_imports or with_code else 0,
            _items([unsigned_length(index) for index in module.functions]),
            self._memory(),
            self._globals() if with_globals else 0,
            self._exports(with_globals=with_globals),
            _items([self._segment(segment) for segment in module.elements]),
            _items(self._bodies),
        ]
        copied = filter(None, (module.tables, module.data_count, module.data))
        sections += [end - start for start, end in copied]
        return _HEADER + sum(1 + _sized(length) for length in sections if length)

    def _types(self, *, added: bool) -> int:
        items = [2 + _sized(len(one.params)) + len(one.result) for one in self._module.types]
        return _items([*items, *_ADDED_TYPES] if added else items)

    def _imports(self) -> int:
        first = len(self._module.types)
        named = [(_IMPORT_MODULE, len(name), first + kind) for name, kind in _IMPORTS]
        named += [("env", len(name), index) for name, index in self._module.imports]
        return _items([_sized(len(source)) + _sized(name) + 1 + unsigned_length(kind) for source, name, kind in named])

    def _memory(self) -> int:
        pages = (self._config.initial_memory_pages, self._config.max_memory_pages)
        return _items([1 + sum(map(unsigned_length, pages))])

    def _globals(self) -> int:
        own = [2 + self._constant(one.init) for one in self._module.globals or ()]
        return _items([*own, 2 + 3, 2 + 2 + signed_length(self._config.max_stack_height)])

    def _exports(self, *, with_globals: bool) -> int:
        module = self._module
        items = [(len(one.name) + 1, one.kind, one.item) for one in module.exports if one.kind != MEMORY_KIND]
        items.append((len(MEMORY_EXPORT), MEMORY_KIND, 0))
        if with_globals:
            items.append((len(REMAINING_GAS_EXPORT), -1, len(module.globals or ())))
        if module.start is not None:
            items.append((len(START_EXPORT), FUNCTION_KIND, module.start))
        indices = (_function(index) if kind == FUNCTION_KIND else unsigned_length(index) for _, kind, index in items)
        return _items([_sized(name) + 1 + index for (name, _, _), index in zip(items, indices, strict=True)])

    def _segment(self, segment: Segment) -> int:
        length = 1 + (segment.flags & 3 != 0)
        if segment.table is not None:
            length += unsigned_length(segment.table)
        if segment.offset is not None:
            length += self._constant(segment.offset)
        if segment.items is not None:
            return length + _items([self._constant(one) for one in segment.items], empty=1)
        return length + _items([_function(index) for _, _, index in segment.functions], empty=1)

    def _constant(self, constant: Constant) -> int:
        """A constant expression with its `end`."""
        if constant.opcode == op.REF_FUNC:
            return 2 + _function(constant.value)
        if constant.opcode in (op.I32_CONST, op.I64_CONST):
            return 2 + signed_length(leb128.read_signed(self._module.code, constant.start + 1)[0])
        return constant.end - constant.start


def _sized(length: int) -> int:
    """Something of that length, behind its length."""
    return unsigned_length(length) + length


def _items(lengths: list[int], *, empty: int = 0) -> int:
    """Items of these lengths, behind their number; a section without any is left out, hence 0."""
    return unsigned_length(len(lengths)) + sum(lengths) if lengths else empty


def _function(index: int) -> int:
    """The index of a function, behind the ones that nearcore imports."""
    return unsigned_length(index + NEARCORE_IMPORTS)
