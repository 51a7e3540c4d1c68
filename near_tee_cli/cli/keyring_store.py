"""Secret keys in the keyring of the platform: `keyring:NAME` in the place of a file.

The keyring decides who may read, and may ask its owner. What keeps keys as plain text, or nowhere, is no keyring here.
"""

from typing import Any

from near_tee_cli.errors import BadInputError, HostError, WriteError

PREFIX = "keyring:"
INSTALL = "pip install 'near-tee-cli[keyring]'"
_SERVICE = "near-tee"
_MAX_NAME = 128
_RECOMMENDED = 1
"""The priority from which on the library recommends a keyring."""


def is_in_keyring(place: str) -> bool:
    """Whether `place` names a key of the keyring and no file."""
    return place.startswith(PREFIX)


def read(place: str) -> str:
    """The key that `place` names. Raises `BadInputError` (`not-found`) and `HostError` (`no-keyring`)."""
    found = _asked(_keyring().get_password, _name(place))
    if found is None:
        raise BadInputError(f"the keyring has no key {place}", code="not-found")
    return str(found)


def write(place: str, secret: str) -> None:
    """Keep a key under the name that `place` gives. Raises `WriteError` (`exists`), `BadInputError`, `HostError`."""
    keyring, name = _keyring(), _name(place)
    if _asked(keyring.get_password, name) is not None:
        raise WriteError(f"the keyring has a key {place} already", code="exists")
    _asked(keyring.set_password, name, secret)


def _name(place: str) -> str:
    name = place.removeprefix(PREFIX)
    if not name or len(name) > _MAX_NAME or not name.isprintable():
        raise BadInputError(f"{place[: 2 * _MAX_NAME]!r} names no key: {PREFIX}NAME", code="bad-key")
    return name


def _keyring() -> Any:
    """The keyring of the platform. Raises `HostError` where there is none that keeps secrets."""
    try:
        import keyring
    except ImportError as error:
        raise HostError("the library for keyrings is not installed", code="no-keyring", hint=INSTALL) from error
    found: Any = keyring.get_keyring()
    if found.priority < _RECOMMENDED:
        raise HostError(
            f"there is no keyring of the platform that keeps secrets ({type(found).__module__})", code="no-keyring"
        )
    return found


def _asked(call: Any, name: str, *more: str) -> Any:
    from keyring.errors import KeyringError

    try:
        return call(_SERVICE, name, *more)
    except KeyringError as error:
        # NOTE: what a keyring says may quote what it was given
        raise HostError(f"the keyring refuses: {type(error).__name__}", code="no-keyring") from None
