"""The items of a batch: read from a manifest, understood as lines of `prove`, with all that they read.

An item becomes a job that is named by everything which determines its result: the values of its line and the content
of every file, but no path. To be executed on another machine it travels as values and digests; the files themselves
lie in a store, and get their own paths there.
"""

import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

import near_tee_cli
from near_tee_cli.batch.manifest import Item, parse_manifest
from near_tee_cli.cli import files
from near_tee_cli.cli.batch_options import BATCH
from near_tee_cli.cli.parameters import CommandLine, Given
from near_tee_cli.cli.parser import parse
from near_tee_cli.errors import BadInputError, UsageError
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.workspace.atomic import read_file

_JOB_DOMAIN = b"near-tee/batch-job/v1\0"
_FILES = ("contract_file", "args_file", "state", "context", "case", "from_step")
"""Parameters of an item that name a file or directory."""
_NOT_IN_AN_ITEM = ("out", "force", "sign_with", "key", "json", "output", "quiet", "verbose", "color", "no_color")
_WITHOUT_EFFECT = ("compiler", *_NOT_IN_AN_ITEM)
_RESULT_FILE = "ok:@"

LineOf = Callable[[list[str]], Given]
"""The values of the words of an item. Raises `UsageError` when they do not name one thing to prove."""


class Work(NamedTuple):
    """An item that is understood."""

    name: str
    given: Given
    job_id: bytes
    reads: tuple[str, ...]
    """Files and directories that it needs."""


def read_items(path: str) -> tuple[list[Item], str]:
    """The items of a manifest or of a directory of cases, and the directory that their paths start from.

    Raises `BadInputError`.
    """
    if path != files.STDIN and os.path.isdir(path):
        names = sorted(name for name in os.listdir(path) if name.endswith(".json"))
        if not names:
            raise BadInputError(f"{path} holds no cases (*.json)", code="bad-manifest")
        return [Item(name.removesuffix(".json"), (f"--case={name}",)) for name in names], path
    data = files.read(path, "the manifest", max_bytes=files.MAX_SNAPSHOT_BYTES)
    return parse_manifest(data, "the manifest"), os.path.dirname(path) if path != files.STDIN else ""


def line_parser(line: CommandLine, complete: Callable[[Given], Given]) -> LineOf:
    """Reads the words of an item as the words of `line`; `complete` adds what an item cannot say, and checks it."""

    def line_of(words: list[str]) -> Given:
        given = parse(line, words)
        for parameter in BATCH:
            if given[parameter.name] not in (None, False):
                raise UsageError(f"{parameter.flags[0]} is no part of an item", where=parameter.flags[0])
        return complete(given)

    return line_of


def understood(item: Item, base: str, line_of: LineOf) -> Work:
    """An item with its files hashed. Raises `UsageError` and `BadInputError`."""
    given = line_of(list(item.words))
    for name in _NOT_IN_AN_ITEM:
        if given[name] not in (None, False, 0, ()):
            raise UsageError(f"--{name.replace('_', '-')} is said once for a batch, not in an item", where=item.name)
    named = {name: given[name] for name in _FILES if given[name] is not None}
    contracts = [text.partition("=")[2] for text in given["with"]]
    results = [text.removeprefix(_RESULT_FILE) for text in given["promise_results"] if text.startswith(_RESULT_FILE)]
    if given["previous"] is not None and os.path.exists(os.path.join(base, given["previous"])):
        named["previous"] = given["previous"]
    if any(path == files.STDIN for path in (*named.values(), *contracts)):
        raise UsageError("an item of a batch reads no standard input", where=item.name)
    values = {name: value for name, value in given.items() if name not in (*_FILES, *_WITHOUT_EFFECT)}
    preimage = {
        "tool": near_tee_cli.__version__,
        "values": {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()},
        "files": [[name, _digest(os.path.join(base, path))] for name, path in named.items()],
        "more": [_digest(os.path.join(base, path)) for path in (*contracts, *results)],
    }
    reads = tuple(os.path.join(base, path) for path in (*named.values(), *contracts, *results))
    return Work(item.name, given, sha256(_JOB_DOMAIN + cj.dumps(preimage)), reads)


class Parcel(NamedTuple):
    """An item as it travels: values that name files by paths of their own, and what lies at these paths."""

    values: Mapping[str, Any]
    files: Mapping[str, str]
    """Relative path -> SHA-256, hexadecimal."""


def parcel(work: Work, base: str, ship: Callable[[str, bytes], None]) -> Parcel:
    """`work` for another machine; `ship` takes digest and bytes of every file. Raises `BadInputError`."""
    lies: dict[str, str] = {}
    places = itertools.count()

    def packed(path: str) -> str:
        """The path that a file or directory gets."""
        source = os.path.join(base, path)
        target = f"{next(places)}/{os.path.basename(os.path.abspath(path))}"
        for relative, inner in _files_of(source):
            digest = _digest(inner)
            data = _read(inner)
            if sha256(data).hex() != digest:
                raise BadInputError(f"{inner} has changed while it was read", code="unreadable", where=work.name)
            ship(digest, data)
            lies[os.path.normpath(os.path.join(target, relative))] = digest
        return target

    given = work.given
    values = {name: value for name, value in given.items() if value not in (None, False, 0, ())}
    for name in _FILES:
        if given[name] is not None:
            values[name] = packed(given[name])
    if given["previous"] is not None and os.path.exists(os.path.join(base, given["previous"])):
        values["previous"] = packed(given["previous"])
    for name, mark in (("with", "="), ("promise_results", _RESULT_FILE)):
        moved = []
        for text in given[name]:
            before, found, path = text.partition(mark)
            moved.append(f"{before}{mark}{packed(path)}" if found else text)
        values[name] = tuple(moved)
    return Parcel(values, lies)


@cache
def _digest(path: str) -> str:
    """SHA-256 of a file, or of the names and hashes of all files of a directory."""
    if not os.path.isdir(path):
        return sha256(_read(path)).hex()
    return sha256(cj.dumps([[relative, _digest(inner)] for relative, inner in _files_of(path)])).hex()


def _files_of(path: str) -> Iterator[tuple[str, str]]:
    """(path below `path`, path) of every file: one with an empty name for a file, else in order."""
    if not os.path.isdir(path):
        yield "", path
        return
    for folder, folders, names in os.walk(path):
        folders.sort()
        for name in sorted(names):
            inner = os.path.join(folder, name)
            yield os.path.relpath(inner, path), inner


def _read(path: str) -> bytes:
    return read_file(path, "the file", max_bytes=files.MAX_SNAPSHOT_BYTES)
