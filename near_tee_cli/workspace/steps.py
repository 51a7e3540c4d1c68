"""Steps: one command's work as a directory from which it can be proved, repeated and gone on from.

| file | what |
|---|---|
| `step.json` | the command as it was understood, blocks with all inputs, roots, parent, digests of the other files |
| `before.nts` | the snapshot before, Borsh |
| `after.nts` | the snapshot after, Borsh |
| `results.json` | what each block came to, in the form of the case format |

The names are fixed and nothing in a step names a path. A directory appears whole or not at all.
"""

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from near_tee_cli.errors import BadInputError, EvidenceError, UnsupportedError
from near_tee_cli.primitives import base58
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.receipt import Receipt, decode_receipt, encode_receipt
from near_tee_cli.primitives.schema.transaction import decode_signed_transaction, encode_signed_transaction
from near_tee_cli.runtime.block import BlockContext
from near_tee_cli.runtime.chunk import Machine
from near_tee_cli.runtime.world import Transition, World
from near_tee_cli.workspace import snapshot_borsh
from near_tee_cli.workspace.atomic import read_file, write_directory
from near_tee_cli.workspace.cases import parse_hash
from near_tee_cli.workspace.replay import result_json
from near_tee_cli.workspace.snapshot_json import block_json, parse_block
from near_tee_cli.workspace.snapshots import MAX_BYTES, Snapshot, world_of

SCHEMA = "near-tee/step/v1"

STEP = "step.json"
BEFORE = "before.nts"
AFTER = "after.nts"
RESULTS = "results.json"

_MEMBERS = ("schema", "about", "blocks", "files", "parent", "post_root", "pre_root")
_BLOCK_MEMBERS = ("block", "expired", "forward", "receipts", "transactions")


class StepBlock(NamedTuple):
    """One block with everything that went in, as Borsh."""

    block: BlockContext
    forward: bool
    """Whether what was in flight before came in first."""
    transactions: tuple[bytes, ...]
    expired: tuple[int, ...]
    receipts: tuple[bytes, ...]
    """Those that came in from outside."""


class Step(NamedTuple):
    """One command's work."""

    about: Mapping[str, object]
    """The command as it was understood, with every default filled in: for people and for repeating it."""
    before: Snapshot
    blocks: tuple[StepBlock, ...]
    after: Snapshot
    results: tuple[Mapping[str, object], ...]
    """What each block came to, in the form of the case format."""
    parent: bytes | None
    """Digest of the step that this one went on from."""


class StoredStep(NamedTuple):
    """A step read from its directory; `digest` names it as a parent."""

    step: Step
    digest: bytes


def step_of(
    about: Mapping[str, object],
    transitions: Sequence[Transition],
    *,
    before: Snapshot,
    after: Snapshot,
    parent: bytes | None,
) -> Step:
    """The step that took `before` to `after` by applying `transitions`."""
    blocks = []
    in_flight = before.in_flight
    for transition in transitions:
        blocks.append(_block_of(transition, in_flight))
        in_flight = transition.result.outgoing_receipts
    results = tuple(result_json(transition.result) for transition in transitions)
    return Step(about, before, tuple(blocks), after, results, parent)


def _block_of(transition: Transition, in_flight: tuple[Receipt, ...]) -> StepBlock:
    inputs = transition.inputs
    forward = inputs.receipts[: len(in_flight)] == in_flight
    outside = inputs.receipts[len(in_flight) :] if forward else inputs.receipts
    return StepBlock(
        block=transition.block,
        forward=forward,
        transactions=tuple(map(encode_signed_transaction, inputs.transactions)),
        expired=tuple(sorted(inputs.expired)),
        receipts=tuple(map(encode_receipt, outside)),
    )


def write_step(path: str, step: Step) -> bytes:
    """Store `step` as the new directory `path`. Gives its digest. Raises `WriteError`."""
    files = {
        BEFORE: snapshot_borsh.snapshot_borsh(step.before),
        AFTER: snapshot_borsh.snapshot_borsh(step.after),
        RESULTS: cj.dumps(list(step.results), indent=1),
    }
    document = {
        "schema": SCHEMA,
        "about": step.about,
        "parent": None if step.parent is None else base58.encode(step.parent),
        "pre_root": _root_text(step.before),
        "post_root": _root_text(step.after),
        "blocks": [_block_json(block) for block in step.blocks],
        "files": {name: base58.encode(sha256(data)) for name, data in files.items()},
    }
    main = cj.dumps(document, indent=1)
    write_directory(path, {**files, STEP: main})
    return sha256(main)


def _root_text(snapshot: Snapshot) -> str | None:
    return None if snapshot.state_root is None else base58.encode(snapshot.state_root)


def _block_json(block: StepBlock) -> dict[str, object]:
    return {
        "block": block_json(block.block),
        "forward": block.forward,
        "transactions": [cj.base64_text(raw) for raw in block.transactions],
        "expired": list(block.expired),
        "receipts": [cj.base64_text(raw) for raw in block.receipts],
    }


def is_step(path: str) -> bool:
    """Whether the directory `path` looks like a step."""
    return os.path.isfile(os.path.join(path, STEP))


def read_step(path: str) -> StoredStep:
    """The step in the directory `path`, its files held against their digests.

    Raises `BadInputError` when something is missing, malformed or not what `step.json` says it is.
    """
    main = read_file(os.path.join(path, STEP), "the step", max_bytes=MAX_BYTES)
    document = cj.mapping(cj.loads(main, STEP), STEP)
    schema = document.get("schema")
    if schema != SCHEMA:
        if str(schema).startswith("near-tee/step/"):
            raise UnsupportedError(f"step schema {cj.shown(schema)} is not known, only {SCHEMA}", what="step-schema")
        raise BadInputError(f"{path} is no step: schema is {cj.shown(schema)}", code="not-a-step")
    members = cj.members(document, STEP, required=_MEMBERS)
    digests = cj.members(members["files"], "files", required=(AFTER, BEFORE, RESULTS))
    contents = {name: _part(path, name, parse_hash(digests[name], f"files.{name}")) for name in digests}
    before = snapshot_borsh.parse_snapshot(contents[BEFORE])
    after = snapshot_borsh.parse_snapshot(contents[AFTER])
    for name, snapshot in (("pre_root", before), ("post_root", after)):
        if members[name] != _root_text(snapshot):
            raise BadInputError(f"{name} of the step is not that of its snapshot", code="step-damaged", where=name)
    blocks = cj.array(members["blocks"], "blocks")
    results = cj.array(cj.loads(contents[RESULTS], RESULTS), RESULTS)
    if len(results) != len(blocks):
        raise BadInputError(f"{len(results)} results for {len(blocks)} blocks", code="step-damaged", where=RESULTS)
    parent = members["parent"]
    step = Step(
        about=cj.mapping(members["about"], "about"),
        before=before,
        blocks=tuple(_parse_block(block, f"blocks[{position}]") for position, block in enumerate(blocks)),
        after=after,
        results=tuple(cj.mapping(result, RESULTS) for result in results),
        parent=None if parent is None else parse_hash(parent, "parent"),
    )
    return StoredStep(step, sha256(main))


def _part(path: str, name: str, digest: bytes) -> bytes:
    data = read_file(os.path.join(path, name), "part of the step", max_bytes=MAX_BYTES)
    if sha256(data) != digest:
        raise BadInputError(f"{name} is not the file that the step was written with", code="step-damaged", where=name)
    return data


def _parse_block(value: object, where: str) -> StepBlock:
    members = cj.members(value, where, required=_BLOCK_MEMBERS)

    def raws(name: str) -> tuple[bytes, ...]:
        items = cj.array(members[name], f"{where}.{name}")
        return tuple(cj.base64(item, f"{where}.{name}[{position}]") for position, item in enumerate(items))

    transactions = raws("transactions")
    expired = cj.array(members["expired"], f"{where}.expired")
    return StepBlock(
        block=parse_block(members["block"], f"{where}.block"),
        forward=cj.boolean(members["forward"], f"{where}.forward"),
        transactions=transactions,
        expired=tuple(cj.integer(index, f"{where}.expired", bound=max(len(transactions) - 1, 0)) for index in expired),
        receipts=raws("receipts"),
    )


class Repeated(NamedTuple):
    """A step applied again: the world as it is after it, and the transitions, which can be proved."""

    world: World
    transitions: tuple[Transition, ...]


def repeat_step(step: Step, *, machine: Machine) -> Repeated:
    """Apply the blocks of `step` again.

    Raises `EvidenceError` (`step-mismatch`) when they come to something else than the step holds, and whatever
    applying a block raises.
    """
    world = world_of(step.before)
    transitions = []
    for position, (block, recorded) in enumerate(zip(step.blocks, step.results, strict=True)):
        transition = world.produce_block(
            block.block,
            transactions=[decode_signed_transaction(raw) for raw in block.transactions],
            expired=block.expired,
            receipts=[decode_receipt(raw) for raw in block.receipts],
            forward=block.forward,
            machine=machine,
        )
        found = result_json(transition.result)
        for name, value in recorded.items():
            if found.get(name) != value:
                where = f"blocks[{position}].{name}"
                raise EvidenceError(
                    f"{where} is not what applying the step again gives", code="step-mismatch", where=where
                )
        transitions.append(transition)
    if step.after.state_root is not None and world.root != step.after.state_root:
        raise EvidenceError("applying the step again leads to another root", code="step-mismatch", where="post_root")
    return Repeated(world, tuple(transitions))
