"""A plain WebAssembly interpreter that counts NEAR's gas one instruction at a time.

It knows nothing of groups, instrumentation or engines: every instruction pays when it runs, every function pays
for its frame when it is entered. What it computes and what it counts is the yardstick for the real machinery.
"""

from collections.abc import Callable, Mapping
from typing import Any

from tests.support import wasm_model as w
from tests.support.wasm_numeric import F32, F64, I32, I64, LOADS, MASK, NUMERIC, STORES, Trap, signed

PAGE = 65536
SIZES = {I32: 4, I64: 8, F32: 4, F64: 8, w.FUNCREF: 8}
FREE = {w.BLOCK, w.ELSE, w.END}
LINEAR = {
    w.MEMORY_INIT,
    w.MEMORY_COPY,
    w.MEMORY_FILL,
    w.MEMORY_GROW,
    w.TABLE_INIT,
    w.TABLE_COPY,
    w.TABLE_FILL,
    w.TABLE_GROW,
}


class OutOfGas(Exception):
    """The budget does not cover the next charge; `wanted` is what would have been burnt with it."""

    def __init__(self, wanted: int) -> None:
        super().__init__(wanted)
        self.wanted = wanted


class Machine:
    """One instance. `budget` and `gas` are in gas; `operand_sizes` gives the modelled operand bytes per function."""

    numeric = NUMERIC
    priced_by_length = LINEAR

    def __init__(
        self,
        module: w.Module,
        *,
        budget: int,
        op_cost: int,
        linear: tuple[int, int],
        operand_sizes: list[int],
        host: Mapping[str, Callable[["Machine", list[int]], int | None]],
        max_stack: int = 262144,
        initial_pages: int = 1024,
        max_pages: int = 2048,
        max_table: int = 10000,
    ) -> None:
        self.module, self.host = module, host
        self.budget, self.gas = budget, 0
        self.op_cost, self.linear = op_cost, linear
        self.stack = max_stack
        self.pages: dict[int, bytearray] = {}
        self.memory_pages, self.max_pages, self.max_table = initial_pages, max_pages, max_table
        self.globals = [value for _, _, value in module.globals]
        self.table: list[int | None] = [None] * (module.table[0] if module.table else 0)
        self.data = [bytes(s.items) for s in module.data]
        self.elements = [list(s.items) for s in module.elements]
        self.operand_sizes = operand_sizes
        self.plans = [self._plan(f.body) for f in module.functions]
        self.opcodes: set[int] = set()
        """What ran so far."""

    def instantiate(self) -> None:
        """Apply active segments; raises `Trap` when one does not fit."""
        for segment, items in zip(self.module.elements, self.elements, strict=True):
            if segment.offset is not None:
                if segment.offset + len(items) > len(self.table):
                    raise Trap("memory")
                self.table[segment.offset : segment.offset + len(items)] = items
                items.clear()
        for index, segment in enumerate(self.module.data):
            if segment.offset is not None:
                self.write(segment.offset, self.data[index])
                self.data[index] = b""

    def charge(self, amount: int) -> None:
        if self.gas + amount > self.budget:
            wanted, self.gas = self.gas + amount, self.budget
            raise OutOfGas(wanted)
        self.gas += amount

    def spend(self, amount: int) -> None:
        """Charge what runs in the module itself."""
        self.charge(amount)

    @staticmethod
    def seen(value: Any) -> Any:
        """A value whose bits can be told from here on."""
        return value

    def check(self, address: int, length: int) -> None:
        if address + length > self.memory_pages * PAGE:
            raise Trap("memory")

    def read(self, address: int, length: int) -> bytes:
        self.check(address, length)
        out = bytearray()
        while length:
            page, offset = divmod(address, PAGE)
            take = min(length, PAGE - offset)
            content = self.pages.get(page)
            out += bytes(take) if content is None else content[offset : offset + take]
            address, length = address + take, length - take
        return bytes(out)

    def write(self, address: int, value: bytes) -> None:
        self.check(address, len(value))
        at = 0
        while at < len(value):
            page, offset = divmod(address + at, PAGE)
            take = min(len(value) - at, PAGE - offset)
            self.pages.setdefault(page, bytearray(PAGE))[offset : offset + take] = value[at : at + take]
            at += take

    @staticmethod
    def _plan(body: list[w.Instruction]) -> dict[int, tuple[int, int]]:
        """For each block-like instruction the positions of its `else` (or `end`) and `end`."""
        plan: dict[int, tuple[int, int]] = {}
        opened: list[list[int]] = []
        for position, (opcode, *_) in enumerate(body):
            if opcode in (w.BLOCK, w.LOOP, w.IF):
                opened.append([position, -1])
            elif opcode == w.ELSE:
                opened[-1][1] = position
            elif opcode == w.END:
                start, middle = opened.pop()
                plan[start] = (position if middle < 0 else middle, position)
                if middle >= 0:
                    plan[middle] = (position, position)
        return plan

    def call(self, index: int, arguments: list[int]) -> int | None:
        """Run function `index`; raises `Trap`, `OutOfGas` or whatever a host function raises."""
        if index < len(self.module.imports):
            return self.host[self.module.imports[index][0]](self, arguments)
        defined = index - len(self.module.imports)
        function = self.module.functions[defined]
        params, results = self.module.types[function.type_index]
        frame = 64 + sum(SIZES[t] for t in (*params, *function.locals))
        need = self.operand_sizes[defined] + frame
        if self.stack < need:
            raise Trap("stack")
        self.stack -= need
        self.spend((frame + 7) // 8 * self.op_cost)
        local = arguments + [None if t == w.FUNCREF else 0 for t in function.locals]
        result = self._run(function.body, self.plans[defined], local, bool(results))
        self.stack += need
        return result

    def _run(self, body: list[Any], plan: dict[int, tuple[int, int]], local: list[Any], returns: bool) -> Any:
        values: list[Any] = []
        labels: list[tuple[int, int, bool]] = []  # continuation, stack height, keeps a value
        position = 0
        op_cost, table, by_length, seen = self.op_cost, self.numeric, self.priced_by_length, self.seen

        def branch(depth: int) -> int:
            if depth == len(labels):
                return len(body)
            target, height, keeps = labels[-1 - depth]
            kept = [seen(values[-1])] if keeps else []
            is_loop = body[target][0] == w.LOOP
            del labels[len(labels) - depth - 1 :]
            del values[height:]
            values.extend(kept)
            return target if is_loop else target + 1

        while position < len(body):
            opcode, *imm = body[position]
            self.opcodes.add(opcode)
            if opcode in by_length:
                self.spend(self.linear[0] + self.linear[1] * values[-1])
            elif opcode not in FREE:
                self.spend(op_cost)
            numeric = table.get(opcode)
            if numeric is not None:
                arity = len(numeric[1])
                operands = values[-arity:]
                del values[-arity:]
                values.append(numeric[3](*operands))
            elif opcode == w.BLOCK:
                labels.append((plan[position][1], len(values), imm[0] is not None))
            elif opcode == w.LOOP:
                labels.append((position, len(values), False))
            elif opcode == w.IF:
                condition = values.pop()
                middle, end = plan[position]
                labels.append((end, len(values), imm[0] is not None))
                if not condition:
                    position = middle if body[middle][0] == w.END else middle + 1
                    continue
            elif opcode == w.ELSE:
                values[labels[-1][1] :] = map(seen, values[labels[-1][1] :])
                position = plan[position][1]
                continue
            elif opcode == w.END:
                _, height, _ = labels.pop()
                values[height:] = map(seen, values[height:])
            elif opcode == w.BR:
                position = branch(imm[0])
                continue
            elif opcode == w.BR_IF:
                if values.pop():
                    position = branch(imm[0])
                    continue
            elif opcode == w.BR_TABLE:
                index = values.pop()
                position = branch(imm[0][index] if index < len(imm[0]) else imm[1])
                continue
            elif opcode == w.RETURN:
                break
            else:
                self._other(opcode, imm, values, local)
            position += 1
        return seen(values[-1]) if returns else None

    def _other(self, opcode: int, imm: list[Any], values: list[Any], local: list[Any]) -> None:
        module = self.module
        if opcode == w.UNREACHABLE:
            raise Trap("unreachable")
        if opcode == w.NOP:
            return
        if opcode in (w.CALL, w.CALL_INDIRECT):
            target = self._indirect(imm[0], values.pop()) if opcode == w.CALL_INDIRECT else imm[0]
            params, results = module.type_of(target)
            arguments = list(map(self.seen, values[len(values) - len(params) :]))
            del values[len(values) - len(params) :]
            result = self.call(target, arguments)
            if results:
                values.append(result)
        elif opcode == w.DROP:
            values.pop()
        elif opcode in (w.SELECT, w.SELECT_TYPED):
            condition, second = values.pop(), values.pop()
            values[-1] = self.seen(values[-1] if condition else second)
        elif opcode == w.LOCAL_GET:
            values.append(local[imm[0]])
        elif opcode == w.LOCAL_SET:
            local[imm[0]] = self.seen(values.pop())
        elif opcode == w.LOCAL_TEE:
            local[imm[0]] = self.seen(values[-1])
        elif opcode == w.GLOBAL_GET:
            values.append(self.globals[imm[0]])
        elif opcode == w.GLOBAL_SET:
            self.globals[imm[0]] = self.seen(values.pop())
        elif opcode in LOADS:
            kind, size, width, extends = LOADS[opcode]
            value = int.from_bytes(self.read(values.pop() + imm[1], size), "little")
            values.append(signed(value, width) & MASK[kind] if extends else value)
        elif opcode in STORES:
            _, size = STORES[opcode]
            value, address = self.seen(values.pop()), values.pop()
            self.write(address + imm[1], (value & ((1 << (8 * size)) - 1)).to_bytes(size, "little"))
        elif opcode in (w.I32_CONST, w.I64_CONST, w.F32_CONST, w.F64_CONST):
            values.append(imm[0])
        elif opcode == w.REF_NULL:
            values.append(None)
        elif opcode == w.REF_IS_NULL:
            values.append(int(values.pop() is None))
        elif opcode == w.REF_FUNC:
            values.append(imm[0])
        else:
            self._memory_or_table(opcode, imm, values)

    def _indirect(self, type_index: int, index: int) -> int:
        if index >= len(self.table):
            raise Trap("memory")
        target = self.table[index]
        if target is None:
            raise Trap("null")
        if self.module.type_of(target) != self.module.types[type_index]:
            raise Trap("signature")
        return target

    def _memory_or_table(self, opcode: int, imm: list[Any], values: list[Any]) -> None:
        if opcode == w.MEMORY_SIZE:
            values.append(self.memory_pages)
        elif opcode == w.MEMORY_GROW:
            pages = values.pop()
            fits = self.memory_pages + pages <= self.max_pages
            values.append(self.memory_pages if fits else MASK[I32])
            self.memory_pages += pages if fits else 0
        elif opcode == w.TABLE_SIZE:
            values.append(len(self.table))
        elif opcode == w.TABLE_GROW:
            count, filler = values.pop(), values.pop()
            declared = self.module.table[1] if self.module.table else None
            limit = self.max_table if declared is None else min(declared, self.max_table)
            fits = len(self.table) + count <= limit
            values.append(len(self.table) if fits else MASK[I32])
            if fits:
                self.table.extend([filler] * count)
        elif opcode == w.TABLE_GET:
            index = values.pop()
            if index >= len(self.table):
                raise Trap("memory")
            values.append(self.table[index])
        elif opcode == w.TABLE_SET:
            value, index = values.pop(), values.pop()
            if index >= len(self.table):
                raise Trap("memory")
            self.table[index] = value
        elif opcode == w.DATA_DROP:
            self.data[imm[0]] = b""
        elif opcode == w.ELEM_DROP:
            self.elements[imm[0]] = []
        else:
            self._bulk(opcode, imm, values)

    def _bulk(self, opcode: int, imm: list[Any], values: list[Any]) -> None:
        length, second, target = values.pop(), values.pop(), values.pop()
        if opcode == w.MEMORY_FILL:
            self.check(target, length)
            self.write(target, bytes([second & 0xFF]) * length)
        elif opcode == w.MEMORY_COPY:
            self.check(second, length)
            self.check(target, length)
            self.write(target, self.read(second, length))
        elif opcode == w.MEMORY_INIT:
            if second + length > len(self.data[imm[0]]):
                raise Trap("memory")
            self.write(target, self.data[imm[0]][second : second + length])
        else:
            if opcode == w.TABLE_FILL:
                items: list[int | None] = [second] * length if target + length <= len(self.table) else []
                source_fits = True
            else:
                source = self.table if opcode == w.TABLE_COPY else self.elements[imm[0]]
                source_fits = second + length <= len(source)
                items = list(source[second : second + length])
            if not source_fits or target + length > len(self.table):
                raise Trap("memory")
            self.table[target : target + length] = items
