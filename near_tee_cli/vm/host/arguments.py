"""How host functions read what they are passed.

Most byte strings come as a length and a pointer; the largest length says that the pointer is a register number.
Each reader charges before it looks.

Mirrors nearcore: runtime/near-vm-runner/src/wasmtime_runner/logic.rs
"""

from near_tee_cli.params.costs import ExtCost
from near_tee_cli.primitives.account_id import is_valid_bytes
from near_tee_cli.vm.failure import U64_MAX, failure
from near_tee_cli.vm.logic import Logic

_UTF8_BASE = ExtCost.UTF8_DECODING_BASE.value
_UTF8_BYTE = ExtCost.UTF8_DECODING_BYTE.value

HASH_BYTES = 32
"""Length of code hashes, data ids and yield ids."""

_KEY_LENGTHS = (33, 65, 1953)


def take(logic: Logic, length: int, pointer: int) -> bytes:
    """Bytes from memory, or from the register `pointer` when `length` is the largest u64."""
    if length == U64_MAX:
        return logic.registers.read(pointer)
    return logic.memory.read(pointer, length)


def take_account_id(logic: Logic, length: int, pointer: int) -> str:
    """An account id: `BadUTF8` or `InvalidAccountId` when it is none."""
    raw = take(logic, length, pointer)
    logic.gas.pay_both(_UTF8_BASE, _UTF8_BYTE, len(raw))
    if is_valid_bytes(raw):
        return raw.decode("ascii")
    raise failure("InvalidAccountId" if is_utf8(raw) else "BadUTF8")


def decoded_public_key(raw: bytes) -> bytes:
    """`raw` itself when it is a public key in Borsh, else `InvalidPublicKey`."""
    if raw and raw[0] < len(_KEY_LENGTHS) and len(raw) == _KEY_LENGTHS[raw[0]]:
        return raw
    raise failure("InvalidPublicKey")


def decoded_method_name(raw: bytes) -> str:
    """A method name: `InvalidMethodName` when it is not UTF-8."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise failure("InvalidMethodName") from None


def split_method_names(raw: bytes) -> list[bytes]:
    """The comma-separated names in `raw`, none if it is empty; an empty name is `EmptyMethodName`."""
    if not raw:
        return []
    names = raw.split(b",")
    if not all(names):
        raise failure("EmptyMethodName")
    return names


def is_utf8(raw: bytes) -> bool:
    """Whether `raw` is UTF-8."""
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True
