"""The early pass: takes a contract apart and holds it against the limits of its protocol version.

Sections are handled in the order of the file, and the first failure decides which error the contract has on
chain. Most of what can be wrong with a module is found by the engine's validator (`validate`), as a whole and
without saying where; so when a limit is broken, everything *before* that place, completed to a module, is shown to
the validator: if that is invalid already, the contract is malformed, and the broken limit was never reached.

Mirrors nearcore: runtime/near-vm-runner/src/prepare/prepare_v3.rs
"""

from collections.abc import Callable

from near_tee_cli.params.config import VMConfig
from near_tee_cli.vm.kinds import kind_of
from near_tee_cli.vm.prepared import PrepareError
from near_tee_cli.vm.wasm import reader, writer
from near_tee_cli.vm.wasm.module import Module
from near_tee_cli.vm.wasm.reader import Body, Cursor, MalformedError

_UNLIMITED = 1 << 64
_TRAPPING_BODY = b"\x03\x00\x00\x0b"
_PASSIVE_EMPTY_SEGMENT = b"\x01\x00"


class _LimitError(Exception):
    """A limit is broken: `error`, unless what comes before `end` (and the first `bodies`) is invalid."""

    def __init__(self, error: PrepareError, end: int, *, bodies: int | None = None) -> None:
        super().__init__(error.variant)
        self.error = error
        self.end = end
        self.bodies = bodies


def check(code: bytes, config: VMConfig, *, validate: Callable[[bytes], bool]) -> Module | PrepareError:
    """Take the contract `code` apart, or say why the chain refuses it.

    `validate` tells whether bytes are a valid module under exactly the features that contracts may use
    (extended constant expressions excepted, which are found here).
    """
    early = _EarlyPass(code, config)
    try:
        early.run()
    except MalformedError:
        return PrepareError.DESERIALIZATION
    except _LimitError as broken:
        prefix = early.completed(broken.end, bodies=broken.bodies)
        return broken.error if validate(prefix) else PrepareError.DESERIALIZATION
    return early.module if validate(code) else PrepareError.DESERIALIZATION


def malformed_reason(code: bytes, config: VMConfig) -> str | None:
    """What the decoder stumbles over in `code`, for people; `None` when it does not."""
    try:
        _EarlyPass(code, config).run()
    except MalformedError as error:
        return str(error)
    except _LimitError:
        return None
    return None


class _EarlyPass:
    """One walk over the sections; `module` grows as it goes."""

    def __init__(self, code: bytes, config: VMConfig) -> None:
        self.module = Module(code)
        self._config = config
        self._functions_left = _or_unlimited(config.max_functions_number_per_contract)
        self._locals_left = _or_unlimited(config.max_locals_per_contract)
        self._tables_left = _or_unlimited(config.max_tables_per_contract)
        self._types_left = _or_unlimited(config.max_types_per_contract)
        self._kind = kind_of(config)
        self._code_section = 0
        self._has_code = False
        self._has_data = False
        self._data_segments: int | None = None

    def run(self) -> None:
        """Read every section; raises `MalformedError` or `_LimitError` at the first failure."""
        code = self.module.code
        if code[:8] != writer.HEADER:
            raise MalformedError("header")
        readers = {
            writer.CUSTOM: self._custom,
            writer.TYPE: self._types,
            writer.IMPORT: self._imports,
            writer.FUNCTION: self._functions,
            writer.TABLE: self._tables,
            writer.MEMORY: self._memories,
            writer.GLOBAL: self._globals,
            writer.EXPORT: self._exports,
            writer.START: self._start,
            writer.ELEMENT: self._elements,
            writer.DATA_COUNT: self._data_count,
            writer.CODE: self._bodies,
            writer.DATA: self._data,
        }
        file = Cursor(code, 8, end=len(code))
        while file.position < file.end:
            at = file.position
            read = readers.get(file.byte())
            length = file.u32()
            if read is None:
                raise MalformedError("section not allowed")
            if read == self._bodies:
                self._start_code(Cursor(code, file.position, end=min(file.end, file.position + length)), at)
            start = file.skip(length)
            section = Cursor(code, start, end=start + length)
            read(section, at)
            section.finish()

    def completed(self, end: int, *, bodies: int | None) -> bytes:
        """A module of everything before `end`, completed so that only this part decides its validity.

        Bodies that are missing become `unreachable`, data segments passive and empty ones. `bodies`: how many
        bodies of the code section, which begins at `end`, belong to the part.
        """
        code = self.module.code
        parts = [code[:end]]
        if bodies is not None or (self.module.functions and not self._has_code):
            kept = self.module.bodies[: bodies or 0]
            items = [writer.sized(code[body.start : body.end]) for body in kept]
            items += [_TRAPPING_BODY] * (len(self.module.functions) - len(kept))
            parts.append(writer.counted(writer.CODE, items))
        if self._data_segments is not None and not self._has_data:
            count = min(self._data_segments, reader.MAX_LOCALS * 2 + 1)
            parts.append(writer.counted(writer.DATA, [_PASSIVE_EMPTY_SEGMENT] * count))
        return b"".join(parts)

    def _custom(self, section: Cursor, _at: int) -> None:
        section.name()
        section.position = section.end

    def _types(self, section: Cursor, at: int) -> None:
        count = section.u32()
        self._types_left -= count
        if self._types_left < 0:
            raise _LimitError(PrepareError.TOO_MANY_TYPES, at)
        self.module.types_range = (section.position, section.end)
        self.module.types = [reader.read_type(section) for _ in range(count)]

    def _imports(self, section: Cursor, _at: int) -> None:
        self.module.has_imports = True
        imports = [reader.read_import(section) for _ in range(section.u32())]
        section.finish()
        for module, name, kind, index in imports:
            if module != b"env":
                raise _LimitError(PrepareError.INSTANTIATE, section.end)
            if kind == 0:
                self._functions_left -= 1
                if self._functions_left < 0:
                    raise _LimitError(PrepareError.TOO_MANY_FUNCTIONS, section.end)
                self.module.imports.append((name, index))
            else:
                error = PrepareError.MEMORY if kind == 2 else PrepareError.INSTANTIATE
                raise _LimitError(error, section.end)

    def _functions(self, section: Cursor, _at: int) -> None:
        count = section.u32()
        self.module.functions_range = (section.position, section.end)
        self.module.functions = [section.u32() for _ in range(count)]

    def _tables(self, section: Cursor, _at: int) -> None:
        module = self.module
        module.tables = (section.position, section.end)
        count = section.u32()
        module.table_sizes = [reader.read_table(section) for _ in range(count)]
        section.finish()
        if any(size > self._kind.max_table for size in module.table_sizes):
            raise MalformedError("table too large")
        self._tables_left -= count
        if self._tables_left < 0:
            raise _LimitError(PrepareError.TOO_MANY_TABLES, section.end)
        limit = _or_unlimited(self._config.max_elements_per_contract_table)
        if any(size > limit for size in module.table_sizes):
            raise _LimitError(PrepareError.TOO_MANY_TABLE_ELEMENTS, section.end)

    def _memories(self, section: Cursor, _at: int) -> None:
        for _ in range(section.u32()):
            reader.read_limits(section)

    def _globals(self, section: Cursor, _at: int) -> None:
        count = section.u32()
        self.module.globals_range = (section.position, section.end)
        self.module.globals = [reader.read_global(section) for _ in range(count)]

    def _exports(self, section: Cursor, _at: int) -> None:
        count = section.u32()
        if count > self._kind.max_exports:
            raise MalformedError("too many exports")
        self.module.exports = [reader.read_export(section) for _ in range(count)]

    def _start(self, section: Cursor, _at: int) -> None:
        self.module.start = section.u32()

    def _elements(self, section: Cursor, _at: int) -> None:
        count = section.u32()
        self.module.elements_range = (section.position, section.end)
        self.module.elements = [reader.read_segment(section) for _ in range(count)]

    def _data_count(self, section: Cursor, _at: int) -> None:
        self.module.data_count = (section.position, section.end)
        self._data_segments = section.u32()

    def _data(self, section: Cursor, _at: int) -> None:
        self.module.data = (section.position, section.end)
        for _ in range(section.u32()):
            reader.read_data(section)
        self._has_data = True

    def _start_code(self, section: Cursor, at: int) -> None:
        """The count of bodies; it is held against its limit even when the section is cut off."""
        self._code_section = at
        count = section.u32()
        self._functions_left -= count
        if self._functions_left < 0:
            raise _LimitError(PrepareError.TOO_MANY_FUNCTIONS, at)

    def _bodies(self, section: Cursor, at: int) -> None:
        count = section.u32()
        if count != len(self.module.functions):
            raise MalformedError("functions and bodies differ in number")
        size_limit = _or_unlimited(self._config.max_function_body_size)
        bodies = self.module.bodies
        for index in range(count):
            length = section.u32()
            start = section.skip(length)
            if length > size_limit:
                raise _LimitError(PrepareError.FUNCTION_BODY_TOO_LARGE, at, bodies=index)
            body = self._body(Cursor(self.module.code, start, end=start + length), index)
            bodies.append(body)
            if length > reader.MAX_BRANCH_TARGETS:
                # The engine allows longer branch tables; only a body of this size can hold one that is too long.
                for _ in reader.instructions(self.module.code, body.code, body.end):
                    pass
        self._has_code = True

    def _body(self, body: Cursor, index: int) -> Body:
        start = body.position
        groups = []
        for _ in range(body.u32()):
            count = body.u32()
            letter = reader.read_local_type(body)
            self._locals_left -= count
            if self._locals_left < 0:
                raise _LimitError(PrepareError.TOO_MANY_LOCALS, self._code_section, bodies=index)
            groups.append((count, letter))
        return Body(start, body.position, body.end, groups)


def _or_unlimited(limit: int | None) -> int:
    return _UNLIMITED if limit is None else limit
