"""Logs and panics, and the strings that they are made of.

A string has a length, or, if the length is the largest u64, ends with a NUL that is looked for unit by unit, each
unit charged as a read of its own. What one call may log is bounded in sum, and the bound applies to strings
before they are logged.

Mirrors nearcore: runtime/near-vm-runner/src/wasmtime_runner/logic.rs
"""

from typing import NoReturn

from near_tee_cli.params.costs import ExtCost
from near_tee_cli.vm.failure import U64_MAX, HostFailure, failure
from near_tee_cli.vm.logic import Logic

_UTF8_BASE = ExtCost.UTF8_DECODING_BASE.value
_UTF8_BYTE = ExtCost.UTF8_DECODING_BYTE.value
_UTF16_BASE = ExtCost.UTF16_DECODING_BASE.value
_UTF16_BYTE = ExtCost.UTF16_DECODING_BYTE.value
_LOG_BASE = ExtCost.LOG_BASE.value
_LOG_BYTE = ExtCost.LOG_BYTE.value

_LENGTH_PREFIX = 4
"""Bytes before an AssemblyScript string that say how long it is."""


def panic(_logic: Logic) -> NoReturn:
    """End the call without saying why."""
    raise failure("GuestPanic", panic_msg="explicit guest panic")


def panic_utf8(logic: Logic, length: int, ptr: int) -> NoReturn:
    """End the call with a message."""
    raise failure("GuestPanic", panic_msg=_take_utf8(logic, length, ptr))


def log_utf8(logic: Logic, length: int, ptr: int) -> None:
    """Log UTF-8."""
    _check_count(logic)
    message = _take_utf8(logic, length, ptr)
    size = len(message.encode())
    logic.gas.pay_both(_LOG_BASE, _LOG_BYTE, size)
    _push(logic, message, size)


def log_utf16(logic: Logic, length: int, ptr: int) -> None:
    """Log UTF-16, charged by what it is in UTF-8."""
    _check_count(logic)
    message = _take_utf16(logic, length, ptr)
    size = len(message.encode())
    logic.gas.pay_both(_LOG_BASE, _LOG_BYTE, size)
    _push(logic, message, size)


def abort(logic: Logic, msg_ptr: int, filename_ptr: int, line: int, col: int) -> NoReturn:
    """End the call as AssemblyScript does: with a message, a file, a line and a column, which are logged too."""
    if msg_ptr < _LENGTH_PREFIX or filename_ptr < _LENGTH_PREFIX:
        raise failure("BadUTF16")
    _check_count(logic)
    msg_len = logic.memory.read_u32(msg_ptr - _LENGTH_PREFIX)
    filename_len = logic.memory.read_u32(filename_ptr - _LENGTH_PREFIX)
    msg = _take_utf16(logic, msg_len, msg_ptr)
    filename = _take_utf16(logic, filename_len, filename_ptr)
    message = f'{msg}, filename: "{filename}" line: {line} col: {col}'
    size = len(message.encode())
    logic.gas.pay_both(_LOG_BASE, _LOG_BYTE, size)
    _push(logic, f"ABORT: {message}", size + len("ABORT: "))
    raise failure("GuestPanic", panic_msg=message)


def _check_count(logic: Logic) -> None:
    if len(logic.logs) >= logic.vm.max_number_logs:
        raise failure("NumberOfLogsExceeded", limit=logic.vm.max_number_logs)


def _push(logic: Logic, message: str, size: int) -> None:
    logic.log_length += size
    if logic.log_length > logic.vm.max_total_log_length:
        # NOTE: the total has grown already, so the length reported counts the message twice.
        raise _too_long(logic, size)
    logic.logs.append(message)


def _too_long(logic: Logic, length: int) -> HostFailure:
    total = min(logic.log_length + length, U64_MAX)
    return failure("TotalLogLengthExceeded", length=total, limit=logic.vm.max_total_log_length)


def _available(logic: Logic) -> int:
    return max(logic.vm.max_total_log_length - logic.log_length, 0)


def _take_utf8(logic: Logic, length: int, pointer: int) -> str:
    gas = logic.gas
    gas.pay(_UTF8_BASE)
    available = _available(logic)
    if length == U64_MAX:
        raw = _take_until_nul(logic, pointer, available)
    elif length > available:
        raise _too_long(logic, length)
    else:
        raw = logic.memory.read(pointer, length)
    gas.pay_per(_UTF8_BYTE, len(raw))
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise failure("BadUTF8") from None


def _take_until_nul(logic: Logic, pointer: int, available: int) -> bytes:
    """The bytes before the NUL, of which there may be `available`."""
    memory = logic.memory
    found = memory.peek_up_to(pointer, available + 1)
    length = found.find(0)
    if length >= 0:
        memory.pay_reads(width=1, count=length + 1)
        return found[:length]
    memory.pay_reads(width=1, count=len(found))
    if len(found) <= available:
        memory.read(pointer + len(found), 1)
    raise _too_long(logic, available + 1)


def _take_utf16(logic: Logic, length: int, pointer: int) -> str:
    gas = logic.gas
    gas.pay(_UTF16_BASE)
    available = _available(logic)
    if length == U64_MAX:
        raw = _take_until_nul_unit(logic, pointer, available)
    else:
        raw = logic.memory.read(pointer, length)
    if len(raw) % 2:
        raise failure("BadUTF16")
    if len(raw) > available:
        raise _too_long(logic, len(raw))
    gas.pay_per(_UTF16_BYTE, len(raw))
    try:
        return raw.decode("utf-16-le")
    except UnicodeDecodeError:
        raise failure("BadUTF16") from None


def _take_until_nul_unit(logic: Logic, pointer: int, available: int) -> bytes:
    """The bytes before the zero unit, of which there may be `available`."""
    memory = logic.memory
    most = available // 2 + 1
    found = memory.peek_up_to(pointer, 2 * most)
    length = found.find(b"\0\0")
    while length > 0 and length % 2 == 1:
        length = found.find(b"\0\0", length + 1)
    if length >= 0:
        memory.pay_reads(width=2, count=length // 2 + 1)
        return found[:length]
    memory.pay_reads(width=2, count=len(found) // 2)
    if len(found) // 2 < most:
        memory.read(pointer + len(found) // 2 * 2, 2)
    raise _too_long(logic, 2 * most)
