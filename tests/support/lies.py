"""Random lies about what came of an execution, for a liar who then makes the whole claim fit again."""

import random
from collections.abc import Callable

from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.outcome import Failure, OutcomeWithId, SuccessReceiptId, SuccessValue
from near_tee_cli.proof.bundle import Content
from tests.support.bundles import with_node, with_transition, without_node


def flipped(draw: random.Random, data: bytes | None) -> bytes:
    """`data` with one bit flipped, or a byte where there was none."""
    if not data:
        return b"\1"
    at = draw.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << draw.randrange(8)]) + data[at + 1 :]


def other(draw: random.Random, number: int, bits: int = 64) -> int:
    """Another number of so many bits."""
    return draw.choice([number + 1, abs(number - 1), number ^ 1, 2**bits - 1 - number]) % 2**bits


def altered(draw: random.Random, items: tuple, alter: Callable) -> tuple:
    """`items` with one dropped, doubled or altered, or in another order."""
    result = list(items)
    kind = draw.choice(["drop", "double", "alter", "shuffle"])
    if not result:
        return ()
    at = draw.randrange(len(result))
    if kind == "drop":
        del result[at]
    elif kind == "double":
        result.insert(at, result[at])
    elif kind == "alter":
        result[at] = alter(result[at])
    else:
        draw.shuffle(result)
    return tuple(result)


def other_outcome(draw: random.Random, entry: OutcomeWithId) -> OutcomeWithId:
    """An outcome that differs in one thing."""
    outcome = entry.outcome
    profile = outcome.metadata.profile
    changes: list[dict] = [
        {"gas_burnt": other(draw, outcome.gas_burnt, 60)},
        {"compute_usage": other(draw, outcome.compute_usage)},
        {"tokens_burnt": other(draw, outcome.tokens_burnt, 128)},
        {"receipt_ids": altered(draw, outcome.receipt_ids, lambda item: flipped(draw, item))},
        {"logs": (*outcome.logs, "more")},
        {"executor_id": "somebody.else"},
        {"status": draw.choice([SuccessValue(b"x"), Failure({"a": [None]}), SuccessReceiptId(bytes(32))])},
        {"metadata": outcome.metadata._replace(version=outcome.metadata.version + 1)},
    ]
    if profile is not None:
        changes.append(
            {"metadata": outcome.metadata._replace(profile=profile._replace(wasm_gas=other(draw, profile.wasm_gas)))}
        )
    if draw.random() < 0.1:
        return entry._replace(id=flipped(draw, entry.id))
    return entry._replace(outcome=outcome._replace(**draw.choice(changes)))


def lie(draw: random.Random, content: Content) -> Content:
    """`content` with something else for a result, a node or a contract; it may come out unchanged."""
    position = draw.randrange(len(content.transitions))
    transition = content.transitions[position]
    kind = draw.choice(["outcome", "change", "sent", "root", "chunk", "node", "borrow", "ballast", "code"])
    if kind == "outcome":
        outcomes = altered(draw, transition.outcomes, lambda entry: other_outcome(draw, entry))
        return with_transition(content, position, outcomes=outcomes)
    if kind == "change":
        changes = dict(altered(draw, transition.changes, lambda change: _other_change(draw, change)))
        return with_transition(content, position, changes=tuple(sorted(changes.items())))
    if kind == "sent":
        return with_transition(content, position, sent=altered(draw, transition.sent, lambda raw: flipped(draw, raw)))
    if kind == "root":
        return with_transition(content, position, post_root=flipped(draw, transition.post_root))
    if kind == "chunk":
        delayed = other(draw, transition.chunk.delayed_receipts)
        return with_transition(content, position, chunk=transition.chunk._replace(delayed_receipts=delayed))
    if kind == "code" and content.codes:
        code = content.codes[0]
        other_code = code._replace(code=draw.choice([None, flipped(draw, code.code)]))
        return content._replace(codes=(other_code, *content.codes[1:]))
    if not content.nodes:
        return content
    at = draw.randrange(len(content.nodes))
    node = content.nodes[at]
    if kind == "borrow":
        return with_transition(content, position, nodes=tuple(sorted({*transition.nodes} ^ {at})))
    if kind == "ballast":
        return with_node(content, draw.choice([b"", b"\0", flipped(draw, node), node + b"\0"]))
    named_by = tuple(number for number, item in enumerate(content.transitions) if at in item.nodes)
    rest = without_node(content, at)
    if draw.random() < 0.3:
        return rest
    memory = draw.choice([b"\xff" * 8, bytes(8), draw.randbytes(8)])
    return with_node(rest, draw.choice([flipped(draw, node), node[:-8] + memory]), named_by=named_by)


def _other_change(draw: random.Random, change: tuple[bytes, bytes | None]) -> tuple[bytes, bytes | None]:
    key, value = change
    return draw.choice([(flipped(draw, key), value), (key, flipped(draw, value)), (key, b"" if value else None)])


def rerooted(draw: random.Random, content: Content, pre_root: bytes) -> tuple[Content, bytes]:
    """A node changed together with every node above it, and the root that results: hashes fit, sense need not."""
    at = draw.randrange(len(content.nodes))
    old = content.nodes[at]
    memory = draw.choice([b"\xff" * 8, bytes(8), draw.randbytes(8)])
    new = draw.choice([flipped(draw, old), old[:-8] + memory, old[: draw.randrange(len(old) + 1)]])
    while True:
        named_by = tuple(number for number, item in enumerate(content.transitions) if at in item.nodes)
        content = with_node(without_node(content, at), new, named_by=named_by)
        old_hash, new_hash = sha256(old), sha256(new)
        if old_hash == pre_root:
            return content, new_hash
        above = next((position for position, node in enumerate(content.nodes) if old_hash in node), None)
        if above is None:
            return content, pre_root
        at, old = above, content.nodes[above]
        new = old.replace(old_hash, new_hash)
