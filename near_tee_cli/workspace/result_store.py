"""Results of a batch by content: what was proved once is not proved again.

    DIR/objects/<SHA-256>.ntb   bundles, never changed
    DIR/jobs/<job id>.json      what came of a job, and which bundle it made; written last
    DIR/<name>.ntb              the bundle of an item under its name, the same file as the object

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
from near_tee_cli.workspace.atomic import make_directory, read_file, sync_directory, write_file

MAX_OBJECT_BYTES = 64 << 20
MAX_JOB_BYTES = 1 << 20
SUFFIX = ".ntb"


class Kept(NamedTuple):
    """A finished job."""

    summary: Mapping[str, Any]
    bundle: bytes


class ResultStore:
    """The results in a directory."""

    def __init__(self, directory: str, *, resume: bool) -> None:
        """Open it, or make it. Raises `WriteError`: `exists` when something is there and it is not to be resumed."""
        self.directory = directory
        self._objects = os.path.join(directory, "objects")
        self._jobs = os.path.join(directory, "jobs")
        if not resume and os.path.isdir(directory) and os.listdir(directory):
            raise WriteError(
                f"{directory} holds something already",
                code="exists",
                hint="--resume goes on with the batch that is there",
            )
        for path in (directory, self._objects, self._jobs):
            make_directory(path)

    def find(self, job_id: bytes) -> Kept | None:
        """What a finished job came to, `None` when it is not finished, or what it left is damaged."""
        try:
            document = read_file(self._job(job_id), "the job", max_bytes=MAX_JOB_BYTES)
            summary = cj.mapping(cj.loads(document, "the job"), "the job")
            digest = cj.string(summary.get("bundle"), "bundle")
            bundle = read_file(self._object(digest), "the bundle", max_bytes=MAX_OBJECT_BYTES)
        except BadInputError:
            return None
        return Kept(summary, bundle) if sha256(bundle).hex() == digest else None

    def keep(self, job_id: bytes, bundle: bytes, summary: Mapping[str, Any]) -> Mapping[str, Any]:
        """Store what a job came to; the summary with the digest of the bundle. Raises `WriteError`."""
        digest = sha256(bundle).hex()
        self._store(self._object(digest), bundle)
        kept = {**summary, "bundle": digest}
        write_file(self._job(job_id), cj.dumps(kept), overwrite=True)
        return kept

    def name(self, name: str, digest: str) -> str:
        """The path of a bundle under the name of its item, which it gets unless it has it. Raises `WriteError`."""
        path = os.path.join(self.directory, name + SUFFIX)
        temporary = os.path.join(self._jobs, f".{name}.{os.getpid()}.tmp")
        try:
            os.link(self._object(digest), temporary)
            os.replace(temporary, path)
            sync_directory(self.directory)
        except OSError as error:
            raise WriteError(f"{path} cannot be written: {error.strerror or error}") from error
        finally:
            # Renaming a link onto another link of the same file leaves both.
            if os.path.lexists(temporary):
                os.unlink(temporary)
        return path

    def _store(self, path: str, data: bytes) -> None:
        try:
            write_file(path, data, overwrite=False)
        except WriteError as error:
            if error.code != "exists":
                raise
            if sha256(read_file(path, "the bundle", max_bytes=MAX_OBJECT_BYTES)) != sha256(data):
                write_file(path, data, overwrite=True)
            sync_directory(self._objects)

    def _object(self, digest: str) -> str:
        if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
            raise BadInputError("a bundle is named by 64 hexadecimal digits", code="bad-field")
        return os.path.join(self._objects, digest + SUFFIX)

    def _job(self, job_id: bytes) -> str:
        return os.path.join(self._jobs, job_id.hex() + ".json")
