"""The contract's own data: write, read, remove, ask; and the iterators that are no more.

A write or removal walks the trie for what it replaces, and every node that it touches is charged after the value
itself is; reads go through a flat table and touch none. Every operation ends with a look at how far the storage
proof has grown, whatever became of the operation.

Mirrors nearcore: runtime/near-vm-runner/src/wasmtime_runner/logic.rs, runtime/runtime/src/ext.rs
"""

from near_tee_cli.params.costs import ExtCost
from near_tee_cli.vm.external import StoredValue
from near_tee_cli.vm.failure import failure
from near_tee_cli.vm.host.arguments import take
from near_tee_cli.vm.logic import Logic

_WRITE_BASE = ExtCost.STORAGE_WRITE_BASE.value
_WRITE_KEY_BYTE = ExtCost.STORAGE_WRITE_KEY_BYTE.value
_WRITE_VALUE_BYTE = ExtCost.STORAGE_WRITE_VALUE_BYTE.value
_WRITE_EVICTED_BYTE = ExtCost.STORAGE_WRITE_EVICTED_BYTE.value
_READ_BASE = ExtCost.STORAGE_READ_BASE.value
_READ_KEY_BYTE = ExtCost.STORAGE_READ_KEY_BYTE.value
_READ_VALUE_BYTE = ExtCost.STORAGE_READ_VALUE_BYTE.value
_LARGE_READ_BASE = ExtCost.STORAGE_LARGE_READ_OVERHEAD_BASE.value
_LARGE_READ_BYTE = ExtCost.STORAGE_LARGE_READ_OVERHEAD_BYTE.value
_REMOVE_BASE = ExtCost.STORAGE_REMOVE_BASE.value
_REMOVE_KEY_BYTE = ExtCost.STORAGE_REMOVE_KEY_BYTE.value
_REMOVE_VALUE_BYTE = ExtCost.STORAGE_REMOVE_RET_VALUE_BYTE.value
_HAS_KEY_BASE = ExtCost.STORAGE_HAS_KEY_BASE.value
_HAS_KEY_BYTE = ExtCost.STORAGE_HAS_KEY_BYTE.value
_TOUCHED_NODE = ExtCost.TOUCHING_TRIE_NODE.value
_CACHED_NODE = ExtCost.READ_CACHED_TRIE_NODE.value

_INLINE_VALUE_BYTES = 4000
"""Values up to this length lie beside their key in the chain's flat table."""


def storage_write(logic: Logic, key_len: int, key_ptr: int, value_len: int, value_ptr: int, register_id: int) -> int:
    """Set a key; whether it had a value before, which then goes into the register."""
    gas = logic.gas
    gas.pay(_WRITE_BASE)
    key = _take_key(logic, key_len, key_ptr)
    value = take(logic, value_len, value_ptr)
    if len(value) > logic.vm.max_length_storage_value:
        raise failure("ValueLengthExceeded", length=len(value), limit=logic.vm.max_length_storage_value)
    gas.pay_per(_WRITE_KEY_BYTE, len(key))
    gas.pay_per(_WRITE_VALUE_BYTE, len(value))
    external = logic.external
    touches = external.touches
    db, mem = touches.db, touches.mem
    evicted = _loaded(logic, external.storage_ref(key, counted=True), _WRITE_EVICTED_BYTE)
    gas.pay_per(_TOUCHED_NODE, touches.db - db)
    gas.pay_per(_CACHED_NODE, touches.mem - mem)
    external.storage_set(key, value)
    logic.check_recorded()
    if evicted is None:
        logic.change_usage(len(key) + len(value) + logic.vm.storage_num_extra_bytes_record)
        return 0
    logic.change_usage(-len(evicted))
    logic.change_usage(len(value))
    logic.registers.write(register_id, evicted)
    return 1


def storage_read(logic: Logic, key_len: int, key_ptr: int, register_id: int) -> int:
    """The value of a key into the register; whether there is one."""
    gas = logic.gas
    gas.pay(_READ_BASE)
    key = _take_key(logic, key_len, key_ptr)
    gas.pay_per(_READ_KEY_BYTE, len(key))
    found = logic.external.storage_ref(key, counted=False)
    if found is None:
        logic.check_recorded()
        return 0
    length = found.length
    gas.pay_per(_READ_VALUE_BYTE, length)
    if length > _INLINE_VALUE_BYTES:
        gas.pay_both(_LARGE_READ_BASE, _LARGE_READ_BYTE, length)
    value = found.load()
    logic.check_recorded()
    logic.registers.write(register_id, value)
    return 1


def storage_remove(logic: Logic, key_len: int, key_ptr: int, register_id: int) -> int:
    """Remove a key; whether it had a value, which then goes into the register."""
    gas = logic.gas
    gas.pay(_REMOVE_BASE)
    key = _take_key(logic, key_len, key_ptr)
    gas.pay_per(_REMOVE_KEY_BYTE, len(key))
    external = logic.external
    touches = external.touches
    db, mem = touches.db, touches.mem
    removed = _loaded(logic, external.storage_ref(key, counted=True), _REMOVE_VALUE_BYTE)
    external.storage_remove(key)
    gas.pay_per(_TOUCHED_NODE, touches.db - db)
    gas.pay_per(_CACHED_NODE, touches.mem - mem)
    logic.check_recorded()
    if removed is None:
        return 0
    logic.change_usage(-len(key) - len(removed) - logic.vm.storage_num_extra_bytes_record)
    logic.registers.write(register_id, removed)
    return 1


def storage_has_key(logic: Logic, key_len: int, key_ptr: int) -> int:
    """Whether a key has a value."""
    logic.gas.pay(_HAS_KEY_BASE)
    key = _take_key(logic, key_len, key_ptr)
    logic.gas.pay_per(_HAS_KEY_BYTE, len(key))
    found = logic.external.storage_ref(key, counted=False)
    logic.check_recorded()
    return int(found is not None)


def storage_iter_prefix(_logic: Logic, _prefix_len: int, _prefix_ptr: int) -> int:
    """No more."""
    raise failure("Deprecated", method_name="storage_iter_prefix")


def storage_iter_range(_logic: Logic, _start_len: int, _start_ptr: int, _end_len: int, _end_ptr: int) -> int:
    """No more."""
    raise failure("Deprecated", method_name="storage_iter_range")


def storage_iter_next(_logic: Logic, _iterator_id: int, _key_register_id: int, _value_register_id: int) -> int:
    """No more."""
    raise failure("Deprecated", method_name="storage_iter_next")


def _take_key(logic: Logic, length: int, pointer: int) -> bytes:
    key = take(logic, length, pointer)
    if len(key) > logic.vm.max_length_storage_key:
        raise failure("KeyLengthExceeded", length=len(key), limit=logic.vm.max_length_storage_key)
    return key


def _loaded(logic: Logic, found: StoredValue | None, cost: int) -> bytes | None:
    """The value found, paid for by length before it is read."""
    if found is None:
        return None
    logic.gas.pay_per(cost, found.length)
    return found.load()
