"""What the commands on snapshots share: which file, and which row of the state."""

from typing import NamedTuple

from near_tee_cli.cli import units
from near_tee_cli.cli.arguments import from_base64
from near_tee_cli.cli.parameters import Given, Parameter
from near_tee_cli.errors import BadInputError, UsageError

SNAPSHOT_ARGUMENT = Parameter(
    "snapshot", (), "A snapshot (JSON, Borsh or a recorded case) or the directory of a step; - is stdin.", "SNAPSHOT",
    required=True,
)  # fmt: skip

ROW = (
    Parameter("account", (), "The account.", "[ACCOUNT]"),
    Parameter("data_key", (), "Key of contract data, as text. Without one: the account itself.", "[KEY]"),
    Parameter("key_base64", ("--key-base64",), "Key of contract data in base64.", "TEXT", panel="Row"),
    Parameter("key_hex", ("--key-hex",), "Key of contract data in hexadecimal digits.", "HEX", panel="Row"),
    Parameter("access_key", ("--access-key",), "An access key instead of data.", "KEY", panel="Row"),
    Parameter("code", ("--code",), "The contract's code instead of data.", kind="flag", panel="Row"),
    Parameter("trie_key", ("--trie-key",), "Any row, by its whole key in base64.", "TEXT", panel="Row"),
)  # fmt: skip


class Wanted(NamedTuple):
    """A row that a line names."""

    key: bytes
    """In the trie."""
    name: str
    """For people; may hold anything."""


def wanted_row(given: Given) -> Wanted:
    """The row that a line names. Raises `UsageError`."""
    from near_tee_cli.primitives import keys as key_texts
    from near_tee_cli.state import keys

    chosen = [name for name in ("data_key", "key_base64", "key_hex", "access_key", "code") if given[name]]
    if given["trie_key"] is not None:
        if given["account"] is not None or chosen:
            raise UsageError("--trie-key names a row by itself", where="--trie-key")
        return Wanted(from_base64(given["trie_key"], "--trie-key"), given["trie_key"])
    if given["account"] is None:
        raise UsageError("which account?", hint="give ACCOUNT [KEY], or --trie-key")
    if len(chosen) > 1:
        raise UsageError(f"{' and '.join(chosen)} name different rows")
    account_id = units.account(given["account"], "ACCOUNT")
    if given["access_key"] is not None:
        try:
            handle = key_texts.key_handle(key_texts.public_key_from_text(given["access_key"]))
        except BadInputError as error:
            raise UsageError(f"--access-key: {error.message}", where="--access-key") from error
        return Wanted(keys.access_key(account_id, handle), f"{account_id} access key {given['access_key']}")
    if given["code"]:
        return Wanted(keys.contract_code(account_id), f"{account_id} code")
    data_key = _data_key(given)
    if data_key is None:
        return Wanted(keys.account(account_id), f"{account_id} account")
    shown = given["data_key"] if given["data_key"] is not None else data_key.hex()
    return Wanted(keys.contract_data(account_id, data_key), f"{account_id} data {shown}")


def _data_key(given: Given) -> bytes | None:
    if given["key_base64"] is not None:
        return from_base64(given["key_base64"], "--key-base64")
    if given["key_hex"] is not None:
        try:
            return bytes.fromhex(given["key_hex"].removeprefix("0x"))
        except ValueError as error:
            raise UsageError("--key-hex takes pairs of hexadecimal digits", where="--key-hex") from error
    text = given["data_key"]
    return None if text is None else text.encode("utf-8", "surrogateescape")
