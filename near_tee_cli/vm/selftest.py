"""Whether the installed engine does on this machine what executing contracts relies on.

Every assumption about the library that is not checked when it is loaded is checked here by using it, with each
compiler that this machine has: how traps are reported, what NaN looks like, how memory grows, what a host function
gets and gives, how deep the stack is, that what is stored can be loaded, and how much gas known contracts burn.
`near-tee doctor` shows the findings; the tests ask for them with every supported version of the library.
"""

import ctypes
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from near_tee_cli.errors import HostError, NearTeeError
from near_tee_cli.params.config import VMConfig
from near_tee_cli.params.costs import ExtCost
from near_tee_cli.vm.engine import MAX_WASM_STACK, Engine, HostFunction, available_compilers
from near_tee_cli.vm.engine_api import library
from near_tee_cli.vm.engine_instance import Instance, Limits, LinkedModule, Trap
from near_tee_cli.vm.engine_thread import STACK_BYTES, on_contract_thread
from near_tee_cli.vm.prepare import prepare
from near_tee_cli.vm.prepared import Prepared

PROBE = bytes.fromhex(
    "0061736d01000000010f036000006000017f60027e7e027e7e020d0103656e760570726f62650002030d0c000000000000000000"
    "0000000404017000020506010180088010060b027e0142000b7e0142000b07e0010e066d656d6f727902000d72656d61696e696e"
    "675f67617303000965786861757374656403010863616c6c6261636b00020b756e726561636861626c650003146d656d6f727920"
    "6f7574206f6620626f756e64730004137461626c65206f7574206f6620626f756e6473000515696e6469726563742063616c6c20"
    "746f206e756c6c000626696e6469726563742063616c6c2077697468207468652077726f6e67207369676e617475726500071269"
    "6c6c6567616c2061726974686d657469630008036e616e00090467726f77000a0464656570000b07656e646c657373000c090701"
    "0041000b01010ab6010c02000b1501017e427d2300100024002100410020003703000b0300000b0800417f2802001a0b07004102"
    "1100000b070041011100000b080041001101001a0b0b00410141002802006e1a0b2800410041002a020091380200410841082b03"
    "0041082b0300a0390300411041102b03009a3903000b1500410041800840003602004104410140003602000b2501027e23005004"
    "400f0b230042017d240023002100200020007c2101100b200020017c1a0b0400100c0b"
)
"""A prepared module with one export for each check."""

_EMPTY = "0061736d0100000001040160000003020100070801046d61696e00000a"

KNOWN_GAS = (
    ("an empty method", _EMPTY + "040102000b", 79_064_041),
    ("a trap", _EMPTY + "05010300000b", 80_976_092),
    ("a division by zero", _EMPTY + "0a010800410141006d0f0b", 88_068_079),
    ("a recursion without end", _EMPTY + "0601040010000b000b046e616d65010401000166", 30_418_898_602),
    (
        "growing by ten pages",
        "0061736d010000000104016000000302010005050101018001070801046d61696e00000a09010700410a40001a0b",
        128_336_845,
    ),
    ("a positive NaN", _EMPTY + "1a0118004100430000803f43000080bf919843000000005e6e1a0b", 110_433_335),
)
"""Contracts and the gas that calling `main` burns, as nearcore's own tests expect it."""

INVALID = (
    ("a function with two results", "0061736d010000000106016000027f7f"),
    ("an externref", "0061736d0100000001050160016f00"),
    ("SIMD", "0061736d0100000001050160017f00030201000a090107002000fd111a0b"),
    ("a 64-bit memory", "0061736d010000000503010401"),
    ("a shared memory", "0061736d01000000050401030101"),
    ("two memories", "0061736d0100000005050200010001"),
    ("a tail call", "0061736d01000000010401600000030201000a0601040012000b"),
    ("a tag", "0061736d010000000104016000000d03010000"),
    ("a structure", "0061736d010000000103015f00"),
)
"""Modules that are valid elsewhere and must not be here."""

_LIMITS = Limits(memory_bytes=128 << 20, table_elements=10_000, tables=1)
_PREPAID = 10**14
_GAS = b"remaining_gas"


class Finding(NamedTuple):
    """The result of one check."""

    compiler: str | None
    """`None` if the check does not depend on it."""
    check: str
    passed: bool
    detail: str
    """What was found, for people."""


class _FailedError(Exception):
    """A check found something else than it expected."""


def findings(config: VMConfig) -> tuple[Finding, ...]:
    """Every check with its result; `config` supplies the prices for the known contracts. Never raises."""
    found = [_finding(None, "library", _library)]
    if not found[0].passed:
        return tuple(found)
    found.append(_finding(None, "thread", _thread))
    found.append(_finding(None, "validation", _validation))
    for compiler in available_compilers(library().architecture):
        checks: tuple[tuple[str, Callable[[Engine], str]], ...] = (
            ("host functions", _host_functions),
            ("traps", _traps),
            ("NaN", _nan),
            ("memory", _memory),
            ("stack", _stack),
            ("stored code", _stored_code),
            ("known gas", partial(_known_gas, config=config)),
        )
        for name, check in checks:
            found.append(_finding(compiler, name, partial(_with_engine, check, compiler)))
    return tuple(found)


def _with_engine(check: Callable[[Engine], str], compiler: str) -> str:
    return check(Engine(compiler))


def _finding(compiler: str | None, check: str, examine: Callable[[], str]) -> Finding:
    try:
        return Finding(compiler, check, passed=True, detail=examine())
    except NearTeeError as error:
        return Finding(compiler, check, passed=False, detail=error.message)
    except _FailedError as failure:
        return Finding(compiler, check, passed=False, detail=str(failure))


def _require(condition: bool, what: str) -> None:  # noqa: FBT001 - it reads as a sentence
    if not condition:
        raise _FailedError(what)


# Without a compiler --------------------------------------------------------------------------------------------


def _library() -> str:
    found = library()
    compilers = ", ".join(available_compilers(found.architecture))
    return f"wasmtime {found.version} for {found.architecture}: {compilers}"


def _thread() -> str:
    try:
        on_contract_thread(_fail)
    except _FailedError:
        return f"{STACK_BYTES >> 20} MiB of stack"
    raise _FailedError("an exception on the contract thread was lost")


def _fail() -> None:
    raise _FailedError("expected")


def _validation() -> str:
    engine = Engine()
    _require(engine.validate(bytes.fromhex(KNOWN_GAS[0][1])), "a valid module is refused")
    for what, wasm in INVALID:
        _require(not engine.validate(bytes.fromhex(wasm)), f"{what} passes as valid")
    return f"{len(INVALID)} features of others are refused"


# With each compiler --------------------------------------------------------------------------------------------


def _host_functions(engine: Engine) -> str:
    seen: list[tuple[int, int]] = []

    def probe(_env: object, _caller: object, address: int) -> int:
        slots = memoryview((ctypes.c_uint64 * 4).from_address(address)).cast("B").cast("Q")
        seen.append((slots[0], slots[2]))
        slots[0], slots[2] = 2**64 - 9, slots[2] - 1
        return 0 if len(seen) == 1 else engine.new_trap()

    instance = _instance(_linked(engine, probe))
    instance.write_global(_GAS, 2**63 + 5)
    _require(_called(instance, "callback") is None, "a host function that returns ends the call")
    _require(seen == [(2**64 - 3, 2**63 + 5)], f"a host function gets {seen}")
    _require(_word(instance, 0) == 2**64 - 9, "the result of a host function is lost")
    _require(instance.read_global(_GAS) == 2**63 + 4, "the gas that a host function gives back is lost")
    _require(_called(instance, "callback") is Trap.HOST, "a host function that traps does not end the call")
    instance.close()
    return "arguments, results, gas and failures"


def _traps(engine: Engine) -> str:
    instance = _instance(_linked(engine))
    expected = {trap.value: trap for trap in Trap if trap is not Trap.HOST}
    expected["table out of bounds"] = Trap.MEMORY_OUT_OF_BOUNDS
    for name, trap in expected.items():
        found = _called(instance, name)
        _require(found is trap, f"{name} is reported as {'nothing' if found is None else found.value}")
    instance.close()
    return f"{len(expected)} kinds"


def _nan(engine: Engine) -> str:
    instance = _instance(_linked(engine))
    ctypes.memmove(instance.memory_base, bytes.fromhex("000080bf"), 4)
    for offset in (8, 16):
        ctypes.memmove(instance.memory_base + offset, bytes.fromhex("4523010000 00f87f"), 8)
    _require(_called(instance, "nan") is None, "arithmetic with NaN traps")
    _require(_word(instance, 0) == 0x7FC0_0000, "the root of -1 is another NaN")
    _require(_word(instance, 8) == 0x7FF8 << 48, "a sum of NaN keeps its payload")
    _require(_word(instance, 16) == 0xFFF8_0000_0001_2345, "negation changes the payload of NaN")
    instance.close()
    return "one canonical form"


def _memory(engine: Engine) -> str:
    instance = _instance(_linked(engine))
    base, before = instance.memory_base, instance.memory_size()
    _require(_called(instance, "grow") is None, "growing memory traps")
    _require(_word(instance, 0) == 1024 | 0xFFFF_FFFF << 32, "memory grows otherwise than its limit says")
    _require((before, instance.memory_size()) == (64 << 20, 128 << 20), "the size of the memory is another")
    ctypes.memset(base + (128 << 20) - 1, 1, 1)
    instance.close()
    return "grows in place up to 128 MiB"


def _stack(engine: Engine) -> str:
    instance = _instance(_linked(engine))
    frames = MAX_WASM_STACK // 256
    instance.write_global(_GAS, frames)
    _require(_called(instance, "deep") is None, "a deep recursion traps")
    _require(instance.read_global(_GAS) == 0, "a deep recursion ends early")
    try:
        _called(instance, "endless")
    except HostError as error:
        _require(error.code == "host-stack", f"an endless recursion is reported as {error.message}")
    else:
        raise _FailedError("an endless recursion is not reported")
    instance.close()
    return f"{frames} frames and an end"


def _stored_code(engine: Engine) -> str:
    native = engine.compile(PROBE).serialize()
    instance = _instance(_linked(engine, module=native))
    _require(_called(instance, "unreachable") is Trap.UNREACHABLE, "loaded code does something else")
    instance.close()
    return f"{len(native)} bytes loaded"


def _known_gas(engine: Engine, *, config: VMConfig) -> str:
    base = config.ext_costs[ExtCost.CONTRACT_LOADING_BASE].gas
    byte = config.ext_costs[ExtCost.CONTRACT_LOADING_BYTES].gas
    for what, text, gas in KNOWN_GAS:
        wasm = bytes.fromhex(text)
        prepared = prepare(wasm, config, validate=engine.validate)
        if not isinstance(prepared, Prepared):
            raise _FailedError(f"{what} is refused: {prepared.variant}")
        instance = _instance(engine.linker([]).link(engine.compile(prepared.wasm)))
        instance.write_global(_GAS, _PREPAID)
        _called(instance, "\0main")
        burnt = base + byte * len(wasm) + _PREPAID - instance.read_global(_GAS)
        _require(burnt == gas, f"{what} burns {burnt} gas, not {gas}")
        instance.close()
    return f"{len(KNOWN_GAS)} contracts"


def _linked(
    engine: Engine,
    probe: Callable[[object, object, int], int] = lambda _env, _caller, _address: 0,
    *,
    module: bytes | None = None,
) -> LinkedModule:
    compiled = engine.compile(PROBE) if module is None else engine.load(module)
    return engine.linker([HostFunction("env", "probe", "qq", "qq", probe)]).link(compiled)


def _instance(linked: LinkedModule) -> Instance:
    instance = linked.instantiate(_LIMITS)
    if isinstance(instance, Trap):
        raise _FailedError(f"a module cannot be instantiated: {instance.value}")
    return instance


def _called(instance: Instance, name: str) -> Trap | None:
    return on_contract_thread(lambda: instance.call(name.encode()))


def _word(instance: Instance, offset: int) -> int:
    return int.from_bytes(ctypes.string_at(instance.memory_base + offset, 8), "little")
