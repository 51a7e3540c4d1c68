"""The host functions that generated modules import, written plainly for the plain interpreter.

Charges follow the protocol's order; state is one object per call. Only what the generator uses is here.
"""

import hashlib

from near_tee_cli.params.config import VMConfig
from near_tee_cli.params.costs import ExtCost
from tests.support.wasm_interpreter import Machine
from tests.support.wasm_numeric import I64, MASK

HEIGHT = 123_456_789
STORAGE_USAGE = 4_321
INPUT = b"plain input of a generated call"
REGISTER = MASK[I64]
"""The length that means: read from a register."""


class HostFailure(Exception):
    """A host function refuses; `text` is what the chain shows."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class PlainHost:
    """Registers, logs and result of one call; `functions()` is what the interpreter links."""

    def __init__(self, config: VMConfig, *, prepaid: int) -> None:
        self.config, self.prepaid = config, prepaid
        self.registers: dict[int, bytes] = {}
        self.logs: list[str] = []
        self.log_bytes = 0
        self.result: bytes | None = None

    def functions(self):  # type: ignore[no-untyped-def]
        names = ("block_index", "prepaid_gas", "used_gas", "storage_usage", "gas", "panic", "input", "register_len",
                 "read_register", "write_register", "sha256", "log_utf8", "value_return")  # fmt: skip
        return {name: getattr(self, f"_{name}") for name in names}

    def pay(self, machine: Machine, cost: ExtCost, count: int = 1) -> None:
        amount = self.config.ext_costs[cost].gas * count
        if machine.gas + amount >= 1 << 64:
            raise HostFailure("Integer overflow.")
        machine.charge(amount)

    def base(self, machine: Machine) -> None:
        self.pay(machine, ExtCost.BASE)

    def memory(self, machine: Machine, length: int, pointer: int) -> bytes:
        self.pay(machine, ExtCost.READ_MEMORY_BASE)
        self.pay(machine, ExtCost.READ_MEMORY_BYTE, length)
        self.bounds(machine, pointer, length)
        return machine.read(pointer, length)

    @staticmethod
    def bounds(machine: Machine, pointer: int, length: int) -> None:
        if pointer + length > machine.memory_pages * 65536:
            raise HostFailure("Accessed memory outside the bounds.")

    def register(self, machine: Machine, register: int) -> bytes:
        value = self.registers.get(register)
        if value is None:
            raise HostFailure(f"Accessed invalid register id: {register}")
        self.pay(machine, ExtCost.READ_REGISTER_BASE)
        self.pay(machine, ExtCost.READ_REGISTER_BYTE, len(value))
        return value

    def take(self, machine: Machine, length: int, pointer: int) -> bytes:
        return self.register(machine, pointer) if length == REGISTER else self.memory(machine, length, pointer)

    def put(self, machine: Machine, register: int, value: bytes, *, per_byte: bool = True) -> None:
        self.pay(machine, ExtCost.WRITE_REGISTER_BASE)
        if per_byte:
            self.pay(machine, ExtCost.WRITE_REGISTER_BYTE, len(value))
        if len(value) > self.config.max_register_size or len(self.registers) >= self.config.max_number_registers:
            raise HostFailure("Accessed memory outside the bounds.")
        self.registers[register] = value

    def _block_index(self, machine: Machine, arguments: list[int]) -> int:
        self.base(machine)
        return HEIGHT

    def _prepaid_gas(self, machine: Machine, arguments: list[int]) -> int:
        self.base(machine)
        return self.prepaid

    def _used_gas(self, machine: Machine, arguments: list[int]) -> int:
        self.base(machine)
        return machine.gas

    def _storage_usage(self, machine: Machine, arguments: list[int]) -> int:
        self.base(machine)
        return STORAGE_USAGE

    def _gas(self, machine: Machine, arguments: list[int]) -> None:
        machine.charge(arguments[0] * self.config.wasm_regular_op_cost)

    def _panic(self, machine: Machine, arguments: list[int]) -> None:
        self.base(machine)
        raise HostFailure("Smart contract panicked: explicit guest panic")

    def _input(self, machine: Machine, arguments: list[int]) -> None:
        self.base(machine)
        self.put(machine, arguments[0], INPUT, per_byte=False)

    def _register_len(self, machine: Machine, arguments: list[int]) -> int:
        self.base(machine)
        value = self.registers.get(arguments[0])
        return REGISTER if value is None else len(value)

    def _read_register(self, machine: Machine, arguments: list[int]) -> None:
        self.base(machine)
        value = self.register(machine, arguments[0])
        self.pay(machine, ExtCost.WRITE_MEMORY_BASE)
        self.pay(machine, ExtCost.WRITE_MEMORY_BYTE, len(value))
        self.bounds(machine, arguments[1], len(value))
        machine.write(arguments[1], value)

    def _write_register(self, machine: Machine, arguments: list[int]) -> None:
        register, length, pointer = arguments
        self.base(machine)
        self.put(machine, register, self.memory(machine, length, pointer))

    def _sha256(self, machine: Machine, arguments: list[int]) -> None:
        length, pointer, register = arguments
        self.pay(machine, ExtCost.SHA256_BASE)
        value = self.take(machine, length, pointer)
        self.pay(machine, ExtCost.SHA256_BYTE, len(value))
        self.put(machine, register, hashlib.sha256(value).digest())

    def _log_utf8(self, machine: Machine, arguments: list[int]) -> None:
        length, pointer = arguments
        self.base(machine)
        if len(self.logs) >= self.config.max_number_logs:
            raise HostFailure(f"The number of logs will exceed the limit {self.config.max_number_logs}")
        text = self._text(machine, length, pointer)
        self.pay(machine, ExtCost.LOG_BASE)
        self.pay(machine, ExtCost.LOG_BYTE, len(text.encode()))
        self.log_bytes += len(text.encode())
        self.logs.append(text)

    def _text(self, machine: Machine, length: int, pointer: int) -> str:
        self.pay(machine, ExtCost.UTF8_DECODING_BASE)
        limit = self.config.max_total_log_length
        available = max(limit - self.log_bytes, 0)
        if length != REGISTER:
            if length > available:
                self._too_long(self.log_bytes + length)
            raw = self.memory(machine, length, pointer)
        else:
            raw = b""
            for index in range(available + 1):
                self.pay(machine, ExtCost.READ_MEMORY_BASE)
                self.pay(machine, ExtCost.READ_MEMORY_BYTE)
                self.bounds(machine, pointer + index, 1)
                byte = machine.read(pointer + index, 1)
                if byte == b"\0":
                    break
                if index == available:
                    self._too_long(self.log_bytes + available + 1)
                raw += byte
        self.pay(machine, ExtCost.UTF8_DECODING_BYTE, len(raw))
        try:
            return raw.decode()
        except UnicodeDecodeError:
            raise HostFailure("String encoding is bad UTF-8 sequence.") from None

    def _too_long(self, length: int) -> None:
        limit = self.config.max_total_log_length
        raise HostFailure(f"The length of a log message {length} exceeds the limit {limit}")

    def _value_return(self, machine: Machine, arguments: list[int]) -> None:
        self.base(machine)
        value = self.take(machine, *arguments)
        if len(value) > self.config.max_length_returned_data:
            limit = self.config.max_length_returned_data
            raise HostFailure(f"The length of a returned value {len(value)} exceeds the limit {limit}")
        self.result = value
