"""What came of a function call. A contract that fails is a value here, never an exception.

The classes and texts are those of nearcore: texts are shown to users and stored nowhere, but whoever compares two
implementations reads them.

Mirrors nearcore: runtime/near-vm-runner/src/logic/errors.rs, runtime/runtime/src/conversions.rs
"""

from enum import Enum
from typing import Any, NamedTuple

from near_tee_cli.primitives.schema.outcome import GasProfile
from near_tee_cli.vm.prepared import PrepareError

_HOST_ERROR_TEXTS = {
    "BadUTF16": "String encoding is bad UTF-16 sequence.",
    "BadUTF8": "String encoding is bad UTF-8 sequence.",
    "GasExceeded": "Exceeded the prepaid gas.",
    "GasLimitExceeded": "Exceeded the maximum amount of gas allowed to burn per contract.",
    "BalanceExceeded": "Exceeded the account balance.",
    "EmptyMethodName": "Tried to call an empty method name.",
    "GuestPanic": "Smart contract panicked: {panic_msg}",
    "IntegerOverflow": "Integer overflow.",
    "InvalidPromiseIndex": "{promise_idx} does not correspond to existing promises",
    "CannotAppendActionToJointPromise": "Actions can only be appended to non-joint promise.",
    "CannotReturnJointPromise": "Returning joint promise is currently prohibited.",
    "CannotSetRefundToOnJointPromise": "Setting refund_to on a joint promise is prohibited.",
    "InvalidPromiseResultIndex": "Accessed invalid promise result index: {result_idx}",
    "InvalidRegisterId": "Accessed invalid register id: {register_id}",
    "MemoryAccessViolation": "Accessed memory outside the bounds.",
    "InvalidReceiptIndex": "VM Logic returned an invalid receipt index: {receipt_index}",
    "InvalidIteratorIndex": "Iterator index {iterator_index} does not exist",
    "InvalidActionIndex": "Action {action_index} in receipt {receipt_index} does not exist"
    " or has the wrong type of action.",
    "InvalidAccountId": "VM Logic returned an invalid account id",
    "InvalidMethodName": "VM Logic returned an invalid method name",
    "InvalidPublicKey": "VM Logic provided an invalid public key",
    "ProhibitedInView": "{method_name} is not allowed in view calls",
    "NumberOfLogsExceeded": "The number of logs will exceed the limit {limit}",
    "KeyLengthExceeded": "The length of a storage key {length} exceeds the limit {limit}",
    "ValueLengthExceeded": "The length of a storage value {length} exceeds the limit {limit}",
    "TotalLogLengthExceeded": "The length of a log message {length} exceeds the limit {limit}",
    "NumberPromisesExceeded": "The number of promises within a FunctionCall {number_of_promises}"
    " exceeds the limit {limit}",
    "NumberInputDataDependenciesExceeded": "The number of input data dependencies"
    " {number_of_input_data_dependencies} exceeds the limit {limit}",
    "ReturnedValueLengthExceeded": "The length of a returned value {length} exceeds the limit {limit}",
    "ContractSizeExceeded": "The size of a contract code in DeployContract action {size} exceeds the limit {limit}",
    "Deprecated": "Attempted to call deprecated host function {method_name}",
    "ECRecoverError": "ECDSA recover error: {msg}",
    "AltBn128InvalidInput": "AltBn128 invalid input: {msg}",
    "Ed25519VerifyInvalidInput": "ED25519 signature verification error: {msg}",
    "P256VerifyInvalidInput": "P256 signature verification error: {msg}",
    "BLS12381InvalidInput": "BLS12-381 invalid input: {msg}",
    "YieldPayloadLength": "Yield resume payload is {length} bytes which exceeds the {limit} byte limit",
    "DataIdMalformed": "yield resumption token is malformed",
    "YieldIdMalformed": "yield id is malformed",
    "RecordedStorageExceeded": "Size of the recorded trie storage proof has exceeded the allowed limit ({limit})",
    "ContractCodeHashMalformed": "contract code hash is malformed",
    "DataEntryAlreadyExists": "Data entry for given key already exists",
}


class HostError(NamedTuple):
    """A host function refused; `fields` are the particulars in nearcore's order."""

    variant: str
    fields: tuple[tuple[str, int | str], ...] = ()

    @property
    def text(self) -> str:
        """The sentence that nearcore shows."""
        template = _HOST_ERROR_TEXTS[self.variant]
        if self.variant == "RecordedStorageExceeded":
            return template.format(limit=_byte_size(int(self.fields[0][1])))
        return template.format(**dict(self.fields)) if self.fields else template


class WasmTrap(Enum):
    """The engine stopped the contract; the values are nearcore's sentences."""

    UNREACHABLE = "An `unreachable` opcode was executed."
    INCORRECT_CALL_INDIRECT_SIGNATURE = "Call indirect incorrect signature trap."
    MEMORY_OUT_OF_BOUNDS = "Memory out of bounds trap."
    CALL_INDIRECT_OOB = "Call indirect out of bounds trap."
    ILLEGAL_ARITHMETIC = "An arithmetic exception, e.g. divided by zero."
    MISALIGNED_ATOMIC_ACCESS = "Misaligned atomic access trap."
    INDIRECT_CALL_TO_NULL = "Indirect call to null."
    STACK_OVERFLOW = "Stack overflow."
    GENERIC_TRAP = "Generic trap."


class MethodResolveError(Enum):
    """There is no such method; the values are nearcore's names."""

    EMPTY_NAME = "MethodEmptyName"
    NOT_FOUND = "MethodNotFound"
    INVALID_SIGNATURE = "MethodInvalidSignature"


class CodeDoesNotExist(NamedTuple):
    """The account has no contract."""

    account_id: str


class PrepareFailure(NamedTuple):
    """The contract does not pass preparation."""

    error: PrepareError


class CompileError(NamedTuple):
    """The engine cannot compile the prepared contract."""

    msg: str


class LinkError(NamedTuple):
    """The contract imports something that is not there."""

    msg: str


class LoadingError(NamedTuple):
    """The engine cannot load what it compiled."""

    msg: str


class WasmUnknownError(NamedTuple):
    """The engine stopped for a reason that has no name."""

    msg: str


CompilationError = CodeDoesNotExist | PrepareFailure | CompileError
"""There is nothing that could be run."""

FunctionCallError = (
    CompilationError | LinkError | MethodResolveError | WasmTrap | HostError | LoadingError | WasmUnknownError
)
"""Why a function call failed."""

ReturnData = bytes | int | None
"""A value, the number of the receipt whose result counts, or nothing."""

NO_PROFILE = GasProfile((0,) * 26, (0,) * 88, 0)
"""The profile of a call that burnt nothing."""


class VMOutcome(NamedTuple):
    """What a function call left behind. If it `aborted`, only gas, profile, compute usage and logs count."""

    balance: int
    """yoctoNEAR of the account, attached deposit included, after deductions."""
    storage_usage: int
    """Bytes that the account uses."""
    return_data: ReturnData
    burnt_gas: int
    used_gas: int
    """Burnt gas and the gas attached to what was sent."""
    compute_usage: int
    logs: tuple[str, ...]
    profile: GasProfile
    aborted: FunctionCallError | None
    subsidized_amount: int
    """yoctoNEAR that was attached to calls without being taken from the account."""


def nop_outcome(error: FunctionCallError) -> VMOutcome:
    """The outcome of a call that failed before anything was charged."""
    return VMOutcome(0, 0, None, 0, 0, 0, (), NO_PROFILE, error, 0)


def error_text(error: FunctionCallError) -> str:
    """The sentence that the chain reports for `error` where it reports a sentence."""
    if isinstance(error, HostError):
        return error.text
    if isinstance(error, WasmTrap):
        return f"WebAssembly trap: {error.value}"
    if isinstance(error, LinkError):
        return f"Link Error: {error.msg}"
    if isinstance(error, LoadingError):
        return f"Loading Error: {error.msg}"
    if isinstance(error, WasmUnknownError):
        return error.msg
    if isinstance(error, MethodResolveError):
        return error.value
    if isinstance(error, CodeDoesNotExist):
        return f"cannot find contract code for account {error.account_id}"
    if isinstance(error, PrepareFailure):
        return f"PrepareError: {error.error.variant}"
    return f"Wasmtime compilation error: {error.msg}"


def function_call_error_json(error: FunctionCallError) -> dict[str, Any]:
    """The chain-level form, what stands under `FunctionCallError` in a status.

    Everything that happened after loading collapses into one sentence; of the rest the kind stays visible.
    """
    if isinstance(error, MethodResolveError):
        return {"MethodResolveError": error.value}
    if isinstance(error, CodeDoesNotExist):
        return {"CompilationError": {"CodeDoesNotExist": {"account_id": error.account_id}}}
    if isinstance(error, PrepareFailure):
        return {"CompilationError": {"PrepareError": error.error.variant}}
    if isinstance(error, CompileError):
        return {"CompilationError": {"WasmerCompileError": {"msg": error.msg}}}
    return {"ExecutionError": error_text(error)}


def _byte_size(count: int) -> str:
    """Decimal units with one digit after the point, as nearcore's library prints sizes."""
    if count < 1000:
        return f"{count} B"
    exponent = 0
    while 1000 ** (exponent + 1) <= count:
        exponent += 1
    return f"{count / 1000**exponent:.1f} {'KMGTPE'[exponent - 1]}B"
