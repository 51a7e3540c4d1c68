"""The node codec: nearcore's byte-exact vectors, and everything that must be refused."""

import pytest

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.state.node import (
    Branch,
    Extension,
    Leaf,
    ValueRef,
    decode,
    direct_memory,
    encode,
    leaf_memory,
    pack_branch,
    pack_leaf,
    pack_reference,
)

VALUE = ValueRef(3, bytes.fromhex("c228081840db458456346eaf39c6a5c853edd30bc253fb21918aeae207f2ba49"))
VALUE_HEX = "03000000" + VALUE.hash.hex()
MEMORY_42 = "2a00000000000000"


def children(**places):
    return tuple(places.get(f"at{nibble}") for nibble in range(16))


# nearcore: core/store/src/trie/raw_node.rs (test_encode_decode), with paths that are hex-prefix encodings.
VECTORS = [
    (Leaf("0203", VALUE, 42), "00" + "03000000" + "200203" + VALUE_HEX + MEMORY_42),
    (
        Branch(children(at3=bytes([1]) * 32, at5=bytes([2]) * 32), None, 42),
        "01" + "2800" + "01" * 32 + "02" * 32 + MEMORY_42,
    ),
    (Branch(children(at0=bytes([1]) * 32), None, 42), "01" + "0100" + "01" * 32 + MEMORY_42),
    (Branch(children(at15=bytes([1]) * 32), None, 42), "01" + "0080" + "01" * 32 + MEMORY_42),
    (
        Branch(children(at3=bytes([1]) * 32), VALUE, 42),
        "02" + VALUE_HEX + "0800" + "01" * 32 + MEMORY_42,
    ),
    (Extension("bf5ff", bytes(32), 42), "03" + "03000000" + "1bf5ff" + "00" * 32 + MEMORY_42),
]


def test_hash_of_the_value_in_the_vectors():
    assert sha256(bytes([123, 245, 255])) == VALUE.hash
    assert pack_reference(bytes([123, 245, 255])).hex() == VALUE_HEX


@pytest.mark.parametrize(("node", "text"), VECTORS)
def test_encode_and_decode(node, text):
    assert encode(node).hex() == text
    assert decode(bytes.fromhex(text)) == node


@pytest.mark.parametrize(("node", "text"), VECTORS)
def test_every_cut_and_every_extra_byte_is_refused(node, text):
    data = bytes.fromhex(text)
    for broken in [*(data[:end] for end in range(len(data))), data + b"!", data + bytes(32)]:
        with pytest.raises(BadInputError) as error:
            decode(broken)
        assert error.value.code == "malformed-node"
        assert error.value.where == "node " + sha256(broken).hex()


@pytest.mark.parametrize(
    "text",
    [
        "04" + "01000000" + "20" + VALUE_HEX + MEMORY_42,  # unknown kind
        "ff",
        "04" + VALUE_HEX + "0100" + "01" * 32 + MEMORY_42,  # as a branch with a value would look
        "04" + "0100" + "01" * 32 + MEMORY_42,
        "00" + "00000000" + VALUE_HEX + MEMORY_42,  # a path without its flag byte
        "00" + "01000000" + "00" + VALUE_HEX + MEMORY_42,  # flag of an extension in a leaf
        "00" + "01000000" + "13" + VALUE_HEX + MEMORY_42,
        "00" + "01000000" + "21" + VALUE_HEX + MEMORY_42,  # a nibble where an even path has none
        "00" + "01000000" + "60" + VALUE_HEX + MEMORY_42,  # unused flag bits
        "00" + "01000000" + "b3" + VALUE_HEX + MEMORY_42,
        "00" + "02000000" + "20" + VALUE_HEX + MEMORY_42,  # length does not fit
        "00" + "ffffffff" + "20" + VALUE_HEX + MEMORY_42,
        "03" + "01000000" + "00" + "00" * 32 + MEMORY_42,  # extension over nothing
        "03" + "01000000" + "31" + "00" * 32 + MEMORY_42,  # flag of a leaf in an extension
        "03" + "00000000" + "00" * 32 + MEMORY_42,
        "01" + "0300" + "01" * 32 + MEMORY_42,  # one child fewer than the mask says
        "01" + "0100" + "01" * 64 + MEMORY_42,  # one more
        "02" + "0100" + "01" * 32 + MEMORY_42,  # a value is promised
    ],
)
def test_bytes_that_are_no_node(text):
    with pytest.raises(BadInputError) as error:
        decode(bytes.fromhex(text))
    assert error.value.code == "malformed-node"


def test_memory_usage_must_be_a_u64():
    assert decode(encode(Leaf("1", VALUE, 2**64 - 1))).memory_usage == 2**64 - 1
    for wrong in (-1, 2**64):
        with pytest.raises(BadInputError):
            encode(Leaf("1", VALUE, wrong))


def test_memory_usage_of_single_nodes():
    # Four nibbles and a value of three bytes: 50 + 2 * 3 + (3 + 50).
    assert direct_memory(Leaf("3233", VALUE, 0)) == leaf_memory(3, 3) == 109
    assert direct_memory(Leaf("", VALUE, 0)) == 105
    assert direct_memory(Branch(children(), None, 0)) == 50
    assert direct_memory(Branch(children(), VALUE, 0)) == 103
    assert direct_memory(Extension("1", bytes(32), 0)) == 52
    assert direct_memory(Extension("12", bytes(32), 0)) == 54


def test_packing_parts_equals_encoding():
    leaf = Leaf("0203", VALUE, 42)
    assert pack_leaf(bytes.fromhex("200203"), bytes.fromhex(VALUE_HEX), 42) == encode(leaf)
    branch = Branch(children(at3=bytes([1]) * 32), VALUE, 42)
    assert pack_branch(8, bytes([1]) * 32, bytes.fromhex(VALUE_HEX), 42) == encode(branch)
