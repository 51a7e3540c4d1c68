"""Preparation: from the bytes of a contract to a module that counts its own gas, or to the reason why not.

A pure function of the contract and the configuration. Its result decides nothing until the contract is called:
deploying a contract that cannot be prepared succeeds.

Mirrors nearcore: runtime/near-vm-runner/src/prepare/prepare_v3.rs, runtime/near-vm-runner/src/prepare.rs
"""

from collections.abc import Callable

from near_tee_cli.errors import UnsupportedError
from near_tee_cli.params.config import VMConfig
from near_tee_cli.vm import limits
from near_tee_cli.vm.analysis.body import NEARCORE_IMPORTS, Environment, walk
from near_tee_cli.vm.analysis.floats import differing, may_differ
from near_tee_cli.vm.analysis.stack import Declarations
from near_tee_cli.vm.instrument import Instrumenter, frame_bytes, frame_operations
from near_tee_cli.vm.kinds import VMKind, kind_of
from near_tee_cli.vm.nearcore_length import NearcoreLength
from near_tee_cli.vm.older_encoding import translated
from near_tee_cli.vm.prepared import Import, Prepared, PrepareError
from near_tee_cli.vm.wasm import opcodes as op
from near_tee_cli.vm.wasm.module import FUNCTION_KIND, MEMORY_KIND, Module
from near_tee_cli.vm.wasm.reader import MAX_LOCALS, MAX_STRING_BYTES, instructions

_INJECTED_LOCALS = 2
_MAX_ENGINE_BODY_BYTES = 7_654_321
"""Wasmtime takes no longer functions. Contracts of its own kind cannot get there, those of the older kind can."""

_UNLIMITED = 1 << 64
_U32 = 1 << 32

_CONTEXT_BYTES = 240
_BYTES_PER_TABLE = 16
_BYTES_PER_GLOBAL = 16
_BYTES_PER_IMPORT = 64
_BYTES_PER_ESCAPING_FUNCTION = 32


def prepare(code: bytes, config: VMConfig, *, validate: Callable[[bytes], bool]) -> Prepared | PrepareError:
    """Check `code` against the limits of `config` and instrument it.

    `validate` tells whether bytes are a valid module under exactly the features that contracts may use. What is
    wrong with the contract is a value; `UnsupportedError` is raised for configurations of another kind of VM, and for
    functions of the older kind that our engine cannot take (`unsupported-function-size`).
    """
    kind = kind_of(config)
    _require_prices(config, kind)
    if kind.older_encoding:
        module = _check_older(code, config, validate=validate)
    else:
        module = limits.check(code, config, validate=validate)
    if isinstance(module, PrepareError):
        return module
    if kind.rewrites_modules and any(
        len(one.name) >= MAX_STRING_BYTES for one in module.exports if one.kind != MEMORY_KIND
    ):
        # The prefix makes the name longer than nearcore can read back.
        return PrepareError.SERIALIZATION
    return _Preparation(module, config).run()


def _check_older(code: bytes, config: VMConfig, *, validate: Callable[[bytes], bool]) -> Module | PrepareError:
    """`limits.check` of a module in the encoding of the older kind of VM."""
    for bodies in (False, True):
        translation = translated(code, bodies=bodies)
        module = limits.check(translation.code, config, validate=validate)
        if isinstance(module, Module):
            return module if translation.counts_agree else PrepareError.DESERIALIZATION
        if module is not PrepareError.DESERIALIZATION:
            return module
    return PrepareError.DESERIALIZATION


def _require_prices(config: VMConfig, kind: VMKind) -> None:
    """Refuse what the instrumentation does not cover; no released version has it."""
    unit, base = config.wasm_linear_op_unit_cost, config.wasm_linear_op_base_cost
    linear = not kind.bulk_memory or (0 < unit < _U32 and 0 <= base < _U32)
    if not (linear and 0 < config.wasm_regular_op_cost < _U32):
        raise UnsupportedError("prices of instructions are not implemented at this height", what="instruction-prices")


class _Preparation:
    """The second half: analysis and instrumentation of a module that passed the first."""

    def __init__(self, module: Module, config: VMConfig) -> None:
        self._module = module
        self._config = config
        self._instrumenter = Instrumenter(module, config)
        self._kind = kind_of(config)
        self._length = NearcoreLength(module, config) if self._kind.rewrites_modules else None
        self._environment = _environment(module, bulk_memory=self._kind.bulk_memory)
        self._params_left = _or_unlimited(config.max_params_per_contract)
        self._blocks_left = _or_unlimited(config.max_blocks_per_contract)
        self._compile_error: str | None = None

    def run(self) -> Prepared | PrepareError:
        for index in range(len(self._module.bodies)):
            error = self._function(index)
            if error is not None:
                return error
        module = self._module
        length = 0 if self._length is None else self._length.total()
        if length > _or_unlimited(self._config.max_instrumented_code_size):
            return PrepareError.INSTRUMENTED_CODE_TOO_LARGE
        return Prepared(
            wasm=self._instrumenter.finish(),
            imports=tuple(_import(module, name, index) for name, index in module.imports),
            methods=_methods(module),
            has_start=module.start is not None,
            nearcore_length=length,
            context_bytes=_context_bytes(module) if self._kind.bounds_context else 0,
            compile_error=self._compile_error,
        )

    def _function(self, index: int) -> PrepareError | None:
        """Analyse and instrument one body; the first limit that it breaks."""
        module, config = self._module, self._config
        signature = module.types[module.functions[index]]
        params = len(signature.params)
        if params > _or_unlimited(config.max_params_per_function):
            return PrepareError.TOO_MANY_PARAMS_PER_FUNCTION
        self._params_left -= params
        if self._params_left < 0:
            return PrepareError.TOO_MANY_PARAMS_PER_CONTRACT
        body = module.bodies[index]
        sizes = [op.VALUE_SIZES[letter] for letter in signature.params]
        for count, letter in body.locals:
            sizes += [op.VALUE_SIZES[letter]] * count
        text = module.code[body.code : body.end]
        result = walk(text, sizes, environment=self._environment)
        if not self._kind.canonical_nans and may_differ(text):
            result = result.replacing(differing(instructions(text, 0, len(text)), _declarations(module)))
        if result.operand_bytes > _or_unlimited(config.max_operand_stack_bytes_per_function):
            return PrepareError.OPERAND_STACK_TOO_LARGE
        if result.blocks > _or_unlimited(config.max_blocks_per_function):
            return PrepareError.TOO_MANY_BLOCKS_PER_FUNCTION
        self._blocks_left -= result.blocks
        if self._blocks_left < 0:
            return PrepareError.TOO_MANY_BLOCKS_PER_CONTRACT
        frame, slots = frame_bytes(sizes), len(sizes)
        if self._kind.rewrites_modules and slots + _INJECTED_LOCALS > MAX_LOCALS and self._compile_error is None:
            function = NEARCORE_IMPORTS + len(module.imports) + index
            self._compile_error = f"failed to compile: wasm[0]::function[{function}]"
        size = self._instrumenter.add(body, result, frame=frame, slots=slots, result=signature.result)
        if size > _MAX_ENGINE_BODY_BYTES or (result.floats and slots + _INJECTED_LOCALS > MAX_LOCALS):
            raise UnsupportedError(
                f"function {index} outgrows the engine when it is instrumented", what="function-size"
            )
        if self._length is not None:
            self._length.add(body, result, frame=frame, frame_operations=frame_operations(frame), slots=slots)
        return None


def _environment(module: Module, *, bulk_memory: bool) -> Environment:
    types = [(len(one.params), op.VALUE_SIZES[one.result] if one.result else 0) for one in module.types]
    functions = [types[index] for _, index in module.imports] + [types[index] for index in module.functions]
    sizes = [op.VALUE_SIZES[item.type] for item in module.globals or ()]
    return Environment(sizes, functions, types, len(module.imports), bulk_memory)


def _declarations(module: Module) -> Declarations:
    """What `floats` has to know of a body; locals do not matter to it."""
    functions = [module.types[one] for _, one in module.imports] + [module.types[one] for one in module.functions]
    return Declarations(module.types, functions, [item.type for item in module.globals or ()], ())


def _type_index(module: Module, function: int) -> int:
    imports = len(module.imports)
    return module.imports[function][1] if function < imports else module.functions[function - imports]


def _import(module: Module, name: bytes, type_index: int) -> Import:
    signature = module.types[type_index]
    return Import(name.decode(), signature.params, signature.result)


def _methods(module: Module) -> dict[str, bool]:
    methods = {}
    for one in module.exports:
        if one.kind == FUNCTION_KIND:
            signature = module.types[_type_index(module, one.item)]
            methods[one.name.decode()] = not signature.params and not signature.result
    return methods


def _context_bytes(module: Module) -> int:
    """What one instance of nearcore's module takes in its engine's context, as measured there."""
    imports = len(module.imports)
    escaping = {one.item for one in module.exports if one.kind == FUNCTION_KIND}
    for segment in module.elements:
        escaping.update(index for _, _, index in segment.functions)
        escaping.update(item.value for item in segment.items or () if item.opcode == op.REF_FUNC)
    escaping.update(item.init.value for item in module.globals or () if item.init.opcode == op.REF_FUNC)
    if module.start is not None:
        escaping.add(module.start)
    return (
        _CONTEXT_BYTES
        + _BYTES_PER_TABLE * len(module.table_sizes)
        + _BYTES_PER_GLOBAL * (len(module.globals or ()) + 2)
        + _BYTES_PER_IMPORT * (imports + NEARCORE_IMPORTS)
        + _BYTES_PER_ESCAPING_FUNCTION * sum(index >= imports for index in escaping)
    )


def _or_unlimited(limit: int | None) -> int:
    return _UNLIMITED if limit is None else limit
