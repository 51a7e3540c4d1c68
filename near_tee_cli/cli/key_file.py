"""Secret keys: those that sign transactions and those that sign claims.

A file holds the key as text (`ed25519:...`), or the JSON that NEAR's tools keep credentials in. Only its owner may be
able to read it. In the place of a file may stand a name in the platform's keyring. A key is never taken from the
command line itself, where every process of the machine could read it.
"""

import os
import resource
from collections.abc import Mapping
from typing import NamedTuple

from near_tee_cli.cli import files, keyring_store
from near_tee_cli.cli.keyring_store import is_in_keyring
from near_tee_cli.errors import BadInputError, NearTeeError
from near_tee_cli.primitives import account_id as account_ids
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.primitives import keys
from near_tee_cli.primitives.curves import ed25519
from near_tee_cli.workspace.private_files import read_private_file, require_private_file, write_private_file

_MEMBERS = ("private_key", "secret_key")
_SEED_BYTES = 32
_NO_KEY = f"it has no member {' or '.join(_MEMBERS)}"
_TWO_KEYS = f"its members {' and '.join(_MEMBERS)} are different keys"
_FOREIGN_KEY = "its public_key is not that of its secret key"
_NO_ACCOUNT = "its account_id is none"
_OWN_REASONS = (_NO_KEY, _TWO_KEYS, _FOREIGN_KEY, _NO_ACCOUNT)


class SecretKey:
    """A secret key that does not show itself, neither in messages nor by being printed."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def public_key(self) -> bytes:
        """The public key that belongs to it, Borsh."""
        return keys.public_key_of(self._secret)

    def sign(self, message: bytes) -> bytes:
        """The signature of `message`, a hash, Borsh."""
        return keys.sign(self._secret, message)

    def sign_bytes(self, message: bytes) -> bytes:
        """The 64 bytes of an Ed25519 signature of `message`."""
        return keys.sign(self._secret, message)[1:]

    def text(self) -> str:
        """The key itself, for the one place that writes it into a file."""
        return keys.secret_key_text(self._secret)

    def __reduce__(self) -> str:
        raise TypeError("a secret key is not copied out of its process")


class Credentials(NamedTuple):
    """What a key file holds."""

    key: SecretKey
    account_id: str | None
    """The account that it is noted to be a key of."""


def published_key(seed: str) -> SecretKey:
    """The ed25519 key of a published seed: for examples, never for funds."""
    return SecretKey(keys.secret_key_from_seed(seed, scheme=keys.ED25519))


def read_secret_key(path: str) -> SecretKey:
    """The secret key in the file at `path`. Raises as `read_credentials` does."""
    return read_credentials(path).key


def read_credentials(path: str) -> Credentials:
    """What is in the key file at `path`, which only its owner may read, or in the keyring.

    Raises `BadInputError`, and `HostError` without a keyring; no message shows the key, and from now on nobody looks
    into the memory of this process, and it leaves no image of it behind.
    """
    _hide_memory()
    if is_in_keyring(path):
        data = keyring_store.read(path).encode()
    else:
        data = read_private_file(path, "the key file", max_bytes=files.MAX_SMALL_BYTES)
    try:
        text = data.decode("ascii").strip()
        if text.startswith("{"):
            return _credentials(cj.mapping(cj.loads(data, "the key file"), "the key file"))
        return Credentials(SecretKey(keys.secret_key_from_text(text)), None)
    except UnicodeDecodeError as error:
        raise BadInputError(f"the key file {path} is no text", code="bad-key") from error
    except NearTeeError as error:
        # NOTE: the cause is left out, because it may quote what it could not read
        raise BadInputError(f"the key file {path} cannot be used: {_harmless(error)}", code="bad-key") from None


def _credentials(document: Mapping[str, object]) -> Credentials:
    """The document of a key file. Raises `BadInputError` for one whose members contradict one another."""
    texts = [cj.string(document[name], name) for name in _MEMBERS if name in document]
    if not texts:
        raise BadInputError(_NO_KEY)
    secrets = {keys.secret_key_from_text(text) for text in texts}
    if len(secrets) > 1:
        raise BadInputError(_TWO_KEYS)
    key = SecretKey(secrets.pop())
    if "public_key" in document and not _is_public_key(document["public_key"], key):
        raise BadInputError(_FOREIGN_KEY)
    account = document.get("account_id")
    if account is None:
        return Credentials(key, None)
    if not isinstance(account, str) or not account_ids.is_valid(account):
        raise BadInputError(_NO_ACCOUNT)
    return Credentials(key, account)


def _is_public_key(text: object, key: SecretKey) -> bool:
    try:
        return isinstance(text, str) and keys.public_key_from_text(text) == key.public_key()
    except BadInputError:
        return False


def new_secret_key() -> SecretKey:
    """An Ed25519 key that nobody has had before."""
    _hide_memory()
    return SecretKey(bytes([keys.ED25519]) + ed25519.secret_key_of(os.urandom(_SEED_BYTES)))


def require_secret_key(path: str) -> None:
    """Refuse a file that `read_secret_key` would refuse for who may read it, without reading it."""
    if not is_in_keyring(path):
        require_private_file(path, "the key file")


def keep_secret_key(key: SecretKey, path: str, account_id: str | None) -> None:
    """Keep a key in a file of its own, or in the keyring. Raises `WriteError`; nothing is ever replaced."""
    document = credentials(key, account_id)
    if is_in_keyring(path):
        keyring_store.write(path, document.decode())
    else:
        write_private_file(path, document)


def credentials(key: SecretKey, account_id: str | None) -> bytes:
    """The document that NEAR's tools keep a key in. It shows the key: for a file that only its owner may read."""
    document = {} if account_id is None else {"account_id": account_id}
    document["public_key"] = keys.public_key_text(key.public_key())
    document["private_key"] = key.text()
    return cj.dumps(document, indent=2)


def _hide_memory() -> None:
    from near_tee_cli.isolate.confinement import hide_memory

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    hide_memory()


def _harmless(error: NearTeeError) -> str:
    """Why a key file is refused, without its content."""
    if error.message in _OWN_REASONS:
        return error.message
    if error.message.startswith(("secret key", "private_key is", "secret_key is")):
        return error.message if "is '" not in error.message else "the member holds no key"
    return "it is neither a key nor the JSON of one"
