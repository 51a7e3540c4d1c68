"""What preparing and compiling one contract gives, as bytes that a cache may keep.

Either the native code with what a call must know about the contract, or the reason why there is none; a reason
is kept as well, since finding it again costs as much. The bytes are only ever read back by whoever wrote them:
the cache behind `CodeCache` vouches for that, because native code from elsewhere could do anything.
"""

import hashlib
import json
import struct
from typing import NamedTuple, Protocol

from near_tee_cli.errors import BadInputError
from near_tee_cli.vm.prepared import Import, Prepared, PrepareError

PREPARATION_VERSION = 6
"""Counts the changes of what preparation puts into modules: a step makes everything cached before unreachable."""

_HEAD = struct.Struct("<4sI")
_MAGIC = b"NTA1"


class CodeCache(Protocol):
    """Keeps artifacts between processes. It never fails: what it cannot give is compiled again."""

    def load(self, name: bytes) -> bytes | None:
        """What was stored under `name` (32 bytes), exactly, or `None`."""

    def store(self, name: bytes, artifact: bytes) -> None:
        """Keep `artifact` under `name`, if possible."""


class Artifact(NamedTuple):
    """A decoded artifact."""

    prepared: Prepared | PrepareError
    """Its `wasm` is empty: the native code replaces it."""
    code_offset: int
    """Where the native code begins in the bytes of the artifact; their end if there is none."""


def artifact_name(code_hash: bytes, *, config_digest: bytes, engine: bytes) -> bytes:
    """The name of an artifact: everything that it depends on, hashed. `engine` is `Engine.fingerprint`."""
    version = PREPARATION_VERSION.to_bytes(4, "little")
    return hashlib.sha256(b"near-tee/artifact" + version + code_hash + config_digest + engine).digest()


def encode(prepared: Prepared | PrepareError, native: bytes) -> bytes:
    """The bytes of an artifact; `native` is empty when nothing was compiled."""
    about = int(prepared) if isinstance(prepared, PrepareError) else prepared[1:]
    text = json.dumps(about, separators=(",", ":")).encode()
    return b"".join((_HEAD.pack(_MAGIC, len(text)), text, native))


def decode(data: bytes) -> Artifact:
    """The artifact in bytes that `encode` made. Raises `BadInputError` for others."""
    try:
        magic, length = _HEAD.unpack_from(data)
        offset = _HEAD.size + length
        if magic != _MAGIC or offset > len(data):
            raise ValueError("head")
        about = json.loads(data[_HEAD.size : offset])
        if isinstance(about, int):
            return Artifact(PrepareError(about), offset)
        imports, *rest = about
        return Artifact(Prepared(b"", tuple(Import(*one) for one in imports), *rest), offset)
    except (ValueError, TypeError, struct.error) as error:
        raise BadInputError("this is no artifact of this version", code="bad-artifact") from error
