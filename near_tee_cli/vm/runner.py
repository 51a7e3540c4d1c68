"""One function call from code and context to outcome.

The order of events is consensus: it decides which error is seen and how much gas it has burnt. A method is looked
up before anything of the contract runs, and not before the loading fee was charged.

The gas that wasm may still burn travels in a global of the instance. It is set before each call into wasm and read
back afterwards, however the call ended, except when a host function ended it: then the counter is ahead of the
global. Wasm cannot burn more than the global says, so reading it back never fails, and that is all that is left
here of nearcore's rule that a gas failure replaces a trap.

Mirrors nearcore: runtime/near-vm-runner/src/wasmtime_runner/mod.rs,
runtime/near-vm-runner/src/logic/gas_counter.rs
"""

from near_tee_cli.errors import NearTeeError
from near_tee_cli.params.config import RuntimeConfig, VMConfig
from near_tee_cli.vm.artifact import CodeCache
from near_tee_cli.vm.context import VMContext
from near_tee_cli.vm.contracts import Contract, Contracts
from near_tee_cli.vm.engine import Engine, HostFunction
from near_tee_cli.vm.engine_instance import Instance, Limits, LinkedModule, Trap
from near_tee_cli.vm.engine_thread import on_contract_thread
from near_tee_cli.vm.external import External
from near_tee_cli.vm.failure import U64_MAX, HostFailure
from near_tee_cli.vm.host.link import Fail, link
from near_tee_cli.vm.host.table import TABLE
from near_tee_cli.vm.kinds import kind_of
from near_tee_cli.vm.logic import Logic
from near_tee_cli.vm.outcome import (
    CodeDoesNotExist,
    FunctionCallError,
    HostError,
    LoadingError,
    MethodResolveError,
    VMOutcome,
    WasmTrap,
    nop_outcome,
)
from near_tee_cli.vm.prepared import (
    EXHAUSTED_EXPORT,
    REMAINING_GAS_EXPORT,
    STACK_EXHAUSTED,
    START_EXPORT,
    export_name,
)

_PAGE_BYTES = 65_536
_DEFAULT_TABLES = 1
_DEFAULT_TABLE_ELEMENTS = 10_000

_GAS = REMAINING_GAS_EXPORT.encode()
_EXHAUSTED = EXHAUSTED_EXPORT.encode()
_START = START_EXPORT.encode()
_GAS_EXCEEDED = HostError("GasExceeded")

_WASM_TRAPS = {
    Trap.MEMORY_OUT_OF_BOUNDS: WasmTrap.MEMORY_OUT_OF_BOUNDS,
    Trap.INDIRECT_CALL_TO_NULL: WasmTrap.INDIRECT_CALL_TO_NULL,
    Trap.BAD_SIGNATURE: WasmTrap.INCORRECT_CALL_INDIRECT_SIGNATURE,
    Trap.ILLEGAL_ARITHMETIC: WasmTrap.ILLEGAL_ARITHMETIC,
    Trap.UNREACHABLE: WasmTrap.UNREACHABLE,
}


class Host:
    """The host functions of one configuration over the one state that they work on."""

    __slots__ = ("config", "kind", "limits", "linker", "logic", "problem", "types")

    def __init__(self, engine: Engine, config: RuntimeConfig) -> None:
        self.config = config
        self.kind = kind_of(config.vm)
        self.logic = Logic(config)
        self.limits = _limits(config.vm)
        self.problem: BaseException | None = None
        """What ended the last call from inside a host function."""
        entries = [entry for entry in TABLE if entry.enabled(config.vm)]
        self.types = {entry.name: (entry.params, entry.result) for entry in entries}
        functions = link(self.logic, entries, fail=self._failer(engine))
        self.linker = engine.linker(HostFunction("env", *function) for function in functions)

    def _failer(self, engine: Engine) -> Fail:
        new_trap = engine.new_trap

        def fail(problem: BaseException) -> int:
            self.problem = problem
            return new_trap()

        return fail


class VirtualMachine:
    """Runs function calls one after another; compiled contracts and linked host functions stay for the next."""

    def __init__(self, engine: Engine, cache: CodeCache | None = None) -> None:
        """`cache` keeps compiled contracts beyond this process."""
        self._engine = engine
        self._contracts = Contracts(engine, cache)
        self._hosts: dict[int, Host] = {}

    def run(
        self,
        code: bytes | None,
        code_hash: bytes,
        *,
        method: str,
        context: VMContext,
        external: External,
        config: RuntimeConfig,
    ) -> VMOutcome:
        """Call `method` of the contract `code`, whose SHA-256 is `code_hash`; `None` means there is no code.

        What the contract does wrong is in the outcome. Raises `HostError` when this machine cannot run it, and
        whatever `external` raises.
        """
        if code is None:
            return nop_outcome(CodeDoesNotExist(context.current_account_id))
        wasm = code

        def call() -> VMOutcome:
            host = self._host(config)
            contract = self._found(host, wasm, code_hash)
            return _run(host, contract, method, length=len(wasm), context=context, external=external)

        return on_contract_thread(call)

    def make_ready(self, code: bytes, code_hash: bytes, *, config: RuntimeConfig) -> None:
        """Prepare, compile and link a contract for calls to come. Nothing of it runs. Raises `HostError` as `run`."""
        on_contract_thread(lambda: self._found(self._host(config), code, code_hash))

    def _found(self, host: Host, code: bytes, code_hash: bytes) -> Contract:
        config = host.config
        return self._contracts.find(
            code, code_hash, config=config.vm, config_digest=config.digest, linker=host.linker, types=host.types
        )

    def _host(self, config: RuntimeConfig) -> Host:
        host = self._hosts.get(id(config))  # NOTE: the host keeps `config`, so nobody else gets its identity
        if host is None:
            host = self._hosts[id(config)] = Host(self._engine, config)
        return host


def _run(
    host: Host, contract: Contract, method: str, *, length: int, context: VMContext, external: External
) -> VMOutcome:
    """The call as far as it gets; `length` is that of the contract as it was deployed."""
    logic = host.logic
    fee_first = logic.vm.fix_contract_loading_cost
    if isinstance(contract.not_loaded, LoadingError) and not logic.vm.fix_contract_loading_error:
        return nop_outcome(contract.not_loaded)
    logic.begin(context, external)
    if not method:
        return logic.outcome(MethodResolveError.EMPTY_NAME)
    if fee_first and not _pay_loading(logic, length):
        return logic.outcome(_GAS_EXCEEDED)
    if contract.not_compiled is not None:
        return logic.outcome(contract.not_compiled)
    if not fee_first and not _pay_loading(logic, length):
        return logic.outcome(_GAS_EXCEEDED)
    if contract.linked is None and host.kind.links_first:
        return logic.outcome(contract.not_loaded)
    fits = contract.methods.get(method)
    if not fits:
        error = MethodResolveError.NOT_FOUND if fits is None else MethodResolveError.INVALID_SIGNATURE
        return logic.outcome(error) if fee_first else nop_outcome(error)
    if contract.linked is None:
        return logic.outcome(contract.not_loaded)
    return _execute(host, contract.linked, method, has_start=contract.has_start)


def _pay_loading(logic: Logic, length: int) -> bool:
    """Charge for loading `length` bytes of contract; whether there was enough gas."""
    try:
        logic.gas.pay_loading(length)
    except HostFailure:
        return False
    return True


def _execute(host: Host, linked: LinkedModule, method: str, *, has_start: bool) -> VMOutcome:
    """Instantiate, run the start function if there is one, then the method."""
    logic = host.logic
    instance = linked.instantiate(host.limits)
    if isinstance(instance, Trap):
        return logic.outcome(_WASM_TRAPS[instance])
    try:
        logic.memory.attach(instance.memory_base, instance.memory_size)
        error = _call(host, instance, _START) if has_start else None
        if error is None:
            error = _call(host, instance, export_name(method.encode()))
        return logic.outcome(error)
    finally:
        logic.memory.detach()
        instance.close()


def _call(host: Host, instance: Instance, name: bytes) -> FunctionCallError | None:
    """Call one export and settle its gas; how it failed, if it did."""
    gas = host.logic.gas
    instance.write_global(_GAS, gas.remaining)
    trap = instance.call(name)
    if trap is Trap.HOST:
        problem, host.problem = host.problem, None
        if isinstance(problem, HostFailure):
            return problem.error
        raise problem if problem is not None else NearTeeError("a host function ended the call without a reason")
    gas.remaining = instance.read_global(_GAS)
    if trap is None:
        return None
    if trap is Trap.UNREACHABLE:
        exhausted = instance.read_global(_EXHAUSTED)
        if exhausted:
            return _exhaustion(host, exhausted)
    return _WASM_TRAPS[trap]


def _exhaustion(host: Host, exhausted: int) -> FunctionCallError:
    """What the instrumentation stopped for, charged as far as that goes."""
    if exhausted == STACK_EXHAUSTED & U64_MAX:
        return host.kind.stack_overflow
    gas = host.logic.gas
    if exhausted < gas.remaining or (exhausted == gas.remaining and host.kind.last_gas_is_spent):
        raise NearTeeError("the instrumentation refused a charge that there is gas for")
    try:
        gas.exhaust(exhausted)
    except HostFailure as failure:
        return failure.error


def _limits(config: VMConfig) -> Limits:
    tables, elements = config.max_tables_per_contract, config.max_elements_per_contract_table
    return Limits(
        memory_bytes=config.max_memory_pages * _PAGE_BYTES,
        table_elements=_DEFAULT_TABLE_ELEMENTS if elements is None else elements,
        tables=_DEFAULT_TABLES if tables is None else tables,
    )
