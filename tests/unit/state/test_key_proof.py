"""Proofs of single keys, with the proof that nearcore's own test expects of its state viewer."""

import base64

import pytest

from near_tee_cli.errors import EvidenceError
from near_tee_cli.primitives import base58
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.state import keys
from near_tee_cli.state.build import build
from near_tee_cli.state.key_proof import prove_key, verify_key
from near_tee_cli.state.node import ValueRef
from near_tee_cli.state.store import MemoryStore
from near_tee_cli.state.trie import EMPTY_ROOT

# nearcore: integration-tests/src/tests/runtime/state_viewer.rs (test_view_state): contract data of three accounts.
# The two nodes above these, which lead to column 9, are not fixed there, so the subtree is a trie of its own here,
# over keys without the column byte.
SUBTREE = [
    base64.b64decode(text)
    for text in (
        "AwMAAAAWFsbwm2TFX4GHLT5G1LSpF8UkG7zQV1ohXBMR/OQcUAKZ3gwDAAAAAAAA",
        "ASAC7S1KwgLNl0HPdSo8soL8sGOmPhL7O0xTSR8sDDR5pZrzu0ty3UPYJ5UKrFGKxXoyyyNG75AF9hnJHO3xxFkf5NQCAAAAAAAA",
        "AwEAAAAW607KPj2q3O8dF6XkfALiIrd9mqGir2UlYIcZuLNksTsvAgAAAAAAAA==",
        "AQhAP4sMdbiWZPtV6jz8hYKzRFSgwaSlQKiGsQXogAmMcrLOl+SJfiCOXMTEZ2a1ebmQOEGkRYa30FaIlB46sLI2IPsBAAAAAAAA",
        "AwwAAAAWUubmVhcix0ZXN0PKtrEndk0LxM+qpzp0PVtjf+xlrzz4TT0qA+hTtm6BLlYBAAAAAAAA",
        "AQoAVWCdny7wv/M1LvZASC3Fw0D/NNhI1NYwch9Ux+KZ2qRdQXPC1rNsCGRJ7nd66SfcNmRUVVvQY6EYCbsIiugO6gwBAAAAAAAA",
        "AAMAAAAgMjMDAAAApmWkWSBCL51Bfkhn79xPuKBKHz//H6B+mY6G9/eieuNtAAAAAAAAAA==",
        "AAMAAAAgMjEDAAAAjSPPbIboNKeqbt7VTCbOK7LnSQNTjGG91dIZeZerL3JtAAAAAAAAAA==",
    )
]
SUBTREE_ROOT = "FLxcnKrm7fPnZNdeVvybWtnQGBmyoUuXjhXmhq3NgNPa"

PAIR = {b"doge": b"coin", b"docu": b"value"}


def test_the_proof_of_nearcores_state_viewer():
    # The same rows, alone in a trie: below the extension over the column and `al` the nodes are the same.
    rows = {
        keys.contract_data("alice.near", b"test123"): b"123",
        keys.contract_data("alice.near", b"test321"): b"321",
        keys.contract_data("alina", b"qqq"): b"321",
        keys.contract_data("alex", b"qqq"): b"321",
    }
    root, store = build(rows)
    present, proof = prove_key(store, root, keys.contract_data("alice.near", b"test123"))
    assert present == ValueRef(3, sha256(b"123"))
    assert proof[1:] == SUBTREE[1:7]
    assert all(sha256(node) in store for node in SUBTREE[1:])


@pytest.mark.parametrize(
    ("holds", "key", "value"),
    [
        (True, b"test123", b"123"),
        (False, b"test123", b"321"),
        (False, b"test123", b"1234"),
        (False, b"test123", None),
        (False, b"test12", b"123"),
        (True, b"test12", None),
        (False, b"test1234", b"123"),
        (True, b"test1234", None),
        (True, b"test321", b"321"),
        (True, b"xyz", None),
    ],
)
def test_claims_about_nearcores_proof(holds, key, value):
    assert base58.encode(sha256(SUBTREE[0])) == SUBTREE_ROOT
    path = keys.contract_data("alice.near", key)[1:]
    reference = verify_key(sha256(SUBTREE[0]), path, SUBTREE)
    expected = None if value is None else ValueRef(len(value), sha256(value))
    assert (reference == expected) is holds


def test_another_account_needs_another_proof():
    with pytest.raises(EvidenceError):
        verify_key(sha256(SUBTREE[0]), b"alina,test123", SUBTREE)


@pytest.mark.parametrize("key", [b"doge", b"docu", b"do", b"dogf", b"x", b""])
def test_proofs_of_presence_and_absence(key):
    root, store = build(PAIR)
    reference, proof = prove_key(store, root, key)
    value = PAIR.get(key)
    assert reference == (None if value is None else ValueRef(len(value), sha256(value)))
    assert sha256(proof[0]) == root
    assert verify_key(root, key, proof) == reference
    for lacking in range(len(proof)):
        with pytest.raises(EvidenceError) as error:
            verify_key(root, key, proof[:lacking] + proof[lacking + 1 :])
        assert error.value.code == "verify-failed"


def test_the_empty_trie_needs_no_nodes():
    assert prove_key(MemoryStore(), EMPTY_ROOT, b"key") == (None, [])
    assert verify_key(EMPTY_ROOT, b"key", []) is None


def test_a_damaged_root_is_evidence_against_the_proof():
    with pytest.raises(EvidenceError):
        verify_key(sha256(b"\x09"), b"key", [b"\x09"])
