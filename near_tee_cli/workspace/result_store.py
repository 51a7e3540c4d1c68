"""Results of a batch by content: what was proved once is not proved again.

    objects/<SHA-256>.ntb   bundles, never changed
    jobs/<job id>.json      what came of a job, which bundle it made, and a seal; written last
    inputs/<SHA-256>        files that jobs on other machines read
    marks/<word>            by which these machines know the store
    <name>.ntb              a copy of the bundle of an item under its name, with the signatures that it got

A job id covers everything that determines a result, so that a finished job can be taken over whoever finished it, if
its seal (`result_seal`) says that we believe them. Bundles are hashed again when they are taken over: a damaged one
has never been made.

Mirrors the storage of content-addressed backup tools: objects first, the reference last, each durable.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from near_tee_cli.errors import BadInputError, WriteError
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.proof.bundle import KEY_PATHS, decode_bundle, encode_bundle
from near_tee_cli.proof.report import Verdict
from near_tee_cli.proof.verifier import NO_REPLAY, verify
from near_tee_cli.workspace.atomic import make_directory, read_file, sync_directory, write_file
from near_tee_cli.workspace.blobs import Blobs, DirectoryBlobs
from near_tee_cli.workspace.result_seal import Key, is_sealed, own_key, seal

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

    def __init__(self, blobs: Blobs, *, key: Key, suffix: str = SUFFIX) -> None:
        """`key` seals what is finished, and tells what others have finished for us. Objects end in `suffix`."""
        self.blobs = blobs
        self._key = key
        self._suffix = suffix
        self._shipped: set[str] = set()

    def find(self, job_id: bytes) -> Kept | None:
        """What a finished job came to, `None` when it is not finished, or what it left is damaged or not sealed."""
        try:
            document = self.blobs.read(_job(job_id), max_bytes=MAX_JOB_BYTES)
            if document is None:
                return None
            summary = dict(cj.mapping(cj.loads(document, "the job"), "the job"))
            told = cj.string(summary.pop("seal", None), "seal")
            if not is_sealed(self._key, job_id, cj.dumps(summary), told=told):
                return None
            bundle = self.bundle(cj.string(summary.get("bundle"), "bundle"))
        except BadInputError:
            return None
        return None if bundle is None else Kept(summary, bundle)

    def bundle(self, digest: str) -> bytes | None:
        """The bundle with that digest, `None` when there is none or it is damaged. Raises `BadInputError`."""
        data = self.blobs.read(self._place(digest), max_bytes=MAX_OBJECT_BYTES)
        return data if data is not None and sha256(data).hex() == digest else None

    def keep(self, job_id: bytes, bundle: bytes, summary: Mapping[str, Any]) -> Mapping[str, Any]:
        """Store what a job came to; the summary with the digest of the bundle. Raises `WriteError`."""
        digest = sha256(bundle).hex()
        if not self.blobs.create(self._place(digest), bundle) and self.bundle(digest) is None:
            self.blobs.replace(self._place(digest), bundle)
        kept = {**summary, "bundle": digest}
        document = cj.dumps({**kept, "seal": seal(self._key, job_id, cj.dumps(kept))})
        if not self.blobs.create(_job(job_id), document) and self.find(job_id) is None:
            self.blobs.replace(_job(job_id), document)
        return kept

    def ship(self, digest: str, read: Callable[[], bytes]) -> None:
        """Store a file that jobs read, under its digest, once. Raises `WriteError`."""
        if digest not in self._shipped:
            data = read()
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

    def _place(self, digest: str) -> str:
        return f"objects/{_hexadecimal(digest)}{self._suffix}"

    def _input_data(self, digest: str) -> bytes | None:
        data = self.blobs.read(_input(digest), max_bytes=MAX_INPUT_BYTES)
        return data if data is not None and sha256(data).hex() == digest else None


class ResultStore(Results):
    """The results in a directory, with names."""

    def __init__(self, directory: str, *, resume: bool, key: Key = own_key) -> None:
        """Open it, or make it. Raises `WriteError`: `exists` when something is there and it is not to be resumed."""
        key()  # is there, or says so now
        self.directory = directory
        self._local = DirectoryBlobs(directory)
        super().__init__(self._local, key=key)
        if not resume and os.path.isdir(directory) and os.listdir(directory):
            raise WriteError(
                f"{directory} holds something already",
                code="exists",
                hint="--resume goes on with the batch that is there",
            )
        for path in (directory, self._local.path("objects"), self._local.path("jobs")):
            make_directory(path)

    def name(self, name: str, digest: str) -> str:
        """The path of a bundle under the name of its item, of which it gets a copy there.

        What is there stays when it is this bundle with signatures, and gives way when it is another one of ours, signed
        or not. Raises `WriteError`: `exists` when it is anything else.
        """
        path = self._named(name)
        found = self._lies(path)
        is_there = found is not None and _is_form_of(found, digest)
        if found is not None and not is_there and self.bundle(_unsigned_digest(found)) is None:
            raise _taken(path)
        try:
            if is_there:
                sync_directory(self.directory)
            else:
                write_file(path, self._object(digest), overwrite=found is not None)
        except (BadInputError, OSError) as error:
            raise WriteError(f"{path} cannot be written: {error}") from error
        except WriteError as error:
            if error.code != "exists" or found is not None:
                raise
            return self.name(name, digest)  # somebody was faster
        return path

    def form(self, name: str, digest: str) -> bytes:
        """A bundle with the signatures that it has under its name; without them when something else lies there.

        Raises `BadInputError` (`not-found`) when neither is there any more.
        """
        found = self._lies(self._named(name))
        return found if found is not None and _is_form_of(found, digest) else self._object(digest)

    def sign(self, name: str, signed: bytes) -> None:
        """Give the bundle under a name the signed form of it. Raises `WriteError`."""
        write_file(self._named(name), signed, overwrite=True)

    def _named(self, name: str) -> str:
        return os.path.join(self.directory, name + SUFFIX)

    def _object(self, digest: str) -> bytes:
        data = self.bundle(digest)
        if data is None:
            raise BadInputError(f"the bundle {digest} is not in {self.directory} any more", code="not-found")
        return data

    def _lies(self, path: str) -> bytes | None:
        """What lies at `path`, `None` for nothing. Raises `WriteError` (`exists`) when it is no file of ours."""
        if not os.path.lexists(path):
            return None
        try:
            if os.path.islink(path):
                raise _taken(path)
            return read_file(path, "the bundle", max_bytes=MAX_OBJECT_BYTES)
        except BadInputError as error:
            raise _taken(path) from error


def _is_form_of(data: bytes, digest: str) -> bool:
    """Whether `data` is the bundle with that digest, with or without signatures, all of which hold."""
    if sha256(data).hex() == digest:
        return True
    return _unsigned_digest(data) == digest and verify(data, require=NO_REPLAY).verdict is Verdict.ESTABLISHED


def _unsigned_digest(data: bytes) -> str:
    """The digest of a bundle as it was proved; of what is no bundle its own."""
    try:
        bundle = decode_bundle(data)
    except BadInputError:
        return sha256(data).hex()
    proved = tuple(item for item in bundle.attachments if item.kind == KEY_PATHS)
    return sha256(encode_bundle(bundle._replace(attachments=proved))).hex()


def _taken(path: str) -> WriteError:
    return WriteError(
        f"{path} holds something that this batch has not made, and is not overwritten", code="exists", where=path
    )


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
