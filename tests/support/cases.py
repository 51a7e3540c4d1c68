"""The recorded cases of the project: `case("runtime/promises/promises-callback")`, `names()`.

They lie in one archive per family. A neighbouring directory with the same cases as files is used instead when it is
there, so that new cases are tried without packing them.
"""

import functools
import pathlib
import tarfile

from near_tee_cli.workspace.cases import Case, read_case

PROJECT = pathlib.Path(__file__).resolve().parents[2]
ARCHIVES = PROJECT / "fixtures" / "cases"
NEIGHBOUR = PROJECT.parent / "shared" / "vectors"


@functools.cache
def _family(family: str) -> dict[str, bytes]:
    """The documents of a family such as `vm/host`, by full name."""
    folder = NEIGHBOUR / family
    if folder.is_dir():
        return {f"{family}/{path.stem}": path.read_bytes() for path in sorted(folder.glob("*.json"))}
    return packed(family)


def packed(family: str) -> dict[str, bytes]:
    """The documents of a family as the project itself holds them."""
    documents = {}
    with tarfile.open(ARCHIVES / f"{family.replace('/', '-')}.tar.xz") as archive:
        for member in archive:
            file = archive.extractfile(member)
            if file is not None:
                documents[member.name.removesuffix(".json")] = file.read()
    return documents


def families() -> list[str]:
    """Names of the families, such as `vm/host`."""
    return sorted(path.name.removesuffix(".tar.xz").replace("-", "/", 1) for path in ARCHIVES.glob("*.tar.xz"))


def names(family: str | None = None) -> list[str]:
    """Full names of all cases, or of those of one family."""
    wanted = families() if family is None else [family]
    return [name for found in wanted for name in sorted(_family(found))]


def document(name: str) -> bytes:
    """The JSON text of a case by its full name."""
    return _family(name.rpartition("/")[0])[name]


def case(name: str) -> Case:
    """A case by its full name."""
    return read_case(document(name), name)
