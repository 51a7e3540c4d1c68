"""Instrumentation: the gas counter and the stack limit put into the contract's own code.

Three mutable `i64` globals are appended: the gas that may still be burnt, the modelled stack that is left, and why
the code stopped itself (`near_tee_cli.vm.prepared` says what their values mean). A charge compares, subtracts and
stores; a function takes its frame off the stack first, then pays for it; a call to a host function carries the gas
there and back. Everything else is copied byte for byte.

The sequences are shorter than nearcore's, with the same meaning: a function that calls no other function of the
module only looks at the stack, since nobody could see it change, and a body is wrapped in a block only if a branch
leaves it. `near_tee_cli.vm.nearcore_length` tells how long nearcore's would be.

Mirrors nearcore: runtime/near-vm-runner/src/prepare/instrument_v3.rs
"""

from collections.abc import Callable

from near_tee_cli.params.config import VMConfig
from near_tee_cli.vm.analysis.changes import BULK, CALL_IMPORT, NEGATE_8, REFER_TO_IMPORT, RETURN, Walk
from near_tee_cli.vm.float_bits import float_instruction
from near_tee_cli.vm.kinds import kind_of
from near_tee_cli.vm.prepared import (
    EXHAUSTED_EXPORT,
    MEMORY_EXPORT,
    REMAINING_GAS_EXPORT,
    STACK_EXHAUSTED,
    START_EXPORT,
    export_name,
)
from near_tee_cli.vm.wasm import leb128, writer
from near_tee_cli.vm.wasm import opcodes as op
from near_tee_cli.vm.wasm.module import FUNCTION_KIND, GLOBAL_KIND, MEMORY_KIND, Module
from near_tee_cli.vm.wasm.reader import Body, Constant, FuncType

_EMPTY_BLOCK = 0x40
_I64_ADD = b"\x7c"
_I64_SUB = b"\x7d"
_I64_MUL = b"\x7e"
_I64_LT_U = b"\x54"
_I64_LE_U = b"\x58"
_I64_EXTEND_I32_U = b"\xad"
_IF = bytes((op.IF, _EMPTY_BLOCK))
_STOP = bytes((op.UNREACHABLE, op.END))
_END = bytes((op.END,))
_TEMPORARIES = b"\x01\x7f\x01\x7e"
"""Two groups of locals: one i32, one i64."""

_FLOAT_TEMPORARIES = b"\x01\x7d\x01\x7c"
"""Two groups of locals: one f32, one f64. A module has bulk operations or replaced floats, never both."""


def frame_bytes(sizes: list[int]) -> int:
    """Modelled bytes of a frame whose parameters and locals have these sizes."""
    return 64 + sum(sizes)


def frame_operations(frame: int) -> int:
    """How many regular instructions entering a frame of that size costs."""
    return (frame + 7) // 8


class Instrumenter:
    """Writes the instrumented form of one module, function by function."""

    def __init__(self, module: Module, config: VMConfig) -> None:
        self._module = module
        self._operation = config.wasm_regular_op_cost
        self._linear = (config.wasm_linear_op_base_cost, config.wasm_linear_op_unit_cost)
        self._config = config
        first = len(module.globals or ())
        gas, stack, stopped = map(leb128.unsigned, (first, first + 1, first + 2))
        self._gas_index = first
        self._get_gas, self._set_gas = b"\x23" + gas, b"\x24" + gas
        self._get_stack, self._set_stack = b"\x23" + stack, b"\x24" + stack
        self._set_stopped = b"\x24" + stopped
        self._no_frame = _IF + _constant(STACK_EXHAUSTED) + self._set_stopped + _STOP
        self._too_little = _I64_LT_U if kind_of(config).last_gas_is_spent else _I64_LE_U
        self._charges: dict[int, bytes] = {}
        self._wrappers = self._wrapper_indices()
        self._bodies: list[bytes] = []

    def _wrapper_indices(self) -> dict[int, int]:
        """For each import that is referred to other than by a call: the guest function that stands for it."""
        module = self._module
        imports = len(module.imports)
        referred = {export.item for export in module.exports if export.kind == FUNCTION_KIND}
        if module.start is not None:
            referred.add(module.start)
        for segment in module.elements:
            referred.update(index for _, _, index in segment.functions)
            referred.update(item.value for item in segment.items or () if item.opcode == op.REF_FUNC)
        referred.update(item.init.value for item in module.globals or () if item.init.opcode == op.REF_FUNC)
        first = imports + len(module.functions)
        return {index: first + at for at, index in enumerate(sorted(i for i in referred if i < imports))}

    def add(self, body: Body, walk: Walk, *, frame: int, slots: int, result: str) -> int:
        """Append a body; how many bytes it has become.

        `frame` is in bytes, `slots` counts parameters and locals, `result` is a letter or empty.
        """
        code = self._module.code
        text = code[body.code : body.end]
        need = _constant(frame + walk.operand_bytes)
        restore = self._get_stack + need + _I64_ADD + self._set_stack if walk.calls else b""
        wrapped = walk.calls and walk.branches_out
        temporaries = _FLOAT_TEMPORARIES if walk.floats else _TEMPORARIES if walk.bulk else b""
        pieces = [self._locals(body, temporaries)]
        if wrapped:
            pieces.append(b"\x02" + (op.VALUE_TYPE_BYTES[result] if result else b"\x40"))
        pieces += [self._get_stack, need, _I64_LT_U, self._no_frame]
        if walk.calls:
            pieces += [self._get_stack, need, _I64_SUB, self._set_stack]
        pieces.append(self._charge(frame_operations(frame)))
        copied = self._copy(text, walk, pieces, restore=restore, slots=slots)
        if wrapped:
            pieces += [text[copied:], restore, _END]
        elif walk.live_end:
            pieces += [text[copied:-1], restore, _END]
        else:
            pieces.append(text[copied:])
        instrumented = b"".join(pieces)
        self._bodies.append(writer.sized(instrumented))
        return len(instrumented)

    def _copy(self, text: bytes, walk: Walk, pieces: list[bytes], *, restore: bytes, slots: int) -> int:
        """Append the instructions with every change between them; how many bytes of `text` are copied."""
        copied = 0
        charges = self._charges
        append = pieces.append
        for offset, value in zip(walk.offsets, walk.values, strict=True):
            if not value:
                continue
            append(text[copied:offset])
            copied = offset
            if value > 0:
                append(charges.get(value) or self._charge(value))
            elif value == RETURN:
                append(restore)
            elif value == BULK:
                append(self._linear_charge(slots))
            elif value >= NEGATE_8:
                append(float_instruction(value, slots=slots))
                copied += 1
            else:
                append(self._reference(value))
                copied = leb128.skip(text, offset + 1)
        return copied

    def _reference(self, value: int) -> bytes:
        """A `call` of, or a reference to, an imported function."""
        if value & 1:
            index = (CALL_IMPORT - value) >> 1
            return self._get_gas + b"\x10" + leb128.unsigned(index) + self._set_gas
        return b"\xd2" + leb128.unsigned(self._wrappers[(REFER_TO_IMPORT - value) >> 1])

    def _locals(self, body: Body, temporaries: bytes) -> bytes:
        code = self._module.code
        groups = code[leb128.skip(code, body.start) : body.code]
        if not temporaries:
            return leb128.unsigned(len(body.locals)) + groups
        return leb128.unsigned(len(body.locals) + 2) + groups + temporaries

    def _charge(self, operations: int) -> bytes:
        """Burn the price of so many instructions, or stop."""
        charge = self._charges.get(operations)
        if charge is None:
            price = _constant(operations * self._operation)
            charge = self._charges[operations] = b"".join(
                (
                    *(self._get_gas, price, self._too_little, _IF, price, self._set_stopped, _STOP),
                    *(self._get_gas, price, _I64_SUB, self._set_gas),
                )
            )
        return charge

    def _linear_charge(self, slots: int) -> bytes:
        """Burn what the bulk operation costs whose last operand lies on the stack, or stop.

        NOTE: with prices below 2^31 the sum stays far below 2^64, so nearcore's checks of overflow have no twin.
        """
        count, price = leb128.unsigned(slots), leb128.unsigned(slots + 1)
        get_price = b"\x20" + price
        base, unit = map(_constant, self._linear)
        return b"".join(
            (
                *(b"\x22", count, _I64_EXTEND_I32_U, unit, _I64_MUL, base, _I64_ADD, b"\x21", price),
                *(self._get_gas, get_price, _I64_LT_U, _IF, get_price, self._set_stopped, _STOP),
                *(self._get_gas, get_price, _I64_SUB, self._set_gas, b"\x20", count),
            )
        )

    def finish(self) -> bytes:
        """The whole module, when every body has been added."""
        module = self._module
        types, imports, functions = self._signatures()
        parts = [writer.HEADER, writer.counted(writer.TYPE, types), writer.counted(writer.IMPORT, imports)]
        parts.append(writer.counted(writer.FUNCTION, functions))
        if module.tables is not None:
            parts.append(writer.section(writer.TABLE, module.code[slice(*module.tables)]))
        pages = map(leb128.unsigned, (self._config.initial_memory_pages, self._config.max_memory_pages))
        parts.append(writer.counted(writer.MEMORY, [b"\x01" + b"".join(pages)]))
        parts.append(writer.counted(writer.GLOBAL, self._globals()))
        parts.append(writer.counted(writer.EXPORT, self._exports()))
        if module.elements:
            content = _patched(module.code, module.elements_range, self._element_changes())
            parts.append(writer.section(writer.ELEMENT, leb128.unsigned(len(module.elements)) + content))
        if module.data_count is not None:
            parts.append(writer.section(writer.DATA_COUNT, module.code[slice(*module.data_count)]))
        bodies = [*self._bodies, *map(self._wrapper, self._wrappers)]
        parts.append(writer.counted(writer.CODE, bodies))
        if module.data is not None:
            parts.append(writer.section(writer.DATA, module.code[slice(*module.data)]))
        return b"".join(parts)

    def _signatures(self) -> tuple[list[bytes], list[bytes], list[bytes]]:
        """The items of the type, import and function sections."""
        module = self._module
        types = [_function_type(one.params, one.result) for one in module.types]
        carrying: dict[FuncType, int] = {}
        imports = []
        for name, type_index in module.imports:
            signature = module.types[type_index]
            if signature not in carrying:
                carrying[signature] = len(types)
                types.append(_function_type(signature.params + "q", signature.result + "q"))
            index = leb128.unsigned(carrying[signature])
            imports.append(b"\x03env" + writer.sized(name) + bytes((FUNCTION_KIND,)) + index)
        functions = [*module.functions, *(module.imports[index][1] for index in self._wrappers)]
        return types, imports, [leb128.unsigned(index) for index in functions]

    def _globals(self) -> list[bytes]:
        items = []
        for item in self._module.globals or ():
            head = op.VALUE_TYPE_BYTES[item.type] + bytes((item.mutable,))
            items.append(head + self._initial(item.init))
        own = (0, self._config.max_stack_height, 0)
        return items + [b"\x7e\x01" + _constant(value) + _END for value in own]

    def _initial(self, constant: Constant) -> bytes:
        if constant.opcode == op.REF_FUNC and constant.value in self._wrappers:
            return b"\xd2" + leb128.unsigned(self._wrappers[constant.value]) + _END
        return self._module.code[constant.start : constant.end]

    def _exports(self) -> list[bytes]:
        items = [
            writer.export(export_name(one.name), one.kind, index=self._target(one.kind, one.item))
            for one in self._module.exports
            if one.kind != MEMORY_KIND
        ]
        items.append(writer.export(MEMORY_EXPORT.encode(), MEMORY_KIND, index=0))
        items.append(writer.export(REMAINING_GAS_EXPORT.encode(), GLOBAL_KIND, index=self._gas_index))
        items.append(writer.export(EXHAUSTED_EXPORT.encode(), GLOBAL_KIND, index=self._gas_index + 2))
        if self._module.start is not None:
            start = self._target(FUNCTION_KIND, self._module.start)
            items.append(writer.export(START_EXPORT.encode(), FUNCTION_KIND, index=start))
        return items

    def _target(self, kind: int, index: int) -> int:
        return self._wrappers.get(index, index) if kind == FUNCTION_KIND else index

    def _element_changes(self) -> list[tuple[int, int, bytes]]:
        """Places in the element section that name an import, and what must stand there."""
        changes = []
        for segment in self._module.elements:
            for start, end, index in segment.functions:
                if index in self._wrappers:
                    changes.append((start, end, leb128.unsigned(self._wrappers[index])))
            for item in segment.items or ():
                changes.append((item.start, item.end, self._initial(item)))
        return changes

    def _wrapper(self, index: int) -> bytes:
        """The body of the guest function that stands for an import."""
        params = self._module.types[self._module.imports[index][1]].params
        arguments = b"".join(b"\x20" + leb128.unsigned(at) for at in range(len(params)))
        call = self._get_gas + b"\x10" + leb128.unsigned(index) + self._set_gas
        return writer.sized(b"\x00" + arguments + call + _END)


def _patched(code: bytes, place: tuple[int, int], changes: list[tuple[int, int, bytes]]) -> bytes:
    copied, end = place
    pieces = []
    for start, after, replacement in changes:
        pieces += [code[copied:start], replacement]
        copied = after
    pieces.append(code[copied:end])
    return b"".join(pieces)


def _constant(value: int) -> bytes:
    return b"\x42" + leb128.signed(value)


def _function_type(params: str, results: str) -> bytes:
    encoded: Callable[[str], bytes] = op.VALUE_TYPE_BYTES.__getitem__
    lists = (leb128.unsigned(len(letters)) + b"".join(map(encoded, letters)) for letters in (params, results))
    return b"\x60" + b"".join(lists)
