"""Proofs about single keys: that one has a value, or has none, under a known root.

A proof is the nodes on the way to the key, root first. It needs no value: the last node names the value's length
and hash. Proofs as RPC nodes hand them out with a view of the state verify here as well.

Mirrors nearcore: integration-tests/src/tests/runtime/state_viewer.rs (ProofVerifier)
"""

from collections.abc import Iterable

from near_tee_cli.errors import BadInputError, EvidenceError, MissingNodeError
from near_tee_cli.state.node import ValueRef
from near_tee_cli.state.recorder import Recorder
from near_tee_cli.state.store import NodeStore
from near_tee_cli.state.trie import Trie
from near_tee_cli.state.witness import WitnessStore


def prove_key(store: NodeStore, root: bytes, key: bytes) -> tuple[ValueRef | None, list[bytes]]:
    """What `key` has under `root`, and the nodes that prove it, root first. No nodes prove the empty trie."""
    recorder = Recorder()
    reference = Trie(store, root, recorder=recorder).ref(key)
    return reference, list(recorder.nodes.values())


def verify_key(root: bytes, key: bytes, nodes: Iterable[bytes]) -> ValueRef | None:
    """What `key` has under `root`, by the word of `nodes` alone; `None` when they prove that it has nothing.

    Nodes beside the way prove nothing and do no harm. Raises `EvidenceError` when the way to the key is not there.
    """
    try:
        return Trie(WitnessStore(nodes), root).ref(key)
    except MissingNodeError as error:
        raise EvidenceError(f"the proof of key {key.hex()} lacks node {error.node_hash.hex()}") from error
    except BadInputError as error:
        raise EvidenceError(f"the proof of key {key.hex()} is damaged: {error.message}", where=error.where) from error
