"""Made-up states: a root under which lies what no trie has. Checks 7, 9, 10 and 11."""

from collections.abc import Iterator

from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.wire import u32
from near_tee_cli.proof.bundle import Content, decode_bundle
from near_tee_cli.proof.limits import MAX_MEMORY_USAGE, MAX_TRIE_NODE_BYTES
from near_tee_cli.proof.partial_state import changed_root, partial_trie
from near_tee_cli.proof.statement import roots_before
from near_tee_cli.state import keys
from near_tee_cli.state.nibbles import encode_path
from near_tee_cli.state.node import pack_branch, pack_extension, pack_leaf, pack_reference
from tests.reject.deployed import CALL, proof, received
from tests.reject.entry import Entry
from tests.support.bundles import decided, executed, proof_of, relabelled, small_proof, with_transition, without_node


def entries() -> Iterator[Entry]:
    """All of them."""
    yield from _shapes()
    yield from _nodes_left_out()
    yield from _rows()


def _empty() -> tuple[Content, object]:
    """One block without inputs, and its claim."""
    bundle = decode_bundle(proof_of("runtime/transactions/transactions-views").data)
    content = bundle.content
    first = content.transitions[0]._replace(transactions=(), receipts=(), outcomes=(), sent=(), changes=(), codes=())
    return content._replace(transitions=(first,), codes=()), bundle.claim


def _under(root: bytes, *nodes: bytes) -> bytes:
    """The bundle of a block on the state under the node `root`, with `nodes` below it."""
    content, claim = _empty()
    found = tuple(sorted({root, *nodes}))
    before = sha256(root)
    transition = content.transitions[0]._replace(nodes=tuple(range(len(found))), post_root=before)
    return relabelled(content._replace(transitions=(transition,), nodes=found), claim._replace(pre_root=before))


def _leaf(path: str, value: bytes, memory: int | None = None) -> bytes:
    encoded = encode_path(path, is_leaf=True)
    return pack_leaf(encoded, pack_reference(value), 100 + 2 * len(encoded) + len(value) if memory is None else memory)


def _branch(children: dict[int, bytes], memory: int, value: bytes | None = None) -> bytes:
    mask = sum(1 << nibble for nibble in children)
    hashes = b"".join(sha256(children[nibble]) for nibble in sorted(children))
    return pack_branch(mask, hashes, b"" if value is None else pack_reference(value), memory)


def _extension(path: str, child: bytes, memory: int) -> bytes:
    return pack_extension(encode_path(path, is_leaf=False), sha256(child), memory)


def _memory(node: bytes) -> int:
    return int.from_bytes(node[-8:], "little")


def _shapes() -> Iterator[Entry]:
    one, other = _leaf("12", b"a"), _leaf("34", b"b")
    both = 50 + _memory(one) + _memory(other)
    branch = _branch({1: one, 2: other}, both)

    def malformed(name: str, reason: str, root: bytes) -> Entry:
        return Entry(f"node-{name}", ("B5", "B6"), reason, _under(root), 7, "malformed-node")

    def impossible(name: str, reason: str, root: bytes, *nodes: bytes, threats: tuple[str, ...] = ("B6",)) -> Entry:
        return Entry(f"node-{name}", threats, reason, _under(root, *nodes), 7, "impossible-node")

    yield malformed("value-for-a-root", "a value stands where the root should", b"value")
    yield malformed("no-bytes", "the root is an empty value", b"")
    yield malformed("unknown-kind", "a node is of a fifth kind", b"\4" + branch[1:])
    yield malformed("branch-cut", "a branch has fewer children than its mask says", branch[:-41] + branch[-8:])
    yield malformed("branch-padded", "bytes are left over in a branch", branch[:-8] + b"\0" + branch[-8:])
    yield malformed("leaf-flag", "the path of a leaf has the flag of an extension", one[:5] + b"\0" + one[6:])
    yield malformed("leaf-length", "the path of a leaf has another length than it says", one[:1] + u32(9) + one[5:])
    yield malformed("odd-flag", "the second half of an even flag is not zero", one[:5] + b"\x2f" + one[6:])
    over = _extension("1", branch, 60 + both)
    yield malformed("extension-over-nothing", "an extension has an empty path", over[:5] + b"\0" + over[6:])
    yield impossible("branch-of-one", "a branch leads one way only", _branch({1: one}, 50 + _memory(one)), one)
    yield impossible("branch-of-none", "a branch leads nowhere", _branch({}, 50))
    yield impossible(
        "extension-to-a-leaf", "an extension leads to a leaf", _extension("1", one, 52 + _memory(one)), one
    )
    inner = _extension("2", branch, 52 + both)
    yield impossible(
        "extension-to-an-extension",
        "an extension leads to an extension",
        _extension("1", inner, 52 + _memory(inner)),
        inner,
        branch,
        one,
        other,
    )
    yield impossible(
        "memory-too-small",
        "a branch states less memory than is below it",
        _branch({1: one, 2: other}, both - 1),
        one,
        other,
    )
    yield impossible(
        "memory-too-great",
        "a branch states more memory than is below it, all of which is known",
        _branch({1: one, 2: other}, both + 1),
        one,
        other,
    )
    yield impossible("memory-of-a-leaf", "a leaf states another memory than its value gives", _leaf("12", b"a", 7))
    yield impossible(
        "memory-beyond",
        "a node states more memory than any state has",
        _branch({1: one, 2: other}, MAX_MEMORY_USAGE + 1),
        threats=("B4", "B6"),
    )
    leaf = pack_leaf(encode_path("12", is_leaf=True), u32(2) + sha256(b"a"), 100 + 4 + 2)
    yield impossible("value-of-another-length", "a value is shorter than its leaf says", leaf, b"a")
    yield impossible(
        "path-without-end", "a leaf lies deeper than any key reaches", _leaf("1" * 4400, b"a"), threats=("B4", "B15")
    )
    yield impossible(
        "node-of-many-bytes",
        "a node is longer than any node is",
        _leaf("1" * (2 * MAX_TRIE_NODE_BYTES), b"a"),
        threats=("B4", "B15"),
    )
    deep, below = branch, [branch, one, other]
    for _ in range(200):
        twin = _leaf("5", b"c")
        deep = _branch({1: deep, 2: twin}, 50 + _memory(deep) + _memory(twin))
        long = _extension("7" * 30, deep, 50 + 2 * 16 + _memory(deep))
        below += [deep, twin, long]
        deep = long
    yield Entry(
        "node-depth-without-end",
        ("B4", "B15"),
        "nodes lie deeper than any key reaches",
        _under(deep, *below),
        7,
        "impossible-node",
    )
    content, claim = _empty()
    transition = content.transitions[0]._replace(nodes=(), post_root=b"\1" * 32)
    bare = content._replace(transitions=(transition,), nodes=())
    yield Entry(
        "node-root-not-there",
        ("B6",),
        "the root itself is not in the bundle",
        relabelled(bare, claim._replace(pre_root=b"\1" * 32)),
        7,
        "missing-node",
    )
    yield Entry(
        "node-beside-an-empty-state",
        ("B4", "B9"),
        "a node lies in a state without rows",
        relabelled(
            content._replace(transitions=(transition._replace(nodes=(0,), post_root=bytes(32)),), nodes=(one,)),
            claim._replace(pre_root=bytes(32)),
        ),
        7,
        "superfluous-node",
    )


def _nodes_left_out() -> Iterator[Entry]:
    """For each answer that leaving a node out, or borrowing one, can get: the first bundle that gets it."""
    found: set[tuple[str, int, str | None]] = set()
    proofs = (
        small_proof(),
        *map(proof_of, ("runtime/yields/yields-resume-bad-id", "runtime/queue/queue-initial-buffered")),
        proof((received(1, CALL),), version=84),
    )
    for one in proofs:
        bundle = decode_bundle(one.data)
        content = bundle.content
        for position in range(len(content.nodes)):
            data = relabelled(without_node(content, position), bundle.claim)
            if (answer := ("left-out", *decided(executed(data)))) not in found and answer[1:] != (0, None):
                found.add(answer)
                yield Entry(
                    f"node-left-out-{answer[1]}-{answer[2]}",
                    ("B6",),
                    f"node {position} is left out",
                    data,
                    answer[1],
                    answer[2],
                )
            for number, transition in enumerate(content.transitions):
                nodes = tuple(sorted({*transition.nodes} ^ {position}))
                data = relabelled(with_transition(content, number, nodes=nodes), bundle.claim)
                how = "borrowed" if position in nodes else "not-named"
                if (answer := (how, *decided(executed(data)))) not in found and answer[1:] != (0, None):
                    found.add(answer)
                    yield Entry(
                        f"node-{how}-{answer[1]}-{answer[2]}",
                        ("B4", "B5", "B6") if how == "borrowed" else ("B6",),
                        f"block {number} {'names node' if how == 'borrowed' else 'does not name node'} {position}",
                        data,
                        answer[1],
                        answer[2],
                    )


def _rows() -> Iterator[Entry]:
    """Rows that lead to the root after, and that no chain writes."""
    for name, threats, reason, key in (
        ("delayed", ("B5", "B6"), "what is put into the delayed queue is no receipt", keys.delayed_receipt(5)),
        ("postponed", ("B5", "B6"), "what is postponed is no receipt", keys.postponed_receipt("a.near", bytes(32))),
        ("yielded", ("B5", "B6"), "what waits for data is no receipt", keys.promise_yield_receipt("a.near", bytes(32))),
        ("buffered", ("B5", "B6"), "what is buffered is no receipt", keys.buffered_receipt(0, 0)),
    ):
        data = _with_row(key, b"none")
        if data is not None:
            yield Entry(f"row-{name}", threats, reason, data, 12, "bad-row")


def _with_row(key: bytes, value: bytes) -> bytes | None:
    """The small bundle whose last block writes a row more."""
    bundle = decode_bundle(small_proof().data)
    content, last = bundle.content, len(bundle.content.transitions) - 1
    root = roots_before(content, bundle.claim.pre_root)[last]
    hashes = [sha256(node) for node in content.nodes]
    trie = partial_trie(root, nodes=content.nodes, hashes=hashes, positions=content.transitions[last].nodes)
    changes = tuple(sorted({**dict(content.transitions[last].changes), key: value}.items()))
    try:
        after = changed_root(trie, changes)
    except Exception:
        return None
    return relabelled(with_transition(content, last, changes=changes, post_root=after), bundle.claim)
