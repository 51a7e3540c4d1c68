"""Results of a batch by content: what was proved once is not proved again.

    objects/<SHA-256>.ntb   bundles, never changed
    jobs/<job id>.json      what came of a job, and which bundle it made; written last
    inputs/<SHA-256>        files that jobs on other machines read
    marks/<word>            by which these machines know the store
    <name>.ntb              the bundle of an item under its name, the same file as the object

A job id covers everything that determines a result, so that a finished job can be taken over whoever finished it.
Bundles are hashed again when they are taken over: a damaged one has never been made.

Mirrors the storage of content-addressed backup tools: objects first, the reference last, each durable.
"""

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from near_tee_cli.errors import BadInputError, WriteError
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.workspace.atomic import make_directory, sync_directory
from near_tee_cli.workspace.blobs import Blobs, DirectoryBlobs

MAX_OBJECT_BYTES = 64 << 20
MAX_JOB_BYTES = 1 << 20
MAX_INPUT_BYTES = 256 << 20
SUFFIX = ".ntb"


class Kept(NamedTuple):
    """A finished job."""

    summary: Mapping[str, Any]
    bundle: bytes


class Results:
    """Finished jobs, their bundles, and what jobs read."""

    def __init__(self, blobs: Blobs) -> None:
        self.blobs = blobs
        self._shipped: set[str] = set()

    def find(self, job_id: bytes) -> Kept | None:
        """What a finished job came to, `None` when it is not finished, or what it left is damaged."""
        try:
            document = self.blobs.read(_job(job_id), max_bytes=MAX_JOB_BYTES)
            if document is None:
                return None
            summary = cj.mapping(cj.loads(document, "the job"), "the job")
            bundle = self.bundle(cj.string(summary.get("bundle"), "bundle"))
        except BadInputError:
            return None
        return None if bundle is None else Kept(summary, bundle)

    def bundle(self, digest: str) -> bytes | None:
        """The bundle with that digest, `None` when there is none or it is damaged. Raises `BadInputError`."""
        data = self.blobs.read(_object(digest), max_bytes=MAX_OBJECT_BYTES)
        return data if data is not None and sha256(data).hex() == digest else None

    def keep(self, job_id: bytes, bundle: bytes, summary: Mapping[str, Any]) -> Mapping[str, Any]:
        """Store what a job came to; the summary with the digest of the bundle. Raises `WriteError`."""
        digest = sha256(bundle).hex()
        if not self.blobs.create(_object(digest), bundle) and self.bundle(digest) is None:
            self.blobs.replace(_object(digest), bundle)
        kept = {**summary, "bundle": digest}
        if not self.blobs.create(_job(job_id), cj.dumps(kept)) and self.find(job_id) is None:
            self.blobs.replace(_job(job_id), cj.dumps(kept))
        return kept

    def ship(self, digest: str, data: bytes) -> None:
        """Store a file that jobs read, under its digest. Raises `WriteError`."""
        if digest not in self._shipped:
            if not self.blobs.create(_input(digest), data) and self._input_data(digest) is None:
                self.blobs.replace(_input(digest), data)
            self._shipped.add(digest)

    def input(self, digest: str) -> bytes:
        """A file that was shipped. Raises `BadInputError` (`missing-input`) when it is not there or damaged."""
        data = self._input_data(digest)
        if data is None:
            raise BadInputError(f"the input {digest} is not in {self.blobs.location}", code="missing-input")
        return data

    def mark(self, word: str) -> None:
        """Leave a word, by which another machine knows that it sees the same store. Raises `WriteError`."""
        self.blobs.replace(_mark(word), b"")

    def is_marked(self, word: str) -> bool:
        """Whether somebody left that word here. Raises `BadInputError`."""
        return self.blobs.read(_mark(word), max_bytes=0) is not None

    def _input_data(self, digest: str) -> bytes | None:
        data = self.blobs.read(_input(digest), max_bytes=MAX_INPUT_BYTES)
        return data if data is not None and sha256(data).hex() == digest else None


class ResultStore(Results):
    """The results in a directory, with names."""

    def __init__(self, directory: str, *, resume: bool) -> None:
        """Open it, or make it. Raises `WriteError`: `exists` when something is there and it is not to be resumed."""
        self.directory = directory
        self._local = DirectoryBlobs(directory)
        super().__init__(self._local)
        if not resume and os.path.isdir(directory) and os.listdir(directory):
            raise WriteError(
                f"{directory} holds something already",
                code="exists",
                hint="--resume goes on with the batch that is there",
            )
        for path in (directory, self._local.path("objects"), self._local.path("jobs")):
            make_directory(path)

    def name(self, name: str, digest: str) -> str:
        """The path of a bundle under the name of its item, which it gets unless it has it. Raises `WriteError`."""
        path = os.path.join(self.directory, name + SUFFIX)
        temporary = self._local.path(f"jobs/.{name}.{os.getpid()}.tmp")
        try:
            os.link(self._local.path(_object(digest)), temporary)
            os.replace(temporary, path)
            sync_directory(self.directory)
        except OSError as error:
            raise WriteError(f"{path} cannot be written: {error.strerror or error}") from error
        finally:
            # Renaming a link onto another link of the same file leaves both.
            if os.path.lexists(temporary):
                os.unlink(temporary)
        return path


def _object(digest: str) -> str:
    return f"objects/{_hexadecimal(digest)}{SUFFIX}"


def _input(digest: str) -> str:
    return f"inputs/{_hexadecimal(digest)}"


def _mark(word: str) -> str:
    return f"marks/{word}"


def _job(job_id: bytes) -> str:
    return f"jobs/{job_id.hex()}.json"


def _hexadecimal(digest: str) -> str:
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise BadInputError("what is kept by content is named by 64 hexadecimal digits", code="bad-field")
    return digest
