"""nearcore's instrumented module, byte by byte, after the definitions of where gas is charged.

Slow and literal; the product only computes how long this would be.

Mirrors nearcore: runtime/near-vm-runner/src/prepare/instrument_v3.rs
"""

from near_tee_cli.vm.analysis import gas
from near_tee_cli.vm.wasm import opcodes as op
from near_tee_cli.vm.wasm import reader
from near_tee_cli.vm.wasm.leb128 import read_signed, signed, unsigned
from near_tee_cli.vm.wasm.module import Module
from tests.support.analysed import CONFIG, PRICES, defined, letters_of

PREFIX = 3
"""How much higher function indices become."""


def _sized(content: bytes) -> bytes:
    return unsigned(len(content)) + content


def _vector(items: list[bytes]) -> bytes:
    return unsigned(len(items)) + b"".join(items)


class Emission:
    """Emits one module."""

    def __init__(self, module: Module) -> None:
        self.module = module
        own = len(module.globals or ())
        self.g, self.s = unsigned(own), unsigned(own + 1)

    def emit(self) -> bytes:
        module = self.module
        injects = module.has_imports or bool(module.bodies)
        has_globals = module.globals is not None or bool(module.bodies)
        sections = [
            (1, self.types(injects)),
            (2, self.imports() if injects else []),
            (3, [unsigned(at) for at in module.functions]),
            (4, module.tables and module.code[slice(*module.tables)]),
            (5, bytes.fromhex("01 01 8008 8010")),
            (6, self.globals() if has_globals else []),
            (7, self.exports(has_globals)),
            (9, [self.segment(one) for one in module.elements]),
            (12, module.data_count and module.code[slice(*module.data_count)]),
            (10, [_sized(self.body(index)) for index in range(len(module.bodies))]),
            (11, module.data and module.code[slice(*module.data)]),
        ]
        out = b"\0asm\1\0\0\0"
        for number, content in sections:
            if content:
                raw = _vector(content) if isinstance(content, list) else content
                out += bytes([number]) + _sized(raw)
        return out

    def types(self, injects: bool) -> list[bytes]:
        kinds = [(one.params, one.result) for one in self.module.types] + [("", ""), ("q", "")] * injects
        return [
            b"\x60" + b"".join(_vector([op.VALUE_TYPE_BYTES[one] for one in side]) for side in kind) for kind in kinds
        ]

    def imports(self) -> list[bytes]:
        first = len(self.module.types)
        own = [(b"internal", b"finite_wasm_gas_exhausted", first), (b"internal", b"finite_wasm_stack_exhausted", first)]
        own.append((b"internal", b"finite_wasm_gas", first + 1))
        every = own + [(b"env", *one) for one in self.module.imports]
        return [_sized(module) + _sized(name) + b"\0" + unsigned(kind) for module, name, kind in every]

    def constant(self, constant: reader.Constant) -> bytes:
        text = self.module.code[constant.start : constant.end]
        if constant.opcode == op.REF_FUNC:
            return b"\xd2" + unsigned(constant.value + PREFIX) + b"\x0b"
        if constant.opcode in (op.I32_CONST, op.I64_CONST):
            return text[:1] + signed(read_signed(text, 1)[0]) + b"\x0b"
        return text

    def globals(self) -> list[bytes]:
        own = [
            op.VALUE_TYPE_BYTES[one.type] + bytes([one.mutable]) + self.constant(one.init)
            for one in self.module.globals or ()
        ]
        return [*own, b"\x7e\1\x42\0\x0b", b"\x7e\1\x42" + signed(CONFIG.max_stack_height) + b"\x0b"]

    def exports(self, has_globals: bool) -> list[bytes]:
        items = [
            _sized(b"\0" + one.name) + bytes([one.kind]) + unsigned(one.item + PREFIX * (one.kind == 0))
            for one in self.module.exports
            if one.kind != 2
        ]
        items.append(b"\6memory\2\0")
        if has_globals:
            items.append(b"\x0dremaining_gas\3" + self.g)
        if self.module.start is not None:
            items.append(b"\5start\0" + unsigned(self.module.start + PREFIX))
        return items

    def segment(self, segment: reader.Segment) -> bytes:
        head = bytes([segment.flags])
        if segment.table is not None:
            head += unsigned(segment.table)
        if segment.offset is not None:
            head += self.constant(segment.offset)
        if segment.flags & 3:
            head += b"\x70" if segment.flags & 4 else b"\0"
        if segment.items is not None:
            return head + _vector([self.constant(one) for one in segment.items])
        return head + _vector([unsigned(at + PREFIX) for _, _, at in segment.functions])

    def charge(self, fee: int) -> bytes:
        g, c = self.g, signed(fee)
        return (
            b"\x23"
            + g
            + b"\x42"
            + c
            + b"\x54\x04\x40\x42"
            + c
            + b"\x10\x02\0\x05\x23"
            + g
            + b"\x42"
            + c
            + b"\x7d\x24"
            + g
            + b"\x0b"
        )

    def bulk(self, slots: int) -> bytes:
        t64, t32, g = unsigned(slots), unsigned(slots + 1), self.g
        lin, base = signed(CONFIG.wasm_linear_op_unit_cost), signed(CONFIG.wasm_linear_op_base_cost)
        checked = b"\x50\x04\x40\x05\x10\0\0\x0b"
        return b"".join(
            (
                b"\x22" + t32 + b"\xad\x42" + lin + b"\xfc\x16" + checked,
                b"\x42\0\x42" + base + b"\x42\0\xfc\x13" + checked,
                b"\x22" + t64 + b"\x23" + g + b"\x56\x04\x40\x20" + t64 + b"\x10\x02\0\x05",
                b"\x23" + g + b"\x20" + t64 + b"\x7d\x24" + g + b"\x0b\x20" + t32,
            )
        )

    def stack(self, size: int, sub: int) -> bytes:
        return (
            b"\x23"
            + self.s
            + b"\x42\0\x42"
            + signed(size)
            + b"\x42\0\xfc"
            + bytes([sub])
            + b"\x50\x04\x40\x05\x10\1\0\x0b\x24"
            + self.s
        )

    def body(self, index: int) -> bytes:
        module, body = self.module, self.module.bodies[index]
        letters = letters_of(module, index)
        analysis = defined(module, index)
        size = analysis.frame + analysis.operands
        instructions = list(reader.instructions(module.code, body.code, body.end))
        points = [one for one in gas.points(instructions, PRICES) if one.kind != gas.Kind.UNREACHABLE]
        charges: dict[int, list[gas.Fee]] = {}
        for point in points:
            charges.setdefault(point.offset, []).append(point.fee)
        groups = [unsigned(count) + op.VALUE_TYPE_BYTES[letter] for count, letter in body.locals]
        result = module.types[module.functions[index]].result
        price = CONFIG.wasm_regular_op_cost
        out = _vector([*groups, b"\1\x7e", b"\1\x7f"]) + b"\2" + (op.VALUE_TYPE_BYTES[result] if result else b"\x40")
        out += self.stack(size, 0x14) + self.charge((analysis.frame + 7) // 8 * price)
        for one in instructions:
            for fee in charges.get(one.start, ()):
                if fee.linear:
                    out += self.bulk(len(letters))
                elif fee.constant:
                    out += self.charge(fee.constant * price)
            if one.opcode in (op.CALL, op.REF_FUNC):
                out += bytes([one.opcode]) + unsigned(one.value + PREFIX)
            elif one.opcode == op.RETURN:
                out += self.stack(size, 0x13) + b"\x0f"
            elif one.end == body.end:
                out += b"\x0b" + self.stack(size, 0x13) + b"\x0b"
            else:
                out += module.code[one.start : one.end]
        return out
