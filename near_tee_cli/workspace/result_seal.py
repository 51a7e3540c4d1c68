"""Seals: which jobs of a batch this user's own batches have finished.

The directory of a batch, or the store of a cluster, may be written by others, mixed up, or copied together. A bundle
that holds says nothing of which job it is the result of, so a finished job is taken over only with an authentication
code over its id and all that came of it, under a key that never lies where results do. What has no seal was never
done, and is done again: so are results that came from another machine or another user.

It is no signature: a worker of a cluster gets the key with its task, as it is trusted with the result itself, and
whoever can read the user's files can make seals.
"""

import hmac
import os
import sys
from collections.abc import Callable

from near_tee_cli.errors import BadInputError, WriteError
from near_tee_cli.workspace.private_files import require_private_file, write_private_file
from near_tee_cli.workspace.unforked import unforked

KEY_BYTES = 32

Key = Callable[[], bytes | memoryview]
"""Gives the key whenever it is needed, so that no process has it longer."""

_DOMAIN = b"near-tee/batch-result/v1\0"
_NAME = "results.key"
_READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def seal(key: Key, job_id: bytes, document: bytes) -> str:
    """The seal of what a job of 32 bytes came to, hexadecimal."""
    return hmac.digest(key(), _DOMAIN + job_id + document, "sha256").hex()


def is_sealed(key: Key, job_id: bytes, document: bytes, *, told: str) -> bool:
    """Whether `told` is that seal."""
    return hmac.compare_digest(told.encode(), seal(key, job_id, document).encode())


def own_key() -> memoryview:
    """The key of this user, made when there is none. Raises `WriteError` and `BadInputError`."""
    path = os.path.join(_directory(), _NAME)
    if not os.path.lexists(path):
        _make(path)
    require_private_file(path, "the key of results")
    key = unforked(KEY_BYTES + 1)
    try:
        handle = os.open(path, _READ_FLAGS)
        try:
            length = os.readv(handle, [key])
        finally:
            os.close(handle)
    except OSError as error:
        raise BadInputError(f"{path} cannot be read: {error.strerror or error}", code="unreadable") from error
    if length != KEY_BYTES:
        raise BadInputError(
            f"{path} is damaged", code="bad-key", hint="remove it; what was finished is done again then"
        )
    return key[:KEY_BYTES]


def _make(path: str) -> None:
    try:
        write_private_file(path, os.urandom(KEY_BYTES))
    except WriteError as error:
        if error.code != "exists":
            raise WriteError(error.message, hint="NEAR_TEE_HOME names another place") from error


def _directory() -> str:
    home = os.environ.get("NEAR_TEE_HOME")
    if home:
        return home
    base = os.environ.get("XDG_STATE_HOME")
    if not base:
        base = os.path.expanduser("~/Library/Application Support" if sys.platform == "darwin" else "~/.local/state")
    return os.path.join(base, "near-tee")
