"""Check 21: Merkle paths that let a contract check single changes of a claim.

Whoever knows the roots of a claim needs, for one changed key, the nodes from the root before to the key and from the
root after to the key: the value, or that there is none, follows from them alone (`state.key_proof`). The nodes before
are in the bundle; those after that are not are added here, each once. There is one right content, and everything else
is refused.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from near_tee_cli.errors import EvidenceError, MissingNodeError
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.wire import u32, vector
from near_tee_cli.proof.bundle import KEY_PATHS, Attachment, Bundle, Content, encode_nodes
from near_tee_cli.proof.partial_state import PartialStore, partial_trie
from near_tee_cli.proof.statement import roots_before
from near_tee_cli.state.key_proof import prove_key


class Path(NamedTuple):
    """The ways to one key, as positions of nodes: those of the bundle, then those that are added. Root first."""

    before: tuple[int, ...]
    after: tuple[int, ...]


class KeyPaths(NamedTuple):
    """The paths of a bundle."""

    nodes: tuple[bytes, ...]
    """Nodes after that the bundle does not hold, ascending."""
    paths: tuple[tuple[Path, ...], ...]
    """One for each change of each transition, in their order."""


def key_paths_of(content: Content, pre_root: bytes, *, max_bytes: int | None = None) -> KeyPaths:
    """The paths of all changes in `content`.

    Raises `MissingNodeError` when the witness does not show a change, and `EvidenceError` as soon as they are known to
    take more than `max_bytes`.
    """
    hashes = [sha256(node) for node in content.nodes]
    least = _LENGTH * (2 + len(content.transitions))
    ways: list[list[_Way]] = []
    for position, root in enumerate(roots_before(content, pre_root)):
        ways.append([])
        for way in _ways(content, position, root, hashes):
            least += _LENGTH * (2 + len(way[0]) + len(way[1]))
            if max_bytes is not None and least > max_bytes:
                raise EvidenceError("the paths are not those of the changes", code="key-path-mismatch")
            ways[-1].append(way)
    own = {node: position for position, node in enumerate(content.nodes)}
    added = sorted({node for way in ways for pair in way for side in pair for node in side} - own.keys())
    places = {**own, **{node: len(own) + position for position, node in enumerate(added)}}

    def positions(nodes: Sequence[bytes]) -> tuple[int, ...]:
        return tuple(places[node] for node in nodes)

    paths = tuple(tuple(Path(positions(before), positions(after)) for before, after in way) for way in ways)
    return KeyPaths(tuple(added), paths)


_Way = tuple[list[bytes], list[bytes]]
"""Nodes before and nodes after."""

_LENGTH = 4
"""Bytes of a count, and of a position."""


def _ways(content: Content, position: int, root: bytes, hashes: Sequence[bytes]) -> Iterator[_Way]:
    """The ways to each change of one transition."""
    transition = content.transitions[position]
    if not transition.changes:
        return
    items = {hashes[place]: content.nodes[place] for place in transition.nodes}
    trie = partial_trie(root, nodes=content.nodes, hashes=hashes, positions=transition.nodes)
    after, made = trie.update(dict(transition.changes))
    before_store, after_store = PartialStore(items), PartialStore({**items, **made})
    for key, _ in transition.changes:
        yield prove_key(before_store, root, key)[1], prove_key(after_store, after, key)[1]


def encode_key_paths(paths: KeyPaths) -> bytes:
    """Borsh of the paths."""
    return encode_nodes(paths.nodes) + vector(
        vector(vector(map(u32, path.before)) + vector(map(u32, path.after)) for path in way) for way in paths.paths
    )


def with_key_paths(bundle: Bundle) -> Bundle:
    """`bundle` with the paths of all its changes beside it."""
    data = encode_key_paths(key_paths_of(bundle.content, bundle.claim.pre_root))
    return bundle._replace(attachments=tuple(sorted({*bundle.attachments, Attachment(KEY_PATHS, data)})))


def check_key_paths(bundle: Bundle) -> str | None:
    """Hold the paths of a consistent bundle against its changes; `None` when it has none.

    Raises `EvidenceError` (`key-path-mismatch`, `missing-node`).
    """
    found = [item.data for item in bundle.attachments if item.kind == KEY_PATHS]
    if not found:
        return None
    try:
        expected = key_paths_of(bundle.content, bundle.claim.pre_root, max_bytes=max(map(len, found)))
    except MissingNodeError as error:
        raise EvidenceError(f"a change is not in the witness: {error.message}", code="missing-node") from error
    if found != [encode_key_paths(expected)]:
        raise EvidenceError("the paths are not those of the changes", code="key-path-mismatch")
    return f"{sum(map(len, expected.paths))} changes have their paths"
