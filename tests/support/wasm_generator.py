"""Random valid WebAssembly modules that use everything NEAR allows.

One seed gives one module. Programs are typed while they are written, so that every module validates; loops are
bounded by gas alone, most addresses and divisors are tame and a few are wild, so that every trap happens too.
`main` ends by returning a digest of what it did: the value of every global and a window of memory.
"""

import random

from tests.support import wasm_model as w
from tests.support.wasm_numeric import F32, F64, I32, I64, LOADS, MASK, NUMERIC, STORES

HOST_FUNCTIONS: dict[str, w.FunctionType] = {
    "block_index": ((), (I64,)),
    "prepaid_gas": ((), (I64,)),
    "used_gas": ((), (I64,)),
    "storage_usage": ((), (I64,)),
    "gas": ((I32,), ()),
    "panic": ((), ()),
    "input": ((I64,), ()),
    "register_len": ((I64,), (I64,)),
    "read_register": ((I64, I64), ()),
    "write_register": ((I64, I64, I64), ()),
    "sha256": ((I64, I64, I64), ()),
    "log_utf8": ((I64, I64), ()),
    "value_return": ((I64, I64), ()),
}
"""Imports a generated module may have; `value_return` is always there."""

NUMBERS = (I32, I64, F32, F64)
ALL = (*NUMBERS, w.FUNCREF)
WINDOW = 256
"""Bytes of memory, from address zero, that `main` returns."""

_BY_RESULT: dict[str, list[int]] = {k: [op for op, e in NUMERIC.items() if e[2] == k] for k in NUMBERS}
_TOLD_APART = {F32: (0x8B, 0x8C, 0x92, 0x94, 0x98, 0xB6, 0xBE), F64: (0x99, 0x9A, 0xA0, 0xA2, 0xA6, 0xBB, 0xBF)}
"""What shows how the older kind of VM keeps NaNs: signs, arithmetic, conversions between the widths, bits."""
_NANS = {
    F32: (0x7FC00000, 0xFFC00000, 0x7FA00001, 0xFFC54321),
    F64: (0x7FF8000000000000, 0xFFF8000000000000, 0x7FF0000000000001, 0xFFFABCDE98765432),
}
_LOADS_BY_RESULT: dict[str, list[int]] = {k: [op for op, e in LOADS.items() if e[0] == k] for k in NUMBERS}
_INTERESTING = {
    I32: [0, 1, 2, 7, 31, 32, 255, 65535, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF],
    I64: [0, 1, 63, 64, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1],
    F32: [0, 0x80000000, 0x3F800000, 0xBF800000, 0x7F800000, 0xFF800000, 0x7FC00000, 0x7FA00001, 0x4F000000,
          0xCF000000, 1, 0x4B000001, 0x3F000000],
    F64: [0, 1 << 63, 0x3FF0000000000000, 0xBFE0000000000000, 0x7FF0000000000000, 0xFFF0000000000000,
          0x7FF8000000000000, 0x7FF0000000000001, 0x43E0000000000000, 0xC1E0000000000000, 0x41F0000000000000,
          0x4330000000000001, 1],
}  # fmt: skip


class ModuleGenerator:
    """Makes one module from `seed`, with reference types and bulk memory or, if `older`, without.

    `wild` is the chance that a safeguard is left out.
    """

    def __init__(self, seed: int, *, older: bool = False) -> None:
        self.rng = random.Random(seed)
        self.older = older
        self.kinds = NUMBERS if older else ALL
        self.wild = self.rng.choice((0.0, 0.02, 0.1, 0.3))
        self.module = w.Module()

    def generate(self) -> w.Module:
        rng, module = self.rng, self.module
        hosts = [n for n in HOST_FUNCTIONS if n == "value_return" or rng.random() < 0.5]
        rng.shuffle(hosts)
        for name in hosts:
            module.imports.append((name, self._type(HOST_FUNCTIONS[name])))
        module.globals = [(rng.choice(NUMBERS), True, 0) for _ in range(rng.randrange(1, 5))]
        module.globals = [(k, m, rng.choice(_INTERESTING[k])) for k, m, _ in module.globals]
        signatures: list[w.FunctionType] = [((), ())]
        for _ in range(rng.randrange(0, 6)):
            params = tuple(
                rng.choice(self.kinds if rng.random() < 0.3 else NUMBERS) for _ in range(rng.randrange(0, 5))
            )
            signatures.append((params, tuple(rng.choice(NUMBERS) for _ in range(rng.randrange(0, 2)))))
        if rng.random() < 0.85:
            module.table = (rng.randrange(0, 12), rng.choice((None, 16, 400)))
        module.memory = (rng.randrange(0, 3), rng.choice((None, 4)))
        first = len(module.imports)
        module.functions = [w.Function(self._type(s), [], []) for s in signatures]
        count = first + len(signatures)
        if module.table is not None:
            for _ in range(rng.randrange(0, 3)):
                passive = rng.random() < 0.5 and not self.older
                items = [rng.randrange(count) for _ in range(rng.randrange(0, 6))]
                room = max(module.table[0] - len(items), 0)
                offset = rng.randrange(0, 40) if rng.random() < self.wild / 4 else rng.randrange(room + 1)
                fits = len(items) <= module.table[0] or rng.random() < self.wild / 4
                module.elements.append(w.Segment(None if passive or not (fits or self.older) else offset, items))
        for _ in range(rng.randrange(0, 3)):
            content = rng.randbytes(rng.randrange(0, 40))
            wild = rng.random() < self.wild / 4
            module.data.append(
                w.Segment(None if rng.random() < 0.5 else (70_000_000 if wild else rng.randrange(300)), content)
            )
        module.exports = [("main", 0, first)]
        if rng.random() < 0.15:
            starters = [first + i for i, s in enumerate(signatures) if i and s == ((), ())]
            module.start = rng.choice(starters) if starters else None
        # Functions named by `ref.func` must be declared outside bodies: exporting them does it.
        self.referable = [rng.randrange(count) for _ in range(2)]
        module.exports += [(f"r{i}", 0, f) for i, f in enumerate(self.referable)]
        for index, function in enumerate(module.functions):
            FunctionGenerator(self, function, first + index, is_main=index == 0).generate()
        return module

    def _type(self, signature: w.FunctionType) -> int:
        if signature not in self.module.types or self.rng.random() < 0.05:
            self.module.types.append(signature)
            return len(self.module.types) - 1
        return self.module.types.index(signature)


class FunctionGenerator:
    """Writes one body, keeping track of locals and open labels."""

    def __init__(self, owner: ModuleGenerator, function: w.Function, index: int, *, is_main: bool) -> None:
        self.owner, self.rng, self.module = owner, owner.rng, owner.module
        self.function, self.index, self.is_main = function, index, is_main
        self.params, self.results = self.module.types[function.type_index]
        self.code: list[w.Instruction] = function.body
        self.labels: list[str | None] = [self.results[0] if self.results else None]
        self.fuel = self.rng.choice((5, 15, 40, 90))

    def generate(self) -> None:
        rng = self.rng
        self.function.locals = [
            rng.choice(self.owner.kinds if rng.random() < 0.3 else NUMBERS) for _ in range(rng.randrange(0, 6))
        ]
        self.variables = [*self.params, *self.function.locals]
        while self.fuel > 0:
            self.statement(3)
        if self.is_main:
            self.return_digest()
        elif self.results:
            self.expression(self.results[0], 3)

    def return_digest(self) -> None:
        for index, (kind, _, _) in enumerate(self.module.globals):
            self.code += [(w.I32_CONST, 8 * index), (w.GLOBAL_GET, index)]
            self.code.append(({I32: 0x36, I64: 0x37, F32: 0x38, F64: 0x39}[kind], 0, 0))
        target = [n for n, _ in self.module.imports].index("value_return")
        self.code += [(w.I64_CONST, WINDOW), (w.I64_CONST, 0), (w.CALL, target)]

    def is_wild(self) -> bool:
        return self.rng.random() < self.owner.wild

    def emit(self, *instruction: object) -> None:
        self.code.append(instruction)
        self.fuel -= 1

    def variable(self, kind: str) -> int | None:
        fitting = [i for i, t in enumerate(self.variables) if t == kind]
        return self.rng.choice(fitting) if fitting else None

    def global_(self, kind: str) -> int | None:
        fitting = [i for i, (t, _, _) in enumerate(self.module.globals) if t == kind]
        return self.rng.choice(fitting) if fitting else None

    # Expressions: leave exactly one value of `kind`.

    def expression(self, kind: str, depth: int) -> None:
        if depth <= 0 or self.fuel <= 0:
            self.leaf(kind)
            return
        if kind == w.FUNCREF:
            self.reference(depth)
            return
        choice = self.rng.randrange(20)
        if choice < 8:
            self.numeric(kind, depth)
        elif choice < 10:
            self.load(kind, depth)
        elif choice < 12:
            self.structured(kind, depth)
        elif choice < 13:
            self.call(kind, depth)
        elif choice < 14:
            self.select(kind, depth)
        elif choice < 15 and (local := self.variable(kind)) is not None:
            self.expression(kind, depth - 1)
            self.emit(w.LOCAL_TEE, local)
        elif choice < 16 and kind == I32:
            self.sized(depth)
        elif choice < 17 and (depths := [d for d, t in enumerate(reversed(self.labels)) if t == kind]):
            self.expression(kind, depth - 1)
            self.expression(I32, depth - 1)
            self.emit(w.BR_IF, self.rng.choice(depths))
        else:
            self.leaf(kind)

    def leaf(self, kind: str) -> None:
        local, shared = self.variable(kind), self.global_(kind)
        if local is not None and self.rng.random() < 0.5:
            self.emit(w.LOCAL_GET, local)
        elif shared is not None and self.rng.random() < 0.4:
            self.emit(w.GLOBAL_GET, shared)
        elif kind == w.FUNCREF:
            self.emit(
                *((w.REF_NULL,) if self.rng.random() < 0.5 else (w.REF_FUNC, self.rng.choice(self.owner.referable)))
            )
        else:
            value = (
                self.rng.choice(_INTERESTING[kind])
                if self.rng.random() < 0.7
                else self.rng.getrandbits(64) & MASK[kind]
            )
            self.emit(w.CONST[kind], value)

    def numeric(self, kind: str, depth: int) -> None:
        opcode = self.rng.choice(_BY_RESULT[kind])
        if self.owner.older and kind in _TOLD_APART and self.rng.random() < 0.5:
            opcode = self.rng.choice(_TOLD_APART[kind])
        name, operands, _, _ = NUMERIC[opcode]
        traps = ".div_" in name or ".rem_" in name or (".trunc_f" in name)
        if traps and ".trunc_f" in name and not self.is_wild():
            # The saturating twin of a truncation never traps.
            order = [n for n, *_ in (NUMERIC[0xFC00 + i] for i in range(8))]
            opcode = 0xFC00 + order.index(name.replace("trunc_", "trunc_sat_"))
        for operand in operands:
            self.expression(operand, depth - 1)
        if traps and operands[0] in (I32, I64) and not self.is_wild():
            self.emit(w.CONST[kind], 5)
            self.emit(0x72 if kind == I32 else 0x84)
            self.emit(w.CONST[kind], 0x7FFF)
            self.emit(0x71 if kind == I32 else 0x83)
        self.emit(opcode)

    def address(self, depth: int) -> None:
        self.expression(I32, depth - 1)
        if not self.is_wild():
            self.emit(w.I32_CONST, 0x1FFF)
            self.emit(0x71)

    def offset(self) -> int:
        return self.rng.getrandbits(32) if self.rng.random() < self.owner.wild / 2 else self.rng.randrange(300)

    def load(self, kind: str, depth: int) -> None:
        opcode = self.rng.choice(_LOADS_BY_RESULT[kind])
        self.address(depth)
        self.emit(opcode, self.rng.randrange(LOADS[opcode][1].bit_length()), self.offset())

    def structured(self, kind: str | None, depth: int) -> None:
        """A block, loop or conditional with the block type `kind`."""
        shape = self.rng.randrange(4)
        if shape == 3:
            self.expression(I32, depth - 1)
            self.emit(w.IF, kind)
        else:
            self.emit(w.LOOP if shape == 2 else w.BLOCK, kind)
        self.labels.append(None if shape == 2 else kind)
        self.sequence(kind, depth)
        if shape == 3 and (kind is not None or self.rng.random() < 0.5):
            self.emit(w.ELSE)
            self.sequence(kind, depth)
        if shape == 2 and kind is None and self.rng.random() < 0.6:
            self.expression(I32, depth - 1)
            self.emit(w.BR_IF, 0)
        self.labels.pop()
        self.emit(w.END)

    def sequence(self, kind: str | None, depth: int) -> None:
        for _ in range(self.rng.randrange(0, 3)):
            self.statement(depth - 1)
        if kind is not None:
            self.expression(kind, depth - 1)

    def call(self, kind: str | None, depth: int) -> None:
        """A direct or indirect call whose result is `kind`; falls back to a constant or `nop`."""
        candidates = [
            i
            for i in range(len(self.module.imports) + len(self.module.functions))
            if self.module.type_of(i)[1] == ((kind,) if kind else ())
            and (i < len(self.module.imports) or i > self.index or self.rng.random() < 0.02)
        ]
        candidates = [i for i in candidates if self.callable(i)]
        if not candidates:
            self.leaf(kind) if kind else self.emit(w.NOP)
            return
        target = self.rng.choice(candidates)
        self.arguments(target, depth)
        if self.module.table is not None and self.rng.random() < 0.3 and target >= len(self.module.imports):
            self.expression(I32, depth - 1)
            if not self.is_wild():
                self.emit(w.I32_CONST, 7)
                self.emit(0x71)
            self.emit(w.CALL_INDIRECT, self.module.functions[target - len(self.module.imports)].type_index)
        else:
            self.emit(w.CALL, target)

    def callable(self, index: int) -> bool:
        if index >= len(self.module.imports):
            return True
        name = self.module.imports[index][0]
        return name not in ("panic", "gas") or self.is_wild()

    def arguments(self, target: int, depth: int) -> None:
        params = self.module.type_of(target)[0]
        is_host = target < len(self.module.imports)
        for param in params:
            self.expression(param, depth - 1)
            if is_host and not self.is_wild():
                self.emit(w.CONST[param], 0x3F)
                self.emit(0x83 if param == I64 else 0x71)

    def select(self, kind: str, depth: int) -> None:
        self.expression(kind, depth - 1)
        self.expression(kind, depth - 1)
        self.expression(I32, depth - 1)
        typed = kind == w.FUNCREF or (self.rng.random() < 0.3 and not self.owner.older)
        self.emit(*((w.SELECT_TYPED, kind) if typed else (w.SELECT,)))

    def sized(self, depth: int) -> None:
        """An i32 about sizes and references."""
        choice = self.rng.randrange(5)
        if choice == 0 or (self.owner.older and choice > 1):
            self.emit(w.MEMORY_SIZE)
        elif choice == 1:
            self.small(depth)
            self.emit(w.MEMORY_GROW)
        elif choice == 2 and self.module.table is not None:
            self.emit(w.TABLE_SIZE)
        elif choice == 3 and self.module.table is not None:
            self.reference(depth - 1)
            self.small(depth)
            self.emit(w.TABLE_GROW)
        else:
            self.reference(depth - 1)
            self.emit(w.REF_IS_NULL)

    def small(self, depth: int) -> None:
        self.expression(I32, depth - 1)
        if not self.is_wild():
            self.emit(w.I32_CONST, 15)
            self.emit(0x71)

    def reference(self, depth: int) -> None:
        if self.module.table is not None and self.rng.random() < 0.3:
            self.expression(I32, depth - 1)
            if not self.is_wild():
                self.emit(w.I32_CONST, 3)
                self.emit(0x71)
            self.emit(w.TABLE_GET)
        elif depth > 0 and self.rng.random() < 0.2:
            self.select(w.FUNCREF, depth - 1)
        else:
            self.leaf(w.FUNCREF)

    # Statements: leave the stack as it was.

    def statement(self, depth: int) -> None:
        rng = self.rng
        choice = rng.randrange(24)
        if choice < 5:
            kind = rng.choice(NUMBERS)
            local = self.variable(kind)
            self.expression(kind, depth)
            self.emit(*((w.DROP,) if local is None else (w.LOCAL_SET, local)))
        elif choice < 8:
            index = rng.randrange(len(self.module.globals))
            self.expression(self.module.globals[index][0], depth)
            self.emit(w.GLOBAL_SET, index)
        elif choice < 11:
            opcode = rng.choice(list(STORES))
            self.address(depth)
            self.expression(STORES[opcode][0], depth)
            self.emit(opcode, rng.randrange(STORES[opcode][1].bit_length()), self.offset())
        elif choice < 14 and depth > 0:
            self.structured(None, depth)
        elif choice < 16:
            self.call(None, depth)
        elif choice < 18:
            self.jump(depth)
        elif choice < 20:
            self.shown(depth) if self.owner.older else self.bulk(depth)
        elif choice < 21:
            self.expression(rng.choice(self.owner.kinds), depth)
            self.emit(w.DROP)
        elif choice < 22 and (local := self.variable(w.FUNCREF)) is not None:
            self.reference(depth)
            self.emit(w.LOCAL_SET, local)
        else:
            self.emit(w.NOP)

    def shown(self, depth: int) -> None:
        """A float in the window of memory that `main` returns."""
        kind = self.rng.choice((F32, F64))
        self.emit(w.I32_CONST, 8 * self.rng.randrange(8, WINDOW // 8))
        self.nan(kind, self.rng.randrange(1, 6), depth)
        self.emit({F32: 0x38, F64: 0x39}[kind], 0, 0)

    def nan(self, kind: str, length: int, depth: int) -> None:
        """Most likely a NaN that went through as many instructions."""
        rng = self.rng
        if not length:
            self.emit(w.CONST[kind], rng.choice(_NANS[kind]))
            return
        opcode, choice = rng.choice(_TOLD_APART[kind]), rng.randrange(10)
        if choice == 0:
            self.emit(w.BLOCK, kind)
            self.labels.append(kind)
            self.nan(kind, length - 1, depth)
            self.labels.pop()
            self.emit(w.END)
            return
        operands = NUMERIC[opcode][1]
        if operands[0] in (F32, F64):
            self.nan(operands[0], length - 1, depth)
        else:
            self.expression(operands[0], depth)
        for operand in operands[1:]:
            self.expression(operand, depth - 1)
        self.emit(opcode)
        if choice == 1 and (local := self.variable(kind)) is not None:
            self.emit(w.LOCAL_TEE, local)

    def jump(self, depth: int) -> None:
        """A branch; after an unconditional one some unreachable code may follow."""
        rng = self.rng
        empty = [d for d, t in enumerate(reversed(self.labels)) if t is None]
        choice = rng.randrange(8)
        if choice < 4 and empty:
            self.expression(I32, depth - 1)
            self.emit(w.BR_IF, rng.choice(empty))
            return
        if len(self.labels) == 1 and not self.is_wild():
            self.emit(w.NOP)
            return
        if choice == 4 and empty:
            self.expression(I32, depth - 1)
            self.emit(w.BR_TABLE, [rng.choice(empty) for _ in range(rng.randrange(0, 4))], rng.choice(empty))
        elif choice == 5 and empty:
            self.emit(w.BR, rng.choice(empty))
        elif choice == 6 and (not self.results or self.results[0] != w.FUNCREF):
            if self.results:
                self.expression(self.results[0], depth - 1)
            self.emit(w.RETURN)
        elif self.is_wild():
            self.emit(w.UNREACHABLE)
        else:
            self.emit(w.NOP)
            return
        if rng.random() < 0.4:
            opcode = rng.choice(list(NUMERIC))
            self.emit(opcode)
            self.emit(w.DROP)
        if rng.random() < 0.4 and depth > 0:
            self.statement(depth - 1)

    def bulk(self, depth: int) -> None:
        rng, module = self.rng, self.module
        options = [w.MEMORY_COPY, w.MEMORY_FILL]
        options += [w.MEMORY_INIT, w.DATA_DROP] if module.data else []
        options += [w.TABLE_FILL, w.TABLE_COPY, w.TABLE_SET] if module.table is not None else []
        options += [w.TABLE_INIT, w.ELEM_DROP] if module.table is not None and module.elements else []
        opcode = rng.choice(options)
        segment = rng.randrange(len(module.data if opcode in (w.MEMORY_INIT, w.DATA_DROP) else module.elements) or 1)
        if opcode in (w.DATA_DROP, w.ELEM_DROP):
            self.emit(opcode, segment)
            return
        if opcode in (w.MEMORY_COPY, w.MEMORY_FILL, w.MEMORY_INIT):
            self.address(depth)
        else:
            self.small(depth)
        if opcode == w.TABLE_SET:
            self.reference(depth)
            self.emit(opcode)
            return
        if opcode == w.TABLE_FILL:
            self.reference(depth)
        elif opcode == w.MEMORY_COPY:
            self.address(depth)
        else:
            self.small(depth)
        self.small(depth)
        self.emit(opcode, *((segment,) if opcode in (w.MEMORY_INIT, w.TABLE_INIT) else ()))
