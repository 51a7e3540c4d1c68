"""The file `*.ntw`: a claim about a WASI program and everything that is needed to check it, in one strict Borsh layout.

    magic, version, claim, claim digest, program hash, program?, input, variables, output, errors, attachments

There is one encoding of one content: what is read is encoded again and compared. The program may travel apart; then
only its hash stands here. Attachments are those of bundles, over the statement of this kind of claim.
"""

from functools import partial
from struct import unpack_from
from typing import NamedTuple

from near_tee_cli.errors import BadInputError, UnsupportedError
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.wire import (
    blob,
    optional,
    read_blob,
    read_hash,
    read_option,
    read_string,
    string,
    u16,
    vector,
    whole,
)
from near_tee_cli.proof.budget import Budget
from near_tee_cli.proof.bundle import (
    COMPACT_SIGNATURE,
    ENVELOPE,
    EVIDENCE,
    Attachment,
    encode_attachments,
)
from near_tee_cli.proof.limits import MAX_BUNDLE_BYTES
from near_tee_cli.proof.signatures import Signable
from near_tee_cli.worker.wasi_run import MAX_STDERR_BYTES, MAX_STDOUT_MB, MIB, Environment, Run, require_runnable
from near_tee_cli.worker.wasi_statement import (
    Asked,
    WasiClaim,
    claim_digest,
    compact_message,
    encode_claim,
    read_claim,
    statement_of,
)

MAGIC = b"near-ntw"
"""The first eight bytes of every file."""

VERSION = 1
"""The format that is written, a `u16` behind the magic."""

SUFFIX = ".ntw"

MAX_VARIABLES = 4096
MAX_ATTACHMENTS = 1024

KNOWN_ATTACHMENTS = frozenset({ENVELOPE, COMPACT_SIGNATURE, EVIDENCE})

_HEAD = len(MAGIC) + 2


class WasiBundle(NamedTuple):
    """A claim with its digest, and the content that it speaks about."""

    claim: WasiClaim
    claim_digest: bytes
    program_hash: bytes
    """SHA-256, 32 bytes."""
    program: bytes | None
    """`None` in a file whose program travels apart."""
    stdin: bytes
    environment: Environment
    stdout: bytes
    stderr: bytes
    attachments: tuple[Attachment, ...] = ()
    """Ascending kinds, then ascending bytes."""


def bundle_of(claim: WasiClaim, asked: Asked, run: Run) -> WasiBundle:
    """The file's content for a claim that `run` came of `asked`, without any signature."""
    return WasiBundle(
        claim=claim,
        claim_digest=claim_digest(claim),
        program_hash=sha256(asked.program),
        program=asked.program,
        stdin=asked.stdin,
        environment=asked.environment,
        stdout=run.stdout,
        stderr=run.stderr,
    )


def run_of(bundle: WasiBundle) -> Run:
    """The run that a file speaks about; as true as its claim."""
    outcome = bundle.claim.outcome
    return Run(
        exit=outcome.exit,
        trap=outcome.trap,
        stdout=bundle.stdout,
        stderr=bundle.stderr,
        instructions=outcome.instructions,
        memory_pages=outcome.memory_pages,
        metering=bundle.claim.task.metering,
    )


def signable_of(bundle: WasiBundle) -> Signable:
    """A file as far as signatures are about it."""
    claim = bundle.claim
    return Signable(bundle.claim_digest, partial(statement_of, claim), compact_message(claim), bundle.attachments)


def is_wasi_bundle(data: bytes) -> bool:
    """Whether `data` says that it is such a file, of whichever version."""
    return data.startswith(MAGIC)


def encode_wasi_bundle(bundle: WasiBundle) -> bytes:
    """The bytes of the file. Raises `BadInputError` (`bundle-too-large`) beyond the cap of the format."""
    data = b"".join(
        (
            MAGIC,
            u16(VERSION),
            encode_claim(bundle.claim),
            bundle.claim_digest,
            bundle.program_hash,
            optional(None if bundle.program is None else blob(bundle.program)),
            blob(bundle.stdin),
            vector(string(name) + string(value) for name, value in bundle.environment),
            blob(bundle.stdout),
            blob(bundle.stderr),
            encode_attachments(bundle.attachments),
        )
    )
    if len(data) > MAX_BUNDLE_BYTES:
        size = f"{len(data)} bytes do not fit one file, at most {MAX_BUNDLE_BYTES} do"
        raise BadInputError(size, code="bundle-too-large")
    return data


def decode_wasi_bundle(data: bytes) -> WasiBundle:
    """The content of `data`, all of it.

    Raises `BadInputError` (`malformed-wasi-bundle`), and `UnsupportedError` for another version.
    """
    try:
        if not is_wasi_bundle(data):
            raise BadInputError("it does not begin with the bytes that every such file has")
        if len(data) > MAX_BUNDLE_BYTES:
            raise BadInputError(f"{len(data)} bytes, at most {MAX_BUNDLE_BYTES} are read")
        _require_version(data)
        bundle = whole(data, _read_bundle, what="wasi bundle")
        again = encode_wasi_bundle(bundle)
    except UnsupportedError:
        raise
    except BadInputError as error:
        raise BadInputError(error.message, code="malformed-wasi-bundle", where=error.where) from error
    if again != data:
        raise BadInputError("wasi bundle: not in the one encoding of its content", code="malformed-wasi-bundle")
    return bundle


def _require_version(data: bytes) -> None:
    version = unpack_from("<H", data.ljust(_HEAD, b"\0"), len(MAGIC))[0]
    if version != VERSION and len(data) >= _HEAD:
        raise UnsupportedError(
            f"wasi bundle version {version} is not known, only {VERSION}", what="wasi-bundle-version"
        )


def _read_bundle(data: bytes, at: int) -> tuple[WasiBundle, int]:
    claim, at = read_claim(data, at + _HEAD)
    digest, at = read_hash(data, at)
    program_hash, at = read_hash(data, at)
    program, at = read_option(data, at, read_blob)
    stdin, at = read_blob(data, at)
    environment, at = Budget(MAX_VARIABLES).read_list(data, at, _read_variable, least=8)
    require_runnable(program or b"", stdin, environment)
    stdout, at = read_blob(data, at)
    stderr, at = read_blob(data, at)
    _require_bounded("output", stdout, MAX_STDOUT_MB * MIB)
    _require_bounded("errors", stderr, MAX_STDERR_BYTES)
    attachments, at = Budget(MAX_ATTACHMENTS).read_list(data, at, _read_attachment, least=5)
    if list(attachments) != sorted(set(attachments)):
        raise BadInputError("attachments are out of order or doubled")
    return WasiBundle(
        claim, digest, program_hash, program, stdin, environment, stdout, stderr, attachments
    ), at  # fmt: skip


def _require_bounded(what: str, data: bytes, most: int) -> None:
    if len(data) > most:
        raise BadInputError(f"{what} of {len(data)} bytes, at most {most} are read")


def _read_variable(data: bytes, at: int) -> tuple[tuple[str, str], int]:
    name, at = read_string(data, at)
    value, at = read_string(data, at)
    return (name, value), at


def _read_attachment(data: bytes, at: int) -> tuple[Attachment, int]:
    content, end = read_blob(data, at + 1)
    return Attachment(data[at], content), end
