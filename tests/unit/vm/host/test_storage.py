"""Storage: usage, limits, the order of charges around the trie, the storage proof."""

import pytest

from near_tee_cli.errors import InconsistentStateError
from near_tee_cli.params.store import config_at
from near_tee_cli.vm.failure import U64_MAX, HostFailure
from near_tee_cli.vm.outcome import HostError
from tests.support.host_calls import REGISTER, Guest
from tests.support.reference_config import bent, reference_config


def refused(guest, name, *arguments):
    with pytest.raises(HostFailure) as caught:
        guest.call(name, *arguments)
    return caught.value.error


def store(guest, key=b"foo", value=b"bar", register=0):
    return guest.call("storage_write", *guest.put(key), *guest.put(value), register)


READ_BOTH = {"base": 1, "read_memory_base": 2}


def test_write_read_remove():
    guest = Guest()
    assert store(guest) == 0
    assert guest.costs() == {
        **READ_BOTH,
        "read_memory_byte": 6,
        "storage_write_base": 1,
        "storage_write_key_byte": 3,
        "storage_write_value_byte": 3,
    }
    assert store(guest, value=b"longer", register=4) == 1
    assert guest.logic.registers.values == {4: b"bar"}
    costs = guest.costs()
    assert (costs["storage_write_evicted_byte"], costs["write_register_byte"]) == (3, 3)
    assert guest.call("storage_read", *guest.put(b"foo"), 5) == 1
    assert guest.logic.registers.values[5] == b"longer"
    costs = guest.costs()
    assert (costs["storage_read_base"], costs["storage_read_key_byte"], costs["storage_read_value_byte"]) == (1, 3, 6)
    assert guest.call("storage_has_key", *guest.put(b"foo")) == 1
    assert guest.call("storage_remove", *guest.put(b"foo"), 6) == 1
    assert guest.logic.registers.values[6] == b"longer"
    costs = guest.costs()
    assert (costs["storage_remove_key_byte"], costs["storage_remove_ret_value_byte"]) == (3, 6)
    assert guest.call("storage_has_key", *guest.put(b"foo")) == 0
    assert guest.call("storage_read", *guest.put(b"foo"), 7) == 0
    assert guest.call("storage_remove", *guest.put(b"foo"), 7) == 0
    assert 7 not in guest.logic.registers.values


def test_keys_and_values_from_registers():
    guest = Guest()
    guest.register(1, b"foo")
    guest.register(2, b"bar")
    assert guest.call("storage_write", REGISTER, 1, REGISTER, 2, 0) == 0
    assert guest.chain.data == {b"foo": b"bar"}
    assert guest.call("storage_has_key", REGISTER, 1) == 1
    assert guest.call("storage_read", REGISTER, 1, 0) == 1
    assert guest.call("storage_remove", REGISTER, 1, 0) == 1


def test_usage_follows_what_is_stored():
    guest = Guest()
    store(guest)
    assert guest.call("storage_usage") == 46
    store(guest)
    assert guest.call("storage_usage") == 46
    store(guest, value=b"")
    assert guest.call("storage_usage") == 43
    guest.call("storage_remove", *guest.put(b"foo"), 0)
    assert guest.call("storage_usage") == 0
    assert guest.logic.outcome(None).storage_usage == 0


def test_usage_that_contradicts_the_data_is_no_outcome():
    guest = Guest()
    guest.chain.data[b"foo"] = b"long value"
    with pytest.raises(InconsistentStateError):
        guest.call("storage_write", *guest.put(b"foo"), *guest.put(b"even longer value"), 0)
    with pytest.raises(InconsistentStateError):
        guest.call("storage_remove", *guest.put(b"foo"), 0)
    full = Guest(storage_usage=U64_MAX)
    with pytest.raises(InconsistentStateError):
        store(full)


@pytest.mark.parametrize("name", ["storage_read", "storage_remove", "storage_has_key", "storage_write"])
def test_the_length_of_keys(name):
    guest = Guest(bent(reference_config(), max_length_storage_key=1024))
    rest = {"storage_write": (5, 0, 0), "storage_has_key": ()}.get(name, (0,))
    guest.call(name, 1024, 0, *rest)
    error = HostError("KeyLengthExceeded", (("length", 1025), ("limit", 1024)))
    guest.costs()
    assert refused(guest, name, 1025, 0, *rest) == error
    assert guest.costs() == {"base": 1, f"{name}_base": 1, "read_memory_base": 1, "read_memory_byte": 1025}


def test_the_length_of_values():
    guest = Guest(bent(reference_config(), max_length_storage_value=1024))
    guest.call("storage_write", 5, 0, 1024, 0, 0)
    guest.costs()
    error = HostError("ValueLengthExceeded", (("length", 1025), ("limit", 1024)))
    assert refused(guest, "storage_write", 5, 0, 1025, 0, 0) == error
    assert "storage_write_key_byte" not in guest.costs()


def test_touched_nodes_are_charged_after_the_value():
    guest = Guest()
    guest.chain.data[b"foo"] = b"old"
    guest.chain.nodes = 3
    guest.logic.storage_usage = 100
    store(guest)
    costs = guest.costs()
    assert costs["touching_trie_node"] == 4  # three nodes and the value
    assert "read_cached_trie_node" not in costs
    guest.call("storage_read", *guest.put(b"foo"), 0)
    guest.call("storage_has_key", *guest.put(b"foo"))
    assert "touching_trie_node" not in guest.costs()
    assert guest.chain.lookups == [(b"foo", True), (b"foo", False), (b"foo", False)]
    guest.call("storage_remove", *guest.put(b"nope"), 0)
    assert guest.costs()["touching_trie_node"] == 3


def test_a_read_pays_nothing_for_loading_what_it_found():
    guest = Guest()
    guest.chain.data[b"foo"] = b"old"
    guest.chain.nodes = 1
    guest.call("storage_read", *guest.put(b"foo"), 0)
    assert guest.chain.touches.db == 1
    assert "touching_trie_node" not in guest.costs()


def until(guest, fraction_of):
    """A guest whose gas ends just before the charges that `fraction_of` names."""
    everything = Guest()
    everything.chain.data, everything.chain.nodes = dict(guest.chain.data), guest.chain.nodes
    everything.logic.storage_usage = 100
    fraction_of(everything)
    return everything


def test_out_of_gas_on_the_evicted_value_leaves_it_unread():
    guest = Guest(prepaid_gas=10**12)
    guest.chain.data[b"foo"] = bytes(50_000)
    guest.chain.nodes = 2
    assert refused(guest, "storage_write", *guest.put(b"foo"), *guest.put(b"x"), 0) == HostError("GasExceeded")
    assert guest.chain.touches.db == 2  # the nodes, not the value
    assert guest.chain.data[b"foo"] == bytes(50_000)


def test_out_of_gas_on_touched_nodes_leaves_a_write_undone_and_a_removal_done():
    for name, rest in (("storage_write", (1, 0, 0)), ("storage_remove", (0,))):
        free = Guest()
        free.chain.data[b"foo"] = b"v"
        free.logic.storage_usage = 100
        free.call(name, *free.put(b"foo"), *rest)
        register = free.logic.gas.units
        written = register[9] * free.logic.gas.prices[9] + register[10] * free.logic.gas.prices[10]
        guest = Guest(prepaid_gas=free.logic.gas.burnt - written)
        guest.chain.data[b"foo"] = b"v"
        guest.chain.nodes = 1
        assert refused(guest, name, *guest.put(b"foo"), *rest) == HostError("GasExceeded")
        assert (b"foo" in guest.chain.data) == (name == "storage_write")


def test_large_values_weigh_more():
    guest = Guest(config_at(86))
    guest.chain.data = {b"a": bytes(4000), b"b": bytes(4001)}
    guest.call("storage_read", *guest.put(b"a"), 0)
    assert "storage_large_read_overhead_base" not in guest.costs()
    guest.call("storage_read", *guest.put(b"b"), 0)
    costs = guest.costs()
    assert (costs["storage_large_read_overhead_base"], costs["storage_large_read_overhead_byte"]) == (1, 4001)
    outcome = guest.logic.outcome(None)
    assert outcome.compute_usage - outcome.burnt_gas > 41_000_000_000 + 4001 * 3_111_004


@pytest.mark.parametrize("name", ["storage_read", "storage_remove", "storage_has_key", "storage_write"])
@pytest.mark.parametrize("found", [False, True])
def test_the_storage_proof_is_bounded(name, found):
    guest = Guest()
    guest.chain.recorded = 10**9
    guest.begin()
    guest.logic.storage_usage = 100
    if found:
        guest.chain.data[b"foo"] = b"bar"
    rest = {"storage_write": (0, 0, 0), "storage_has_key": ()}.get(name, (0,))
    guest.chain.recorded_by_lookup = 4_000_000
    guest.call(name, *guest.put(b"foo"), *rest)
    guest.chain.recorded_by_lookup = 1
    error = HostError("RecordedStorageExceeded", (("limit", 4_000_000),))
    assert refused(guest, name, *guest.put(b"foo"), *rest) == error


@pytest.mark.parametrize(
    ("name", "count"), [("storage_iter_prefix", 2), ("storage_iter_range", 4), ("storage_iter_next", 3)]
)
def test_iterators_are_no_more(name, count):
    guest = Guest(prepaid_gas=0)
    assert refused(guest, name, *[0] * count) == HostError("Deprecated", (("method_name", name),))
    assert guest.costs() == {}
