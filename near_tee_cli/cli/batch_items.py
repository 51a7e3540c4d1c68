"""The items of a batch: read from a manifest, understood as lines of `prove`, with all that they read.

An item becomes a job that is named by everything which determines its result: the values of its line and the content
of every file, but no path. Its values then name the copies that were made of these files, so that they mean the same
on another machine where the same copies lie.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import near_tee_cli
from near_tee_cli.batch.manifest import Item, is_plain, parse_manifest
from near_tee_cli.cli import files, units
from near_tee_cli.cli.agents import ATTEST
from near_tee_cli.cli.batch_inputs import Input, Inputs
from near_tee_cli.cli.batch_jobs import readable
from near_tee_cli.cli.batch_options import BATCH
from near_tee_cli.cli.parameters import CommandLine, Given
from near_tee_cli.cli.parser import HELP_FLAGS, parse
from near_tee_cli.errors import BadInputError, UsageError
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.primitives.hashes import sha256

_JOB_DOMAIN = b"near-tee/batch-job/v2\0"
_FILES = ("contract_file", "args_file", "state", "context", "case", "from_step")
"""Parameters of an item that name a file or directory."""
_FOLDERS = ("state", "from_step")
"""Those among them that may be a directory."""
_NAMING = {"with": "=", "promise_results": "ok:@"}
"""Parameters that are told several times, and what stands before a path in them."""
_NOT_IN_AN_ITEM = (
    "all_steps",
    "out",
    "force",
    "sign_with",
    "key",
    "compiler",
    "json",
    "output",
    "quiet",
    "verbose",
    "color",
    "no_color",
)

LineOf = Callable[[list[str]], Given]
"""The values of the words of an item. Raises `UsageError` when they do not name one thing to prove."""


class Work(NamedTuple):
    """An item that is understood."""

    name: str
    given: Given
    """Its values, in which the paths of copies stand."""
    job_id: bytes
    inputs: tuple[Input, ...]
    """Everything that it reads."""

    @property
    def files(self) -> Mapping[str, str]:
        """Path of the copy -> SHA-256, of every file."""
        return {path: digest for one in self.inputs for path, digest in one.files.items()}


def read_items(path: str) -> tuple[list[Item], str]:
    """The items of a manifest or of a directory of cases, and the directory that their paths start from.

    Raises `BadInputError`.
    """
    if path != files.STDIN and os.path.isdir(path):
        names = sorted(name for name in os.listdir(path) if name.endswith(".json"))
        if not names:
            raise BadInputError(f"{path} holds no cases (*.json)", code="bad-manifest")
        return [Item(readable(name.removesuffix(".json")), (f"--case={name}",)) for name in names], path
    data = files.read(path, "the manifest", max_bytes=files.MAX_SNAPSHOT_BYTES)
    return parse_manifest(data, "the manifest"), os.path.dirname(path) if path != files.STDIN else ""


def line_parser(line: CommandLine, complete: Callable[[Given], Given]) -> LineOf:
    """Reads the words of an item as the words of `line`; `complete` adds what an item cannot say, and checks it."""

    def line_of(words: list[str]) -> Given:
        if HELP_FLAGS[0] in words:
            raise UsageError(f"{HELP_FLAGS[0]} is no part of an item", where=HELP_FLAGS[0])
        given = parse(line, words)
        for parameter in line.parameters:
            is_refused = parameter in BATCH or parameter in ATTEST or parameter.name in _NOT_IN_AN_ITEM
            if is_refused and given[parameter.name] not in (None, False, 0):
                flag = parameter.flags[0]
                raise UsageError(f"{flag} is no part of an item: it is said for a batch, if at all", where=flag)
        return complete(given)

    return line_of


def understood(item: Item, base: str, line_of: LineOf, inputs: Inputs) -> Work:
    """An item with what it reads. Raises `UsageError`, `BadInputError` and `WriteError`."""
    if not is_plain(item.name):
        raise BadInputError(
            "a name has at most 100 letters, digits, dots, dashes and underscores", code="bad-name", where=item.name
        )
    given = dict(line_of(list(item.words)))
    meant = dict(given)
    reads: list[Input] = []

    def taken(path: str, *, is_file: bool = True) -> Input:
        if path == files.STDIN:
            raise UsageError("an item of a batch reads no standard input", where=item.name)
        reads.append(inputs.take(os.path.join(base, path), is_file=is_file))
        return reads[-1]

    for name in _FILES:
        if given[name] is not None:
            given[name], meant[name] = _told(taken(given[name], is_file=name not in _FOLDERS))
    if given["previous"] is not None:
        if os.path.exists(os.path.join(base, given["previous"])):
            given["previous"], meant["previous"] = _told(taken(given["previous"]))
        else:
            units.hash32(given["previous"], "--previous")
    for name, mark in _NAMING.items():
        texts = [_moved(text, mark, taken) for text in given[name]]
        given[name], meant[name] = tuple(text for text, _ in texts), tuple(text for _, text in texts)
    preimage = {"tool": near_tee_cli.__version__, "values": _plain_values(meant)}
    return Work(item.name, given, sha256(_JOB_DOMAIN + cj.dumps(preimage)), tuple(reads))


def _told(taken: Input) -> tuple[str, str]:
    """What stands for a file: in the values of a line, and in what names a job."""
    return taken.path, f"sha256:{taken.digest}"


def _moved(text: str, mark: str, taken: Callable[[str], Input]) -> tuple[str, str]:
    """As `_told`, for a value that names a file behind a mark."""
    before, found, path = text.partition(mark)
    if not found or (mark != "=" and before):
        return text, text
    place, digest = _told(taken(path))
    return f"{before}{found}{place}", f"{before}{found}{digest}"


def _plain_values(given: Given) -> dict[str, Any]:
    """The values that say something, for JSON."""
    said = {name: value for name, value in given.items() if value not in (None, False, 0, ())}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in said.items()}


def parcel(work: Work) -> dict[str, Any]:
    """`work` as it travels; its files have to lie in a store under their digests."""
    return {
        "name": work.name,
        "job_id": work.job_id.hex(),
        "values": _plain_values(work.given),
        "files": dict(work.files),
    }
