"""The arguments of a method, from whichever flag brings them.

They are part of what is hashed, so their bytes are passed exactly as given: JSON is checked, never written anew.
"""

import json
from binascii import Error as BinasciiError
from binascii import a2b_base64

from near_tee_cli.cli import defaults, files
from near_tee_cli.cli.parameters import Given
from near_tee_cli.errors import UsageError

_FLAGS = {
    "positional_args": "the third argument",
    "args": "--args",
    "args_file": "--args-file",
    "args_base64": "--args-base64",
    "args_text": "--args-text",
    "args_hex": "--args-hex",
}


def arguments(given: Given) -> bytes | None:
    """The bytes that the line gives, `None` if it gives none. Raises `UsageError` and, for a file, `BadInputError`."""
    names = [name for name in _FLAGS if given.get(name) is not None]
    if not names:
        return None
    if len(names) > 1:
        first, second = (_FLAGS[name] for name in names[:2])
        raise UsageError(f"{first} and {second} both give the arguments; only one can", where=second)
    name = names[0]
    flag, text = _FLAGS[name], str(given[name])
    if name == "args_file":
        return files.read(text, "the arguments", max_bytes=files.MAX_ARGS_BYTES)
    if name == "args_base64":
        return from_base64(text, flag)
    if name == "args_hex":
        return from_hex(text, flag)
    data = text.encode("utf-8", "surrogateescape")  # bytes of the command line that are no UTF-8 stay what they are
    if name != "args_text":
        _require_json(data, flag)
    return data


def or_default(data: bytes | None) -> bytes:
    """The arguments, or those of a line that gives none."""
    return defaults.ARGS if data is None else data


def from_base64(text: str, flag: str) -> bytes:
    """Standard base64 with its padding. Raises `UsageError`."""
    try:
        return a2b_base64(text, strict_mode=True)
    except (BinasciiError, ValueError) as error:
        raise UsageError(f"{flag} is no base64: {error}", where=flag) from error


def from_hex(text: str, flag: str) -> bytes:
    """Pairs of hexadecimal digits, perhaps behind 0x. Raises `UsageError`."""
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError as error:
        raise UsageError(f"{flag} takes pairs of hexadecimal digits", where=flag) from error


def _require_json(data: bytes, flag: str) -> None:
    try:
        json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        hint = 'quote it for the shell, as in --args \'{"account_id":"user.near"}\'; --args-text passes any text'
        raise UsageError(f"{flag} is no JSON: {error}", where=flag, hint=hint) from error
