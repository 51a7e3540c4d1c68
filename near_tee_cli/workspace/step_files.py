"""Steps on disk: a directory of four files, or the same four in one file to hand on.

| file | what |
|---|---|
| `step.json` | the command as it was understood, blocks with all inputs, roots, yields, parent, digests of the others |
| `before.nts` | the snapshot before, Borsh |
| `after.nts` | the snapshot after, Borsh |
| `results.json` | what each block came to, in the form of the case format |

On a large state `before.ntw` has what the blocks read of it, and `after.lmdb` is the state after as a directory.

The names are fixed and nothing in a step names a path. Both forms appear whole or not at all, and both have the
digest of `step.json`, so that a step has the same children in either.
"""

import os
from collections.abc import Callable, Mapping
from typing import NamedTuple

from near_tee_cli.errors import BadInputError, UnsupportedError, WriteError
from near_tee_cli.primitives import base58
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.primitives.account_id import is_valid
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.integers import U32_MAX
from near_tee_cli.primitives.schema.wire import blob, read_blob, read_string, read_vector, string, vector, whole
from near_tee_cli.runtime.yield_history import Yield
from near_tee_cli.workspace import snapshot_borsh
from near_tee_cli.workspace.atomic import new_directory, read_file, write_directory, write_file, write_files
from near_tee_cli.workspace.cases import parse_hash
from near_tee_cli.workspace.snapshot_json import block_json, parse_block
from near_tee_cli.workspace.snapshots import MAX_BYTES, Snapshot
from near_tee_cli.workspace.state_directory import StateDirectory
from near_tee_cli.workspace.steps import Step, StepBlock, root_text
from near_tee_cli.workspace.witness_rows import WitnessRows, encode_witness, parse_witness
from near_tee_cli.workspace.yields_json import parse_yield, yield_json

SCHEMA = "near-tee/step/v1"
MAGIC = b"near-tee/step/v1\0"
"""What a step in one file begins with."""

SUFFIX = ".step"
"""How the name of a step in one file ends."""

STEP = "step.json"
BEFORE = "before.nts"
AFTER = "after.nts"
RESULTS = "results.json"
FILES = (STEP, BEFORE, AFTER, RESULTS)
BEFORE_LARGE = "before.ntw"
AFTER_LARGE = "after.lmdb"
_PARTS = (frozenset((BEFORE, AFTER, RESULTS)), frozenset((BEFORE_LARGE, AFTER_LARGE, RESULTS)))

_MEMBERS = (
    "schema", "about", "blocks", "codes", "files", "outcome", "parent", "post_root", "pre_root", "protocol_version",
    "yields",
)  # fmt: skip
_BLOCK_MEMBERS = ("block", "expired", "forward", "receipts", "transactions")


class StoredStep(NamedTuple):
    """A step as it was read; `digest` names it as a parent."""

    step: Step
    digest: bytes


class Packed(NamedTuple):
    """A step ready to be written."""

    files: Mapping[str, bytes]
    digest: bytes
    """SHA-256 of `step.json`, which has the digests of the other files."""
    large: bool = False
    """Whether the state after belongs beside the files, as a directory."""


def pack(step: Step) -> Packed:
    """The files of `step`. The same step gives the same bytes."""
    large = isinstance(step.before.rows, WitnessRows)
    results = cj.dumps(list(step.results), indent=1)
    after = snapshot_borsh.snapshot_borsh(step.after)
    if large:
        parts = {BEFORE_LARGE: encode_witness(step.before), RESULTS: results}
    else:
        parts = {BEFORE: snapshot_borsh.snapshot_borsh(step.before), AFTER: after, RESULTS: results}
    digests = {name: base58.encode(sha256(data)) for name, data in parts.items()}
    if large:
        # Of a directory the digest is that of its head, which has the root of everything else.
        digests[AFTER_LARGE] = base58.encode(sha256(after))
    document = {
        "schema": SCHEMA,
        "about": step.about,
        "outcome": step.outcome,
        "parent": None if step.parent is None else base58.encode(step.parent),
        "protocol_version": step.after.protocol_version,
        "pre_root": root_text(step.before),
        "post_root": root_text(step.after),
        "blocks": [_block_json(block) for block in step.blocks],
        "yields": [yield_json(one) for one in step.yields],
        "codes": {name: None if code is None else base58.encode(code) for name, code in step.codes.items()},
        "files": digests,
    }
    main = cj.dumps(document, indent=1)
    return Packed({STEP: main, **parts}, sha256(main), large)


def write_step(path: str, packed: Packed, *, save_after: Callable[[str], None] | None = None) -> None:
    """Store a step as the new directory `path`, or as one file when the name ends in `.step`.

    `save_after` makes the directory of a large state after. A step that is there already, byte for byte, is left as
    it is. Raises `WriteError`.
    """
    if _is_there(path, packed):
        return
    if packed.large:
        if path.endswith(SUFFIX) or save_after is None:
            raise WriteError(f"{path} cannot hold a large state: such a step is a directory", code="too-large")
        with new_directory(path) as temporary:
            write_files(temporary, packed.files)
            save_after(os.path.join(temporary, AFTER_LARGE))
    elif path.endswith(SUFFIX):
        parts = vector(string(name) + blob(packed.files[name]) for name in FILES)
        write_file(path, MAGIC + parts, overwrite=False)
    else:
        write_directory(path, packed.files)


def _is_there(path: str, packed: Packed) -> bool:
    if not is_step(path):
        return False
    try:
        return all(found == packed.files[name] for name, found in _read_files(path).items())
    except BadInputError:
        return False


def _block_json(block: StepBlock) -> dict[str, object]:
    return {
        "block": block_json(block.block),
        "forward": block.forward,
        "transactions": [cj.base64_text(raw) for raw in block.transactions],
        "expired": list(block.expired),
        "receipts": [cj.base64_text(raw) for raw in block.receipts],
    }


def is_step(path: str) -> bool:
    """Whether the directory or file `path` looks like a step."""
    if os.path.isdir(path):
        return os.path.isfile(os.path.join(path, STEP))
    if not os.path.isfile(path):
        return False
    try:
        with open(path, "rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def read_step(path: str) -> StoredStep:
    """The step at `path`, its files held against their digests.

    Raises `BadInputError` when something is missing, malformed or not what `step.json` says it is.
    """
    files = _read_files(path)
    main = files[STEP]
    members = _document(main, path)
    before, after = _snapshots(path, files, members["files"])
    version = cj.integer(members["protocol_version"], "protocol_version", bound=U32_MAX)
    for name, snapshot in (("pre_root", before), ("post_root", after)):
        if members[name] != root_text(snapshot):
            raise _damaged(f"{name} of the step is not that of its snapshot", name)
        if snapshot.protocol_version != version:
            raise _damaged("the step and its snapshots have different protocol versions", "protocol_version")
    blocks = cj.array(members["blocks"], "blocks")
    results = cj.array(cj.loads(files[RESULTS], RESULTS), RESULTS)
    if len(results) != len(blocks):
        raise _damaged(f"{len(results)} results for {len(blocks)} blocks", RESULTS)
    step = Step(
        about=cj.mapping(members["about"], "about"),
        outcome=cj.mapping(members["outcome"], "outcome"),
        before=before,
        blocks=tuple(_parse_block(block, f"blocks[{position}]") for position, block in enumerate(blocks)),
        after=after,
        results=tuple(cj.mapping(result, RESULTS) for result in results),
        yields=_parse_yields(members["yields"]),
        codes=_parse_codes(members["codes"]),
        parent=_parse_parent(members["parent"]),
    )
    return StoredStep(step, sha256(main))


def _snapshots(path: str, files: Mapping[str, bytes], value: object) -> tuple[Snapshot, Snapshot]:
    """The snapshots before and after, everything held against the digests in `value`."""
    large = BEFORE_LARGE in files
    digests = cj.members(value, "files", required=sorted(_PARTS[large]))
    expected = {name: parse_hash(digest, f"files.{name}") for name, digest in digests.items()}
    for name, digest in expected.items():
        if name in files and sha256(files[name]) != digest:
            raise _damaged(f"{name} is not the file that the step was written with", name)
    if not large:
        return snapshot_borsh.parse_snapshot(files[BEFORE]), snapshot_borsh.parse_snapshot(files[AFTER])
    after = StateDirectory(os.path.join(path, AFTER_LARGE)).snapshot
    if sha256(snapshot_borsh.snapshot_borsh(after._replace(rows={}))) != expected[AFTER_LARGE]:
        raise _damaged(f"{AFTER_LARGE} is not the state that the step was written with", AFTER_LARGE)
    return parse_witness(files[BEFORE_LARGE]), after


class Summary(NamedTuple):
    """What a list of steps shows of one: read from `step.json` alone, and not held against the other files."""

    path: str
    digest: bytes
    parent: bytes | None
    about: Mapping[str, object]
    outcome: Mapping[str, object]
    heights: tuple[int, ...]
    yields: tuple[Yield, ...]


def read_summary(path: str) -> Summary:
    """The summary of the step at `path`. Raises `BadInputError`."""
    main = _read_files(path)[STEP] if os.path.isfile(path) else _read_part(path, STEP)
    members = _document(main, path)
    blocks = cj.array(members["blocks"], "blocks")
    return Summary(
        path=path,
        digest=sha256(main),
        parent=_parse_parent(members["parent"]),
        about=cj.mapping(members["about"], "about"),
        outcome=cj.mapping(members["outcome"], "outcome"),
        heights=tuple(_parse_block(block, f"blocks[{position}]").block.height for position, block in enumerate(blocks)),
        yields=_parse_yields(members["yields"]),
    )


def _read_files(path: str) -> dict[str, bytes]:
    """The files of the step at `path` by name."""
    if os.path.isdir(path):
        large = os.path.lexists(os.path.join(path, BEFORE_LARGE))
        names = (STEP, BEFORE_LARGE, RESULTS) if large else FILES
        return {name: _read_part(path, name) for name in names}
    data = read_file(path, "the step", max_bytes=2 * MAX_BYTES)
    if not data.startswith(MAGIC):
        raise BadInputError(f"{path} is no step", code="not-a-step")
    parts = whole(data[len(MAGIC) :], lambda raw, at: read_vector(raw, at, _read_named), what="step")
    if tuple(name for name, _ in parts) != FILES:
        raise _damaged(f"a step holds {', '.join(FILES)}, in this order", path)
    return dict(parts)


def _read_named(data: bytes, at: int) -> tuple[tuple[str, bytes], int]:
    name, at = read_string(data, at)
    content, at = read_blob(data, at)
    return (name, content), at


def _read_part(path: str, name: str) -> bytes:
    return read_file(os.path.join(path, name), "part of the step", max_bytes=MAX_BYTES)


def _document(main: bytes, path: str) -> Mapping[str, object]:
    document = cj.mapping(cj.loads(main, STEP), STEP)
    schema = document.get("schema")
    if schema != SCHEMA:
        if str(schema).startswith("near-tee/step/"):
            raise UnsupportedError(f"step schema {cj.shown(schema)} is not known, only {SCHEMA}", what="step-schema")
        raise BadInputError(f"{path} is no step: schema is {cj.shown(schema)}", code="not-a-step")
    return cj.members(document, STEP, required=_MEMBERS)


def _parse_yields(value: object) -> tuple[Yield, ...]:
    return tuple(parse_yield(one, f"yields[{position}]") for position, one in enumerate(cj.array(value, "yields")))


def _parse_codes(value: object) -> dict[str, bytes | None]:
    codes = cj.mapping(value, "codes")
    for name in codes:
        if not is_valid(name):
            raise BadInputError(f"codes has {cj.shown(name)}, which is no account", code="bad-field", where="codes")
    return {name: None if code is None else parse_hash(code, f"codes.{name}") for name, code in codes.items()}


def _parse_parent(value: object) -> bytes | None:
    return None if value is None else parse_hash(value, "parent")


def _damaged(message: str, where: str) -> BadInputError:
    return BadInputError(message, code="step-damaged", where=where)


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
