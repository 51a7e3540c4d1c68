"""Contracts brought as far as possible before anybody calls them: prepared, compiled, linked, and kept.

Doing this is free and decides nothing but which error waits for the caller. Errors come in two kinds, because the
loading fee is charged between them: those that leave nothing to load, and those that loading meets.

Mirrors nearcore: runtime/near-vm-runner/src/wasmtime_runner/mod.rs
"""

from typing import NamedTuple

from near_tee_cli.errors import BadInputError
from near_tee_cli.params.config import VMConfig
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.vm.artifact import CodeCache, artifact_name, decode, encode
from near_tee_cli.vm.engine import CompileError as EngineCompileError
from near_tee_cli.vm.engine import Engine, Linker, Module
from near_tee_cli.vm.engine_instance import LinkedModule
from near_tee_cli.vm.kinds import kind_of
from near_tee_cli.vm.links import LinkCheck
from near_tee_cli.vm.outcome import CompilationError, CompileError, LinkError, LoadingError, PrepareFailure
from near_tee_cli.vm.prepare import prepare
from near_tee_cli.vm.prepared import MAX_CONTEXT_BYTES, Prepared, PrepareError

MAX_CONTRACTS = 256
"""Contracts that stay compiled in memory; beyond it the one that was called longest ago goes."""

TOO_LARGE = LoadingError("module instance size does not fit in pooling allocator requirements")


class Contract(NamedTuple):
    """A contract under one configuration."""

    linked: LinkedModule | None
    """What instances are made of; `None` if there is an error."""
    methods: dict[str, bool]
    """As in `Prepared`; known of a contract that cannot be linked, too."""
    has_start: bool
    not_compiled: CompilationError | None
    """Why there is nothing to load."""
    not_loaded: LinkError | LoadingError | None
    """Why what there is cannot be loaded."""


class Contracts:
    """Every contract that was called, under one engine."""

    __slots__ = ("_cache", "_engine", "_fingerprint", "_kept")

    def __init__(self, engine: Engine, cache: CodeCache | None) -> None:
        """`cache` keeps compiled contracts beyond this process."""
        self._engine = engine
        self._cache = cache
        self._fingerprint = engine.fingerprint()
        self._kept: dict[tuple[bytes, Linker], Contract] = {}

    def find(
        self,
        code: bytes,
        code_hash: bytes,
        *,
        config: VMConfig,
        config_digest: bytes,
        linker: Linker,
        types: dict[str, tuple[str, str]],
    ) -> Contract:
        """The contract `code` with SHA-256 `code_hash`, linked to host functions of these types.

        `linker` and `types` go with `config`; `config_digest` names it in the cache.
        Raises `HostError` or `CompileError` of the engine when this machine cannot compile what the chain can.
        """
        key = (code_hash, linker)
        contract = self._kept.pop(key, None)
        if contract is None:
            name = artifact_name(code_hash, config_digest=config_digest, engine=self._fingerprint)
            prepared, module = self._loaded(name) or self._compiled(name, code, code_hash, config)
            check = kind_of(config).link_check
            contract = _linked(prepared, module, linker=linker, types=types, link_check=check)
            if len(self._kept) >= MAX_CONTRACTS:
                oldest = self._kept.pop(next(iter(self._kept)))
                if oldest.linked is not None:
                    oldest.linked.close()
        self._kept[key] = contract  # NOTE: the order of the dictionary is the order of last use
        return contract

    def _loaded(self, name: bytes) -> tuple[Prepared | PrepareError, Module | None] | None:
        data = None if self._cache is None else self._cache.load(name)
        if data is None:
            return None
        try:
            artifact = decode(data)
            if artifact.code_offset == len(data):
                return artifact.prepared, None
            return artifact.prepared, self._engine.load(data, artifact.code_offset)
        except (BadInputError, EngineCompileError):
            return None

    def _compiled(
        self, name: bytes, code: bytes, code_hash: bytes, config: VMConfig
    ) -> tuple[Prepared | PrepareError, Module | None]:
        validate = self._engine.validator(bulk_memory=kind_of(config).bulk_memory)
        prepared = prepare(code, config, validate=validate)
        module = None
        if (
            isinstance(prepared, Prepared)
            and prepared.compile_error is None
            and prepared.context_bytes <= MAX_CONTEXT_BYTES
        ):
            module = self._engine.compile(prepared.wasm)
        if self._cache is not None and sha256(code) == code_hash:
            # NOTE: what is kept under a hash is loaded for whoever has code of that hash
            self._cache.store(name, encode(prepared, b"" if module is None else module.serialize()))
        return prepared, module


def _linked(
    prepared: Prepared | PrepareError,
    module: Module | None,
    *,
    linker: Linker,
    types: dict[str, tuple[str, str]],
    link_check: LinkCheck,
) -> Contract:
    if isinstance(prepared, PrepareError):
        return _not_compiled(PrepareFailure(prepared))
    if prepared.compile_error is not None:
        return _not_compiled(CompileError(prepared.compile_error))
    if module is None:
        return Contract(None, {}, has_start=False, not_compiled=None, not_loaded=TOO_LARGE)
    error = link_check(prepared.imports, types)
    if error is not None:
        module.close()
        return Contract(None, prepared.methods, has_start=False, not_compiled=None, not_loaded=error)
    return Contract(linker.link(module), prepared.methods, prepared.has_start, not_compiled=None, not_loaded=None)


def _not_compiled(error: CompilationError) -> Contract:
    return Contract(None, {}, has_start=False, not_compiled=error, not_loaded=None)
