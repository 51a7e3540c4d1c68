"""All entries, in the order of their names, and the directories that they lie in."""

import functools
import json
import pathlib
from collections.abc import Iterator
from itertools import chain

from tests.reject import attested, chains, claims, expected, files, signed, tries
from tests.reject.entry import Entry

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "fixtures" / "reject"
BUNDLE = "bundle.ntb"
EXPECTED = "expected.json"
STORED_BYTES = 40_000
"""A larger bundle is not stored: a test makes it when it is needed."""


@functools.cache
def entries() -> tuple[Entry, ...]:
    """Every entry."""
    found = sorted(
        chain(
            files.entries(),
            claims.entries(),
            tries.entries(),
            expected.entries(),
            signed.entries(),
            signed.untrusted(),
            chains.entries(),
            attested.entries(),
        )
    )
    names = [entry.name for entry in found]
    doubled = {name for name in names if names.count(name) > 1}
    if doubled:
        raise ValueError(f"two entries are called {sorted(doubled)}")
    return tuple(found)


def bundles_of(entry: Entry) -> Iterator[tuple[str, bytes]]:
    """File names and bytes of an entry."""
    yield BUNDLE, entry.data
    for number, data in enumerate(entry.more, 2):
        yield f"bundle-{number}.ntb", data
    yield from entry.files


def write(folder: pathlib.Path) -> int:
    """Write every entry below `folder`; how many."""
    for entry in entries():
        place = folder / entry.name
        place.mkdir(parents=True, exist_ok=True)
        (place / EXPECTED).write_text(entry.expected(), encoding="utf-8")
        for name, data in bundles_of(entry):
            if len(data) <= STORED_BYTES:
                (place / name).write_bytes(data)
    return len(entries())


def stored(folder: pathlib.Path = FOLDER) -> dict[str, tuple[dict, dict[str, bytes]]]:
    """Name -> what is expected, and the bundles and other files that lie there."""
    found = {}
    for place in sorted(path for path in folder.iterdir() if path.is_dir()):
        document = json.loads((place / EXPECTED).read_text(encoding="utf-8"))
        found[place.name] = (
            document,
            {path.name: path.read_bytes() for path in sorted(place.iterdir()) if path.name != EXPECTED},
        )
    return found
