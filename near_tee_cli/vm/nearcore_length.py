"""How long a module becomes when nearcore instruments it.

That length has a limit of its own, so it must be known to the byte although our module is another one. Only the
lengths of nearcore's sequences are computed here; where they stand and what they charge is the same as in ours.

Mirrors nearcore: runtime/near-vm-runner/src/prepare/instrument_v3.rs
"""

from near_tee_cli.params.config import VMConfig
from near_tee_cli.vm.analysis.body import BULK, NEARCORE_IMPORTS, RETURN, Walk
from near_tee_cli.vm.wasm import opcodes as op
from near_tee_cli.vm.wasm.leb128 import signed_length, unsigned_length
from near_tee_cli.vm.wasm.module import Module
from near_tee_cli.vm.wasm.reader import Body

_INTERNAL_IMPORTS = ("finite_wasm_gas_exhausted", "finite_wasm_stack_exhausted", "finite_wasm_gas")
_INTERNAL_TYPES_BYTES = 3 + 4
"""Two appended types: nothing to nothing, and one i64 to nothing."""


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
        self._bodies = 0

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
        block_and_ends = 2 + 1
        groups = sum(unsigned_length(count) + 1 for count, _ in body.locals) + 4
        size = unsigned_length(len(body.locals) + 2) + groups
        size += body.end - body.code + walk.growth + block_and_ends + length
        self._bodies += unsigned_length(size) + size

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
        lengths = [
            self._types(),
            self._imports(),
            unsigned_length(len(module.functions)) + sum(map(unsigned_length, module.functions)),
            1 + 1 + unsigned_length(self._config.initial_memory_pages) + unsigned_length(self._config.max_memory_pages),
            self._globals(),
            self._exports(),
            unsigned_length(len(module.bodies)) + self._bodies,
        ]
        lengths += [end - start for start, end in filter(None, (module.tables, module.data_count, module.data))]
        if module.elements:
            lengths.append(self._elements())
        return 8 + sum(1 + unsigned_length(length) + length for length in lengths)

    def _types(self) -> int:
        types = self._module.types
        items = sum(1 + unsigned_length(len(one.params)) + len(one.params) + 1 + len(one.result) for one in types)
        return unsigned_length(len(types) + 2) + items + _INTERNAL_TYPES_BYTES

    def _imports(self) -> int:
        module = self._module
        types = len(module.types)
        own = sum(1 + len("internal") + 1 + len(name) + 1 for name in _INTERNAL_IMPORTS)
        own += 2 * unsigned_length(types) + unsigned_length(types + 1)
        items = sum(
            1 + len("env") + unsigned_length(len(name)) + len(name) + 1 + unsigned_length(index)
            for name, index in module.imports
        )
        return unsigned_length(len(module.imports) + NEARCORE_IMPORTS) + own + items

    def _globals(self) -> int:
        items = self._module.globals or ()
        own = (2 + 2 + 1) + (2 + 1 + signed_length(self._config.max_stack_height) + 1)
        length = unsigned_length(len(items) + 2) + own
        for item in items:
            length += 2 + item.init.end - item.init.start
            if item.init.opcode == op.REF_FUNC:
                length += _growth(item.init.value)
        return length

    def _exports(self) -> int:
        module = self._module
        gas = len(module.globals or ())
        items = [(len(one.name) + 1, one.kind, one.item) for one in module.exports if one.kind != 2]
        items += [(len("memory"), 2, 0), (len("remaining_gas"), 3, gas)]
        if module.start is not None:
            items.append((len("start"), 0, module.start))
        length = unsigned_length(len(items))
        for name, kind, index in items:
            target = index + NEARCORE_IMPORTS if kind == 0 else index
            length += unsigned_length(name) + name + 1 + unsigned_length(target)
        return length

    def _elements(self) -> int:
        start, end = self._module.elements_range
        length = unsigned_length(len(self._module.elements)) + end - start
        for segment in self._module.elements:
            length += sum(_growth(index) for _, _, index in segment.functions)
            length += sum(_growth(item.value) for item in segment.items or () if item.opcode == op.REF_FUNC)
        return length


def _growth(index: int) -> int:
    """Bytes that a function index grows by."""
    return unsigned_length(index + NEARCORE_IMPORTS) - unsigned_length(index)
