"""Key paths: enough for a contract to check one change alone, and nothing else is accepted."""

import pytest

from near_tee_cli.errors import EvidenceError
from near_tee_cli.primitives import borsh
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.proof import key_paths, schemas
from near_tee_cli.proof.bundle import KEY_PATHS, Attachment, decode_bundle, encode_bundle
from near_tee_cli.proof.key_paths import check_key_paths, encode_key_paths, key_paths_of, with_key_paths
from near_tee_cli.proof.report import Status, Verdict
from near_tee_cli.proof.statement import roots_before
from near_tee_cli.proof.verifier import NO_REPLAY, verify
from near_tee_cli.state.key_proof import verify_key
from tests.support.bundles import proof_of, small_proof

NAMES = (
    "small",
    "runtime/state/state-delete-neighbours",
    "runtime/yields/yields-resume-bad-id",
    "runtime/promises/promises-global-bad-hash",
    "vm/state/state_values",
)


def bundle_of(name):
    return decode_bundle(small_proof().data if name == "small" else proof_of(name).data)


@pytest.mark.parametrize("name", NAMES)
def test_each_path_proves_its_change_alone(name) -> None:
    bundle = bundle_of(name)
    content = bundle.content
    found = key_paths_of(content, bundle.claim.pre_root)
    nodes = (*content.nodes, *found.nodes)
    roots = roots_before(content, bundle.claim.pre_root)
    assert list(found.nodes) == sorted(set(found.nodes) - set(content.nodes))
    for transition, root, paths in zip(content.transitions, roots, found.paths, strict=True):
        for (key, value), path in zip(transition.changes, paths, strict=True):
            before = verify_key(root, key, [nodes[place] for place in path.before])
            after = verify_key(transition.post_root, key, [nodes[place] for place in path.after])
            assert (None if value is None else (len(value), sha256(value))) == (None if after is None else tuple(after))
            assert before is None or before.length >= 0
    used = {place for paths in found.paths for path in paths for side in path for place in side}
    assert {place for place in used if place >= len(content.nodes)} == set(range(len(content.nodes), len(nodes)))


@pytest.mark.parametrize("name", NAMES)
def test_they_verify(name) -> None:
    bundle = with_key_paths(bundle_of(name))
    report = verify(encode_bundle(bundle), require=NO_REPLAY)
    assert (report.verdict, report.checks[20].status) == (Verdict.ESTABLISHED, Status.PASSED)
    assert with_key_paths(bundle) == bundle
    assert bundle.claim_digest == bundle_of(name).claim_digest


def test_nothing_else_does() -> None:
    bundle = bundle_of("small")
    right = key_paths_of(bundle.content, bundle.claim.pre_root)
    first, *others = right.paths
    wrong = {
        "a path left out": right._replace(paths=(first[1:], *others)),
        "a path twice": right._replace(paths=((first[0], *first), *others)),
        "paths turned around": right._replace(paths=(first[::-1], *others)),
        "a node more": right._replace(nodes=tuple(sorted((*right.nodes, b"ballast")))),
        "a node less": right._replace(nodes=right.nodes[:-1]),
        "a step less": right._replace(paths=((first[0]._replace(before=first[0].before[:-1]), *first[1:]), *others)),
        "no transition": right._replace(paths=()),
    }
    data = {name: encode_key_paths(paths) for name, paths in wrong.items()}
    data |= {"nothing": b"", "a byte more": encode_key_paths(right) + b"\0"}
    for name, encoded in data.items():
        lie = bundle._replace(attachments=(Attachment(KEY_PATHS, encoded),))
        report = verify(encode_bundle(lie), require=NO_REPLAY)
        assert (report.verdict, report.code) == (Verdict.CONTRADICTED, "key-path-mismatch"), name
    both = (Attachment(KEY_PATHS, b""), Attachment(KEY_PATHS, encode_key_paths(right)))
    assert verify(encode_bundle(bundle._replace(attachments=both)), require=NO_REPLAY).code == "key-path-mismatch"


def test_the_declared_layout() -> None:
    bundle = bundle_of("small")
    data = encode_key_paths(key_paths_of(bundle.content, bundle.claim.pre_root))
    fields = borsh.decode(schemas.key_paths(), data, "key paths", max_bytes=len(data))
    assert borsh.encode(schemas.key_paths(), fields, "key paths") == data
    assert len(fields["paths"]) == len(bundle.content.transitions)


def test_a_change_beyond_the_witness() -> None:
    """The checks before would have refused it; this one does not count on them."""
    bundle = with_key_paths(bundle_of("small"))
    content = bundle.content._replace(transitions=tuple(t._replace(nodes=()) for t in bundle.content.transitions))
    with pytest.raises(EvidenceError) as caught:
        check_key_paths(bundle._replace(content=content))
    assert caught.value.code == "missing-node"


def test_no_more_is_made_than_stands_there(monkeypatch) -> None:
    bundle = bundle_of("small")
    right = key_paths_of(bundle.content, bundle.claim.pre_root)
    assert right.nodes
    size = len(encode_key_paths(right)) - sum(4 + len(node) for node in right.nodes)
    assert key_paths_of(bundle.content, bundle.claim.pre_root, max_bytes=size) == right
    with pytest.raises(EvidenceError) as caught:
        key_paths_of(bundle.content, bundle.claim.pre_root, max_bytes=size - 1)
    assert caught.value.code == "key-path-mismatch"
    looked_up = []
    monkeypatch.setattr(key_paths, "prove_key", lambda *_: looked_up.append(1) or (None, []))
    with pytest.raises(EvidenceError):
        check_key_paths(bundle._replace(attachments=(Attachment(KEY_PATHS, b""),)))
    assert len(looked_up) == 2


def test_every_node_is_hashed_once(monkeypatch) -> None:
    bundle = with_key_paths(bundle_of("small"))
    hashed = []
    monkeypatch.setattr(key_paths, "sha256", lambda node: hashed.append(node) or sha256(node))
    assert check_key_paths(bundle) is not None
    assert hashed == list(bundle.content.nodes)
    assert len(bundle.content.transitions) > 1


def test_a_block_without_changes_costs_nothing(monkeypatch) -> None:
    bundle = bundle_of("small")
    without = tuple(one._replace(changes=()) for one in bundle.content.transitions)
    monkeypatch.setattr(key_paths, "partial_trie", lambda *_args, **_more: pytest.fail("a trie was made"))
    found = key_paths_of(bundle.content._replace(transitions=without), bundle.claim.pre_root)
    assert found == ((), ((),) * len(without))
