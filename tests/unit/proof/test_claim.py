"""The claim: what can be opened and recomputed from it by somebody who knows only its parts."""

import hashlib
import struct

import pytest

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.merkle import merklize_leaves, root_from_path
from near_tee_cli.proof.bundle import decode_bundle
from near_tee_cli.proof.claim import claim_digest, decode_claim, digest, encode_claim, encode_entry_outcome
from near_tee_cli.proof.statement import (
    call_leaf,
    calls_of,
    entries_of,
    entry_leaf,
    outcome_digest,
    parse,
)
from tests.support.bundles import bundle_of, proof_of, small_proof

NAME = "runtime/promises/promises-results-range"


def entries():
    bundle = decode_bundle(small_proof().data)
    hashes = [sha256(node) for node in bundle.content.nodes]
    return bundle, entries_of(bundle.content, bundle.claim.pre_root, hashes=hashes)


def test_a_digest_is_tagged_with_its_kind() -> None:
    assert digest("claim", b"x") == hashlib.sha256(b"near-tee/claim/v1\0x").digest()
    assert len({digest(kind, b"") for kind in ("claim", "entry", "call", "input", "outcome")}) == 5
    claim = small_proof().claim
    assert claim_digest(claim) == digest("claim", encode_claim(claim))


def test_a_transition_can_be_opened() -> None:
    bundle, found = entries()
    leaves = [entry_leaf(entry) for entry in found]
    root, paths = merklize_leaves(leaves)
    assert root == bundle.claim.entries_root
    for leaf, path in zip(leaves, paths, strict=True):
        assert root_from_path(path, leaf) == bundle.claim.entries_root
    assert [entry.pre_root for entry in found] == [bundle.claim.pre_root, found[0].outcome.post_root]


def test_a_call_can_be_opened() -> None:
    bundle = bundle_of(NAME)
    assert bundle.claim.calls >= 1
    from near_tee_cli.proof.partial_state import partial_trie
    from near_tee_cli.proof.statement import roots_before

    hashes = [sha256(node) for node in bundle.content.nodes]
    tries = [
        partial_trie(root, nodes=bundle.content.nodes, hashes=hashes, positions=transition.nodes)
        for transition, root in zip(
            bundle.content.transitions, roots_before(bundle.content, bundle.claim.pre_root), strict=True
        )
    ]
    calls = calls_of(bundle.content, [parse(transition) for transition in bundle.content.transitions], tries)
    root, _ = merklize_leaves([call_leaf(call) for call in calls])
    assert (root, len(calls)) == (bundle.claim.calls_root, bundle.claim.calls)
    assert {call.code_hash for call in calls if call.code_hash} <= {code.hash for code in bundle.content.codes}


def test_the_outcome_digest_needs_only_entries() -> None:
    bundle, found = entries()
    assert outcome_digest(found) == bundle.claim.outcome_digest
    parts = b"".join(encode_entry_outcome(entry.outcome) for entry in found)
    assert digest("outcome", struct.pack("<I", len(found)) + parts) == bundle.claim.outcome_digest


def test_what_is_about_files_and_tools_is_in_neither_digest() -> None:
    bundle, found = entries()
    changed = [entry._replace(witness=entry.witness._replace(nodes=9, size=9, digest=bytes(32))) for entry in found]
    assert outcome_digest(changed) == bundle.claim.outcome_digest
    assert entry_leaf(changed[0]) != entry_leaf(found[0])


def test_sums() -> None:
    claim = proof_of(NAME).claim
    bundle = bundle_of(NAME)
    assert claim.witness_size == sum(map(len, bundle.content.nodes))
    assert claim.gas.total == sum(
        entry.outcome.gas_burnt for transition in bundle.content.transitions for entry in transition.outcomes
    )
    assert sum(claim.gas[:-1]) == claim.gas.total
    assert claim.gas.wasm > 0


@pytest.mark.parametrize(
    "change",
    [
        {"network": "x" * 65},
        {"audience": "Not An Id"},
        {"worker": "a"},
    ],
)
def test_texts_are_bounded(change) -> None:
    claim = small_proof().claim._replace(**change)
    with pytest.raises(BadInputError):
        decode_claim(encode_claim(claim))


def test_bad_calls() -> None:
    claim = small_proof().claim
    for change in ({"method_name": "m" * 257}, {"source": 2}, {"receiver_id": "r" * 65}):
        with pytest.raises(BadInputError):
            decode_claim(encode_claim(claim._replace(call=claim.call._replace(**change))))
